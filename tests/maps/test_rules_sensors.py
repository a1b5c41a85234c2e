"""Late fusion of radar and optical sensors, on a small production of its own."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import skops.io
from conftest import Workflow, scene_config
from independent import pixels
from osgeo import gdal
from sklearn import metrics
from test_rules_validation import matrix_of

TILE, SOURCES = "T31TCJ", ("radar", "optical")


@pytest.fixture(scope="module")
def late(tmp_path_factory) -> SimpleNamespace:
    """Results on one tile of 64 pixels that both Sentinels saw, and the features of its pixels."""
    from iota2_tools.simulate import SceneSettings, simulate_scene

    folder = tmp_path_factory.mktemp("late")
    settings = SceneSettings(size=64, tiles=(TILE,), dates=6, cloud_cover=0.3, seed=1)
    simulate_scene(settings, str(folder / "scene"), sensors=("s2", "s1tiling"), jobs=1)
    workflow = Workflow(
        folder,
        scene_config(
            tiles=[TILE],
            sensors={
                "sentinel1_s1tiling": {"path": "scene/sentinel1_s1tiling"},
                "sentinel2": {"path": "scene/sentinel2", "temporal_resolution": 60},
            },
            learning={"parameters": {"n_estimators": 7}},
            classification={"probability_map": True},
            fusion={"sensors": {"method": "dempster_shafer"}},
        ),
    )
    results = workflow.results
    workflow.run("classification", "features", "results/final/Choice_Seed_0.tif")
    stack = gdal.Open(str(results / f"features/{TILE}.tif"))
    names = [stack.GetRasterBand(n + 1).GetDescription() for n in range(stack.RasterCount)]
    values = pd.DataFrame(stack.ReadAsArray().reshape(len(names), -1).T, columns=names)
    models = {source: model_of(results, source) for source in SOURCES}
    return SimpleNamespace(results=results, values=values, models=models)


def model_of(results, source: str):
    """The forest of a source and the names of its features."""
    folder = results / f"models/region_1_seed_0_{source}"
    path = folder / "model.skops"
    forest = skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
    return forest, json.loads((folder / "model.json").read_text())["features"]


def test_train_source_learns_the_features_of_its_sensors_alone(late):
    kinds = {
        source: {name.split("_")[0] for name in names} for source, (_, names) in late.models.items()
    }
    assert kinds == {"radar": {"Sentinel1"}, "optical": {"Sentinel2"}}
    both = [name for source in SOURCES for name in late.models[source][1]]
    assert both == list(late.values)


def test_learn_folds_of_source_judges_each_by_itself(late):
    matrices = []
    for source in SOURCES:
        folder = late.results / f"folds/region_1_seed_0_{source}"
        said = pd.read_parquet(folder / "predictions.parquet")
        judged = said[said["fold"] >= 0]
        counted = matrix_of(folder / "confusion.csv")[:, :-1]
        codes = pd.read_csv(folder / "confusion.csv")["code"].tolist()
        expected = metrics.confusion_matrix(judged["code"], judged["said"], labels=codes)
        assert np.array_equal(counted, expected)
        matrices.append(counted)
    assert not np.array_equal(*matrices)


def masses(results, source: str) -> dict[int, float]:
    path = results / f"folds/region_1_seed_0_{source}/confusion.csv"
    matrix, codes = matrix_of(path)[:, :-1], pd.read_csv(path)["code"]
    said = matrix.sum(axis=0)
    return {code: matrix[n, n] / said[n] if said[n] else 0.0 for n, code in enumerate(codes)}


def test_mosaic_choice_tells_the_source_that_dempsters_rule_follows_at_each_pixel(late):
    classes = pixels(late.results / f"classification/{TILE}/region_1/classes_seed_0.tif").ravel()
    choice = pixels(late.results / "final/Choice_Seed_0.tif").ravel()
    mapped = np.flatnonzero(classes)
    said = {}
    for source, (forest, names) in late.models.items():
        own = forest.predict_proba(late.values.iloc[mapped][names].to_numpy(np.float32))
        percent = np.floor(own.max(axis=1) * 100 + 1e-5).astype(int)
        said[source] = (forest.classes_[own.argmax(axis=1)], percent, masses(late.results, source))
    (radar, sure_r, mass_r), (optical, sure_o, mass_o) = said["radar"], said["optical"]
    found = set()
    for place, pixel in enumerate(mapped):
        a, b = radar[place], optical[place]
        ours, theirs = mass_r[a] * (1 - mass_o[b]), mass_o[b] * (1 - mass_r[a])
        second = sure_o[place] > sure_r[place] if abs(ours - theirs) < 1e-9 else theirs > ours
        expected = (a, 1) if a == b else (b, 3) if second else (a, 2)
        assert (classes[pixel], choice[pixel]) == expected
        found.add(expected[1])
    assert found == {1, 2, 3}
    assert (choice[classes == 0] == 0).all()
    tags = gdal.Open(str(late.results / "final/Choice_Seed_0.tif")).GetMetadata()
    assert [tags[f"CLASS_{code}"] for code in (1, 2, 3)] == ["both", "radar", "optical"]
