"""A production run in June and again in July: what is made again, what is kept, and that it is the whole truth."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import CORES, scene_config
from locks import locked_contents

from iota2_tools.publishing.lock import read_lock
from iota2_tools.simulate import SceneSettings, simulate_scene

TILES = ("T31TCJ", "T31TDJ")
JUNE, NEXT, JULY = "20180620", "20180629", "20180731"
AS_BEFORE = {"split_polygons", "draw_regions", "burn_polygons"}
"""Rules whose jobs depend on no acquisition."""


def iota2(folder: Path, *words: str, check: int = 0) -> str:
    """Type a command in a folder; what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "iota2_tools.commands.cli", *words], cwd=folder, check=False, text=True,
        capture_output=True, env=os.environ | {"COLUMNS": "200"},
    )  # fmt: skip
    assert done.returncode == check, done.stdout + done.stderr
    return done.stdout


def day_of(product: Path) -> str:
    return product.name.split("_")[1][:8]


def deliver(folder: Path, tile: str, last: str) -> list[str]:
    """Bring the products of a tile up to a day that are not there yet; their days."""
    brought = []
    for product in sorted((folder.parent / "scene/sentinel2" / tile).iterdir()):
        target = folder / "sentinel2" / tile / product.name
        if day_of(product) <= last and not target.exists():
            shutil.copytree(product, target)
            brought.append(day_of(product))
    return brought


def configure(folder: Path) -> Path:
    """A project of its own beside the scene, whose configuration is that of the whole year."""
    folder.mkdir()
    sensor = {
        "path": "sentinel2", "temporal_resolution": 30, "first_date": "2018-01-01", "last_date": "2018-12-31",
        "dates": "day_of_year", "in_season": True,
    }  # fmt: skip
    config = scene_config(
        sensors={"sentinel2": sensor}, learning={"parameters": {"n_estimators": 5}}
    )
    reference = folder.parent / "scene/reference"
    config["reference"]["path"] = str(reference / "reference.gpkg")
    config["nomenclature"] = str(reference / "nomenclature.csv")
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return folder


def jobs(folder: Path) -> set[tuple[str, str]]:
    """Rule and tile of the jobs that would run."""
    plan = json.loads(iota2(folder, "plan", "config.yaml", "catalogue", "--json"))
    return {(job["rule"], job["wildcards"].get("tile", "")) for job in plan["to_run"]}


def run(folder: Path) -> None:
    iota2(folder, "run", "config.yaml", "catalogue", "--cores", str(CORES))


def days_of_features(folder: Path) -> list[str]:
    model = json.loads((folder / "results/models/region_1_seed_0/model.json").read_text())
    return sorted({name.rpartition("_")[2] for name in model["features"]})


@pytest.fixture(scope="module")
def june(tmp_path_factory) -> Path:
    """The production as it was made at the end of June."""
    place = tmp_path_factory.mktemp("season")
    settings = SceneSettings(size=64, overlap=20, dates=36, cloud_cover=0.1, seed=1)
    simulate_scene(settings, str(place / "scene"), jobs=1)
    folder = configure(place / "june")
    for tile in TILES:
        assert deliver(folder, tile, JUNE)
    run(folder)
    return folder


@pytest.fixture(scope="module")
def again(june) -> dict[str, set[tuple[str, str]]]:
    """What would run after one more acquisition of one tile, and after one more month of both; that is run."""
    found = {"nothing": jobs(june)}
    assert deliver(june, TILES[0], NEXT)
    found["one"] = jobs(june)
    assert all([deliver(june, tile, JULY) for tile in TILES])  # noqa: C419 - both are brought
    found["month"] = jobs(june)
    shutil.copytree(june / "results/models", june / "models_of_june")
    run(june)
    return found


def test_features_end_with_the_last_acquisition(june, again):
    """Every 30 days: images are of 15 June, day 166, and then of 25 July, day 206."""
    assert "nothing" in again
    model = json.loads((june / "models_of_june/region_1_seed_0/model.json").read_text())
    before = sorted({name.rpartition("_")[2] for name in model["features"]})
    assert before == ["D001", "D031", "D061", "D091", "D121", "D151"]
    assert days_of_features(june) == [*before, "D181"]


def test_nothing_is_made_again_without_a_new_acquisition(again):
    assert not again["nothing"]


def test_one_acquisition_of_a_tile_leaves_what_the_other_has_read(again):
    rules = {rule for rule, _ in again["one"]}
    assert not AS_BEFORE & rules
    for rule in ("take_inventory", "mask_series", "count_valid_dates", "extract_samples"):
        assert {tile for name, tile in again["one"] if name == rule} == {TILES[0]}
    # There is one model: it maps both.
    assert {tile for name, tile in again["one"] if name == "classify_tile"} == set(TILES)
    assert "train_model" in rules


def test_a_month_makes_again_what_depends_on_acquisitions(again):
    rules = {rule for rule, _ in again["month"]}
    assert not AS_BEFORE & rules
    for rule in ("take_inventory", "mask_series", "extract_samples", "classify_tile"):
        assert {tile for name, tile in again["month"] if name == rule} == set(TILES)


def test_what_was_made_month_by_month_is_what_is_made_at_once(again, june):
    assert again["month"]
    at_once = configure(june.parent / "july")
    for tile in TILES:
        deliver(at_once, tile, JULY)
    run(at_once)
    assert locked_contents(june / "results") == locked_contents(at_once / "results")


def test_the_lock_of_june_is_kept_and_makes_june_again(again, june):
    """Beside that of July, though the images of July lie there."""
    assert again["month"]
    first, second = sorted((june / "results/locks").iterdir())
    assert read_lock(second) == read_lock(june / "results/final/production.lock")
    iota2(june, "verify", str(second))
    kept = read_lock(first)
    assert kept.configuration["sensors"]["sentinel2"]["last_date"] == "2018-06-15"
    told = iota2(june, "reproduce", str(first), "--output", "as_in_june", "--cores", str(CORES), check=1)  # fmt: skip
    # All that June had comes out again; what lies in `final` is of July, and is told as altered.
    assert ", 0 differ" in told
    assert "Classif_Seed_0.tif: was altered since" in told
    theirs = {path: item.content for path, item in kept.products.items() if item.content}
    made = read_lock(june / "as_in_june/final/production.lock").products
    assert {path: made[path].content for path in theirs} == theirs
