"""A production made again from its lock: elsewhere, with its tiles in another order, and the same in all it holds."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import CORES
from locks import locked_contents
from osgeo import gdal

from iota2_tools.publishing.lock import lock_in, read_lock, write_lock


@pytest.fixture(scope="module")
def original(whole_production, tmp_path_factory) -> Path:
    """The final products alone, with one pixel flipped, and a lock whose tiles are in the other order."""
    final = tmp_path_factory.mktemp("original") / "final"
    shutil.copytree(whole_production.results / "final", final)
    lock = read_lock(lock_in(final))
    tiles = list(reversed(lock.configuration["tiles"]))
    lock = lock.model_copy(update={"configuration": lock.configuration | {"tiles": tiles}})
    lock = lock.model_copy(update={"sha256": lock.own_digest})
    write_lock(lock, str(final / "production.lock"))
    raster = gdal.Open(str(final / "Classif_Seed_1.tif"), gdal.GA_Update)
    raster.GetRasterBand(1).WriteArray(raster.ReadAsArray(7, 5, 1, 1) % 11 + 1, 7, 5)
    del raster
    return final


def iota2(*arguments: str, folder: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "iota2_tools.commands.cli", *arguments],
        capture_output=True, text=True, check=False, cwd=folder, env=os.environ | {"COLUMNS": "200"},
    )  # fmt: skip


def test_the_lock_names_every_file_of_final(whole_production):
    final = whole_production.results / "final"
    files = {path.relative_to(final).as_posix() for path in final.rglob("*") if path.is_file()}
    products = {path for path in files if not path.startswith("report/")}
    assert set(read_lock(lock_in(final)).products) == products - {"production.lock"}


def test_verify_finds_the_pixel_that_was_flipped(original):
    done = iota2("verify", str(original), folder=original.parent)
    assert done.returncode == 1
    told = done.stdout.splitlines()
    assert len(told) == 2
    assert re.search(
        r"Classif_Seed_1\.tif: was altered: pixels differ in 1 of 1 block\(s\): .* pixels by code: "
        r"code \d+ [+-]1, code \d+ [+-]1$",
        told[0],
    )


def test_reproduce_makes_all_of_it_again_and_finds_the_pixel(original, whole_production, tmp_path):
    scene = tmp_path / "elsewhere"
    scene.mkdir()
    (scene / "scene").symlink_to(whole_production.folder / "scene")
    done = iota2(
        "reproduce", str(original / "production.lock"), "--inputs", str(scene), "--output", "again",
        "--cores", str(CORES), folder=tmp_path,
    )  # fmt: skip
    assert "0 differ" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 1  # for the flipped pixel
    assert f"{len(locked_contents(tmp_path / 'again'))} product(s) hold the same" in done.stdout
    assert re.search(
        r"Classif_Seed_1\.tif: was altered since: 1 value\(s\) differ; rows 5 to 5, columns 7 to 7; the first at "
        r"row 5, column 7 \([\d. ]+\); \d+ became \d+: 1",
        done.stdout,
    )
    theirs = locked_contents(whole_production.results)
    assert theirs
    assert locked_contents(tmp_path / "again") == theirs
