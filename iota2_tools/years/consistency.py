"""Maps of several years that agree with one another: each year's probabilities seen beside the others'."""

import csv
import logging
import math
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from iota2_tools.config.nomenclature import Nomenclature
from iota2_tools.core.errors import InputDataError, one_message
from iota2_tools.core.files import writable_folder
from iota2_tools.core.tables import read_lines, write_csv
from iota2_tools.geo.grid import BLOCK, Grid, Window, window_shape
from iota2_tools.geo.raster import create_raster, open_raster, read_window
from iota2_tools.maps.layers import CLASS_MAP, CONFIDENCE
from iota2_tools.maps.mosaic import FinalMap, write_mosaic
from iota2_tools.maps.style import write_attribute_table, write_class_style, write_ramp_style
from iota2_tools.years.agreement import most_probable, reach
from iota2_tools.years.chains import (
    UNKNOWN,
    Chain,
    cautious_change,
    estimate_chain,
    shares_of,
    steady,
)
from iota2_tools.years.legends import same_legend
from iota2_tools.years.maps import YearMap, common_grid, window_in

logger = logging.getLogger(__name__)

WINDOW_MB = 256
"""Memory for the probabilities of a window; without influence on the result."""
NEIGHBOURS = 4.0
"""For how many pixels those around count, chosen by `benchmarks/consistency.py`."""
CAUTION = 15.0
"""How many times likelier to stay than to become another class, chosen likewise."""
FOUND = "found"
"""In place of a table of transitions: those that the maps make most likely."""
SAMPLE_PIXELS = 40_000
"""Most pixels that the chain is found from, on a regular lattice over the map."""
PART = BLOCK
"""Columns of a window that a thread takes at once: their beliefs stay in the caches of the processor."""


@dataclass(frozen=True)
class Series:
    """Maps of several years, with their probabilities.

    Parameters
    ----------
    maps : sequence of YearMap
        In order of time.
    grid : Grid
        What all cover.
    """

    maps: Sequence[YearMap]
    grid: Grid

    @property
    def legend(self) -> Nomenclature:
        """Classes of all of them."""
        return self.maps[0].legend

    def reader(self) -> "_Reader":
        """Opens the probabilities."""
        return _Reader(self)


def series_of(maps: Sequence[YearMap]) -> Series:
    """Look at maps before they are read.

    Raises
    ------
    InputDataError
        If there are fewer than two, one has no probabilities, or classes or grids differ.
    """
    if len(maps) < 2:
        raise InputDataError("one year has no other to agree with; name two or more")
    missing = [
        f"{item.classes}: has no map of probabilities beside it; set `classification: {{probability_map: true}}` in "
        "its production, and run it again"
        for item in maps
        if item.probabilities is None
    ]
    if missing:
        raise InputDataError(one_message("Probabilities", missing))
    same_legend(maps)
    names = [item.name for item in maps[0].legend.classes]
    for item in maps:
        dataset = open_raster(str(item.probabilities))
        bands = [
            dataset.GetRasterBand(number + 1).GetDescription()
            for number in range(dataset.RasterCount)
        ]
        if bands != names:
            raise InputDataError(
                f"{item.probabilities}: its bands are {', '.join(bands)}; the classes of {item.classes} are "
                f"{', '.join(names)}"
            )
    return Series(maps, common_grid(maps))


class _Reader:
    """Probabilities of all years."""

    def __init__(self, series: Series) -> None:
        self._series = series
        self._opened = [open_raster(str(item.probabilities)) for item in series.maps]

    def read(self, window: Window, margin: int = 0) -> np.ndarray:
        """Per mille, shape (n_years, n_classes, rows + 2 margin, cols + 2 margin), uint16.

        65535 (not mapped) beyond what all maps cover.
        """
        grid, maps = self._series.grid, self._series.maps
        outer = window.grown(margin, grid.window)
        place = Window(outer.row - window.row + margin, outer.col - window.col + margin, *outer[2:])
        shape = (window.rows + 2 * margin, window.cols + 2 * margin)
        found = np.full((len(maps), len(self._series.legend.codes), *shape), UNKNOWN, np.uint16)
        for year, item, dataset in zip(found, maps, self._opened, strict=True):
            year[(slice(None), *place.slices)] = read_window(
                dataset, window_in(outer, grid, item.grid)
            )
        return found


def sample_of(series: Series) -> np.ndarray:
    """Probabilities of pixels on a regular lattice, shape (n_years, n_classes, n_pixels).

    Pixels that no year has are left out.
    """
    grid = series.grid
    step = max(math.ceil(math.sqrt(grid.rows * grid.cols / SAMPLE_PIXELS)), 1)
    reader = series.reader()
    rows = [
        reader.read(Window(row, 0, 1, grid.cols))[:, :, 0, step // 2 :: step]
        for row in range(step // 2, grid.rows, step)
    ]
    found = np.concatenate(rows, axis=2)
    return found[:, :, (found[:, 0] != 65535).any(axis=0)]


def chain_of(
    series: Series,
    caution: float = CAUTION,
    change: float | None = None,
    table: str | None = None,
) -> Chain:
    """The chain of a series: of a table, of a yearly change, else of a caution.

    Parameters
    ----------
    caution : float
        See `chains.cautious_change`.
    change : float, optional
        Share of each class that becomes another in a year.
    table : str, optional
        CSV of transitions, or `FOUND`: those that the maps make most likely.

    Raises
    ------
    InputDataError
        If no pixel is mapped in any year, or the table does not fit the classes.
    """
    sample = sample_of(series)
    if not sample.shape[2]:
        raise InputDataError(
            f"{', '.join(item.classes for item in series.maps)}: no pixel of what they share is mapped"
        )
    if table == FOUND:
        return estimate_chain(sample)
    shares = shares_of(sample)
    if table is not None:
        return Chain(shares, read_transitions(table, series.legend))
    return Chain(shares, steady(shares, change or cautious_change(shares, caution)))


def read_transitions(path: str, legend: Nomenclature) -> np.ndarray:
    """Read a matrix of probabilities: first column the class before, a column a class after.

    Raises
    ------
    InputDataError
        If it has not one row and one column of each class, by name, or a row does not sum to 1.
    """
    lines = [line for line in csv.reader(read_lines(path)) if line]
    names = [item.name for item in legend.classes]
    columns, rows = (lines[0][1:] if lines else []), [line[0] for line in lines[1:]]
    if sorted(columns) != sorted(names) or sorted(rows) != sorted(names):
        raise InputDataError(
            f"{path}: its rows and columns are not the classes of the maps, each once: {', '.join(names)}"
        )
    found = np.empty((len(names), len(names)))
    for line in lines[1:]:
        values = [_number(cell) for cell in line[1:]]
        if len(values) != len(names) or not all(0 <= value <= 1 for value in values):
            raise InputDataError(f"{path}: row {line[0]}: give {len(names)} numbers from 0 to 1")
        if abs(sum(values) - 1) > 1e-3:
            raise InputDataError(f"{path}: row {line[0]} sums to {sum(values):g}; it must be 1")
        order = [names.index(name) for name in columns]
        found[names.index(line[0]), order] = np.array(values) / sum(values)
    return found


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def write_consistent(
    series: Series, chain: Chain, folder: str, neighbours: float = NEIGHBOURS, threads: int = 1
) -> np.ndarray:
    """Write the map of each year, given all years.

    Memory is that of a window; the result depends on neither windows nor threads.

    Parameters
    ----------
    series : Series
        Maps in order of time.
    chain : Chain
        Of their classes.
    folder : str
        Gets `Classif_<name>.tif` and `Confidence_<name>.tif` of each year, with styles, and
        `transition_probabilities.csv`, the chain.
    neighbours : float
        For how many pixels those around count; 0: each pixel is alone.

    Returns
    -------
    ndarray of int64, shape (n_years - 1, 2)
        Pixels mapped in a year and the next, and those of them whose class changed.
    """
    writable_folder(folder)
    with tempfile.TemporaryDirectory(prefix=".part-consistency-", dir=folder) as work:
        pairs = _write_years(series, chain, neighbours, Path(work), threads)
        for item in series.maps:
            _publish(item, series, Path(work), Path(folder))
    _write_chain(series, chain, str(Path(folder, "transition_probabilities.csv")))
    return pairs


def _write_years(
    series: Series, chain: Chain, neighbours: float, work: Path, threads: int
) -> np.ndarray:
    reader, grid = series.reader(), series.grid
    codes = np.array([0, *series.legend.codes], dtype=series.legend.dtype)
    pairs = np.zeros((len(series.maps) - 1, 2), dtype=np.int64)
    with ExitStack() as files, ThreadPoolExecutor(threads) as pool:
        writers = [
            {
                "Classif": files.enter_context(
                    create_raster(
                        str(work / f"Classif_{number}.tif"), grid, str(codes.dtype), nodata=0
                    )
                ),
                "Confidence": files.enter_context(
                    create_raster(str(work / f"Confidence_{number}.tif"), grid, "uint8", nodata=0)
                ),
            }
            for number in range(len(series.maps))
        ]
        for window in series.grid.windows(*_shape_of_windows(series)):
            place, belief = _decided(
                reader.read(window, reach(neighbours)), chain, neighbours, pool
            )
            pairs += _pairs(place)
            for year, files_of_year in enumerate(writers):
                files_of_year["Classif"].write(codes[place[year]], window)
                files_of_year["Confidence"].write(belief[year], window)
    return pairs


def _shape_of_windows(series: Series) -> tuple[int, int]:
    bytes_of_pixel = 2 * 2 * len(series.maps) * len(series.legend.codes)
    return window_shape(series.grid, bytes_of_pixel, WINDOW_MB)


def _decided(
    probabilities: np.ndarray, chain: Chain, neighbours: float, pool: ThreadPoolExecutor
) -> tuple[np.ndarray, np.ndarray]:
    """Places and beliefs of a window, shape (n_years, rows, cols); threads share its columns."""
    margin = 2 * reach(neighbours)
    cols = probabilities.shape[3] - margin
    parts = pool.map(
        lambda first: most_probable(
            probabilities[..., first : min(first + PART, cols) + margin], chain, neighbours
        ),
        range(0, cols, PART),
    )
    places, beliefs = zip(*parts, strict=True)
    return np.concatenate(places, axis=2), np.concatenate(beliefs, axis=2)


def _pairs(place: np.ndarray) -> np.ndarray:
    """Pixels mapped in a year and the next, and those that changed."""
    both = (place[:-1] > 0) & (place[1:] > 0)
    changed = both & (place[:-1] != place[1:])
    return np.stack([both.sum(axis=(1, 2)), changed.sum(axis=(1, 2))], axis=1)


def _publish(item: YearMap, series: Series, work: Path, folder: Path) -> None:
    number = list(series.maps).index(item)
    tags = {"YEARS": " ".join(entry.classes for entry in series.maps), "YEAR": item.name}
    target = str(folder / f"Classif_{item.name}.tif")
    final = FinalMap(CLASS_MAP, grid=series.grid, tags=tags, classes=series.legend)
    write_mosaic([str(work / f"Classif_{number}.tif")], target, final)
    write_class_style(series.legend, str(folder / f"Classif_{item.name}.qml"))
    write_attribute_table(series.legend, f"{target}.aux.xml")
    target = str(folder / f"Confidence_{item.name}.tif")
    final = FinalMap(CONFIDENCE, grid=series.grid, tags=tags)
    write_mosaic([str(work / f"Confidence_{number}.tif")], target, final)
    write_ramp_style(CONFIDENCE, str(folder / f"Confidence_{item.name}.qml"))


def _write_chain(series: Series, chain: Chain, path: str) -> None:
    names = [item.name for item in series.legend.classes]
    rows: list[Sequence] = [["from / to", *names]]
    for name, row in zip(names, chain.transitions, strict=True):
        rows.append([name, *(f"{value:.6f}" for value in row)])
    write_csv(rows, path)
