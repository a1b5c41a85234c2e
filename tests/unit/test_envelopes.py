"""Exclusive envelopes: every place is mapped by one tile."""

from itertools import combinations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from iota2_tools.geo.grid import Grid
from iota2_tools.geo.raster import read_raster
from iota2_tools.reference import envelopes as envelopes_module
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


# Tiles of 8 x 8 pixels of 10 m that overlap by 4; two pixels are left to the neighbours.
SMALL = {
    "nw": tile(0, 80, 8), "ne": tile(40, 80, 8), "sw": tile(0, 40, 8), "se": tile(40, 40, 8)
}  # fmt: skip


@pytest.fixture(params=[1, 3, 256], ids=lambda rows: f"windows of {rows} rows")
def written(request, monkeypatch, tmp_path):
    """Writes the regions of a tile and reads them."""
    monkeypatch.setattr(envelopes_module, "BLOCK_ROWS", request.param)

    def write(name, grids=SMALL, margin=20, regions=None, names=("1",)):
        path = str(tmp_path / f"{name}.tif")
        write_regions(name, grids, margin, regions, list(names), path)
        return read_raster(path)

    return write


def test_the_first_of_four_tiles_leaves_its_right_and_lower_margin(written):
    expected = np.zeros((8, 8))
    expected[:6, :6] = 1
    assert written("nw").tolist() == expected.tolist()


def test_the_tile_below_begins_where_the_first_one_ends(written):
    # It maps the margin below as well, where no tile lies, but leaves the right one to its neighbour.
    expected = np.zeros((8, 8))
    expected[2:, :6] = 1
    assert written("sw").tolist() == expected.tolist()


def test_the_last_tile_maps_both_outer_margins(written):
    expected = np.zeros((8, 8))
    expected[2:, 2:] = 1
    assert written("se").tolist() == expected.tolist()


@pytest.mark.parametrize("margin", [50, 100, 200])
def test_no_border_has_a_notch_at_the_outer_edge(margin):
    # 1800 m of four tiles of 1000 m: all four envelopes are rectangles, cut at the margin.
    cut, below = 1000 - margin, margin
    found = envelopes(FOUR, margin)
    assert {name: shape.bounds for name, shape in found.items()} == {
        "west": (0, below, cut, 1000),
        "east": (cut, below, 1800, 1000),
        "south": (0, -800, cut, below),
        "corner": (cut, -800, 1800, below),
    }
    assert all(shape.area == shapely.envelope(shape).area for shape in found.values())


def test_an_inner_corner_without_a_fourth_tile_is_mapped_once():
    # Below the margin of the first tile the eastern one, whose rectangle reaches as far down, maps on.
    three = {name: FOUR[name] for name in ("west", "east", "south")}
    found = envelopes(three, 100)
    owner = [name for name, shape in found.items() if shape.contains(shapely.Point(950, 50))]
    assert owner == ["east"]
    assert sum(shape.area for shape in found.values()) == pytest.approx(
        shapely.union_all([shapely.box(*grid.bounds) for grid in three.values()]).area
    )


def test_all_pixels_of_four_tiles_are_written_once(written):
    total = np.zeros((12, 12), dtype=int)
    for name, grid in SMALL.items():
        row, col = round((80 - grid.top) / 10), round(grid.left / 10)
        total[row : row + 8, col : col + 8] += written(name)
    assert (total == 1).all()


def test_regions_are_numbered_by_their_names_and_end_at_the_envelope(written, tmp_path):
    path = str(tmp_path / "regions.gpkg")
    # The last pixel of a row whose centre is west of x = 25 is column 1; "south" from row 3 down.
    shapes = [shapely.box(0, 0, 80, 47), shapely.box(0, 47, 24, 80), shapely.box(24, 47, 80, 80)]
    columns = {"zone": ["south", "west", "east"]}
    gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS).to_file(path)
    section = {"path": path, "layer": None, "field": "zone"}
    found = written("nw", regions=section, names=["east", "south", "west"])
    assert found.tolist() == [
        *[[3, 3, 1, 1, 1, 1, 0, 0]] * 3,
        *[[2, 2, 2, 2, 2, 2, 0, 0]] * 3,
        *[[0] * 8] * 2,
    ]


def test_a_tile_that_maps_nothing_has_no_region(written):
    grids = {"large": tile(0, 100, 10), "small": tile(20, 80, 4)}
    assert not written("small", grids, margin=0).any()
