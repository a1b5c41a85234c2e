"""`iota2 archive`: a copy of what must outlive a production, in a folder that stands alone."""

import argparse


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Options of the command."""
    parser = commands.add_parser(
        "archive",
        help="copy final products, models, samples and lock into a folder that stands alone",
        description="Copies final products, models, samples, records, benchmarks and lock of a finished production, "
        "with its complete configuration, into a new folder, and verifies the copy.",
        epilog="example: iota2 archive results /archive/landcover_2018",
    )
    parser.add_argument(
        "output", help="output folder of a finished production, or its configuration"
    )
    parser.add_argument("target", help="folder to make")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Copy; exit code."""
    from iota2_tools.commands.production import output_folder
    from iota2_tools.publishing.housekeeping import archive

    copied = archive(output_folder(arguments.output), arguments.target)
    print(f"{arguments.target}: {len(copied)} file(s), verified against their lock")
    return 0
