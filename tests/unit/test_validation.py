"""Comparison of a map with its reference."""

import numpy as np
import pandas as pd
import pytest

from iota2_tools.assessing.comparison import difference
from iota2_tools.geo.grid import Grid
from iota2_tools.geo.raster import create_raster, read_raster
from iota2_tools.maps.validity import clip_validity
from iota2_tools.reference.sets import PolygonTable


@pytest.mark.parametrize(
    ("reference", "mapped", "learns", "validates", "code"),
    [
        (0, 0, False, False, 0),
        (0, 11, True, False, 0),
        (11, 11, False, False, 0),
        (11, 12, False, True, 1),
        (11, 11, False, True, 2),
        (11, 12, True, False, 3),
        (11, 11, True, False, 4),
        (11, 12, True, True, 5),
        (11, 11, True, True, 6),
        (11, 0, False, True, 1),  # not mapped is wrong
        (300, 300, False, True, 2),
    ],
)
def test_difference_code(reference, mapped, learns, validates, code):
    values = [np.array([item]) for item in (reference, mapped, learns, validates)]
    assert difference(*values).tolist() == [code]


def test_polygons_are_looked_up_by_id():
    splits = pd.DataFrame(
        {
            "polygon": [5, 2, 3],
            "code": [300, 11, 12],
            "seed_0": ["learn", "validation", "learn+validation"],
            "seed_1": ["unused", "learn", "validation"],
        }
    )
    table = PolygonTable(splits, [0, 1])
    assert table.codes.tolist() == [0, 0, 11, 12, 0, 300]
    assert np.flatnonzero(table.learns[0]).tolist() == [3, 5]
    assert np.flatnonzero(table.validates[0]).tolist() == [2, 3]
    assert np.flatnonzero(table.learns[1]).tolist() == [2]
    assert np.flatnonzero(table.validates[1]).tolist() == [3]


def test_validity_is_kept_where_seen_and_in_a_region_and_saturates_below_nodata(tmp_path):
    grid = Grid("EPSG:32631", 0, 50, 10, 1, 5)
    given = {
        "validity": [0, 7, 300, 9, 9],
        "regions": [1, 2, 1, 0, 1],
        "footprint": [1, 1, 1, 1, 0],
    }
    paths = {name: str(tmp_path / f"{name}.tif") for name in (*given, "clipped")}
    for name, values in given.items():
        with create_raster(paths[name], grid, "uint16") as raster:
            raster.write(np.array([values], dtype=np.uint16), grid.window)
    clip_validity(*(paths[name] for name in given), "uint8", 255, paths["clipped"])
    assert read_raster(paths["clipped"]).tolist() == [[0, 7, 254, 255, 255]]
