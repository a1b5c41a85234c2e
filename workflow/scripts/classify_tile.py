"""Snakemake adapter of iota2_tools.classification.classify_tile."""

from iota2_tools.classification import classify_tile
from iota2_tools.jobs import job

layers = list(snakemake.output.keys())
draws = zip(*(snakemake.output[layer] for layer in layers), strict=True)

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    classify_tile(
        inventory=snakemake.input.inventory,
        settings=snakemake.params.features,
        masks=dict(zip(snakemake.params.features, snakemake.input.masks, strict=True)),
        rasters={name: snakemake.input[name] for name in ("regions", "footprint", "validity")},
        region=snakemake.params.number,
        models=list(snakemake.input.models),
        codes=tuple(snakemake.params.codes),
        dtype=snakemake.params.dtype,
        minimum_clear_dates=snakemake.params.minimum_clear_dates,
        budget_mb=snakemake.params.window_mb,
        threads=snakemake.threads,
        outputs=[dict(zip(layers, files, strict=True)) for files in draws],
    )
