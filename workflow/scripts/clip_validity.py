"""Snakemake adapter of iota2_tools.validation.clip_validity."""

from iota2_tools.logs import log_to
from iota2_tools.mosaic import VALIDITY
from iota2_tools.validation import clip_validity

with log_to(snakemake.log[0]):
    clip_validity(
        validity=snakemake.input.validity,
        regions=snakemake.input.regions,
        footprint=snakemake.input.footprint,
        dtype=snakemake.params.dtype,
        nodata=VALIDITY.encodings[snakemake.params.dtype],
        output=snakemake.output.validity,
    )
