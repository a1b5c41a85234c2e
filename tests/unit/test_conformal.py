"""Prediction sets: ranks and mixtures by hand, and truths drawn by chance."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from iota2_tools.classifying.tile import sets_type
from iota2_tools.learning.conformal import (
    PredictionSets,
    mixed,
    sets_of,
    sets_of_model,
    threshold,
    truths_of_said,
)

ALONE = np.eye(3)
"""Truths of a model that is always right: mixing changes nothing."""


def test_the_rank_by_hand():
    scores = np.arange(1, 10) / 10
    assert threshold(scores, 0.1) == 0.9  # rank ceil(10 x 0.9) = 9
    assert threshold(scores[::-1], 0.35) == 0.7  # ceil(6.5) = 7
    assert threshold(scores, 0.5) == 0.5


def test_too_few_samples_exclude_nothing():
    assert math.isinf(threshold(np.arange(5) / 10, 0.1))  # rank ceil(5.4) = 6 of 5
    none = PredictionSets(math.inf, ALONE)
    assert none.sizes(np.array([[0.9, 0.1, 0.0]])).tolist() == [3]


def test_classes_stay_unless_they_are_too_improbable():
    values = np.array([[0.6, 0.3, 0.1], [0.97, 0.02, 0.01], [0.34, 0.33, 0.33], [0.9, 0.1, 0.0]])
    # Excluded below 0.1; what is just as improbable stays.
    assert PredictionSets(0.9, ALONE).sizes(values).tolist() == [3, 1, 3, 2]
    # Excluded below 0.7, but never the most probable one.
    assert PredictionSets(0.3, ALONE).sizes(values).tolist() == [1, 1, 1, 1]


def test_what_the_truth_is_where_a_class_is_said_by_hand():
    said = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    truth = np.array([0, 0, 1])
    # All samples: (2 + 1) / 5 and (1 + 1) / 5, which count as five. Said to be of 0: 1.5, all of
    # 0; of 1: 0.5 of 0 and 1 of 1.
    assert truths_of_said(said, truth) == pytest.approx(
        np.array([[(1.5 + 3) / 6.5, 2 / 6.5], [(0.5 + 3) / 6.5, (1 + 2) / 6.5]])
    )


def test_of_classes_without_a_vote_those_come_first_that_are_taken_for_the_one_that_has_them():
    # What is said to be of the first class is of the second in one case of five.
    truths = np.array([[0.8, 0.2, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    values = np.array([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]])
    assert mixed(values, truths) == pytest.approx(
        np.array([[1.24, 0.06, 0.0], [0.0, 0.65, 0.65]]) / 1.3
    )
    near = PredictionSets(1 - 0.06 / 1.3, truths)
    assert near.kept(values).tolist() == [[True, True, False], [False, True, True]]


def test_sets_do_not_depend_on_how_many_pixels_are_asked_for_at_once():
    rng = np.random.default_rng(3)
    values = rng.dirichlet([0.2] * 7, 5_000).astype(np.float32)
    truths = rng.dirichlet([1] * 7, 7)
    whole = mixed(values, truths)
    for step in (1, 13, 1_000):
        parts = [mixed(values[first : first + step], truths) for first in range(0, 5_000, step)]
        assert (np.concatenate(parts) == whole).all()


def test_the_class_of_the_map_stays_whatever_is_mixed_with_it():
    always_the_other = np.array([[0.0, 1.0], [1.0, 0.0]])
    values = np.array([[0.51, 0.49]])
    # Mixed: (0.51 + 0.3 x 0.49) / 1.3 = 0.505, and 0.495 the other; a threshold between 0.51 and 0.6.
    assert PredictionSets(0.4, always_the_other).kept(values).tolist() == [[True, False]]


@pytest.mark.parametrize("errors", [0.05, 0.1, 0.2])
def test_sets_hold_the_truth_as_often_as_was_asked_for(errors):
    """Of simulated pixels 90 +- 3 of 100 have their true class in the set, for an error of 0.1."""
    rng = np.random.default_rng(4)
    values = rng.dirichlet([0.8] * 6, 30_000)
    # The learner is wrong about itself: truth follows probabilities to the power of 0.6.
    honest = values**0.6 / (values**0.6).sum(axis=1, keepdims=True)
    truth = (rng.random((30_000, 1)) > honest.cumsum(axis=1)).sum(axis=1).clip(max=5)
    sets = sets_of(values[:2_000], truth[:2_000], np.arange(2_000) % 5, errors)
    kept = sets.kept(values[2_000:])
    covered = kept[np.arange(28_000), truth[2_000:]].mean()
    assert abs(covered - (1 - errors)) < 0.03
    assert (sets.sizes(values[2_000:]) == kept.sum(axis=1)).all()
    assert kept.sum(axis=1).mean() < 5


def test_truths_that_have_no_vote_do_not_make_sets_of_all_classes():
    """One pixel in eight is of the class beside the one that has all votes."""
    rng = np.random.default_rng(5)
    said = rng.integers(0, 10, 12_000)
    truth = np.where(rng.random(12_000) < 0.125, (said + 1) % 10, said)
    votes = np.eye(10)[said]
    sets = sets_of(votes[:2_000], truth[:2_000], np.arange(2_000) % 5, 0.05)
    kept = sets.kept(votes[2_000:])
    assert kept[np.arange(10_000), truth[2_000:]].mean() > 0.94
    assert kept.sum(axis=1).max() < 5  # by the votes alone: 1 with too many errors, or all 10
    own = votes[np.arange(2_000), truth[:2_000]]
    alone = PredictionSets(threshold(1 - own, 0.05), np.eye(10))
    assert alone.sizes(votes).min() == 10


def test_a_score_is_not_made_by_its_own_fold():
    """Each fold has one of its own samples; another fold's do not tell of it."""
    values = np.array([[0.7, 0.3], [0.7, 0.3]])
    truth = np.array([0, 1])
    sets = sets_of(values, truth, np.array([0, 1]), 0.5)
    # Rank ceil(3 x 0.5) = 2: the larger score, that of the sample of class 1, by what fold 0 tells.
    others = truths_of_said(values[:1], truth[:1])
    assert sets.largest == 1 - mixed(values[1:], others)[0, 1]
    assert sets.largest > 1 - mixed(values[1:], truths_of_said(values, truth))[0, 1]


def test_the_sets_of_a_model_are_those_of_its_calibrated_probabilities(tmp_path, caplog):
    values = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.2, 0.8]])
    table = pd.DataFrame({"polygon": [1, 2, 3, 4, 5], "code": [11, 11, 300, 300, 300]})
    table["fold"], table["said"] = [0, 1, 0, 1, -1], [11, 11, 300, 300, 0]
    table[["p_11", "p_300"]] = np.vstack([values, [np.nan, np.nan]])
    table.to_parquet(tmp_path / "said.parquet")
    path, model = str(tmp_path / "said.parquet"), tmp_path / "m"
    truth, fold = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    model.mkdir()

    def told(**more):
        text = json.dumps({"classes": {"11": 2, "300": 2}, **more})
        (model / "model.json").write_text(text, encoding="utf-8")
        return sets_of_model(path, str(model), 0.4)

    expected = sets_of(values, truth, fold, 0.4)
    assert told().largest == expected.largest
    assert (told().truths == expected.truths).all()
    # (p + 0.01)² / sum of these
    squares = (values + 0.01) ** 2
    sharp = squares / squares.sum(axis=1, keepdims=True)
    assert told(calibration={"temperature": 0.5}).largest == pytest.approx(
        sets_of(sharp, truth, fold, 0.4).largest
    )
    assert math.isinf(sets_of_model(path, str(model), 0.1).largest)
    assert "4 sample(s) were judged by folds, too few" in caplog.text


def test_classes_that_the_folds_do_not_know_have_a_column_of_their_own(tmp_path):
    table = pd.DataFrame({"polygon": [1, 2, 3], "code": [5, 5, 9], "fold": [0, 1, 0]})
    table["p_5"], table["p_9"] = [0.9, 0.8, 0.3], [0.1, 0.2, 0.7]
    table.to_parquet(tmp_path / "said.parquet")
    text = json.dumps({"classes": {"5": 2, "7": 4, "9": 1}})
    (tmp_path / "model.json").write_text(text, encoding="utf-8")
    sets = sets_of_model(str(tmp_path / "said.parquet"), str(tmp_path), 0.5)
    # Said to be of 7 by nobody: what all samples are, with one more of each class.
    assert sets.truths[1] == pytest.approx([3 / 6, 1 / 6, 2 / 6])


def test_the_type_holds_the_number_of_classes():
    assert sets_type(range(255)) == "uint8"
    assert sets_type(range(256)) == "uint16"
