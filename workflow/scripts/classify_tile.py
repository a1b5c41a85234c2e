"""Snakemake adapter of iota2_tools.classifying.tile.classify_tile, on one node or on MPI ranks."""

from iota2_tools.assessing.scores import read_matrix_csv
from iota2_tools.classifying.tile import MappingSettings, TileSources, classify_tile
from iota2_tools.core.jobs import job
from iota2_tools.core.ranks import run_on_ranks
from iota2_tools.fusing.boundaries import Boundaries
from iota2_tools.fusing.methods import FusionRules
from iota2_tools.fusing.models import FusedModels
from iota2_tools.learning.conformal import sets_of_model


def models_of_draws():
    """A model a draw, or several that answer as one: of radar and optical sensors, of parts."""
    folders, together = list(snakemake.input.models), snakemake.params.get("together")
    if not together:
        return folders
    count = len(together["names"])
    matrices = [read_matrix_csv(path)[0] for path in snakemake.input.confusions]
    return [
        FusedModels(
            tuple(folders[first : first + count]),
            tuple(together["names"]),
            tuple(snakemake.params.codes),
            FusionRules(
                together["method"],
                together["undecided"],
                weights=tuple(together.get("weights", ())),
            ),
            tuple(matrices[first : first + count]),
            together["masses"],
        )
        for first in range(0, len(folders), count)
    ]


def neighbours():
    """Regions whose models are asked near the boundaries, with their models draw by draw."""
    border = snakemake.params.get("border")
    if not border:
        return None
    draws = len(snakemake.output.classes)
    folders = list(snakemake.input.neighbours)
    return Boundaries(
        border["regions"],
        border["names"],
        snakemake.wildcards.region,
        {
            name: folders[number * draws : (number + 1) * draws]
            for number, name in enumerate(border["neighbours"])
        },
        tuple(snakemake.params.codes),
        border["exterior"],
        border["interior"],
    )


def prediction_sets():
    """Which classes the model of each draw excludes, if that is mapped."""
    errors = snakemake.params.get("errors")
    if errors is None:
        return ()
    pairs = zip(snakemake.input.folds, snakemake.input.models, strict=True)
    return tuple(sets_of_model(folds, model, errors) for folds, model in pairs)


layers = list(snakemake.output.keys())
draws = zip(*(snakemake.output[layer] for layer in layers), strict=True)
with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    arguments = {
        "tile": TileSources(
            inventory=snakemake.input.inventory,
            settings=snakemake.params.features,
            masks=dict(zip(snakemake.params.features, snakemake.input.masks, strict=True)),
            regions=snakemake.input.regions,
            footprint=snakemake.input.footprint,
            validity=snakemake.input.validity,
            external=snakemake.params.external,
        ),
        "settings": MappingSettings(
            region=snakemake.params.number,
            codes=tuple(snakemake.params.codes),
            dtype=snakemake.params.dtype,
            minimum_clear_dates=snakemake.params.minimum_clear_dates,
            budget_mb=snakemake.resources.window_mb,
            sets=prediction_sets(),
        ),
        "models": models_of_draws(),
        "outputs": [dict(zip(layers, files, strict=True)) for files in draws],
        "threads": snakemake.threads,
        "neighbours": neighbours(),
    }
    launcher = snakemake.resources.get("mpi")
    if launcher:
        run_on_ranks(launcher, snakemake.resources.tasks, classify_tile, arguments)
    else:
        classify_tile(**arguments)
