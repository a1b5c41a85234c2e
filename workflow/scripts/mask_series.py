"""Snakemake adapter of iota2_tools.masks.write_clear_masks."""

from iota2_tools.logs import log_to
from iota2_tools.masks import write_clear_masks

with log_to(snakemake.log[0]):
    write_clear_masks(
        inventory=snakemake.input.inventory,
        sensor=snakemake.wildcards.sensor,
        masks=snakemake.output.masks,
        footprint=snakemake.output.footprint,
        threads=snakemake.threads,
    )
