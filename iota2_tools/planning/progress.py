"""How far a run is, from its journal: stages, jobs, time left."""

import json
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from iota2_tools.core.platform import process_start
from iota2_tools.core.words import duration, wildcards_told
from iota2_tools.planning.journal import BEGUN, ENDED, FAILED, FINISHED, STARTED

QUICK = 5.0
"""Planned seconds up to which a job hardly does more than start."""
MOST_OF_QUICK = 2.0
"""How far quick jobs alone change what is expected of the work of others."""
DOUBT = 10.0
"""Planned seconds of long jobs that count as much as the guess before any has ended."""


@dataclass(frozen=True)
class AgainstPlan:
    """Jobs that have ended: how many, the seconds that they were planned to take and took."""

    jobs: int
    planned: float
    took: float

    @property
    def pace(self) -> float:
        """What they took against their plan; 1 if nothing can be told."""
        return self.took / self.planned if self.planned > 0 and self.took > 0 else 1.0

    @property
    def beyond(self) -> float:
        """Seconds that each took beyond its plan, on average."""
        return (self.took - self.planned) / self.jobs if self.jobs else 0.0


@dataclass(frozen=True)
class Running:
    """A job at work: its rule, its wildcards, when it began (seconds since the epoch)."""

    rule: str
    wildcards: Mapping[str, str]
    since: float

    def __str__(self) -> str:
        return f"{self.rule}{wildcards_told(self.wildcards)}"


@dataclass
class Progress:
    """What a journal tells so far.

    Parameters
    ----------
    stages : mapping
        Stage of each rule, in order.
    """

    stages: Mapping[str, str]
    begun: float = 0
    ended: float = 0
    last: float = 0
    cores: int = 1
    stretch: float = 1
    host: str = ""
    pid: int = 0
    user: str = ""
    start: str = ""
    planned: dict[str, dict[str, float]] = field(default_factory=dict)
    running: dict[int, Running] = field(default_factory=dict)
    done: Counter = field(default_factory=Counter)
    failed: list[dict[str, Any]] = field(default_factory=list)
    _seconds: Counter = field(default_factory=Counter)

    @classmethod
    def of(cls, journal: Path, stages: Mapping[str, str]) -> "Progress | None":
        """What a whole journal tells; None if there is none."""
        try:
            lines = journal.read_text(encoding="utf-8").splitlines()
        except OSError:
            return None
        found = cls(stages)
        found.feed(lines)
        return found if found.begun else None

    def feed(self, lines: Iterable[str]) -> None:
        """Take further lines of the journal; one that is not whole is left out."""
        for line in lines:
            try:
                told = json.loads(line)
            except ValueError:
                continue
            self.last = told["time"]
            self._take(told["event"], told)

    def _take(self, event: str, told: Mapping[str, Any]) -> None:
        if event == BEGUN:
            self.begun, self.cores = told["time"], max(told["cores"], 1)
            self.planned, self.stretch = told["jobs"], told["stretch"]
            self.host, self.pid = told["host"], told["pid"]
            self.user, self.start = told["user"], told.get("start", "")
        elif event == STARTED and told["rule"] in self.planned:
            self.running[told["job"]] = Running(told["rule"], told["wildcards"], told["time"])
        elif event == FINISHED and told["job"] in self.running:
            job = self.running.pop(told["job"])
            self.done[job.rule] += 1
            self._seconds[job.rule] += told["time"] - job.since
            self.failed = [item for item in self.failed if item["job"] != told["job"]]
        elif event == FAILED:
            ended = self.running.pop(told["job"], None)
            self.failed = [item for item in self.failed if item["job"] != told["job"]]
            self.failed.append({**told, "wildcards": dict(ended.wildcards) if ended else {}})
        elif event == ENDED:
            self.ended = told["time"]
            self.running.clear()

    @property
    def total(self) -> int:
        """Jobs of the run."""
        return int(sum(item["count"] for item in self.planned.values()))

    @property
    def by(self) -> str:
        """Who began the run."""
        return f"{self.user} on {self.host}, process {self.pid}"

    @property
    def process_has_gone(self) -> bool:
        """Whether the process of the run is no more; one of another machine is taken to be there."""
        return self.host == socket.gethostname() and process_start(self.pid) != self.start

    def facts(self) -> dict[str, Any]:
        """The same for programs: times in seconds since the epoch, by stage jobs done and all."""
        return {
            "by": {"user": self.user, "host": self.host, "pid": self.pid},
            "begun": self.begun,
            "last": self.last,
            "done": self.done.total(),
            "jobs": self.total,
            "stages": self.by_stage(),
            "running": [str(job) for job in self.running.values()],
            "failed": [{"rule": item["rule"], "log": item["log"]} for item in self.failed],
            "seconds_left": round(self.seconds_left()) if not self.ended else None,
        }

    @property
    def is_complete(self) -> bool:
        """Whether all jobs are done."""
        return self.done.total() == self.total

    def by_stage(self) -> dict[str, tuple[int, int]]:
        """Jobs done, and all of them, by stage in order; those of no stage are left out."""
        order = dict.fromkeys(self.stages.values())
        found = dict.fromkeys(order, (0, 0))
        for rule, item in self.planned.items():
            if rule in self.stages:
                done, total = found[self.stages[rule]]
                found[self.stages[rule]] = done + self.done[rule], total + int(item["count"])
        return {stage: counts for stage, counts in found.items() if counts[1]}

    def stage(self) -> str:
        """The first stage of which a job runs; else the first that is not done."""
        by_stage = self.by_stage()
        at_work = {self.stages.get(job.rule) for job in self.running.values()}
        left = [stage for stage, (done, total) in by_stage.items() if done < total]
        return next((stage for stage in left if stage in at_work), left[0] if left else "")

    def seconds_left(self, now: float | None = None) -> float:
        """Seconds until the end, about.

        The jobs that are left take what those of their rule took in this run; where none has
        ended, what was planned, corrected by how the others did (`_expected`). All cores work but
        for what the order of the jobs does not let them (`stretch`).
        """
        now = time.time() if now is None else now
        work = 0.0
        for rule, item in self.planned.items():
            each = (
                self._seconds[rule] / self.done[rule] if self.done[rule] else self._expected(rule)
            )
            spent = [now - job.since for job in self.running.values() if job.rule == rule]
            left = item["count"] - self.done[rule]
            seconds = left * each - sum(min(value, each) for value in spent)
            work += max(seconds, 0) * min(item["threads"], self.cores)
        return work / self.cores * self.stretch

    def _expected(self, rule: str) -> float:
        """Seconds of a job of a rule of which none has ended.

        Quick jobs (`QUICK`) hardly do more than start. What they take beyond their plan, others
        take as well, once; of how fast the machine works they tell little (`MOST_OF_QUICK`).
        """
        quick = self._against_plan(lambda seconds: seconds <= QUICK)
        long = self._against_plan(lambda seconds: seconds > QUICK)
        planned, pace = self.planned[rule]["seconds"], quick.pace
        if planned <= QUICK:
            return planned * (pace if quick.jobs else long.pace)
        guess = min(max(pace, 1 / MOST_OF_QUICK), MOST_OF_QUICK)
        pace = (long.took + guess * DOUBT) / (long.planned + DOUBT)
        return max(planned * pace + quick.beyond, 0.0)

    def _against_plan(self, which: Callable[[float], bool]) -> "AgainstPlan":
        """What those jobs that have ended took, whose planned seconds are such."""
        rules = [rule for rule in self.done if which(self.planned[rule]["seconds"])]
        return AgainstPlan(
            sum(self.done[rule] for rule in rules),
            sum(self.planned[rule]["seconds"] * self.done[rule] for rule in rules),
            sum(self._seconds[rule] for rule in rules),
        )

    def line(self, now: float | None = None) -> str:
        """The progress in one line: stage, jobs, time left."""
        stage, done = self.stage(), self.done.total()
        parts = [f"{done} of {self.total} jobs"]
        if stage:
            of_stage, total = self.by_stage()[stage]
            parts.insert(0, f"{stage} {of_stage}/{total}")
        if self.failed:
            parts.append(f"{len(self.failed)} failed")
        if done < self.total:
            parts.append(f"about {duration(self.seconds_left(now))} left")
        return ", ".join(parts)
