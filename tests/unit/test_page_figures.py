"""What the figures of the report show, read from their SVG."""

import re
from datetime import date

import pytest

from iota2_tools.reporting.page import figures
from iota2_tools.reporting.page.model import Acquired, ClearDates, Importance


def heights(svg: str, colour: str) -> list[float]:
    """Heights of the bars of a colour, from left to right."""
    bars = re.findall(rf'<path d="([^"]+)"[^>]*style="fill: {colour}', svg)
    corners = [
        [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", bar)] for bar in bars
    ]
    corners.sort(key=lambda points: min(x for x, _ in points))
    return [max(y for _, y in points) - min(y for _, y in points) for points in corners]


def test_clear_dates_are_added_up_over_the_tiles():
    """Of 8 pixels 4 have one clear date, 2 two and 2 three."""
    tiles = [ClearDates(tile="A", pixels=[0, 3, 1]), ClearDates(tile="B", pixels=[0, 1, 1, 2])]
    none, one, two, three = heights(figures.clear_dates(tiles), "#4f6d8f")
    assert none == 0
    assert two == pytest.approx(three)
    assert one == pytest.approx(2 * two, rel=1e-4)


def test_clear_acquisitions_are_blue_and_clouded_ones_grey():
    shares = {date(2018, 1, 1): 1.0, date(2018, 6, 1): 0.0}
    acquisitions = [
        Acquired(tile="A", series="s", day=day, product="p", counts=True, seen=1.0, clear=clear)
        for day, clear in shares.items()
    ]
    marks = figures.calendar(acquisitions).partition('id="PathCollection_1"')[2]
    drawn = re.findall(r'<path d="M ([\d.]+)[^>]*style="fill: (#\w+)"', marks.partition("</g>")[0])
    assert [colour for _, colour in drawn] == ["#1f78b4", "#969696"]
    assert float(drawn[0][0]) < float(drawn[1][0])


def test_importance_is_told_in_percent():
    items = [
        Importance(
            feature=f"S_{band}_{day}", quantity=f"S {band}", day=date(2018, day, 1), value=value
        )
        for band, day, value in (("B4", 1, 0.5), ("B4", 2, 0.3), ("B8", 1, 0.2))
    ]
    labels = re.findall(r">(\d+)</text>", figures.importance(items, "S"))
    assert 10 < max(map(int, labels)) <= 50
