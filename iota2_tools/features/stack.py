"""The features of a pixel: gap-filled bands, indices, expressions, the user's rasters and functions.

One code path serves the samples, the classification and the written stacks, so that what a
model has learnt is what it is given.
"""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from iota2_tools.core.errors import InputDataError
from iota2_tools.features.block import Outline, Place
from iota2_tools.features.external import ExternalFeatures, ExternalFunction, block_side
from iota2_tools.features.indices import brightness, difference, normalised_difference
from iota2_tools.features.plan import (
    HAZE,
    INDICES,
    NORMALISED,
    REFERENCE,
    SeriesFeatures,
    series_features,
)
from iota2_tools.geo.conversion import UNSEEN
from iota2_tools.geo.grid import Window, reading_windows, strip_shape, window_shape
from iota2_tools.geo.gridded import ImagePool
from iota2_tools.geo.raster import create_raster
from iota2_tools.timeseries.gapfilling import fill_gaps
from iota2_tools.timeseries.inventory import read_inventory
from iota2_tools.timeseries.series import Looks, SeriesReader
from iota2_tools.timeseries.user_rasters import read_together, user_bands


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
    haze = HAZE if plan.robust else 0.0
    for band in plan.relative:
        own = plan.columns((band,))[:, 0]
        red = plan.columns((plan.format.roles[REFERENCE],))[:, 0]
        normalised_difference(filled, own, red, haze, out[:, start : start + n_dates])
        start += n_dates
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
        brightness(filled, plan.columns(plan.reflectances), out)
        return
    roles = plan.format.roles
    first, second = (plan.columns((roles[role],))[:, 0] for role in INDICES[index])
    if index in NORMALISED:
        normalised_difference(filled, first, second, HAZE if plan.robust else 0.0, out)
    else:
        difference(filled, first, second, out)


class WindowFeatures:
    """Images of one window and its margin, from which the features of any of its pixels are computed.

    Parameters
    ----------
    stack : FeatureStack
    window : Window
        Whose pixels have features.
    images : WindowImages
        Of `FeatureStack.around` the window.
    """

    def __init__(self, stack: "FeatureStack", window: Window, images: "WindowImages") -> None:
        self._stack, self.window, self._images = stack, window, images
        self._external = ExternalWindow(stack, window, images) if stack.external else None

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
        images = self._images
        out = np.empty((len(pixels), len(self._stack.names)), dtype=self._stack.dtype)
        inside = images.positions(self.window, pixels)
        start = 0
        for plan, (reader, values, clear) in zip(self._stack.series, images.series, strict=True):
            stop = start + len(plan.names)
            compute_features(
                plan, values, clear, reader.days, reader.first_day, inside, out[:, start:stop]
            )
            start = stop
        for raster in images.rasters:
            out[:, start] = raster.ravel()[inside]
            start += 1
        if self._external:
            self._external.write(pixels, out[:, start:])
        return out

    def ever_clear(self) -> list[np.ndarray]:
        """Where each series has a clear acquisition, bool, shape (n_pixels,) of the window."""
        inside = self._images.positions(self.window, np.arange(self.window.size))
        return [np.any(clear, axis=0)[inside] for _, _, clear in self._images.series]


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
    external : sequence of dict
        Functions of the user (`external.ExternalFunction`), which are tried here.
    words : sequence of str, optional
        Rasters of the user to read; by default all.

    Attributes
    ----------
    names : list of str
        Features in column order: series in stack order, then user features, then external ones.
    dtype : str
        ``int16`` where all features are integers of that range, else ``float32``.
    margin : int
        Pixels around a window that its features depend on; windows are read with them.
    """

    def __init__(
        self,
        inventory: str,
        settings: dict,
        masks: dict[str, str],
        external: Sequence[Mapping[str, Any]] = (),
        words: Sequence[str] | None = None,
    ) -> None:
        stock = read_inventory(inventory)
        self.tile, self.grid = stock.tile, stock.grid
        self.series = [series_features(name, settings[name]) for name in settings]
        self.acquisitions = stock.series
        self._pool = pool = ImagePool()
        self._looks: dict[str, list[Looks]] = {}
        self._readers = [
            SeriesReader(
                stock.series[item.series],
                item.bands,
                masks[item.series],
                self.grid,
                pool,
                int(settings[item.series]["options"].get("speckle_radius", 0)),
            )
            for item in self.series
        ]
        rasters = {
            word: image
            for word, image in stock.user_features.items()
            if words is None or word in words
        }
        self._user, self.user_names = user_bands(rasters, self.grid, pool)
        self.names = [name for item in self.series for name in item.names] + self.user_names
        whole = all(not item.expressions for item in self.series) and all(
            band.dtype == "int16" for band in self._user
        )
        self.external: ExternalFeatures | None = None
        if external:
            functions = [ExternalFunction(**item) for item in external]
            self.external = ExternalFeatures(functions, self._outline(), self.names)
            self.names += self.external.names
            whole = whole and self.external.dtype == "int16"
        self.dtype = "int16" if whole else "float32"
        self.margin = self.external.margin if self.external else 0

    def _outline(self) -> Outline:
        keeps = [band.keeps_missing for band in self._user]
        return Outline(
            {item.series: item for item in self.series},
            dict(zip(self.user_names, keeps, strict=True)),
            self.grid.resolution,
        )

    @property
    def in_strips(self) -> bool:
        """Whether windows are as wide as the tile, for most of the images are stored in strips.

        Functions of the user want whole blocks.
        """
        images = sum(reader.shape[0] * reader.shape[1] for reader in self._readers)
        strips = sum(reader.in_strips for reader in self._readers)
        return 2 * strips > images and not self.external

    @property
    def bytes_per_pixel(self) -> int:
        """Memory of the images of one pixel of a window, and of its external features."""
        series = sum(reader.shape[0] * (2 * reader.shape[1] + 1) for reader in self._readers)
        external = len(self.external.names) if self.external else 0
        return series + 4 * len(self._user) + 4 * external + 16

    def around(self, window: Window) -> Window:
        """What is read for a window: for functions of the user the blocks it touches, and the margin."""
        if self.external:
            window = window.rounded(block_side(self.margin), self.grid.window)
        return window.grown(self.margin, self.grid.window)

    def megabytes(self, rows: int, cols: int) -> float:
        """Memory of the images of a window of so many pixels with its margin."""
        return (rows + 2 * self.margin) * (cols + 2 * self.margin) * self.bytes_per_pixel / 1e6

    def window_shape(self, budget_mb: float) -> tuple[int, int]:
        """Rows and columns of windows whose images stay within a memory budget, margin included.

        With functions of the user they are whole blocks: one at least, whatever the budget.
        """
        if self.in_strips:
            return strip_shape(self.grid, self.bytes_per_pixel, budget_mb)
        rows, cols = window_shape(self.grid, self.bytes_per_pixel, budget_mb)
        if not self.external:
            return rows, cols
        side, asked = block_side(self.margin), budget_mb
        while True:
            rows = (
                min(max(rows // side, 1) * side, self.grid.rows) if rows < self.grid.rows else rows
            )
            cols = (
                min(max(cols // side, 1) * side, self.grid.cols) if cols < self.grid.cols else cols
            )
            if self.megabytes(rows, cols) <= budget_mb or max(rows, cols) <= side:
                return rows, cols
            asked *= 0.8
            rows, cols = window_shape(self.grid, self.bytes_per_pixel, asked)

    def windows(self, budget_mb: float) -> list[Window]:
        """Windows over the tile whose images stay within a memory budget."""
        if not self.margin and not self.in_strips:
            return reading_windows(self.grid, self.bytes_per_pixel, budget_mb)
        return list(self.grid.windows(*self.window_shape(budget_mb)))

    def looks(self, series: str) -> list[Looks]:
        """What tells where each acquisition of a series saw the ground; opened when first asked for."""
        if series not in self._looks:
            items = self.acquisitions[series]
            self._looks[series] = [Looks(item, self.grid, self._pool) for item in items]
        return self._looks[series]

    def read(self, window: Window, pool: ThreadPoolExecutor) -> WindowFeatures:
        """Read the images of a window and of what is around it."""
        outer = self.around(window)
        clouds = self.external is not None  # a function of the user may ask for what was acquired
        series = [(reader, *reader.read(outer, pool, clouds=clouds)) for reader in self._readers]
        images = WindowImages(outer, series, read_together(self._user, outer))
        return WindowFeatures(self, window, images)


@dataclass(frozen=True)
class WindowImages:
    """What was read of a window.

    Parameters
    ----------
    window : Window
        All that was read.
    series : list of (SeriesReader, ndarray, ndarray)
        Reader, values and clear-sky mask of each series (`SeriesReader.read`).
    rasters : list of ndarray, shape (rows, cols)
        User features.
    """

    window: Window
    series: list[tuple[SeriesReader, np.ndarray, np.ndarray]]
    rasters: list[np.ndarray]

    def positions(self, window: Window, pixels: np.ndarray) -> np.ndarray:
        """Row-major positions of the pixels of a window inside this one."""
        if window == self.window:
            return pixels
        place = window.inside(self.window)
        rows, cols = np.divmod(pixels, window.cols)
        return (rows + place.row) * self.window.cols + cols + place.col


class ExternalWindow:
    """External features of a window, computed block by block where pixels are asked for.

    The blocks are those of the tile, whatever the window: a function gets the same arrays for the
    samples, the map and the written stack, so that even the last digits of its sums are the same.
    Functions are called by one thread at a time.

    Parameters
    ----------
    stack : FeatureStack
        With functions.
    window : Window
    images : WindowImages
        Of `FeatureStack.around` the window.
    """

    def __init__(self, stack: FeatureStack, window: Window, images: WindowImages) -> None:
        self._stack, self._window, self._images = stack, window, images
        self._side = block_side(stack.margin)
        self._made: dict[int, np.ndarray] = {}
        self._lock = threading.Lock()

    def write(self, pixels: np.ndarray, out: np.ndarray) -> None:
        """Write the features of some pixels, shape (n, n_features)."""
        side, across = self._side, -(-self._stack.grid.cols // self._side)
        rows, cols = np.divmod(pixels, self._window.cols)
        rows, cols = rows + self._window.row, cols + self._window.col
        blocks = rows // side * across + cols // side
        for number in np.unique(blocks):
            values = self._block(int(number), across)
            mine = np.flatnonzero(blocks == number)
            out[mine] = values[:, rows[mine] % side, cols[mine] % side].T

    def _block(self, number: int, across: int) -> np.ndarray:
        with self._lock:
            if number not in self._made:
                self._made[number] = self._compute(*divmod(number, across))
            return self._made[number]

    def _compute(self, down: int, right: int) -> np.ndarray:
        stack, side = self._stack, self._side
        tile = stack.grid.window
        block = Window(down * side, right * side, 1, 1).rounded(side, tile)
        place = Place(block, stack.margin, tile)
        assert stack.external
        return stack.external.compute(_BlockArrays(stack, self._images, place.clipped), place)


def _part_of(plan: SeriesFeatures, **wanted: Any) -> SeriesFeatures:
    """The plan of some of its features alone."""
    none: dict[str, Any] = {
        "kept": (),
        "also": (),
        "relative": (),
        "indices": (),
        "expressions": {},
    }
    return replace(plan, **none | wanted)


class _BlockArrays:
    """Arrays of a block for functions of the user (`external.Arrays`)."""

    def __init__(self, stack: FeatureStack, images: WindowImages, window: Window) -> None:
        self._stack, self._images, self._window = stack, images, window
        self._number = {item.series: number for number, item in enumerate(stack.series)}

    def _cut(self, values: np.ndarray) -> np.ndarray:
        """The block of an array over the window that was read, shape (..., rows, cols)."""
        outer = self._images.window
        shaped = values.reshape(*values.shape[:-1], outer.rows, outer.cols)
        return shaped[(..., *self._window.inside(outer).slices)]

    def _features(self, series: str, part: SeriesFeatures) -> np.ndarray:
        """The last feature of a plan on all dates, float32, shape (n_dates, rows, cols)."""
        reader, values, clear = self._images.series[self._number[series]]
        whole = self._stack.series[self._number[series]]
        bands = [whole.bands.index(band) for band in part.bands]
        window, dates = self._window, len(part.dates)
        layers = len(part.kept) + len(part.indices) + len(part.expressions)
        out = np.empty((window.size, dates * layers), dtype=np.float32)
        own = np.ascontiguousarray(self._cut(values[:, bands])).reshape(-1, len(bands), window.size)
        seen = np.ascontiguousarray(self._cut(clear)).reshape(-1, window.size)
        every = np.arange(window.size, dtype=np.int64)
        compute_features(part, own, seen, reader.days, reader.first_day, every, out)
        return np.ascontiguousarray(out[:, -dates:].T).reshape(dates, window.rows, window.cols)

    def band(self, series: str, name: str) -> np.ndarray:
        plan = self._stack.series[self._number[series]]
        return self._features(series, _part_of(plan, kept=(name,)))

    def index(self, series: str, name: str) -> np.ndarray:
        plan = self._stack.series[self._number[series]]
        if name in plan.expressions:
            own = {name: plan.expressions[name]}
            return self._features(series, _part_of(plan, expressions=own))
        kept = plan.kept if name == "Brightness" else ()
        return self._features(series, _part_of(plan, kept=kept, indices=(name,)))

    def raw(self, series: str, name: str) -> np.ndarray:
        number = self._number[series]
        _, values, _ = self._images.series[number]
        band = self._stack.series[number].bands.index(name)
        found = self._cut(values[:, band]).astype(np.float32)
        for layer, item in zip(found, self._stack.acquisitions[series], strict=True):
            nodata = item.bands[name].nodata
            layer[(layer == UNSEEN) | (False if nodata is None else layer == nodata)] = np.nan
        return found

    def clear(self, series: str) -> np.ndarray:
        return self._cut(self._images.series[self._number[series]][2]).astype(bool)

    def seen(self, series: str) -> np.ndarray:
        window = self._window
        items = self._stack.acquisitions[series]
        found = np.empty((len(items), window.rows, window.cols), dtype=bool)
        unusable, unseen = np.empty((2, window.rows, window.cols), dtype=np.uint8)
        for number, look in enumerate(self._stack.looks(series)):
            look.read(window, unusable, unseen)
            found[number] = unseen == 0
        return found

    def acquired(self, series: str) -> Sequence[date]:
        return [item.day for item in self._stack.acquisitions[series]]

    def user(self, name: str) -> np.ndarray:
        raster = self._images.rasters[self._stack.user_names.index(name)]
        return raster[self._window.inside(self._images.window).slices].astype(np.float32)


def check_same_features(expected: Sequence[str], found: Sequence[str], where: str) -> None:
    """Raise InputDataError, naming the first difference, unless both lists agree."""
    if list(expected) == list(found):
        return
    extra = [name for name in found if name not in set(expected)]
    missing = [name for name in expected if name not in set(found)]
    raise InputDataError(
        f"{where}: the features are not those the model has learnt: {_some(missing)} missing, {_some(extra)} new"
        f"{by_dates(missing, extra)}; delete the model to learn it anew"
    )


def _some(names: Sequence[str]) -> str:
    """How many names there are, and the first of them."""
    shown = ", ".join(names[:3]) + (" …" if names[3:] else "")
    return f"{len(names)} ({shown})" if names else "none"


def by_dates(missing: Sequence[str], extra: Sequence[str]) -> str:
    """Hint where features differ by how they tell their dates alone."""
    last = [{name.rpartition("_")[2][:1] for name in names} for names in (missing, extra)]
    if missing and extra and "D" in last[0] ^ last[1]:
        return ", of which one tells days of the year, the other dates (`sensors.….dates`)"
    return ""


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
    external: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Write all features of a tile as one raster, a band a feature.

    Parameters
    ----------
    inventory, settings, masks, external
        See `FeatureStack`.
    budget_mb : float
        Memory for the images of one window, MB.
    output : str
        GeoTIFF to write, int16 or float32; band descriptions are the feature names.
    """
    stack = FeatureStack(inventory, settings, masks, external)
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
