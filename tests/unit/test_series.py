"""Reading images on the grid of a tile: no value depends on the window read."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import numpy as np
import pytest
from osgeo import gdal, osr

from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.grid import Grid, Window, grid_of, reprojected, window_shape
from iota2_tools.geo.gridded import GridBand, Reading
from iota2_tools.products import Acquisition, Image
from iota2_tools.timeseries.series import SeriesReader

NODATA = -10000
IMAGE = Reading(NODATA)
MASK = Reading(continuous=False, covered=True)


def write(path, values, resolution, options=()):
    """An int16 or uint8 image of `values` in UTM 31, written by GDAL alone."""
    kind = gdal.GDT_Int16 if values.dtype == np.int16 else gdal.GDT_Byte
    bands = values if values.ndim == 3 else values[np.newaxis]
    driver = gdal.GetDriverByName("GTiff")
    dataset = driver.Create(str(path), *bands.shape[:0:-1], len(bands), kind, list(options))
    dataset.SetGeoTransform((300_000, resolution, 0, 4_900_020, 0, -resolution))
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(32631)
    dataset.SetProjection(reference.ExportToWkt())
    dataset.WriteArray(values)
    dataset = None
    return str(path)


def image(rows, cols, holes=0.05):
    rng = np.random.default_rng(1)
    values = rng.integers(0, 10_000, (rows, cols)).astype(np.int16)
    values[rng.random(values.shape) < holes] = NODATA
    return values


@pytest.fixture
def fine(tmp_path):
    return write(
        tmp_path / "B2.tif", image(90, 70), 10, ("TILED=YES", "BLOCKXSIZE=32", "BLOCKYSIZE=32")
    )


@pytest.fixture
def coarse(tmp_path):
    return write(tmp_path / "B11.tif", image(45, 35), 20)


@pytest.fixture
def mask(tmp_path):
    values = (np.random.default_rng(2).random((90, 70)) < 0.3).astype(np.uint8)
    return write(tmp_path / "CLM.tif", values, 10)


@pytest.fixture
def grids(fine):
    native = grid_of(fine)
    return {
        "native": native,
        "other projection": reprojected(native, "EPSG:2154", 10),
        "other resolution": reprojected(native, native.crs, 15),
        "other corner": Grid(native.crs, native.left + 3, native.top - 4, 10, 80, 60),
    }


def read(band, window, dtype=np.int16):
    out = np.empty((window.rows, window.cols), dtype=dtype)
    band.read(window, out)
    return out


@pytest.mark.parametrize("kind", ["fine", "coarse", "mask"])
@pytest.mark.parametrize(
    "where", ["native", "other projection", "other resolution", "other corner"]
)
@pytest.mark.parametrize("shape", [(13, 17), (64, 64)])
def test_window_by_window_equals_the_whole(request, grids, kind, where, shape):
    path, grid = request.getfixturevalue(kind), grids[where]
    dtype = np.uint8 if kind == "mask" else np.int16
    reading = MASK if kind == "mask" else IMAGE
    whole = read(GridBand(path, grid, reading), grid.window, dtype)
    pieces = np.empty_like(whole)
    for window in grid.windows(*shape):
        # A new reader for each window: nothing is left in memory by the one before.
        pieces[window.slices] = read(GridBand(path, grid, reading), window, dtype)
    np.testing.assert_array_equal(pieces, whole)


def test_image_on_the_grid_is_read_as_gdal_reads_it(fine, grids):
    window = Window(11, 5, 40, 33)
    expected = gdal.Open(fine).ReadAsArray(5, 11, 33, 40)
    np.testing.assert_array_equal(read(GridBand(fine, grids["native"], IMAGE), window), expected)


def test_mask_in_another_projection_is_read_as_gdalwarp_brings_it(mask, grids):
    grid = grids["other projection"]
    warped = gdal.Warp(
        "", mask, format="MEM", dstSRS=grid.crs, outputBounds=grid.bounds, xRes=10, yRes=10,
        resampleAlg="near", errorThreshold=0,
    )  # fmt: skip
    found = read(GridBand(mask, grid, MASK), grid.window, np.uint8)
    np.testing.assert_array_equal(found, warped.ReadAsArray())


def test_image_in_another_projection_is_read_as_gdalwarp_brings_it(fine, grids):
    grid = grids["other projection"]
    warped = gdal.Warp(
        "", fine, format="MEM", dstSRS=grid.crs, outputBounds=grid.bounds, xRes=10, yRes=10,
        resampleAlg="cubic", errorThreshold=0, srcNodata=NODATA, dstNodata=NODATA,
    )  # fmt: skip
    found = read(GridBand(fine, grid, IMAGE), grid.window)
    np.testing.assert_array_equal(found, warped.ReadAsArray())


def test_ground_beyond_an_image_is_nodata_and_masked(fine, mask, grids):
    native = grids["native"]
    wide = Grid(native.crs, native.left - 100, native.top + 50, 10, 110, 100)
    inside = np.zeros((110, 100), dtype=bool)
    inside[5:95, 10:80] = True
    values = read(GridBand(fine, wide, IMAGE), wide.window)
    masked, covered = GridBand(mask, wide, MASK).observe(wide.window)
    assert (values[~inside] == NODATA).all()
    assert np.array_equal(covered, inside)
    np.testing.assert_array_equal(values[inside], gdal.Open(fine).ReadAsArray().ravel())
    np.testing.assert_array_equal(masked[inside], gdal.Open(mask).ReadAsArray().ravel())


def test_constant_20_m_band_stays_constant(tmp_path, grids):
    path = write(tmp_path / "flat.tif", np.full((45, 35), 1234, dtype=np.int16), 20)
    assert (read(GridBand(path, grids["native"], IMAGE), grids["native"].window) == 1234).all()


def acquisitions(fine, coarse, number):
    return [
        Acquisition(
            f"p{day}",
            date(2018, 1, 1 + 10 * day),
            {"B2": Image(fine, nodata=NODATA), "B11": Image(coarse, nodata=NODATA)},
            (),
        )
        for day in range(number)
    ]


def test_series_is_read_in_the_order_of_dates_and_bands(tmp_path, fine, coarse, grids):
    clear = np.zeros((2, 90, 70), dtype=np.uint8)
    clear[1, 3:6] = 1
    masks = write(tmp_path / "clear.tif", clear, 10)
    reader = SeriesReader(acquisitions(fine, coarse, 2), ["B11", "B2"], masks, grids["native"])
    window = Window(2, 10, 5, 20)
    with ThreadPoolExecutor(2) as pool:
        values, seen = reader.read(window, pool)
    assert reader.days.tolist() == [0, 10]
    assert values.shape == (2, 2, 100)
    expected = gdal.Open(fine).ReadAsArray(10, 2, 20, 5).ravel()
    np.testing.assert_array_equal(values[:, 1], [expected, expected])
    assert seen.reshape(2, 5, 20)[:, :, 0].tolist() == [[0] * 5, [0, 1, 1, 1, 0]]


@pytest.mark.parametrize("rows", [(), (3,), (0, 4), (2, 3, 4)])
def test_rows_that_are_nowhere_clear_are_left_out(tmp_path, fine, coarse, grids, rows):
    """The window begins at row 3, inside the pixels of 20 m; from the first clear row to the last one."""
    clear = np.zeros((2, 90, 70), dtype=np.uint8)
    clear[1, [3 + row for row in rows], 12] = 1
    clear[:, :3, 0] = clear[:, 8:, 0] = clear[:, 3:8, 60] = 1  # around the window
    masks = write(tmp_path / "clear.tif", clear, 10)
    reader = SeriesReader(acquisitions(fine, coarse, 2), ["B11", "B2"], masks, grids["native"])
    window = Window(3, 10, 5, 20)
    with ThreadPoolExecutor(2) as pool:
        (whole, usable), (part, seen) = (
            reader.read(window, pool, clouds=clouds) for clouds in (True, False)
        )
    np.testing.assert_array_equal(seen, usable)
    inside = slice(min(rows), max(rows) + 1) if rows else slice(0)
    expected = np.full((2, 2, 5, 20), -32768)
    expected[1, :, inside] = whole.reshape(2, 2, 5, 20)[1, :, inside]
    np.testing.assert_array_equal(part.reshape(2, 2, 5, 20), expected)


def test_masks_of_another_number_of_dates_are_refused(tmp_path, fine, coarse, grids):
    masks = write(tmp_path / "clear.tif", np.zeros((3, 90, 70), dtype=np.uint8), 10)
    with pytest.raises(InputDataError, match="3 masks for 2 acquisitions"):
        SeriesReader(acquisitions(fine, coarse, 2), ["B2"], masks, grids["native"])


def test_image_damaged_inside_is_named_when_it_is_read(fine, grids):
    band = GridBand(fine, grids["native"], IMAGE)
    with open(fine, "r+b") as file:
        file.truncate(2000)
    with pytest.raises(InputDataError, match=r"B2\.tif"):
        read(band, grids["native"].window)


@pytest.mark.parametrize("size", [64, 400, 1000, 10980])
@pytest.mark.parametrize("bytes_per_pixel", [8, 740, 20_000])
@pytest.mark.parametrize("budget", [1, 50, 400])
def test_windows_stay_in_the_memory_budget(size, bytes_per_pixel, budget):
    rows, cols = window_shape(Grid("EPSG:32631", 0, 0, 10, size, size), bytes_per_pixel, budget)
    assert 1 <= rows <= size
    assert 1 <= cols <= size
    # One block of 256 rows, or 32 x 32 pixels, is the least that is read.
    assert rows * cols * bytes_per_pixel <= max(budget * 1e6, 32 * 32 * bytes_per_pixel)


def test_speckle_is_filtered_in_any_window_as_at_once(tmp_path):
    """Quegan and Yu by hand: J_k = E_k / M * sum(I_i / E_i), means over a square, in power."""
    random = np.random.default_rng(5)
    power = random.gamma(4, 0.02, (3, 9, 11))
    stored = np.rint(1000 * np.log10(power)).astype(np.int16)
    stored[1, 4, 5] = -32768
    clear = (stored != -32768).astype(np.uint8)
    clear[2, 0, 0] = 0
    paths = [write(tmp_path / f"{number}.tif", image, 10) for number, image in enumerate(stored)]
    masks = write(tmp_path / "clear.tif", clear, 10)
    items = [
        Acquisition(f"p{number}", date(2018, 1, 1 + number), {"VV": Image(path, nodata=-32768)}, ())
        for number, path in enumerate(paths)
    ]
    grid = grid_of(paths[0])

    def values(window):
        reader = SeriesReader(items, ["VV"], masks, grid, speckle_radius=1)
        with ThreadPoolExecutor(1) as pool:
            found, usable = reader.read(window, pool)
        assert usable.shape == (3, window.size)
        return found.reshape(3, window.rows, window.cols)

    whole = values(grid.window)
    for window in grid.windows(4, 3):
        np.testing.assert_array_equal(values(window), whole[(..., *window.slices)])
    valid = np.where(clear == 1, 10 ** (stored / 1000.0), np.nan)
    row, col = 1, 1
    means = [np.nanmean(valid[k, :3, :3]) for k in range(3)]
    by_hand = means[0] / 3 * sum(valid[k, row, col] / means[k] for k in range(3))
    assert abs(whole[0, row, col] - 1000 * np.log10(by_hand)) <= 1
    assert whole[1, 4, 5] == -32768
