"""The table of samples of one region's model that another one learns as well; the plan reads it."""

import csv
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from iota2_tools.config.nomenclature import Nomenclature
from iota2_tools.core.errors import ConfigError, InputDataError, one_message
from iota2_tools.core.words import suggest

COLUMNS = ("source", "destination", "class", "quantity")
ALL = ("all", "-1")
"""Quantities that mean every sample; IOTA² writes -1."""


class Copy(NamedTuple):
    """A line of the table.

    Parameters
    ----------
    source, destination : str
        Regions.
    code : int
        Class.
    quantity : int or None
        Samples at most; None for all.
    """

    source: str
    destination: str
    code: int
    quantity: int | None


def read_copies(path: str, regions: Sequence[str], nomenclature: Nomenclature) -> list[Copy]:
    """Read a table `source,destination,class,quantity`; a class is a code or a name.

    Raises
    ------
    InputDataError
        If it cannot be read.
    ConfigError
        Listing every line that is wrong.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file, skipinitialspace=True)
            header = tuple(name.strip() for name in table.fieldnames or ())
            table.fieldnames = header
            rows = list(table)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputDataError(f"{path}: cannot be read as a table ({error})") from None
    if header != COLUMNS:
        raise ConfigError(
            f"{path}: has the columns {', '.join(header) or 'none'}; they are {', '.join(COLUMNS)}"
        )
    problems: list[str] = []
    copies: dict[tuple[str, str, int], Copy] = {}
    for number, row in enumerate(rows, start=2):
        faults = list(_faults(row, regions, nomenclature))
        if not faults:
            copy = _copy(row, nomenclature)
            if copy[:3] in copies:
                faults = ["stands twice"]
            copies[copy[:3]] = copy
        problems += [f"line {number}: {fault}" for fault in faults]
    if problems:
        raise ConfigError(one_message(path, problems))
    return list(copies.values())


def _faults(
    row: dict[str, str | None], regions: Sequence[str], nomenclature: Nomenclature
) -> Iterator[str]:
    """What is wrong with a line."""
    source, destination, land, quantity = (_text(row, name) for name in COLUMNS)
    if None in row:
        yield "has more cells than the header"
    for region in (source, destination):
        if region not in regions:
            hint = suggest(region, regions, f"they are {', '.join(regions)}")
            yield f"no region {region!r} touches a tile, {hint}"
    if source == destination:
        yield f"copies region {source} into itself; `sampling.augmentation` makes samples of others"
    if nomenclature.code_of(land) is None:
        yield f"class {land!r} is neither a code nor a name of the nomenclature"
    if quantity not in ALL and not (quantity.isdecimal() and int(quantity) > 0):
        yield f"quantity {quantity!r} is no number of samples; give one from 1 on, or `all`"


def _copy(row: dict[str, str | None], nomenclature: Nomenclature) -> Copy:
    source, destination, land, quantity = (_text(row, name) for name in COLUMNS)
    code = nomenclature.code_of(land)
    assert code is not None  # `_faults` has looked
    return Copy(source, destination, code, None if quantity in ALL else int(quantity))


def _text(row: dict[str, str | None], name: str) -> str:
    return (row[name] or "").strip()
