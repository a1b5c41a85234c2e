"""Areas of the classes: published values, and maps small enough to count by hand."""

import csv

import numpy as np
import pytest

from iota2_tools.assessing.areas import (
    area_adjusted,
    count_classes,
    hectares_of_a_pixel,
    measure_areas,
    read_areas,
    write_areas,
)
from iota2_tools.assessing.scores import write_matrix_csv
from iota2_tools.config.nomenclature import read_nomenclature
from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.grid import Grid
from iota2_tools.geo.raster import create_raster


def write_map(path, values, crs="EPSG:32631", resolution=10.0) -> str:
    values = np.asarray(values, np.uint16)
    grid = Grid(crs, 0.0, 100.0, resolution, *values.shape)
    with create_raster(str(path), grid, "uint16", nodata=0) as raster:
        raster.write(values, grid.window)
    return str(path)


def test_pixels_are_counted_by_class_nodata_left_out(tmp_path):
    path = write_map(tmp_path / "map.tif", [[0, 11, 11], [300, 11, 0]])
    assert count_classes(path, (11, 31, 300)).tolist() == [3, 0, 1]


def test_windows_add_up_to_the_whole_map(tmp_path):
    values = np.random.default_rng(0).integers(0, 4, (700, 530))
    path = write_map(tmp_path / "map.tif", values)
    assert count_classes(path, (1, 2, 3)).tolist() == np.bincount(values.ravel())[1:].tolist()


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
    write_areas(path, matrix, str(table), output)
    with open(output, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    # Mapped: 8 and 4 pixels of 0.01 ha. Wood in truth: 8 x 0.8 = 6.4 pixels, water 1.6 + 4.
    assert rows[0] == {
        "code": "1", "name": "Wood", "pixels": "8", "share": "0.666667",
        "mapped_ha": "0.08", "corrected_ha": "0.06",
    }  # fmt: skip
    assert read_areas(output).mapped.tolist() == [0.08, 0.04]


def test_a_class_without_validation_pixels_leaves_areas_uncorrected():
    areas = measure_areas(np.array([10, 10]), 0.01, np.array([[5, 0], [1, 0]]))
    assert areas.mapped.tolist() == [0.1, 0.1]
    assert np.isnan(areas.corrected).all()


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


def test_a_mapped_class_without_reference_units_has_no_area_estimate():
    with pytest.raises(InputDataError, match=r"column\(s\) 2"):
        area_adjusted(np.array([[5, 0], [1, 0]]), [10, 10])
