"""Upsampling, against hand computation, the formula of the weights and GDAL."""

import numpy as np
import pytest
from osgeo import gdal

from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.grid import Window
from iota2_tools.geo.resampling import source_window, upsample_cubic_2x

gdal.UseExceptions()
NODATA = -10000


def random_source(n_rows=30, n_columns=41, holes=0.0):
    rng = np.random.default_rng(0)
    source = rng.integers(-2000, 12000, (n_rows, n_columns)).astype(np.int16)
    source[rng.random(source.shape) < holes] = NODATA
    return source


def upsample_whole(source, nodata=None):
    window = (0, 0, 2 * source.shape[0], 2 * source.shape[1])
    return upsample_cubic_2x(source, window, source.shape, nodata)


def keys(distance):
    """Cubic convolution kernel of Keys (1981), equation 15, a = -0.5."""
    x = abs(distance)
    if x < 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


def by_the_formula(source, row, column, nodata):
    """Weighted mean of the source pixels with data, by distance between centres."""
    if source[row // 2, column // 2] == nodata:
        return nodata
    total = weights = 0.0
    for r, c in np.argwhere(source != nodata):
        weight = keys((row + 0.5) / 2 - (r + 0.5)) * keys((column + 0.5) / 2 - (c + 0.5))
        total += weight * source[r, c]
        weights += weight
    return total / weights


def gdal_dataset(source):
    rows, columns = source.shape
    dataset = gdal.GetDriverByName("MEM").Create("", columns, rows, 1, gdal.GDT_Int16)
    dataset.SetGeoTransform((300000, 20, 0, 4900020, 0, -20))
    dataset.GetRasterBand(1).WriteArray(source)
    return dataset


def test_one_row_by_hand():
    # A step of 128 between columns 3 and 4. Even pixels weigh their four columns by -3, 29, 111
    # and -9 128ths, odd ones by -9, 111, 29 and -3.
    source = np.zeros((5, 8), np.int16)
    source[:, 4:] = 128
    expected = [0, 0, 0, 0, 0, -3, -9, 26, 102, 137, 131, 128, 128, 128, 128, 128]
    assert upsample_whole(source)[4].tolist() == expected


def test_a_constant_raster_stays_constant_up_to_its_borders():
    assert (upsample_whole(np.full((3, 5), 1234, np.int16)) == 1234).all()
    assert (upsample_whole(np.full((1, 1), -7, np.int16)) == -7).all()


def test_halves_are_rounded_away_from_zero():
    # At the first pixel of a row of two, 111 and -9 128ths remain, of sum 102/128: the second
    # value weighs -9/102, so that 17 counts for -1.5.
    for second, expected in ((17, -2), (-17, 2)):
        assert upsample_whole(np.array([[0, second]], np.int16))[0, 0] == expected


def test_overshoots_are_clipped_to_int16():
    source = np.full((6, 6), -32768, np.int16)
    source[:, 3:] = 32767
    result = upsample_whole(source)
    assert result[5, 4:8].min() == -32768
    assert result[5, 4:8].max() == 32767
    assert result[5, 3] == -32768
    assert result[5, 8] == 32767


def test_agrees_with_gdal_cubic():
    source = random_source()
    rows, columns = 2 * source.shape[0], 2 * source.shape[1]
    result = upsample_whole(source).astype(int)
    dataset = gdal_dataset(source)
    read = dataset.ReadAsArray(buf_xsize=columns, buf_ysize=rows, resample_alg=gdal.GRIORA_Cubic)
    assert np.abs(result - read).max() <= 1
    warped = gdal.Warp("", dataset, format="MEM", xRes=10, yRes=10, resampleAlg="cubic")
    inside = np.s_[4:-4, 4:-4]
    assert np.abs(result - warped.ReadAsArray())[inside].max() <= 1


@pytest.mark.parametrize("holes", [0.0, 0.1, 0.7])
def test_taps_outside_or_without_data_are_left_out(holes):
    source = random_source(9, 11, holes)
    result = upsample_whole(source, NODATA)
    for row, column in np.ndindex(result.shape):
        expected = by_the_formula(source, row, column, NODATA)
        assert abs(result[row, column] - expected) <= 0.5 + 1e-9


def test_a_source_pixel_without_data_makes_four_without():
    source = np.full((6, 6), 500, np.int16)
    source[2, 3] = NODATA
    expected = np.full((12, 12), 500)
    expected[4:6, 6:8] = NODATA
    assert upsample_whole(source, NODATA).tolist() == expected.tolist()


def test_without_nodata_no_value_is_special():
    # The tap of 128 more weighs 111/128 by rows and -3/128 by columns: -2.6.
    source = np.full((6, 6), NODATA, np.int16)
    source[3, 3] = NODATA + 128
    assert upsample_whole(source)[6, 2:4].tolist() == [NODATA, NODATA - 3]


@pytest.mark.parametrize("holes", [0.0, 0.05])
def test_a_pixel_does_not_depend_on_its_window(holes):
    source = random_source(30, 41, holes)
    whole = upsample_whole(source, NODATA)
    rng = np.random.default_rng(1)
    for _ in range(200):
        row, column = rng.integers(0, 60), rng.integers(0, 82)
        window = Window(row, column, rng.integers(1, 61 - row), rng.integers(1, 83 - column))
        need = source_window(window, source.shape)
        part = source[need.row : need.row + need.rows, need.col : need.col + need.cols]
        result = upsample_cubic_2x(part, window, source.shape, NODATA)
        expected = whole[row : row + window.rows, column : column + window.cols]
        np.testing.assert_array_equal(result, expected)


def test_source_windows_by_hand():
    # Fine rows 7 to 10 lie in coarse rows 3 to 5, with two more on each side.
    assert source_window((7, 7, 4, 4), (100, 100)) == (1, 1, 7, 7)
    assert source_window((0, 196, 1, 4), (100, 100)) == (0, 96, 3, 4)
    assert source_window((0, 0, 200, 200), (100, 100)) == (0, 0, 100, 100)


def test_the_result_goes_where_it_is_asked_to():
    source = random_source()
    stack = np.zeros((60, 3, 82), np.int16)
    window = (0, 0, 60, 82)
    upsample_cubic_2x(source, window, source.shape, out=stack[:, 1])
    np.testing.assert_array_equal(stack[:, 1], upsample_whole(source))
    assert not stack[:, [0, 2]].any()


def test_windows_and_arrays_that_do_not_fit_are_refused():
    source = random_source(5, 5)
    with pytest.raises(InputDataError, match="is not inside"):
        source_window((0, 8, 2, 4), (5, 5))
    with pytest.raises(InputDataError, match="is not inside"):
        source_window((-1, 0, 2, 4), (5, 5))
    with pytest.raises(InputDataError, match="needs an int16 source of window"):
        upsample_cubic_2x(source, (0, 0, 2, 2), source.shape)
    with pytest.raises(InputDataError, match="needs an int16 source"):
        upsample_cubic_2x(source.astype(np.float32), (0, 0, 10, 10), source.shape)
    with pytest.raises(InputDataError, match="int16 array of shape"):
        upsample_cubic_2x(source, (0, 0, 10, 10), source.shape, out=np.zeros((10, 9), np.int16))
