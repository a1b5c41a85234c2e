"""Snakemake adapter of iota2_tools.maps.validity.clip_validity."""

from iota2_tools.core.jobs import job
from iota2_tools.maps.validity import clip_validity

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    clip_validity(
        validity=snakemake.input.validity,
        regions=snakemake.input.regions,
        footprint=snakemake.input.footprint,
        dtype=snakemake.params.dtype,
        output=snakemake.output.validity,
    )
