"""Regularised maps: values by hand, steps against a plain program, blocks against the whole."""

from dataclasses import replace

import numpy as np
import pytest
from osgeo import gdal
from plain_sieve import plain_sieve, sieve_of_gdal
from tiny import LEFT, TOP, values_of, write_image

from iota2_tools.core.errors import SeamError
from iota2_tools.geo.grid import Grid, Window, grid_of
from iota2_tools.geo.raster import create_raster
from iota2_tools.maps.layers import CLASS_MAP
from iota2_tools.maps.mosaic import FinalMap, write_mosaic
from iota2_tools.reference.envelopes import write_regions
from iota2_tools.vectors import regularisation
from iota2_tools.vectors.regularisation import (
    Regularisation,
    Water,
    compare_seams,
    majority,
    regularise,
    write_block,
    write_seams,
)
from iota2_tools.vectors.sieve import Sieve

gdal.UseExceptions()

GROUPS = {1: 1, 2: 1, 3: 2, 4: 2, 5: 3}


def settings(unit=2, margin=16, cap=64, **others) -> Regularisation:
    return Regularisation(Sieve(unit, cap), margin, **others)


def noisy_map(rows, cols, seed=0, dtype=np.uint8) -> np.ndarray:
    """Fields of 13 pixels of 5 classes, a quarter of the pixels at random, a corner without class."""
    draws = np.random.default_rng(seed)
    fields = draws.integers(1, 6, (rows // 13 + 1, cols // 13 + 1))
    classes = np.kron(fields, np.ones((13, 13), dtype=int))[:rows, :cols]
    noise = draws.random((rows, cols)) < 0.25
    classes[noise] = draws.integers(1, 6, noise.sum())
    row, col = np.mgrid[:rows, :cols]
    return np.where(row + 2 * col < rows / 4, 0, classes).astype(dtype)


def in_blocks(source, side, rule, folder) -> dict[str, str]:
    """Blocks of a map, cut every `side` pixels, in files of their own."""
    folder.mkdir(exist_ok=True)
    target = grid_of(source).coarser(rule.factor)
    files = {}
    for window in target.windows(side, side):
        name = f"{window.row // side}_{window.col // side}"
        files[name] = str(folder / f"{name}.tif")
        write_block(source, window, rule, files[name])
    return files


def put_together(files, shape) -> np.ndarray:
    """Blocks at their places in the map, by their georeference; 0 elsewhere."""
    whole = np.zeros(shape, dtype=values_of(next(iter(files))).dtype)
    for path in files:
        grid, values = grid_of(path), values_of(path)
        row = round((TOP - grid.top) / grid.resolution)
        col = round((grid.left - LEFT) / grid.resolution)
        whole[row : row + grid.rows, col : col + grid.cols] = values
    return whole


def test_lone_pixels_go_to_their_group_before_all_classes_are_merged():
    """Class 2 between 1 of its group (4 pixels) and 3 of another (6 pixels)."""
    row = np.array([[1, 1, 1, 1, 2, 3, 3, 3, 3, 3, 3]], dtype=np.uint8)
    assert regularise(row, settings())[0, 4] == 3
    assert regularise(row, settings(groups=GROUPS)).tolist() == [[1] * 5 + [3] * 6]


def test_only_lone_pixels_are_merged_within_groups():
    """Two pixels of class 2 are no lone pixel: the unit alone takes them, to the larger field."""
    row = np.array([[1, 1, 1, 1, 2, 2, 3, 3, 3, 3, 3, 3]], dtype=np.uint8)
    assert regularise(row, settings(3, groups=GROUPS)).tolist() == [[1] * 4 + [3] * 8]


def test_what_touches_by_corners_alone_does_not_stay():
    """With 8-connectivity the diagonal has two pixels and stays, with 4 each is alone."""
    rows = np.array([[2, 1, 1], [1, 2, 1], [1, 1, 1]], dtype=np.uint8)
    assert (regularise(rows, settings()) == 1).all()


def test_it_is_both_connectivities_one_after_the_other_within_groups_and_over_all():
    for seed in range(3):
        classes = noisy_map(30, 40, seed)
        expected = classes
        for threshold, groups in ((2, GROUPS), (7, None)):
            for connectivity in (8, 4):
                expected = plain_sieve(expected, threshold, connectivity, 9, groups)
        assert np.array_equal(regularise(classes, settings(7, cap=9, groups=GROUPS)), expected)


def test_with_gdals_rule_it_is_gdals_answer():
    classes = noisy_map(90, 70)
    lone = np.zeros_like(classes)
    for number in (1, 2, 3):
        own = [code for code, group in GROUPS.items() if group == number]
        masked = np.where(np.isin(classes, own), classes, 0)
        lone += sieve_of_gdal(sieve_of_gdal(masked, 2, 8), 2, 4)
    expected = sieve_of_gdal(sieve_of_gdal(lone, 10, 8), 10, 4)
    found = regularise(classes, settings(10, cap=0, groups=GROUPS))
    assert np.array_equal(found, expected)


def test_the_map_given_is_left_as_it_is():
    classes = noisy_map(20, 20)
    before = classes.copy()
    regularise(classes, settings(5, groups=GROUPS))
    assert np.array_equal(classes, before)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_larger_pixels_take_the_most_frequent_class_and_of_equals_the_smaller_code(dtype):
    big = np.iinfo(dtype).max
    rows = [
        [1, 1, 7, 2, 5, 0],
        [1, 2, 2, 7, 0, 0],
        [3, 3, 0, 0, big, big],
        [0, 9, 0, 0, 1, big],
        [9, 4, 8, 8, 0, 6],
    ]
    found = majority(np.array(rows, dtype=dtype), 2)
    assert found.dtype == dtype
    assert found.tolist() == [[1, 2, 5], [3, 0, big], [4, 8, 6]]


def test_larger_pixels_come_after_the_unit(tmp_path):
    """The lone 2s would make the first large pixel one of class 2."""
    rows = np.array([[2, 1, 1, 1], [1, 2, 1, 1]], dtype=np.uint8)
    assert regularise(rows, settings(factor=2)).tolist() == [[1, 1]]
    rows = np.array([[2, 2, 1, 1, 1], [2, 1, 1, 1, 1]], dtype=np.uint8)
    assert regularise(rows, settings(3, factor=2)).tolist() == [[2, 1, 1]]


@pytest.mark.parametrize(
    ("side", "dtype"),
    [(160, np.uint8), (97, np.uint16), pytest.param(61, np.uint8, marks=pytest.mark.slow)],
)
def test_blocks_are_the_map_treated_as_one(side, dtype, tmp_path):
    classes = noisy_map(230, 250, dtype=dtype)
    source = write_image(tmp_path / "map.tif", classes)
    rule = settings(8, margin=64, groups=GROUPS)
    files = in_blocks(source, side, rule, tmp_path / "blocks")
    whole = regularise(classes, rule)
    for path in files.values():  # also the pixels that belong to their neighbours
        alone = put_together([path], whole.shape)
        assert np.array_equal(alone[alone > 0], whole[alone > 0])
    found = put_together(files.values(), whole.shape)
    assert found.dtype == dtype
    assert np.array_equal(found, whole)
    assert compare_seams(files, 64) > 0


@pytest.mark.slow
def test_all_steps_in_blocks_are_those_of_the_whole(tmp_path):
    classes = noisy_map(161, 203)
    source = write_image(tmp_path / "map.tif", classes)
    wet = np.zeros((161, 203), dtype=np.uint8)
    wet[40:44] = 1
    water = Water(write_image(tmp_path / "water.tif", wet), 5)
    rule = settings(
        6, margin=47, groups=GROUPS, factor=2, water=water, second=Sieve(4, 64), second_margin=48
    )
    whole = in_blocks(source, 1000, rule, tmp_path / "whole")["0_0"]
    expected = values_of(whole)
    assert expected.shape == (81, 102)
    for side in (50, 31, 17):
        files = in_blocks(source, side, rule, tmp_path / str(side))
        assert np.array_equal(put_together(files.values(), expected.shape), expected)
        compare_seams(files, 48)
    coarse = regularise(classes, rule)
    coarse[20:22][coarse[20:22] > 0] = 5
    for connectivity in (8, 4):
        coarse = plain_sieve(coarse, 4, connectivity, 64)
    assert np.array_equal(expected, coarse)


@pytest.mark.slow
@pytest.mark.parametrize(("size", "overlap"), [(130, 20), (150, 60), (120, 7)])
def test_four_overlapping_tiles_are_regularised_as_one_map(size, overlap, tmp_path):
    """Fields and chains lie over all borders of tiles, envelopes and blocks."""
    step = size - overlap
    classes = noisy_map(size + step, size + step, seed=size)
    grid = Grid("EPSG:32631", LEFT, TOP, 10, size, size)
    grids = {
        f"T{row}{col}": replace(grid, left=LEFT + 10 * step * col, top=TOP - 10 * step * row)
        for row in (0, 1)
        for col in (0, 1)
    }
    pieces = []
    for number, (tile, own) in enumerate(grids.items()):
        regions = str(tmp_path / f"{tile}.tif")
        write_regions(tile, grids, 10 * (overlap // 3), None, ["1"], regions)
        row, col = step * (number // 2), step * (number % 2)
        part = classes[row : row + size, col : col + size]
        pieces.append(str(tmp_path / f"{tile}_classes.tif"))
        with create_raster(pieces[-1], own, "uint8", nodata=0) as raster:
            raster.write(np.where(values_of(regions) > 0, part, 0).astype(np.uint8), own.window)
    source = str(tmp_path / "map.tif")
    write_mosaic(pieces, source, FinalMap(CLASS_MAP))
    assert np.array_equal(values_of(source), classes)
    rule = settings(10, margin=64, groups=GROUPS)
    expected = regularise(classes, rule)
    for side in (size, size // 2, 47):
        files = in_blocks(source, side, rule, tmp_path / f"blocks{side}")
        compare_seams(files, 64)
        mosaic = str(tmp_path / f"regularised{side}.tif")
        write_mosaic(list(files.values()), mosaic, FinalMap(CLASS_MAP, grid_of(source)))
        assert np.array_equal(values_of(mosaic), expected)


def stairs(folder) -> str:
    """Lone pixels that each lead to the next, and at the end three of class 1."""
    return write_image(folder / "map.tif", np.array([[9, 8, 7, 6, 5, 4, 3, 2, 1, 1, 1]], np.uint8))


def test_a_chain_within_the_margin_is_followed_to_its_end(tmp_path):
    files = in_blocks(stairs(tmp_path), 6, settings(margin=4), tmp_path / "blocks")
    assert put_together(files.values(), (1, 11)).tolist() == [[1] * 11]
    # Each has a pixel of the other: two are in both.
    assert compare_seams(files, 4) == 2
    write_seams(files, 4, str(tmp_path / "seams.json"))
    text = (tmp_path / "seams.json").read_text()
    assert text == '{"blocks": 2, "pixels_compared": 2, "different": 0}\n'


def test_a_chain_that_leaves_the_margin_is_an_error_with_its_place(tmp_path):
    """The first block ends at the pixel of class 4 and sees 3 and 2, not what they lead to."""
    files = in_blocks(stairs(tmp_path), 6, settings(margin=1), tmp_path / "blocks")
    with pytest.raises(SeamError) as told:
        write_seams(files, 1, str(tmp_path / "seams.json"))
    assert "0_0 and 0_1 in 2 of 2 pixels, the first at (300050, 4900020)" in str(told.value)
    assert "margin_pixels: 2}" in str(told.value)
    assert not (tmp_path / "seams.json").exists()


def test_blocks_that_meet_in_a_corner_are_compared(tmp_path):
    files = {}
    for name, row, col, value in (("0_0", 0, 0, 1), ("1_1", 3, 3, 2)):
        files[name] = write_image(
            tmp_path / f"{name}.tif", np.full((5, 5), value, np.uint8), left=LEFT + 10 * col, top=TOP - 10 * row
        )  # fmt: skip
    with pytest.raises(SeamError, match="in 4 of 4 pixels, the first at"):
        compare_seams(files, 9)


def test_a_block_has_its_place_and_one_pixel_more_where_the_map_goes_on(tmp_path):
    source = write_image(tmp_path / "map.tif", np.ones((8, 8), dtype=np.uint16))
    write_block(source, Window(4, 0, 2, 4), settings(), str(tmp_path / "block.tif"))
    grid = grid_of(str(tmp_path / "block.tif"))
    assert (grid.left, grid.top, grid.rows, grid.cols) == (LEFT, TOP - 30, 4, 5)
    block = gdal.Open(str(tmp_path / "block.tif"))
    band = block.GetRasterBand(1)
    assert (band.DataType, band.GetNoDataValue()) == (gdal.GDT_UInt16, 0)


def test_water_is_burnt_after_the_unit_where_the_map_has_a_class(tmp_path, monkeypatch):
    """A river one pixel wide stays, though it is smaller than the unit; nodata is no water."""
    monkeypatch.setattr(regularisation, "STRIP_ROWS", 1)
    classes = np.ones((4, 6), dtype=np.uint8)
    classes[:, 5] = 0
    wet = np.zeros((4, 6), dtype=np.int16)
    wet[1], wet[2, 0] = 7, -1
    source = write_image(tmp_path / "map.tif", classes)
    water = Water(write_image(tmp_path / "water.tif", wet, nodata=-1), 6)
    write_block(source, Window(0, 0, 4, 6), settings(10, water=water), str(tmp_path / "b.tif"))
    expected = classes.copy()
    expected[1, :5] = 6
    assert np.array_equal(values_of(tmp_path / "b.tif"), expected)


def test_water_may_lie_on_another_grid_and_cover_a_part(tmp_path):
    """Pixels of 20 m, the upper half of the map: the first of them is water."""
    source = write_image(tmp_path / "map.tif", np.ones((4, 4), dtype=np.uint8))
    path = write_image(tmp_path / "water.tif", np.array([[1, 0]], np.uint8), resolution=20)
    rule = settings(water=Water(path, 6))
    write_block(source, Window(0, 0, 4, 4), rule, str(tmp_path / "block.tif"))
    expected = np.ones((4, 4))
    expected[:2, :2] = 6
    assert np.array_equal(values_of(tmp_path / "block.tif"), expected)


def test_larger_pixels_are_water_if_half_of_them_is(tmp_path):
    """The last row and column of the larger pixels are cut: a quarter of 4 pixels, half of 2."""
    source = write_image(tmp_path / "map.tif", np.ones((5, 5), dtype=np.uint8))
    wet = np.zeros((5, 5), dtype=np.uint8)
    wet[0, 0] = wet[0, 2] = wet[1, 3] = wet[4, 0] = 1
    rule = settings(factor=2, water=Water(write_image(tmp_path / "water.tif", wet), 6))
    write_block(source, Window(0, 0, 3, 3), rule, str(tmp_path / "block.tif"))
    assert values_of(tmp_path / "block.tif").tolist() == [[1, 6, 1], [1, 1, 1], [6, 1, 1]]


def test_the_second_unit_counts_larger_pixels_and_comes_after_the_water(tmp_path):
    """Water of one larger pixel goes, of two stays."""
    source = write_image(tmp_path / "map.tif", np.ones((8, 8), dtype=np.uint8))
    wet = np.zeros((8, 8), dtype=np.uint8)
    wet[:2, :2] = wet[4:6, 4:] = 1
    rule = settings(
        factor=2, water=Water(write_image(tmp_path / "water.tif", wet), 6), second=Sieve(2, 64), second_margin=3
    )  # fmt: skip
    write_block(source, Window(0, 0, 4, 4), rule, str(tmp_path / "block.tif"))
    expected = np.ones((4, 4))
    expected[2, 2:] = 6
    assert np.array_equal(values_of(tmp_path / "block.tif"), expected)


def test_settings_come_from_plain_values():
    plain = {
        "unit": {"threshold": 10, "cap": 64}, "margin": 128, "groups": {"1": 1, "12": 2}, "factor": 2,
        "water": {"path": "w.tif", "code": 12}, "second": {"threshold": 5, "cap": 64}, "second_margin": 9,
    }  # fmt: skip
    assert Regularisation.of(plain) == Regularisation(
        Sieve(10, 64), 128, {1: 1, 12: 2}, 2, Water("w.tif", 12), Sieve(5, 64), 9
    )
    bare = Regularisation.of(plain | {"water": None, "second": None})
    assert (bare.water, bare.second) == (None, None)
