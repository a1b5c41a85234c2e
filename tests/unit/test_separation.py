"""Polygons drawn together, and those kept apart; worked by hand on squares of 10 m."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import Polygon, box

from iota2_tools.core.draws import generator
from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.grid import Grid
from iota2_tools.reference.overlaps import overlapping_pairs
from iota2_tools.reference.separation import (
    _give_each_a_side,
    block_groups,
    distances_kept,
    groups_of,
    in_units,
    kept_apart,
    learning_groups,
    metres_kept,
    touching_groups,
    value_groups,
)

CRS = "EPSG:32631"
GRID = Grid(CRS, 0, 80, 10, 8, 8)


def at(*places, code=11):
    """Squares of one pixel at (column, row from below), numbered from 1."""
    shapes = [box(10 * col, 10 * row, 10 * col + 10, 10 * row + 10) for col, row in places]
    codes = code if isinstance(code, list) else [code] * len(shapes)
    numbers = range(1, len(shapes) + 1)
    return gpd.GeoDataFrame({"polygon": numbers, "code": codes}, geometry=shapes, crs=CRS)


def test_polygons_touch_by_a_side_a_corner_or_by_way_of_others():
    polygons = at((0, 0), (1, 0), (5, 5), (2, 1), (7, 7), (6, 6))
    assert touching_groups(polygons, 0).tolist() == [1, 1, 3, 1, 3, 3]


def test_polygons_of_other_classes_that_touch_stay_apart():
    polygons = at((0, 0), (1, 0), (2, 0), code=[11, 51, 11])
    assert touching_groups(polygons, 0).tolist() == [1, 2, 3]


def test_a_gap_of_less_than_a_tenth_of_a_pixel_is_none():
    shapes = [box(0, 0, 10, 10), box(10.9, 0, 20, 10), box(21.1, 0, 30, 10)]
    polygons = gpd.GeoDataFrame({"polygon": [1, 2, 3], "code": 11}, geometry=shapes, crs=CRS)
    assert groups_of(polygons, "touching", None, GRID).tolist() == [1, 1, 3]
    assert groups_of(polygons, "polygon", None, GRID) is None


def test_blocks_begin_at_the_origin_and_take_polygons_by_their_middle():
    # Middles at 5, 15, 25, -5 of the first axis; blocks of 20 m: [0, 20[, [0, 20[, [20, 40[, [-20, 0[.
    polygons = at((0, 0), (1, 0), (2, 0), (-1, 0), (1, 1), (1, 2))
    assert block_groups(polygons, 20).tolist() == [1, 1, 3, 4, 1, 6]


def test_a_block_is_measured_in_metres_whatever_the_unit_of_the_map():
    feet = "EPSG:2263"  # US survey feet: 20 m are 65.6168 of them
    assert in_units(20, feet, "x") == pytest.approx(20 / 0.3048006096)
    with pytest.raises(
        InputDataError, match=r"sampling\.buffer: the coordinates of the map are angles"
    ):
        in_units(20, "EPSG:4326", "sampling.buffer")


def test_a_field_groups_by_value_and_leaves_those_without_one_alone():
    numbers = pd.Series([4, 5, 6, 7, 8])
    values = pd.Series(["farm a", "", "farm b", "farm a", ""])
    assert value_groups(values, numbers).tolist() == [4, 5, 6, 4, 8]


def strata(text):
    """Polygons from words `group:stratum`."""
    pairs = [word.split(":") for word in text.split()]
    return pd.DataFrame(pairs, columns=["group", "stratum"])


def drawn(polygons, ratio=0.5, seed=0):
    wanted = polygons["stratum"].value_counts().map(lambda n: max(1, int(n * ratio + 0.5)))
    learns = learning_groups(polygons, wanted, seed, 0)
    groups = polygons.assign(learns=learns).groupby("group")["learns"]
    assert (groups.nunique() == 1).all()  # no group on both sides
    return groups.first()


def test_two_equal_groups_stand_on_both_sides():
    polygons = strata("a:x a:y b:x b:y")
    sides = {tuple(drawn(polygons, seed=seed)) for seed in range(20)}
    assert sides == {(True, False), (False, True)}


def test_one_large_group_is_balanced_by_the_small_ones():
    # Six of x in one group and six alone: half of twelve is the one, or the others.
    polygons = strata(" ".join(["a:x"] * 6 + [f"{name}:x" for name in "bcdefg"]))
    for seed in range(20):
        counts = polygons["group"].map(drawn(polygons, seed=seed)).sum()
        assert counts == 6


def test_a_class_that_two_groups_have_is_learnt_and_validated_whatever_the_order():
    # The rare class y stands in a and b, beside many of x: one of the two on each side.
    polygons = strata("a:x a:x a:x a:y b:x b:x b:x b:y c:x d:x e:x f:x g:x h:x")
    for seed in range(40):
        learns = drawn(polygons, seed=seed)
        assert learns["a"] != learns["b"]


def test_a_class_in_a_single_group_is_learnt():
    polygons = strata("a:x a:y b:x c:x d:x")
    assert all(drawn(polygons, seed=seed)["a"] for seed in range(40))


def test_what_fits_on_both_sides_learns():
    polygons = strata("a:x b:x")
    for seed in range(5):
        first = "ab"[generator(0, "groups", seed).permutation(2)[0]]
        assert drawn(polygons, seed=seed)[first]


def test_a_class_that_others_would_outweigh_is_validated_all_the_same():
    # Eight of ten of w, x and z shall learn: a and b both would, and nobody validate y.
    many = [f"{group}:{stratum}" for group in "ab" for stratum in "wxz" for _ in range(4)]
    polygons = strata(" ".join([*many, "a:y", "b:y", *["c:w", "c:x", "c:z"] * 2]))
    wanted = pd.Series({"w": 8, "x": 8, "z": 8, "y": 1})
    for seed in range(10):
        learns = learning_groups(polygons, wanted, seed, 0)
        assert len(set(learns[polygons["stratum"] == "y"])) == 2


def test_the_group_that_takes_least_away_is_moved_to_learn():
    # Nobody learns the first class; of its groups one alone validates the second.
    table = np.array([[1, 1], [1, 0], [0, 1]])
    learns = np.array([False, False, True])
    _give_each_a_side(table, learns, np.array([0, 1, 2]), np.array([True, True]))
    assert learns.tolist() == [False, True, True]


def test_with_ratio_1_every_group_learns():
    assert drawn(strata("a:x b:x c:y d:y"), ratio=1).all()


def test_draws_differ_between_seeds_and_repeat():
    polygons = strata(" ".join(f"{name}:x" for name in "abcdefghij"))
    first, again, other = (tuple(drawn(polygons, seed=seed)) for seed in (0, 0, 1))
    assert first == again != other


def test_what_learns_nearer_than_the_buffer_to_what_validates_is_not_used():
    polygons = at((0, 0), (3, 0), (6, 0), (7, 7))  # 20 m between the first three
    sets = pd.Series(["learn", "validation", "learn", "learn"], index=[7, 8, 9, 10])
    shapes = polygons.geometry.to_numpy()
    assert kept_apart(shapes, sets, 20).tolist() == sets.tolist()  # at 20 m it may
    assert kept_apart(shapes, sets, 20.5).tolist() == ["unused", "validation", "unused", "learn"]
    assert sets[7] == "learn"  # what was given is as it was


def test_the_distance_kept_is_that_to_the_nearest_learning_polygon():
    polygons = at((0, 0), (1, 0), (4, 0), (7, 3), (2, 0))
    polygons["has_pixel"] = [True, True, True, True, False]
    polygons["seed_0"] = ["learn", "validation", "validation", "learn", "learn"]
    # 0 m: they touch; the third: 30 m to the first, and by (2, 2) pixels of 10 m to the fourth.
    assert distances_kept(polygons, 0).tolist() == [0, pytest.approx(20 * 2**0.5)]
    polygons["seed_0"] = "learn"
    assert distances_kept(polygons, 0).tolist() == []


def test_distances_are_told_in_metres_where_the_map_has_any():
    polygons = at((0, 0), (3, 0)).assign(
        has_pixel=True, seed_0=["learn", "validation"], seed_1="learn"
    )
    (kept,) = metres_kept(polygons, [0, 1]).items()
    assert (kept[0], kept[1].tolist()) == (0, [20])
    feet = polygons.set_crs("EPSG:2263", allow_override=True)
    assert metres_kept(feet, [0])[0].tolist() == [pytest.approx(20 * 0.3048006096)]
    assert metres_kept(polygons.set_crs("EPSG:4326", allow_override=True), [0]) == {}


def test_polygons_that_hold_the_same_pixel_are_pairs_and_slivers_are_none():
    shapes = [
        box(0, 0, 20, 10),  # centres at 5 and 15
        box(10, 0, 30, 10),  # shares the centre at 15
        box(28, 0, 44, 10),  # a sliver of 2 m with the one before
        box(40, 0, 80, 80),  # a strip of 4 m, no centre
        box(60, 60, 66, 66),  # inside it, around the centre at 65
    ]
    codes = [11, 51, 11, 11, 11]
    polygons = gpd.GeoDataFrame(
        {"polygon": [2, 3, 5, 7, 9], "code": codes}, geometry=shapes, crs=CRS
    )
    pairs = overlapping_pairs(polygons, [GRID])
    assert pairs.to_numpy().tolist() == [[2, 3, 11, 51], [7, 9, 11, 11]]
    assert overlapping_pairs(polygons.iloc[:1], [GRID]).empty


@pytest.mark.parametrize(
    ("first", "second", "held"),
    [
        (box(0, 0, 20, 10), box(14.9, 0, 30, 10), True),  # just around the centre at 15
        (box(0, 0, 20, 10), box(15.1, 0, 30, 10), False),
        (box(0, 0, 20, 5.1), box(0, 4.9, 20, 10), True),
        (box(0, 0, 20, 4.9), box(0, 0, 20, 4.8), False),
        # Two triangles whose rectangles share centres, and that are apart.
        (Polygon([(0, 0), (30, 0), (0, 30)]), Polygon([(31, 31), (31, 1), (1, 31)]), False),
    ],
)
def test_the_centre_decides_of_an_overlap(first, second, held):
    polygons = gpd.GeoDataFrame({"polygon": [1, 2], "code": 11}, geometry=[first, second], crs=CRS)
    assert len(overlapping_pairs(polygons, [GRID])) == held


def test_a_large_overlap_is_one_without_a_look_at_each_centre(monkeypatch):
    from iota2_tools.reference import overlaps

    monkeypatch.setattr(overlaps, "LARGEST", 3)
    polygons = gpd.GeoDataFrame(
        {"polygon": [1, 2], "code": 11}, geometry=[box(0, 0, 80, 80), box(0, 0, 79, 80)], crs=CRS
    )
    assert len(overlapping_pairs(polygons, [GRID])) == 1
