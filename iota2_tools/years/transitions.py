"""How many pixels went from which class to which."""

from collections.abc import Iterator

import numpy as np
import shapely

from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.burning import Burner
from iota2_tools.geo.grid import Grid, Window
from iota2_tools.geo.raster import STRIP_ROWS, code_of_nothing, open_raster, read_window
from iota2_tools.years.legends import CommonLegend
from iota2_tools.years.maps import YearMap, window_in


class Pair:
    """Two maps, read window by window in their common classes.

    Parameters
    ----------
    before, after : YearMap
        The maps.
    common : CommonLegend
        Of both.
    grid : Grid
        What both cover.
    """

    def __init__(self, before: YearMap, after: YearMap, common: CommonLegend, grid: Grid) -> None:
        self.maps = (before, after)
        self.common = common
        self.grid = grid
        self._opened = [open_raster(item.classes) for item in self.maps]
        self._nothing = [code_of_nothing(item.classes) for item in self.maps]
        self._confidence = [
            open_raster(item.confidence) if item.confidence else None for item in self.maps
        ]

    @property
    def count(self) -> int:
        """Number of common classes."""
        return len(self.common.legend.codes)

    @property
    def has_confidence(self) -> bool:
        """True if both maps have a confidence."""
        return all(item is not None for item in self._confidence)

    def windows(self) -> Iterator[Window]:
        """Strips of the common grid."""
        return self.grid.windows(STRIP_ROWS)

    def read(self, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """Places of the classes before and after, from 1; 0 in both where either is not mapped.

        Pixels of the nodata value that a map states are not mapped, as those of 0 are.

        Raises
        ------
        InputDataError
            If a map holds a code that its legend has not.
        """
        found = []
        for item, dataset, places, nothing in zip(
            self.maps, self._opened, self.common.places, self._nothing, strict=True
        ):
            codes = read_window(dataset, window_in(window, self.grid, item.grid), 1)
            place = places_of(codes, places, nothing)
            if (place < 0).any():
                strange = sorted(set(codes[place < 0].tolist()))
                raise InputDataError(
                    f"{item.classes}: holds {', '.join(map(str, strange))}, which its legend has not; "
                    "is it a class map, and whole?"
                )
            found.append(place)
        mapped = (found[0] > 0) & (found[1] > 0)
        return found[0] * mapped, found[1] * mapped

    def read_confidence(self, window: Window) -> tuple[np.ndarray, ...]:
        """Confidence before and after, percent, uint8."""
        return tuple(
            read_window(dataset, window_in(window, self.grid, item.grid), 1)
            for item, dataset in zip(self.maps, self._confidence, strict=True)
            if dataset is not None
        )


def places_of(codes: np.ndarray, places: np.ndarray, nothing: int | None) -> np.ndarray:
    """Places of the classes of pixels.

    Parameters
    ----------
    codes : ndarray of int, any integer type
    places : ndarray of int32, shape (65536,)
        See `legends.CommonLegend`.
    nothing : int, optional
        Code of what is not mapped, beside 0, where it is that of no class (`raster.code_of_nothing`).

    Returns
    -------
    ndarray of int32, same shape
        0: not mapped, -1: of no class.

    >>> places_of(np.array([1, -9999, 70000], np.int32), np.r_[0, 5, np.full(65534, -1)], -9999).tolist()
    [5, 0, -1]
    """
    if np.can_cast(codes.dtype, np.uint16):
        found = places[codes]
    else:
        possible = (codes >= 0) & (codes < len(places))
        found = np.where(possible, places[np.where(possible, codes, 0)], np.int32(-1))
    unknown = found < 0
    if nothing is not None and unknown.any():
        found[unknown & (codes == nothing)] = 0
    return found


def count_pairs(before: np.ndarray, after: np.ndarray, count: int) -> np.ndarray:
    """Number of pixels of each pair of classes.

    Parameters
    ----------
    before, after : ndarray of int, same shape
        Places of classes, from 1; 0: not mapped.
    count : int
        Number of classes.

    Returns
    -------
    ndarray of int64, shape (count, count)
        Rows: before, columns: after; pixels mapped in one alone are left out.

    >>> count_pairs(np.array([1, 1, 2, 0]), np.array([1, 2, 2, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    size = count + 1
    pairs = np.bincount((before * size + after).ravel(), minlength=size * size)
    return pairs.reshape(size, size)[1:, 1:]


def count_transitions(pair: Pair) -> np.ndarray:
    """Pixels of each pair of classes over all that both maps cover; see `count_pairs`."""
    total = np.zeros((pair.count, pair.count), dtype=np.int64)
    for window in pair.windows():
        total += count_pairs(*pair.read(window), pair.count)
    return total


def count_by_zone(pair: Pair, outlines: dict[str, shapely.Geometry]) -> dict[str, np.ndarray]:
    """The same within each zone: a pixel belongs to the zone that its centre lies in.

    Zones may overlap; each counts its own pixels. One that holds none has zeros.
    """
    return {name: _of_zone(pair, shape) for name, shape in outlines.items()}


def _of_zone(pair: Pair, shape: shapely.Geometry) -> np.ndarray:
    total = np.zeros((pair.count, pair.count), dtype=np.int64)
    burner = Burner([shape], [1], pair.grid)
    around = pair.grid.window_over(shape.bounds)
    for window in around.strips(STRIP_ROWS) if around else ():
        inside = burner.burn(window) > 0
        if inside.any():
            before, after = pair.read(window)
            total += count_pairs(before * inside, after * inside, pair.count)
    return total
