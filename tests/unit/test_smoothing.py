"""Probabilities smoothed by a Markov field: hand values, and the same map whatever tiles and windows are."""

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from tiny import LEFT, values_of, write_image

from iota2_tools.classifying import smoothing as smoothing_module
from iota2_tools.classifying.markov import Field, smooth
from iota2_tools.classifying.smoothing import DrawFiles, smooth_tile
from iota2_tools.classifying.tile import NO_PROBABILITY
from iota2_tools.config.sections import Smoothing
from iota2_tools.geo.grid import grid_of


def with_margin(values, margin):
    """Per mille, shape (classes, rows, cols), with nothing mapped around."""
    sides = ((0, 0), (margin, margin), (margin, margin))
    return np.pad(np.asarray(values, np.uint16), sides, constant_values=NO_PROBABILITY)


def two_classes(first):
    """Per mille of two classes, from that of the first one."""
    first = np.asarray(first)
    return np.where(first < 0, NO_PROBABILITY, [first, 1000 - first])


AROUND = [[900, 900, 900], [900, 400, 900], [900, 900, 900]]


def test_a_pixel_among_eight_of_another_class_takes_theirs():
    place, belief = smooth(with_margin(two_classes(AROUND), 1), Field(0.3, 1))
    odds = math.log(0.41 / 0.61) + 0.3 * 8 * (0.9 - 0.1)
    assert place[1, 1] == 0
    assert belief[1, 1] == pytest.approx(1 / (1 + math.exp(-odds)), abs=1e-5)
    assert belief[1, 1] == pytest.approx(0.8209, abs=1e-4)


def test_the_corner_of_a_map_counts_three_neighbours():
    place, belief = smooth(with_margin(two_classes(AROUND), 1), Field(0.3, 1))
    odds = math.log(0.91 / 0.11) + 0.3 * (2 * (0.9 - 0.1) + (0.4 - 0.6))
    assert place[0, 0] == 0
    assert belief[0, 0] == pytest.approx(1 / (1 + math.exp(-odds)), abs=1e-5)


def test_pixels_that_are_not_mapped_say_nothing_and_get_nothing():
    lonely = two_classes([[-1, -1, -1], [-1, 400, -1], [-1, -1, -1]])
    place, belief = smooth(with_margin(lonely, 3), Field(2.0, 3))
    assert place.tolist() == [[-1, -1, -1], [-1, 1, -1], [-1, -1, -1]]
    assert belief[1, 1] == pytest.approx(0.61 / 1.02, abs=1e-5)
    assert belief.sum() == belief[1, 1]


def test_of_equally_probable_classes_the_first_is_taken():
    place, belief = smooth(with_margin(np.full((4, 3, 3), 250), 2), Field(0.3, 2))
    assert (place == 0).all()
    assert belief == pytest.approx(0.25)


def mean_field(values, beta, iterations):
    """The same in plain numpy, with beliefs that are not rounded."""
    seen = values[0] != NO_PROBABILITY
    given = np.where(seen, values / 1000, 0)
    belief = given
    for _ in range(iterations):
        wide = np.pad(belief, ((0, 0), (1, 1), (1, 1)))
        rows, cols = seen.shape
        around = sum(
            wide[:, i : i + rows, j : j + cols]
            for i in range(3)
            for j in range(3)
            if (i, j) != (1, 1)
        )
        weight = (given + 0.01) * np.exp(beta * around) * seen
        belief = weight / np.where(seen, weight.sum(axis=0), 1)
    return belief


@pytest.fixture(scope="module")
def whole():
    """Per mille of five classes over 23 x 31 pixels, some of them not mapped."""
    rng = np.random.default_rng(2)
    shares = rng.gamma(0.3, size=(5, 23, 31))
    values = np.rint(1000 * shares / shares.sum(axis=0)).astype(np.uint16)
    values[:, rng.random((23, 31)) < 0.1] = NO_PROBABILITY
    return values


@pytest.mark.parametrize(("beta", "iterations"), [(0.3, 5), (1.0, 2), (0.05, 1)])
def test_beliefs_are_those_of_the_mean_field(whole, beta, iterations):
    place, belief = smooth(with_margin(whole, iterations), Field(beta, iterations))
    expected = mean_field(whole, beta, iterations)
    np.testing.assert_allclose(belief, expected.max(axis=0), atol=2e-3)
    first, second = np.sort(expected, axis=0)[:-3:-1]
    clear = first - second > 0.005
    assert clear.sum() > 600
    assert (place == expected.argmax(axis=0))[clear].all()
    assert (place != whole.argmax(axis=0))[clear].sum() > 5


CODES = (3, 7, 8, 20, 300)


@pytest.fixture(scope="module")
def tiles(whole, tmp_path_factory):
    """The whole on two overlapping tiles with two regions, as `classify_tile` writes it, and its smoothed map."""
    folder = tmp_path_factory.mktemp("tiles")
    owner = np.where(np.add.outer(np.arange(23), np.arange(31)) < 27, "west", "east")
    owner[:, :10], owner[:, 18:] = "west", "east"
    regions = np.where(np.arange(23)[:, None] < 11 + np.arange(31) % 4, 1, 2)
    columns = {"west": slice(0, 18), "east": slice(10, 31)}
    pieces = {}
    for tile, part in columns.items():
        for region in (1, 2):
            mine = (owner == tile) & (regions == region)
            values = np.where(mine, whole, NO_PROBABILITY).astype(np.uint16)[:, :, part]
            pieces[tile, region] = write_image(
                folder / f"{tile}_{region}.tif",
                values,
                left=LEFT + 10 * part.start,
                nodata=NO_PROBABILITY,
            )
    place, belief = smooth(with_margin(whole, 5), Field(0.3, 5))
    codes = np.where(place >= 0, np.array(CODES)[place], 0)
    percent = np.floor(belief.astype(float) * 100 + 1e-5).astype(int)
    return SimpleNamespace(
        folder=folder, pieces=pieces, owner=owner, columns=columns, codes=codes, percent=percent
    )


def smoothed(tiles, folder, tile, threads=1):
    """Smooth a tile of the two; what was written."""
    other = "east" if tile == "west" else "west"
    folder.mkdir(parents=True, exist_ok=True)
    files = DrawFiles(
        own=[tiles.pieces[tile, region] for region in (1, 2)],
        around=[tiles.pieces[other, region] for region in (1, 2)],
        classes=str(folder / f"{tile}_classes.tif"),
        confidence=str(folder / f"{tile}_confidence.tif"),
    )
    smooth_tile([files], CODES, "uint16", Field(0.3, 5), threads)
    return files


def check_tile(tiles, files, tile):
    """Its own pixels are those of the map that is smoothed whole; all others are 0."""
    part = tiles.columns[tile]
    own = tiles.owner[:, part] == tile
    assert np.array_equal(values_of(files.classes), np.where(own, tiles.codes[:, part], 0))
    assert np.array_equal(values_of(files.confidence), np.where(own, tiles.percent[:, part], 0))


@pytest.mark.parametrize("tile", ["west", "east"])
def test_the_border_of_tiles_and_regions_is_nowhere_to_be_seen(tiles, tmp_path, tile):
    files = smoothed(tiles, tmp_path, tile)
    check_tile(tiles, files, tile)
    assert grid_of(files.classes) == grid_of(tiles.pieces[tile, 1])


@pytest.mark.parametrize("shape", [(4, 5), (1, 30), (23, 2)])
@pytest.mark.parametrize("block", [3, 256])
def test_windows_and_blocks_change_no_pixel(tiles, tmp_path, monkeypatch, shape, block):
    monkeypatch.setattr(smoothing_module, "_windows", lambda grid, _: grid.windows(*shape))
    monkeypatch.setattr(smoothing_module, "BLOCK", block)
    check_tile(tiles, smoothed(tiles, tmp_path, "west", threads=2), "west")


def test_threads_change_no_byte(tiles, tmp_path, monkeypatch):
    monkeypatch.setattr(smoothing_module, "BLOCK", 4)
    one, two = (smoothed(tiles, tmp_path / str(n), "east", n) for n in (1, 2))
    for written in ("classes", "confidence"):
        first, second = (Path(getattr(files, written)).read_bytes() for files in (one, two))
        assert first == second


def test_windows_cover_a_tile_once_column_by_column():
    grid = SimpleNamespace(rows=600, cols=1500)
    windows = list(smoothing_module._windows(grid, 40))
    seen = np.zeros((600, 1500), int)
    for window in windows:
        seen[window.slices] += 1
    assert (seen == 1).all()
    assert [window.col for window in windows] == sorted(window.col for window in windows)
    # Three rows of blocks of the widest column, two blocks of margin and 40 classes of 2 bytes: within 128 MB.
    widest = max(window.cols for window in windows)
    assert 3 * 256 * (widest + 512) * 40 * 2 <= 128e6 < 3 * 256 * (widest + 768) * 40 * 2


def test_a_probability_that_is_0_everywhere_stays_possible():
    """Of the hundredth that each class gets: four neighbours of P = 0 do not bar it."""
    place, belief = smooth(with_margin(two_classes([[1000]]), 1), Field(0.3, 1))
    assert place[0, 0] == 0
    assert belief[0, 0] == pytest.approx(1.01 / 1.02, abs=1e-5)


def test_maps_are_smoothed_where_that_is_asked_for_alone():
    assert not Smoothing().used
    assert Smoothing(method="markov").used
