"""Numbers as text: one place, and never a zero with a sign."""

import ast
import math
import re
from pathlib import Path

import pytest

from iota2_tools.core.tables import cell
from iota2_tools.core.words import listed, number

PACKAGE = Path(__file__).parents[2] / "iota2_tools"


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (-0.0, 0, "0"),
        (-0.004, 2, "0.00"),
        (-1e-12, 6, "0.000000"),
        (-0.4, 0, "0"),
        (-0.006, 2, "-0.01"),
        (0.25, 1, "0.2"),  # halves to even, as Python writes
        (1234567.8, 0, "1234568"),
        (math.nan, 2, "-"),
    ],
)
def test_a_number_that_rounds_to_zero_has_no_sign(value, decimals, text):
    assert number(value, decimals) == text


def test_thousands_are_apart_where_asked_for():
    assert number(-1234567.85, 1, apart=" ") == "-1 234 567.9"
    assert number(999.96, 1, apart=" ") == "1 000.0"


def test_a_cell_without_value_is_empty():
    assert (cell(math.nan, 2), cell(-1e-9, 6), cell(0.5, 2)) == ("", "0.000000", "0.50")


def test_things_are_listed_as_in_a_sentence():
    assert [listed(items) for items in ([3], [0, 1], ["a", "b", "c"])] == [
        "3",
        "0 and 1",
        "a, b and c",
    ]


@pytest.mark.parametrize(
    "path",
    sorted(
        path
        for room in ("assessing", "maps", "reporting")
        for path in (PACKAGE / room).glob("*.py")
    ),
    ids=lambda path: f"{path.parent.name}-{path.stem}",
)
def test_no_report_formats_fractions_by_itself(path):
    """`number` and `cell` do: a specification such as `.2f` anywhere else may write -0.00."""
    specifications = [
        ast.unparse(node.format_spec)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FormattedValue) and node.format_spec is not None
    ]
    assert not [text for text in specifications if re.search(r"[\d,][fe%]'?\"?$", text)]
