"""Exclusive envelopes: every place is mapped by one tile."""

from itertools import combinations

import pytest
import shapely

from iota2_tools.geo.grid import Grid
from iota2_tools.geo.raster import read_raster
from iota2_tools.reference.envelopes import exclusive_envelope, overlapping, priority, write_regions

CRS = "EPSG:32631"


def tile(left, top, size=100):
    return Grid(CRS, left, top, 10.0, size, size)


# Tiles of 1000 m that overlap by 200 m.
WEST_EAST = {"west": tile(0, 1000), "east": tile(800, 1000)}
FOUR = WEST_EAST | {"south": tile(0, 200), "corner": tile(800, 200)}


def envelopes(grids, margin):
    return {name: exclusive_envelope(name, grids, margin) for name in grids}


@pytest.mark.parametrize("grids", [WEST_EAST, FOUR], ids=["two", "four"])
@pytest.mark.parametrize("margin", [0, 50, 55, 100, 200, 300, 600, 2000])
def test_envelopes_are_a_partition(grids, margin):
    shapes = list(envelopes(grids, margin).values())
    covered = shapely.union_all([shapely.box(*grid.bounds) for grid in grids.values()])
    assert sum(shape.area for shape in shapes) == pytest.approx(covered.area)
    assert shapely.union_all(shapes).area == pytest.approx(covered.area)
    assert [a.intersection(b).area for a, b in combinations(shapes, 2)] == pytest.approx(
        [0] * (len(shapes) * (len(shapes) - 1) // 2)
    )


def halfway(shape):
    """West and east end of a shape, halfway down the tiles."""
    left, _, right, _ = shape.intersection(shapely.box(-1e5, 400, 1e5, 600)).bounds
    return left, right


def test_first_tile_leaves_the_margin_to_its_eastern_neighbour():
    found = envelopes(WEST_EAST, 50)
    assert halfway(found["west"]) == (0, 950)
    assert halfway(found["east"]) == (950, 1800)


def test_margin_is_rounded_down_to_whole_pixels():
    assert halfway(exclusive_envelope("west", WEST_EAST, 59.9)) == (0, 950)


def test_margin_wider_than_the_overlap_leaves_no_gap():
    # West claims up to 700, east begins at 800: the strip between goes to west, which alone sees it.
    found = envelopes(WEST_EAST, 300)
    assert found["west"].contains(shapely.Point(750, 900))
    assert not found["west"].contains(shapely.Point(850, 900))
    assert found["east"].contains(shapely.Point(850, 900))


def test_single_tile_keeps_all_its_ground():
    grids = {"alone": tile(0, 1000)}
    assert exclusive_envelope("alone", grids, 600).area == pytest.approx(1000 * 1000)


def test_priority_is_north_then_west():
    assert priority(
        {"d": tile(800, 200), "c": tile(0, 200), "b": tile(800, 1000), "a": tile(0, 1000)}
    ) == list("abcd")


def test_same_corner_is_ordered_by_name():
    assert priority({"b": tile(0, 0), "a": tile(0, 0)}) == ["a", "b"]


def test_common_ground_of_four_tiles_goes_to_the_north_west():
    found = envelopes(FOUR, 0)
    middle = shapely.Point(900, 100)
    assert [name for name, shape in found.items() if shape.contains(middle)] == ["west"]


def test_envelope_does_not_depend_on_tiles_that_do_not_overlap():
    far = FOUR | {"far": tile(50_000, 1000)}
    for name in FOUR:
        assert exclusive_envelope(name, far, 100).equals(exclusive_envelope(name, FOUR, 100))


def test_tiles_that_share_an_edge_do_not_overlap():
    assert overlapping("a", {"a": tile(0, 1000), "b": tile(1000, 1000), "c": tile(990, 1000)}) == [
        "c"
    ]


def test_tile_covered_by_another_maps_nothing():
    grids = {"large": tile(0, 1000), "small": tile(200, 800, 20)}
    assert exclusive_envelope("small", grids, 0).is_empty


def test_every_pixel_of_two_tiles_is_written_once(tmp_path):
    total = 0
    for name in WEST_EAST:
        write_regions(name, WEST_EAST, 50, None, ["1"], str(tmp_path / f"{name}.tif"))
        total += int((read_raster(str(tmp_path / f"{name}.tif")) == 1).sum())
    assert total == 180 * 100
