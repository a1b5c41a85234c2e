"""What outlives a killed Snakemake: which jobs it submitted, and which of them may still start.

In `.snakemake/drmaa-verified/`:

runs/<run>.jsonl
    What one Snakemake submitted, a line an event. It holds a lock on the file while it lives.
jobs/<token>/
    A submission: `script.sh`; `entry.json`, what its journal says of it, once more; `allowed`,
    that it may start; `running.<id>`, that it started, as job <id> of the scheduler.
marks/<token>
    It ended well.

A token names one submission and is never used again. The script claims its permission by
renaming `allowed` to `running.<id>`, and leaves its mark by renaming that into `marks/`.
A rename happens once: whoever takes a permission away before it was claimed knows that this
submission will never start, even if its id was never learnt.

A host that goes down may lose or damage what was written last. Nothing that is read back here
is trusted to be whole: what can be understood counts, the rest is counted and told.
"""

import contextlib
import fcntl
import json
import os
import re
import secrets
import shlex
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

# The id a job finds in its environment: Slurm, PBS, LSF, Grid Engine.
_ID_OF_THE_JOB = "${SLURM_JOB_ID:-${PBS_JOBID:-${LSB_JOBID:-${JOB_ID:-unknown}}}}"

# A token names a folder that is removed: a damaged one must not be a path.
_TOKEN = re.compile(r"[0-9A-Za-z]+")
# Texts that an event of each kind holds beside its token; `submitting` also a list of them.
_TEXTS = {"submitting": ("name", "log"), "submitted": ("job_id",), "ended": ()}


def new_token() -> str:
    """A name for a submission that no other ever had."""
    return secrets.token_hex(8)


@dataclass
class Entry:
    """A submission as it stands in a journal.

    Attributes
    ----------
    writes : list of str
        What no two jobs may write at once: its outputs. Empty where that was lost.
    job_id : str, optional
        The scheduler's; None until it is known.
    """

    token: str
    name: str
    writes: list[str]
    log: str
    job_id: str | None = None


class Fence:
    """Permissions and marks of submissions, as files that the jobs see too."""

    def __init__(self, folder: Path):
        self._jobs = folder / "jobs"
        self._marks = folder / "marks"
        for path in (self._jobs, self._marks):
            path.mkdir(parents=True, exist_ok=True)

    def script(self, token: str) -> Path:
        """Where the script of a submission stands."""
        return self._jobs / token / "script.sh"

    def allow(self, entry: Entry) -> None:
        """Make room for a submission and let it start."""
        folder = self._jobs / entry.token
        folder.mkdir()
        (folder / "entry.json").write_text(_line(entry), encoding="utf-8")
        (folder / "allowed").touch()

    def open_tokens(self) -> set[str]:
        """Tokens of all submissions that may start, or started and left no mark yet."""
        waiting = self._jobs.glob("*/allowed")
        started = self._jobs.glob("*/running.*")
        tokens = {path.parent.name for paths in (waiting, started) for path in paths}
        return {token for token in tokens if _TOKEN.fullmatch(token)}

    def entry(self, token: str) -> Entry:
        """A submission of which its journal does not tell: what its own folder tells of it."""
        with contextlib.suppress(OSError):
            event = _event((self._jobs / token / "entry.json").read_bytes())
            if event.get("event") == "submitting" and event["token"] == token:
                return _entry(event)
        return lost_entry(token)

    def claim(self, token: str) -> str:
        """Shell: go on only with the permission, or in a second start of the same job."""
        folder = shlex.quote(str(self._jobs / token))
        refusal = shlex.quote(f"snakemake does not want this job ({token}) any more: not started")
        return (
            f"running={folder}/running.{_ID_OF_THE_JOB} && "
            f'{{ mv {folder}/allowed "$running" 2>/dev/null || test -e "$running" || '
            f"{{ echo {refusal} >&2; exit 75; }}; }}"
        )

    def mark(self, token: str) -> str:
        """Shell: leave the mark of success; fails if the permission was taken away meanwhile."""
        mark = shlex.quote(str(self._marks / token))
        # The second test is for a file system that repeats a rename whose answer was lost.
        return f'{{ mv "$running" {mark} || test -e {mark}; }}'

    def marked(self) -> set[str]:
        """Tokens of all submissions that left their mark."""
        return set(os.listdir(self._marks))

    def claimant(self, token: str) -> str | None:
        """The scheduler's id of the job that started; None if none did, or without an id."""
        for claimed in (self._jobs / token).glob("running.*"):
            job_id = claimed.name.removeprefix("running.")
            return None if job_id == "unknown" else job_id
        return None

    def revoke(self, token: str) -> str | None:
        """Take the permission away; the scheduler's id if the job had started before.

        None if it had not started; empty if it had, under a scheduler that tells jobs no id.
        Afterwards it cannot start, nor start again, nor leave a mark.
        """
        folder = self._jobs / token
        with contextlib.suppress(FileNotFoundError):
            os.rename(folder / "allowed", folder / "revoked")
            return None
        for claimed in folder.glob("running.*"):
            claimed.unlink(missing_ok=True)
            return claimed.name.removeprefix("running.").removesuffix("unknown")
        return None

    def forget(self, token: str, keep_script: bool = False) -> None:
        """Remove the files of a submission; its script stays where it may still be started.

        Even then it does no work any more: it has no permission.
        """
        (self._marks / token).unlink(missing_ok=True)
        (self._jobs / token / "allowed").unlink(missing_ok=True)
        if not keep_script:
            shutil.rmtree(self._jobs / token, ignore_errors=True)


class Journal:
    """What this Snakemake submitted, on disk before it counts."""

    def __init__(self, folder: Path):
        runs = folder / "runs"
        runs.mkdir(parents=True, exist_ok=True)
        name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}.jsonl"
        self.path = runs / name
        # Others see it locked or not at all.
        fresh = runs / f"{name}.new"
        self._file = fresh.open("a", encoding="utf-8")
        # Where the file system has no locks, nothing can be told from them: see `earlier.Run`.
        with contextlib.suppress(OSError):
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fresh.rename(self.path)
        self._open: set[str] = set()

    def submitting(self, entry: Entry) -> None:
        """Before the scheduler hears of it."""
        self._open.add(entry.token)
        self._write(_line(entry))
        # The other events may be lost with the host: the job's own claim tells the same.
        os.fsync(self._file.fileno())

    def submitted(self, token: str, job_id: str) -> None:
        """The scheduler took it."""
        self._write(json.dumps({"event": "submitted", "token": token, "job_id": job_id}))

    def ended(self, token: str) -> None:
        """It cannot write any more."""
        self._open.discard(token)
        self._write(ended_line(token))

    def _write(self, line: str) -> None:
        print(line, file=self._file, flush=True)

    def close(self) -> None:
        """Leave the journal to a later Snakemake if jobs are left, else remove it."""
        self._file.close()
        if not self._open:
            self.path.unlink(missing_ok=True)


def ended_line(token: str) -> str:
    """What a journal says of a submission that cannot write any more."""
    return json.dumps({"event": "ended", "token": token})


def _line(entry: Entry) -> str:
    return json.dumps({"event": "submitting"} | vars(entry))


@dataclass
class Reading:
    """What a journal tells.

    Attributes
    ----------
    entries : dict of Entry
        The submissions that did not end, by token.
    ended : set of str
        Tokens of those that did.
    damaged : int
        How many lines could not be understood.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    damaged: int = 0


def read_journal(path: Path) -> Reading:
    """Read a journal whose lines may be damaged, lost, doubled or in another order.

    A token names one submission, so the order of its lines does not matter: once ended it
    stays so, and of its ids the last one counts.
    """
    reading = Reading()
    ids: dict[str, str] = {}
    for piece in _pieces(path.read_bytes()):
        event = _event(piece)
        match event.get("event"):
            case "submitting":
                reading.entries[event["token"]] = _entry(event)
            case "submitted":
                ids[event["token"]] = event["job_id"]
            case "ended":
                reading.ended.add(event["token"])
            case _:
                reading.damaged += 1
    for token, job_id in ids.items():
        reading.entries.setdefault(token, lost_entry(token)).job_id = job_id
    for token in reading.ended:
        reading.entries.pop(token, None)
    return reading


def lost_entry(token: str) -> Entry:
    """A submission of which no more than its token is known."""
    return Entry(token, "a job whose record is lost", [], "(not known)")


def _pieces(data: bytes) -> Iterator[bytes]:
    """The events of a journal; one that was cut short does not take the next one with it."""
    return filter(bytes.strip, re.split(rb'\n|(?=\{"event")', data))


def _event(data: bytes) -> dict:
    """An event that is whole; empty where it is damaged, or of a kind that is not known."""
    try:
        event = json.loads(data)
        texts = [event["token"], *(event[name] for name in _TEXTS[event["event"]])]
        if event["event"] == "submitting":
            texts = texts + event["writes"]  # not +=, which would take a text for a list
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    whole = all(isinstance(text, str) and text for text in texts)
    return event if whole and _TOKEN.fullmatch(event["token"]) else {}


def _entry(event: dict) -> Entry:
    """The submission that an event of the kind `submitting` tells of."""
    return Entry(event["token"], event["name"], event["writes"], event["log"])
