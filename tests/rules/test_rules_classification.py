"""Stages learning and classification, rule by rule."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import skops.io
from independent import features, pixels
from sklearn.ensemble import RandomForestClassifier

from iota2_tools.learning.folds import some_of_each
from iota2_tools.learning.settings import ModelKey

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


def test_train_model_asks_forests_that_have_not_learnt_the_polygon(made):
    folder = "folds/region_2_seed_1"
    names = ("predictions.parquet", "polygons.csv", "calibration.csv", "confusion.csv")
    results = made("train_model", *(f"{folder}/{name}" for name in names))
    said = pd.read_parquet(results / folder / "predictions.parquet")
    tables = [pd.read_parquet(results / f"tiles/{tile}/samples.parquet") for tile in TILES]
    samples = pd.concat(tables)
    samples = samples[(samples["region"] == "2") & samples["seed_1"]].reset_index(drop=True)
    sizes = samples["polygon"].value_counts()
    most = 5 * len(sizes)  # five of a polygon on average; the unit tests tell which
    samples = samples[some_of_each(samples["polygon"].to_numpy(), most, ModelKey("2", 1, 0))]
    samples = samples.reset_index(drop=True)
    share = min(1, most / sizes.sum())
    assert said["polygon"].value_counts().to_dict() == np.ceil(sizes * share).astype(int).to_dict()
    assert said["polygon"].tolist() == samples["polygon"].tolist()
    told = json.loads((results / "models/region_2_seed_1/model.json").read_text())
    values = samples[told["features"]].to_numpy(np.float32)
    for fold in sorted(set(said["fold"]) - {-1}):
        apart = (said["fold"] == fold).to_numpy()
        forest = RandomForestClassifier(TREES, random_state=told["parameters"]["random_state"])
        forest.fit(values[~apart], samples["code"][~apart])
        assert np.array_equal(said.loc[apart, "said"], forest.predict(values[apart]))
        columns = [f"p_{code}" for code in forest.classes_]
        expected = forest.predict_proba(values[apart])
        assert np.allclose(said.loc[apart, columns], expected, atol=1e-6)
    judged = said.loc[said["fold"] >= 0, "polygon"].nunique()
    assert 0 < judged < 30
    assert told["calibration"]["polygons"] == judged
    assert told["calibration"]["temperature"] == 1  # of so few polygons none is found
    matrix = pd.read_csv(results / folder / "confusion.csv")
    assert matrix.drop(columns=["code", "name"]).to_numpy().sum() == (said["fold"] >= 0).sum()


def test_list_suspicious_polygons_has_those_whose_class_is_improbable_to_others(made):
    results = made("list_suspicious_polygons", "final/Suspicious_Polygons.gpkg")
    said = pd.concat(
        pd.read_parquet(results / f"folds/region_{region}_seed_{seed}/predictions.parquet").assign(
            model=f"{region}/{seed}"
        )
        for region in (1, 2)
        for seed in SEEDS
    )
    said = said[said["fold"] >= 0]
    said["own"] = [row[f"p_{row['code']}"] for row in said.to_dict("records")]
    means = said.groupby(["polygon", "model"])["own"].mean()
    expected = set(means.index.get_level_values("polygon")[means < 0.1])
    layer = gpd.read_file(results / "final/Suspicious_Polygons.gpkg")
    assert set(layer["polygon"]) == expected
    assert len(expected) > 1
    assert layer["own"].is_monotonic_increasing
    assert layer["own"].tolist() == pytest.approx(
        means.groupby("polygon").mean()[layer["polygon"]].tolist(), abs=1e-4
    )
    splits = gpd.read_file(results / "sampling/polygons.gpkg").set_index("polygon")
    assert (splits.loc[layer["polygon"], "code"].to_numpy() == layer["code"]).all()
    shapes = splits.loc[layer["polygon"]].geometry.to_numpy()
    assert all(one.equals(other) for one, other in zip(shapes, layer.geometry, strict=True))
    text = (results / "final/RESULTS.txt").read_text()
    assert f"{len(layer)} learning polygon(s) look wrong, and were learnt" in text


def test_classify_tile_counts_the_classes_that_cannot_be_excluded(made):
    results = made("classify_tile", "classification/T31TDJ/region_2/sets_seed_0.tif")
    folder = results / "classification/T31TDJ/region_2"
    said = pd.read_parquet(results / "folds/region_2_seed_0/predictions.parquet")
    said = said[said["fold"] >= 0]
    names = [name for name in said if name.startswith("p_")]
    votes, fold = said[names].to_numpy(dtype=float), said["fold"].to_numpy()
    truth = np.array([names.index(f"p_{code}") for code in said["code"]])

    def truths(votes, truth):
        """What the truth is where a class is said; five samples more, as usual."""
        usual = (np.bincount(truth, minlength=len(names)) + 1) / (len(truth) + len(names))
        shares = votes.T @ np.eye(len(names))[truth] + 5 * usual
        return shares / shares.sum(axis=1, keepdims=True)

    scores = []
    for row, number in enumerate(fold):
        others = fold != number
        found = votes[row] + 0.3 * votes[row] @ truths(votes[others], truth[others])
        scores.append(1 - found[truth[row]] / 1.3)
    largest = sorted(scores)[int(np.ceil((len(scores) + 1) * 0.5)) - 1]  # half are allowed
    per_mille = pixels(folder / "probabilities_seed_0.tif").astype(float)
    seen = per_mille[0] != 65535
    codes = pd.read_csv(results.parent / "scene/reference/nomenclature.csv")["code"].tolist()
    bands = [codes.index(int(name[2:])) for name in names]
    shares = per_mille[bands][:, seen].T / 1000
    said_to_be = (shares + 0.3 * shares @ truths(votes, truth)) / 1.3
    kept = said_to_be >= 1 - largest
    kept[np.arange(len(kept)), shares.argmax(axis=1)] = True
    sure = (np.abs(said_to_be - (1 - largest)) > 6e-4).all(axis=1)  # written in steps of 0.001
    sets = pixels(folder / "sets_seed_0.tif")
    assert (sets[~seen] == 0).all()
    assert np.array_equal(sets[seen][sure], kept.sum(axis=1)[sure])
    assert sure.mean() > 0.9
    assert len(np.unique(sets)) > 2


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
