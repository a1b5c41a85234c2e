"""Snakemake adapter of iota2_tools.timeseries.masks.write_clear_masks."""

from iota2_tools.core.jobs import job
from iota2_tools.timeseries.masks import write_clear_masks

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    write_clear_masks(
        inventory=snakemake.input.inventory,
        series=snakemake.wildcards.series,
        masks=snakemake.output.masks,
        footprint=snakemake.output.footprint,
        threads=snakemake.threads,
    )
