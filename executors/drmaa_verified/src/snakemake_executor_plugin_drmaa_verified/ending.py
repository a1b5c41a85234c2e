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
        left = [entry for entry in left if not _try_to_end(session, entry, asked, gone)]
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
        entry.job_id = fence.revoke(entry.token) or entry.job_id
        if entry.job_id:
            return False
    gone(entry)
    return True


def _try_to_end(
    session: Session, entry: Entry, asked: set[str], gone: Callable[[Entry], None]
) -> bool:
    """One step; whether the job is gone. A silent scheduler is asked again at the next step."""
    try:
        if session.look(entry.job_id) in (State.UNKNOWN, State.ENDED):
            gone(entry)
            return True
        if entry.token not in asked:
            session.terminate(entry.job_id)
            asked.add(entry.token)
    except SchedulerSilent:
        pass
    return False
