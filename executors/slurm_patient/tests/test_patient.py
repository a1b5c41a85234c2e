"""What the plugin for Slurm does with silence and with jobs that Slurm forgot, without a Slurm."""

import asyncio
import inspect
import logging
import subprocess
from dataclasses import fields
from types import SimpleNamespace

import pytest
import snakemake_executor_plugin_slurm as upstream
import snakemake_executor_plugin_slurm_patient as patient
from snakemake_interface_common.exceptions import ApiError
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

SILENCE_LIMIT, LOST_AFTER = 3600, 300


# What this plugin needs of the one it extends, by name.


@pytest.mark.parametrize(
    "name", ["check_active_jobs", "report_job_success", "report_job_error", "run_jobs"]
)
def test_the_plugin_for_slurm_still_has_the_method_that_is_overridden(name):
    assert inspect.isfunction(getattr(upstream.Executor, name, None)), (
        f"snakemake_executor_plugin_slurm.Executor.{name} is gone: "
        "executors/slurm_patient overrides it"
    )


def test_the_plugin_for_slurm_still_gives_its_verdicts_one_by_one_by_these_methods():
    """Else a job with a verdict would be taken for one that the plugin dropped."""
    assert inspect.isasyncgenfunction(upstream.Executor.check_active_jobs)
    source = inspect.getsource(upstream.Executor.check_active_jobs)
    for words in ("self.report_job_success(j)", "self.report_job_error(j, ", "yield j"):
        assert words in source, f"check_active_jobs of the plugin slurm has no {words}"
    assert issubclass(upstream.Executor, RemoteExecutor)


def test_the_settings_of_the_plugin_for_slurm_are_all_here():
    theirs = {field.name: field.default for field in fields(upstream.ExecutorSettings)}
    ours = {field.name: field.default for field in fields(patient.ExecutorSettings)}
    assert ours == theirs | {"silence_limit": SILENCE_LIMIT, "lost_after": LOST_AFTER}
    assert patient.common_settings is upstream.common_settings


def test_wrong_settings_are_refused_as_by_the_plugin_for_slurm():
    with pytest.raises(Exception, match="Invalid status command"):
        patient.ExecutorSettings(status_command="qstat")


# Verdicts. The plugin `slurm` is replaced by what the test wrote down.


class Clock:
    def __init__(self):
        self.now = 50.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(patient, "time", clock)
    return clock


@pytest.fixture
def slurm(monkeypatch):
    """What Slurm knows, or its silence; and what the plugin `slurm` makes of each job."""
    slurm = SimpleNamespace(known={"1", "2"}, verdicts={}, asked=0)

    def known_jobs():
        slurm.asked += 1
        if isinstance(slurm.known, str):
            raise patient.Silent(slurm.known)
        return slurm.known

    async def check_active_jobs(self, active_jobs):
        for job in active_jobs:
            verdict = slurm.verdicts.get(job.external_jobid, "going")
            if verdict == "good":
                self.report_job_success(job)
            elif verdict == "bad":
                self.report_job_error(job, msg="failed. ")
            elif verdict == "going":
                yield job

    monkeypatch.setattr(patient, "known_jobs", known_jobs)
    monkeypatch.setattr(upstream.Executor, "check_active_jobs", check_active_jobs)
    return slurm


@pytest.fixture
def executor(monkeypatch, clock, slurm):
    """An executor whose verdicts are written down in `told`."""
    told = []
    executor = patient.Executor.__new__(patient.Executor)
    executor._silent_since, executor._unknown_since, executor._judged = None, {}, set()
    executor.logger = logging.getLogger("executor")
    settings = SimpleNamespace(silence_limit=SILENCE_LIMIT, lost_after=LOST_AFTER)
    executor.workflow = SimpleNamespace(executor_settings=settings)
    executor.told = told
    monkeypatch.setattr(
        upstream.Executor, "report_job_success", lambda _, job: told.append(job.external_jobid)
    )
    monkeypatch.setattr(
        upstream.Executor,
        "report_job_error",
        lambda _, job, msg=None, **more: told.append((job.external_jobid, msg, more)),
    )
    return executor


def job(job_id: str, **resources) -> SubmittedJobInfo:
    return SubmittedJobInfo(
        SimpleNamespace(resources=resources), job_id, {"slurm_logfile": f"{job_id}.log"}
    )


JOBS = [job("1"), job("2")]


def look(executor, jobs=JOBS) -> list[str]:
    async def sweep():
        return [job.external_jobid async for job in executor.check_active_jobs(jobs)]

    return asyncio.run(sweep())


def test_no_job_is_judged_while_slurm_is_silent_and_that_is_told_once(executor, slurm, caplog):
    caplog.set_level(logging.INFO)
    slurm.known = "Unable to contact slurm controller"
    slurm.verdicts = {"1": "good", "2": "bad"}
    assert look(executor) == ["1", "2"]
    assert look(executor) == ["1", "2"]
    assert executor.told == []
    slurm.known = {"1", "2"}
    assert look(executor) == []
    assert [told if isinstance(told, str) else told[:2] for told in executor.told] == [
        "1",
        ("2", "failed. "),
    ]
    first, second = caplog.messages
    assert first.startswith("Slurm does not answer (Unable to contact slurm controller).")
    assert "3600 s at most" in first
    assert second == "Slurm answers again."


def test_a_slurm_that_stays_silent_stops_snakemake_after_the_limit(executor, slurm, clock):
    slurm.known = "no contact"
    for _ in range(3):
        assert look(executor) == ["1", "2"]
        clock.now += SILENCE_LIMIT / 2
    with pytest.raises(ApiError, match=r"has not answered for 3600 s \(no contact\)"):
        look(executor)


def test_silence_that_is_broken_is_counted_anew(executor, slurm, clock):
    for _ in range(4):
        slurm.known = "no contact"
        assert look(executor) == ["1", "2"]
        clock.now += SILENCE_LIMIT
        slurm.known = {"1", "2"}
        assert look(executor) == ["1", "2"]


def test_jobs_that_the_plugin_drops_where_slurm_falls_silent_meanwhile_are_kept(executor, slurm):
    slurm.verdicts = {"1": "dropped", "2": "good"}
    assert look(executor) == ["1"]
    assert executor.told == ["2"]
    slurm.verdicts = {"1": "dropped", "2": "dropped"}
    assert look(executor) == ["1", "2"]


def test_a_job_that_slurm_does_not_know_any_more_is_lost_after_the_stated_time(
    executor, slurm, clock
):
    slurm.known = {"2"}
    assert look(executor) == ["1", "2"]
    clock.now += LOST_AFTER - 1
    assert look(executor) == ["1", "2"]
    clock.now += 1
    assert look(executor) == ["2"]
    ((job_id, message, more),) = executor.told
    assert job_id == "1"
    assert message.startswith(
        "SLURM-job '1' is lost: Slurm answers, but has not known it for 300 s"
    )
    assert more == {"aux_logs": ["1.log"]}


def test_a_verdict_of_the_plugin_on_a_job_that_slurm_forgot_counts(executor, slurm, clock):
    """The accounting of Slurm may know its end."""
    slurm.known = set()
    look(executor)
    clock.now += LOST_AFTER
    slurm.verdicts = {"1": "good", "2": "good"}
    assert look(executor) == []
    assert executor.told == ["1", "2"]


def test_a_job_that_is_known_again_is_not_lost(executor, slurm, clock):
    for known in (set(), {"1", "2"}, set()):
        slurm.known = known
        assert look(executor) == ["1", "2"]
        clock.now += LOST_AFTER - 1


def test_time_of_silence_does_not_make_a_job_lost(executor, slurm, clock):
    for known in (set(), "no contact", set()):
        slurm.known = known
        assert look(executor) == ["1", "2"]
        clock.now += LOST_AFTER


@pytest.mark.parametrize("resource", ["cluster", "clusters", "slurm_cluster"])
def test_a_job_that_was_sent_to_another_cluster_is_not_called_lost(
    executor, slurm, clock, resource
):
    slurm.known = set()
    elsewhere = [job("1", **{resource: "other"})]
    for _ in range(2):
        assert look(executor, elsewhere) == ["1"]
        clock.now += LOST_AFTER


def test_nothing_is_submitted_before_slurm_answers(executor, slurm, clock, monkeypatch, caplog):
    """The plugin would call these jobs failed, and their retries too."""
    caplog.set_level(logging.INFO)
    submitted = []
    monkeypatch.setattr(upstream.Executor, "run_jobs", lambda _, jobs: submitted.append(jobs))
    slurm.known = "no contact"

    def sleep(seconds):
        assert submitted == []
        clock.now += seconds
        if slurm.asked == 3:
            slurm.known = set()

    clock.sleep = sleep
    executor.run_jobs(["a", "b"])
    assert submitted == [["a", "b"]]
    assert [text.split(" (")[0] for text in caplog.messages] == [
        "Slurm does not answer",
        "Slurm answers again.",
    ]


def test_a_submission_to_a_slurm_that_stays_silent_ends_after_the_limit(executor, slurm, clock):
    slurm.known = "no contact"
    began = clock.now
    with pytest.raises(ApiError, match="has not answered for 3600 s"):
        executor.run_jobs(["a"])
    assert SILENCE_LIMIT < clock.now - began <= SILENCE_LIMIT + patient.SECONDS_BETWEEN_TRIES


def test_without_jobs_slurm_is_not_asked(executor, slurm):
    assert look(executor, []) == []
    assert slurm.asked == 0


def test_what_the_thread_of_the_base_class_needs_is_there_before_it_begins(monkeypatch):
    """It looks at jobs before `__post_init__` is over; an error there would hang Snakemake."""
    seen = {}

    def init(self, workflow, logger):
        seen.update(vars(self))

    monkeypatch.setattr(upstream.Executor, "__init__", init)
    patient.Executor(None, None)
    assert seen == {"_silent_since": None, "_unknown_since": {}, "_judged": set()}


# Asking Slurm.


def answer(monkeypatch, result):
    """Let squeue answer so; the commands that were called."""
    called = []

    def run(command, **_):
        called.append(command)
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr(patient.subprocess, "run", run)
    return called


def test_the_user_s_own_jobs_are_known_by_number_those_that_ended_and_parts_of_arrays_too(
    monkeypatch,
):
    monkeypatch.delenv("USER", raising=False)
    monkeypatch.setattr(patient.os, "getuid", lambda: 1234)
    called = answer(monkeypatch, SimpleNamespace(returncode=0, stdout="12\n13_1\n13_2\n"))
    assert patient.known_jobs() == {"12", "13_1", "13_2"}
    assert set(called[0]) >= {"squeue", "--array", "--states=all", "--user=1234", "--noheader"}


def test_no_job_at_all_is_an_answer(monkeypatch):
    answer(monkeypatch, SimpleNamespace(returncode=0, stdout=""))
    assert patient.known_jobs() == set()


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (
            SimpleNamespace(returncode=1, stdout="", stderr="slurm_load_jobs error:\n no contact"),
            "slurm_load_jobs error: no contact",
        ),
        (SimpleNamespace(returncode=1, stdout="12\n", stderr=""), "squeue ended with 1"),
        (subprocess.TimeoutExpired("squeue", 120), "timed out after 120 seconds"),
        (FileNotFoundError(2, "No such file", "squeue"), "No such file"),
    ],
)
def test_silence_has_the_words_of_slurm(monkeypatch, result, words):
    answer(monkeypatch, result)
    with pytest.raises(patient.Silent, match=words):
        patient.known_jobs()
