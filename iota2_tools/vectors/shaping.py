"""Polygons of a class map: those of one square, and those that touch the border of one."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from iota2_tools.core.files import whole_file, whole_folder
from iota2_tools.geo.grid import Grid, Window, grid_of
from iota2_tools.geo.squares import Square, with_margin
from iota2_tools.vectors.arcs import Arcs, canonical, vertices
from iota2_tools.vectors.joining import (
    Joined,
    read_joined,
    read_joined_arcs,
    squares_in_order,
)
from iota2_tools.vectors.polygons import Edges, all_edges, polygons
from iota2_tools.vectors.simplification import Patch, Shape, Simplified, budgets, simplified
from iota2_tools.vectors.tracing import Around, read_arcs, save

EDGE_FIELDS = ("points", "offsets", "left", "right", "begins", "ends", "first", "last")
FRAME = 2048
"""Side of the parts of the map that arcs which leave a square are shaped in, pixels."""
LARGEST = 1 << 30
"""Corners of the rectangle around an arc; one with more stays as it is."""

SCHEMA = pa.schema(
    [
        ("number", pa.int64()),
        ("code", pa.int32()),
        ("pixels", pa.int64()),
        *((name, pa.float64()) for name in ("xmin", "ymin", "xmax", "ymax")),
        ("geometry", pa.binary()),
    ]
)


def shape_squares(
    classes: str,
    squares: Mapping[str, Square],
    traces: str,
    joined: str,
    shape: Shape,
    folder: str,
    borders: str,
) -> None:
    """Shape some squares, one after the other (`shape_square`).

    Parameters
    ----------
    squares : mapping of str to Square
        By name.
    traces, joined : str
        Folders of their files `NAME.npz`.
    folder, borders : str
        Get a table `NAME.parquet`, and a file `NAME.npz` of arcs, of each.
    """
    with whole_folder(folder) as unfinished, whole_folder(borders) as unfinished_borders:
        for name, square in squares.items():
            shape_square(
                classes, square, f"{traces}/{name}.npz", f"{joined}/{name}.npz", shape,
                f"{unfinished}/{name}.parquet", f"{unfinished_borders}/{name}.npz",
            )  # fmt: skip


def shape_square(
    classes: str, square: Square, trace: str, joined: str, shape: Shape, output: str, border: str
) -> None:
    """Write the polygons that lie inside a square, and the arcs of those that touch its border.

    Parameters
    ----------
    classes : str
        Class map.
    trace, joined : str
        Files of `trace_square` and `join_squares` of the square.
    shape : Shape
        How arcs are simplified.
    output : str
        Parquet table of `SCHEMA`.
    border : str
        Arcs, `.npz` with `EDGE_FIELDS`.
    """
    with np.load(trace) as traced, np.load(joined) as known:
        components = read_joined(known)
        edges = _edges(classes, square, traced, known, shape)
        numbers = traced["numbers"]
        inside = components.places(numbers) < 0
        inner = _Known(numbers[inside], traced["codes"][inside], traced["pixels"][inside])
    at_border = edges.chosen(_are_wanted(edges, components))
    save(border, **{name: getattr(at_border, name) for name in EDGE_FIELDS})
    with whole_file(output) as temporary, pq.ParquetWriter(temporary, SCHEMA) as writer:
        _write_polygons(writer, edges, inner, grid_of(classes))


def _edges(
    classes: str,
    square: Square,
    traced: "np.lib.npyio.NpzFile",
    known: "np.lib.npyio.NpzFile",
    shape: Shape,
) -> Edges:
    """Arcs of a square, and those that begin in it and leave it, as they are shaped."""
    components = read_joined(known)
    sizes = _Sizes(traced, components)
    inner, outer = _inner_arcs(traced, known, components), read_joined_arcs(known)
    parts = []
    for arcs, window in ((inner, square.window), (outer, None)):
        allowed = sizes.allowed(arcs, shape)
        parts.append(Edges.of(arcs, _shaped(arcs, allowed, classes, shape, window)))
    return all_edges(parts)


def _inner_arcs(
    traced: "np.lib.npyio.NpzFile", known: "np.lib.npyio.NpzFile", components: Joined
) -> Arcs:
    """Arcs that do not leave their square, with the components of the map beside them."""
    arcs = read_arcs(traced, Around(known["above"], known["before"]))
    arcs = arcs.chosen(~arcs.cut)
    left, right = components.named(arcs.left), components.named(arcs.right)
    return canonical(Arcs(arcs.points, arcs.offsets, left, right, arcs.ends))


class _Sizes:
    """Pixels and perimeter of the components beside the arcs of a square."""

    def __init__(self, traced: "np.lib.npyio.NpzFile", components: Joined) -> None:
        own = np.column_stack([traced["pixels"], traced["perimeter"]])
        numbers = np.concatenate([traced["numbers"], components.wholes])
        sizes = np.concatenate([own, components.sizes])
        # Of a number that stands twice the later line counts: that of the whole component.
        order = np.argsort(numbers, kind="stable")
        last = np.diff(numbers[order], append=-1) != 0
        self._numbers, self._sizes = numbers[order][last], sizes[order][last].astype(float)

    def allowed(self, arcs: Arcs, shape: Shape) -> np.ndarray:
        """Area that each arc may change (`simplification.budgets`)."""
        return budgets(arcs, self._of(arcs.left), self._of(arcs.right), shape.area_limit)

    def _of(self, numbers: np.ndarray) -> np.ndarray:
        if not len(self._numbers):
            return np.full((len(numbers), 2), np.nan)
        places = np.minimum(np.searchsorted(self._numbers, numbers), len(self._numbers) - 1)
        found = self._sizes[places]
        found[numbers < 0] = np.nan
        return found


def _shaped(
    arcs: Arcs, allowed: np.ndarray, classes: str, shape: Shape, window: Window | None
) -> Simplified:
    """Arcs simplified, by the corners of one window, or of windows around groups of them."""
    if window is not None:
        patch = Patch(vertices(with_margin(classes, window)), window.row, window.col)
        return simplified(arcs, allowed, patch, shape)
    allowed = allowed.copy()
    groups = _groups(arcs, allowed)
    parts: list[np.ndarray] = [np.empty((0, 2))] * len(arcs)
    for members, place in groups:
        mask = np.zeros(len(arcs), bool)
        mask[members] = True
        patch = Patch(vertices(with_margin(classes, place)), place.row, place.col)
        found = simplified(arcs.chosen(mask), allowed[mask], patch, shape)
        for number, arc in enumerate(np.flatnonzero(mask)):
            parts[arc] = found.points[found.offsets[number] : found.offsets[number + 1]]
    lengths = np.array([len(part) for part in parts], np.int64)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Simplified(np.concatenate([np.empty((0, 2)), *parts]), offsets)


def _groups(arcs: Arcs, allowed: np.ndarray) -> list[tuple[np.ndarray, Window]]:
    """Arcs near one another, and the pixels of the smallest window around each group."""
    if not len(arcs):
        return []
    begins = arcs.offsets[:-1]
    low = np.column_stack(
        [np.minimum.reduceat(arcs.points[:, axis], begins) for axis in (0, 1)]
    ).astype(np.int64)
    high = np.column_stack(
        [np.maximum.reduceat(arcs.points[:, axis], begins) for axis in (0, 1)]
    ).astype(np.int64)
    corners = np.prod(high - low + 1, axis=1)
    allowed[corners > LARGEST] = 0
    high = np.where(allowed[:, None] > 0, high, low)  # arcs that stay need no corners around
    frames = low // FRAME
    large = (high - low).max(axis=1) > FRAME
    keys = np.where(large, -1 - np.arange(len(arcs)), (frames[:, 0] << 32) | frames[:, 1])
    groups = []
    order = np.argsort(keys, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(keys[order])) + 1):
        row, col = map(int, low[members].min(axis=0))
        bottom, right = map(int, high[members].max(axis=0))
        groups.append((members, Window(row, col, max(bottom - row, 1), max(right - col, 1))))
    return groups


def _are_wanted(edges: Edges, components: Joined) -> np.ndarray:
    """Arcs with a component beside them that touches the border of a square."""
    wholes = np.unique(components.wholes)
    return np.isin(edges.left, wholes) | np.isin(edges.right, wholes)


class _Known(NamedTuple):
    """Components, with class and pixels of each."""

    numbers: np.ndarray
    codes: np.ndarray
    pixels: np.ndarray

    def chosen(self, some: np.ndarray | slice) -> "_Known":
        """Some of them."""
        return _Known(*(field[some] for field in self))


def _table(shapes: np.ndarray, known: _Known) -> pa.Table:
    bounds = shapely.bounds(shapes).reshape(-1, 4)
    columns = [*known, *bounds.T, shapely.to_wkb(shapes)]
    return pa.Table.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)],
        schema=SCHEMA,
    )


def shape_border(
    classes: str,
    squares: Mapping[str, Square],
    borders: Mapping[str, str],
    table: str,
    output: str,
) -> None:
    """Write the polygons of the components that touch the border of a square.

    Squares are read row by row; a polygon is written, and its arcs are forgotten, as soon as the
    row below its last one is there.

    Parameters
    ----------
    borders : mapping of str to str
        Arcs of `shape_square` of each square, by name.
    table : str
        Components, of `join_squares`.
    output : str
        Parquet table of `SCHEMA`.
    """
    grid = grid_of(classes)
    with np.load(table) as file:
        joined = read_joined(file)
    wholes, first = np.unique(joined.wholes, return_index=True)
    known = _Known(wholes, joined.codes[first], joined.sizes[first, 0])
    last_rows = joined.last_rows[first]
    rows = squares_in_order(borders, squares)
    open_edges: list[Edges] = []
    with whole_file(output) as temporary, pq.ParquetWriter(temporary, SCHEMA) as writer:
        for row, names in rows.items():
            open_edges += [_read_edges(borders[name]) for name in names]
            ready = (last_rows < row) if row < max(rows) else np.ones(len(last_rows), bool)
            if ready.any():
                edges = all_edges(open_edges)
                open_edges.clear()  # each is in memory once
                _write_polygons(writer, edges, known.chosen(ready), grid)
                known, last_rows = known.chosen(~ready), last_rows[~ready]
                left = known.numbers
                needed = np.isin(edges.left, left) | np.isin(edges.right, left)
                open_edges = [edges.chosen(needed)]


BATCH = 100_000
"""Polygons that are built at once."""


def _write_polygons(writer: pq.ParquetWriter, edges: Edges, known: _Known, grid: Grid) -> None:
    """Build polygons and write them, some at a time."""
    for begin in range(0, len(known.numbers), BATCH):
        some = known.chosen(slice(begin, begin + BATCH))
        beside = _between(edges.left, some.numbers) | _between(edges.right, some.numbers)
        shapes = polygons(edges.chosen(beside), some.numbers, grid)
        writer.write_table(_table(shapes, some))


def _between(components: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Where components may be some of the numbers, which increase."""
    return (components >= numbers[0]) & (components <= numbers[-1])


def _read_edges(path: str) -> Edges:
    with np.load(path) as members:
        return Edges(*(members[name] for name in EDGE_FIELDS))
