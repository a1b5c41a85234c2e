"""Arcs of a class map: each boundary between two components once, along the sides of the pixels.

A *crack* is the side between two pixels of different class. A *node* is a corner of pixels where
three or four cracks meet. An *arc* leads along cracks from node to node, or is a ring without node,
and keeps the corners where it turns. Corners are (row, column), counted from the top left one of the
map. Seen along the arc, one component lies on its left and one on its right, on a screen with the
first row at the top.

In a map cut into squares each crack belongs to the square below, or to the right of it. An arc that
leaves its square ends there as a *piece*; pieces are glued where they meet (`glued`). In canonical
form (`canonical`) an arc is the same whatever the squares were.
"""

from dataclasses import dataclass

import numpy as np

from iota2_tools.core.kernels import kernel

EAST, SOUTH, WEST, NORTH = 0, 1, 2, 3
"""Directions of a crack, clockwise on the screen."""
NO_NODE, NODE, CUT = 0, 1, 2
"""What an end of an arc is: the start of a ring without node, a node, a corner where a square ends."""


@dataclass(frozen=True)
class Arcs:
    """Arcs, or pieces of them.

    Parameters
    ----------
    points : ndarray of int32, shape (n_points, 2)
        Corners, (row, column), of one arc after the other; a ring repeats its first corner.
    offsets : ndarray of int64, shape (n + 1,)
        Where the points of each arc begin.
    left, right : ndarray of int64, shape (n,)
        Component on each side. Of a square: see `traced`.
    ends : ndarray of uint8, shape (n, 2)
        What both ends are: NO_NODE, NODE or CUT.
    """

    points: np.ndarray
    offsets: np.ndarray
    left: np.ndarray
    right: np.ndarray
    ends: np.ndarray

    def __len__(self) -> int:
        return len(self.left)

    def chosen(self, mask: np.ndarray) -> "Arcs":
        """Some of the arcs."""
        lengths = np.diff(self.offsets)
        points = self.points[np.repeat(mask, lengths)]
        offsets = np.concatenate([[0], np.cumsum(lengths[mask])])
        return Arcs(points, offsets, self.left[mask], self.right[mask], self.ends[mask])

    def ordered(self, order: np.ndarray) -> "Arcs":
        """The arcs in another order."""
        lengths = np.diff(self.offsets)[order]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        begins = np.repeat(self.offsets[:-1][order] - offsets[:-1], lengths)
        points = self.points[begins + np.arange(offsets[-1])]
        return Arcs(points, offsets, self.left[order], self.right[order], self.ends[order])

    def between(self, begin: int, end: int) -> "Arcs":
        """Arcs that follow one another, without a copy of their points."""
        offsets = self.offsets[begin : end + 1]
        some = slice(begin, end)
        points = self.points[offsets[0] : offsets[-1]]
        return Arcs(
            points, offsets - offsets[0], self.left[some], self.right[some], self.ends[some]
        )

    @property
    def cut(self) -> np.ndarray:
        """Whether each is a piece."""
        return (self.ends == CUT).any(axis=1)

    @property
    def firsts(self) -> np.ndarray:
        """First corner of each, shape (n, 2)."""
        return self.points[self.offsets[:-1]]

    @property
    def lasts(self) -> np.ndarray:
        """Last corner of each, shape (n, 2)."""
        return self.points[self.offsets[1:] - 1]

    @property
    def lengths(self) -> np.ndarray:
        """Cracks of each; right for arcs that are not simplified."""
        steps = np.abs(np.diff(self.points.astype(np.int64), axis=0)).sum(axis=1)
        total = np.concatenate([[0], np.cumsum(steps)])
        return total[self.offsets[1:] - 1] - total[self.offsets[:-1]]


def together(parts: list[Arcs]) -> Arcs:
    """Arcs of several sources as one."""
    begins = np.cumsum([0, *(len(part.points) for part in parts)])
    offsets = [
        part.offsets[:-1] + begin for part, begin in zip(parts, begins[:-1], strict=True)
    ] + [begins[-1:]]
    return Arcs(
        np.concatenate([part.points for part in parts]),
        np.concatenate(offsets),
        np.concatenate([part.left for part in parts]),
        np.concatenate([part.right for part in parts]),
        np.concatenate([part.ends for part in parts]),
    )


def no_arcs() -> Arcs:
    """No arc at all."""
    empty = np.empty(0, np.int64)
    return Arcs(
        np.empty((0, 2), np.int32), np.zeros(1, np.int64), empty, empty, np.empty((0, 2), np.uint8)
    )


def traced(
    classes: np.ndarray, ids: np.ndarray, corner: tuple[int, int], last: tuple[bool, bool]
) -> Arcs:
    """Arcs and pieces of the cracks of a square.

    Parameters
    ----------
    classes : ndarray of uint8 or uint16, shape (rows + 2, cols + 2)
        Class codes with a margin of one pixel; 0: no class, or outside the map.
    ids : ndarray of int32, shape (rows, cols)
        Components of the square (`components.label`).
    corner : tuple of int
        Row and column of its first pixel in the map.
    last : tuple of bool
        Whether it is in the last row, and in the last column of squares.

    Returns
    -------
    Arcs
        `left` and `right` are components of the square; OUTSIDE (-1); or -2 - k for pixel k of what
        lies around it: first the row above, then the column to the left.
    """
    bits, turns, ends = _cracks(classes, *last)
    points, offsets, left, right, kinds = _trace(classes, bits, turns, ends, ids)
    points = points + np.array(corner, np.int32)
    return Arcs(points, offsets, left, right, kinds)


def vertices(classes: np.ndarray) -> np.ndarray:
    """Corners where an arc turns or ends.

    Parameters
    ----------
    classes : ndarray, shape (rows + 2, cols + 2)
        Class codes with a margin of one pixel.

    Returns
    -------
    ndarray of uint8, shape (rows + 1, cols + 1)
        1 at such a corner, else 0.
    """
    return _vertices(classes)


@kernel
def _vertices(classes):
    rows, cols = classes.shape[0] - 1, classes.shape[1] - 1
    found = np.zeros((rows, cols), np.uint8)
    for row in range(rows):
        for col in range(cols):
            nw, ne = classes[row, col], classes[row, col + 1]
            sw, se = classes[row + 1, col], classes[row + 1, col + 1]
            # A corner without vertex has no crack, or a straight line of two.
            if not ((nw == ne and sw == se) or (nw == sw and ne == se)):
                found[row, col] = 1
    return found


@kernel
def _cracks(classes, last_row, last_col):
    """Cracks of a square that leave each corner (bits 1, 2, 4, 8: east, south, west, north).

    Bit 16: an arc ends here, at a node (bit 32 too) or because it leaves the square; bit 64: it turns.
    Also the number of turns, and of ends.
    """
    rows, cols = classes.shape[0] - 2, classes.shape[1] - 2
    bits = np.zeros((rows + 1, cols + 1), np.uint8)
    turns = 0
    ends = 0
    for row in range(rows + 1):
        own_row = row < rows or last_row
        for col in range(cols + 1):
            nw, ne = classes[row, col], classes[row, col + 1]
            sw, se = classes[row + 1, col], classes[row + 1, col + 1]
            if nw == ne and ne == sw and sw == se:
                continue
            own_col = col < cols or last_col
            east, south, west, north = ne != se, sw != se, nw != sw, nw != ne
            degree = int(east) + int(south) + int(west) + int(north)
            value = 0
            owned = 0
            if east and own_row and col < cols:
                value |= 1
                owned += 1
            if south and own_col and row < rows:
                value |= 2
                owned += 1
            if west and own_row and col > 0:
                value |= 4
                owned += 1
            if north and own_col and row > 0:
                value |= 8
                owned += 1
            if owned == 0:
                continue
            if degree > 2 or owned < degree:
                value |= 16
                ends += owned
                if degree > 2:
                    value |= 32
            elif east != west:
                value |= 64
                turns += 1
            bits[row, col] = value
    return bits, turns, ends


@kernel
def _trace(classes, bits, turns, ends, ids):
    most = turns + ends + turns // 4 + 4
    points = np.empty((most, 2), np.int32)
    arcs = ends // 2 + turns // 4 + 1
    offsets = np.zeros(arcs + 1, np.int64)
    left = np.empty(arcs, np.int64)
    right = np.empty(arcs, np.int64)
    kinds = np.empty((arcs, 2), np.uint8)
    rows, cols = bits.shape
    n_arcs = 0
    n_points = 0
    for sweep in range(2):  # from the breaks, then the rings that are left
        for row in range(rows):
            for col in range(cols):
                value = bits[row, col]
                if sweep == 0 and not value & 16:
                    continue
                if sweep == 1 and not (value & 15 and value & 64):
                    continue
                for direction in range(4):
                    if not bits[row, col] >> direction & 1:
                        continue
                    left[n_arcs] = _beside(classes, ids, row, col, direction, 0)
                    right[n_arcs] = _beside(classes, ids, row, col, direction, 1)
                    kinds[n_arcs, 0] = _kind(bits[row, col])
                    y, x, way = row, col, direction
                    points[n_points, 0] = y
                    points[n_points, 1] = x
                    n_points += 1
                    while True:
                        bits[y, x] &= ~(1 << way) & 255
                        if way == 0:
                            x += 1
                        elif way == 1:
                            y += 1
                        elif way == 2:
                            x -= 1
                        else:
                            y -= 1
                        bits[y, x] &= ~(1 << (way ^ 2)) & 255
                        value = bits[y, x]
                        if value & 80 or (y == row and x == col):
                            points[n_points, 0] = y
                            points[n_points, 1] = x
                            n_points += 1
                        if value & 16 or (y == row and x == col):
                            break
                        for other in range(4):
                            if value >> other & 1:
                                way = other
                    kinds[n_arcs, 1] = _kind(bits[y, x])
                    n_arcs += 1
                    offsets[n_arcs] = n_points
    return (
        points[:n_points], offsets[: n_arcs + 1], left[:n_arcs], right[:n_arcs], kinds[:n_arcs]
    )  # fmt: skip


@kernel
def _kind(value):
    """What a corner is as an end of an arc."""
    if value & 32:
        return 1
    return 2 if value & 16 else 0


@kernel
def _beside(classes, ids, row, col, direction, side):
    """Component left (0) or right (1) of the crack that leaves a corner in a direction."""
    # Rows and columns of the pixels around the corner: above or left of it is one less.
    above = (direction == 0 and side == 0) or (direction == 2 and side == 1) or direction == 3
    before = (direction == 1 and side == 1) or direction == 2 or (direction == 3 and side == 0)
    y = row - 1 if above else row
    x = col - 1 if before else col
    if classes[y + 1, x + 1] == 0:
        return np.int64(-1)
    rows, cols = ids.shape
    if 0 <= y < rows and 0 <= x < cols:
        return np.int64(ids[y, x])
    return np.int64(-2 - x) if y < 0 else np.int64(-2 - cols - y)


def glued(pieces: Arcs) -> Arcs:
    """Pieces put together where two of them meet at a corner that is no node.

    Components must be those of the map by now. A corner in the middle of a straight line is left out.
    """
    keys = _keys(np.concatenate([pieces.firsts, pieces.lasts]))
    cut = (pieces.ends == CUT).T.ravel()
    where = np.flatnonzero(cut)
    order = where[np.argsort(keys[where], kind="stable")]
    partner = np.full(len(keys), -1, np.int64)
    partner[order[0::2]], partner[order[1::2]] = order[1::2], order[0::2]
    return Arcs(*_glue(
        pieces.points, pieces.offsets, pieces.left, pieces.right, pieces.ends, partner
    ))  # fmt: skip


def _keys(corners: np.ndarray) -> np.ndarray:
    """One number for each corner, in the order of rows, then columns."""
    return corners[:, 0].astype(np.int64) << 32 | corners[:, 1].astype(np.int64)


@kernel
def _glue(points, offsets, left, right, ends, partner):
    count = len(left)
    done = np.zeros(count, np.bool_)
    new_points = np.empty((len(points), 2), np.int32)
    new_offsets = np.zeros(count + 1, np.int64)
    new_left = np.empty(count, np.int64)
    new_right = np.empty(count, np.int64)
    new_ends = np.empty((count, 2), np.uint8)
    n_arcs = 0
    n_points = 0
    for sweep in range(2):  # chains that begin at a node or a ring's start, then closed chains
        for piece in range(count):
            for side in range(2):
                if done[piece] or (sweep == 0 and partner[piece + side * count] >= 0):
                    continue
                begin = n_points
                current, entered = piece, side  # entered at its first (0) or last (1) corner
                new_left[n_arcs] = left[piece] if side == 0 else right[piece]
                new_right[n_arcs] = right[piece] if side == 0 else left[piece]
                new_ends[n_arcs, 0] = ends[piece, side] if sweep == 0 else 0
                while True:
                    done[current] = True
                    first, last = offsets[current], offsets[current + 1]
                    for step in range(last - first):
                        place = first + step if entered == 0 else last - 1 - step
                        y, x = points[place, 0], points[place, 1]
                        if n_points > begin and step == 0:
                            n_points -= 1  # the corner where both meet, put again
                        if n_points >= begin + 2 and _straight(new_points, n_points, y, x):
                            n_points -= 1
                        new_points[n_points, 0] = y
                        new_points[n_points, 1] = x
                        n_points += 1
                    out = current + (1 - entered) * count
                    following = partner[out]
                    if following < 0:
                        new_ends[n_arcs, 1] = ends[current, 1 - entered]
                        break
                    current, entered = following % count, following // count
                    if done[current]:
                        new_ends[n_arcs, 1] = 0
                        # The start of a closed chain may lie on a straight line.
                        if _on_line(
                            new_points[n_points - 2], new_points[begin], new_points[begin + 1]
                        ):
                            for place in range(begin, n_points - 1):
                                new_points[place] = new_points[place + 1]
                            n_points -= 1
                            new_points[n_points - 1] = new_points[begin]
                        break
                n_arcs += 1
                new_offsets[n_arcs] = n_points
    return (
        new_points[:n_points], new_offsets[: n_arcs + 1], new_left[:n_arcs], new_right[:n_arcs],
        new_ends[:n_arcs],
    )  # fmt: skip


@kernel
def _straight(points, count, y, x):
    """Whether the last of some points lies on the line to another one."""
    return _on_line(points[count - 2], points[count - 1], (y, x))


@kernel
def _on_line(first, second, third):
    return (first[0] == second[0] == third[0]) or (first[1] == second[1] == third[1])


def canonical(arcs: Arcs) -> Arcs:
    """The same arcs in the one form and order that depends on the map alone.

    An arc begins at the end with the smaller (row, column); one that comes back to its node, at the
    side of the smaller neighbour. A ring without node begins at its smallest corner and goes to the
    smaller neighbour. Arcs are in the order of their first corners and directions.
    """
    points, left, right, ends = (
        arcs.points.copy(), arcs.left.copy(), arcs.right.copy(), arcs.ends.copy()
    )  # fmt: skip
    _turn(points, arcs.offsets, left, right, ends)
    firsts = points[arcs.offsets[:-1]]
    seconds = points[arcs.offsets[:-1] + 1]
    order = np.lexsort([seconds[:, 1], seconds[:, 0], firsts[:, 1], firsts[:, 0]])
    return Arcs(points, arcs.offsets, left, right, ends).ordered(order)


@kernel
def _turn(points, offsets, left, right, ends):
    for arc in range(len(left)):
        first, last = offsets[arc], offsets[arc + 1] - 1
        if ends[arc, 0] == 0:
            _begin_at_smallest(points, first, last)
        closed = _before(points, first, last) == 0
        back = _before(points, last - 1, first + 1) if closed else _before(points, last, first)
        if back == 1:
            half = (last - first + 1) // 2
            for step in range(half):
                for axis in range(2):
                    kept = points[first + step, axis]
                    points[first + step, axis] = points[last - step, axis]
                    points[last - step, axis] = kept
            left[arc], right[arc] = right[arc], left[arc]
            ends[arc, 0], ends[arc, 1] = ends[arc, 1], ends[arc, 0]


@kernel
def _before(points, one, other):
    """1 if a point comes before another in (row, column), 0 if both are the same, else -1."""
    for axis in range(2):
        if points[one, axis] != points[other, axis]:
            return 1 if points[one, axis] < points[other, axis] else -1
    return 0


@kernel
def _begin_at_smallest(points, first, last):
    smallest = first
    for place in range(first, last):
        if _before(points, place, smallest) == 1:
            smallest = place
    if smallest == first:
        return
    count = last - first
    ring = points[first:last].copy()
    for step in range(count):
        points[first + step] = ring[(smallest - first + step) % count]
    points[last] = points[first]
