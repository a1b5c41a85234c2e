"""The dates of a production: gaps, periods that no acquisition fills, acquisitions that stand twice."""

from collections import defaultdict
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
            products = production.products(name, tile)
            what = name if production.format(series.sensor).passes else ""
            if not production.format(series.sensor).own_dates:
                yield from _gaps(production, name, products, folder)
            yield from _versions(products, folder if not what else f"{folder}, {tile}")


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
    if section.last_date:
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


def _versions(products: list[Identity], folder: str) -> Iterator[Finding]:
    """Acquisitions of which several versions lie there."""
    same: dict[object, list[Identity]] = defaultdict(list)
    for item in products:
        same[item.acquisition].append(item)
    for items in same.values():
        if len(items) > 1:
            names = ", ".join(item.name for item in items)
            yield Finding(
                folder, str(items[0].day), f"one acquisition stands {len(items)} times: {names}",
                "the newest version is read; move the others away to be rid of this line", "warning",
            )  # fmt: skip
