"""`iota2 check`: all problems of a configuration and its inputs at once; nothing is started."""

import argparse


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Options of the command."""
    parser = commands.add_parser(
        "check", help="check a configuration and its inputs; nothing is started"
    )
    parser.add_argument("config", help="YAML file")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check, and tell what each tile has; exit code."""
    from iota2_tools.config.settings import read_config
    from iota2_tools.planning.checks import check
    from iota2_tools.planning.production import Production, describe_grid

    production = Production(read_config(arguments.config))
    check(production, arguments.config)
    print(f"{arguments.config}: no problem found")
    for tile in production.tiles:
        counts = ", ".join(
            f"{len(production.product_names(sensor, tile))} {sensor}"
            for sensor in production.sensors
        )
        regions = " ".join(production.regions_of_tiles[tile]) or "none"
        print(
            f"  {tile}: {counts or 'user features'}; {describe_grid(production.grid(tile))}; regions {regions}"
        )
    return 0
