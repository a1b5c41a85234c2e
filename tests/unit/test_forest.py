"""Packed forests, against scikit-learn."""

import pickle

import numpy as np
import pytest
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    RandomForestClassifier,
)

from iota2_tools.core.errors import LearningError
from iota2_tools.core.kernels import kernel
from iota2_tools.learning.packed import forest as packed_forest
from iota2_tools.learning.packed.forest import pack_forest


def noisy_samples(n_samples, n_classes, n_features=12, seed=0):
    """Samples of overlapping classes, so that trees are deep and leaves mixed when stunted."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, n_classes, n_samples)
    centres = rng.normal(0, 400, (n_classes, n_features))
    features = centres[labels] + rng.normal(0, 500, (n_samples, n_features))
    return features.round().astype(np.int16), 10 * labels + 1


def with_gaps(features, share=0.2, seed=0):
    """The features as float32, some of them missing."""
    missing = np.random.default_rng(seed).random(features.shape) < share
    return np.where(missing, np.float32(np.nan), features.astype(np.float32))


def assert_same_answer(forest, features, dtype):
    features = np.ascontiguousarray(features, dtype)
    expected = forest.set_params(n_jobs=1).predict_proba(features)
    np.testing.assert_array_equal(pack_forest(forest, dtype).predict_proba(features), expected)


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
@pytest.mark.parametrize("learner", [RandomForestClassifier, ExtraTreesClassifier])
@pytest.mark.parametrize(
    ("n_classes", "options"),
    [
        (2, {}),
        (20, {}),
        (20, {"max_depth": 5}),
        (7, {"min_samples_leaf": 6}),
        (5, {"class_weight": "balanced"}),
        (5, {"class_weight": "balanced_subsample", "max_leaf_nodes": 30}),
    ],
)
def test_the_answer_is_that_of_scikit_learn(learner, dtype, n_classes, options):
    features, labels = noisy_samples(700, n_classes)
    forest = learner(9, random_state=0, **options).fit(features, labels)
    unseen, _ = noisy_samples(1001, n_classes, seed=1)
    assert_same_answer(forest, unseen, dtype)


def test_float_thresholds_are_decided_as_by_scikit_learn():
    # Neighbouring float32 values: their midpoint is no float32, and rounds to one of them.
    rng = np.random.default_rng(0)
    base = np.float32(1000)
    steps = np.nextafter(base, np.float32(2000)) - base
    features = (base + steps * rng.integers(0, 40, (600, 6))).astype(np.float32)
    forest = RandomForestClassifier(7, random_state=0).fit(features, rng.integers(0, 3, 600))
    assert_same_answer(forest, features, np.float32)


def test_int16_thresholds_are_decided_as_by_scikit_learn():
    # Learnt from halves and negative values, applied to every whole number around them.
    rng = np.random.default_rng(0)
    learnt = rng.integers(-40, 40, (500, 3)) / 2
    forest = ExtraTreesClassifier(9, random_state=0).fit(learnt, rng.integers(0, 3, 500))
    whole = np.stack(np.meshgrid(*[np.arange(-22, 23)] * 3), axis=-1).reshape(-1, 3)
    assert_same_answer(forest, whole, np.int16)


def test_thresholds_beyond_int16_lead_all_pixels_one_way():
    rng = np.random.default_rng(0)
    learnt = rng.uniform(-80000, 80000, (400, 4))
    forest = RandomForestClassifier(9, random_state=0).fit(learnt, rng.integers(0, 4, 400))
    extremes = np.array([-32768, -32767, -1, 0, 1, 32766, 32767])
    pixels = np.stack(np.meshgrid(*[extremes] * 4), axis=-1).reshape(-1, 4)
    assert_same_answer(forest, pixels, np.int16)


def test_trees_of_one_leaf_are_applied():
    features, labels = noisy_samples(50, 2)
    assert_same_answer(RandomForestClassifier(3).fit(features, np.ones(50)), features, np.int16)
    stunted = RandomForestClassifier(3, min_samples_leaf=40, random_state=0).fit(features, labels)
    assert_same_answer(stunted, features, np.int16)


@pytest.mark.slow
def test_trees_of_more_than_32768_leaves_are_applied():
    rng = np.random.default_rng(0)
    features = rng.integers(-32768, 32768, (90000, 2)).astype(np.int16)
    labels = rng.integers(0, 2, 90000)
    forest = ExtraTreesClassifier(1, max_features=1, random_state=0).fit(features, labels)
    assert forest.estimators_[0].get_n_leaves() > 32768
    assert_same_answer(forest, features, np.int16)


@pytest.mark.slow
@pytest.mark.parametrize("n_features", [40000, 70000])
def test_feature_numbers_beyond_16_bits_are_kept(n_features):
    rng = np.random.default_rng(0)
    features = rng.integers(0, 100, (30, n_features)).astype(np.int16)
    forest = ExtraTreesClassifier(10, random_state=0).fit(features, rng.integers(0, 2, 30))
    used = np.concatenate([tree.tree_.feature for tree in forest.estimators_])
    assert used.max() > 32767
    assert_same_answer(forest, features, np.int16)


@pytest.mark.parametrize("n_pixels", [0, 1, 255, 256, 257, 1025])
def test_neighbours_do_not_change_a_pixel(n_pixels):
    features, labels = noisy_samples(1025, 6)
    forest = RandomForestClassifier(10, min_samples_leaf=3, random_state=0).fit(features, labels)
    packed = pack_forest(forest, np.int16)
    whole = packed.predict_proba(features)
    part = packed.predict_proba(features[1025 - n_pixels :])
    np.testing.assert_array_equal(part, whole[1025 - n_pixels :])


def test_the_size_of_a_block_changes_no_pixel(monkeypatch):
    features, labels = noisy_samples(100, 3)
    forest = RandomForestClassifier(5, random_state=0).fit(features, labels)
    monkeypatch.setattr(packed_forest, "BLOCK", 7)  # 100 is no multiple of it
    compiled = kernel(packed_forest._predict_proba.py_func)
    probability = np.full((100, 3), np.nan)
    assert compiled(pack_forest(forest, np.int16).trees, features, probability)
    np.testing.assert_array_equal(probability, forest.predict_proba(features))


def test_a_forest_written_and_read_back_is_the_same():
    features, labels = noisy_samples(300, 4)
    packed = pack_forest(RandomForestClassifier(5, random_state=0).fit(features, labels), np.int16)
    again = pickle.loads(pickle.dumps(packed))
    np.testing.assert_array_equal(again.predict_proba(features), packed.predict_proba(features))


def test_an_int16_node_takes_8_bytes():
    features, labels = noisy_samples(300, 4)
    packed = pack_forest(RandomForestClassifier(5, random_state=0).fit(features, labels), np.int16)
    assert packed.trees.nodes.itemsize == 8
    assert packed.n_trees == 5


def test_features_of_another_kind_are_refused():
    features, labels = noisy_samples(300, 4)
    forest = RandomForestClassifier(5, random_state=0).fit(features, labels)
    packed = pack_forest(forest, np.int16)
    with pytest.raises(LearningError, match="packed for int16 features, got float32"):
        packed.predict_proba(features.astype(np.float32))
    with pytest.raises(LearningError, match=r"shape \(n_pixels, 12\), got \(300, 11\)"):
        packed.predict_proba(features[:, :11])
    with pytest.raises(LearningError, match="ascontiguousarray"):
        packed.predict_proba(np.asfortranarray(features))


@pytest.mark.parametrize("learner", [RandomForestClassifier, ExtraTreesClassifier])
@pytest.mark.parametrize(
    ("n_classes", "options"),
    [(2, {}), (20, {}), (7, {"min_samples_leaf": 6}), (5, {"class_weight": "balanced"})],
)
def test_missing_values_go_where_scikit_learn_lets_them(learner, n_classes, options):
    features, labels = noisy_samples(700, n_classes)
    unseen = with_gaps(noisy_samples(1001, n_classes, seed=1)[0], seed=1)
    for learnt in (with_gaps(features), features.astype(np.float32)):  # seen in training, or not
        forest = learner(9, random_state=0, **options).fit(learnt, labels)
        assert_same_answer(forest, unseen, np.float32)


def test_a_tree_may_split_off_missing_values():
    features = np.repeat([[np.nan], [1.0]], 50, axis=0)
    forest = RandomForestClassifier(2, random_state=0).fit(features, np.repeat([0, 1], 50))
    assert np.isinf(forest.estimators_[0].tree_.threshold).any()
    pixels = np.array([[np.nan], [-3.4e38], [0], [3.4e38]])
    assert_same_answer(forest, pixels, np.float32)
    answers = pack_forest(forest, np.float32).predict_proba(pixels.astype(np.float32))
    assert answers.argmax(axis=1).tolist() == [0, 1, 1, 1]


def test_one_missing_value_changes_no_neighbour():
    features, labels = noisy_samples(600, 4)
    forest = RandomForestClassifier(5, random_state=0).fit(features, labels)
    packed, pixels = pack_forest(forest, np.float32), features.astype(np.float32)
    whole = packed.predict_proba(pixels)
    pixels[300, :] = np.nan
    np.testing.assert_array_equal(
        np.delete(packed.predict_proba(pixels), 300, axis=0), np.delete(whole, 300, axis=0)
    )


@pytest.mark.parametrize("wrong", [np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 280, 299])
def test_infinity_is_refused_as_by_scikit_learn(wrong, place):
    features, labels = noisy_samples(300, 4)
    forest = RandomForestClassifier(5, random_state=0).fit(features, labels)
    features = features.astype(np.float32)
    features[place, 7] = wrong
    features[5, 3] = np.nan
    with pytest.raises(ValueError, match="infinity"):
        forest.predict_proba(features)
    with pytest.raises(LearningError, match="infinity"):
        pack_forest(forest, np.float32).predict_proba(features)


@pytest.mark.parametrize(
    ("column", "value"), [("left_child", 0), ("right_child", 10**6), ("feature", 12)]
)
def test_a_tree_that_leads_out_of_itself_is_refused(column, value):
    features, labels = noisy_samples(300, 4)
    forest = RandomForestClassifier(1, random_state=0).fit(features, labels)
    tree = forest.estimators_[0].tree_
    state = tree.__getstate__()
    state["nodes"][column][1] = value
    tree.__setstate__(state)
    with pytest.raises(LearningError, match="leads out of itself"):
        pack_forest(forest, np.int16)


def test_models_that_cannot_be_packed_are_refused():
    features, labels = noisy_samples(100, 2)
    with pytest.raises(LearningError, match="not GradientBoostingClassifier"):
        pack_forest(GradientBoostingClassifier(n_estimators=2).fit(features, labels), np.int16)
    with pytest.raises(LearningError, match="not fitted"):
        pack_forest(RandomForestClassifier(), np.int16)
    with pytest.raises(LearningError, match="not float64"):
        pack_forest(RandomForestClassifier(2).fit(features, labels), np.float64)
    twofold = RandomForestClassifier(2).fit(features, np.column_stack([labels, labels]))
    with pytest.raises(LearningError, match="2 outputs"):
        pack_forest(twofold, np.int16)
