"""A pass of Sentinel-1 on the grid of a tile: position, backscatter, seams, windows, what is wrong.

The scene is simulated: the place of its corner reflectors and its backscatter are known.
"""

import itertools
import json
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal

from iota2_tools.core.errors import ConfigError, InputDataError
from iota2_tools.geo.grid import Grid, Window, grid_of, placed
from iota2_tools.geo.raster import create_raster, open_raster, read_raster
from iota2_tools.radar.decibels import to_power
from iota2_tools.radar.elevation import (
    GEOIDS,
    Elevation,
    Heights,
    Surface,
    dem_problems,
    node_grid,
    node_step,
)
from iota2_tools.radar.preparation import (
    Nodes,
    frame_problems,
    open_frame,
    orthorectified,
    prepare_grd,
)
from iota2_tools.radar.resampling import resample
from iota2_tools.radar.safe import parse_name, read_frame
from iota2_tools.radar.settings import GrdSettings
from iota2_tools.radar.zips import unpacked
from iota2_tools.simulate.radar import clear_backscatter, radar_passes, reflectors
from iota2_tools.simulate.radar_geometry import PassGeometry
from iota2_tools.simulate.radar_safe import GrdProduct, write_frame
from iota2_tools.simulate.relief import plan_dem, plan_geoid, write_heights
from iota2_tools.simulate.settings import SceneSettings, grid_of_window, tile_window

SCENE = SceneSettings(seed=3, tiles=("T31TCJ",), size=220, dates=2)
TILE = tile_window(SCENE, "T31TCJ")
GRID = grid_of_window(TILE)
PASSES = {found.direction: found for found in radar_passes(SCENE)}


@pytest.fixture(scope="module")
def dem(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dem")
    for raster in [*plan_dem(SCENE, ""), *plan_geoid(SCENE, "")]:
        write_heights(SCENE, raster, [], folder)
    return folder


@pytest.fixture(scope="module")
def settings(dem):
    return GrdSettings(Elevation(str(dem / "dem.tif"), str(dem / "geoid.tif")))


def frames_of(direction: str, cuts: list[int], folder: Path, **changes) -> list[Path]:
    """Write a pass, cut into frames at some lines."""
    lines = PassGeometry(SCENE, direction).lines
    edges = [0, *cuts, lines]
    products = [
        GrdProduct(SCENE, PASSES[direction], first, last - 1, **changes)
        for first, last in itertools.pairwise(edges)
    ]
    for product in products:
        write_frame(SCENE, product, [], folder)
    return [folder / product.name for product in products]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The passes in one frame each, by direction."""
    folder = tmp_path_factory.mktemp("whole")
    return {direction: frames_of(direction, [], folder) for direction in PASSES}


@pytest.fixture(scope="module")
def prepared(whole, settings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared")
    for direction, safes in whole.items():
        prepare_grd(safes, GRID, settings, folder / direction)
    return folder


def power_of(folder: Path, name: str = "VV") -> np.ndarray:
    return to_power(read_raster(str(folder / f"{name}.tif")))


def in_tile() -> list[tuple[int, int]]:
    places = [(row - TILE.row, col - TILE.col) for row, col in reflectors(SCENE)]
    return [
        (row, col) for row, col in places if 3 < row < TILE.rows - 4 and 3 < col < TILE.cols - 4
    ]


def centre_of_light(power: np.ndarray, row: int, col: int) -> tuple[float, float]:
    """Row and column, from a pixel, of the centre of the light around it."""
    around = power[row - 3 : row + 4, col - 3 : col + 4].astype(float)
    light = np.where(around > 1.0, around, 0.0)
    down, right = np.mgrid[-3:4, -3:4]
    return (light * down).sum() / light.sum(), (light * right).sum() / light.sum()


# Position and backscatter.


@pytest.mark.parametrize("direction", ["ASC", "DES"])
def test_corner_reflectors_are_where_they_stand(prepared, direction):
    power = power_of(prepared / direction)
    assert in_tile()
    for place in in_tile():
        assert np.hypot(*centre_of_light(power, *place)) < 0.15


def test_without_geoid_the_reflectors_are_pixels_off(whole, dem, tmp_path):
    """50 m of height at 38 degrees of incidence: 64 m on the ground."""
    elevation = Elevation(str(dem / "dem.tif"))
    prepare_grd(whole["ASC"], GRID, GrdSettings(elevation), tmp_path / "low")
    power = power_of(tmp_path / "low")
    row, col = in_tile()[0]
    assert power[row, col] < 1.0
    around = power[row - 3 : row + 4, col - 9 : col + 10]
    assert abs(np.unravel_index(around.argmax(), around.shape)[1] - 9) in (6, 7)


@pytest.mark.skipif(
    not Path(GEOIDS[0]).is_file(),
    reason=f"there is no {GEOIDS[0]}: apt-get install proj-data",
)
def test_the_geoid_of_debian_is_right_too(whole, dem, tmp_path):
    elevation = Elevation(str(dem / "dem.tif"), GEOIDS[0])
    prepare_grd(whole["ASC"], GRID, GrdSettings(elevation), tmp_path / "egm96")
    power = power_of(tmp_path / "egm96")
    for place in in_tile():
        assert np.hypot(*centre_of_light(power, *place)) < 0.3


@pytest.mark.parametrize("direction", ["ASC", "DES"])
@pytest.mark.parametrize("name", ["VV", "VH"])
def test_backscatter_is_that_of_the_land(prepared, direction, name):
    """The mean over the tile, within what speckle leaves of 48400 pixels."""
    found = power_of(prepared / direction, name)
    layer = ("VV", "VH").index(name)
    expected = clear_backscatter(SCENE, TILE, PASSES[direction])[layer]
    land = np.ones(found.shape, dtype=bool)
    for row, col in [(r - TILE.row, c - TILE.col) for r, c in reflectors(SCENE)]:
        land[max(row - 3, 0) : row + 4, max(col - 3, 0) : col + 4] = False
    assert not np.isnan(found).any()
    assert found[land].mean() == pytest.approx(expected[land].mean(), rel=0.01)
    bright = expected > np.median(expected)
    for part in (land & bright, land & ~bright):
        assert found[part].mean() == pytest.approx(expected[part].mean(), rel=0.06)


def test_sigma_is_gamma_times_the_cosine_of_incidence(whole, settings, prepared, tmp_path):
    """cos 38 degrees = 0.788 in the middle of the scene: 1.034 dB less; beta = sigma / sin 38 = 0.616."""
    for kind in ("sigma", "beta"):
        prepare_grd(whole["ASC"], GRID, replace(settings, calibration=kind), tmp_path / kind)
    gamma = read_raster(str(prepared / "ASC" / "VV.tif"))[110, 90:130]
    sigma, beta = (
        read_raster(str(tmp_path / k / "VV.tif"))[110, 90:130] for k in ("sigma", "beta")
    )
    assert np.abs(gamma - sigma - 103).max() <= 8
    assert np.abs(beta - sigma - 211).max() <= 8


def test_noise_left_in_shows_where_it_is_dark(whole, settings, prepared, tmp_path):
    prepare_grd(whole["ASC"], GRID, replace(settings, remove_noise=False), tmp_path / "noisy")
    clean, noisy = power_of(prepared / "ASC", "VH"), power_of(tmp_path / "noisy", "VH")
    assert (noisy - clean).mean() == pytest.approx(1500 / 536**2, rel=0.35)


def test_noise_that_the_processor_removed_is_not_removed_twice(whole, settings, tmp_path):
    safe = shutil.copytree(whole["ASC"][0], tmp_path / whole["ASC"][0].name)
    for path in safe.glob("annotation/*.xml"):
        text = path.read_text(encoding="utf-8")
        text = text.replace("CorrectionPerformed>false", "CorrectionPerformed>true")
        path.write_text(text, encoding="utf-8")
    prepare_grd([safe], GRID, settings, tmp_path / "done")
    prepare_grd(whole["ASC"], GRID, replace(settings, remove_noise=False), tmp_path / "noisy")
    assert (power_of(tmp_path / "done") == power_of(tmp_path / "noisy")).all()


# Frames.


@pytest.fixture(scope="module")
def halves(tmp_path_factory):
    lines = PassGeometry(SCENE, "ASC").lines
    return frames_of("ASC", [lines // 2], tmp_path_factory.mktemp("halves"))


def test_nothing_is_lost_or_mixed_where_frames_meet(halves, settings, prepared, tmp_path):
    prepare_grd(halves, GRID, settings, tmp_path / "merged")
    assert (read_raster(str(tmp_path / "merged" / "validity.tif")) == 1).all()
    for name in ("VV", "VH"):
        merged = read_raster(str(tmp_path / "merged" / f"{name}.tif"))
        entire = read_raster(str(prepared / "ASC" / f"{name}.tif"))
        assert merged.min() > -32768
        differing = np.abs(merged.astype(int) - entire) > 5  # times of lines are in microseconds
        assert 0 < differing.sum() < 3 * TILE.cols  # a line or two, aslant through the tile
        # A mean with the zeros of the other frame would be 3 dB less along the seam.
        step = merged[differing].astype(float).mean() - entire[differing].mean()
        assert abs(step) < 60


def test_order_of_the_frames_does_not_count(halves, settings, tmp_path):
    prepare_grd(halves, GRID, settings, tmp_path / "one")
    prepare_grd(halves[::-1], GRID, settings, tmp_path / "other")
    first, second = (read_raster(str(tmp_path / n / "VH.tif")) for n in ("one", "other"))
    assert (first == second).all()


def test_a_missing_frame_leaves_unseen_pixels(halves, settings, prepared, tmp_path):
    description = prepare_grd(halves[1:], GRID, settings, tmp_path / "part")
    valid = read_raster(str(tmp_path / "part" / "validity.tif"))
    entire = read_raster(str(prepared / "ASC" / "VV.tif"))
    part = read_raster(str(tmp_path / "part" / "VV.tif"))
    assert 0.3 < valid.mean() < 0.7
    assert description["seen_pixels"] == valid.sum()
    assert ((part == -32768) == (valid == 0)).all()
    assert valid[0].all()  # an ascending satellite ends in the north
    assert not valid[-1].any()
    assert np.mean(np.abs(part.astype(int) - entire)[valid == 1] <= 5) > 0.99


def test_scene_beside_the_tile_sees_nothing(whole, settings, tmp_path, dem):
    aside = replace(GRID, left=GRID.left + 5000)
    everywhere = replace(settings, elevation=replace(settings.elevation, missing_is_sea=True))
    description = prepare_grd(whole["ASC"], aside, everywhere, tmp_path / "aside")
    assert description["seen_pixels"] == 0
    assert (read_raster(str(tmp_path / "aside" / "VV.tif")) == -32768).all()


# Windows.


def test_windows_are_the_whole_at_once(whole, halves, settings):
    for safes in (whole["DES"], halves):
        frames = [open_frame(read_frame(safe), settings) for safe in safes]
        nodes = Nodes(GRID, settings)
        entire = orthorectified(frames, nodes, GRID.window)
        for window in (
            Window(0, 0, 1, 1),
            Window(5, 7, 40, 33),
            Window(219, 219, 1, 1),
            Window(100, 0, 17, 220),
        ):
            part = orthorectified(frames, nodes, window)
            assert part.tobytes() == np.ascontiguousarray(entire[:, *window.slices]).tobytes()


def resampled(power, lines, samples, linear=True, step=1):
    out = np.full((1, len(lines), len(lines[0])), np.nan, np.float32)
    field = [np.array(values, dtype=float) for values in (lines, samples)]
    resample(*field, step, 0, 0, np.array([power], np.float32), (0, 0), linear, out)
    return out[0].tolist()


def test_linear_is_the_mean_of_four():
    """(1 + 2 + 3 + 6) / 4 = 3; at (0.25, 0.75): 0.75 (0.25 + 1.5) + 0.25 (0.75 + 4.5) = 2.625."""
    power = [[1, 2], [3, 6]]
    assert resampled(power, [[0.5]], [[0.5]]) == [[3.0]]
    assert resampled(power, [[0.25]], [[0.75]]) == [[2.625]]
    assert resampled(power, [[0.25]], [[0.75]], linear=False) == [[2.0]]


def test_pixels_without_data_have_no_weight():
    """Weights 0.45 and 0.15 of 1 and 3 are left of (0.25, 0.4): (0.45 + 0.45) / 0.6 = 1.5."""
    power = [[1, np.nan], [3, np.nan]]
    assert resampled(power, [[0.25]], [[0.4]]) == [[pytest.approx(1.5)]]
    assert np.isnan(resampled(power, [[0.25]], [[0.6]])[0][0])  # its own pixel has no data
    assert resampled(power, [[-0.4]], [[0.0]]) == [[1.0]]  # the first line holds half a pixel more
    assert np.isnan(resampled(power, [[-0.6]], [[0.0]])[0][0])


@pytest.mark.parametrize("linear", [True, False])
def test_rounded_times_tear_no_seam_open(linear):
    """First lines are told in microseconds: 0.0007 lines may lie between two frames."""
    power = [[1.0, 2.0], [3.0, 4.0]]
    places = [[-0.51, -0.53, 1.51, 1.53]]
    found = resampled(power, places, [[0.0] * 4], linear)[0]
    assert found[::2] == [1.0, 3.0]
    assert np.isnan(found[1::2]).all()
    found = resampled(power, [[0.0] * 4], places, linear)[0]
    assert found[::2] == [1.0, 2.0]
    assert np.isnan(found[1::2]).all()


def test_the_frame_that_came_first_counts():
    out = np.array([[[7.0, np.nan]]], np.float32)
    places = np.zeros((1, 2)), np.array([[0.0, 1.0]])
    resample(*places, 1, 0, 0, np.array([[[1.0, 2.0]]], np.float32), (0, 0), True, out)
    assert out.tolist() == [[[7.0, 2.0]]]


def test_between_nodes_the_place_is_linear():
    """Nodes every four pixels; the third pixel lies half-way between samples 0 and 8."""
    lines, samples = np.zeros((1, 2)), np.array([[0.0, 8.0]])
    out = np.full((1, 1, 5), np.nan, np.float32)
    power = np.arange(9, dtype=np.float32)[np.newaxis, np.newaxis]
    resample(lines, samples, 4, 0, 0, power, (0, 0), True, out)
    assert out[0, 0].tolist() == [0, 2, 4, 6, 8]


def test_nodes_reach_to_the_last_pixel():
    for rows in (1, 4, 5, 6, 220):
        grid = replace(GRID, rows=rows)
        nodes = node_grid(grid, node_step(grid, 40.0))
        assert nodes.resolution == 40
        # Centre of the first node and of the first pixel; the last node is not before the last pixel.
        assert nodes.top - 20 == grid.top - 5
        assert nodes.bottom + 20 <= grid.bottom + 5 < nodes.bottom + 60


# Zips.


@pytest.fixture
def zipped(whole, tmp_path):
    safe = whole["ASC"][0]
    return Path(shutil.make_archive(str(tmp_path / safe.stem), "zip", safe.parent, safe.name))


def test_zip_is_what_it_holds(zipped, settings, prepared, tmp_path):
    frame = read_frame(zipped)
    assert (frame.direction, frame.orbit) == ("ASC", 30)
    assert parse_name(zipped.name).platform == frame.platform
    assert frame_problems(zipped, settings) == []
    prepare_grd([zipped], GRID, settings, tmp_path / "out" / "product")
    for name in ("VV.tif", "VH.tif"):
        found = read_raster(str(tmp_path / "out" / "product" / name))
        assert (found == read_raster(str(prepared / "ASC" / name))).all()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["product"]


def test_of_a_zip_only_what_is_read_is_unpacked(zipped, whole, tmp_path):
    name = whole["ASC"][0].name
    with zipfile.ZipFile(zipped, "a") as opened:
        opened.writestr(f"{name}/preview/quick-look.png", "large")
    with unpacked(zipped, tmp_path / "scratch") as folder:
        assert folder.name == name
        parts = sorted(path.name for path in folder.iterdir())
        assert parts == ["annotation", "manifest.safe", "measurement"]
    assert list((tmp_path / "scratch").iterdir()) == []


def test_cut_zip_is_named(zipped, settings, tmp_path):
    with zipped.open("r+b") as file:
        file.truncate(zipped.stat().st_size // 2)
    (problem,) = frame_problems(zipped, settings)
    assert f"{zipped.name}: is no whole zip" in problem
    with pytest.raises(InputDataError, match="is no whole zip"):
        prepare_grd([zipped], GRID, settings, tmp_path / "out" / "product")


def test_zip_damaged_inside_is_named(zipped, settings, tmp_path):
    with zipped.open("r+b") as file:
        file.seek(zipped.stat().st_size // 2)
        file.write(bytes(1000))
    with pytest.raises(InputDataError, match=rf"{zipped.name}: cannot be unpacked"):
        prepare_grd([zipped], GRID, settings, tmp_path / "out" / "product")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("annotation/calibration/calibration-*-vh-*.xml", "no calibration of VH"),
        ("measurement/*-vv-*.tiff", "has no image of VV (found: VH)"),
    ],
)
def test_what_a_zip_lacks_is_named_before_it_is_unpacked(copied, settings, tmp_path, pattern, told):
    one(copied, pattern).unlink()
    base = str(tmp_path / "zips" / copied.stem)
    path = Path(shutil.make_archive(base, "zip", copied.parent, copied.name))
    (problem,) = frame_problems(path, settings)
    assert told in problem
    assert f"{path}/{copied.name}" in problem


def test_texts_of_another_product_in_a_zip_are_refused(copied, settings, tmp_path):
    path = one(copied, "annotation/calibration/noise-*-vh-*.xml")
    shutil.copy(one(copied, "annotation/calibration/noise-*-vv-*.xml"), path)
    base = str(tmp_path / "zips" / copied.stem)
    (problem,) = frame_problems(
        Path(shutil.make_archive(base, "zip", copied.parent, copied.name)), settings
    )
    assert f"{path.name}: is that of VV" in problem


def test_zip_of_something_else_is_named(tmp_path, settings):
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("readme.txt", "none")
    (problem,) = frame_problems(path, settings)
    assert "holds 0 SAFE folders" in problem


# What is written.


def test_files_are_tiled_int16_with_their_facts(prepared, settings):
    folder = prepared / "DES"
    assert sorted(path.name for path in folder.iterdir()) == [
        "VH.tif", "VV.tif", "product.json", "validity.tif",
    ]  # fmt: skip
    dataset = open_raster(str(folder / "VV.tif"))
    band = dataset.GetRasterBand(1)
    assert band.DataType == gdal.GDT_Int16
    assert band.GetNoDataValue() == -32768
    kept = dataset.GetMetadata("IMAGE_STRUCTURE")
    assert kept["COMPRESSION"] == "ZSTD"
    assert "PREDICTOR" not in kept  # differences of speckle are no smaller, and slow to add up
    assert placed(grid_of(str(folder / "VV.tif")), GRID) == GRID.window
    tags = dataset.GetMetadata()
    assert tags["ORBIT_DIRECTION"] == "DES"
    assert tags["RELATIVE_ORBIT_NUMBER"] == "110"
    assert tags["CALIBRATION"] == "gamma"
    described = json.loads((folder / "product.json").read_text(encoding="utf-8"))
    assert (described["direction"], described["orbit"]) == ("DES", 110)
    assert described["settings"]["elevation"] == {
        "dem": settings.elevation.dem, "geoid": settings.elevation.geoid, "missing_is_sea": False,
    }  # fmt: skip
    assert described["processor"] == ["3.31"]
    assert len(described["frames"]) == 1


def test_a_failure_leaves_nothing_under_the_final_name(whole, settings, tmp_path):
    hole = tmp_path / "hole.tif"
    shutil.copy(settings.elevation.dem, hole)
    dataset = gdal.Open(str(hole), gdal.GA_Update)
    dataset.GetRasterBand(1).Fill(-32768)
    del dataset
    broken = replace(settings, elevation=replace(settings.elevation, dem=str(hole)))
    with pytest.raises(InputDataError, match="has a hole"):
        prepare_grd(whole["ASC"], GRID, broken, tmp_path / "out" / "product")
    assert list((tmp_path / "out").iterdir()) == []


# Processors before 2.90.


def test_old_processor_its_noise_and_its_borders(settings, prepared, tmp_path):
    safes = frames_of("ASC", [], tmp_path, processor=(2, 84))
    frame = open_frame(read_frame(safes[0]), settings)
    lines, samples = frame.annotation.lines, frame.annotation.samples
    power = frame.power(Window(0, 0, lines, samples))[0]
    seen = ~np.isnan(power)
    # Twelve lines and samples at each edge hold left-overs of 1 to 9; water and land stay.
    assert not seen[:12].any()
    assert not seen[:, -12:].any()
    assert seen[16:-16, 16:-16].mean() > 0.9999
    prepare_grd(safes, GRID, settings, tmp_path / "old")
    found = power_of(tmp_path / "old", "VH")
    assert found.mean() == pytest.approx(power_of(prepared / "ASC", "VH").mean(), rel=0.02)


@pytest.mark.parametrize(("version", "stays"), [("003.31", True), ("002.84", False)])
def test_dark_water_at_the_edge_stays_where_zeros_are_the_border(copied, settings, version, stays):
    path = one(copied, "measurement/*-vv-*.tiff")
    dataset = gdal.Open(str(path), gdal.GA_Update)
    lines = dataset.RasterYSize
    dataset.GetRasterBand(1).WriteArray(np.full((lines, 30), 3, np.uint16), 12, 0)
    del dataset
    manifest = copied / "manifest.safe"
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(text.replace("003.31", version), encoding="utf-8")
    frame = open_frame(read_frame(copied), settings)
    power = frame.power(Window(lines // 2, 0, 1, 60))[0, 0]
    assert (~np.isnan(power[12:42])).all() == stays
    assert np.isnan(power[12:42]).all() != stays
    assert not np.isnan(power[42:]).any()


# What is wrong.


@pytest.fixture
def copied(whole, tmp_path):
    source = whole["ASC"][0]
    return shutil.copytree(source, tmp_path / source.name)


def one(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


def test_whole_product_has_no_problem(whole, settings):
    assert frame_problems(whole["ASC"][0], settings) == []


def test_cut_measurement_is_named(copied, settings):
    path = one(copied, "measurement/*-vh-*.tiff")
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    (problem,) = frame_problems(copied, settings)
    assert path.name in problem
    assert "truncated" in problem


def test_polarisation_that_is_not_there_is_named(copied, settings):
    one(copied, "measurement/*-vh-*.tiff").unlink()
    (problem,) = frame_problems(copied, settings)
    assert "has no image of VH (found: VV)" in problem
    assert frame_problems(copied, replace(settings, polarisations=("VV",))) == []


def test_two_polarisations_of_different_size_are_refused(copied, settings):
    path = one(copied, "annotation/*-vh-*.xml")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("<numberOfLines>", "<numberOfLines>1"), encoding="utf-8")
    assert "VV has" in frame_problems(copied, settings)[0]


def test_image_of_another_size_than_its_annotation_is_refused(copied, settings):
    path = one(copied, "measurement/*-vv-*.tiff")
    path.unlink()
    gdal.GetDriverByName("GTiff").Create(str(path), 50, 40, 1, gdal.GDT_UInt16).FlushCache()
    assert "has 40 x 50 pixels, its annotation says" in frame_problems(copied, settings)[0]


def test_image_of_another_type_is_refused(copied, settings):
    path = one(copied, "measurement/*-vv-*.tiff")
    like = open_raster(str(path))
    size = like.RasterXSize, like.RasterYSize
    del like
    path.unlink()
    gdal.GetDriverByName("GTiff").Create(str(path), *size, 1, gdal.GDT_Float32).FlushCache()
    assert "1 band(s) of Float32" in frame_problems(copied, settings)[0]


@pytest.mark.parametrize("kind", ["calibration", "noise"])
def test_calibration_and_noise_of_the_other_polarisation_are_refused(copied, settings, kind):
    place = f"annotation/calibration/{kind}-*-{{}}-*.xml"
    path = one(copied, place.format("vh"))
    shutil.copy(one(copied, place.format("vv")), path)
    (problem,) = frame_problems(copied, settings)
    assert f"{path}: is that of VV of 2018-" in problem
    assert "VH is needed" in problem


@pytest.mark.parametrize("kind", ["calibration/calibration-", "calibration/noise-", "s1"])
def test_texts_of_another_product_are_refused(copied, settings, kind):
    """Their vectors are of another time, and nothing else would show it."""
    path = one(copied, f"annotation/{kind}*-vv-*.xml")
    text = path.read_text(encoding="utf-8")
    start = re.search("<startTime>(.*)</startTime>", text)[1]
    path.write_text(text.replace(f"<startTime>{start}", "<startTime>2018-01-05T17:48:05"))
    (problem,) = frame_problems(copied, settings)
    assert f"{path}: is that of VV of 2018-01-05 17:48:05, the product begins at " in problem
    for close in (-1.5, 1.5):  # images of one frame begin some lines apart
        other = datetime.fromisoformat(start) + timedelta(seconds=close)
        path.write_text(text.replace(f"<startTime>{start}", f"<startTime>{other.isoformat()}"))
        assert frame_problems(copied, settings) == []


def test_a_product_that_was_given_the_name_of_another_day_is_refused(copied, settings):
    start = parse_name(copied.name).start
    later = start + timedelta(days=12)
    name = copied.name.replace(f"{start:%Y%m%d}", f"{later:%Y%m%d}")
    (problem,) = frame_problems(copied.rename(copied.with_name(name)), settings)
    assert f"begins at {start:%Y-%m-%d %H:%M:%S}, its name tells of {later:%Y-%m-%d}" in problem


def test_annotation_of_the_other_polarisation_is_refused(copied, settings):
    shutil.copy(one(copied, "annotation/*-vv-*.xml"), one(copied, "annotation/*-vh-*.xml"))
    assert "is of VV, not of VH" in frame_problems(copied, settings)[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"calibration": "sigma0"},
        {"interpolation": "cubic"},
        {"polarisations": ()},
        {"grid_spacing": 0},
    ],
)
def test_settings_that_cannot_be_are_refused(settings, changes):
    with pytest.raises(ConfigError, match="Sentinel-1"):
        replace(settings, **changes)


# Elevation.


def flat(path: Path, value: float, bounds: tuple[float, float, float, float], hole=None) -> str:
    """A DEM of one height on 30 m pixels of UTM; `hole`: a window without height."""
    left, bottom, right, top = bounds
    rows, cols = round((top - bottom) / 30), round((right - left) / 30)
    heights = np.full((rows, cols), value, np.float32)
    if hole:
        heights[hole.slices] = -32768
    grid = Grid(GRID.crs, left, top, 30.0, rows, cols)
    with create_raster(str(path), grid, "float32") as writer:
        writer.write(heights, grid.window)
    return str(path)


AROUND = (GRID.left - 90, GRID.bottom - 90, GRID.right + 60, GRID.top + 60)


def test_heights_are_those_of_dem_and_geoid(dem, tmp_path):
    elevation = Elevation(flat(tmp_path / "flat.tif", 100.0, AROUND), str(dem / "geoid.tif"))
    heights = Heights(elevation, node_grid(GRID, 4), GRID).read(Window(0, 0, 3, 3))
    # EGM96 at 0.49 E, 44.2 N by another program: 49.0 m.
    assert np.abs(heights - 149.0).max() < 1.2
    assert list(dem_problems(elevation, GRID)) == []


def test_dem_with_a_hole_is_refused(dem, tmp_path):
    path = flat(tmp_path / "hole.tif", 100.0, AROUND, Window(30, 20, 4, 4))
    (problem,) = dem_problems(Elevation(path, str(dem / "geoid.tif")), GRID)
    assert "hole.tif: has a hole: no height at longitude" in problem
    assert (
        list(dem_problems(Elevation(path, str(dem / "geoid.tif"), missing_is_sea=True), GRID)) == []
    )


def test_dem_that_ends_inside_the_tile_is_refused(dem, tmp_path):
    left, bottom, right, top = AROUND
    path = flat(tmp_path / "half.tif", 100.0, (left, bottom, right - 990, top))
    (problem,) = dem_problems(Elevation(path, str(dem / "geoid.tif")), GRID)
    assert "half.tif: does not cover the tile" in problem


def test_dem_that_ends_with_the_tile_is_enough(tmp_path):
    grid = replace(GRID, rows=222, cols=222)
    bounds = (grid.left, grid.bottom, grid.right, grid.top)
    elevation = Elevation(flat(tmp_path / "just.tif", 100.0, bounds))
    assert list(dem_problems(elevation, grid)) == []
    heights = Heights(elevation, node_grid(grid, 4), grid)
    found = heights.read(heights.grid.window)
    assert np.abs(found - 100.0).max() < 1e-9
    assert found[56:, 56:] == heights.read(Window(56, 56, 1, 1))


def test_dem_of_a_folder_is_one(tmp_path):
    left, bottom, right, top = AROUND
    middle = left + 900
    flat(tmp_path / "west.tif", 100.0, (left, bottom, middle, top))
    assert len(list(dem_problems(Elevation(str(tmp_path)), GRID))) == 1
    flat(tmp_path / "east.tif", 100.0, (middle, bottom, right, top))
    assert list(dem_problems(Elevation(str(tmp_path)), GRID)) == []


def test_geoid_among_the_rasters_of_a_dem_is_refused(dem):
    """Both are heights in degrees: read as one they would be a land at the level of the geoid."""
    (problem,) = dem_problems(Elevation(str(dem)), GRID)
    assert "geoid.tif: has pixels of another height" in problem


def test_dem_of_two_projections_is_refused(dem, tmp_path):
    shutil.copy(dem / "dem.tif", tmp_path)
    flat(tmp_path / "utm.tif", 100.0, AROUND)
    (problem,) = dem_problems(Elevation(str(tmp_path)), GRID)
    assert "utm.tif: is in another projection than" in problem


def test_absent_or_empty_dem_is_named(tmp_path):
    (problem,) = dem_problems(Elevation(str(tmp_path / "no.tif")), GRID)
    assert "no.tif: no such file" in problem
    (problem,) = dem_problems(Elevation(str(tmp_path)), GRID)
    assert "holds no elevation model" in problem


def test_geoid_from_0_to_360_degrees_is_read_west_of_greenwich(tmp_path):
    """Pixels of a degree hold their column: 2.5 degrees west is the middle of column 357."""
    grid = Grid("EPSG:4326", 0, 90, 1.0, 180, 360)
    path = str(tmp_path / "columns.tif")
    with create_raster(path, grid, "float32") as writer:
        writer.write(np.tile(np.arange(360, dtype=np.float32), (180, 1)), grid.window)
    surface = Surface(open_raster(path), path, "EPSG:4326")
    found = surface.at(np.array([-2.5, 2.5, -2.25]), np.array([44.5, 44.5, 44.2]))
    assert found.tolist() == pytest.approx([357, 2, 357.25])


@pytest.mark.parametrize(("sea", "fits"), [(86.0, True), (-107.0, True), (150.0, False)])
def test_a_model_of_the_ground_is_no_geoid(tmp_path, sea, fits):
    """Heights would count twice, and images lie pixels off. EGM96 goes from -107 to 86 m."""
    dem = flat(tmp_path / "dem.tif", 100.0, AROUND)
    found = list(dem_problems(Elevation(dem, flat(tmp_path / "sea.tif", sea, AROUND)), GRID))
    assert len(found) == (not fits)
    assert all("sea.tif: is no geoid: it has heights up to 150 m" in text for text in found)


def test_geoid_that_does_not_cover_the_tile_is_named(tmp_path):
    dem = flat(tmp_path / "dem.tif", 100.0, AROUND)
    left, bottom, right, top = AROUND
    geoid = flat(tmp_path / "geoid.tif", 49.0, (left, bottom, right - 990, top))
    (problem,) = dem_problems(Elevation(dem, geoid), GRID)
    assert "geoid.tif: has no height for some of the tile" in problem


# The Orfeo ToolBox.

OTB = """
import sys
from iota2_tools import otb
image, model, dem, geoid, out = sys.argv[1:]
otb.run("OrthoRectification", {
    "io.in": image, "io.out": out, "outputs.mode": "orthofit", "outputs.ortho": model,
    "opt.gridspacing": 40.0, "interpolator": "linear", "elev.dem": dem, "elev.geoid": geoid,
})
"""


@pytest.mark.slow
@pytest.mark.parametrize("direction", ["ASC", "DES"])
def test_orfeo_toolbox_has_the_same_geometry(whole, settings, prepared, tmp_path, direction):
    """Its orthorectification of the digital numbers, on the pixels of ours, looks the same."""
    pytest.importorskip("otbApplication")
    (tmp_path / "dem").mkdir()
    shutil.copy(settings.elevation.dem, tmp_path / "dem" / "dem.tif")
    image = one(whole[direction][0], "measurement/*-vv-*.tiff")
    done = subprocess.run(
        [sys.executable, "-c", OTB, str(image), str(prepared / direction / "VV.tif"),
         str(tmp_path / "dem"), settings.elevation.geoid, str(tmp_path / "otb.tif")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    power = read_raster(str(tmp_path / "otb.tif")).astype(float) ** 2 / 536**2
    for place in in_tile():
        theirs, ours = (
            np.array(centre_of_light(image, *place))
            for image in (power, power_of(prepared / direction))
        )
        assert np.hypot(*(theirs - ours)) < 0.25
