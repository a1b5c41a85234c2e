"""A table of samples of the user's own: what of it is learnt, and what is refused."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from iota2_tools.config.nomenclature import LandCoverClass, Nomenclature
from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.vectors import write_layer
from iota2_tools.learning import engines
from iota2_tools.learning.managed import Managed
from iota2_tools.learning.settings import LearningSettings, ModelKey
from iota2_tools.reference.own_samples import own_problems, read_own_table
from iota2_tools.reference.sources import Demands

CRS = "EPSG:32631"
CLASSES = Nomenclature(
    (LandCoverClass(3, "Wheat", (0, 0, 0)), LandCoverClass(7, "Woods", (0, 0, 0)))
)
FEATURES = ["B8", "B4"]


def points(rows=8, **columns):
    """Samples along a line, ten metres apart, of two classes and regions."""
    number = np.arange(rows)
    values = {
        "code": np.where(number % 2, 3, 7), "B4": (10 * number).astype(np.int16),
        "B8": (-number).astype(np.int16), "other": 5,
    }  # fmt: skip
    shapes = shapely.points(500_005 + 10 * number, 4_900_005)
    return gpd.GeoDataFrame(values | columns, geometry=shapes, crs=CRS)


@pytest.fixture
def splits(tmp_path):
    """Polygon 1 over the first two points learns in draw 0 and validates in draw 1; 2 the other way."""
    shapes = [shapely.box(500_000, 4_900_000, 500_020, 4_900_010)]
    shapes.append(shapely.box(500_050, 4_900_000, 500_060, 4_900_010))
    shapes.append(shapely.box(500_060, 4_900_000, 500_070, 4_900_010))
    sets = {
        "seed_0": ["learn", "validation", "learn+validation"],
        "seed_1": ["validation", "learn", "unused"],
    }
    frame = gpd.GeoDataFrame({"polygon": [1, 2, 3], "code": 3, **sets}, geometry=shapes, crs=CRS)
    write_layer(frame, str(tmp_path / "splits.gpkg"))
    return str(tmp_path / "splits.gpkg")


def written(tmp_path, frame, kind="parquet"):
    path = tmp_path / f"own.{kind}"
    if kind == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_file(path, engine="pyogrio")
    return str(path)


@pytest.mark.parametrize("kind", ["parquet", "gpkg"])
@pytest.mark.parametrize("crs", [CRS, "EPSG:4326"])
def test_samples_in_polygons_that_validate_in_the_draw_are_left_out(
    tmp_path, splits, kind, crs, caplog
):
    path = written(tmp_path, points().to_crs(crs), kind)
    for seed, kept in ((0, [0, 1, 2, 3, 4, 6, 7]), (1, [2, 3, 4, 5, 6, 7])):
        table, left_out = read_own_table(path, "1", seed, FEATURES, CLASSES, splits)
        assert table.features[:, 1].tolist() == [10 * number for number in kept]
        assert table.features[:, 0].tolist() == [-number for number in kept]
        assert table.codes.tolist() == [3 if number % 2 else 7 for number in kept]
        assert table.names == FEATURES
        assert left_out == 8 - len(kept)
        assert f"{left_out} samples lie in validation polygons of draw {seed}" in caplog.text
        assert table.features.dtype == (np.int16 if kind == "parquet" else np.float32)
        assert len(set(table.polygons.tolist())) == len(kept)


def test_region_draw_polygon_and_names_of_classes_are_taken_from_the_table(tmp_path, splits):
    frame = points(
        code=["Wheat", "Woods"] * 4, region=["hills", "plain"] * 4, polygon=[9, 9, 9, 9, 8, 8, 8, 8],
        seed_0=[True] * 4 + [False] * 4, seed_1=True,
    )  # fmt: skip
    table, left_out = read_own_table(
        written(tmp_path, frame), "hills", 0, FEATURES, CLASSES, splits
    )
    assert table.features[:, 1].tolist() == [0, 20]
    assert table.codes.tolist() == [3, 3]
    assert table.polygons.tolist() == [9, 9]
    assert left_out == 0
    other, _ = read_own_table(written(tmp_path, frame), "plain", 1, FEATURES, CLASSES, splits)
    assert other.features[:, 1].tolist() == [30, 50, 70]


def test_decimals_are_float32(tmp_path, splits):
    frame = points(B4=np.arange(8) + 0.5)
    table, _ = read_own_table(written(tmp_path, frame), "1", 0, FEATURES, CLASSES, splits)
    assert table.features.dtype == np.float32
    assert table.features[:2, 1].tolist() == [0.5, 1.5]


def problems(tmp_path, frame, kind="parquet", features=FEATURES, regions=("1",), runs=1):
    return list(
        own_problems(written(tmp_path, frame, kind), Demands(features, regions, CLASSES, runs))
    )


@pytest.mark.parametrize("kind", ["parquet", "gpkg"])
def test_what_a_table_lacks_is_told_before_the_first_job(tmp_path, kind):
    assert problems(tmp_path, points(), kind) == []
    (found,) = problems(tmp_path, points(), kind, [*FEATURES, "B5", "B6", "B7", "B9", "B11"])
    assert found.endswith("has no column B5, B6, B7 and 2 more")
    (found,) = problems(tmp_path, points().drop(columns="code"), kind)
    assert found.endswith("has no column code")
    (found,) = problems(tmp_path, points(code=[3, 4] * 4), kind)
    assert "code 4 is neither" in found
    (found,) = problems(tmp_path, points(code=["Wheat", "Wood"] * 4), kind)
    assert "code 'Wood' is neither" in found
    (found,) = problems(tmp_path, points(seed_0=True), kind, runs=2)
    assert found.endswith("has seed_0, and not seed_1 of the draws asked for")
    strange, empty = problems(
        tmp_path, points(region=["hill", "plain"] * 4), kind, regions=["hills", "plain"]
    )
    assert strange.endswith("no region 'hill' touches a tile, did you mean 'hills'?")
    assert empty.endswith("has no sample of region hills")


def test_words_do_not_say_whether_a_draw_learns_a_sample(tmp_path):
    """Each word, `validation` too, would count as yes."""
    words = points(seed_0=["learn", "validation"] * 4)
    (found,) = problems(tmp_path, words)
    assert "column seed_0 holds 'learn', 'validation'; it says of each sample whether" in found
    assert problems(tmp_path, points(seed_0=[0, 1] * 4)) == []
    assert problems(tmp_path, points(seed_0=[True, False] * 4), "gpkg") == []
    (found,) = problems(tmp_path, points(seed_0=[1.0, np.nan] * 4))
    assert "column seed_0 holds nan" in found


def test_whole_numbers_that_are_missing_are_told_and_never_learnt_as_others(tmp_path):
    """As `iota2 samples export` writes them where a tile lacks a series."""
    frame = points()
    gaps = frame[FEATURES[0]].astype("Int16")
    gaps[[3, 5]] = pd.NA
    (found,) = problems(tmp_path, frame.assign(**{FEATURES[0]: gaps}))
    assert f"2 sample(s) have no value of {FEATURES[0]}; take them out" in found
    path = str(tmp_path / "own.parquet")
    with pytest.raises(InputDataError, match=rf"2 sample\(s\) have no value of {FEATURES[0]}"):
        read_own_table(path, "1", 0, FEATURES, CLASSES, None)
    # Quantities may be missing: learners that know it learn them so.
    floats = frame[FEATURES[0]].astype("float32")
    floats[3] = np.nan
    assert problems(tmp_path, frame.assign(**{FEATURES[0]: floats})) == []


@pytest.mark.parametrize("kind", ["parquet", "gpkg"])
def test_polygons_of_a_table_may_have_names_and_be_empty(tmp_path, kind):
    """Samples without a polygon are places of their own."""
    names = ["a", "a", "b", "b", None, "c", None, "b"]
    numbers = [5.0, 5.0, 7.0, 7.0, np.nan, 9.0, np.nan, 7.0]
    for given in (names, numbers):
        path = written(tmp_path, points(polygon=given), kind)
        table, _ = read_own_table(path, "1", 0, FEATURES, CLASSES, None)
        assert table.polygons.tolist() == [0, 0, 1, 1, 3, 2, 4, 1]
    path = written(tmp_path, points(polygon=[9, 9, 4, 4, 2, 2, 1, 1]), kind)
    table, _ = read_own_table(path, "1", 0, FEATURES, CLASSES, None)
    assert table.polygons.tolist() == [9, 9, 4, 4, 2, 2, 1, 1]


def test_a_table_without_places_is_refused(tmp_path):
    points().drop(columns="geometry").to_parquet(tmp_path / "own.parquet")
    (found,) = own_problems(str(tmp_path / "own.parquet"), Demands(FEATURES, ["1"], CLASSES))
    assert "has no points with a coordinate reference system" in found
    (tmp_path / "own.parquet").write_text("no table")
    with pytest.raises(InputDataError, match="cannot be read as a table"):
        list(own_problems(str(tmp_path / "own.parquet"), Demands(FEATURES, ["1"], CLASSES)))


def test_a_model_learns_the_table_and_tells_what_was_left_out(tmp_path, splits):
    (tmp_path / "classes.csv").write_text("code,name,colour\n3,Wheat,#000000\n7,Woods,#ffffff\n")
    own = {
        "path": written(tmp_path, points(40)), "splits": splits,
        "nomenclature": str(tmp_path / "classes.csv"),
    }  # fmt: skip
    settings = LearningSettings("DecisionTreeClassifier", {})
    output = str(tmp_path / "model")
    engines.train([], ModelKey("1", 1, 0), settings, 1, output, FEATURES, managed=Managed(own=own))
    told = json.loads((tmp_path / "model/model.json").read_text())
    assert told["own_samples"] == {"path": own["path"], "left_out": 2}
    assert told["classes"] == {"3": 19, "7": 19}
    assert told["features"] == FEATURES


@pytest.mark.parametrize(("buffer", "left_out"), [(4, 2), (6, 3), (30, 5)])
def test_a_model_learns_no_sample_of_the_table_near_what_validates(
    tmp_path, splits, buffer, left_out
):
    """Polygon 1 ends at 20 m; points lie at 5, 15, 25, ... m."""
    (tmp_path / "classes.csv").write_text("code,name,colour\n3,Wheat,#000000\n7,Woods,#ffffff\n")
    own = {
        "path": written(tmp_path, points(40)), "splits": splits, "buffer": buffer,
        "nomenclature": str(tmp_path / "classes.csv"),
    }  # fmt: skip
    table, told = Managed(own=own).own_samples([], ModelKey("1", 1, 0), FEATURES)
    assert told["own_samples"]["left_out"] == left_out
    assert len(table.codes) == 40 - left_out
