"""Files and folders that bear their name only once they are whole."""

import os
import shutil
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from iota2_tools.core.errors import OutputError, unwritable


@contextmanager
def whole_file(path: str) -> Iterator[str]:
    """Give a temporary name beside `path`; rename it to `path` if the block succeeds.

    A job that is killed or fails leaves nothing under the final name.
    """
    target, temporary = _place_beside(path)
    try:
        yield str(temporary)
        if not temporary.exists():
            raise OutputError(f"{path}: nothing was written")
        os.replace(temporary, target)
    except OSError as error:
        raise unwritable(path, error.strerror or error) from error
    except OutputError as error:
        raise _under_its_name(error, temporary, path) from None
    finally:
        _remove(temporary.parent.glob(f"{temporary.name}*"))


def _place_beside(path: str) -> tuple[Path, Path]:
    """Target and temporary name beside it; what a killed job left of the same target is removed."""
    target = Path(path)
    mark = ".part-"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove(target.parent.glob(f"{mark}*-{target.name}"))
    except OSError as error:
        raise unwritable(path, error.strerror or error) from error
    return target, target.with_name(f"{mark}{socket.gethostname()}-{os.getpid()}-{target.name}")


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
    """Give a temporary folder beside `path`; it becomes `path` if the block succeeds."""
    target, temporary = _place_beside(path)
    try:
        temporary.mkdir()
        yield str(temporary)
        if target.exists():
            shutil.rmtree(target)
        temporary.rename(target)
    except OSError as error:
        raise unwritable(path, error.strerror or error) from error
    except OutputError as error:
        raise _under_its_name(error, temporary, path) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
