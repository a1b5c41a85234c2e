"""File systems of a few megabytes, to see what happens when they are full."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def mount_small_disk(folder: Path, size: str) -> None:
    """Mount a file system of its own on a folder; skip the test where that is impossible."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        reason = "no small file system can be mounted here: root is needed"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


def fill_disk(folder: Path, left: int = 0) -> None:
    """Fill the file system of a folder but for so many bytes."""
    size = shutil.disk_usage(folder).free - left
    (folder / "filler").write_bytes(bytes(size))


@contextmanager
def full_disk(folder: Path, left: int = 0) -> Iterator[Path]:
    """A file system on a new folder, full but for so many bytes, for the time of a `with` block."""
    mount_small_disk(folder, "1m")
    try:
        fill_disk(folder, left)
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
