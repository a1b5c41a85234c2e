"""Confidence and clear dates of the pixels that the map has right, and of those it has wrong."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from iota2_tools.core.errors import InputDataError
from iota2_tools.core.tables import write_csv
from iota2_tools.geo.grid import grid_of
from iota2_tools.geo.raster import STRIP_ROWS, open_raster, read_window

QUANTITIES = ("confidence", "clear_dates")
GROUPS = (
    "validation_wrong", "validation_right", "learning_wrong", "learning_right", "both_wrong", "both_right",
)  # fmt: skip
"""Codes 1 to 6 of `comparison.difference`."""
HEADER = ("quantity", "value", *GROUPS)

Counts = dict[str, np.ndarray]
"""Pixels of each quantity by value and group, int64, shape (values, 6)."""


@dataclass(frozen=True)
class TileValues:
    """Rasters of a tile of one draw.

    Parameters
    ----------
    difference : str
        Codes of `comparison.difference`.
    confidence : sequence of str
        Of its regions, percent; each pixel has a value in one of them at most.
    validity : str
        Numbers of clear dates.
    """

    difference: str
    confidence: Sequence[str]
    validity: str


def by_group(codes: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Count values, group by group.

    Parameters
    ----------
    codes : ndarray of uint8
        Codes of `comparison.difference`; pixels of code 0 do not count.
    values : ndarray of int, of the same shape
        From 0.

    Returns
    -------
    ndarray of int64, shape (largest value + 1, 6)
        A column a group, in the order of `GROUPS`.

    >>> by_group(np.array([0, 2, 2, 1]), np.array([9, 1, 0, 1]))[:, :2].tolist()
    [[0, 1], [1, 1]]
    """
    used = codes > 0
    place = values[used].astype(np.int64) * len(GROUPS) + codes[used] - 1
    rows = int(values[used].max(initial=0)) + 1
    return np.bincount(place, minlength=rows * len(GROUPS)).reshape(rows, len(GROUPS))


def added(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Sum of counts of which some go to larger values than others."""
    total = np.zeros((max((len(part) for part in parts), default=1), len(GROUPS)), dtype=np.int64)
    for part in parts:
        total[: len(part)] += part
    return total


def write_values(tile: TileValues, output: str) -> None:
    """Count the confidence and the clear dates of the reference pixels of a tile.

    Parameters
    ----------
    output : str
        CSV table of `write_counts`.
    """
    found: dict[str, list[np.ndarray]] = {name: [] for name in QUANTITIES}
    for codes, confidence, validity in _windows(tile):
        found["confidence"].append(by_group(codes, confidence))
        found["clear_dates"].append(by_group(codes, validity))
    write_counts({name: added(parts) for name, parts in found.items()}, output)


def _windows(tile: TileValues) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Codes, confidence and clear dates of each window that holds reference pixels."""
    difference, validity = open_raster(tile.difference), open_raster(tile.validity)
    regions = [open_raster(path) for path in tile.confidence]
    for window in grid_of(tile.difference).windows(STRIP_ROWS):
        codes = read_window(difference, window, 1)
        if codes.any():
            confidence = np.zeros(codes.shape, dtype=np.int64)
            for raster in regions:
                confidence += read_window(raster, window, 1)
            yield codes, confidence, read_window(validity, window, 1)


def write_counts(counts: Mapping[str, np.ndarray], path: str) -> None:
    """Write counts as CSV: `quantity,value` and a column a group; values that no pixel has are left out."""
    rows: list[Sequence] = [HEADER]
    for name in QUANTITIES:
        rows += [
            (name, value, *numbers)
            for value, numbers in enumerate(counts[name].tolist())
            if any(numbers)
        ]
    write_csv(rows, path)


def read_counts(path: str) -> Counts:
    """Read what `write_counts` wrote.

    Raises
    ------
    InputDataError
        If the file is no such table.
    """
    found: dict[str, dict[int, list[int]]] = {name: {} for name in QUANTITIES}
    try:
        with open(path, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                numbers = [int(row[group]) for group in GROUPS]
                found[row["quantity"]][int(row["value"])] = numbers
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputDataError(
            f"{path}: cannot be read as a table ({error}); delete it to make it anew"
        ) from None
    counts: Counts = {}
    for name, rows in found.items():
        counts[name] = np.zeros((max(rows, default=0) + 1, len(GROUPS)), dtype=np.int64)
        for value, numbers in rows.items():
            counts[name][value] = numbers
    return counts


def sum_of(paths: Sequence[str]) -> Counts:
    """Counts of all tiles."""
    tables = [read_counts(path) for path in paths]
    return {name: added([table[name] for table in tables]) for name in QUANTITIES}
