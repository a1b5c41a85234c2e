"""The `iota2` command: scenes to try the chain on, and looks at machine and configuration.

Maps are made by Snakemake, which `iota2 run` and `iota2 demo` start. Each command is a module
beside this one with `add_parser`.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from iota2_tools.core.environment import unimportable
from iota2_tools.core.errors import Iota2Error
from iota2_tools.core.faults import fault

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
    "next",
    "change",
    "consistency",
    "season",
    "verify",
    "reproduce",
    "archive",
    "disk",
    "clean",
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
    """Entry point; a user's mistake, or missing software, ends with code 2, a fault of ours with 70.

    None of them with a traceback: that of a fault is in a log, whose path is told.
    """
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
            return fault(error)
        print(f"iota2: {told}; `iota2 doctor` tells more", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # of `iota2 … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        return fault(error)


if __name__ == "__main__":
    sys.exit(main())
