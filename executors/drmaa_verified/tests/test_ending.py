"""Ending jobs: nothing counts as gone before the scheduler says so."""

import pytest
from snakemake_executor_plugin_drmaa_verified.ending import end_jobs
from snakemake_executor_plugin_drmaa_verified.record import Entry, Fence
from snakemake_executor_plugin_drmaa_verified.session import SchedulerSilent, State


class Scripted:
    """A scheduler that answers what the test wrote down, one answer a question."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.terminated = []

    def look(self, job_id):
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def terminate(self, job_id):
        self.terminated.append(job_id)


@pytest.fixture
def fence(tmp_path) -> Fence:
    return Fence(tmp_path)


def end(session, fence, entry, seconds=5):
    gone = []
    left = end_jobs(session, fence, [entry], seconds, gone.append, pause=0.01)
    return gone, left


def entry(job_id="7"):
    return Entry("a", "rule a", ["a.tif"], "a.log", job_id)


def test_a_job_is_waited_for_until_it_is_gone(fence):
    session = Scripted(State.RUNNING, State.RUNNING, State.RUNNING, State.UNKNOWN)
    assert end(session, fence, entry()) == ([entry()], [])
    assert session.terminated == ["7"]


def test_a_job_that_does_not_go_is_left(fence):
    assert end(Scripted(State.RUNNING), fence, entry(), seconds=0.05) == ([], [entry()])


def test_silence_is_not_taken_for_gone(fence):
    session = Scripted(SchedulerSilent("no contact"))
    assert end(session, fence, entry(), seconds=0.05) == ([], [entry()])
    session = Scripted(SchedulerSilent("no contact"), State.RUNNING, State.ENDED)
    assert end(session, fence, entry()) == ([entry()], [])


def test_a_job_that_left_its_mark_needs_no_scheduler(fence, tmp_path):
    (tmp_path / "marks" / "a").touch()
    assert end(Scripted(AssertionError("asked")), fence, entry()) == ([entry()], [])


def test_a_submission_never_confirmed_nor_started_needs_no_scheduler(fence):
    fence.allow(entry())
    unknown = entry(job_id=None)
    assert end(Scripted(AssertionError("asked")), fence, unknown) == ([unknown], [])


def test_a_submission_never_confirmed_but_started_is_ended_by_the_id_it_told(fence, tmp_path):
    fence.allow(entry())
    folder = tmp_path / "jobs" / "a"
    (folder / "allowed").rename(folder / "running.12")
    session = Scripted(State.RUNNING, State.ENDED)
    gone, left = end(session, fence, entry(job_id=None))
    assert session.terminated == ["12"]
    assert [found.job_id for found in gone] == ["12"]
    assert left == []


def start_without_an_id(fence, tmp_path):
    fence.allow(entry())
    folder = tmp_path / "jobs" / "a"
    (folder / "allowed").rename(folder / "running.unknown")


def test_a_job_that_knows_no_id_is_ended_by_the_one_that_was_learnt(fence, tmp_path):
    start_without_an_id(fence, tmp_path)
    session = Scripted(State.RUNNING, State.ENDED)
    assert end(session, fence, entry()) == ([entry()], [])
    assert session.terminated == ["7"]


def test_a_job_that_runs_without_any_id_is_left(fence, tmp_path):
    start_without_an_id(fence, tmp_path)
    nameless = entry(job_id=None)
    session = Scripted(AssertionError("asked"))
    assert end(session, fence, nameless, seconds=0.05) == ([], [nameless])
