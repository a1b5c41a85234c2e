"""What jobs ask for: how it grows, and that no rule is forgotten."""

import re

import pytest
from conftest import ROOT

from iota2_tools.needs import GROWTH, NEEDS, Size, megabytes_on_disk, resources

TILE = Size(
    pixels=10980**2, columns=10980, acquisitions=70, bands=10, features=481, classes=20, draws=5,
    window_mb=400, pieces=240, input_mb=20,
)  # fmt: skip


def test_every_rule_with_a_script_has_its_need():
    rules = {
        name
        for path in (ROOT / "rules").glob("*.smk")
        for name, body in re.findall(
            r"^rule (\w+):\n(.*?)(?=^rule |\Z)", path.read_text(), re.DOTALL | re.MULTILINE
        )
        if "script:" in body
    }
    assert rules == set(NEEDS)


@pytest.mark.parametrize("rule", NEEDS)
def test_a_further_attempt_asks_for_more_memory_and_time(rule):
    first, second = (resources(rule, TILE, attempt) for attempt in (1, 2))
    assert second["mem_mb"] == pytest.approx(GROWTH * first["mem_mb"], abs=100)
    assert second["runtime"] >= 2 * first["runtime"] - 1


@pytest.mark.parametrize("rule", sorted(set(NEEDS) - {"split_polygons", "train_model"}))
def test_memory_does_not_follow_the_size_of_the_tile(rule):
    """Twice as many rows: every step goes over them by windows."""
    larger = Size(**{**TILE.__dict__, "pixels": 2 * TILE.pixels})
    assert resources(rule, larger)["mem_mb"] == resources(rule, TILE)["mem_mb"]


def test_time_and_disk_follow_the_size_of_the_tile():
    larger = Size(**{**TILE.__dict__, "pixels": 2 * TILE.pixels})
    small, large = (resources("classify_tile", size) for size in (TILE, larger))
    assert large["runtime"] == pytest.approx(2 * small["runtime"], rel=0.05)
    assert large["disk_mb"] == pytest.approx(2 * small["disk_mb"], rel=0.01)


def test_size_of_files_folders_and_absent_files(tmp_path):
    (tmp_path / "model" / "part").mkdir(parents=True)
    (tmp_path / "model" / "part" / "a").write_bytes(b"0" * 1_500_000)
    (tmp_path / "b").write_bytes(b"0" * 500_000)
    paths = [str(tmp_path / name) for name in ("model", "b", "absent")]
    assert megabytes_on_disk(paths) == 2.0
