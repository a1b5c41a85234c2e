"""Images brought to the grid of a tile: where they have data, and how many stay open."""

import numpy as np
import pytest
from osgeo import gdal
from tiny import LEFT, NODATA, TOP, write_image

from iota2_tools.core.errors import InputDataError
from iota2_tools.geo import gridded
from iota2_tools.geo.conversion import UNSEEN, Values
from iota2_tools.geo.grid import Grid, Window, grid_of
from iota2_tools.geo.gridded import GridBand, ImagePool, Reading, seen_in_all
from iota2_tools.geo.raster import open_raster

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


def test_a_pixel_is_seen_in_all_images_if_none_of_any_size_lacks_it(tmp_path, grid):
    fine, first, second, thirty = (np.full((n, n), 5, np.int16) for n in (8, 4, 4, 3))
    fine[0, 7] = first[1, 2] = second[3, 0] = thirty[2, 1] = NODATA
    images = [
        GridBand(write_image(tmp_path / f"{name}.tif", values, size), grid, IMAGE)
        for name, values, size in (
            ("B4", fine, 10), ("B5", first, 20), ("B6", second, 20), ("L4", thirty, 30),
        )
    ]  # fmt: skip
    expected = np.ones((8, 8), bool)
    expected[0, 7] = expected[2:4, 4:6] = expected[6:8, 0:2] = expected[6:8, 3:6] = False
    for window in [grid.window, *grid.windows(3, 5)]:
        part = expected[window.row :, window.col :][: window.rows, : window.cols]
        np.testing.assert_array_equal(seen_in_all(images, window), part)


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


def opened(path, grid, window=None, **reading):
    """Values of a window, and where there are any."""
    given = {"nodata": None, "continuous": True} | reading
    return GridBand(str(path), grid, Reading(**given)).observe(window or grid.window)


@pytest.mark.parametrize("number", [0, 1, 7273, 10000, 18639, 43636, 65535])
def test_numbers_of_landsat_collection_2_become_reflectance(tmp_path, number):
    """DN x 0.0000275 - 0.2 by hand, x 10000; 0 is fill, and 65535 is not cut."""
    expected = {0: None, 1: -2000, 7273: 0, 10000: 750, 18639: 3126, 43636: 10000, 65535: 16022}
    path = write_image(tmp_path / "B4.tif", np.full((8, 8), number, np.uint16))
    values, seen = opened(path, grid_of(path), nodata=0, values=Values(0.275, -2000))
    assert values.dtype == np.int16
    assert (seen == (number != 0)).all()
    assert (values == (expected[number] if number else UNSEEN)).all()


def test_an_offset_is_added_after_nodata_is_looked_for(tmp_path):
    """A product of baseline 04.00: 1427 is 427; 1000 is 0 and has data, 0 has none."""
    path = write_image(tmp_path / "B04.tif", np.array([[1427, 1000], [0, 999]], np.uint16))
    values, seen = opened(path, grid_of(path), nodata=0, values=Values(1, -1000))
    assert values.tolist() == [[427, 0], [UNSEEN, -1]]
    assert seen.tolist() == [[True, True], [False, True]]


def test_values_beyond_the_range_stay_at_its_ends(tmp_path):
    path = write_image(tmp_path / "B.tif", np.array([[65535, 1]], np.uint16))
    values, _ = opened(path, grid_of(path), values=Values(-1, 20000))
    assert values.tolist() == [[-32767, 19999]]
    values, _ = opened(path, grid_of(path), values=Values(1, 0))
    assert values.tolist() == [[32767, 1]]


def test_power_becomes_decibels_and_none_where_it_is_not_positive(tmp_path):
    """10 log10(0.25) is -6.0206; power of 0 or less, and NaN, have no decibels."""
    power = np.array([[0.25, 1.0, 10.0], [0.0, -0.1, np.nan]], np.float32)
    path = write_image(tmp_path / "vv.tif", power)
    values, seen = opened(path, grid_of(path), values=Values(decibel=True))
    assert values.tolist() == [[-602, 0, 1000], [UNSEEN] * 3]
    assert seen.tolist() == [[True] * 3, [False] * 3]


def test_power_is_interpolated_before_it_becomes_decibels(tmp_path):
    """In the middle of .01 and .09 stands .05, -13.01 dB; the mean of the decibels is -15.23."""
    path = write_image(tmp_path / "vv.tif", np.array([[0.01, 0.09]] * 2, np.float32))
    native = grid_of(path)
    shifted = Grid(native.crs, native.left + 5, native.top - 5, 10, 1, 1)
    values, _ = opened(path, shifted, nodata=0, values=Values(decibel=True))
    assert values.tolist() == [[-1301]]


@pytest.mark.parametrize("factor", [2, 3, 6])
@pytest.mark.parametrize("shape", [(8, 8), (3, 5), (1, 1)])
def test_codes_of_larger_pixels_are_repeated(tmp_path, factor, shape):
    codes = np.arange(16, dtype=np.uint16).reshape(4, 4) * 4000
    path = write_image(tmp_path / "SCL.tif", codes, 10.0 * factor)
    side = 4 * factor
    native = grid_of(path)
    grid = Grid(native.crs, native.left, native.top, 10, side, side)
    expected = np.kron(codes, np.ones((factor, factor), np.uint16))
    for window in grid.windows(*shape):
        values, seen = opened(path, grid, window, continuous=False, covered=True)
        assert values.dtype == np.uint16
        assert np.array_equal(values, expected[window.slices])
        assert seen.all()


@pytest.mark.parametrize("factor", [2, 3])
def test_converted_coarse_band_is_that_of_converted_values(tmp_path, factor):
    """A band of uint16 with an offset, and the same written as int16 without one."""
    random = np.random.default_rng(0)
    numbers = random.integers(1000, 5000, (4, 4)).astype(np.uint16)
    numbers[1, 2] = 0
    ready = np.where(numbers == 0, -10000, numbers.astype(np.int32) - 1000).astype(np.int16)
    raw = write_image(tmp_path / "raw.tif", numbers, 10.0 * factor)
    done = write_image(tmp_path / "done.tif", ready, 10.0 * factor)
    native = grid_of(raw)
    grid = Grid(native.crs, native.left, native.top, 10, 4 * factor, 4 * factor)
    found, seen = opened(raw, grid, nodata=0, values=Values(1, -1000))
    expected, also = opened(done, grid, nodata=-10000, values=Values())
    assert np.array_equal(seen, also)
    assert np.array_equal(found[seen], expected[seen])
    assert not seen.all()


@pytest.mark.parametrize("values", [Values(), Values(0.275, -2000)])
def test_a_band_of_30_m_is_interpolated_on_the_grid_of_10_m_in_any_window(tmp_path, values):
    """The pixel in the middle keeps its value; beside a step of 27 the others are off by -1, -2, 8
    and 19, as many of its 27ths are."""
    step = np.where(np.arange(6) < 3, 10000, 12700).astype(np.int16)
    path = write_image(tmp_path / "B4.tif", np.tile(step, (4, 1)), 30.0)
    native = grid_of(path)
    grid = Grid(native.crs, native.left, native.top, 10, 12, 18)
    band = GridBand(path, grid, Reading(NODATA, values=values))
    whole = np.empty((12, 18), np.int16)
    band.read(grid.window, whole)
    shares = np.array([0] * 5 + [-1, -2, 0, 8, 19, 27, 29, 28] + [27] * 5) / 27
    low, high = values.of(step[None, [0, -1]])[0].astype(int)
    assert np.abs(whole - (low + shares * (high - low))).max() <= 0.5
    pieces = np.empty_like(whole)
    for window in grid.windows(5, 7):
        part = np.empty((window.rows, window.cols), np.int16)
        band.read(window, part)
        pieces[window.slices] = part
    np.testing.assert_array_equal(pieces, whole)


def test_power_of_30_m_is_not_interpolated_as_decibels(tmp_path):
    """Its mean is that of the power: constant power with one pixel of 0.01 more stays positive."""
    power = np.full((4, 4), 0.01, np.float32)
    power[1, 1] = 1.0
    path = write_image(tmp_path / "vv.tif", power, 30.0)
    native = grid_of(path)
    grid = Grid(native.crs, native.left, native.top, 10, 12, 12)
    values, seen = opened(path, grid, nodata=0, values=Values(decibel=True))
    assert seen.all()
    assert values.min() == -2000
    assert values[4, 4] == 0


@pytest.mark.parametrize("dtype", ["int8", "int16", "float32"])
@pytest.mark.parametrize("left", [LEFT - 40, LEFT - 43], ids=["aligned", "warped"])
@pytest.mark.parametrize("nodata", [-100, None])
def test_bands_that_are_opened_together_are_those_that_are_opened_alone(
    tmp_path, grid, dtype, left, nodata
):
    """Each has holes of its own; the last columns lie beyond the image."""
    values = np.random.default_rng(2).integers(-90, 90, (5, 14, 11)).astype(dtype)
    values[np.random.default_rng(3).random(values.shape) < 0.1] = -100
    path = write_image(tmp_path / "e.tif", values, left=left, top=TOP + 30, nodata=nodata)
    reading = Reading(nodata, covered=True)
    pool = ImagePool(4)
    for band in range(1, 6):
        together = GridBand(path, grid, reading, band, pool, shared=True)
        alone = GridBand(path, grid, reading, band)
        for window in (Window(0, 0, 8, 8), Window(2, 1, 3, 5)):
            expected, covered = alone.observe(window)
            found, seen = together.observe(window)
            np.testing.assert_array_equal(seen, covered)
            np.testing.assert_array_equal(found[seen], expected[covered])
            np.testing.assert_array_equal(together.seen(window), covered)


def test_bands_of_one_file_share_what_is_open(tmp_path, grid, monkeypatch):
    """What GDAL decodes of a file that holds its bands pixel by pixel belongs to the open file."""
    path = write_image(tmp_path / "dates.tif", np.arange(192, dtype=np.int16).reshape(3, 8, 8))
    pool, opened = ImagePool(1), []
    bands = [GridBand(path, grid, IMAGE, number, pool) for number in (1, 2, 3)]
    monkeypatch.setattr(
        gridded, "open_raster", lambda path: opened.append(path) or open_raster(path)
    )
    for number, band in enumerate(2 * bands):
        found = np.empty((8, 8), np.int16)
        band.read(grid.window, found)
        assert found[0, 0] == number % 3 * 64
    assert not opened


def test_values_beyond_the_edge_of_a_warped_image_without_nodata_are_none(tmp_path):
    path = write_image(tmp_path / "B4.tif", np.full((4, 4), 500, np.uint16))
    native = grid_of(path)
    beside = Grid(native.crs, native.left + 25, native.top - 5, 10, 3, 6)
    band = GridBand(str(path), beside, Reading(None, covered=True, values=Values(2, 1)))
    found = np.empty((3, 6), np.int16)
    band.read(beside.window, found)
    assert found[0, 0] == 1001
    assert (found[:, 3:] == UNSEEN).all()
