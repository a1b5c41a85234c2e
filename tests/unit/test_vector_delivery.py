"""Layers to be delivered: cuts that add up, formats, styles, digests; what the check refuses."""

import csv
import hashlib
import json
import sqlite3
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely
from osgeo import ogr
from test_vector_squares import CLASSES, Files
from vector_maps import random_map

from iota2_tools.config.vectorisation import DeliverySection, VectorisationSection
from iota2_tools.core.errors import ConfigError, InputDataError
from iota2_tools.geo.grid import Grid
from iota2_tools.geo.raster import create_raster
from iota2_tools.geo.squares import bundles, divided, files_in_bundles, squares_of
from iota2_tools.geo.units import Units, word_of
from iota2_tools.planning import checks
from iota2_tools.planning.configuration import complete_configuration
from iota2_tools.planning.vectorisation import VectorPlan
from iota2_tools.reporting.summary import summary
from iota2_tools.vectors.delivery import areal, cut, deliver_unit, write_tables, write_whole
from iota2_tools.vectors.simplification import Shape
from iota2_tools.vectors.style import polygon_style
from iota2_tools.vectors.writing import short_names

LEFT, TOP = 500_000, 4_800_000
TAGS = {"SOFTWARE": "iota2-tools", "TITLE": "A & B <polygons>"}


def write_units(path, shapes, names, crs="EPSG:32631", **columns):
    frame = gpd.GeoDataFrame({"dept": names, **columns}, geometry=shapes, crs=crs)
    with warnings.catch_warnings():  # of a layer without CRS
        warnings.simplefilter("ignore")
        frame.to_file(path, engine="pyogrio")
    return str(path)


@pytest.fixture(scope="module")
def map_(tmp_path_factory):
    """A coverage of two by three squares, and a layer of two units that share a slanted border."""
    folder = tmp_path_factory.mktemp("map")
    files = Files(folder, random_map(4))
    coverage = files.coverage(11, Shape(tolerance=2.0, area_limit=0.5))
    west = shapely.Polygon(
        [(LEFT - 9, TOP + 9), (LEFT + 101, TOP + 9), (LEFT + 133, TOP - 219), (LEFT - 9, TOP - 219)]
    )
    east = shapely.box(LEFT - 9, TOP - 219, LEFT + 300, TOP + 9).difference(west)
    path = write_units(folder / "units.gpkg", [west, east], ["31", "2A"])
    return coverage, Units(path, None, "dept"), files


def everything(coverage):
    return np.concatenate([shapely.from_wkb(t["geometry"].to_numpy()) for t in coverage.parts()])


def test_cuts_add_up_to_the_whole(map_):
    coverage, units, _ = map_
    outlines = units.outlines("EPSG:32631")
    total = 0.0
    for outline in outlines.values():
        shapes = np.concatenate([part for _, part in cut(coverage.parts(outline.bounds), outline)])
        assert shapely.is_valid(shapes).all()
        assert (shapely.area(shapes) > 0).all()
        assert shapely.within(shapes, outline.buffer(1e-6)).all()
        # The independent way: everything at once, intersected.
        expected = shapely.area(shapely.intersection(everything(coverage), outline)).sum()
        assert shapely.area(shapes).sum() == pytest.approx(expected, rel=1e-12)
        total += shapely.area(shapes).sum()
    assert total == pytest.approx(shapely.area(everything(coverage)).sum(), rel=1e-9)


def test_polygons_inside_a_unit_are_copied_point_by_point(map_):
    coverage, units, _ = map_
    outline = units.outlines("EPSG:32631")["31"]
    before = {
        number: shape
        for table in coverage.parts()
        for number, shape in zip(
            table["number"].to_pylist(), table["geometry"].to_pylist(), strict=True
        )
    }
    copied = 0
    for table, shapes in cut(coverage.parts(outline.bounds), outline):
        for number, shape in zip(table["number"].to_pylist(), shapes, strict=True):
            if outline.contains_properly(shapely.from_wkb(before[number])):
                assert shapely.to_wkb(shape) == before[number]
                copied += 1
    assert copied > 10


def test_lines_and_points_that_a_cut_leaves_are_dropped():
    square = shapely.box(0, 0, 1, 1)
    mixed = shapely.GeometryCollection([square, shapely.Point(5, 5), shapely.box(2, 0, 3, 1)])
    found = areal(np.array([square, shapely.LineString([(0, 0), (1, 1)]), mixed], object))
    assert [shape.area for shape in found] == [1, 0, 2]
    assert found[1].is_empty


@pytest.fixture(scope="module")
def delivered(map_, tmp_path_factory):
    """Unit 31 in every format."""
    coverage, units, _ = map_
    folder = tmp_path_factory.mktemp("delivered")
    outputs = [str(folder / f"dept_31{end}") for end in (".gpkg", ".fgb", ".parquet", ".shp.zip")]
    deliver_unit(coverage, (units, "31"), outputs, str(folder / "31.json"), TAGS)
    return folder, outputs


def test_every_format_holds_the_same_polygons_and_values(delivered):
    _, (gpkg, fgb, parquet, shp) = delivered
    first = gpd.read_file(gpkg, layer="land_cover").set_index("id").sort_index()
    assert first.crs.to_epsg() == 32631
    for other in (gpd.read_file(fgb), gpd.read_parquet(parquet), gpd.read_file(f"zip://{shp}")):
        frame = other.set_index("id").sort_index()
        assert frame.index.tolist() == first.index.tolist()
        assert shapely.equals(frame.geometry.to_numpy(), first.geometry.to_numpy()).all()
        for name in ("code", "name", "pixels", "area", "share_1"):
            assert (
                frame[name].tolist() == pytest.approx(first[name].tolist())
                if name != "name"
                else True
            )


def test_the_area_column_is_that_of_what_is_delivered(delivered):
    _, (gpkg, *_) = delivered
    frame = gpd.read_file(gpkg, layer="land_cover")
    assert frame["area"].to_numpy() == pytest.approx(frame.area.to_numpy(), abs=1e-3)
    assert frame["perimeter"].to_numpy() == pytest.approx(frame.length.to_numpy(), abs=1e-3)


def test_a_geopackage_holds_style_and_metadata_and_gdal_reads_it_without_complaint(delivered):
    _, (gpkg, *_) = delivered
    source = ogr.Open(gpkg)  # warnings would be errors of the tests' GDAL
    layer = source.GetLayerByName("land_cover")
    assert layer.GetGeomType() == ogr.wkbMultiPolygon
    assert layer.GetMetadataItem("TITLE") == "A & B <polygons>"
    assert layer.GetMetadataItem("UNIT") == "31"
    assert layer.GetMetadataItem("CLASS_2") == "Class 2"
    styles = sqlite3.connect(gpkg).execute(
        "SELECT f_table_name, f_geometry_column, useAsDefault, styleQML FROM layer_styles"
    )
    table, column, default, style = styles.fetchone()
    assert (table, column, default) == ("land_cover", "geom", 1)
    assert style == polygon_style(CLASSES, "code")
    indexed = sqlite3.connect(gpkg).execute("SELECT count(*) FROM rtree_land_cover_geom").fetchone()
    assert indexed[0] == layer.GetFeatureCount()


def test_formats_without_style_have_it_beside_them(delivered):
    folder, _ = delivered
    for name in ("dept_31_fgb.qml", "dept_31_parquet.qml", "dept_31_shp.qml"):
        assert (folder / name).read_text() == polygon_style(CLASSES, "code")


def test_a_shapefile_has_short_names_and_a_table_of_them(delivered):
    _, (*_, shp) = delivered
    with zipfile.ZipFile(shp) as archive:
        names = set(archive.namelist())
        rows = archive.read("dept_31_fields.csv").decode().splitlines()
    assert names >= {"dept_31.shp", "dept_31.dbf", "dept_31.shx", "dept_31.prj", "dept_31.qml"}
    fields = pyogrio.read_info(f"/vsizip/{shp}")["fields"].tolist()
    assert [row.split(",")[0] for row in rows[1:]] == fields
    assert all(len(name) <= 10 for name in fields)


def test_names_that_are_too_long_or_the_same_but_for_case_are_made_short():
    short = short_names(
        ["confidence_majority_mean", "elevation_mean", "elevation_majority_mean", "Id", "ID"]
    )
    assert list(short.values()) == ["confm_mean", "ElevationM", "Elevation1", "Id", "ID1"]


@pytest.mark.slow
def test_the_same_delivery_is_the_same_bytes(map_, delivered, tmp_path):
    coverage, units, _ = map_
    folder, outputs = delivered
    again = [str(tmp_path / path.rsplit("/", 1)[1]) for path in outputs]
    deliver_unit(coverage, (units, "31"), again, str(tmp_path / "31.json"), TAGS)
    first, second = (json.loads((place / "31.json").read_text()) for place in (folder, tmp_path))
    assert first == second


def test_tables_of_areas_and_digests(map_, delivered, tmp_path):
    folder, (gpkg, *_) = delivered  # written in four formats, counted once
    told = json.loads((folder / "31.json").read_text())
    assert told["polygons"] == len(gpd.read_file(gpkg, layer="land_cover"))
    areas, checksums = str(tmp_path / "areas.csv"), str(tmp_path / "SHA256SUMS")
    write_tables([str(folder / "31.json")], CLASSES, areas, checksums)
    with open(areas, newline="") as file:
        row = next(csv.DictReader(file))
    frame = gpd.read_file(gpkg, layer="land_cover")
    for code in range(1, 5):
        expected = frame.area[frame["code"] == code].sum() / 10_000
        assert float(row[f"Class {code}"]) == pytest.approx(expected, abs=1e-4)
    outline = map_[1].outlines("EPSG:32631")["31"]
    assert float(row["unit_ha"]) == pytest.approx(outline.area / 10_000, abs=1e-4)
    assert float(row["covered"]) == pytest.approx(frame.area.sum() / outline.area, abs=1e-6)
    for line in Path(checksums).read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_a_unit_without_mapped_pixels_is_an_empty_layer(map_, tmp_path):
    coverage, _, _ = map_
    path = write_units(tmp_path / "far.gpkg", [shapely.box(0, 0, 9, 9)], ["far"])
    output, summary = str(tmp_path / "far_layer.gpkg"), tmp_path / "far.json"
    deliver_unit(coverage, (Units(path, None, "dept"), "far"), [output], str(summary), TAGS)
    frame = gpd.read_file(output, layer="land_cover")
    assert len(frame) == 0
    assert "share_1" in frame.columns
    assert json.loads(summary.read_text())["covered"] == 0


@pytest.mark.slow
def test_the_whole_layer_is_one_of_polygons(map_, tmp_path):
    coverage, _, files = map_
    output = str(tmp_path / "whole.gpkg")
    write_whole(coverage, [output], TAGS)
    frame = gpd.read_file(output, layer="land_cover")
    assert set(frame.geom_type) == {"Polygon"}
    assert frame.is_valid.all()
    assert frame["pixels"].sum() == (files.codes > 0).sum()
    assert frame.area.sum() == pytest.approx(100 * (files.codes > 0).sum(), rel=1e-12)


@pytest.mark.slow
def test_parts_of_a_layer_become_one_file_in_formats_that_nothing_is_appended_to(map_, tmp_path):
    """The squares and the borders of the map; what GeoParquet tells of the whole is that of all."""
    coverage, _, _ = map_
    parts = len(list(coverage.parts()))
    gpkg, fgb, parquet = (str(tmp_path / f"whole{end}") for end in (".gpkg", ".fgb", ".parquet"))
    write_whole(coverage, [gpkg, fgb, parquet], TAGS)
    first = gpd.read_file(gpkg, layer="land_cover").set_index("id").sort_index()
    for other in (gpd.read_file(fgb), gpd.read_parquet(parquet)):
        frame = other.set_index("id").sort_index()
        assert shapely.equals_exact(frame.geometry.to_numpy(), first.geometry.to_numpy()).all()
        assert frame["share_1"].tolist() == first["share_1"].tolist()
        assert frame.crs == first.crs
    file = pq.ParquetFile(parquet)
    assert file.num_row_groups == parts > 5
    about = json.loads(file.metadata.metadata[b"geo"])["columns"]["geometry"]
    assert about["bbox"] == first.total_bounds.tolist()
    assert about["geometry_types"] == ["Polygon"]


def regions_of(coverage, units, shapes=None):
    """Region of each polygon by its number; `shapes` are what is delivered of them."""
    with_regions = replace(coverage, regions=units)
    found = {}
    for table in with_regions.parts():
        own = shapely.from_wkb(table["geometry"].to_numpy()) if shapes is None else shapes
        frame = with_regions.described(table, own)
        found |= dict(zip(frame["id"], frame["region"], strict=True))
    return found


def test_a_polygon_has_the_region_that_holds_most_of_it(map_):
    coverage, units, _ = map_
    outlines = units.outlines("EPSG:32631")
    found = regions_of(coverage, units)
    crossing = 0
    for table in coverage.parts():
        pairs = zip(table["number"].to_pylist(), table["geometry"].to_pylist(), strict=True)
        for number, shape in pairs:
            shares = {n: shapely.from_wkb(shape).intersection(o).area for n, o in outlines.items()}
            assert found[number] == max(shares, key=shares.get)
            crossing += min(shares.values()) > 0
    assert crossing > 3


@pytest.mark.parametrize(
    ("border", "region"), [(12, "east"), (18, "west"), (15, "east"), (-1, "east"), (31, "west")]
)
def test_the_region_is_not_that_of_the_first_pixel_nor_of_what_is_cut(tmp_path, border, region):
    coverage = Files(tmp_path, np.array([[1, 1, 1]], np.uint8)).coverage(4, Shape(tolerance=0.0))
    west = shapely.box(LEFT - 99, TOP - 10, LEFT + border, TOP)
    east = shapely.box(LEFT + border, TOP - 10, LEFT + 99, TOP)
    path = write_units(tmp_path / "regions.gpkg", [west, east], ["west", "east"])
    units = Units(path, None, "dept")
    assert regions_of(coverage, units) == {1: region}
    first = np.array([shapely.box(LEFT, TOP - 10, LEFT + 10, TOP)])
    assert regions_of(coverage, units, first) == {1: region}


def test_a_polygon_outside_all_regions_has_none(tmp_path):
    coverage = Files(tmp_path, np.array([[1]], np.uint8)).coverage(4, Shape())
    away = shapely.box(LEFT + 50, TOP - 10, LEFT + 90, TOP)
    path = write_units(tmp_path / "regions.gpkg", [away], ["away"])
    assert regions_of(coverage, Units(path, None, "dept")) == {1: ""}


GRID = Grid("EPSG:32631", LEFT, TOP, 10.0, 20, 20)


def plan(delivery=None, **section):
    return VectorPlan(
        VectorisationSection(**section),
        DeliverySection(**delivery) if delivery else None,
        GRID,
        [GRID],
        CLASSES,
    )


INSIDE = shapely.box(LEFT, TOP - 100, LEFT + 100, TOP)


def test_units_that_touch_the_map_are_delivered_under_names_of_files(tmp_path):
    far = shapely.box(0, 0, 1, 1)
    beside = shapely.box(LEFT + 200, TOP - 100, LEFT + 300, TOP)
    names = ["Côte-d'Or", "2A", "Far", "Beside"]
    path = write_units(tmp_path / "u.gpkg", [INSIDE, INSIDE, far, beside], names)
    assert plan({"path": path, "field": "dept"}).units == {"2A": "2A", "Cote-d-Or": "Côte-d'Or"}
    assert plan({"path": path, "field": "dept", "values": ["2A"]}).units == {"2A": "2A"}
    assert word_of("31") == "31"


def test_units_that_overlap_are_told_and_neighbours_are_not(tmp_path):
    """Of units of 1 ha that share a strip of 5 m the areas add up to 5 % more."""
    right = shapely.box(LEFT + 95, TOP - 100, LEFT + 195, TOP)
    path = write_units(tmp_path / "u.gpkg", [INSIDE, right, INSIDE], ["a", "b", "a"])
    (told,) = plan({"path": path, "field": "dept"}).remarks()
    assert "1 pair(s) of units overlap (a and b)" in told
    assert list(plan({"path": path, "field": "dept", "values": ["a"]}).remarks()) == []
    beside = shapely.box(LEFT + 100, TOP - 100, LEFT + 195, TOP)
    path = write_units(tmp_path / "v.gpkg", [INSIDE, beside], ["a", "b"])
    assert list(plan({"path": path, "field": "dept"}).remarks()) == []


def test_units_are_read_once_for_all_jobs_and_again_when_the_layer_has_changed(tmp_path):
    path = write_units(tmp_path / "u.gpkg", [INSIDE], ["a"])
    section = DeliverySection(path=path, field="dept")
    arguments = (VectorisationSection(), section, GRID, [GRID], CLASSES, str(tmp_path / "results"))
    VectorPlan(*arguments).keep_units()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Units, "outlines", None)  # the layer is not opened
        assert VectorPlan(*arguments).units == {"a": "a"}
    write_units(tmp_path / "u.gpkg", [INSIDE, INSIDE], ["a", "b"])
    assert VectorPlan(*arguments).units == {"a": "a", "b": "b"}


def test_units_are_brought_to_the_crs_of_the_map(tmp_path):
    frame = gpd.GeoDataFrame({"dept": [31.0]}, geometry=[INSIDE], crs="EPSG:32631").to_crs(4326)
    frame.to_file(tmp_path / "u.gpkg")
    section = {"path": str(tmp_path / "u.gpkg"), "field": "dept"}
    assert plan(section).units == {"31": "31"}
    found = Units(section["path"], None, "dept").outlines("EPSG:32631")["31"]
    assert found.symmetric_difference(INSIDE).area < 1


@pytest.mark.parametrize(
    ("shapes", "names", "section", "words"),
    [
        ([shapely.box(0, 0, 1, 1)], ["a"], {}, "none of its 1 unit.s. touches the map"),
        ([INSIDE], ["a"], {"field": "code"}, "no field 'code', found dept"),
        ([INSIDE], ["a"], {"values": ["b"]}, "no unit 'b' in field 'dept'"),
        (
            [INSIDE, shapely.box(0, 0, 1, 1)],
            ["a", "b"],
            {"values": ["b"]},
            "unit 'b' does not touch",
        ),
        ([INSIDE, INSIDE], ["a b", "a-b"], {}, "cannot name a file, as 'a b' would be"),
        ([INSIDE], ["…"], {}, "cannot name a file"),
        ([INSIDE], [None], {}, "a feature has no value in field 'dept'"),
        ([shapely.Point(LEFT + 5, TOP - 5)], ["a"], {}, "polygons are needed, found Point"),
    ],
)
def test_a_delivery_layer_that_cannot_be_used_is_named(tmp_path, shapes, names, section, words):
    path = write_units(tmp_path / "u.gpkg", shapes, names)
    found = list(plan({"path": path, "field": "dept", **section}).problems([0]))
    assert len(found) == 1
    assert found[0].startswith("delivery: ")
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(found[0])


def test_a_delivery_layer_without_crs_or_file_is_named(tmp_path):
    path = write_units(tmp_path / "u.gpkg", [INSIDE], ["a"], crs=None)
    assert "has no coordinate reference system" in next(
        plan({"path": path, "field": "dept"}).problems([0])
    )
    absent = {"path": str(tmp_path / "none.gpkg"), "field": "dept"}
    assert list(plan(absent).problems([0])) == [f"delivery.path: no file {absent['path']}"]


def test_a_draw_that_is_not_there_is_named():
    found = list(plan(seed=3).problems([0, 1]))
    assert found == ["vectorisation.seed: there is no draw 3; take one of 0, 1"]
    (told,) = plan(seed="fusion").problems([0, 1])
    assert "the maps of the draws are not fused" in told
    assert not list(replace(plan(seed="fusion"), fused=True).problems([0, 1]))


@pytest.mark.parametrize(
    ("seed", "fused", "name"),
    [
        (None, False, "Seed_0"),
        (None, True, "fusion"),
        (1, True, "Seed_1"),
        (0, True, "Seed_0"),
        ("fusion", True, "fusion"),
    ],
)
def test_polygons_are_of_the_fused_map_unless_a_draw_is_named(seed, fused, name):
    assert replace(plan(seed=seed), fused=fused).map == name


@pytest.mark.parametrize(
    ("left", "bands", "words"),
    [
        (LEFT, 1, None),
        (LEFT, 2, "has 2 bands"),
        (LEFT + 900, 1, "does not touch"),
        (None, 1, "none.tif"),
    ],
)
def test_a_raster_that_describes_nothing_of_the_map_is_named(tmp_path, left, bands, words):
    path = str(tmp_path / "none.tif")
    if left:
        with create_raster(path, Grid("EPSG:32631", left, TOP, 10.0, 9, 9), "uint8", bands=bands):
            pass
    chosen = plan(rasters=[{"name": "relief", "path": path}])
    production = SimpleNamespace(vectorisation=chosen, seeds=[0])
    found = list(checks._vectors(production))
    assert len(found) == (words is not None)
    assert all(
        text.startswith("vectorisation.rasters: relief: ") and words in text for text in found
    )


def test_a_tolerance_in_units_of_the_map_becomes_one_in_pixels():
    assert plan(tolerance=20.0).shape["tolerance"] == 2
    assert plan().shape["tolerance"] == 1.5
    assert plan(tolerance=0.0).shape["tolerance"] == 0


def test_seams_are_as_long_as_the_map_is_wide_and_high():
    """20 x 40 pixels: squares of 16 meet along one row of 40 and two columns of 20."""
    grid = Grid("EPSG:32631", 0, 0, 10, 20, 40)

    def seams(side: int) -> int:
        section = VectorisationSection(square_pixels=side)
        return VectorPlan(section, None, grid, [], CLASSES).seam_pixels

    assert [seams(side) for side in (16, 20, 40)] == [40 + 2 * 20, 20, 0]


def map_of_two_tiles(path=None) -> VectorPlan:
    """64 x 64 pixels in squares of 16; tiles of 16 x 16 at its upper left and lower right corner."""
    grid = Grid("EPSG:32631", LEFT, TOP, 10.0, 64, 64)
    tiles = [
        Grid("EPSG:32631", LEFT, TOP, 10.0, 16, 16),
        Grid("EPSG:32631", LEFT + 480, TOP - 480, 10.0, 16, 16),
    ]
    delivery = DeliverySection(path=path, field="dept") if path else None
    return VectorPlan(VectorisationSection(square_pixels=16), delivery, grid, tiles, CLASSES)


def test_squares_without_a_tile_in_them_above_or_to_their_left_are_left_out():
    found = map_of_two_tiles()
    assert list(found.squares) == ["r0c0", "r0c1", "r1c0", "r1c1", "r3c3"]
    assert set(found.division["left_out"]) == (
        {f"r{row}c{col}" for row in range(4) for col in range(4)} - set(found.squares)
    )
    assert list(divided(found.division)) == list(found.squares)
    assert "left_out" not in plan().division  # nor are productions of one tile made again


def test_a_unit_reads_the_bundles_of_the_squares_that_it_touches(tmp_path):
    corner = shapely.box(LEFT + 490, TOP - 640, LEFT + 500, TOP - 600)  # in r3c3
    edge = shapely.box(LEFT + 100, TOP - 50, LEFT + 160, TOP)  # in r0c0, touches r0c1
    path = write_units(tmp_path / "u.gpkg", [corner, edge], ["corner", "edge"])
    found = map_of_two_tiles(path)
    assert found.bundles_of_unit("corner") == ["r3c3"]
    assert found.bundles_of_unit("edge") == ["r0c0", "r0c1"]


def test_a_country_is_dealt_to_64_jobs_at_most():
    squares = squares_of(Grid("EPSG:32631", 0, 0, 10.0, 25, 30), 1)  # 750
    dealt = bundles(squares)
    assert len(dealt) == 63
    assert {len(names) for names in dealt.values()} == {12, 6}
    assert [name for names in dealt.values() for name in names] == list(squares)
    assert list(dealt)[:3] == ["r0c0", "r0c12", "r0c24"]
    assert bundles([]) == {}
    assert set(map(len, bundles(range(64)).values())) == {1}


def test_files_stand_in_the_folders_of_their_bundles():
    names = [f"r0c{col}" for col in range(65)]
    found = files_in_bundles(["x/polygons/r0c2", "x/polygons/r0c64"], names, "parquet")
    assert found == {
        "r0c2": "x/polygons/r0c2/r0c2.parquet",
        "r0c3": "x/polygons/r0c2/r0c3.parquet",
        "r0c64": "x/polygons/r0c64/r0c64.parquet",
    }


def test_each_format_has_its_file_and_its_style():
    files = plan(formats=["gpkg", "shp"]).layer_files("final/x")
    assert files == ["final/x.gpkg", "final/x.shp.zip", "final/x_shp.qml"]


MINIMAL = {
    "output": "results", "tiles": ["T31TCJ"], "nomenclature": "n.csv",
    "user_features": {"path": "u", "patterns": ["ALT"]},
    "reference": {"path": "r.gpkg", "field": "code"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"delivery": {"path": "d.gpkg", "field": "f"}}, "there are no polygons to deliver"),
        ({"vectorisation": {"formats": ["gpkg", "gpkg"]}}, "formats: gpkg stands twice"),
        ({"vectorisation": {"seed": -1}}, "seed"),
        ({"vectorisation": {"seed": "all"}}, "seed"),
        ({"vectorisation": {"method": "vw"}}, "'vw' is none of visvalingam, douglas_peucker"),
        # The columns of the map's own validity would hold that of the raster.
        (
            {"vectorisation": {"rasters": [{"name": "Validity", "path": "v.tif"}]}},
            "'Validity' names columns",
        ),
        ({"vectorisation": {"rasters": [{"name": "confidence", "path": "v.tif"}]}}, "another name"),
        ({"vectorisation": {"area_limit": 1.5}}, "greater than the maximum of 1"),
        (
            {"vectorisation": {}, "delivery": {"path": "d", "field": "f", "prefix": "a/b"}},
            "does not match",
        ),
    ],
)
def test_sections_that_cannot_be_are_refused(sections, words):
    with pytest.raises(ConfigError, match=words):
        complete_configuration(MINIMAL | sections)


def test_the_summary_names_the_polygons_where_there_are_any(tmp_path):
    final = tmp_path / "final"
    final.mkdir()
    names = (
        "Classif_Seed_0.tif",
        "Classif_Seed_0.png",
        "Confidence_Seed_0.tif",
        "PixelsValidity.tif",
    )
    for name in (*names, "RESULTS.txt"):
        (final / name).touch()
    assert "LandCover" not in summary(tmp_path)
    (final / "LandCover.gpkg").touch()
    assert f"polygons   {final}/LandCover.gpkg" in summary(tmp_path)
    assert "in QGIS" not in summary(tmp_path)
    (final / "production.qgz").touch()
    assert f"in QGIS    {final}/production.qgz" in summary(tmp_path)


def test_polygons_change_nothing_of_the_maps():
    plain = complete_configuration(MINIMAL)
    both = {"vectorisation": {"tolerance": 5.0}, "delivery": {"path": "d", "field": "f"}}
    assert complete_configuration(MINIMAL | both).digest == plain.digest


def test_a_unit_without_a_value_is_refused_by_the_job_as_well(tmp_path):
    path = write_units(tmp_path / "u.gpkg", [INSIDE], [" "])
    with pytest.raises(InputDataError, match="has no value"):
        Units(path, None, "dept").outlines("EPSG:32631")


@pytest.mark.parametrize("side", [2, 8])
def test_a_map_without_any_class_is_an_empty_layer(tmp_path, side):
    files = Files(tmp_path, np.zeros((3, 5), np.uint8))
    output = str(tmp_path / "whole.gpkg")
    write_whole(files.coverage(side, Shape()), [output], TAGS)
    frame = gpd.read_file(output, layer="land_cover")
    assert len(frame) == 0
    assert {"id", "code", "share_4"} <= set(frame.columns)


def test_polygons_that_touch_a_unit_from_outside_are_not_in_it(map_):
    coverage, _, files = map_
    unit = shapely.box(LEFT + 60, TOP - 90, LEFT + 180, TOP)  # along the sides of pixels
    shapes = np.concatenate([part for _, part in cut(coverage.parts(unit.bounds), unit)])
    assert not shapely.is_empty(shapes).any()
    assert len(shapes) < shapely.intersects(everything(coverage), unit).sum()
    assert shapely.area(shapes).sum() <= 100 * (files.codes[:9, 6:18] > 0).sum() * 1.2
