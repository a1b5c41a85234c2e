"""What libraries say, as recorded, and what is understood."""

import threading
import time
from types import SimpleNamespace

import pytest
from snakemake_executor_plugin_drmaa_verified.calls import Calls, NoAnswer
from snakemake_executor_plugin_drmaa_verified.errors import ExecutorError
from snakemake_executor_plugin_drmaa_verified.session import (
    JobScript,
    SchedulerSilent,
    Session,
    State,
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
        "ExitTimeoutException",
        "InternalException",
        "InvalidAttributeValueException",
        "InvalidJobException",
        "TryLaterException",
    )
}
JOB = JobScript("job", "script.sh", "folder", "job.log", "")


class Scripted:
    """A library's session that fails each call with one error."""

    TIMEOUT_NO_WAIT = 0

    def __init__(self, error):
        self.error = error

    def fail(self, *arguments):
        raise self.error

    createJobTemplate = jobStatus = wait = control = fail


def session_of(library, answer_wait=60) -> Session:
    session = Session.__new__(Session)
    session._drmaa = SimpleNamespace(
        errors=SimpleNamespace(**ERRORS),
        JobState=SimpleNamespace(DONE=1, FAILED=2, UNDETERMINED=3, RUNNING=4, SYSTEM_SUSPENDED=5,
                                 USER_SUSPENDED=6, QUEUED_ACTIVE=7),
        JobControlAction=SimpleNamespace(TERMINATE="terminate"),
    )  # fmt: skip
    session._call = Calls(answer_wait)
    session._session = library
    return session


def session_with(name, words) -> Session:
    return session_of(Scripted(ERRORS[name](words)))


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
    assert crash_of(["sh", "-c", "kill -SEGV $$"], 60) == "SIGSEGV"
    assert crash_of(["sh", "-c", "exit 139"], 60) == ""


def test_a_library_that_is_tried_out_and_does_not_return_is_not_waited_for():
    began = time.monotonic()
    assert crash_of(["sleep", "600"], 0.1) == ""
    assert time.monotonic() - began < 300


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


# Jobs that are not known any more.

NOT_KNOWN = [
    ("InvalidJobException", "code 18: The job specified by the 'jobid' does not exist."),
    ("InternalException", "code 1: Unknown Job Id 5003.pbshost"),
    ("InternalException", "code 1: slurm_load_jobs error: Invalid job id specified,job_id: 7"),
    ("InternalException", "code 1: job 7 does not exist"),
    ("InternalException", "code 1: Job <7> is not found"),
]


@pytest.mark.parametrize(("name", "words"), NOT_KNOWN)
def test_a_job_that_is_not_known_any_more_is_no_silence(name, words):
    session = session_with(name, words)
    assert session.look("7") is State.UNKNOWN
    assert session.reap("7") == Ending(forgotten=True)
    session.terminate("7")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("InternalException", "code 1: System error: "),
        ("InternalException", "code 1: invalid job state"),
        ("DrmCommunicationException", "code 2: no such job manager: job not found"),
    ],
)
def test_no_other_error_makes_a_job_unknown(name, words):
    session = session_with(name, words)
    for question in (session.look, session.reap, session.terminate):
        with pytest.raises(SchedulerSilent):
            question("7")


@pytest.mark.parametrize(
    ("told", "state"),
    [(1, State.ENDED), (2, State.ENDED), (4, State.RUNNING), (5, State.RUNNING),
     (6, State.RUNNING), (7, State.WAITING)],
)  # fmt: skip
def test_states_of_the_library_are_understood(told, state):
    assert session_of(SimpleNamespace(jobStatus=lambda job_id: told)).look("7") is state


def test_a_state_that_cannot_be_determined_is_silence():
    with pytest.raises(SchedulerSilent, match="the state of job 7 cannot be determined"):
        session_of(SimpleNamespace(jobStatus=lambda job_id: 3)).look("7")


# Calls that do not return.


@pytest.fixture
def hanging():
    """A library that answers nothing before the test is over, and counts what it was asked."""
    over = threading.Event()
    asked = []

    def ask(*arguments):
        asked.append(arguments)
        over.wait()

    yield SimpleNamespace(
        jobStatus=ask, wait=ask, control=ask, createJobTemplate=ask, exit=ask,
        TIMEOUT_NO_WAIT=0, asked=asked, over=over,
    )  # fmt: skip
    over.set()


def test_a_call_that_does_not_return_is_silence_and_so_are_those_behind_it(hanging):
    session = session_of(hanging, answer_wait=0.05)
    for question in (session.look, session.look, session.terminate, session.reap):
        with pytest.raises(SchedulerSilent, match=r"no answer in 0\.05 s"):
            question("7")
    with pytest.raises(SchedulerSilent, match="no answer"):
        session.submit(JOB)
    session.close()
    assert hanging.asked == [("7",)]


def test_what_was_given_up_behind_a_call_that_hung_is_never_done(hanging):
    calls = Calls(0.05)
    done = []
    for function in (hanging.jobStatus, lambda: done.append("given up")):
        with pytest.raises(NoAnswer):
            calls(function)
    hanging.over.set()
    patient = Calls(60)
    patient._waiting = calls._waiting  # the same queue, behind what was given up
    assert patient(lambda: "answered") == "answered"
    assert done == []


def test_an_error_of_a_call_is_its_own_even_if_it_is_called_a_timeout():
    for error in (TimeoutError("of the library"), KeyError("a")):

        def fail(error=error):
            raise error

        with pytest.raises(type(error)) as caught:
            Calls(60)(fail)
        assert caught.value is error
