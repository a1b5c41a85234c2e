"""Co-registration: how far each acquisition of a series lies from a reference image.

Windows spread over the tile are compared by phase correlation. The first comparison looks for
whole pixels, by the clear pixels alone (Padfield 2012); the next ones for fractions of them
(Guizar-Sicairos et al. 2008), each on the acquisition as it is read with the shift found so far.
Clouds and edges, which stand still, draw each of these towards no shift. There is no such pull
where nothing is left to be found, and it is there that the comparisons end.

References
----------
Padfield, "Masked object registration in the Fourier domain", IEEE Trans. Image Process. 21, 2012.
Guizar-Sicairos, Thurman and Fienup, "Efficient subpixel image registration algorithms", Opt.
Lett. 33, 2008. Both as scikit-image has them.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter
from threadpoolctl import threadpool_limits

from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.grid import BLOCK, Grid, Window, grid_of, metres, same_crs, transform_bounds
from iota2_tools.geo.gridded import GridBand, ImagePool, Reading
from iota2_tools.geo.raster import open_raster
from iota2_tools.products import Acquisition, Shift
from iota2_tools.timeseries.headers import reference_faults
from iota2_tools.timeseries.series import Looks, image_on

logger = logging.getLogger(__name__)

SMALLEST = 32
"""Side of the smallest windows that are compared, pixels."""
ALONG = 6
"""Windows that are looked at along a side of the tile, at most."""
COMPARED = 16
"""Windows that are compared: of the clear ones, those where the reference shows most."""
LEAST = 4
"""Fewest windows that a shift is taken from."""
CLEAR = 0.5
"""Share of a window that must be clear in the acquisition, and have data in the reference."""
AGREEMENT = 0.5
"""Windows agree whose shifts lie within so many pixels of the median."""
WHOLE = 1.5
"""The same while whole pixels are compared: half a pixel may be none or one, both ways."""
FINE, BROAD = 0.7, 3.0
"""Standard deviations, pixels, between which the details lie that are compared."""
ROUNDS = 8
"""Comparisons of fractions of a pixel, at most."""
FOUND = 0.01
"""They end at a step of less than so many pixels."""
FINENESS = 100
"""Steps in a pixel of such a comparison."""
NEGLIGIBLE = 0.05
"""A smaller shift, pixels, leaves the images as they are."""


@dataclass(frozen=True)
class Coregistration:
    """How a series is brought onto a reference image (`config.sensors.Coregistration`)."""

    reference: str
    reference_band: int
    sensor_band: str
    largest_shift: float
    least_quality: float


@dataclass(frozen=True)
class Registered:
    """Shifts of a series.

    Parameters
    ----------
    shifts : dict of str to Shift
        Of each acquisition that was found.
    cloudy : dict of str to str
        Acquisitions with too few clear pixels to be compared, and what they have.
    poor : dict of str to str
        Those that were compared, and why they are refused.
    """

    shifts: dict[str, Shift]
    cloudy: dict[str, str]
    poor: dict[str, str]


class CloudyError(InputDataError):
    """Too few clear pixels to be compared."""


class PoorError(InputDataError):
    """A shift that is not to be trusted."""


class Views(NamedTuple):
    """The same window of the reference and of an acquisition."""

    reference: np.ndarray
    """float64, shape (side, side), 0 where it has no data"""
    known: np.ndarray
    """Where the reference has data, bool"""
    image: np.ndarray
    clear: np.ndarray

    @property
    def common(self) -> np.ndarray:
        """Where both can be compared, bool."""
        return self.known & self.clear

    @property
    def is_flat(self) -> bool:
        """Whether one of both has a single value, or nothing is left to compare."""
        common = self.common
        return not common.any() or any(
            np.ptp(values[common]) == 0 for values in (self.reference, self.image)
        )


def register(
    acquisitions: Sequence[Acquisition], tile: Grid, settings: Coregistration
) -> Registered:
    """Find the shift of each acquisition of a series.

    Parameters
    ----------
    acquisitions : sequence of Acquisition
        With an image of `settings.sensor_band`.

    Raises
    ------
    InputDataError
        If the reference is not what it should be, or an image cannot be read.
    """
    faults = reference_faults(settings.reference, settings.reference_band, tile)
    if faults:
        raise InputDataError("coregistration: " + "; ".join(faults))
    result = Registered({}, {}, {})
    if not acquisitions:
        return result
    image = acquisitions[0].bands[settings.sensor_band]
    comparison = Comparison(settings, compared_grid(tile, grid_of(image.path)))
    for item in acquisitions:
        try:
            # Products of small matrices: threads of BLAS would cost more than they give.
            with threadpool_limits(1, "blas"):
                found = result.shifts[item.name] = comparison.shift(item)
        except CloudyError as error:
            result.cloudy[item.name] = str(error)
        except PoorError as error:
            result.poor[item.name] = str(error)
        else:
            logger.info(
                "%s: moved by (%.2f, %.2f), quality %.2f",
                item.name, found.x, found.y, found.quality,
            )  # fmt: skip
    return result


def compared_grid(tile: Grid, native: Grid) -> Grid:
    """Grid of the tile with pixels as large as those of the images that are compared."""
    size = native.resolution
    if not same_crs(tile.crs, native.crs):
        size = tile.resolution * metres(native) / metres(tile)
    rows, cols = (
        max(int(side * tile.resolution / size + 1e-6), 1) for side in (tile.rows, tile.cols)
    )
    return Grid(tile.crs, tile.left, tile.top, size, rows, cols)


def spread(area: Window) -> list[Window]:
    """Windows spread over an area, where there is room on whole blocks.

    >>> [tuple(window) for window in spread(Window(0, 0, 64, 40))]
    [(0, 0, 32, 32), (16, 0, 32, 32), (32, 0, 32, 32)]
    """
    side = min(BLOCK, max(SMALLEST, min(area.rows, area.cols) // 4))
    if min(area.rows, area.cols) < side:
        return []
    rows, cols = _starts(area.row, area.rows, side), _starts(area.col, area.cols, side)
    return [Window(row, col, side, side) for row in rows for col in cols]


def _starts(first: int, length: int, side: int) -> list[int]:
    count = min(ALONG, max(1, 2 * (length // side) - 1))
    starts = first + np.rint(np.linspace(0, length - side, count)).astype(int)
    if length >= 2 * ALONG * BLOCK:
        lowest = -(-first // BLOCK) * BLOCK
        starts = np.maximum(starts // BLOCK * BLOCK, lowest)
    return [int(start) for start in starts]


class Comparison:
    """Acquisitions of one series over a tile against its reference.

    Parameters
    ----------
    grid : Grid
        On which windows are compared (`compared_grid`).
    """

    def __init__(self, settings: Coregistration, grid: Grid) -> None:
        self._settings, self._grid = settings, grid
        dataset = open_raster(settings.reference)
        nodata = dataset.GetRasterBand(settings.reference_band).GetNoDataValue()
        self._reference = GridBand(
            settings.reference, grid, Reading(nodata, covered=True), settings.reference_band
        )
        self._windows = spread(_covered(settings.reference, grid))

    @cached_property
    def _views(self) -> dict[Window, tuple[np.ndarray, np.ndarray]]:
        """Windows of the reference that have data enough, and where."""
        found = {window: self._reference.observe(window) for window in self._windows}
        return {
            window: (np.where(seen, values, 0).astype(np.float64), seen)
            for window, (values, seen) in found.items()
            if seen.mean() >= CLEAR
        }

    @cached_property
    def _details(self) -> dict[Window, float]:
        """How much the reference shows in each window: water has nothing to compare."""
        return {
            window: float(_edges((values - values[known].mean()) * known)[known].std())
            for window, (values, known) in self._views.items()
        }

    def shift(self, acquisition: Acquisition) -> Shift:
        """The shift that brings an acquisition onto the reference.

        Raises
        ------
        CloudyError
            If fewer than `LEAST` windows are clear.
        PoorError
            If its windows do not agree on a shift, or it is too large.
        """
        band = self._settings.sensor_band
        alone = replace(acquisition, bands={band: acquisition.bands[band]}, shift=None)
        windows = self._clearest(alone)
        size = self._grid.resolution
        place = np.zeros(2)  # rows, columns
        views = self._read(alone, windows, place)
        steps = _each(_whole_pixels, views)
        agreeing = self._agreeing(steps, WHOLE)
        place = np.median(steps, axis=0)
        for _ in range(ROUNDS):
            self._refuse_poor(agreeing)
            steps = _each(_fractions, self._read(alone, windows, place))
            step = np.median(steps, axis=0)
            agreeing = self._agreeing(steps, AGREEMENT)
            place = place + step
            if np.hypot(*step) < FOUND:
                break
        self._refuse_poor(agreeing)
        self._refuse_far(place)
        if np.hypot(*step) > NEGLIGIBLE:
            raise PoorError(f"no shift to {self._settings.reference} is found that stays the same")
        if np.hypot(*place) < NEGLIGIBLE:
            return Shift(0.0, 0.0, agreeing)
        row, col = np.round(place, 3)
        return Shift(float(col * size), float(-row * size), agreeing)

    def _clearest(self, acquisition: Acquisition) -> list[Window]:
        pool = ImagePool()
        look = Looks(acquisition, self._grid, pool)
        shares = {}
        for window, (_, known) in self._views.items():
            unusable, unseen = np.empty((2, window.rows, window.cols), dtype=np.uint8)
            look.read(window, unusable, unseen)
            shares[window] = float((known & (unusable == 0)).mean())
        clear = [window for window, share in shares.items() if share >= CLEAR]
        if len(clear) < LEAST:
            raise CloudyError(
                f"too few clear pixels to compare with {self._settings.reference}: {len(clear)} of "
                f"{len(self._windows)} windows have enough, {LEAST} are needed"
            )
        return sorted(clear, key=self._details.__getitem__, reverse=True)[:COMPARED]

    def _read(
        self, acquisition: Acquisition, windows: Sequence[Window], place: np.ndarray
    ) -> list[Views]:
        """Windows of the reference and of an acquisition as it is read with a shift."""
        size = self._grid.resolution
        moved = replace(acquisition, shift=Shift(place[1] * size, -place[0] * size, 0.0))
        pool = ImagePool()
        look = Looks(moved, self._grid, pool)
        grid = moved.grid_of(self._grid)
        (image,) = (image_on(grid, item, pool, moved=True) for item in moved.bands.values())
        views = []
        for window in windows:
            values, _ = image.observe(window)
            unusable, unseen = np.empty((2, *values.shape), dtype=np.uint8)
            look.read(window, unusable, unseen)
            clear = unusable == 0
            shown = np.where(clear, values, 0).astype(np.float64)
            views.append(Views(*self._views[window], shown, clear))
        return views

    def _agreeing(self, steps: np.ndarray, within: float) -> float:
        """Share of the windows that agree on the median of their shifts."""
        apart = np.hypot(*(steps - np.median(steps, axis=0)).T)
        return float(np.mean(apart <= within))

    def _refuse_poor(self, agreeing: float) -> None:
        settings = self._settings
        if agreeing < settings.least_quality:
            raise PoorError(
                f"its windows do not agree on a shift to {settings.reference}: quality "
                f"{agreeing:.2f}, least_quality is {settings.least_quality:g}"
            )

    def _refuse_far(self, place: np.ndarray) -> None:
        settings = self._settings
        if np.hypot(*place) > settings.largest_shift:
            raise PoorError(
                f"lies {np.hypot(*place):.1f} pixels from {settings.reference}, largest_shift is "
                f"{settings.largest_shift:g}"
            )


def _covered(reference: str, grid: Grid) -> Window:
    """Part of a grid that an image covers."""
    native = grid_of(reference)
    left, bottom, right, top = transform_bounds(native.bounds, native.crs, grid.crs)
    size = grid.resolution
    first_row, last_row = ((grid.top - y) / size for y in (top, bottom))
    first_col, last_col = ((x - grid.left) / size for x in (left, right))
    row, col = (max(int(np.ceil(first - 1e-6)), 0) for first in (first_row, first_col))
    bottom_row = min(int(last_row + 1e-6), grid.rows)
    right_col = min(int(last_col + 1e-6), grid.cols)
    return Window(row, col, max(bottom_row - row, 0), max(right_col - col, 0))


def _each(compare: Callable[[Views], np.ndarray], views: Sequence[Views]) -> np.ndarray:
    """Shift of each window that shows anything, float64, shape (n, 2): rows, columns.

    Raises
    ------
    PoorError
        If fewer than `LEAST` do.
    """
    shifts = [compare(view) for view in views if not view.is_flat]
    if len(shifts) < LEAST:
        raise PoorError(f"shows no details to compare in {len(views) - len(shifts)} of its windows")
    return np.array(shifts, dtype=np.float64)


def _whole_pixels(view: Views) -> np.ndarray:
    from skimage.registration import phase_cross_correlation

    return phase_cross_correlation(
        view.reference, view.image, reference_mask=view.known, moving_mask=view.clear,
        overlap_ratio=0.5,
    )[0]  # fmt: skip


def _fractions(view: Views) -> np.ndarray:
    from skimage.registration import phase_cross_correlation

    common = view.common
    taper = np.hanning(len(common) + 2)[1:-1]
    weight = common * taper[:, None] * taper
    first, second = (
        (values - np.average(values, weights=weight)) * weight
        for values in (view.reference, view.image)
    )
    return phase_cross_correlation(
        _edges(first), _edges(second), upsample_factor=FINENESS, normalization=None
    )[0]


def _edges(values: np.ndarray) -> np.ndarray:
    """An image less what differs from season to season, and what is too fine to be interpolated."""
    return gaussian_filter(values, FINE) - gaussian_filter(values, BROAD)
