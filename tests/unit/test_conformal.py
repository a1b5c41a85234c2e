"""Prediction sets: ranks by hand, and truths drawn by chance."""

import math

import numpy as np
import pandas as pd
import pytest

from iota2_tools.classifying.tile import sets_type
from iota2_tools.learning import engines
from iota2_tools.learning.conformal import set_sizes, threshold, threshold_of_model
from iota2_tools.learning.settings import LearningSettings, ModelKey
from iota2_tools.reference.table import TrainingTable


def test_the_rank_by_hand():
    scores = np.arange(1, 10) / 10
    assert threshold(scores, 0.1) == 0.9  # rank ceil(10 x 0.9) = 9
    assert threshold(scores[::-1], 0.35) == 0.7  # ceil(6.5) = 7
    assert threshold(scores, 0.5) == 0.5


def test_too_few_samples_exclude_nothing(caplog):
    assert math.isinf(threshold(np.arange(5) / 10, 0.1))  # rank ceil(5.4) = 6 of 5
    assert set_sizes(np.array([[0.9, 0.1, 0.0]]), math.inf).tolist() == [3]


def test_classes_stay_unless_they_are_too_improbable():
    values = np.array([[0.6, 0.3, 0.1], [0.97, 0.02, 0.01], [0.34, 0.33, 0.33], [0.9, 0.1, 0.0]])
    # Excluded below 0.1; what is just as improbable stays.
    assert set_sizes(values, 0.9).tolist() == [3, 1, 3, 2]
    # Excluded below 0.7, but never the most probable one.
    assert set_sizes(values, 0.3).tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("errors", [0.05, 0.1, 0.2])
def test_sets_hold_the_truth_as_often_as_was_asked_for(errors):
    """Of simulated pixels 90 +- 3 of 100 have their true class in the set, for an error of 0.1."""
    rng = np.random.default_rng(4)
    values = rng.dirichlet([0.8] * 6, 30_000)
    # The learner is wrong about itself: truth follows probabilities to the power of 0.6.
    honest = values**0.6 / (values**0.6).sum(axis=1, keepdims=True)
    truth = (rng.random((30_000, 1)) > honest.cumsum(axis=1)).sum(axis=1).clip(max=5)
    own = values[np.arange(30_000), truth]
    largest = threshold(1 - own[:2_000], errors)
    kept = values >= 1 - largest - 1e-6
    kept[np.arange(30_000), values.argmax(axis=1)] = True
    covered = kept[np.arange(30_000), truth][2_000:].mean()
    assert abs(covered - (1 - errors)) < 0.03
    assert (set_sizes(values, largest) == kept.sum(axis=1)).all()
    assert kept.sum(axis=1).mean() < 5


def test_the_threshold_of_a_model_is_that_of_its_calibrated_probabilities(tmp_path, caplog):
    values = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.2, 0.8]])
    table = pd.DataFrame({"polygon": [1, 2, 3, 4, 5], "code": [11, 11, 300, 300, 300]})
    table["fold"], table["said"] = [0, 1, 0, 1, -1], [11, 11, 300, 300, 0]
    table[["p_11", "p_300"]] = np.vstack([values, [np.nan, np.nan]])
    table.to_parquet(tmp_path / "said.parquet")
    model = str(tmp_path / "m")
    samples = TrainingTable(
        np.arange(4, dtype=np.int16)[:, None], np.array([11, 11, 300, 300]), np.arange(4), ["a"]
    )
    key, trees = (
        ModelKey("1", 0, 0),
        LearningSettings("RandomForestClassifier", {"n_estimators": 2}),
    )
    engines.learn(samples, key, trees, 1, model)
    # Own probabilities .9 .6 .7 .8: scores .1 .2 .3 .4; rank ceil(5 x 0.6) = 3.
    path = str(tmp_path / "said.parquet")
    assert threshold_of_model(path, model, 0.4) == pytest.approx(0.3)
    engines.learn(samples, key, trees, 1, model, {"calibration": {"temperature": 0.5}})
    # (0.7 + 0.01)² / ((0.7 + 0.01)² + (0.3 + 0.01)²)
    assert threshold_of_model(path, model, 0.4) == pytest.approx(1 - 0.5041 / (0.5041 + 0.0961))
    assert math.isinf(threshold_of_model(path, model, 0.1))
    assert "4 sample(s) were judged by folds, too few" in caplog.text


def test_the_type_holds_the_number_of_classes():
    assert sets_type(range(255)) == "uint8"
    assert sets_type(range(256)) == "uint16"
