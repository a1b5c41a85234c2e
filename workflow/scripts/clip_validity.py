"""Snakemake adapter of iota2_tools.validation.clip_validity."""

from iota2_tools.jobs import job
from iota2_tools.mosaic import VALIDITY
from iota2_tools.validation import clip_validity

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    clip_validity(
        validity=snakemake.input.validity,
        regions=snakemake.input.regions,
        footprint=snakemake.input.footprint,
        dtype=snakemake.params.dtype,
        nodata=VALIDITY.encodings[snakemake.params.dtype],
        output=snakemake.output.validity,
    )
