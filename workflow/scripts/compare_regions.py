"""Snakemake adapter of iota2_tools.assessing.comparison.write_comparison_by_region."""

from iota2_tools.assessing.comparison import (
    SeedFiles,
    TileReference,
    write_comparison_by_region,
)
from iota2_tools.core.jobs import job

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    seeds = snakemake.params.seeds
    tile = TileReference(
        splits=snakemake.input.splits,
        polygons=snakemake.input.polygons,
        validity=snakemake.input.validity,
        footprint=snakemake.input.footprint,
        cloud_threshold=snakemake.params.cloud_threshold,
    )
    files = {
        seed: SeedFiles(
            maps=list(snakemake.input.maps[number :: len(seeds)]),
            confusion=snakemake.output.confusions[number],
        )
        for number, seed in enumerate(seeds)
    }
    names = {number: name for name, number in snakemake.params.regions.items()}
    write_comparison_by_region(tile, files, snakemake.input.regions, names)
