"""`iota2 check`: all problems of a configuration and its inputs at once; nothing is started."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from iota2_tools.planning.production import Production


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Options of the command."""
    parser = commands.add_parser(
        "check", help="check a configuration and its inputs; nothing is started"
    )
    parser.add_argument("config", help="YAML file")
    parser.add_argument(
        "--names-only", action="store_true",
        help="do not open each image: folders and names alone, as at the start of a production",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check, and tell what each tile has; exit code."""
    from iota2_tools.planning.checks import check, check_environment, input_warnings
    from iota2_tools.planning.configuration import read_configuration
    from iota2_tools.planning.parameters import Parameters
    from iota2_tools.planning.production import Production

    check_environment()
    production = Production(read_configuration(arguments.config))
    check(production, arguments.config, headers=not arguments.names_only)
    for warning in input_warnings(production):
        print(f"WARNING: {warning}")
    print(f"{arguments.config}: no problem found")
    for tile in production.tiles:
        print(f"  {tile}: {_describe(production, tile)}")
    names = Parameters(production).external_names
    if names:
        print(f"  external features: {', '.join(names)}")
    return 0


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
