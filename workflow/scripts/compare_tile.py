"""Snakemake adapter of iota2_tools.assessing.comparison.write_comparison."""

from iota2_tools.assessing.comparison import write_comparison
from iota2_tools.core.jobs import job

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    seeds = snakemake.params.seeds
    write_comparison(
        splits=snakemake.input.splits,
        polygons=snakemake.input.polygons,
        validity=snakemake.input.validity,
        maps={
            seed: list(snakemake.input.maps[number :: len(seeds)])
            for number, seed in enumerate(seeds)
        },
        cloud_threshold=snakemake.params.cloud_threshold,
        nomenclature=snakemake.input.nomenclature,
        confusions=dict(zip(seeds, snakemake.output.confusions, strict=True)),
        differences=dict(zip(seeds, snakemake.output.differences, strict=True)),
    )
