"""Grids: windows, alignment, and the grid of another projection."""

from itertools import pairwise

import numpy as np
import pytest
from osgeo import gdal, osr

from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.grid import (
    Grid,
    Window,
    check_aligned,
    grid_of,
    placed,
    reading_windows,
    reprojected,
    same_crs,
    side_of_pixel,
    union,
)

UTM = "EPSG:32631"
LAMBERT = "EPSG:2154"
TILE = Grid(UTM, 300_000, 4_900_020, 10, 100, 70)


def moved(**values):
    return Grid(**TILE.as_dict() | values)


@pytest.mark.parametrize("shape", [(1, 1), (7, 9), (100, 70), (256, 256), (33, None)])
def test_windows_cover_every_pixel_once(shape):
    count = np.zeros((TILE.rows, TILE.cols), dtype=int)
    for window in TILE.windows(*shape):
        assert window.rows <= shape[0]
        count[window.slices] += 1
        assert count[window.slices].size == window.size
    assert (count == 1).all()


@pytest.mark.parametrize(
    ("rows", "cols"), [(10980, 10980), (3660, 700), (256, 600), (600, 256), (512, 2048), (5, 9)]
)
@pytest.mark.parametrize("bytes_per_pixel", [1, 300, 740, 1500, 20_000])
@pytest.mark.parametrize("budget", [16, 100, 400, 4000])
def test_windows_of_series_cover_every_pixel_once_within_the_budget(
    rows, cols, bytes_per_pixel, budget
):
    grid = moved(rows=rows, cols=cols)
    windows = reading_windows(grid, bytes_per_pixel, budget)
    row_edges = sorted({window.row for window in windows} | {rows})
    col_edges = sorted({window.col for window in windows} | {cols})
    assert windows == [
        (top, left, bottom - top, right - left)
        for top, bottom in pairwise(row_edges)
        for left, right in pairwise(col_edges)
    ]
    assert row_edges[0] == col_edges[0] == 0
    largest = max(window.size for window in windows)
    assert largest * bytes_per_pixel <= max(budget * 1e6, 32 * 32 * bytes_per_pixel)


def test_windows_are_whole_blocks_where_the_budget_is_too_small_for_two_a_side():
    """200,000 pixels: three blocks of 256, less than four."""
    windows = reading_windows(moved(rows=1024, cols=1536), 2000, 400)
    assert windows == list(moved(rows=1024, cols=1536).windows(256, 768))


@pytest.mark.parametrize(("bytes_per_pixel", "most"), [(740, 3.2), (1500, 4.2)])
def test_blocks_of_20_m_bands_are_decoded_for_few_windows(bytes_per_pixel, most):
    """How many of their blocks of 256 pixels a window touches, the margin of two included. Each
    block is read by two windows a side, or by one and a half of longer windows; windows that begin
    with a block would read it three times a side, those of 256 rows four times along columns."""
    grid = moved(rows=10980, cols=10980)

    def touched(first, length):
        return min(first + length + 3, 10979) // 512 - max(first - 4, 0) // 512 + 1

    decoded = sum(
        touched(window.row, window.rows) * touched(window.col, window.cols)
        for window in reading_windows(grid, bytes_per_pixel, 400)
    )
    assert decoded < most * 22 * 22


def test_bounds_of_the_grid_and_of_a_window():
    assert TILE.bounds == (300_000, 4_899_020, 300_700, 4_900_020)
    assert TILE.bounds_of(Window(2, 3, 4, 5)) == (300_030, 4_899_960, 300_080, 4_900_000)


def test_reprojected_corners_are_multiples_of_the_resolution():
    grid = reprojected(TILE, LAMBERT, 20)
    assert grid.left % 20 == 0
    assert grid.top % 20 == 0


@pytest.mark.parametrize("resolution", [10, 15, 30])
def test_reprojected_grid_holds_the_whole_tile_and_little_more(resolution):
    grid = reprojected(TILE, LAMBERT, resolution)
    transform = osr.CoordinateTransformation(*(_reference(crs) for crs in (UTM, LAMBERT)))
    left, bottom, right, top = TILE.bounds
    edge = np.linspace(0, 1, 201)
    border = [(left + t * (right - left), y) for t in edge for y in (bottom, top)]
    border += [(x, bottom + t * (top - bottom)) for t in edge for x in (left, right)]
    points = np.array(transform.TransformPoints(border))[:, :2]
    slack = points.min(0) - grid.bounds[:2], grid.bounds[2:] - points.max(0)
    assert np.min(slack) >= -0.01
    assert np.max(slack) < resolution + 0.01


def _reference(crs):
    reference = osr.SpatialReference()
    reference.SetFromUserInput(crs)
    reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    return reference


def test_same_projection_and_resolution_change_only_the_corner():
    assert reprojected(TILE, UTM, 10) == TILE
    coarse = reprojected(TILE, UTM, 50)
    assert (coarse.left, coarse.top, coarse.rows, coarse.cols) == (300_000, 4_900_050, 21, 14)


def test_reprojected_neighbours_fall_on_one_another():
    east = moved(left=300_650)
    check_aligned(reprojected(TILE, LAMBERT, 10), reprojected(east, LAMBERT, 10))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"crs": "EPSG:32630"}, "two projections, EPSG:32631 and EPSG:32630"),
        ({"resolution": 20}, "two resolutions, 10 and 20"),
        ({"left": 300_003}, r"shifted by 0\.300 of a pixel"),
        ({"top": 4_900_025}, r"shifted by 0\.500 of a pixel"),
    ],
)
def test_grids_that_do_not_match_are_refused(changes, message):
    with pytest.raises(InputDataError, match=message):
        check_aligned(TILE, moved(**changes))


@pytest.mark.parametrize("changes", [{"left": 300_000.005}, {"left": 250_010}, {"rows": 3}])
def test_grids_a_whole_number_of_pixels_apart_are_aligned(changes):
    check_aligned(TILE, moved(**changes))


def test_union_holds_all_tiles():
    both = union([TILE, moved(left=300_500, top=4_900_100)])
    assert both.bounds == (300_000, 4_899_020, 301_200, 4_900_100)
    assert (both.rows, both.cols) == (108, 120)
    assert placed(TILE, both) == Window(8, 0, 100, 70)


def test_no_tile_has_no_union():
    with pytest.raises(InputDataError, match="no tile"):
        union([])


def test_definitions_of_one_crs_are_the_same():
    assert same_crs(UTM, _reference(UTM).ExportToWkt())
    assert not same_crs(UTM, LAMBERT)


def test_unknown_crs_is_named():
    with pytest.raises(InputDataError, match="'EPSG:1' is not understood"):
        same_crs(UTM, "EPSG:1")


def raster(path, transform, crs=UTM):
    dataset = gdal.GetDriverByName("GTiff").Create(str(path), 7, 5)
    dataset.SetGeoTransform(transform)
    if crs:
        dataset.SetProjection(_reference(crs).ExportToWkt())
    dataset = None
    return str(path)


def test_grid_of_a_file(tmp_path):
    grid = grid_of(raster(tmp_path / "a.tif", (100, 10, 0, 200, 0, -10)))
    assert grid.bounds == (100, 150, 170, 200)
    assert (grid.rows, grid.cols) == (5, 7)


@pytest.mark.parametrize(
    ("transform", "crs", "message"),
    [
        ((0, 10, 1, 0, 0, -10), UTM, "square and north up"),
        ((0, 10, 0, 0, 0, -20), UTM, "square and north up"),
        ((0, 10, 0, 0, 0, 10), UTM, "square and north up"),
        ((0, 10, 0, 0, 0, -10), None, "no coordinate reference system"),
    ],
)
def test_file_without_a_plain_grid_is_refused(tmp_path, transform, crs, message):
    with pytest.raises(InputDataError, match=message):
        grid_of(raster(tmp_path / "a.tif", transform, crs))


def test_file_that_is_no_image_is_named(tmp_path):
    path = tmp_path / "text.tif"
    path.write_text("no image", encoding="utf-8")
    with pytest.raises(InputDataError, match=r"text\.tif"):
        grid_of(str(path))


FIJI = Grid("EPSG:32760", 818_400, 8_100_000, 10, 150, 150)
"""A tile across the antimeridian."""


@pytest.mark.parametrize(("crs", "resolution"), [("EPSG:4326", 1e-4), ("EPSG:3857", 10)])
def test_a_projection_whose_seam_crosses_the_tile_is_refused_by_name(crs, resolution):
    with pytest.raises(InputDataError, match=f"{crs} cannot show the area"):
        reprojected(FIJI, crs, resolution)


@pytest.mark.parametrize("crs", ["EPSG:3832", "EPSG:32701"])
def test_a_projection_without_a_seam_there_keeps_the_area_of_the_tile(crs):
    found = reprojected(FIJI, crs, 10)
    assert min(found.rows, found.cols) > 0
    # The scale of these projections differs there by less than 1 % from that of UTM; their north
    # by few degrees, which the bounding box holds as well.
    area = found.rows * found.cols / (FIJI.rows * FIJI.cols)
    assert 0.98 < area < 1.15


def test_a_tile_at_the_pole_is_shown_by_a_polar_projection_and_not_in_degrees():
    pole = Grid("EPSG:3413", -10_000, 10_000, 100, 200, 200)
    assert reprojected(pole, "EPSG:3995", 100).rows >= 200
    with pytest.raises(InputDataError, match="EPSG:4326 cannot show"):
        reprojected(pole, "EPSG:4326", 1e-3)


def test_a_resolution_in_other_units_is_refused():
    tile = Grid("EPSG:32631", 300_000, 4_900_000, 10, 10_980, 10_980)
    with pytest.raises(InputDataError, match="check projection and spatial_resolution"):
        reprojected(tile, "EPSG:32631", 1e-4)


def test_a_usual_tile_is_shown_everywhere():
    tile = Grid("EPSG:32631", 300_000, 4_900_000, 10, 10_980, 10_980)
    for crs, resolution in (
        ("EPSG:2154", 10),
        ("EPSG:4326", 1e-4),
        ("EPSG:3857", 10),
        ("EPSG:3035", 10),
    ):
        assert (
            min(reprojected(tile, crs, resolution).rows, reprojected(tile, crs, resolution).cols)
            > 5000
        )


def test_a_window_grows_as_far_as_the_tile_goes():
    tile = Window(0, 0, 8, 9)
    assert Window(0, 4, 2, 2).grown(3, tile) == Window(0, 1, 5, 8)
    assert Window(5, 0, 3, 9).grown(1, tile) == Window(4, 0, 4, 9)
    assert Window(3, 3, 1, 1).grown(0, tile) == Window(3, 3, 1, 1)


def test_a_window_is_rounded_to_the_squares_it_touches():
    tile = Window(0, 0, 10, 11)
    assert Window(3, 4, 2, 4).rounded(4, tile) == Window(0, 4, 8, 4)
    assert Window(4, 8, 4, 1).rounded(4, tile) == Window(4, 8, 4, 3)
    assert Window(9, 10, 1, 1).rounded(4, tile) == Window(8, 8, 2, 3)
    assert tile.rounded(4, tile) == tile
    assert Window(6, 3, 1, 1).rounded(4, Window(3, 2, 9, 9)) == Window(3, 2, 4, 4)


@pytest.mark.parametrize(
    ("crs", "resolution", "words"),
    [
        ("EPSG:32631", 10, "10 m"),
        ("EPSG:2229", 30, "30 US survey foot (9.144 m)"),  # 1200/3937 m
        ("EPSG:4326", 0.0001, "0.0001 degree (11.13 m)"),
    ],
)
def test_the_side_of_a_pixel_is_told_in_its_unit(crs, resolution, words):
    assert side_of_pixel(Grid(crs, 0, 0, resolution, 1, 1)) == words
