"""The dates of a production: gaps, and periods that no acquisition fills."""

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
