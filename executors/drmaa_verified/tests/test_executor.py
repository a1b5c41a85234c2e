"""What of the executor can be told without a scheduler."""

import asyncio
import logging
import os
from types import SimpleNamespace

import pytest
from snakemake_executor_plugin_drmaa_verified import Executor
from snakemake_executor_plugin_drmaa_verified import executor as module
from snakemake_executor_plugin_drmaa_verified import silence as silence_module
from snakemake_executor_plugin_drmaa_verified.errors import ExecutorError
from snakemake_executor_plugin_drmaa_verified.executor import Submission, own_umask
from snakemake_executor_plugin_drmaa_verified.record import Entry, Fence, Journal, read_journal
from snakemake_executor_plugin_drmaa_verified.session import SchedulerSilent, State
from snakemake_executor_plugin_drmaa_verified.silence import Silence
from snakemake_executor_plugin_drmaa_verified.submission import Need
from snakemake_executor_plugin_drmaa_verified.verdict import Ending, Outcome


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


# Looking at jobs, by a clock that the test sets.

MARK_WAIT, SILENCE_LIMIT = 90, 3600


class Clock:
    """Monotonic time that only goes on when told so."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class Scheduler:
    """Answers to `look` and `reap` as the test sets them; an exception is raised."""

    def __init__(self, state, ending=None):
        self.state, self.ending = state, ending
        self.asked, self.terminated = [], []

    def look(self, job_id):
        self.asked.append(job_id)
        return self._given(self.state)

    def reap(self, job_id):
        return self._given(self.ending)

    def terminate(self, job_id):
        self.terminated.append(job_id)

    @staticmethod
    def _given(answer):
        if isinstance(answer, Exception):
            raise answer
        return answer


SILENT = SchedulerSilent("no contact")


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(silence_module, "time", clock)
    return clock


@pytest.fixture
def watching(tmp_path, clock):
    """An executor with some jobs at a scheduler."""

    def watch(scheduler, jobs=1) -> Executor:
        executor = executor_in(tmp_path)
        executor.settings = SimpleNamespace(mark_wait=MARK_WAIT, end_wait=300, pass_variables="")
        executor.session, executor.cancelled, executor.last_words = scheduler, False, ""
        executor.silence = Silence(SILENCE_LIMIT, logging.getLogger("executor"))
        executor.submissions = {}
        for number in range(jobs):
            entry = Entry(f"t{number}", "rule a", [f"{number}.tif"], "a.log", str(number))
            executor.journal.submitting(entry)
            executor.fence.allow(entry)
            executor.submissions[entry.token] = Submission(
                SimpleNamespace(), entry, Need("a", number, 1, 1, {})
            )
        return executor

    return watch


def outcomes(executor) -> list[Outcome]:
    return [verdict.outcome for _, verdict in executor._sweep(list(executor.submissions))]


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (State.UNKNOWN, Ending(forgotten=True)),
        (State.UNKNOWN, None),
        (State.UNKNOWN, SILENT),
        (State.ENDED, Ending()),
        (State.ENDED, None),
        (State.ENDED, SILENT),
    ],
    ids=str,
)
def test_a_job_that_is_over_or_not_known_any_more_is_lost_after_the_wait_for_its_mark(
    watching, clock, state, told
):
    executor = watching(Scheduler(state, told))
    began = clock.now
    while outcomes(executor) != [Outcome.FAILED]:
        assert clock.now - began < MARK_WAIT
        clock.sleep(10)
    assert clock.now - began == MARK_WAIT


def test_a_job_that_is_not_known_any_more_is_told_as_lost_and_nothing_is_ended(watching, clock):
    executor = watching(scheduler := Scheduler(State.UNKNOWN, None))
    executor._sweep(executor.submissions)
    clock.sleep(MARK_WAIT)
    ((_, verdict),) = executor._sweep(executor.submissions)
    assert "does not know it any more" in verdict.reason
    assert scheduler.terminated == []


def test_a_job_held_in_an_error_state_is_ended(watching, clock):
    executor = watching(scheduler := Scheduler(State.ENDED, None))
    executor._sweep(executor.submissions)
    clock.sleep(MARK_WAIT)
    ((_, verdict),) = executor._sweep(executor.submissions)
    assert verdict.reason == "the scheduler holds it in an error state"
    assert scheduler.terminated == ["0"]


def test_the_mark_of_a_job_that_is_not_known_any_more_is_a_success(watching, clock, tmp_path):
    executor = watching(Scheduler(State.UNKNOWN, Ending(forgotten=True)))
    assert outcomes(executor) == [Outcome.AWAITING_MARK]
    (tmp_path / "marks" / "t0").touch()
    clock.sleep(10 * MARK_WAIT)
    assert outcomes(executor) == [Outcome.SUCCEEDED]


def test_a_job_that_is_known_again_is_not_lost(watching, clock):
    executor = watching(scheduler := Scheduler(State.UNKNOWN, None))
    outcomes(executor)
    clock.sleep(MARK_WAIT - 1)
    scheduler.state = State.RUNNING
    assert outcomes(executor) == [Outcome.RUNNING]
    scheduler.state = State.UNKNOWN
    clock.sleep(MARK_WAIT)
    assert outcomes(executor) == [Outcome.RUNNING]


def test_a_silent_scheduler_is_asked_three_times_a_sweep_each_time_for_other_jobs(watching, clock):
    """Each question may take seconds; with thousands of jobs a sweep would never end."""
    executor = watching(scheduler := Scheduler(SILENT), jobs=8)
    assert outcomes(executor) == [Outcome.RUNNING] * 8
    assert scheduler.asked == ["0", "1", "2"]
    clock.sleep(1)
    outcomes(executor)
    assert scheduler.asked[3:] == ["3", "4", "5"]


def test_after_silences_that_are_broken_all_jobs_are_asked_for(watching, clock):
    executor = watching(scheduler := Scheduler(State.RUNNING), jobs=9)
    answers = [SILENT, SILENT, State.RUNNING] * 3

    def look(job_id):
        scheduler.asked.append(job_id)
        return scheduler._given(answers[int(job_id)])

    scheduler.look = look
    outcomes(executor)
    assert len(scheduler.asked) == 9


def test_a_scheduler_that_stays_silent_stops_snakemake_after_the_limit(watching, clock):
    executor = watching(Scheduler(SILENT), jobs=2)
    for _ in range(0, SILENCE_LIMIT + 1, 60):
        assert outcomes(executor) == [Outcome.RUNNING] * 2
        clock.sleep(60)
    with pytest.raises(ExecutorError, match=r"has not answered for 3600 s \(no contact\)"):
        outcomes(executor)


def test_silence_that_is_broken_is_counted_anew(watching, clock):
    executor = watching(scheduler := Scheduler(SILENT))
    for _ in range(5):
        scheduler.state = SILENT
        outcomes(executor)
        clock.sleep(SILENCE_LIMIT)
        scheduler.state = State.RUNNING
        outcomes(executor)


def test_a_submission_without_an_answer_ends_after_the_limit_and_may_not_start(
    watching, clock, tmp_path
):
    executor = watching(Scheduler(SILENT), jobs=0)
    executor.log_folder, executor.token = tmp_path / "logs", ""
    executor.silence = Silence(60, logging.getLogger("executor"))
    executor.session.submit = lambda script: Scheduler._given(SILENT)
    executor._job_script = lambda submission, specification: None
    job = SimpleNamespace(
        name="a", jobid=1, attempt=1, threads=1, resources={}, wildcards_dict={}, output=["a.tif"],
        is_group=lambda: False,
    )  # fmt: skip
    began = clock.now
    with pytest.raises(ExecutorError, match="has not answered"):
        executor._submit(job, "")
    assert 60 < clock.now - began <= 60 + module.SECONDS_BETWEEN_TRIES
    assert executor.fence.open_tokens() == set()
    assert executor.submissions == {}


def test_what_of_an_earlier_record_is_damaged_is_told_at_the_first_submission(
    tmp_path, monkeypatch, caplog
):
    executor = executor_in(tmp_path)
    (tmp_path / "runs" / "elsewhere-1-0123.jsonl").write_text(
        '{"event": "submitted", "token": "a", "job_id": "7"}\ngarbage\n', encoding="utf-8"
    )
    monkeypatch.setattr(module, "cancel_on_signals", lambda: None)
    executor.session = SimpleNamespace(check=lambda: None)
    executor.folder, executor.logger = tmp_path, logging.getLogger("executor")
    executor._begin([])
    (told,) = caplog.messages
    assert "elsewhere-1-0123.jsonl has 1 damaged line" in told
    assert "what these jobs write is not known: 7" in told
