"""Samples: how many pixels of each class are learnt, which ones, and OTB's numbers beside ours."""

import os
import xml.etree.ElementTree as ElementTree
from collections import Counter
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from iota2_tools.core.draws import generator
from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.grid import Grid
from iota2_tools.geo.raster import create_raster, read_raster
from iota2_tools.geo.vectors import write_layer
from iota2_tools.reference import pixels as pixels_module
from iota2_tools.reference import selection as selection_module
from iota2_tools.reference.pixels import ReferencePixels, burn_polygons
from iota2_tools.reference.rates import read_rates, samples_of_tiles, write_rates
from iota2_tools.reference.samplers import PeriodicSampler, RandomSampler
from iota2_tools.reference.selection import Choice, write_selection
from iota2_tools.reference.sets import read_polygon_table
from iota2_tools.reference.statistics import (
    learning_pixels,
    limited,
    read_statistics,
    write_statistics,
)

# Two tiles. A has 100 pixels of class 1 and 30 of class 2, B has 50 of class 1.
PIXELS = {"A": {1: 100, 2: 30}, "B": {1: 50}}


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        ({"strategy": "all"}, {"A": {1: 100, 2: 30}, "B": {1: 50}}),
        # 10·100/150 = 6.67 and 10·50/150 = 3.33, both rounded down.
        ({"strategy": "constant", "constant": 10}, {"A": {1: 6, 2: 10}, "B": {1: 3}}),
        # More than there are: all.
        ({"strategy": "constant", "constant": 600}, {"A": {1: 100, 2: 30}, "B": {1: 50}}),
        # The smallest class has 30: 20 and 10 of class 1.
        ({"strategy": "smallest"}, {"A": {1: 20, 2: 30}, "B": {1: 10}}),
        # 7·100/150 = 4.67, 7·50/150 = 2.33; class 2 is not asked for.
        ({"strategy": "byclass", "byclass": {"1": 7}}, {"A": {1: 4, 2: 0}, "B": {1: 2}}),
        # 19 in all: A 19·130/180 = 13.7, 14; B 5.3, 5. In A 14·100/130 = 10.8, 11 and 3.2, 3.
        ({"strategy": "total", "total": 19}, {"A": {1: 11, 2: 3}, "B": {1: 5}}),
        # 8 in all: A 5.8, 6; B 2.2, 2. In A 6·100/130 = 4.6 and 1.4, where 8·100/180 is 4.4.
        ({"strategy": "total", "total": 8}, {"A": {1: 5, 2: 1}, "B": {1: 2}}),
        # 12.5, 3.75 and 6.25; halves go up.
        ({"strategy": "percent", "percent": 0.125}, {"A": {1: 13, 2: 4}, "B": {1: 6}}),
    ],
)
def test_strategy_shares_the_samples_among_the_tiles(sampling, expected):
    assert samples_of_tiles(sampling, PIXELS) == expected


def test_a_total_is_kept_but_for_the_rounding_of_classes_and_tiles():
    numbers = [3, 50, 120, 7, 1, 400, 90, 33, 260, 12, 75]
    pixels = {
        "A": dict(enumerate(numbers, start=1)),
        "B": dict(enumerate(reversed(numbers), start=1)),
    }
    shared = samples_of_tiles({"strategy": "total", "total": 600}, pixels)
    # Half a sample for each of 22 numbers of a class, and for each tile.
    assert abs(sum(sum(tile.values()) for tile in shared.values()) - 600) <= 12


def test_a_share_is_of_single_precision_as_otb_keeps_it():
    # 0.7 is 0.699999988 there: 17.4999997 of 25.
    sampling = {"strategy": "percent", "percent": 0.7}
    assert samples_of_tiles(sampling, {"A": {1: 25}}) == {"A": {1: 17}}


@pytest.mark.parametrize("strategy", ["all", "constant", "smallest", "byclass", "total", "percent"])
def test_a_tile_without_pixels_gives_no_samples(strategy):
    sampling = {"strategy": strategy, "constant": 5, "byclass": {}, "total": 5, "percent": 0.5}
    assert samples_of_tiles(sampling, {"A": {}, "B": {}}) == {"A": {}, "B": {}}


def test_periodic_sampler_takes_every_third_pixel_from_the_first():
    assert np.flatnonzero(PeriodicSampler(3, 9).take(9)).tolist() == [0, 3, 6]


def test_periodic_sampler_takes_two_of_five():
    # The (k+1)-th is taken as soon as i·2/5 exceeds k: i = 1 and i = 3, counted from 1.
    assert np.flatnonzero(PeriodicSampler(2, 5).take(5)).tolist() == [0, 2]


def samplers(samples, pixels):
    random = generator(0, "selection", samples, pixels)
    return PeriodicSampler(samples, pixels), RandomSampler(samples, pixels, random)


@pytest.mark.parametrize(("samples", "pixels"), [(0, 10), (1, 1), (3, 10), (10, 10), (4999, 12345)])
def test_samplers_take_the_number_asked_for_whatever_the_batches(samples, pixels):
    for whole, parts in zip(samplers(samples, pixels), samplers(samples, pixels), strict=True):
        taken = whole.take(pixels)
        assert taken.sum() == samples
        sizes = [min(7, pixels - start) for start in range(0, pixels, 7)]
        assert np.concatenate([parts.take(size) for size in sizes]).tolist() == taken.tolist()


def test_beyond_the_pixels_announced_none_is_taken():
    for one in samplers(3, 10)[1:]:
        assert one.take(10).sum() == 3
        assert not one.take(5).any()


def test_random_sampler_takes_every_pixel_equally_often_also_across_blocks(monkeypatch):
    monkeypatch.setattr(RandomSampler, "BLOCK", 3)
    draws = 4000
    taken = sum(
        RandomSampler(3, 8, generator(0, draw)).take(8).astype(int) for draw in range(draws)
    )
    assert taken.sum() == 3 * draws
    # Binomial of probability 3/8: a deviation of five standard errors does not happen.
    assert np.abs(taken - draws * 3 / 8).max() < 5 * np.sqrt(draws * 15 / 64)


# A tile of 8 x 8 pixels of 10 m. Rows 0-1: polygon 1 (class 11) and 2 (class 11), four columns
# each. Rows 2-3: polygon 3 (class 51), all columns. Row 7: polygon 4 (class 51).
GRID = Grid("EPSG:32631", 0, 80, 10, 8, 8)
SHAPES = [
    shapely.box(0, 60, 40, 80),
    shapely.box(40, 60, 80, 80),
    shapely.box(0, 40, 80, 60),
    shapely.box(0, 0, 80, 10),
]
CODES = [11, 11, 51, 51]
SETS = {
    0: ["learn", "validation", "learn", "validation"],
    1: ["learn", "learn", "learn+validation", "unused"],
}
SEEDS = [0, 1]


class Tile:
    """The files of a tile, and what is computed from them."""

    def __init__(self, folder: Path, shapes=SHAPES, codes=CODES, sets=SETS) -> None:
        self.folder = folder
        self.numbers = {"north": 1, "NA": 2}  # a name that readers of tables take for a hole
        self.threshold = 3
        columns = {"polygon": range(1, len(shapes) + 1), "code": codes}
        columns |= {f"seed_{seed}": values for seed, values in sets.items()}
        self.polygons = gpd.GeoDataFrame(columns, geometry=shapes, crs=GRID.crs)
        write_layer(self.polygons, self.path("splits.gpkg"))
        # The last two columns are outside the envelope; the region changes within polygon 3.
        regions = np.full((8, 8), 1)
        regions[3:] = 2
        regions[:, 6:] = 0
        self.write("regions.tif", regions)
        # Clear dates: 3 everywhere, but 2 in the first column and 4 in the second.
        validity = np.full((8, 8), 3)
        validity[:, 0], validity[:, 1] = 2, 4
        self.write("validity.tif", validity)
        self.write("footprint.tif", np.ones((8, 8)))
        burn_polygons(self.path("splits.gpkg"), self.path("regions.tif"), self.path("polygons.tif"))

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def write(self, name: str, values: np.ndarray) -> None:
        with create_raster(self.path(name), GRID, "uint16") as raster:
            raster.write(values.astype(np.uint16), GRID.window)

    @property
    def pixels(self) -> ReferencePixels:
        names = ("polygons.tif", "regions.tif", "validity.tif", "footprint.tif")
        return ReferencePixels(*map(self.path, names), self.numbers, self.threshold)

    def statistics(self) -> str:
        output = self.path("statistics.csv")
        write_statistics(self.pixels, self.path("splits.gpkg"), SEEDS, output)
        return output

    def selection(
        self, output="selection.parquet", tile="T31TCJ", rates=None, **sampling
    ) -> pd.DataFrame:
        sampling = {"strategy": "all", "sampler": "random", "random_seed": 0} | sampling
        write_selection(
            Choice(tile, SEEDS, sampling),
            self.pixels,
            self.path("splits.gpkg"),
            self.statistics(),
            rates or {},
            self.path(output),
        )
        return pd.read_parquet(self.path(output))


@pytest.fixture(params=[1, 3, 256], ids=lambda rows: f"windows of {rows} rows")
def tile(tmp_path, request, monkeypatch) -> Tile:
    for name in ("BLOCK_ROWS", "WINDOW_ROWS"):
        monkeypatch.setattr(pixels_module, name, request.param)
    return Tile(tmp_path)


def test_burnt_polygons_end_at_the_envelope(tile):
    burnt = read_raster(tile.path("polygons.tif"))
    assert burnt.tolist() == [
        [1, 1, 1, 1, 2, 2, 0, 0],
        [1, 1, 1, 1, 2, 2, 0, 0],
        [3, 3, 3, 3, 3, 3, 0, 0],
        [3, 3, 3, 3, 3, 3, 0, 0],
        [0] * 8,
        [0] * 8,
        [0] * 8,
        [4, 4, 4, 4, 4, 4, 0, 0],
    ]


def test_pixels_of_each_polygon_and_region_are_counted_and_those_clear_at_the_threshold(tile):
    # Of each row of six pixels the first has two clear dates, and three are asked for.
    assert Path(tile.statistics()).read_text(encoding="utf-8").splitlines() == [
        "region,polygon,code,pixels,clear,seed_0,seed_1",
        "north,1,11,8,6,1,1",
        "north,2,11,4,4,0,1",
        "north,3,51,6,5,1,1",
        "NA,3,51,6,5,1,1",
        "NA,4,51,6,5,0,0",
    ]


def test_a_region_named_na_is_not_lost(tile):
    table = read_statistics(tile.statistics())
    assert learning_pixels(table, "NA", 0) == {51: 5}
    assert learning_pixels(table, "north", 0) == {11: 6, 51: 5}
    assert learning_pixels(table, "north", 1) == {11: 10, 51: 5}


def test_polygons_without_a_clear_pixel_are_told(tile, caplog):
    tile.threshold = 5
    table = read_statistics(tile.statistics())
    assert table["clear"].sum() == 0
    assert "class 51: 2 of 2 polygons have no pixel with 5 clear dates" in caplog.text


def test_all_clear_pixels_of_the_learning_polygons_are_chosen_in_order_of_rows(tile):
    chosen = tile.selection()
    burnt = read_raster(tile.path("polygons.tif"))
    expected = [
        (row, col, burnt[row, col], 11 if row < 2 else 51, "north" if row < 3 else "NA", col < 4 or row > 1, True)
        for row in range(4)
        for col in range(1, 6)
    ]  # fmt: skip
    assert list(chosen.itertuples(index=False, name=None)) == expected
    assert list(chosen) == ["row", "col", "polygon", "code", "region", "seed_0", "seed_1"]


def test_a_pixel_that_was_never_seen_is_not_learnt_whatever_the_threshold(tile):
    """User features alone have no dates, so that every pixel is clear often enough."""
    tile.threshold = 0
    before = len(tile.selection())
    seen = np.ones((8, 8))
    seen[0, 1] = 0
    tile.write("footprint.tif", seen)
    chosen = tile.selection()
    assert len(chosen) == before - 1
    assert not ((chosen["row"] == 0) & (chosen["col"] == 1)).any()


@pytest.mark.parametrize("sampler", ["random", "periodic"])
def test_as_many_pixels_are_chosen_as_the_share_tells_and_only_learning_ones(tile, sampler):
    chosen = tile.selection(strategy="percent", percent=0.5, sampler=sampler)
    for seed, numbers in ((0, {11: 3, 51: 6}), (1, {11: 5, 51: 6})):  # 2.5 a region goes up
        own = chosen[chosen[f"seed_{seed}"]]
        assert own["code"].value_counts().to_dict() == numbers
        sets = dict(zip(range(1, 5), SETS[seed], strict=True))
        assert all("learn" in sets[polygon] for polygon in own["polygon"])
        assert own["col"].between(1, 5).all()
    assert chosen[["seed_0", "seed_1"]].any(axis=1).all()


def test_the_shared_samples_of_a_region_are_taken(tile):
    rates = tile.path("rates.csv")
    sampling = {"strategy": "byclass", "byclass": {"11": 4, "51": 2}}
    # Another tile with the same pixels: this one gives half.
    write_rates(
        "north", dict.fromkeys(["T31TCJ", "NULL"], tile.statistics()), SEEDS, sampling, rates
    )
    assert Path(rates).read_text(encoding="utf-8").splitlines() == [
        "seed,tile,code,pixels,samples",
        "0,T31TCJ,11,6,2", "0,T31TCJ,51,5,1", "0,NULL,11,6,2", "0,NULL,51,5,1",
        "1,T31TCJ,11,10,2", "1,T31TCJ,51,5,1", "1,NULL,11,10,2", "1,NULL,51,5,1",
    ]  # fmt: skip
    assert read_rates(rates, "NULL", 1) == {11: 2, 51: 1}
    chosen = tile.selection(rates={"north": rates}, **sampling)
    own = chosen[chosen["region"] == "north"]
    for seed in SEEDS:
        assert own.loc[own[f"seed_{seed}"], "code"].value_counts().to_dict() == {11: 2, 51: 1}


@pytest.mark.parametrize("sampler", ["random", "periodic"])
def test_selection_does_not_depend_on_the_windows(tmp_path, monkeypatch, sampler):
    tile = Tile(tmp_path)
    monkeypatch.setattr(selection_module, "ROWS_TOGETHER", 2)
    for rows in (256, 1, 2, 3, 5):
        monkeypatch.setattr(pixels_module, "WINDOW_ROWS", rows)
        tile.selection(f"{rows}.parquet", strategy="percent", percent=0.4, sampler=sampler)
    files = [Path(tile.path(f"{rows}.parquet")).read_bytes() for rows in (256, 1, 2, 3, 5)]
    assert files.count(files[0]) == 5


def test_another_class_leaves_the_selection_as_it_was(tmp_path):
    (tmp_path / "few").mkdir()
    few = Tile(tmp_path / "few", SHAPES[:2], CODES[:2], {seed: SETS[seed][:2] for seed in SEEDS})
    halves = [
        tile.selection(strategy="percent", percent=0.5).query("code == 11").reset_index(drop=True)
        for tile in (Tile(tmp_path), few)
    ]
    assert halves[0].equals(halves[1])
    assert len(halves[0]) > 4


def test_classes_are_drawn_apart(tmp_path):
    sets = {0: ["learn"] * 2, 1: ["learn"] * 2}
    tile = Tile(tmp_path, [shapely.box(0, 50, 80, 80), shapely.box(0, 0, 80, 30)], [11, 51], sets)
    tile.numbers, tile.threshold = {"all": 1}, 0
    tile.write("regions.tif", np.ones((8, 8)))
    burn_polygons(tile.path("splits.gpkg"), tile.path("regions.tif"), tile.path("polygons.tif"))
    chosen = tile.selection(strategy="percent", percent=0.5)
    north, south = (
        set(zip(own["row"] - top, own["col"], strict=True))
        for top, own in ((0, chosen[chosen["code"] == 11]), (5, chosen[chosen["code"] == 51]))
    )
    assert north != south


def test_draws_differ_by_random_seed_tile_and_seed(tmp_path):
    shapes = [shapely.box(0, 0, 80, 80)]
    tile = Tile(tmp_path, shapes, [11], {0: ["learn"], 1: ["learn"]})
    drawn = [
        tile.selection(strategy="percent", percent=0.5, tile=name, random_seed=number)
        for name, number in (("A", 0), ("B", 0), ("A", 1))
    ]
    pixels = [
        frozenset(zip(own["row"], own["col"], strict=True))
        for frame in drawn
        for own in (frame[frame["seed_0"]], frame[frame["seed_1"]])
    ]
    assert len(set(pixels)) == 6
    again = tile.selection(strategy="percent", percent=0.5, tile="A")
    assert again.equals(drawn[0])


def test_a_polygon_teaches_no_more_pixels_than_its_limit_in_each_region(tile):
    chosen = tile.selection(max_per_polygon=3)
    # Of polygon 3 three in the north and three in the other region, which is another model.
    for seed, expected in ((0, {1: 3, 3: 6}), (1, {1: 3, 2: 3, 3: 6})):
        own = chosen[chosen[f"seed_{seed}"]]
        assert own["polygon"].value_counts().to_dict() == expected
        assert (own[own["polygon"] == 3]["region"] == "north").sum() == 3
        assert own["col"].between(1, 5).all()


def test_the_strategy_takes_its_share_of_what_polygons_may_give(tile):
    chosen = tile.selection(max_per_polygon=4, strategy="percent", percent=0.5)
    # Class 11 in the north: 4 of 6 (seed 0), 4 of 6 and 4 of 4 (seed 1); class 51: 4 of 5 in both regions.
    for seed, expected in ((0, {11: 2, 51: 4}), (1, {11: 4, 51: 4})):
        assert chosen[chosen[f"seed_{seed}"]]["code"].value_counts().to_dict() == expected


def test_a_limit_above_all_polygons_changes_nothing(tmp_path):
    tile = Tile(tmp_path)
    plain = tile.selection(strategy="percent", percent=0.5)
    assert tile.selection(strategy="percent", percent=0.5, max_per_polygon=6).equals(plain)


def test_a_polygon_on_several_tiles_has_one_limit_which_they_share_by_their_pixels(tmp_path):
    head = ["region", "polygon", "code", "pixels", "clear", "seed_0"]
    tables = {
        "B": pd.DataFrame([["1", 7, 11, 9, 4, 1], ["1", 8, 11, 3, 3, 1]], columns=head),
        "A": pd.DataFrame([["1", 7, 11, 9, 4, 1], ["2", 7, 11, 9, 9, 1]], columns=head),
        "C": pd.DataFrame([["1", 7, 11, 6, 6, 1]], columns=head),
        "D": pd.DataFrame([], columns=head).astype({"clear": np.int64}),
    }
    # 5 of 4 + 4 + 6 pixels: 1.43, 1.43 and 2.14, rounded down 1, 1, 2; the fifth goes to A, before B.
    found = {tile: table["clear"].tolist() for tile, table in limited(tables, 5).items()}
    assert found == {"B": [1, 3], "A": [2, 5], "C": [2], "D": []}
    assert {tile: table["clear"].tolist() for tile, table in limited(tables, None).items()} == {
        "B": [4, 3], "A": [4, 9], "C": [6], "D": [],
    }  # fmt: skip


def test_a_tile_gives_its_part_of_a_limit_that_others_share(tmp_path):
    tile = Tile(tmp_path)
    tables = {"A": tile.statistics(), "T31TCJ": tile.statistics()}
    sampling = {"strategy": "all", "sampler": "random", "random_seed": 0, "max_per_polygon": 5}
    write_selection(
        Choice("T31TCJ", SEEDS, sampling), tile.pixels, tile.path("splits.gpkg"), tables["A"], {},
        tile.path("shared.parquet"), tables,
    )  # fmt: skip
    chosen = pd.read_parquet(tile.path("shared.parquet"))
    own = chosen[chosen["seed_0"] & (chosen["region"] == "north")]
    # 5 of 6 + 6 and 5 of 5 + 5 pixels: 2.5 each; the odd one goes to A.
    assert own["polygon"].value_counts().to_dict() == {1: 2, 3: 2}


@pytest.mark.parametrize("sampler", ["random", "periodic"])
def test_limits_do_not_depend_on_the_windows(tmp_path, monkeypatch, sampler):
    tile = Tile(tmp_path)
    files = []
    for rows in (256, 1, 3):
        monkeypatch.setattr(pixels_module, "WINDOW_ROWS", rows)
        tile.selection(
            f"{rows}.parquet", max_per_polygon=3, strategy="percent", percent=0.7, sampler=sampler
        )
        files.append(Path(tile.path(f"{rows}.parquet")).read_bytes())
    assert files.count(files[0]) == 3


def test_limited_rates_are_those_of_what_polygons_may_give(tmp_path):
    tile = Tile(tmp_path)
    sampling = {"strategy": "byclass", "byclass": {"11": 4, "51": 2}, "max_per_polygon": 4}
    tables = {"A": tile.statistics(), "B": tile.statistics()}
    write_rates("north", tables, [0], sampling, tile.path("rates.csv"))
    assert Path(tile.path("rates.csv")).read_text(encoding="utf-8").splitlines()[1:] == [
        "0,A,11,2,2", "0,A,51,2,1", "0,B,11,2,2", "0,B,51,2,1",
    ]  # fmt: skip


def test_a_region_may_have_a_strategy_of_its_own(tile):
    plain = {"strategy": "percent", "percent": 0.5}
    other = {"strategy": "all", "sampler": "periodic", "random_seed": 0}
    chosen = tile.selection(**plain, per_region={"NA": other})
    assert chosen[chosen["seed_0"]].groupby(["region", "code"]).size().to_dict() == {
        ("NA", 51): 5, ("north", 11): 3, ("north", 51): 3,
    }  # fmt: skip


def test_overlapping_polygons_never_put_a_pixel_into_both_sets(tmp_path):
    # Polygon 2 validates and covers the east half of polygon 1, which learns; 3 is 1 once more.
    shapes = [shapely.box(0, 60, 40, 80), shapely.box(20, 60, 60, 80), shapely.box(0, 60, 40, 80)]
    for number, sets in enumerate(
        (["learn", "validation", "unused"], ["validation", "learn", "learn"])
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        tile = Tile(folder, shapes, [11, 11, 11], {0: sets, 1: sets})
        burnt = read_raster(tile.path("polygons.tif"))
        assert burnt[:2].tolist() == [[3, 3, 3, 3, 2, 2, 0, 0]] * 2  # the last polygon wins
        chosen = tile.selection()
        validates = np.isin(burnt, [n + 1 for n, word in enumerate(sets) if word == "validation"])
        assert not validates[chosen["row"], chosen["col"]].any()
        assert len(chosen) == (0, 10)[number]  # ten pixels are clear


def test_what_polygons_lose_to_later_ones_is_told_in_pixels(tmp_path, caplog):
    # Two rows: polygon 2 takes two columns of 1, and 3 one column of 2.
    shapes = [shapely.box(0, 60, 30, 80), shapely.box(10, 60, 50, 80), shapely.box(40, 60, 60, 80)]
    Tile(tmp_path, shapes, [11, 51, 11], {0: ["learn"] * 3, 1: ["learn"] * 3})
    assert (
        "6 pixels lie in several polygons and belong to the last of them: "
        "1 (class 11) loses 4 to 2 (class 51), 2 (class 51) loses 2 to 3 (class 11)"
    ) in caplog.text


def test_nothing_is_told_of_polygons_that_touch(tmp_path, caplog):
    Tile(tmp_path)
    assert not caplog.text


def test_a_tile_without_learning_pixels_gives_an_empty_table(tmp_path):
    tile = Tile(tmp_path, sets={seed: ["validation"] * 4 for seed in SEEDS})
    chosen = tile.selection()
    assert len(chosen) == 0
    assert list(chosen) == ["row", "col", "polygon", "code", "region", "seed_0", "seed_1"]


@pytest.mark.parametrize("read", [read_statistics, lambda path: read_rates(path, "A", 0)])
@pytest.mark.parametrize("content", ["", "a,b\n1,2\n", "region,polygon,seed\nx,y,z\n"])
def test_a_table_that_is_none_is_told(tmp_path, read, content):
    path = tmp_path / "a.csv"
    path.write_text(content)
    with pytest.raises(InputDataError, match=r"a\.csv: cannot be read as a table"):
        read(str(path))


# Orfeo ToolBox, asked apart from the chain.

SIDE = 40
STRATEGIES = [
    {"strategy": "all"},
    {"strategy": "percent", "percent": 0.1},
    {"strategy": "percent", "percent": 0.7},  # below 0.7 in single precision
    {"strategy": "constant", "constant": 37},
    {"strategy": "constant", "constant": 5000},
    {"strategy": "smallest"},
    {"strategy": "byclass", "byclass": {"1": 50, "3": 4, "9": 10}},
    {"strategy": "total", "total": 333},
]


@pytest.fixture(scope="module")
def otb():
    """The door to OTB; in CI it must open."""
    from iota2_tools import otb
    from iota2_tools.core.errors import MissingSoftwareError

    try:
        otb.create("SampleSelection")
    except MissingSoftwareError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(f"no Orfeo ToolBox to compare with: {error}")
    return otb


@pytest.fixture(scope="module")
def otb_tiles(otb, tmp_path_factory):
    """Two tiles with strips of three classes: vectors, a mask and OTB's statistics of each."""
    folder = tmp_path_factory.mktemp("otb")
    tiles = {}
    for name, rows, seed in (("A", [25, 3, 7], 1), ("B", [12, 1, 0], 2)):
        grid = Grid("EPSG:32631", 0, 10 * SIDE, 10, SIDE, SIDE)
        edges = 10 * (SIDE - np.cumsum([0, *rows]))
        boxes = [shapely.box(0, low, 10 * SIDE, high) for high, low in pairwise(edges)]
        kept = [number for number, height in enumerate(rows) if height]
        vector, mask = str(folder / f"{name}.gpkg"), str(folder / f"{name}.tif")
        frame = {"code": [number + 1 for number in kept]}
        write_layer(
            gpd.GeoDataFrame(frame, geometry=[boxes[n] for n in kept], crs=grid.crs), vector
        )
        clear = np.random.default_rng(seed).random((SIDE, SIDE)) < 0.87
        with create_raster(mask, grid, "uint8") as raster:
            raster.write(clear.astype(np.uint8), grid.window)
        statistics = str(folder / f"{name}.xml")
        given = {"in": mask, "mask": mask, "vec": vector, "field": ["code"], "out": statistics}
        otb.run("PolygonClassStatistics", given, refresh_after="vec")
        codes = np.repeat([1, 2, 3, 0], [*rows, SIDE - sum(rows)])
        pixels = {code: int(clear[codes == code].sum()) for code in (1, 2, 3)}
        pixels = {code: number for code, number in pixels.items() if number}
        counted = (
            ElementTree.parse(statistics).getroot().find("./Statistic[@name='samplesPerClass']")
        )
        assert {int(item.get("key")): int(item.get("value")) for item in counted} == pixels
        tiles[name] = (given | {"instats": statistics}, pixels)
    return tiles


@pytest.fixture(params=STRATEGIES, ids=lambda item: "-".join(map(str, item.values())))
def strategy(request):
    return request.param


def strategy_of_otb(sampling: dict, folder: Path, shared: bool) -> dict:
    """OTB's parameters of a strategy."""
    name = sampling["strategy"]
    given = {"strategy": name}
    if name == "byclass":
        table = folder / "byclass.csv"
        table.write_text("".join(f"{code};{count}\n" for code, count in sampling[name].items()))
        return given | {"strategy.byclass.in": [str(table)] if shared else str(table)}
    if name in sampling:
        key = {"constant": "nb", "total": "v", "percent": "p"}[name]
        value = sampling[name]
        return given | {f"strategy.{name}.{key}": str(value) if shared else value}
    return given


def taken_by_otb(otb, given: dict, folder: Path) -> dict[int, int]:
    """Points of each class that SampleSelection writes."""
    points = folder / "points.gpkg"
    given = {key: value for key, value in given.items() if key != "out"}
    otb.run("SampleSelection", given | {"out": str(points), "rand": 3}, refresh_after="vec")
    return dict(Counter(gpd.read_file(points)["code"]))


def taken_by_us(samples: dict[int, int], pixels: dict[int, int], kind: str) -> dict[int, int]:
    """Pixels of each class that our sampler takes."""
    taken = {}
    for code, number in samples.items():
        periodic, random = (one.take(pixels[code]).sum() for one in samplers(number, pixels[code]))
        taken[code] = int(periodic if kind == "periodic" else random)
    return {code: number for code, number in taken.items() if number}


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["random", "periodic"])
def test_as_many_pixels_of_each_class_are_taken_as_otb_takes(
    otb, otb_tiles, strategy, sampler, tmp_path
):
    pixels = {tile: counts for tile, (_, counts) in otb_tiles.items()}
    shared = strategy["strategy"] not in ("all", "percent")
    ours = samples_of_tiles(strategy, pixels)
    if shared:
        statistics = [given["instats"] for given, _ in otb_tiles.values()]
        given = {"il": statistics, "out": str(tmp_path / "rates.csv"), "mim": "proportional"}
        otb.run("MultiImageSamplingRate", given | strategy_of_otb(strategy, tmp_path, True))
    for number, (tile, (files, counts)) in enumerate(otb_tiles.items(), start=1):
        how = strategy_of_otb(strategy, tmp_path, False)
        if shared:
            table = str(tmp_path / f"rates_{number}.csv")
            how = {"strategy": "byclass", "strategy.byclass.in": table}
        theirs = taken_by_otb(otb, files | how | {"sampler": sampler}, tmp_path)
        assert taken_by_us(ours[tile], counts, sampler) == theirs, tile


def test_otb_rounds_as_we_do(otb, tmp_path):
    # 7 of 25: the rate 0.28 is rounded up, and 25 times that exceeds 7: one more is taken.
    grid = Grid("EPSG:32631", 0, 50, 10, 5, 5)
    image, vector = str(tmp_path / "a.tif"), str(tmp_path / "a.gpkg")
    with create_raster(image, grid, "uint8") as raster:
        raster.write(np.ones((5, 5), np.uint8), grid.window)
    write_layer(
        gpd.GeoDataFrame({"code": [1]}, geometry=[shapely.box(0, 0, 50, 50)], crs=grid.crs), vector
    )
    statistics = str(tmp_path / "a.xml")
    given = {"in": image, "vec": vector, "field": ["code"]}
    otb.run("PolygonClassStatistics", given | {"out": statistics}, refresh_after="vec")
    given |= {"instats": statistics}
    seven = {"strategy": "constant", "strategy.constant.nb": 7, "sampler": "periodic"}
    assert taken_by_otb(otb, given | seven, tmp_path) == {1: 8}
    assert taken_by_us({1: 7}, {1: 25}, "periodic") == {1: 8}
    # 0.7 of 25 is 17.5, but a little less in single precision.
    share = {"strategy": "percent", "strategy.percent.p": 0.7, "sampler": "random"}
    assert taken_by_otb(otb, given | share, tmp_path) == {1: 17}


def test_a_pixel_under_two_polygons_never_learns_and_validates(tmp_path):
    # One lies over the upper half of the other; the last, the same as the first, over the lower one.
    shapes = [shapely.box(0, 40, 80, 80), shapely.box(0, 60, 80, 80), shapely.box(0, 40, 80, 60)]
    sets = {0: ["learn", "validation", "learn"], 1: ["validation", "learn", "validation"]}
    tile = Tile(tmp_path, shapes, [11] * 3, sets)
    chosen, burnt = tile.selection(), read_raster(tile.path("polygons.tif"))
    assert burnt[:4, 1].tolist() == [2, 2, 3, 3]  # nothing is left of the first
    for seed, rows in ((0, {2, 3}), (1, {0, 1})):
        own = chosen[chosen[f"seed_{seed}"]]
        assert set(own["row"]) == rows
        validating = [number for number, word in enumerate(sets[seed], 1) if word == "validation"]
        assert not np.isin(burnt[own["row"], own["col"]], validating).any()


def test_pixels_of_validation_polygons_among_the_chosen_ones_are_a_fault_of_ours(tmp_path):
    tile = Tile(tmp_path)
    table = read_polygon_table(tile.path("splits.gpkg"), SEEDS)
    (pixels, *_) = tile.pixels.windows()
    learning = {seed: np.isin(pixels.polygon, (1, 3)) for seed in SEEDS}
    selection_module._assert_apart(pixels, learning, table)
    learning[0] |= pixels.polygon == 2  # it validates in draw 0
    with pytest.raises(AssertionError, match="seed 0: pixels of validation polygons"):
        selection_module._assert_apart(pixels, learning, table)
