"""From the geometry of the radar to the grid of a tile."""

import numpy as np

from iota2_tools.core.kernels import kernel

SEAM = 0.02
"""Pixels that an image holds beyond its edge: times of frames are in whole microseconds."""


@kernel
def resample(lines, samples, step, offset_row, offset_col, power, corner, linear, out):
    """Fill the pixels of a window that have no value yet, where an image sees them.

    A pixel is seen if the pixel of the image that holds its centre has data in all polarisations.
    Linear: of the four around it those without data have no weight. So nodata is mixed into
    nothing, and nothing is lost where two frames of a pass meet.

    Parameters
    ----------
    lines, samples : ndarray of float64, shape (m, n)
        Place of each node in the image; NaN where it has none.
    step : int
        Pixels from node to node.
    offset_row, offset_col : int
        Pixels from the first node to the first pixel of the window.
    power : ndarray of float32, shape (polarisations, rows, cols)
        Part of the image, NaN without data.
    corner : tuple of int
        Line and sample of its first pixel.
    linear : bool
        False: nearest.
    out : ndarray of float32, shape (polarisations, rows, cols)
        The window; NaN where it has no value yet.
    """
    layers, height, width = power.shape
    for row in range(out.shape[1]):
        node_row = (row + offset_row) // step
        v = ((row + offset_row) % step) / step
        for col in range(out.shape[2]):
            if not np.isnan(out[0, row, col]):
                continue
            node_col = (col + offset_col) // step
            u = ((col + offset_col) % step) / step
            line = _between(lines, node_row, node_col, v, u)
            sample = _between(samples, node_row, node_col, v, u)
            if np.isnan(line) or np.isnan(sample):
                continue
            if linear and _mean_of_four(power, corner, line, sample, out, row, col):
                continue
            i = _nearest(line, corner[0], height)
            j = _nearest(sample, corner[1], width)
            if i < 0 or j < 0 or not _has_data(power, i, j):
                continue
            if linear:
                _mean_of_some(power, corner, line, sample, out, row, col)
            else:
                for layer in range(layers):
                    out[layer, row, col] = power[layer, i, j]


@kernel
def _nearest(place, first, count):
    """Pixel of a part of an image that holds a place, counted from its first; -1 if none does."""
    found = np.int64(np.floor(place + 0.5)) - first
    if found == -1 and place >= first - 0.5 - SEAM:
        return np.int64(0)
    if found == count and place < first + count - 0.5 + SEAM:
        return np.int64(count - 1)
    return found if 0 <= found < count else np.int64(-1)


@kernel
def _mean_of_four(power, corner, line, sample, out, row, col):
    """Bilinear value where all four pixels around a place have data; False where one has none."""
    layers, height, width = power.shape
    top = np.floor(line)
    left = np.floor(sample)
    # Weights are those of the place in the whole image, so that windows do not change a bit.
    v = line - top
    u = sample - left
    p = np.int64(top) - corner[0]
    q = np.int64(left) - corner[1]
    if p < 0 or q < 0 or p + 1 >= height or q + 1 >= width:
        return False
    for layer in range(layers):
        above = power[layer, p, q] * (1.0 - u) + power[layer, p, q + 1] * u
        below = power[layer, p + 1, q] * (1.0 - u) + power[layer, p + 1, q + 1] * u
        value = above * (1.0 - v) + below * v
        if np.isnan(value):
            out[:, row, col] = np.nan
            return False
        out[layer, row, col] = value
    return True


@kernel
def _mean_of_some(power, corner, line, sample, out, row, col):
    """Mean of those of the four pixels around a place that have data, by their nearness."""
    layers, height, width = power.shape
    top = np.int64(np.floor(line))
    left = np.int64(np.floor(sample))
    sums = np.zeros(layers)
    total = 0.0
    for down in range(2):
        for right in range(2):
            p = top + down - corner[0]
            q = left + right - corner[1]
            if not (0 <= p < height and 0 <= q < width) or not _has_data(power, p, q):
                continue
            weight = (1.0 - abs(line - (top + down))) * (1.0 - abs(sample - (left + right)))
            total += weight
            for layer in range(layers):
                sums[layer] += weight * power[layer, p, q]
    for layer in range(layers):
        out[layer, row, col] = sums[layer] / total


@kernel
def _has_data(power, row, col):
    for layer in range(power.shape[0]):  # noqa: SIM110  (numba has no all())
        if np.isnan(power[layer, row, col]):
            return False
    return True


@kernel
def _between(field, row, col, v, u):
    """Bilinear value between nodes; a node of no weight need not be there."""
    top = field[row, col]
    bottom = top
    if u > 0.0:
        top += (field[row, col + 1] - top) * u
    if v > 0.0:
        bottom = field[row + 1, col]
        if u > 0.0:
            bottom += (field[row + 1, col + 1] - bottom) * u
    return top + (bottom - top) * v
