"""What files of the user held when a job read them, so that a change under the same name is seen.

Snakemake looks at dates alone, and products are too many and too large to be its inputs. A job
that reads such files writes a record of them: size, time of change, digest of the content. The
plan of a later run asks the system for sizes and times, and reads what has another time: copied
or touched files have the same content and change nothing, a file that was mended or fetched again
gives the job a new `revision`, one of its parameters, so that it runs again with all behind it.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from iota2_tools.core.errors import OutputError
from iota2_tools.core.files import whole_file

WHOLE_MB = 32
"""Files up to this size are digested whole, of larger ones the ends and `SAMPLES` parts."""
SAMPLES = 64
PART = 1 << 16
END = 1 << 20


@dataclass(frozen=True)
class State:
    """A file as it was: size in bytes, time of change in ns, digest of the content."""

    size: int
    time: int
    digest: str


@dataclass(frozen=True)
class Record:
    """What the files of one job were when it last read them.

    Parameters
    ----------
    revision : int
        How often their content has changed so far.
    files : dict of str to State or None
        By path; None where there was no such file.
    """

    revision: int = 0
    files: dict[str, State | None] = field(default_factory=dict)


def digest(path: str | Path) -> str:
    """Digest of the content of a file.

    Of a file of more than `WHOLE_MB`, of its size, its first and last megabyte, where TIFF keeps
    the sizes of its blocks, and of parts at equal distances.
    """
    size = os.path.getsize(path)
    found = hashlib.blake2b(str(size).encode(), digest_size=16)
    with open(path, "rb") as file:
        if size <= WHOLE_MB << 20:
            while block := file.read(END):
                found.update(block)
            return found.hexdigest()
        for start in (0, size - END):
            file.seek(start)
            found.update(file.read(END))
        for number in range(1, SAMPLES):
            file.seek(size * number // SAMPLES)
            found.update(file.read(PART))
    return found.hexdigest()


def read_record(path: str | Path) -> Record:
    """Read what `write_record` wrote; an empty record if there is none that can be read."""
    try:
        stored = json.loads(Path(path).read_text(encoding="utf-8"))
        files = {name: State(*state) if state else None for name, state in stored["files"].items()}
        return Record(int(stored["revision"]), files)
    except (OSError, ValueError, KeyError, TypeError):
        return Record()


def write_record(path: str | Path, files: Iterable[str], revision: int, threads: int = 1) -> None:
    """Record the files that a job reads, as they are now.

    Parameters
    ----------
    path : str
        JSON file to write.
    files : iterable of str
        Files the job reads, or would read if they were there.
    revision : int
        The parameter of the job.
    """
    names = sorted(set(files))
    with ThreadPoolExecutor(threads) as pool:
        _write(path, Record(revision, dict(zip(names, pool.map(_state, names), strict=True))))


def _write(path: str | Path, record: Record) -> None:
    stored = {
        "revision": record.revision,
        "files": {
            name: state and [state.size, state.time, state.digest]
            for name, state in record.files.items()
        },
    }
    with whole_file(str(path)) as temporary:
        Path(temporary).write_text(json.dumps(stored, indent=0), encoding="utf-8")


def _state(path: str) -> State | None:
    try:
        about = os.stat(path)
        return State(about.st_size, about.st_mtime_ns, digest(path))
    except OSError:
        return None


def revision(path: str | Path) -> int:
    """Revision of the files of a record: the one recorded, or one more if their content changed.

    Files that were touched or copied are recorded with their new time, so that they need not be
    read each time.

    Parameters
    ----------
    path : str
        Record of the job's last run. Without one the revision is 0.
    """
    record = read_record(path)
    now = {name: _looked_at(name, state) for name, state in record.files.items()}
    if any(_differ(now[name], state) for name, state in record.files.items()):
        return record.revision + 1
    if now != record.files:
        with suppress(OutputError):
            _write(path, Record(record.revision, now))
    return record.revision


def _differ(now: State | None, before: State | None) -> bool:
    return (now and now.digest) != (before and before.digest)


def _looked_at(path: str, before: State | None) -> State | None:
    """State of a file, whose content is read only if its size or time is another."""
    try:
        about = os.stat(path)
    except OSError:
        return None
    if before and (about.st_size, about.st_mtime_ns) == (before.size, before.time):
        return before
    return _state(path)
