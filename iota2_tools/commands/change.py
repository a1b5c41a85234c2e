"""`iota2 change`: what changed between the maps of two years."""

import argparse
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING

from iota2_tools.core.errors import ConfigError

if TYPE_CHECKING:
    import shapely

    from iota2_tools.years.change import Changes

MOST_TOLD = 10


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Options of the command."""
    parser = commands.add_parser(
        "change",
        help="what changed between the maps of two years: map, confidence, hectares",
        epilog="example: iota2 change results_2018 results_2019 change_2018_2019",
    )
    parser.add_argument("before", help="output folder of a production, or a class map")
    parser.add_argument("after", help="the same of a later year")
    parser.add_argument("output", help="folder for the results")
    parser.add_argument(
        "--draw",
        help="number of the draw, or `fusion`; by default the map of all draws where there is one, else 0",
    )
    parser.add_argument(
        "--classes",
        metavar="TABLE",
        help="which classes of both maps mean the same: CSV with map,code,common,name",
    )
    parser.add_argument(
        "--judgements",
        metavar="TABLE",
        help="changes that cannot be, or hardly: CSV with from,to,judgement",
    )
    parser.add_argument(
        "--zones",
        action="append",
        default=[],
        metavar="NAME=FILE:FIELD",
        help="changes by zone (regions, departments) too; may be given several times",
    )
    parser.add_argument(
        "--nomenclature", metavar="TABLE", help="classes of a map that does not name them itself"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the results; exit code."""
    from iota2_tools.config.nomenclature import read_nomenclature
    from iota2_tools.core.locks import refuse_among_products
    from iota2_tools.years.change import ChangeRules, write_change
    from iota2_tools.years.judgement import read_judgements
    from iota2_tools.years.legends import read_common_legend, same_legend
    from iota2_tools.years.maps import common_grid, year_map
    from iota2_tools.years.transitions import Pair

    refuse_among_products(arguments.output)
    legend = read_nomenclature(arguments.nomenclature) if arguments.nomenclature else None
    before, after = (
        year_map(given, arguments.draw, legend) for given in (arguments.before, arguments.after)
    )
    grid = common_grid([before, after])
    common = (
        read_common_legend(arguments.classes, before, after)
        if arguments.classes
        else same_legend([before, after])
    )
    judged = read_judgements(arguments.judgements, common.legend) if arguments.judgements else None
    zones = zones_of(arguments.zones, grid.crs)
    tags = {"BEFORE": before.classes, "AFTER": after.classes}
    found = write_change(
        Pair(before, after, common, grid), ChangeRules(judged, zones, tags), arguments.output
    )
    print(told(found, arguments.output))
    return 0


def zones_of(given: list[str], crs: str) -> Mapping[str, Mapping[str, "shapely.Geometry"]]:
    """Layers of zones by name, from what was typed.

    Raises
    ------
    ConfigError
        If something is no `NAME=FILE:FIELD`, or a name stands twice.
    """
    from iota2_tools.geo.units import Units, word_of

    found = {}
    for text in given:
        name, sign, rest = text.partition("=")
        path, colon, field = rest.rpartition(":")
        if not (sign and colon and path and field) or word_of(name) != name:
            raise ConfigError(
                f"--zones {text}: write NAME=FILE:FIELD, as departments=data/departments.gpkg:code; NAME becomes "
                "part of the name of a file"
            )
        if name in found:
            raise ConfigError(f"--zones {text}: {name} stands twice")
        found[name] = Units(path, None, field).outlines(crs)
    return found


def told(found: "Changes", folder: str) -> str:
    """What is printed: shares, the largest changes, and what they are worth."""
    hectares = found.pixels * found.hectare
    if not found.pixels.any():
        return f"{folder}: no pixel is mapped in both"
    lines = [
        f"{hectares.sum():,.1f} ha are mapped in both; {100 * found.unchanged:.1f} % of them are of one class",
    ]
    pairs = [
        (hectares[i, j], found.legend.classes[i].name, found.legend.classes[j].name)
        for i in range(len(hectares))
        for j in range(len(hectares))
        if i != j and hectares[i, j]
    ]
    for area, first, second in sorted(pairs, key=lambda item: (-item[0], item[1:]))[:MOST_TOLD]:
        lines.append(f"  {area:12,.1f} ha  {first} > {second}")
    lines += [
        "A difference of two maps is change, or an error of one of them: on real maps mostly the latter.",
        f"For areas that changed, with their error: iota2 sample {shlex.quote(folder)}/Changed.tif (docs/annual.md)",
    ]
    return "\n".join(lines)
