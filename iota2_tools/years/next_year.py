"""The configuration of a production, for another year; and what that year has of images.

The text is edited in place, value by value: comments, order and all else stay.
"""

import json
import os
import re
from calendar import isleap
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

import yaml

from iota2_tools.config.yaml_files import Place
from iota2_tools.core.errors import ConfigError, Iota2Error
from iota2_tools.planning.contradictions import OF_LEARNING, OF_REFERENCE
from iota2_tools.planning.production import Production

DATES = ("first_date", "last_date")
FIRST_YEAR, LAST_YEAR = 1972, 2999
"""From the first Landsat on."""
FEWER = 0.5
"""Share of the acquisitions of the same month a year before, below which a month is told."""


def moved(day: date, years: int) -> date:
    """The same day of another year; 29 February becomes the 28th where that year has none.

    >>> moved(date(2020, 2, 29), -1), moved(date(2018, 10, 1), 2)
    (datetime.date(2019, 2, 28), datetime.date(2020, 10, 1))
    """
    if (day.month, day.day) == (2, 29) and not isleap(day.year + years):
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


@dataclass(frozen=True)
class From:
    """What the next year is mapped by.

    Parameters
    ----------
    models : str
        Output whose models map it; empty: it learns.
    samples : tuple of str
        Outputs whose samples it learns; empty: its own.
    reference : bool
        Whether it has one.
    """

    models: str = ""
    samples: tuple[str, ...] = ()
    reference: bool = True


ITSELF = From()


def next_year(
    text: str, year: int, paths: Mapping[str, str], source: str, of: From = ITSELF
) -> NextYear:
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
    of : From
        What it is mapped by; choices that mean nothing then are taken out, and told.

    Raises
    ------
    ConfigError
        If a sensor has no first and last date, a place is not in the configuration, or the year is none.
    """
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ConfigError(f"--year {year}: give one from {FIRST_YEAR} to {LAST_YEAR}")
    text, told = mapped_by(text, of, source)
    root = yaml.compose(text)
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError(f"{source}: is empty; start from config/minimal.yaml")
    scalars = dict(_scalars(root, ()))
    edits: dict[Place, str] = {}
    remarks: list[str] = list(told)
    old = _shift_periods(scalars, year, edits, source)
    given = {_place_of(name, scalars, source): value for name, value in paths.items()}
    edits |= given
    for place, node in scalars.items():
        if place not in given and _is_path(place):
            _shift_path(place, node.value, (old, year), edits, remarks)
    if ("output",) not in given and edits.get(("output",)) is None:
        edits[("output",)] = f"{scalars[('output',)].value.rstrip('/')}_{year}"
    return NextYear(_edited(text, scalars, edits, source), remarks)


def mapped_by(text: str, of: From, source: str) -> tuple[str, list[str]]:
    """The text with what maps the year in it, and without choices that mean nothing then.

    Returns
    -------
    text : str
    remarks : list of str
        What was taken out, one sentence each.

    Raises
    ------
    ConfigError
        If nothing would be left to learn from.
    """
    if not (of.reference or of.models or of.samples):
        raise ConfigError(
            f"{source}: without a reference there is nothing to learn from; name models or samples of another "
            "production as well (--models, --samples)"
        )
    leaving: list[Place] = [] if of.reference else [("reference",), *OF_REFERENCE]
    if of.models:
        leaving += [("learning", "models"), *OF_LEARNING]
    elif of.samples:
        leaving += [("learning", "models"), ("learning", "samples")]
    remarks = []
    for place in dict.fromkeys(leaving):
        text, there = without(text, place)
        if there and place != ("reference",) and place[:2] != ("learning", "models"):
            remarks.append(f"{'.'.join(map(str, place))}: is taken out, for it means nothing here")
    if of.models:
        text = with_choice(text, "models", yaml_of(of.models))
    elif of.samples:
        text = with_choice(text, "samples", f"[{', '.join(map(yaml_of, of.samples))}]")
    return text, remarks


def without(text: str, place: Place) -> tuple[str, bool]:
    """A document without a key and all below it, and whether it was there.

    A section that would be left empty goes as well. Comments on the lines of the key go with it.

    >>> without("a: {b: 1, c: 2}\nd: 3\n", ("a", "b"))
    ('a: {c: 2}\nd: 3\n', True)
    """
    root = yaml.compose(text)
    for key, value, holder in _entry(root, place):
        if len(holder.value) == 1 and len(place) > 1:
            return without(text, place[:-1])
        if holder.flow_style:
            begin, end = key.start_mark.index, value.end_mark.index
            after = re.match(r"\s*,\s*", text[end:])
            if after:
                return text[:begin] + text[end + after.end() :], True
            before = re.search(r"\s*,\s*$", text[:begin])
            return text[: before.start() if before else begin] + text[end:], True
        lines = text.splitlines(keepends=True)
        last = max(node.end_mark.line for node in _leaves(value))
        # The end of a block scalar is the beginning of the line after it.
        last -= any(
            node.end_mark.column == 0 for node in _leaves(value) if node.end_mark.line == last
        )
        return "".join(lines[: key.start_mark.line] + lines[last + 1 :]), True
    return text, False


def _entry(
    node: yaml.Node | None, place: Place
) -> Iterator[tuple[yaml.Node, yaml.Node, yaml.MappingNode]]:
    """Key, value and section of a place, if it is there."""
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.value == place[0]:
            assert isinstance(node, yaml.MappingNode)
            if len(place) == 1:
                yield key, value, node
            else:
                yield from _entry(value, place[1:])


def _leaves(node: yaml.Node) -> Iterator[yaml.Node]:
    """What a value ends with: scalars, and brackets."""
    if not isinstance(node, yaml.CollectionNode) or node.flow_style:
        yield node
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield from _leaves(value)
    else:
        for item in node.value:
            yield from _leaves(item)


def with_choice(text: str, key: str, value: str) -> str:
    """A configuration with one more choice in its section `learning`, as YAML.

    >>> with_choice("learning:\n  learner: SVC\n", "models", "old")
    'learning:\n  models: old\n  learner: SVC\n'
    """
    for _, section, _ in _entry(yaml.compose(text), ("learning",)):
        if isinstance(section, yaml.MappingNode) and section.value:
            begin = section.value[0][0].start_mark
            if section.flow_style:
                return f"{text[: begin.index]}{key}: {value}, {text[begin.index :]}"
            lines = text.splitlines(keepends=True)
            lines.insert(begin.line, f"{' ' * begin.column}{key}: {value}\n")
            return "".join(lines)
        text, _ = without(text, ("learning",))
    return f"{text.rstrip()}\nlearning:\n  {key}: {value}\n"


def yaml_of(value: str) -> str:
    """A text as it stands in YAML, also inside brackets."""
    plain = re.fullmatch(r"[\w./-]+", value) and yaml.safe_load(value) == value
    return value if plain else json.dumps(value, ensure_ascii=False)


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


def _edited(
    text: str, scalars: Mapping[Place, yaml.ScalarNode], edits: Mapping[Place, str], source: str
) -> str:
    """The text with other values, from its end to its beginning, so that places stay.

    A value with an anchor is written once, and is that of all places that name it.

    Raises
    ------
    ConfigError
        If such places are to have different values.
    """
    at = {scalars[place].start_mark.index: place for place in edits}
    for place, node in scalars.items():
        first = at.get(node.start_mark.index)
        if first and edits.get(place, node.value) != edits[first]:
            names = " and ".join(".".join(map(str, item)) for item in (first, place))
            raise ConfigError(
                f"{source}: {names} share one value (`&` and `*`), and shall have two now, {edits[first]} and "
                f"{edits.get(place, node.value)}; write both out"
            )
    for begin, place in sorted(at.items(), reverse=True):
        end = scalars[place].end_mark.index
        marks = re.match(r"(?:[&!]\S*\s+)*", text[begin:end])
        assert marks  # of an anchor or tag, or empty
        text = text[: begin + marks.end()] + _written(edits[place], place) + text[end:]
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
