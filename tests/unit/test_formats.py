"""Every format is read as the simulated truth has it: values, masks, dates, in any window.

The scenes are written by GDAL in the layout of the distributors; their truth is computed from the
landscape, and never read from a file.
"""

from pathlib import Path

import numpy as np
import pytest
from tiny import values_of

from iota2_tools.geo.grid import Grid, grid_of
from iota2_tools.geo.gridded import GridBand, Reading
from iota2_tools.products import FORMATS, Request
from iota2_tools.products.prepared import prepared_acquisition
from iota2_tools.simulate import SceneSettings, observations, simulate_scene
from iota2_tools.timeseries.inputs import Products, TileInputs
from iota2_tools.timeseries.inventory import take_inventory, write_inventory
from iota2_tools.timeseries.masks import write_clear_masks
from iota2_tools.timeseries.preparation import prepare
from iota2_tools.timeseries.series import SeriesReader, image_on

pytestmark = pytest.mark.slow
TILE = "T31TCJ"
SIMULATED = {
    "landsat5": "l5",
    "landsat5_usgs": "l5-usgs",
    "landsat7_usgs": "l7-usgs",
    "landsat8": "l8",
    "landsat8_old": "l8-old",
    "landsat8_usgs": "l8-usgs",
    "sentinel2": "s2",
    "sentinel2_l3a": "l3a",
    "sentinel2_sen2cor": "s2-sen2cor",
}
OPTIONS = {"sentinel2": {"level": "FRE"}, "landsat8": {"level": "FRE"}}


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    settings = SceneSettings(size=64, dates=4, tiles=(TILE,), cloud_cover=0.3, split_dates=1)
    folder = tmp_path_factory.mktemp("formats")
    simulate_scene(settings, str(folder), sensors=tuple(SIMULATED.values()), jobs=1)
    return folder, settings


def native(band: str) -> str:
    """Name of a band as its distributor has it, without padding: B04, SR_B4 -> B4."""
    short = band.removeprefix("SR_")
    return f"B{short[2:]}" if short.startswith("B0") else short


@pytest.fixture(params=SIMULATED)
def sensor(request):
    return request.param


def look(scene, sensor):
    """Each product of a sensor as its format has it, and the truth."""
    folder, settings = scene
    place = folder / sensor / TILE
    known = FORMATS[sensor]
    listed = {item.name: item for item in known.listing(str(place)).products}
    for name, truth in observations(settings, SIMULATED[sensor], TILE):
        bands = {native(band): band for band in truth.bands if native(band) in known.band_names}
        request = Request(place, name, tuple(bands), OPTIONS.get(sensor, {}))
        yield listed[name], known.acquisition(request), truth, bands


def test_products_are_recognised_by_their_day(scene, sensor):
    found = list(look(scene, sensor))
    assert len(found) >= 2
    for identity, acquisition, truth, bands in found:
        assert identity.day == acquisition.day == truth.day
        assert set(bands) == set(FORMATS[sensor].band_names)
    folder, _ = scene
    listing = FORMATS[sensor].listing(str(folder / sensor / TILE))
    assert len(listing.products) == len(found)
    assert listing.strangers == {}


def test_values_are_those_of_the_truth_where_there_are_any(scene, sensor):
    for _, acquisition, truth, bands in look(scene, sensor):
        for band, name in bands.items():
            grid = truth.grids[name]
            values, seen = image_on(grid, acquisition.bands[band]).observe(grid.window)
            expected = truth.bands[name]
            empty = expected == (0 if name.startswith("ST_") else -10000)
            assert np.array_equal(seen, ~empty), (acquisition.name, band)
            if name.startswith("ST_"):
                # Stored as DN x 0.00341802 + 149 K; here K x 10.
                expected = np.rint(expected * 0.0341802 + 1490)
            assert np.abs(values[seen] - expected[seen].astype(np.int32)).max(initial=0) == 0


def test_masks_say_what_the_truth_says(scene, sensor):
    for _, acquisition, truth, _ in look(scene, sensor):
        unseen = np.zeros(truth.unseen.shape, bool)
        unusable = np.zeros(truth.unseen.shape, bool)
        for mask in acquisition.masks:
            grid = truth.mask_grid
            codes = GridBand(mask.path, grid, Reading(continuous=False), mask.band)
            values = codes.observe(grid.window)[0]
            unseen |= mask.unseen.found(values)
            unusable |= mask.unusable.found(values)
        assert np.array_equal(unseen, truth.unseen)
        assert np.array_equal(unusable | unseen, truth.unusable)


def inputs_of(scene, sensor, bands):
    folder, _ = scene
    place = folder / sensor / TILE
    known = FORMATS[sensor]
    names = [item.name for item in known.listing(str(place)).products]
    options = OPTIONS.get(sensor, {})
    first = known.acquisition(Request(place, names[0], (known.finest(bands),), options))
    own = grid_of(next(iter(first.bands.values())).path)
    tile = grid_of(next((folder / "sentinel2" / TILE).rglob("*_FRE_B2.tif")).as_posix())
    given = Products(sensor, str(place), names, names, options, bands, own.as_dict())
    return TileInputs(TILE, tile, {sensor: given}, {})


@pytest.mark.parametrize("shape", [(13, 17), (64, 64)])
def test_windows_on_the_10_m_grid_are_parts_of_the_whole(scene, sensor, shape, tmp_path):
    known = FORMATS[sensor]
    bands = [known.band_names[1], known.band_names[-1]]
    inputs = inputs_of(scene, sensor, bands)
    inventory = str(tmp_path / "inventory.json")
    write_inventory(inputs, "stop", inventory)
    write_clear_masks(inventory, sensor, str(tmp_path / "clear.tif"), str(tmp_path / "seen.tif"))
    items = take_inventory(inputs, "stop").series[sensor]
    clear = values_of(tmp_path / "clear.tif")
    assert 0.01 < clear.mean() < 0.99

    def read(window):
        from concurrent.futures import ThreadPoolExecutor

        reader = SeriesReader(items, bands, str(tmp_path / "clear.tif"), inputs.grid)
        with ThreadPoolExecutor(2) as pool:
            values, usable = reader.read(window, pool)
        return (
            part.reshape(*part.shape[:-1], window.rows, window.cols) for part in (values, usable)
        )

    whole, usable = read(inputs.grid.window)
    assert np.array_equal(usable, clear)
    for window in inputs.grid.windows(*shape):
        values, also = read(window)
        assert np.array_equal(values, whole[(..., *window.slices)])
        assert np.array_equal(also, usable[(..., *window.slices)])
    # What is clear has data in every band.
    assert (whole[usable[:, None].repeat(2, 1) == 1] > -10000).all()


@pytest.mark.parametrize("sensor", ["sentinel2", "sentinel2_sen2cor"])
def test_a_prepared_product_is_read_as_the_product_itself(scene, sensor, tmp_path):
    known = FORMATS[sensor]
    for _, acquisition, truth, bands in look(scene, sensor):
        folder, _ = scene
        request = Request(
            folder / sensor / TILE, acquisition.name, known.band_names, OPTIONS.get(sensor, {})
        )
        prepare(request, known, tmp_path, 2)
        ready = prepared_acquisition(known, tmp_path, acquisition.name, known.band_names, True)
        for band, name in bands.items():
            grid: Grid = truth.grids[name]
            values, seen = image_on(grid, ready.bands[band]).observe(grid.window)
            assert np.array_equal(seen, truth.bands[name] != -10000)
            assert np.array_equal(values[seen], truth.bands[name][seen])
        mask = values_of(Path(ready.masks[0].path))
        assert np.array_equal(mask == 2, truth.unseen)
        assert np.array_equal(mask > 0, truth.unusable)
