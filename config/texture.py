"""Texture as a feature: how much the pixels around a pixel differ.

    external_features:
      - module: config/texture.py
        function: deviation
        parameters: {band: nir}
        margin: 2                     # squares of 5 x 5 pixels

Copy this file and change it: docs/external-features.md says what a function gets.
"""

import numpy as np


def deviation(block):
    """Standard deviation of a band, meaned over the dates, in the square around each pixel.

    The square has ``2 * margin + 1`` pixels a side. Sums are of whole numbers, and so exact.

    Parameters of the configuration
    -------------------------------
    band : str
        Name or role of the band.
    series : str, optional
        Name of the series; ``sentinel2`` by default.

    Returns
    -------
    dict of str to ndarray of float32, shape (rows, cols)
        ``Texture_<band>``, in the unit of the band. The margin is used up: these are the pixels of
        the block alone.
    """
    name = block.parameters["band"]
    series = block.series[block.parameters.get("series", "sentinel2")]
    total = series.band(name).astype(np.int64).sum(axis=0)
    side = 2 * block.margin + 1
    mean = square_sums(total, side) / side**2
    variance = square_sums(total**2, side) / side**2 - mean**2
    deviations = np.sqrt(np.maximum(variance, 0)) / len(series.dates)
    return {f"Texture_{name}": deviations.astype(np.float32)}


def square_sums(values, side):
    """Sums over all squares of `side` pixels that lie inside, int64."""
    for axis in (0, 1):
        sums = np.cumsum(values, axis=axis)
        first = np.zeros_like(np.take(sums, [0], axis=axis))
        sums = np.concatenate([first, sums], axis=axis)
        last, begin = np.arange(side, sums.shape[axis]), np.arange(sums.shape[axis] - side)
        values = np.take(sums, last, axis=axis) - np.take(sums, begin, axis=axis)
    return values
