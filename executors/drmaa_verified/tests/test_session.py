"""What libraries say, as recorded, and what is understood."""

import threading
from types import SimpleNamespace

import pytest
from snakemake_executor_plugin_drmaa_verified.errors import ExecutorError
from snakemake_executor_plugin_drmaa_verified.session import (
    JobScript,
    SchedulerSilent,
    Session,
    SubmissionRefused,
    crash_of,
    ending_of,
)
from snakemake_executor_plugin_drmaa_verified.verdict import Ending

# The package `drmaa` cannot be imported without a library.
ERRORS = {
    name: type(name, (Exception,), {})
    for name in (
        "DrmCommunicationException",
        "InternalException",
        "InvalidAttributeValueException",
        "InvalidJobException",
        "TryLaterException",
    )
}
JOB = JobScript("job", "script.sh", "folder", "job.log", "")


class Scripted:
    """A library's session that fails each call with one error."""

    def __init__(self, error):
        self.error = error

    def createJobTemplate(self):
        raise self.error

    def jobStatus(self, job_id):
        raise self.error


def session_with(name, words) -> Session:
    session = Session.__new__(Session)
    session._drmaa = SimpleNamespace(errors=SimpleNamespace(**ERRORS), JobState=None)
    session._lock = threading.RLock()
    session._session = Scripted(ERRORS[name](words))
    return session


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("InternalException", "code 1: System error: "),
        ("InternalException", "code 1: PBS error"),
        ("DrmCommunicationException", "code 2: Batch protocol error"),
    ],
)
def test_a_lost_connection_of_pbs_is_no_refusal(name, words):
    with pytest.raises(SchedulerSilent):
        session_with(name, words).submit(JOB)


@pytest.mark.parametrize(
    ("name", "words", "told"),
    [
        (
            "InternalException",
            "code 1: System error: : Illegal attribute or resource value Resource_List.walltime ",
            "System error: : Illegal attribute or resource value Resource_List.walltime",
        ),
        (
            "InvalidAttributeValueException",
            "code 14: Unknown queue: Unknown queue ",
            "Unknown queue",
        ),
    ],
)
def test_a_refusal_of_pbs_is_told_once(name, words, told):
    with pytest.raises(SubmissionRefused) as caught:
        session_with(name, words).submit(JOB)
    assert str(caught.value) == told


def test_a_library_that_crashes_is_tried_out_in_a_process_of_its_own():
    assert crash_of(["sh", "-c", "kill -SEGV $$"]) == "SIGSEGV"
    assert crash_of(["sh", "-c", "exit 139"]) == ""


def test_pbs_without_history_is_refused_with_the_remedy():
    words = "PBS is not configured to maintain job history"
    session = session_with("InternalException", f"code 1: {words}: {words} ")
    with pytest.raises(ExecutorError, match=f"^{words}, so .*job_history_enable = True"):
        session.check()


@pytest.mark.parametrize(
    ("name", "words"),
    [("InvalidJobException", "code 18: no such job"), ("InternalException", "code 1: odd")],
)
def test_no_other_answer_hinders_the_start(name, words):
    session_with(name, words).check()


def test_usage_is_read_by_the_names_of_pbs_and_grid_engine():
    pbs = {"cpu": "0", "mem": "498000000", "vmem": "510000000", "walltime": "64"}
    engine = {"mem": "0.2", "maxvmem": "498000000.0", "ru_wallclock": "64.0"}
    for usage, virtual in ((pbs, False), (engine, True)):
        told = ending_of(job_info(usage))
        assert told == Ending(aborted=True, seconds=64, memory_mb=498, virtual=virtual)


def test_a_usage_of_zero_was_not_measured():
    told = ending_of(job_info({"mem": "0", "walltime": "0"}))
    assert (told.seconds, told.memory_mb) == (None, None)


def job_info(usage):
    """As the library of PBS tells a job over its limit, with exit status -29."""
    return SimpleNamespace(
        resourceUsage=usage, hasExited=False, exitStatus=255, hasSignal=False,
        terminatedSignal="", wasAborted=True,
    )  # fmt: skip
