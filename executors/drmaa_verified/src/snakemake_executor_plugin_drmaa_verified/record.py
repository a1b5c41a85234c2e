"""What outlives a killed Snakemake: which jobs it submitted, and which of them may still start.

In `.snakemake/drmaa-verified/`:

runs/<run>.jsonl
    What one Snakemake submitted, a line an event. It holds a lock on the file while it lives.
jobs/<token>/
    A submission: `script.sh`; `allowed`, that it may start; `running.<id>`, that it started,
    as job <id> of the scheduler.
marks/<token>
    It ended well.

A token names one submission and is never used again. The script claims its permission by
renaming `allowed` to `running.<id>`, and leaves its mark by renaming that into `marks/`.
A rename happens once: whoever takes a permission away before it was claimed knows that this
submission will never start, even if its id was never learnt.
"""

import contextlib
import fcntl
import json
import os
import secrets
import shlex
import shutil
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# The id a job finds in its environment: Slurm, PBS, LSF, Grid Engine.
_ID_OF_THE_JOB = "${SLURM_JOB_ID:-${PBS_JOBID:-${LSB_JOBID:-${JOB_ID:-unknown}}}}"


def new_token() -> str:
    """A name for a submission that no other ever had."""
    return secrets.token_hex(8)


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

    def allow(self, token: str) -> None:
        """Make room for a submission and let it start."""
        (self._jobs / token).mkdir()
        (self._jobs / token / "allowed").touch()

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
        """Remove the files of a submission; its script stays where it may still be started."""
        (self._marks / token).unlink(missing_ok=True)
        if not keep_script:
            shutil.rmtree(self._jobs / token, ignore_errors=True)


@dataclass
class Entry:
    """A submission as it stands in a journal.

    Attributes
    ----------
    writes : list of str
        What no two jobs may write at once: its outputs.
    job_id : str, optional
        The scheduler's; None until it is known.
    """

    token: str
    name: str
    writes: list[str]
    log: str
    job_id: str | None = None


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
        self._write({"event": "submitting"} | vars(entry))
        # The other events may be lost with the host: the job's own claim tells the same.
        os.fsync(self._file.fileno())

    def submitted(self, token: str, job_id: str) -> None:
        """The scheduler took it."""
        self._write({"event": "submitted", "token": token, "job_id": job_id})

    def ended(self, token: str) -> None:
        """It cannot write any more."""
        self._open.discard(token)
        self._write({"event": "ended", "token": token})

    def _write(self, event: dict) -> None:
        print(json.dumps(event), file=self._file, flush=True)

    def close(self) -> None:
        """Leave the journal to a later Snakemake if jobs are left, else remove it."""
        self._file.close()
        if not self._open:
            self.path.unlink(missing_ok=True)


def read_journal(path: Path) -> dict[str, Entry]:
    """The submissions of a journal that did not end, by token."""
    entries: dict[str, Entry] = {}
    for event in _events(path.read_text(encoding="utf-8").splitlines()):
        kind = event.pop("event")
        if kind == "submitting":
            entries[event["token"]] = Entry(**event)
        elif kind == "submitted":
            entries[event["token"]].job_id = event["job_id"]
        elif kind == "ended":
            entries.pop(event["token"], None)
    return entries


def _events(lines: Iterable[str]) -> Iterable[dict]:
    for line in lines:
        # The last line may be cut short where the whole host went down.
        with contextlib.suppress(json.JSONDecodeError):
            yield json.loads(line)
