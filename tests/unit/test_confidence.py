"""What the confidence is worth: pixels counted by hand, scores of scikit-learn."""

import math

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.calibration import calibration_curve

from iota2_tools.assessing.confidence import (
    calibration_error,
    count_confidence,
    read_confidence,
    read_curve_error,
    reliability_curve,
    write_confidence,
    write_curve,
)
from iota2_tools.core.errors import InputDataError
from iota2_tools.reporting.reliability import write_reliability

REFERENCE = np.array([1, 1, 2, 2, 0, 1, 2])
MAPPED = np.array([1, 2, 2, 2, 1, 0, 2])
CONFIDENCE = np.array([90, 90, 100, 45, 80, 70, 0])
# Counted: 90 % right, 90 % wrong, 100 % right, 45 % right.


@pytest.fixture
def counts():
    return count_confidence(REFERENCE, MAPPED, CONFIDENCE)


def test_pixels_without_reference_class_or_confidence_do_not_count(counts):
    assert counts.shape == (101, 2)
    assert counts.sum() == 4
    assert counts[90].tolist() == [1, 1]
    assert counts[100].tolist() == [0, 1]
    assert counts[45].tolist() == [0, 1]


def test_the_curve_by_hand(counts):
    n, confidence, accuracy = reliability_curve(counts)
    assert n.tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 0, 3]
    assert confidence[[4, 9]] == pytest.approx([0.455, (0.905 + 0.905 + 1) / 3])
    assert accuracy[[4, 9]] == pytest.approx([1, 2 / 3])
    assert np.isnan(confidence[0])


def test_the_error_by_hand(counts):
    # (1 x |0.455 - 1| + 3 x |0.936667 - 0.666667|) / 4
    assert calibration_error(counts) == pytest.approx((0.545 + 0.81) / 4)
    assert math.isnan(calibration_error(np.zeros((101, 2), int)))


def test_the_curve_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    percent = rng.integers(1, 100, 5000)
    right = rng.random(5000) < percent / 100
    found = reliability_curve(count_confidence(np.ones(5000, int), 2 - right, percent))
    truth, told = calibration_curve(right, (percent + 0.5) / 100, n_bins=10)
    assert found[1] == pytest.approx(told)
    assert found[2] == pytest.approx(truth)


def test_tables_of_tiles_add_up_and_the_curve_is_written(tmp_path, counts):
    for name in ("a", "b"):
        write_confidence(counts, str(tmp_path / f"{name}.csv"))
    assert (tmp_path / "a.csv").read_text() == "confidence,wrong,right\n45,0,1\n90,1,1\n100,0,1\n"
    tables = [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]
    assert read_confidence(tables).tolist() == (2 * counts).tolist()
    output, figure = str(tmp_path / "curve.csv"), str(tmp_path / "curve.png")
    write_reliability(tables, output, figure, "Seed 0")
    table = pd.read_csv(output)
    assert list(table.columns) == ["bin", "n", "mean_confidence", "accuracy"]
    assert table["bin"].tolist() == pytest.approx(np.arange(10) / 10)
    assert table["n"].tolist() == [0, 0, 0, 0, 2, 0, 0, 0, 0, 6]
    assert table["accuracy"].isna().tolist() == [True] * 4 + [False] + [True] * 4 + [False]
    assert read_curve_error(output) == pytest.approx(0.33875, abs=1e-6)
    with Image.open(figure) as image:
        assert len(image.convert("RGB").getcolors(1_000_000)) > 20


def test_a_map_without_confidence_has_an_empty_curve(tmp_path):
    write_confidence(np.zeros((101, 2), int), str(tmp_path / "a.csv"))
    output = str(tmp_path / "curve.csv")
    write_reliability([str(tmp_path / "a.csv")], output, str(tmp_path / "curve.png"), "Seed 0")
    assert pd.read_csv(output)["n"].sum() == 0
    assert math.isnan(read_curve_error(output))


def test_the_written_curve_tells_the_same_error(tmp_path, counts):
    write_curve(counts, str(tmp_path / "curve.csv"))
    assert read_curve_error(str(tmp_path / "curve.csv")) == pytest.approx(
        calibration_error(counts), abs=1e-6
    )


def test_a_broken_table_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("confidence,wrong\n5,6\n")
    with pytest.raises(InputDataError, match="cannot be read as a table"):
        read_confidence([str(tmp_path / "a.csv")])
