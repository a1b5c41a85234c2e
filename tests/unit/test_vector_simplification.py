"""Simplification of arcs: hand values, bounds, and coverages that GEOS finds valid."""

import numpy as np
import pytest
import shapely
from vector_maps import coverage_of, pixels_of, random_map

from iota2_tools.vectors.arcs import Arcs, vertices
from iota2_tools.vectors.simplification import Patch, Shape, budgets, simplified

FREE = 1e9
SHAPES = [
    Shape(tolerance=1.5),
    Shape(tolerance=3.0, area_limit=1.0),
    Shape(tolerance=50.0, area_limit=FREE),
    Shape("douglas_peucker", 1.0),
    Shape("douglas_peucker", 2.5, FREE),
    Shape(tolerance=2.0, area_limit=0.3, smoothing="chaikin"),
    Shape("douglas_peucker", 1.0, FREE, "chaikin"),
    Shape(tolerance=2.0, area_limit=0.3, smoothing="hermite"),
    Shape("douglas_peucker", 1.0, FREE, "hermite"),
]


def arc_of(points, left=0, right=1):
    points = np.array(points, np.int32)
    closed = (points[0] == points[-1]).all()
    ends = np.full((1, 2), 0 if closed else 1, np.uint8)
    return Arcs(points, np.array([0, len(points)]), np.array([left]), np.array([right]), ends)


def kept(points, shape, others=(), allowed=FREE):
    """Points that are left of one arc; other arcs have vertices at `others`."""
    arc = arc_of(points)
    patch = Patch(np.zeros((20, 20), np.uint8), 0, 0)
    for row, col in [*points, *others]:
        patch.vertices[row, col] = 1
    return simplified(arc, np.array([allowed]), patch, shape).points.tolist()


STAIRS = [[0, 0], [0, 1], [1, 1], [1, 2], [2, 2], [2, 3], [3, 3]]
"""Triangles of half a pixel, on both sides of the diagonal."""


def test_triangles_smaller_than_the_square_of_the_tolerance_go():
    # Half a pixel is smaller than 0.71 squared, not than 0.7 squared.
    assert kept(STAIRS, Shape(tolerance=0.7)) == STAIRS
    assert len(kept(STAIRS, Shape(tolerance=0.71))) < len(STAIRS)


def test_a_triangle_as_large_as_the_limit_stays():
    points = [[0, 0], [0, 2], [1, 2]]  # one pixel
    assert kept(points, Shape(tolerance=1.0)) == points
    assert kept(points, Shape(tolerance=1.01)) != points


def test_without_tolerance_nothing_goes():
    assert kept(STAIRS, Shape(tolerance=0.0)) == STAIRS
    assert kept(STAIRS, Shape("douglas_peucker", 0.0)) == STAIRS


def test_a_corner_of_another_arc_in_the_triangle_or_on_its_side_keeps_the_arc_away():
    points = [[0, 0], [0, 4], [2, 4]]
    assert kept(points, Shape(tolerance=5.0)) == [[0, 0], [2, 4]]
    assert kept(points, Shape(tolerance=5.0), others=[[1, 3]]) == points  # inside
    assert kept(points, Shape(tolerance=5.0), others=[[1, 2]]) == points  # on the new line
    assert kept(points, Shape(tolerance=5.0), others=[[1, 1]]) == [[0, 0], [2, 4]]  # beyond it


def test_corners_of_the_arc_itself_that_stand_are_in_the_way_and_those_that_are_gone_are_not():
    hook = [[0, 0], [0, 6], [3, 6], [3, 3], [1, 3], [1, 4]]
    # 3 6 would go over 3 3, 1 3 and 1 4; 0 6 over none of them is not possible either.
    found = kept(hook, Shape(tolerance=2.0))
    line = shapely.LineString(found)
    assert line.is_simple
    assert len(found) < len(hook)


def test_a_corner_that_is_gone_is_not_in_the_way():
    # 1 1 goes first, and lies in the triangle of the next.
    assert kept([[2, 0], [1, 1], [0, 0], [0, 4]], Shape(tolerance=9.0)) == [[2, 0], [0, 4]]


def test_an_arc_becomes_straight_if_its_last_corner_lies_on_the_left():
    # To the east the left hand is in the north.
    assert kept([[2, 0], [1, 1], [3, 4]], Shape(tolerance=9.0)) == [[2, 0], [3, 4]]
    right = [[2, 0], [3, 1], [3, 4]]
    assert kept(right, Shape(tolerance=9.0)) == right


def test_an_arc_becomes_no_line_along_rows_or_columns():
    along = [[2, 0], [1, 1], [2, 4]]
    assert kept(along, Shape(tolerance=9.0)) == along
    upright = [[0, 2], [1, 3], [4, 2]]
    assert kept(upright, Shape(tolerance=9.0)) == upright


def test_a_ring_keeps_three_corners():
    ring = [[0, 0], [0, 1], [1, 1], [1, 0], [0, 0]]
    found = kept(ring, Shape(tolerance=9.0))
    assert len(found) == 4
    assert found[0] == found[-1] == [0, 0]


def test_the_change_of_area_keeps_to_what_is_allowed():
    stairs = [[0, 0], [0, 3], [2, 3]]  # taking the corner away moves three pixels
    assert kept(stairs, Shape(tolerance=9.0), allowed=3.0) == [[0, 0], [2, 3]]
    assert kept(stairs, Shape(tolerance=9.0), allowed=2.99) == stairs


def test_arcs_share_what_a_polygon_may_change_by_their_length():
    arcs = arc_of([[0, 0], [0, 3], [2, 3]])  # five cracks
    left, right = np.array([[40.0, 20.0]]), np.array([[9.0, 10.0]])
    assert budgets(arcs, left, right, 0.1).tolist() == pytest.approx(
        [min(4 * 5 / 20, 0.9 * 5 / 10)]
    )


def test_arcs_with_nothing_on_one_side_stay_as_they_are():
    arcs = arc_of(STAIRS)
    allowed = budgets(arcs, np.array([[9.0, 9.0]]), np.array([[np.nan, np.nan]]), 0.1)
    assert allowed.tolist() == [0.0]
    patch = Patch(np.ones((5, 5), np.uint8), 0, 0)
    assert simplified(arcs, allowed, patch, Shape()).points.tolist() == STAIRS


def test_douglas_and_peucker_keep_what_is_farther_than_the_tolerance():
    points = [[4, 0], [4, 2], [3, 2], [3, 5], [5, 5], [5, 8]]
    # The line from 4 0 to 5 8 passes 3 5 at 1.613, then 4 2 .. and so on within one pixel.
    found = kept(points, Shape("douglas_peucker", 1.0))
    assert [4, 0] in found
    assert [3, 5] in found
    line = shapely.LineString(found)
    assert max(line.distance(shapely.Point(point)) for point in points) <= 1.0
    assert len(found) < len(points)


def test_the_patch_may_begin_anywhere():
    points = [[10, 20], [10, 24], [12, 24]]
    arc = arc_of(points)
    patch = Patch(np.ones((3, 5), np.uint8), 10, 20)
    patch.vertices[1, 1:4] = 0
    found = simplified(arc, np.array([FREE]), patch, Shape(tolerance=5.0))
    assert found.points.tolist() == points  # 11 22 is free, but 10 21 to 10 23 are in the way
    patch.vertices[0, 1:4] = patch.vertices[1, 4] = 0
    found = simplified(arc, np.array([FREE]), patch, Shape(tolerance=5.0))
    assert found.points.tolist() == [[10, 20], [12, 24]]


@pytest.mark.parametrize(
    "shape", SHAPES, ids=lambda shape: f"{shape.method}-{shape.tolerance}-{shape.smoothing}"
)
def test_coverages_are_valid_and_areas_keep_to_the_limit(shape):
    for seed in range(5):
        codes = random_map(seed)
        found, pixels = coverage_of(codes, shape), pixels_of(codes)
        assert shapely.is_valid(found).all()
        assert shapely.coverage_is_valid(found), seed
        areas = shapely.area(found)
        assert (np.abs(areas - pixels) <= shape.area_limit * pixels + 1e-9).all()
        assert areas.sum() == pytest.approx(pixels.sum(), rel=1e-12)
        assert shapely.area(shapely.union_all(found)) == pytest.approx(pixels.sum(), rel=1e-12)


def test_simplification_leaves_fewer_points_and_smoothing_more():
    codes = random_map(4)
    counts = [
        shapely.get_num_coordinates(coverage_of(codes, shape)).sum()
        for shape in (
            Shape(tolerance=0.0),
            Shape(tolerance=1.5, area_limit=1.0),
            Shape(smoothing="chaikin", area_limit=FREE),
        )
    ]
    assert counts[1] < counts[0]
    assert counts[1] < counts[2]


def test_a_corner_that_is_cut_twice_becomes_four_points():
    points = [[8, 0], [0, 8], [9, 16]]
    found = kept(points, Shape(tolerance=0.1, smoothing="chaikin"))
    # At a quarter of each side: 2 6 and 2.25 10; of these again.
    assert found == [[8, 0], [3.5, 4.5], [2.0625, 7], [2.1875, 9], [3.9375, 11.5], [9, 16]]


def test_a_corner_with_another_arc_in_its_triangle_or_no_area_to_change_stays_sharp():
    points = [[8, 0], [0, 8], [9, 16]]
    shape = Shape(tolerance=0.1, smoothing="chaikin")
    assert kept(points, shape, others=[[5, 8]]) == points
    # Twice the area is 136, so a quarter of the triangle is 17.
    assert len(kept(points, shape, allowed=17.0)) == 6
    assert kept(points, shape, allowed=16.9) == points


PEAK = [[8, 0], [0, 8], [9, 16]]
CURVE = Shape(tolerance=0.1, smoothing="hermite")


def test_a_corner_becomes_hermites_cubic_between_the_middles_of_its_sides():
    # From 4 4 to 4.5 12, with tangents three times the way to the corner 0 8. At a quarter it is
    # 27/64 of the way from there to the first middle and 1/64 of that to the second; in the middle 1/8.
    assert kept(PEAK, CURVE) == [
        [8, 0], [4, 4], [1.7578125, 6.375], [1.0625, 8], [1.9609375, 9.625], [4.5, 12], [9, 16],
    ]  # fmt: skip


def test_two_curves_meet_in_the_middle_of_the_side_between_them():
    found = kept([[8, 0], [0, 8], [9, 16], [1, 19]], CURVE)
    assert found.count([4.5, 12]) == 1
    assert len(found) == 2 + 5 + 4


def test_a_curve_changes_the_area_that_is_counted_for_it():
    corner, curve = (shapely.Polygon(points) for points in (PEAK, kept(PEAK, CURVE)))
    changed = corner.area - curve.area
    assert changed == 68 * 17 / 512  # of a triangle of 68 pixels
    assert len(kept(PEAK, CURVE, allowed=changed)) == 7
    assert kept(PEAK, CURVE, allowed=changed - 1e-9) == PEAK
    assert kept(PEAK, CURVE, others=[[5, 8]]) == PEAK


def test_outlines_stay_corner_by_corner():
    codes = random_map(2)
    before, after = (
        shapely.union_all(coverage_of(codes, shape)) for shape in (Shape(tolerance=0.0), Shape())
    )
    assert before.symmetric_difference(after).area == 0


def test_holes_that_touch_in_a_corner_leave_no_gap():
    codes = np.array([[1] * 5, [1, 2, 1, 1, 1], [1, 1, 3, 1, 1], [1] * 5, [1] * 5], np.uint8)
    found = coverage_of(codes, Shape(tolerance=2.0, area_limit=1.0))
    assert shapely.coverage_is_valid(found)
    assert shapely.is_valid(found).all()
    assert shapely.area(shapely.union_all(found)) == 25
    assert vertices(np.pad(codes, 1))[2, 2] == 1
