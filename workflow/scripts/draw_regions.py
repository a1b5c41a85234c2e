"""Snakemake adapter of iota2_tools.envelopes.write_regions."""

from iota2_tools.envelopes import write_regions
from iota2_tools.grid import Grid
from iota2_tools.jobs import job

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    write_regions(
        tile=snakemake.wildcards.tile,
        grids={tile: Grid(**grid) for tile, grid in snakemake.params.grids.items()},
        margin=snakemake.params.margin,
        regions=snakemake.params.regions,
        names=snakemake.params.names,
        output=snakemake.output.regions,
    )
