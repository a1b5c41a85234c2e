"""Fixtures of the tests on a real scheduler."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster import SchedulerUser, ordinary_user

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items) -> None:
    """Mark what stands in this folder, so that `-m cluster` and `-m 'not cluster'` choose."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.cluster)


@pytest.fixture(scope="session")
def scheduler_user() -> Iterator[SchedulerUser]:
    """An ordinary user made for these tests, who can read the clone and its environment."""
    with ordinary_user() as user:
        yield user
