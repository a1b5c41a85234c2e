"""Of several products of one acquisition the newest counts, and parts are put together."""

import numpy as np
import pytest
from tiny import NODATA, halves, name_of, write_product

from iota2_tools.products import FORMATS, Request
from iota2_tools.timeseries import versions
from iota2_tools.timeseries.versions import superseded

THEIA = FORMATS["sentinel2"]


@pytest.fixture(autouse=True)
def few_places(monkeypatch):
    monkeypatch.setattr(versions, "SIDE", 8)


def replaced(folder):
    found = THEIA.listing(str(folder)).products
    items = [
        THEIA.acquisition(Request(folder, item.name, ("B4",), {"level": "FRE"})) for item in found
    ]
    return superseded(items, {item.name: item for item in found})


OLD, NEW = name_of("20180210", version="2-2"), name_of("20180210", version="3-0")


def test_an_older_version_of_the_same_ground_is_replaced(tmp_path):
    write_product(tmp_path, OLD, {"B4": 4321})
    write_product(tmp_path, NEW, {"B4": 1234})
    assert replaced(tmp_path) == {OLD: NEW}


def test_a_newer_version_that_saw_a_little_less_replaces_too(tmp_path):
    edge = np.zeros((8, 8))
    edge[:, :3] = 1  # 5 of 8 columns
    write_product(tmp_path, OLD, {"B4": 1})
    write_product(tmp_path, NEW, {"B4": 1}, edge=edge)
    assert replaced(tmp_path) == {OLD: NEW}


def test_two_halves_of_an_acquisition_both_stay(tmp_path):
    write_product(tmp_path, OLD, {"B4": 1}, edge=halves(0, 1))
    write_product(tmp_path, NEW, {"B4": 1}, edge=halves(1, 0))
    assert replaced(tmp_path) == {}


def test_halves_that_only_nodata_tells_both_stay(tmp_path):
    write_product(tmp_path, OLD, {"B4": halves(1, NODATA)})
    write_product(tmp_path, NEW, {"B4": halves(NODATA, 1)})
    assert replaced(tmp_path) == {}


def test_three_products_two_halves_and_an_old_copy(tmp_path):
    oldest = name_of("20180210", version="1-9")
    write_product(tmp_path, oldest, {"B4": 1}, edge=halves(0, 1))
    write_product(tmp_path, OLD, {"B4": 1}, edge=halves(0, 1))
    write_product(tmp_path, NEW, {"B4": 1}, edge=halves(1, 0))
    assert replaced(tmp_path) == {oldest: OLD}


def test_a_product_that_saw_nothing_is_replaced(tmp_path):
    write_product(tmp_path, OLD, {"B4": NODATA})
    write_product(tmp_path, NEW, {"B4": 1}, edge=halves(1, 0))
    assert replaced(tmp_path) == {OLD: NEW}


@pytest.mark.parametrize("other", [{"time": "105200-000"}, {"platform": "B"}])
def test_other_acquisitions_of_the_day_stay(tmp_path, other):
    write_product(tmp_path, OLD, {"B4": 1})
    write_product(tmp_path, name_of("20180210", version="3-0", **other), {"B4": 1})
    assert replaced(tmp_path) == {}


def test_another_letter_is_no_other_acquisition(tmp_path):
    write_product(tmp_path, OLD, {"B4": 1})
    new = name_of("20180210", version="3-0", letter="D")
    write_product(tmp_path, new, {"B4": 1})
    assert replaced(tmp_path) == {OLD: new}
