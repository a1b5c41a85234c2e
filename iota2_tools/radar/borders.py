"""Where an image of Sentinel-1 GRD has data: its borders, by the processor that made it.

From IPF 2.90 on what lies outside the swath is 0, and nothing else is needed: dark water stays.
Earlier processors left small values there. The thermal noise tells them from water: water never
gives less than the noise of the instrument, the left-overs do.
"""

from dataclasses import dataclass

import numpy as np
from osgeo import gdal

from iota2_tools.geo.grid import Window
from iota2_tools.geo.raster import read_window
from iota2_tools.radar.calibration import Noise

CLEAN_BORDERS = (2, 90)
"""First version of the processor (IPF) whose borders are zeros."""
WIDEST = 1500
"""Pixels from an edge of the image in which its border is looked for."""
RUN = 32
"""Pixels whose mean power decides; of 4.4 looks each it varies by 8 %."""
SHARE = 0.5
"""Of the thermal noise: what has less is border."""
LEAST_NOISE = 100.0
"""Squared digital number that stands for the noise where a file tells none."""
STRIP = 1024


@dataclass(frozen=True, eq=False)
class Borders:
    """First and last valid sample of each line, first and last valid line of each sample.

    Parameters
    ----------
    samples : ndarray of int64, shape (lines, 2)
    lines : ndarray of int64, shape (samples, 2)
        The last is included; where it is below the first there is no data.
    """

    samples: np.ndarray
    lines: np.ndarray

    def inside(self, window: Window) -> np.ndarray:
        """True inside the borders, shape (rows, cols)."""
        rows, cols = window.slices
        number = np.arange(cols.start, cols.stop)
        along = self.samples[rows]
        inside = (number >= along[:, :1]) & (number <= along[:, 1:])
        number = np.arange(rows.start, rows.stop)[:, np.newaxis]
        across = self.lines[cols]
        return inside & (number >= across[:, 0]) & (number <= across[:, 1])


def find_borders(image: gdal.Dataset, noise: Noise) -> Borders:
    """Borders of an image of a processor before `CLEAN_BORDERS`."""
    rows, cols = image.RasterYSize, image.RasterXSize
    samples = np.empty((rows, 2), dtype=np.int64)
    lines = np.empty((cols, 2), dtype=np.int64)
    width, height = min(WIDEST, cols), min(WIDEST, rows)
    for start in range(0, rows, STRIP):
        count = min(STRIP, rows - start)
        left = _power(image, noise, Window(start, 0, count, width))
        right = _power(image, noise, Window(start, cols - width, count, width))
        samples[start : start + count, 0] = border_width(*left)
        samples[start : start + count, 1] = cols - 1 - border_width(*_turned(right))
    for start in range(0, cols, STRIP):
        count = min(STRIP, cols - start)
        top = _transposed(_power(image, noise, Window(0, start, height, count)))
        bottom = _transposed(_power(image, noise, Window(rows - height, start, height, count)))
        lines[start : start + count, 0] = border_width(*top)
        lines[start : start + count, 1] = rows - 1 - border_width(*_turned(bottom))
    return Borders(samples, lines)


def border_width(power: np.ndarray, least: np.ndarray) -> np.ndarray:
    """Number of pixels at the start of each row that are border.

    Parameters
    ----------
    power : ndarray of float32, shape (rows, cols)
        Squared digital numbers.
    least : ndarray of float32, shape (rows, cols)
        Power that data have at least, in the mean over `RUN` pixels.

    Returns
    -------
    ndarray of int64, shape (rows,)
        The border ends at the first pixel that reaches `least`, from which on `RUN` pixels do so in
        the mean. All of a row if there is none.
    """
    run = min(RUN, power.shape[1])
    sums = np.cumsum(power, axis=1, dtype=np.float64)
    sums = np.pad(sums, ((0, 0), (1, 0)))
    means = (sums[:, run:] - sums[:, :-run]) / run
    count = means.shape[1]
    data = (means >= least[:, :count]) & (power[:, :count] >= least[:, :count])
    return np.where(data.any(axis=1), data.argmax(axis=1), power.shape[1])


Pair = tuple[np.ndarray, np.ndarray]


def _power(image: gdal.Dataset, noise: Noise, window: Window) -> Pair:
    numbers = read_window(image, window, 1).astype(np.float32)
    return numbers * numbers, np.maximum(SHARE * noise.over(window), LEAST_NOISE)


def _turned(pair: Pair) -> Pair:
    return pair[0][:, ::-1], pair[1][:, ::-1]


def _transposed(pair: Pair) -> Pair:
    return pair[0].T, pair[1].T
