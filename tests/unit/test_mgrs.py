"""Grids of tiles from their names, against those that ESA's products state."""

import re

import pytest

from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.mgrs import tile_grid


@pytest.mark.parametrize(
    ("name", "crs", "left", "top"),
    [
        ("T31TCJ", "EPSG:32631", 300000, 4900020),
        ("31TDJ", "EPSG:32631", 399960, 4900020),
        ("T31UDS", "EPSG:32631", 399960, 5700000),
        ("T33UUP", "EPSG:32633", 300000, 5400000),
        ("t32tqm", "EPSG:32632", 699960, 4700040),
    ],
)
def test_corners_are_those_of_the_tiling_grid(name, crs, left, top):
    grid = tile_grid(name)
    assert (grid.crs, grid.left, grid.top) == (crs, left, top)
    assert (grid.rows, grid.cols, grid.resolution) == (10980, 10980, 10)
    assert tile_grid(name, 20).rows == 5490


def test_a_tile_of_the_south_is_that_of_its_real_metadata(real_data):
    (path,) = (real_data / "format_samples" / "sen2cor_L2A_SAFE_metadata").rglob("MTD_TL.xml")
    text = path.read_text(encoding="utf-8")
    left, top = (float(re.search(f"<{key}>(.*)</{key}>", text)[1]) for key in ("ULX", "ULY"))
    crs = re.search("<HORIZONTAL_CS_CODE>(.*)</HORIZONTAL_CS_CODE>", text)[1]
    grid = tile_grid("T22HBD")
    assert (grid.crs, grid.left, grid.top) == (crs, left, top)


@pytest.mark.parametrize("name", ["T31TCI", "T31TJJ", "T00TCJ", "T61TCJ", "D0005H0001", "T31TCW"])
def test_what_is_no_tile_is_refused(name):
    with pytest.raises(InputDataError, match=name):
        tile_grid(name)
