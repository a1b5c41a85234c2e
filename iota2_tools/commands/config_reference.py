"""`iota2 config-reference`: the reference page of the configuration."""

import argparse
import sys


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Options of the command."""
    parser = commands.add_parser(
        "config-reference", help="print the reference page of the configuration"
    )
    parser.set_defaults(run=run)


def run(_arguments: argparse.Namespace) -> int:
    """Print the page; exit code."""
    from iota2_tools.config.settings import describe_schema

    sys.stdout.write(describe_schema())
    return 0
