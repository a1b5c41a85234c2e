"""Reference polygons: their regions, and who learns and who validates."""

import json

import geopandas as gpd
import pandas as pd
import pytest
from shapely import box

from iota2_tools.config.nomenclature import read_nomenclature
from iota2_tools.core.errors import InputDataError
from iota2_tools.reference.polygons import ReferenceSource, read_reference
from iota2_tools.reference.regions import assign_regions, read_regions
from iota2_tools.reference.splits import draw_split, learning_count

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


def test_polygon_belongs_to_the_region_that_holds_most_of_it():
    regions = gpd.GeoSeries({"west": box(0, 0, 100, 100), "east": box(100, 0, 200, 100)})
    shapes = [box(60, 0, 110, 10), box(90, 0, 160, 10), box(300, 0, 310, 10), box(200, 0, 210, 10)]
    frame = gpd.GeoDataFrame(geometry=shapes, index=[7, 3, 5, 4])
    assert assign_regions(frame, regions).to_dict() == {7: "west", 3: "east", 5: "", 4: ""}


def test_of_two_regions_that_hold_a_polygon_the_first_by_name_has_it():
    regions = gpd.GeoSeries({"a": box(0, 0, 100, 100), "b": box(0, 0, 200, 100)})
    frame = gpd.GeoDataFrame(geometry=[box(10, 10, 20, 20), box(90, 10, 150, 20)])
    assert assign_regions(frame, regions).tolist() == ["a", "b"]


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


@pytest.fixture
def read(reference, nomenclature):
    """Reads polygons of one field, written for the test."""

    def read(field="kind", identifier=None, **columns):
        source = ReferenceSource(reference(**columns), None, field, identifier)
        return read_reference(source, nomenclature, CRS)[0]

    return read


def test_classes_are_read_as_codes_or_names(read):
    assert read(kind=["water", "crop"])["code"].tolist() == [51, 11]
    by_code = read(kind=[11.0, 51.0])
    assert by_code["code"].tolist() == [11, 51]
    assert by_code["polygon"].tolist() == [1, 2]


@pytest.mark.parametrize("values", [["sand", "crop", "rock"], ["rock", "sand", "sand"]])
def test_all_unknown_classes_are_named(read, values):
    with pytest.raises(InputDataError, match="'rock'") as caught:
        read(kind=values)
    assert "'sand'" in str(caught.value)


def test_a_polygon_without_a_class_is_told(read):
    with pytest.raises(InputDataError, match=r"field 'kind' holds no value \(feature 2\), which"):
        read(kind=["crop", None])


def test_missing_field_is_named_with_those_found(read):
    with pytest.raises(InputDataError, match="no field 'code', found kind"):
        read(field="code", kind=["crop"])
    with pytest.raises(InputDataError, match=r"no field 'kin', found kind; did you mean 'kind'\?"):
        read(field="kin", kind=["crop"])


def test_fields_that_hold_classes_are_named_where_another_was_taken(read):
    """Not where one class of several is unknown: then the field is right."""
    told = r"take those polygons out, or take the field that holds classes: kind$"
    with pytest.raises(InputDataError, match=told):
        read(field="parcel", parcel=[7, 8], kind=["crop", "crop"], note=["crop", None])
    with pytest.raises(InputDataError, match=r"take those polygons out$"):
        read(field="parcel", parcel=["crop", "sand"], kind=["crop", "crop"])


OWN_NAMES = ["polygon", "code", "identifier", "region", "seed_0", "geometry", "class", "has_pixel"]


@pytest.mark.parametrize("name", [case for name in OWN_NAMES for case in (name, name.upper())])
def test_fields_of_the_user_may_bear_our_names(tmp_path, nomenclature, name):
    # GeoJSON, for a frame cannot hold a second column `geometry`.
    features = [
        {"type": "Feature", "properties": {name: value, "id": number}, "geometry": shape.__geo_interface__}
        for number, (value, shape) in enumerate([(51, box(0, 0, 5, 5)), (11, box(9, 0, 14, 5))])
    ]  # fmt: skip
    path = tmp_path / "polygons.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    by_class = read_reference(
        ReferenceSource(str(path), None, name, "id"), nomenclature, "EPSG:4326"
    )[0]
    assert by_class["code"].tolist() == [51, 11]
    assert by_class["polygon"].tolist() == [1, 2]
    assert by_class["identifier"].tolist() == ["0", "1"]
    assert by_class.geometry.bounds["minx"].tolist() == [0, 9]
    regions = read_regions(str(path), None, name, "EPSG:4326")
    assert regions.index.tolist() == ["11", "51"]
    assert regions["51"].bounds == (0, 0, 5, 5)


@pytest.mark.parametrize("name", ["fid", "FID"])
def test_the_feature_numbers_of_a_geopackage_identify_polygons(tmp_path, nomenclature, name):
    path = tmp_path / "polygons.gpkg"
    columns = {"fid": [40, 20], "kind": [11, 51]}
    gpd.GeoDataFrame(columns, geometry=[box(0, 0, 5, 5), box(9, 0, 14, 5)], crs=CRS).to_file(path)
    found = read_reference(ReferenceSource(str(path), None, "kind", name), nomenclature, CRS)[0]
    assert dict(zip(found["identifier"], found["code"], strict=True)) == {"40": 11, "20": 51}


def test_parts_of_a_region_are_one_region(reference):
    regions = read_regions(reference(zone=[1.0, 2.0, 1.0]), None, "zone", CRS)
    assert regions.index.tolist() == ["1", "2"]
    assert regions.area.tolist() == pytest.approx([50, 25])


@pytest.mark.parametrize("nothing", [None, " "])
def test_region_without_name_is_refused(reference, nothing):
    with pytest.raises(InputDataError, match=r"1 polygon\(s\) have no value in field 'zone'"):
        read_regions(reference(zone=["a", nothing]), None, "zone", CRS)


def test_a_region_file_without_polygons_is_refused(tmp_path):
    path = tmp_path / "regions.gpkg"
    gpd.GeoDataFrame({"zone": ["a"]}, geometry=[None], crs=CRS).to_file(path)
    with pytest.raises(InputDataError, match="holds no polygon"):
        read_regions(str(path), None, "zone", CRS)
