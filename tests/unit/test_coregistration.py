"""Each acquisition is moved onto the reference image by the shift it was made with."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from osgeo import gdal, osr
from scipy.ndimage import binary_erosion

from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.grid import Grid, Window, grid_of
from iota2_tools.products import Acquisition, Image, Mask, Shift
from iota2_tools.timeseries import coregistration
from iota2_tools.timeseries.coregistration import Coregistration, compared_grid, register, spread
from iota2_tools.timeseries.headers import reference_faults
from iota2_tools.timeseries.inputs import Products, TileInputs
from iota2_tools.timeseries.inventory import read_inventory, write_inventory
from iota2_tools.timeseries.masks import write_clear_masks
from iota2_tools.timeseries.series import SeriesReader, image_on

pytestmark = pytest.mark.slow

SIDE, FINER, MARGIN = 160, 10, 8
"""Pixels of a tile; fine pixels in one; pixels of ground around the tile."""
LEFT, TOP, SIZE = 300_000, 4_900_020, 10
NODATA = -10000
OWN = {
    "name": "Own", "pattern": "{date}_{band}.tif", "bands": {"nir": 1}, "roles": {}, "nodata": NODATA,
    "scale": 1.0, "offset": 0.0, "decibel": False, "on_tile": True,
    "mask": {"pattern": "{date}_mask.tif", "band": 1, "unusable": [1], "unusable_bits": 0, "unseen": []},
}  # fmt: skip


def fields(seed):
    """Ground with edges: patches of three sizes, on fine pixels."""
    rng = np.random.default_rng(seed)
    side = (SIDE + 2 * MARGIN) * FINER
    ground = np.full((side, side), 2000.0)
    for patch in (30, 80, 200):
        values = rng.normal(0, 500, (side // patch + 2,) * 2)
        row, col = rng.integers(0, patch, 2)
        ground += np.kron(values, np.ones((patch, patch)))[row : row + side, col : col + side]
    return ground


@pytest.fixture(scope="module")
def ground():
    return fields(1)


def taken(ground, east=0.0, north=0.0, seed=2):
    """What a sensor sees whose images lie so far to the east and to the north, pixels."""
    row, col = (round((MARGIN + shift) * FINER) for shift in (north, -east))
    side = SIDE * FINER
    part = ground[row : row + side, col : col + side]
    noise = np.random.default_rng(seed).normal(0, 30, (SIDE, SIDE))
    return part.reshape(SIDE, FINER, SIDE, FINER).mean((1, 3)) + noise


def write(path, values, dtype=np.int16, left=LEFT, top=TOP, size=SIZE, epsg=32631):
    kind = {np.int16: gdal.GDT_Int16, np.uint8: gdal.GDT_Byte, np.float32: gdal.GDT_Float32}[dtype]
    driver = gdal.GetDriverByName("GTiff")
    dataset = driver.Create(str(path), values.shape[1], values.shape[0], 1, kind)
    dataset.SetGeoTransform((left, size, 0, top, 0, -size))
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(epsg)
    dataset.SetProjection(reference.ExportToWkt())
    dataset.WriteArray(values.astype(dtype))
    dataset = None
    return str(path)


def clouds(share=0.3, blob=20):
    """A cloud mask that stands still while the ground moves."""
    coarse = np.random.default_rng(5).random((SIDE // blob, SIDE // blob)) < share
    return np.kron(coarse, np.ones((blob, blob))).astype(np.uint8)


@pytest.fixture
def reference(tmp_path, ground):
    return write(tmp_path / "reference.tif", taken(ground, seed=3))


def settings(reference, **others):
    given = {"reference_band": 1, "sensor_band": "B8", "largest_shift": 3.0, "least_quality": 0.5}
    return Coregistration(reference, **given | others)


def acquisition(folder, values, mask=None, name="one"):
    image = Image(write(folder / f"{name}.tif", values), nodata=NODATA)
    masks = () if mask is None else (Mask(write(folder / f"{name}_mask.tif", mask, np.uint8)),)
    return Acquisition(name, date(2018, 1, 1), {"B8": image}, masks)


def found(reference, *acquisitions, **others):
    grid = grid_of(acquisitions[0].bands["B8"].path)
    return register(acquisitions, grid, settings(reference, **others))


SHIFTS = [(0, 0), (1, -2), (-2, 1), (0.3, 0.4), (-1.7, 2.2), (0.1, -0.2), (2.5, 0.5)]


@pytest.mark.parametrize(("east", "north"), SHIFTS)
@pytest.mark.parametrize("cloudy", [False, True])
def test_a_known_shift_is_found_to_a_twentieth_of_a_pixel(
    tmp_path, ground, reference, east, north, cloudy
):
    values = taken(ground, east, north)
    mask = clouds() if cloudy else None
    if cloudy:
        values[mask == 1] = 9000
    shift = found(reference, acquisition(tmp_path, values, mask)).shifts["one"]
    # It is moved back by what it was moved by.
    assert np.hypot(shift.x / SIZE + east, shift.y / SIZE + north) < 0.05
    assert 0.8 < shift.quality <= 1


def test_the_shift_is_in_units_of_the_tile_whatever_the_reference_is(tmp_path, ground):
    """Its pixels are 2.5 m, in another projection, float, and cover more than the tile."""
    side = (SIDE + 2 * MARGIN) * FINER // 2
    fine = ground.reshape(side, 2, side, 2).mean((1, 3)) / 1e4
    corner = MARGIN * SIZE
    path = write(
        tmp_path / "utm.tif", fine, np.float32, left=LEFT - corner, top=TOP + corner, size=2
    )
    other = str(tmp_path / "lambert.tif")
    gdal.Warp(
        other, path, dstSRS="EPSG:2154", xRes=2.5, yRes=2.5, resampleAlg="cubic", dstNodata=-9
    )
    shift = found(other, acquisition(tmp_path, taken(ground, 0.7, -1.2))).shifts["one"]
    assert (shift.x / SIZE, shift.y / SIZE) == pytest.approx((-0.7, 1.2), abs=0.06)


def test_larger_pixels_than_those_of_the_tile_are_compared_as_they_are(tmp_path, ground, reference):
    item = acquisition(tmp_path, taken(ground, 0.6, 0.3))
    tile = Grid(grid_of(reference).crs, LEFT, TOP, SIZE / 2, 2 * SIDE, 2 * SIDE)
    shift = register([item], tile, settings(reference)).shifts["one"]
    assert (shift.x / SIZE, shift.y / SIZE) == pytest.approx((-0.6, -0.3), abs=0.05)


@pytest.mark.parametrize(("east", "north"), [(0, 0), (-1.7, 2.2), (0.4, 0.3)])
def test_fields_of_another_season_draw_the_shift_little(tmp_path, ground, reference, east, north):
    """Half the contrast is that of the reference; the other half is new, and stands still."""
    values = 1000 + taken(ground, east, north) / 2 + taken(fields(7), seed=8) / 4
    shift = found(reference, acquisition(tmp_path, values)).shifts["one"]
    assert np.hypot(shift.x / SIZE + east, shift.y / SIZE + north) < 0.1


def test_a_shift_that_never_stays_the_same_is_refused(tmp_path, ground, reference, monkeypatch):
    monkeypatch.setattr(coregistration, "_fractions", lambda view: np.array([0.2, 0]))
    result = found(reference, acquisition(tmp_path, taken(ground)))
    assert "no shift to" in result.poor["one"]


def test_images_of_another_projection_are_compared_in_pixels_of_their_size():
    """Landsat of 30 m over a tile of 10 m: in one projection, in another, in degrees."""
    tile = Grid("EPSG:2154", 600_000, 6_600_000, 10, 300, 200)
    for crs in ("EPSG:2154", "EPSG:32631"):
        grid = compared_grid(tile, Grid(crs, 0, 0, 30, 7, 7))
        assert grid == Grid("EPSG:2154", 600_000, 6_600_000, 30, 100, 66)
    degrees = Grid("EPSG:4326", 2, 45, 1e-4, 300, 200)
    grid = compared_grid(degrees, Grid("EPSG:32631", 0, 0, 22.264, 7, 7))
    assert grid.resolution == pytest.approx(2e-4)
    assert (grid.rows, grid.cols) == (150, 100)


def test_a_shift_too_small_to_matter_moves_nothing(tmp_path, ground, reference):
    item = acquisition(tmp_path, taken(ground))
    shift = found(reference, item).shifts["one"]
    assert (shift.x, shift.y) == (0, 0)
    grid = grid_of(reference)
    assert replace(item, shift=shift).grid_of(grid) == grid


def test_shifts_are_left_out_up_to_the_one_that_is_negligible(
    tmp_path, ground, reference, monkeypatch
):
    item = acquisition(tmp_path, taken(ground, 0.1, 0))
    assert found(reference, item).shifts["one"].x != 0
    monkeypatch.setattr(coregistration, "NEGLIGIBLE", 0.2)
    assert found(reference, item).shifts["one"].x == 0


def test_a_reference_with_holes_will_do(tmp_path, ground):
    """NaN where it has no data; the holes stand still."""
    values = np.where(clouds(0.1), np.nan, taken(ground, seed=3))
    path = write(tmp_path / "holes.tif", values, np.float32)
    shift = found(path, acquisition(tmp_path, taken(ground, 1.4, -0.5))).shifts["one"]
    assert (shift.x / SIZE, shift.y / SIZE) == pytest.approx((-1.4, 0.5), abs=0.05)


def test_other_ground_is_refused_as_poor(tmp_path, reference):
    for cloudy in (False, True):
        mask = clouds() if cloudy else None
        result = found(reference, acquisition(tmp_path, taken(fields(9)), mask))
        assert not result.shifts
        assert "do not agree on a shift to" in result.poor["one"]


def test_what_lies_too_far_off_is_refused_with_its_distance(tmp_path, ground, reference):
    result = found(reference, acquisition(tmp_path, taken(ground, 3, 4)))
    assert not result.shifts
    assert "lies 5.0 pixels from" in result.poor["one"]
    assert found(reference, acquisition(tmp_path, taken(ground, 3, 4)), largest_shift=6.0).shifts


def test_the_quality_asked_for_is_that_of_the_configuration(tmp_path, ground, reference):
    """Half of the tile shows other ground: about half of the windows agree."""
    values = taken(ground, 1, 0)
    values[:, : SIDE * 3 // 8] = taken(fields(9))[:, : SIDE * 3 // 8]
    item = acquisition(tmp_path, values)
    quality = found(reference, item).shifts["one"].quality
    assert 0.5 < quality < 0.9
    refused = found(reference, item, least_quality=0.95)
    assert f"quality {quality:.2f}, least_quality is 0.95" in refused.poor["one"]


def test_too_few_clear_pixels_are_told_apart_from_a_poor_shift(tmp_path, ground, reference):
    mask = np.ones((SIDE, SIDE), np.uint8)
    mask[:30, :30] = 0
    result = found(reference, acquisition(tmp_path, taken(ground), mask))
    assert not result.shifts
    assert not result.poor
    assert "too few clear pixels" in result.cloudy["one"]


def test_windows_that_show_nothing_tell_nothing(tmp_path, ground, reference):
    """Water of a single value: it would seem to lie where it should."""
    water = np.s_[: SIDE * 5 // 8]
    values, ashore = taken(ground, 2, -1), taken(ground, seed=3)
    values[water] = ashore[water] = 120
    coast = write(tmp_path / "coast.tif", ashore)
    shift = found(coast, acquisition(tmp_path, values)).shifts["one"]
    assert (shift.x / SIZE, shift.y / SIZE) == pytest.approx((-2, 1), abs=0.05)
    result = found(reference, acquisition(tmp_path, np.full((SIDE, SIDE), 120.0)))
    assert "shows no details to compare in 16 of its windows" in result.poor["one"]


def test_a_reference_of_a_part_of_the_tile_will_do(tmp_path, ground):
    part = taken(ground, seed=3)[70:, 60:]
    path = write(tmp_path / "part.tif", part, left=LEFT + 600, top=TOP - 700)
    shift = found(path, acquisition(tmp_path, taken(ground, -1.4, 0.5))).shifts["one"]
    assert (shift.x / SIZE, shift.y / SIZE) == pytest.approx((1.4, -0.5), abs=0.06)


def test_windows_lie_inside_and_on_blocks_where_there_is_room():
    for area in (Window(0, 0, 10980, 10980), Window(100, 300, 5000, 4000), Window(5, 9, 40, 70)):
        windows = spread(area)
        assert 1 <= len(windows) <= 36
        assert len(set(windows)) == len(windows)
        for window in windows:
            assert window.grown(0, area) == window
    assert all(w.row % 256 == 0 and w.col % 256 == 0 for w in spread(Window(0, 0, 10980, 10980)))
    assert spread(Window(0, 0, 20, 400)) == []


def test_a_reference_that_cannot_be_used_is_named(tmp_path, reference):
    grid = grid_of(reference)
    assert reference_faults(reference, 1, grid) == []
    assert "band 2 is needed" in reference_faults(reference, 2, grid)[0]
    assert "is missing" in reference_faults(str(tmp_path / "none.tif"), 1, grid)[0]
    away = replace(grid, left=grid.left + 1e5)
    assert "does not touch its tile" in reference_faults(reference, 1, away)[0]


@pytest.fixture
def series(tmp_path, ground, reference):
    """Two dates of the user's own series: one lies off, the other does not; and their inputs."""
    folder = tmp_path / "T"
    folder.mkdir()
    for day, place in (("20180101", (1.3, -0.6)), ("20180111", (0, 0))):
        mask = clouds()
        write(folder / f"{day}_nir.tif", np.where(mask, 9000, taken(ground, *place)))
        write(folder / f"{day}_mask.tif", mask, np.uint8)
    names = ["20180101_*.tif", "20180111_*.tif"]
    grid = grid_of(reference)
    given = Products(
        "own_series", str(folder), names, names, OWN, ["nir"], grid.as_dict(),
        coregistration={
            "reference": reference, "reference_band": 1, "sensor_band": "nir", "largest_shift": 3.0,
            "least_quality": 0.5,
        },
    )  # fmt: skip
    return folder, TileInputs("T", grid, {"own_series": given}, {})


def reader(folder, inputs):
    inventory, clear = str(folder / "inventory.json"), str(folder / "clear.tif")
    write_inventory(inputs, "stop", inventory)
    write_clear_masks(inventory, "own_series", clear, str(folder / "seen.tif"))
    items = read_inventory(inventory).series["own_series"]
    return items, lambda: SeriesReader(items, ["nir"], clear, inputs.grid)


def read(series_reader, window):
    with ThreadPoolExecutor(2) as pool:
        values, clear = series_reader().read(window, pool)
    return (
        values.reshape(2, window.rows, window.cols),
        clear.reshape(2, window.rows, window.cols).astype(bool),
    )


def test_images_and_masks_are_read_where_the_reference_has_them(tmp_path, series, ground):
    items, series_reader = reader(tmp_path, series[1])
    values, clear = read(series_reader, series[1].grid.window)
    # Interpolation mixes what lies within two pixels of a cloud with it, as for all that is warped.
    inside = binary_erosion(clear[0], iterations=3)
    expected = taken(ground, seed=3)[inside]
    here = np.corrcoef(values[0][inside], expected)[0, 1]
    before = np.corrcoef(taken(ground, 1.3, -0.6)[inside], expected)[0, 1]
    assert here > 0.97 > before + 0.1
    # The mask has gone with its image: by 1.3 and 0.6 pixels, to the nearest.
    moved = np.roll(clouds(), (-1, -1), axis=(0, 1))[4:-4, 4:-4]
    assert np.array_equal(clear[0][4:-4, 4:-4], moved == 0)
    # What the moved image no longer covers was not seen.
    assert not clear[0][:, -1].any()
    assert items[1].shift == Shift(0, 0, items[1].shift.quality)
    stored = gdal.Open(items[1].bands["nir"].path).ReadAsArray()
    assert np.array_equal(values[1], stored)


@pytest.mark.parametrize("shape", [(37, 51), (64, 64)])
def test_a_moved_acquisition_is_the_same_window_by_window(tmp_path, series, shape, monkeypatch):
    """And is not warped by GDAL, which takes five times as long."""
    monkeypatch.delattr(gdal, "Warp")
    _, series_reader = reader(tmp_path, series[1])
    whole, usable = read(series_reader, series[1].grid.window)
    for window in series[1].grid.windows(*shape):
        values, clear = read(series_reader, window)
        assert np.array_equal(values, whole[(..., *window.slices)])
        assert np.array_equal(clear, usable[(..., *window.slices)])


def test_without_a_reference_images_are_read_as_they_are(tmp_path, series):
    folder, inputs = series
    items, series_reader = reader(tmp_path, inputs.as_they_lie())
    values, clear = read(series_reader, inputs.grid.window)
    assert [item.shift for item in items] == [None, None]
    assert inputs.as_they_lie().as_they_lie() == inputs.as_they_lie()
    for number, day in enumerate(("20180101", "20180111")):
        stored = gdal.Open(str(folder / f"{day}_nir.tif")).ReadAsArray()
        assert np.array_equal(values[number], stored)
        assert np.array_equal(clear[number], clouds() == 0)
    assert inputs.products["own_series"].coregistration["reference"] in list(inputs.files)


def test_scikit_image_is_imported_only_where_it_is_used():
    code = "import sys, iota2_tools.timeseries.coregistration; print('skimage' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_poor_acquisition_stops_or_is_left_out_as_a_damaged_one(tmp_path, series):
    folder, inputs = series
    write(folder / "20180101_nir.tif", taken(fields(9)))
    with pytest.raises(
        InputDataError, match=r"20180101_\*\.tif: 2018-01-01: its windows do not agree"
    ):
        write_inventory(inputs, "stop", str(tmp_path / "inventory.json"))
    write_inventory(inputs, "skip", str(tmp_path / "inventory.json"))
    stock = read_inventory(str(tmp_path / "inventory.json"))
    assert [item.name for item in stock.series["own_series"]] == ["20180111_*.tif"]
    assert "do not agree" in stock.left_out["20180101_*.tif"]


def test_a_cloudy_acquisition_is_left_out_and_told_and_stops_nothing(tmp_path, series):
    folder, inputs = series
    write(folder / "20180101_mask.tif", np.ones((SIDE, SIDE)), np.uint8)
    write_inventory(inputs, "stop", str(tmp_path / "inventory.json"))
    stored = json.loads((tmp_path / "inventory.json").read_text(encoding="utf-8"))
    assert [item["name"] for item in stored["series"]["own_series"]] == ["20180111_*.tif"]
    assert "too few clear pixels" in stored["left_out"]["20180101_*.tif"]
    write(folder / "20180111_mask.tif", np.ones((SIDE, SIDE)), np.uint8)
    for damaged in ("stop", "skip"):
        with pytest.raises(InputDataError, match="no acquisition of own_series"):
            write_inventory(inputs, damaged, str(tmp_path / "inventory.json"))


def test_an_image_without_nodata_has_none_where_it_was_moved_away(tmp_path, ground):
    item = acquisition(tmp_path, taken(ground))
    image = replace(item.bands["B8"], nodata=None)
    moved = replace(item, bands={"B8": image}, shift=Shift(-2 * SIZE, 3 * SIZE, 1.0))
    grid = grid_of(image.path)
    values, seen = image_on(moved.grid_of(grid), image).observe(grid.window)
    inside = np.zeros((SIDE, SIDE), bool)
    inside[:-3, :-2] = True
    assert np.array_equal(seen, inside)
    # Whole pixels are moved as they are: to the west and to the north.
    stored = gdal.Open(image.path).ReadAsArray()
    assert np.array_equal(values[:-3, :-2], stored[3:, 2:])
