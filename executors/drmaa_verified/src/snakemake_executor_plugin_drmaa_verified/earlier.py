"""What other Snakemakes of this working directory left: their jobs are ended, never doubled."""

import fcntl
import json
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from .record import Entry, read_journal


@dataclass
class Run:
    """The journal of another Snakemake, still running or not."""

    path: Path
    entries: dict[str, Entry] = field(default_factory=dict)

    def lives(self) -> bool | None:
        """Whether its Snakemake still runs; None if that cannot be told from this host."""
        with self.path.open(encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            except OSError:
                return None
        # Some file systems keep locks to one host: a free lock tells of this one only.
        return False if self.path.stem.rsplit("-", 2)[0] == socket.gethostname() else None

    def ended(self, token: str) -> None:
        """Strike a submission off; the journal goes with its last one."""
        del self.entries[token]
        with self.path.open("a", encoding="utf-8") as file:
            print(json.dumps({"event": "ended", "token": token}), file=file, flush=True)
        if not self.entries:
            self.path.unlink(missing_ok=True)


class Earlier:
    """The submissions of other Snakemakes that may still run.

    Read once, at the start: Snakemake's lock keeps later ones off the same files.
    """

    def __init__(self, folder: Path, own: Path):
        paths = sorted((folder / "runs").glob("*.jsonl"))
        self._runs: dict[str, Run] = {}
        self._writers: dict[str, set[str]] = {}
        for run in (Run(path, read_journal(path)) for path in paths if path != own):
            if not run.entries and run.lives() is False:
                run.path.unlink(missing_ok=True)
            for entry in run.entries.values():
                self._runs[entry.token] = run
                for file in entry.writes:
                    self._writers.setdefault(file, set()).add(entry.token)

    def of_dead_runs(self) -> list[Entry]:
        """All submissions of Snakemakes that certainly do not run any more."""
        dead = {id(run): run for run in self._runs.values() if run.lives() is False}
        return [entry for run in dead.values() for entry in run.entries.values()]

    def writers_of(self, files: Iterable[str]) -> list[Entry]:
        """Submissions that write one of these files."""
        tokens = set().union(*(self._writers.get(file, ()) for file in files))
        return [self._runs[token].entries[token] for token in sorted(tokens) if token in self._runs]

    def living_owner(self, entries: Iterable[Entry]) -> str | None:
        """Host and process of a Snakemake at work that owns one of the entries."""
        for entry in entries:
            if self._runs[entry.token].lives():
                return self._runs[entry.token].path.stem
        return None

    def gone(self, entry: Entry) -> None:
        """Strike off a submission that cannot write any more."""
        self._runs.pop(entry.token).ended(entry.token)
