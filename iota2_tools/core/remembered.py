"""What was looked at and need not be looked at again.

A look that takes seconds at each start leaves a small file in the user's cache folder once it has
passed, named after all that it depends on. What did not pass is never kept, and where nothing can
be written the look is taken each time. What was found in files of the user, good or bad, stands in
a notebook, by their sizes and times.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

PACKAGE = Path(__file__).parents[1]


def has_passed(look: object) -> bool:
    """Whether this look has passed before.

    Parameters
    ----------
    look : object
        All that its answer depends on, told whole by its `repr`: 1, 1.0, True and "1" are four
        things.
    """
    words = repr(look)
    try:
        return _place(words).read_text(encoding="utf-8") == words
    except (OSError, RuntimeError, ValueError):  # absent, no home, cut by a crash
        return False


def keep_passed(look: object) -> None:
    """Keep that this look has passed; without a place to write to, in silence, it is not kept."""
    words = repr(look)
    with suppress(OSError, RuntimeError, ValueError):
        _write_whole(_place(words), words)


def _write_whole(place: Path, text: str) -> None:
    """Write a file beside its place, then give it its name."""
    temporary = ""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=place.parent, prefix=".part-")
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, place)
    except OSError:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def makers(packages: Iterable[str]) -> dict[str, str]:
    """Versions of Python and some packages, none of which is imported, and our own sources.

    Raises
    ------
    PackageNotFoundError
        If one of them is not installed.
    """
    return {name: version(name) for name in packages} | {
        "python": python_version(),
        "sources": _sources(PACKAGE),
    }


@cache
def _sources(folder: Path) -> str:
    """Digest of the Python files of a folder; a change while one is developed counts."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        found.update(f"{path.relative_to(folder)}\0".encode())
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def _place(words: str) -> Path:
    """File of a look."""
    return _folder("passed") / hashlib.sha256(words.encode()).hexdigest()[:32]


def _folder(name: str) -> Path:
    """Folder of ours in the one that the XDG Base Directory Specification has for caches."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    folder = Path(given) if os.path.isabs(given) else Path.home() / ".cache"
    return folder / "iota2-tools" / name


class Notebook:
    """What was found in files, kept by their sizes and times, so that each is read once.

    Parameters
    ----------
    name : str
        All that the findings depend on beside the files; another name, another notebook.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._known: dict[str, list[Any]] = {}
        self._fresh: dict[str, list[Any]] = {}
        with suppress(OSError, RuntimeError, ValueError, KeyError, TypeError):  # as `has_passed`
            stored = json.loads(self._place.read_text(encoding="utf-8"))
            self._known = dict(stored["notes"]) if stored["name"] == name else {}

    @property
    def _place(self) -> Path:
        return _folder("looks") / f"{hashlib.sha256(self._name.encode()).hexdigest()[:32]}.json"

    def read(self, files: Iterable[str], question: str, look: Callable[[], Any]) -> Any:
        """What is found in some files: what it was if they have not changed since, else by a look.

        Parameters
        ----------
        files : iterable of str
            Read by `look`.
        question : str
            What tells this look from others at the same files.
        look : callable
            Gives plain values, as JSON holds them.
        """
        states = [_state(path) for path in files]
        key = hashlib.sha256(question.encode()).hexdigest()[:32]
        known = self._known.get(key)
        if known is None or known[0] != states:
            known = [states, look()]
        self._fresh[key] = known
        return known[1]

    def save(self) -> None:
        """Keep what was asked since the beginning; without a place to write to, in silence, nothing."""
        text = json.dumps({"name": self._name, "notes": self._fresh})
        with suppress(OSError, RuntimeError, ValueError):
            _write_whole(self._place, text)


def _state(path: str) -> list[object]:
    """Path, size and time of a file; the path alone where there is none."""
    try:
        about = os.stat(path)
    except OSError:
        return [path]
    return [path, about.st_size, about.st_mtime_ns]
