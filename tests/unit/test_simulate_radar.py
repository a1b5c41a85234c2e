"""Simulated Sentinel-1: the same bytes however made, one truth in radar geometry and on the tiles."""

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from iota2_tools.core.errors import ConfigError
from iota2_tools.geo.grid import Window, grid_of
from iota2_tools.geo.raster import open_raster, read_raster
from iota2_tools.simulate import simulate_scene
from iota2_tools.simulate.radar import (
    LOOKS,
    RadarPass,
    clear_backscatter,
    radar_passes,
    reflectors,
    speckle_over,
    speckle_table,
)
from iota2_tools.simulate.radar_geometry import PassGeometry
from iota2_tools.simulate.radar_safe import GrdProduct, plan_frames, take_numbers
from iota2_tools.simulate.relief import TO_DEGREES, land_height, sea_height
from iota2_tools.simulate.sensors import chosen_sensors
from iota2_tools.simulate.settings import SceneSettings, scene_window, tile_window

TINY = SceneSettings(size=64, dates=2)
SENSORS = ("s1", "s1tiling")


def bytes_of(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return simulate_scene(TINY, tmp_path_factory.mktemp("scene") / "tiny", sensors=SENSORS)


@pytest.mark.slow
def test_two_processes_write_the_same_bytes(scene, tmp_path):
    again = simulate_scene(TINY, tmp_path / "again", sensors=SENSORS, jobs=2)
    first, second = bytes_of(scene), bytes_of(again)
    assert first.keys() == second.keys()
    differing = [name for name in first if first[name] != second[name] and "reference" not in name]
    assert differing == []


def test_folders_are_those_of_the_formats(scene):
    names = sorted(path.name for path in scene.iterdir())
    assert names == [
        "dem", "geoid", "reference", "scene.json", "sentinel1", "sentinel1_s1tiling", "truth",
    ]  # fmt: skip
    assert sorted(path.name for path in (scene / "sentinel1_s1tiling").iterdir()) == [
        "31TCJ",
        "31TDJ",
    ]
    assert [path.name for path in (scene / "dem").iterdir()] == ["dem.tif"]
    assert len(list((scene / "sentinel1").iterdir())) == 3  # the second pass is cut in two


def test_the_elevation_model_comes_with_the_radar():
    assert list(chosen_sensors(["s1"])) == ["s1", "dem", "geoid"]
    assert list(chosen_sensors(["s1tiling"])) == ["s1tiling"]
    with pytest.raises(ConfigError, match="'s3' cannot be simulated"):
        chosen_sensors(["s1", "s3"])


def test_passes_are_of_both_directions_and_satellites():
    passes = radar_passes(SceneSettings(dates=60))
    assert Counter(found.direction for found in passes) == {"ASC": 30, "DES": 30}
    assert {found.platform for found in passes} == {"S1A", "S1B"}
    assert {found.orbit for found in passes} == {30, 110}
    assert all(
        (second.day - first.day).days % 6 == 0
        for first in passes
        for second in passes
        if first.direction == second.direction
    )


def test_after_sentinel_1b_was_lost_one_satellite_remains():
    passes = radar_passes(SceneSettings(dates=140, year=2023))
    assert {found.platform for found in passes} == {"S1A"}
    assert Counter(found.direction for found in passes)["ASC"] in (30, 31)


# Geometry.


@pytest.mark.parametrize("direction", ["ASC", "DES"])
def test_place_and_ground_are_inverse(direction):
    geometry = PassGeometry(TINY, direction)
    lines, samples = np.meshgrid([0.0, 55.5, 130.0], [0.0, 70.25, 200.0])
    found = geometry.place(*geometry.ground(lines, samples))
    assert np.abs(found[0] - lines).max() < 1e-6
    assert np.abs(found[1] - samples).max() < 1e-6


@pytest.mark.parametrize(("direction", "east"), [("ASC", 1), ("DES", -1)])
def test_the_radar_looks_to_the_right(direction, east):
    """Ascending it looks east, descending west; ascending it comes from the south."""
    geometry = PassGeometry(TINY, direction)
    window = scene_window(TINY)
    x, y = (window.col + 30) * 10.0, 1e7 - (window.row + 30) * 10.0
    line, sample = geometry.place(np.array([x, x, x]), np.array([y, y, y + 100]))
    assert geometry.place(np.array(x + 100), np.array(y))[1] - sample[0] == pytest.approx(
        east * 10 * math.cos(math.radians(12)), abs=1.0
    )
    assert (line[2] - line[0]) * east > 8


def test_the_middle_is_seen_at_the_incidence_of_its_range():
    """38 degrees on a sphere: slant range by the law of sines, 860 km."""
    geometry = PassGeometry(TINY, "ASC")
    angle = geometry.incidence(np.array([geometry.samples / 2]))[0]
    assert math.degrees(angle) == pytest.approx(38.0, abs=0.3)
    assert geometry.nearest == pytest.approx(855e3, abs=10e3)


def test_velocity_is_the_change_of_the_place():
    geometry = PassGeometry(TINY, "DES")
    place, speed = geometry.satellite(np.array([-0.01, 0.0, 0.01]))
    assert np.abs((place[2] - place[0]) / 0.02 - speed[1]).max() < 1e-3
    assert np.linalg.norm(speed[1]) == pytest.approx(7508, abs=5)


# Numbers.


def test_windows_and_frames_are_the_whole_pass():
    radar_pass = radar_passes(TINY)[0]
    lines = PassGeometry(TINY, radar_pass.direction).lines
    whole = GrdProduct(TINY, radar_pass, 0, lines - 1)
    samples = whole.geometry.samples
    numbers = take_numbers(whole, Window(0, 0, lines, samples))
    part = take_numbers(whole, Window(40, 56, 20, 30))
    assert np.abs(part.astype(int) - numbers[:, 40:60, 56:86]).max() <= 1
    frame = GrdProduct(TINY, radar_pass, 48, lines - 1)
    cut = take_numbers(frame, Window(0, 0, 30, samples))
    assert np.mean(np.abs(cut.astype(int) - numbers[:, 48:78]) <= 1) > 0.999


def test_outside_the_swath_is_zero_and_inside_is_not():
    product = plan_frames(TINY, "")[0]
    numbers = take_numbers(product, Window(0, 0, product.lines, product.geometry.samples))
    assert (numbers[:, :12] == 0).all()
    assert (numbers[:, :, -12:] == 0).all()
    assert (numbers[:, 12:-12, 12:-12] > 0).all()


def test_speckle_has_its_mean_and_looks():
    table = speckle_table()
    assert table.mean() == pytest.approx(1.0)
    speckle = speckle_over(TINY, Window(3, 5, 300, 300), "test")
    assert speckle.mean() == pytest.approx(1.0, abs=0.01)
    assert 1 / speckle.var() == pytest.approx(LOOKS, rel=0.05)
    assert (speckle_over(TINY, Window(13, 25, 4, 4), "test") == speckle[10:14, 20:24]).all()


def test_water_is_darkest_and_mornings_are_brighter():
    settings = SceneSettings(size=400)
    window = scene_window(settings)
    window = Window(window.row, window.col, 300, 300)
    day = radar_passes(settings)[0].day
    evening = clear_backscatter(settings, window, RadarPass(day, "S1A", "ASC"))
    morning = clear_backscatter(settings, window, RadarPass(day, "S1A", "DES"))
    assert np.allclose(10 * np.log10(morning / evening), 0.4)
    assert (evening[1] < evening[0]).all()


# Files on the tiles.


def test_tile_images_hold_the_land_with_speckle(scene):
    folder = scene / "sentinel1_s1tiling" / "31TCJ"
    window = tile_window(TINY, "T31TCJ")
    for number, radar_pass in enumerate(radar_passes(TINY)):
        stem = (
            f"{radar_pass.platform.lower()}_31TCJ_vh_{radar_pass.direction}_{radar_pass.orbit:03d}_"
            f"{radar_pass.time:%Y%m%dt%H%M%S}"
        )
        power = read_raster(str(folder / f"{stem}.tif"))
        mask = read_raster(str(folder / f"{stem}_BorderMask.tif"))
        assert power.dtype == np.float32
        assert ((power > 0) == (mask == 1)).all()
        assert (mask == 0).sum() == (64 * 4 if number % 2 else 0)
        expected = clear_backscatter(TINY, window, radar_pass)[1]
        seen = mask == 1
        assert power[seen].mean() == pytest.approx(expected[seen].mean(), rel=0.05)
        tags = open_raster(str(folder / f"{stem}.tif")).GetMetadata()
        assert tags["ORBIT_DIRECTION"] == radar_pass.direction
        assert tags["CALIBRATION"] == "gamma"


def test_tiles_agree_where_they_overlap(scene):
    first, second = tile_window(TINY, "T31TCJ"), tile_window(TINY, "T31TDJ")
    step = second.col - first.col
    radar_pass = radar_passes(TINY)[0]
    west, east = (
        read_raster(
            str(
                next(
                    (scene / "sentinel1_s1tiling" / tile).glob(
                        f"*_vv_*{radar_pass.time:%Y%m%dt%H%M%S}.tif"
                    )
                )
            )
        )
        for tile in ("31TCJ", "31TDJ")
    )
    assert 0 < step < 64
    assert (west[:, step:] == east[:, : 64 - step]).all()


def test_elevation_model_is_the_height_of_the_land(scene):
    path = str(scene / "dem" / "dem.tif")
    grid, heights = grid_of(path), read_raster(path)
    window = scene_window(TINY)
    x, y = (window.col + 20) * 10.0, 1e7 - (window.row + 20) * 10.0
    longitude, latitude = TO_DEGREES.transform(x, y)
    col = int((longitude - grid.left) / grid.resolution)
    row = int((grid.top - latitude) / grid.resolution)
    assert heights[row, col] == pytest.approx(float(land_height(TINY, x, y)), abs=3)
    assert grid.left < longitude - 0.02
    assert grid.bottom < latitude - 0.02


def test_the_sea_lies_where_egm96_has_it():
    """Read in egm96_15.gtx by GDAL: 49.6 m at 1 W, 43.5 N; 50.6 m at 2 E, 44.5 N."""
    assert float(sea_height(-1.0, 43.5)) == pytest.approx(49.6, abs=1.5)
    assert float(sea_height(2.0, 44.5)) == pytest.approx(50.6, abs=1.5)


def test_reflectors_stand_in_the_scene_far_from_one_another():
    settings = SceneSettings(size=1000)
    places = np.array(reflectors(settings))
    window = scene_window(settings)
    assert len(places) > 20
    assert (places >= [window.row, window.col]).all()
    assert (places < [window.row + window.rows, window.col + window.cols]).all()
