"""The multitemporal filter of Quegan and Yu: values by hand, any window as the whole."""

import numpy as np
import pytest

from iota2_tools.core.errors import InputDataError
from iota2_tools.radar.speckle import filter_speckle


def series(seed=0, dates=4, rows=12, cols=15, unseen=0.2) -> np.ndarray:
    generator = np.random.default_rng(seed)
    power = generator.gamma(4.4, 0.02, (dates, rows, cols)).astype(np.float32)
    power[generator.uniform(size=power.shape) < unseen] = np.nan
    return power


def padded(power: np.ndarray, radius: int) -> np.ndarray:
    return np.pad(power, ((0, 0), (radius,) * 2, (radius,) * 2), constant_values=np.nan)


def by_paper(power: np.ndarray, radius: int) -> np.ndarray:
    """J_k = E_k / M sum I_i / E_i, pixel by pixel, as it is written."""
    dates, rows, cols = power.shape
    out = np.full(power.shape, np.nan)
    for row in range(rows):
        for col in range(cols):
            around = power[
                :, max(row - radius, 0) : row + radius + 1, max(col - radius, 0) : col + radius + 1
            ].astype(float)
            valid = [date for date in range(dates) if not np.isnan(power[date, row, col])]
            means = {date: np.nanmean(around[date]) for date in valid}
            for date in valid:
                ratios = [power[other, row, col] / means[other] for other in valid]
                out[date, row, col] = means[date] * np.mean(ratios)
    return out


def test_two_dates_by_hand():
    """Means 2 and 8 of a 3 x 3 square; ratios of the middle 5 / 2 and 4 / 8, mean 1.5: 3 and 12."""
    power = np.empty((2, 3, 3), np.float32)
    power[0] = [[1, 2, 1], [2, 5, 2], [1, 2, 2]]
    power[1] = [[8, 9, 8], [9, 4, 9], [8, 9, 8]]
    assert [power[0].sum(), power[1].sum()] == [18, 72]
    assert filter_speckle(power, 1).tolist() == [[[3.0]], [[12.0]]]


def test_filter_is_that_of_the_paper():
    power = series()
    found = filter_speckle(padded(power, 2), 2)
    np.testing.assert_allclose(found, by_paper(power, 2), rtol=1e-6)


def test_windows_are_the_whole_at_once_bit_for_bit():
    power = padded(series(rows=20, cols=23), 3)
    whole = filter_speckle(power, 3)
    for row, col, rows, cols in ((0, 0, 1, 1), (3, 5, 7, 2), (19, 22, 1, 1), (0, 4, 20, 19)):
        part = power[:, row : row + rows + 6, col : col + cols + 6]
        found = filter_speckle(part, 3)
        expected = whole[:, row : row + rows, col : col + cols]
        assert found.tobytes() == expected.tobytes()


def test_radius_zero_filters_nothing():
    power = series()
    assert filter_speckle(power, 0).tobytes() == power.tobytes()


def test_pixel_that_is_not_valid_stays_so_and_has_no_part():
    power = np.full((3, 3, 3), 2.0, np.float32)
    power[1, 1, 1] = np.nan
    power[2] = 6.0
    found = filter_speckle(power, 1)[:, 0, 0]
    assert np.isnan(found[1])
    assert found[[0, 2]].tolist() == [2.0, 6.0]


def test_dark_square_has_no_part_in_the_others():
    """0 / 0 of a date without any backscatter: no NaN, and no part of the mean of ratios."""
    power = np.full((2, 3, 3), 4.0, np.float32)
    power[1] = 0.0
    assert filter_speckle(power, 1)[:, 0, 0].tolist() == [4.0, 0.0]


def test_speckle_falls_and_the_mean_stays():
    power = series(dates=10, rows=60, cols=60, unseen=0.0)
    found = filter_speckle(padded(power, 2), 2)[:, 5:-5, 5:-5]
    before = power[:, 5:-5, 5:-5]
    assert found.mean() == pytest.approx(before.mean(), rel=0.01)
    assert found.std() < 0.5 * before.std()


@pytest.mark.parametrize(("shape", "radius"), [((1, 4, 9), 2), ((1, 9, 4), 2), ((1, 9, 9), -1)])
def test_window_without_room_for_its_margin_is_refused(shape, radius):
    with pytest.raises(InputDataError, match="no room for a margin"):
        filter_speckle(np.ones(shape, np.float32), radius)
