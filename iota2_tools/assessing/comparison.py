"""Comparison of a tile's map with its reference polygons."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from iota2_tools.assessing.scores import confusion, write_matrix_csv
from iota2_tools.config.nomenclature import read_nomenclature
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
    """

    maps: Sequence[str]
    confusion: str
    difference: str | None = None


def write_comparison(
    tile: TileReference, seeds: Mapping[int, SeedFiles], nomenclature: str
) -> None:
    """Count the confusions of a tile, and write where its maps are wrong, for every seed.

    All pixels whose centre lies in a polygon are compared, if they were clear often enough.
    """
    classes = read_nomenclature(nomenclature)
    reader = _ReferenceReader(tile)
    table = read_polygon_table(tile.splits, list(seeds))
    for seed, files in seeds.items():
        maps = [GridBand(path, reader.grid, CODES) for path in files.maps]
        matrix = np.zeros((len(classes.codes), len(classes.codes) + 1), dtype=np.int64)
        with ExitStack() as outputs:
            raster = None
            if files.difference:
                raster = outputs.enter_context(
                    create_raster(files.difference, reader.grid, "uint8", nodata=0)
                )
            for window, ids in reader.windows():
                mapped = np.zeros(ids.shape, dtype=np.int64)
                for image in maps:
                    mapped += image.observe(window)[0]
                reference = table.codes[ids]
                learns, validates = table.learns[seed][ids], table.validates[seed][ids]
                if raster:
                    raster.write(difference(reference, mapped, learns, validates), window)
                matrix += confusion(np.where(validates, reference, 0), mapped, classes.codes)
        write_matrix_csv(matrix, classes, files.confusion)
        logger.info("seed %d: %d validation pixels", seed, matrix.sum())


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
