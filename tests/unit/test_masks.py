"""Clear-sky masks: one acquisition a day is clear at a pixel."""

import numpy as np

from iota2_tools.timeseries.masks import combine_masks, count_clear


def masks(*rows):
    return np.array(rows, dtype=np.uint8)


def test_pixel_is_clear_in_the_first_clear_product_of_a_day_only():
    # Two products of a day, then one of the next; 0 is usable.
    unusable = masks([0, 0, 1, 1], [0, 1, 0, 1], [0, 0, 1, 0])
    clear, _ = combine_masks(unusable, np.zeros_like(unusable), np.array([False, True, False]))
    assert clear.tolist() == [[1, 1, 0, 0], [0, 0, 1, 0], [1, 1, 0, 1]]


def test_three_products_of_a_day_leave_one_clear():
    unusable = masks([1, 0], [0, 0], [0, 0])
    clear, _ = combine_masks(unusable, unusable, np.array([False, True, True]))
    assert clear.tolist() == [[0, 1], [1, 0], [0, 0]]


def test_any_mask_value_but_zero_is_unusable():
    unusable = masks([0, 1, 2, 128, 255])
    clear, _ = combine_masks(unusable, unusable, np.array([False]))
    assert clear.tolist() == [[1, 0, 0, 0, 0]]


def test_footprint_is_what_was_seen_once_clouds_or_not():
    edge = masks([1, 0, 1], [1, 1, 0])
    clear, footprint = combine_masks(np.ones_like(edge), edge, np.array([False, False]))
    assert footprint.tolist() == [0, 1, 1]
    assert clear.sum() == 0


def test_given_masks_are_left_as_they_were():
    unusable = masks([0, 1], [0, 0])
    combine_masks(unusable, unusable, np.array([False, True]))
    assert unusable.tolist() == [[0, 1], [0, 0]]


def test_more_than_255_dates_do_not_wrap():
    unusable = np.zeros((300, 1, 1), dtype=np.uint8)
    clear, _ = combine_masks(unusable, unusable, np.zeros(300, dtype=bool))
    assert count_clear(clear).tolist() == [[300]]


def test_more_than_255_products_of_a_day_count_once():
    unusable = np.zeros((300, 1), dtype=np.uint8)
    clear, _ = combine_masks(unusable, unusable, np.arange(300) > 0)
    assert count_clear(clear).tolist() == [1]
