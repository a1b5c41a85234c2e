"""Programs run by a user without account, as in containers and batch systems."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

STRANGER = 54321
"""A user number without entry in the list of accounts."""

NAMES = ("HOME", "LOGNAME", "USER", "LNAME", "USERNAME")


def impossible(reason: str) -> None:
    """Skip a test for want of what it needs; where everything must be tested, fail."""
    pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


@contextmanager
def folder_of_stranger() -> Iterator[Path]:
    """A folder that belongs to the stranger, in reach of all."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    os.chown(folder, STRANGER, STRANGER)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def run_as_stranger(program: str, folder: Path, **variables: str) -> subprocess.CompletedProcess:
    """Run a program of Python as a user without account, home and name, in a folder of theirs."""
    if os.geteuid() or not shutil.which("setpriv"):
        impossible("only root can become another user, by setpriv")
    become = ["setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups"]
    if subprocess.run(
        [*become, sys.executable, "-c", "import iota2_tools"], check=False
    ).returncode:
        impossible("others may not read this checkout")
    environment = {name: value for name, value in os.environ.items() if name not in NAMES}
    return subprocess.run(
        [*become, sys.executable, "-c", program], cwd=folder, capture_output=True, text=True,
        env=environment | {"TMPDIR": str(folder)} | variables, check=False,
    )  # fmt: skip
