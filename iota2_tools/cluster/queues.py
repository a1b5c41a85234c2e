"""What the modules of the schedulers share: asking a command, and what a queue gives."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from iota2_tools.core.errors import ClusterError, MissingSoftwareError


def ask(*command: str) -> str:
    """What a command of a scheduler prints.

    Raises
    ------
    MissingSoftwareError
        If this machine has no such command.
    ClusterError
        With the scheduler's words, if it does not answer or refuses.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    except FileNotFoundError:
        raise MissingSoftwareError(
            f"no command {command[0]}: start snakemake on a machine from which jobs are submitted"
        ) from None
    except subprocess.TimeoutExpired:
        raise ClusterError(f"{command[0]}: no answer in two minutes") from None
    if done.returncode:
        words = " ".join((done.stderr.strip() or done.stdout).split())
        raise ClusterError(f"{command[0]}: {words}")
    return done.stdout.strip()


@dataclass(frozen=True)
class Queue:
    """What a queue, or a partition of Slurm, gives one job at most; None means no limit."""

    name: str
    is_default: bool
    memory_mb: int | None
    runtime_minutes: int | None
    threads: int | None

    def __str__(self) -> str:
        memory = "any memory" if self.memory_mb is None else f"{self.memory_mb} MB"
        time = "any time" if self.runtime_minutes is None else f"{self.runtime_minutes} minutes"
        threads = "any number of" if self.threads is None else self.threads
        return f"{self.name}: at most {memory}, {time}, {threads} processors a job"


def smallest(*limits: int | None) -> int | None:
    """The limit that counts where several hold; None means no limit."""
    return min((limit for limit in limits if limit is not None), default=None)


def largest(*limits: int | None) -> int | None:
    """The limit where a job goes to the one of several queues that takes it."""
    known = [limit for limit in limits if limit is not None]
    return max(known, default=None) if len(known) == len(limits) else None


def common_limits(queues: Sequence[Queue]) -> Queue:
    """What each of some queues gives; Slurm takes a list and chooses."""
    limits = ("memory_mb", "runtime_minutes", "threads")
    least = {name: smallest(*(getattr(queue, name) for queue in queues)) for name in limits}
    return Queue(",".join(queue.name for queue in queues), is_default=False, **least)
