"""What the pixels of the polygons are: one pass over the rasters of a square.

Sums are kept for each pair of a part of a component and a class of the raw map that has pixels in
it. From these come shares, means and deviations over all pixels as well as over those of the class
that is most frequent, also after parts in several squares have been put together.
"""

import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from iota2_tools.core.errors import InputDataError
from iota2_tools.core.files import whole_file, whole_folder
from iota2_tools.core.kernels import kernel
from iota2_tools.geo.grid import Grid, Window, check_aligned, grid_of
from iota2_tools.geo.gridded import GridBand, Reading
from iota2_tools.geo.raster import STRIP_ROWS, open_raster, read_window
from iota2_tools.geo.squares import Square, with_margin
from iota2_tools.vectors.components import label
from iota2_tools.vectors.joining import Joined, read_joined, squares_in_order
from iota2_tools.vectors.tracing import part_numbers


@dataclass(frozen=True)
class Quantity:
    """A raster whose mean and deviation are told of each polygon.

    Parameters
    ----------
    name : str
        As columns are named after it.
    path : str
        Raster of one band; pixels of its nodata, and NaN, are left out.
    continuous : bool
        Whether it is interpolated where it lies on another grid; else the nearest pixel counts.
    """

    name: str
    path: str
    continuous: bool = True


@dataclass(frozen=True)
class Sources:
    """Rasters that polygons are described by.

    Parameters
    ----------
    classes : str
        The raw class map. The map of the polygons has its grid, or pixels that are a multiple of its.
    quantities : sequence of Quantity
        Others, on any grid.
    """

    classes: str
    quantities: Sequence[Quantity]


FIELDS = ("count", "sum", "squares")
"""Of a quantity: pixels with a value, and sums of these and of their squares."""


def columns_of(quantities: Sequence[str]) -> list[str]:
    """Columns of sums, by the names of the quantities."""
    return [f"{name}:{field}" for name in quantities for field in FIELDS]


def measure_squares(
    vectorised: str, squares: Mapping[str, Square], sources: Sources, folder: str
) -> None:
    """Measure some squares, one after the other (`measure_square`).

    Parameters
    ----------
    squares : mapping of str to Square
        By name.
    folder : str
        Gets a table `NAME.parquet` of each.
    """
    with whole_folder(folder) as unfinished:
        for name, square in squares.items():
            measure_square(vectorised, square, sources, f"{unfinished}/{name}.parquet")


def measure_square(vectorised: str, square: Square, sources: Sources, output: str) -> None:
    """Write the sums of a square.

    Parameters
    ----------
    vectorised : str
        Class map that the polygons come from.
    sources : Sources
        What they are described by.
    output : str
        Parquet table: `part`, `code` of the raw map (0: none), `pixels` of it, and `columns_of`
        the quantities.

    Raises
    ------
    InputDataError
        If a raster cannot be read, or the raw map lies otherwise than the map of the polygons.
    """
    codes = with_margin(vectorised, square.window)
    parts = label(codes)
    raw, factor = _finer(vectorised, sources.classes)
    readers = [QuantityReader(item, raw) for item in sources.quantities]
    dataset = open_raster(sources.classes)
    sums = _Sums(len(readers))
    rows = max(STRIP_ROWS // factor, 1)
    for row in range(0, square.window.rows, rows):
        ids = parts.ids[row : row + rows]
        fine = _fine_window(square.window, row, len(ids), factor, raw)
        ids = np.repeat(np.repeat(ids, factor, axis=0), factor, axis=1)[: fine.rows, : fine.cols]
        values = np.empty((len(readers), fine.rows, fine.cols), np.float64)
        for number, reader in enumerate(readers):
            values[number] = reader.read(fine)
        sums.add(ids, read_window(dataset, fine, 1), values)
    numbers = part_numbers(parts.first, square, grid_of(vectorised).cols)
    _write(output, sums, numbers, [item.name for item in sources.quantities])


def _finer(vectorised: str, classes: str) -> tuple[Grid, int]:
    """Grid of the raw map, and pixels of it along the side of one of the other map."""
    coarse, fine = grid_of(vectorised), grid_of(classes)
    factor = round(coarse.resolution / fine.resolution)
    if factor < 1 or not math.isclose(factor * fine.resolution, coarse.resolution, rel_tol=1e-9):
        raise InputDataError(
            f"{vectorised}: pixels of {coarse.resolution:g} are no multiple of those of {classes}, "
            f"{fine.resolution:g}"
        )
    check_aligned(fine, Grid(coarse.crs, coarse.left, coarse.top, fine.resolution, 1, 1))
    if (coarse.left, coarse.top) != (fine.left, fine.top):
        raise InputDataError(f"{vectorised}: begins at another corner than {classes}")
    return fine, factor


def _fine_window(window: Window, row: int, rows: int, factor: int, grid: Grid) -> Window:
    top, left = (window.row + row) * factor, window.col * factor
    bottom = min(top + rows * factor, grid.rows)
    right = min(left + window.cols * factor, grid.cols)
    return Window(top, left, bottom - top, right - left)


class QuantityReader:
    """A quantity on the grid of the raw map, NaN where it has no value."""

    def __init__(self, quantity: Quantity, grid: Grid) -> None:
        dataset = open_raster(quantity.path)  # its bands live no longer than it
        nodata = dataset.GetRasterBand(1).GetNoDataValue()
        reading = Reading(nodata, quantity.continuous, covered=True)
        self._band = GridBand(quantity.path, grid, reading)

    def read(self, window: Window) -> np.ndarray:
        """Values of a window, float64."""
        values, seen = self._band.observe(window)
        found = values.astype(np.float64)
        found[~seen] = np.nan
        return found


class _Sums:
    """Sums by part and class, while the rasters are gone over."""

    def __init__(self, quantities: int) -> None:
        self.keys = np.full(1 << 12, -1, np.int64)
        self.slots = np.zeros(1 << 12, np.int64)
        self.pairs = np.empty(1 << 10, np.int64)
        self.sums = np.zeros((1 << 10, 1 + len(FIELDS) * quantities), np.float64)
        self.count = 0

    def add(self, ids: np.ndarray, codes: np.ndarray, values: np.ndarray) -> None:
        """Add the pixels of a window."""
        self.keys, self.slots, self.pairs, self.sums, self.count = _accumulate(
            np.ascontiguousarray(ids), codes.astype(np.uint16), values,
            self.keys, self.slots, self.pairs, self.sums, self.count,
        )  # fmt: skip


@kernel
def _accumulate(ids, codes, values, keys, slots, pairs, sums, count):
    rows, cols = ids.shape
    mask = len(keys) - 1
    previous, slot = np.int64(-1), np.int64(0)
    for row in range(rows):
        for col in range(cols):
            if ids[row, col] < 0:
                continue
            key = np.int64(ids[row, col]) << 16 | np.int64(codes[row, col])
            if key != previous:
                if 2 * count >= mask:
                    keys, slots = _wider(keys, slots)
                    mask = len(keys) - 1
                place = _place(keys, key, mask)
                if keys[place] < 0:
                    if count == len(pairs):
                        pairs, sums = _longer(pairs, sums)
                    keys[place] = key
                    slots[place] = count
                    pairs[count] = key
                    count += 1
                previous, slot = key, slots[place]
            sums[slot, 0] += 1
            for quantity in range(len(values)):
                value = values[quantity, row, col]
                if value == value:
                    sums[slot, 1 + 3 * quantity] += 1
                    sums[slot, 2 + 3 * quantity] += value
                    sums[slot, 3 + 3 * quantity] += value * value
    return keys, slots, pairs, sums, count


@kernel
def _place(keys, key, mask):
    """Where a key stands in a table of open addresses, or would."""
    place = (key * 0x9E3779B97F4A7C1 >> 20) & mask
    while keys[place] >= 0 and keys[place] != key:
        place = (place + 1) & mask
    return place


@kernel
def _wider(keys, slots):
    wide = np.full(2 * len(keys), -1, np.int64)
    moved = np.zeros(2 * len(keys), np.int64)
    for old in range(len(keys)):
        if keys[old] >= 0:
            place = _place(wide, keys[old], len(wide) - 1)
            wide[place] = keys[old]
            moved[place] = slots[old]
    return wide, moved


@kernel
def _longer(pairs, sums):
    more = np.empty(2 * len(pairs), np.int64)
    more[: len(pairs)] = pairs
    longer = np.zeros((2 * len(sums), sums.shape[1]), np.float64)
    longer[: len(sums)] = sums
    return more, longer


def _write(output: str, sums: _Sums, numbers: np.ndarray, quantities: Sequence[str]) -> None:
    pairs, found = sums.pairs[: sums.count], sums.sums[: sums.count]
    parts = numbers[pairs >> 16] if len(numbers) else pairs
    order = np.lexsort([pairs & 0xFFFF, parts])
    columns: dict[str, np.ndarray] = {
        "part": parts[order],
        "code": (pairs & 0xFFFF)[order].astype(np.uint16),
        "pixels": found[order, 0].astype(np.int64),
    }
    for number, name in enumerate(columns_of(quantities), start=1):
        columns[name] = found[order, number]
    with whole_file(output) as temporary:
        pq.write_table(pa.table(columns), temporary)


def add_up(table: pa.Table) -> pa.Table:
    """Lines of a table of sums added up where part and code are the same, in their order."""
    part, code = table["part"].to_numpy(), table["code"].to_numpy()
    order = np.lexsort([code, part])
    part, code = part[order], code[order]
    begins = np.flatnonzero(np.append(True, (np.diff(part) != 0) | (np.diff(code) != 0)))
    if not len(part):
        return table
    columns = {"part": part[begins], "code": code[begins]}
    for name in table.column_names[2:]:
        columns[name] = np.add.reduceat(table[name].to_numpy()[order], begins)
    return pa.table(columns)


def measure_border(
    measures: Mapping[str, str], squares: Mapping[str, Square], joined: str, output: str
) -> None:
    """Write the sums of the components that touch the border of a square.

    Squares are read row by row; the lines of a component are added up and written, and forgotten,
    as soon as the last row that holds a part of it is there.

    Parameters
    ----------
    measures : mapping of str to str
        Table of `measure_square` of each square, by name.
    squares : mapping of str to Square
        All of the map, row by row.
    joined : str
        Components (`joining.join_squares`).
    output : str
        Parquet table, as of a square; lines of one component follow one another.
    """
    known = read_joined(np.load(joined))
    waiting: list[pa.Table] = []
    with whole_file(output) as temporary, ExitStack() as files:
        writer = None
        for row, names in squares_in_order(measures, squares).items():
            table = pa.concat_tables([*waiting, *(_at_border(measures[n], known) for n in names)])
            writer = writer or files.enter_context(pq.ParquetWriter(temporary, table.schema))
            last = known.last_rows[known.places(table["part"].to_numpy())]
            writer.write_table(add_up(table.filter(pa.array(last <= row))))
            waiting = [table.filter(pa.array(last > row))]


def _at_border(path: str, known: Joined) -> pa.Table:
    """Sums of a square that belong to components which touch a border, by component."""
    table = pq.read_table(path)
    part = table["part"].to_numpy()
    inside = known.places(part) >= 0
    return table.filter(pa.array(inside)).set_column(0, "part", pa.array(known.named(part[inside])))


def read_sums(path: str, numbers: np.ndarray) -> pa.Table:
    """Lines of a table of sums that belong to some polygons; the others are read and forgotten."""
    file = pq.ParquetFile(path)
    wanted = pa.array(numbers)
    return pa.concat_tables(
        [file.schema_arrow.empty_table()]
        + [
            file.read_row_group(group).filter(pc.is_in(pc.field("part"), value_set=wanted))
            for group in range(file.num_row_groups)
        ]
    )
