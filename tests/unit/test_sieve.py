"""The sieve against values by hand, GDAL, and a plain one written with SciPy."""

import numpy as np
import pytest
from plain_sieve import plain_sieve, sieve_of_gdal

from iota2_tools.vectors.sieve import Sieve, sieve

GDALS = 0
"""Cap that stands for GDAL's rule."""


def sieved(rows, threshold, connectivity=4, cap=64, groups=None, dtype=np.uint8):
    """The sieve of a copy."""
    classes = np.array(rows, dtype=dtype)
    table = None
    if groups:
        table = np.zeros(65536, dtype=np.uint16)
        for code, number in groups.items():
            table[code] = number
    sieve(classes, Sieve(threshold, cap), connectivity, table)
    return classes


BOTH_RULES = pytest.mark.parametrize("cap", [GDALS, 64])


@BOTH_RULES
def test_a_lone_pixel_takes_the_class_around_it(cap):
    assert (sieved([[1, 1, 1], [1, 2, 1], [1, 1, 1]], 2, cap=cap) == 1).all()


def test_of_equal_neighbours_gdal_takes_the_first_met_and_the_capped_rule_the_smaller_code():
    left, right = [[1, 1, 2, 3, 3]], [[3, 3, 2, 1, 1]]
    assert sieved(left, 2, cap=GDALS).tolist() == [[1, 1, 1, 3, 3]]
    assert sieved(right, 2, cap=GDALS).tolist() == [[3, 3, 3, 1, 1]]
    assert sieved(left, 2).tolist() == [[1, 1, 1, 3, 3]]
    assert sieved(right, 2).tolist() == [[3, 3, 1, 1, 1]]


@BOTH_RULES
def test_two_lone_pixels_that_lead_to_each_other_stay(cap):
    assert sieved([[2, 3]], 2, cap=cap).tolist() == [[2, 3]]


@BOTH_RULES
def test_pixels_without_class_are_no_neighbours(cap):
    assert sieved([[1, 0, 2]], 2, cap=cap).tolist() == [[1, 0, 2]]
    assert sieved([[1, 0, 2, 2]], 2, cap=cap).tolist() == [[1, 0, 2, 2]]


def test_sizes_above_the_cap_are_equal():
    """4 pixels of class 3 against 3 of class 1: with a cap of 3 the codes decide."""
    row = [[3, 3, 3, 3, 2, 1, 1, 1]]
    assert sieved(row, 2, cap=4)[0, 4] == 3
    assert sieved(row, 2, cap=3)[0, 4] == 1
    assert sieved(row, 2, cap=GDALS)[0, 4] == 3


def test_a_component_of_the_threshold_stays_and_one_less_goes():
    row = [[1, 1, 1, 1, 2, 2, 1, 1, 1, 1]]
    assert sieved(row, 2).tolist() == row
    assert (sieved(row, 3) == 1).all()


def test_a_chain_of_small_components_ends_at_the_first_large_one():
    """4 (1 px) goes to 3 (2 px), which goes to 2 (5 px), which is large."""
    assert sieved([[4, 3, 3, 2, 2, 2, 2, 2]], 4).tolist() == [[2] * 8]


def test_corners_touch_with_eight_alone():
    """A diagonal of 3 pixels of class 2 is one component with 8, three lone pixels with 4."""
    rows = [[2, 1, 1], [1, 2, 1], [1, 1, 2]]
    assert sieved(rows, 3, 8).tolist() == rows
    assert (sieved(rows, 3, 4)[[0, 1, 2], [0, 1, 2]] == 1).all()


def test_a_component_of_many_arms_is_one():
    """A comb: its teeth meet in the last row alone."""
    rows = np.ones((5, 9), dtype=np.uint8)
    rows[:, ::2] = 2
    rows[4] = 2
    kept = sieved(rows, 20)  # 5 teeth of 5 and 4 between them are 29 pixels; the gaps have 4 each
    assert (kept == 2).all()


def test_neighbours_of_other_groups_are_not_seen():
    """Class 2 lies between 1 (its group, 2 pixels) and 3 (another group, 5 pixels)."""
    row = [[1, 1, 2, 3, 3, 3, 3, 3]]
    assert sieved(row, 2)[0, 2] == 3
    assert sieved(row, 2, groups={1: 7, 2: 7, 3: 8})[0, 2] == 1
    assert sieved(row, 2, groups={1: 7, 2: 9, 3: 8})[0, 2] == 2  # alone in its group


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_code_can_be_mapped(dtype):
    largest = np.iinfo(dtype).max
    row = [[largest, largest, 1, largest]]
    assert sieved(row, 2, dtype=dtype).tolist() == [[largest] * 4]
    assert sieved(row, 2, dtype=dtype, cap=GDALS).tolist() == [[largest] * 4]


@pytest.mark.parametrize("shape", [(0, 5), (1, 1), (1, 7), (7, 1)])
def test_maps_of_any_shape(shape):
    classes = np.ones(shape, dtype=np.uint8)
    sieve(classes, Sieve(9, 64), 8)
    assert (classes == 1).all()
    assert not sieved(np.zeros(shape), 9).any()


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("threshold", [2, 3, 10])
def test_it_is_gdals_on_random_maps(threshold, connectivity):
    draws = np.random.default_rng(threshold)
    for _ in range(150):
        classes = draws.integers(0, draws.integers(2, 6), (12, 12)).astype(np.uint8)
        expected = sieve_of_gdal(classes, threshold, connectivity)
        assert np.array_equal(sieved(classes, threshold, connectivity, GDALS), expected)


@pytest.mark.parametrize("connectivity", [4, 8])
def test_within_groups_it_is_gdals_on_one_raster_a_group(connectivity):
    draws = np.random.default_rng(connectivity)
    groups = {1: 1, 2: 1, 3: 2, 4: 2, 5: 3}
    for _ in range(50):
        classes = draws.integers(0, 6, (12, 12)).astype(np.uint8)
        expected = np.zeros_like(classes)
        for number in (1, 2, 3):
            own = [code for code, group in groups.items() if group == number]
            masked = np.where(np.isin(classes, own), classes, 0)
            expected += sieve_of_gdal(masked, 2, connectivity)
        found = sieved(classes, 2, connectivity, GDALS, groups)
        assert np.array_equal(found, expected)


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize(("threshold", "cap"), [(2, 3), (4, 5), (9, 9)])
def test_the_capped_rule_is_that_of_a_plain_program(threshold, cap, connectivity):
    draws = np.random.default_rng(10 * threshold + connectivity)
    for groups in (None, {1: 1, 2: 1, 3: 2, 4: 2}):
        for _ in range(10):
            classes = draws.integers(0, 5, (9, 9)).astype(np.uint8)
            expected = plain_sieve(classes, threshold, connectivity, cap, groups)
            assert np.array_equal(sieved(classes, threshold, connectivity, cap, groups), expected)
