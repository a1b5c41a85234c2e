"""Components of a class map: 4-connected pixels of one class, in squares that are joined exactly.

A map is labelled square by square. What touches the outline of a square goes on in the next one if
both pixels have the same class: such parts become one by union-find over the border rows alone.
The number of a component is that of its first pixel in the map, row by row, from 1. So it depends
on no square, and a change elsewhere in the map leaves it as it was.
"""

from dataclasses import dataclass

import numpy as np

from iota2_tools.core.kernels import kernel

OUTSIDE = -1
"""Component of pixels without class, and of what lies around the map."""


@dataclass(frozen=True)
class Components:
    """Components of a square.

    Parameters
    ----------
    ids : ndarray of int32, shape (rows, cols)
        Component of each pixel, from 0 in the order of their first pixels; OUTSIDE without class.
    first : ndarray of int64, shape (n,)
        First pixel of each, counted row by row in the square.
    pixels, perimeter : ndarray of int64, shape (n,)
        Size, and sides of pixels along the boundary, holes included.
    codes : ndarray, shape (n,)
        Class.
    """

    ids: np.ndarray
    first: np.ndarray
    pixels: np.ndarray
    perimeter: np.ndarray
    codes: np.ndarray


def label(classes: np.ndarray) -> Components:
    """Components of a square, from its classes and those of the pixels around it.

    Parameters
    ----------
    classes : ndarray of uint8 or uint16, shape (rows + 2, cols + 2)
        Class codes with a margin of one pixel; 0: no class, or outside the map.
    """
    inner = np.ascontiguousarray(classes[1:-1, 1:-1])
    ids, count = _label(inner)
    first, pixels, perimeter = _measure(classes, ids, count)
    return Components(ids, first, pixels, perimeter, inner.ravel()[first])


@kernel
def _root(parents, item):
    """Root of an item; the way to it is halved."""
    while parents[item] != item:
        parents[item] = parents[parents[item]]
        item = parents[item]
    return item


@kernel
def unite(parents, first, second):
    """Make the trees of two items one, under the smaller root, which is returned."""
    first, second = _root(parents, first), _root(parents, second)
    if first < second:
        parents[second] = first
        return first
    parents[first] = second
    return second


@kernel
def _label(classes):
    rows, cols = classes.shape
    ids = np.full((rows, cols), -1, np.int32)
    parents = np.empty(rows * cols, np.int32)
    count = 0
    for row in range(rows):
        for col in range(cols):
            code = classes[row, col]
            if code == 0:
                continue
            found = -1
            if row > 0 and classes[row - 1, col] == code:
                found = ids[row - 1, col]
            if col > 0 and classes[row, col - 1] == code:
                left = ids[row, col - 1]
                found = left if found < 0 or found == left else unite(parents, found, left)
            if found < 0:
                found = count
                parents[count] = count
                count += 1
            ids[row, col] = found
    # Roots are the smallest of their trees, so new numbers follow the first pixels.
    number = 0
    for item in range(count):
        if parents[item] == item:
            parents[item] = number
            number += 1
        else:
            parents[item] = parents[parents[item]]
    for row in range(rows):
        for col in range(cols):
            if ids[row, col] >= 0:
                ids[row, col] = parents[ids[row, col]]
    return ids, number


@kernel
def _measure(classes, ids, count):
    rows, cols = ids.shape
    first = np.full(count, -1, np.int64)
    pixels = np.zeros(count, np.int64)
    perimeter = np.zeros(count, np.int64)
    for row in range(rows):
        for col in range(cols):
            item = ids[row, col]
            if item < 0:
                continue
            if first[item] < 0:
                first[item] = row * cols + col
            pixels[item] += 1
            code = classes[row + 1, col + 1]
            perimeter[item] += (
                (classes[row, col + 1] != code)
                + (classes[row + 2, col + 1] != code)
                + (classes[row + 1, col] != code)
                + (classes[row + 1, col + 2] != code)
            )
    return first, pixels, perimeter


@kernel
def united(count, pairs):
    """Group of each item after joining pairs of them: the smallest item of its group.

    Parameters
    ----------
    count : int
        Number of items.
    pairs : ndarray of int64, shape (n, 2)
        Items that are one.

    Returns
    -------
    ndarray of int64, shape (count,)
    """
    parents = np.arange(count)
    for index in range(len(pairs)):
        unite(parents, pairs[index, 0], pairs[index, 1])
    for item in range(count):
        parents[item] = _root(parents, item)
    return parents
