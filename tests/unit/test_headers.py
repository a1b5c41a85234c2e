"""An image is held against its format and its tile, by its header."""

import numpy as np
import pytest
from osgeo import gdal
from tiny import LEFT, NODATA, TOP, write_image

from iota2_tools.geo.grid import grid_of
from iota2_tools.products import Pixels
from iota2_tools.timeseries.headers import Expected, image_faults

NAMES = {"float32": "Float32", "uint16": "UInt16", "uint8": "Byte", "int32": "Int32"}
VALUES = np.full((8, 8), 1000, np.int16)


@pytest.fixture
def grid(tmp_path):
    return grid_of(write_image(tmp_path / "tile.tif", VALUES))


def faults(path, grid, factors=(1,)):
    pixels = Pixels(("Int16",), "reflectance x 10000", scale=1e-4, nodata=NODATA)
    return image_faults(str(path), Expected(pixels, grid, factors))


def test_an_image_on_its_tile_has_no_fault(tmp_path, grid):
    path = write_image(tmp_path / "B4.tif", VALUES, nodata=NODATA)
    assert faults(path, grid) == []


def test_a_coarse_band_has_pixels_twice_as_large(tmp_path, grid):
    path = write_image(tmp_path / "B11.tif", VALUES[:4, :4], 20)
    assert faults(path, grid, (2, 1)) == []
    assert "lies elsewhere" in faults(path, grid)[0]


@pytest.mark.parametrize("size", [(7, 9), (9, 7)])
def test_a_coarse_band_of_a_tile_of_odd_size_may_end_before_or_after_it(tmp_path, size):
    grid = grid_of(write_image(tmp_path / "odd.tif", np.zeros(size, np.int16)))
    for rows, cols in ((3, 4), (4, 5), (4, 4)):
        path = write_image(tmp_path / "B11.tif", np.zeros((rows, cols), np.int16), 20)
        inside = abs(2 * rows - size[0]) < 2 and abs(2 * cols - size[1]) < 2
        assert (faults(path, grid, (2,)) == []) == inside


@pytest.mark.parametrize("shape", [(3, 4), (5, 4), (4, 3), (4, 5)])
def test_a_coarse_band_that_lacks_a_row_or_column_or_has_one_more_is_named(tmp_path, grid, shape):
    path = write_image(tmp_path / "B11.tif", np.zeros(shape, np.int16), 20)
    found = faults(path, grid, (2,))
    assert len(found) == 1
    assert "lies elsewhere" in found[0]


@pytest.mark.parametrize(
    "place",
    [
        {"left": LEFT + 15_000},
        {"left": LEFT + 5},
        {"top": TOP - 10},
        {"resolution": 20.0},
        {"resolution": 10.01},
        {"epsg": 32632},
    ],
)
def test_an_image_elsewhere_is_named_with_both_places(tmp_path, grid, place):
    path = write_image(tmp_path / "B4.tif", VALUES, **place)
    (fault,) = faults(path, grid, (1,))
    assert str(path) in fault
    assert ("its tile in EPSG:32631" if "epsg" in place else "the tile has 8 x 8") in fault


def test_a_cut_out_is_named(tmp_path, grid):
    path = write_image(tmp_path / "B4.tif", VALUES[:5, :5])
    assert "5 x 5 pixels of 10" in faults(path, grid)[0]


@pytest.mark.parametrize("dtype", ["float32", "uint16", "uint8", "int32"])
def test_another_type_is_named_with_the_one_expected(tmp_path, grid, dtype):
    path = write_image(tmp_path / "B4.tif", VALUES.astype(dtype))
    (fault,) = faults(path, grid)
    assert "Int16 is expected (reflectance x 10000)" in fault
    assert f"holds {NAMES[dtype]}, " in fault


@pytest.mark.parametrize(
    ("scale", "offset", "told"),
    [
        (None, None, ""),
        (1.0, 0.0, ""),
        (1e-4, 0.0, ""),
        (1e-3, 0.0, "a scale of 0.001"),
        (None, -1000.0, "an offset of -1000"),
        (1e-4, -0.1, "an offset of -0.1"),
    ],
)
def test_scale_and_offset_that_a_file_states_are_looked_at(tmp_path, grid, scale, offset, told):
    path = write_image(tmp_path / "B4.tif", VALUES)
    dataset = gdal.Open(path, gdal.GA_Update)
    if scale is not None:
        dataset.GetRasterBand(1).SetScale(scale)
    if offset is not None:
        dataset.GetRasterBand(1).SetOffset(offset)
    dataset = None
    found = faults(path, grid)
    assert (told in found[0]) if told else found == []


def test_another_nodata_is_named(tmp_path, grid):
    path = write_image(tmp_path / "B4.tif", VALUES, nodata=0)
    assert "states 0 as nodata, this format has -10000" in faults(path, grid)[0]


def test_several_bands_are_named(tmp_path, grid):
    path = write_image(tmp_path / "B4.tif", np.stack([VALUES, VALUES]))
    assert "has 2 bands" in faults(path, grid)[0]


def test_an_image_without_projection_is_named(tmp_path, grid):
    path = write_image(tmp_path / "B4.tif", VALUES)
    dataset = gdal.Open(path, gdal.GA_Update)
    dataset.SetProjection("")
    dataset = None
    assert "no coordinate reference system" in faults(path, grid)[0]


def test_all_faults_of_an_image_are_told_at_once(tmp_path, grid):
    path = write_image(tmp_path / "B4.tif", VALUES.astype(np.float32), left=LEFT + 100)
    assert len(faults(path, grid)) == 2
