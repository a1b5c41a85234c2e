"""What surrounds the work of a job: its log, its threads, its memory."""

import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

from iota2_tools.core.debugging import debugged
from iota2_tools.core.environment import environment_problems, environment_remarks
from iota2_tools.core.errors import MissingSoftwareError, one_message
from iota2_tools.core.logs import log_to
from iota2_tools.core.platform import peak_memory_mb, raise_open_files

logger = logging.getLogger(__name__)

THREAD_VARIABLES = (
    "GDAL_NUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",  # OTB
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
)
OTB_SHARE = 0.25
"""Of a job's memory: what OTB may keep of an image; the rest is for the process itself."""


@contextmanager
def job(log: str, threads: int, mem_mb: int) -> Iterator[None]:
    """Run the work of a rule: all that it says goes to `log`, all libraries keep to its threads.

    It may open as many files as the system allows.

    Parameters
    ----------
    log : str
        Log file of the rule; see `logs.log_to`.
    threads : int
        Threads the job was given.
    mem_mb : int
        Memory the job was given, MB.

    Raises
    ------
    MissingSoftwareError
        If other software is in the way (`environment_problems`).
    """
    unfinished = unfinished_attempts(log)
    with log_to(log), _libraries_keep_to(threads, mem_mb):
        if unfinished:
            logger.info("attempts before this one that did not finish: %d", unfinished)
        logger.info("asked for: %d thread(s) and %d MB", threads, mem_mb)
        logger.info("files open at once: %d", raise_open_files())
        _look_at_environment()
        try:
            with debugged():
                yield
        finally:
            logger.info("peak memory %d MB", peak_memory_mb())


def unfinished_attempts(log: str) -> int:
    """How many attempts of a job, one after the other, did not finish, as its log tells before it is written anew.

    An attempt that was killed has not told its peak of memory; one that failed has told its error.
    """
    try:
        with open(log, encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return 0
    if "peak memory" in text and " ERROR " not in text:
        return 0
    earlier = re.search(r"attempts before this one that did not finish: (\d+)", text)
    return 1 + (int(earlier[1]) if earlier else 0)


def _look_at_environment() -> None:
    for remark in environment_remarks():
        logger.warning("%s", remark)
    problems = environment_problems()
    if problems:
        raise MissingSoftwareError(one_message("the environment of this job", problems))


@contextmanager
def _libraries_keep_to(threads: int, mem_mb: int) -> Iterator[None]:
    """Bound the threads of OTB, GDAL, BLAS, numba and numexpr, and what OTB keeps in memory."""
    wanted = dict.fromkeys(THREAD_VARIABLES, str(threads))
    wanted["OTB_MAX_RAM_HINT"] = str(max(int(mem_mb * OTB_SHARE), 64))
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    if "numexpr" in sys.modules:  # it has read its variable already
        sys.modules["numexpr"].set_num_threads(threads)
    try:
        with threadpool_limits(threads):  # libraries that are loaded already
            yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
