"""The sieve: areas of a class map that are too small take the class of a neighbour.

A component is a set of pixels of one class that touch one another. Those smaller than a threshold
are merged with the largest component beside them. GDAL's rule asks for the size of the whole
neighbour: a field that leaves a window decides otherwise in the window than in the map, so windows
never agree. The capped rule compares sizes up to a cap alone, and then the codes of the classes:
what lies farther away than the cap cannot decide.

Windows of the map then give what the whole gives as long as the margin around them holds each
chain of small components that begins in them.
"""

from dataclasses import dataclass

import numpy as np

from iota2_tools.core.kernels import kernel
from iota2_tools.vectors.components import unite

LARGEST_CODE = 65535
"""Of a class (`nomenclature.LARGEST_CODE`)."""


@dataclass(frozen=True)
class Sieve:
    """How small components are merged.

    Parameters
    ----------
    threshold : int
        Pixels of the smallest component that stays.
    cap : int
        Sizes of neighbours are compared up to so many pixels, then their codes: of equals the
        smaller one. 0: GDAL's rule, sizes alone; of equals the one met first, row by row.
    """

    threshold: int
    cap: int


def sieve(
    classes: np.ndarray,
    rule: Sieve,
    connectivity: int,
    groups: np.ndarray | None = None,
    buffer: np.ndarray | None = None,
) -> None:
    """Merge the small components of a class map, in place.

    Each pixel's component is compared with those of the pixels above, above left, above right (with
    8-connectivity) and left, in this order, row by row. A small component keeps of its neighbours the
    first of the largest, follows it, and that one's, until one is large enough, and takes its class.
    If it comes back to where it was, or has no neighbour, it keeps its own.

    Parameters
    ----------
    classes : ndarray of uint8 or uint16, shape (rows, cols)
        Class codes; 0 is no class: no component and no neighbour. Fewer than 2**31 pixels.
    rule : Sieve
        What is small, and which neighbour is the largest.
    connectivity : {4, 8}
        Whether pixels touch by their corners as well.
    groups : ndarray of int, optional
        Group of each code; only neighbours of the same group are seen. As long as the largest code
        and one more.
    buffer : ndarray of int32, at least rows * cols, optional
        Memory to work in, for calls that follow one another.

    References
    ----------
    With cap 0 and no groups the result is that of GDAL's SieveFilter with the mask `classes != 0`.
    """
    if not classes.size:
        return
    eight = connectivity == 8
    if buffer is None:
        buffer = np.empty(classes.size, dtype=np.int32)
    labels = buffer[: classes.size].reshape(classes.shape)
    _join(classes, eight, labels)
    sizes, codes = _number(classes, labels)
    if sizes.size == 0 or sizes.min() >= rule.threshold:
        return
    table = np.zeros(LARGEST_CODE + 1, dtype=np.uint16) if groups is None else groups
    keeps = _largest_neighbours(
        classes, labels, sizes, codes, eight, rule.threshold, rule.cap, table
    )
    _follow(keeps, sizes, rule.threshold)
    _take_classes(classes, labels, keeps, codes)


@kernel
def _join(classes, eight, labels):
    """Link each pixel to an earlier one of its component, -1 where there is no class.

    What touches the same earlier pixel is linked already, so at most two links are made a pixel.
    """
    rows, cols = classes.shape
    parents = labels.reshape(-1)
    for row in range(rows):
        for col in range(cols):
            code = classes[row, col]
            here = row * cols + col
            if code == 0:
                parents[here] = -1
                continue
            up = row > 0 and classes[row - 1, col] == code
            left = col > 0 and classes[row, col - 1] == code
            up_left = row > 0 and col > 0 and classes[row - 1, col - 1] == code
            if not eight:
                if left:
                    parents[here] = parents[here - 1]
                    if up and not up_left:
                        unite(parents, here - 1, here - cols)
                elif up:
                    parents[here] = parents[here - cols]
                else:
                    parents[here] = here
                continue
            up_right = row > 0 and col + 1 < cols and classes[row - 1, col + 1] == code
            if up:
                parents[here] = parents[here - cols]
            elif left or up_left:
                beside = here - 1 if left else here - cols - 1
                parents[here] = parents[beside]
                if up_right:
                    unite(parents, beside, here - cols + 1)
            elif up_right:
                parents[here] = parents[here - cols + 1]
            else:
                parents[here] = here


@kernel
def _number(classes, labels):
    """Number the components from 0, in the order of their first pixels.

    Returns
    -------
    sizes : ndarray of int32, shape (components,)
        Pixels of each.
    codes : ndarray, shape (components,)
        Its class.
    """
    parents, values = labels.reshape(-1), classes.reshape(-1)
    count = 0
    for pixel in range(parents.size):
        if parents[pixel] == pixel:
            count += 1
    sizes = np.zeros(count, dtype=np.int32)
    codes = np.empty(count, dtype=classes.dtype)
    count = 0
    for pixel in range(parents.size):
        parent = parents[pixel]
        if parent < 0:
            continue
        if parent == pixel:
            number = count
            codes[number] = values[pixel]
            count += 1
        else:  # an earlier pixel, which holds its number already
            number = parents[parent]
        parents[pixel] = number
        sizes[number] += 1
    return sizes, codes


@kernel
def _rank(size, code, cap):
    """What neighbours are compared by: the larger one is the greater."""
    if cap == 0:
        return np.int64(size)
    return np.int64(min(size, cap)) * (LARGEST_CODE + 1) + (LARGEST_CODE - np.int64(code))


@kernel
def _largest_neighbours(classes, labels, sizes, codes, eight, threshold, cap, groups):
    """Largest neighbour of each small component, int32; -1 where there is none, and for the others."""
    rows, cols = classes.shape
    keeps = np.full(sizes.size, -1, dtype=np.int32)
    steps = ((-1, 0), (-1, -1), (-1, 1), (0, -1))
    for row in range(rows):
        for col in range(cols):
            code = classes[row, col]
            if code == 0:
                continue
            for number in range(4):
                if not eight and (number == 1 or number == 2):
                    continue
                other_row, other_col = row + steps[number][0], col + steps[number][1]
                if other_row < 0 or other_col < 0 or other_col >= cols:
                    continue
                other_code = classes[other_row, other_col]
                if other_code == code or other_code == 0 or groups[other_code] != groups[code]:
                    continue
                one, other = labels[row, col], labels[other_row, other_col]
                if sizes[one] < threshold:
                    kept = keeps[one]
                    if kept < 0 or _rank(sizes[other], other_code, cap) > _rank(
                        sizes[kept], codes[kept], cap
                    ):
                        keeps[one] = other
                if sizes[other] < threshold:
                    kept = keeps[other]
                    if kept < 0 or _rank(sizes[one], code, cap) > _rank(
                        sizes[kept], codes[kept], cap
                    ):
                        keeps[other] = one
    return keeps


@kernel
def _follow(keeps, sizes, threshold):
    """Turn the largest neighbour of each component into the large one its way leads to, or -1.

    A way is walked once: later ones that come upon it take its end.
    """
    walked = np.full(keeps.size, -1, dtype=np.int32)
    for start in range(keeps.size):
        if keeps[start] < 0:
            continue
        place, end = start, -1
        while True:
            if sizes[place] >= threshold:
                end = place
                break
            if keeps[place] < 0 or walked[place] == start:
                break
            walked[place] = start
            place = keeps[place]
        place = start
        while walked[place] == start:
            following = keeps[place]
            walked[place], keeps[place] = -1, end
            place = following


@kernel
def _take_classes(classes, labels, ends, codes):
    """Give each pixel the class that the way of its component ends at."""
    rows, cols = classes.shape
    for row in range(rows):
        for col in range(cols):
            number = labels[row, col]
            if number >= 0 and ends[number] >= 0:
                classes[row, col] = codes[ends[number]]
