"""What is written of a prediction: percent, per mille, and where."""

import numpy as np

from iota2_tools.classifying.tile import (
    confidence_percent,
    pixels_to_classify,
    probabilities_per_mille,
)


def test_every_whole_percent_stays_itself():
    # 0.57 * 100 and 0.29 * 100 lie a hair below the integer.
    confidence = np.arange(1, 101) / 100
    percent = confidence_percent(confidence, np.ones(100, dtype=np.uint8))
    assert percent.tolist() == list(range(1, 101))


def test_confidence_is_truncated():
    codes = np.ones(3, dtype=np.uint8)
    assert confidence_percent(np.array([0.579, 0.999, 0.5]), codes).tolist() == [57, 99, 50]


def test_class_has_never_confidence_zero():
    assert confidence_percent(np.array([0.001, 1e-9]), np.array([11, 300])).tolist() == [1, 1]


def test_no_class_has_confidence_zero():
    assert confidence_percent(np.array([0.9]), np.array([0])).tolist() == [0]


def test_learner_without_confidence_writes_zero():
    assert confidence_percent(np.array([0.0]), np.array([11])).tolist() == [0]


def test_probabilities_stand_in_the_columns_of_their_classes():
    probabilities = np.array([[0.25, 0.75], [1.0, 0.0], [0.3334, 0.6666]])
    out = probabilities_per_mille(probabilities, np.array([51, 300]), (11, 51, 222, 300))
    assert out.dtype == np.uint16
    assert out.tolist() == [[0, 250, 0, 750], [0, 1000, 0, 0], [0, 333, 0, 667]]


def test_pixel_needs_its_region_the_footprint_and_enough_dates():
    regions = np.array([[1, 1, 2], [1, 0, 1]])
    footprint = np.array([[1, 0, 1], [1, 1, 1]])
    validity = np.array([[3, 3, 3], [2, 3, 300]])
    assert pixels_to_classify(regions, footprint, validity, 1, 3).tolist() == [0, 5]
    assert pixels_to_classify(regions, footprint, validity, 2, 3).tolist() == [2]
