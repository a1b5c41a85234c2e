"""Snakemake adapter of iota2_tools.reference.pixels.burn_polygons."""

from iota2_tools.core.jobs import job
from iota2_tools.reference.pixels import burn_polygons

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    burn_polygons(
        splits=snakemake.input.splits,
        regions=snakemake.input.regions,
        output=snakemake.output.polygons,
    )
