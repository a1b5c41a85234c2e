"""Logging of a job into the log file of its rule."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from iota2_tools.errors import Iota2Error

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


@contextmanager
def log_to(path: str) -> Iterator[None]:
    """Send the package's messages to `path` while the block runs.

    An `Iota2Error` ends the process with its message on the terminal and in the log, without
    traceback; the traceback of any other exception goes to the log and on to Snakemake.

    Parameters
    ----------
    path : str
        Log file, created with its folder.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter(FORMAT))
    logger = logging.getLogger("iota2_tools")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    except Iota2Error as error:
        logger.error("%s", error)
        print(f"\n{type(error).__name__}: {error}\n(log: {path})\n", file=sys.stderr)
        raise SystemExit(1) from None
    except Exception:
        logger.exception("the job failed")
        raise
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        handler.close()
