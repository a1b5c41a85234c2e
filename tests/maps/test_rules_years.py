"""The same land in three years: samples, models and archives of the first two map the third."""

import copy
import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import yaml
from conftest import CORES, Workflow
from independent import pixels
from osgeo import gdal
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
        "sampling": {"runs": 2 if year == 2017 else 1},
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
    assert right > 0.85
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
    del workflow.config["sampling"]
    assert not {"split_polygons", "extract_samples", "compare_tile"} & set(workflow.planned())
    workflow.run("unreferenced/final/Classif_Seed_0.tif")
    truth = land / f"scene_2019/truth/{TILE}_class.tif"
    right, share = agreement(workflow.results / "final/Classif_Seed_0.tif", truth)
    assert right > 0.8
    assert share > 0.9
    told = json.loads((workflow.results / "models/region_1_seed_0/model.json").read_text())
    assert [item["left_out"] for item in told["learnt_from"]] == [0, 0]


# What judges a map, and what only a reference has.
ABSENT = ("Confusion", "diff_", "scores", "reliability", "Suspicious", "RESULTS_")
NOT_RUN = {
    "split_polygons", "burn_polygons", "select_samples", "extract_samples", "train_model", "compare_tile",
    "compare_regions", "sum_confusions", "report_accuracy", "report_fusion", "describe_samples", "learn_folds",
}  # fmt: skip


@pytest.fixture(scope="module")
def by_models(land) -> Workflow:
    """2019 by the models of the archive, as `iota2 next` writes it: no reference; fused and regularised."""
    command = [
        "next", "archive_2017", "--year", "2019", "--path", "sensors.sentinel2=scene_2019/sentinel2",
        "--path", "output=by_models", "--models", "archive_2017", "--no-reference",
    ]  # fmt: skip
    done = iota2(*command, cwd=land)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "production_2019.yaml: the production of 2019, in by_models" in done.stdout
    given = yaml.safe_load((land / "production_2019.yaml").read_text(encoding="utf-8"))
    given["fusion"] = {"seeds": {"method": "majority"}}
    given["regularisation"] = {"minimum_mapping_unit_m2": 500}
    workflow = Workflow(land, given)
    planned = workflow.planned()
    assert planned["report_areas"] == 1
    assert not NOT_RUN & set(planned)
    workflow.run()
    (land / "by_models.yaml").write_text(yaml.safe_dump(given), encoding="utf-8")
    return workflow


def test_models_of_an_archive_map_a_year_without_reference(by_models, land):
    """Judged by the truth of the simulator, which has no part in the production."""
    truth = land / f"scene_2019/truth/{TILE}_class.tif"
    for name in ("Classif_Seed_0", "Classif_Seed_1", "Classifications_fusion"):
        right, share = agreement(by_models.results / f"final/{name}.tif", truth)
        assert right > 0.7
        assert share > 0.9


def test_report_areas_tells_the_areas_of_the_map_and_that_nothing_else_is_known(by_models):
    final = by_models.results / "final"
    rows = list(csv.DictReader((final / "Areas_Seed_0.csv").open(encoding="utf-8")))
    codes = pixels(final / "Classif_Seed_0.tif")
    assert len(rows) == 11
    for row in rows:
        count = int((codes == int(row["code"])).sum())
        assert int(row["pixels"]) == count
        assert float(row["mapped_ha"]) == round(count * 0.01, 2)  # pixels of 10 m
        assert row["corrected_ha"] == row["corrected_max_ha"] == row["half_width_ha"] == ""
        assert row["note"] == "not corrected: there is no reference"
    text = (final / "RESULTS.txt").read_text(encoding="utf-8")
    assert "Accuracy           unknown: there is no reference" in text
    assert "nan" not in text.lower()
    for name in ("Regularised_Seed_1", "fusion", "Regularised_fusion"):
        assert "no reference" in (final / f"Areas_{name}.csv").read_text(encoding="utf-8")


def test_nothing_of_a_reference_is_in_what_is_delivered(by_models):
    final = by_models.results / "final"
    names = [path.relative_to(final).as_posix() for path in final.rglob("*")]
    assert not [name for name in names if name.startswith(ABSENT)]
    assert not (by_models.results / "sampling").exists()
    assert not (by_models.results / "validation").exists()
    assert "REFERENCE" not in gdal.Open(str(final / "Classif_Seed_0.tif")).GetMetadata()
    for item in ("seed_0", "fusion"):
        told = json.loads((final / f"stac/{item}.json").read_text(encoding="utf-8"))
        assert told["assets"]
        for asset in told["assets"].values():
            assert (final / "stac" / asset["href"]).resolve().exists()
    crate = json.loads((final / "ro-crate-metadata.json").read_text(encoding="utf-8"))
    listed = {part["@id"] for part in crate["@graph"]}
    assert "RESULTS.txt" in listed
    assert not [name for name in listed if name.startswith(ABSENT)]


def test_the_page_tells_areas_and_no_accuracy(by_models):
    report = by_models.results / "final/report"
    page = (report / "index.html").read_text(encoding="utf-8")
    told = json.loads((report / "report.json").read_text(encoding="utf-8"))
    assert told["accuracy"] is None
    assert "There is no reference: how right the map is, is not known." in page
    body = page[page.index("<body>") : page.index("map-data")]
    for word in ("F-score of each class", "Kappa", "Corrected, ha", "Confusion matrix", "NaN"):
        assert word not in body
    mapped = [
        np.count_nonzero(pixels(by_models.results / f"final/Classif_Seed_{n}.tif")) for n in (0, 1)
    ]
    assert sum(area["mapped_ha"] for area in told["areas"]) == pytest.approx(
        0.01 * np.mean(mapped), abs=0.1
    )
    assert not [layer for layer in told["maps"]["layers"] if layer["kind"] == "difference"]


def test_the_lock_holds_the_models_and_is_verified(by_models):
    lock = json.loads((by_models.results / "final/production.lock").read_text(encoding="utf-8"))
    for draw in (0, 1):
        assert f"archive_2017/models/region_1_seed_{draw}/model.json" in lock["inputs"]
    assert lock["configuration"]["reference"] is None
    done = iota2("verify", "by_models", cwd=by_models.folder)
    assert done.returncode == 0, done.stdout + done.stderr


def test_such_a_production_is_archived_and_looked_at_as_any(by_models):
    done = iota2("archive", "by_models", "archive_by_models", cwd=by_models.folder)
    assert done.returncode == 0, done.stdout + done.stderr
    done = iota2("check", "by_models.yaml", cwd=by_models.folder)
    assert done.returncode == 0, done.stdout + done.stderr
    done = iota2("summary", "by_models", cwd=by_models.folder)
    assert "Accuracy           unknown: there is no reference" in done.stdout
    done = iota2("season", "by_models", cwd=by_models.folder)
    assert done.returncode
    assert "holds no samples" in done.stdout + done.stderr


def test_reproduce_makes_an_archive_again_with_the_models_it_was_made_by(by_models, land):
    done = iota2(
        "reproduce", "archive_by_models", "--output", "again", "--cores", str(CORES), cwd=land
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 differ" in done.stdout
    model = land / "archive_2017/models/region_1_seed_1/model.json"
    text = model.read_text(encoding="utf-8")
    model.unlink()
    done = iota2("reproduce", "archive_by_models", "--output", "thrice", cwd=land)
    model.write_text(text, encoding="utf-8")
    assert done.returncode
    assert "no file" in done.stdout + done.stderr
    assert "archive_2017/models/region_1_seed_1/model.json" in done.stdout + done.stderr


@pytest.mark.parametrize("target", ["sampling", "validation", "by_models/sampling/polygons.gpkg"])
def test_what_needs_a_reference_is_refused_by_name(by_models, target):
    done = by_models.run("--dry-run", target, check=False)
    assert done.returncode
    told = done.stdout + done.stderr
    assert "there is no reference, so that nothing is drawn, sampled or judged" in told


def test_an_archive_with_a_missing_model_is_refused_at_the_check(land):
    broken = land / "broken"
    shutil.copytree(land / "archive_2017", broken)
    shutil.rmtree(broken / "models/region_1_seed_0")
    config = config_of(2017) | {"output": "again", "learning": {"models": "broken"}}
    (land / "broken.yaml").write_text(yaml.safe_dump(config))
    done = iota2("check", "broken.yaml", cwd=land)
    assert done.returncode == 1
    assert "learning.models: there is no broken/models/region_1_seed_0" in done.stdout + done.stderr


def test_change_takes_an_archive(third):
    done = iota2("change", "archive_2017", "results_2019", "changes", cwd=third.folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (third.folder / "changes/Change.tif").is_file()
    assert (third.folder / "changes/transition_matrix.csv").is_file()
