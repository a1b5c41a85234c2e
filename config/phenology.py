"""Phenology as features: when the season starts, how long it lasts, and its peak.

    external_features:
      - module: config/phenology.py
        function: season
        parameters: {threshold: 0.5}

Copy this file and change it: docs/external-features.md says what a function gets.
"""

from datetime import date

import numpy as np


def season(block):
    """Start, length and peak of the season of each pixel, from its NDVI curve.

    The season is the time around the highest NDVI in which the curve stays above a share of its own
    amplitude; between two dates it is a line. It starts or ends with the curve where the curve does
    not fall below that level. A curve that is flat (`amplitude`) has no season: start 0, length 0.

    Parameters of the configuration
    -------------------------------
    threshold : float
        Share of the amplitude, from 0 to 1.
    amplitude : float, optional
        Smallest difference of highest and lowest NDVI x 1000; 100 by default.
    series : str, optional
        Name of the series; ``sentinel2`` by default.

    Returns
    -------
    dict of str to ndarray of int16, shape (rows, cols)
        ``Season_start``, days since the last day of the year before the first date (1 is 1 January);
        ``Season_length``, days; ``Season_peak``, NDVI x 1000.

    References
    ----------
    P. Jönsson and L. Eklundh, TIMESAT - a program for analyzing time-series of satellite sensor
    data, Computers & Geosciences 30(8), 2004: share of the seasonal amplitude.
    """
    series = block.series[block.parameters.get("series", "sentinel2")]
    ndvi = series.index("NDVI")
    origin = date(series.dates[0].year - 1, 12, 31)
    days = np.array([(day - origin).days for day in series.dates], dtype=np.float64)

    lowest, highest = ndvi.min(axis=0), ndvi.max(axis=0)
    level = lowest + np.float32(block.parameters["threshold"]) * (highest - lowest)
    number = np.arange(len(days))[:, None, None]
    peak = ndvi.argmax(axis=0)
    below = ndvi < level
    # Numbers of the last date below the level before the peak, and of the first one after it.
    before = np.where(below & (number < peak), number, -1).max(axis=0)
    after = np.where(below & (number > peak), number, len(days)).min(axis=0)
    start = np.where(before < 0, days[0], crossing(ndvi, days, level, before))
    end = np.where(after == len(days), days[-1], crossing(ndvi, days, level, after - 1))

    flat = highest - lowest < block.parameters.get("amplitude", 100)
    return {
        "Season_start": np.where(flat, 0, np.rint(start)).astype(np.int16),
        "Season_length": np.where(flat, 0, np.rint(end - start)).astype(np.int16),
        "Season_peak": np.rint(highest).astype(np.int16),
    }


def crossing(curve, days, level, first):
    """Day at which the line from date number `first` to the next one has the value `level`."""
    first = np.clip(first, 0, max(len(days) - 2, 0))
    second = np.minimum(first + 1, len(days) - 1)
    a = np.take_along_axis(curve, first[np.newaxis], axis=0)[0].astype(np.float64)
    b = np.take_along_axis(curve, second[np.newaxis], axis=0)[0].astype(np.float64)
    share = np.where(a == b, 0, (level - a) / np.where(a == b, 1, b - a))
    return days[first] + share * (days[second] - days[first])
