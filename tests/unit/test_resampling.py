"""Upsampling, against hand computation, the formula of the weights and GDAL."""

import numpy as np
import pytest
from osgeo import gdal

from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.grid import Window
from iota2_tools.geo.resampling import source_window, upsample_cubic_2x, upsample_cubic_3x

gdal.UseExceptions()
NODATA = -10000
UPSAMPLE = {2: upsample_cubic_2x, 3: upsample_cubic_3x}
both = pytest.mark.parametrize("factor", UPSAMPLE)


def random_source(n_rows=30, n_columns=41, holes=0.0):
    rng = np.random.default_rng(0)
    source = rng.integers(-2000, 12000, (n_rows, n_columns)).astype(np.int16)
    source[rng.random(source.shape) < holes] = NODATA
    return source


def upsample_whole(source, nodata=None, factor=2):
    window = (0, 0, factor * source.shape[0], factor * source.shape[1])
    return UPSAMPLE[factor](source, window, source.shape, nodata)


def keys(distance):
    """Cubic convolution kernel of Keys (1981), equation 15, a = -0.5."""
    x = abs(distance)
    if x < 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


def by_the_formula(source, row, column, nodata, factor):
    """Weighted mean of the source pixels with data, by distance between centres."""
    if source[row // factor, column // factor] == nodata:
        return nodata
    y, x = (row + 0.5) / factor - 0.5, (column + 0.5) / factor - 0.5
    total = weights = 0.0
    for r, c in np.argwhere(source != nodata):
        weight = keys(y - r) * keys(x - c)
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


def test_one_row_by_thirds_by_hand():
    # A step of 27 between columns 3 and 4. First pixels weigh their four columns by -1, 9, 21 and
    # -2 27ths, second ones are those of the source, third ones weigh by -2, 21, 9 and -1.
    source = np.zeros((5, 8), np.int16)
    source[:, 4:] = 27
    expected = [0] * 8 + [-1, -2, 0, 8, 19, 27, 29, 28, 27, 27] + [27] * 6
    result = upsample_whole(source, factor=3)
    assert result[6].tolist() == expected
    assert result[7].tolist() == expected
    assert upsample_whole(source.T.copy(), factor=3)[:, 6].tolist() == expected


@both
@pytest.mark.parametrize(("shape", "value"), [((3, 5), 1234), ((1, 1), -7), ((9, 9), 32767)])
def test_a_constant_raster_stays_constant_up_to_its_borders(factor, shape, value):
    assert (upsample_whole(np.full(shape, value, np.int16), factor=factor) == value).all()


def test_a_pixel_in_the_middle_of_a_larger_one_has_its_value():
    source = random_source(holes=0.2)
    np.testing.assert_array_equal(upsample_whole(source, NODATA, 3)[1::3, 1::3], source)


def test_halves_are_rounded_away_from_zero():
    # At the first pixel of a row of two, 111 and -9 128ths remain, of sum 102/128: the second
    # value weighs -9/102, so that 17 counts for -1.5.
    for second, expected in ((17, -2), (-17, 2)):
        assert upsample_whole(np.array([[0, second]], np.int16))[0, 0] == expected


@pytest.mark.parametrize("value", [64, -64])
def test_halves_inside_are_rounded_away_from_zero_too(value):
    # A column of 64 between zeros weighs 111/128: 55.5.
    source = np.zeros((7, 7), np.int16)
    source[:, 3] = value
    assert upsample_whole(source)[6, 6:8].tolist() == [np.sign(value) * 56] * 2


def test_overshoots_are_clipped_to_int16():
    source = np.full((6, 6), -32768, np.int16)
    source[:, 3:] = 32767
    result = upsample_whole(source)
    assert result[5, 4:8].min() == -32768
    assert result[5, 4:8].max() == 32767
    assert result[5, 3] == -32768
    assert result[5, 8] == 32767


@both
def test_each_pixel_between_the_ends_of_int16_is_that_of_the_formula(factor):
    """In float64 by matrices; the rounding is exact, so halves alone may differ."""
    rng = np.random.default_rng(3)
    source = rng.choice([-32768, -32767, -1, 0, 1, 32766, 32767], (40, 50)).astype(np.int16)
    source[:20] = rng.integers(-32768, 32768, (20, 50))

    def matrix(n):
        centres = (np.arange(factor * n) + 0.5) / factor - 0.5
        weights = np.array([[keys(centre - tap) for tap in range(n)] for centre in centres])
        return weights / weights.sum(axis=1, keepdims=True)

    exact = matrix(40) @ source.astype(np.float64) @ matrix(50).T
    exact = np.clip(exact, -32768, 32767)
    result = upsample_whole(source, factor=factor)
    nearest = np.copysign(np.floor(np.abs(exact) + 0.5 + 1e-9), exact)
    np.testing.assert_array_equal(result, nearest)


@both
def test_agrees_with_gdal_cubic(factor):
    source = random_source()
    rows, columns = factor * source.shape[0], factor * source.shape[1]
    result = upsample_whole(source, factor=factor).astype(int)
    dataset = gdal_dataset(source)
    read = dataset.ReadAsArray(buf_xsize=columns, buf_ysize=rows, resample_alg=gdal.GRIORA_Cubic)
    assert np.abs(result - read).max() <= 1
    warped = gdal.Warp(
        "", dataset, format="MEM", xRes=20 / factor, yRes=20 / factor, resampleAlg="cubic"
    )
    inside = np.s_[2 * factor : -2 * factor, 2 * factor : -2 * factor]
    assert np.abs(result - warped.ReadAsArray())[inside].max() <= 1


@both
@pytest.mark.parametrize("holes", [0.0, 0.1, 0.7])
@pytest.mark.parametrize("shape", [(9, 11), (3, 2)])
def test_taps_outside_or_without_data_are_left_out(factor, holes, shape):
    source = random_source(*shape, holes)
    result = upsample_whole(source, NODATA, factor)
    for row, column in np.ndindex(result.shape):
        expected = by_the_formula(source, row, column, NODATA, factor)
        assert abs(result[row, column] - expected) <= 0.5 + 1e-9


@both
def test_a_source_pixel_without_data_makes_those_inside_it_without(factor):
    source = np.full((6, 6), 500, np.int16)
    source[2, 3] = NODATA
    expected = np.kron(source, np.ones((factor, factor), np.int16))
    np.testing.assert_array_equal(upsample_whole(source, NODATA, factor), expected)


@both
def test_a_hole_reaches_no_further_than_its_taps(factor):
    """Two source pixels around; those beyond are as if there was none."""
    source = random_source(20, 20)
    holed = source.copy()
    holed[9, 9] = NODATA
    differs = upsample_whole(source, NODATA, factor) != upsample_whole(holed, NODATA, factor)
    rows, columns = np.nonzero(differs)
    for found in (rows // factor, columns // factor):
        assert (found.min(), found.max()) == (7, 11)


@pytest.mark.slow
@both
def test_a_swath_edge_is_that_of_the_formula(factor):
    """A slanting edge: rows with, near and without pixels that have no data."""
    source = random_source(18, 9)
    rows, columns = np.indices(source.shape)
    source[(rows > 4) & (rows < 12) & (columns > 2 * rows - 15)] = NODATA
    result = upsample_whole(source, NODATA, factor)
    for row, column in np.ndindex(result.shape):
        expected = by_the_formula(source, row, column, NODATA, factor)
        assert abs(result[row, column] - expected) <= 0.5 + 1e-9


def test_without_nodata_no_value_is_special():
    # The tap of 128 more weighs 111/128 by rows and -3/128 by columns: -2.6.
    source = np.full((6, 6), NODATA, np.int16)
    source[3, 3] = NODATA + 128
    assert upsample_whole(source)[6, 2:4].tolist() == [NODATA, NODATA - 3]


@both
@pytest.mark.parametrize("holes", [0.0, 0.001, 0.05])
def test_a_pixel_does_not_depend_on_its_window(factor, holes):
    source = random_source(30, 41, holes)
    whole = upsample_whole(source, NODATA, factor)
    n_rows, n_columns = whole.shape
    rng = np.random.default_rng(1)
    for _ in range(300):
        row, column = rng.integers(0, n_rows), rng.integers(0, n_columns)
        rows = rng.integers(1, 1 + n_rows - row)
        window = Window(row, column, rows, rng.integers(1, 1 + n_columns - column))
        need = source_window(window, source.shape, factor)
        part = source[need.row : need.row + need.rows, need.col : need.col + need.cols]
        result = UPSAMPLE[factor](part, window, source.shape, NODATA)
        expected = whole[row : row + window.rows, column : column + window.cols]
        np.testing.assert_array_equal(result, expected)


def test_source_windows_by_hand():
    # Fine rows 7 to 10 lie in coarse rows 3 to 5, with two more on each side.
    assert source_window((7, 7, 4, 4), (100, 100)) == (1, 1, 7, 7)
    assert source_window((0, 196, 1, 4), (100, 100)) == (0, 96, 3, 4)
    assert source_window((0, 0, 200, 200), (100, 100)) == (0, 0, 100, 100)
    # By thirds, fine rows 7 to 12 lie in coarse rows 2 to 4.
    assert source_window((7, 12, 6, 1), (100, 100), 3) == (0, 2, 7, 5)
    assert source_window((297, 0, 3, 300), (100, 100), 3) == (97, 0, 3, 100)


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
    with pytest.raises(InputDataError, match="grid 3 times as fine"):
        source_window((0, 12, 2, 4), (5, 5), 3)
    with pytest.raises(InputDataError, match="is not inside"):
        source_window((-1, 0, 2, 4), (5, 5))
    with pytest.raises(InputDataError, match="needs an int16 source of window"):
        upsample_cubic_2x(source, (0, 0, 2, 2), source.shape)
    with pytest.raises(InputDataError, match="needs an int16 source"):
        upsample_cubic_2x(source.astype(np.float32), (0, 0, 10, 10), source.shape)
    with pytest.raises(InputDataError, match="int16 array of shape"):
        upsample_cubic_2x(source, (0, 0, 10, 10), source.shape, out=np.zeros((10, 9), np.int16))
