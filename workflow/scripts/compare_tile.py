"""Snakemake adapter of iota2_tools.assessing.comparison.write_comparison."""

from iota2_tools.assessing.comparison import SeedFiles, TileReference, write_comparison
from iota2_tools.core.jobs import job

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    seeds = snakemake.params.seeds
    differences, polygons, reliability = (
        snakemake.output.get(name, [None] * len(seeds))
        for name in ("differences", "polygons", "reliability")
    )
    confidence = list(snakemake.input.get("confidence", []))
    tile = TileReference(
        splits=snakemake.input.splits,
        polygons=snakemake.input.polygons,
        validity=snakemake.input.validity,
        footprint=snakemake.input.footprint,
        cloud_threshold=snakemake.params.cloud_threshold,
    )
    write_comparison(
        tile,
        {
            seed: SeedFiles(
                maps=list(snakemake.input.maps[number :: len(seeds)]),
                confusion=snakemake.output.confusions[number],
                difference=differences[number],
                polygons=polygons[number],
                confidence=confidence[number :: len(seeds)],
                reliability=reliability[number],
            )
            for number, seed in enumerate(seeds)
        },
        snakemake.params.nomenclature,
    )
    plain = {
        seed: SeedFiles(list(snakemake.input.plain[number :: len(seeds)]), confusion)
        for number, (seed, confusion) in enumerate(
            zip(seeds, snakemake.output.get("plain", []), strict=False)
        )
    }
    if plain:
        write_comparison(tile, plain, snakemake.params.nomenclature)
