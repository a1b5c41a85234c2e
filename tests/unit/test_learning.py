"""Learners: scikit-learn's own answers, OTB's classes, and models that are refused."""

import json
import logging
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from iota2_tools.core.errors import LearningError
from iota2_tools.learning import engines as learning
from iota2_tools.learning import scikit
from iota2_tools.learning.packed import packing
from iota2_tools.learning.settings import LearningSettings, ModelKey
from iota2_tools.learning.traits import TRAITS
from iota2_tools.reference.table import TrainingTable

CODES = (11, 222, 300, 65535)
NAMES = [f"Sentinel2_B{number}_20180101" for number in range(4)]


def blobs(number=60, spread=700, seed=0):
    """Features around one centre a class, and codes."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(CODES, number)
    centres = np.repeat(np.eye(4) * 4000, number, axis=0)
    return np.rint(rng.normal(centres, spread)).astype(np.int16), codes


@pytest.fixture
def samples(tmp_path):
    """Samples table: the blobs in region 1 and draw 0, other samples elsewhere."""
    features, codes = blobs()
    table = pd.DataFrame(features, columns=NAMES)
    table.insert(0, "row", 0)
    table.insert(1, "col", 0)
    table.insert(2, "polygon", np.arange(len(table)) // 10)
    table.insert(3, "code", codes)
    table.insert(4, "region", "1")
    table.insert(5, "seed_0", True)
    table.insert(6, "seed_1", codes == 11)
    other = table.assign(region="2", code=99)
    path = tmp_path / "samples.parquet"
    pd.concat([table, other]).to_parquet(path, index=False)
    return [str(path)]


def settings(learner="RandomForestClassifier", standardise="auto", **parameters):
    return LearningSettings(learner, parameters, standardise)


def train(samples, folder, section, seed=0, threads=1):
    learning.train(samples, ModelKey("1", seed, 0), section, threads, str(folder))
    return learning.load(str(folder))


def told_of(folder):
    return json.loads((folder / "model.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
def test_forest_predicts_as_scikit_learn_does(samples, tmp_path, kind):
    features, codes = blobs()
    test, _ = blobs(200, spread=2500, seed=1)
    model = train(samples, tmp_path / "m", settings(kind.__name__, n_estimators=15, random_state=3))
    expected = kind(n_estimators=15, random_state=3).fit(features.astype(np.float32), codes)
    said = model.predict(test, probabilities=True)
    np.testing.assert_array_equal(said.codes, expected.predict(test.astype(np.float32)))
    probabilities = expected.predict_proba(test.astype(np.float32))
    np.testing.assert_allclose(said.probabilities, probabilities, atol=1e-6)
    np.testing.assert_allclose(said.confidence, probabilities.max(axis=1), atol=1e-6)
    assert model.codes.tolist() == list(CODES)


def test_learner_of_distances_is_standardised_unless_told_not_to(samples, tmp_path):
    features, codes = blobs()
    test = blobs(200, spread=2500, seed=1)[0].astype(np.float32)
    for choice, expected in (
        ("auto", make_pipeline(StandardScaler(), LogisticRegression(random_state=0))),
        (False, LogisticRegression(random_state=0)),
    ):
        section = settings("LogisticRegression", choice, random_state=0)
        model = train(samples, tmp_path / str(choice), section)
        expected.fit(features.astype(np.float32), codes)
        said = model.predict(test, probabilities=True)
        np.testing.assert_allclose(said.probabilities, expected.predict_proba(test), atol=1e-6)


def test_learner_without_probabilities_is_calibrated(samples, tmp_path):
    model = train(samples, tmp_path / "m", settings(RidgeClassifier.__name__))
    features, codes = blobs(20, seed=1)
    said = model.predict(features, probabilities=True)
    assert (said.codes == codes).mean() > 0.95
    np.testing.assert_allclose(said.probabilities.sum(axis=1), 1, atol=1e-6)


def test_model_tells_what_it_is(samples, tmp_path):
    train(samples, tmp_path / "m", settings(n_estimators=5))
    told = told_of(tmp_path / "m")
    assert told["region"] == "1"
    assert told["seed"] == 0
    assert told["learner"] == "RandomForestClassifier"
    assert told["parameters"]["n_estimators"] == 5
    assert isinstance(told["parameters"]["random_state"], int)
    assert told["standardise"] is False
    assert told["classes"] == {"11": 60, "222": 60, "300": 60, "65535": 60}
    assert (told["samples"], told["polygons"]) == (240, 24)
    assert told["dtype"] == "int16"
    assert told["packed"] is True
    assert told["features"] == NAMES
    assert {"python", "scikit-learn", "numpy", "skops"} <= told["versions"].keys()


def test_model_tells_the_importance_of_its_features_where_the_learner_does(samples, tmp_path):
    features, codes = blobs()
    values = features.astype(np.float32)
    train(samples, tmp_path / "forest", settings(n_estimators=5, random_state=3))
    forest = RandomForestClassifier(5, random_state=3).fit(values, codes)
    told = told_of(tmp_path / "forest")["importances"]
    assert list(told["values"]) == NAMES
    np.testing.assert_allclose(
        list(told["values"].values()), forest.feature_importances_, atol=1e-8
    )
    train(samples, tmp_path / "linear", settings("LogisticRegression", random_state=0))
    linear = LogisticRegression(random_state=0).fit(StandardScaler().fit_transform(values), codes)
    sizes = np.abs(linear.coef_).sum(axis=0)
    told = told_of(tmp_path / "linear")["importances"]
    np.testing.assert_allclose(list(told["values"].values()), sizes / sizes.sum(), atol=1e-4)
    assert "standardised" in told["how"]


def test_model_tells_no_importance_where_there_is_none(samples, tmp_path):
    """Coefficients of features that were not standardised bear their units."""
    plain = settings("LogisticRegression", False, random_state=0)
    for name, section in (
        ("plain", plain),
        ("boosting", settings("HistGradientBoostingClassifier", max_iter=3)),
    ):
        train(samples, tmp_path / name, section)
        assert "importances" not in told_of(tmp_path / name)


def test_same_samples_give_the_same_model_whatever_the_threads(samples, tmp_path):
    test, _ = blobs(100, spread=2500, seed=1)
    found = []
    for threads in (1, 2):
        section = settings(n_estimators=10)
        model = train(samples, tmp_path / str(threads), section, threads=threads)
        found.append(model.predict(test, probabilities=True).probabilities)
    np.testing.assert_array_equal(*found)


def test_single_class_is_refused_and_named(samples, tmp_path):
    with pytest.raises(LearningError, match="region 1, seed 1: only class 11"):
        train(samples, tmp_path / "m", settings(), seed=1)
    assert not (tmp_path / "m").exists()


def test_no_sample_is_refused(samples, tmp_path):
    with pytest.raises(LearningError, match="region 3, seed 0: no sample"):
        learning.train(samples, ModelKey("3", 0, 0), settings(), 1, str(tmp_path / "m"))


class Foreign:
    """A type that is of no library a model may hold."""


@pytest.mark.parametrize(
    ("function", "name"),
    [(eval, "builtins.eval"), (np.load, "numpy.load"), (os.system, "posix.system")],
)
def test_model_that_would_call_a_function_is_not_loaded(samples, tmp_path, function, name):
    # A real classifier behind a step that calls what it is told to, with the features.
    forest = RandomForestClassifier(2).fit(*blobs())
    pipeline = make_pipeline(FunctionTransformer(function), forest)
    train(samples, tmp_path / "m", settings(n_estimators=2))
    skops.io.dump(pipeline, tmp_path / "m" / "model.skops")
    with pytest.raises(LearningError, match=rf"holds .*{name}.*not loaded"):
        learning.load(str(tmp_path / "m"))


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        (Foreign(), "Foreign.*not loaded"),
        (StandardScaler().fit([[0], [1]]), "holds no fitted classifier"),
        (RandomForestClassifier(), "holds no fitted classifier"),
        (RidgeClassifier().fit([[0], [1]], [11, 12]), "holds no fitted classifier"),
    ],
)
def test_file_that_holds_another_thing_is_not_loaded(samples, tmp_path, thing, message):
    train(samples, tmp_path / "m", settings(n_estimators=2))
    skops.io.dump(thing, tmp_path / "m" / "model.skops")
    with pytest.raises(LearningError, match=message):
        learning.load(str(tmp_path / "m"))


def test_file_cut_in_half_is_not_loaded(samples, tmp_path):
    train(samples, tmp_path / "m", settings(n_estimators=2))
    path = tmp_path / "m" / "model.skops"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(LearningError, match=r"cannot be loaded.*to learn it anew"):
        learning.load(str(tmp_path / "m"))


def test_folder_that_is_no_model_is_refused(tmp_path):
    with pytest.raises(LearningError, match="is no model"):
        learning.load(str(tmp_path))


OTB = """
import json, sys
import numpy as np
from iota2_tools.learning import engines as learning
from iota2_tools.learning.settings import LearningSettings, ModelKey

samples, learner, folder, test = sys.argv[1:]
learning.train([samples], ModelKey("1", 0, 0), LearningSettings(learner, {}), 1, folder)
said = learning.load(folder).predict(np.load(test))
print("RESULT " + json.dumps([said.codes.tolist(), said.confidence.tolist()]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("learner", ["otb-rf", "otb-knn", "otb-libsvm", "otb-dt", "otb-bayes"])
def test_otb_learner_tells_separable_classes_apart(samples, tmp_path, learner):
    pytest.importorskip("otbApplication")
    features, codes = blobs(20, seed=1)
    np.save(tmp_path / "test.npy", features)
    arguments = [*samples, learner, str(tmp_path / "m"), str(tmp_path / "test.npy")]
    # A process a learner: OTB's random forest is another one the second time.
    done = subprocess.run(
        [sys.executable, "-c", OTB, *arguments], capture_output=True, text=True, check=False
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert lines, done.stdout + done.stderr
    found, confidence = json.loads(lines[0].removeprefix("RESULT "))
    assert (np.array(found) == codes).mean() > 0.97
    assert 0 <= min(confidence) <= max(confidence) <= 1
    assert (min(confidence) > 0) == TRAITS[learner].confidence


def test_learner_of_otb_with_missing_values_is_refused(tmp_path):
    samples = with_values(tmp_path, {5: np.nan})
    with pytest.raises(LearningError, match=r"1 of 240 samples .* otb-rf cannot place"):
        learning.train(samples, ModelKey("1", 0, 0), settings("otb-rf"), 1, str(tmp_path / "m"))


def with_values(folder, wrong):
    """A samples table of float32 with some values of one feature, by row, set to others."""
    features, codes = blobs()
    table = pd.DataFrame(features.astype(np.float32), columns=NAMES)
    table.loc[list(wrong), NAMES[2]] = np.array(list(wrong.values()), np.float32)
    about = {"row": 0, "col": 0, "polygon": np.arange(len(table)) // 10, "code": codes}
    table = table.assign(**about, region="1", seed_0=True)
    path = folder / "float.parquet"
    table.to_parquet(path, index=False)
    return [str(path)]


def test_samples_with_missing_values_are_counted_and_the_feature_named(tmp_path):
    samples = with_values(tmp_path, {3: np.nan, 70: np.nan})
    message = rf"region 1, seed 0: 2 of 240 samples have values of {NAMES[2]} that are missing"
    with pytest.raises(LearningError, match=message) as refused:
        train(samples, tmp_path / "m", settings("SVC"))
    assert "leave_out" in str(refused.value)
    assert "RandomForestClassifier" in str(refused.value)


@pytest.mark.parametrize("learner", ["RandomForestClassifier", "SVC"])
def test_infinite_samples_are_refused(tmp_path, learner):
    samples = with_values(tmp_path, {3: np.inf, 4: np.nan, 70: -np.inf})
    with pytest.raises(LearningError, match=rf"2 of 240 samples have values of {NAMES[2]} that"):
        train(samples, tmp_path / "m", settings(learner))


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (RandomForestClassifier, {"n_estimators": 9}),
        (HistGradientBoostingClassifier, {"max_iter": 5}),
    ],
)
@pytest.mark.parametrize("wrong", [{}, {3: np.nan, 70: np.nan}])
def test_missing_values_are_mapped_as_by_scikit_learn(tmp_path, kind, options, wrong):
    samples = with_values(tmp_path, wrong)
    table = pd.read_parquet(samples[0])
    with threadpool_limits(1):  # many threads for so little take seconds where others work, too
        model = train(samples, tmp_path / "m", settings(kind.__name__, random_state=0, **options))
        expected = kind(random_state=0, **options).fit(table[NAMES].to_numpy(), table["code"])
    assert told_of(tmp_path / "m")["packed"] is True
    pixels = blobs(50, spread=2500, seed=1)[0].astype(np.float32)
    pixels[::3, 2] = np.nan
    said = model.predict(pixels, probabilities=True)
    np.testing.assert_array_equal(said.probabilities, expected.predict_proba(pixels))


def test_pixels_that_a_learner_cannot_place_are_refused_and_counted(tmp_path):
    samples = with_values(tmp_path, {})
    pixels = blobs(2, seed=1)[0].astype(np.float32)
    pixels[[0, 5], 1] = np.nan
    model = train(samples, tmp_path / "svc", settings("SVC"))
    with pytest.raises(LearningError, match=rf"2 of 8 pixels have values of {NAMES[1]} that are"):
        model.predict(pixels)
    pixels[2, 3] = np.inf
    forest = train(samples, tmp_path / "rf", settings(n_estimators=3))
    with pytest.raises(LearningError, match=rf"1 of 8 pixels have values of {NAMES[3]} that are"):
        forest.predict(pixels)


def test_whole_numbers_do_for_a_model_of_decimals(tmp_path):
    samples = with_values(tmp_path, {})
    model = train(samples, tmp_path / "m", settings(n_estimators=5))
    pixels = blobs(50, spread=2500, seed=1)[0]
    whole = model.predict(pixels, probabilities=True).probabilities
    np.testing.assert_array_equal(
        whole, model.predict(pixels.astype(np.float32), probabilities=True).probabilities
    )


def test_decimals_do_not_for_a_model_of_whole_numbers(samples, tmp_path):
    model = train(samples, tmp_path / "m", settings(n_estimators=2))
    with pytest.raises(LearningError, match="packed for int16 features, got float32"):
        model.predict(blobs(2)[0].astype(np.float32))


def test_packed_trees_that_answer_otherwise_are_not_used(samples, tmp_path, monkeypatch, caplog):
    real = packing.pack

    def wrong(estimator, dtype):
        """As after a release of scikit-learn in which children changed places."""
        packed = real(estimator, dtype)
        packed.trees.nodes["left"], packed.trees.nodes["right"] = (
            packed.trees.nodes["right"].copy(), packed.trees.nodes["left"].copy(),
        )  # fmt: skip
        return packed

    monkeypatch.setattr(packing, "pack", wrong)
    with caplog.at_level(logging.WARNING):
        model = train(samples, tmp_path / "m", settings(n_estimators=5, random_state=0))
    told = told_of(tmp_path / "m")
    assert told["packed"] is False
    assert "differ from scikit-learn's" in told["not_packed"]
    assert len([r for r in caplog.records if "mapped" in r.message]) == 2  # learning and loading
    features, codes = blobs()
    test = blobs(50, spread=2500, seed=1)[0].astype(np.float32)
    expected = RandomForestClassifier(5, random_state=0).fit(features.astype(np.float32), codes)
    said = model.predict(test, probabilities=True).probabilities
    np.testing.assert_array_equal(said, expected.predict_proba(test))


@pytest.mark.parametrize(
    "error", [AttributeError("no _predictors"), LearningError("x"), KeyError(1)]
)
def test_trees_that_can_no_longer_be_packed_are_mapped_by_scikit_learn(
    samples, tmp_path, monkeypatch, error
):
    def broken(estimator, dtype):
        raise error

    monkeypatch.setattr(packing, "pack", broken)
    model = train(samples, tmp_path / "m", settings(n_estimators=5))
    assert "cannot be packed" in told_of(tmp_path / "m")["not_packed"]
    assert isinstance(model, scikit.ScikitModel)


def test_a_sample_packed_wrong_only_where_values_are_missing_is_found(tmp_path, monkeypatch):
    real = packing.pack

    def wrong(estimator, dtype):
        packed = real(estimator, dtype)
        packed.trees.missing_left[:] = ~packed.trees.missing_left
        return packed

    monkeypatch.setattr(packing, "pack", wrong)
    train(with_values(tmp_path, {}), tmp_path / "m", settings(n_estimators=5))
    assert told_of(tmp_path / "m")["packed"] is False


def test_model_of_another_release_of_scikit_learn_is_not_packed(samples, tmp_path, caplog):
    assert isinstance(train(samples, tmp_path / "m", settings(n_estimators=2)), scikit.PackedModel)
    told = told_of(tmp_path / "m")
    told["versions"]["scikit-learn"] = "1.2.3"
    (tmp_path / "m" / "model.json").write_text(json.dumps(told))
    with caplog.at_level(logging.WARNING):
        assert isinstance(learning.load(str(tmp_path / "m")), scikit.ScikitModel)
    assert "scikit-learn 1.2.3" in caplog.text


def test_comparison_goes_from_the_first_to_the_last_sample():
    features = np.arange(3000, dtype=np.int16)[:, None]
    rows = packing.samples_to_compare(features)
    assert rows[[0, -1]].ravel().tolist() == [0, 2999]
    assert len(rows) == 256
    few = packing.samples_to_compare(features[:3].astype(np.float32))
    assert few[::2].ravel().tolist() == [0, 2]


def polygons_of_pixels_alike(n_polygons=60, copies=10, seed=0):
    """Pixels of a polygon differ little, polygons of a class much; row by row, as a tile is read."""
    rng = np.random.default_rng(seed)
    codes = np.repeat([11, 222], n_polygons // 2)
    centres = rng.normal(np.where(codes == 11, 1000, 2000)[:, None], 1000, (n_polygons, 4))
    order = rng.permutation(np.repeat(np.arange(n_polygons), copies))
    features = np.rint(rng.normal(centres[order], 30)).astype(np.int16)
    return TrainingTable(features, codes[order], order, NAMES)


@pytest.mark.parametrize("parameters", [{}, {"probability": True}])
def test_confidence_is_not_measured_on_pixels_beside_those_learnt(parameters):
    table, elsewhere = polygons_of_pixels_alike(), polygons_of_pixels_alike(2000, 1, seed=1)
    pixels = elsewhere.features.astype(np.float32)

    def excess(model):
        """Mean confidence less the share of new polygons that are right."""
        found = model.predict_proba(pixels)
        right = model.classes_[found.argmax(axis=1)] == elsewhere.codes
        return found.max(axis=1).mean() - right.mean()

    fitted, told = scikit.fit(table, settings("SVC", gamma=1, **parameters), 0, 1)
    assert told["folds"] == 5
    assert excess(fitted) < 0.05
    by_pixel = CalibratedClassifierCV(SVC(gamma=1), ensemble=False)
    by_pixel = make_pipeline(StandardScaler(), by_pixel).fit(table.features, table.codes)
    assert excess(by_pixel) > 0.1  # what folds of pixels would tell


def test_learners_with_folds_of_their_own_get_those_of_polygons():
    table = polygons_of_pixels_alike()
    folds = StratifiedGroupKFold(3).split(table.features, table.codes, table.polygons)
    scaled = StandardScaler().fit_transform(table.features.astype(np.float32))
    expected = CalibratedClassifierCV(cv=list(folds)).fit(scaled, table.codes)
    fitted, told = scikit.fit(table, settings("CalibratedClassifierCV", cv=3), 0, 1)
    np.testing.assert_allclose(
        fitted.predict_proba(table.features.astype(np.float32)), expected.predict_proba(scaled)
    )
    assert told["folds"] == 3


def test_model_file_holds_neither_folds_nor_threads():
    table = polygons_of_pixels_alike(20)
    for threads in (1, 2):
        fitted, _ = scikit.fit(table, settings("Perceptron"), 0, threads)
        assert fitted[-1].cv == 5
        assert fitted[-1].calibrated_classifiers_[0].estimator.n_jobs is None


def test_weights_of_classes_are_by_code_and_of_those_present():
    # YAML keys come as text; the nomenclature has more classes than a region.
    features, codes = blobs(20, spread=4000)
    table = TrainingTable(features, codes, np.arange(len(codes)) // 4, NAMES)
    weights = {"11": 50.0, "222": 1.0, "42": 3.0}
    section = settings("LogisticRegression", class_weight=weights)
    fitted, told = scikit.fit(table, section, 0, 1)
    plain = LogisticRegression(class_weight={11: 50.0, 222: 1.0}, random_state=0)
    expected = make_pipeline(StandardScaler(), plain).fit(features.astype(np.float32), codes)
    np.testing.assert_array_equal(fitted.predict(features), expected.predict(features))
    assert told["parameters"]["class_weight"] == {11: 50.0, 222: 1.0}
