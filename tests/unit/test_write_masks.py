"""Masks and validity as files, from products of 8 x 8 pixels, window by window."""

import json
from dataclasses import asdict
from datetime import date

import numpy as np
import pytest
from osgeo import gdal
from tiny import LEFT, NODATA, halves, name_of, values_of, write_image, write_product

from iota2_tools.geo.grid import grid_of
from iota2_tools.geo.gridded import ImagePool
from iota2_tools.products import Acquisition, Image, Mask
from iota2_tools.timeseries import masks
from iota2_tools.timeseries.inputs import Products, TileInputs, UserFile
from iota2_tools.timeseries.inventory import Inventory, read_inventory, write_inventory
from iota2_tools.timeseries.masks import write_clear_masks, write_validity
from iota2_tools.timeseries.series import Looks

BANDS = ("B4", "B11")


def small_windows(monkeypatch):
    monkeypatch.setattr(masks, "window_shape", lambda *_, **__: (3, 5))


@pytest.fixture(params=["one window", "small windows"])
def tile(tmp_path, monkeypatch, request):
    """Folder of a tile, and its inventory taken of what a test has put there."""
    if request.param == "small windows":
        small_windows(monkeypatch)
    return Tile(tmp_path)


class Tile:
    def __init__(self, folder):
        self.folder, self.products = folder, folder / "T31TCJ"

    def add(self, day, b4=1000, b11=1000, **others):
        write_product(self.products, name_of(day), {"B4": b4, "B11": b11}, **others)

    def take(self, counted=None, user=None):
        names = sorted(path.name for path in self.products.iterdir())
        grid = grid_of(str(self.products / names[0] / f"{names[0]}_FRE_B4.tif"))
        counted = names if counted is None else [name_of(day) for day in counted]
        products = Products(
            "sentinel2", str(self.products), names, counted, {"level": "FRE"}, BANDS, grid.as_dict()
        )
        inputs = TileInputs("T31TCJ", grid, {"sentinel2": products}, user or {})
        write_inventory(inputs, "stop", self.path("inventory.json"))

    def path(self, name):
        return str(self.folder / name)

    def masks(self):
        write_clear_masks(
            self.path("inventory.json"),
            "sentinel2",
            self.path("clear.tif"),
            self.path("seen.tif"),
            2,
        )
        clear = values_of(self.path("clear.tif"))
        return clear.reshape(-1, *clear.shape[-2:]), values_of(self.path("seen.tif"))

    def validity(self):
        self.masks()
        write_validity(
            self.path("inventory.json"), [self.path("clear.tif")], [self.path("seen.tif")],
            self.path("validity.tif"), self.path("footprint.tif"),
        )  # fmt: skip
        return values_of(self.path("validity.tif")), values_of(self.path("footprint.tif"))


def test_where_a_mask_ends_nothing_was_seen(tmp_path):
    image = write_image(tmp_path / "B4.tif", np.full((8, 8), 5, np.int16), nodata=NODATA)
    mask = write_image(tmp_path / "CLM.tif", np.zeros((8, 8), np.uint8), left=LEFT + 30)
    item = Acquisition("p", date(2018, 1, 1), {"B4": Image(image, nodata=NODATA)}, (Mask(mask),))
    grid = grid_of(image)
    unusable, unseen = np.full((2, 8, 8), 7, np.uint8)
    Looks(item, grid, ImagePool()).read(grid.window, unusable, unseen)
    expected = np.zeros((8, 8), np.uint8)
    expected[:, :3] = 1
    np.testing.assert_array_equal(unseen, expected)
    np.testing.assert_array_equal(unusable, expected)


def test_every_mask_of_a_product_counts(tile):
    cloud, edge = np.zeros((8, 8)), np.zeros((8, 8))
    cloud[1, 2], edge[3, 4] = 32, 1
    tile.add("20180101", cloud=cloud, edge=edge)
    tile.take()
    clear, seen = tile.masks()
    assert np.argwhere(clear[0] == 0).tolist() == [[1, 2], [3, 4]]
    assert np.argwhere(seen == 0).tolist() == [[3, 4]]


def test_nodata_that_no_mask_tells_of_is_not_clear(tile):
    tile.add("20180101", b4=halves(NODATA, 1000))
    tile.add("20180111")
    tile.take()
    validity, footprint = tile.validity()
    np.testing.assert_array_equal(validity, halves(1, 2))
    assert (footprint == 1).all()


def test_a_coarse_band_without_data_hides_its_fine_pixels(tile):
    b11 = np.full((4, 4), 1000)
    b11[:, 0] = NODATA
    tile.add("20180101", b11=b11)
    tile.take()
    clear, seen = tile.masks()
    expected = np.ones((8, 8))
    expected[:, :2] = 0
    np.testing.assert_array_equal(clear[0], expected)
    np.testing.assert_array_equal(seen, expected)


def test_a_band_that_is_not_read_does_not_count(tile):
    tile.add("20180101")
    write_product(tile.products, name_of("20180101"), {"B4": 1000, "B11": 1000, "B8": NODATA})
    tile.take()
    clear, _ = tile.masks()
    assert (clear == 1).all()


def test_masks_are_named_by_day_and_product(tile):
    from osgeo import gdal

    tile.add("20180101")
    tile.add("20180111")
    tile.take()
    tile.masks()
    dataset = gdal.Open(tile.path("clear.tif"))
    names = [dataset.GetRasterBand(number).GetDescription() for number in (1, 2)]
    assert names == [f"{day} {name_of(day)}" for day in ("20180101", "20180111")]


def test_two_products_of_a_day_are_one_clear_date(tile):
    tile.add("20180101", edge=halves(0, 1))
    write_product(
        tile.products,
        name_of("20180101", "105200-000"),
        {"B4": 1000, "B11": 1000},
        edge=halves(1, 0),
    )
    tile.take()
    validity, footprint = tile.validity()
    assert (validity == 1).all()
    assert (footprint == 1).all()


def test_dates_in_the_margin_are_masked_and_do_not_count(tile):
    for day in ("20171225", "20180101", "20180111"):
        tile.add(day)
    tile.take(counted=["20180101", "20180111"])
    clear, _ = tile.masks()
    validity, _ = tile.validity()
    assert len(clear) == 3
    assert (validity == 2).all()


def test_a_raster_of_the_user_leaves_pixels_out(tile):
    dem = np.full((8, 8), 5, np.int16)
    dem[0, 0] = -32768
    path = write_image(tile.folder / "dem.tif", dem, nodata=-32768)
    tile.add("20180101")
    tile.take(user={"DEM": UserFile(path, "bicubic", "leave_out")})
    validity, footprint = tile.validity()
    assert np.argwhere(footprint == 0).tolist() == [[0, 0]]
    assert np.argwhere(validity == 0).tolist() == [[0, 0]]


def test_a_raster_of_the_user_whose_gaps_are_filled_leaves_nothing_out(tile):
    path = write_image(tile.folder / "dem.tif", np.full((8, 8), 3, np.int16), nodata=3)
    tile.add("20180101")
    tile.take(user={"DEM": UserFile(path, "bicubic", 0.0)})
    _, footprint = tile.validity()
    assert (footprint == 1).all()


@pytest.mark.parametrize("least", [{}, {"b": 2}, {"a": 1, "b": 1}])
def test_a_pixel_counts_where_all_series_saw_the_ground(tmp_path, monkeypatch, least):
    """The dates of two series are added up, only where both footprints are, and often enough."""
    small_windows(monkeypatch)
    grid = grid_of(write_image(tmp_path / "a_seen.tif", halves(1, 0).astype(np.uint8)))
    write_image(tmp_path / "b_seen.tif", np.flipud(halves(1, 1)).astype(np.uint8))
    dates = np.zeros((2, 8, 8), np.uint8)
    dates[:, 0] = 1
    write_image(tmp_path / "a.tif", np.ones((8, 8), np.uint8))
    write_image(tmp_path / "b.tif", dates)
    item = {"day": "2018-01-01", "bands": {}, "masks": [], "counts": True}
    stored = asdict(Inventory("T", grid, {}, {}, {}))
    stored["series"] = {
        "a": [item | {"name": "1"}],
        "b": [item | {"name": "2"}, item | {"name": "3"}],
    }
    (tmp_path / "inventory.json").write_text(json.dumps(stored))
    write_validity(
        str(tmp_path / "inventory.json"),
        [str(tmp_path / "a.tif"), str(tmp_path / "b.tif")],
        [str(tmp_path / "a_seen.tif"), str(tmp_path / "b_seen.tif")],
        str(tmp_path / "validity.tif"), str(tmp_path / "footprint.tif"), least,
    )  # fmt: skip
    expected = halves(1, 0)
    expected[0, :4] = 3
    if least:
        expected[1:] = 0
    np.testing.assert_array_equal(values_of(tmp_path / "validity.tif", 1), expected)
    of_a = np.minimum(expected, 1)
    np.testing.assert_array_equal(values_of(tmp_path / "validity.tif", 2), of_a)
    np.testing.assert_array_equal(values_of(tmp_path / "validity.tif", 3), expected - of_a)
    np.testing.assert_array_equal(values_of(tmp_path / "footprint.tif"), expected > 0)


def test_without_sensors_every_pixel_is_seen(tmp_path):
    grid = grid_of(write_image(tmp_path / "tile.tif", np.zeros((8, 8), np.int16)))
    write_inventory(TileInputs("T", grid, {}, {}), "stop", str(tmp_path / "inventory.json"))
    write_validity(
        str(tmp_path / "inventory.json"), [], [], str(tmp_path / "v.tif"), str(tmp_path / "f.tif")
    )
    assert (values_of(tmp_path / "f.tif") == 1).all()
    assert (values_of(tmp_path / "v.tif") == 0).all()
    assert read_inventory(str(tmp_path / "inventory.json")).series == {}


def test_masks_tell_how_much_an_acquisition_saw_and_how_much_of_it_was_clear(tile):
    """Of an acquisition by itself, also where another product of its day is taken."""
    cloud, edge = np.zeros((8, 8)), np.zeros((8, 8))
    cloud[:, 3:6], edge[:2] = 32, 1
    tile.add("20180101", cloud=cloud, edge=edge)
    again = name_of("20180101", time="105200-000")
    write_product(tile.products, again, {"B4": halves(NODATA, 1000), "B11": 1000})
    tile.take()
    tile.masks()
    dataset = gdal.Open(tile.path("clear.tif"))
    told = [dataset.GetRasterBand(number).GetMetadata() for number in (1, 2)]
    # Six rows of eight are seen, five columns of these clear; of the other product four columns.
    assert told == [
        {"SEEN_PIXELS": "48", "CLEAR_PIXELS": "30"},
        {"SEEN_PIXELS": "32", "CLEAR_PIXELS": "32"},
    ]
