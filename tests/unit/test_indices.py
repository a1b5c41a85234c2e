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


def random_matrix(dtype):
    """All of the range, small numbers, and the ends, by 60 pixels of 5 dates and 4 bands."""
    random = np.random.default_rng(0)
    bands = random.integers(-32768, 32768, (60, 20))
    bands[20:40] = random.integers(-20, 20, (20, 20))
    bands[40:] = random.choice([-32768, -32767, -1, 0, 1, 32766, 32767], (20, 20))
    return bands.astype(dtype)


def by_numpy(bands, columns, first, second):
    """Brightness and normalised difference in float64."""
    wide = bands.astype(np.float64)
    norm = np.sqrt((wide[:, columns] ** 2).sum(axis=2))
    a, b = wide[:, first], wide[:, second]
    with np.errstate(divide="ignore", invalid="ignore"):
        normalised = np.where(a + b == 0, 0, 1000 * (a - b) / (a + b))
    return np.minimum(np.rint(norm), 32767), np.clip(np.rint(normalised), -32768, 32767)


@pytest.mark.parametrize("dtype", ["int16", "float32"])
@pytest.mark.parametrize(
    "columns", [np.arange(20).reshape(5, 4), np.arange(20).reshape(5, 4)[:, [0, 2, 3]]]
)
@pytest.mark.parametrize("where", ["one matrix", "two matrices", "rows apart", "turned"])
def test_indices_are_those_of_numpy_bit_for_bit_wherever_they_stand(dtype, columns, where):
    values = random_matrix(dtype)
    first, second = columns[:, 1], columns[:, 2]
    norm, normalised = by_numpy(values, columns, first, second)
    room = np.full((60, 40), 7, dtype)
    bands, outs = room[:, 3:23], (room[:, 24:29], room[:, 30:35])
    if where == "two matrices":
        bands, outs = np.empty((60, 20), dtype), (room[:, 24:29], room[:, 30:35])
    elif where == "rows apart":
        room = np.full((120, 40), 7, dtype)
        bands, outs = room[::2, 3:23], (room[::2, 24:29], room[::2, 30:35])
    elif where == "turned":
        room = np.full((40, 60), 7, dtype)
        bands, outs = room[3:23].T, (room[24:29].T, room[30:35].T)
    bands[...] = values
    left = room.copy()
    brightness(bands, columns, outs[0])
    normalised_difference(bands, first, second, 0.0, outs[1])
    np.testing.assert_array_equal(outs[0], norm)
    np.testing.assert_array_equal(outs[1], normalised)
    for out in outs:
        out[...] = 7
    np.testing.assert_array_equal(room, left)  # nothing else was written


def test_indices_of_no_pixel_are_none():
    room = np.empty((0, 8), np.int16)
    brightness(room[:, :6], np.arange(6).reshape(2, 3), room[:, 6:])
    normalised_difference(room[:, :6], np.array([0, 3]), np.array([1, 4]), 0.0, room[:, 6:])
