"""The accuracy report: expected values by hand and from t-tables."""

import csv

import numpy as np
import pytest

from iota2_tools.assessing.areas import ClassAreas
from iota2_tools.config.nomenclature import LandCoverClass, Nomenclature
from iota2_tools.core.errors import InputDataError
from iota2_tools.reporting.results import write_results, write_scores_csv

NOMENCLATURE = Nomenclature(
    (
        LandCoverClass(11, "Forêt, feuillus", (0, 150, 0)),
        LandCoverClass(31, "Water", (0, 0, 255)),
        LandCoverClass(300, "Urban", (255, 0, 0)),
    )
)
# Nine of ten right.
MATRIX = np.array([[4, 1, 0], [0, 3, 0], [0, 0, 2]])


def test_results_show_names_scores_and_conventions(tmp_path):
    path = tmp_path / "RESULTS.txt"
    other = np.array([[5, 0, 0], [1, 2, 0], [0, 0, 2]])
    write_results({0: MATRIX, 1: other}, NOMENCLATURE, str(path))
    text = path.read_text(encoding="utf-8")
    assert "nan" not in text
    assert "Overall accuracy   0.900 +- 0.000" in text
    assert "Forêt, feuillus" in text
    assert "Forêt, feuillus  Water 10.0" in text  # mean row 4.5, 0.5, 0
    # Recall of water: 1 and 2/3; t(0.975, 1 dof) = 12.706, s = 0.2357, half width 2.118.
    assert "0.833 +- 2.118" in text


def test_results_of_one_seed_have_no_interval(tmp_path):
    path = tmp_path / "RESULTS.txt"
    write_results({3: np.array([[4, 1, 0], [0, 3, 0], [0, 0, 0]])}, NOMENCLATURE, str(path))
    text = path.read_text(encoding="utf-8")
    assert "Overall accuracy   0.875 +- -" in text
    urban = next(line for line in text.splitlines() if line.split()[:2] == ["300", "Urban"])
    assert urban.split() == ["300", "Urban", "-", "-", "-", "0"]


def test_results_refuse_a_matrix_of_other_classes(tmp_path):
    with pytest.raises(InputDataError, match="seed 4"):
        write_results({4: np.eye(2)}, NOMENCLATURE, str(tmp_path / "RESULTS.txt"))


def test_scores_table_has_a_line_a_score(tmp_path):
    path = tmp_path / "scores.csv"
    matrix = np.array([[4, 1, 0], [0, 3, 0], [0, 0, 0]])
    write_scores_csv({1: matrix, 0: matrix}, NOMENCLATURE, str(path))
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * (2 + 3 * 3)
    assert [row["seed"] for row in rows] == ["0"] * 11 + ["1"] * 11
    values = {(row["code"], row["score"]): row["value"] for row in rows}
    assert values["", "overall_accuracy"] == "0.875000"
    assert values["11", "recall"] == "0.800000"
    assert values["300", "f_score"] == ""


def test_results_tell_the_mean_areas_in_hectares(tmp_path):
    path = tmp_path / "RESULTS.txt"
    pixels = np.array([300, 100, 0])
    areas = {
        0: ClassAreas(pixels, np.array([3.0, 1.0, 0.0]), np.array([2.0, 2.0, 0.0])),
        1: ClassAreas(pixels, np.array([3.0, 1.0, 0.0]), np.array([2.6, 1.4, 0.0])),
    }
    write_results({0: MATRIX, 1: MATRIX}, NOMENCLATURE, str(path), areas=areas)
    section = path.read_text(encoding="utf-8").split("Areas, in hectares")[1].splitlines()
    assert section[3].split()[-4:] == ["3.0", "75.0", "%", "2.3"]
    assert section[4].split()[-4:] == ["1.0", "25.0", "%", "1.7"]
