"""Land-cover maps from satellite image time series: configurations, productions, and what follows a map.

Maps are made by Snakemake, which `iota2 run` and `iota2 demo` start. Each command is a module
beside this one with `add_parser`.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib.metadata import version

from iota2_tools.commands.examples import epilog
from iota2_tools.core.environment import unimportable
from iota2_tools.core.errors import Iota2Error
from iota2_tools.core.faults import fault

COMMANDS = (
    "demo",
    "init",
    "check",
    "plan",
    "run",
    "status",
    "summary",
    "job",
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
    "convert_config",
    "completion",
    "config_reference",
)
"""Modules of this package, in the order of the help."""
EPILOG = """examples:
  iota2 demo                            a first map, of a simulated scene
  iota2 init data                       a configuration for the data in a folder
  iota2 check config/config.yaml        what is wrong with it and its inputs
  iota2 plan config/config.yaml         which jobs, why, how long
  iota2 run config/config.yaml          the production
`iota2 COMMAND --help` has examples of each.
"""


def parser(word: str = "") -> argparse.ArgumentParser:
    """Options of the command.

    Parameters
    ----------
    word : str
        First word that was typed: if it is a command, those of the others are not read.
    """
    main_parser = argparse.ArgumentParser(
        prog="iota2", description=__doc__.split("\n")[0], epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    main_parser.add_argument("--version", action="version", version=f"iota2 {_version()}")
    commands = main_parser.add_subparsers(required=True, metavar="COMMAND")
    module = word.replace("-", "_")
    for name in (module,) if module in COMMANDS else COMMANDS:
        importlib.import_module(f"iota2_tools.commands.{name}").add_parser(commands)
    for command, own in commands.choices.items():
        if not own.epilog:
            own.epilog = epilog(command)
            own.formatter_class = argparse.RawDescriptionHelpFormatter
        own.set_defaults(of=own)
    return main_parser


def _refuse_unknown(options: argparse.ArgumentParser, word: str) -> None:
    """Say which command was meant, where none is of that name."""
    names = [name.replace("_", "-") for name in COMMANDS]
    if word in names:
        return
    like = get_close_matches(word, names, n=1)
    meant = f", did you mean {like[0]!r}?" if like else f"; there are {', '.join(names)}"
    options.error(f"unknown command {word!r}{meant}")


def _version() -> str:
    return version("iota2-tools")


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; a user's mistake, or missing software, ends with code 2, a fault of ours with 70.

    None of them with a traceback: that of a fault is in a log, whose path is told.
    """
    try:
        words = list(sys.argv[1:] if arguments is None else arguments)
        options = parser(*words[:1])
        if words and not words[0].startswith("-"):
            _refuse_unknown(options, words[0])
        further = []
        if words[:1] == ["run"] and "--" in words:  # what follows is Snakemake's
            further = words[words.index("--") + 1 :]
            words = words[: words.index("--")]
        given, others = options.parse_known_args(words)
        if "options" in given:  # targets that stand behind an option
            given.options, given.further = others, further
        elif others:  # with the usage of the command, not of all
            given.of.error(f"unrecognized arguments: {' '.join(others)}")
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
