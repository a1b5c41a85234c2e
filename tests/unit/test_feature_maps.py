"""Maps of chosen features, on a tile of 8 x 8 pixels: the values of the stack where it is mapped, else no data.

Both dates wanted are days of acquisition; the expected values are the images that were written.
"""

import numpy as np
import pytest
from osgeo import gdal
from tiny import LEFT, TOP, name_of, values_of, write_image, write_product

from iota2_tools.core.errors import ConfigError, InputDataError
from iota2_tools.features.chosen import NODATA, Choice, TileRasters, write_chosen
from iota2_tools.features.plan import chosen_names, reduced_settings, series_features
from iota2_tools.features.stack import FeatureStack
from iota2_tools.geo.grid import grid_of
from iota2_tools.maps.layers import FEATURE
from iota2_tools.maps.mosaic import FinalMap, write_mosaic
from iota2_tools.timeseries.inputs import Products, TileInputs, UserFile
from iota2_tools.timeseries.inventory import write_inventory
from iota2_tools.timeseries.masks import write_clear_masks

DAYS = ("20180101", "20180111")
BANDS = ["B4", "B8"]
SETTINGS = {
    "sensor": "sentinel2", "part": "", "options": {"level": "FRE"}, "keep_bands": BANDS,
    "indices": ["NDVI", "Brightness"], "additional_features": {"Half": "B8/2"}, "also_read": ["B4"],
    "dates": ["2018-01-01", "2018-01-11"],
}  # fmt: skip
VALUES = {
    day: {"B4": 1000 + 100 * number + np.arange(64).reshape(8, 8), "B8": 3000 + np.arange(64).reshape(8, 8)}
    for number, day in enumerate(DAYS)
}  # fmt: skip


@pytest.fixture
def tile(tmp_path):
    """Pixel (1, 1) is never clear, row 7 is no part of the envelope, column 7 was not seen."""
    cloud = np.zeros((8, 8), np.uint8)
    cloud[1, 1] = 1
    names = [name_of(day) for day in DAYS]
    for day, name in zip(DAYS, names, strict=True):
        write_product(tmp_path / "T31TCJ", name, VALUES[day], cloud)
    height = write_image(tmp_path / "ALT.tif", np.full((8, 8), 0.5, np.float32))
    soil = write_image(tmp_path / "SOIL.tif", np.full((8, 8), 3, np.uint8))
    grid = grid_of(height)
    folder, options = str(tmp_path / "T31TCJ"), {"level": "FRE"}
    given = Products("sentinel2", folder, names, names, options, BANDS, grid.as_dict())
    user = {"ALT": UserFile(height, "nearest", 0.0), "SOIL": UserFile(soil, "nearest", 0.0)}
    inventory = str(tmp_path / "inventory.json")
    write_inventory(TileInputs("T31TCJ", grid, {"sentinel2": given}, user), "stop", inventory)
    clear = str(tmp_path / "clear.tif")
    write_clear_masks(inventory, "sentinel2", clear, str(tmp_path / "seen.tif"))
    inside, seen = np.ones((2, 8, 8), np.uint8)
    inside[7] = 0
    seen[:, 7] = 0
    regions = write_image(tmp_path / "regions.tif", inside * 2)
    footprint = write_image(tmp_path / "footprint.tif", seen)
    return TileRasters(inventory, {"sentinel2": clear}, regions, footprint)


def choice(*names, dtype="int16", words=(), settings=None):
    reduced = settings or {"sentinel2": reduced_settings("sentinel2", SETTINGS, names)}
    return Choice(names, dtype, {key: item for key, item in reduced.items() if item}, words, ())


def written(tile, tmp_path, wanted, budget=100.0):
    path = tmp_path / "pieces" / "T31TCJ.tif"
    write_chosen(tile, wanted, budget, 2, str(path))
    return path


def expected(values, nodata, never=True):
    whole = np.array(values, dtype=np.float32)
    whole[7] = whole[:, 7] = nodata
    if never:
        whole[1, 1] = nodata
    return whole


def test_chosen_features_are_written_where_the_tile_is_mapped_and_was_once_clear(tile, tmp_path):
    """A pixel that was never clear would be 0, which looks like a value."""
    names = ("Sentinel2_B8_20180111", "Sentinel2_NDVI_20180101", "Sentinel2_B4_20180111")
    path = written(tile, tmp_path, choice(*names))
    raster = gdal.Open(str(path))
    assert [raster.GetRasterBand(n).GetDescription() for n in (1, 2, 3)] == list(names)
    first, last = (VALUES[day] for day in DAYS)
    ndvi = np.rint(1000 * (first["B8"] - first["B4"]) / (first["B8"] + first["B4"]))
    found = values_of(path)
    assert found.dtype == np.int16
    for band, values in enumerate((last["B8"], ndvi, last["B4"])):
        np.testing.assert_array_equal(found[band], expected(values, -32768))
        assert raster.GetRasterBand(band + 1).GetNoDataValue() == -32768


def test_brightness_is_that_of_all_bands_kept(tile, tmp_path):
    path = written(tile, tmp_path, choice("Sentinel2_Brightness_20180111"))
    bands = np.stack([VALUES["20180111"][band] for band in BANDS]).astype(float)
    brightness = np.rint(np.sqrt((bands**2).sum(axis=0)))
    np.testing.assert_array_equal(values_of(path), expected(brightness, -32768))


def test_fractions_and_rasters_of_the_user_are_float_with_nan_as_no_data(tile, tmp_path):
    names = ("Sentinel2_Half_20180101", "ALT_band_1")
    path = written(tile, tmp_path, choice(*names, dtype="float32", words=("ALT",)))
    half, height = values_of(path)
    np.testing.assert_array_equal(half, expected(VALUES["20180101"]["B8"] / 2, np.nan))
    np.testing.assert_array_equal(height, expected(np.full((8, 8), 0.5), np.nan, never=False))


def test_what_a_tile_does_not_have_is_no_data_there(tile, tmp_path):
    lacking = TileRasters(tile.inventory, {}, tile.regions, tile.footprint)
    path = written(lacking, tmp_path, choice("Sentinel2_B8_20180111"))
    assert (values_of(path) == -32768).all()


def test_windows_do_not_change_the_pieces(tile, tmp_path, monkeypatch):
    names = ("Sentinel2_B8_20180111", "Sentinel2_NDVI_20180101")
    whole = values_of(written(tile, tmp_path, choice(*names)))
    monkeypatch.setattr(FeatureStack, "windows", lambda self, _: list(self.grid.windows(3, 5)))
    np.testing.assert_array_equal(values_of(written(tile, tmp_path, choice(*names))), whole)


def test_no_more_is_read_and_computed_than_is_asked_for(tile):
    reduced = reduced_settings("sentinel2", SETTINGS, ["Sentinel2_NDVI_20180111", "ALT_band_1"])
    assert series_features("sentinel2", reduced).names == ["Sentinel2_NDVI_20180111"]
    assert reduced_settings("sentinel2", SETTINGS, ["ALT_band_1"]) is None
    stack = FeatureStack(tile.inventory, {}, {}, words=["SOIL"])
    assert stack.names == ["SOIL_band_1"]


def test_relative_reflectances_are_those_of_all_bands(tile, tmp_path):
    """(3000 - 1000) / (3000 + 1000) x 1000 = 500 at the first pixel."""
    relative = SETTINGS | {"relative_reflectance": True, "keep_duplicates": True}
    name = "Sentinel2_RelB8_20180101"
    settings = {"sentinel2": reduced_settings("sentinel2", relative, [name])}
    found = values_of(written(tile, tmp_path, choice(name, dtype="float32", settings=settings)))
    assert found[0, 0] == 500


def test_names_may_hold_stars_and_stand_in_the_order_of_the_features():
    known = ["S_B4_1", "S_NDVI_1", "S_B4_2", "S_NDVI_2"]
    assert chosen_names(["S_NDVI_*", "S_B4_1"], known) == ["S_B4_1", "S_NDVI_1", "S_NDVI_2"]
    with pytest.raises(
        ConfigError, match="no feature is called 'S_NVDI_1', did you mean 'S_NDVI_1'"
    ):
        chosen_names(["S_NVDI_1"], known)
    with pytest.raises(ConfigError, match=r"'X\*', there are S_B4_1, S_NDVI_1, S_B4_2, …"):
        chosen_names(["X*"], known)


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_a_map_shows_one_band_of_its_pieces_and_no_data_of_one_yields_to_the_other(tmp_path, dtype):
    pieces = []
    for number, left in enumerate((LEFT, LEFT + 40)):
        values = np.stack([np.full((8, 8), value, dtype) for value in (1, 5 + number)])
        values[1, :, 4 - 4 * number : 8 - 4 * number] = NODATA[dtype]
        path = write_image(tmp_path / f"{number}.tif", values, left=left, nodata=NODATA[dtype])
        dataset = gdal.Open(path, gdal.GA_Update)
        for band, name in enumerate(("first", "second"), start=1):
            dataset.GetRasterBand(band).SetDescription(name)
        dataset = None
        pieces.append(path)
    output = str(tmp_path / "map.tif")
    write_mosaic(pieces, output, FinalMap(FEATURE, shown="second"))
    raster = gdal.Open(output)
    assert raster.RasterCount == 1
    assert raster.GetRasterBand(1).GetDescription() == "second"
    assert raster.GetGeoTransform()[::3] == (LEFT, TOP)
    found = raster.ReadAsArray()
    assert (found[:, :4] == 5).all()
    assert (found[:, 8:] == 6).all()
    np.testing.assert_array_equal(found[:, 4:8], np.full((8, 4), NODATA[dtype], dtype))
    np.testing.assert_equal(raster.GetRasterBand(1).GetNoDataValue(), NODATA[dtype])
    np.testing.assert_equal(FEATURE.encodings[dtype], NODATA[dtype])
    with pytest.raises(InputDataError, match="has no band third"):
        write_mosaic(pieces, output, FinalMap(FEATURE, shown="third"))
