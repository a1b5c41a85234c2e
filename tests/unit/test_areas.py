"""Areas of the classes: published values, and maps small enough to count by hand."""

import csv
from pathlib import Path

import numpy as np
import pytest

from iota2_tools.assessing import areas as module
from iota2_tools.assessing.areas import (
    HEADER,
    ClassAreas,
    area_adjusted,
    count_classes,
    hectares_of_a_pixel,
    mean_areas,
    measure_areas,
    notes,
    read_areas,
    write_areas,
)
from iota2_tools.assessing.clusters import PolygonCounts, summed, write_polygon_counts
from iota2_tools.assessing.scores import write_matrix_csv
from iota2_tools.config.nomenclature import LandCoverClass, Nomenclature, read_nomenclature
from iota2_tools.geo.grid import Grid
from iota2_tools.geo.raster import create_raster

NAN = float("nan")
CLASSES = Nomenclature(
    tuple(
        LandCoverClass(code, name, (0, 0, 0))
        for code, name in ((1, "Wood"), (2, "Water"), (3, "Urban"))
    )
)
# Rows: reference. Of 10 pixels mapped as wood 7 are wood, 2 water, 1 urban; of 5 as water 1 and 4.
NOTHING_AS_URBAN = np.array([[7, 1, 0, 0], [2, 4, 0, 0], [1, 0, 0, 9]])


def write_map(path, values, crs="EPSG:32631", resolution=10.0) -> str:
    values = np.asarray(values, np.uint16)
    grid = Grid(crs, 0.0, 100.0, resolution, *values.shape)
    with create_raster(str(path), grid, "uint16", nodata=0) as raster:
        raster.write(values, grid.window)
    return str(path)


def test_pixels_are_counted_by_class_nodata_left_out(tmp_path):
    path = write_map(tmp_path / "map.tif", [[0, 11, 11], [300, 11, 0]])
    assert count_classes(path, (11, 31, 300)).tolist() == [3, 0, 1]


@pytest.mark.parametrize("block", [1, 3, 512])
def test_windows_add_up_to_the_whole_map(tmp_path, monkeypatch, block):
    monkeypatch.setattr(module, "BLOCK", block)
    values = np.arange(64).reshape(8, 8) % 5  # 13 of each of 0 to 3, 12 of 4
    path = write_map(tmp_path / "map.tif", values)
    assert count_classes(path, (1, 2, 4)).tolist() == [13, 13, 12]


@pytest.mark.parametrize(
    ("crs", "resolution", "hectares"),
    [
        ("EPSG:32631", 10.0, 0.01),
        ("EPSG:32631", 30.0, 0.09),
        ("EPSG:2225", 100.0, 0.0929034),  # US survey feet: 100 ft x 100 ft = 929.0341 m2
    ],
)
def test_a_pixel_in_hectares(tmp_path, crs, resolution, hectares):
    path = write_map(tmp_path / "map.tif", [[1]], crs, resolution)
    assert hectares_of_a_pixel(path) == pytest.approx(hectares, rel=1e-6)


def test_degrees_have_no_hectares(tmp_path):
    path = write_map(tmp_path / "map.tif", [[1]], "EPSG:4326", 0.1)
    assert np.isnan(hectares_of_a_pixel(path))


def test_the_table_of_a_map(tmp_path):
    table = tmp_path / "nomenclature.csv"
    table.write_text("code,name,colour\n1,Wood,#006600\n2,Water,#0000ff\n")
    matrix = str(tmp_path / "matrix.csv")
    # Of 10 pixels mapped as wood 2 are water; all 5 mapped as water are water.
    write_matrix_csv(np.array([[8, 0, 0], [2, 5, 0]]), read_nomenclature(str(table)), matrix)
    path = write_map(tmp_path / "map.tif", [[1, 1, 1, 2], [1, 1, 1, 2], [1, 1, 2, 2]])
    output = str(tmp_path / "areas.csv")
    # By polygon: of 4 pixels mapped as wood 1 is water, and of 6; 5 of water alone.
    rows = np.array(
        [[1, 1, 1, 3], [2, 2, 1, 1], [3, 1, 1, 5], [4, 2, 1, 1], [5, 2, 2, 2], [6, 2, 2, 3]]
    )
    write_polygon_counts(rows, str(tmp_path / "polygons.csv"))
    write_areas(path, matrix, [str(tmp_path / "polygons.csv")], str(table), output)
    with open(output, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    # Mapped: 8 and 4 pixels of 0.01 ha. Wood in truth: 8 x 0.8 = 6.4 pixels, water 1.6 + 4.
    assert rows[0] == {
        "code": "1", "name": "Wood", "pixels": "8", "share": "0.666667",
        "mapped_ha": "0.08", "corrected_ha": "0.06", "corrected_max_ha": "0.06",
        # Deviations of wood 3 x .2, -.8, 5 x .2, -.8 times 2/3 / 10: t(5) x sqrt(2.64 x 6 / 5) / 15 x .12 ha.
        "half_width_ha": "0.04", "note": "",
    }  # fmt: skip
    assert read_areas(output).mapped.tolist() == [0.08, 0.04]
    assert read_areas(output).corrected.tolist() == [0.06, 0.06]


def test_an_interval_of_zero_is_told_to_be_no_certainty(tmp_path):
    """Three classes: wood and water are taken for one another in a polygon, urban is always right."""
    table = tmp_path / "nomenclature.csv"
    table.write_text("code,name\n1,Wood\n2,Water\n3,Urban\n")
    matrix = str(tmp_path / "matrix.csv")
    counted = np.array([[8, 0, 0, 0], [2, 5, 0, 0], [0, 0, 7, 0]])
    write_matrix_csv(counted, read_nomenclature(str(table)), matrix)
    rows = [[1, 1, 1, 8], [2, 2, 1, 2], [3, 2, 2, 2], [6, 2, 2, 3], [4, 3, 3, 3], [5, 3, 3, 4]]
    write_polygon_counts(np.array(rows), str(tmp_path / "polygons.csv"))
    path = write_map(tmp_path / "map.tif", [[1, 1, 2, 3, 3]], resolution=100)
    output = str(tmp_path / "areas.csv")
    write_areas(path, matrix, [str(tmp_path / "polygons.csv")], str(table), output)
    with open(output, encoding="utf-8", newline="") as file:
        told = {row["name"]: (row["half_width_ha"], row["note"]) for row in csv.DictReader(file)}
    assert told["Urban"][0] == "0.00"
    assert told["Urban"][1].endswith("+- 0 is no certainty")
    assert told["Wood"][1] == told["Water"][1] == ""


def test_the_table_of_a_map_tells_why_an_area_is_missing_or_a_range(tmp_path):
    table = tmp_path / "nomenclature.csv"
    table.write_text("code,name\n1,Wood\n2,Water\n3,Urban\n")
    matrix = str(tmp_path / "matrix.csv")
    write_matrix_csv(NOTHING_AS_URBAN, CLASSES, matrix)
    # Pixels of a hectare: 100 wood, 50 water, 10 urban.
    values = np.repeat([1, 2, 3], [100, 50, 10]).reshape(16, 10)
    output = str(tmp_path / "areas.csv")
    write_polygon_counts(summed([]), str(tmp_path / "polygons.csv"))
    path = write_map(tmp_path / "map.tif", values, resolution=100)
    write_areas(path, matrix, [str(tmp_path / "polygons.csv")], str(table), output)
    with open(output, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert tuple(rows[0]) == HEADER
    told = "corrected_max_ha if all mapped as Urban is of this class"
    assert [row[4:] for row in rows[1:]] == [
        ["100.00", "80.00", "90.00", "", told],
        ["50.00", "60.00", "70.00", "", told],
        ["10.00", "", "20.00", "", "no validation pixel is mapped as this class"],
    ]
    again = read_areas(output)
    assert again.corrected == pytest.approx([80, 60, NAN], nan_ok=True)
    assert again.corrected_most.tolist() == [90, 70, 20]


def test_the_catalogue_names_the_columns_of_the_table():
    catalogue = Path(__file__).parents[2] / "docs" / "products.md"
    assert f"`{','.join(HEADER)}`" in catalogue.read_text(encoding="utf-8")


def test_a_class_mapped_without_validation_pixel_leaves_the_others_a_range():
    # Wood: 100 x 0.7 + 50 x 0.2 = 80; water: 100 x 0.2 + 50 x 0.8 = 60; urban: 100 x 0.1 = 10.
    # The 10 pixels mapped as urban may be of any of them; together 150 + 10 as mapped.
    areas = measure_areas(np.array([100, 50, 10]), 1.0, NOTHING_AS_URBAN)
    assert areas.mapped.tolist() == [100, 50, 10]
    assert areas.corrected[:2] == pytest.approx([80, 60])
    assert np.isnan(areas.corrected[2])
    assert areas.corrected_most == pytest.approx([90, 70, 20])


def test_a_class_never_mapped_leaves_nothing_open():
    areas = measure_areas(np.array([100, 50, 0]), 1.0, NOTHING_AS_URBAN)
    assert areas.corrected == pytest.approx([80, 60, 10])
    assert areas.corrected_most == pytest.approx([80, 60, 10])
    assert notes(NOTHING_AS_URBAN, areas.pixels, CLASSES) == ["", "", ""]


def test_a_single_validation_pixel_mapped_as_a_class_is_enough_for_its_area():
    matrix = np.array([[7, 1, 0], [2, 4, 0], [1, 0, 1]])
    areas = measure_areas(np.array([100, 50, 10]), 1.0, matrix)
    assert areas.corrected == pytest.approx([80, 60, 20])  # urban: 100 x 0.1 + 10 x 1
    assert areas.corrected_most == pytest.approx([80, 60, 20])


def test_pixels_of_other_classes_are_no_sample_of_a_class_no_polygon_validates():
    """Else all that is mapped as water would be wood, for none of it could be found right."""
    matrix = np.array([[8, 1, 0], [0, 0, 0], [2, 0, 5]])
    pixels = np.array([100, 50, 10])
    areas = measure_areas(pixels, 1.0, matrix)
    # Wood: 100 x 0.8; urban: 100 x 0.2 + 10. The 50 pixels of water may be of either.
    assert areas.corrected == pytest.approx([80, NAN, 30], nan_ok=True)
    assert areas.corrected_most == pytest.approx([130, NAN, 80], nan_ok=True)
    told = "corrected_max_ha if all mapped as Water is of this class"
    assert notes(matrix, pixels, CLASSES) == [told, "no validation pixel is of this class", told]


def test_a_class_no_polygon_validates_has_no_area_even_if_never_mapped():
    areas = measure_areas(np.array([100, 0, 10]), 1.0, np.array([[8, 0, 0], [0, 0, 0], [2, 0, 5]]))
    assert areas.corrected == pytest.approx([80, NAN, 30], nan_ok=True)
    assert areas.corrected_most == pytest.approx([80, NAN, 30], nan_ok=True)


@pytest.mark.parametrize("matrix", [np.zeros((2, 3), int), np.array([[0, 0, 4], [0, 0, 2]])])
def test_without_validation_pixels_nothing_is_corrected(matrix):
    areas = measure_areas(np.array([10, 10]), 0.01, matrix)
    assert areas.mapped.tolist() == [0.1, 0.1]
    assert np.isnan([areas.corrected, areas.corrected_most]).all()


@pytest.mark.parametrize("urban", [0, 10])
def test_a_class_without_area_has_no_interval_either(urban):
    """Urban is mapped, or not; its one polygon is mapped as wood: then it has an area only if it is not mapped.

    Water is neither mapped nor validated.
    """
    rows = np.array([[1, 1, 1, 6], [2, 1, 1, 2], [3, 3, 1, 2]])
    matrix = np.array([[8, 0, 0], [0, 0, 0], [2, 0, 0]])
    polygons = PolygonCounts(*summed([rows]).T)
    areas = measure_areas(np.array([100, 0, urban]), 1.0, matrix, (1, 2, 3), polygons)
    known = np.array([True, False, not urban])
    assert (~np.isnan(areas.corrected)).tolist() == known.tolist()
    assert (~np.isnan(areas.half_width)).tolist() == known.tolist()


def test_the_mean_is_that_of_the_seeds_that_have_a_value():
    def seed(pixels, *hectares):
        return ClassAreas(np.array(pixels), np.array(pixels) * 1.0, *map(np.array, hectares))

    mean = mean_areas(
        {
            0: seed([4, 2, 2, 1], [5.0, 1.0, NAN, NAN], [5.0, 1.0, 3.0, NAN], [3.0, 0.5, NAN, NAN]),
            1: seed([6, 3, 2, 1], [6.0, NAN, NAN, NAN], [8.0, 4.0, 5.0, NAN], [4.0, NAN, NAN, NAN]),
        }
    )
    assert mean.pixels.tolist() == [5, 2, 2, 1]  # 2.5 rounds to even
    assert mean.mapped.tolist() == [5.0, 2.5, 2.0, 1.0]
    assert mean.corrected == pytest.approx([5.5, 1.0, NAN, NAN], nan_ok=True)
    # Of the second class the one seed with a value counts; of the third none has one.
    assert mean.corrected_most == pytest.approx([6.5, 1.0, 4.0, NAN], nan_ok=True)
    assert mean.half_width == pytest.approx([12.5**0.5, 0.5, NAN, NAN], nan_ok=True)


def test_areas_are_those_published_by_olofsson_2014():
    # Tables 8 and 9 and section 5.1: deforestation, forest gain, stable forest, stable non-forest;
    # the paper's rows are the map. 30 m pixels are 0.09 ha.
    paper = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])
    result = area_adjusted(paper.T, [200_000, 150_000, 3_200_000, 6_450_000])
    assert result.overall_accuracy.mean == pytest.approx(0.95, abs=0.005)
    assert result.overall_accuracy.half_width == pytest.approx(0.02, abs=0.005)
    assert result.precision == pytest.approx([0.88, 0.73, 0.93, 0.96], abs=0.005)
    assert result.precision_half_width == pytest.approx([0.07, 0.10, 0.04, 0.02], abs=0.005)
    assert result.recall == pytest.approx([0.75, 0.85, 0.93, 0.96], abs=0.005)
    # For forest gain and non-forest the paper prints 0.23 and 0.01; its equation 7 gives these.
    assert result.recall_half_width == pytest.approx([0.21, 0.25, 0.03, 0.02], abs=0.005)
    assert result.area * 0.09 == pytest.approx([21158, 11686, 285770, 581386], abs=1)
    assert result.area_half_width * 0.09 == pytest.approx([6158, 3756, 15510, 16282], abs=1)
    assert result.area_most.tolist() == result.area.tolist()


def test_a_stratum_without_units_bounds_the_areas_and_leaves_what_needs_it_without_value():
    result = area_adjusted(NOTHING_AS_URBAN, [100, 50, 10])
    assert result.area[:2] == pytest.approx([80, 60])
    assert result.area_most == pytest.approx([90, 70, 20])
    assert result.precision[:2] == pytest.approx([0.7, 0.8])
    # 1.96 x sqrt(0.7 x 0.3 / 9), 1.96 x sqrt(0.8 x 0.2 / 4)
    assert result.precision_half_width[:2] == pytest.approx([0.29940, 0.392], abs=1e-4)
    assert str(result.overall_accuracy) == "-"
    without = (result.area[2], result.precision[2], result.precision_half_width[2])
    assert np.isnan([*without, *result.recall, *result.recall_half_width]).all()
    assert np.isnan(result.area_half_width).all()


def test_a_stratum_of_one_unit_has_a_share_and_no_variance():
    result = area_adjusted(np.array([[7, 1, 0], [2, 4, 0], [1, 0, 1]]), [100, 50, 10])
    assert result.area == pytest.approx([80, 60, 20])
    assert result.overall_accuracy.mean == pytest.approx((70 + 40 + 10) / 160)
    assert result.recall == pytest.approx([70 / 80, 40 / 60, 10 / 20])
    assert np.isnan(result.overall_accuracy.half_width)
    assert np.isnan([*result.area_half_width, *result.recall_half_width]).all()
    assert np.isnan(result.precision_half_width).tolist() == [False, False, True]


def test_a_class_never_mapped_needs_no_units_for_a_variance():
    result = area_adjusted(np.array([[9, 0], [1, 0]]), [100, 0])
    assert result.area == pytest.approx([90, 10])
    # Shares 0.9 and 0.1 of one stratum of 10 units: 1.96 x 100 x sqrt(0.09 / 9) each.
    assert result.area_half_width == pytest.approx([19.6, 19.6])


def test_without_a_reference_areas_are_those_of_the_pixels_and_say_so(tmp_path, caplog):
    table = tmp_path / "nomenclature.csv"
    table.write_text("code,name,colour\n1,Wood,#006600\n2,Water,#0000ff\n")
    path = write_map(tmp_path / "map.tif", [[1, 1, 0, 1]])
    output = str(tmp_path / "areas.csv")
    write_areas(path, None, [], str(table), output)
    with open(output, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    note = "not corrected: there is no reference"
    empty = {"corrected_ha": "", "corrected_max_ha": "", "half_width_ha": "", "note": note}
    assert rows == [
        {"code": "1", "name": "Wood", "pixels": "3", "share": "1.000000", "mapped_ha": "0.03"}
        | empty,
        {"code": "2", "name": "Water", "pixels": "0", "share": "0.000000", "mapped_ha": "0.00"}
        | empty,
    ]
    assert not caplog.messages  # one sentence for all classes is enough, in the table
