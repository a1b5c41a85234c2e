"""Files and folders that bear their name only once they are whole.

What goes wrong while one is made is blamed on it only if it concerns it: the error of an input that
is gone, or of another file, keeps its own words.
"""

import errno
import glob
import os
import re
import shutil
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from iota2_tools.core.errors import OutputError, unwritable

ERRORS_OF_WRITING = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})
"""What the system says only to a process that writes: disk or quota full, too large, read only."""


@contextmanager
def whole_file(path: str) -> Iterator[str]:
    """Give a temporary name beside `path`; rename it to `path` if the block succeeds.

    A job that is killed or fails leaves nothing under the final name.

    Raises
    ------
    OutputError
        If it could not be written. An OSError of the block about something else passes as it is.
    """
    target, temporary = _place_beside(path)
    try:
        yield str(temporary)
        if not temporary.exists():
            raise OutputError(f"{path}: nothing was written")
        os.replace(temporary, target)
    except OSError as error:
        _blame(error, path, temporary)
        raise
    except OutputError as error:
        raise _under_its_name(error, temporary, path) from None
    finally:
        _remove(temporary.parent.glob(f"{glob.escape(temporary.name)}*"))


def writable_folder(path: Path | str) -> Path:
    """A folder that files can be written into, made where there is none.

    Raises
    ------
    OutputError
        If it cannot be made, or nothing may be written there.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(str(path), _words(error)) from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise unwritable(str(path), os.strerror(errno.EACCES))
    return folder


def _place_beside(path: str) -> tuple[Path, Path]:
    """Target and temporary name beside it; what a killed job left of the same target is removed.

    Not what another one makes meanwhile of a target whose name ends as this one: `a-b.csv` is not `b.csv`.
    """
    target = Path(path)
    mark = ".part-"
    left = re.compile(rf"{re.escape(mark)}[^/]+-\d+-{re.escape(target.name)}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove(target.parent / name for name in os.listdir(target.parent) if left.fullmatch(name))
    except OSError as error:
        raise unwritable(path, _words(error)) from error
    return target, target.with_name(f"{mark}{socket.gethostname()}-{os.getpid()}-{target.name}")


def _words(error: OSError) -> str:
    """What the system says; libraries put words of their own around it."""
    return os.strerror(error.errno) if error.errno else str(error.strerror or error)


def _blame(error: OSError, path: str, temporary: Path) -> None:
    """Raise an OutputError if an error of the system concerns a product, or what it is made of."""
    places = [str(place) for place in (error.filename, error.filename2) if place is not None]
    own = {path, str(Path(path).parent)}
    reason = _words(error)
    if str(temporary) in str(error) or own.intersection(places):
        raise unwritable(path, reason) from error
    if error.errno in ERRORS_OF_WRITING:  # maybe of an intermediate file, which is named then
        raise unwritable(places[0] if places else path, reason) from error


def _under_its_name(error: OutputError, temporary: Path, path: str) -> OutputError:
    """The same error, about the file the user knows."""
    return OutputError(str(error).replace(str(temporary), path))


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: str) -> Iterator[str]:
    """Give a temporary folder beside `path`; it becomes `path` if the block succeeds.

    Raises
    ------
    OutputError
        As `whole_file`.
    """
    target, temporary = _place_beside(path)
    try:
        temporary.mkdir()
        yield str(temporary)
        if target.exists():
            shutil.rmtree(target)
        temporary.rename(target)
    except OSError as error:
        _blame(error, path, temporary)
        raise
    except OutputError as error:
        raise _under_its_name(error, temporary, path) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
