"""Remarks of RESULTS.txt: each is drawn from evidence a reader can check."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd

from iota2_tools.assessing.areas import areas_as_mapped, measure_areas
from iota2_tools.config.nomenclature import LandCoverClass, Nomenclature
from iota2_tools.geo.grid import Grid
from iota2_tools.products import Acquisition, Shift
from iota2_tools.reporting import remarks as module
from iota2_tools.reporting.remarks import (
    Evidence,
    Remark,
    Topic,
    classes_never_validated,
    classes_not_corrected,
    classes_of_one_pixel,
    distance_kept,
    gather,
    gather_without_reference,
    maps_without_hectares,
    polygons_hold_no_edges,
    polygons_without_a_pixel,
    products_left_out,
    seeds_of_mean_areas,
    series_moved,
    single_polygons,
)
from iota2_tools.timeseries.inventory import Inventory

CLASSES = Nomenclature(
    (LandCoverClass(1, "wheat", (0, 0, 0)), LandCoverClass(2, "maize", (1, 1, 1)))
)
GOOD = np.array([[8, 1, 0], [2, 4, 0]])
GRID = Grid("EPSG:32631", 0, 0, 10, 8, 8)


def evidence(
    matrices=None, polygons=(), inventories=(), pixels=((100, 50),), hectares=1.0, bare=0
) -> Evidence:
    """Evidence of matrices of two classes; `pixels` mapped of each class, a pair a seed.

    The first polygons, `bare` of them, hold no pixel.
    """
    matrices = {seed: np.array(matrix) for seed, matrix in enumerate(matrices or [GOOD])}
    counts = [np.array(pixels[seed % len(pixels)]) for seed in matrices]
    areas = {
        seed: measure_areas(counts[seed], hectares, matrix) for seed, matrix in matrices.items()
    }
    columns = ["region", "code", *(f"seed_{seed}" for seed in matrices)]
    table = pd.DataFrame(list(polygons), columns=columns).assign(has_pixel=True)
    table.iloc[:bare, table.columns.get_loc("has_pixel")] = False
    return Evidence(list(inventories), table, matrices, areas, CLASSES)


def told(gatherer, *arguments, **named) -> list[str]:
    return [remark.text for remark in gatherer(evidence(*arguments, **named))]


def test_good_evidence_needs_no_remark():
    polygons = [
        ("1", 1, "learn"),
        ("1", 1, "validation"),
        ("1", 2, "learn"),
        ("1", 2, "validation"),
    ]
    assert gather(evidence(polygons=polygons)) == []


def test_acquisitions_left_out_are_told_with_the_reason():
    inventories = [
        Inventory("T31TCJ", GRID, {}, {}, {"PRODUCT": "B4 is truncated"}),
        Inventory("T31TDJ", GRID, {}, {}, {}),
    ]
    assert told(products_left_out, inventories=inventories) == [
        "T31TCJ: PRODUCT is left out: B4 is truncated"
    ]
    other = replace(inventories[0], tile="T31TAA", left_out={"OTHER": "no data"})
    both = told(products_left_out, inventories=[*inventories, other])
    assert both == told(products_left_out, inventories=[other, *inventories])
    assert both[0] == "T31TAA: OTHER is left out: no data"


def test_where_the_archive_lies_is_not_told():
    """The scores of a production are the same wherever its images are."""
    why = {
        "P_1": "/data/s2/T31TCJ/P_1/P_1_FRE_B4.tif is no readable image (cut?)",
        "20180101": "b.tif differs from data/T/20180101_a.tif",
    }
    found = told(products_left_out, inventories=[Inventory("T31TCJ", GRID, {}, {}, why)])
    assert found == [
        "T31TCJ: P_1 is left out: P_1_FRE_B4.tif is no readable image (cut?)",
        "T31TCJ: 20180101 is left out: b.tif differs from 20180101_a.tif",
    ]


def test_scores_of_a_regularised_map_are_told_to_be_those_of_polygons():
    assert told(polygons_hold_no_edges) == []
    regularised = replace(evidence(), regularised=True)
    (remark,) = polygons_hold_no_edges(regularised)
    assert remark.topic == Topic.SCORES
    assert "no measure of which map is the better one" in remark.text
    assert remark in gather(regularised)
    unscored = replace(evidence([np.zeros((2, 3))]), regularised=True)
    assert list(polygons_hold_no_edges(unscored)) == []


def test_how_far_a_series_was_moved_is_told_once_for_all_tiles():
    """Pixels of 10 m; those moved by 0, 5 and 20 m, and one of a series that has no reference."""
    moved = [
        Acquisition(name, date(2018, 1, 1), {}, (), shift=shift)
        for name, shift in (
            ("a", Shift(0, 0, 1)), ("b", Shift(3, -4, 0.9)), ("c", Shift(0, 20, 0.7)), ("d", None),
        )
    ]  # fmt: skip
    inventories = [
        Inventory("T31TCJ", GRID, {"sentinel2": moved[:2], "landsat8": moved[3:]}, {}, {}),
        Inventory("T31TDJ", GRID, {"sentinel2": moved[2:3]}, {}, {}),
    ]
    assert told(series_moved, inventories=inventories) == [
        "sentinel2: 3 acquisition(s) were brought onto the reference image, by 0.50 pixels of the "
        "map in the median, at most by 2.00 (c over T31TDJ)"
    ]


def test_a_class_with_one_polygon_is_told_with_its_use():
    polygons = [("1", 1, "learn"), ("1", 2, "learn"), ("1", 2, "validation")]
    assert told(single_polygons, polygons=polygons) == [
        "region 1: wheat has a single polygon (learn)"
    ]


def test_a_polygon_on_both_sides_is_called_optimistic():
    (text,) = told(single_polygons, polygons=[("1", 1, "learn+validation")])
    assert text.endswith("its scores are optimistic")


def test_polygons_outside_all_regions_are_not_counted():
    assert told(single_polygons, polygons=[("", 1, "unused")]) == []


def test_polygons_that_hold_no_pixel_are_told_by_class_and_do_not_count():
    polygons = [("1", 1, "learn"), ("1", 1, "validation"), ("1", 2, "learn"), ("1", 2, "learn")]
    (text,) = told(polygons_without_a_pixel, polygons=polygons, bare=1)
    assert text.startswith("class 1 (wheat): 1 of 2 polygons hold no pixel centre")
    assert told(single_polygons, polygons=polygons, bare=1) == [
        "region 1: wheat has a single polygon (validation)"
    ]


def test_a_class_mapped_without_validation_pixel_is_told_with_its_pixels_and_seeds():
    nothing_as_maize = [[8, 0, 0], [2, 0, 1]]
    texts = told(
        classes_not_corrected,
        [GOOD, nothing_as_maize, nothing_as_maize],
        pixels=((100, 50), (112, 38), (99, 1051)),
        hectares=0.01,
    )
    assert texts == [
        "maize (2): 38 to 1 051 pixels (0.38 to 10.51 ha) are mapped as this class, and no "
        "validation pixel is (seeds 1 and 2). What stands there is unknown: maize has no corrected "
        "area from those seeds, and every other class may have so much more than its lower figure"
    ]


def test_a_class_no_polygon_validates_is_told_as_such():
    (text,) = told(classes_not_corrected, [[[8, 1, 0], [0, 0, 0]]], pixels=((99, 1),))
    assert text.startswith(
        "maize (2): 1 pixel (1.00 ha) is mapped as this class, and no validation pixel is of it "
        "(seed 0). What stands there is unknown: maize has no corrected area from that seed"
    )


def test_a_map_in_degrees_says_why_it_has_no_areas():
    (text,) = told(maps_without_hectares, hectares=float("nan"))
    assert text.startswith("the coordinates of the map are angles")
    assert told(maps_without_hectares, pixels=((100, 0),)) == []


def test_a_map_in_degrees_is_told_in_pixels():
    (text,) = told(classes_not_corrected, [[[8, 0, 0], [2, 0, 0]]], hectares=float("nan"))
    assert text.startswith("maize (2): 50 pixels are mapped as this class")


def test_a_class_not_mapped_leaves_nothing_open():
    assert told(classes_not_corrected, [[[8, 0, 0], [2, 0, 0]]], pixels=((100, 0),)) == []


def test_a_class_judged_from_one_pixel_is_told():
    assert told(classes_of_one_pixel, [GOOD, [[7, 1, 0], [2, 0, 0]]]) == [
        "maize (2): a single validation pixel is mapped as this class (seed 1); its precision and "
        "what it gives to the corrected areas rest on that one"
    ]
    assert told(classes_of_one_pixel, [[[8, 0, 0], [2, 0, 0]]]) == []
    # No polygon validates maize: the pixel of wheat is told to be none of its sample.
    assert told(classes_of_one_pixel, [[[7, 1, 0], [0, 0, 0]]]) == []


def test_a_mean_of_some_seeds_says_which():
    nothing_as_maize = [[8, 0, 0], [2, 0, 0]]
    assert told(seeds_of_mean_areas, [nothing_as_maize, GOOD, GOOD, nothing_as_maize]) == [
        "maize (2): its corrected area is that of seeds 1 and 2 alone; seeds 0 and 3 have none"
    ]
    assert told(seeds_of_mean_areas, [nothing_as_maize]) == []


def test_polygons_that_validate_without_a_pixel_are_told():
    polygons = [
        ("1", 2, "learn", "learn"),
        ("1", 2, "validation", "learn"),
        ("1", 2, "validation", "unused"),
    ]
    matrices = [[[8, 1, 0], [0, 0, 0]], [[8, 1, 0], [0, 0, 0]]]
    assert told(classes_never_validated, matrices, polygons) == [
        "maize (2): 2 polygon(s) validate it and hold no pixel centre that was clear often enough "
        "(seed 0): it has no score"
    ]


def test_one_polygon_without_a_pixel_is_told():
    (text,) = told(classes_never_validated, [[[8, 1, 0], [0, 0, 0]]], [("1", 2, "validation")])
    assert text.startswith("maize (2): 1 polygon(s) validate it")


def test_a_pixel_the_map_leaves_without_class_is_one_that_validates():
    polygons = [("1", 2, "validation")]
    assert told(classes_never_validated, [[[8, 1, 0], [0, 0, 3]]], polygons) == []


def test_a_seed_without_any_validation_is_told_once():
    found = evidence([[[0, 0, 4], [0, 0, 0]], GOOD], [("1", 2, "validation", "validation")] * 2)
    assert [remark.text for remark in gather(found)] == [
        "no validation pixel has a class in the map (seed 0): nothing is scored, and no area corrected",
    ]


def test_remarks_are_gathered_by_topic(monkeypatch):
    def late(_):
        yield Remark(Topic.IMAGES, "another image")

    def first(_):
        yield Remark(Topic.AREAS, "an area")
        yield Remark(Topic.IMAGES, "an image")

    monkeypatch.setattr("iota2_tools.reporting.remarks.GATHERERS", (first, late))
    assert gather(evidence()) == [
        Remark(Topic.IMAGES, "an image"),
        Remark(Topic.IMAGES, "another image"),
        Remark(Topic.AREAS, "an area"),
    ]


def test_every_function_that_draws_remarks_is_asked():
    drawing = {
        item
        for item in vars(module).values()
        if getattr(item, "__annotations__", {}).get("return") == Iterator[Remark]
    }
    assert drawing == set(module.GATHERERS)


def test_the_distance_kept_is_told_over_all_seeds():
    near = replace(evidence(), distances={0: np.array([0.0, 40.0, 30.0]), 1: np.array([90.0])})
    (remark,) = distance_kept(near)
    assert remark.topic == Topic.REFERENCE
    assert remark.text.startswith(
        "validation polygons lie at least 0 m from those that learn, 35 m in the median; 25 % of them touch one"
    )
    (beside,) = distance_kept(replace(evidence(), distances={0: np.array([0.5, 40.0])}))
    assert "touch" not in beside.text
    (far,) = distance_kept(replace(evidence(), distances={0: np.array([1500.2, 2500.0])}))
    assert far.text == (
        "validation polygons lie at least 1 500 m from those that learn, 2 000 m in the median"
    )
    assert told(distance_kept) == []


def test_samples_of_other_years_are_told_with_those_left_out():
    assert not list(module.samples_of_other_years(evidence()))
    (found,) = module.samples_of_other_years(replace(evidence(), other_years=(2, 1234)))
    assert found.topic == Topic.REFERENCE
    assert found.text == (
        "samples of 2 other production(s) are learnt; 1 234 lie in a polygon that validates this map, and were left "
        "out (over all models)"
    )
    (found,) = gather(replace(evidence(), other_years=(1, 0)))
    assert found.text.endswith("none lies in a polygon that validates this map")


def test_without_a_reference_images_and_angles_are_told_and_nothing_else():
    inventory = Inventory("T31TCJ", GRID, {}, {}, {"PRODUCT": "B4 is truncated"})
    areas = {0: areas_as_mapped(np.array([3, 1]), float("nan"))}
    found = gather_without_reference([inventory], areas, CLASSES)
    assert [remark.topic for remark in found] == [Topic.IMAGES, Topic.AREAS]
    assert found[0].text == "T31TCJ: PRODUCT is left out: B4 is truncated"
    assert "angles" in found[1].text
    assert gather_without_reference([], {0: areas_as_mapped(np.array([3, 1]), 0.01)}, CLASSES) == []
