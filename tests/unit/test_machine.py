"""What the machine lacks for a production."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from broken import good_scene
from disks import full_disk

from iota2_tools.core import platform
from iota2_tools.core.platform import allowed_cores, allowed_memory_mb
from iota2_tools.planning import machine
from iota2_tools.planning.configuration import read_configuration
from iota2_tools.planning.machine import disk_mb, machine_findings
from iota2_tools.planning.needs import NEEDS
from iota2_tools.planning.parameters import Parameters
from iota2_tools.planning.production import Production


@pytest.fixture
def parameters(tmp_path, monkeypatch) -> Parameters:
    good_scene(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TMPDIR", raising=False)
    return Parameters(Production(read_configuration("config.yaml")))


def told(parameters) -> list[str]:
    return [f"{item.file} {item.where}: {item.what}" for item in machine_findings(parameters)]


def test_a_machine_that_has_enough_is_not_blamed(parameters, monkeypatch):
    monkeypatch.setattr(machine, "allowed_cores", lambda: None)
    assert told(parameters) == []


def test_a_job_that_asks_for_more_memory_than_there_is_is_named(parameters, monkeypatch):
    # Small jobs ask for 1000 MB at least.
    monkeypatch.setattr(machine, "allowed_memory_mb", lambda: 1000)
    assert not any(text.startswith("memory") for text in told(parameters))
    monkeypatch.setattr(machine, "allowed_memory_mb", lambda: 999)
    (text,) = [text for text in told(parameters) if text.startswith("memory")]
    assert "MB, this machine allows 999 MB" in text
    monkeypatch.setattr(machine, "allowed_memory_mb", lambda: None)  # it does not tell
    assert not any(text.startswith("memory") for text in told(parameters))


@dataclass
class Usage:
    free: float


def test_less_room_than_the_products_take_is_told(parameters, monkeypatch):
    needed = disk_mb(parameters)
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: Usage(1e6 * needed + 1))
    assert not any("output" in text for text in told(parameters))
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: Usage(1e6 * needed - 1))
    (text,) = [text for text in told(parameters) if "output" in text]
    assert "are free on the disk of" in text
    # What stands there already needs no more room.
    Path("results").mkdir()
    Path("results/map.tif").write_bytes(bytes(2))
    assert not any("output" in text for text in told(parameters))


def test_the_room_is_that_of_all_tiles_and_draws(parameters):
    tile, whole = parameters.job_size("T31TCJ", []), parameters.job_size(None, [])
    of_tile = sum(
        NEEDS[rule](tile).disk for rule in ("mask_series", "count_valid_dates", "classify_tile")
    )
    of_map = sum(NEEDS[rule](whole).disk for rule in machine.OF_MAPS)
    assert disk_mb(parameters) == pytest.approx(2 * of_tile + of_map)


def test_fewer_processors_than_are_counted_are_told(parameters, monkeypatch):
    monkeypatch.setattr(machine, "usable_cores", lambda: 8)
    for allowed, says in (
        (2.5, "8 processors are counted and 2.5 may be used"),
        (8.0, ""),
        (None, ""),
    ):
        monkeypatch.setattr(machine, "allowed_cores", lambda allowed=allowed: allowed)
        texts = [text for text in told(parameters) if text.startswith("cgroup")]
        assert [says in text for text in texts] == [True] * bool(says)


def test_shared_memory_that_is_closed_is_told(parameters, monkeypatch):
    monkeypatch.setattr(machine, "semaphores_work", lambda: False)
    assert any("processes share no memory" in text for text in told(parameters))


@pytest.fixture
def groups(tmp_path):
    """Control groups of version 2: a process in /user/job, whose parent is /user."""

    def write(**files: str) -> Path:
        (tmp_path / "proc/self").mkdir(parents=True, exist_ok=True)
        (tmp_path / "proc/self/cgroup").write_text("4:memory:/other\n0::/user/job\n")
        folder = tmp_path / "sys/fs/cgroup/user/job"
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            group, kind = name.split("_")
            place = {"own": folder, "above": folder.parent, "top": folder.parent.parent}[group]
            (place / f"{kind}.max").write_text(text + "\n")
        return tmp_path

    return write


def test_processors_are_those_of_the_strictest_group(groups):
    assert allowed_cores(groups(own_cpu="max 100000")) is None
    assert allowed_cores(groups(own_cpu="250000 100000")) == 2.5
    assert allowed_cores(groups(above_cpu="150000 100000")) == 1.5
    assert allowed_cores(groups(top_cpu="100000 100000")) == 1


def test_memory_is_that_of_the_strictest_group_or_of_the_machine(groups, monkeypatch):
    monkeypatch.setattr(platform, "machine_memory_mb", lambda: 8000)
    assert allowed_memory_mb(groups(own_memory="max")) == 8000
    assert allowed_memory_mb(groups(own_memory=str(5 << 30))) == 5120
    assert allowed_memory_mb(groups(above_memory=str(3 << 30))) == 3072
    monkeypatch.setattr(platform, "machine_memory_mb", lambda: 1000)
    assert allowed_memory_mb(groups()) == 1000


def test_without_control_groups_there_is_no_limit(tmp_path):
    assert allowed_cores(tmp_path) is None


def test_a_real_disk_that_is_full_is_told(parameters, tmp_path):
    with full_disk(tmp_path / "disk"):
        text = Path("config.yaml").read_text(encoding="utf-8")
        Path("config.yaml").write_text(text.replace("output: results", "output: disk/results"))
        small = Parameters(Production(read_configuration("config.yaml")))
        (found,) = [text for text in told(small) if "output" in text]
        assert f"0 GB are free on the disk of {tmp_path / 'disk'}" in found


def test_files_that_go_meanwhile_are_not_counted(tmp_path, monkeypatch):
    """`iota2 check` beside a run, whose jobs take temporary files away."""
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"x" * 500_000)
    plain = os.walk

    def meanwhile(folder):
        yield from plain(folder)
        yield folder, [], [".part-node-7-gone.tif"]

    monkeypatch.setattr(os, "walk", meanwhile)
    assert machine._megabytes(tmp_path) == 1
    assert machine._megabytes(tmp_path / "nowhere") == 0
