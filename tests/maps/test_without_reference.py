"""A production mapped by models of another one, where no reference tells how right it is."""

import copy
import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import Workflow
from independent import pixels
from osgeo import gdal
from truths import agreement

ABSENT = ("Confusion", "diff_", "scores", "reliability", "Suspicious", "RESULTS_Regularised")
NOT_RUN = {
    "split_polygons", "burn_polygons", "select_samples", "extract_samples", "train_model", "compare_tile",
    "compare_regions", "sum_confusions", "report_accuracy", "report_fusion", "describe_samples", "learn_folds",
}  # fmt: skip


def iota2(*arguments: str, cwd: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "iota2_tools.commands.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


def unreferenced(old: Workflow, folder: Path) -> Workflow:
    """The same scene with the models of a production, and no reference."""
    workflow = Workflow(folder, copy.deepcopy(old.config))
    (folder / "scene").symlink_to(old.folder / "scene")
    for section in ("reference", "feature_maps", "publication"):
        workflow.config.pop(section, None)
    return workflow


@pytest.fixture(scope="module")
def mapped(whole_production, tmp_path_factory) -> Workflow:
    """Fused, regularised, as polygons, delivered: all that is made of maps."""
    workflow = unreferenced(whole_production, tmp_path_factory.mktemp("mapped"))
    workflow.config["learning"] = {"models": str(whole_production.results)}
    workflow.config["sampling"] = {"runs": 2, "envelope_margin": 105}
    workflow.config["fusion"] = {"seeds": {"method": "majority"}}
    workflow.config["report"] = {}
    planned = workflow.planned()
    assert "report_areas" in planned
    assert not NOT_RUN & set(planned)
    workflow.run()
    return workflow


def test_the_maps_are_those_of_the_models_and_as_right_by_the_truth(mapped, whole_production):
    """The truth is the simulator's: it has no part in the production."""
    for seed in (0, 1):
        name = f"final/Classif_Seed_{seed}.tif"
        assert (pixels(mapped.results / name) == pixels(whole_production.results / name)).all()
    for tile in ("T31TCJ", "T31TDJ"):
        truth = mapped.folder / "scene" / "truth" / f"{tile}_class.tif"
        right, share = agreement(mapped.results / "final" / "Classifications_fusion.tif", truth)
        assert (
            right > 0.5
        )  # seven trees, twelve pixels a class, six dates: eleven classes by chance 0.09
        assert share > 0.5


def test_report_areas_tells_the_areas_of_the_map_and_that_nothing_else_is_known(mapped):
    final = mapped.results / "final"
    rows = list(csv.DictReader((final / "Areas_Seed_0.csv").open(encoding="utf-8")))
    mapped_codes = pixels(final / "Classif_Seed_0.tif")
    for row in rows:
        count = int((mapped_codes == int(row["code"])).sum())
        assert int(row["pixels"]) == count
        assert float(row["mapped_ha"]) == round(count * 0.01, 2)  # pixels of 10 m
        assert row["corrected_ha"] == row["corrected_max_ha"] == row["half_width_ha"] == ""
        assert row["note"] == "not corrected: there is no reference"
    text = (final / "RESULTS.txt").read_text(encoding="utf-8")
    assert "Accuracy           unknown: there is no reference" in text
    assert "is left out" in text  # the damaged acquisition of the scene
    assert "nan" not in text.lower()
    assert "Corrected" not in text
    for name in (
        "Areas_Regularised_Seed_1.csv",
        "Areas_fusion.csv",
        "Areas_Regularised_fusion.csv",
    ):
        assert "no reference" in (final / name).read_text(encoding="utf-8")


def test_nothing_of_a_reference_is_in_what_is_delivered(mapped):
    final = mapped.results / "final"
    names = [path.relative_to(final).as_posix() for path in final.rglob("*")]
    assert not [name for name in names if name.startswith(ABSENT)]
    assert not (mapped.results / "sampling").exists()
    assert not (mapped.results / "validation").exists()
    tags = gdal.Open(str(final / "Classif_Seed_0.tif")).GetMetadata()
    assert "REFERENCE" not in tags
    collection = json.loads((final / "stac" / "collection.json").read_text(encoding="utf-8"))
    for item in ("seed_0", "fusion"):
        told = json.loads((final / "stac" / f"{item}.json").read_text(encoding="utf-8"))
        assert all(
            (final / "stac" / asset["href"]).resolve().exists() for asset in told["assets"].values()
        )
    assert collection["type"] == "Collection"
    crate = json.loads((final / "ro-crate-metadata.json").read_text(encoding="utf-8"))
    listed = {part["@id"] for part in crate["@graph"]}
    assert "RESULTS.txt" in listed
    assert not [name for name in listed if name.startswith(ABSENT)]


def test_the_page_tells_areas_and_no_accuracy(mapped):
    page = (mapped.results / "final/report/index.html").read_text(encoding="utf-8")
    told = json.loads((mapped.results / "final/report/report.json").read_text(encoding="utf-8"))
    assert told["accuracy"] is None
    assert "There is no reference: how right the map is, is not known." in page
    for word in ("F-score", "Kappa", "Corrected", "Confusion matrix", "NaN"):
        assert word not in page.partition("<script")[0]
    assert sum(area["mapped_ha"] for area in told["areas"]) == pytest.approx(
        0.01 * np.count_nonzero(pixels(mapped.results / "final/Classif_Seed_0.tif")), abs=0.2
    )
    assert not [layer for layer in told["maps"]["layers"] if layer["kind"] == "difference"]


def test_the_lock_holds_the_models_and_verifies(mapped, whole_production):
    lock = json.loads((mapped.results / "final/production.lock").read_text(encoding="utf-8"))
    models = str(whole_production.results / "models")
    named = [
        path for path in lock["inputs"] if path.startswith(models) and path.endswith("model.json")
    ]
    assert len(named) == 4  # two regions, two draws
    assert lock["configuration"]["reference"] is None
    done = iota2("verify", str(mapped.results), cwd=mapped.folder)
    assert done.returncode == 0, done.stdout + done.stderr


def test_commands_cope_with_such_a_production(mapped):
    config = str(mapped.folder / "config.yaml")
    done = iota2("check", config, cwd=mapped.folder)
    assert done.returncode == 0, done.stdout + done.stderr
    done = iota2("summary", str(mapped.results), cwd=mapped.folder)
    assert "Accuracy           unknown: there is no reference" in done.stdout
    done = iota2("season", str(mapped.results), cwd=mapped.folder)
    assert done.returncode == 1
    assert "holds no samples" in done.stderr


@pytest.mark.parametrize("target", ["sampling", "validation", "results/sampling/polygons.gpkg"])
def test_what_needs_a_reference_is_refused_by_name(mapped, target):
    done = mapped.run("--dry-run", target, check=False)
    assert done.returncode
    assert (
        "there is no reference, so that nothing is drawn, sampled or judged"
        in done.stdout + done.stderr
    )
