"""What a production of many small tiles costs a scheduler: a real Slurm and a real Grid Engine on this machine.

Tiles of 64 x 64 pixels, so that nearly all is starting, submitting and waiting. The schedulers are those of
`make test-cluster`, on loopback, with their programs installed by root. Times of jobs are the scheduler's own
(Slurm's jobcomp/filetxt, Grid Engine's accounting), whole seconds. CPU of jobs is all that they and what they started
took; `scripts` is what their benchmarks say, the rest is Snakemake's own start in each job. `lost` is wall time in
which a slot had no job. Opened files are counted by fatrace (the kernel's fanotify), so not those that are not there.
With `--minutes` a run is interrupted after so long, and figures are those of the jobs that had ended by then.

Usage: python benchmarks/schedulers.py [--tiles 120] [--dates 4] [--slots 2] [--target all] [--minutes 60]
       [--only gridengine]
"""

import argparse
import ctypes
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "cluster"))

from cluster import (  # noqa: E402
    Cluster,
    Snakemake,
    debian_packages,
    install_debian_packages,
    ordinary_user,
)
from gridengine import PRESEED, running_gridengine  # noqa: E402
from slurm import running_slurm  # noqa: E402
from submitter import Submitter  # noqa: E402

from iota2_tools.planning.forecast import read_benchmark  # noqa: E402
from iota2_tools.simulate import SceneSettings, simulate_scene  # noqa: E402
from iota2_tools.simulate.settings import COLUMN_LETTERS, ROW_LETTERS  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
SUBMITTED = re.compile(r"Job (\d+) has been submitted with SLURM jobid (\d+)")
OF_A_TILE = "take_inventory"
"""Rule whose jobs are one a tile, and in the first submission of it."""
SUBREAPER = 36  # prctl: what its parent leaves behind becomes a child of this process
STEP = "slurmstepd"
PROFILES = ("slurm-native", "gridengine")


@dataclass(frozen=True)
class Ran:
    """A job of the scheduler: seconds since the epoch, and how many slots it had."""

    job: str
    submitted: float
    started: float
    ended: float
    slots: int


@dataclass
class Watched:
    """What was seen of a run.

    Parameters
    ----------
    cpu : dict
        Seconds of the processors by role: snakemake, controller, node, jobs.
    opened : Counter
        Files opened below the production and below the clone.
    interrupted : bool
        Whether the run was ended before its end.
    """

    begun: float = 0.0
    ended: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)
    memory_mb: dict[str, float] = field(default_factory=dict)
    descriptors: int = 0
    opened: Counter = field(default_factory=Counter)
    interrupted: bool = False


def main() -> None:
    """Print a table for each scheduler."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in (("tiles", 120), ("dates", 4), ("slots", 2)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--target", default="all", help="stage to run up to")
    parser.add_argument("--minutes", type=float, default=60, help="most minutes of each run")
    parser.add_argument("--only", choices=PROFILES)
    given = parser.parse_args()
    if os.getuid():
        raise SystemExit("schedulers are installed and started by root")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the daemons are ended too
    ctypes.CDLL(None).prctl(SUBREAPER, 1)
    for block, answers in (("slurm", ""), ("grid engine", PRESEED), ("opened files", "")):
        install_debian_packages(debian_packages(block), answers)
    print(f"{given.tiles} tiles of 64 x 64 pixels, {given.dates} dates, {given.slots} slots")
    with tempfile.TemporaryDirectory(prefix="iota2-schedulers-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        prepare(folder / "made", given)
        if given.only != "gridengine":
            with_slurm(folder, given)
        if given.only != "slurm-native":
            with_gridengine(folder, given)


def prepare(folder: Path, given: argparse.Namespace) -> None:
    """The scene and its configuration; each scheduler gets a copy."""
    names = [f"T31T{column}{row}" for row in ROW_LETTERS for column in COLUMN_LETTERS]
    tiles = tuple(names[: given.tiles])
    settings = SceneSettings(size=64, dates=given.dates, tiles=tiles, cloud_cover=0.1)
    simulate_scene(settings, folder / "scene", jobs=2)
    config = {
        "output": "results",
        "tiles": list(tiles),
        "sensors": {"sentinel2": {"path": "scene/sentinel2", "temporal_resolution": 60}},
        "reference": {"path": "scene/reference/reference.gpkg", "field": "code"},
        "nomenclature": "scene/reference/nomenclature.csv",
        "learning": {"parameters": {"n_estimators": 5}},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")


def with_slurm(folder: Path, given: argparse.Namespace) -> None:
    """The production by `slurm-native`."""
    told = folder / "slurm.jobs"
    shutil.copytree(folder / "made", folder / "slurm")
    settings = f"JobCompType=jobcomp/filetxt\nJobCompLoc={told}\n"
    with running_slurm(folder / "daemons", cpus=given.slots, settings=settings) as slurm:
        daemons = {name: slurm.daemons[program].pid for name, program in
                   (("controller", "slurmctld"), ("node", "slurmd"))}  # fmt: skip
        with watching(folder / "slurm", daemons) as seen:
            submitter = Submitter(slurm, quick=False)
            run = submitter.start(folder / "slurm", ROOT / "workflow" / "Snakefile",
                                  *options(folder / "slurm", given),
                                  limits={"threads": given.slots})  # fmt: skip
            follow(run, daemons, seen, given.minutes)
    tell("slurm-native", run, seen, jobs_of_slurm(told), given)


def with_gridengine(folder: Path, given: argparse.Namespace) -> None:
    """The production by `gridengine`."""
    with ordinary_user() as user, running_gridengine(given.slots) as engine:
        assert engine.master is not None
        assert engine.execution is not None
        daemons = {"controller": engine.master.pid, "node": engine.execution.pid}
        place = user.home / "production"
        shutil.copytree(folder / "made", place)
        site = place / "site.yaml"
        site.write_text(yaml.safe_dump({"limits": {"threads": given.slots}}), encoding="utf-8")
        user.give(place)
        environment = engine.environment | {"IOTA2_SITE": str(site)}
        cluster = Cluster(user, "gridengine", environment)
        with watching(place, daemons) as seen:
            run = cluster.snakemake(place, ROOT / "workflow" / "Snakefile", *options(place, given))
            follow(run, daemons, seen, given.minutes)
        told = engine.root / "default" / "common" / "accounting"
        tell("gridengine", run, seen, jobs_of_gridengine(told), given)


def options(place: Path, given: argparse.Namespace) -> list[str]:
    return [given.target, "--configfile", str(place / "config.yaml")]


# Watching.


@contextmanager
def watching(place: Path, daemons: dict[str, int]) -> Iterator[Watched]:
    """Count opened files and adopt what daemons leave behind, while a run goes on."""
    seen = Watched(begun=time.time())
    before = {name: cpu_of(pid) for name, pid in daemons.items()}
    tracer = subprocess.Popen(
        ["fatrace", "--filter=O"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    places = {f" {place}/": "production", f" {ROOT}/": "clone"}
    counting = threading.Thread(target=count_opened, args=(tracer, places, seen.opened))
    counting.start()
    try:
        yield seen
    finally:
        tracer.terminate()
        tracer.wait()
        counting.join()
    for name in daemons:
        seen.cpu[name] -= before[name][0]
    seen.cpu["jobs"] -= before["node"][1]


def count_opened(tracer: subprocess.Popen, places: dict[str, str], opened: Counter) -> None:
    """Count the lines of fatrace by where the file lies."""
    for line in tracer.stdout or ():
        for prefix, name in places.items():
            if prefix in line:
                opened[name] += 1


def follow(run: Snakemake, daemons: dict[str, int], seen: Watched, minutes: float) -> None:
    """Look every half second until Snakemake has ended; it must end well, or is interrupted."""
    adopted = 0.0
    try:
        while run.process.poll() is None:
            if time.time() - seen.begun > 60 * minutes and not seen.interrupted:
                seen.interrupted, seen.ended = True, time.time()
                run.process.send_signal(signal.SIGINT)
            adopted += reap()
            look_at(run.process.pid, seen)
            time.sleep(0.5)
    finally:
        run.process.kill()  # if this program is ended before it
    seen.ended = seen.ended or time.time()
    if run.process.returncode and not seen.interrupted:
        raise SystemExit(f"the production failed\n{run.printed}")
    time.sleep(3)  # the last steps go
    for name, daemon in daemons.items():
        seen.cpu[name] = cpu_of(daemon)[0]
        seen.memory_mb[name] = peak_of(daemon)
    seen.cpu["jobs"] = adopted + reap() + cpu_of(daemons["node"])[1]


def look_at(pid: int, seen: Watched) -> None:
    """What Snakemake has taken so far."""
    with suppress(OSError, IndexError):  # it has ended
        seen.cpu["snakemake"] = sum(cpu_of(pid))
        seen.memory_mb["snakemake"] = peak_of(pid)
        seen.descriptors = max(seen.descriptors, len(os.listdir(f"/proc/{pid}/fd")))


def reap() -> float:
    """CPU seconds of the steps of Slurm that have ended, with all that they waited for."""
    total = 0.0
    for task in Path("/proc/self/task").iterdir():
        for pid in map(int, (task / "children").read_text().split()):
            with suppress(OSError):
                if Path(f"/proc/{pid}/comm").read_text().strip() == STEP:
                    ended, _, usage = os.wait4(pid, os.WNOHANG)
                    total += usage.ru_utime + usage.ru_stime if ended else 0
    return total


def cpu_of(pid: int) -> tuple[float, float]:
    """CPU seconds of a process, and of its children that have ended."""
    values = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own, children = (int(values[n]) + int(values[n + 1]) for n in (11, 13))
    return own / TICKS, children / TICKS


def peak_of(pid: int) -> float:
    """Peak memory of a process, MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


# What schedulers tell.


def jobs_of_slurm(told: Path) -> list[Ran]:
    """Jobs that ended well, of `jobcomp/filetxt`: JobId=1 … StartTime=2026-01-01T00:00:00 …"""
    found = []
    for line in told.read_text(encoding="utf-8").splitlines():
        facts = dict(word.split("=", 1) for word in line.split() if "=" in word)
        if facts["JobState"] != "COMPLETED":
            continue
        times = (
            datetime.fromisoformat(facts[name]).timestamp()
            for name in ("SubmitTime", "StartTime", "EndTime")
        )
        found.append(Ran(facts["JobId"], *times, slots=int(facts["ProcCnt"])))
    return found


def jobs_of_gridengine(told: Path) -> list[Ran]:
    """Jobs that ended well, of the accounting file (accounting(5)): id, times of submission, start and end, slots."""
    found = []
    for line in told.read_text(encoding="utf-8").splitlines():
        cells = line.split(":")
        if line.startswith("#") or cells[11:13] != ["0", "0"]:  # failed, exit_status
            continue
        times = (seconds(text) for text in cells[8:11])
        found.append(Ran(cells[5], *times, slots=int(cells[34])))
    return found


def seconds(text: str) -> float:
    """Grid Engine's later versions count milliseconds."""
    return float(text) / (1000 if len(text) > 10 else 1)


def noticed(run: Snakemake, ran: list[Ran]) -> list[float]:
    """Seconds from the end of each job to when Snakemake knew; of single jobs, not groups."""
    ends = {job.job: job.ended for job in ran}
    by_scheduler = {job: ends.get(external) for job, external in submissions(run)}
    found = []
    for told in lines_of(run.folder / "results" / "logs" / "run.jsonl"):
        ended = by_scheduler.get(told.get("job", -1))
        if told["event"] == "finished" and ended:
            found.append(told["time"] - ended)
    return found


def submissions(run: Snakemake) -> Iterator[tuple[int, str]]:
    """Snakemake's and the scheduler's number of each single job, as the executors tell them."""
    yield from ((int(job), external) for job, external in SUBMITTED.findall(run.printed))
    for path in (run.folder / ".snakemake" / "drmaa-verified" / "runs").glob("*.jsonl"):
        names: dict[str, str] = {}
        for told in lines_of(path):
            names[told["token"]] = told.get("name", names.get(told["token"], ""))
            number = names[told["token"]].rpartition(" job ")[2]
            if told["event"] == "submitted" and number.isdigit():
                yield int(number), told["job_id"]


def lines_of(path: Path) -> list[dict]:
    """A file with one JSON a line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def burst_of(run: Snakemake) -> list[float]:
    """When the first job of each tile was handed over, in order of time."""
    told = lines_of(run.folder / "results" / "logs" / "run.jsonl")
    return sorted(item["time"] for item in told
                  if item["event"] == "started" and item["rule"] == OF_A_TILE)  # fmt: skip


def work_of_scripts(benchmarks: Path) -> tuple[int, float]:
    """Number of jobs that left a benchmark, and their seconds of the processors."""
    names = [
        str(path.relative_to(benchmarks).with_suffix("")) for path in benchmarks.rglob("*.tsv")
    ]
    took = [read_benchmark(benchmarks, name) for name in names]
    return len(took), sum(item.cpu for item in took if item)


def tell(
    profile: str, run: Snakemake, seen: Watched, ran: list[Ran], given: argparse.Namespace
) -> None:
    """Print what was measured."""
    jobs, scripts = work_of_scripts(run.folder / "results" / "benchmarks")
    wall = seen.ended - seen.begun
    ran = [job for job in ran if job.ended <= seen.ended]
    burst = burst_of(run)
    worked = sum(job.slots * (job.ended - job.started) for job in ran)
    late = noticed(run, ran)
    waits = [job.started - job.submitted for job in ran]
    count = len(ran)
    cpu = seen.cpu
    everything = cpu["jobs"] + cpu["snakemake"]
    rows = [
        ("jobs that ended, in submissions", f"{jobs}, {count}"),
        ("wall s", f"{wall:.0f}"),
        ("  before the first submission", f"{min(job.submitted for job in ran) - seen.begun:.0f}"),
        ("  lost: slots without a job", f"{wall - worked / given.slots:.0f}"),
        ("submitted a second, the first of all tiles",
         f"{(len(burst) - 1) / max(burst[-1] - burst[0], 1):.1f}"),
        ("wait in the queue s, median", f"{statistics.median(waits):.0f}"),
        ("end to Snakemake s, median (most)",
         f"{statistics.median(late):.1f} ({max(late):.0f})" if late else "groups alone"),
        ("CPU s of jobs, a submission", f"{cpu['jobs']:.0f}, {cpu['jobs'] / count:.1f}"),
        ("  share of the time of their slots", f"{100 * cpu['jobs'] / worked:.0f} %"),
        ("  of them the scripts, a job", f"{scripts:.0f}, {scripts / jobs:.1f}"),
        ("CPU s of Snakemake where it was started", f"{cpu['snakemake']:.0f}"),
        ("share of Snakemake in all CPU", f"{100 * (1 - scripts / everything):.0f} %"),
        (
            "CPU s of the controller, % of a core",
            f"{cpu['controller']:.1f}, {100 * cpu['controller'] / wall:.1f}",
        ),
        ("CPU s of the node's daemon", f"{cpu['node']:.1f}"),
        ("peak MB: Snakemake, controller",
         f"{seen.memory_mb['snakemake']:.0f}, {seen.memory_mb['controller']:.0f}"),
        ("files open at once by Snakemake", f"{seen.descriptors}"),
        ("files opened in the production, a job",
         f"{seen.opened['production']}, {seen.opened['production'] / jobs:.0f}"),
        ("files opened in the clone, a submission",
         f"{seen.opened['clone']}, {seen.opened['clone'] / count:.0f}"),
    ]  # fmt: skip
    end = f", interrupted after {given.minutes:g} minutes" if seen.interrupted else ""
    print(f"\n{profile}, up to {given.target}{end}")
    for name, value in rows:
        print(f"  {name:<46}{value:>20}", flush=True)


if __name__ == "__main__":
    main()
