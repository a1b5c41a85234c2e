"""What pixels tell of images: each block that counts is known, on 8 x 8 pixels in blocks of a row or two."""

import math
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from tiny import LEFT, TOP, write_image

from iota2_tools.core.remembered import Notebook
from iota2_tools.geo.grid import Grid, Window
from iota2_tools.products import Acquisition, Image, Mask
from iota2_tools.timeseries import examination
from iota2_tools.timeseries.examination import (
    ImageLook,
    clear_shares,
    examine,
    look_at_image,
)
from iota2_tools.timeseries.inventory import Inventory

GRID = Grid("EPSG:32631", LEFT, TOP, 10, 8, 8)
BANDS = ("B4", "B8", "B11")


def image(path, values, nodata=None, **others) -> Image:
    """An image in strips of one row: eight blocks."""
    return Image(
        write_image(path, np.asarray(values), options=["BLOCKYSIZE=1"]), nodata=nodata, **others
    )


def ramp(dtype=np.int16):
    return np.arange(64).reshape(8, 8).astype(dtype)


def test_the_last_block_is_read_first_then_some_at_equal_distances(monkeypatch, tmp_path):
    monkeypatch.setattr(examination, "BLOCKS", 3)
    read = []
    whole = examination.read_window

    def watched(dataset, window, band):
        read.append(window.row)
        return whole(dataset, window, band)

    monkeypatch.setattr(examination, "read_window", watched)
    look = look_at_image(image(tmp_path / "a.tif", ramp()))
    # Blocks 7, 0 and 7 · 1 // 2 = 3; each row has several values, so that no more is read.
    assert read == [7, 0, 3]
    # Medians of the rows: 59.5, 3.5 and 27.5.
    assert look == ImageLook(median=27.5)


def test_all_blocks_are_read_while_there_is_no_other_value(monkeypatch, tmp_path):
    monkeypatch.setattr(examination, "BLOCKS", 2)
    values = np.full((8, 8), 5, np.int16)
    assert look_at_image(image(tmp_path / "a.tif", values)) == ImageLook(constant=True, median=5)
    values[4, 4] = 6  # in none of the first two blocks
    assert not look_at_image(image(tmp_path / "b.tif", values)).constant
    empty = np.full((8, 8), -10000, np.int16)
    look = look_at_image(image(tmp_path / "c.tif", empty, nodata=-10000))
    assert look.empty
    assert not look.constant
    assert math.isnan(look.median)
    empty[4, 4] = 7
    found = look_at_image(image(tmp_path / "d.tif", empty, nodata=-10000))
    assert found == ImageLook(constant=True, median=7)


def test_values_are_those_after_scale_and_offset(tmp_path):
    look = look_at_image(image(tmp_path / "a.tif", ramp(), scale=2.0, offset=-10.0))
    assert look.median == pytest.approx(2 * 31.5 - 10)


def test_nan_is_no_data(tmp_path):
    values = ramp(np.float32)
    values[:, 0] = np.nan
    assert look_at_image(image(tmp_path / "a.tif", values)).median == pytest.approx(32)


def test_an_image_that_cannot_be_opened_is_told(tmp_path):
    (tmp_path / "a.tif").write_text("")
    assert "cannot be opened" in look_at_image(Image(str(tmp_path / "a.tif"))).fault
    assert "no such file" in look_at_image(Image(str(tmp_path / "b.tif"))).fault


def acquisition(folder, day, cloud=None, level=1.0, counts=True, bands=BANDS) -> Acquisition:
    """A date whose bands are some thousands, times a level."""
    images = {
        band: image(
            folder / f"{day}_{band}.tif", ((1000 * (n + 1) + ramp()) * level).astype(np.int16)
        )
        for n, band in enumerate(bands)
    }
    mask = np.zeros((8, 8), np.uint8) if cloud is None else cloud
    path = write_image(folder / f"{day}_mask.tif", mask)
    return Acquisition(f"p{day}", date(2018, 1, day), images, (Mask(path),), counts)


def west(columns):
    """Clouds over the first columns."""
    cloud = np.zeros((8, 8), np.uint8)
    cloud[:, :columns] = 1
    return cloud


def test_clear_shares_are_those_of_the_masks(tmp_path):
    dates = [acquisition(tmp_path, day, west(columns)) for day, columns in ((1, 2), (2, 8), (3, 4))]
    shares, seldom = clear_shares({"s2": dates}, GRID, 1)
    assert shares == {"p1": 0.75, "p2": 0, "p3": 0.5}
    assert seldom == 0.25  # the first two columns
    assert clear_shares({"s2": dates}, GRID, 2)[1] == 0.5
    assert clear_shares({"s2": dates}, GRID, 3)[1] == 1


def test_dates_of_the_margin_count_not_and_those_of_other_series_do(tmp_path):
    first = [acquisition(tmp_path, 1, west(4)), acquisition(tmp_path, 2, counts=False)]
    assert clear_shares({"s2": first}, GRID, 1)[1] == 0.5
    other = [acquisition(tmp_path, 3)]
    assert clear_shares({"s2": first, "l8": other}, GRID, 1)[1] == 0
    assert clear_shares({"s2": first, "l8": other}, GRID, 2)[1] == 0.5


def test_ground_that_was_never_seen_is_not_seldom_clear(tmp_path):
    first = acquisition(tmp_path, 1, bands=("B4",))
    values = ramp()
    values[:, :4] = -10000
    seen = image(tmp_path / "half.tif", values, nodata=-10000)
    half = replace(first, bands={"B4": seen})
    assert clear_shares({"s2": [half]}, GRID, 1) == ({"p1": 0.5}, 0)
    assert clear_shares({"s2": [half]}, GRID, 2) == ({"p1": 0.5}, 1)


def test_windows_lie_at_equal_distances_over_the_tile(monkeypatch):
    monkeypatch.setattr(examination, "BLOCK", 2)
    monkeypatch.setattr(examination, "BLOCKS", 4)
    windows = examination._some_windows(GRID)  # of 16: 0, 4, 8 and 12
    assert windows == [Window(row, 0, 2, 2) for row in (0, 2, 4, 6)]
    monkeypatch.setattr(examination, "BLOCKS", 99)
    assert len(examination._some_windows(GRID)) == 16


@pytest.fixture
def found(tmp_path):
    """What is found of some dates."""

    def look(*dates, least=1):
        stock = Inventory("T31TCJ", GRID, {"s2": list(dates)}, {}, {})
        notebook = Notebook("test")
        findings = list(examine(stock, {"s2": "folder"}, least, notebook))
        return [f"{item.file} {item.where}: {item.what}" for item in findings]

    return look


def test_good_dates_are_not_blamed_whatever_the_season(found, tmp_path):
    assert (
        found(
            *(acquisition(tmp_path, day, level=level) for day, level in ((1, 0.5), (2, 1), (3, 2)))
        )
        == []
    )


@pytest.mark.parametrize(
    ("level", "told"), [(0.19, True), (0.21, False), (4.9, False), (5.1, True)]
)
def test_a_date_of_another_scale_is_one_whose_bands_all_are(found, tmp_path, level, told):
    dates = [acquisition(tmp_path, day) for day in (1, 2, 4)]
    texts = found(*dates, acquisition(tmp_path, 3, level=level))
    assert [text.startswith("folder/p3 2018-01-03: all bands are") for text in texts] == [
        True
    ] * told


def test_snow_that_brightens_some_bands_is_no_other_scale(found, tmp_path):
    dates = [acquisition(tmp_path, day) for day in (1, 2, 4)]
    snow = acquisition(tmp_path, 3, level=8)
    image(tmp_path / "3_B11.tif", 3000 + ramp())  # as dark as ever
    assert found(*dates, snow) == []


def test_two_bands_tell_no_scale(found, tmp_path):
    few = BANDS[:2]
    dates = [acquisition(tmp_path, day, bands=few) for day in (1, 2, 4)]
    assert found(*dates, acquisition(tmp_path, 3, level=0.1, bands=few)) == []


@pytest.mark.parametrize(
    ("level", "told"), [(0.16, True), (0.17, False), (4.9, False), (5.0, True)]
)
def test_a_series_of_another_scale_is_told_by_its_brightest_band(found, tmp_path, level, told):
    # The brightest has a median of 3031.5: 485 and 515, 14854 and 15157.
    texts = found(*(acquisition(tmp_path, day, level=level) for day in (1, 2)))
    assert ["the brightest band is" in text for text in texts] == [True] * told


def test_decibels_have_no_such_scale(found, tmp_path):
    dates = [acquisition(tmp_path, day, level=level) for day, level in ((1, 1), (2, 1), (3, 0.1))]
    radar = [
        replace(item, bands={band: replace(one, decibel=True) for band, one in item.bands.items()})
        for item in dates
    ]
    assert found(*radar) == []


def test_clouds_are_told_in_one_finding_and_seldom_clear_ground_in_another(found, tmp_path):
    dates = [acquisition(tmp_path, day, west(8 if day < 3 else 0)) for day in (1, 2, 3)]
    assert found(*dates, least=2) == [
        "folder 2018-01-01, 2018-01-02: no pixel looked at is clear: cloud, shadow or no data everywhere",
        "tile T31TCJ : 100 % of the pixels looked at have fewer than 2 clear date(s)",
    ]


@pytest.mark.parametrize(("pixels", "told"), [(3, False), (4, True)])
def test_a_twentieth_of_the_tile_may_be_seldom_clear(found, tmp_path, pixels, told):
    cloud = np.zeros(64, np.uint8)  # 3 of 64 are 4.7 %, 4 are 6.2 %
    cloud[:pixels] = 1
    texts = found(acquisition(tmp_path, 1, cloud.reshape(8, 8)))
    assert ["have fewer than 1 clear date(s)" in text for text in texts] == [True] * told


def test_an_image_at_fault_is_told_with_band_and_date_and_left_out_of_the_rest(found, tmp_path):
    dates = [acquisition(tmp_path, day) for day in (1, 2)]
    (tmp_path / "2_B8.tif").write_text("")
    (text,) = found(*dates)
    assert text.startswith(f"{tmp_path / '2_B8.tif'} 2018-01-02, band B8: cannot be opened")


def test_files_that_have_not_changed_are_not_read_again(found, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    item = acquisition(tmp_path, 1)
    stock = Inventory("T31TCJ", GRID, {"s2": [item]}, {}, {})
    looked = []
    whole = examination.look_at_image
    monkeypatch.setattr(
        examination, "look_at_image", lambda one: looked.append(one.path) or whole(one)
    )

    def again():
        looked.clear()
        notebook = Notebook("again")
        list(examine(stock, {"s2": "folder"}, 1, notebook))
        notebook.save()
        return len(looked)

    assert [again(), again()] == [3, 0]
    image(tmp_path / "1_B8.tif", ramp() + 500)
    assert again() == 1
