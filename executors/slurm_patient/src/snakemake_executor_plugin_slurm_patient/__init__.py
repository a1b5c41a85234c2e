"""Snakemake's executor for Slurm, with patience: silence is no verdict, and no wait is endless.

The plugin `slurm` asks for its jobs a few times within milliseconds. Without an answer it forgets
all that run, and Snakemake waits for them for ever; so it does for a job that Slurm has forgotten.
A job that it submits meanwhile has failed, and so have its retries.
All else is that plugin, with the same settings under the name `slurm-patient`.
"""

import asyncio
import os
import subprocess
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

import snakemake_executor_plugin_slurm as upstream
from snakemake_executor_plugin_slurm import common_settings
from snakemake_interface_common.exceptions import ApiError
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface
from snakemake_interface_executor_plugins.logging import LoggerExecutorInterface
from snakemake_interface_executor_plugins.workflow import WorkflowExecutorInterface

__all__ = ["Executor", "ExecutorSettings", "common_settings"]

# An answer that takes longer counts as none.
ANSWER_SECONDS = 120
SECONDS_BETWEEN_TRIES = 10
# Resources that send a job to another cluster, of whose jobs this one knows nothing.
ELSEWHERE = ("cluster", "clusters", "slurm_cluster")


@dataclass
class ExecutorSettings(upstream.ExecutorSettings):
    """Settings of the plugin `slurm`, and how long is waited. Times are in seconds."""

    silence_limit: int = field(
        default=3600,
        metadata={
            "help": "How long a Slurm that does not answer is waited for before Snakemake stops."
        },
    )
    lost_after: int = field(
        default=300,
        metadata={
            "help": "How long a job that Slurm does not know any more is waited for. Then it "
            "counts as lost, and is tried again (retries)."
        },
    )


class Silent(Exception):
    """Slurm gave no answer."""


class Executor(upstream.Executor):
    """The executor of the plugin `slurm`, which asks first whether Slurm answers at all."""

    def __init__(self, workflow: WorkflowExecutorInterface, logger: LoggerExecutorInterface):
        # Before the thread of the base class begins, which looks at jobs.
        self._silent_since: float | None = None
        self._unknown_since: dict[str, float] = {}
        self._judged: set[str] = set()
        super().__init__(workflow, logger)

    def run_jobs(self, jobs: list[JobExecutorInterface]) -> None:
        """Submit jobs, once Slurm answers."""
        while True:
            try:
                known_jobs()
                break
            except Silent as error:
                self._bear(str(error))
                time.sleep(SECONDS_BETWEEN_TRIES)
        self._note_answer()
        super().run_jobs(jobs)

    async def check_active_jobs(
        self, active_jobs: list[SubmittedJobInfo]
    ) -> AsyncGenerator[SubmittedJobInfo, None]:
        """Judge jobs; yield those that are not over, all of them while Slurm is silent."""
        try:
            known = await asyncio.to_thread(known_jobs) if active_jobs else set()
        except Silent as error:
            self._bear(str(error))
            for job in active_jobs:
                yield job
            return
        self._note_answer()
        self._judged.clear()
        going = [job async for job in super().check_active_jobs(active_jobs)]
        kept = {job.external_jobid for job in going} | self._judged
        # Slurm fell silent since it was asked: the plugin drops its jobs.
        going += [job for job in active_jobs if job.external_jobid not in kept]
        for job in going:
            if self._is_lost(job, known):
                self._report_lost(job)
            else:
                yield job

    def report_job_success(self, job_info: SubmittedJobInfo) -> None:
        """Take note of a verdict of the plugin."""
        self._judged.add(job_info.external_jobid)
        super().report_job_success(job_info)

    def report_job_error(
        self, job_info: SubmittedJobInfo, msg: str | None = None, **more: Any
    ) -> None:
        """Take note of a verdict of the plugin."""
        self._judged.add(job_info.external_jobid)
        super().report_job_error(job_info, msg=msg, **more)

    def _bear(self, words: str) -> None:
        """Tell of a silence once; an error where it is too long."""
        limit = self.workflow.executor_settings.silence_limit
        self._unknown_since.clear()  # a Slurm that starts again needs time to know its jobs
        since = self._silent_since  # of two threads: one submits, one looks
        if since is None:
            self._silent_since = time.monotonic()
            self.logger.warning(
                f"Slurm does not answer ({words}). "
                f"No job is judged by that; it is waited for, {limit} s at most."
            )
        elif time.monotonic() - since > limit:
            raise ApiError(
                f"Slurm has not answered for {limit} s ({words}). Its jobs may still run: "
                "start again when it is back; those that still run are named first"
            )

    def _note_answer(self) -> None:
        if self._silent_since is not None:
            self._silent_since = None
            self.logger.info("Slurm answers again.")

    def _is_lost(self, job: SubmittedJobInfo, known: set[str]) -> bool:
        """Whether Slurm has not known a job for too long, though it answers."""
        if job.external_jobid in known or any(map(job.job.resources.get, ELSEWHERE)):
            self._unknown_since.pop(job.external_jobid, None)
            return False
        since = self._unknown_since.setdefault(job.external_jobid, time.monotonic())
        return time.monotonic() - since >= self.workflow.executor_settings.lost_after

    def _report_lost(self, job: SubmittedJobInfo) -> None:
        self._unknown_since.pop(job.external_jobid, None)
        seconds = self.workflow.executor_settings.lost_after
        self.report_job_error(
            job,
            msg=f"SLURM-job '{job.external_jobid}' is lost: Slurm answers, but has not known it "
            f"for {seconds} s, so whether and how it ended cannot be told. ",
            aux_logs=[str(job.aux["slurm_logfile"])],
        )


def known_jobs() -> set[str]:
    """Ids of the user's jobs that Slurm knows, of those that ended too.

    Raises
    ------
    Silent
        With Slurm's words, if it does not answer.
    """
    command = ["squeue", "--noheader", "--array", "--states=all", f"--user={os.getuid()}",
               "--format=%i"]  # fmt: skip
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=ANSWER_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Silent(str(error)) from None
    if done.returncode:
        raise Silent(" ".join(done.stderr.split()) or f"squeue ended with {done.returncode}")
    return set(done.stdout.split())
