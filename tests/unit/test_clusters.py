"""Intervals of validation by polygons: three polygons by hand, and populations whose truth is known."""

import math

import numpy as np
import pytest

from iota2_tools.assessing import clusters as module
from iota2_tools.assessing.areas import area_adjusted, measure_areas
from iota2_tools.assessing.clusters import (
    PolygonCounts,
    accuracy_half_width,
    area_half_widths,
    count_polygons,
    read_polygon_counts,
    summed,
    write_polygon_counts,
)
from iota2_tools.assessing.scores import confusion
from iota2_tools.core.errors import InputDataError

T2 = 4.302653  # Student's t, 2 degrees of freedom, 0.975
BOTH = np.array([True, True])
# Polygon, class, mapped, pixels. Mapped as 1: 18 of 20 are 1; as 2: 2 of 10 are 1.
ROWS = [[5, 1, 1, 8], [5, 1, 2, 2], [7, 2, 1, 2], [7, 2, 2, 8], [9, 1, 1, 10]]


def counts_of(rows) -> PolygonCounts:
    return PolygonCounts(*np.array(rows, dtype=np.int64).reshape(-1, 4).T)


def test_the_accuracy_of_three_polygons_by_hand():
    # 26 of 30 right: deviations -2/90, -2/90 and 4/90; 24/8100 x 3/2 = 1/225.
    assert accuracy_half_width(counts_of(ROWS)) == pytest.approx(T2 / 15)


@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_areas_of_three_polygons_by_hand(monkeypatch, chunk):
    monkeypatch.setattr(module, "CHUNK", chunk)
    # Weights 0.6 and 0.4: +.03 x .8 + .04 x 1.6 = .088; -.03 x 1.8 - .04 x 1.6 = -.118; +.03 x 1.
    expected = T2 * math.sqrt((0.088**2 + 0.118**2 + 0.03**2) * 3 / 2)
    found = area_half_widths(counts_of(ROWS), (1, 2), np.array([60, 40]), BOTH)
    assert found == pytest.approx([expected, expected])


def test_the_order_of_the_classes_and_of_the_rows_does_not_matter():
    found = area_half_widths(counts_of(ROWS[::-1]), (2, 1), np.array([40, 60]), BOTH)
    assert found == pytest.approx(
        area_half_widths(counts_of(ROWS), (1, 2), np.array([60, 40]), BOTH)
    )


def test_pixels_without_class_count_for_nothing():
    more = counts_of([*ROWS, [5, 1, 0, 99], [11, 2, 0, 50]])
    assert accuracy_half_width(more) == accuracy_half_width(counts_of(ROWS))
    pixels = np.array([60, 40])
    assert area_half_widths(more, (1, 2), pixels, BOTH) == pytest.approx(
        area_half_widths(counts_of(ROWS), (1, 2), pixels, BOTH)
    )


def test_a_class_mapped_in_one_polygon_may_vary_as_much_as_a_share_can():
    rows = [*ROWS, [9, 1, 3, 4]]
    found = area_half_widths(counts_of(rows), (1, 2, 3), np.array([60, 40, 100]), np.ones(3, bool))
    # Weights are halved: .044, -.059, .015; and 1/4 of the square of the third weight.
    expected = T2 * math.sqrt((0.044**2 + 0.059**2 + 0.015**2 + 0.25 * 0.25) * 3 / 2)
    assert found[:2] == pytest.approx([expected, expected])


def test_a_stratum_without_sample_leaves_the_others_their_intervals():
    found = area_half_widths(counts_of(ROWS), (1, 2), np.array([60, 40]), np.array([True, False]))
    # Of what is mapped as 1 alone: .03 x (.8, -1.8, 1).
    expected = T2 * 0.03 * math.sqrt((0.8**2 + 1.8**2 + 1) * 3 / 2)
    assert found == pytest.approx([expected, expected])


def test_one_polygon_tells_nothing_of_how_they_differ():
    assert math.isnan(accuracy_half_width(counts_of(ROWS[:2])))
    assert math.isnan(accuracy_half_width(counts_of([])))
    found = area_half_widths(counts_of(ROWS[:2]), (1, 2), np.array([60, 40]), BOTH)
    assert np.isnan(found).all()


def test_areas_of_a_map_have_them_in_hectares():
    matrix = np.array([[18, 2, 0], [2, 8, 0]])
    areas = measure_areas(np.array([60, 40]), 0.5, matrix, (1, 2), counts_of(ROWS))
    shares = area_half_widths(counts_of(ROWS), (1, 2), np.array([60, 40]), BOTH)
    assert areas.half_width == pytest.approx(shares * 50)
    assert np.isnan(measure_areas(np.array([60, 40]), 0.5, matrix).half_width).all()


def test_pixels_are_counted_by_polygon_and_tiles_added_up(tmp_path):
    ids = np.array([[5, 5, 5, 7], [0, 5, 7, 7]])
    reference = np.array([[1, 1, 1, 2], [0, 1, 2, 0]])  # the last does not validate
    mapped = np.array([[1, 2, 1, 2], [1, 0, 2, 2]])
    rows = count_polygons(ids, reference, mapped)
    assert rows.tolist() == [[5, 1, 0, 1], [5, 1, 1, 2], [5, 1, 2, 1], [7, 2, 2, 2]]
    for name in ("a", "b"):
        write_polygon_counts(rows, str(tmp_path / f"{name}.csv"))
    write_polygon_counts(summed([]), str(tmp_path / "none.csv"))
    found = read_polygon_counts([str(tmp_path / f"{name}.csv") for name in ("a", "none", "b")])
    assert found.pixels.tolist() == [2, 4, 2, 4]
    assert found.mapped.tolist() == [0, 1, 2, 2]
    (tmp_path / "a.csv").write_text("polygon,code\n1,2\n")
    with pytest.raises(InputDataError, match=r"a\.csv: cannot be read as a table"):
        read_polygon_counts([str(tmp_path / "a.csv")])


@pytest.fixture(scope="module")
def population():
    """3000 polygons, 5 to 80 pixels each, alike inside: class, and pixels mapped as each class."""
    rng = np.random.default_rng(8)
    classes = rng.choice(3, 3000, p=[0.5, 0.3, 0.2])
    sizes = rng.integers(5, 80, 3000)
    usual = np.array([[0.85, 0.1, 0.05], [0.15, 0.75, 0.1], [0.1, 0.2, 0.7]])
    mapped = [
        rng.multinomial(size, rng.dirichlet(2 * usual[code]))
        for size, code in zip(sizes, classes, strict=True)
    ]
    return classes, np.array(mapped)


@pytest.mark.slow
def test_intervals_hold_the_truth_as_often_as_they_say(population):
    """Of the whole country's polygons 120 validate: 93 to 97 of 100 intervals hold the truth."""
    classes, mapped = population
    truth = np.array([mapped[classes == code].sum() for code in range(3)]) / mapped.sum()
    right = mapped[np.arange(3000), classes].sum() / mapped.sum()
    rng = np.random.default_rng(9)
    codes, pixels = (1, 2, 3), mapped.sum(axis=0)
    held, naive = [], []
    for _ in range(1000):
        chosen = rng.choice(3000, 120, replace=False)
        polygon, code = np.nonzero(mapped[chosen])
        counts = PolygonCounts(
            chosen[polygon], classes[chosen[polygon]] + 1, code + 1, mapped[chosen[polygon], code]
        )
        matrix = np.zeros((3, 3))
        np.add.at(matrix, (counts.code - 1, counts.mapped - 1), counts.pixels)
        estimate = area_adjusted(matrix, pixels / pixels.sum())
        half = area_half_widths(counts, codes, pixels, np.ones(3, bool))
        off = np.abs(estimate.area - truth)
        accuracy = np.trace(matrix) / matrix.sum()
        held.append([*(off <= half), abs(accuracy - right) <= accuracy_half_width(counts)])
        naive.append(off <= estimate.area_half_width)
    coverage = np.mean(held, axis=0)
    assert (coverage > 0.93).all(), coverage
    assert (coverage < 0.97).all(), coverage
    assert (np.mean(naive, axis=0) < 0.6).all()  # as if each pixel had been drawn by itself


def test_counts_of_polygons_are_those_of_the_matrix():
    rng = np.random.default_rng(3)
    ids = rng.integers(0, 9, (40, 40))
    reference = np.where(ids, ids % 3, 0)
    mapped = rng.integers(0, 3, (40, 40))
    rows = count_polygons(ids, reference, mapped)
    matrix = confusion(reference, mapped, (1, 2))
    again = np.zeros_like(matrix)
    for _, code, said, number in rows.tolist():
        again[code - 1, said - 1 if said else 2] += number
    assert again.tolist() == matrix.tolist()
