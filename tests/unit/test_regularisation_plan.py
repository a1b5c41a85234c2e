"""The regularised map in numbers of pixels, and what the check says of it."""

from dataclasses import replace

import numpy as np
import pytest
from tiny import write_image

from iota2_tools.config.nomenclature import LandCoverClass, Nomenclature
from iota2_tools.config.regularisation import RegularisationSection
from iota2_tools.geo.grid import Grid
from iota2_tools.planning.regularisation import (
    RegularisationPlan,
    margin_of,
    mask_faults,
    pixels_of,
)

GRID = Grid("EPSG:32631", 300_000, 4_900_020, 10, 100, 250)
CLASSES = Nomenclature(
    (
        LandCoverClass(1, "Wheat", (0, 0, 0), "Crops"),
        LandCoverClass(2, "Forest", (0, 0, 0), "Forest"),
        LandCoverClass(12, "Maize", (0, 0, 0), "Crops"),
    )
)


def plan(grid=GRID, tiles=None, classes=CLASSES, **section) -> RegularisationPlan:
    return RegularisationPlan(
        RegularisationSection(**section), grid, [grid] if tiles is None else tiles, classes
    )


@pytest.mark.parametrize(
    ("square_metres", "resolution", "pixels"),
    [
        (4.9, 0.7, 10),
        (1000, 10, 10),
        (1000, 20, 3),
        (1000, 30, 2),
        (1001, 10, 11),
        (5000, 10, 50),
        (0.3, 0.1, 30),
    ],
)
def test_a_unit_is_the_pixels_that_cover_it(square_metres, resolution, pixels):
    assert pixels_of(square_metres, replace(GRID, resolution=resolution)) == pixels


def test_a_unit_in_a_projection_in_feet_is_in_square_metres():
    feet = Grid("EPSG:2263", 0, 0, 30, 8, 8)  # US survey feet of 0.3048006 m: pixels of 83.6 m²
    assert pixels_of(836, feet) == 10
    assert pixels_of(837, feet) == 11


def test_the_margin_grows_as_wide_as_the_areas():
    assert [margin_of(unit) for unit in (2, 10, 40, 1000)] == [128, 128, 256, 1280]


def test_sizes_are_compared_up_to_64_pixels_or_the_unit():
    assert plan().settings["unit"] == {"threshold": 10, "cap": 64}
    assert plan(minimum_mapping_unit_m2=20000).settings["unit"] == {"threshold": 200, "cap": 200}
    assert plan(rule="gdal").settings["unit"] == {"threshold": 10, "cap": 0}


def test_groups_are_the_parents_in_alphabetic_order():
    assert plan().settings["groups"] == {}
    assert plan(groups="parent").settings["groups"] == {"1": 1, "2": 2, "12": 1}
    black, names = (0, 0, 0), ("Woods", "Grass", "Crops", "Woods")
    others = [LandCoverClass(n, str(n), black, name) for n, name in enumerate(names, start=1)]
    found = plan(classes=Nomenclature(tuple(others)), groups="parent").settings["groups"]
    assert found == {"1": 3, "2": 2, "3": 1, "4": 3}


def test_the_second_unit_counts_the_larger_pixels():
    settings = plan(resolution=20.0, second_minimum_mapping_unit_m2=2000).settings
    assert (settings["factor"], settings["second"]) == (2, {"threshold": 5, "cap": 64})
    assert (settings["margin"], settings["second_margin"]) == (128, 128)
    assert plan().settings["second"] is None
    given = plan(margin_pixels=7, second_minimum_mapping_unit_m2=2000).settings
    assert (given["margin"], given["second_margin"]) == (7, 7)


def test_blocks_cover_the_map_once_and_are_of_about_the_same_size():
    blocks = plan(block_pixels=100).blocks
    assert {name: tuple(window) for name, window in blocks.items()} == {
        "0_0": (0, 0, 100, 84),
        "0_1": (0, 84, 100, 84),
        "0_2": (0, 168, 100, 82),
    }
    assert len(plan().blocks) == 1
    assert len(plan(rule="gdal", block_pixels=16).blocks) == 1


def test_blocks_of_the_regularised_map_are_of_larger_pixels():
    seen = plan(resolution=30.0, block_pixels=50)
    assert (seen.target.rows, seen.target.cols, seen.target.resolution) == (34, 84, 30)
    assert [tuple(window) for window in seen.blocks.values()] == [(0, 0, 34, 42), (0, 42, 34, 42)]


def test_blocks_without_a_tile_are_left_out():
    tiles = [replace(GRID, cols=30, rows=30), replace(GRID, left=300_000 + 1700, cols=80)]
    assert list(plan(tiles=tiles, block_pixels=84).blocks) == ["0_0", "0_2", "1_2"]


def test_the_largest_window_is_that_of_a_block_with_its_margins():
    """A block of 100 x 84 in a map of 100 x 250, 10 and one more on each side."""
    assert plan(block_pixels=100, margin_pixels=10).largest_window == 100 * (84 + 2 * 11)
    assert plan(rule="gdal").largest_window == 100 * 250


def test_tags_tell_what_was_done():
    tags = plan(groups="parent", second_minimum_mapping_unit_m2=500).tags
    assert tags["REGULARISATION"] == ("unit 10 px, rule capped, groups parent, second unit 5 px")


def problems(*arguments, **section) -> str:
    return "\n".join(plan(*arguments, **section).problems())


def test_a_sound_section_has_no_problem(tmp_path):
    mask = write_image(tmp_path / "water.tif", np.zeros((4, 4), np.uint8))
    assert not problems(
        groups="parent", resolution=20.0, water_mask={"path": mask, "code": 2},
        second_minimum_mapping_unit_m2=2000,
    )  # fmt: skip
    assert not problems(rule="gdal")


def test_a_unit_larger_than_the_map_is_refused():
    assert not problems(minimum_mapping_unit_m2=100 * 250 * 100)
    assert "2500010 m² is larger than the whole map (2500000 m²)" in problems(
        minimum_mapping_unit_m2=2_500_010
    )
    assert "second_minimum_mapping_unit_m2: 10000000 m² is larger" in problems(
        second_minimum_mapping_unit_m2=1e7
    )


def test_a_unit_of_one_pixel_is_refused():
    assert "minimum_mapping_unit_m2: 100 m² is no more than one pixel (100 m²)" in problems(
        minimum_mapping_unit_m2=100
    )
    assert "second_minimum_mapping_unit_m2: 400 m²" in problems(
        resolution=20.0, second_minimum_mapping_unit_m2=400
    )


@pytest.mark.parametrize(("resolution", "instead"), [(25.0, "20"), (5.0, "10"), (10.5, "10")])
def test_a_resolution_that_is_no_multiple_is_refused(resolution, instead):
    assert f"take {instead} or another multiple" in problems(resolution=resolution)


def test_a_pixel_larger_than_the_map_is_refused():
    """The map has 100 rows of 10 m."""
    assert not problems(resolution=1000.0)
    assert "one pixel of 1010 is larger than the whole map (250 x 100 pixels of 10)" in problems(
        resolution=1010.0
    )


def test_groups_without_parents_are_refused_with_the_classes():
    classes = Nomenclature(
        (LandCoverClass(1, "Wheat", (0, 0, 0), "Crops"), LandCoverClass(2, "Water", (0, 0, 0)))
    )
    assert "but Water of the nomenclature has no parent" in problems(
        GRID, None, classes, groups="parent"
    )
    bare = Nomenclature(tuple(LandCoverClass(code, f"c{code}", (0, 0, 0)) for code in (1, 2)))
    assert "c1 and c2 of the nomenclature have no parent" in problems(
        GRID, None, bare, groups="parent"
    )
    assert not problems(GRID, None, bare)


def test_a_map_in_degrees_is_refused():
    assert "the map is in degrees (EPSG:4326)" in problems(
        Grid("EPSG:4326", 1, 44, 0.0001, 100, 100)
    )


def test_gdals_rule_is_refused_on_what_does_not_fit():
    tile = replace(GRID, rows=10980, cols=10980)
    assert not problems(tile, rule="gdal")
    country = replace(GRID, rows=10980, cols=20980)
    assert "230360400 pixels, more than the 130000000" in problems(country, rule="gdal")
    assert not problems(country)


def test_blocks_that_cannot_be_numbered_are_refused():
    """A unit of 10000 km² needs a margin of 404772 pixels: blocks hold the whole map."""
    country = replace(GRID, rows=100_000, cols=100_000)
    assert not problems(country)
    assert "hold 10000000000 pixels, more than 2147483647" in problems(
        country, minimum_mapping_unit_m2=1e10
    )


def test_water_of_no_class_or_no_file_is_refused(tmp_path):
    told = problems(water_mask={"path": str(tmp_path / "none.tif"), "code": 7})
    assert "water_mask.code: 7 is no class of the nomenclature, which has 1, 2, 12" in told
    assert "none.tif is missing" in told


def test_a_mask_that_cannot_be_one_is_refused(tmp_path):
    ones = np.ones((4, 4), np.uint8)
    assert mask_faults(write_image(tmp_path / "good.tif", ones), GRID) == []
    far = write_image(tmp_path / "far.tif", ones, left=GRID.left - 40)
    assert "does not touch the map" in mask_faults(far, GRID)[0]
    for name, place in {
        "south": {"top": GRID.bottom},
        "north": {"top": GRID.top + 40},
        "east": {"left": GRID.right},
    }.items():
        far = write_image(tmp_path / f"{name}.tif", ones, **place)
        assert "does not touch the map" in mask_faults(far, GRID)[0]
    two = write_image(tmp_path / "two.tif", np.ones((2, 4, 4), np.uint8))
    assert "has 2 bands" in mask_faults(two, GRID)[0]
    text = tmp_path / "text.tif"
    text.write_text("no image")
    assert "no readable image" in mask_faults(str(text), GRID)[0]
    nowhere = tmp_path / "nowhere.png"
    from osgeo import gdal

    source = gdal.Open(str(tmp_path / "good.tif"))
    gdal.GetDriverByName("PNG").CreateCopy(str(nowhere), source)
    (tmp_path / "nowhere.png.aux.xml").unlink()
    assert "no coordinate reference system" in mask_faults(str(nowhere), GRID)[0]
