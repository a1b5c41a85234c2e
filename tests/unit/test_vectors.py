"""Polygons and files of them as users have them."""

import sqlite3

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from osgeo import ogr, osr

from iota2_tools.core.errors import InputDataError, OutputError
from iota2_tools.geo.burning import Burner
from iota2_tools.geo.grid import Grid
from iota2_tools.geo.vectors import (
    Features,
    any_within,
    layer_header,
    polygons_only,
    read_features,
    read_fields,
    read_layer,
    shown,
    write_layer,
)

CRS = "EPSG:32631"
SQUARE = "POLYGON ((0 0, 0 1, 1 1, 1 0, 0 0))"


def frame(*shapes) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"code": range(len(shapes))}, geometry=list(shapes), crs=CRS)


def polygonal(*shapes) -> Features:
    """What is left of some shapes."""
    index = range(1, len(shapes) + 1)
    values = {"code": pd.Series(range(len(shapes)), index)}
    return polygons_only(Features(gpd.GeoSeries(list(shapes), index, crs=CRS), values), "a.shp")


def test_a_bow_tie_becomes_its_two_triangles():
    found = polygonal(shapely.box(5, 5, 6, 6), shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)]))
    repaired = found.shapes.iloc[1]
    assert repaired.geom_type == "MultiPolygon"
    assert repaired.area == pytest.approx(2)
    assert found.remarks == ("a.shp: 1 feature(s) (2) with a border that crosses itself, repaired",)


def test_the_spike_of_a_polygon_is_dropped_with_the_repair():
    spiked = shapely.Polygon([(0, 0), (0, 1), (1, 1), (1, 0), (5, 0), (1, 0)])
    assert not spiked.is_valid
    repaired = polygonal(spiked).shapes.iloc[0]
    assert repaired.geom_type in ("Polygon", "MultiPolygon")
    assert repaired.bounds == (0, 0, 1, 1)


def test_polygons_without_area_are_dropped_and_told():
    flat = shapely.Polygon([(0, 0), (1, 1), (2, 2)])
    found = polygonal(flat, shapely.box(0, 0, 1, 1), shapely.Polygon(), None)
    assert found.values["code"].tolist() == [1]
    assert found.shapes.index.tolist() == [2]
    assert "3 feature(s) (1, 3, 4) without geometry or area, not used" in found.remarks[-1]


def test_other_geometries_are_refused_by_their_names():
    line, point = shapely.LineString([(0, 0), (1, 1)]), shapely.Point(0, 0)
    with pytest.raises(InputDataError, match="found LineString, Point"):
        polygonal(point, shapely.box(0, 0, 1, 1), line, None)


GRID = Grid(CRS, 0, 4, 1, 4, 4)


def test_a_pixel_takes_the_polygon_its_centre_lies_in():
    burner = Burner([shapely.box(0.6, 0.6, 2.6, 2.4)], [7], GRID)
    # Centres at half units: columns 1 and 2, rows whose centre is 1.5.
    expected = np.zeros((4, 4))
    expected[2, 1:3] = 7
    assert (burner.burn(GRID.window) == expected).all()


def test_of_overlapping_polygons_the_last_one_wins_and_the_first_is_known():
    # Columns 0-1 and 1-2 of all rows; the values do not decide.
    burner = Burner([shapely.box(0, 0, 2, 4), shapely.box(1, 0, 3, 4)], [9, 3], GRID)
    last, first = burner.burn_both_ways(GRID.window)
    assert last.tolist() == [[9, 3, 3, 0]] * 4
    assert first.tolist() == [[9, 9, 3, 0]] * 4
    assert (burner.burn(GRID.window) == last).all()


@pytest.mark.parametrize("rows", [1, 3])
def test_burning_by_windows_equals_burning_at_once(rows):
    shapes = [shapely.Point(1, 3).buffer(1.2), shapely.Point(3, 1).buffer(1.4)]
    burner = Burner(shapes, [1, 4_000_000_000], GRID)
    whole = burner.burn(GRID.window)
    assert set(np.unique(whole)) == {0, 1, 4_000_000_000}
    for window in GRID.windows(rows, rows):
        assert (burner.burn(window) == whole[window.slices]).all()


def test_a_layer_comes_back_as_it_was_written(tmp_path):
    path = str(tmp_path / "a.gpkg")
    write_layer(frame(shapely.box(0, 0, 1, 1), shapely.box(5, 5, 6, 6)), path)
    assert read_layer(path).geometry.iloc[0].equals(shapely.box(0, 0, 1, 1))
    near = read_layer(path, columns=["code"], bbox=(4, 4, 9, 9))
    assert near["code"].tolist() == [1]
    assert list(read_layer(path, read_geometry=False)) == ["code"]


def test_a_layer_that_cannot_be_written_is_a_sentence(tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        write_layer(frame(shapely.box(0, 0, 1, 1)), str(tmp_path / "absent" / "a.gpkg"))


def two_layers(path, with_geometry: bool) -> str:
    write_layer(frame(shapely.box(0, 0, 1, 1)), str(path))
    second = frame(shapely.box(0, 0, 1, 1), shapely.box(2, 2, 3, 3))
    table = second if with_geometry else pd.DataFrame({"style": ["red"]})
    pyogrio.write_dataframe(table, path, layer="second", append=False)
    return str(path)


def test_a_file_with_two_layers_is_refused_unless_one_is_named(tmp_path):
    path = two_layers(tmp_path / "two.gpkg", with_geometry=True)
    for action in (layer_header, lambda path: read_features(path, None, {})):
        with pytest.raises(InputDataError, match="has 2 layers, polygons, second; say in `layer`"):
            action(path)
    assert layer_header(path, "second").features == 2
    assert len(read_features(path, "second", {"class": "code"}).shapes) == 2
    with pytest.raises(InputDataError, match="no layer 'third', found polygons, second"):
        layer_header(path, "third")


def test_a_table_without_geometry_is_no_second_layer(tmp_path):
    path = two_layers(tmp_path / "one.gpkg", with_geometry=False)
    assert layer_header(path).layer == "polygons"
    assert len(read_features(path, None, {"class": "code"}).shapes) == 1
    with pytest.raises(InputDataError, match="layer 'second' holds no geometry"):
        read_features(path, "second", {})


def layer_of(path, driver: str, kind: int, *wkts: str | None, **fields) -> str:
    """A layer written by OGR, which writes what geopandas does not."""
    crs = osr.SpatialReference()
    crs.ImportFromEPSG(32631)
    source = ogr.GetDriverByName(driver).CreateDataSource(str(path))
    layer = source.CreateLayer("a", crs, kind, fields.pop("options", []))
    for name in fields:
        layer.CreateField(ogr.FieldDefn(name, ogr.OFTString))
    for wkt in wkts:
        feature = ogr.Feature(layer.GetLayerDefn())
        for name, value in fields.items():
            feature.SetField(name, value)
        if wkt:
            feature.SetGeometry(ogr.CreateGeometryFromWkt(wkt))
        layer.CreateFeature(feature)
    return str(path)


@pytest.mark.parametrize(
    ("kind", "wkt"),
    [
        (ogr.wkbPolygon25D, "POLYGON Z ((0 0 5, 0 1 5, 1 1 5, 1 0 5, 0 0 5))"),
        (ogr.wkbPolygonM, "POLYGON M ((0 0 5, 0 1 5, 1 1 5, 1 0 5, 0 0 5))"),
        (ogr.wkbPolygonZM, "POLYGON ZM ((0 0 5 6, 0 1 5 6, 1 1 5 6, 1 0 5 6, 0 0 5 6))"),
        (ogr.wkbMultiPolygon, f"MULTI{SQUARE.replace('((', '(((').replace('))', ')))')}"),
        (ogr.wkbUnknown, SQUARE),
    ],
)
def test_heights_and_measures_are_left_aside_without_a_foreign_word(tmp_path, recwarn, kind, wkt):
    path = layer_of(tmp_path / "a.gpkg", "GPKG", kind, wkt, None)
    found = polygons_only(read_features(path, None, {}, "EPSG:4326"), path)
    assert len(found.shapes) == 1
    assert not found.shapes.has_z.any()
    assert "1 feature(s) (2) without geometry" in found.remarks[0]
    assert not recwarn.list


def test_a_circle_is_read_as_a_polygon(tmp_path):
    wkt = "CURVEPOLYGON (CIRCULARSTRING (0 0, 4 0, 4 4, 0 4, 0 0))"
    path = layer_of(tmp_path / "a.gpkg", "GPKG", ogr.wkbCurvePolygon, wkt)
    found = polygons_only(read_features(path, None, {}), path)
    assert found.shapes.area.tolist() == pytest.approx([8 * np.pi], rel=1e-3)


def test_text_of_another_encoding_is_a_sentence(tmp_path):
    path = layer_of(
        tmp_path / "a.shp", "ESRI Shapefile", ogr.wkbPolygon, SQUARE, nom="blé", code="1",
        options=["ENCODING=ISO-8859-1"],
    )  # fmt: skip
    assert read_fields(path, None, {"class": "nom"})["class"].tolist() == ["blé"]
    (tmp_path / "a.cpg").write_text("UTF-8")
    with pytest.raises(InputDataError, match="text is not in the encoding that the file names"):
        read_fields(path, None, {"class": "nom"})
    assert read_fields(path, None, {"class": "code"})["class"].tolist() == ["1"]


@pytest.mark.parametrize("content", ["hello", "", "code\n1\n"])
@pytest.mark.parametrize("name", ["a.gpkg", "a.shp", "a.geojson", "a.csv"])
def test_a_file_that_is_no_vector_layer_is_a_sentence(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(InputDataError, match=rf"{name}: (cannot be read as|holds no) "):
        read_features(str(path), None, {})


def test_shapes_beyond_the_projection_are_told_and_not_used(tmp_path):
    path = str(tmp_path / "a.gpkg")
    shapes = [shapely.box(3, 45, 3.1, 45.1), shapely.box(3, -95, 3.1, -94)]
    gpd.GeoDataFrame(geometry=shapes, crs="EPSG:4326").to_file(path)
    found = read_features(path, None, {}, CRS)
    assert found.shapes.isna().tolist() == [False, True]
    assert found.remarks == (
        f"{path}: 1 feature(s) (2) cannot be brought to the CRS of the map and are not used",
    )


def test_without_a_crs_shapes_cannot_be_brought_to_another(tmp_path):
    path = layer_of(tmp_path / "a.shp", "ESRI Shapefile", ogr.wkbPolygon, SQUARE)
    (tmp_path / "a.prj").unlink()
    assert layer_header(path).crs is None
    with pytest.raises(InputDataError, match="has no coordinate reference system"):
        read_features(path, None, {}, CRS)


def test_a_crs_that_leads_nowhere_is_a_sentence(tmp_path):
    path = layer_of(tmp_path / "a.shp", "ESRI Shapefile", ogr.wkbPolygon, SQUARE)
    (tmp_path / "a.prj").write_text('LOCAL_CS["plan of a site",UNIT["metre",1]]')
    with pytest.raises(InputDataError, match="cannot be brought to that of the map"):
        read_features(path, None, {}, CRS)


def test_a_rectangle_is_seen_to_hold_a_feature_or_none(tmp_path):
    path = str(tmp_path / "a.gpkg")
    write_layer(frame(shapely.box(0, 0, 1, 1), shapely.box(50, 50, 51, 51)), path)
    assert any_within(path, None, (49, 49, 60, 60))
    assert not any_within(path, None, (10, 10, 40, 40))


def test_long_lists_are_cut():
    assert shown(range(12)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 …"
    assert shown(range(10)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9"


def test_a_layer_written_again_is_the_same_byte_for_byte(tmp_path):
    frame = gpd.GeoDataFrame({"code": [1]}, geometry=[shapely.box(0, 0, 1, 1)], crs="EPSG:32631")
    for name in ("a.gpkg", "b.gpkg"):
        write_layer(frame, str(tmp_path / name))
    info = sqlite3.connect(tmp_path / "a.gpkg").execute("select last_change from gpkg_contents")
    assert info.fetchone()[0].startswith("2000-01-01")
    assert (tmp_path / "a.gpkg").read_bytes() == (tmp_path / "b.gpkg").read_bytes()
