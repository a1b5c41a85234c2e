"""`iota2 run`: a production, by Snakemake on the workflow of this package."""

import argparse


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Options of the command: all are Snakemake's."""
    parser = commands.add_parser(
        "run", usage="iota2 run [TARGET OR OPTION OF SNAKEMAKE]...",
        help="make a production: snakemake on the workflow of this package, with the profile `local`",
    )  # fmt: skip
    parser.set_defaults(run=run, options=[])


def run(arguments: argparse.Namespace) -> int:
    """Start Snakemake in this folder; its exit code."""
    from iota2_tools.commands.engine import snakemake

    return snakemake(arguments.options)
