"""What products take on disk, compressed: for the plan of a production.

What a job asks for (`planning.needs`) holds for pixels that cannot be compressed, and for files that are
there while it works. These are bytes a pixel of a simulated tile of 2200 x 2200 pixels, 11 classes: fields of
some hectares, mapped by a forest. Maps of smaller fields take more.
"""

from collections.abc import Callable

from iota2_tools.planning.needs import NEEDS, Size

CLASSES, CONFIDENCE, PROBABILITY = 0.19, 0.77, 0.51
"""Of a pixel between stages: its class, its confidence, the probability of one class."""
SPARSE = 0.02
"""Of a pixel of a raster that is alike over large areas: masks, validity, differences, polygons."""
MASK = 0.003
"""Of a pixel and date: whether it is clear."""
FINAL = 1.2
"""Times as much in final rasters, which have overviews, and can be read by all."""
TRACED, SHAPED, MEASURED, LAYER = 1.7, 1.0, 0.4, 3.3
"""Of a pixel: arcs of the squares, their polygons, their sums; the layer of polygons with all attributes."""
TREE, TREE_GROWS, TREE_SAMPLES = 0.05, 0.62, 3500
"""Megabytes of a tree of so many samples as it is stored, and the power of the samples that it grows with: measured
on 3500 to 20 000 samples of simulated fields. Where classes overlap a tree takes up to six times as much."""
PAGE = 2.8
"""Megabytes of the report with its scripts; its pictures are few."""
SMALL = 0.2
"""Megabytes of tables, figures and reports of a job."""


def _a_pixel(kept: Callable[[Size], float]) -> Callable[[Size], float]:
    """Megabytes of a raster, from bytes a pixel."""
    return lambda size: SMALL + kept(size) * size.megapixels


def _sparse(size: Size) -> float:
    return SPARSE


def _map(size: Size) -> float:
    return FINAL * CLASSES


def _confidence(size: Size) -> float:
    return FINAL * CONFIDENCE


def _probabilities(size: Size) -> float:
    return FINAL * PROBABILITY * size.classes


def _whole(size: Size) -> float:
    """Classes, confidence, and probabilities where they are written, of a draw."""
    return CLASSES + CONFIDENCE + PROBABILITY * size.probable


def _squares(kept: float) -> Callable[[Size], float]:
    """Megabytes of a bundle of squares, from bytes a pixel."""
    return lambda size: SMALL + kept * 1e-6 * size.square * size.squares


_AS_ASKED = (
    "prepare_batch", "write_features", "write_chosen_features", "mosaic_features",
)  # fmt: skip
"""Rules whose products cannot be compressed much."""
_KEPT: dict[str, Callable[[Size], float]] = {
    "mask_series": _a_pixel(lambda size: MASK * size.acquisitions),
    "classify_tile": _a_pixel(lambda size: size.draws * _whole(size)),
    "smooth_tile": _a_pixel(lambda size: size.draws * (CLASSES + CONFIDENCE)),
    "fuse_seeds": _a_pixel(_whole),
    "regularise_blocks": lambda size: SMALL + CLASSES * 1e-6 * size.regularised * size.blocks,
    **dict.fromkeys(
        ("mosaic_classes", "mosaic_raw_classes", "mosaic_fusion", "mosaic_regularised", "mosaic_choice", "mosaic_sets"),
        _a_pixel(_map),
    ),
    **dict.fromkeys(("mosaic_confidence", "mosaic_fused_confidence"), _a_pixel(_confidence)),
    **dict.fromkeys(
        ("mosaic_probabilities", "mosaic_fused_probabilities"), _a_pixel(_probabilities)
    ),
    **dict.fromkeys(
        ("count_valid_dates", "draw_regions", "burn_polygons", "clip_validity", "compare_tile", "compare_raw_tile",
         "compare_regularised_tile", "compare_fusion", "compare_regularised_fusion", "compare_regions",
         "mosaic_validity", "mosaic_differences", "mosaic_regularised_differences", "mosaic_fused_differences",
         "mosaic_regularised_fused_differences"),
        _a_pixel(_sparse),
    ),
    "write_report": lambda _: PAGE,
    "trace_squares": _squares(TRACED),
    "shape_squares": _squares(SHAPED),
    "measure_squares": _squares(MEASURED),
    "write_polygons": _a_pixel(lambda _: LAYER),
}  # fmt: skip


def kept_mb(rule: str, size: Size, samples: float = 0) -> float:
    """Megabytes of what a job of a rule leaves on disk, about.

    Parameters
    ----------
    rule : str
        The rule.
    size : Size
        What the job works on.
    samples : float
        Those of a tile have two bytes a feature; a model grows with those that it learns. 0: not known.
    """
    if rule in ("train_model", "train_source"):
        grown = (max(samples, 1) / TREE_SAMPLES) ** TREE_GROWS if samples else 1
        return TREE * size.trees * (size.traits.forest or 1) * grown
    if rule == "extract_samples":
        return SMALL + 2e-6 * samples * size.features
    if rule in _AS_ASKED:
        return NEEDS[rule](size).disk
    return _KEPT[rule](size) if rule in _KEPT else SMALL
