"""The scheduler behind DRMAA: loading the library, submitting, looking, ending.

The only module that touches the package `drmaa`. That package keeps one error buffer for
all threads, so calls go one at a time; and a library may wait for its scheduler without end,
so no answer is waited for longer than a stated time.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

from .calls import Calls, NoAnswer
from .errors import ExecutorError
from .verdict import Ending

# Some libraries call everything an internal error; a lost connection then shows in its words.
# That of PBS says "System error: " and no more; before a reason it is a refusal.
_NO_ANSWER = re.compile(
    r"contact|connect|communicat|timed? ?out|unreachable|(System|PBS) error:?\s*$", re.IGNORECASE
)
_NO_HISTORY = re.compile("job history", re.IGNORECASE)
# So some tell that they do not know a job (any more): PBS, Slurm, Grid Engine, LSF.
_NOT_KNOWN = re.compile(
    r"(unknown|invalid) job.?id|no such job|\bjob\b.*(does not exist|not found)", re.IGNORECASE
)
_NO_USAGE = "code 24:"  # ended, nothing more is told; `drmaa` has no class for it

_OPEN_AND_CLOSE = "import drmaa; session = drmaa.Session(); session.initialize(); session.exit()"


class SchedulerSilent(Exception):
    """The scheduler gave no answer: nothing is known, not even whether it heard."""


class SubmissionRefused(Exception):
    """The scheduler does not take the job."""


class State(Enum):
    """Where a job stands for the scheduler."""

    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"
    UNKNOWN = "unknown to the scheduler"


@dataclass(frozen=True)
class JobScript:
    """What is submitted.

    Attributes
    ----------
    script, folder, log : Path
        Absolute: the executable file, where it starts, the file of what it prints.
    """

    name: str
    script: Path
    folder: Path
    log: Path
    native_specification: str


class Session:
    """An open DRMAA session.

    Parameters
    ----------
    library : str
        Path of the DRMAA library; empty for that of DRMAA_LIBRARY_PATH.
    answer_wait : float
        How long one answer of it is waited for, seconds.
    """

    def __init__(self, library: str, answer_wait: float):
        self._drmaa = load_drmaa(library)
        self._call = Calls(answer_wait)
        self._session = self._drmaa.Session()
        self._refuse_crash(answer_wait)
        try:
            self._call(self._session.initialize)
        except Exception as error:
            raise ExecutorError(
                f"the DRMAA library {_library_in_use()} cannot reach its scheduler: {error}\n"
                "Does its own command for listing jobs (squeue, qstat) work here?"
            ) from None

    def _refuse_crash(self, seconds: float) -> None:
        """Try the library of PBS out in a process of its own: its crash would end this one."""
        try:
            is_pbs = "PBS" in self.system
        except Exception:  # it has no name before it is opened
            return
        if is_pbs and (name := crash_of([sys.executable, "-c", _OPEN_AND_CLOSE], seconds)):
            raise ExecutorError(
                f"the DRMAA library {_library_in_use()} crashes ({name}), as it does while the "
                "server of PBS does not answer.\nDoes qstat work here?"
            )

    @property
    def system(self) -> str:
        """Name and version of the scheduler."""
        return self._call(getattr, self._session, "drmsInfo")

    def close(self) -> None:
        """Leave the session; jobs are not touched."""
        with contextlib.suppress(Exception):
            self._call(self._session.exit)

    def submit(self, job: JobScript) -> str:
        """Submit a job; its id.

        Raises
        ------
        SubmissionRefused
            With the scheduler's words.
        SchedulerSilent
            Whether the job was taken is not known.
        """
        try:
            return self._call(self._run, job)
        except Exception as error:
            if self._is_silence(error):
                raise SchedulerSilent(str(error)) from None
            raise SubmissionRefused(_words(error)) from None

    def _run(self, job: JobScript) -> str:
        with self._session.createJobTemplate() as template:
            template.remoteCommand = str(job.script)
            template.workingDirectory = str(job.folder)
            template.jobName = job.name
            template.outputPath = f":{job.log}"
            template.joinFiles = True
            if job.native_specification:
                template.nativeSpecification = job.native_specification
            return self._session.runJob(template)

    def _is_silence(self, error: Exception) -> bool:
        errors = self._drmaa.errors
        silence = NoAnswer | errors.DrmCommunicationException | errors.TryLaterException
        if isinstance(error, silence):
            return True
        return isinstance(error, errors.InternalException) and bool(_NO_ANSWER.search(str(error)))

    def _is_not_known(self, error: Exception) -> bool:
        """Whether it says that there is no such job (any more)."""
        errors = self._drmaa.errors
        if isinstance(error, errors.InvalidJobException):
            return True
        return isinstance(error, errors.InternalException) and bool(_NOT_KNOWN.search(str(error)))

    def look(self, job_id: str) -> State:
        """Where a job stands; raises SchedulerSilent without an answer."""
        states = self._drmaa.JobState
        try:
            state = self._call(self._session.jobStatus, job_id)
        except Exception as error:
            if self._is_not_known(error):
                return State.UNKNOWN
            raise SchedulerSilent(str(error)) from None
        if state in (states.DONE, states.FAILED):
            return State.ENDED
        if state == states.UNDETERMINED:
            raise SchedulerSilent(f"the state of job {job_id} cannot be determined")
        if state in (states.RUNNING, states.SYSTEM_SUSPENDED, states.USER_SUSPENDED):
            return State.RUNNING
        return State.WAITING

    def check(self) -> None:
        """Refuse a PBS that keeps no history: it would not even say that a job runs."""
        try:
            self.look("0")
        except SchedulerSilent as error:
            if _NO_HISTORY.search(str(error)):
                raise ExecutorError(
                    f"{_words(error)}, so the DRMAA library cannot tell how jobs stand; nothing was "
                    'submitted. Its administrators set it: qmgr -c "set server job_history_enable = True"'
                ) from None

    def reap(self, job_id: str) -> Ending | None:
        """How a job ended, and let the library forget it; None if that is not told yet."""
        try:
            info = self._call(self._session.wait, job_id, self._session.TIMEOUT_NO_WAIT)
        except self._drmaa.errors.ExitTimeoutException:
            return None
        except Exception as error:
            if self._is_not_known(error):
                return Ending(forgotten=True)
            if str(error).startswith(_NO_USAGE):
                return Ending()
            raise SchedulerSilent(str(error)) from None
        return ending_of(info)

    def terminate(self, job_id: str) -> None:
        """Have a job ended, whichever session submitted it; it may need a while to be gone."""
        try:
            self._call(self._session.control, job_id, self._drmaa.JobControlAction.TERMINATE)
        except Exception as error:
            if not self._is_not_known(error):
                raise SchedulerSilent(str(error)) from None


def crash_of(command: Sequence[str], seconds: float) -> str:
    """The signal that ends a command, empty for none or if it does not end by itself in time."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False,
            start_new_session=True, timeout=seconds,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return ""
    return signal.Signals(-done.returncode).name if done.returncode < 0 else ""


def ending_of(info: Any) -> Ending:
    """What a library tells of an end (`drmaa.JobInfo`); each has its own names for usage."""
    usage = info.resourceUsage or {}
    virtual = "maxvmem" in usage
    memory = _number(usage, "maxvmem", "mem")
    return Ending(
        exit_status=info.exitStatus if info.hasExited else None,
        signal=info.terminatedSignal or "an unknown signal" if info.hasSignal else "",
        aborted=info.wasAborted,
        seconds=_number(usage, "ru_wallclock", "walltime"),
        memory_mb=None if memory is None else memory / 1e6,
        virtual=virtual,
    )


def load_drmaa(library: str) -> ModuleType:
    """Import `drmaa` with the library it shall use, or say what is missing."""
    if library:
        os.environ["DRMAA_LIBRARY_PATH"] = os.path.expanduser(library)
    try:
        import drmaa
    except ImportError as error:
        raise ExecutorError(
            f"the Python package drmaa is missing ({error}): pip install drmaa"
        ) from None
    except (RuntimeError, OSError, AttributeError) as error:
        raise ExecutorError(_loading_problem(error)) from None
    return drmaa


def _loading_problem(error: Exception) -> str:
    text = str(error)
    if isinstance(error, RuntimeError):
        return (
            "no DRMAA library found: ask the administrators of the cluster for the path of "
            "libdrmaa.so (Slurm: slurm-drmaa, PBS: pbs-drmaa, Grid Engine: its own), and set "
            "DRMAA_LIBRARY_PATH or drmaa-verified-library to it"
        )
    if isinstance(error, AttributeError):
        return f"{_library_in_use()} is no DRMAA 1.0 library: {text}"
    if "static TLS" in text:
        return (
            f"{_library_in_use()} cannot be loaded: {text}\nSet "
            "GLIBC_TUNABLES=glibc.rtld.optional_static_tls=1000000 before Snakemake is started."
        )
    return f"the DRMAA library {_library_in_use()} cannot be loaded: {text}"


def _library_in_use() -> str:
    return os.environ.get("DRMAA_LIBRARY_PATH", "of this machine")


def _words(error: Exception) -> str:
    """The scheduler's words, without the number DRMAA puts before them; PBS says all twice."""
    words = re.sub(r"^code \d+: *", "", str(error)).strip()
    return re.sub(r"^(.+): \1$", r"\1", words) or type(error).__name__


def _number(usage: dict, name: str, of_pbs: str) -> float | None:
    """A usage by the name of Grid Engine or PBS, whose 0 means that it was not measured."""
    try:
        return float(usage[name]) if name in usage else float(usage[of_pbs]) or None
    except (KeyError, ValueError):
        return None
