"""Squares of a map joined: parts of one component, pieces of one arc.

This is the one job that sees the whole map, and it reads border rows, the parts that touch them and
the arcs that leave their square.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from iota2_tools.core.files import whole_folder
from iota2_tools.geo.squares import Square, name_of
from iota2_tools.vectors.arcs import Arcs, canonical, glued, no_arcs, together
from iota2_tools.vectors.components import united
from iota2_tools.vectors.tracing import ARC_FIELDS, BORDERS, Around, arc_members, read_arcs, save


@dataclass(frozen=True)
class Joined:
    """Components that touch the border of a square.

    Parameters
    ----------
    parts : ndarray of int64, shape (n,)
        Numbers of their parts, increasing.
    wholes : ndarray of int64, shape (n,)
        Component that each part belongs to: the smallest number of its parts.
    sizes : ndarray of int64, shape (n, 2)
        Pixels and perimeter of that component.
    codes : ndarray, shape (n,)
        Class of that component.
    last_rows : ndarray of int64, shape (n,)
        Last row of squares that has a part of that component.
    """

    parts: np.ndarray
    wholes: np.ndarray
    sizes: np.ndarray
    codes: np.ndarray
    last_rows: np.ndarray

    def places(self, numbers: np.ndarray) -> np.ndarray:
        """Where parts stand here, -1 for those that touch no border."""
        places = np.searchsorted(self.parts, numbers)
        found = np.minimum(places, max(len(self.parts) - 1, 0))
        inside = (self.parts[found] == numbers) if len(self.parts) else np.zeros(len(numbers), bool)
        return np.where(inside, found, -1)

    def named(self, numbers: np.ndarray) -> np.ndarray:
        """Components of parts; a part that touches no border is one itself."""
        places = self.places(numbers)
        return np.where(places >= 0, self.wholes[places], numbers) if len(self.parts) else numbers


JOINED = ("parts", "wholes", "sizes", "codes", "last_rows")


def read_joined(members: "np.lib.npyio.NpzFile") -> Joined:
    """What `join_squares` has written about components."""
    return Joined(*(members[name] for name in JOINED))


def join_squares(
    traces: Mapping[str, str],
    squares: Mapping[str, Square],
    folders: Mapping[str, Sequence[str]],
    table: str,
) -> None:
    """Join the squares of a map.

    Parameters
    ----------
    traces : mapping of str to str
        File of `trace_square` of each square, by name.
    squares : mapping of str to Square
        All of the map, row by row.
    folders : mapping of str to sequence of str
        Names of squares by the folder that gets a file `NAME.npz` of each: the components that touch
        the border of it or of its neighbours, its surroundings, and the arcs put together that begin
        in it.
    table : str
        The same of the components of all squares.
    """
    # Files are opened one by one: a country has more squares than a process may open files.
    sides = {}
    for name, path in traces.items():
        with np.load(path) as file:
            sides[name] = {side: file[side] for side in BORDERS}
    around = {name: _around(square, sides) for name, square in squares.items()}
    joined = _join(traces, squares, sides, around)
    arcs = _joined_arcs(traces, around, joined)
    arcs_of = _arcs_of_squares(arcs, squares)
    for folder, names in folders.items():
        with whole_folder(folder) as unfinished:
            for name in names:
                own, beside = arcs_of[name], around[name]
                touched = np.concatenate([*sides[name].values(), beside.above, beside.before,
                                          joined_parts(joined, own)])  # fmt: skip
                chosen = np.unique(joined.places(np.unique(touched)))
                chosen = chosen[chosen >= 0]
                save(
                    f"{unfinished}/{name}.npz",
                    above=beside.above,
                    before=beside.before,
                    **{key: getattr(joined, key)[chosen] for key in JOINED},
                    **arc_members(own),
                )
    save(table, **{key: getattr(joined, key) for key in JOINED})


def joined_parts(joined: Joined, arcs: Arcs) -> np.ndarray:
    """Components beside some arcs: each is a part as well, its own first one."""
    sides = np.unique(np.concatenate([arcs.left, arcs.right]))
    return sides[sides > 0]


def _around(square: Square, sides: Mapping[str, Mapping[str, np.ndarray]]) -> Around:
    above = sides.get(name_of(square.row - 1, square.col))
    before = sides.get(name_of(square.row, square.col - 1))
    return Around(
        above["bottom"] if above else np.full(square.window.cols, -1),
        before["east"] if before else np.full(square.window.rows, -1),
    )


def _join(
    traces: Mapping[str, str],
    squares: Mapping[str, Square],
    sides: Mapping[str, Mapping[str, np.ndarray]],
    around: Mapping[str, Around],
) -> Joined:
    """Components of the parts that touch a border, by union over the border rows."""
    parts, codes, sizes, rows = [], [], [], []
    for name, square in squares.items():
        touching = np.unique(np.concatenate(list(sides[name].values())))
        touching = touching[touching > 0]
        with np.load(traces[name]) as file:
            places = np.searchsorted(file["numbers"], touching)
            codes.append(file["codes"][places])
            sizes.append(np.column_stack([file["pixels"][places], file["perimeter"][places]]))
        parts.append(touching)
        rows.append(np.full(len(touching), square.row))
    numbers = np.concatenate(parts)
    order = np.argsort(numbers)
    numbers = numbers[order]
    code = np.concatenate(codes)[order]
    pairs = []
    for name, own in sides.items():
        for here, there in ((own["top"], around[name].above), (own["west"], around[name].before)):
            both = (here > 0) & (there > 0)
            pair = np.column_stack([np.searchsorted(numbers, side[both]) for side in (here, there)])
            pairs.append(pair[code[pair[:, 0]] == code[pair[:, 1]]])
    groups = united(len(numbers), np.concatenate(pairs).astype(np.int64))
    total = np.zeros((len(numbers), 2), np.int64)
    np.add.at(total, groups, np.concatenate(sizes)[order])
    last = np.zeros(len(numbers), np.int64)
    np.maximum.at(last, groups, np.concatenate(rows)[order])
    return Joined(numbers, numbers[groups], total[groups], code, last[groups])


def _joined_arcs(traces: Mapping[str, str], around: Mapping[str, Around], joined: Joined) -> Arcs:
    """Arcs of the map that leave their square, whole and in canonical form."""
    pieces = [no_arcs()]
    for name, path in traces.items():
        with np.load(path) as file:
            arcs = read_arcs(file, around[name])
        pieces.append(arcs.chosen(arcs.cut))
    arcs = together(pieces)
    arcs = glued(
        Arcs(
            arcs.points,
            arcs.offsets,
            joined.named(arcs.left),
            joined.named(arcs.right),
            arcs.ends,
        )
    )
    return canonical(arcs)


def _arcs_of_squares(arcs: Arcs, squares: Mapping[str, Square]) -> dict[str, Arcs]:
    """Arcs whose first corner lies in each square."""
    owners = _owners(arcs, squares)
    order = np.argsort(owners, kind="stable")
    begins = np.searchsorted(owners[order], np.arange(len(squares) + 1))
    arcs = arcs.ordered(order)
    return {
        name: arcs.between(begins[place], begins[place + 1]) for place, name in enumerate(squares)
    }


def _owners(arcs: Arcs, squares: Mapping[str, Square]) -> np.ndarray:
    """Place, among the squares, of that of the first corner of each arc."""
    rows = sorted({square.window.row for square in squares.values()})
    cols = sorted({square.window.col for square in squares.values()})
    places = np.full((len(rows), len(cols)), -1)
    for place, square in enumerate(squares.values()):
        places[rows.index(square.window.row), cols.index(square.window.col)] = place
    row = np.searchsorted(rows, arcs.firsts[:, 0], side="right") - 1
    col = np.searchsorted(cols, arcs.firsts[:, 1], side="right") - 1
    owners = places[row, col]
    assert (owners >= 0).all(), "an arc begins where no square is"
    return owners


def read_joined_arcs(members: "np.lib.npyio.NpzFile") -> Arcs:
    """Arcs that `join_squares` has put together and that begin in a square."""
    return Arcs(*(members[name] for name in ARC_FIELDS))


def squares_in_order(names: Iterable[str], squares: Mapping[str, Square]) -> dict[int, list[str]]:
    """Names of the squares of each row of squares, from north to south."""
    rows: dict[int, list[str]] = {}
    for name in names:
        rows.setdefault(squares[name].row, []).append(name)
    return dict(sorted(rows.items()))
