"""Points drawn from the pixels of a map at random, stratum by stratum, in one pass over its windows.

Each pixel has a number that its place and the seed decide, as if it were drawn at random; of each
stratum those with the smallest numbers are taken. So the points depend on no window, and the first
ones of a stratum are a random sample of it too: more points can be asked for later, and those that
were looked at stay.
"""

from dataclasses import dataclass

import numpy as np

from iota2_tools.core.draws import generator
from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.grid import Grid, Window, grid_of
from iota2_tools.geo.gridded import GridBand, Reading
from iota2_tools.geo.raster import code_of_nothing

CODES = Reading(nodata=0, continuous=False)
"""How class maps and strata are read: codes, 0 for none."""
WINDOW = (512, 8192)
"""Rows and columns gone over at once: whole blocks of a final map, some 200 MB."""
PRUNED = 1_000_000
"""Pixels that wait until the largest numbers among them are let go."""
LARGEST_CODE = 65535


@dataclass(frozen=True)
class Drawn:
    """Pixels that were drawn, stratum by stratum, in each of them in the order of the draw.

    Parameters
    ----------
    strata : ndarray of int64, shape (n_strata,)
        Codes of the strata that have pixels, in increasing order.
    pixels : ndarray of int64, shape (n_strata,)
        Pixels of each: those of the map that have a class and a stratum.
    left_out : int
        Pixels of the map that have a class and no stratum.
    stratum : ndarray of int64, shape (n_points,)
        Code of the stratum.
    rank : ndarray of int64, shape (n_points,)
        Place in the order of its stratum, from 1.
    row, col, mapped : ndarray of int64, shape (n_points,)
        Pixel, and its class in the map.
    """

    strata: np.ndarray
    pixels: np.ndarray
    left_out: int
    stratum: np.ndarray
    rank: np.ndarray
    row: np.ndarray
    col: np.ndarray
    mapped: np.ndarray

    def first(self, sizes: np.ndarray) -> "Drawn":
        """So many of each stratum, spread evenly over the order of all: the whole can be stopped early.

        Parameters
        ----------
        sizes : ndarray of int, shape (n_strata,)
        """
        wanted = sizes[np.searchsorted(self.strata, self.stratum)]
        chosen = np.flatnonzero(self.rank <= wanted)
        order = np.argsort((self.rank[chosen] - 0.5) / wanted[chosen], kind="stable")
        parts = (self.stratum, self.rank, self.row, self.col, self.mapped)
        return Drawn(
            self.strata, self.pixels, self.left_out, *(part[chosen[order]] for part in parts)
        )


class CodeBand:
    """Codes of a class map, or of strata, on a grid.

    Parameters
    ----------
    path : str
        Raster on any grid.
    grid : Grid
        What it is read on.

    Raises
    ------
    InputDataError
        If it holds quantities.
    """

    def __init__(self, path: str, grid: Grid) -> None:
        self._path = path
        self._nothing = code_of_nothing(path)
        self._band = GridBand(path, grid, CODES)

    def read(self, window: Window) -> np.ndarray:
        """Codes of a window, int64, shape (rows, cols); 0: none, outside of the raster as well.

        Raises
        ------
        InputDataError
            If one is no code.
        """
        codes = self._band.observe(window)[0].astype(np.int64)
        if self._nothing is not None:
            codes[codes == self._nothing] = 0
        if codes.min(initial=0) < 0 or codes.max(initial=0) > LARGEST_CODE:
            strange = codes[(codes < 0) | (codes > LARGEST_CODE)][0]
            raise InputDataError(
                f"{self._path}: holds {strange}, codes go from 1 to {LARGEST_CODE}; if it stands for what is not "
                f"mapped, say so in the file (gdal_edit -a_nodata {strange})"
            )
        return codes


def draw(classes: str, strata: str | None, random_seed: int, most: int) -> Drawn:
    """Draw pixels of a map, up to `most` of each stratum.

    Parameters
    ----------
    classes : str
        Class map; pixels of 0 are not drawn.
    strata : str, optional
        Raster of the strata, on any grid; 0: none. By default the classes are the strata.
    random_seed : int
        Other seeds give other points.
    """
    grid = grid_of(classes)
    band = CodeBand(classes, grid)
    of_strata = band if strata is None else CodeBand(strata, grid)
    kept = _Kept(most)
    begin = generator(random_seed, "points").integers(2**64, dtype=np.uint64)
    for window in grid.windows(*WINDOW):
        mapped = band.read(window).ravel()
        stratum = mapped if strata is None else of_strata.read(window).ravel()
        kept.add(stratum, mapped, positions(window, grid), begin)
    return kept.drawn(grid.cols)


def positions(window: Window, grid: Grid) -> np.ndarray:
    """Number of each pixel of a window in its grid, row by row, uint64."""
    rows = np.arange(window.row, window.row + window.rows, dtype=np.uint64)
    cols = np.arange(window.col, window.col + window.cols, dtype=np.uint64)
    return (rows[:, None] * np.uint64(grid.cols) + cols).ravel()


def mixed(places: np.ndarray, begin: np.uint64) -> np.ndarray:
    """Numbers that look random and are all different, one for each place.

    Parameters
    ----------
    places : ndarray of uint64
    begin : uint64
        Where the sequence begins.

    Returns
    -------
    ndarray of uint64

    References
    ----------
    Steele, Lea and Flood (2014), Fast splittable pseudorandom number generators,
    10.1145/2660193.2660195 (SplitMix64).
    """
    found = (places + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) + begin
    found = (found ^ (found >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    found = (found ^ (found >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return found ^ (found >> np.uint64(31))


class _Kept:
    """The pixels of smallest numbers of each stratum, while a map is gone over."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._counts = np.zeros(LARGEST_CODE + 1, dtype=np.int64)
        self._limits = np.full(LARGEST_CODE + 1, np.iinfo(np.uint64).max, dtype=np.uint64)
        self._limits[0] = 0  # no stratum: smaller than none
        self._left_out = 0
        self._parts: list[np.ndarray] = []
        self._waiting = 0

    def add(
        self, stratum: np.ndarray, mapped: np.ndarray, places: np.ndarray, begin: np.uint64
    ) -> None:
        """Add the pixels of a window."""
        used = np.where(mapped > 0, stratum, 0)
        self._counts += np.bincount(used, minlength=LARGEST_CODE + 1)
        self._left_out += int(((mapped > 0) & (stratum == 0)).sum())
        numbers = mixed(places, begin)
        chosen = np.flatnonzero((used > 0) & (numbers <= self._limits[used]))
        columns = (used, mapped, places, numbers)
        self._parts.append(np.stack([item[chosen].astype(np.uint64) for item in columns]))
        self._waiting += len(chosen)
        if self._waiting > PRUNED:
            self._prune()

    def _prune(self) -> None:
        """Keep the smallest of each stratum, in order; larger ones need not come."""
        if not self._parts:
            return
        every = np.concatenate(self._parts, axis=1)
        every = every[:, np.lexsort((every[3], every[0]))]
        ranks = _ranks(every[0])
        every, ranks = every[:, ranks <= self._most], ranks[ranks <= self._most]
        last = ranks == self._most
        self._limits[every[0][last].astype(np.int64)] = every[3][last]
        self._parts, self._waiting = [every], 0

    def drawn(self, cols: int) -> Drawn:
        """What was kept."""
        self._prune()
        every = self._parts[0] if self._parts else np.zeros((4, 0), dtype=np.uint64)
        used, mapped, places = (every[place].astype(np.int64) for place in range(3))
        strata = np.flatnonzero(self._counts[1:]) + 1
        return Drawn(
            strata, self._counts[strata], self._left_out,
            used, _ranks(used), places // cols, places % cols, mapped,
        )  # fmt: skip


def _ranks(ordered: np.ndarray) -> np.ndarray:
    """Place of each among equal ones that follow each other, from 1."""
    if not len(ordered):
        return np.zeros(0, dtype=np.int64)
    first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    lengths = np.diff(np.append(first, len(ordered)))
    return np.arange(len(ordered)) - np.repeat(first, lengths) + 1
