"""Small tables as CSV."""

import csv
from collections.abc import Sequence
from pathlib import Path

from iota2_tools.core.files import whole_file
from iota2_tools.core.words import number


def write_csv(rows: Sequence[Sequence], path: str) -> None:
    """Write rows, the header first; the file bears its name only once it is whole."""
    with (
        whole_file(path) as temporary,
        Path(temporary).open("w", encoding="utf-8", newline="") as file,
    ):
        csv.writer(file, lineterminator="\n").writerows(rows)


def cell(value: float, decimals: int) -> str:
    """A number for a table; empty where it has no value (NaN)."""
    return number(value, decimals, absent="")
