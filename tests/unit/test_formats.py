"""Every format is read as the simulated truth has it: values, masks, dates, in any window.

The scenes are written by GDAL in the layout of the distributors; their truth is computed from the
landscape, and never read from a file.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal
from scenes import SIMULATED, listed, options_of
from tiny import values_of

from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.grid import Grid, grid_of
from iota2_tools.geo.gridded import GridBand, Reading
from iota2_tools.products import FORMATS, Request
from iota2_tools.products.prepared import prepared_acquisition
from iota2_tools.simulate import SceneSettings, observations, simulate_scene
from iota2_tools.timeseries.inputs import Products, TileInputs
from iota2_tools.timeseries.inventory import take_inventory, write_inventory
from iota2_tools.timeseries.masks import write_clear_masks
from iota2_tools.timeseries.preparation import prepare, source_faults
from iota2_tools.timeseries.series import SeriesReader, image_on

pytestmark = pytest.mark.slow
TILE = "T31TCJ"
OPTICAL = {name: key for name, key in SIMULATED.items() if not name.startswith("sentinel1")}


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    settings = SceneSettings(size=64, dates=4, tiles=(TILE,), cloud_cover=0.3, split_dates=1)
    folder = tmp_path_factory.mktemp("formats")
    simulate_scene(settings, str(folder), sensors=tuple(OPTICAL.values()), jobs=1)
    return folder, settings


def native(band: str) -> str:
    """Name of a band as its distributor has it, without padding: B04, SR_B4 -> B4."""
    short = band.removeprefix("SR_")
    return f"B{short[2:]}" if short.startswith("B0") else short


@pytest.fixture(params=OPTICAL)
def sensor(request):
    return request.param


def look(scene, sensor):
    """Each product of a sensor as its format has it, and the truth."""
    folder, settings = scene
    known, place, listing = listed(folder, sensor, TILE)
    items = {item.name.rpartition("#")[2]: item for item in listing.products}
    for name, truth in observations(settings, OPTICAL[sensor], TILE):
        bands = {native(band): band for band in truth.bands if native(band) in known.band_names}
        request = Request(place, items[name].name, tuple(bands), options_of(folder, sensor))
        yield items[name], known.acquisition(request), truth, bands


def test_products_are_recognised_by_their_day(scene, sensor):
    found = list(look(scene, sensor))
    assert len(found) >= 2
    known, _, listing = listed(scene[0], sensor, TILE)
    for identity, acquisition, truth, bands in found:
        assert identity.day == acquisition.day == truth.day
        assert set(bands) == set(known.band_names)
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
    known, place, listing = listed(folder, sensor, TILE)
    names = [item.name for item in listing.products]
    options = options_of(folder, sensor)
    first = known.acquisition(Request(place, names[0], (known.finest(bands),), options))
    own = grid_of(next(iter(first.bands.values())).path)
    tile = grid_of(next((folder / "sentinel2" / TILE).rglob("*_FRE_B2.tif")).as_posix())
    given = Products(sensor, str(place), names, names, options, bands, own.as_dict())
    return TileInputs(TILE, tile, {sensor: given}, {})


@pytest.mark.parametrize("shape", [(13, 17), (64, 64)])
def test_windows_on_the_10_m_grid_are_parts_of_the_whole(scene, sensor, shape, tmp_path):
    known, _, _ = listed(scene[0], sensor, TILE)
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


ZIPPED = ["landsat8", "sentinel2", "sentinel2_l3a", "sentinel2_sen2cor"]
"""Formats whose distributors pack products into zips."""


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("sensor", ZIPPED)
def test_a_prepared_product_is_read_as_the_product_itself(scene, sensor, packed, tmp_path):
    known, folder, out = FORMATS[sensor], scene[0] / sensor / TILE, tmp_path / "prepared"
    options = options_of(scene[0], sensor)
    for _, acquisition, truth, bands in look(scene, sensor):
        name = acquisition.name
        request = Request(folder, name, known.band_names, options)
        if packed:
            stem = str(tmp_path / name.removesuffix(".SAFE"))
            shutil.make_archive(stem, "zip", folder, name)
            (identity,) = known.listing(str(tmp_path)).products
            assert identity.name == name
            request = Request(tmp_path, name, known.band_names, options, identity.sources)
        prepare(request, known, out, 2)
        ready = prepared_acquisition(known, out, name, known.band_names, True)
        for band, native_name in bands.items():
            grid: Grid = truth.grids[native_name]
            values, seen = image_on(grid, ready.bands[band]).observe(grid.window)
            assert np.array_equal(seen, truth.bands[native_name] != -10000)
            assert np.array_equal(values[seen], truth.bands[native_name][seen])
        mask = values_of(ready.masks[0].path)
        factor = len(mask) // len(truth.unseen)  # syntheses have theirs at 10 m too
        mask = mask[::factor, ::factor]
        assert np.array_equal(mask == 2, truth.unseen)
        assert np.array_equal(mask > 0, truth.unusable)
        if packed:
            Path(f"{stem}.zip").unlink()


@pytest.mark.parametrize("sensor", ["sentinel2", "landsat8"])
def test_the_correction_that_is_asked_for_is_read(scene, sensor, tmp_path):
    """`FRE` is corrected for the relief, `SRE` is not: here it is brighter by 0.01."""
    folder, _ = scene
    known, place, listing = listed(folder, sensor, TILE)
    name = listing.products[0].name
    shutil.copytree(place / name, tmp_path / name)
    for path in (tmp_path / name).glob("*_FRE_*.tif"):
        flat = path.with_name(path.name.replace("_FRE_", "_SRE_"))
        shutil.copy(path, flat)
        dataset = gdal.Open(str(flat), gdal.GA_Update)
        band = dataset.GetRasterBand(1)
        values = band.ReadAsArray()
        band.WriteArray(np.where(values == -10000, values, values + 100))
        dataset = band = None
    options = {level: options_of(folder, sensor) | {"level": level} for level in ("FRE", "SRE")}
    for band in known.band_names:
        read = {}
        for level, given in options.items():
            image = known.acquisition(Request(tmp_path, name, (band,), given)).bands[band]
            grid = grid_of(image.path)
            values, seen = image_on(grid, image).observe(grid.window)
            read[level] = values[seen].astype(int)
        assert read["FRE"].size
        assert np.array_equal(read["SRE"], read["FRE"] + 100)
    for path in (tmp_path / name).glob("*_SRE_*.tif"):
        path.unlink()
    wanted = Request(tmp_path, name, (known.band_names[0],), options["SRE"])
    (image,) = known.acquisition(wanted).bands.values()
    assert "_SRE_" in image.path
    assert not Path(image.path).exists()


def broken(scene, sensor, folder, change):
    """The products of a sensor in another folder, an image of the first one changed; its file."""
    known, place, listing = listed(scene[0], sensor, TILE)
    shutil.copytree(place, folder)
    first = listing.products[0]
    request = Request(folder, first.name, known.band_names[-1:], options_of(scene[0], sensor))
    image = known.acquisition(request).bands[known.band_names[-1]]
    change(image)
    return known, listing, image.path


def faults(scene, sensor, folder, known, listing):
    """What the look before the first job, or the job itself, says of the products of a folder."""
    options, names = options_of(scene[0], sensor), [item.name for item in listing.products]
    if known.must_be_prepared:
        requests = [Request(folder, name, known.band_names, options) for name in names]
        return "\n".join(fault for item in requests for fault in source_faults(item, known))
    whole = listed(scene[0], sensor, TILE)[1]
    request = Request(whole, names[0], known.band_names, options)
    finest = known.acquisition(request).bands[known.finest(known.band_names)]
    grid = grid_of(finest.path)
    products = Products(
        sensor, str(folder), names, names, options, known.band_names, grid.as_dict()
    )
    try:
        take_inventory(TileInputs(TILE, grid, {sensor: products}, {}), "stop")
    except InputDataError as error:
        return str(error)
    return ""


def without_band(image):
    """Take the band of an image away: the file, or the band of the file."""
    count = gdal.Open(image.path).RasterCount
    if count == 1:
        Path(image.path).unlink()
        return
    others = [number for number in range(1, count + 1) if number != image.band]
    rewrite(image.path, bandList=others)


def cut(image):
    """Leave the last sixteen columns away."""
    dataset = gdal.Open(image.path)
    rewrite(image.path, srcWin=[0, 0, dataset.RasterXSize - 16, dataset.RasterYSize])


def rewrite(path, **options):
    kind = gdal.Open(path).GetDriver().ShortName
    gdal.Translate(f"{path}.part", path, format=kind, **options)
    Path(f"{path}.part").replace(path)


@pytest.mark.parametrize("change", [without_band, cut])
@pytest.mark.parametrize("sensor", [name for name in OPTICAL if name != "stac"])
def test_a_band_that_is_missing_or_of_another_size_is_named(scene, sensor, tmp_path, change):
    known, listing, path = broken(scene, sensor, tmp_path / TILE, change)
    told = faults(scene, sensor, tmp_path / TILE, known, listing)
    assert Path(path).name in told or known.band_names[-1] in told, told
    assert listing.products[1].name not in told
