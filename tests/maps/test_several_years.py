"""The same land in three years: samples, models and archives of the first two map the third."""

import copy
import json
import shutil
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import pytest
import yaml
from conftest import Workflow
from truths import agreement

from iota2_tools.simulate import SceneSettings, simulate_scene

TILE = "T31TCJ"
LATER_BY = {2017: 0.0, 2018: 4.0, 2019: -3.0}
"""Days by which growth is later in each year."""


def iota2(*arguments: str, cwd: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "iota2_tools.commands.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


def config_of(year: int) -> dict:
    sentinel2 = {
        "path": f"scene_{year}/sentinel2", "temporal_resolution": 60, "dates": "day_of_year",
        "first_date": f"{year}-01-15", "last_date": f"{year}-12-15",
    }  # fmt: skip
    return {
        "output": f"results_{year}",
        "tiles": [TILE],
        "sensors": {"sentinel2": sentinel2},
        "reference": {"path": f"scene_{year}/reference/reference.gpkg", "field": "code"},
        "nomenclature": "scene_2017/reference/nomenclature.csv",
        "learning": {"parameters": {"n_estimators": 30}},
    }


@pytest.fixture(scope="module")
def land(tmp_path_factory) -> Path:
    """Scenes of three years; 2017 as an archive alone, samples of 2018."""
    folder = tmp_path_factory.mktemp("land")
    for year, days in LATER_BY.items():
        settings = SceneSettings(
            tiles=(TILE,), size=96, dates=8, cloud_cover=0.2, seed=3, year=year, season_shift=days,
            changed=0.0 if year == 2017 else 0.05,
        )  # fmt: skip
        simulate_scene(settings, str(folder / f"scene_{year}"), jobs=1)
    first = Workflow(folder, config_of(2017))
    first.run()
    (folder / "production_2017.yaml").write_text(yaml.safe_dump(first.config))
    done = iota2("archive", "results_2017", "archive_2017", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    shutil.move(folder / "results_2017", folder / "gone")  # an archive stands alone
    second = Workflow(folder, config_of(2018))
    second.run("sampling")
    return folder


@pytest.fixture(scope="module")
def third(land) -> Workflow:
    """2019 with samples of 2017, of 2018 with twice the weight, and its own."""
    workflow = Workflow(land, config_of(2019))
    workflow.config["learning"] |= {
        "samples": ["archive_2017", {"path": "results_2018", "weight": 2}], "own_weight": 1,
    }  # fmt: skip
    workflow.run()
    return workflow


def learnt_and_left_out(output: Path, polygons: gpd.GeoDataFrame) -> tuple[int, int]:
    """Samples of draw 0 of a production outside and inside of polygons that validate."""
    table = gpd.read_parquet(output / f"tiles/{TILE}/samples.parquet")
    table = table[table["seed_0"]]
    validating = polygons[polygons["seed_0"] == "validation"].union_all()
    inside = table.within(validating) | table.touches(validating)
    return int((~inside).sum()), int(inside.sum())


def test_each_year_is_learnt_but_where_this_one_validates(third, land):
    """Counted by geopandas, apart from the chain."""
    told = json.loads((third.results / "models/region_1_seed_0/model.json").read_text())
    polygons = gpd.read_file(third.results / "sampling/polygons.gpkg")
    own = gpd.read_parquet(third.results / f"tiles/{TILE}/samples.parquet")
    first, second = (
        learnt_and_left_out(land / name, polygons) for name in ("archive_2017", "results_2018")
    )
    assert min(*first, *second) > 0
    assert told["learnt_from"] == [
        {"path": None, "weight": 1.0, "samples": int(own["seed_0"].sum()), "left_out": 0},
        {"path": "archive_2017", "weight": 1.0, "samples": first[0], "left_out": first[1]},
        {"path": "results_2018", "weight": 2.0, "samples": second[0], "left_out": second[1]},
    ]
    assert told["samples"] == int(own["seed_0"].sum()) + first[0] + second[0]
    text = (third.results / "final/RESULTS.txt").read_text(encoding="utf-8")
    assert (
        f"samples of 2 other production(s) are learnt; {first[1] + second[1]} lie in a polygon that validates"
        in text
    )


def test_the_map_of_several_years_is_right_where_the_truth_says(third, land):
    right, share = agreement(
        third.results / "final/Classif_Seed_0.tif", land / f"scene_2019/truth/{TILE}_class.tif"
    )
    assert right > 0.6
    assert share > 0.9


def test_the_lock_names_the_samples_of_all_years(third):
    lock = json.loads((third.results / "final/production.lock").read_text(encoding="utf-8"))
    for name in ("archive_2017", "results_2018"):
        assert f"{name}/tiles/{TILE}/samples.parquet" in lock["inputs"]
        assert f"{name}/sampling/polygons.gpkg" in lock["inputs"]


def test_another_weight_learns_again_and_nothing_else(third):
    workflow = Workflow(third.folder, copy.deepcopy(third.config))
    assert workflow.planned("learning") == {}
    workflow.config["learning"]["samples"][1]["weight"] = 3
    assert workflow.planned("learning") == {"learning": 1, "train_model": 1}


def test_samples_of_other_years_map_a_year_without_reference(land):
    workflow = Workflow(land, config_of(2019))
    del workflow.config["reference"]
    workflow.config["output"] = "unreferenced"
    workflow.config["learning"]["samples"] = ["archive_2017", "results_2018"]
    assert not {"split_polygons", "extract_samples", "compare_tile"} & set(workflow.planned())
    workflow.run("unreferenced/final/Classif_Seed_0.tif")
    truth = land / f"scene_2019/truth/{TILE}_class.tif"
    right, share = agreement(workflow.results / "final/Classif_Seed_0.tif", truth)
    assert right > 0.6
    assert share > 0.9
    told = json.loads((workflow.results / "models/region_1_seed_0/model.json").read_text())
    assert [item["left_out"] for item in told["learnt_from"]] == [0, 0]


def test_models_of_an_archive_map_a_year_that_iota2_next_has_written(land):
    """`iota2 next` takes the archive itself; the year has no reference."""
    command = [
        "next", "archive_2017", "--year", "2019", "--path", "sensors.sentinel2=scene_2019/sentinel2",
        "--path", "output=by_models", "--models", "archive_2017", "--no-reference",
    ]  # fmt: skip
    done = iota2(*command, cwd=land)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "production_2019.yaml: the production of 2019, in by_models" in done.stdout
    done = iota2("check", "production_2019.yaml", cwd=land)
    assert done.returncode == 0, done.stdout + done.stderr
    given = yaml.safe_load((land / "production_2019.yaml").read_text(encoding="utf-8"))
    workflow = Workflow(land, given)
    workflow.run("by_models/final/Classif_Seed_0.tif")
    truth = land / f"scene_2019/truth/{TILE}_class.tif"
    right, share = agreement(workflow.results / "final/Classif_Seed_0.tif", truth)
    assert right > 0.5
    assert share > 0.9


def test_an_archive_with_a_missing_model_is_refused_at_the_check(land):
    broken = land / "broken"
    shutil.copytree(land / "archive_2017", broken)
    shutil.rmtree(broken / "models/region_1_seed_0")
    config = config_of(2019) | {"learning": {"models": "broken"}}
    (land / "broken.yaml").write_text(yaml.safe_dump(config))
    done = iota2("check", "broken.yaml", cwd=land)
    assert done.returncode == 1
    assert "learning.models: there is no broken/models/region_1_seed_0" in done.stdout + done.stderr


def test_change_takes_an_archive(third):
    done = iota2("change", "archive_2017", "results_2019", "changes", cwd=third.folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (third.folder / "changes/Change.tif").is_file()
    assert (third.folder / "changes/transition_matrix.csv").is_file()
