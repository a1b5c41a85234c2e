"""Reference polygons: their regions, and who learns and who validates."""

import geopandas as gpd
import pandas as pd
import pytest
from shapely import box

from iota2_tools.config.nomenclature import read_nomenclature
from iota2_tools.core.errors import InputDataError
from iota2_tools.reference.polygons import read_reference
from iota2_tools.reference.regions import assign_regions, read_regions
from iota2_tools.reference.splits import draw_split, given_splits, learning_count

CRS = "EPSG:32631"


def polygons(*groups):
    """Table of (region, code, number of polygons)."""
    rows = [(region, code) for region, code, number in groups for _ in range(number)]
    frame = pd.DataFrame(rows, columns=["region", "code"])
    return frame.assign(polygon=range(1, len(frame) + 1))


def split(frame, seed=0, ratio=0.5, random_seed=0, single="learn"):
    return draw_split(frame, seed, ratio, random_seed, single)


@pytest.mark.parametrize(
    ("number", "ratio", "learn"),
    [
        (10, 0.5, 5),
        (5, 0.5, 3),  # 2.5, halves up
        (3, 0.5, 2),
        (10, 0.01, 1),  # never none
        (10, 0.99, 9),  # one left to validate
        (2, 0.9, 1),
        (1, 0.5, 1),
        (10, 1, 10),
        (7, 0.7, 5),  # 4.9
    ],
)
def test_number_of_learning_polygons(number, ratio, learn):
    assert learning_count(number, ratio) == learn


def test_split_is_made_per_class_and_region():
    frame = polygons(("1", 11, 10), ("1", 51, 4), ("2", 11, 6))
    counts = frame.assign(set=split(frame)).groupby(["region", "code", "set"]).size()
    assert counts.to_dict() == {
        ("1", 11, "learn"): 5, ("1", 11, "validation"): 5, ("1", 51, "learn"): 2,
        ("1", 51, "validation"): 2, ("2", 11, "learn"): 3, ("2", 11, "validation"): 3,
    }  # fmt: skip


def test_polygon_is_never_on_both_sides():
    sets = split(polygons(("1", 11, 9), ("1", 51, 2)))
    assert set(sets) == {"learn", "validation"}


def test_polygon_without_region_is_unused():
    assert set(split(polygons(("", 11, 3)))) == {"unused"}


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("learn", "learn"),
        ("validation", "validation"),
        ("exclude", "unused"),
        ("both", "learn+validation"),
    ],
)
def test_single_polygon_does_as_told(option, expected):
    assert split(polygons(("1", 11, 1)), single=option).tolist() == [expected]


@pytest.mark.parametrize("option", ["learn", "validation", "exclude", "both"])
def test_single_polygon_learns_when_all_learn(option):
    assert split(polygons(("1", 11, 1)), ratio=1, single=option).tolist() == ["learn"]


def test_another_class_or_region_leaves_a_draw_as_it_was():
    few = polygons(("1", 11, 20))
    many = polygons(("1", 11, 20), ("1", 51, 7), ("2", 11, 7))
    assert split(many)[:20].tolist() == split(few).tolist()


def test_classes_and_regions_are_drawn_apart():
    sets = split(polygons(("1", 11, 30), ("1", 51, 30), ("2", 11, 30))).tolist()
    assert len({tuple(sets[start : start + 30]) for start in (0, 30, 60)}) == 3


def test_order_of_the_polygons_does_not_change_the_draw():
    frame = polygons(("1", 11, 20))
    assert split(frame[::-1]).sort_index().equals(split(frame))


def test_draws_and_random_seeds_differ():
    frame = polygons(("1", 11, 40))
    draws = [split(frame), split(frame, seed=1), split(frame, random_seed=1)]
    assert len({tuple(draw) for draw in draws}) == 3
    assert split(frame).equals(draws[0])


def splits_table(tmp_path, text):
    path = tmp_path / "splits.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


IDENTIFIERS = pd.Series(["a", "b", "c"], index=[10, 20, 30])


def test_given_sets_are_taken_under_their_usual_names(tmp_path):
    path = splits_table(tmp_path, "id,seed,set\na,0,Train\nb,0,valid\na,1,val\nb,1, learn\n")
    sets = given_splits(path, IDENTIFIERS, 2)
    assert sets.loc[10].tolist() == ["learn", "validation"]
    assert sets.loc[20].tolist() == ["validation", "learn"]
    assert sets.loc[30].tolist() == ["unused", "unused"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("z,0,learn", "id z: no such reference polygon"),
        ("a,1,learn", r"sampling\.runs asks for \[0\]"),
        ("a,0,test", "set 'test'"),
        ("a,0,learn\na,0,valid", "stands twice"),
    ],
)
def test_given_sets_at_fault_are_refused(tmp_path, rows, message):
    with pytest.raises(InputDataError, match=message):
        given_splits(splits_table(tmp_path, f"id,seed,set\n{rows}\n"), IDENTIFIERS, 1)


def test_given_sets_without_a_column_are_refused(tmp_path):
    with pytest.raises(InputDataError, match="column 'set' is missing"):
        given_splits(splits_table(tmp_path, "id,seed\na,0\n"), IDENTIFIERS, 1)


def test_polygon_belongs_to_the_region_that_holds_most_of_it():
    regions = gpd.GeoDataFrame(
        {"region": ["west", "east"]}, geometry=[box(0, 0, 100, 100), box(100, 0, 200, 100)]
    ).set_index("region")
    shapes = [box(60, 0, 110, 10), box(90, 0, 160, 10), box(300, 0, 310, 10), box(200, 0, 210, 10)]
    frame = gpd.GeoDataFrame(geometry=shapes, index=[7, 3, 5, 4])
    assert assign_regions(frame, regions).to_dict() == {7: "west", 3: "east", 5: "", 4: ""}


def test_without_regions_all_polygons_are_in_region_1():
    frame = gpd.GeoDataFrame(geometry=[box(0, 0, 1, 1)])
    assert assign_regions(frame, None).tolist() == ["1"]


@pytest.fixture
def reference(tmp_path):
    def write(**columns):
        number = len(next(iter(columns.values())))
        shapes = [box(10 * step, 0, 10 * step + 5, 5) for step in range(number)]
        path = tmp_path / "polygons.gpkg"
        gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS).to_file(path, engine="pyogrio")
        return str(path)

    return write


@pytest.fixture
def nomenclature(tmp_path):
    path = tmp_path / "nomenclature.csv"
    path.write_text("code,name\n11,crop\n51,water\n", encoding="utf-8")
    return read_nomenclature(str(path))


def test_classes_are_read_as_codes_or_names(reference, nomenclature):
    by_name = read_reference(reference(kind=["water", "crop"]), None, "kind", nomenclature, CRS)
    assert by_name["code"].tolist() == [51, 11]
    by_code = read_reference(reference(kind=[11.0, 51.0]), None, "kind", nomenclature, CRS)
    assert by_code["code"].tolist() == [11, 51]
    assert by_code["polygon"].tolist() == [1, 2]


def test_all_unknown_classes_are_named(reference, nomenclature):
    with pytest.raises(InputDataError, match="'sand', 'rock'"):
        read_reference(reference(kind=["sand", "crop", "rock"]), None, "kind", nomenclature, CRS)


def test_missing_field_is_named_with_those_found(reference, nomenclature):
    with pytest.raises(InputDataError, match="no field 'code', found kind"):
        read_reference(reference(kind=["crop"]), None, "code", nomenclature, CRS)


def test_parts_of_a_region_are_one_region(reference):
    regions = read_regions(reference(zone=[1.0, 2.0, 1.0]), None, "zone", CRS)
    assert regions.index.tolist() == ["1", "2"]
    assert regions.area.tolist() == pytest.approx([50, 25])


def test_region_without_name_is_refused(reference):
    with pytest.raises(InputDataError, match=r"1 polygon\(s\) have no value in field 'zone'"):
        read_regions(reference(zone=["a", None]), None, "zone", CRS)
