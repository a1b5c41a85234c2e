"""`iota2 season`: from which month on a map of this kind is worth publishing."""

import argparse


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Options of the command."""
    parser = commands.add_parser(
        "season",
        help="accuracy of a finished production by month, with the features up to then",
        epilog="example: iota2 season results --output season",
    )
    parser.add_argument(
        "results", help="output folder of a finished production, or its configuration"
    )
    parser.add_argument(
        "--nomenclature", metavar="TABLE", help="its classes; by default those that its map names"
    )
    parser.add_argument("--output", default="season", metavar="FOLDER", help="(%(default)s)")
    parser.add_argument("--draw", type=int, default=0, help="(%(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="(%(default)s)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write table and figure; exit code."""
    from math import isnan
    from pathlib import Path

    from iota2_tools.commands.production import output_folder
    from iota2_tools.config.nomenclature import read_nomenclature
    from iota2_tools.core.files import writable_folder
    from iota2_tools.core.locks import refuse_among_products
    from iota2_tools.reference.sources import sample_tables
    from iota2_tools.years.maps import year_map
    from iota2_tools.years.season import counted, models_of, season_of, write_season

    results = output_folder(arguments.results)
    sample_tables(Path(results))
    models_of(Path(results), arguments.draw)
    given = arguments.nomenclature
    nomenclature = (
        read_nomenclature(given) if given else year_map(results, str(arguments.draw)).legend
    )
    refuse_among_products(arguments.output)
    writable_folder(arguments.output)
    scores = season_of(Path(results), arguments.draw, arguments.threads, nomenclature)
    write_season(scores, nomenclature, arguments.output)
    for item in scores:
        wide = "" if isnan(item.half_width) else f" +- {item.half_width:.3f}"
        print(
            f"{item.label:8s} {item.features:5d} features  overall accuracy {item.overall:.3f}{wide}"
        )
    print(f"{arguments.output}: season.csv, season.png")
    print("\n".join(counted(scores, nomenclature)))
    return 0
