"""Spectral indices, by hand."""

import numpy as np
import pytest

from iota2_tools.features.indices import brightness, difference, normalised_difference


def normalised(first, second, haze=0.0):
    bands = np.array([[first, second]], dtype=np.float32)
    out = np.empty((1, 1), dtype=np.int16)
    normalised_difference(bands, np.array([0]), np.array([1]), haze, out)
    return out[0, 0]


def norm(*values):
    out = np.empty((1, 1), dtype=np.int16)
    brightness(np.array([values], dtype=np.float32), np.arange(len(values))[None], out)
    return out[0, 0]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (3000, 1000, 500),
        (1000, 3000, -500),
        (2000, 1000, 333),  # 333.33
        (1000, 500.5, 333),  # 332.89
        (5, 11, -375),
        (3000, 0, 1000),
    ],
)
def test_normalised_difference_is_a_thousandth_rounded(first, second, expected):
    assert normalised(first, second) == expected


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (3000, 1000, 333),  # (0.3 - 0.1 - 0.05) / (0.3 + 0.1 + 0.05)
        (1000, 3000, -556),  # -0.25 / 0.45
        (0, 0, -1000),
        (-250, -250, 0),  # the sum is 0
    ],
)
def test_a_robust_difference_allows_for_a_reflectance_of_a_twentieth(first, second, expected):
    assert normalised(first, second, 500.0) == expected


@pytest.mark.parametrize("value", [0, 500])
def test_normalised_difference_is_zero_where_the_sum_is(value):
    assert normalised(value, -value) == 0


@pytest.mark.parametrize(("first", "second", "limit"), [(100, -99, 32767), (-99, 100, -32768)])
def test_normalised_difference_is_clipped_to_int16(first, second, limit):
    assert normalised(first, second) == limit


def test_each_date_takes_its_own_bands():
    bands = np.array([[1000, 3000, 2000, 2000], [0, 10, 10, 0]], dtype=np.float32)
    out = np.empty((2, 2), dtype=np.int16)
    normalised_difference(bands, np.array([1, 3]), np.array([0, 2]), 0.0, out)
    assert out.tolist() == [[500, 0], [1000, -1000]]


@pytest.mark.parametrize(
    ("values", "expected"), [((3, 4), 5), ((-3, 4), 5), ((1, 1), 1), ((1, 2), 2), ((0, 0), 0)]
)
def test_brightness_is_the_norm_rounded(values, expected):
    assert norm(*values) == expected


def test_brightness_is_clipped_to_int16():
    assert norm(30000, 30000) == 32767


def test_difference_of_decibels_by_date_stays_in_int16():
    """Two dates of VV, VH; -10 dB less -16.02 dB is 6.02 dB."""
    bands = np.array([[-1000, -1602, 30000, -30000]], np.int16)
    out = np.empty((1, 2), np.int16)
    difference(bands, np.array([0, 2]), np.array([1, 3]), out)
    assert out.tolist() == [[602, 32767]]
