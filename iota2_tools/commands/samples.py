"""`iota2 samples`: the learning samples of a production, to look at or to learn from elsewhere."""

import argparse
from pathlib import Path


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Options of the command."""
    parser = commands.add_parser("samples", help="export the learning samples of a production")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    export = actions.add_parser("export", help="write them as points with their features")
    export.add_argument("results", help="output folder of the production, or its configuration")
    export.add_argument("file", help="file to write: .parquet (GeoParquet) or .gpkg (GeoPackage)")
    export.add_argument("--seed", type=int, help="those that this draw learns (all)")
    export.add_argument("--region", help="those of one region (all)")
    export.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Export them; exit code."""
    from iota2_tools.commands.production import output_folder
    from iota2_tools.reference.export import Chosen, export_samples
    from iota2_tools.reference.sources import sample_tables

    tables = sample_tables(Path(output_folder(arguments.results)))
    chosen = Chosen(arguments.seed, arguments.region)
    number = export_samples(tables, arguments.file, chosen)
    print(f"{arguments.file}: {number} samples of {len(tables)} tile(s)")
    return 0
