"""Learners: scikit-learn's own answers, OTB's classes, and models that are refused."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from iota2_tools.core.errors import ConfigError, LearningError
from iota2_tools.learning import engines as learning

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
    return {"learner": learner, "parameters": parameters, "standardise": standardise}


def train(samples, folder, section, seed=0):
    learning.train(samples, "1", seed, section, 0, 1, str(folder))
    return learning.load(str(folder))


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
    told = json.loads((tmp_path / "m" / "model.json").read_text(encoding="utf-8"))
    assert told["region"] == "1"
    assert told["seed"] == 0
    assert told["learner"] == "RandomForestClassifier"
    assert told["parameters"]["n_estimators"] == 5
    assert isinstance(told["parameters"]["random_state"], int)
    assert told["standardise"] is False
    assert told["classes"] == {"11": 60, "222": 60, "300": 60, "65535": 60}
    assert (told["samples"], told["polygons"]) == (240, 24)
    assert told["dtype"] == "int16"
    assert told["features"] == NAMES
    assert {"python", "scikit-learn", "numpy", "skops"} <= told["versions"].keys()


def test_same_samples_give_the_same_model_whatever_the_threads(samples, tmp_path):
    test, _ = blobs(100, spread=2500, seed=1)
    found = []
    for threads in (1, 2):
        folder = str(tmp_path / str(threads))
        learning.train(samples, "1", 0, settings(n_estimators=10), 0, threads, folder)
        found.append(learning.load(folder).predict(test, probabilities=True).probabilities)
    np.testing.assert_array_equal(*found)


def test_single_class_is_refused_and_named(samples, tmp_path):
    with pytest.raises(LearningError, match="region 1, seed 1: only class 11"):
        train(samples, tmp_path / "m", settings(), seed=1)
    assert not (tmp_path / "m").exists()


def test_no_sample_is_refused(samples, tmp_path):
    with pytest.raises(LearningError, match="region 3, seed 0: no sample"):
        learning.train(samples, "3", 0, settings(), 0, 1, str(tmp_path / "m"))


@pytest.mark.parametrize(
    ("learner", "parameters", "message"),
    [
        ("RandomForestClasifier", {}, "did you mean 'RandomForestClassifier'"),
        ("otb_rf", {}, "did you mean 'otb-rf'"),
        ("RandomForestClassifier", {"n_estimator": 5}, "did you mean 'n_estimators'"),
        ("RandomForestRegressor", {}, "no classifier 'RandomForestRegressor'"),
        ("VotingClassifier", {}, "cannot be made"),
        ("otb-svm", {}, "otb-libsvm"),
        ("otb-rf", {"nbtree": 5}, "did you mean 'nbtrees'"),
    ],
)
def test_unknown_learner_or_parameter_is_refused(learner, parameters, message):
    with pytest.raises(ConfigError, match=message):
        learning.check_learner(learner, parameters)


@pytest.mark.parametrize(
    ("learner", "parameters"),
    [
        ("SVC", {"C": 2}),
        ("otb-rf", {"nbtrees": 5}),
        ("otb-knn", {"k": 3}),
        ("otb-libsvm", {}),
    ],
)
def test_known_learner_and_parameters_are_accepted(learner, parameters):
    learning.check_learner(learner, parameters)


class Foreign:
    """A type that is of no library a model may hold."""


def test_model_with_a_foreign_type_is_not_loaded(samples, tmp_path):
    train(samples, tmp_path / "m", settings(n_estimators=2))
    skops.io.dump(Foreign(), tmp_path / "m" / "model.skops")
    with pytest.raises(LearningError, match=r"Foreign.*not loaded"):
        learning.load(str(tmp_path / "m"))


def test_folder_that_is_no_model_is_refused(tmp_path):
    with pytest.raises(LearningError, match="is no model"):
        learning.load(str(tmp_path))


OTB = """
import json, sys
import numpy as np
from iota2_tools.learning import engines as learning

samples, learner, folder, test = sys.argv[1:]
section = {"learner": learner, "parameters": {}, "standardise": "auto"}
learning.train([samples], "1", 0, section, 0, 1, folder)
said = learning.load(folder).predict(np.load(test))
print("RESULT " + json.dumps([said.codes.tolist(), said.confidence.tolist()]))
"""


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
    if learner in ("otb-rf", "otb-knn", "otb-libsvm"):
        assert min(confidence) > 0
