"""Pictures: colours where the map has them, honest shares, round scale bars, same bytes."""

import matplotlib.image
import numpy as np
import pytest

from iota2_tools.config.nomenclature import LandCoverClass, Nomenclature
from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.grid import Grid
from iota2_tools.geo.raster import create_raster
from iota2_tools.maps.layers import CLASS_MAP
from iota2_tools.maps.mosaic import FinalMap, write_mosaic
from iota2_tools.maps.preview import (
    FOOT,
    MARGIN,
    TITLE,
    area_text,
    class_shares,
    colourise,
    north_of,
    period_of,
    read_decimated,
    scale_bar,
    sensors_told,
    share_text,
    source_of,
    write_preview,
)
from iota2_tools.reporting.figures import write_matrix_figure, write_scores_figure

NOMENCLATURE = Nomenclature(
    (LandCoverClass(1, "Forest $x", (0, 150, 0)), LandCoverClass(2, "Water", (0, 0, 255)))
)


def class_map(folder, array):
    source, output = str(folder / "piece.tif"), str(folder / "map.tif")
    grid = Grid("EPSG:32631", 300_000, 5_000_000, 10, *array.shape)
    with create_raster(source, grid, "uint8", nodata=0) as raster:
        raster.write(array.astype(np.uint8), grid.window)
    write_mosaic([source], output, FinalMap(CLASS_MAP, classes=NOMENCLATURE))
    return output


def test_colours_are_those_of_the_nomenclature():
    image = colourise(np.array([[0, 1], [2, 9]]), NOMENCLATURE)
    assert image.tolist() == [
        [[0, 0, 0, 0], [0, 150, 0, 255]],
        [[0, 0, 255, 255], [128, 128, 128, 255]],
    ]


def test_shares_are_counted_not_taken_from_overviews(tmp_path):
    # One pixel of each 2 x 2 is water: no overview has any, yet it covers a quarter.
    array = np.ones((1200, 1200), np.uint8)
    array[::2, ::2] = 2
    path = class_map(tmp_path, array)
    assert class_shares(path, 1600) == {1: 0.75, 2: 0.25}
    assert (read_decimated(path, 300, 300, "mode") == 1).all()


def test_shares_leave_out_what_is_not_mapped(tmp_path):
    array = np.zeros((20, 20), np.uint8)
    array[0, :4] = [1, 1, 1, 2]
    assert class_shares(class_map(tmp_path, array), 1600) == {1: 0.75, 2: 0.25}


def test_a_sample_of_a_large_map_gives_its_shares(tmp_path):
    array = np.ones((1500, 1500), np.uint8)
    array[:, :450] = 2
    shares = class_shares(class_map(tmp_path, array), 100)
    assert shares[2] == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize(
    ("share", "text"), [(0.12345, "12.3 %"), (0.0002, "< 0.1 %"), (1, "100.0 %")]
)
def test_a_class_present_never_reads_zero(share, text):
    assert share_text(share) == text


@pytest.mark.parametrize(
    ("crs", "resolution", "top", "cols", "length", "label"),
    [
        ("EPSG:32631", 10, 0, 10980, 20_000 / 109_800, "20 km"),
        ("EPSG:32631", 10, 0, 64, 100 / 640, "100 m"),
        ("EPSG:32631", 10, 0, 80, 200 / 800, "200 m"),
        # 1 degree at 60 degrees north is 55.66 km: a quarter is 13.9 km.
        ("EPSG:4326", 0.01, 60.5, 100, 10 / 55.66, "10 km"),
    ],
)
def test_scale_bar_is_round_and_at_most_a_quarter(crs, resolution, top, cols, length, label):
    bar = scale_bar(Grid(crs, 0, top, resolution, 100, cols))
    assert bar.label == label
    assert bar.fraction == pytest.approx(length, rel=1e-3)


def test_the_picture_holds_the_map_and_is_the_same_again(tmp_path):
    array = np.ones((300, 400), np.uint8)
    array[:, 200:] = 2
    path = class_map(tmp_path, array)
    first, second = tmp_path / "a.png", tmp_path / "b.png"
    for name in (first, second):
        write_preview(path, NOMENCLATURE, str(name), max_size=400)
    assert first.read_bytes() == second.read_bytes()
    image = (matplotlib.image.imread(first)[..., :3] * 255).round().astype(int)
    for item in NOMENCLATURE.classes:  # half of 300 x 400 each, less what the frame covers
        count = (image == item.colour).all(axis=-1).sum()
        assert 0.97 * 60_000 < count < 1.03 * 60_000


def test_each_pixel_of_a_small_map_is_a_square_of_its_colour_at_its_place(tmp_path):
    """8 x 8 pixels on a picture of at most 85: squares of 10, not mapped white, unknown grey."""
    codes = np.arange(64).reshape(8, 8) % 4
    path = class_map(tmp_path, codes)
    write_preview(path, NOMENCLATURE, str(tmp_path / "a.png"), max_size=85)
    picture = (matplotlib.image.imread(tmp_path / "a.png")[..., :3] * 255).round().astype(int)
    drawn = picture[TITLE + 5 : TITLE + 80 : 10, MARGIN + 5 : MARGIN + 80 : 10]
    colours = np.array([(255, 255, 255), (0, 150, 0), (0, 0, 255), (128, 128, 128)])
    assert drawn.tolist() == colours[codes].tolist()
    chips = picture[:, 80 + 2 * MARGIN :][:, :26]
    for colour in colours[1:]:  # 26 x 16, less the frame
        assert 0.8 * 26 * 16 < (chips == colour).all(axis=-1).sum() < 26 * 16


def test_a_map_without_any_class_is_refused(tmp_path):
    path = class_map(tmp_path, np.zeros((10, 10)))
    with pytest.raises(InputDataError, match="no pixel has a class"):
        write_preview(path, NOMENCLATURE, str(tmp_path / "a.png"))


def test_figures_are_the_same_bytes_again(tmp_path):
    matrix = np.array([[5, 1, 0], [0, 0, 2]])
    for name in ("a", "b"):
        write_matrix_figure(matrix, NOMENCLATURE, str(tmp_path / f"matrix_{name}.png"), "Seed 0")
        write_scores_figure({0: matrix, 1: matrix}, NOMENCLATURE, str(tmp_path / f"f_{name}.png"))
    for kind in ("matrix", "f"):
        first, second = (tmp_path / f"{kind}_{name}.png" for name in ("a", "b"))
        assert first.read_bytes() == second.read_bytes()
        assert matplotlib.image.imread(first).std() > 0.05


@pytest.mark.parametrize(
    ("crs", "left", "top", "resolution", "angle"),
    [
        # Convergence of the meridians is difference of longitude times sine of latitude (Snyder 1987,
        # to first order): -2.542 degrees * sin(45.118 degrees) = -1.801 in the west of zone 31.
        ("EPSG:32631", 300_000, 5_000_000, 10, 1.801),
        # Its mirror east of the central meridian, and the meridian itself, at 500 km.
        ("EPSG:32631", 699_000, 5_000_000, 10, -1.801),
        ("EPSG:32631", 499_500, 5_000_000, 10, 0),
        ("EPSG:4326", 0, 50, 0.01, 0),
        # In the polar projection for the south, at 90 degrees east: north is away from the pole, to the right.
        ("EPSG:3031", 2_000_000, 500, 10, 90),
    ],
)
def test_the_arrow_points_to_true_north(crs, left, top, resolution, angle):
    assert north_of(Grid(crs, left, top, resolution, 100, 100)) == pytest.approx(angle, abs=0.03)


def test_the_area_is_that_of_the_pixels_that_have_a_class(tmp_path):
    array = np.zeros((40, 50), np.uint8)
    array[:10, :30] = 1  # 300 pixels of 100 m2
    assert area_text(class_map(tmp_path, array), 1600) == "0.03000 km² mapped"
    large = np.ones((1200, 1200), np.uint8)  # 144 km2
    assert area_text(class_map(tmp_path, large), 100) == "144.0 km² mapped"


def test_year_and_source_are_those_of_the_tags():
    tags = {
        "DATES": "s1:2017-12-30/2018-06-01 s2:2018-01-06/2018-12-20",
        "SENSORS": "sentinel1 own",
    }
    assert period_of(tags) == ("2017-12-30", "2018-12-20")
    assert source_of(tags) == ["features of 2017-12-30 to 2018-12-20", "Sentinel-1, Own"]
    assert source_of({"SENSORS": "user features", "SOFTWARE": "iota2-tools 9"}) == [
        "rasters of the user", "iota2-tools 9",
    ]  # fmt: skip
    assert period_of({}) is None


def test_two_formats_of_a_satellite_are_told_as_the_satellite():
    names = ["landsat8", "sentinel1_s1tiling", "sentinel2_sen2cor", "sentinel2_l3a", "own_series"]
    assert sensors_told(names) == ["Landsat-8", "Sentinel-1", "Sentinel-2", "series of the user"]
    assert sensors_told(["stac", "user features", "my_radar"]) == [
        "images of a STAC collection", "rasters of the user", "My radar",
    ]  # fmt: skip


def test_the_foot_holds_bar_arrow_and_words(tmp_path):
    """Below the map there is ink at the left (bar), at the right (arrow) and in the line of words; under it none."""
    path = class_map(tmp_path, np.ones((100, 100)))
    write_preview(path, NOMENCLATURE, str(tmp_path / "a.png"), max_size=400)
    picture = matplotlib.image.imread(tmp_path / "a.png")[..., :3].min(axis=-1)
    below = picture[TITLE + 402 :]
    assert below.shape[0] >= FOOT
    inked = below < 0.7
    assert inked[12:32, MARGIN : MARGIN + 150].any()
    assert inked[:40, MARGIN + 370 : MARGIN + 400].any()
    assert inked[44:64, MARGIN : MARGIN + 100].any()
    assert not inked[66:].any()


@pytest.mark.parametrize(("x", "y", "angle"), [(0, -300, 0), (300, 0, -90), (-300, 0, 90)])
def test_north_is_where_the_pole_is_beside_it_too(x, y, angle):
    """Some hundred metres from the North Pole, the origin of EPSG:3413: no degree is left to go north by."""
    grid = Grid("EPSG:3413", x - 40, y + 40, 10, 8, 8)
    assert north_of(grid) == pytest.approx(angle, abs=0.01)
