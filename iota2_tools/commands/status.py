"""`iota2 status`: how far the run of a production is, from any terminal."""

import argparse
import json
import time
from collections.abc import Iterator
from datetime import datetime

from iota2_tools.commands.production import add_place, place_from
from iota2_tools.core.places import ROOT
from iota2_tools.core.words import duration, wildcards_told
from iota2_tools.planning.ownership import Owner
from iota2_tools.planning.progress import Progress
from iota2_tools.planning.stages import stages_of_rules

EXAMPLES = """examples:
  iota2 status config/config.yaml
  iota2 status config/config.yaml --json
  watch -n 5 iota2 status config/config.yaml
"""
CODES = {"none": 3, "ended": 1, "killed": 1}
"""Exit codes by state; 0 for the others."""
MOST_RUNNING = 12
"""Jobs at work that are told one by one."""


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Options of the command."""
    parser = commands.add_parser(
        "status", help="how far the run of a production is, from another terminal",
        description="Tell how far a run is, whoever started it, here or on a cluster. Exit code: 0 if it is "
        "complete or runs, 1 if it ended before that, 3 if there was none.",
        epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add_place(parser)
    parser.add_argument("--json", action="store_true", help="the same for programs")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print it; exit code."""
    place = place_from(arguments)
    owner = Owner.read(place.owner)
    progress = Progress.of(place.journal, stages_of_rules(ROOT))
    if owner and owner.runs is not False and (not progress or progress.begun < owner.began):
        progress = None  # the journal is that of the run before
    state = state_of(progress, owner)
    if arguments.json:
        print(json.dumps({"state": state, **(progress.facts() if progress else {})}))
    elif progress:
        print("\n".join(_told(progress, state)))
    else:
        print(
            f"{place.output}: {f'is being planned by {owner}' if state == 'running' else 'no run yet'}"
        )
    return CODES.get(state, 0)


def state_of(progress: Progress | None, owner: Owner | None) -> str:
    """In one word: none, running, complete, ended (before it was complete) or killed.

    Whether a process on another machine still runs is not known here: then it does.
    """
    if progress is None:
        return "running" if owner and owner.runs is not False else "none"
    if progress.ended:
        return "complete" if progress.is_complete else "ended"
    return "killed" if progress.process_has_gone else "running"


def _told(progress: Progress, state: str) -> Iterator[str]:
    began = datetime.fromtimestamp(progress.begun)
    until = time.time() if state == "running" else progress.last
    yield (
        f"{state}: {progress.done.total()} of {progress.total} jobs, begun {began:%Y-%m-%d %H:%M:%S} by "
        f"{progress.by}, {'for' if state == 'running' else 'took'} {duration(until - progress.begun)}"
    )
    for stage, (done, total) in progress.by_stage().items():
        yield f"  {stage:<16}{done:>6} of {total}"
    if state == "running":
        jobs = list(progress.running.values())
        for job in jobs[:MOST_RUNNING]:
            yield f"  at work: {job}, {duration(time.time() - job.since)}"
        if len(jobs) > MOST_RUNNING:
            yield f"  and {len(jobs) - MOST_RUNNING} more"
        yield f"about {duration(progress.seconds_left())} left"
    for item in progress.failed:
        where = f"; log: {item['log'][0]}" if item["log"] else ""
        yield f"  failed: {item['rule']}{wildcards_told(item['wildcards'])}{where}"
    if state == "killed":
        yield "its process is gone; what is done is kept: `iota2 run` says how to go on"
