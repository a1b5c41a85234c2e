"""The accuracy report: expected values by hand and from t-tables."""

import csv
import re
from types import SimpleNamespace

import jinja2
import numpy as np
import pytest
from conftest import ROOT
from PIL import Image

from iota2_tools.assessing.areas import ClassAreas
from iota2_tools.assessing.scores import read_matrix_csv, write_matrix_csv
from iota2_tools.config.nomenclature import LandCoverClass, Nomenclature
from iota2_tools.core.errors import InputDataError
from iota2_tools.reporting import figures
from iota2_tools.reporting.confusion import write_sum
from iota2_tools.reporting.remarks import Remark, Topic
from iota2_tools.reporting.results import (
    Certainty,
    Results,
    write_areas_text,
    write_results,
    write_scores_csv,
)
from iota2_tools.reporting.summary import summary

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
    write_results(Results({0: MATRIX, 1: other, 2: other}), NOMENCLATURE, str(path))
    text = path.read_text(encoding="utf-8")
    assert "nan" not in text
    assert "Overall accuracy   0.900 +- 0.000" in text
    assert "Forêt, feuillus" in text
    assert "Forêt, feuillus  Water 6.7" in text  # mean row 4.67, 0.33, 0
    # Recall of water: 1, 2/3 and 2/3; t(0.975, 2 dof) = 4.303, s = 0.19245, half width 0.478.
    assert "0.778 +- 0.478" in text
    assert "too few draws" not in text


def test_two_draws_are_told_both_and_have_no_interval(tmp_path):
    path = tmp_path / "RESULTS.txt"
    other = np.array([[3, 2, 0], [1, 2, 0], [0, 0, 2]])
    write_results(Results({0: MATRIX, 1: other}), NOMENCLATURE, str(path))
    text = path.read_text(encoding="utf-8")
    told = "Overall accuracy   0.800 (0.900 and 0.700: too few draws for an interval)\n"
    assert told in text
    assert "+-" not in text.split("How to read this file")[0]


def test_intervals_by_polygon_and_the_error_of_the_confidence_are_told(tmp_path):
    path = tmp_path / "RESULTS.txt"
    certainty = Certainty([0.03, 0.04, NAN], [0.05, 0.1])
    write_results(Results({0: MATRIX}, certainty=certainty), NOMENCLATURE, str(path))
    text = path.read_text(encoding="utf-8")
    assert "Polygons           +- 0.035\n" in text  # sqrt((0.0009 + 0.0016) / 2)
    assert "Confidence off by  0.075\n" in text
    write_results(Results({0: MATRIX}, certainty=Certainty([NAN], [NAN])), NOMENCLATURE, str(path))
    head = path.read_text(encoding="utf-8").split("Classes")[0]
    assert "Polygons" not in head
    assert "Confidence" not in head


def test_results_of_one_seed_have_no_interval(tmp_path):
    path = tmp_path / "RESULTS.txt"
    write_results(
        Results({3: np.array([[4, 1, 0], [0, 3, 0], [0, 0, 0]])}), NOMENCLATURE, str(path)
    )
    text = path.read_text(encoding="utf-8")
    assert "Overall accuracy   0.875\n" in text
    urban = next(line for line in text.splitlines() if line.split()[:2] == ["300", "Urban"])
    assert urban.split() == ["300", "Urban", "-", "-", "-", "0"]


def test_results_refuse_a_matrix_of_other_classes(tmp_path):
    with pytest.raises(InputDataError, match="seed 4"):
        write_results(Results({4: np.eye(2)}), NOMENCLATURE, str(tmp_path / "RESULTS.txt"))


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


NAN = float("nan")


def areas_of(corrected, most, half=(NAN, NAN, NAN)):
    pixels = np.array([300, 100, 0])
    columns = (np.array(column) for column in ([3.0, 1.0, 0.0], corrected, most, half))
    return ClassAreas(pixels, *columns)


def areas_section(text: str) -> list[list[str]]:
    """Columns of the table of areas, split where two blanks stand."""
    lines = text.split("Areas, in hectares")[1].splitlines()[3:6]
    return [re.split(r"  +", line.strip()) for line in lines]


def test_results_tell_the_mean_areas_in_hectares(tmp_path):
    path = tmp_path / "RESULTS.txt"
    areas = {
        0: areas_of([2.0, 2.0, 0.0], [2.0, 2.0, 0.0]),
        1: areas_of([2.6, 1.4, 0.0], [2.6, 1.4, 0.0]),
    }
    write_results(Results({0: MATRIX, 1: MATRIX}, areas=areas), NOMENCLATURE, str(path))
    assert areas_section(path.read_text(encoding="utf-8")) == [
        ["11", "Forêt, feuillus", "3.0", "75.0 %", "2.3"],
        ["31", "Water", "1.0", "25.0 %", "1.7"],
        ["300", "Urban", "0.0", "0.0 %", "0.0"],
    ]


def test_corrected_areas_have_their_intervals(tmp_path):
    path = tmp_path / "RESULTS.txt"
    areas = {0: areas_of([2.0, 2.0, NAN], [2.0, 2.5, 0.7], [0.31, 0.2, NAN])}
    write_results(Results({0: MATRIX}, areas=areas), NOMENCLATURE, str(path))
    told = [row[-1] for row in areas_section(path.read_text(encoding="utf-8"))]
    assert told == ["2.0 +- 0.3", "2.0 to 2.5 +- 0.2", "at most 0.7"]


def test_a_corrected_area_known_within_bounds_is_a_range(tmp_path):
    path = tmp_path / "RESULTS.txt"
    areas = {0: areas_of([2000.0, NAN, NAN], [2001.04, 0.7, NAN])}
    write_results(Results({0: MATRIX}, areas=areas), NOMENCLATURE, str(path))
    text = path.read_text(encoding="utf-8")
    assert [row[-1] for row in areas_section(text)] == ["2 000.0 to 2 001.0", "at most 0.7", "-"]
    assert "nan" not in text
    assert "A to B" in text


def test_a_range_that_reads_as_one_figure_is_one(tmp_path):
    path = tmp_path / "RESULTS.txt"
    areas = {0: areas_of([2.01, 1.0, 0.0], [2.04, 1.0, 0.0])}
    write_results(Results({0: MATRIX}, areas=areas), NOMENCLATURE, str(path))
    assert areas_section(path.read_text(encoding="utf-8"))[0][-1] == "2.0"


def test_no_pixel_without_class_does_not_read_as_less_than_none(tmp_path):
    """The sums over all columns and over those of classes differ in their last bit here."""
    counts = (
        [[6, 0, 7], [6, 1, 5], [4, 0, 8]],
        [[6, 2, 0], [0, 6, 1], [4, 8, 8]],
        [[2, 0, 4], [7, 5, 0], [5, 3, 2]],
    )
    matrices = {seed: np.column_stack([rows, [0, 0, 0]]) for seed, rows in enumerate(counts)}
    path = tmp_path / "RESULTS.txt"
    write_results(Results(matrices), NOMENCLATURE, str(path))
    assert "Without class      0 (0.00 %)\n" in path.read_text(encoding="utf-8")


def test_pixels_without_class_are_counted(tmp_path):
    path = tmp_path / "RESULTS.txt"
    write_results(Results({0: np.column_stack([MATRIX, [1, 0, 1]])}), NOMENCLATURE, str(path))
    text = path.read_text(encoding="utf-8")
    assert "Reference pixels   12\nWithout class      2 (16.67 %)\n" in text
    assert "Overall accuracy   0.900" in text  # left out of the score


def test_a_score_that_rounds_to_zero_has_no_sign(tmp_path):
    # A little worse than chance: (0.49995 - 0.5) / 0.5 = -0.0001.
    matrix = np.array([[4950, 5050, 0], [4950, 5048, 0], [0, 0, 0]])
    write_results(Results({0: matrix}), NOMENCLATURE, str(tmp_path / "RESULTS.txt"))
    assert "Kappa              0.000\n" in (tmp_path / "RESULTS.txt").read_text("utf-8")


def test_remarks_stand_under_their_topic(tmp_path):
    path = tmp_path / "RESULTS.txt"
    remarks = [
        Remark(Topic.IMAGES, "one is left out"),
        Remark(Topic.AREAS, "unknown"),
        Remark(Topic.AREAS, "unknown too"),
    ]
    write_results(Results({0: MATRIX}, remarks), NOMENCLATURE, str(path))
    section = path.read_text(encoding="utf-8").split("Remarks\n-------\n")[1].split("\n\n")[0]
    assert section.splitlines() == [
        "Images", "- one is left out", "Areas", "- unknown", "- unknown too",
    ]  # fmt: skip


def test_matrices_of_the_tiles_are_added_up_and_drawn(tmp_path):
    table = tmp_path / "nomenclature.csv"
    table.write_text("code,name\n11,Wood\n31,Water\n300,Urban\n")
    tiles = [np.column_stack([MATRIX, [0, 0, 7]]), np.column_stack([2 * MATRIX, [1, 0, 0]])]
    for number, matrix in enumerate(tiles):
        write_matrix_csv(matrix, NOMENCLATURE, str(tmp_path / f"{number}.csv"))
    paths = [str(tmp_path / f"{number}.csv") for number in range(2)]
    output, figure = tmp_path / "sum.csv", tmp_path / "sum.png"
    write_sum(paths, str(table), str(output), str(figure), "Seed 0")
    summed, codes = read_matrix_csv(str(output))
    assert codes == (11, 31, 300)
    assert summed.tolist() == [[12, 3, 0, 1], [0, 9, 0, 0], [0, 0, 6, 7]]
    assert figure.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("tiles", "sensors", "user", "expected"),
    [
        (["T31TCJ"], {"sentinel2": {"path": "x"}, "stac": None}, None, "1 tile (T31TCJ) from sentinel2, learnt"),
        (
            ["A", "B"], {"stac": {"path": "x"}, "own_series": {"path": "y"}}, {"patterns": []},
            "2 tiles (A, B) from stac, own_series, user features, learnt",
        ),
        (["A"], None, {"patterns": []}, "from user features, learnt with Trees in 3 draws of"),
    ],
)  # fmt: skip
def test_the_report_begins_with_tiles_and_sensors(tiles, sensors, user, expected):
    text = (ROOT / "workflow" / "report" / "production.rst").read_text(encoding="utf-8")
    config = {
        "tiles": tiles, "sensors": sensors, "user_features": user, "sampling": {"runs": 3},
        "learning": {"learner": "Trees"}, "output": "out",
    }  # fmt: skip
    shown = jinja2.Template(text).render(snakemake=SimpleNamespace(config=config))
    assert expected in " ".join(shown.split())
    assert "``out/final``" in shown


def test_of_hundreds_of_classes_a_figure_shows_those_with_most_pixels(tmp_path, monkeypatch):
    """312 classes would be a picture of 17 000 pixels a side."""
    assert figures._shown(np.array([5, 0, 7, 5, 1])).tolist() == [0, 1, 2, 3, 4]
    monkeypatch.setattr(figures, "MOST_CLASSES", 3)
    assert figures._shown(np.array([5, 0, 7, 5, 1])).tolist() == [0, 2, 3]
    five = Nomenclature(tuple(LandCoverClass(n, f"class {n}", (n, n, n)) for n in range(1, 6)))
    three = Nomenclature(five.classes[:3])
    many = np.diag([5, 0, 7, 5, 1])
    for write, of in (
        (figures.write_matrix_figure, lambda m: m),
        (figures.write_scores_figure, lambda m: {0: m}),
    ):
        write(of(many), five, str(tmp_path / "five.png"))
        write(of(many[:3, :3]), three, str(tmp_path / "three.png"))
        with (
            Image.open(tmp_path / "five.png") as bounded,
            Image.open(tmp_path / "three.png") as small,
        ):
            assert bounded.size == small.size
    told = figures._told("Matrix", np.arange(3), five)
    assert told == "Matrix: 3 of 5 classes, those with most pixels"
    assert figures._told("Matrix", np.arange(5), five) == "Matrix"


def test_the_summary_names_the_report_where_there_is_one(tmp_path):
    final = tmp_path / "final"
    (final / "report").mkdir(parents=True)
    for name in (
        "Classif_Seed_0.tif",
        "Classif_Seed_0.png",
        "Confidence_Seed_0.tif",
        "PixelsValidity.tif",
    ):
        (final / name).touch()
    (final / "RESULTS.txt").write_text("Overall accuracy   0.9\n")
    assert "index.html" not in summary(tmp_path)
    (final / "report" / "index.html").touch()
    assert f"  report     {final}/report/index.html\n" in summary(tmp_path)


def test_results_without_a_reference_tell_areas_and_nothing_of_accuracy(tmp_path):
    """Means of 3 and 1 ha of two maps: 2 ha of 4, and of the rest."""
    path = tmp_path / "RESULTS.txt"
    nothing = np.full(3, NAN)
    areas = {
        0: ClassAreas(
            np.array([300, 100, 0]), np.array([3.0, 1.0, 0.0]), nothing, nothing, nothing
        ),
        1: ClassAreas(
            np.array([100, 300, 0]), np.array([1.0, 3.0, 0.0]), nothing, nothing, nothing
        ),
    }
    remarks = [Remark(Topic.IMAGES, "one is left out")]
    write_areas_text(areas, NOMENCLATURE, str(path), remarks)
    text = path.read_text(encoding="utf-8")
    assert areas_section(text) == [
        ["11", "Forêt, feuillus", "2.0", "50.0 %"],
        ["31", "Water", "2.0", "50.0 %"],
        ["300", "Urban", "0.0", "0.0 %"],
    ]
    assert "Seeds              0, 1\nAccuracy           unknown: there is no reference\n" in text
    assert "Images\n- one is left out" in text
    for word in ("Kappa", "Precision", "Corrected", "nan"):
        assert word not in text
