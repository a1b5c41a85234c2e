"""Where a product differs from what a lock says it held, or from another file of it."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from osgeo import gdal

from iota2_tools.core.words import number
from iota2_tools.geo.grid import Grid, Window, grid_of
from iota2_tools.geo.raster import open_raster, read_window
from iota2_tools.publishing.checksums import (
    Content,
    bands_of,
    blocks_of,
    features_of,
    heads_of,
    kind_of,
    lines_of,
    rows_of_table,
)

SHOWN = 5
"""Pairs of classes, lines or blocks that are named."""


def against_lock(path: str, now: Content, locked: Content) -> str:
    """What is known of a difference where the file as it was is not there any more.

    Returns
    -------
    str
        Empty if there is none.
    """
    if now == locked:
        return ""
    if now.kind != "raster":
        if now.count == locked.count:
            return "what it holds differs"
        return f"{number(now.count, apart=' ')} {_unit(now)} instead of {number(locked.count, apart=' ')}"
    return _raster_against_lock(grid_of(path), now, locked)


def _unit(content: Content) -> str:
    units = {"vector": "features", "table": "rows", "text": "lines", "picture": "pixels"}
    return units[content.kind]


def _raster_against_lock(grid: Grid, now: Content, locked: Content) -> str:
    if len(now.blocks) != len(locked.blocks) or now.count != locked.count:
        return "it has another size"
    blocks = [
        window
        for window, first, second in zip(blocks_of(grid), now.blocks, locked.blocks, strict=True)
        if first != second
    ]
    if not blocks:
        return "projection, place, type, nodata, names of bands or palette differ; no pixel does"
    where = "; ".join(_place(grid, block) for block in blocks[:SHOWN])
    rest = " …" if len(blocks) > SHOWN else ""
    told = f"pixels differ in {len(blocks)} of {len(now.blocks)} block(s): {where}{rest}"
    moved = _moved(now.values, locked.values)
    return f"{told}; {moved}" if moved else told


def _moved(now: dict[str, int], locked: dict[str, int]) -> str:
    """Codes whose number of pixels is another."""
    codes = sorted({*now, *locked}, key=int)
    changes = {code: now.get(code, 0) - locked.get(code, 0) for code in codes}
    told = [f"code {code} {change:+d}" for code, change in changes.items() if change]
    return f"pixels by code: {', '.join(told[: 2 * SHOWN])}" if told else ""


def _place(grid: Grid, window: Window) -> str:
    left, bottom, right, top = grid.bounds_of(window)
    rows = f"{window.row} to {window.row + window.rows - 1}"
    cols = f"{window.col} to {window.col + window.cols - 1}"
    return f"rows {rows}, columns {cols} ({left:.10g} {bottom:.10g} {right:.10g} {top:.10g})"


def between(first: str | Path, second: str | Path) -> str:
    """Where two files of one product differ in what they hold; empty if nowhere.

    Parameters
    ----------
    first, second : str or Path
        The file as it should be, and the other.

    Raises
    ------
    InputDataError
        If one cannot be read.
    """
    kind = kind_of(first)
    if kind in ("raster", "picture"):
        return _rasters(str(first), str(second), georeferenced=kind == "raster")
    if kind == "vector":
        return _layers(str(first), str(second))
    if kind == "table":
        return _rows("row", rows_of_table(first), rows_of_table(second))
    if kind == "text":
        return _rows("line", lines_of(first), lines_of(second))
    same = Path(first).read_bytes() == Path(second).read_bytes()
    return "" if same else "the bytes differ"


def _rows(what: str, first: Sequence, second: Sequence) -> str:
    pairs = enumerate(zip(first, second, strict=False), start=1)
    differing = [(place, one, other) for place, (one, other) in pairs if one != other]
    if len(first) != len(second):
        return f"{len(second)} {what}s instead of {len(first)}" + (
            f", other ones from {what} {differing[0][0]} on" if differing else ""
        )
    if not differing:
        return ""
    place, one, other = differing[0]
    return f"{len(differing)} {what}(s) differ, the first is {place}: {other!r} instead of {one!r}"


def _layers(first: str, second: str) -> str:
    if heads_of(first) != heads_of(second):
        return "layers, projections or columns differ"
    missing, more = Counter(features_of(first)), Counter(features_of(second))
    lost, new = (missing - more).total(), (more - missing).total()
    return f"{lost} feature(s) are not as they were, {new} are new or other" if lost or new else ""


def _rasters(first: str, second: str, *, georeferenced: bool) -> str:
    one, other = open_raster(first), open_raster(second)
    if _shape(one) != _shape(other):
        return f"size and bands are {_shape(other)} instead of {_shape(one)}"
    if not georeferenced:
        count = int((read_window(one) != read_window(other)).any(axis=0).sum())
        return f"{count} pixel(s) differ" if count else ""
    grid = grid_of(first)
    if grid != grid_of(second):
        return "projection or place differ"
    found = _Found(grid, coded=one.GetRasterBand(1).GetColorTable() is not None)
    for window in blocks_of(grid):
        for band in range(1, one.RasterCount + 1):
            found.add(window, read_window(one, window, band), read_window(other, window, band))
    told = found.told()
    if told or bands_of(one) == bands_of(other):
        return told
    return "type, nodata, names of bands or palette differ; no pixel does"


def _shape(dataset: gdal.Dataset) -> tuple[int, int, int]:
    return dataset.RasterXSize, dataset.RasterYSize, dataset.RasterCount


class _Found:
    """Values that differ between two rasters of one grid; of codes also which became which."""

    def __init__(self, grid: Grid, *, coded: bool) -> None:
        self.grid = grid
        self.coded = coded
        self.count = 0
        self.first: tuple[int, int] | None = None
        self.pairs: Counter[tuple[float, float]] = Counter()
        self.largest = 0.0
        self.box = [grid.rows, grid.cols, -1, -1]

    def add(self, window: Window, one: np.ndarray, other: np.ndarray) -> None:
        """Take the values of a window of a band into account."""
        differ = one != other
        if one.dtype.kind == "f":
            differ &= ~(np.isnan(one) & np.isnan(other))
        rows, cols = np.nonzero(differ)
        if not len(rows):
            return
        self.count += len(rows)
        top, left = window.row + int(rows[0]), window.col + int(cols[0])
        self.first = min(self.first or (top, left), (top, left))
        self.box = [
            min(self.box[0], window.row + int(rows.min())),
            min(self.box[1], window.col + int(cols.min())),
            max(self.box[2], window.row + int(rows.max())),
            max(self.box[3], window.col + int(cols.max())),
        ]
        before, after = one[differ].astype(float), other[differ].astype(float)
        self.largest = max(self.largest, float(np.nanmax(np.abs(after - before), initial=0)))
        if self.coded:  # there may be as many pairs of quantities as pixels
            pairs, counts = np.unique(np.stack([before, after]), axis=1, return_counts=True)
            self.pairs.update(dict(zip(map(tuple, pairs.T.tolist()), counts.tolist(), strict=True)))

    def told(self) -> str:
        """The same in words: how many, where, which classes."""
        if not self.count or self.first is None:
            return ""
        row, col = self.first
        left, bottom, right, top = self.grid.bounds_of(Window(row, col, 1, 1))
        words = [
            f"{number(self.count, apart=' ')} value(s) differ",
            f"rows {self.box[0]} to {self.box[2]}, columns {self.box[1]} to {self.box[3]}",
            f"the first at row {row}, column {col} ({(left + right) / 2:.10g} {(bottom + top) / 2:.10g})",
        ]
        if self.coded:
            common = self.pairs.most_common(SHOWN)
            words.append(", ".join(f"{a:g} became {b:g}: {n}" for (a, b), n in common))
        else:
            words.append(f"by {self.largest:g} at most")
        return "; ".join(words)
