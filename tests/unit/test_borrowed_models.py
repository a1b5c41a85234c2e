"""Models of another production: what keeps them from mapping this one."""

import json
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal
from tiny import write_image

from iota2_tools.config.nomenclature import LandCoverClass, Nomenclature
from iota2_tools.core.errors import ConfigError
from iota2_tools.core.locks import FORMAT
from iota2_tools.learning import engines
from iota2_tools.learning.borrowed import borrowed_problems
from iota2_tools.learning.places import borrowed_models, contents_of_models
from iota2_tools.learning.settings import LearningSettings, ModelKey
from iota2_tools.planning.configuration import complete_configuration
from iota2_tools.reference.sources import Demands
from iota2_tools.reference.table import TrainingTable

FEATURES = ["Sentinel2_B4_D001", "Sentinel2_B8_D001"]


@pytest.fixture
def output(tmp_path):
    """Output of a production of two regions and one draw."""
    polygons = np.repeat(np.arange(8), 4)
    codes = np.where(polygons % 2, 5, 2)
    values = np.stack([codes * 10, polygons], axis=1).astype(np.int16)
    table = TrainingTable(values, codes, polygons, FEATURES)
    for region in ("hills", "plain"):
        folder = f"{tmp_path}/old/models/region_{region}_seed_0"
        settings = LearningSettings("RandomForestClassifier", {"n_estimators": 3})
        engines.learn(table, ModelKey(region, 0, 0), settings, 1, folder)
    return str(tmp_path / "old")


def problems(
    output, regions=("hills", "plain"), runs=1, features=FEATURES, codes=(2, 5, 9), metres=None
):
    classes = Nomenclature(
        tuple(LandCoverClass(code, f"class {code}", (0, 0, 0)) for code in codes)
    )
    return list(borrowed_problems(output, Demands(features, regions, classes, runs, metres)))


def test_models_that_fit_are_taken(output):
    assert problems(output) == []
    assert problems(output, regions=["plain"]) == []
    assert borrowed_models("old", "plain", [0, 1]) == [
        "old/models/region_plain_seed_0", "old/models/region_plain_seed_1",
    ]  # fmt: skip


def test_each_model_that_does_not_fit_is_named(output):
    missing, again = problems(output, runs=2)
    assert "region_hills_seed_1 (there are region_hills_seed_0, region_plain_seed_0)" in missing
    assert "region_plain_seed_1" in again
    (found,) = problems(output, regions=["coast"])
    assert "regions must have the same names" in found
    dates = [name.replace("D001", "20190101") for name in FEATURES]
    found = problems(output, features=dates)
    assert len(found) == 2
    assert "one tells days of the year, the other dates" in found[0]
    assert "delete" not in found[0]
    assert "has learnt class 5, which the nomenclature has not" in problems(output, codes=(2, 9))[0]
    (found,) = problems("nowhere")
    assert "there is no folder nowhere/models" in found


def test_models_of_pixels_of_another_size_are_refused(output, tmp_path):
    write_image(tmp_path / "old/final/Classif_Seed_0.tif", np.ones((4, 4), np.uint8), nodata=0)
    assert problems(output, metres=10) == []
    assert problems(output, metres=9e-5 * 111_320) == []  # degrees, 10.02 m
    for size in (20, 5):
        (found,) = problems(output, metres=size)
        assert f"has pixels of 10 m, this production of {size} m" in found


def test_a_lock_of_a_newer_version_and_a_class_of_another_name_are_told(output, tmp_path):
    path = write_image(
        tmp_path / "old/final/Classif_Seed_0.tif", np.ones((4, 4), np.uint8), nodata=0
    )
    gdal.Open(path, gdal.GA_Update).SetMetadata({"CLASS_2": "class 2", "CLASS_5": "Maize"})
    (found,) = problems(output)
    assert f"{output}: class 5 is Maize there, and class 5 in the nomenclature" in found
    gdal.Open(path, gdal.GA_Update).SetMetadata({"CLASS_5": "class 5"})
    assert problems(output) == []
    lock = tmp_path / "old/final/production.lock"
    lock.write_text(json.dumps({"format": FORMAT + 1, "software": {"iota2-tools": "9.9"}}))
    (found,) = problems(output)
    assert f"{lock}: is of format {FORMAT + 1}, this version reads up to {FORMAT}" in found
    assert "install iota2-tools 9.9" in found
    lock.write_text("{")
    (found,) = problems(output)
    assert f"{lock}: is no lock of a production" in found
    lock.write_text(json.dumps({"format": FORMAT}))
    assert problems(output) == []


def test_a_damaged_model_is_found_at_the_check(output):
    """The first is loaded, all are described."""
    folder = f"{output}/models/region_plain_seed_0"
    for name in ("model.json",):
        with open(f"{folder}/{name}", "w") as file:
            file.write("{")
    (found,) = problems(output)
    assert f"{folder}: is no model" in found


def test_the_first_model_is_loaded_as_the_job_does(output):
    """Its description is whole, its trees are not."""
    folder = Path(f"{output}/models/region_hills_seed_0")
    for path in folder.iterdir():
        if path.name != "model.json":
            path.write_bytes(path.read_bytes()[:20])
    (found,) = problems(output)
    assert str(folder) in found


def test_what_models_hold_counts_and_not_their_dates(output):
    before = contents_of_models(output, ["hills", "plain"], [0])
    assert len(before) >= 4
    assert contents_of_models(output, ["plain"], [0]) == before[len(before) // 2 :]
    path = f"{output}/models/region_plain_seed_0/model.json"
    with open(path) as file:
        told = json.load(file)
    with open(path, "w") as file:
        json.dump(told | {"samples": 1}, file)
    after = contents_of_models(output, ["hills", "plain"], [0])
    assert sum(first != second for first, second in zip(before, after, strict=True)) == 1
    assert contents_of_models("nowhere", ["plain"], [0]) == []


GIVEN = {
    "output": "results",
    "tiles": ["T31TCJ"],
    "nomenclature": "classes.csv",
    "sensors": {"sentinel2": {"path": "s2"}},
    "reference": {"path": "reference.gpkg", "field": "code"},
}


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"learning": {"models": "results"}}, "these are the models of this production itself"),
        ({"learning": {"models": "old", "samples": "a.parquet"}}, "learning.models and learning.samples"),
        (
            {"learning": {"models": "old"}, "sampling": {"augmentation": {"method": "jitter"}}},
            "learning.models and sampling.augmentation: nothing is learnt",
        ),
        (
            {"learning": {"models": "old"}, "sampling": {"runs": 2},
             "fusion": {"seeds": {"method": "dempster_shafer"}}},
            "models of another production have no folds here",
        ),
    ],
)  # fmt: skip
def test_choices_of_learning_beside_borrowed_models_are_refused(sections, words):
    with pytest.raises(ConfigError, match=words):
        complete_configuration(GIVEN | sections)
    complete_configuration(GIVEN | {"learning": {"models": "old"}})


UNREFERENCED = {key: value for key, value in GIVEN.items() if key != "reference"}


@pytest.mark.parametrize("models", [{"models": "old"}, {"samples": "old.parquet"}])
def test_models_or_samples_of_another_production_need_no_reference(models):
    config = complete_configuration(UNREFERENCED | {"learning": models})
    assert config.reference is None
    assert config.digest != complete_configuration(GIVEN | {"learning": models}).digest


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({}, "reference: there is none, and nothing else to learn from"),
        ({"learning": {"models": "old"}, "sampling": {"ratio": 0.7}}, "sampling.ratio: there is no reference whose"),
        (
            {"learning": {"models": "old"}, "sampling": {"split_by": "touching"}},
            "sampling.split_by: there is no reference whose",
        ),
        (
            {"learning": {"models": "old"}, "sampling": {"strategy": "percent"}},
            "sampling.strategy: there is no reference whose",
        ),
        (
            {"learning": {"models": "old"}, "classification": {"histograms": True}},
            "classification.histograms: there is no reference that tells",
        ),
    ],
)  # fmt: skip
def test_choices_about_a_reference_that_is_not_there_are_refused(sections, words):
    with pytest.raises(ConfigError, match=words):
        complete_configuration(UNREFERENCED | sections)


def test_draws_of_models_may_be_asked_for_without_a_reference():
    sections = {"learning": {"models": "old"}, "sampling": {"runs": 3, "envelope_margin": 100}}
    assert complete_configuration(UNREFERENCED | sections).sampling.runs == 3
