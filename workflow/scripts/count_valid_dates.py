"""Snakemake adapter of iota2_tools.masks.write_validity."""

from iota2_tools.logs import log_to
from iota2_tools.masks import write_validity

with log_to(snakemake.log[0]):
    write_validity(
        inventory=snakemake.input.inventory,
        masks=list(snakemake.input.masks),
        footprints=list(snakemake.input.footprints),
        validity=snakemake.output.validity,
        footprint=snakemake.output.footprint,
    )
