"""The dates of a production: gaps, periods that no acquisition fills, more clear dates asked for than there are."""

from collections.abc import Iterator
from datetime import date
from itertools import pairwise

from iota2_tools.core.findings import Finding
from iota2_tools.planning.production import Production
from iota2_tools.products import Identity


def calendar_findings(production: Production) -> Iterator[Finding]:
    """What is strange about the dates of each series over each tile."""
    for name, series in production.series.items():
        for tile in production.tiles:
            if not production.has(name, tile):
                continue
            folder = production.sensor_folder(series.sensor, tile)
            if not production.format(series.sensor).own_dates:
                yield from _gaps(production, name, production.products(name, tile), folder)


def _gaps(
    production: Production, series: str, products: list[Identity], folder: str
) -> Iterator[Finding]:
    """Times without an acquisition that are longer than asked for, at the ends of the period too."""
    section = production.section(production.series[series].sensor)
    most = production.config.inputs.longest_gap
    days = sorted({item.day for item in products})
    ends: list[tuple[date, date, str]] = [
        (first, last, "no acquisition between these days") for first, last in pairwise(days)
    ]
    if section.first_date:
        ends.append(
            (section.first_date, days[0], "first_date comes long before the first acquisition")
        )
    if section.in_season:
        last = date.fromisoformat(production.target_dates[series][-1])
        ends.append((days[-1], last, "other tiles have acquisitions long after the last one"))
    elif section.last_date:
        ends.append(
            (days[-1], section.last_date, "last_date comes long after the last acquisition")
        )
    for first, last, what in ends:
        length = (last - first).days
        if length > most:
            yield Finding(
                folder, f"{first} to {last}", f"{what}: {length} days of {series}, inputs.longest_gap is {most}",
                "fetch what is missing, shorten the period, or raise inputs.longest_gap", "warning",
            )  # fmt: skip


def clear_date_findings(production: Production) -> Iterator[Finding]:
    """Numbers of clear dates that no pixel can have: errors where no tile has so many dates, else warnings."""
    config = production.config
    counted = {tile: _dates(production, tile) for tile in production.tiles}
    asked = [
        ("sampling.cloud_threshold", config.sampling.cloud_threshold, counted, "learnt"),
        ("classification.minimum_clear_dates", config.classification.minimum_clear_dates, counted, "mapped"),
    ]  # fmt: skip
    for name, series in production.series.items():
        least = production.section(series.sensor).minimum_clear_dates
        own = {tile: _days(production, name, tile) for tile in production.tiles}
        place = f"sensors.{series.sensor}.minimum_clear_dates"
        asked.append((place, least, own, "learnt or mapped"))
    for place, least, dates, what in asked:
        yield from _too_few(place, least, dates, what)


def _too_few(place: str, least: int, dates: dict[str, int | None], what: str) -> Iterator[Finding]:
    """What is said where tiles have fewer dates than a pixel must have clear ones."""
    few = {tile: count for tile, count in dates.items() if count is not None and count < least}
    if not few:
        return
    told = ", ".join(f"{tile} has {count}" for tile, count in list(few.items())[:4])
    told += " …" if len(few) > 4 else ""
    where = "nothing" if len(few) == len(dates) else "nothing of these tiles"
    yield Finding(
        "", place,
        f"{least} clear dates are asked for, {told}: {where} would be {what}",
        "lower it, or add acquisitions or sensors", "error" if len(few) == len(dates) else "warning",
    )  # fmt: skip


def _dates(production: Production, tile: str) -> int | None:
    """Dates that a pixel of a tile can be clear at, those of all series together; None: not known."""
    found = [_days(production, name, tile) for name in production.series]
    known = [count for count in found if count is not None]
    return sum(known) if found and len(known) == len(found) else None


def _days(production: Production, series: str, tile: str) -> int | None:
    """Days of a series over a tile that count as dates; None where its files alone tell their dates."""
    sensor = production.series[series].sensor
    if production.format(sensor).own_dates:
        return None
    if not production.has(series, tile):
        return 0
    period = production.period(sensor)
    return len({item.day for item in production.products(series, tile) if period.counts(item.day)})
