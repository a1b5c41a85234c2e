"""Classes that the maps of several years have in common."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from iota2_tools.config.nomenclature import LandCoverClass, Nomenclature
from iota2_tools.core.errors import InputDataError, one_message
from iota2_tools.core.tables import read_rows
from iota2_tools.years.maps import YearMap

COLUMNS = ("map", "code", "common", "name")
BEFORE, AFTER = "before", "after"
NOT_MAPPED = 0
"""Code of the pixels of a map that have no class."""
LEFT_OUT = 0
"""Common code of a class that takes no part: its pixels count as not mapped."""


@dataclass(frozen=True)
class CommonLegend:
    """Classes that maps are compared by.

    Parameters
    ----------
    legend : Nomenclature
        The common classes.
    places : sequence of ndarray of int32, shape (65536,)
        For each map: place of each of its codes among the common classes, counted from 1; 0 of a
        code that takes no part, -1 of one that is not in the legend.
    """

    legend: Nomenclature
    places: Sequence[np.ndarray]


def same_legend(maps: Sequence[YearMap]) -> CommonLegend:
    """The legend that all maps have.

    Raises
    ------
    InputDataError
        If they differ in codes or names: a class that one year knows alone would be taken for change.
    """
    first = maps[0].legend
    for other in maps[1:]:
        problems = list(_differences(first, other.legend))
        if problems:
            heading = (
                f"{maps[0].classes} and {other.classes} have other classes (give a table that says which "
                "of them mean the same: --classes)"
            )
            raise InputDataError(one_message(heading, problems))
    places = _places({code: code for code in first.codes}, first)
    return CommonLegend(first, [places] * len(maps))


def _differences(first: Nomenclature, second: Nomenclature) -> list[str]:
    names, others = (
        {item.code: item.name for item in legend.classes} for legend in (first, second)
    )
    return [
        f"code {code} is {names.get(code, 'no class')} in the one, {others.get(code, 'no class')} in the other"
        for code in sorted({*names, *others})
        if names.get(code) != others.get(code)
    ]


def read_common_legend(path: str, before: YearMap, after: YearMap) -> CommonLegend:
    """Read which classes of two maps mean the same.

    A line a class: ``map`` (`before` or `after`), ``code`` in that map, ``common`` code that it has
    in both (0: takes no part), ``name`` of the common class, given once or each time.

    Raises
    ------
    InputDataError
        Listing every line at fault, and every class of the maps that has none.
    """
    rows, problems = _read_rows(path)
    names: dict[int, str] = {}
    common: dict[str, dict[int, int]] = {BEFORE: {}, AFTER: {}}
    for line, side, code, target, name in rows:
        if code in common[side]:
            problems.append(f"line {line}: class {code} of the map {side} stands twice")
        common[side][code] = target
        if name and target != LEFT_OUT and names.setdefault(target, name) != name:
            problems.append(
                f"line {line}: common class {target} is called {names[target]!r} and {name!r}"
            )
    for side, item in ((BEFORE, before), (AFTER, after)):
        problems += [
            f"class {entry.code} ({entry.name}) of {item.classes} has no line with map {side}"
            for entry in item.legend.classes
            if entry.code not in common[side]
        ]
    if problems:
        raise InputDataError(one_message(path, problems))
    legend = _common_nomenclature(common, names, (before, after))
    problems = list(_unusable(legend))
    if problems:
        raise InputDataError(one_message(path, problems))
    return CommonLegend(legend, [_places(common[side], legend) for side in (BEFORE, AFTER)])


def _unusable(legend: Nomenclature) -> Iterator[str]:
    """What keeps common classes from being told apart, a sentence each."""
    if not legend.classes:
        yield f"every class has common code {LEFT_OUT}, which takes no part; give those that do another"
    names = Counter(item.name for item in legend.classes)
    for name in [name for name, number in names.items() if number > 1]:
        codes = ", ".join(str(item.code) for item in legend.classes if item.name == name)
        yield f"common classes {codes} are all called {name!r}; give each a name of its own"


def _read_rows(path: str) -> tuple[list[tuple[int, str, int, int, str]], list[str]]:
    """Lines of the table: number, map, code, common code, name; and what is wrong."""
    rows, problems = [], []
    for line, row in read_rows(path, COLUMNS, needed=3):
        side = row["map"]
        codes = [_code(row[name]) for name in ("code", "common")]
        if side not in (BEFORE, AFTER):
            problems.append(f"line {line}: map is {side!r}; write {BEFORE} or {AFTER}")
        elif codes[0] is None or codes[1] is None:
            problems.append(f"line {line}: code and common are whole numbers up to 65535")
        elif codes[0] == NOT_MAPPED:
            problems.append(
                f"line {line}: code 0 is no class, but what is not mapped; leave the line out"
            )
        else:
            rows.append((line, side, codes[0], codes[1], row["name"]))
    return rows, problems


def _code(text: str) -> int | None:
    return int(text) if text.isdecimal() and int(text) <= 65535 else None


def _common_nomenclature(
    common: Mapping[str, Mapping[int, int]], names: Mapping[int, str], maps: Sequence[YearMap]
) -> Nomenclature:
    """Common classes; name and colour are those of the first class that becomes it, the newer map first."""
    before, after = maps
    classes: dict[int, LandCoverClass] = {}
    for side, item in ((AFTER, after), (BEFORE, before)):
        for entry in item.legend.classes:
            code = common[side].get(entry.code, LEFT_OUT)
            if code != LEFT_OUT and code not in classes:
                classes[code] = LandCoverClass(code, names.get(code, entry.name), entry.colour)
    return Nomenclature(tuple(classes[code] for code in sorted(classes)))


def _places(common: Mapping[int, int], legend: Nomenclature) -> np.ndarray:
    places = np.full(65536, -1, dtype=np.int32)
    places[NOT_MAPPED] = 0
    order = {code: number for number, code in enumerate(legend.codes, start=1)}
    for code, target in common.items():
        places[code] = order.get(target, 0)
    return places
