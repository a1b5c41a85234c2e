"""The executor: submits, looks, judges, ends."""

import os
import shlex
import time
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface

from .earlier import Earlier
from .ending import end_jobs
from .errors import ExecutorError
from .record import Entry, Fence, Journal, new_token
from .session import JobScript, SchedulerSilent, Session, State, SubmissionRefused
from .signals import cancel_on_signals
from .silence import Silence
from .submission import (
    Need,
    SpecificationError,
    check_limits,
    job_name,
    log_path,
    native_specification,
    need_of,
    parse_limits,
)
from .verdict import Asked, Ending, Outcome, Verdict, judge

# A sweep gives up after so many questions without an answer in a row: each may take seconds.
MOST_SILENCES = 3
SECONDS_BETWEEN_TRIES = 5


@dataclass
class Submission:
    """A job in the scheduler's hands.

    Attributes
    ----------
    started, unmarked_since, silent_since : float, optional
        Monotonic times: first seen running, first seen ended without a mark, first question
        of those in a row that got no answer.
    """

    info: SubmittedJobInfo
    entry: Entry
    need: Need
    specification: str = ""
    asked_at: float = 0.0
    started: float | None = None
    unmarked_since: float | None = None
    silent_since: float | None = None
    ending: Ending | None = None

    @property
    def job_id(self) -> str:
        """The scheduler's id; known once it was submitted, so whenever it is looked at."""
        return self.entry.job_id or ""

    @property
    def asked(self) -> Asked:
        """What it asked for, to explain a kill."""
        minutes = self.need.resources.get("runtime")
        memory = self.need.resources.get("mem_mb")
        return Asked(
            seconds=minutes * 60 if isinstance(minutes, int | float) else None,
            memory_mb=memory if isinstance(memory, int | float) else None,
            virtual="vmem" in self.specification,
        )


class Executor(RemoteExecutor):
    """Runs Snakemake's jobs through DRMAA.

    Beware: the base class starts the thread that calls `check_active_jobs` before it calls
    `__post_init__`. An exception in that thread goes nowhere, and Snakemake would hang.
    """

    def __post_init__(self) -> None:
        settings = self.workflow.executor_settings
        self.settings = settings
        self.limits = parse_limits(settings.limits)
        self.folder = Path(self.workflow.persistence.path).absolute() / "drmaa-verified"
        self.log_folder = Path(settings.log_dir or self.folder / "logs").expanduser().absolute()
        self.session = Session(settings.library, settings.answer_wait)
        self.fence = Fence(self.folder)
        self.journal = Journal(self.folder)
        self.submissions: dict[str, Submission] = {}
        self.begun = False
        self.cancelled = False
        self.silence = Silence(settings.silence_limit, self.logger)
        self.last_words = ""
        self.umask = own_umask()
        self.logger.info(f"Jobs go to {self.session.system} through DRMAA.")

    # Submitting, in Snakemake's main thread.

    def run_jobs(self, jobs: list[JobExecutorInterface]) -> None:
        """Submit jobs, once nothing of an earlier Snakemake can write what they write."""
        specifications = self._specifications(jobs)
        if not self.begun:
            self._begin(specifications.values())
        occupied = self._end_writers_of(jobs)
        for job in jobs:
            self.run_job_pre(job)
            specification = specifications[job]
            if isinstance(specification, SpecificationError):
                self._fail(SubmittedJobInfo(job), f"Not submitted: {specification}.")
            elif job in occupied:
                self._fail(SubmittedJobInfo(job), occupied[job])
            else:
                self._submit(job, specification)

    def _begin(self, specifications: Iterable) -> None:
        """Before the first submission: a mistake stops everything, later it fails its job."""
        problems = sorted({str(text) for text in specifications if isinstance(text, Exception)})
        if problems:
            raise ExecutorError("nothing was submitted:\n  " + "\n  ".join(problems))
        self.session.check()
        cancel_on_signals()
        self.earlier = Earlier(self.folder, self.journal.path)
        self.begun = True
        if self.earlier.damage:
            self.logger.warning(self.earlier.damage)
        self._end_earlier(self.earlier.of_dead_runs())

    def run_job(self, job: JobExecutorInterface) -> None:
        """Submit one job."""
        self.run_jobs([job])

    def _specifications(
        self, jobs: Iterable[JobExecutorInterface]
    ) -> dict[JobExecutorInterface, str | SpecificationError]:
        """Native specification of each job, or what is wrong with it."""
        template = self.settings.native_specification
        found: dict[JobExecutorInterface, str | SpecificationError] = {}
        for job in jobs:
            need = need_of(job)
            try:
                check_limits(self.limits, need)
                found[job] = native_specification(template, need)
            except SpecificationError as error:
                found[job] = error
        return found

    def _submit(self, job: JobExecutorInterface, specification: str) -> None:
        """Submit a job; wait while the scheduler is silent, each time as a new submission."""
        since = time.monotonic()
        while True:
            submission = self._new_submission(job, specification)
            try:
                job_id = self.session.submit(self._job_script(submission, specification))
            except SubmissionRefused as error:
                self._drop(submission)
                self._fail(
                    submission.info,
                    f"The scheduler refused it: {error}. Native specification: '{specification}'.",
                )
                return
            except SchedulerSilent as error:
                self._take_back(submission)
                self.silence.bear(since, str(error))
                time.sleep(SECONDS_BETWEEN_TRIES)
                continue
            self.silence.broken()
            submission.entry.job_id = submission.info.external_jobid = job_id
            self.journal.submitted(submission.entry.token, job_id)
            self.report_job_submission(submission.info)
            return

    def _take_back(self, submission: Submission) -> None:
        """Make sure that a submission without an answer does not run.

        It may have been taken all the same. Without permission it will not start; if it had
        started before, it told its id, and is ended.
        """
        if self._end([submission.entry]):
            raise ExecutorError(
                f"job {submission.entry.job_id} of the scheduler ({submission.entry.name}) runs, "
                "though its submission was never confirmed, and cannot be ended. It is recorded: "
                "start again when the scheduler answers"
            )

    def _new_submission(self, job: JobExecutorInterface, specification: str) -> Submission:
        need = need_of(job)
        token = new_token()
        wildcards = getattr(job, "wildcards_dict", None) or {}
        log = log_path(self.log_folder, need, wildcards, token)
        log.parent.mkdir(parents=True, exist_ok=True)
        entry = Entry(token, str(need), written_by(job), str(log))
        submission = Submission(
            SubmittedJobInfo(job, aux={"token": token}), entry, need, specification
        )
        self.submissions[token] = submission
        self.journal.submitting(entry)
        self.fence.allow(entry)
        return submission

    def _job_script(self, submission: Submission, specification: str) -> JobScript:
        script = self.fence.script(submission.entry.token)
        self.token = submission.entry.token
        self.write_jobscript(submission.info.job, script)
        return JobScript(
            name=job_name(submission.need),
            script=script,
            folder=Path(self.workflow.workdir_init).absolute(),
            log=Path(submission.entry.log),
            native_specification=specification,
        )

    def get_job_exec_prefix(self, job: JobExecutorInterface) -> str:
        """Shell before the work: claim the permission, take over the environment."""
        exports = [
            f"export {name}={shlex.quote(os.environ[name])}"
            for name in self.settings.pass_variables.split()
            if name in os.environ
        ]
        # PBS has 077: what jobs write could be read by nobody else.
        return " && ".join([self.fence.claim(self.token), f"umask {self.umask:03o}", *exports])

    def get_job_exec_suffix(self, job: JobExecutorInterface) -> str:
        """Shell after the work, if it ended well: leave the mark."""
        return self.fence.mark(self.token)

    # Earlier Snakemakes.

    def _end_writers_of(self, jobs: Iterable[JobExecutorInterface]) -> dict:
        """End jobs of other Snakemakes that write what these jobs write.

        Returns the jobs for which that did not succeed, each with the reason.
        """
        writers = {job: self.earlier.writers_of(written_by(job)) for job in jobs}
        entries = {entry.token: entry for found in writers.values() for entry in found}
        if owner := self.earlier.living_owner(entries.values()):
            raise ExecutorError(
                f"another Snakemake is at work on the same files ({owner}: host and process): "
                "wait for it, or end it there with Ctrl-C"
            )
        left = self._end_earlier(entries.values())
        return {
            job: f"Not submitted: {entry.name}, job {entry.job_id} of an earlier Snakemake, writes "
            f"the same files and could not be ended in {self.settings.end_wait} s. End it with "
            f"the scheduler's own command; its log is {entry.log}."
            for job, found in writers.items()
            for entry in found
            if entry in left
        }

    def _end_earlier(self, entries: Iterable[Entry]) -> list[Entry]:
        """End jobs of earlier Snakemakes; those that may still run."""
        entries = list(entries)
        if not entries:
            return []
        ids = ", ".join(entry.job_id or "one without an id" for entry in entries)
        self.logger.info(f"Ending jobs that an earlier Snakemake left: {ids}.")

        def gone(entry: Entry) -> None:
            self.fence.forget(entry.token, keep_script=entry.job_id is None)
            self.earlier.gone(entry)

        return end_jobs(self.session, self.fence, entries, self.settings.end_wait, gone)

    # Looking, in a thread of the base class.

    async def check_active_jobs(
        self, active_jobs: list[SubmittedJobInfo]
    ) -> AsyncGenerator[SubmittedJobInfo, None]:
        """Judge all jobs; yield those that are not over.

        One sweep counts as one check for `max-status-checks-per-second`.
        """
        if not active_jobs:
            return  # nothing of this class may be touched: perhaps it is not initialised yet
        async with self.status_rate_limiter:
            verdicts = self._sweep([info.aux["token"] for info in active_jobs])
        for submission, verdict in verdicts:
            if verdict.outcome is Outcome.SUCCEEDED:
                self._drop(submission)
                self.report_job_success(submission.info)
            elif verdict.outcome is Outcome.FAILED:
                self._drop(submission)
                log = submission.entry.log
                message = f"Job {submission.entry.job_id} of the scheduler: {verdict.reason}."
                self._fail(submission.info, f"{message} It printed to {log}.", log)
            else:
                yield submission.info

    def _sweep(self, tokens: Iterable[str]) -> list[tuple[Submission, Verdict]]:
        """A verdict on each job; those asked longest ago come first.

        The marks are read at once; only jobs without one are asked for at the scheduler.
        """
        known = (self.submissions.get(token) for token in tokens)  # None while jobs are ended
        active = sorted(filter(None, known), key=lambda submission: submission.asked_at)
        marks = self.fence.marked()
        silences = 0
        verdicts = []
        for submission in active:
            marked = submission.entry.token in marks
            ending = submission.ending
            settled = marked or self.cancelled or (ending and ending.excludes_success)
            if not settled and silences < MOST_SILENCES:
                silences = 0 if self._ask(submission) else silences + 1
            verdicts.append((submission, self._judge(submission, marked)))
        silent = [submission.silent_since for submission in active if submission.silent_since]
        if silent:
            self.silence.bear(min(silent), self.last_words)
        return verdicts

    def _ask(self, submission: Submission) -> bool:
        """Ask the scheduler for a job; whether it answered."""
        submission.asked_at = time.monotonic()
        try:
            state = self.session.look(submission.job_id)
            if state in (State.ENDED, State.UNKNOWN):
                if not self._follow_claimant(submission):
                    self._learn_ending(submission, state)
            else:
                self._note_alive(submission, state)
        except SchedulerSilent as error:
            submission.silent_since = submission.silent_since or submission.asked_at
            self.last_words = str(error)
            return False
        submission.silent_since = None
        self.silence.broken()
        return True

    def _follow_claimant(self, submission: Submission) -> bool:
        """Whether another job of the scheduler does the work; from now on that one is looked at.

        The library of PBS submits once more if the answer to a submission was lost.
        """
        claimant = self.fence.claimant(submission.entry.token)
        if claimant in (None, submission.entry.job_id):
            return False
        submission.entry.job_id = submission.info.external_jobid = claimant
        self.journal.submitted(submission.entry.token, claimant)
        return True

    def _note_alive(self, submission: Submission, state: State) -> None:
        """Take note that it waits or runs, even if the scheduler had not known it before."""
        submission.ending = submission.unmarked_since = None
        if state is State.WAITING:
            submission.started = None
        elif submission.started is None:
            submission.started = submission.asked_at

    def _learn_ending(self, submission: Submission, state: State) -> None:
        """Take note of an end. It may be told later than it is seen, or never.

        The scheduler said that the job is over or not known any more. Does it not say how
        within `mark_wait`, be it by silence, more will not be known.
        """
        submission.unmarked_since = submission.unmarked_since or submission.asked_at
        late = self._unmarked_seconds(submission) >= self.settings.mark_wait
        unknown = state is State.UNKNOWN
        if submission.ending is None:
            try:
                submission.ending = self._reap(submission)
            except SchedulerSilent:
                if not late:
                    raise
        if submission.ending is None and late:
            if not unknown:
                self.session.terminate(submission.job_id)
            submission.ending = Ending(forgotten=unknown, stuck=not unknown)

    def _reap(self, submission: Submission) -> Ending | None:
        """How it ended; its run time as seen from here where the scheduler does not tell."""
        ending = self.session.reap(submission.job_id)
        started, ended = submission.started, submission.unmarked_since
        if ending is None or ending.seconds is not None or started is None or ended is None:
            return ending
        return replace(ending, seconds=ended - started)

    def _unmarked_seconds(self, submission: Submission) -> float:
        since = submission.unmarked_since
        return 0 if since is None else time.monotonic() - since

    def _judge(self, submission: Submission, marked: bool) -> Verdict:
        if self.cancelled:
            return Verdict(Outcome.RUNNING)
        return judge(
            marked,
            submission.ending,
            self._unmarked_seconds(submission),
            self.settings.mark_wait,
            submission.asked,
        )

    # Ends.

    def _drop(self, submission: Submission) -> None:
        """Strike off a submission that is over."""
        entry = submission.entry
        self.journal.ended(entry.token)
        self.fence.forget(entry.token, keep_script=entry.job_id is None)
        self.submissions.pop(entry.token, None)

    def _fail(self, info: SubmittedJobInfo, message: str, log: str | None = None) -> None:
        """Report a failure with its message, for a group too."""
        if info.job.is_group():
            self.logger.error(message)  # Snakemake does not print the message of a group
        self.report_job_error(info, msg=f"{message} ", aux_logs=[log] if log else [])

    def cancel_jobs(self, active_jobs: list[SubmittedJobInfo]) -> None:
        """End all jobs of this Snakemake.

        Not only `active_jobs`: a sweep that is under way has taken jobs out of that list.
        """
        self.cancelled = True
        left = self._end([submission.entry for submission in list(self.submissions.values())])
        if left:
            ids = ", ".join(str(entry.job_id) for entry in left)
            self.logger.error(
                f"These jobs could not be ended in {self.settings.end_wait} s and are recorded: "
                f"{ids}. The next start of Snakemake ends them first."
            )

    def _end(self, entries: list[Entry]) -> list[Entry]:
        """End own jobs; those that may still run."""

        def gone(entry: Entry) -> None:
            if submission := self.submissions.get(entry.token):  # a sweep may have been first
                self._drop(submission)

        return end_jobs(self.session, self.fence, entries, self.settings.end_wait, gone)

    def shutdown(self) -> None:
        """Leave the scheduler, and a journal only if jobs are left."""
        super().shutdown()
        self.session.close()
        self.journal.close()


def own_umask() -> int:
    """The umask of this process; there is no way to ask but to set it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def written_by(job: JobExecutorInterface) -> list[str]:
    """All files a job or group writes, or its name if it has no output."""
    parts = job.jobs if job.is_group() else [job]
    files = [str(file) for part in parts for file in part.output]
    return sorted(files) or [f"{job.name} {part.wildcards_dict}" for part in parts]
