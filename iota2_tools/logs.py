"""Logging of a job into the log file of its rule."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from iota2_tools.errors import Iota2Error

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


@contextmanager
def log_to(path: str) -> Iterator[None]:
    """Send all that a job says to `path`: its messages, and what OTB and GDAL print.

    An `Iota2Error` ends the process with its message in the log and on the terminal, without
    traceback; the traceback of any other exception goes to both.

    Parameters
    ----------
    path : str
        Log file, written anew; its folder is created.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    logger = logging.getLogger("iota2_tools")
    level = logger.level
    with open(path, "w", encoding="utf-8") as file, _standard_streams_to(file.fileno()) as terminal:
        handler = logging.StreamHandler(file)
        handler.setFormatter(logging.Formatter(FORMAT))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        try:
            yield
        except Iota2Error as error:
            logger.error("%s", error)
            os.write(terminal, f"\n{type(error).__name__}: {error}\n(log: {path})\n".encode())
            raise SystemExit(1) from None
        except Exception:
            logger.exception("the job failed")
            raise
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)


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
        sys.stdout.flush()
        sys.stderr.flush()
        for stream, former in zip((1, 2), kept, strict=True):
            os.dup2(former, stream)
            os.close(former)
