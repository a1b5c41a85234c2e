"""One job on several nodes: the ranks of MPI, each a process; or one process alone.

`run_on_ranks` starts a function on every rank. There, `all_ranks` tells which rank this is; in a
job without MPI it tells of a single one, so that a function needs one code for both.
"""

import importlib
import importlib.util
import os
import pickle
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import Any, Protocol

from iota2_tools.core.errors import Iota2Error, MissingSoftwareError
from iota2_tools.core.platform import raise_open_files

STARTED = "IOTA2_RANKS"
"""Environment variable that tells a process it is a rank of several."""


class Ranks(Protocol):
    """The processes of a job, and which of them this one is."""

    number: int
    count: int

    @property
    def first(self) -> bool:
        """True in the rank that writes the files."""

    def gather(self, item: Any) -> list:
        """Give an item to the first rank, which gets those of all, by number; others get none."""


class Alone:
    """A job of one process."""

    number, count, first = 0, 1, True

    def gather(self, item: Any) -> list:
        """See `Ranks`."""
        return [item]


class MpiRanks:
    """The ranks of MPI."""

    def __init__(self) -> None:
        from mpi4py import MPI

        self._world = MPI.COMM_WORLD
        self.number, self.count = self._world.Get_rank(), self._world.Get_size()

    @property
    def first(self) -> bool:
        """See `Ranks`."""
        return self.number == 0

    def gather(self, item: Any) -> list:
        """See `Ranks`."""
        return self._world.gather(item) or []

    def abort(self) -> None:
        """End all ranks: the others would wait for this one for ever."""
        self._world.Abort(1)


def all_ranks() -> Ranks:
    """Ranks of this job."""
    return MpiRanks() if os.environ.get(STARTED) else Alone()


def run_on_ranks(launcher: str, count: int, function: Callable, arguments: dict) -> None:
    """Run a function on several ranks, and wait for all of them.

    Parameters
    ----------
    launcher : str
        Command that starts ranks, with its options, e.g. ``mpirun --bind-to none`` or ``srun``.
    count : int
        Number of ranks.
    function : callable
        Of a module of this package; each rank calls it with the same arguments.
    arguments : dict
        By name.

    Raises
    ------
    MissingSoftwareError
        If the launcher or mpi4py is missing.
    Iota2Error
        If a rank failed; its own message is above, in the log.
    """
    if importlib.util.find_spec("mpi4py") is None:
        raise MissingSoftwareError(
            "mpi4py is missing: run `make setup`, or do without the resource `mpi`"
        )
    with tempfile.NamedTemporaryFile(dir=".", prefix=".ranks-", suffix=".pickle") as file:
        file.write(pickle.dumps((function.__module__, function.__name__, arguments)))
        file.flush()
        command = [*shlex.split(launcher), "-n", str(count), sys.executable, "-m", __name__]
        try:
            # Its words go to the log of the job, where file descriptors 1 and 2 lead.
            done = subprocess.run([*command, file.name], env=_environment(), check=False)
        except OSError as error:
            raise MissingSoftwareError(
                f"`{launcher}` cannot be started ({error.strerror}): install MPI (openmpi-bin), or "
                "do without the resource `mpi`"
            ) from None
    if done.returncode:
        raise Iota2Error(
            f"a rank failed (status {done.returncode}); its message is in the log above"
        )


def _environment() -> dict[str, str]:
    """That of the ranks. By itself srun gives each one processor, whatever the job asked for."""
    own = os.environ | {STARTED: "1"}
    if "SLURM_CPUS_PER_TASK" in own:
        own.setdefault("SRUN_CPUS_PER_TASK", own["SLURM_CPUS_PER_TASK"])
    return own


def _rank(path: str) -> None:
    """Call the function of `run_on_ranks` in one rank."""
    import logging

    os.environ[STARTED] = "1"  # a launcher may hand no variables to other nodes, and no limits
    raise_open_files()
    ranks = MpiRanks()
    logging.basicConfig(level=logging.INFO, format=f"rank {ranks.number}: %(message)s")
    with open(path, "rb") as file:
        module, name, arguments = pickle.loads(file.read())
    try:
        getattr(importlib.import_module(module), name)(**arguments)
    except BaseException as error:
        if isinstance(error, Iota2Error):
            logging.error("%s: %s", type(error).__name__, error)
        else:
            logging.exception("the rank failed")
        ranks.abort()


if __name__ == "__main__":
    _rank(sys.argv[1])
