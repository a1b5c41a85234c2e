"""Boundaries between regions averaged, on a small production of its own."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import skops.io
from conftest import Workflow, scene_config
from independent import pixels, polygon_ids, split_polygons
from osgeo import gdal
from sklearn import metrics
from test_rules_validation import matrix_of, nomenclature

TILE, REACH = "T31TCJ", 40.0  # metres on both sides


@pytest.fixture(scope="module")
def averaged(tmp_path_factory) -> SimpleNamespace:
    """Results on one tile of 64 pixels with two regions, and the features of its pixels."""
    from iota2_tools.simulate import SceneSettings, simulate_scene

    folder = tmp_path_factory.mktemp("boundaries")
    settings = SceneSettings(size=64, dates=6, cloud_cover=0.3, seed=1, overlap=20)
    simulate_scene(settings, str(folder / "scene"), jobs=1)
    workflow = Workflow(
        folder,
        scene_config(
            tiles=[TILE],
            sensors={"sentinel2": {"path": "scene/sentinel2", "temporal_resolution": 60}},
            regions={"path": "scene/reference/regions.gpkg", "field": "region"},
            learning={"parameters": {"n_estimators": 7}},
            fusion={"boundaries": {"exterior": REACH, "interior": REACH}},
        ),
    )
    workflow.run("features", "results/final/RESULTS.txt")
    results = workflow.results
    stack = gdal.Open(str(results / f"features/{TILE}.tif"))
    names = [stack.GetRasterBand(n + 1).GetDescription() for n in range(stack.RasterCount)]
    values = pd.DataFrame(stack.ReadAsArray().reshape(len(names), -1).T, columns=names)
    return SimpleNamespace(results=results, values=values)


def shares(averaged, region: int) -> np.ndarray:
    """What the forest of a region says of every pixel, per mille, shape (n_pixels, n_classes)."""
    folder = averaged.results / f"models/region_{region}_seed_0"
    path = folder / "model.skops"
    forest = skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
    names = json.loads((folder / "model.json").read_text())["features"]
    codes = nomenclature(averaged.results)["code"].tolist()
    found = np.zeros((len(averaged.values), len(codes)))
    columns = [codes.index(code) for code in forest.classes_]
    own = forest.predict_proba(averaged.values[names].to_numpy(np.float32))
    found[:, columns] = np.rint(own * 1000)
    return found


def distances(regions: np.ndarray, region: int) -> np.ndarray:
    """Metres from each centre to the edge of a region, by comparing it with every pixel."""
    inside = (regions == region).ravel()
    rows, cols = (axis.ravel() for axis in np.indices(regions.shape))

    def nearest(others: np.ndarray) -> np.ndarray:
        return np.hypot(rows[:, None] - rows[others], cols[:, None] - cols[others]).min(axis=1)

    return np.where(inside, nearest(~inside) - 0.5, 0.5 - nearest(inside)) * 10


def test_classify_tile_averages_what_both_forests_say_by_the_distance_to_the_edge(averaged):
    folder = averaged.results / f"classification/{TILE}"
    regions = pixels(averaged.results / f"tiles/{TILE}/regions.tif").astype(int)
    assert set(np.unique(regions)) == {1, 2}
    weights = [np.clip((distances(regions, r) + REACH) / (2 * REACH), 0, 1) for r in (1, 2)]
    said = [shares(averaged, region) for region in (1, 2)]
    total = sum(weight[:, None] * share for weight, share in zip(weights, said, strict=True))
    mean = np.floor(total / sum(weights)[:, None] + 0.5)
    codes = nomenclature(averaged.results)["code"].to_numpy()
    mapped = sum(pixels(folder / f"region_{r}/classes_seed_0.tif").astype(int) for r in (1, 2))
    plain = sum(pixels(folder / f"region_{r}/plain_seed_0.tif").astype(int) for r in (1, 2))
    mapped, plain = mapped.ravel(), plain.ravel()
    # Far enough from the frame of the tile: another edge may lie beyond it.
    rows, cols = np.indices(regions.shape)
    frame = np.minimum.reduce([rows, cols, 63 - rows, 63 - cols]).ravel() > REACH / 10 + 1
    near = frame & (np.minimum(*weights) > 0) & (mapped > 0)
    assert near.sum() > 50
    assert np.array_equal(mapped[near], codes[mean[near].argmax(axis=1)])
    own = np.where((regions.ravel() == 1)[:, None], *said)
    known = frame & (mapped > 0)
    assert np.array_equal(plain[known], codes[own[known].argmax(axis=1)])
    assert (mapped != plain).any()
    far = frame & (np.minimum(*weights) == 0)
    assert np.array_equal(mapped[far], plain[far])


def test_report_accuracy_tells_the_scores_with_and_without_the_neighbours(averaged):
    results = averaged.results
    ids = polygon_ids(results, TILE)
    ids[pixels(results / f"tiles/{TILE}/validity.tif") < 1] = 0
    rows = split_polygons(results).reindex(ids.ravel())
    used = (rows["seed_0"] == "validation").to_numpy()
    reference = rows["code"].fillna(0).to_numpy().astype(int)
    folder = results / f"classification/{TILE}"
    accuracies = []
    for layer, name in (
        ("classes", "confusion_seed_0.csv"),
        ("plain", "confusion_plain_seed_0.csv"),
    ):
        mapped = sum(pixels(folder / f"region_{r}/{layer}_seed_0.tif").astype(int) for r in (1, 2))
        codes = nomenclature(results)["code"].tolist()
        expected = metrics.confusion_matrix(
            reference[used], mapped.ravel()[used], labels=[*codes, 0]
        )[:-1]
        assert np.array_equal(matrix_of(results / f"validation/{TILE}/{name}"), expected)
        square = expected[:, :-1]
        accuracies.append(np.trace(square) / square.sum())
    text = (results / "final/RESULTS.txt").read_text()
    assert f"averaged: overall accuracy {accuracies[0]:.3f}, kappa" in text
    assert f"without it {accuracies[1]:.3f}, kappa" in text
