"""Snakemake adapter of iota2_tools.assessing.comparison.write_fused_comparison."""

from iota2_tools.assessing.comparison import SeedFiles, TileReference, write_fused_comparison
from iota2_tools.core.jobs import job

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    seeds = snakemake.params.seeds
    write_fused_comparison(
        TileReference(
            splits=snakemake.input.splits,
            polygons=snakemake.input.polygons,
            validity=snakemake.input.validity,
            footprint=snakemake.input.footprint,
            cloud_threshold=snakemake.params.cloud_threshold,
        ),
        {
            seed: SeedFiles(
                maps=list(snakemake.input.maps[number :: len(seeds)]),
                confusion=snakemake.output.confusions[number],
            )
            for number, seed in enumerate(seeds)
        },
        SeedFiles(
            maps=list(snakemake.input.get("fused", [])),
            confusion=snakemake.output.confusion,
            difference=snakemake.output.difference,
            undecided=snakemake.params.undecided,
            polygons=snakemake.output.by_polygon,
        ),
        snakemake.params.nomenclature,
    )
