"""Snakemake adapter of iota2_tools.features.chosen.write_chosen."""

from iota2_tools.core.jobs import job
from iota2_tools.features.chosen import Choice, TileRasters, write_chosen

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    tile = TileRasters(
        inventory=snakemake.input.inventory,
        masks=dict(zip(snakemake.params.series, snakemake.input.masks, strict=True)),
        regions=snakemake.input.regions,
        footprint=snakemake.input.footprint,
    )
    write_chosen(
        tile=tile,
        choice=Choice(**snakemake.params.choice),
        budget_mb=snakemake.resources.window_mb,
        threads=snakemake.threads,
        output=snakemake.output.features,
    )
