"""Images brought to the grid of a tile: where they have data, and how many stay open."""

import numpy as np
import pytest
from osgeo import gdal
from tiny import LEFT, NODATA, TOP, write_image

from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.grid import Grid, Window, grid_of
from iota2_tools.geo.gridded import GridBand, ImagePool, Reading

IMAGE = Reading(NODATA)


@pytest.fixture
def grid(tmp_path):
    return grid_of(write_image(tmp_path / "tile.tif", np.zeros((8, 8), np.int16)))


def seen(path, grid, reading=IMAGE, window=None):
    return GridBand(path, grid, reading).seen(window or grid.window)


def test_nodata_of_an_image_on_the_grid_is_not_seen(tmp_path, grid):
    values = np.full((8, 8), 5, np.int16)
    values[2, 3] = NODATA
    expected = np.ones((8, 8), bool)
    expected[2, 3] = False
    path = write_image(tmp_path / "B4.tif", values)
    np.testing.assert_array_equal(seen(path, grid), expected)


def test_every_fine_pixel_inside_a_coarse_one_without_data_is_not_seen(tmp_path, grid):
    values = np.full((4, 4), 5, np.int16)
    values[1, 2] = NODATA
    expected = np.ones((8, 8), bool)
    expected[2:4, 4:6] = False
    path = write_image(tmp_path / "B11.tif", values, 20)
    np.testing.assert_array_equal(seen(path, grid), expected)
    for window in grid.windows(3, 5):  # odd windows begin inside a coarse pixel
        part = expected[
            window.row : window.row + window.rows, window.col : window.col + window.cols
        ]
        np.testing.assert_array_equal(seen(path, grid, window=window), part)


def test_a_shifted_image_is_not_seen_beyond_its_edge(tmp_path, grid):
    path = write_image(tmp_path / "B4.tif", np.full((8, 8), 5, np.int16), left=LEFT + 40)
    expected = np.zeros((8, 8), bool)
    expected[:, 4:] = True
    np.testing.assert_array_equal(seen(path, grid), expected)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64", "uint16", "int32"])
@pytest.mark.parametrize("continuous", [True, False])
def test_what_an_image_without_nodata_covers_is_known(tmp_path, grid, dtype, continuous):
    path = write_image(tmp_path / "dem.tif", np.full((8, 8), 7, dtype), top=TOP - 20)
    reading = Reading(None, continuous, covered=True)
    values, found = GridBand(path, grid, reading).observe(grid.window)
    expected = np.zeros((8, 8), bool)
    expected[2:] = True
    np.testing.assert_array_equal(found, expected)
    assert (values[found] == 7).all()


def test_nan_is_not_seen(tmp_path, grid):
    values = np.ones((8, 8), np.float32)
    values[0, 0] = np.nan
    values[1, 1] = -9999
    path = write_image(tmp_path / "dem.tif", values)
    found = seen(path, grid, Reading(-9999, covered=True))
    assert np.argwhere(~found).tolist() == [[0, 0], [1, 1]]


def test_codes_are_not_mixed_where_the_nearest_pixel_is_asked_for(tmp_path, grid):
    path = write_image(tmp_path / "soil.tif", np.array([[1, 9], [9, 1]], np.uint8), 40)
    values, _ = GridBand(path, grid, Reading(continuous=False, covered=True)).observe(grid.window)
    assert values.tolist() == np.array([[1, 9], [9, 1]]).repeat(4, 0).repeat(4, 1).tolist()


def test_one_band_of_several_is_read_on_another_grid(tmp_path, grid):
    bands = np.stack([np.full((4, 4), value, np.float32) for value in (1, 2, 3)])
    path = write_image(tmp_path / "stack.tif", bands, 20)
    for number in (1, 2, 3):
        values, found = GridBand(path, grid, Reading(covered=True), number).observe(grid.window)
        assert (values == number).all()
        assert found.all()


def test_oblong_pixels_are_warped(tmp_path, grid):
    path = write_image(tmp_path / "dem.tif", np.full((8, 8), 3, np.float32))
    dataset = gdal.Open(path, gdal.GA_Update)
    dataset.SetGeoTransform((LEFT, 10, 0, TOP, 0, -20))
    dataset = None
    values, found = GridBand(path, grid, Reading(covered=True)).observe(grid.window)
    assert found.all()
    assert (values == 3).all()


def test_a_pool_keeps_no_more_images_open_than_it_may(tmp_path, grid):
    paths = [
        write_image(tmp_path / f"{number}.tif", np.full((8, 8), number, np.int16))
        for number in range(9)
    ]
    opened = []
    pool = ImagePool(3)
    bands = [GridBand(path, grid, IMAGE, pool=pool) for path in paths]
    out = np.empty((8, 8), np.int16)
    for _ in range(3):
        for number, band in enumerate(bands):
            band.read(grid.window, out)
            assert (out == number).all()
            opened.append(len(pool._idle))
    assert max(opened) == 3


def test_images_opened_first_stay_open_for_the_next_window():
    pool, opened = ImagePool(2), []
    for _ in range(3):
        for key in "abcd":
            with pool.use(key, lambda key=key: opened.append(key) or key):
                pass
    assert opened.count("a") == 1


def test_one_image_is_not_shared_by_two_threads():
    pool = ImagePool(4)
    with pool.use("a", object) as first, pool.use("a", object) as second:
        assert first is not second


def test_a_damaged_image_is_named_when_it_is_warped(tmp_path, grid):
    rng = np.random.default_rng(0)
    path = write_image(tmp_path / "B4.tif", rng.integers(0, 9999, (64, 64)).astype(np.int16), 3)
    band = GridBand(path, Grid(grid.crs, LEFT, TOP, 10, 8, 8), IMAGE)
    with open(path, "r+b") as file:
        file.truncate(1000)
    with pytest.raises(InputDataError, match=r"B4\.tif"):
        band.read(Window(0, 0, 8, 8), np.empty((8, 8), np.int16))
