"""The journal of a run: what was to do, what began, ended and failed, one line of JSON each.

Snakemake tells its handlers of records; `event` and the names of the fields are those of its
interface for logger plugins. Who reads the journal: `planning.progress`.
"""

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from iota2_tools.core.errors import Iota2Error

WATCHED = "IOTA2_WATCHED"
"""Variable of the environment: set where `iota2 run` shows the progress."""
BY_COMMAND = "IOTA2_BY_COMMAND"
"""Variable of the environment: set where a command of `iota2` has started Snakemake."""
REFUSED = "iota2: "
"""What a refusal begins with, as those of all commands do."""
MARK = "iota2: the run begins"
"""Printed when what Snakemake says before it reads the workflow is over."""

BEGUN, STARTED, FINISHED, FAILED, ENDED = "begun", "started", "finished", "failed", "ended"

Facts = Callable[[], Mapping[str, Any] | None]


def end_refused(error: Iota2Error) -> None:
    """End this process with code 2 in the words of `iota2`, where a command of it has started Snakemake.

    Snakemake itself would name the line of the workflow that looks at the inputs, and end with code 1.

    Raises
    ------
    SystemExit
        If so.
    """
    if os.environ.get(BY_COMMAND):
        print(f"{REFUSED}{error}", file=sys.stderr, flush=True)
        raise SystemExit(2) from None


class Journal(logging.Handler):
    """Writes the journal of the run of a process.

    Parameters
    ----------
    path : Path
        The journal; that of an earlier run is replaced once this one has begun.
    facts : callable
        Called once when the jobs are known: what is told of the run (`progress.Begun`), or None
        if no job will run.
    """

    def __init__(self, path: Path, facts: Facts) -> None:
        super().__init__()
        self.path = path
        self._facts = facts
        self._file: TextIO | None = None
        self._asked = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write what a record tells, if it tells of a job."""
        with suppress(OSError):  # a full disk stops the jobs, with a message of theirs
            event = str(getattr(record, "event", None) or "")
            if event == "run_info" and not self._asked:
                self._begin()
            elif event == "job_info":
                self._write(
                    STARTED,
                    job=record.__dict__["jobid"],
                    rule=record.__dict__["rule_name"],
                    wildcards=dict(record.__dict__["wildcards"] or {}),
                )
            elif event == "job_finished":
                self._write(FINISHED, job=record.__dict__["job_id"])
            elif event == "job_error":
                given = record.__dict__
                self._write(
                    FAILED, job=given["jobid"], rule=given["rule_name"], log=list(given["log"])
                )

    def _begin(self) -> None:
        self._asked = True
        facts = self._facts()
        if facts is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("w", encoding="utf-8")
        self._write(BEGUN, **facts)

    def _write(self, event: str, **facts: Any) -> None:
        if self._file:
            line = {"time": round(time.time(), 2), "event": event, **facts}
            self._file.write(f"{json.dumps(line)}\n")
            self._file.flush()

    def close(self) -> None:
        """Say that the run has ended; Snakemake closes its handlers, however it ends."""
        with suppress(OSError):
            self._write(ENDED)
            if self._file:
                self._file.close()
        self._file = None
        super().close()


class WhenPlanned(logging.Handler):
    """Calls a function once, as soon as the jobs are known.

    Parameters
    ----------
    nothing : str
        What is said in place of the number of jobs where all is up to date.
    act : callable
        What is done then.
    """

    def __init__(self, nothing: str, act: Callable[[], object]) -> None:
        super().__init__()
        self._nothing, self._act, self._done = nothing, act, False

    def emit(self, record: logging.LogRecord) -> None:
        """Look whether a record tells of the jobs."""
        planned = str(getattr(record, "event", None)) == "run_info"
        if not self._done and (planned or record.getMessage() == self._nothing):
            self._done = True
            self._act()


def is_told(record: logging.LogRecord) -> bool:
    """Whether a person who follows the progress must read a record: warnings and errors.

    Not those of single jobs: the job has told the reason, the end tells it again.
    """
    event = str(getattr(record, "event", None) or "")
    of_a_job = event in ("job_error", "group_error") or (
        event == "error" and getattr(record, "exception", "") == "RuleException"
    )
    return record.levelno >= logging.WARNING and not of_a_job
