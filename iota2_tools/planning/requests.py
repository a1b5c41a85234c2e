"""What jobs ask for, within what they may have."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from iota2_tools.planning.needs import Size, resources

STEPS_OF_GROUP = 5
"""Jobs of a group that follow one another, about: their run times add up."""


@dataclass(frozen=True)
class Asking:
    """A rule that asks for its jobs.

    Parameters
    ----------
    rule : str
        Its name, a key of `needs.NEEDS`.
    ranks : int
        Ranks of MPI that each job runs on.
    grouped : bool
        Whether its jobs are submitted together with others.
    """

    rule: str
    ranks: int
    grouped: bool


@dataclass(frozen=True)
class Requests:
    """What jobs ask for; what a limit cuts is told once a rule.

    Parameters
    ----------
    limit_of : callable
        Most of a resource that one job may have; None for no limit.
    warn : callable
        Gets a sentence.
    """

    limit_of: Callable[[str], int | None]
    warn: Callable[[str], object]
    _told: set[tuple[str, str]] = field(default_factory=set)

    def amount(self, asking: Asking, quantity: str, size: Size, attempt: int) -> int:
        """What a job asks for.

        The first request is the need, even above the limit: Snakemake cuts it in silence, so that
        is told. A retry of a grouped job asks for no more time than a group may have.

        Parameters
        ----------
        quantity : {"mem_mb", "runtime", "disk_mb"}
            Resource of Snakemake.
        size : Size
            What the job works on.
        attempt : int
            1 at first.
        """
        wanted = resources(asking.rule, size, attempt, asking.ranks)[quantity]
        limit = self.limit_of(quantity)
        if not limit:
            return wanted
        if attempt == 1:
            self._tell_of_cut(asking.rule, quantity, wanted, limit)
        elif quantity == "runtime" and asking.grouped:
            return min(wanted, max(limit // STEPS_OF_GROUP, 1))
        return wanted

    def _tell_of_cut(self, rule: str, quantity: str, wanted: int, limit: int) -> None:
        if wanted > limit and (rule, quantity) not in self._told:
            self._told.add((rule, quantity))
            self.warn(
                f"{rule} needs {quantity}={wanted} and gets no more than {limit}: "
                "it may be killed for that, or find too little"
            )


def listed(files: str | Iterable[str]) -> list[str]:
    """Paths of a named input of Snakemake, be it one file or several.

    >>> listed("a.tif"), listed(["a.tif", "b.tif"])
    (['a.tif'], ['a.tif', 'b.tif'])
    """
    return [files] if isinstance(files, str) else list(files)
