"""What a run tells of itself at its beginning: its jobs, and what they will take."""

import getpass
import json
import os
import socket
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from iota2_tools.core.files import whole_file
from iota2_tools.core.platform import process_start
from iota2_tools.planning.forecast import Forecast, Job, course, keep_works
from iota2_tools.planning.needs import Size

PLAN = "IOTA2_PLAN"
"""Variable of the environment: the file that a dry run writes its plan to (`iota2 plan`)."""


def begun(jobs: Sequence[Job], output: Path, cores: int) -> dict[str, Any]:
    """What the journal of a run begins with (`progress.Progress`).

    Parameters
    ----------
    jobs : sequence of Job
        The plan.
    output : Path
        Folder of the products.
    cores : int
        Cores of the run; of a cluster, jobs at once.
    """
    benchmarks = output / "benchmarks"
    forecast = Forecast(jobs, benchmarks)
    needed = [job for job in jobs if job.needed]
    costs = {job.number: forecast.cost(job) for job in needed}
    by_rule: dict[str, dict[str, float]] = {}
    for job in filter(lambda job: job.name, needed):  # a target only gathers files
        item = by_rule.setdefault(job.rule, {"count": 0, "seconds": 0, "threads": job.threads})
        item["count"] += 1
        item["seconds"] += costs[job.number].wall
    for item in by_rule.values():
        item["seconds"] = round(item["seconds"] / item["count"], 2)
    work = sum(min(job.threads, cores) * costs[job.number].wall for job in needed) / cores
    wall = course(jobs, costs, cores).wall
    keep_works(benchmarks, needed)
    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "user": getpass.getuser(),
        "start": process_start(os.getpid()) or "",
        "cores": cores,
        "stretch": round(wall / work, 3) if work else 1,
        "jobs": by_rule,
    }


def write_plan(path: Path, jobs: Iterable[Job], cores: int) -> None:
    """Write the jobs of a dry run, for `read_plan` in another process."""
    with whole_file(str(path)) as temporary, open(temporary, "w", encoding="utf-8") as file:
        json.dump({"cores": cores, "jobs": [_plain(job) for job in jobs]}, file)


def _plain(job: Job) -> dict[str, Any]:
    usual = Size()
    size = job.size and {k: v for k, v in vars(job.size).items() if v != getattr(usual, k)}
    return {**vars(job), "size": size, "wildcards": dict(job.wildcards)}


def read_plan(path: Path) -> tuple[list[Job], int]:
    """The jobs of a dry run, and the cores that it was asked for."""
    told = json.loads(path.read_text(encoding="utf-8"))
    jobs = [
        Job(**item | {"size": item["size"] and Size(**item["size"]), "after": tuple(item["after"])})
        for item in told["jobs"]
    ]
    return jobs, told["cores"]
