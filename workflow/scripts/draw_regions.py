"""Snakemake adapter of iota2_tools.reference.envelopes.write_regions."""

from iota2_tools.core.jobs import job
from iota2_tools.geo.grid import Grid
from iota2_tools.reference.envelopes import write_regions

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    write_regions(
        tile=snakemake.wildcards.tile,
        grids={tile: Grid(**grid) for tile, grid in snakemake.params.grids.items()},
        margin=snakemake.params.margin,
        regions=snakemake.params.regions,
        names=snakemake.params.names,
        output=snakemake.output.regions,
    )
