"""Logging of a job into the log file of its rule."""

import io
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import NoReturn, TextIO

from iota2_tools.core.errors import Iota2Error, unwritable
from iota2_tools.core.faults import FAULT, one_line

STOPPED = 130
"""Exit code of a job that was ended by Ctrl-C."""

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


@contextmanager
def log_to(path: str) -> Iterator[None]:
    """Send all that a job says to `path`: its messages, and what OTB and GDAL print.

    An `Iota2Error` ends the process with its message in the log and on the terminal, without
    traceback; Ctrl-C with a line in the log alone. Any other exception is one line on the terminal,
    its traceback in the log; a fault of the chain ends with code 70.

    Parameters
    ----------
    path : str
        Log file, written anew; its folder is created.
    """
    logger = logging.getLogger("iota2_tools")
    level = logger.level
    with (
        _log_file(path) as file,
        _standard_streams_to(file.fileno()) as terminal,
        redirect_stdout(file),
        redirect_stderr(file),
    ):
        handler = logging.StreamHandler(file)
        handler.setFormatter(logging.Formatter(FORMAT))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        try:
            yield
        except Iota2Error as error:
            logger.error("%s", error)
            _end(terminal, f"{type(error).__name__}: {error}", path)
        except KeyboardInterrupt:  # who stops a run knows why
            logger.warning("stopped by the user")
            raise SystemExit(STOPPED) from None
        except Exception as error:
            logger.exception("the job failed")
            if isinstance(error, OSError) and error.filename is not None:
                _end(terminal, f"{type(error).__name__}: {error.filename}: {error.strerror}", path)
            os.write(terminal, f"\n{one_line(error, path)}\n".encode())
            raise SystemExit(FAULT) from None
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)


def _end(terminal: int, told: str, log: str) -> NoReturn:
    os.write(terminal, f"\n{told}\n(log: {log})\n".encode())
    raise SystemExit(1) from None


class _Forgiving(io.TextIOWrapper):
    """Log file that loses what does not fit on a full disk, instead of hiding what the job says.

    OTB's messages come through here too: an exception would end OTB in the middle of its work.
    """

    def write(self, text: str) -> int:
        with suppress(OSError):
            super().write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            super().flush()


@contextmanager
def _log_file(path: str) -> Iterator[TextIO]:
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        file = _Forgiving(open(path, "wb"), encoding="utf-8", line_buffering=True)  # noqa: SIM115
    except OSError as error:
        print(f"\nOutputError: {unwritable(path, error.strerror)}", file=sys.stderr)
        raise SystemExit(1) from None
    try:
        yield file
    finally:
        with suppress(OSError):
            file.close()


@contextmanager
def _standard_streams_to(target: int) -> Iterator[int]:
    """Send file descriptors 1 and 2 to `target`; gives a descriptor of the former terminal."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(stream) for stream in (1, 2)]
    try:
        for stream in (1, 2):
            os.dup2(target, stream)
        yield kept[1]
    finally:
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        for stream, former in zip((1, 2), kept, strict=True):
            os.dup2(former, stream)
            os.close(former)
