"""Accuracy: expected values by hand, from scikit-learn, from t-tables and published examples."""

import math

import numpy as np
import pytest
from sklearn import metrics

from iota2_tools.assessing.scores import (
    confusion,
    estimate,
    first_confusions,
    read_matrix_csv,
    scores,
    scores_over_seeds,
    write_matrix_csv,
)
from iota2_tools.config.nomenclature import LandCoverClass, Nomenclature
from iota2_tools.core.errors import InputDataError

NOMENCLATURE = Nomenclature(
    (
        LandCoverClass(11, "Forêt, feuillus", (0, 150, 0)),
        LandCoverClass(31, "Water", (0, 0, 255)),
        LandCoverClass(300, "Urban", (255, 0, 0)),
    )
)
# Nine of ten right.
MATRIX = np.array([[4, 1, 0], [0, 3, 0], [0, 0, 2]])


def test_rows_are_the_reference_and_columns_the_map():
    matrix = confusion(np.array([[1, 1], [2, 2]]), np.array([[1, 2], [2, 2]]), (1, 2))
    assert matrix.tolist() == [[1, 1, 0], [0, 2, 0]]
    assert matrix.dtype == np.int64


def test_pixels_without_reference_are_not_counted():
    matrix = confusion(np.array([0, 0, 2]), np.array([1, 0, 2]), (1, 2))
    assert matrix.tolist() == [[0, 0, 0], [0, 1, 0]]


def test_pixels_the_map_leaves_out_are_counted_apart_and_do_not_score():
    reference, predicted = np.array([1, 1, 2, 2]), np.array([1, 0, 2, 255])
    matrix = confusion(reference, predicted, (1, 2), unclassified=(0, 255))
    assert matrix.tolist() == [[1, 0, 1], [0, 1, 1]]
    assert scores(matrix).overall_accuracy == 1


def test_codes_keep_the_order_given_and_may_exceed_255():
    reference = np.array([300, 11, 31], np.uint16)
    matrix = confusion(reference, np.array([300, 31, 31], np.uint16), (300, 11, 31))
    assert matrix[:, :3].tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 1]]


@pytest.mark.parametrize("side", ["reference", "map"])
def test_a_code_outside_the_nomenclature_is_named(side):
    good, bad = np.array([1, 2]), np.array([1, 7])
    pair = (bad, good) if side == "reference" else (good, bad)
    with pytest.raises(InputDataError, match=rf"{side}: code\(s\) 7"):
        confusion(*pair, (1, 2))


def test_tiles_add_up_to_the_whole():
    rng = np.random.default_rng(1)
    reference, predicted = rng.integers(0, 4, (2, 60, 40))
    codes = (1, 2, 3)
    parts = sum(confusion(reference[i : i + 20], predicted[i : i + 20], codes) for i in (0, 20, 40))
    assert (parts == confusion(reference, predicted, codes)).all()


def test_scores_of_a_small_matrix_are_those_computed_by_hand():
    # Cohen's classic layout: 20 + 15 right of 50; chance (25 * 30 + 25 * 20) / 2500 = 0.5.
    result = scores(np.array([[20, 5], [10, 15]]))
    assert result.overall_accuracy == pytest.approx(0.7)
    assert result.kappa == pytest.approx(0.4)
    assert result.precision == pytest.approx([20 / 30, 15 / 20])
    assert result.recall == pytest.approx([20 / 25, 15 / 25])
    assert result.f_score == pytest.approx([40 / 55, 30 / 45])


def test_scores_of_three_classes_are_those_computed_by_hand():
    result = scores(np.array([[4, 1, 0], [0, 3, 0], [0, 0, 2]]))
    assert result.overall_accuracy == pytest.approx(0.9)
    assert result.precision == pytest.approx([1, 0.75, 1])
    assert result.recall == pytest.approx([0.8, 1, 1])
    assert result.kappa == pytest.approx((0.9 - 0.36) / 0.64)  # chance: (20 + 12 + 4) / 100


def test_scores_agree_with_scikit_learn():
    rng = np.random.default_rng(2)
    reference = rng.integers(1, 8, 5000)
    predicted = np.where(rng.random(5000) < 0.7, reference, rng.integers(1, 8, 5000))
    codes = range(1, 8)
    result = scores(confusion(reference, predicted, codes))
    assert result.overall_accuracy == pytest.approx(metrics.accuracy_score(reference, predicted))
    assert result.kappa == pytest.approx(metrics.cohen_kappa_score(reference, predicted))
    expected = metrics.precision_recall_fscore_support(reference, predicted, labels=list(codes))
    for mine, other in zip(
        (result.precision, result.recall, result.f_score), expected, strict=False
    ):
        assert mine == pytest.approx(other)


def test_a_class_without_reference_has_no_score():
    result = scores(np.array([[3, 1], [0, 0]]))
    assert np.isnan([result.precision[1], result.recall[1], result.f_score[1]]).all()


def test_a_class_never_mapped_has_no_precision_but_a_true_zero_recall():
    result = scores(np.array([[3, 0], [2, 0]]))
    assert math.isnan(result.precision[1])
    assert (result.recall[1], result.f_score[1]) == (0, 0)


def test_kappa_of_a_single_class_has_no_value():
    result = scores(np.array([[5, 0], [0, 0]]))
    assert result.overall_accuracy == 1
    assert math.isnan(result.kappa)


def test_an_empty_matrix_has_no_score():
    result = scores(np.zeros((2, 3), int))
    assert math.isnan(result.overall_accuracy)
    assert math.isnan(result.kappa)


@pytest.mark.parametrize(("runs", "table"), [(3, 4.303), (5, 2.776), (10, 2.262), (30, 2.045)])
def test_interval_uses_runs_minus_one_degrees_of_freedom(runs, table):
    values = np.linspace(0.8, 0.9, runs)
    half_width = table * np.std(values, ddof=1) / math.sqrt(runs)
    result = estimate(values)
    assert result.mean == pytest.approx(0.85)
    assert result.half_width == pytest.approx(half_width, rel=3e-4)  # tables have 3 decimals


def test_fewer_than_three_runs_have_a_mean_and_no_interval():
    """That of two would be 12.7 x 0.1 / 1 wide: 0.500 +- 1.271 tells nothing."""
    assert str(estimate([0.5])) == "0.500"
    two = estimate([0.4, 0.6])
    assert (str(two), two.runs) == ("0.500", 2)
    assert math.isnan(two.half_width)


def test_equal_runs_have_an_interval_of_zero():
    assert str(estimate([0.25, 0.25, 0.25])) == "0.250 +- 0.000"


def test_runs_without_value_are_left_out():
    result = estimate([0.4, math.nan, 0.6])
    assert (result.runs, result.mean) == (2, pytest.approx(0.5))
    assert str(estimate([math.nan])) == "-"


def test_first_confusions_are_the_largest_shares_of_the_row():
    matrix = np.array([[10, 2, 8, 0, 5], [0, 5, 0, 0, 0], [1, 1, 2, 1, 0], [0] * 5])
    # The fifth column counts pixels without class: no confusion.
    assert first_confusions(matrix, 2) == [[(2, 0.4), (1, 0.1)], [], [(0, 0.2), (1, 0.2)], []]


def test_matrix_survives_its_table(tmp_path):
    path = str(tmp_path / "matrix.csv")
    matrix = np.array([[4, 1, 0, 2], [0, 3, 0, 0], [0, 0, 2**40, 0]])
    write_matrix_csv(matrix, NOMENCLATURE, path)
    first = (tmp_path / "matrix.csv").read_text(encoding="utf-8").splitlines()[0]
    assert first == 'code,name,"11 Forêt, feuillus",31 Water,300 Urban,unclassified'
    read, codes = read_matrix_csv(path)
    assert codes == (11, 31, 300)
    assert read.dtype == np.int64
    assert (read == matrix).all()


@pytest.mark.parametrize(
    "text", ["", "code,name,1 A\n", "code,name,2 A\n1,A,5\n", "code,name,1 A\n1,A\n"]
)
def test_a_broken_matrix_table_is_refused(tmp_path, text):
    path = tmp_path / "matrix.csv"
    path.write_text(text)
    with pytest.raises(InputDataError, match="not a confusion matrix"):
        read_matrix_csv(str(path))


def test_seeds_may_come_in_any_order():
    other = np.array([[5, 0, 0], [1, 2, 0], [0, 0, 2]])
    first = scores_over_seeds({0: MATRIX, 1: other})
    second = scores_over_seeds({1: other, 0: MATRIX})
    assert str(first) == str(second)
