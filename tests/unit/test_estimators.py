"""Accuracy and areas from points: the examples of the papers, and truths drawn by chance."""

import math

import numpy as np
import pytest

from iota2_tools.assessing.estimators import Points, assess, ratio_of_means

# Olofsson et al. 2014, table 8: rows map (deforestation, forest gain, stable forest, stable
# non-forest), columns reference; pixels of 0.09 ha.
OLOFSSON = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])
OLOFSSON_PIXELS = np.array([200_000, 150_000, 3_200_000, 6_450_000])


def points_of(table: np.ndarray, pixels: np.ndarray) -> Points:
    """Points of a table with a row a class of the map, which are the strata."""
    mapped, reference = (
        np.repeat(item, table.ravel()) for item in np.indices(table.shape).reshape(2, -1)
    )
    return Points(pixels, mapped, reference, mapped, len(table), np.arange(len(table)))


@pytest.fixture(scope="module")
def olofsson():
    return assess(points_of(OLOFSSON, OLOFSSON_PIXELS))


def test_overall_accuracy_of_the_example_of_olofsson(olofsson):
    assert olofsson.overall.value[0] == pytest.approx(0.947, abs=5e-4)
    assert olofsson.overall.half_width[0] == pytest.approx(0.018, abs=5e-4)


def test_accuracies_of_its_classes(olofsson):
    assert olofsson.users.value == pytest.approx([0.88, 0.73, 0.93, 0.96], abs=5e-3)
    assert olofsson.users.half_width == pytest.approx([0.07, 0.10, 0.04, 0.02], abs=5e-3)
    assert olofsson.producers.value == pytest.approx([0.75, 0.85, 0.93, 0.96], abs=6e-3)
    # For forest gain and non-forest the paper prints 0.23 and 0.01; its equation 7 gives these.
    assert olofsson.producers.half_width == pytest.approx([0.21, 0.25, 0.03, 0.02], abs=6e-3)


def test_areas_of_its_classes(olofsson):
    hectares = olofsson.shares.times(0.09 * OLOFSSON_PIXELS.sum())
    assert hectares.value[0] == pytest.approx(21_158, abs=1)
    assert hectares.half_width[0] == pytest.approx(6_158, abs=1)
    assert hectares.value[1:] == pytest.approx([11_686, 285_770, 581_386], abs=1)
    assert hectares.half_width[1:] == pytest.approx([3_756, 15_510, 16_282], rel=2e-3)


# Stehman 2014, table 2: stratum, class of the map, class in truth of 40 points.
STRATA = "A" * 10 + "B" * 10 + "C" * 10 + "D" * 10
MAPPED = "A" * 7 + "B" * 3 + "A" + "B" * 11 + "C" * 6 + "BB" + "D" * 10
TRUTH = "AAAAACBABC" + "ABBBBBAABB" + "CCCCCDDBBA" + "DDDDDDDCCB"


@pytest.fixture(scope="module")
def stehman():
    stratum, mapped, truth = (
        np.array(["ABCD".index(letter) for letter in text]) for text in (STRATA, MAPPED, TRUTH)
    )
    return assess(Points(np.array([40_000, 30_000, 20_000, 10_000]), stratum, truth, mapped, 4))


def test_strata_of_another_map_as_in_the_example_of_stehman(stehman):
    def told(values, place):
        return values.value[place], values.error[place]

    assert told(stehman.overall, 0) == pytest.approx((0.63, 0.085), abs=5e-4)
    assert told(stehman.users, 1) == pytest.approx((0.574, 0.125), abs=7e-4)
    assert told(stehman.producers, 1) == pytest.approx((0.794, 0.117), abs=7e-4)
    assert told(stehman.shares, 0) == pytest.approx((0.35, 0.082), abs=7e-4)
    assert told(stehman.shares, 2) == pytest.approx((0.20, 0.064), abs=7e-4)
    assert stehman.cells[2, 1] == pytest.approx(0.08)  # p. 4935: mapped B, in truth C


def test_cells_are_shares_and_counts_are_points(stehman):
    assert stehman.cells.sum() == pytest.approx(1)
    assert stehman.counts.sum() == 40
    assert stehman.counts[0, 0] == 6  # A in truth and in the map, counted by eye


def test_one_stratum_is_simple_random_sampling():
    # p (1 - p) / (n - 1), of 7 in 10, in so large a map that what is drawn does not count.
    mapped, reference = np.zeros(10, int), np.array([0] * 7 + [1] * 3)
    found = assess(Points(np.array([10**9]), np.zeros(10, int), reference, mapped, 2))
    assert found.overall.value[0] == pytest.approx(0.7)
    assert found.overall.error[0] == pytest.approx(math.sqrt(0.7 * 0.3 / 9), rel=1e-6)


def test_a_stratum_looked_at_whole_leaves_nothing_open():
    mapped, reference = np.zeros(4, int), np.array([0, 0, 0, 1])
    found = assess(Points(np.array([4]), np.zeros(4, int), reference, mapped, 2))
    assert found.overall.value[0] == 0.75
    assert found.overall.error[0] == 0


def test_a_stratum_of_one_pixel_that_is_looked_at_leaves_nothing_open():
    found = assess(points_of(np.array([[8, 2], [0, 1]]), np.array([90, 1])))
    variance = (90 / 91) ** 2 * (1 - 10 / 90) * (0.8 * 0.2 * 10 / 9) / 10
    assert found.overall.error[0] == pytest.approx(math.sqrt(variance))


def test_a_single_point_gives_a_value_and_no_error():
    points = points_of(np.array([[8, 2], [0, 1]]), np.array([90, 10]))
    found = assess(points)
    assert found.overall.value[0] == pytest.approx(0.82)  # 0.9 x 0.8 + 0.1
    assert math.isnan(found.overall.error[0])
    # The user's accuracy of the first class asks for its own stratum alone: 0.8 x 0.2 / 9 of 90.
    assert found.users.error[0] == pytest.approx(math.sqrt(0.16 / 9 * (1 - 10 / 90)))
    assert math.isnan(found.users.error[1])


def test_a_class_without_points_has_no_accuracy():
    found = assess(points_of(np.array([[5, 5, 0], [3, 7, 0], [6, 4, 0]]), np.array([50, 30, 20])))
    assert math.isnan(found.producers.value[2])
    assert math.isnan(found.producers.error[2])
    assert found.users.value[2] == 0
    assert found.shares.value[2] == 0


def test_f_scores_are_harmonic_means(olofsson):
    users, producers = olofsson.users.value, olofsson.producers.value
    assert olofsson.f_scores.value == pytest.approx(2 * users * producers / (users + producers))
    assert (olofsson.f_scores.error > 0).all()


def test_a_part_of_the_map_is_judged_by_its_own_points():
    """Two strata of 60 and 40 pixels; inside: of the first 2 of 3 right, of the second 1 of 1."""
    points = Points(
        np.array([60, 40]),
        np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1]),
        np.array([0, 0, 1, 0, 1, 1, 1, 0, 0, 0]),
        np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1]),
        2,
    )
    inside = np.array([1, 1, 1, 0, 0, 0, 1, 0, 0, 0], bool)
    found = assess(points, inside)
    # Each point stands for 10 pixels, in both strata: 3 right of 4.
    assert found.overall.value[0] == pytest.approx(0.75)
    assert found.shares.value == pytest.approx([0.5, 0.5])
    assert found.counts.tolist() == [[2, 0], [1, 1]]
    assert found.cells == pytest.approx(np.array([[0.5, 0], [0.25, 0.25]]))
    # Residuals: +.25 +.25 -.75 0 0 0 and +.25 0 0 0; mean of the part 0.4.
    first, second = np.var([0.25, 0.25, -0.75, 0, 0, 0], ddof=1), np.var([0.25, 0, 0, 0], ddof=1)
    variance = 0.36 * 0.9 * first / 6 + 0.16 * 0.9 * second / 4
    assert found.overall.error[0] == pytest.approx(math.sqrt(variance) / 0.4)


def test_a_ratio_of_nothing_has_no_value():
    points = points_of(np.array([[5, 5], [3, 7]]), np.array([50, 50]))
    found = ratio_of_means(points, np.zeros((20, 1)), np.zeros((20, 1)))
    assert math.isnan(found.value[0])
    assert math.isnan(found.error[0])


def drawn(
    rng, truth: np.ndarray, mapped: np.ndarray, strata: np.ndarray, sizes: list[int]
) -> Points:
    """Points drawn at random from a map of which all is known."""
    places = np.concatenate(
        [
            rng.choice(np.flatnonzero(strata == number), size, replace=False)
            for number, size in enumerate(sizes)
        ]
    )
    pixels = np.bincount(strata)
    own = np.arange(len(sizes)) if strata is mapped else None
    return Points(pixels, strata[places], truth[places], mapped[places], 3, own)


@pytest.mark.slow
@pytest.mark.parametrize("own_strata", [True, False])
def test_intervals_hold_the_truth_as_often_as_they_say(own_strata):
    """93 to 97 of 100 intervals of accuracy and areas, on a map whose truth is known."""
    rng = np.random.default_rng(5)
    truth = rng.choice(3, 20_000, p=[0.6, 0.3, 0.1])
    mapped = np.where(rng.random(20_000) < 0.8, truth, rng.integers(0, 3, 20_000))
    other = np.where(rng.random(20_000) < 0.7, truth, rng.integers(0, 3, 20_000))
    strata = mapped if own_strata else other
    right = (truth == mapped).mean()
    shares = np.bincount(truth) / len(truth)
    held = []
    for _ in range(1500):
        found = assess(drawn(rng, truth, mapped, strata, [120, 100, 80]))
        near = np.abs(found.shares.value - shares) <= found.shares.half_width
        held.append([abs(found.overall.value[0] - right) <= found.overall.half_width[0], *near])
    coverage = np.mean(held, axis=0)
    assert (coverage > 0.93).all(), coverage
    assert (coverage < 0.97).all(), coverage
