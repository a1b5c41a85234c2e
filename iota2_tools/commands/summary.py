"""`iota2 summary`: where the products of a production are, and its accuracy."""

import argparse
from pathlib import Path


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Options of the command."""
    parser = commands.add_parser(
        "summary", help="where the products of a production are, and its accuracy"
    )
    parser.add_argument("results", help="output folder of the production, or its configuration")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print it; exit code."""
    from iota2_tools.commands.production import output_folder
    from iota2_tools.reporting.summary import summary

    print(summary(Path(output_folder(arguments.results))))
    return 0
