"""`iota2 run`: a production, by Snakemake on the workflow of this package, in its output folder."""

import argparse
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import IO

from iota2_tools.commands.engine import (
    environment,
    placed,
    runs_jobs,
    snakemake,
    snakemake_command,
    targets,
)
from iota2_tools.commands.production import add_place, place_from
from iota2_tools.commands.shown import Shown
from iota2_tools.core.errors import ConfigError, unwritable
from iota2_tools.core.places import ROOT
from iota2_tools.planning.journal import MARK, WATCHED
from iota2_tools.planning.ownership import Owner, owning, refuse_if_occupied
from iota2_tools.planning.progress import Progress
from iota2_tools.planning.stages import stages_of_rules
from iota2_tools.planning.whereabouts import Place, refuse_products_without_records

DESCRIPTION = """Make a production, or what is not up to date of it.

Products, logs and Snakemake's records stand in the output folder of the configuration, which is all
that is written to: the command may be started anywhere. Relative paths of the configuration count from
the current folder; started elsewhere, from the folder of the configuration or the one above it, if the
nomenclature is found from there.
"""
EXAMPLES = """examples:
  iota2 run config/config.yaml                      the whole production
  iota2 run config/config.yaml sampling             up to the end of a stage
  iota2 run config/config.yaml results/final/Classif_Seed_0.tif
  iota2 run config/config.yaml -n                   which jobs would run
  iota2 run config/config.yaml --profile slurm      on a cluster
  iota2 run config/config.yaml -- --forcerun train_model
  iota2 run config/config.yaml --unlock             after a kill, if no job of it runs any more
"""
PERIOD = 0.2
"""Seconds between two looks at what a run tells."""


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Options of the command; what stands after `--` is Snakemake's."""
    parser = commands.add_parser(
        "run", help="make a production, or what is not up to date of it",
        description=DESCRIPTION, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="iota2 run [CONFIG] [TARGET ...] [OPTION ...] [-- OPTION OF SNAKEMAKE ...]",
    )  # fmt: skip
    add_place(parser)
    parser.add_argument(
        "targets", nargs="*", metavar="TARGET", help="stage, or file of the output folder"
    )
    parser.add_argument("--profile", help="where jobs run (local)", metavar="NAME")
    parser.add_argument("-c", "--cores", help="cores to use (all)", metavar="N")
    parser.add_argument("-n", "--dry-run", action="store_true", help="say which jobs would run")
    parser.add_argument(
        "--unlock", action="store_true", help="free this production after its run was killed"
    )
    parser.set_defaults(run=run, options=[], further=[])


def run(arguments: argparse.Namespace) -> int:
    """Start Snakemake; its exit code."""
    words = [*arguments.targets, *arguments.options]
    unknown = [word for word in words if word.startswith("-")]
    if unknown:
        raise ConfigError(
            f"unknown option {unknown[0]}: options of Snakemake stand after `--`, see `iota2 run --help`"
        )
    place = place_from(arguments)
    further = placed(arguments.further, place)
    options = [*targets(words, place), *_options(arguments), *further]
    return run_production(place, options)


def _options(arguments: argparse.Namespace) -> list[str]:
    given = {"--profile": arguments.profile, "--cores": arguments.cores}
    found = [word for name, value in given.items() if value for word in (name, value)]
    found += ["--dry-run"] if arguments.dry_run else []
    return found + (["--unlock"] if arguments.unlock else [])


def run_production(place: Place, options: Sequence[str]) -> int:
    """Run Snakemake on a production with options of its; its exit code.

    Raises
    ------
    OccupiedError
        If it is being made already.
    ConfigError
        If its products were made by a Snakemake that has its records elsewhere.
    """
    if "--touch" not in options:
        refuse_products_without_records(place)
    if "--unlock" in options:
        return _unlock(place, options)
    if not runs_jobs(options):
        return snakemake(place, options)
    with owning(place) as hand_over, _messages(place) as (written, messages):
        process = subprocess.Popen(
            snakemake_command(place, options), stdout=written, stderr=written,
            env=environment(**{WATCHED: "1"}),
        )  # fmt: skip
        hand_over(process.pid)
        with _passing_on(process) as stop:
            return _watch(process, place, messages, stop)


def _unlock(place: Place, options: Sequence[str]) -> int:
    owner = Owner.read(place.owner)
    if owner and owner.runs:
        refuse_if_occupied(place)
    code = snakemake(place, options)
    if code == 0:
        place.owner.unlink(missing_ok=True)
    return code


@contextmanager
def _messages(place: Place) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """A file for what Snakemake prints, to be written and to be read; not a pipe.

    So a production goes on if the one who watches it is gone.
    """
    path = place.output / "logs" / "run.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as written, path.open("rb") as read:
            yield written, read
    except OSError as error:
        raise unwritable(str(path), error.strerror) from None


@contextmanager
def _passing_on(process: subprocess.Popen) -> Iterator[Event]:
    """Let Snakemake end in order: Ctrl-C reaches it by itself, a request to end is passed on.

    Yields
    ------
    Event
        Set once the user has asked for the end.
    """
    stop = Event()

    def end(number: int, _: object) -> None:
        stop.set()
        if number == signal.SIGTERM:
            process.terminate()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _watch(process: subprocess.Popen, place: Place, messages: IO[bytes], stop: Event) -> int:
    """Show what a run tells until it has ended; its exit code."""
    begun_at = time.time()
    shown = Shown(sys.stderr, Progress(stages_of_rules(ROOT)))
    told = _Told(messages)
    journal = _Journal(place.journal, begun_at)
    while True:
        ended = process.poll() is not None
        if stop.is_set():
            shown.stop()
        for line in told.lines():
            shown.message(line)
        shown.take(journal.lines())
        if ended:
            break
        time.sleep(PERIOD)
    for line in told.end():
        shown.message(line)
    shown.end(process.returncode)
    return process.returncode


NO_RULE = re.compile(r"No rule to produce (?P<path>\S+) \(if you use input functions .*\)\.?")
"""What Snakemake says of a target that it does not know, below the name of its exception."""
REFUSED = re.compile(r"\S+: error: (?P<what>.*)")
"""What it says of options that it does not know, below all that there are."""


def in_our_words(lines: Iterable[str]) -> Iterator[str]:
    """What Snakemake says, without its page of options, and with words of ours for unknown targets.

    >>> list(in_our_words(["usage: snakemake [-h]", "      [targets ...]", "snakemake: error: unknown --cors"]))
    ['Snakemake: unknown --cors; its options: `snakemake --help`']
    """
    usage = False
    for line in lines:
        refused, unknown = REFUSED.fullmatch(line), NO_RULE.fullmatch(line.strip())
        usage = (usage or line.startswith("usage: ")) and not refused
        if refused:
            yield f"Snakemake: {refused['what']}; its options: `snakemake --help`"
        elif unknown:
            yield (
                f"{unknown['path']}: no product of this production: another tile, region or draw, a part that is not "
                "asked for, or a typing error; docs/products.md names all"
            )
        elif not usage and line.strip() != "MissingRuleException:":
            yield line


class _Told:
    """What Snakemake prints, without what it says before it reads the workflow."""

    def __init__(self, messages: IO[bytes]) -> None:
        self._messages, self._rest = messages, b""
        self.begun, self.before = False, list[str]()

    def lines(self) -> list[str]:
        """Lines since the last look."""
        *whole, self._rest = (self._rest + self._messages.read()).split(b"\n")
        lines = [line.decode(errors="replace") for line in whole]
        if not self.begun and MARK in lines:
            self.begun = True
            lines = lines[lines.index(MARK) + 1 :]
        if self.begun:
            return list(in_our_words(lines))
        self.before += lines
        return []

    def end(self) -> list[str]:
        """What is left when it has ended: a line that was cut, and all, if it never read the workflow."""
        rest = [self._rest.decode(errors="replace")] if self._rest else []
        return list(in_our_words(rest if self.begun else [*self.before, *rest]))


class _Journal:
    """Lines of the journal of this run; that of the run before is left out."""

    def __init__(self, path: Path, since: float) -> None:
        self._path, self._since = path, since
        self._file: IO[str] | None = None
        self._rest = ""

    def lines(self) -> list[str]:
        """Whole lines since the last look."""
        if not self._file:
            try:
                if self._path.stat().st_mtime < self._since:
                    return []
                self._file = self._path.open(encoding="utf-8")
            except OSError:
                return []
        *whole, self._rest = (self._rest + self._file.read()).split("\n")
        return whole
