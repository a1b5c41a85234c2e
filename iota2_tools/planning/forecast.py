"""What a production will take: time, memory, disk, from needs and from what jobs took before.

A job takes what it needs to start (Python, libraries), and what its size asks for
(`planning.needs`). What jobs of the production took before (`benchmarks/`) corrects both.
"""

import csv
import heapq
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from iota2_tools.learning.traits import FOLD_PIXELS, FOLD_SAMPLES, FOLDS
from iota2_tools.planning.disk import kept_mb
from iota2_tools.planning.needs import NEEDS, Need, Size, resources

STARTING = 0.6
"""Seconds until a job works, of one core."""
STARTING_HEAVY = 2.2
"""The same of jobs that load compiled kernels and learners."""
HEAVY = (
    "classify_tile", "extract_samples", "learn_folds", "learn_folds_of_source", "smooth_tile", "train_model",
    "train_source", "write_chosen_features", "write_features",
)  # fmt: skip
SHARES = {
    "take_inventory": 0.03,
    "mask_series": 0.2,
    "extract_samples": 0.2,
    "classify_tile": 0.6,
    **dict.fromkeys(("count_polygon_pixels", "select_samples"), 0.03),
    **dict.fromkeys(
        ("draw_regions", "burn_polygons", "clip_validity", "compare_tile", "compare_raw_tile", "compare_regions",
         "compare_seams",
         "compare_regularised_tile", "compare_fusion", "compare_regularised_fusion", "count_values"),
        0.05,
    ),
    "regularise_blocks": 0.6,
    "trace_squares": 0.2,
    "shape_squares": 0.05,
    "measure_squares": 0.4,
}  # fmt: skip
"""What a job takes of the time its need allows for; measured on whole tiles and on maps of that size
(benchmarks/README.md: `needs.py`, `whole_tile.py`, `product.py`)."""
SHARE = 0.33
"""The same of other rules."""
PEAKS = {
    **dict.fromkeys(("train_model", "train_source", "learn_folds", "learn_folds_of_source"), 0.68),
    "extract_samples": 0.85,
}
"""Peak memory of a job, of what its need allows for; measured on small tiles and a whole one (benchmarks/README.md)."""
PEAK = 0.8
"""The same of other rules."""
LEARNING = ("train_model", "train_source", "learn_folds", "learn_folds_of_source")
EXTRACTING = ("extract_samples",)
DESCRIBING = ("describe_samples",)
BLOCK_PIXELS = 256**2
"""Of a block of an image: one is read if a sample lies in it."""
OF_REGIONS = ("classify_tile",)
"""Rules with a job for each region of a tile, which share its pixels."""
FOREST_SECONDS = 4.6e-8
"""To learn a forest: for each tree, times n log2(n) of its samples and the root of its features."""
BETWEEN = 0.3
"""Seconds of Snakemake from the end of a job to the beginning of the next on the same core."""
LEAST_WORK = 0.5
"""Seconds of work below which a job tells nothing of how work is estimated."""


@dataclass(frozen=True)
class Cost:
    """What a job takes: seconds from start to end, of the processors; memory and disk, MB.

    `asked` is the memory that it asks for, MB, which holds also where it is larger than usual.
    """

    wall: float
    cpu: float
    memory: float
    disk: float
    asked: float = 0


@dataclass(frozen=True)
class Took:
    """What a job took before: seconds from start to end, of the processors; its memory, MB."""

    wall: float
    cpu: float
    memory: float


@dataclass(frozen=True)
class Job:
    """A job of the plan.

    Parameters
    ----------
    number : int
        Its number in the plan.
    rule : str
        Its rule.
    wildcards : mapping
        What it is of.
    threads : int
        Cores that it occupies.
    needed : bool
        Whether it will run.
    after : tuple of int
        Jobs whose products it reads.
    size : Size or None
        What it works on; None for targets that only gather files.
    name : str
        Path of its benchmark below the folder of benchmarks, without its end; empty if it has none.
    why : mapping
        Why it will run (`planning.changes`).
    samples : float
        Pixels that a model learns, or that are read on a tile, about; 0 where that is not known or of no concern.
    polygons : float
        Polygons that they lie in, or that lie on a tile; 0 likewise.
    """

    number: int
    rule: str
    wildcards: Mapping[str, str]
    threads: int
    needed: bool
    after: tuple[int, ...]
    size: Size | None
    name: str
    why: Mapping[str, Any]
    samples: float = 0
    polygons: float = 0

    @property
    def need(self) -> Need | None:
        """What it needs for its size."""
        if not self.size or self.rule not in NEEDS:
            return None
        return NEEDS[self.rule](self._filled)

    @property
    def asked(self) -> float:
        """Memory that it asks for, MB."""
        if not self.size or self.rule not in NEEDS:
            return 0
        return float(resources(self.rule, self._filled)["mem_mb"])

    @property
    def _filled(self) -> Size:
        """What it works on, with tables of samples that may not be there yet."""
        assert self.size
        if self.rule in (*LEARNING, *DESCRIBING) and self.samples:
            return replace(self.size, input_mb=2e-6 * self.samples * self.size.features)
        return self.size

    @property
    def starting(self) -> float:
        """Seconds until it works."""
        return STARTING_HEAVY if self.rule in HEAVY else STARTING

    @property
    def work(self) -> float:
        """Seconds of one core that its size asks for, beyond those of a job of nothing."""
        need, size = self.need, self.size
        if not need or not size:
            return 0
        if self.rule in LEARNING and size.traits.forest and self.samples > 1:
            once = _forest_seconds(size, self.samples)
            if "folds" in self.rule:
                return 5 * once
            return size.fits * once + size.folds * _forest_seconds(size, self._samples_of_fold)
        above = max(need.seconds - NEEDS[self.rule](Size()).seconds, 0)
        return self.part * above * SHARES.get(self.rule, SHARE)

    @property
    def _samples_of_fold(self) -> float:
        """Samples that a model learns to judge another one: some of each polygon, but those of one fold."""
        of_polygons = FOLD_PIXELS * self.polygons if self.polygons else FOLD_SAMPLES
        dealt = min(self.samples, of_polygons, FOLD_SAMPLES)
        return max(dealt * (FOLDS - 1) / FOLDS, 1)

    @property
    def part(self) -> float:
        """Part of the tile that the job works on, about."""
        if not self.size:
            return 1
        if self.rule in EXTRACTING and self.polygons and self.size.pixels:
            return 1 - math.exp(-self.polygons * BLOCK_PIXELS / self.size.pixels)
        return 1 / self.size.regions if self.rule in OF_REGIONS else 1


def _forest_seconds(size: Size, samples: float) -> float:
    """Seconds of one core to learn a forest from so many samples."""
    once = FOREST_SECONDS * size.trees * size.traits.forest * math.sqrt(size.features)
    return once * samples * math.log2(samples)


class Forecast:
    """Costs of jobs.

    Parameters
    ----------
    jobs : iterable of Job
        The plan.
    benchmarks : Path
        Folder of what jobs took before.
    """

    def __init__(self, jobs: Iterable[Job], benchmarks: Path) -> None:
        self.jobs = list(jobs)
        self._took = {job.name: read_benchmark(benchmarks, job.name) for job in self.jobs}
        works = read_works(benchmarks)
        self._known: dict[str, list[tuple[float, Took]]] = defaultdict(list)
        for job in self.jobs:
            took = self._took[job.name]
            if took:
                self._known[job.rule].append((works.get(job.name, job.work), took))
        self._works = works

    @property
    def known(self) -> int:
        """Jobs that have been seen before."""
        return sum(took is not None for took in self._took.values())

    def cost(self, job: Job) -> Cost:
        """What a job takes."""
        need = job.need
        if not need or not job.size:
            return Cost(0, 0, 0, 0)
        asked = job.asked
        threads = max(min(job.threads, 2), 1)
        wall, cpu = job.starting + job.work / threads, job.starting + job.work
        memory = min(need.memory * PEAKS.get(job.rule, PEAK), asked)
        took = self._took[job.name]
        if took:
            before = self._works.get(job.name, job.work)
            wall = _scaled(took.wall, before, job.work, job.starting)
            cpu = _scaled(took.cpu, before, job.work, job.starting)
            memory = max(took.memory, 0) or memory
        elif self._known[job.rule]:
            known = self._known[job.rule]
            wall = _from_others([(w, t.wall) for w, t in known], job.work, job.starting)
            cpu = _from_others([(w, t.cpu) for w, t in known], job.work, job.starting)
        disk = kept_mb(job.rule, job.size, job.samples)
        shared = job.size.regions if job.rule in OF_REGIONS else 1
        return Cost(wall, cpu, memory, disk / shared, asked)


def _scaled(took: float, before: float, now: float, starting: float) -> float:
    """Seconds of a job whose work has changed since it was seen."""
    if before < LEAST_WORK or took <= starting:
        return took + max(now - before, 0)
    return starting + (took - starting) * now / before


def _from_others(known: Sequence[tuple[float, float]], work: float, starting: float) -> float:
    """Seconds of a job from those of others of its rule, each with its work."""
    works, took = (sum(values) for values in zip(*known, strict=True))
    return _scaled(took / len(known), works / len(known), work, min(starting, took / len(known)))


def read_benchmark(folder: Path, name: str) -> Took | None:
    """What a job took before; None if it has not run, or was too quick to be seen."""
    if not name:
        return None
    try:
        with (folder / f"{name}.tsv").open(encoding="utf-8") as file:
            row = next(csv.DictReader(file, delimiter="\t"))
        return Took(float(row["s"]), _number(row["cpu_time"]), _number(row["max_rss"]))
    except (OSError, StopIteration, KeyError, ValueError, TypeError):  # also of a line that is cut
        return None


def _number(text: str) -> float:
    """A figure of a benchmark; what was not seen (`-`, `NA`) counts 0."""
    try:
        return float(text)
    except ValueError:
        return 0.0


WORKS = "works.json"
"""In the folder of benchmarks: the work that each job was expected to be when it ran."""


def read_works(benchmarks: Path) -> dict[str, float]:
    """Work of each job that has run, by the path of its benchmark."""
    try:
        return json.loads((benchmarks / WORKS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def keep_works(benchmarks: Path, jobs: Iterable[Job]) -> None:
    """Keep the work of the jobs that begin now, beside that of earlier ones."""
    from iota2_tools.core.files import whole_file

    works = read_works(benchmarks)
    works |= {job.name: round(job.work, 2) for job in jobs if job.needed and job.name}
    with whole_file(str(benchmarks / WORKS)) as temporary:
        Path(temporary).write_text(json.dumps(works), encoding="utf-8")


@dataclass(frozen=True)
class Course:
    """How jobs follow one another: seconds from start to end; most memory at one time, taken and asked for (MB)."""

    wall: float
    memory: float
    asked: float = 0


def course(jobs: Sequence[Job], costs: Mapping[int, Cost], cores: int) -> Course:
    """The course of the jobs that will run on a machine with some cores.

    Each job starts as soon as what it reads is made and its cores are free; of those that could,
    those that most work waits for come first.

    Parameters
    ----------
    jobs : sequence of Job
        The plan.
    costs : mapping
        Cost of each job, by its number.
    cores : int
        Cores of the machine.
    """
    needed = {job.number: job for job in jobs if job.needed}
    waiting = {number: {n for n in job.after if n in needed} for number, job in needed.items()}
    behind: dict[int, list[int]] = defaultdict(list)
    for number, before in waiting.items():
        for other in before:
            behind[other].append(number)
    rank = _ranks(needed, behind, costs)
    ready = [(-rank[number], number) for number, before in waiting.items() if not before]
    heapq.heapify(ready)
    running: list[tuple[float, int]] = []
    free, now = cores, 0.0
    memory, asked, most, most_asked = 0.0, 0.0, 0.0, 0.0
    while ready or running:
        later = []
        while ready:
            item = heapq.heappop(ready)
            job = needed[item[1]]
            threads = min(job.threads, cores)
            if threads > free:
                later.append(item)
                if free == 0:
                    break
                continue
            free -= threads
            memory += costs[job.number].memory
            asked += costs[job.number].asked
            most, most_asked = max(most, memory), max(most_asked, asked)
            wall = costs[job.number].wall
            heapq.heappush(running, (now + wall + (BETWEEN if wall else 0), job.number))
        for item in later:
            heapq.heappush(ready, item)
        now, number = heapq.heappop(running)
        free += min(needed[number].threads, cores)
        memory -= costs[number].memory
        asked -= costs[number].asked
        for other in behind[number]:
            waiting[other].discard(number)
            if not waiting[other]:
                heapq.heappush(ready, (-rank[other], other))
    return Course(now, most, most_asked)


def _ranks(
    needed: Mapping[int, Job], behind: Mapping[int, Sequence[int]], costs: Mapping[int, Cost]
) -> dict[int, float]:
    """Seconds of the longest chain that begins with each job."""
    rank: dict[int, float] = {}
    for start in needed:
        stack = [start]
        while stack:
            number = stack[-1]
            missing = [other for other in behind.get(number, ()) if other not in rank]
            if missing:
                stack.extend(missing)
                continue
            stack.pop()
            after = max((rank[other] for other in behind.get(number, ())), default=0.0)
            rank[number] = costs[number].wall + after
    return rank
