"""The features of a pixel: gap-filled bands, indices, expressions, the user's rasters.

One code path serves the samples, the classification and the written stacks, so that what a
model has learnt is what it is given.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import numpy as np

from iota2_tools.core.errors import InputDataError
from iota2_tools.features.indices import brightness, difference, normalised_difference
from iota2_tools.features.plan import INDICES, SeriesFeatures, series_features
from iota2_tools.geo.grid import Window, reading_windows
from iota2_tools.geo.gridded import ImagePool
from iota2_tools.geo.raster import create_raster
from iota2_tools.timeseries.gapfilling import fill_gaps
from iota2_tools.timeseries.inventory import read_inventory
from iota2_tools.timeseries.series import SeriesReader
from iota2_tools.timeseries.user_rasters import user_bands


def compute_features(
    plan: SeriesFeatures,
    series: np.ndarray,
    clear: np.ndarray,
    days: np.ndarray,
    first: date,
    pixels: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write the features a series gives some pixels.

    Parameters
    ----------
    series, clear : ndarray
        As `SeriesReader.read` gives them.
    days : ndarray of int64, shape (n_acquisitions,)
        Days since `first`.
    pixels : ndarray of int64, shape (n,)
        Pixels of the window.
    out : ndarray of int16 or float32, shape (n, len(plan.names))
        Written.
    """
    n_dates = len(plan.dates)
    target_days = np.array([(day - first).days for day in plan.dates], dtype=np.int64)
    width = n_dates * len(plan.bands)
    start = n_dates * len(plan.kept)
    if plan.kept == plan.bands:
        filled = out[:, :width]
        fill_gaps(series, clear, days, target_days, out=filled, pixels=pixels)
    else:
        filled = np.empty((len(pixels), width), dtype=out.dtype)
        fill_gaps(series, clear, days, target_days, out=filled, pixels=pixels)
        out[:, :start] = filled[:, plan.columns(plan.kept).ravel()]
    for index in plan.indices:
        compute_index(plan, index, filled, out[:, start : start + n_dates])
        start += n_dates
    for expression in plan.expressions.values():
        values = {band: filled[:, plan.columns((band,))[:, 0]] for band in expression.bands}
        out[:, start : start + n_dates] = expression.evaluate(values)
        start += n_dates


def compute_index(plan: SeriesFeatures, index: str, filled: np.ndarray, out: np.ndarray) -> None:
    """Write one index of each date, shape (n, n_dates), from the gap-filled bands."""
    if index == "Brightness":
        brightness(filled, plan.columns(plan.kept), out)
        return
    roles = plan.format.roles
    first, second = (plan.columns((roles[role],))[:, 0] for role in INDICES[index])
    compute = difference if index == "Ratio" else normalised_difference
    compute(filled, first, second, out)


class WindowFeatures:
    """Images of one window, from which the features of any of its pixels are computed."""

    def __init__(
        self, stack: "FeatureStack", window: Window, series: list, rasters: list[np.ndarray]
    ) -> None:
        self._stack, self.window = stack, window
        self._series, self._rasters = series, rasters

    def of(self, pixels: np.ndarray) -> np.ndarray:
        """Features of some pixels of the window.

        Parameters
        ----------
        pixels : ndarray of int64, shape (n,)
            Row-major positions in the window.

        Returns
        -------
        ndarray of `FeatureStack.dtype`, shape (n, n_features)
        """
        out = np.empty((len(pixels), len(self._stack.names)), dtype=self._stack.dtype)
        start = 0
        for plan, (reader, values, clear) in zip(self._stack.series, self._series, strict=True):
            stop = start + len(plan.names)
            compute_features(
                plan, values, clear, reader.days, reader.first_day, pixels, out[:, start:stop]
            )
            start = stop
        for raster in self._rasters:
            out[:, start] = raster.ravel()[pixels]
            start += 1
        return out


class FeatureStack:
    """The features of a tile, read window by window.

    Parameters
    ----------
    inventory : str
        Of the tile.
    settings : dict
        Of each series, in stack order (`plan.series_features`).
    masks : dict of str to str
        Clear-sky masks of each series.

    Attributes
    ----------
    names : list of str
        Features in column order: series in stack order, then user features.
    dtype : str
        ``int16`` where all features are integers of that range, else ``float32``.
    """

    def __init__(self, inventory: str, settings: dict, masks: dict[str, str]) -> None:
        stock = read_inventory(inventory)
        self.tile, self.grid = stock.tile, stock.grid
        self.series = [series_features(name, settings[name]) for name in settings]
        pool = ImagePool()
        self._readers = [
            SeriesReader(stock.series[item.series], item.bands, masks[item.series], self.grid, pool)
            for item in self.series
        ]
        self._user, self.user_names = user_bands(stock.user_features, self.grid, pool)
        self.names = [name for item in self.series for name in item.names] + self.user_names
        whole = all(not item.expressions for item in self.series) and all(
            band.dtype == "int16" for band in self._user
        )
        self.dtype = "int16" if whole else "float32"

    @property
    def bytes_per_pixel(self) -> int:
        """Memory of the images of one pixel of a window."""
        series = sum(reader.shape[0] * (2 * reader.shape[1] + 1) for reader in self._readers)
        return series + 4 * len(self._user) + 16

    def windows(self, budget_mb: float) -> list[Window]:
        """Windows over the tile whose images stay within a memory budget."""
        return reading_windows(self.grid, self.bytes_per_pixel, budget_mb)

    def read(self, window: Window, pool: ThreadPoolExecutor) -> WindowFeatures:
        """Read the images of a window."""
        series = [(reader, *reader.read(window, pool)) for reader in self._readers]
        return WindowFeatures(self, window, series, [band.read(window) for band in self._user])


def check_same_features(expected: Sequence[str], found: Sequence[str], where: str) -> None:
    """Raise InputDataError, naming the first difference, unless both lists agree."""
    if list(expected) == list(found):
        return
    extra = [name for name in found if name not in set(expected)]
    missing = [name for name in expected if name not in set(found)]
    raise InputDataError(
        f"{where}: the features are not those the model has learnt: {len(missing)} missing "
        f"({', '.join(missing[:3])}), {len(extra)} new ({', '.join(extra[:3])}); delete the model to learn it anew"
    )


def _all_features(stack: FeatureStack, window: Window, pool: ThreadPoolExecutor) -> np.ndarray:
    """Features of all pixels of a window, shape (n_features, rows, cols)."""
    values = stack.read(window, pool).of(np.arange(window.size, dtype=np.int64))
    return np.ascontiguousarray(values.T).reshape(-1, window.rows, window.cols)


def write_stack(
    inventory: str,
    settings: dict,
    masks: dict[str, str],
    budget_mb: float,
    threads: int,
    output: str,
) -> None:
    """Write all features of a tile as one raster, a band a feature.

    Parameters
    ----------
    inventory, settings, masks
        See `FeatureStack`.
    budget_mb : float
        Memory for the images of one window, MB.
    output : str
        GeoTIFF to write, int16 or float32; band descriptions are the feature names.
    """
    stack = FeatureStack(inventory, settings, masks)
    feature_bytes = np.dtype(stack.dtype).itemsize * len(stack.names)
    share = stack.bytes_per_pixel / (stack.bytes_per_pixel + 2 * feature_bytes)
    with (
        ThreadPoolExecutor(threads) as pool,
        create_raster(
            output, stack.grid, stack.dtype, bands=len(stack.names), descriptions=tuple(stack.names),
            tags={"UNITS": "reflectance x 10000; NDVI and NDWI x 1000; user features as given"},
        ) as raster,
    ):  # fmt: skip
        for window in stack.windows(budget_mb * share):
            # No name is kept: a window's memory is free before the next one is read.
            raster.write_bands(_all_features(stack, window, pool), window)
