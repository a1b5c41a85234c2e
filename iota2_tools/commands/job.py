"""`iota2 job`: run one job of a production again by its log, alone, under Python's debugger."""

import argparse
import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from iota2_tools.core.debugging import TERMINAL
from iota2_tools.core.errors import InputDataError
from iota2_tools.core.places import ROOT, SNAKEFILE

if TYPE_CHECKING:
    from iota2_tools.planning.whereabouts import Place

# What a scheduler keeps of a job: not the log of its rule.
LOGS_OF_SCHEDULERS = (".snakemake/slurm_logs", ".snakemake/drmaa-verified/logs")
_RULE = re.compile(r"^(?:rule|use rule \w+ as) (\w+)(?: with)?:\n((?:[ \t].*\n|\n)*)", re.MULTILINE)
_LOG = re.compile(r'^    log:\n\s+"<logs>/([^"]+)"', re.MULTILINE)
_CONSTRAINTS = re.compile(r"^wildcard_constraints:\n((?:[ \t].*\n)*)", re.MULTILINE)
_CONSTRAINT = re.compile(r'(\w+)=r?"([^"]+)"')


@dataclass(frozen=True)
class Job:
    """One job of a production.

    Attributes
    ----------
    wildcards : mapping
        Values by name, in the order of its log.
    """

    rule: str
    wildcards: Mapping[str, str]

    @property
    def target(self) -> str:
        """How Snakemake is asked for this job and no other."""
        return (
            f"{self.rule}:{','.join(f'{name}={value}' for name, value in self.wildcards.items())}"
        )


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Options of the command."""
    parser = commands.add_parser(
        "job", help="the command that runs one job again under a debugger, by its log"
    )
    parser.add_argument("log", type=Path, help="log of its rule, in OUTPUT/logs")
    parser.add_argument(
        "--configfile",
        type=Path,
        default=Path("config/config.yaml"),
        help="configuration of the production (%(default)s)",
    )
    parser.add_argument(
        "-d", "--directory", metavar="FOLDER",
        help="folder that relative paths of the configuration count from",
    )  # fmt: skip
    parser.add_argument("--run", action="store_true", dest="at_once", help="run it at once")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Say the command, or become it."""
    from iota2_tools.planning.whereabouts import place_of

    place = place_of(arguments.configfile, arguments.directory)
    job = job_of(arguments.log, place.output / "logs", log_patterns(ROOT))
    command = command_of(job, place if place.has_records else arguments.configfile)
    if arguments.at_once:
        os.environ[TERMINAL] = "/dev/tty"
        os.execvp(command[0], command)
    print(f"{TERMINAL}=/dev/tty {shlex.join(command)}")
    return 0


def command_of(job: Job, production: "Place | Path") -> list[str]:
    """The command that runs a job alone on this machine.

    Parameters
    ----------
    job : Job
        The job.
    production : Place or Path
        A production of `iota2 run`; of plain snakemake its configuration, to be started where it was.
    """
    own = ["--cores", "all", "--force", "--allowed-rules", job.rule, "--target-jobs", job.target]
    if isinstance(production, Path):
        given = ["--snakefile", str(SNAKEFILE), "--configfile", str(production)]
        return [sys.executable, "-m", "snakemake", *given, *own]
    from iota2_tools.commands.engine import snakemake_command

    return snakemake_command(production, own)


def job_of(log: Path, logs: Path, patterns: Mapping[str, re.Pattern]) -> Job:
    """The job that writes a log.

    Parameters
    ----------
    log, logs : Path
        The log, and the folder of all logs of the production.
    patterns : mapping of re.Pattern
        By rule, the path of its logs below that folder, with a group for each wildcard.

    Raises
    ------
    InputDataError
        If no job of this production writes it.
    """
    path = log.resolve()
    if any(f"/{folder}/" in str(path) for folder in LOGS_OF_SCHEDULERS):
        raise InputDataError(
            f"{log}: this is what the scheduler kept of a job; give the log of its rule, in {logs}"
        )
    if not path.is_relative_to(logs.resolve()):
        raise InputDataError(
            f"{log}: is not in {logs}, where this production has its logs; type this in the folder "
            "where the production is started, with its --configfile"
        )
    name = path.relative_to(logs.resolve()).as_posix()
    for rule, pattern in patterns.items():
        if found := pattern.fullmatch(name):
            return Job(rule, found.groupdict())
    raise InputDataError(f"{log}: no job of a production writes this log{_nearest(path)}")


def _nearest(path: Path) -> str:
    """Logs beside it that are called nearly so."""
    beside = [str(other) for other in path.parent.glob("*.log")] if path.parent.is_dir() else []
    near = get_close_matches(str(path), beside)
    return f"; did you mean {near[0]}?" if near else ""


def log_patterns(root: Path) -> dict[str, re.Pattern]:
    """The paths of logs below their folder, by rule, as `rules/*.smk` give them."""
    constraints = _constraints((root / "workflow" / "Snakefile").read_text(encoding="utf-8"))
    found = {}
    for path in sorted((root / "rules").glob("*.smk")):
        for rule, body in _RULE.findall(path.read_text(encoding="utf-8")):
            if log := _LOG.search(body):
                found[rule] = _compiled(log[1], constraints)
    return found


def _constraints(snakefile: str) -> dict[str, str]:
    """What each wildcard may be."""
    return {
        name: values
        for block in _CONSTRAINTS.findall(snakefile)
        for name, values in _CONSTRAINT.findall(block)
    }


def _compiled(pattern: str, constraints: Mapping[str, str]) -> re.Pattern:
    """A pattern of Snakemake as a regular expression."""
    parts: Sequence[str] = re.split(r"\{(\w+)\}", pattern)
    texts = [
        f"(?P<{part}>{constraints.get(part, '.+')})" if place % 2 else re.escape(part)
        for place, part in enumerate(parts)
    ]
    return re.compile("".join(texts))
