"""Gap-filling, against hand computation, exact fractions and numpy.interp."""

from datetime import date
from fractions import Fraction

import numpy as np
import pytest

from iota2_tools.core.errors import ConfigError, InputDataError
from iota2_tools.timeseries.dates import interpolation_dates
from iota2_tools.timeseries.gapfilling import fill_gaps


def fill_one(values, clear, days, targets):
    """Fill the series of one band of one pixel."""
    series = np.array(values, np.int16).reshape(-1, 1, 1)
    return fill_gaps(series, np.array(clear, bool).reshape(-1, 1), days, targets)[0].tolist()


def random_series(n_dates, n_bands, n_pixels, seed=0):
    rng = np.random.default_rng(seed)
    series = rng.integers(-32768, 32768, (n_dates, n_bands, n_pixels)).astype(np.int16)
    clear = rng.random((n_dates, n_pixels)) < 0.4
    days = np.sort(rng.choice(365, n_dates, replace=False))
    return series, clear, days


def exact_value(values, clear, days, target):
    """Interpolate by the definition, in fractions; halves away from zero."""
    known = [(day, int(value)) for day, value, use in zip(days, values, clear, strict=True) if use]
    before = [pair for pair in known if pair[0] <= target]
    after = [pair for pair in known if pair[0] > target]
    if not known:
        return 0
    if not before or not after:
        return before[-1][1] if before else after[0][1]
    (d0, v0), (d1, v1) = before[-1], after[0]
    exact = Fraction(v0 * int(d1 - target) + v1 * int(target - d0), int(d1 - d0))
    size = int(abs(exact) + Fraction(1, 2))
    return size if exact > 0 else -size


def test_the_last_date_is_listed_only_if_a_step_falls_on_it():
    january = date(2023, 1, 1)
    assert interpolation_dates(january, date(2023, 1, 20), 10) == [january, date(2023, 1, 11)]
    assert interpolation_dates(january, date(2023, 1, 21), 10)[-1] == date(2023, 1, 21)
    assert interpolation_dates(january, january, 10) == [january]


def test_29_february_counts_as_a_day():
    assert interpolation_dates(date(2020, 2, 20), date(2020, 3, 15), 10)[1:] == [
        date(2020, 3, 1),
        date(2020, 3, 11),
    ]
    assert interpolation_dates(date(2021, 2, 20), date(2021, 3, 15), 10)[1] == date(2021, 3, 2)


def test_impossible_interpolation_dates_are_refused():
    with pytest.raises(ConfigError, match="at least 1 day, got 0"):
        interpolation_dates(date(2020, 1, 1), date(2020, 12, 31), 0)
    with pytest.raises(ConfigError, match="end on 2020-01-01"):
        interpolation_dates(date(2020, 1, 2), date(2020, 1, 1), 10)


def test_between_two_clear_dates_the_value_is_linear_in_days():
    assert fill_one([100, 999, 200], [1, 0, 1], [0, 5, 10], [0, 3, 5, 10]) == [100, 130, 150, 200]


def test_outside_the_clear_dates_the_nearest_one_is_copied():
    assert fill_one([7, 100, 200, 8], [0, 1, 1, 0], [0, 10, 20, 30], [0, 9, 20, 21, 40]) == [
        100,
        100,
        200,
        200,
        200,
    ]


def test_a_pixel_never_clear_is_zero():
    assert fill_one([100, 200], [0, 0], [0, 10], [0, 5, 10]) == [0, 0, 0]


def test_a_series_without_dates_is_zero():
    nothing = fill_gaps(np.zeros((0, 2, 3), np.int16), np.zeros((0, 3), bool), [], [0, 10])
    assert nothing.tolist() == [[0, 0, 0, 0]] * 3


def test_halves_are_rounded_away_from_zero():
    assert fill_one([0, 1], [1, 1], [0, 2], [1]) == [1]
    assert fill_one([0, -1], [1, 1], [0, 2], [1]) == [-1]
    assert fill_one([-3, 2], [1, 1], [0, 2], [1]) == [-1]
    assert fill_one([-32768, -32767], [1, 1], [0, 2], [1]) == [-32768]


def test_of_two_clear_acquisitions_of_a_day_the_later_wins():
    values, days = [10, 100, 300, 500, 20], [0, 10, 10, 20, 20]
    assert fill_one(values, [1, 1, 1, 0, 0], days, [5, 10, 15]) == [155, 300, 300]
    assert fill_one(values, [0, 1, 1, 1, 0], days, [0, 10, 15]) == [300, 300, 400]
    assert fill_one(values, [0, 1, 0, 1, 1], days, [15]) == [60]


def test_of_two_acquisitions_of_a_day_the_clear_one_counts():
    values, days = [100, 999, 200], [10, 10, 20]
    assert fill_one(values, [1, 0, 1], days, [0, 10, 15]) == [100, 100, 150]
    assert fill_one(values, [0, 1, 1], days, [0, 10, 20]) == [999, 999, 200]


def test_values_are_exact_over_the_whole_range_of_int16():
    series, clear, days = random_series(12, 3, 150)
    targets = np.arange(0, 365, 11)
    filled = fill_gaps(series, clear, days, targets).reshape(150, targets.size, 3)
    for pixel in range(150):
        for band in range(3):
            expected = [
                exact_value(series[:, band, pixel], clear[:, pixel], days, t) for t in targets
            ]
            assert filled[pixel, :, band].tolist() == expected


def test_70_dates_of_10_bands_agree_with_numpy_interp():
    series, clear, days = random_series(70, 10, 65, seed=1)
    targets = np.arange(0, 365, 10)
    filled = fill_gaps(series, clear, days, targets).reshape(65, targets.size, 10)
    for pixel in range(65):
        use = clear[:, pixel]
        for band in range(10):
            expected = np.interp(targets, days[use], series[use, band, pixel])
            assert np.abs(filled[pixel, :, band] - expected).max() <= 0.5 + 1e-6


def test_days_may_be_counted_from_any_origin():
    series, clear, days = random_series(20, 2, 70)
    targets = np.arange(0, 365, 10)
    epoch = date(2018, 1, 1).toordinal()
    at_epoch = fill_gaps(series, clear, days + epoch, targets + epoch)
    np.testing.assert_array_equal(at_epoch, fill_gaps(series, clear, days, targets))


def test_pixel_by_pixel_equals_all_at_once():
    series, clear, days = random_series(9, 2, 700)
    whole = fill_gaps(series, clear, days, [0, 100, 200])
    for pixel in range(700):
        alone = np.ascontiguousarray(series[:, :, pixel : pixel + 1])
        one = fill_gaps(alone, clear[:, pixel : pixel + 1], days, [0, 100, 200])
        np.testing.assert_array_equal(one[0], whole[pixel])


@pytest.mark.parametrize(
    "pixels",
    [[], [5], range(3, 620), [9, 8, 8, 650, 0] * 100, np.r_[0:300, 302:700]],
    ids=["none", "one", "run", "any order", "hole"],
)
def test_only_the_pixels_asked_for_are_filled_in_their_order(pixels):
    series, clear, days = random_series(9, 2, 700)
    whole = fill_gaps(series, clear, days, [0, 100, 200])
    part = fill_gaps(series, clear, days, [0, 100, 200], pixels=pixels)
    np.testing.assert_array_equal(part, whole[np.array(pixels, int)])


def test_a_float32_feature_matrix_is_filled_in_place_with_whole_numbers():
    series, clear, days = random_series(9, 2, 70)
    matrix = np.full((70, 10), np.nan, np.float32)
    returned = fill_gaps(series, clear, days, [0, 100, 200], out=matrix[:, 3:9])
    assert returned.base is matrix
    np.testing.assert_array_equal(matrix[:, 3:9], fill_gaps(series, clear, days, [0, 100, 200]))
    assert np.isnan(matrix[:, :3]).all()
    assert np.isnan(matrix[:, 9:]).all()


def test_any_value_but_zero_means_clear():
    series, clear, days = random_series(9, 2, 70)
    codes = np.where(clear, 255, 0).astype(np.uint8)
    np.testing.assert_array_equal(
        fill_gaps(series, codes, days, [0, 100]), fill_gaps(series, clear, days, [0, 100])
    )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"series": np.zeros((3, 2, 4), np.float32)}, "int16 array"),
        ({"series": np.zeros((4, 2, 3), np.int16).T}, "C-contiguous"),
        ({"clear": np.ones((3, 5), bool)}, "clear-sky masks"),
        ({"clear": np.ones((3, 4), int)}, "clear-sky masks"),
        ({"days": [0, 10]}, "3 dates in the series, but 2 days"),
        ({"days": [0, 20, 10]}, "acquisitions must never decrease"),
        ({"target_days": [10, 0]}, "targets must never decrease"),
        ({"out": np.zeros((4, 5), np.int16)}, "array of shape"),
        ({"out": np.zeros((4, 4))}, "int16 or float32"),
        ({"pixels": [4]}, "from 0 to 3"),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(wrong, message):
    right = {
        "series": np.zeros((3, 2, 4), np.int16),
        "clear": np.ones((3, 4), bool),
        "days": [0, 10, 20],
        "target_days": [0, 10],
    }
    with pytest.raises(InputDataError, match=message):
        fill_gaps(**(right | wrong))
