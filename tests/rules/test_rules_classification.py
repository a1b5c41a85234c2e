"""Stages learning and classification, rule by rule."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import skops.io
from independent import features, pixels
from sklearn.ensemble import RandomForestClassifier

TILES = ("T31TCJ", "T31TDJ")
SEEDS = (0, 1)
LAYERS = ("classes", "confidence", "probabilities")
STEP, TREES = 60, 7  # the configuration


def stored_model(folder):
    """The model as skops and scikit-learn alone load it."""
    return skops.io.load(
        folder / "model.skops", trusted=skops.io.get_untrusted_types(file=folder / "model.skops")
    )


def test_train_model_is_the_forest_scikit_learn_grows_from_the_samples_of_a_region(made):
    results = made("train_model", "models/region_1_seed_1")
    folder = results / "models" / "region_1_seed_1"
    told = json.loads((folder / "model.json").read_text())
    tables = [gpd.read_parquet(results / f"tiles/{tile}/samples.parquet") for tile in TILES]
    every = pd.concat(tables)
    own = every[(every["region"] == "1") & every["seed_1"]]
    names = [name for name in own if name.startswith("Sentinel2_")]
    values, codes = own[names].to_numpy(np.float32), own["code"].to_numpy()
    model = stored_model(folder)
    again = RandomForestClassifier(TREES, random_state=told["parameters"]["random_state"])
    again.fit(values, codes)
    assert isinstance(model, RandomForestClassifier)
    assert len(model.estimators_) == TREES
    everything = every[names].to_numpy(np.float32)
    assert np.array_equal(model.predict_proba(everything), again.predict_proba(everything))
    assert told["classes"] == {
        str(code): int(n) for code, n in own["code"].value_counts().sort_index().items()
    }
    assert model.classes_.tolist() == sorted(set(codes))
    assert told["features"] == names
    assert (told["samples"], told["polygons"]) == (len(own), own["polygon"].nunique())
    assert (told["region"], told["seed"], told["learner"]) == ("1", 1, "RandomForestClassifier")


def test_train_model_makes_one_for_each_region_and_draw(made):
    results = made("train_model", jobs=4)
    models = sorted(path.name for path in (results / "models").iterdir())
    assert models == [f"region_{region}_seed_{seed}" for region in (1, 2) for seed in SEEDS]


def test_classify_tile_gives_the_labels_of_scikit_learn_on_np_interp_features(made):
    pieces = (("T31TCJ", 1), ("T31TDJ", 2))
    files = [
        f"classification/{tile}/region_{region}/{layer}_seed_{seed}.tif"
        for tile, region in pieces
        for layer in LAYERS
        for seed in SEEDS
    ]
    results = made("classify_tile", *files, jobs=2)
    for tile, region in pieces:
        check_piece(results, tile, region)


def check_piece(results, tile: str, region: int) -> None:
    """Class, confidence and probabilities of one region of one tile, for both draws."""
    folder = results / f"classification/{tile}/region_{region}"
    stack = np.array(list(features(results.parent / "scene", tile, STEP).values()))
    own = results / "tiles" / tile
    mapped = pixels(own / "regions.tif") == region
    mapped &= pixels(own / "validity.tif") >= 1
    mapped &= pixels(own / "footprint.tif") > 0
    table = pd.read_csv(results.parent / "scene/reference/nomenclature.csv")
    for seed in SEEDS:
        model = stored_model(results / "models" / f"region_{region}_seed_{seed}")
        proba = model.predict_proba(stack[:, mapped].T.astype(np.float32))
        classes, confidence, probabilities = (
            pixels(folder / f"{layer}_seed_{seed}.tif") for layer in LAYERS
        )
        expected = np.zeros(mapped.shape, dtype=int)
        expected[mapped] = model.predict(stack[:, mapped].T.astype(np.float32))
        assert np.array_equal(classes, expected)
        percent = np.zeros(mapped.shape, dtype=int)
        percent[mapped] = np.floor(np.round(100 * proba.max(axis=1), 6))
        assert np.array_equal(confidence, percent)
        per_mille = np.zeros((len(table), *mapped.shape), dtype=int)
        per_mille[:, ~mapped] = 65535
        for band, code in enumerate(table["code"]):
            if code in model.classes_:
                column = list(model.classes_).index(code)
                per_mille[band, mapped] = np.round(1000 * proba[:, column])
        assert np.array_equal(probabilities, per_mille)
        assert len(np.unique(classes)) > 4
