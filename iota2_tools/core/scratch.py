"""Where intermediate files of a job go: the node's own disk, or beside the product."""

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
    """
    local, target = _local_folder(), Path(product)
    free = shutil.disk_usage(local).free / 1e6
    if free >= needed_mb:
        place = {"dir": local, "prefix": "iota2-"}
    else:
        logger.warning(
            "%s has %.0f MB free, %.0f are needed: intermediate files go to %s",
            local, free, needed_mb, target.parent,
        )  # fmt: skip
        target.parent.mkdir(parents=True, exist_ok=True)
        place = {"dir": target.parent, "prefix": ".part-", "suffix": f"-{target.name}"}
    with tempfile.TemporaryDirectory(**place) as folder:
        yield folder


def _local_folder() -> str:
    """TMPDIR, even full to the last byte: Python would then take /tmp without a word."""
    given = os.environ.get("TMPDIR", "")
    if os.access(given, os.W_OK):
        return given
    other = tempfile.gettempdir()
    if given:
        logger.warning("TMPDIR is %s, where nothing can be written: %s is taken", given, other)
    return other
