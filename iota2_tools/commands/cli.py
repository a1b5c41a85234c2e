"""The `iota2` command: scenes to try the chain on, and looks at machine and configuration.

Maps are made by Snakemake, which `iota2 run` and `iota2 demo` start. Each command is a module
beside this one with `add_parser`.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence

from iota2_tools.core.environment import unimportable
from iota2_tools.core.errors import Iota2Error

COMMANDS = (
    "demo",
    "check",
    "run",
    "job",
    "summary",
    "samples",
    "zonal",
    "sample",
    "assess",
    "change",
    "consistency",
    "season",
    "doctor",
    "simulate",
    "config_reference",
)
"""Modules of this package, in the order of the help."""


def parser() -> argparse.ArgumentParser:
    """Options of the command."""
    main_parser = argparse.ArgumentParser(prog="iota2", description=__doc__.split("\n")[0])
    commands = main_parser.add_subparsers(required=True, metavar="COMMAND")
    for name in COMMANDS:
        importlib.import_module(f"iota2_tools.commands.{name}").add_parser(commands)
    return main_parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; a user's mistake, or missing software, ends with code 2 and no traceback."""
    try:
        options = parser()
        given, others = options.parse_known_args(arguments)
        if "options" in given:  # those of another program
            given.options = others
        elif others:
            options.error(f"unrecognized arguments: {' '.join(others)}")
        return given.run(given)
    except Iota2Error as error:
        print(f"iota2: {error}", file=sys.stderr)
        return 2
    except ImportError as error:
        told = unimportable(error)
        if not told:
            raise
        print(f"iota2: {told}; `iota2 doctor` tells more", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
