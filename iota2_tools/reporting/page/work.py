"""What the jobs of a production took, and what they warned of, from their logs and benchmarks."""

import io
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from iota2_tools.reporting.page.model import RuleWork, Warned

WARNING = re.compile(r"^\S+ \S+ WARNING +(\S+): (.*)$", re.MULTILINE)
MOST_WARNINGS = 200
"""Different ones that are told; the others stay in the logs, and their number is told."""


@dataclass(frozen=True)
class JobTold:
    """A finished job: its rule, name, log, and its benchmark: seconds, CPU seconds, peak memory."""

    rule: str
    job: str
    text: str
    seconds: float
    cpu_seconds: float
    memory_mb: float

    @property
    def asked_mb(self) -> int | None:
        """Memory it was given, MB."""
        found = re.search(r"asked for: .* and (\d+) MB", self.text)
        return int(found[1]) if found else None

    @property
    def peak_mb(self) -> float:
        """Its peak of memory, MB: as it told itself, for Snakemake looks at short jobs too seldom."""
        found = re.search(r"peak memory (\d+) MB", self.text)
        return float(found[1]) if found else self.memory_mb

    @property
    def earlier(self) -> int:
        """Attempts before it that did not finish (`core.jobs`)."""
        found = re.search(r"attempts before this one that did not finish: (\d+)", self.text)
        return int(found[1]) if found else 0


def finished_jobs(results: Path, without: frozenset[str] = frozenset()) -> Iterator[JobTold]:
    """Jobs of a production with a benchmark, by name.

    Parameters
    ----------
    without : frozenset of str
        Rules that are left out.
    """
    for benchmark in sorted((results / "benchmarks").rglob("*.tsv")):
        name = benchmark.relative_to(results / "benchmarks").with_suffix("")
        if name.parts[0] in without:
            continue
        took = _figures(benchmark)
        if took is None:
            continue
        log = results / "logs" / name.with_suffix(".log")
        text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        yield JobTold(name.parts[0], str(name), text, *took)


def _figures(benchmark: Path) -> tuple[float, float, float] | None:
    """Seconds, CPU seconds and peak memory of a job; None of one that is being written, or was cut."""
    try:
        text = benchmark.read_text(encoding="utf-8")
        if not text.endswith("\n"):
            return None
        row = pd.read_csv(io.StringIO(text), sep="\t", na_values=["-", "NA"]).iloc[-1]
        seconds, cpu_seconds, memory = (float(row[name]) for name in ("s", "cpu_time", "max_rss"))
    except (OSError, ValueError, LookupError):  # no line, no such column, half a number
        return None
    return None if pd.isna(seconds) else (seconds, cpu_seconds, memory)


def by_rule(jobs: list[JobTold]) -> list[RuleWork]:
    """Sums and largest figures of each rule; the one that took longest first."""
    groups: dict[str, list[JobTold]] = defaultdict(list)
    for job in jobs:
        groups[job.rule].append(job)
    found = [
        RuleWork(
            rule=rule,
            jobs=len(items),
            hours=_sum(item.seconds for item in items) / 3600,
            longest_seconds=max(item.seconds for item in items),
            cpu_hours=_sum(item.cpu_seconds for item in items) / 3600,
            peak_mb=_largest(item.peak_mb for item in items),
            asked_mb=_largest(item.asked_mb for item in items if item.asked_mb),
            repeated=sum(item.earlier for item in items),
        )
        for rule, items in groups.items()
    ]
    return sorted(found, key=lambda item: (-item.hours, item.rule))


def _sum(values: Iterator[float]) -> float:
    """Sum of what was measured: of a job of milliseconds Snakemake measures no CPU time."""
    return float(sum(value for value in values if not pd.isna(value)))


def _largest(values: Iterator[float]) -> float | None:
    known = [float(value) for value in values if not pd.isna(value)]
    return max(known, default=None)


def warnings_of(jobs: list[JobTold]) -> list[Warned]:
    """What jobs warned of: each sentence once, with its number and the first job that said it."""
    told: Counter[str] = Counter()
    first: dict[str, str] = {}
    for job in jobs:
        for _, text in WARNING.findall(job.text):
            told[text] += 1
            first.setdefault(text, job.job)
    return [
        Warned(text=text, times=times, first=first[text])
        for text, times in sorted(told.items(), key=lambda item: (-item[1], first[item[0]]))
    ]
