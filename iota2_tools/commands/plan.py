"""`iota2 plan`: what a production would do, why, and what it would take; nothing is started."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from iota2_tools.commands.engine import environment, snakemake_command, targets
from iota2_tools.commands.production import add_place, place_from
from iota2_tools.core.files import writable_folder
from iota2_tools.core.places import ROOT
from iota2_tools.planning.journal import REFUSED

if TYPE_CHECKING:
    from iota2_tools.planning.whereabouts import Place

EXAMPLES = """examples:
  iota2 plan config/config.yaml
  iota2 plan config/config.yaml --cores 32 128      time on so many cores
  iota2 plan config/config.yaml classification      up to the end of a stage
  iota2 plan config/config.yaml --json
"""


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Options of the command."""
    parser = commands.add_parser(
        "plan", help="jobs, reasons, time, memory and disk of a production; nothing is started",
        description="Tell which jobs would run, by stage and tile, and why; what they would take. Times follow "
        "from the size of what jobs work on, and from what earlier jobs of this production took.",
        epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add_place(parser)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="stage, or file of the output")
    parser.add_argument(
        "--cores", nargs="+", type=int, default=[], metavar="N", help="time on so many cores"
    )
    parser.add_argument("--json", action="store_true", help="the same for programs, job by job")
    parser.set_defaults(run=run, options=[], further=[])


def run(arguments: argparse.Namespace) -> int:
    """Print the plan; exit code."""
    from iota2_tools.planning.outlook import Outlook
    from iota2_tools.planning.stages import stages_of_rules
    from iota2_tools.planning.watching import read_plan
    from iota2_tools.planning.whereabouts import refuse_products_without_records

    place = place_from(arguments)
    refuse_products_without_records(place)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "plan.json")
        done = _ask(place, targets(arguments.targets, place), file)
        if done.returncode or not file.exists():
            print(_said(done), file=sys.stderr)
            return done.returncode or 1
        jobs, cores = read_plan(file)
    outlook = Outlook(jobs, stages_of_rules(ROOT), place.output / "benchmarks")
    counts = sorted(set(arguments.cores)) or [cores]
    if arguments.json:
        print(json.dumps(outlook.facts(counts)))
    else:
        print("\n".join(outlook.lines(counts)))
    return 0


def _ask(place: "Place", words: list[str], file: Path) -> subprocess.CompletedProcess:
    """A dry run of Snakemake that writes its plan into a file."""
    from iota2_tools.planning.watching import PLAN

    new = not place.output.exists()
    writable_folder(place.output)
    options = [*words, "--dry-run", "--quiet", "rules", "progress", "--cores", "all"]
    done = subprocess.run(
        snakemake_command(place, options), env=environment(**{PLAN: str(file)}),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if new and not place.owner.exists():
        _leave_no_trace(place)
    return done


def _said(done: subprocess.CompletedProcess) -> str:
    """What a plan that came to nothing has said: a refusal alone, else all."""
    _, found, refusal = done.stderr.partition(REFUSED)
    return f"{REFUSED}{refusal}".strip() if found else f"{done.stdout}{done.stderr}".strip()


def _leave_no_trace(place: "Place") -> None:
    """Remove what the plan of a new production has made: Snakemake's records of nothing, empty folders."""
    shutil.rmtree(place.records, ignore_errors=True)
    for folder, _, _ in os.walk(place.output, topdown=False):
        try:
            os.rmdir(folder)
        except OSError:
            return
