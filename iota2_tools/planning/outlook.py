"""What a production would do: jobs by stage and tile, why, and what they take."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from iota2_tools.core.words import duration, wildcards_told
from iota2_tools.planning.changes import TAGS, reasons
from iota2_tools.planning.forecast import Cost, Forecast, Job, course

MOST_REASONS = 20
"""Reasons that are told one by one."""
MOST_JOBS = 3
"""Jobs named beside a reason."""
ROW = "  {:<16}{:>7}{:>12}{:>10}{:>12}{:>12}{:>12}"


class Outlook:
    """The plan of a production with its costs.

    Parameters
    ----------
    jobs : sequence of Job
        The plan.
    stages : mapping
        Stage of each rule, in order.
    benchmarks : Path
        What jobs of the production took before.
    """

    def __init__(self, jobs: Sequence[Job], stages: Mapping[str, str], benchmarks: Path) -> None:
        self.jobs = [job for job in jobs if job.rule in stages and job.name]
        self.needed = [job for job in self.jobs if job.needed]
        self._stages = stages
        self._forecast = Forecast(self.jobs, benchmarks)
        self.costs = {job.number: self._forecast.cost(job) for job in self.needed}

    def why(self) -> dict[str, list[Job]]:
        """Reasons in words, each with its jobs; jobs that only follow others have none."""
        found: dict[str, list[Job]] = defaultdict(list)
        for job in self.needed:
            for reason in reasons(job.why):
                found[reason].append(job)
        first = {reason: min(job.number for job in jobs) for reason, jobs in found.items()}
        return dict(sorted(found.items(), key=lambda item: (item[0] == TAGS, first[item[0]])))

    def _behind(self, jobs: Sequence[Job]) -> set[int]:
        """Jobs that will run and depend on some others, which are not counted."""
        found: set[int] = set()
        waiting = [job.number for job in jobs]
        while waiting:
            more = [number for number in self._readers[waiting.pop()] if number not in found]
            found.update(more)
            waiting += more
        return found.difference(job.number for job in jobs)

    @cached_property
    def _readers(self) -> dict[int, list[int]]:
        """Jobs that will run and read what a job makes, by its number."""
        found: dict[int, list[int]] = defaultdict(list)
        for job in self.needed:
            for before in job.after:
                found[before].append(job.number)
        return found

    def lines(self, cores: Sequence[int]) -> Iterator[str]:
        """The plan for a person, with the time on so many cores."""
        if not self.needed:
            yield f"all of {len(self.jobs)} jobs are up to date"
            return
        yield f"{len(self.needed)} of {len(self.jobs)} jobs to run, {len(self.jobs) - len(self.needed)} up to date"
        yield from self._stage_lines()
        yield from self._tile_lines()
        yield from self._why_lines()
        yield ""
        yield from self._cost_lines(cores)

    def _stage_lines(self) -> Iterator[str]:
        yield ROW.format(
            "stage", "to run", "up to date", "CPU h", "memory MB", "asked MB", "disk MB"
        )
        for stage, jobs in self._by_stage().items():
            costs = [self.costs[job.number] for job in jobs if job.needed]
            yield ROW.format(
                stage, len(costs), len(jobs) - len(costs), f"{_cpu_hours(costs):.2f}",
                f"{max((cost.memory for cost in costs), default=0):.0f}",
                f"{max((cost.asked for cost in costs), default=0):.0f}",
                f"{sum(cost.disk for cost in costs):.0f}",
            )  # fmt: skip

    def _by_stage(self) -> dict[str, list[Job]]:
        found: dict[str, list[Job]] = {stage: [] for stage in dict.fromkeys(self._stages.values())}
        for job in self.jobs:
            found[self._stages[job.rule]].append(job)
        return {stage: jobs for stage, jobs in found.items() if jobs}

    def by_tile(self) -> dict[str, tuple[int, int]]:
        """Jobs to run, and all of them, by tile."""
        every = Counter(job.wildcards["tile"] for job in self.jobs if "tile" in job.wildcards)
        needed = Counter(job.wildcards["tile"] for job in self.needed if "tile" in job.wildcards)
        return {tile: (needed[tile], every[tile]) for tile in sorted(every)}

    def _tile_lines(self) -> Iterator[str]:
        """Tiles; those with as many jobs in one line."""
        alike: dict[tuple[int, int], list[str]] = defaultdict(list)
        for tile, counts in self.by_tile().items():
            alike[counts].append(tile)
        for (needed, every), tiles in sorted(alike.items(), reverse=True):
            shown = ", ".join(tiles[:6]) + (f" and {len(tiles) - 6} more" if len(tiles) > 6 else "")
            state = f"{needed} of {every} jobs" if needed else "up to date"
            yield f"  {shown}: {state}{' each' if needed and len(tiles) > 1 else ''}"

    def _why_lines(self) -> Iterator[str]:
        why = self.why()
        yield "why"
        for reason, jobs in list(why.items())[:MOST_REASONS]:
            more = len(self._behind(jobs))
            yield f"  {reason}: {_named(jobs)}{f', and {more} behind' if more else ''}"
        if len(why) > MOST_REASONS:
            yield f"  and {len(why) - MOST_REASONS} reasons more (--json has all)"
        told = {job.number for jobs in why.values() for job in jobs}
        follow = len(self.needed) - len(told)
        if follow:
            yield f"  follow from these: {follow} job{'s' if follow > 1 else ''}"

    def _cost_lines(self, cores: Sequence[int]) -> Iterator[str]:
        costs = list(self.costs.values())
        yield f"{_cpu_hours(costs):.2f} CPU hours, {_size(sum(cost.disk for cost in costs))} of disk"
        for count in cores:
            expected = course(self.jobs, self.costs, count)
            yield (
                f"about {duration(expected.wall)} on {count} core{'s' if count > 1 else ''}, up to "
                f"{_size(expected.memory)} of memory at once; the jobs ask for up to {_size(expected.asked)}"
            )
        yield (
            f"times of {self._forecast.known} jobs are known from earlier runs of this production"
            if self._forecast.known
            else "times follow from sizes alone: nothing of this production has run yet"
        )

    def facts(self, cores: Sequence[int]) -> dict[str, Any]:
        """The same for programs."""
        costs = list(self.costs.values())
        expected = {count: course(self.jobs, self.costs, count) for count in cores}
        return {
            "jobs": len(self.jobs),
            "to_run": [
                {
                    "rule": job.rule,
                    "stage": self._stages[job.rule],
                    "wildcards": dict(job.wildcards),
                    "why": reasons(job.why),
                    "seconds": round(self.costs[job.number].wall, 1),
                    "cpu_seconds": round(self.costs[job.number].cpu, 1),
                    "memory_mb": round(self.costs[job.number].memory),
                    "asked_mb": round(self.costs[job.number].asked),
                    "disk_mb": round(self.costs[job.number].disk),
                }
                for job in self.needed
            ],
            "cpu_hours": round(_cpu_hours(costs), 4),
            "disk_mb": round(sum(cost.disk for cost in costs)),
            "on_cores": {
                str(count): {
                    "seconds": round(item.wall, 1),
                    "memory_mb": round(item.memory),
                    "asked_mb": round(item.asked),
                }
                for count, item in expected.items()
            },
        }


def _cpu_hours(costs: Sequence[Cost]) -> float:
    return sum(cost.cpu for cost in costs) / 3600


def _size(megabytes: float) -> str:
    """In a unit that shows it.

    >>> _size(23.6), _size(999.6), _size(1234)
    ('24 MB', '1.0 GB', '1.2 GB')
    """
    return f"{megabytes:.0f} MB" if round(megabytes) < 1000 else f"{megabytes / 1000:.1f} GB"


def _named(jobs: Sequence[Job]) -> str:
    """Jobs of a reason: by rule, with what they are of if they are few."""
    rules = Counter(job.rule for job in jobs)
    if len(jobs) <= MOST_JOBS:
        return ", ".join(f"{job.rule}{wildcards_told(job.wildcards)}" for job in jobs)
    shown = [f"{rule} ({count} job{'s' if count > 1 else ''})" for rule, count in rules.items()]
    more = len(shown) - 2 * MOST_JOBS
    return ", ".join(shown[: 2 * MOST_JOBS]) + (f" and {more} rules more" if more > 0 else "")
