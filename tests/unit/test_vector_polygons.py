"""Polygons from arcs: by hand."""

import numpy as np
import shapely
from vector_maps import coverage_of, random_map


def ring(shape):
    return [tuple(map(int, point)) for point in shape.exterior.coords]


def test_a_hole_is_cut_out_of_its_shell():
    shell, hole = coverage_of(np.array([[1, 1, 1], [1, 2, 1], [1, 1, 1]], np.uint8))
    assert (shell.area, hole.area) == (8, 1)
    assert shapely.Polygon(shell.exterior).area == 9
    assert len(shell.interiors) == 1


def test_where_a_component_touches_itself_a_hole_touches_the_shell():
    shapes = coverage_of(np.array([[1, 1, 1], [1, 2, 1], [1, 1, 2]], np.uint8))
    assert [shape.area for shape in shapes] == [7, 1, 1]
    assert shapes[0].is_valid
    assert len(shapes[0].interiors) == 1
    # The shell goes round the corner pixel, its hole round the centre: they share one point.
    assert set(ring(shapes[0])) >= {(2, 0), (2, 1), (3, 1)}
    assert set(shapes[0].interiors[0].coords) == {(1, 1), (2, 1), (2, 2), (1, 2)}


def test_two_holes_that_touch_stay_two():
    shapes = coverage_of(
        np.array([[1, 1, 1, 1], [1, 2, 1, 1], [1, 1, 2, 1], [1, 1, 1, 1]], np.uint8)
    )
    assert len(shapes[0].interiors) == 2
    assert shapely.is_valid(shapes).all()


def test_shells_go_anticlockwise_from_their_first_node_and_are_closed():
    left, right = coverage_of(np.array([[1, 2]], np.uint8))
    assert ring(left) == [(1, 1), (0, 1), (0, 0), (1, 0), (1, 1)]
    assert ring(right) == [(1, 1), (1, 0), (2, 0), (2, 1), (1, 1)]


def test_areas_are_those_of_the_pixels_exactly():
    for seed in range(8):
        codes = random_map(seed)
        shapes = coverage_of(codes)
        assert shapely.is_valid(shapes).all()
        assert shapely.is_ccw(shapely.get_exterior_ring(shapes)).all()
        assert shapely.area(shapes).sum() == (codes > 0).sum()


def test_a_map_without_classes_has_no_polygon():
    assert len(coverage_of(np.zeros((3, 3), np.uint8))) == 0
