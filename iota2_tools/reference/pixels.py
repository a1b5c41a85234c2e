"""The reference pixels of a tile: which polygon each lies in, and whether it may be learnt."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from iota2_tools.geo.burning import Burner
from iota2_tools.geo.grid import grid_of
from iota2_tools.geo.raster import create_raster, open_raster, read_window
from iota2_tools.geo.vectors import read_layer, shown

logger = logging.getLogger(__name__)

BLOCK_ROWS = 256
"""Rows that are burnt together: those of the blocks of the raster."""
WINDOW_ROWS = 64
"""Rows that are gone through together: what is known of a pixel takes a hundred bytes."""


def burn_polygons(splits: str, regions: str, output: str) -> None:
    """Write which reference polygon each pixel of a tile lies in.

    A pixel belongs to one polygon, the one its centre lies in; where polygons overlap, to the
    last one. What is learnt and what is validated are both taken from this raster, so that no
    pixel is in both sets of a draw.

    Parameters
    ----------
    splits : str
        Polygons of the production (`splits.write_splits`).
    regions : str
        Region raster of the tile: pixels outside its envelope hold no polygon.
    output : str
        Raster to write: uint32, polygon id, 0 where there is none.
    """
    grid = grid_of(regions)
    polygons = read_layer(splits, columns=["polygon", "code"], bbox=grid.bounds)
    polygons = polygons.sort_values("polygon")
    burner = Burner(polygons.geometry.to_numpy(), polygons["polygon"].to_numpy(), grid)
    region_file = open_raster(regions)
    lost: Counter[tuple[int, int]] = Counter()
    with create_raster(output, grid, "uint32", nodata=0) as raster:
        for window in grid.windows(BLOCK_ROWS):
            inside = read_window(region_file, window, 1) > 0
            last, first = (ids * inside for ids in burner.burn_both_ways(window))
            raster.write(last, window)
            contested = first != last
            lost.update(zip(first[contested].tolist(), last[contested].tolist(), strict=True))
    _tell_of_overlaps(lost, dict(zip(polygons["polygon"], polygons["code"], strict=True)))


def _tell_of_overlaps(lost: Counter[tuple[int, int]], codes: dict[int, int]) -> None:
    """Log which polygons lose pixels to a later one, those that lose most first.

    Parameters
    ----------
    lost : Counter
        Pixels by the first and the last of the polygons they lie in.
    codes : dict of int to int
        Class of each polygon.
    """
    if lost:
        pairs = [
            f"{first} (class {codes[first]}) loses {pixels} to {last} (class {codes[last]})"
            for (first, last), pixels in lost.most_common()
        ]
        logger.warning(
            "%d pixels lie in several polygons and belong to the last of them: %s",
            lost.total(), shown(pairs),
        )  # fmt: skip


class Pixels(NamedTuple):
    """Pixels that lie in reference polygons, in order of rows, then columns; arrays of one length."""

    row: np.ndarray
    col: np.ndarray
    polygon: np.ndarray
    region: np.ndarray
    """Number in the region raster."""
    clear: np.ndarray
    """bool: seen, and clear often enough to be learnt."""

    def only(self, kept: np.ndarray) -> "Pixels":
        """Those where `kept` (bool) is true."""
        return Pixels(*(values[kept] for values in self))


@dataclass(frozen=True)
class ReferencePixels:
    """The reference pixels of a tile.

    Parameters
    ----------
    polygons, regions, validity, footprint : str
        Rasters of the tile: polygon ids (`burn_polygons`), numbers of the regions, clear dates, and
        where the ground was seen.
    numbers : mapping of str to int
        Regions of the tile with their numbers in the region raster.
    cloud_threshold : int
        Fewest clear dates of a pixel that is learnt.
    """

    polygons: str
    regions: str
    validity: str
    footprint: str
    numbers: Mapping[str, int]
    cloud_threshold: int

    def windows(self) -> Iterator[Pixels]:
        """Window after window from the top, the pixels of its regions that lie in a polygon."""
        polygons, regions = open_raster(self.polygons), open_raster(self.regions)
        validity, footprint = open_raster(self.validity), open_raster(self.footprint)
        for window in grid_of(self.polygons).windows(WINDOW_ROWS):
            ids = read_window(polygons, window, 1)
            numbers = read_window(regions, window, 1)
            row, col = np.nonzero((ids > 0) & np.isin(numbers, list(self.numbers.values())))
            if len(row):
                clear = read_window(validity, window, 1)[row, col] >= self.cloud_threshold
                clear &= read_window(footprint, window, 1)[row, col] > 0
                yield Pixels(
                    (row + window.row).astype(np.int32),
                    (col + window.col).astype(np.int32),
                    ids[row, col].astype(np.int64),
                    numbers[row, col].astype(np.int64),
                    clear,
                )
