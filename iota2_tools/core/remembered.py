"""What was looked at, found right, and need not be looked at again.

A look that takes seconds at each start leaves a small file in the user's cache folder once it has
passed, named after all that it depends on. What did not pass is never kept, and where nothing can
be written the look is taken each time.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from platform import python_version

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
    temporary = ""
    try:
        place = _place(words)
        place.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=place.parent, prefix=".part-")
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(words)
        os.replace(temporary, place)
    except (OSError, RuntimeError, ValueError):
        with suppress(OSError):
            os.unlink(temporary)


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
    """File of a look, in the folder that the XDG Base Directory Specification has for caches."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    folder = Path(given) if os.path.isabs(given) else Path.home() / ".cache"
    return folder / "iota2-tools" / "passed" / hashlib.sha256(words.encode()).hexdigest()[:32]
