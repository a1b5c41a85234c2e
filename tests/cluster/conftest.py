"""Fixtures of the tests on a real scheduler."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cluster import ROOT, SchedulerUser, can_read, cannot, create_user, remove_user

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items) -> None:
    """Mark what stands in this folder, so that `-m cluster` and `-m 'not cluster'` choose."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.cluster)


@pytest.fixture(scope="session")
def scheduler_user() -> Iterator[SchedulerUser]:
    """An ordinary user made for these tests, who can read the clone and its environment."""
    if os.getuid():
        cannot("schedulers are started and their user is made by root only")
    name = f"iota2-{os.getpid()}"
    home = create_user(name)
    try:
        with readable_clone(name) as clone:
            yield SchedulerUser(name, home, clone)
    finally:
        remove_user(name)


@contextmanager
def readable_clone(user: str) -> Iterator[Path]:
    """The clone by a path that a user can read: itself, else a bind mount for the while."""
    if can_read(user, ROOT / "pyproject.toml"):
        yield ROOT
        return
    mount = Path(tempfile.mkdtemp(prefix="iota2-clone-"))
    mount.chmod(0o755)
    done = subprocess.run(
        ["mount", "--bind", str(ROOT), str(mount)], capture_output=True, text=True, check=False
    )
    try:
        if done.returncode or not can_read(user, mount / "pyproject.toml"):
            cannot(
                f"an ordinary user cannot read {ROOT}, and it cannot be mounted elsewhere "
                f"({done.stderr.strip()}): clone to a folder that all can read"
            )
        yield mount
    finally:
        subprocess.run(["umount", "--lazy", str(mount)], capture_output=True, check=False)
        mount.rmdir()
