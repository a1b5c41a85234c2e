"""A disk that fills up in the middle of a production, on a real file system of a megabyte."""

import copy
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from conftest import Workflow
from disks import mount_small_disk
from osgeo import gdal

gdal.UseExceptions()


@pytest.fixture
def small_disk(tmp_path):
    """Folder on a file system of its own: of 1 MB, until `grow` is called."""
    folder = tmp_path / "disk"
    mount_small_disk(folder, "1m")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def grow(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=200m", str(disk)], check=True)


def assert_whole(results: Path) -> None:
    """Whatever bears its final name can be read to its end."""
    for path in results.rglob("*"):
        if path.name.startswith(".part-"):
            continue
        if path.suffix == ".tif":
            assert gdal.Open(str(path)).ReadAsArray() is not None, path
        elif path.suffix == ".parquet":
            pd.read_parquet(path)


def test_a_full_disk_is_named_leaves_nothing_half_made_and_can_be_taken_up(
    small_production, small_disk
):
    folder = small_disk.parent / "production"
    shutil.copytree(small_production.folder / "scene", folder / "scene")
    results = {"output": str(small_disk / "results")}
    workflow = Workflow(folder, copy.deepcopy(small_production.config) | results)
    name = "final/Confidence_Seed_0.tif"
    target = str(workflow.results / name)
    done = workflow.run(target, check=False)
    assert done.returncode != 0
    assert "cannot be written (No space left on device)" in done.stderr, done.stderr
    assert "check the free space" in done.stderr
    assert list(workflow.results.glob("tiles/*/validity.tif"))
    assert_whole(small_disk)
    grow(small_disk)
    workflow.run(target)
    ours, theirs = (run.results / name for run in (workflow, small_production))
    assert (gdal.Open(str(ours)).ReadAsArray() == gdal.Open(str(theirs)).ReadAsArray()).all()
