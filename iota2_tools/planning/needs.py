"""What a job asks for: memory, time and disk, from the size of what it works on.

The one place for all rules. `benchmarks/needs.py` sets the figures against a production's own
logs; a test does so for a small one. Constants are megabytes measured on Debian 12 with the
locked packages, unless said otherwise.
"""

import math
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from iota2_tools.features.external import block_side
from iota2_tools.learning.traits import FOLD_SAMPLES, Traits, traits_of

SNAKEMAKE = 300
"""The Snakemake that starts a job on the node of a cluster counts with the job."""
ROOM = 1.15
"""Asked for above the estimate: allocators and other versions of the libraries differ."""
GDAL_CACHE = 128
"""`raster.CACHE_MB`, once a raster is larger than that."""
MASK_WINDOW = 200
"""`masks.WINDOW_MB`."""
OPEN_IMAGE = 1.1
"""Of an image that stays open while the windows of a tile go by: what ZSTD decodes with, the worst of them."""
MASKS = 3
"""Files of codes of an acquisition, about."""
CHUNK_PIXELS = 16384
"""`classification.CHUNK`."""

GROWTH = 1.6
"""Memory of each further attempt, against that of the one before."""
SAFETY = 6
"""Time asked for, against what the work took on an idle core: nodes and disks are slower."""
SHORTEST = 10
"""Minutes asked for at least."""
LEAST = 1000
"""Memory asked for at least: small jobs vary, with font caches, compilation and libraries."""


@dataclass(frozen=True)
class Size:
    """What a job works on; what does not concern its rule stays 0.

    Parameters
    ----------
    pixels : int
        Of the raster gone over: that of a tile, or the map.
    columns : int
        Width of that raster, pixels.
    acquisitions, bands, features, classes, draws : int
        Acquisitions of all sensors, bands read of each, features, classes, draws.
    probable : int
        Classes whose probabilities are written for each pixel; 0 if none are.
    regions : int
        Regions that share a tile.
    models : int
        Models of a draw that answer together, one if none do.
    registered : int
        Of the acquisitions, those that are moved onto a reference.
    external : int
        Features of functions of the user, which count in `features`.
    user : int
        Bands of the rasters of the user, which count in `features`.
    margin : int
        Pixels around a block that these functions look at.
    window_mb : float
        `classification.window_mb`.
    square : int
        Pixels of a square that polygons are made in.
    squares : int
        Squares that one job works on, one after the other, at most.
    seams : int
        Pixels along which such squares meet.
    pieces : int
        Files that are put together.
    regularised : int
        Pixels of the map that the largest block of its regularisation looks at.
    blocks : int
        Such blocks that one job works on, one after the other, at most.
    input_mb : float
        Size of the files read whole: models, samples.
    grown : float
        How many times as many samples a model learns as its tables hold, about.
    fits : int
        Times that a model is learnt: once, and for each fold of each combination of a search.
    reduced : bool
        Whether components of the features are learnt.
    folds : int
        Folds that a model is judged by as it is learnt.
    trees : int
        Of a forest.
    learner : str
        As in `learning.learner`.
    """

    pixels: int = 0
    columns: int = 0
    acquisitions: int = 0
    registered: int = 0
    bands: int = 0
    features: int = 0
    chosen: int = 0
    classes: int = 0
    draws: int = 0
    probable: int = 0
    regions: int = 1
    models: int = 1
    external: int = 0
    user: int = 0
    margin: int = 0
    window_mb: float = 0
    square: int = 0
    squares: int = 1
    seams: int = 0
    pieces: int = 0
    regularised: int = 0
    blocks: int = 1
    input_mb: float = 0
    grown: float = 1
    fits: int = 1
    reduced: bool = False
    folds: int = 0
    trees: int = 100
    learner: str = "RandomForestClassifier"

    @property
    def traits(self) -> Traits:
        """Of the learner."""
        return traits_of(self.learner)

    @property
    def megapixels(self) -> float:
        """Millions of pixels."""
        return self.pixels / 1e6

    @property
    def moving_seconds(self) -> float:
        """Of reading the images that are moved, beyond that of others."""
        return 0.1 * self.bands * self.registered * self.megapixels

    @property
    def image_bytes(self) -> int:
        """Of one pixel of a window: int16 bands and masks, user features and external ones."""
        return self.acquisitions * (2 * self.bands + 1) + 4 * (self.external + self.user) + 16

    @property
    def user_seconds(self) -> float:
        """Seconds for all bands of the user over the tile, some of them interpolated."""
        return 0.1 * self.user * self.megapixels

    @property
    def called(self) -> float:
        """Arrays that functions of the user ask for and make, MB: twice all others, as float32."""
        if not self.external:
            return 0
        return 8 * self.block_pixels * (self.features - self.external) / 1e6

    @property
    def window(self) -> float:
        """Images held at once, MB: with functions of the user, a block of theirs at least."""
        least = self.image_bytes * self.block_pixels / 1e6 if self.external else 0
        return min(max(self.window_mb, least), self.image_bytes * self.megapixels)

    @property
    def block_pixels(self) -> int:
        """Of a block that functions of the user are called for, with its margin."""
        return (block_side(self.margin) + 2 * self.margin) ** 2

    @property
    def cache(self) -> float:
        """GDAL's blocks, and what each band of the user holds while a part of it is read, MB."""
        return 2 * self.user + min(
            GDAL_CACHE, 2 * self.megapixels * max(self.acquisitions, self.user, 1)
        )


@dataclass(frozen=True)
class Need:
    """Estimates of a job: peak memory of its process (MB), seconds of one core, disk (MB)."""

    memory: float
    seconds: float
    disk: float = 10


def _light(memory: float) -> Callable[[Size], Need]:
    """A rule that goes over a few bands in strips of 256 rows, or over small tables."""

    def need(size: Size) -> Need:
        strip = 40 * min(256 * size.columns, size.pixels) / 1e6
        return Need(memory + strip + size.cache, 10 + 0.2 * size.megapixels, 1 * size.megapixels)

    return need


def _reading_seconds(size: Size) -> float:
    """Seconds for all masks and bands of a tile; decoding a band takes 6 ms a million pixels."""
    return (0.01 + 0.006 * size.bands) * size.megapixels * size.acquisitions


def _mask_series(size: Size) -> Need:
    window = min(MASK_WINDOW, 3 * size.acquisitions * size.megapixels)
    seconds = _reading_seconds(size) + size.moving_seconds
    images = OPEN_IMAGE * size.acquisitions * (size.bands + MASKS)
    return Need(
        190 + 1.7 * window + size.cache + min(images, 2 * size.megapixels * size.acquisitions),
        10 + seconds,
        size.megapixels * size.acquisitions / 8,
    )


def _split_polygons(size: Size) -> Need:
    return Need(240 + 8 * size.input_mb, 20 + size.input_mb, 2 * size.input_mb)


def _counting(size: Size) -> Need:
    """A strip of the tile whose pixels all lie in polygons, and the fields of the polygons."""
    strip = 100 * min(256 * size.columns, size.pixels) / 1e6
    return Need(260 + strip + 1.2 * size.cache + 4 * size.input_mb, 20 + 0.3 * size.megapixels, 20)


def _extract_samples(size: Size) -> Need:
    block = min(size.window, size.image_bytes * (256 + 2 * size.margin) ** 2 / 1e6)
    table = 6 * size.input_mb * size.features / 100
    return Need(
        490 + 1.3 * block + size.called + size.cache + table,
        30 + _reading_seconds(size) + size.moving_seconds + size.user_seconds,
        2 * size.input_mb,
    )


def _train_model(size: Size) -> Need:
    """Tables are compressed about twice. A forest grows with its samples, 50 bytes for each in a tree."""
    learnt = size.grown * size.input_mb
    samples = 1e6 * learnt / max(size.features, 1)
    if size.traits.forest:
        grown = size.traits.forest * size.trees / 100
        memory = 4 * learnt + 5e-3 * samples * grown
        seconds = 8 * learnt * grown
    else:
        memory = 7 * learnt
        pairs = 1e-9 * size.traits.pair_ns * samples**2 * size.features
        seconds = max(8 * learnt, pairs)
    if size.reduced:
        memory += 20 * learnt  # as float64, and standardised
    if size.fits > 1:
        memory *= 2  # two combinations at a time
    in_folds = size.folds * seconds * min(1, FOLD_SAMPLES / max(samples, 1))
    if size.folds:
        memory += 4 * learnt * min(1, FOLD_SAMPLES / max(samples, 1))  # a part beside the whole
    return Need(550 + memory, 30 + size.fits * seconds + in_folds, learnt)


def _learn_folds(size: Size) -> Need:
    """Five models one after the other, each beside a copy of its part of the samples."""
    one = _train_model(replace(size, folds=0))
    return Need(one.memory + 4 * size.input_mb, 5 * one.seconds, 2 * size.input_mb)


def _fuse_seeds(size: Size) -> Need:
    """`fusing.tile.WINDOW_MB`, in copies; probabilities, if there are any, take longest."""
    values = size.megapixels * size.draws * (1 + size.classes)
    window = min(4 * 64, 8 * values)
    return Need(
        340 + window + size.cache, 20 + 0.02 * values, 2 * (2 + size.classes) * size.megapixels
    )


def _mapping_seconds(size: Size) -> float:
    """Seconds of the models of all draws for a million pixels."""
    if size.traits.forest:
        return 6 * size.draws * size.models * size.trees / 100
    reading = 0.05 * size.features * size.draws * size.models
    return reading + size.traits.mapping_seconds * size.input_mb


def _classify_tile(size: Size) -> Need:
    chunks = 8 * CHUNK_PIXELS * size.features / 1e6
    maps = size.draws * (10 + size.classes) * min(256 * size.columns, size.pixels) / 1e6
    models = size.traits.loaded * size.input_mb
    memory = 560 + 1.25 * size.window + size.called + size.cache + chunks + maps + models
    seconds = size.megapixels * (0.04 * size.acquisitions + _mapping_seconds(size))
    seconds += size.moving_seconds + size.user_seconds
    return Need(memory, 60 + seconds, size.draws * (2 + 2 * size.probable) * size.megapixels)


def _smooth_tile(size: Size) -> Need:
    """Windows as wide as the cache holds three rows of blocks of; margins of neighbours."""
    values = size.megapixels * size.classes * size.draws
    return Need(330 + 2 * GDAL_CACHE, 30 + 0.035 * values, 2 * size.draws * size.megapixels)


def _write_features(size: Size) -> Need:
    stack = 2 * size.features * size.megapixels
    return Need(
        560 + 2.2 * size.window + size.called + size.cache,
        60 + 0.1 * stack + size.moving_seconds,
        stack,
    )


def _write_chosen(size: Size) -> Need:
    """As for all features; what is written are float32 at most."""
    written = 4 * size.chosen * size.megapixels
    seconds = 0.05 * size.acquisitions * size.megapixels + 0.1 * written
    return Need(560 + 2.2 * size.window + size.cache, 60 + seconds, written)


def _mosaic(bands: Callable[[Size], int]) -> Callable[[Size], Need]:
    def need(size: Size) -> Need:
        values = size.megapixels * bands(size)
        return Need(170 + min(256, 4 * values) + 0.05 * size.pieces, 20 + 0.3 * values, 2 * values)

    return need


def _one_band(_: Size) -> int:
    return 1


def _prepare_batch(size: Size) -> Need:
    """Eight bands decoded at a time in strips of 1024 rows; a month of a tile of 110 km at most."""
    strip = 1024 * size.columns / 1e6
    dates = max(size.acquisitions / 12, 1)
    return Need(
        200 + 2 * 20 * strip + GDAL_CACHE,
        20 + 0.6 * size.bands * size.megapixels * dates,
        size.bands * size.megapixels * dates,
    )


def _regularise_blocks(size: Size) -> Need:
    """Labels of four bytes a pixel, and fifteen for each component: up to one in four pixels."""
    window = size.regularised / 1e6
    blocks = size.blocks * window
    return Need(260 + 10 * window + size.cache, 20 + 0.25 * blocks, 2 * blocks)


def _by_squares(memory: float, of_pixel: float, seconds: float) -> Callable[[Size], Need]:
    """A rule over a bundle of squares: memory of one (bytes a pixel beyond the start), time of all."""

    def need(size: Size) -> Need:
        megapixels = size.square / 1e6
        return Need(
            memory + of_pixel * megapixels,
            10 + seconds * size.squares * megapixels,
            50 * size.squares,
        )

    return need


def _cut_map(size: Size) -> Need:
    """Pictures of `report.pixels` a side at most, made of the map and its overviews."""
    return Need(250 + min(256, 4 * size.megapixels) + 160, 20 + 0.02 * size.megapixels * size.draws)


def _describe_samples(size: Size) -> Need:
    """All values as float64, `page.samples.BUDGET_MB` of them at once, in copies; the keys of all samples."""
    samples = 2e6 * size.input_mb / max(size.features, 1)
    values = min(200, 8 * size.input_mb)
    return Need(300 + 4 * values + 1e-4 * samples, 20 + size.input_mb)


NEEDS: dict[str, Callable[[Size], Need]] = {
    "prepare_batch": _prepare_batch,
    "take_inventory": lambda size: Need(
        170 + (200 if size.registered else 0), 20 + size.acquisitions + 6 * size.registered
    ),
    "mask_series": _mask_series,
    "count_valid_dates": lambda size: Need(
        190 + min(MASK_WINDOW, size.acquisitions * size.megapixels) + size.cache,
        10 + 0.002 * size.megapixels * size.acquisitions + size.user_seconds,
        3 * size.megapixels,
    ),
    "draw_regions": _light(220),
    "split_polygons": _split_polygons,
    "burn_polygons": _light(290),
    "count_polygon_pixels": _counting,
    "share_samples": lambda size: Need(300, 30),
    "select_samples": _counting,
    "extract_samples": _extract_samples,
    "write_features": _write_features,
    "write_chosen_features": _write_chosen,
    "train_model": _train_model,
    "train_source": _train_model,
    "list_suspicious_polygons": lambda size: Need(300 + 2 * size.input_mb, 30),
    "learn_folds": _learn_folds,
    "learn_folds_of_source": _learn_folds,
    "classify_tile": _classify_tile,
    "smooth_tile": _smooth_tile,
    "fuse_seeds": _fuse_seeds,
    "clip_validity": _light(210),
    "compare_tile": _light(290),
    "compare_regions": _light(240),
    "describe_samples": _describe_samples,
    "cut_map": _cut_map,
    "write_report": lambda size: Need(450 + size.pieces, 60 + size.pieces),
    "compare_raw_tile": _light(240),
    "mosaic_raw_classes": _mosaic(_one_band),
    "mosaic_classes": _mosaic(_one_band),
    "mosaic_confidence": _mosaic(_one_band),
    "mosaic_choice": _mosaic(_one_band),
    "mosaic_sets": _mosaic(_one_band),
    "mosaic_validity": _mosaic(_one_band),
    "mosaic_differences": _mosaic(_one_band),
    "mosaic_probabilities": _mosaic(lambda size: 2 * size.classes),
    "mosaic_features": _mosaic(lambda _: 2),
    "preview_map": lambda size: Need(400, 60),
    "sum_confusions": lambda size: Need(260, 30),
    "count_values": _light(210),
    "draw_histograms": lambda size: Need(270, 30),
    "sum_raw_confusions": lambda size: Need(260, 30),
    "measure_areas": lambda size: Need(170 + size.cache, 20 + 0.05 * size.megapixels),
    "regularise_blocks": _regularise_blocks,
    "compare_seams": _light(170),
    "mosaic_regularised": _mosaic(_one_band),
    "preview_regularised": lambda size: Need(400, 60),
    "compare_regularised_tile": _light(240),
    "sum_regularised_confusions": lambda size: Need(260, 30),
    "mosaic_regularised_differences": _mosaic(_one_band),
    "measure_regularised_areas": lambda size: Need(170 + size.cache, 20 + 0.05 * size.megapixels),
    "report_regularised_accuracy": lambda size: Need(270 + size.input_mb, 30),
    "compare_fusion": _light(240),
    "mosaic_fusion": _mosaic(_one_band),
    "mosaic_fused_confidence": _mosaic(_one_band),
    "mosaic_fused_differences": _mosaic(_one_band),
    "mosaic_fused_probabilities": _mosaic(lambda size: 2 * size.classes),
    "preview_fusion": lambda size: Need(400, 60),
    "sum_fusion": lambda size: Need(260, 30),
    "measure_fused_areas": lambda size: Need(170 + size.cache, 20 + 0.05 * size.megapixels),
    "report_areas": lambda size: Need(270, 30),
    "report_fusion": lambda size: Need(270, 30),
    "compare_regularised_fusion": _light(240),
    "mosaic_regularised_fused_differences": _mosaic(_one_band),
    "sum_regularised_fusion": lambda size: Need(260, 30),
    "measure_regularised_fused_areas": lambda size: Need(
        170 + size.cache, 20 + 0.05 * size.megapixels
    ),
    "report_regularised_fusion": lambda size: Need(270, 30),
    "trace_squares": _by_squares(220, 28, 0.1),
    "join_squares": lambda size: Need(
        200 + 10e-6 * size.square + 200e-6 * size.seams, 10 + 0.1 * size.input_mb, 50
    ),
    "shape_squares": _by_squares(300, 50, 1.2),
    "shape_border": lambda size: Need(300 + 5 * size.input_mb, 10 + 0.1 * size.input_mb, 50),
    "measure_squares": _by_squares(320, 35, 0.2),
    "measure_border": lambda size: Need(
        260 + 12e-6 * size.square + 100e-6 * size.seams, 10 + 0.1 * size.input_mb, 50
    ),
    "write_polygons": lambda size: Need(
        500 + 40e-6 * size.square, 20 + size.input_mb, 50 + 4 * size.megapixels
    ),
    "deliver_unit": lambda size: Need(600 + 60e-6 * size.square, 60 + 2e-6 * size.square, 50),
    "sum_units": lambda size: Need(200, 10),
    "describe_production": lambda size: Need(
        300 + 64 + size.cache, 20 + 0.01 * size.megapixels * (5 + size.probable) * size.draws
    ),
    "report_accuracy": lambda size: Need(340 + size.input_mb, 30),
}


def megabytes_on_disk(paths: Iterable[str]) -> float:
    """Size of files and of what folders hold, MB; what is not there yet counts 0."""
    files = [
        path
        for root in map(Path, paths)
        for path in (root.rglob("*") if root.is_dir() else [root])
        if path.is_file()
    ]
    return sum(os.path.getsize(path) for path in files) / 1e6


def resources(rule: str, size: Size, attempt: int = 1, ranks: int = 1) -> dict[str, int]:
    """What a job asks for, as Snakemake names it: `mem_mb`, `runtime` (minutes), `disk_mb`.

    Parameters
    ----------
    rule : str
        Key of `NEEDS`.
    size : Size
        What the job works on.
    attempt : int
        1 at first; memory and time grow with each further one.
    ranks : int
        Of MPI. All may come to stand on one node, so the memory is that of all.
    """
    need = NEEDS[rule](size)
    memory = max(LEAST, need.memory * ROOM * ranks + SNAKEMAKE) * GROWTH ** (attempt - 1)
    minutes = max(SHORTEST, need.seconds * SAFETY / 60) * attempt
    return {
        "mem_mb": math.ceil(memory / 50) * 50,
        "runtime": math.ceil(minutes),
        "disk_mb": math.ceil(need.disk),
    }
