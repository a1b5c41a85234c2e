"""Packed gradient boosting, against scikit-learn."""

from functools import cache

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from test_forest import noisy_samples, with_gaps
from threadpoolctl import threadpool_limits

from iota2_tools.core.errors import LearningError
from iota2_tools.core.kernels import kernel
from iota2_tools.learning.packed import boosting
from iota2_tools.learning.packed.boosting import can_be_packed, pack_boosting


@pytest.fixture(autouse=True)
def one_thread():
    """Learning so little on several threads takes many times as long where others work, too."""
    with threadpool_limits(1):
        yield


@cache
def fitted(n_classes=4, **options):
    """A model that several tests read, and none changes."""
    features, labels = noisy_samples(600, n_classes)
    options = {"max_iter": 12, "random_state": 0} | options
    return HistGradientBoostingClassifier(**options).fit(features, labels)


def unseen(dtype=np.int16, n_pixels=1001):
    return noisy_samples(n_pixels, 4, seed=1)[0].astype(dtype)


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
@pytest.mark.parametrize(
    ("n_classes", "options"),
    [
        (2, {}),
        (20, {}),
        (5, {"max_depth": 2}),
        (5, {"max_leaf_nodes": None, "min_samples_leaf": 1}),
        (5, {"class_weight": "balanced", "learning_rate": 0.5}),
    ],
)
def test_the_answer_is_that_of_scikit_learn(dtype, n_classes, options):
    model, pixels = fitted(n_classes, **options), unseen(dtype)
    packed = pack_boosting(model, dtype)
    np.testing.assert_array_equal(packed.predict_proba(pixels), model.predict_proba(pixels))


def test_thresholds_are_decided_as_by_scikit_learn():
    # Learnt from halves and negative values, applied to every whole number around them.
    rng = np.random.default_rng(0)
    learnt = rng.integers(-40, 40, (500, 3)) / 2
    model = HistGradientBoostingClassifier(max_iter=5, random_state=0)
    model.fit(learnt, rng.integers(0, 3, 500))
    whole = np.stack(np.meshgrid(*[np.arange(-22, 23)] * 3), axis=-1).reshape(-1, 3)
    pixels = np.ascontiguousarray(whole, np.int16)
    packed = pack_boosting(model, np.int16)
    np.testing.assert_array_equal(packed.predict_proba(pixels), model.predict_proba(pixels))


def test_trees_of_one_leaf_are_applied():
    model = fitted(min_samples_leaf=500)
    pixels = unseen()
    packed = pack_boosting(model, np.int16)
    np.testing.assert_array_equal(packed.predict_proba(pixels), model.predict_proba(pixels))


@pytest.mark.parametrize("n_pixels", [0, 1, 255, 256, 257])
def test_neighbours_do_not_change_a_pixel(n_pixels):
    packed, pixels = pack_boosting(fitted(), np.int16), unseen()
    whole = packed.predict_proba(pixels)
    np.testing.assert_array_equal(packed.predict_proba(pixels[:n_pixels]), whole[:n_pixels])


def test_the_size_of_a_block_changes_no_pixel(monkeypatch):
    model, pixels = fitted(), unseen(n_pixels=100)
    packed = pack_boosting(model, np.int16)
    monkeypatch.setattr(boosting, "BLOCK", 7)
    monkeypatch.setattr(boosting, "_add_leaves", kernel(boosting._add_leaves.py_func))
    np.testing.assert_array_equal(packed.predict_proba(pixels), model.predict_proba(pixels))


@pytest.mark.parametrize("n_classes", [2, 5])
def test_missing_values_go_where_scikit_learn_lets_them(n_classes):
    features, labels = noisy_samples(600, n_classes)
    pixels = with_gaps(unseen(), seed=1)
    for learnt in (with_gaps(features), features.astype(np.float32)):  # seen in training, or not
        model = HistGradientBoostingClassifier(max_iter=12, random_state=0).fit(learnt, labels)
        packed = pack_boosting(model, np.float32)
        np.testing.assert_array_equal(packed.predict_proba(pixels), model.predict_proba(pixels))


def test_a_tree_may_split_off_missing_values():
    features = np.repeat([[np.nan], [1.0]], 50, axis=0)
    model = HistGradientBoostingClassifier(max_iter=3).fit(features, np.repeat([0, 1], 50))
    packed = pack_boosting(model, np.float32)
    pixels = np.array([[np.nan], [-3.4e38], [0], [3.4e38]], np.float32)
    assert packed.predict_proba(pixels).argmax(axis=1).tolist() == [0, 1, 1, 1]
    np.testing.assert_array_equal(packed.predict_proba(pixels), model.predict_proba(pixels))


@pytest.mark.parametrize("place", [0, 7, 1000])
def test_infinity_is_refused(place):
    packed, pixels = pack_boosting(fitted(), np.float32), unseen(np.float32)
    pixels[3, 1] = np.nan
    pixels[place, 2] = -np.inf
    with pytest.raises(LearningError, match="infinity"):
        packed.predict_proba(pixels)


def test_features_of_another_type_or_number_are_refused():
    packed = pack_boosting(fitted(), np.int16)
    with pytest.raises(LearningError, match="packed for int16"):
        packed.predict_proba(unseen(np.float32))
    with pytest.raises(LearningError, match="12"):
        packed.predict_proba(np.zeros((3, 5), np.int16))


def test_categories_and_other_learners_are_left_to_scikit_learn():
    features, labels = noisy_samples(100, 2)
    with_categories = HistGradientBoostingClassifier(max_iter=2, categorical_features=[0])
    with_categories.fit(features % 5, labels)
    assert not can_be_packed(with_categories)
    assert not can_be_packed(RandomForestClassifier(2).fit(features, labels))
    with pytest.raises(LearningError, match="with categories"):
        pack_boosting(with_categories, np.int16)
