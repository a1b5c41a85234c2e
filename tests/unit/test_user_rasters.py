"""Rasters of the user: any type and resolution, and a rule for what is missing."""

import numpy as np
import pytest
from osgeo import gdal
from tiny import LEFT, TOP, write_image

from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.grid import Window, grid_of, part_of
from iota2_tools.timeseries import user_rasters
from iota2_tools.timeseries.user_rasters import (
    look_at_user_raster,
    read_together,
    seen_by_all,
    user_bands,
)


@pytest.fixture
def grid(tmp_path):
    return grid_of(write_image(tmp_path / "tile.tif", np.zeros((8, 8), np.int16)))


def band_of(path, grid, interpolation="bicubic", missing="leave_out", number=0):
    image = look_at_user_raster(path, interpolation, missing, grid)
    return user_bands({"X": image}, grid)[0][number]


def holed(dtype, nodata, hole):
    values = np.full((8, 8), 100, dtype)
    values[:, 4:] = 200
    values[0, 0] = hole
    return values, nodata


HOLES = {
    "uint8": (255, 255),
    "int16": (-32768, -32768),
    "float32": (-9999, -9999),
    "float64": (-1.7976931348623157e308, -1.7976931348623157e308),
    "nan": (None, np.nan),
}


@pytest.mark.parametrize("kind", HOLES)
@pytest.mark.parametrize(
    ("missing", "expected"),
    # 31 pixels of 100 and 32 of 200: mean 9500/63 = 150.79
    [("mean", 150.79), (-1.0, -1.0), ("keep", np.nan)],
)
def test_a_pixel_without_data_gets_what_the_user_chose(tmp_path, grid, kind, missing, expected):
    nodata, hole = HOLES[kind]
    dtype = "float32" if kind == "nan" else kind
    values, _ = holed(dtype, nodata, hole)
    path = write_image(tmp_path / "dem.tif", values, nodata=nodata)
    band = band_of(path, grid, missing=missing)
    found = band.read(grid.window)
    if missing == "mean" and kind in ("uint8", "int16"):
        expected = 151  # whole numbers stay whole
    assert found[0, 0] == pytest.approx(expected, abs=0.01, nan_ok=True)
    assert (found[1:, :4] == 100).all()
    assert (found[:, 4:] == 200).all()
    assert not band.leaves_out


def test_a_pixel_without_data_is_left_out_unless_the_user_says_otherwise(tmp_path, grid):
    values, nodata = holed("float32", -9999, -9999)
    band = band_of(write_image(tmp_path / "dem.tif", values, nodata=nodata), grid)
    assert band.leaves_out
    assert np.argwhere(~band.seen(grid.window)).tolist() == [[0, 0]]


@pytest.mark.parametrize(
    ("dtype", "missing", "expected"),
    [
        ("uint8", "leave_out", "int16"),
        ("int16", 32_767.0, "int16"),
        ("int16", 32_768.0, "float32"),
        ("int16", -32_768.0, "int16"),
        ("int16", -32_769.0, "float32"),
        ("int16", -1.0, "int16"),
        ("int16", 0.5, "float32"),
        ("int16", "keep", "float32"),
        ("uint16", "leave_out", "float32"),
        ("float64", "mean", "float32"),
    ],
)
def test_type_of_a_feature_holds_all_its_values(tmp_path, grid, dtype, missing, expected):
    path = write_image(tmp_path / "dem.tif", np.ones((8, 8), dtype))
    assert band_of(path, grid, missing=missing).dtype == expected


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_twice_the_resolution_is_read_whatever_the_type(tmp_path, grid, dtype):
    path = write_image(tmp_path / "dem.tif", np.full((4, 4), 50, dtype), 20)
    assert (band_of(path, grid).read(grid.window) == 50).all()


def test_outside_a_raster_is_missing_and_not_one(tmp_path, grid):
    path = write_image(tmp_path / "dem.tif", np.full((8, 4), 500, np.int16))
    band = band_of(path, grid, missing=-7.0)
    assert band.read(grid.window)[0].tolist() == [500] * 4 + [-7] * 4


def test_soil_codes_stay_codes_if_asked(tmp_path, grid):
    codes = np.array([[1, 9, 1], [9, 1, 9], [1, 9, 1]], np.uint8)
    path = write_image(tmp_path / "soil.tif", codes, 27)
    found = band_of(path, grid, interpolation="nearest").read(grid.window)
    assert set(np.unique(found)) == {1, 9}


def test_codes_that_a_float_cannot_tell_apart_are_refused(tmp_path, grid):
    path = write_image(tmp_path / "soil.tif", np.full((8, 8), 2**24 + 1, np.uint32))
    with pytest.raises(InputDataError, match="cannot be told apart"):
        look_at_user_raster(path, "nearest", "leave_out", grid)
    look_at_user_raster(path, "bicubic", "leave_out", grid)


def test_codes_that_a_float_can_tell_apart_stay_as_they_are(tmp_path, grid):
    codes = np.full((8, 8), 2**24, np.uint32)
    codes[:, 4:] -= 1
    path = write_image(tmp_path / "soil.tif", codes)
    found = band_of(path, grid, interpolation="nearest").read(grid.window)
    assert found[0].tolist() == [2**24] * 4 + [2**24 - 1] * 4


@pytest.mark.parametrize(
    "place", [{"left": LEFT + 80}, {"left": LEFT - 80}, {"top": TOP + 80}, {"top": TOP - 80}]
)
def test_a_raster_beside_its_tile_is_refused(tmp_path, grid, place):
    path = write_image(tmp_path / "dem.tif", np.ones((8, 8), np.int16), **place)
    with pytest.raises(InputDataError, match="does not touch its tile"):
        look_at_user_raster(path, "bicubic", "leave_out", grid)


def test_a_raster_in_degrees_lies_on_its_tile(tmp_path, grid):
    gdal.Warp(
        str(tmp_path / "degrees.tif"), str(tmp_path / "tile.tif"), dstSRS="EPSG:4326",
        outputType=gdal.GDT_Float32,
    )  # fmt: skip
    image = look_at_user_raster(str(tmp_path / "degrees.tif"), "bicubic", "leave_out", grid)
    assert image.types == ("Float32",)


def test_a_raster_without_data_has_no_mean(tmp_path, grid):
    path = write_image(tmp_path / "dem.tif", np.full((8, 8), 3, np.int16), nodata=3)
    with pytest.raises(InputDataError, match="no mean"):
        look_at_user_raster(path, "bicubic", "mean", grid)


def test_a_raster_without_projection_is_refused(tmp_path, grid):
    path = write_image(tmp_path / "dem.tif", np.ones((8, 8), np.int16))
    dataset = gdal.Open(path, gdal.GA_Update)
    dataset.SetProjection("")
    dataset = None
    with pytest.raises(InputDataError, match="no coordinate reference system"):
        look_at_user_raster(path, "bicubic", "leave_out", grid)


def test_complex_numbers_are_refused(tmp_path, grid):
    path = str(tmp_path / "slc.tif")
    dataset = gdal.GetDriverByName("GTiff").Create(path, 8, 8, 1, gdal.GDT_CFloat32)
    dataset.SetGeoTransform((LEFT, 10, 0, TOP, 0, -10))
    dataset.SetProjection(grid.crs)
    dataset = None
    with pytest.raises(InputDataError, match="complex"):
        look_at_user_raster(path, "bicubic", "leave_out", grid)


def test_each_band_is_a_feature_with_a_name(tmp_path, grid):
    path = write_image(tmp_path / "x.tif", np.zeros((3, 8, 8), np.int16))
    image = look_at_user_raster(path, "bicubic", "leave_out", grid)
    bands, names = user_bands({"EMB": image}, grid)
    assert names == ["EMB_band_1", "EMB_band_2", "EMB_band_3"]
    assert len(bands) == 3


def over_all(tmp_path, values, row=3, col=5, **options):
    """A raster of 20 x 24 pixels over several tiles; the tile begins at a row and column of it."""
    return write_image(
        tmp_path / "all.tif", values, left=LEFT - 10 * col, top=TOP + 10 * row, **options
    )


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "float32"])
def test_of_a_raster_over_all_tiles_each_reads_its_part(tmp_path, grid, dtype):
    values = np.random.default_rng(1).integers(-120, 120, (20, 24)).astype(dtype)
    path = over_all(tmp_path, values)
    expected = values[3:11, 5:13]
    band = band_of(path, grid)
    np.testing.assert_array_equal(band.read(grid.window), expected)
    assert band.seen(grid.window).all()
    for window in grid.windows(3, 5):
        np.testing.assert_array_equal(band.read(window), expected[window.slices])


def test_a_hole_beside_a_pixel_does_not_reach_it(tmp_path, grid):
    """NaN at weight 0 of a kernel would be NaN."""
    values = np.arange(480, dtype=np.float32).reshape(20, 24)
    values[2, 5] = values[5, 7] = np.nan
    band = band_of(over_all(tmp_path, values), grid, missing="keep")
    assert np.argwhere(np.isnan(band.read(grid.window))).tolist() == [[2, 2]]


@pytest.mark.parametrize("shift", [(3.5, 5), (3, 5.25)])
def test_a_raster_whose_pixels_lie_between_those_of_the_tile_is_interpolated(tmp_path, grid, shift):
    """A plane stays a plane under a bicubic kernel: its value at the centres of the tile's pixels."""
    rows, cols = np.mgrid[:20, :24]
    path = over_all(tmp_path, (100.0 + 8 * rows + 4 * cols).astype(np.float32), *shift)
    row, col = shift
    expected = 100 + 8 * (row + np.arange(8))[:, None] + 4 * (col + np.arange(8))
    np.testing.assert_allclose(band_of(path, grid).read(grid.window), expected, atol=1e-3)


def test_the_mean_is_that_over_the_tile(tmp_path, grid):
    """Of what lies elsewhere nothing counts; 63 pixels of 7 and a hole."""
    values = np.full((20, 24), 1000, np.int16)
    values[3:11, 5:13] = 7
    values[4, 6] = -1
    band = band_of(over_all(tmp_path, values, nodata=-1), grid, missing="mean")
    assert (band.read(grid.window) == 7).all()
    values[3:11, 5:13] = -1
    with pytest.raises(InputDataError, match="no data over the tile"):
        band_of(over_all(tmp_path, values, nodata=-1), grid, missing="mean")


def test_codes_that_a_float_cannot_tell_apart_count_over_the_tile_alone(tmp_path, grid):
    values = np.full((20, 24), (1 << 24) + 1, np.int32)
    values[3:11, 5:13] = 7
    path = over_all(tmp_path, values)
    assert (band_of(path, grid, interpolation="nearest").read(grid.window) == 7).all()
    values[10, 12] = (1 << 24) + 1
    with pytest.raises(InputDataError, match="number them anew"):
        band_of(over_all(tmp_path, values), grid, interpolation="nearest")


def test_signed_bytes_keep_their_sign_when_they_are_interpolated(tmp_path, grid):
    """20 m pixels of -100 on the left and 100 on the right; GDAL 3.6 would take -100 for 156."""
    values = np.full((4, 4), 100, np.int8)
    values[:, :2] = -100
    values[0, 0] = -128
    path = write_image(tmp_path / "e.tif", values, 20, nodata=-128)
    found = band_of(path, grid, missing=0.0).read(grid.window)
    assert found.dtype == np.int16
    assert (found[4:, :2] == -100).all()
    assert (found[4:, 6:] == 100).all()
    assert (np.diff(found[6].astype(int)) >= 0).all()
    assert found[0, 0] == 0


def test_a_raster_with_its_south_above_lies_where_it_says(tmp_path, grid):
    values = np.arange(480, dtype=np.int16).reshape(20, 24)
    path = over_all(tmp_path, values[::-1])
    dataset = gdal.Open(path, gdal.GA_Update)
    dataset.SetGeoTransform((LEFT - 50, 10, 0, TOP + 30 - 200, 0, 10))
    dataset = None
    np.testing.assert_array_equal(band_of(path, grid).read(grid.window), values[3:11, 5:13])


def test_the_same_numbers_in_another_zone_are_another_place(tmp_path):
    """A tile of zone 31 lies 6 degrees west of what has its coordinates in zone 32."""
    tile = grid_of(write_image(tmp_path / "tile.tif", np.zeros((8, 8), np.int16)))
    path = over_all(tmp_path, np.ones((20, 24), np.int16), epsg=32632)
    with pytest.raises(InputDataError, match="does not touch its tile"):
        band_of(path, tile)
    assert part_of(grid_of(path), tile) is None


def test_many_bands_are_read_part_by_part_and_are_the_same(tmp_path, grid, monkeypatch):
    monkeypatch.setattr(user_rasters, "PART", 3)
    values = np.random.default_rng(5).integers(-100, 100, (4, 8, 8)).astype(np.int16)
    values[2, 1, 6] = values[3, 7, 0] = -128
    path = write_image(tmp_path / "e.tif", values, nodata=-128)
    image = look_at_user_raster(path, "bicubic", 0.0, grid)
    bands = user_bands({"E": image}, grid)[0]
    holes = (values == -128).any(axis=0)
    for window in (grid.window, Window(1, 2, 5, 6)):
        inside = (slice(None), *window.slices)
        found = np.array(read_together(bands, window))
        np.testing.assert_array_equal(found, np.where(values == -128, 0, values)[inside])
        np.testing.assert_array_equal(seen_by_all(bands, window), ~holes[window.slices])
    parts = list(user_rasters.parts_of(Window(1, 2, 5, 6)))
    assert sum(part.size for part in parts) == 30
    # Where blocks of the file begin.
    assert ({part.row for part in parts}, {part.col for part in parts}) == ({1, 3}, {2, 3, 6})
