"""The configuration of a production, for another year; and what that year has of images.

The text is edited in place, value by value: comments, order and all else stay.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

import yaml

from iota2_tools.config.yaml_files import Place
from iota2_tools.core.errors import ConfigError, Iota2Error
from iota2_tools.planning.production import Production

DATES = ("first_date", "last_date")
FEWER = 0.5
"""Share of the acquisitions of the same month a year before, below which a month is told."""


def moved(day: date, years: int) -> date:
    """The same day of another year; 29 February becomes the 28th.

    >>> moved(date(2020, 2, 29), -1), moved(date(2018, 10, 1), 2)
    (datetime.date(2019, 2, 28), datetime.date(2020, 10, 1))
    """
    if (day.month, day.day) == (2, 29):
        day = day.replace(day=28)
    return day.replace(year=day.year + years)


@dataclass
class NextYear:
    """A configuration for another year.

    Parameters
    ----------
    text : str
        Its YAML.
    remarks : list of str
        What was not found or stays as it was, one sentence each.
    """

    text: str
    remarks: list[str] = field(default_factory=list)


def next_year(text: str, year: int, paths: Mapping[str, str], source: str) -> NextYear:
    """Make the configuration of another year.

    Periods move by whole years: the year of a period is that of its last day. The year in the name of the output
    moves with it, or is added; in other paths it does where something of that name is there.

    Parameters
    ----------
    text : str
        YAML of the production that stands.
    year : int
        Which year.
    paths : mapping of str to str
        Values by place, `sensors.sentinel2.path`; for a section its `path` is meant.
    source : str
        For messages.

    Raises
    ------
    ConfigError
        If a sensor has no first and last date, or a place is not in the configuration.
    """
    root = yaml.compose(text)
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError(f"{source}: is empty; start from config/minimal.yaml")
    scalars = dict(_scalars(root, ()))
    edits: dict[Place, str] = {}
    remarks: list[str] = []
    old = _shift_periods(scalars, year, edits, source)
    given = {_place_of(name, scalars, source): value for name, value in paths.items()}
    edits |= given
    for place, node in scalars.items():
        if place not in given and _is_path(place):
            _shift_path(place, node.value, (old, year), edits, remarks)
    if ("output",) not in given and edits.get(("output",)) is None:
        edits[("output",)] = f"{scalars[('output',)].value.rstrip('/')}_{year}"
    return NextYear(_edited(text, scalars, edits), remarks)


def _scalars(node: yaml.Node, place: Place) -> Iterator[tuple[Place, yaml.ScalarNode]]:
    """Values of a document by their place."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _scalars(value, (*place, str(key.value)))
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _scalars(item, (*place, number))
    elif isinstance(node, yaml.ScalarNode):
        yield place, node


def _shift_periods(
    scalars: Mapping[Place, yaml.ScalarNode], year: int, edits: dict[Place, str], source: str
) -> int:
    """Move the period of each sensor; the year that the production was of."""
    sensors = sorted(
        {str(place[1]) for place in scalars if place[0] == "sensors" and len(place) > 2}
    )
    old: set[int] = set()
    for sensor in sensors:
        days = {}
        for key in DATES:
            node = scalars.get(("sensors", sensor, key))
            try:
                days[key] = date.fromisoformat(node.value if node else "")
            except ValueError:
                raise ConfigError(
                    f"{source}: sensors.{sensor}.{key}: has no date, so that nothing tells which year this is; set "
                    "first_date and last_date"
                ) from None
        old.add(days["last_date"].year)
        for key, day in days.items():
            edits["sensors", sensor, key] = moved(day, year - days["last_date"].year).isoformat()
    if len(old) != 1:
        known = f"of {', '.join(map(str, sorted(old)))}" if old else "none: there is no sensor"
        raise ConfigError(f"{source}: the year of its sensors is {known}; it must be one")
    return old.pop()


def _place_of(name: str, scalars: Mapping[Place, yaml.ScalarNode], source: str) -> Place:
    """Place of a value by its name with points, or that of the path of a section."""
    place: Place = tuple(name.split("."))
    for found in (place, (*place, "path")):
        if found in scalars:
            return found
    raise ConfigError(
        f"{source}: there is no {name} in it; write it as `sensors.sentinel2` or `output`"
    )


def _is_path(place: Place) -> bool:
    names = (
        "path",
        "output",
        "prepared",
        "nomenclature",
        "splits",
        "reference",
        "samples",
        "management",
    )
    return place[-1] in names and "coregistration" not in place


def _shift_path(
    place: Place, value: str, years: tuple[int, int], edits: dict[Place, str], remarks: list[str]
) -> None:
    """Put the new year in the place of the old one in a path."""
    old, new = years
    other = re.sub(rf"(?<!\d){old}(?!\d)", str(new), value)
    name = ".".join(map(str, place))
    if other != value and (place in (("output",), ("prepared",)) or os.path.exists(other)):
        edits[place] = other
    elif other != value:
        remarks.append(f"{name}: there is no {other}; it stays {value}")
    elif place[0] == "reference" and place[-1] == "path":
        remarks.append(f"{name}: {value} is used for {new} too; is it of that year?")


def _edited(text: str, scalars: Mapping[Place, yaml.ScalarNode], edits: Mapping[Place, str]) -> str:
    """The text with other values, from its end to its beginning, so that places stay."""
    for place in sorted(edits, key=lambda item: -scalars[item].start_mark.index):
        node = scalars[place]
        begin, end = node.start_mark.index, node.end_mark.index
        text = text[:begin] + _written(edits[place], place) + text[end:]
    return text


def _written(value: str, place: Place) -> str:
    """A value as YAML: dates as they are, others quoted where they must be."""
    if place[-1] in DATES:
        return value
    return yaml.safe_dump(value, width=10_000, allow_unicode=True).removesuffix("...\n").strip()


def missing_images(old: Production, new: Production) -> Iterator[str]:
    """What a year lacks of images beside another: tiles without any, months with few.

    Acquisitions are counted, whatever their clouds.
    """
    for sensor in new.sensors:
        for tile in new.tiles:
            counts = [_by_month(production, sensor, tile) for production in (old, new)]
            period = new.period(sensor)
            if not counts[1]:
                yield f"{tile}: {sensor} has no acquisition from {period}"
                continue
            years = _years_between(old, new, sensor)
            for (year, month), before in sorted(counts[0].items()):
                found = counts[1].get((year + years, month), 0)
                if found < FEWER * before:
                    yield (
                        f"{tile}: {sensor} has {found} acquisition(s) in {year + years}-{month:02d}, {before} in "
                        f"{year}-{month:02d}"
                    )


def _years_between(old: Production, new: Production, sensor: str) -> int:
    days = [production.period(sensor).last for production in (old, new)]
    assert days[0] is not None  # or there were no year to move
    assert days[1] is not None
    return days[1].year - days[0].year


def _by_month(production: Production, sensor: str, tile: str) -> Counter[tuple[int, int]]:
    """Days with an acquisition in the period, by year and month; none where the folder has none."""
    try:
        listed = production.listing(sensor, tile).products
    except Iota2Error:
        return Counter()
    period = production.period(sensor)
    days = {item.day for item in listed if period.counts(item.day)}
    return Counter((day.year, day.month) for day in days)
