"""Images moved beside a grid: Keys' kernel by its theory and by GDAL, in any window alike."""

import numpy as np
import pytest
from osgeo import gdal
from tiny import LEFT, TOP, write_image

from iota2_tools.geo.beside import Beside, beside
from iota2_tools.geo.grid import Grid, Window, grid_of
from iota2_tools.geo.gridded import GridBand, Reading, Values

pytestmark = pytest.mark.slow
SIDE = 24
NODATA = -10000
SHIFTS = [(0.25, -0.5), (-1.7, 2.2), (0.5, 0.5), (3.0, -2.0), (0.1, 1.0 / 3)]


def ground(rows, cols):
    """A surface of the second degree, which Keys' kernel with a = -0.5 interpolates exactly."""
    return 500 + 30 * rows - 20 * cols + 2 * rows**2 - rows * cols + 3 * cols**2


def image(folder, factor=1, dtype=np.int16, holes=(), nodata=NODATA):
    """The surface on pixels `factor` times as large as those of the grid."""
    side = SIDE // factor
    centres = factor * (np.arange(side) + 0.5)
    values = np.rint(ground(centres[:, None], centres)).astype(dtype)
    for row, col in holes:
        values[row, col] = nodata
    return write_image(folder / f"{factor}.tif", values, 10.0 * factor, nodata=nodata)


def moved_grid(down, right, rows=SIDE, cols=SIDE):
    return Grid("EPSG:32631", LEFT + 10 * right, TOP - 10 * down, 10.0, rows, cols)


def band(path, grid, **reading):
    values = reading.pop("values", Values())
    given = {"nodata": NODATA, "covered": True, "moved": True}
    return GridBand(path, grid, Reading(**given | reading, values=values))


@pytest.mark.parametrize("factor", [1, 2, 3])
@pytest.mark.parametrize(("down", "right"), SHIFTS)
def test_a_surface_of_the_second_degree_is_interpolated_exactly(tmp_path, factor, down, right):
    moved = band(image(tmp_path, factor), moved_grid(down, right))
    values, seen = moved.observe(Window(0, 0, SIDE, SIDE))
    centres = np.arange(SIDE) + 0.5
    expected = ground(centres[:, None] + down, centres + right)
    inner = np.s_[2 * factor + 3 : -2 * factor - 3, 2 * factor + 3 : -2 * factor - 3]
    # The values of the image are rounded, and so is the result.
    assert np.abs(values - expected)[inner].max() <= 1.3
    inside = (centres + down >= 0) & (centres + down < SIDE)
    across = (centres + right >= 0) & (centres + right < SIDE)
    assert np.array_equal(seen, inside[:, None] & across)


def test_whole_pixels_are_moved_as_they_are(tmp_path):
    path = image(tmp_path)
    values, seen = band(path, moved_grid(3, -2)).observe(Window(0, 0, SIDE, SIDE))
    stored = gdal.Open(path).ReadAsArray()
    assert np.array_equal(values[:-3, 2:], stored[3:, :-2])
    assert seen[:-3, 2:].all()
    assert seen.sum() == (SIDE - 3) * (SIDE - 2)


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_values_are_those_of_gdal_but_for_rounding(tmp_path, factor):
    rng = np.random.default_rng(factor)
    values = rng.integers(0, 8000, (SIDE // factor, SIDE // factor)).astype(np.int16)
    path = write_image(tmp_path / "a.tif", values, 10.0 * factor)
    grid = moved_grid(0.3, -0.4)
    ours, _ = band(path, grid).observe(grid.window)
    theirs = gdal.Warp(
        "", path, format="MEM", dstSRS=grid.crs, outputBounds=grid.bounds, width=SIDE, height=SIDE,
        resampleAlg="cubic", errorThreshold=0, warpOptions=["XSCALE=1", "YSCALE=1"],
    ).ReadAsArray()  # fmt: skip
    inner = np.s_[2 * factor + 1 : -2 * factor - 1, 2 * factor + 1 : -2 * factor - 1]
    assert np.abs(ours[inner].astype(int) - theirs[inner]).max() <= 1


@pytest.mark.parametrize(("factor", "dtype"), [(1, np.int16), (2, np.uint16), (3, np.int16)])
@pytest.mark.parametrize("shape", [(5, 7), (27, 3)])
def test_windows_are_parts_of_the_whole(tmp_path, factor, dtype, shape):
    nodata = 0 if dtype == np.uint16 else NODATA
    path = image(tmp_path, factor, dtype, holes=[(3, 4), (3, 5), (4, 4)], nodata=nodata)
    grid = moved_grid(-1.7, 0.45, SIDE + 3, SIDE + 5)
    for reading in (
        {"nodata": nodata},
        {"nodata": nodata, "values": Values(0.5, -20)},
        {"nodata": nodata, "continuous": False, "values": None},
    ):
        moved = band(path, grid, **reading)
        whole, seen = moved.observe(grid.window)
        assert not seen.all()
        assert np.array_equal(moved.seen(grid.window), seen)
        for window in grid.windows(*shape):
            values, there = moved.observe(window)
            assert np.array_equal(there, seen[window.slices])
            assert np.array_equal(values[there], whole[window.slices][there])
            out = np.empty((window.rows, window.cols), whole.dtype)
            moved.read(window, out)
            assert np.array_equal(out, values)


def test_a_pixel_in_one_without_data_has_none_and_others_do_without_it(tmp_path):
    """A plane: what is interpolated from fewer pixels stays near it, and their value is not mixed in."""
    values = np.full((SIDE, SIDE), 4000, np.int16)
    values[10, 10] = values[10, 11] = NODATA
    path = write_image(tmp_path / "a.tif", values, nodata=NODATA)
    found, seen = band(path, moved_grid(0.4, 0.4)).observe(Window(0, 0, SIDE, SIDE))
    assert not seen[10, 10]
    assert not seen[10, 11]
    assert seen[:23, :23].sum() == 23 * 23 - 2
    assert (found[seen] == 4000).all()
    assert (found[~seen] == -32768).all()


def test_where_little_has_data_the_nearest_pixel_stands_for_all(tmp_path):
    """Scaled to 1, the weights of what is left would be many times those of the others' errors."""
    values = np.full((SIDE, SIDE), NODATA, np.int16)
    values[10, 10], values[9, 10], values[10, 9], values[9, 9] = 700, 0, 0, 9000
    path = write_image(tmp_path / "a.tif", values, nodata=NODATA)
    # Halfway: the centre of (9, 9) is the corner of these four pixels, which count alike.
    found, seen = band(path, moved_grid(0.5, 0.5)).observe(Window(0, 0, SIDE, SIDE))
    assert seen[9, 9]
    assert found[9, 9] == 2425
    # The other three are gone; two at the ends of the diagonal have a weight of 1/256 each.
    alone = np.full((SIDE, SIDE), NODATA, np.int16)
    alone[10, 10] = 700
    alone[8, 8] = alone[11, 11] = 5000
    path = write_image(tmp_path / "b.tif", alone, nodata=NODATA)
    found, seen = band(path, moved_grid(0.5, 0.5)).observe(Window(0, 0, SIDE, SIDE))
    assert found[9, 9] == 700


def test_codes_are_those_of_the_pixel_that_holds_the_centre(tmp_path):
    codes = np.arange(SIDE * SIDE // 4).reshape(SIDE // 2, -1).astype(np.uint16)
    path = write_image(tmp_path / "a.tif", codes, 20.0)
    moved = band(path, moved_grid(0.6, -0.6), nodata=None, continuous=False, values=None)
    found, seen = moved.observe(Window(0, 0, SIDE, SIDE))
    rows = ((np.arange(SIDE) + 0.5 + 0.6) // 2).astype(int)
    cols = ((np.arange(SIDE) + 0.5 - 0.6) // 2).astype(int)
    assert not seen[-1].any()
    assert not seen[:, 0].any()
    assert np.array_equal(found[:-1, 1:], codes[np.ix_(rows[:-1], cols[1:])])


def test_a_grid_wholly_beside_the_image_sees_nothing(tmp_path):
    moved = band(image(tmp_path), moved_grid(100, -300))
    _, seen = moved.observe(Window(0, 0, SIDE, SIDE))
    assert not seen.any()


def test_others_than_moved_images_and_other_projections_are_left_to_gdal(tmp_path):
    path = image(tmp_path)
    native, grid = grid_of(path), moved_grid(0.3, 0.3)
    assert beside(native, grid) == Beside(1, 0.3, 0.3)
    assert beside(native, Grid("EPSG:2154", LEFT, TOP, 10.0, 8, 8)) is None
    assert beside(native, Grid(grid.crs, LEFT, TOP, 20.0, 8, 8)) is None
    assert beside(native, Grid(grid.crs, LEFT, TOP, 7.0, 8, 8)) is None
    # Power is interpolated as such, bilinear; what was not moved as it always was.
    power = write_image(tmp_path / "p.tif", np.full((SIDE, SIDE), 0.1, np.float32))
    for where, reading in (
        (power, {"nodata": 0, "values": Values(decibel=True)}), (path, {"moved": False}),
    ):  # fmt: skip
        assert band(where, grid, **reading)._warps
