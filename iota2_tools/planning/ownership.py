"""Who makes a production: one at a time, and the second is told who is the first.

Snakemake locks the files of a production as well. Its lock stays when it is killed, since its jobs
may go on; ours says on which machine, by whom and since when, so that a person can look.
"""

import getpass
import json
import os
import shlex
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from iota2_tools.core.errors import Iota2Error, unwritable
from iota2_tools.core.files import whole_file
from iota2_tools.core.platform import process_start
from iota2_tools.planning.whereabouts import Place


class OccupiedError(Iota2Error):
    """A production is being made by another process, or was left by one that was killed."""


@dataclass(frozen=True)
class Owner:
    """A process that makes a production.

    Parameters
    ----------
    host, pid, user
        Name of the machine, number of the process, name of the user.
    since : str
        When it began, ISO 8601 with the offset of the time zone.
    start : str
        What the system tells of its start (`platform.process_start`): numbers of processes come again.
    """

    host: str
    pid: int
    user: str
    since: str
    start: str

    @classmethod
    def of_process(cls, pid: int) -> "Owner":
        """A process of this machine."""
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        return cls(socket.gethostname(), pid, getpass.getuser(), now, process_start(pid) or "")

    @classmethod
    def read(cls, path: Path) -> "Owner | None":
        """Who stands in a file; None if there is none, or it is being written."""
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    @property
    def began(self) -> float:
        """When it began, seconds since the epoch."""
        return datetime.fromisoformat(self.since).timestamp()

    @property
    def here(self) -> bool:
        """Whether it is a process of this machine."""
        return self.host == socket.gethostname()

    @property
    def runs(self) -> bool | None:
        """Whether it still runs; None where this machine cannot know."""
        return process_start(self.pid) == self.start if self.here else None

    def __str__(self) -> str:
        since = datetime.fromisoformat(self.since)
        return f"{self.user} on {self.host}, process {self.pid}, since {since:%Y-%m-%d %H:%M:%S}"


@contextmanager
def owning(place: Place) -> Iterator[Callable[[int], None]]:
    """Make a production one's own for the time of the block.

    Yields
    ------
    callable
        Hands the production over to another process, by its number, which will make it.

    Raises
    ------
    OccupiedError
        If another process makes it, or was killed while it did.
    OutputError
        If the output folder cannot be written to.
    """
    try:
        place.records.mkdir(parents=True, exist_ok=True)
        _claim(place)
    except OSError as error:
        raise unwritable(str(place.output), error.strerror) from None
    try:
        yield lambda pid: _write(place.owner, Owner.of_process(pid))
    finally:
        place.owner.unlink(missing_ok=True)


def _claim(place: Place) -> None:
    if place.owner.exists():
        refuse_if_occupied(place)
        _set_aside(place)
    own = place.owner.with_name(f"running-{socket.gethostname()}-{os.getpid()}.json")
    _write(own, Owner.of_process(os.getpid()))
    try:
        os.link(own, place.owner)  # fails if another was quicker
    except FileExistsError:
        refuse_if_occupied(place)
        raise _just_begun(place) from None
    finally:
        own.unlink(missing_ok=True)


def _set_aside(place: Place) -> None:
    """Take away the claim of a process that has ended, but not that of one which took it away just before."""
    gone = place.owner.with_name(f"gone-{socket.gethostname()}-{os.getpid()}.json")
    try:
        place.owner.rename(gone)
    except FileNotFoundError:
        return
    owner = Owner.read(gone)
    try:
        if owner and owner.runs is not False:
            with suppress(FileExistsError):
                os.link(gone, place.owner)
            raise _just_begun(place)
    finally:
        gone.unlink()


def _just_begun(place: Place) -> OccupiedError:
    return OccupiedError(f"{place.output}: another run has just begun; try again")


def _write(path: Path, owner: Owner) -> None:
    with whole_file(str(path)) as temporary:
        Path(temporary).write_text(json.dumps(asdict(owner)), encoding="utf-8")


def refuse_if_occupied(place: Place) -> None:
    """Say who makes a production, or who has left it locked.

    Raises
    ------
    OccupiedError
        If somebody does, or a Snakemake that was killed has left its lock.
    """
    owner = Owner.read(place.owner)
    if owner and owner.runs is not False:
        free = "" if owner.here else f"; if it has ended there: {unlocking(place)}"
        raise OccupiedError(
            f"{place.output}: is being made by {owner}; `iota2 status` tells how far it is{free}"
        )
    if owner and is_locked(place):
        raise OccupiedError(
            f"{place.output}: was being made by {owner}, which was killed: jobs of its may still run. "
            f"If none does: {unlocking(place)}, then again"
        )


def is_locked(place: Place) -> bool:
    """Whether Snakemake has locked the files of a production."""
    return any((place.records / "locks").glob("*.lock"))


def unlocking(place: Place) -> str:
    """The command that frees a production, and no other."""
    return f"`iota2 run {shlex.quote(str(place.configfile))} --unlock`"
