"""Polygons from arcs: rings put together from their arcs, shells before holes.

A 4-connected component has one shell. Where it touches itself in a corner, the ring takes the turn
that leaves the touching point outside: a hole then touches the shell in a point, which is valid.
"""

from dataclasses import dataclass

import numpy as np
import shapely

from iota2_tools.core.kernels import kernel
from iota2_tools.geo.grid import Grid
from iota2_tools.vectors.arcs import Arcs
from iota2_tools.vectors.simplification import Simplified


@dataclass(frozen=True)
class Edges:
    """Arcs as polygons are built from them.

    Parameters
    ----------
    points : ndarray of float64, shape (n_points, 2)
        (row, column) of one arc after the other.
    offsets : ndarray of int64, shape (n + 1,)
        Where the points of each arc begin.
    left, right : ndarray of int64, shape (n,)
        Component on each side; negative for none.
    begins, ends : ndarray of int64, shape (n,)
        Numbers of the corners at both ends, in the order of rows, then columns.
    first, last : ndarray of uint8, shape (n,)
        Directions of the first and the last crack, before simplification.
    """

    points: np.ndarray
    offsets: np.ndarray
    left: np.ndarray
    right: np.ndarray
    begins: np.ndarray
    ends: np.ndarray
    first: np.ndarray
    last: np.ndarray

    @classmethod
    def of(cls, arcs: Arcs, shape: Simplified) -> "Edges":
        """From arcs in canonical form and what was made of their points."""
        firsts, lasts = arcs.firsts, arcs.lasts
        return cls(
            shape.points,
            shape.offsets,
            arcs.left,
            arcs.right,
            corner_numbers(firsts),
            corner_numbers(lasts),
            _directions(firsts, arcs.points[arcs.offsets[:-1] + 1]),
            _directions(arcs.points[arcs.offsets[1:] - 2], lasts),
        )

    def chosen(self, mask: np.ndarray) -> "Edges":
        """Some of them."""
        lengths = np.diff(self.offsets)
        return Edges(
            self.points[np.repeat(mask, lengths)],
            np.concatenate([[0], np.cumsum(lengths[mask])]),
            *(
                getattr(self, name)[mask]
                for name in ("left", "right", "begins", "ends", "first", "last")
            ),
        )


def all_edges(parts: list[Edges]) -> Edges:
    """Arcs of several sources as one."""
    begins = np.cumsum([0, *(len(part.points) for part in parts)])
    offsets = [part.offsets[:-1] + begin for part, begin in zip(parts, begins[:-1], strict=True)]
    return Edges(
        np.concatenate([part.points for part in parts]),
        np.concatenate([*offsets, begins[-1:]]),
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("left", "right", "begins", "ends", "first", "last")
        ),
    )


def corner_numbers(corners: np.ndarray) -> np.ndarray:
    """One number for each corner, in the order of rows, then columns."""
    return corners[:, 0].astype(np.int64) << 32 | corners[:, 1].astype(np.int64)


def _directions(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Directions of cracks (`arcs.EAST`, …) that lead from a corner to another."""
    step = np.sign(end.astype(np.int64) - start)
    return np.where(step[:, 0] == 0, 1 - step[:, 1], 2 - step[:, 0]).astype(np.uint8)


def polygons(edges: Edges, wanted: np.ndarray, grid: Grid) -> np.ndarray:
    """Polygons of components, in the coordinates of a map.

    Parameters
    ----------
    edges : Edges
        Among them all arcs of the components wanted.
    wanted : ndarray of int64, shape (n,)
        Components, in increasing order.
    grid : Grid
        Of the map.

    Returns
    -------
    ndarray of Polygon, shape (n,)
        Shell anticlockwise, from its northernmost, of these westernmost, node; holes in the order
        of theirs.
    """
    if len(wanted) == 0:
        return np.empty(0, object)
    components = np.concatenate([edges.left, edges.right])
    places = np.searchsorted(wanted, components)
    inside = (places < len(wanted)) & (wanted[np.minimum(places, len(wanted) - 1)] == components)
    half = np.flatnonzero(inside)
    count = len(edges.left)
    forth = half < count
    arc = np.where(forth, half, half - count)
    begin = np.where(forth, edges.begins[arc], edges.ends[arc])
    end = np.where(forth, edges.ends[arc], edges.begins[arc])
    leaves = np.where(forth, edges.first[arc], edges.last[arc] ^ 2)
    arrives = np.where(forth, edges.last[arc], edges.first[arc] ^ 2)
    order = np.lexsort([leaves, begin, places[half]])
    coords, rings, owners = _rings(
        edges.points, edges.offsets, arc[order], forth[order], places[half][order],
        begin[order], end[order], leaves[order], arrives[order],
    )  # fmt: skip
    xy = np.empty_like(coords)
    xy[:, 0] = grid.left + coords[:, 1] * grid.resolution
    xy[:, 1] = grid.top - coords[:, 0] * grid.resolution
    of_polygon = np.searchsorted(owners, np.arange(len(wanted) + 1))
    return shapely.from_ragged_array(shapely.GeometryType.POLYGON, xy, (rings, of_polygon))


@kernel
def _rings(points, offsets, arc, forth, owner, begin, end, leaves, arrives):
    """Rings of components, from their halves of arcs in order of component and first corner."""
    count = len(arc)
    done = np.zeros(count, np.bool_)
    total = 0
    for half in range(count):
        total += offsets[arc[half] + 1] - offsets[arc[half]]
    coords = np.empty((total + count, 2), np.float64)
    rings = np.zeros(count + 1, np.int64)
    owners = np.empty(count, np.int64)
    n_rings = 0
    n_points = 0
    for start in range(count):
        if done[start]:
            continue
        ring = n_points
        half = start
        while True:
            done[half] = True
            n_points = _add(points, offsets, arc[half], forth[half], coords, n_points)
            following = _following(owner, begin, leaves, owner[half], end[half], arrives[half])
            if following == start:
                break
            half = following
        coords[n_points] = coords[ring]
        n_points += 1
        owners[n_rings] = owner[start]
        n_rings += 1
        rings[n_rings] = n_points
        if n_rings > 1 and owners[n_rings - 2] == owner[start]:
            _shell_first(coords, rings, owners, n_rings)
    return coords[:n_points], rings[: n_rings + 1], owners[:n_rings]


@kernel
def _add(points, offsets, arc, forth, coords, count):
    """Points of an arc but the last, in its direction."""
    first, last = offsets[arc], offsets[arc + 1] - 1
    for step in range(last - first):
        place = first + step if forth else last - step
        coords[count, 0] = points[place, 0]
        coords[count, 1] = points[place, 1]
        count += 1
    return count


@kernel
def _following(owner, begin, leaves, component, corner, arrived):
    """Half of an arc of a component that goes on from a corner; of two, the right turn."""
    low, high = 0, len(owner)
    while low < high:
        middle = (low + high) // 2
        if owner[middle] < component or (owner[middle] == component and begin[middle] < corner):
            low = middle + 1
        else:
            high = middle
    second = low + 1
    if second < len(owner) and owner[second] == component and begin[second] == corner:
        return low if leaves[low] == (arrived + 1) % 4 else second
    return low


@kernel
def _shell_first(coords, rings, owners, n_rings):
    """Put the last ring before the others of its component if it is the shell."""
    first, last = rings[n_rings - 1], rings[n_rings]
    area = 0.0
    for place in range(first, last - 1):  # anticlockwise on the screen: negative with rows down
        area += coords[place, 1] * coords[place + 1, 0] - coords[place + 1, 1] * coords[place, 0]
    if area > 0:
        return
    ring = n_rings - 1
    while ring > 0 and owners[ring - 1] == owners[n_rings - 1]:
        ring -= 1
    begin = rings[ring]
    shell = coords[first:last].copy()
    for place in range(first - 1, begin - 1, -1):
        coords[place + last - first] = coords[place]
    coords[begin : begin + last - first] = shell
    for other in range(n_rings - 1, ring, -1):
        rings[other] = rings[other - 1] + last - first
