"""Components and arcs of class maps: by hand, by SciPy and GDAL, and the same from any squares."""

import numpy as np
import pytest
import shapely
from scipy import ndimage
from vector_maps import CHECKERED, coverage_of, random_map, unify

from iota2_tools.vectors.arcs import Arcs, canonical, glued, together, traced, vertices
from iota2_tools.vectors.components import OUTSIDE, label, united


def whole(codes):
    """Components and arcs of a map treated as one."""
    padded = np.pad(codes, 1)
    parts = label(padded)
    return parts, canonical(traced(padded, parts.ids, (0, 0), (True, True)))


def sequences(arcs):
    return [arcs.points[a:b].tolist() for a, b in zip(arcs.offsets, arcs.offsets[1:], strict=False)]


def test_components_are_four_connected_in_the_order_of_their_first_pixels():
    codes = np.array([[0, 1, 2], [1, 2, 2], [1, 1, 2]], np.uint8)
    parts = label(np.pad(codes, 1))
    assert parts.ids.tolist() == [[OUTSIDE, 0, 1], [2, 1, 1], [2, 2, 1]]
    assert parts.first.tolist() == [1, 2, 3]
    assert parts.pixels.tolist() == [1, 4, 3]
    assert parts.codes.tolist() == [1, 2, 1]


def test_the_perimeter_counts_sides_of_pixels_with_those_of_holes():
    parts = label(np.pad(np.array([[1, 1, 1], [1, 2, 1], [1, 1, 1]], np.uint8), 1))
    assert parts.perimeter.tolist() == [12 + 4, 4]


def test_a_component_that_closes_late_has_one_number():
    codes = np.array([[1, 2, 1, 2, 1], [1, 1, 1, 2, 1], [2, 2, 1, 1, 1]], np.uint8)
    parts = label(np.pad(codes, 1))
    assert parts.pixels.tolist() == [10, 1, 2, 2]


@pytest.mark.parametrize("seed", range(6))
def test_components_are_those_of_scipy(seed):
    codes = random_map(seed)
    parts = label(np.pad(codes, 1))
    for code in np.unique(codes[codes > 0]):
        labels, count = ndimage.label(codes == code)
        assert (parts.codes == code).sum() == count
        pairs = np.unique(np.stack([labels[codes == code], parts.ids[codes == code]]), axis=1)
        assert pairs.shape[1] == count


def test_groups_are_named_after_their_smallest_item():
    assert united(6, np.array([[4, 2], [5, 4], [0, 3]])).tolist() == [0, 1, 2, 0, 2, 2]


def test_a_lone_pixel_is_a_ring_that_begins_at_its_first_corner():
    _, arcs = whole(np.array([[1]], np.uint8))
    assert sequences(arcs) == [[[0, 0], [0, 1], [1, 1], [1, 0], [0, 0]]]
    assert (arcs.left.tolist(), arcs.right.tolist()) == ([OUTSIDE], [0])
    assert arcs.ends.tolist() == [[0, 0]]


def test_two_neighbours_share_one_arc_and_straight_corners_are_left_out():
    _, arcs = whole(np.array([[1, 2], [1, 2]], np.uint8))
    assert sequences(arcs) == [
        [[0, 1], [0, 0], [2, 0], [2, 1]],
        [[0, 1], [0, 2], [2, 2], [2, 1]],
        [[0, 1], [2, 1]],
    ]
    # To the south the left hand is in the east.
    assert (arcs.left.tolist(), arcs.right.tolist()) == ([0, -1, 1], [-1, 1, 0])


@pytest.mark.parametrize("seed", range(6))
def test_areas_and_lengths_of_arcs_are_those_of_the_pixels(seed):
    parts, arcs = whole(random_map(seed))
    area, length = np.zeros(len(parts.pixels)), np.zeros(len(parts.pixels), int)
    for number, points in enumerate(sequences(arcs)):
        y, x = np.array(points, float).T
        enclosed = np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]) / 2  # rows go down
        for side, sign in ((arcs.left[number], -1), (arcs.right[number], 1)):
            if side >= 0:
                area[side] += sign * enclosed
                length[side] += arcs.lengths[number]
    assert area.tolist() == parts.pixels.tolist()
    assert length.tolist() == parts.perimeter.tolist()


def test_vertices_are_the_corners_at_which_arcs_turn_or_end():
    codes = random_map(3)
    _, arcs = whole(codes)
    expected = np.zeros(np.add(codes.shape, 1), int)
    expected[tuple(arcs.points.T)] = 1
    assert np.array_equal(vertices(np.pad(codes, 1)), expected)


@pytest.mark.parametrize("side", [1, 2, 3, 5, 8])
def test_arcs_glued_from_squares_are_those_of_the_whole_corner_by_corner(side):
    for seed in range(4):
        codes = random_map(seed)
        parts, expected = whole(codes)
        pieces = together(list(of_squares(codes, parts.ids, side)))
        joined = glued(pieces.chosen(pieces.cut))
        found = canonical(together([pieces.chosen(~pieces.cut), joined]))
        for name in ("points", "offsets", "left", "right", "ends"):
            assert np.array_equal(getattr(found, name), getattr(expected, name)), name


def of_squares(codes, ids, side):
    """Arcs and pieces of each square, with the components of the whole beside them."""
    padded = np.pad(codes, 1)
    numbers = np.pad(ids, 1, constant_values=OUTSIDE)
    rows, cols = codes.shape
    for row in range(0, rows, side):
        for col in range(0, cols, side):
            height, width = min(side, rows - row), min(side, cols - col)
            part = padded[row : row + height + 2, col : col + width + 2]
            own = label(part)
            last = (row + height == rows, col + width == cols)
            arcs = traced(part, own.ids, (row, col), last)
            above = numbers[row, col + 1 : col + width + 1]
            before = numbers[row + 1 : row + height + 1, col]
            inside = numbers[row + 1 : row + height + 1, col + 1 : col + width + 1].ravel()
            # -1 nothing, then the row above, then the column to the left, then what is inside.
            known = np.concatenate([inside[own.first], before[::-1], above[::-1], [-1]])
            left, right = known[arcs.left], known[arcs.right]
            yield Arcs(arcs.points, arcs.offsets, left, right, arcs.ends)


def test_a_ring_over_four_squares_has_no_corner_where_they_meet():
    codes = np.zeros((4, 4), np.uint8)
    codes[1:3, 1:3] = 1
    parts = label(np.pad(codes, 1))
    pieces = together(list(of_squares(codes, parts.ids, 2)))
    assert pieces.cut.sum() == 4
    found = canonical(glued(pieces.chosen(pieces.cut)))
    assert sequences(found) == [[[1, 1], [1, 3], [3, 3], [3, 1], [1, 1]]]


def test_polygons_before_simplification_are_those_of_gdal():
    codes = random_map(1)
    ours = coverage_of(codes)
    theirs = unify(codes)
    assert len(ours) == len(theirs)
    # Ours have the nodes of their neighbours on straight lines too, so equal means: the same area.
    pairs = shapely.STRtree(theirs).query(ours, predicate="covers")
    assert pairs[0].tolist() == list(range(len(ours)))
    assert sorted(pairs[1]) == list(range(len(theirs)))
    assert shapely.equals(ours, np.array(theirs)[pairs[1]]).all()


def test_a_checkered_map_has_polygons_of_one_pixel():
    assert [shape.area for shape in coverage_of(CHECKERED)] == [1.0] * CHECKERED.size
