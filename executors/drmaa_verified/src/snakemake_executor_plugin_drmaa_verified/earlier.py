"""What other Snakemakes of this working directory left: their jobs are ended, never doubled."""

import fcntl
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from .record import Entry, Fence, Reading, ended_line, lost_entry, read_journal


@dataclass
class Run:
    """The journal of another Snakemake, still running or not.

    Attributes
    ----------
    path : Path, optional
        None for submissions that no journal names: their Snakemake is not known.
    """

    path: Path | None
    entries: dict[str, Entry] = field(default_factory=dict)

    def lives(self) -> bool | None:
        """Whether its Snakemake still runs; None if that cannot be told from this host."""
        if self.path is None:
            return None
        try:
            with self.path.open(encoding="utf-8") as file:
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
        if self.path is None:
            return
        with self.path.open("a", encoding="utf-8") as file:
            print(ended_line(token), file=file, flush=True)
        if not self.entries:
            self.path.unlink(missing_ok=True)


class Earlier:
    """The submissions of other Snakemakes that may still run.

    Read once, at the start: Snakemake's lock keeps later ones off the same files.

    Attributes
    ----------
    damage : str
        What could not be read, in a sentence or two; empty for nothing.
    """

    def __init__(self, folder: Path, own: Path):
        self._fence = Fence(folder)
        self._runs: dict[str, Run] = {}
        self._writers: dict[str, set[str]] = {}
        problems = []
        # Before the journals are read: a line stands there before its submission may start.
        nameless = self._fence.open_tokens()
        for path in sorted(set((folder / "runs").glob("*.jsonl")) - {own}):
            reading, problem = _read(path)
            problems += [problem] if problem else []
            nameless -= reading.entries.keys() | reading.ended
            self._take(Run(path, reading.entries))
        self._take(Run(None, {token: lost_entry(token) for token in nameless}))
        self.damage = _told(problems, [run.entries[token] for token, run in self._runs.items()])

    def _take(self, run: Run) -> None:
        """Know the submissions of a run by their tokens and by what they write."""
        for token in run.entries.keys() & self._runs.keys():  # a copy of another journal
            del run.entries[token]
        if run.path and not run.entries and run.lives() is False:
            run.path.unlink(missing_ok=True)
        for token, entry in run.entries.items():
            if not entry.writes:
                entry = replace(self._fence.entry(token), job_id=entry.job_id)
                run.entries[token] = entry
            self._runs[token] = run
            for file in entry.writes:
                self._writers.setdefault(file, set()).add(token)

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
            run = self._runs[entry.token]
            if run.path and run.lives():
                return run.path.stem
        return None

    def gone(self, entry: Entry) -> None:
        """Strike off a submission that cannot write any more."""
        self._runs.pop(entry.token).ended(entry.token)


def _read(path: Path) -> tuple[Reading, str]:
    """A journal as far as it can be read, and what could not be, empty for nothing."""
    try:
        reading = read_journal(path)
    except FileNotFoundError:  # its Snakemake ended just now
        return Reading(), ""
    except OSError as error:
        return Reading(), f"{path} cannot be read ({error.strerror})"
    lines = f"{reading.damaged} damaged line{'s' if reading.damaged > 1 else ''}"
    return reading, f"{path} has {lines}" if reading.damaged else ""


def _told(problems: list[str], entries: list[Entry]) -> str:
    """What the user is told of all that is lost."""
    lost = [entry.job_id or "one without an id" for entry in entries if not entry.writes]
    if lost:
        problems = [*problems, f"what these jobs write is not known: {', '.join(lost)}"]
    if not problems:
        return ""
    return (
        f"The record of earlier submissions is damaged: {'; '.join(problems)}. What could be "
        "read of it counts. Jobs that stood nowhere else cannot be ended from here: "
        "the scheduler's own command for listing jobs tells whether any still runs."
    )
