"""Where intermediate files of a job go: the node's own disk, or beside the product."""

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from iota2_tools.core.errors import unwritable

logger = logging.getLogger(__name__)


@contextmanager
def scratch(needed_mb: float, product: str) -> Iterator[str]:
    """Give a folder for intermediate files that is removed afterwards.

    It lies in TMPDIR (of the site file, of the scheduler, or /tmp). Where that has too little
    room, it lies beside the product, and the log says so; what a killed job leaves there is
    removed when the product is made again.

    Parameters
    ----------
    needed_mb : float
        Room that the files may need, MB.
    product : str
        File or folder the job makes.

    Raises
    ------
    OutputError
        If no folder can be made in either place.
    """
    try:
        place = _new_folder(needed_mb, Path(product))
    except OSError as error:
        where = error.filename or "a folder for intermediate files"
        raise unwritable(where, error.strerror or error) from None
    with place as folder:
        yield folder


def _new_folder(needed_mb: float, target: Path) -> tempfile.TemporaryDirectory[str]:
    local = _local_folder()
    free = shutil.disk_usage(local).free / 1e6
    if free >= needed_mb:
        return tempfile.TemporaryDirectory(dir=local, prefix="iota2-")
    logger.warning(
        "%s has %.0f MB free, %.0f are needed: intermediate files go to %s",
        local, free, needed_mb, target.parent,
    )  # fmt: skip
    target.parent.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(dir=target.parent, prefix=".part-", suffix=f"-{target.name}")


def _local_folder() -> str:
    """TMPDIR, even full to the last byte: Python would then take /tmp without a word."""
    given = os.environ.get("TMPDIR", "")
    if os.access(given, os.W_OK):
        return given
    other = tempfile.gettempdir()
    if given:
        logger.warning("TMPDIR is %s, where nothing can be written: %s is taken", given, other)
    return other
