"""Sizes of samples: published values and hand computations; points drawn from maps of a few pixels."""

import numpy as np
import pyogrio
import pytest
from scipy import stats
from tiny import write_image

from iota2_tools.assessing import drawing
from iota2_tools.assessing.design import (
    _rounded,
    allocate,
    deviations,
    largest_size,
    sample_size,
)
from iota2_tools.assessing.drawing import Drawn, draw, mixed
from iota2_tools.assessing.points import PointsWanted, write_points
from iota2_tools.commands.sample import expectations
from iota2_tools.core.errors import ConfigError, InputDataError

# Olofsson et al. 2014, section 5.1: deforestation, forest gain, stable forest, stable non-forest.
PIXELS = [200_000, 150_000, 3_200_000, 6_450_000]
EXPECTED = [0.7, 0.6, 0.9, 0.95]


def test_deviations_are_those_of_the_paper():
    assert deviations(EXPECTED) == pytest.approx([0.458, 0.490, 0.300, 0.218], abs=5e-4)


def test_the_size_is_that_of_the_paper():
    assert sample_size(PIXELS, EXPECTED, 0.01) == 641


def test_no_more_points_than_pixels():
    assert sample_size([3, 4], [0.5, 0.5], 0.001) == 7
    assert allocate(50, "equal", [3, 4], [0.5, 0.5]).tolist() == [3, 4]


def test_the_largest_size_is_that_of_half_right():
    assert largest_size(0.05) == 100
    assert sample_size([10**6], [0.5], 0.05) == 100


@pytest.mark.parametrize(
    ("method", "shares"),
    [
        ("proportional", [12.8, 9.6, 205.1, 413.4]),
        ("neyman", [23.2, 18.6, 243.1, 356.0]),
        ("equal", [160.25] * 4),
    ],
)
def test_points_are_shared_as_the_method_says(method, shares):
    sizes = allocate(641, method, PIXELS, EXPECTED)
    assert sizes.sum() == 641
    assert np.abs(sizes - shares).max() < 1


def test_a_minimum_is_taken_from_the_large_strata():
    # 640 points, 75 each of the two small ones: 490 are left for 3.20 and 6.45 million.
    sizes = allocate(640, "proportional", PIXELS, EXPECTED, minimum=75)
    assert sizes.tolist() == [75, 75, 162, 328]  # 490 x 3.20 / 9.65 = 162.49


def test_a_stratum_smaller_than_its_minimum_gives_all_its_pixels():
    assert allocate(30, "proportional", [4, 1000], [0.5, 0.5], minimum=10).tolist() == [4, 26]


def test_what_a_small_stratum_cannot_take_goes_to_the_others():
    assert allocate(30, "equal", [4, 100, 100], [0.5] * 3).tolist() == [4, 13, 13]


def test_a_stratum_that_is_expected_to_be_right_gets_its_minimum():
    assert allocate(30, "neyman", [1000, 1000], [1, 0.5], minimum=3).tolist() == [3, 27]


def test_a_stratum_without_a_share_takes_what_no_other_can():
    # Ten pixels of the second stratum are all it has; the first is expected to be all right.
    assert allocate(15, "neyman", [10, 10], [1.0, 0.5]).tolist() == [5, 10]


def test_parts_are_rounded_by_the_largest_remainders():
    # 0.2, 0.15, 3.2 and 6.45 points: nine whole ones, the tenth where most is left over.
    assert allocate(10, "proportional", [20, 15, 320, 645], [0.9] * 4).tolist() == [0, 0, 3, 7]
    assert _rounded(np.array([1.2, 2.7, 3.1]), 7, np.array([9, 9, 9])).tolist() == [1, 3, 3]
    # Of equal remainders the first; none above what its stratum has.
    assert _rounded(np.array([0.5, 1.0, 0.5]), 2, np.array([1, 1, 1])).tolist() == [1, 1, 0]
    assert _rounded(np.array([1.0, 1.0]), 3, np.array([1, 5])).tolist() == [1, 2]


def test_minima_above_the_total_are_refused():
    with pytest.raises(ConfigError, match=r"10 point.* for 3 strata of 5 at least: that are 15"):
        allocate(10, "equal", [100] * 3, [0.5] * 3, minimum=5)


def write_map(path, values, names=(), **options) -> str:
    """A class map; names are those of codes 1, 2 …"""
    from osgeo import gdal

    write_image(path, np.asarray(values, np.uint8), **options)
    dataset = gdal.Open(str(path), gdal.GA_Update)
    dataset.SetMetadata({f"CLASS_{code}": name for code, name in enumerate(names, start=1)})
    dataset = None
    return str(path)


VALUES = np.array([[1, 1, 2, 2], [1, 1, 2, 2], [1, 1, 1, 2], [0, 0, 3, 3]])


def test_numbers_are_those_of_splitmix64():
    # First values of SplitMix64 from seed 1234567 (test of the reference implementation in Java and C).
    found = mixed(np.arange(3, dtype=np.uint64), np.uint64(1234567))
    assert found.tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_each_stratum_is_counted_and_no_pixel_drawn_twice(tmp_path):
    drawn = draw(write_map(tmp_path / "map.tif", VALUES), None, 0, 100)
    assert drawn.strata.tolist() == [1, 2, 3]
    assert drawn.pixels.tolist() == [7, 5, 2]
    assert len(drawn.row) == 14
    assert len(set(zip(drawn.row.tolist(), drawn.col.tolist(), strict=True))) == 14
    assert (VALUES[drawn.row, drawn.col] == drawn.stratum).all()
    assert (drawn.mapped == drawn.stratum).all()


@pytest.mark.parametrize("window", [(1, 1), (3, 2), (100, 100)])
def test_windows_draw_the_same_points(tmp_path, monkeypatch, window):
    path = write_map(tmp_path / "map.tif", np.random.default_rng(0).integers(0, 4, (40, 30)))
    whole = draw(path, None, 7, 5)
    monkeypatch.setattr(drawing, "WINDOW", window)
    parts = draw(path, None, 7, 5)
    assert parts.row.tolist() == whole.row.tolist()
    assert parts.col.tolist() == whole.col.tolist()
    assert np.bincount(parts.stratum)[1:].tolist() == [5, 5, 5]


def test_pruning_loses_none_of_the_smallest(tmp_path, monkeypatch):
    values = np.random.default_rng(1).integers(1, 3, (60, 60))
    path = write_map(tmp_path / "map.tif", values)
    whole = draw(path, None, 3, 50)
    monkeypatch.setattr(drawing, "WINDOW", (4, 4))
    monkeypatch.setattr(drawing, "PRUNED", 20)
    parts = draw(path, None, 3, 50)
    assert parts.row.tolist() == whole.row.tolist()
    assert parts.col.tolist() == whole.col.tolist()


def test_pixels_that_can_be_drawn_no_more_do_not_wait(monkeypatch):
    """A map of a country has more pixels than memory: of each stratum those of the smallest numbers wait."""
    monkeypatch.setattr(drawing, "PRUNED", 30)
    kept, begin, one = drawing._Kept(10), np.uint64(5), np.ones(100, dtype=np.int64)
    first = np.arange(100, dtype=np.uint64)
    kept.add(one, one, first, begin)
    (waiting,) = kept._parts
    limit = np.sort(mixed(first, begin))[9]
    assert sorted(waiting[3].tolist()) == sorted(mixed(first, begin).tolist())[:10]
    second = np.arange(100, 200, dtype=np.uint64)
    kept.add(one, one, second, begin)
    assert 0 < kept._waiting == (mixed(second, begin) < limit).sum() < 30
    numbers = np.sort(np.concatenate([mixed(first, begin), mixed(second, begin)]))
    drawn = kept.drawn(200)
    assert sorted(mixed(drawn.col.astype(np.uint64), begin).tolist()) == numbers[:10].tolist()


def test_more_points_keep_those_that_were_looked_at(tmp_path):
    path = write_map(tmp_path / "map.tif", np.ones((20, 20)))
    few, many = draw(path, None, 0, 10), draw(path, None, 0, 30)
    assert many.row[:10].tolist() == few.row.tolist()
    assert many.rank.tolist() == list(range(1, 31))
    assert draw(path, None, 1, 10).row.tolist() != few.row.tolist()


@pytest.mark.slow
def test_every_pixel_is_drawn_as_often(tmp_path):
    """Each of 16 pixels stands first in about a sixteenth of 400 draws, and in no order."""
    path = write_map(tmp_path / "map.tif", np.ones((4, 4)))
    drawn = [draw(path, None, seed, 2) for seed in range(400)]
    for place in (0, 1):
        pixels = [item.row[place] * 4 + item.col[place] for item in drawn]
        assert stats.chisquare(np.bincount(pixels, minlength=16)).pvalue > 1e-3
    pairs = [item.row[0] * 4 + item.col[0] - (item.row[1] * 4 + item.col[1]) for item in drawn]
    assert 0.4 < np.mean(np.array(pairs) > 0) < 0.6


def test_strata_of_another_raster_leave_pixels_without_stratum_out(tmp_path):
    path = write_map(tmp_path / "map.tif", VALUES)
    # Pixels twice as large: rows 0-1 stratum 5, of rows 2-3 the left has none, the right stratum 6.
    strata = write_map(tmp_path / "strata.tif", [[5, 5], [0, 6]], resolution=20.0)
    drawn = draw(path, strata, 0, 100)
    assert drawn.strata.tolist() == [5, 6]
    assert drawn.pixels.tolist() == [8, 4]
    assert drawn.left_out == 2  # row 2, columns 0 and 1
    assert VALUES[drawn.row, drawn.col].tolist() == drawn.mapped.tolist()


@pytest.mark.parametrize(("dtype", "nodata"), [("uint8", 255), ("int16", -9999), ("int32", 70000)])
def test_pixels_of_the_nodata_value_of_a_map_are_not_drawn(tmp_path, dtype, nodata):
    """Of maps that others have made."""
    values = VALUES.astype(dtype)
    values[0] = nodata
    path = write_image(tmp_path / "map.tif", values, nodata=nodata)
    drawn = draw(path, None, 0, 100)
    assert drawn.strata.tolist() == [1, 2, 3]
    assert drawn.pixels.tolist() == [5, 3, 2]
    strata = draw(write_map(tmp_path / "own.tif", VALUES), path, 0, 100)
    assert (strata.strata.tolist(), strata.left_out) == ([1, 2, 3], 4)
    if nodata != 255:
        bare = write_image(tmp_path / "bare.tif", values)
        with pytest.raises(InputDataError, match=f"bare.tif: holds {nodata}, codes go from 1 to"):
            draw(bare, None, 0, 100)


def test_a_class_that_a_map_names_is_drawn_though_its_code_is_the_nodata_value(tmp_path):
    path = write_map(tmp_path / "map.tif", VALUES, ["Wood", "Field", "Town"], nodata=2)
    assert draw(path, None, 0, 100).pixels.tolist() == [7, 5, 2]


def test_quantities_have_no_strata(tmp_path):
    path = write_image(tmp_path / "map.tif", VALUES.astype(np.float32))
    with pytest.raises(InputDataError, match="has pixels of Float32, a class map whole numbers"):
        draw(path, None, 0, 100)


def test_pixels_without_a_class_are_in_no_stratum(tmp_path):
    path = write_map(tmp_path / "map.tif", [[1, 0], [0, 2]])
    drawn = draw(path, write_map(tmp_path / "strata.tif", [[5, 5], [5, 5]]), 0, 100)
    assert drawn.pixels.tolist() == [2]
    assert sorted(drawn.mapped.tolist()) == [1, 2]
    assert drawn.left_out == 0


def test_the_order_can_be_stopped_early(tmp_path):
    """Half of the file is about half of every stratum."""
    values = np.repeat([1, 2], [300, 100]).reshape(20, 20)
    drawn = draw(write_map(tmp_path / "map.tif", values), None, 0, 100).first(np.array([60, 20]))
    assert len(drawn.row) == 80
    assert np.bincount(drawn.stratum[:40])[1:].tolist() == [30, 10]
    for code in (1, 2):
        own = drawn.rank[drawn.stratum == code]
        assert own.tolist() == list(range(1, len(own) + 1))


def test_points_of_strata_stand_between_one_another():
    """One point of the first stratum, at half of the order; three of the second, at 1/6, 3/6 and 5/6."""
    one = np.arange(1, 4)
    drawn = Drawn(
        np.array([4, 9]), np.array([10, 30]), 0, np.array([4, 9, 9, 9]), np.array([1, 1, 2, 3]),
        np.r_[7, one], np.r_[7, one], np.array([4, 9, 9, 9]),
    )  # fmt: skip
    assert drawn.first(np.array([1, 3])).row.tolist() == [1, 7, 2, 3]
    assert drawn.first(np.array([1, 1])).row.tolist() == [7, 1]


def test_the_file_hides_the_class_and_holds_the_design(tmp_path):
    path = write_map(tmp_path / "map.tif", VALUES, ["Wood", "Water", "Urban"])
    output = str(tmp_path / "points.gpkg")
    wanted = PointsWanted(path, points=8, minimum=2, accuracies={"Water": 0.6, "3": 0.7})
    design = write_points(wanted, output)
    assert design.names == ["Wood", "Water", "Urban"]
    assert design.accuracies.tolist() == [0.85, 0.6, 0.7]
    points = pyogrio.read_dataframe(output, layer="points")
    assert list(points.columns) == ["point", "rank", "reference", "note", "geometry"]
    assert points["point"].tolist() == list(range(1, 9))
    assert points["reference"].isna().all()
    x, y = points.geometry.x - 300_000, 4_900_020 - points.geometry.y
    assert ((x % 10 == 5) & (y % 10 == 5)).all()
    assert (VALUES[(y // 10).astype(int), (x // 10).astype(int)] > 0).all()
    table = pyogrio.read_dataframe(output, layer="strata")
    assert table["pixels"].tolist() == [7, 5, 2]
    assert table["points"].sum() == 8
    assert table["points"].min() >= 2
    assert points.crs.to_epsg() == 32631


def test_the_class_is_told_where_that_is_asked_for(tmp_path):
    path = write_map(tmp_path / "map.tif", VALUES, ["Wood", "Water", "Urban"])
    write_points(PointsWanted(path, points=14), str(tmp_path / "p.gpkg"), hidden=False)
    points = pyogrio.read_dataframe(tmp_path / "p.gpkg", layer="points")
    names = dict(zip(points["mapped"], points["mapped_name"], strict=True))
    assert names == {1: "Wood", 2: "Water", 3: "Urban"}
    assert points["stratum"].tolist() == points["mapped"].tolist()


def test_the_same_seed_writes_the_same_bytes(tmp_path):
    path = write_map(tmp_path / "map.tif", VALUES)
    for name in ("a", "b"):
        write_points(PointsWanted(path, points=8, minimum=2), str(tmp_path / f"{name}.gpkg"))
    assert (tmp_path / "a.gpkg").read_bytes() == (tmp_path / "b.gpkg").read_bytes()


def test_as_many_points_as_the_error_needs_and_the_minima(tmp_path):
    values = np.repeat([1, 2], [9990, 10]).reshape(100, 100)
    path = write_map(tmp_path / "map.tif", values)
    design = write_points(PointsWanted(path, standard_error=0.05), str(tmp_path / "p.gpkg"))
    # 0.85 x 0.15 / 0.05² = 51; the ten pixels of class 2 are all taken.
    assert design.sizes.tolist() == [50, 10]
    # By hand: 0.999² x (1 - 50/9990) x 0.1275 / 50.
    assert design.expected_error == pytest.approx(np.sqrt(0.999**2 * 0.994995 * 0.00255), rel=1e-5)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"points": 0}, "0 points"),
        ({"standard_error": 0.0}, "standard error 0"),
        ({"minimum": 1}, "minimum 1: two points"),
        ({"accuracy": 1.5}, "expected accuracy 1.5 of all strata"),
        (
            {"accuracies": {"Sea": 0.5}},
            "expected accuracy of Sea: no such stratum; there are 1 Wood",
        ),
    ],
)
def test_impossible_wishes_are_refused(tmp_path, options, told):
    path = write_map(tmp_path / "map.tif", VALUES, ["Wood", "Water", "Urban"])
    with pytest.raises(ConfigError, match=told):
        write_points(PointsWanted(path, **options), str(tmp_path / "p.gpkg"))
    assert not (tmp_path / "p.gpkg").exists()


def test_points_that_were_looked_at_are_not_drawn_over(tmp_path):
    path = write_map(tmp_path / "map.tif", VALUES, ["Wood", "Water", "Urban"])
    (tmp_path / "p.gpkg").write_bytes(b"looked at")
    with pytest.raises(ConfigError, match=r"p\.gpkg: stands already"):
        write_points(PointsWanted(path, points=8, minimum=2), str(tmp_path / "p.gpkg"))
    assert (tmp_path / "p.gpkg").read_bytes() == b"looked at"


def test_a_map_without_a_class_is_refused(tmp_path):
    path = write_map(tmp_path / "map.tif", np.zeros((4, 4)))
    with pytest.raises(InputDataError, match="no pixel has a class"):
        write_points(PointsWanted(path), str(tmp_path / "p.gpkg"))


def test_expectations_are_read_from_what_is_typed():
    assert expectations([]) == (0.85, {})
    assert expectations(["0.9", "Urban=0.7", "a=b=0.5"]) == (0.9, {"Urban": 0.7, "a=b": 0.5})
    for typed in (["x"], ["Urban=x"], ["0.9", "0.8"], ["a=1", "a=0.5"]):
        with pytest.raises(ConfigError, match="--expected"):
            expectations(typed)
