"""`iota2 check`: everything wrong or strange about a configuration and its inputs; nothing is started."""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from iota2_tools.planning.whereabouts import USUAL

if TYPE_CHECKING:
    from iota2_tools.core.findings import Finding
    from iota2_tools.planning.overview import Overview
    from iota2_tools.planning.production import Production

FORMAT = 1
"""Of the JSON (workflow/schemas/check.schema.json)."""


ALIKE = 20
"""Findings of one file with one remedy that are written out."""


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Options of the command."""
    parser = commands.add_parser(
        "check", help="check a configuration and its inputs; nothing is started"
    )
    parser.add_argument(
        "config", nargs="?", default=str(USUAL), metavar="CONFIG", help="YAML file (%(default)s)"
    )
    depth = parser.add_mutually_exclusive_group()
    depth.add_argument(
        "--names-only", dest="depth", action="store_const", const="names", default="headers",
        help="do not open each image: folders and names alone, as at the start of a production",
    )  # fmt: skip
    depth.add_argument(
        "--deep", dest="depth", action="store_const", const="pixels",
        help="also read some blocks of each image: damage inside, no data, one value, another scale, clouds alone; "
        "remembered by size and time of the files",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="write what is found as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check, and tell what each tile has; exit code 1 on errors."""
    from iota2_tools.commands.production import enter
    from iota2_tools.planning.overview import overview

    arguments.config = enter(arguments.config)
    found = overview(arguments.config, arguments.depth)
    errors = found.of("error")
    if arguments.json:
        print(json.dumps(as_json(found), indent=1, ensure_ascii=False))
        return 1 if errors else 0
    for title, findings in (("ERRORS", errors), ("WARNINGS", found.of("warning"))):
        if findings:
            print(f"{title} ({len(findings)})\n{grouped(findings)}\n")
    if errors:
        print(f"{found.config}: {len(errors)} error(s); nothing can be started")
        return 1
    print(f"{found.config}: {'no error' if found.of('warning') else 'no problem'} found")
    assert found.production  # what it lacks would be an error
    for line in tiles_of(found.production).values():
        print(f"  {line}")
    return 0


def grouped(findings: Sequence["Finding"]) -> str:
    """Findings as text, file by file in the order they were found; of many alike in one file the first ones."""
    by_file: dict[str, list[Finding]] = {}
    for item in findings:
        by_file.setdefault(item.file, []).append(item)
    lines = []
    for file, items in by_file.items():
        lines.append(file)
        alike = Counter(item.remedy for item in items)
        told: Counter[str] = Counter()
        for item in items:
            told[item.remedy] += 1
            if told[item.remedy] > ALIKE:
                if told[item.remedy] == alike[item.remedy]:
                    lines.append(
                        f"  … and {alike[item.remedy] - ALIKE} more like these; --json lists them all"
                    )
                continue
            what = ": ".join(filter(None, (item.where, item.what))).replace(f"{file}/", "")
            lines.append("  " + what.replace("\n", "\n    "))
            if item.remedy:
                lines.append("    -> " + item.remedy.replace("\n", "\n       "))
    return "\n".join(lines)


def as_json(found: "Overview") -> dict[str, Any]:
    """Plain values of all that was found."""
    return {
        "format": FORMAT,
        "config": found.config,
        "errors": len(found.of("error")),
        "warnings": len(found.of("warning")),
        "findings": [item.as_dict() for item in found.findings],
        "tiles": tiles_of(found.production) if found.production and not found.of("error") else {},
    }


def tiles_of(production: "Production") -> dict[str, str]:
    """What each tile has, in one line, and the features of the user's functions."""
    from iota2_tools.planning.parameters import Parameters

    lines = {tile: f"{tile}: {_describe(production, tile)}" for tile in production.tiles}
    names = Parameters(production).external_names
    return lines | (
        {"external features": f"external features: {', '.join(names)}"} if names else {}
    )


def _describe(production: "Production", tile: str) -> str:
    """What a tile has, in one line."""
    from iota2_tools.planning.production import describe_grid

    counts = []
    for name in production.series_of_tile(tile):
        series = production.series[name]
        listed = production.listing(series.sensor, tile).products
        read = len(production.products(name, tile))
        outside = sum(item.part == series.part for item in listed) - read
        counts.append(f"{read} {name}" + (f" ({outside} outside the period)" if outside else ""))
    regions = " ".join(production.regions_of_tiles[tile]) or "none"
    grid = describe_grid(production.grid(tile))
    return f"{', '.join(counts) or 'user features'}; {grid}; regions {regions}"
