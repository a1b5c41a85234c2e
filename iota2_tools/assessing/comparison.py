"""Comparison of a tile's map with its reference polygons."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from iota2_tools.assessing.clusters import count_polygons, summed, write_polygon_counts
from iota2_tools.assessing.confidence import PERCENT, count_confidence, write_confidence
from iota2_tools.assessing.scores import confusion, write_matrix_csv
from iota2_tools.config.nomenclature import Nomenclature, read_nomenclature
from iota2_tools.core.tables import write_csv
from iota2_tools.geo.grid import Window, grid_of
from iota2_tools.geo.gridded import GridBand, Reading
from iota2_tools.geo.raster import STRIP_ROWS, create_raster, open_raster, read_window
from iota2_tools.reference.sets import read_polygon_table

logger = logging.getLogger(__name__)

CODES = Reading(nodata=0, continuous=False)
"""How a class map is read on the grid of a tile."""


def difference(
    reference: np.ndarray, mapped: np.ndarray, learns: np.ndarray, validates: np.ndarray
) -> np.ndarray:
    """Code where and how a map agrees with the reference (values as in IOTA²).

    Parameters
    ----------
    reference, mapped : ndarray of int
        Class codes; 0 where there is none.
    learns, validates : ndarray of bool
        Pixels of learning and validation polygons.

    Returns
    -------
    ndarray of uint8
        0 no reference, 1 validation wrong, 2 validation right, 3 learning wrong, 4 learning right,
        5 in both and wrong, 6 in both and right (IOTA² adds the codes up, and 4 means two things).
    """
    used = (reference > 0) & (learns | validates)
    group = np.select([learns & validates, learns], [2, 1], 0)
    return np.where(used, 1 + 2 * group + (reference == mapped), 0).astype(np.uint8)


@dataclass(frozen=True)
class TileReference:
    """The reference of a tile.

    Parameters
    ----------
    splits : str
        Polygons of the production (`splits.write_splits`).
    polygons : str
        Polygon ids of the pixels of the tile (`burning`); 0: none.
    validity, footprint : str
        Numbers of clear dates of the tile, and where the ground was seen.
    cloud_threshold : int
        Fewest clear dates of a pixel that is compared.
    """

    splits: str
    polygons: str
    validity: str
    footprint: str
    cloud_threshold: int


@dataclass(frozen=True)
class SeedFiles:
    """Maps of a tile made with one seed, and the files their comparison is written to.

    Parameters
    ----------
    maps : sequence of str
        Class maps of the regions of the tile; each pixel has a class in one of them at most. Or one of
        all tiles, also of larger pixels: then the class is that of the pixel each centre lies in.
    confusion : str
        CSV matrix of the validation pixels.
    difference : str, optional
        Raster of the codes of `difference`; by default none is written.
    undecided : int, optional
        Label of pixels that have no class, beside 0.
    polygons : str, optional
        CSV of the validation pixels by polygon (`clusters.write_polygon_counts`).
    confidence : sequence of str
        Confidence maps of the regions, percent, as `maps`.
    reliability : str, optional
        CSV of the validation pixels by confidence (`confidence.write_confidence`).
    """

    maps: Sequence[str]
    confusion: str
    difference: str | None = None
    undecided: int = 0
    polygons: str | None = None
    confidence: Sequence[str] = ()
    reliability: str | None = None


def write_comparison(
    tile: TileReference, seeds: Mapping[int, SeedFiles], nomenclature: str
) -> None:
    """Count the confusions of a tile, and write where its maps are wrong, for every seed.

    All pixels whose centre lies in a polygon are compared, if they were clear often enough.
    """
    reader = _ReferenceReader(tile)
    table = read_polygon_table(tile.splits, list(seeds))
    for seed, files in seeds.items():
        sets = _Sets(table.codes, table.learns[seed], table.validates[seed])
        count = _compare(reader, sets, files, read_nomenclature(nomenclature))
        logger.info("seed %d: %d validation pixels", seed, count)


def write_fused_comparison(
    tile: TileReference, seeds: Mapping[int, SeedFiles], fused: SeedFiles, nomenclature: str
) -> None:
    """The same of the map that is fused from those of all seeds, on polygons that none has learnt.

    The maps of the seeds are compared with the same polygons, to tell what the fusion gave.
    """
    reader = _ReferenceReader(tile)
    table = read_polygon_table(tile.splits, list(seeds))
    sets = _Sets(table.codes, table.learnt, table.unlearnt)
    classes = read_nomenclature(nomenclature)
    for files in (fused, *seeds.values()):
        count = _compare(reader, sets, files, classes)
    logger.info("%d pixels of polygons that no draw has learnt", count)


REGION_COLUMNS = ("region", "reference", "mapped", "pixels")


def write_comparison_by_region(
    tile: TileReference,
    seeds: Mapping[int, SeedFiles],
    regions: str,
    names: Mapping[int, str],
) -> None:
    """Count the confusions of a tile region by region, for every seed.

    Parameters
    ----------
    seeds : mapping of int to SeedFiles
        Their `confusion` is a CSV table here: `REGION_COLUMNS`, a row for each class of the
        reference and of the map (0: none) that meet in validation pixels.
    regions : str
        Numbers of the regions on the grid of the tile (`envelopes`).
    names : mapping of int to str
        Region of each number.
    """
    reader = _ReferenceReader(tile)
    table, raster = read_polygon_table(tile.splits, list(seeds)), open_raster(regions)
    maps = {
        seed: [GridBand(path, reader.grid, CODES) for path in files.maps]
        for seed, files in seeds.items()
    }
    counts: dict[int, Counter[tuple[int, int, int]]] = {seed: Counter() for seed in seeds}
    for window, ids in reader.windows():
        numbers = read_window(raster, window, 1)
        for seed in seeds:
            judged = table.validates[seed][ids] & (table.codes[ids] > 0)
            mapped = np.zeros(ids.shape, dtype=np.int64)  # of a tile that no region touches, all
            for image in maps[seed]:
                mapped += image.observe(window)[0]
            met = np.stack([numbers[judged], table.codes[ids][judged], mapped[judged]])
            keys, times = np.unique(met, axis=1, return_counts=True)
            for key, number in zip(keys.T.tolist(), times.tolist(), strict=True):
                counts[seed][tuple(key)] += number
    for seed, files in seeds.items():
        rows = [(names[number], *rest) for (number, *rest) in _in_order(counts[seed])]
        write_csv([REGION_COLUMNS, *rows], files.confusion)


def _in_order(counts: Counter[tuple[int, int, int]]) -> list[tuple[int, int, int, int]]:
    return [(*key, number) for key, number in sorted(counts.items())]


@dataclass(frozen=True)
class _Sets:
    """By polygon id: class, and whether it learns and validates."""

    codes: np.ndarray
    learns: np.ndarray
    validates: np.ndarray


def _compare(
    reader: "_ReferenceReader", sets: _Sets, files: SeedFiles, classes: Nomenclature
) -> int:
    """Write one comparison; returns the number of validation pixels."""
    maps = [GridBand(path, reader.grid, CODES) for path in files.maps]
    confidence = [GridBand(path, reader.grid, CODES) for path in files.confidence]
    tally = _Tally(classes)
    with ExitStack() as written:
        raster = None
        if files.difference:
            writer = create_raster(files.difference, reader.grid, "uint8", nodata=0)
            raster = written.enter_context(writer)
        for window, ids in reader.windows():
            mapped = _sum_of(maps, window)
            reference = sets.codes[ids]
            learns, validates = sets.learns[ids], sets.validates[ids]
            if raster:
                raster.write(difference(reference, mapped, learns, validates), window)
            mapped[mapped == files.undecided] = 0
            judged = np.where(validates, reference, 0)
            tally.add(ids, judged, mapped, _sum_of(confidence, window))
    tally.write(files)
    return int(tally.matrix.sum())


def _sum_of(bands: Sequence[GridBand], window: Window) -> np.ndarray:
    """Values of rasters of which one at most has a value at each pixel."""
    total = np.zeros((window.rows, window.cols), dtype=np.int64)
    for band in bands:
        total += band.observe(window)[0]
    return total


class _Tally:
    """What is counted of the validation pixels of a map, window by window."""

    def __init__(self, classes: Nomenclature) -> None:
        self._classes = classes
        self.matrix = np.zeros((len(classes.codes), len(classes.codes) + 1), dtype=np.int64)
        self._polygons: list[np.ndarray] = []
        self._confidence = np.zeros((PERCENT, 2), dtype=np.int64)

    def add(
        self, ids: np.ndarray, reference: np.ndarray, mapped: np.ndarray, confidence: np.ndarray
    ) -> None:
        """Add a window: polygons, their classes (0: not judged), the map (0: no class)."""
        self.matrix += confusion(reference, mapped, self._classes.codes)
        self._polygons.append(count_polygons(ids, reference, mapped))
        self._confidence += count_confidence(reference, mapped, confidence)

    def write(self, files: SeedFiles) -> None:
        """Write what is asked for."""
        write_matrix_csv(self.matrix, self._classes, files.confusion)
        if files.polygons:
            write_polygon_counts(summed(self._polygons), files.polygons)
        if files.reliability:
            write_confidence(self._confidence, files.reliability)


class _ReferenceReader:
    """Polygons of the pixels of a tile that are compared, window by window."""

    def __init__(self, tile: TileReference) -> None:
        self.grid = grid_of(tile.polygons)
        self._polygons, self._validity = open_raster(tile.polygons), open_raster(tile.validity)
        self._footprint = open_raster(tile.footprint)
        self._cloud_threshold = tile.cloud_threshold

    def windows(self) -> Iterator[tuple[Window, np.ndarray]]:
        """Each window with polygons, and the id of each pixel; 0: none, or clear too seldom."""
        for window in self.grid.windows(STRIP_ROWS):
            ids = read_window(self._polygons, window, 1)
            if not ids.any():
                continue
            clear = read_window(self._validity, window, 1) >= self._cloud_threshold
            clear &= read_window(self._footprint, window, 1) > 0
            yield window, np.where(clear, ids, 0)
