"""Folds of whole polygons."""

import logging

import numpy as np
import pytest

from iota2_tools.core.errors import LearningError
from iota2_tools.learning.calibration import polygon_folds


def samples(polygons_of_classes, pixels=4):
    """Codes and polygons of samples: so many polygons of each class, of so many pixels."""
    counts = list(polygons_of_classes.values())
    codes = np.repeat(np.repeat(list(polygons_of_classes), counts), pixels)
    polygons = np.repeat(np.arange(sum(counts)), pixels)
    order = np.random.default_rng(0).permutation(len(codes))
    return codes[order], polygons[order]


def assert_partition(folds, n_samples):
    measured = np.concatenate([there for _, there in folds])
    assert sorted(measured) == list(range(n_samples))
    for learnt, there in folds:
        assert sorted([*learnt, *there]) == list(range(n_samples))


@pytest.mark.parametrize("polygons", [{11: 5, 12: 5}, {11: 40, 12: 7, 13: 5}])
def test_no_polygon_is_cut_and_every_class_is_learnt_and_measured_in_every_fold(polygons):
    codes, numbers = samples(polygons)
    folds = polygon_folds(codes, numbers)
    assert len(folds) == 5
    assert_partition(folds, len(codes))
    for learnt, there in folds:
        assert not set(numbers[learnt]) & set(numbers[there])
        assert set(codes[learnt]) == set(codes[there]) == set(polygons)


@pytest.mark.parametrize(("polygons", "expected"), [({11: 9, 12: 3}, 3), ({11: 2, 12: 2}, 2)])
def test_there_are_no_more_folds_than_polygons_of_a_class(polygons, expected):
    codes, numbers = samples(polygons)
    folds = polygon_folds(codes, numbers)
    assert len(folds) == expected
    assert all(not set(numbers[learnt]) & set(numbers[there]) for learnt, there in folds)


def test_a_single_polygon_is_cut_into_runs_of_rows_and_told(caplog):
    codes = np.array([11] * 10 + [12] * 12)
    polygons = np.array([0] * 10 + [1, 2, 3, 4, 5, 6] * 2)
    with caplog.at_level(logging.WARNING):
        folds = polygon_folds(codes, polygons)
    assert "class 11: a single polygon" in caplog.text
    assert len(folds) == 5
    assert_partition(folds, 22)
    for learnt, there in folds:
        runs = [pixel for pixel in there if codes[pixel] == 11]
        assert runs == list(range(runs[0], runs[0] + 2))
        assert not set(polygons[learnt][codes[learnt] == 12]) & set(
            polygons[there][codes[there] == 12]
        )


def test_classes_of_several_polygons_are_not_told_of(caplog):
    with caplog.at_level(logging.WARNING):
        polygon_folds(*samples({11: 2, 12: 9}))
    assert not caplog.text


def test_a_single_sample_cannot_be_learnt_and_measured():
    codes, polygons = samples({11: 3, 12: 3})
    with pytest.raises(LearningError, match="class 13 has a single sample"):
        polygon_folds(np.append(codes, 13), np.append(polygons, 99))
