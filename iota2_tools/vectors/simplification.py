"""Simplification and smoothing of arcs, each by itself, so that no two of them can ever cross.

Corners are taken away one by one. Where `a`, `p`, `b` follow one another, taking `p` away moves the
arc over the triangle `a p b`. That is allowed if no corner of the map at which any arc turns or ends
lies in the closed triangle, but for corners that this arc has lost already. Other arcs keep some of
their corners and no other places, so none of them can reach into the triangle, in whatever order all
arcs are treated: it would have to end in it, or to leave it over the arc. So each arc depends on the
corners around it alone, not on how its neighbours came out, and squares of a map agree without a word.

One case is left: arcs between the same two nodes could both become the straight line. So an arc may
become straight only if that line is neither along rows nor along columns (where an arc may be straight
from the beginning), and if the last corner lay on its left. Of two such arcs the corners on one side
of the line would see one another.

Smoothing keeps each corner `p` within the triangle `a p b`, where nothing else turns or ends, and so
keeps arcs apart by the same argument. Hermite's cubic goes from the middle of `a p` to that of `p b`,
with the sides as its tangents: half of Bézier's points are the middles, the other two are the corner.
It does not go through the corners: such a curve leaves the triangle, on the side where a neighbour may
lie as near as one likes. A corner with something else in its triangle stays sharp.

The change of area of a component is bounded as well. Each arc may change that of both of its sides by
its share of the perimeter of what is allowed to them, and keeps to it, so that the sum keeps to the
whole. Arcs with nothing on one side stay as they are: the outline of the map, and its area.

References
----------
M. Visvalingam, J. D. Whyatt, Line generalisation by repeated elimination of points, 1993.
D. H. Douglas, T. K. Peucker, Algorithms for the reduction of the number of points, 1973.
G. M. Chaikin, An algorithm for high-speed curve generation, 1974.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from iota2_tools.core.kernels import kernel
from iota2_tools.vectors.arcs import Arcs

METHODS = ("visvalingam", "douglas_peucker")
SMOOTHINGS = ("none", "chaikin", "hermite")


@dataclass(frozen=True)
class Shape:
    """How arcs are simplified and smoothed.

    Parameters
    ----------
    method : {"visvalingam", "douglas_peucker"}
        By the area of triangles, or by distances.
    tolerance : float
        Sides of a pixel. Triangles smaller than its square are taken away, or corners nearer than
        it to the line between those kept; 0: none.
    area_limit : float
        Largest change of the area of a polygon, as a share of it.
    smoothing : {"none", "chaikin", "hermite"}
        What is done to the corners that stay.
    """

    method: str = "visvalingam"
    tolerance: float = 1.0
    area_limit: float = 0.1
    smoothing: str = "none"


class Patch(NamedTuple):
    """Corners of a part of the map at which arcs turn or end.

    Parameters
    ----------
    vertices : ndarray of uint8
        1 at such a corner, else 0 (`arcs.vertices`). Kernels mark in it and put it back.
    row, col : int
        Place of its first corner in the map.
    """

    vertices: np.ndarray
    row: int
    col: int


def budgets(arcs: Arcs, left: np.ndarray, right: np.ndarray, limit: float) -> np.ndarray:
    """Area that each arc may change on either side, pixels.

    Parameters
    ----------
    left, right : ndarray of float, shape (n, 2)
        Pixels and perimeter of the component on each side; NaN where there is none.
    limit : float
        Share of the area of a polygon that may change.

    Returns
    -------
    ndarray of float, shape (n,)
        0 for arcs with nothing on one side.
    """
    sides = [side[:, 0] * arcs.lengths / side[:, 1] for side in (left, right)]
    return np.nan_to_num(limit * np.minimum(*sides), nan=0.0)


class Simplified(NamedTuple):
    """Arcs after simplification: points in float64, where each arc begins."""

    points: np.ndarray
    offsets: np.ndarray


def simplified(arcs: Arcs, allowed: np.ndarray, patch: Patch, shape: Shape) -> Simplified:
    """Simplify and smooth arcs in canonical form.

    Parameters
    ----------
    allowed : ndarray of float, shape (n,)
        See `budgets`; where it is 0, arcs stay as they are.
    patch : Patch
        Holds every corner of the rectangles around the arcs.
    """
    by_area = shape.method == "visvalingam"
    kept, round_ = _simplify(
        arcs.points, arcs.offsets, allowed, patch.vertices,
        patch.row, patch.col, shape.tolerance, by_area, CUT.get(shape.smoothing, 0.0),
    )  # fmt: skip
    offsets = np.concatenate([[0], np.cumsum(kept)])[arcs.offsets]
    points = arcs.points[kept].astype(np.float64)
    if shape.smoothing == "none":
        return Simplified(points, offsets)
    sharp = ~round_[kept]
    if shape.smoothing == "hermite":
        return Simplified(*_curve_corners(points, offsets, sharp))
    for _ in range(ROUNDS):
        points, offsets, sharp = _cut_corners(points, offsets, sharp)
    return Simplified(points, offsets)


ROUNDS = 2
"""Times that corners are cut: each leaves twice as many, and half as sharp."""
STEPS = 4
"""Straight pieces that a curve is drawn in."""
CUT = {"chaikin": 1 / 4, "hermite": 17 / 512}
"""Share of the triangle of a corner that is counted as changed: a bound, and what the pieces leave out."""


@kernel
def _simplify(points, offsets, allowed, vertices, row, col, tolerance, by_area, cut):
    """Which points are kept, and which of them may be rounded."""
    longest = 0
    for arc in range(len(offsets) - 1):
        longest = max(longest, offsets[arc + 1] - offsets[arc])
    kept = np.ones(len(points), np.bool_)
    rounded = np.zeros(len(points), np.bool_)
    before = np.empty(longest, np.int64)
    after = np.empty(longest, np.int64)
    wanted = np.empty(longest, np.bool_)
    size = np.empty(3 * longest + 3, np.int64)
    place = np.empty(3 * longest + 3, np.int64)
    stack = np.empty((longest + 1, 2), np.int64)
    for arc in range(len(offsets) - 1):
        first, last = offsets[arc], offsets[arc + 1]
        count = last - first
        if allowed[arc] <= 0 or count < 3 or tolerance <= 0:
            continue
        xy = points[first:last].astype(np.int64)
        xy[:, 0] -= row
        xy[:, 1] -= col
        limit = np.int64(2**62)
        wanted[:count] = True
        if by_area:
            limit = np.int64(np.ceil(2 * tolerance * tolerance))  # of areas times two, integers
        else:
            _mark_far(xy, count, tolerance, wanted, stack)
        used = _take_away(
            xy, count, limit, 2 * allowed[arc], vertices, kept[first:last],
            before, after, wanted, size, place,
        )  # fmt: skip
        if cut > 0:
            _may_be_round(
                xy, count, 2 * allowed[arc], used, cut, vertices, after, rounded[first:last]
            )
        for index in range(1, count - 1):
            vertices[xy[index, 0], xy[index, 1]] = 1
    return kept, rounded


@kernel
def _mark_far(xy, count, tolerance, wanted, stack):
    """Douglas and Peucker: `wanted` becomes false for the corners that are to stay."""
    closed = xy[0, 0] == xy[count - 1, 0] and xy[0, 1] == xy[count - 1, 1]
    top = 0
    if closed:  # from the first corner to the farthest, and back
        farthest, most = 0, np.int64(-1)
        for index in range(1, count - 1):
            distance = (xy[index, 0] - xy[0, 0]) ** 2 + (xy[index, 1] - xy[0, 1]) ** 2
            if distance > most:
                farthest, most = index, distance
        wanted[farthest] = False
        stack[0] = (0, farthest)
        stack[1] = (farthest, count - 1)
        top = 2
    else:
        stack[0] = (0, count - 1)
        top = 1
    while top > 0:
        top -= 1
        begin, end = stack[top]
        dy, dx = xy[end, 0] - xy[begin, 0], xy[end, 1] - xy[begin, 1]
        length = dy * dy + dx * dx
        farthest, most = -1, 0.0
        for index in range(begin + 1, end):
            py, px = xy[index, 0] - xy[begin, 0], xy[index, 1] - xy[begin, 1]
            share = min(max((py * dy + px * dx) / length, 0.0), 1.0) if length else 0.0
            distance = (py - share * dy) ** 2 + (px - share * dx) ** 2
            if distance > most:
                farthest, most = index, distance
        if farthest >= 0 and most > tolerance * tolerance:
            wanted[farthest] = False
            stack[top] = (begin, farthest)
            stack[top + 1] = (farthest, end)
            top += 2


@kernel
def _twice_area(xy, a, p, b):
    """Twice the area of a triangle of corners; its sign tells on which side of a-b the corner p lies."""
    return (xy[p, 1] - xy[a, 1]) * (xy[b, 0] - xy[a, 0]) - (xy[p, 0] - xy[a, 0]) * (
        xy[b, 1] - xy[a, 1]
    )


@kernel
def _push(size, place, filled, value, index):
    """Put an item into a heap; the smallest area is on top, of equal ones the first corner."""
    item = filled
    while item > 0:
        parent = (item - 1) // 2
        if size[parent] < value or (size[parent] == value and place[parent] <= index):
            break
        size[item], place[item] = size[parent], place[parent]
        item = parent
    size[item], place[item] = value, index
    return filled + 1


@kernel
def _pop(size, place, filled):
    """Take the smallest item off a heap."""
    filled -= 1
    value, index = size[filled], place[filled]
    item = 0
    while True:
        child = 2 * item + 1
        if child >= filled:
            break
        right = child + 1
        if right < filled and (
            size[right] < size[child]
            or (size[right] == size[child] and place[right] < place[child])
        ):
            child = right
        if value < size[child] or (value == size[child] and index <= place[child]):
            break
        size[item], place[item] = size[child], place[child]
        item = child
    size[item], place[item] = value, index
    return filled


@kernel
def _take_away(
    xy, count, limit, allowed, vertices, kept, before, after, wanted, size, place
):  # fmt: skip
    """Take corners away while they are smaller than the limit; twice the area that has changed."""
    closed = xy[0, 0] == xy[count - 1, 0] and xy[0, 1] == xy[count - 1, 1]
    end = count - 1
    off_line = 0  # corners that keep the arc from being straight
    for index in range(count):
        before[index], after[index] = index - 1, index + 1
        if 0 < index < end and not closed and _twice_area(xy, 0, index, end) != 0:
            off_line += 1
    alive = count - 1
    changed = np.int64(0)
    filled = 0
    for index in range(1, end):
        value = abs(_twice_area(xy, index - 1, index, index + 1))
        if wanted[index] and value < limit:
            filled = _push(size, place, filled, value, index)
    while filled > 0:
        value, p = size[0], place[0]
        filled = _pop(size, place, filled)
        if not kept[p]:
            continue
        a, b = before[p], after[p]
        area = _twice_area(xy, a, p, b)
        if abs(area) != value:  # a neighbour has gone since
            continue
        if abs(changed + area) > allowed or (closed and alive <= 3):
            continue
        corner = 0 if closed else _twice_area(xy, 0, p, end)
        if corner != 0 and off_line == 1:
            along = xy[0, 0] == xy[end, 0] or xy[0, 1] == xy[end, 1]
            if along or corner < 0:
                continue
        if _holds_a_corner(xy, a, p, b, vertices):
            continue
        kept[p] = False
        vertices[xy[p, 0], xy[p, 1]] = 0
        changed += area
        alive -= 1
        off_line -= corner != 0
        after[a], before[b] = b, a
        for index in (a, b):
            if 0 < index < end and wanted[index]:
                new = abs(_twice_area(xy, before[index], index, after[index]))
                if new < limit:
                    filled = _push(size, place, filled, new, index)
    return abs(changed)


@kernel
def _holds_a_corner(xy, a, p, b, vertices):
    """Whether a closed triangle holds a corner that is marked, other than its own three."""
    top = min(xy[a, 0], xy[p, 0], xy[b, 0])
    bottom = max(xy[a, 0], xy[p, 0], xy[b, 0])
    for y in range(top, bottom + 1):
        low, high = np.int64(2**40), np.int64(-(2**40))
        for side in range(3):
            s, e = (a, p) if side == 0 else ((p, b) if side == 1 else (b, a))
            y0, y1, x0, x1 = xy[s, 0], xy[e, 0], xy[s, 1], xy[e, 1]
            if y0 > y1:
                y0, y1, x0, x1 = y1, y0, x1, x0
            if y < y0 or y > y1:
                continue
            if y0 == y1:
                low, high = min(low, x0, x1), max(high, x0, x1)
            else:
                product, rise = (x1 - x0) * (y - y0), y1 - y0
                low = min(low, x0 - (-product // rise))
                high = max(high, x0 + product // rise)
        for x in range(low, high + 1):
            if vertices[y, x]:
                own = False
                for corner in (a, p, b):
                    own |= xy[corner, 0] == y and xy[corner, 1] == x
                if not own:
                    return True
    return False


@kernel
def _may_be_round(xy, count, allowed, used, cut, vertices, after, rounded):
    """Mark the corners that can be cut: inside their triangle nothing else turns or ends.

    A share of the triangle, `cut`, counts as changed, on whichever side.
    """
    a, p = 0, after[0]
    spent = float(used)
    while p < count - 1:
        b = after[p]
        share = abs(_twice_area(xy, a, p, b)) * cut
        if spent + share <= allowed and not _holds_a_corner(xy, a, p, b, vertices):
            rounded[p] = True
            spent += share
        a, p = p, b


@kernel
def _cut_corners(points, offsets, sharp):
    """Replace each corner that is not sharp by two, a quarter of the way to its neighbours."""
    longest = len(points) + np.sum(~sharp)
    new = np.empty((longest, 2), np.float64)
    new_sharp = np.zeros(longest, np.bool_)
    new_offsets = np.zeros(len(offsets), np.int64)
    count = 0
    for arc in range(len(offsets) - 1):
        for index in range(offsets[arc], offsets[arc + 1]):
            if sharp[index]:
                new[count] = points[index]
                new_sharp[count] = True
                count += 1
                continue
            for other in (index - 1, index + 1):
                new[count] = points[index] + (points[other] - points[index]) / 4
                count += 1
        new_offsets[arc + 1] = count
    return new[:count], new_offsets, new_sharp[:count]


@kernel
def _curve_corners(points, offsets, sharp):
    """Replace each corner that is not sharp by Hermite's cubic between the middles of its sides.

    All coordinates are whole numbers of 128ths, so that the points are exact.
    """
    longest = len(points) + (STEPS + 1) * np.sum(~sharp)
    new = np.empty((longest, 2), np.float64)
    new_offsets = np.zeros(len(offsets), np.int64)
    count = 0
    for arc in range(len(offsets) - 1):
        for index in range(offsets[arc], offsets[arc + 1]):
            if sharp[index]:
                new[count] = points[index]
                count += 1
                continue
            begin = 0 if sharp[index - 1] else 1  # the curve before has ended in this middle
            for step in range(begin, STEPS + 1):
                t = step / STEPS
                for axis in range(2):
                    corner = points[index, axis]
                    to_begin = (points[index - 1, axis] - corner) / 2
                    to_end = (points[index + 1, axis] - corner) / 2
                    new[count, axis] = corner + (1 - t) ** 3 * to_begin + t**3 * to_end
                count += 1
        new_offsets[arc + 1] = count
    return new[:count], new_offsets
