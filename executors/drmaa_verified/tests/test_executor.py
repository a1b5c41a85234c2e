"""What of the executor can be told without a scheduler."""

import asyncio
import os
from types import SimpleNamespace

from snakemake_executor_plugin_drmaa_verified import Executor
from snakemake_executor_plugin_drmaa_verified.executor import own_umask
from snakemake_executor_plugin_drmaa_verified.record import Entry, Fence, Journal, read_journal
from snakemake_executor_plugin_drmaa_verified.session import State


def test_a_sweep_without_jobs_touches_nothing_that_may_not_be_there_yet():
    """The base class starts its thread before `__post_init__`; an error there hangs Snakemake."""

    async def sweep(executor):
        return [info async for info in executor.check_active_jobs([])]

    assert asyncio.run(sweep(Executor.__new__(Executor))) == []


def executor_in(folder) -> Executor:
    executor = Executor.__new__(Executor)
    executor.fence, executor.journal = Fence(folder), Journal(folder)
    executor.settings = SimpleNamespace(pass_variables="PATH")
    executor.umask = own_umask()
    return executor


def test_of_two_jobs_with_one_permission_the_one_that_works_is_followed(tmp_path):
    """A library that lost the answer submits again, and tells the second id."""
    executor = executor_in(tmp_path)
    entry = Entry("a", "rule a", ["a.tif"], "a.log", "8.server")
    executor.journal.submitting(entry)
    executor.fence.allow(entry)
    submission = SimpleNamespace(entry=entry, info=SimpleNamespace())
    assert not executor._follow_claimant(submission)
    folder = executor.fence.script("a").parent
    (folder / "allowed").rename(folder / "running.7.server")
    assert executor._follow_claimant(submission)
    assert entry.job_id == submission.info.external_jobid == "7.server"
    assert read_journal(executor.journal.path).entries["a"].job_id == "7.server"
    assert not executor._follow_claimant(submission)


def test_jobs_write_with_the_umask_of_snakemake(tmp_path):
    before = os.umask(0o027)
    try:
        executor = executor_in(tmp_path)
        assert own_umask() == 0o027
    finally:
        os.umask(before)
    executor.token = "a"
    assert " && umask 027 && export PATH=" in executor.get_job_exec_prefix(None)


def test_a_job_that_a_sweep_has_struck_off_does_not_keep_others_from_being_ended(tmp_path):
    """At Ctrl-C the sweep of the other thread may be under way."""
    executor = executor_in(tmp_path)
    executor.settings.end_wait = 5
    entries = [Entry(token, f"rule {token}", [], "a.log", token) for token in ("a", "b")]
    for entry in entries:
        executor.journal.submitting(entry)
        executor.fence.allow(entry)
    executor.submissions = {entry.token: SimpleNamespace(entry=entry) for entry in entries}

    def look(job_id):
        executor.submissions.pop("a", None)
        return State.UNKNOWN

    executor.session = SimpleNamespace(look=look)
    executor.cancel_jobs([])
    assert executor.submissions == {}
    assert "b" not in read_journal(executor.journal.path).entries
