"""Small tables as CSV."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from iota2_tools.core.errors import InputDataError
from iota2_tools.core.files import whole_file
from iota2_tools.core.words import number


def write_csv(rows: Sequence[Sequence], path: str) -> None:
    """Write rows, the header first; the file bears its name only once it is whole."""
    with (
        whole_file(path) as temporary,
        Path(temporary).open("w", encoding="utf-8", newline="") as file,
    ):
        csv.writer(file, lineterminator="\n").writerows(rows)


def read_lines(path: str) -> list[str]:
    """Lines of a table of the user.

    Raises
    ------
    InputDataError
        If it cannot be read.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputDataError(
            f"{path}: cannot be read ({error}); it is a CSV table in UTF-8"
        ) from None


def read_rows(
    path: str, columns: Sequence[str], needed: int | None = None
) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows of a table of the user, each with the number of its line; empty lines are passed over.

    Parameters
    ----------
    columns : sequence of str
        Its columns; others are left alone.
    needed : int, optional
        How many of these it must have, the first ones; by default all.

    Yields
    ------
    line : int
        From 1.
    row : dict of str to str
        Cells by column, without space around them; empty where there is none.

    Raises
    ------
    InputDataError
        If it cannot be read, or lacks a column.
    """
    table = csv.DictReader(read_lines(path))
    missing = [name for name in columns[:needed] if name not in (table.fieldnames or ())]
    if missing:
        raise InputDataError(
            f"{path}: has no column {' and '.join(missing)}; give it the columns {', '.join(columns)}"
        )
    for row in table:
        yield table.line_num, {name: (row.get(name) or "").strip() for name in columns}


def cell(value: float, decimals: int) -> str:
    """A number for a table; empty where it has no value (NaN)."""
    return number(value, decimals, absent="")
