"""From what is known of a job to a verdict. No scheduler, no files, no clock."""

from dataclasses import dataclass
from enum import Enum

# Time and memory are measured with some tolerance: limits are enforced by polling.
_OF_THE_TIME = 0.98
_OF_THE_MEMORY = 0.95


class Outcome(Enum):
    """What is done with a job after a look at it."""

    RUNNING = "running"
    AWAITING_MARK = "awaiting its mark"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True)
class Ending:
    """What the scheduler tells of a job that ended.

    Attributes
    ----------
    exit_status : int, optional
        None where the scheduler does not tell. All left out: it tells only that the job ended.
    signal : str
        Name of the signal that killed it, empty for none.
    aborted : bool
        Ended by the scheduler or an operator, before or while it ran.
    forgotten : bool
        The scheduler does not know the job any more, so nothing of the rest.
    stuck : bool
        The scheduler calls it failed but never gave its end: held in an error state.
    seconds, memory_mb : float, optional
        How long it ran and the most memory it had.
    virtual : bool
        The memory is virtual, of which libraries take much that is no memory.
    """

    exit_status: int | None = None
    signal: str = ""
    aborted: bool = False
    forgotten: bool = False
    stuck: bool = False
    seconds: float | None = None
    memory_mb: float | None = None
    virtual: bool = False

    @property
    def excludes_success(self) -> bool:
        """Whether it tells a failure; the contrary tells nothing."""
        return bool(self.exit_status or self.signal or self.aborted or self.stuck)


@dataclass(frozen=True)
class Asked:
    """What the job asked for, where it did.

    Attributes
    ----------
    seconds, memory_mb : float, optional
        Run time and memory.
    virtual : bool
        The scheduler was asked to limit virtual memory.
    """

    seconds: float | None = None
    memory_mb: float | None = None
    virtual: bool = False


@dataclass(frozen=True)
class Verdict:
    """An outcome and, for a failure, its reason."""

    outcome: Outcome
    reason: str = ""


def judge(
    marked: bool, ending: Ending | None, unmarked_seconds: float, patience: float, asked: Asked
) -> Verdict:
    """Decide on a job.

    Parameters
    ----------
    marked : bool
        The job script of this very submission left its mark after its work.
    ending : Ending, optional
        None while the scheduler has it waiting or running, or does not answer.
    unmarked_seconds : float
        Time since it was first seen ended without a mark.
    patience : float
        How long a mark may need to become visible here, seconds.
    asked : Asked
        What it asked for, to explain a kill.
    """
    if marked:
        return Verdict(Outcome.SUCCEEDED)
    if ending is None:
        return Verdict(Outcome.RUNNING)
    if ending.excludes_success:
        return Verdict(Outcome.FAILED, explain(ending, asked))
    if unmarked_seconds < patience:
        return Verdict(Outcome.AWAITING_MARK)
    return Verdict(Outcome.FAILED, explain(ending, asked))


def explain(ending: Ending, asked: Asked) -> str:
    """Why a job without a mark failed, in a sentence without its full stop."""
    if ending.forgotten:
        return (
            "the scheduler does not know it any more and it left no mark of success: "
            "whether and how it ended cannot be told"
        )
    if ending.stuck:
        return "the scheduler holds it in an error state"
    if ending.signal or ending.aborted:
        return _explain_kill(ending, asked)
    if ending.exit_status:
        return f"it ended with exit status {ending.exit_status}{_after(ending)}"
    if ending.exit_status is None:
        return (
            "the scheduler calls it ended without telling how, and it left no mark of success: "
            "it was deleted before it started, or lost"
        )
    return (
        f"the scheduler calls it well ended{_after(ending)}, yet it left no mark of success: "
        "it was cut short, or its node does not share this folder"
    )


def _explain_kill(ending: Ending, asked: Asked) -> str:
    if ending.signal:
        what = f"it was killed by {ending.signal}{_after(ending)}"
    else:
        what = f"it was deleted or aborted{_after(ending)}"
    if _reached(ending.seconds, asked.seconds, _OF_THE_TIME):
        return f"{what}: over its run time of {asked.seconds:.0f} s"
    comparable = asked.virtual or not ending.virtual
    if comparable and _reached(ending.memory_mb, asked.memory_mb, _OF_THE_MEMORY):
        return f"{what}: it had {ending.memory_mb:.0f} MB and asked for {asked.memory_mb:.0f} MB"
    if ending.signal:
        return f"{what}, by the system, the scheduler or a person"
    return f"{what}, by the scheduler, an operator or its owner"


def _reached(had: float | None, asked: float | None, share: float) -> bool:
    return had is not None and asked is not None and had >= share * asked


def _after(ending: Ending) -> str:
    return "" if ending.seconds is None else f" after {ending.seconds:.0f} s"
