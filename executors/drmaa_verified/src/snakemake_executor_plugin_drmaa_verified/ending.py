"""Ending jobs for certain: no permission to start, terminated, and waited for until gone."""

import time
from collections.abc import Callable, Iterable

from .record import Entry, Fence
from .session import SchedulerSilent, Session, State


def end_jobs(
    session: Session,
    fence: Fence,
    entries: Iterable[Entry],
    seconds: float,
    gone: Callable[[Entry], None],
    pause: float = 1.0,
) -> list[Entry]:
    """End jobs of this or an earlier Snakemake.

    Parameters
    ----------
    seconds : float
        How long they, or an answer of the scheduler, are waited for.
    gone : callable
        Told of each job that cannot write any more.

    Returns
    -------
    list of Entry
        Those that may still run.
    """
    end = time.monotonic() + seconds
    marked = fence.marked()
    left = [entry for entry in entries if not _already_over(fence, entry, marked, gone)]
    asked: set[str] = set()
    while True:
        left = _one_pass(session, left, asked, gone)
        if not left or time.monotonic() >= end:
            return left
        time.sleep(pause)


def _already_over(
    fence: Fence, entry: Entry, marked: set[str], gone: Callable[[Entry], None]
) -> bool:
    """Whether it had left its mark, or never started and never will.

    Learns the id of a job that started although its submission was never confirmed.
    """
    if entry.token not in marked:
        started_as = fence.revoke(entry.token)
        entry.job_id = started_as or entry.job_id
        if entry.job_id or started_as is not None:
            return False
    gone(entry)
    return True


def _one_pass(
    session: Session, entries: list[Entry], asked: set[str], gone: Callable[[Entry], None]
) -> list[Entry]:
    """Look at each job, have it ended once; those that are not gone.

    The first question without an answer ends the pass, for each may take seconds; the next
    pass begins after it.
    """
    left = []
    for place, entry in enumerate(entries, start=1):
        if entry.job_id is None:  # it runs, and there is no asking for it
            left.append(entry)
            continue
        try:
            if session.look(entry.job_id) in (State.UNKNOWN, State.ENDED):
                gone(entry)
                continue
            if entry.token not in asked:
                session.terminate(entry.job_id)
                asked.add(entry.token)
        except SchedulerSilent:
            return [*entries[place:], *left, entry]
        left.append(entry)
    return left
