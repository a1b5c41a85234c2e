"""Snakemake adapter of iota2_tools.classifying.tile.classify_tile, on one node or on MPI ranks."""

from iota2_tools.classifying.tile import classify_tile
from iota2_tools.core.jobs import job
from iota2_tools.core.ranks import run_on_ranks

layers = list(snakemake.output.keys())
draws = zip(*(snakemake.output[layer] for layer in layers), strict=True)
arguments = {
    "inventory": snakemake.input.inventory,
    "settings": snakemake.params.features,
    "masks": dict(zip(snakemake.params.features, snakemake.input.masks, strict=True)),
    "rasters": {name: snakemake.input[name] for name in ("regions", "footprint", "validity")},
    "region": snakemake.params.number,
    "models": list(snakemake.input.models),
    "codes": tuple(snakemake.params.codes),
    "dtype": snakemake.params.dtype,
    "minimum_clear_dates": snakemake.params.minimum_clear_dates,
    "budget_mb": snakemake.params.window_mb,
    "threads": snakemake.threads,
    "outputs": [dict(zip(layers, files, strict=True)) for files in draws],
}

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    launcher = snakemake.resources.get("mpi")
    if launcher:
        run_on_ranks(launcher, snakemake.resources.tasks, classify_tile, arguments)
    else:
        classify_tile(**arguments)
