"""What the jobs of a production work on, for what they ask for and take."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from iota2_tools.geo.squares import bundles
from iota2_tools.learning.traits import FOLDS
from iota2_tools.planning.needs import Size

if TYPE_CHECKING:
    from iota2_tools.planning.parameters import Parameters


def size_of(parameters: "Parameters", tile: str | None) -> Size:
    """What a job works on: its tile, or the whole map where there is none."""
    plan = parameters.production
    grid = plan.grid(tile) if tile else plan.mosaic_grid
    tiles = [tile] if tile else plan.tiles
    return Size(
        pixels=grid.rows * grid.cols,
        columns=grid.cols,
        acquisitions=max(
            sum(len(plan.products(series, name)) for series in plan.series_of_tile(name))
            for name in tiles
        ),
        registered=sum(
            len(plan.products(series, name))
            for name in tiles
            for series in plan.series_of_tile(name)
            if plan.section(plan.series[series].sensor).coregistration
        ),
        bands=max((len(item.bands) for item in parameters.series_features.values()), default=0),
        features=parameters.feature_count,
        external=len(parameters.external_names),
        user=len(parameters.user_names),
        chosen=len(parameters.chosen_features),
        margin=max((item["margin"] for item in parameters.external), default=0),
        classes=len(plan.nomenclature.codes),
        draws=len(plan.seeds),
        probable=len(plan.nomenclature.codes) if _probable(parameters) else 0,
        regions=max(len(plan.regions_of_tiles[tile]), 1) if tile else 1,
        models=max(
            (len(plan.model_names(r)) for name in tiles for r in plan.regions_of_tiles[name]),
            default=1,
        ),
        window_mb=parameters.config.classification.window_mb,
        pieces=len(plan.tiles) * len(plan.regions),
        regularised=plan.regularisation.largest_window if plan.regularisation else 0,
        blocks=_most(bundles(plan.regularisation.blocks)) if plan.regularisation else 1,
        square=_square_pixels(parameters),
        squares=_most(plan.vectorisation.bundles) if plan.vectorisation else 1,
        seams=plan.vectorisation.seam_pixels if plan.vectorisation else 0,
        grown=_grown(parameters),
        fits=_fits(parameters),
        reduced=parameters.config.learning.reduction.used,
        folds=FOLDS * (2 if parameters.folds["drop"] else 1) if plan.folded else 0,
        trees=parameters.config.learning.parameters.get("n_estimators", 100),
        learner=parameters.config.learning.learner,
    )


def _probable(parameters: "Parameters") -> bool:
    """Whether the probabilities of all classes are written."""
    section = parameters.config.classification
    return section.probability_map or section.smoothing.used


def _square_pixels(parameters: "Parameters") -> int:
    plan = parameters.production.vectorisation
    if not plan:
        return 0
    side = plan.section.square_pixels
    return min(side, plan.grid.rows) * min(side, plan.grid.cols)


def _grown(parameters: "Parameters") -> float:
    """How many times as many samples a model learns as its tables hold, about.

    How uneven the classes are is not known before; a further attempt asks for more.
    """
    made = parameters.config.sampling.augmentation
    return (4 if made.to == "balance" else 2) if made.used else 1


def _fits(parameters: "Parameters") -> int:
    """How many times a model is learnt; halving costs about two combinations of a grid a round."""
    search = parameters.config.learning.search
    if not search.used:
        return 1
    tried = search.combinations
    if search.method == "halving":
        tried = min(tried, 2 + 2 * math.ceil(math.log(max(tried, 1), 3)))
    return 1 + tried * search.folds


def _most(dealt: Mapping[str, list[str]]) -> int:
    """Parts of the largest bundle."""
    return max(map(len, dealt.values()), default=1)
