"""The features of the chosen pixels of each tile, and the training table of a model."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyproj
import shapely

from iota2_tools.core.errors import InputDataError
from iota2_tools.core.files import whole_file
from iota2_tools.features.external import RESERVED
from iota2_tools.features.stack import FeatureStack, check_same_features
from iota2_tools.geo.grid import Grid, Window

BAND_ROWS = 256
"""Rows of the tile whose samples are kept in memory and written together."""


def write_samples(
    selection: str,
    inventory: str,
    settings: dict,
    masks: dict[str, str],
    budget_mb: float,
    threads: int,
    output: str,
    external: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Read the features of the chosen pixels of a tile, once for all draws.

    The tile is gone through in bands of `BAND_ROWS` rows, so that memory does not depend on how
    many pixels were chosen in all.

    Parameters
    ----------
    selection : str
        Table of `samples.write_selection`, by row.
    inventory, settings, masks, external
        See `features.FeatureStack`.
    budget_mb : float
        Memory for the images of one window, MB.
    output : str
        GeoParquet: the columns of `selection`, one column a feature, and the pixel's centre.
    """
    chosen = pd.read_parquet(selection)
    stack = FeatureStack(inventory, settings, masks, external)
    schema = _schema(pa.Schema.from_pandas(chosen, preserve_index=False), stack)
    rows = chosen["row"].to_numpy()
    with (
        whole_file(output) as temporary,
        ThreadPoolExecutor(threads) as pool,
        pq.ParquetWriter(temporary, schema, compression="zstd") as file,
    ):
        for top in range(0, stack.grid.rows, BAND_ROWS):
            first, last = np.searchsorted(rows, (top, top + BAND_ROWS))
            if first < last:
                part = chosen.iloc[first:last]
                values = _features_of(part, stack, top, budget_mb, pool)
                file.write_table(_table(part, values, stack.grid, schema))


def _schema(chosen: pa.Schema, stack: FeatureStack) -> pa.Schema:
    """Columns of the table, with what makes it a GeoParquet."""
    crs = pyproj.CRS.from_user_input(stack.grid.crs).to_json_dict()
    geometry = {"encoding": "WKB", "geometry_types": ["Point"], "crs": crs}
    about = {"version": "1.0.0", "primary_column": "geometry", "columns": {"geometry": geometry}}
    dtype = pa.from_numpy_dtype(stack.dtype)
    fields = [*chosen.remove_metadata(), *(pa.field(name, dtype) for name in stack.names)]
    return pa.schema([*fields, pa.field("geometry", pa.binary())], {"geo": json.dumps(about)})


def _features_of(
    part: pd.DataFrame, stack: FeatureStack, top: int, budget_mb: float, pool: ThreadPoolExecutor
) -> np.ndarray:
    """Features of pixels of the band of rows that starts at `top`, shape (n, n_features)."""
    values = np.empty((len(part), len(stack.names)), dtype=stack.dtype)
    rows, cols = part["row"].to_numpy(), part["col"].to_numpy()
    for window in _windows_of_band(stack, top, budget_mb):
        inside = np.flatnonzero(
            (rows >= window.row) & (rows < window.row + window.rows)
            & (cols >= window.col) & (cols < window.col + window.cols)
        )  # fmt: skip
        if len(inside):
            part = _around(rows[inside], cols[inside])
            pixels = (rows[inside] - part.row).astype(np.int64) * part.cols
            values[inside] = stack.read(part, pool).of(pixels + cols[inside] - part.col)
    return values


def _around(rows: np.ndarray, cols: np.ndarray) -> Window:
    """Smallest window that holds some pixels; the rest is decoded, but not interpolated.

    >>> tuple(_around(np.array([4, 2]), np.array([7, 7])))
    (2, 7, 3, 1)
    """
    top, left = int(rows.min()), int(cols.min())
    return Window(top, left, int(rows.max()) - top + 1, int(cols.max()) - left + 1)


def _windows_of_band(stack: FeatureStack, top: int, budget_mb: float) -> Iterator[Window]:
    """Windows over a band of rows: a block of 256 pixels at most, for samples lie apart."""
    rows, cols = stack.window_shape(min(budget_mb, stack.megabytes(BAND_ROWS, BAND_ROWS)))
    bottom = min(top + BAND_ROWS, stack.grid.rows)
    for row in range(top, bottom, rows):
        for col in range(0, stack.grid.cols, cols):
            yield Window(row, col, min(rows, bottom - row), min(cols, stack.grid.cols - col))


def _table(part: pd.DataFrame, values: np.ndarray, grid: Grid, schema: pa.Schema) -> pa.Table:
    """Samples of a band of rows, as they are written."""
    x = grid.left + (part["col"].to_numpy() + 0.5) * grid.resolution
    y = grid.top - (part["row"].to_numpy() + 0.5) * grid.resolution
    own = pa.Table.from_pandas(part, preserve_index=False).columns
    features = [pa.array(column) for column in np.ascontiguousarray(values.T)]
    centres = pa.array(shapely.to_wkb(shapely.points(x, y)), pa.binary())
    return pa.Table.from_arrays([*own, *features, centres], schema=schema)


@dataclass(frozen=True)
class TrainingTable:
    """What a model learns from.

    Parameters
    ----------
    features : ndarray of int16 or float32, shape (n_samples, n_features)
    codes : ndarray of int64, shape (n_samples,)
        Class.
    polygons : ndarray of int64, shape (n_samples,)
        Number of the reference polygon each sample lies in.
    names : list of str
        Names of the features.
    weights : ndarray of float64, shape (n_samples,), or None
        How much each counts, 1 on average; None: all the same.
    """

    features: np.ndarray
    codes: np.ndarray
    polygons: np.ndarray
    names: list[str]
    weights: np.ndarray | None = None

    def only(self, chosen: np.ndarray) -> "TrainingTable":
        """Some of the samples, by a bool each."""
        weights = None if self.weights is None else self.weights[chosen]
        return TrainingTable(
            self.features[chosen], self.codes[chosen], self.polygons[chosen], self.names, weights
        )


def read_training_table(
    samples: list[str], region: str, seed: int, features: list[str] | None = None
) -> TrainingTable:
    """Learning samples of a region and draw over its tiles.

    Where features are whole numbers on one tile and broken ones on another, all become float32.

    Parameters
    ----------
    samples : list of str
        Tables of `write_samples`.
    features : list of str, optional
        Names of the features, which all tables have among others; by default all have the same.

    Raises
    ------
    InputDataError
        If a table has other features, or lacks some.
    """
    paths = sorted(samples)
    names = features or feature_columns(paths[0])
    chosen = [("region", "=", region), (f"seed_{seed}", "=", True)]
    tables = []
    for path in paths:
        found = feature_columns(path)
        if features:
            found = [name for name in found if name in set(features)]
        check_same_features(names, found, path)
        tables.append(pq.read_table(path, columns=["code", "polygon", *names], filters=chosen))
    table = pa.concat_tables(tables, promote_options="permissive")
    dtype = np.result_type(*(table.schema.field(name).type.to_pandas_dtype() for name in names))
    values = np.empty((len(table), len(names)), dtype)
    for number, name in enumerate(names):
        values[:, number] = table[name].to_numpy()
    return TrainingTable(values, table["code"].to_numpy(), table["polygon"].to_numpy(), names)


def feature_columns(samples: str) -> list[str]:
    """Names of the features among the columns of a samples table.

    Raises
    ------
    InputDataError
        If the file is no such table.
    """
    try:
        columns = pq.read_schema(samples).names
    except (OSError, pa.ArrowInvalid) as error:
        raise InputDataError(
            f"{samples}: cannot be read as a table ({error}); delete it to make it anew"
        ) from None
    # A raster of the user may be called seed_2018: its feature is seed_2018_band_1.
    return [
        name for name in columns if name not in RESERVED and not re.fullmatch(r"seed_\d+", name)
    ]
