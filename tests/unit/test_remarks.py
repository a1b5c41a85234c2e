"""Remarks of RESULTS.txt."""

import pandas as pd

from iota2_tools.config.nomenclature import LandCoverClass, Nomenclature
from iota2_tools.reporting.remarks import single_polygon_remarks

CLASSES = Nomenclature(
    (LandCoverClass(1, "wheat", (0, 0, 0)), LandCoverClass(2, "maize", (1, 1, 1)))
)


def table(*rows):
    return pd.DataFrame(rows, columns=["region", "code", "seed_0"])


def test_a_class_with_one_polygon_is_told_with_its_use():
    polygons = table(("1", 1, "learn"), ("1", 2, "learn"), ("1", 2, "validation"))
    assert single_polygon_remarks(polygons, [0], CLASSES) == [
        "region 1: wheat has a single polygon (learn)"
    ]


def test_a_polygon_on_both_sides_is_called_optimistic():
    (remark,) = single_polygon_remarks(table(("1", 1, "learn+validation")), [0], CLASSES)
    assert remark.endswith("its scores are optimistic")


def test_polygons_outside_all_regions_are_not_counted():
    assert single_polygon_remarks(table(("", 1, "unused")), [0], CLASSES) == []
