"""Documents of a production on a few pixels: what stands in them where less is known than usual."""

import json
import os
import zipfile
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import numpy as np
import pytest
import shapely
from osgeo import gdal
from pystac.validation.local_validator import get_local_schema_cache
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7
from test_lock import ABOUT
from tiny import write_image

from iota2_tools.core.errors import InputDataError
from iota2_tools.core.places import CONFIG
from iota2_tools.geo.grid import Grid
from iota2_tools.planning.configuration import complete_configuration
from iota2_tools.planning.description import _years, user_files
from iota2_tools.planning.example import TILE
from iota2_tools.planning.parameters import Parameters
from iota2_tools.planning.production import Production
from iota2_tools.publishing.about import InputFile
from iota2_tools.publishing.crate import write_crate
from iota2_tools.publishing.products import Product, look_at_all
from iota2_tools.publishing.qgis import write_project
from iota2_tools.publishing.stac import classes_of, group_of, title_of, write_catalogue

SCHEMAS = "https://schemas.stacspec.org/v1.1.0"
CODES = np.arange(64, dtype=np.uint8).reshape(8, 8) % 4


@pytest.fixture
def final(tmp_path):
    """Two maps, one of them fused, and a table."""
    folder = tmp_path / "final"
    for name in ("Classif_Seed_0.tif", "Classifications_fusion.tif"):
        write_image(folder / name, CODES, nodata=0)
        dataset = gdal.Open(str(folder / name), gdal.GA_Update)
        table = gdal.ColorTable()
        table.SetColorEntry(1, (255, 0, 16, 255))
        dataset.GetRasterBand(1).SetColorTable(table)
        dataset.SetMetadata(
            {"TITLE": "Land cover", "LAYER": "class_map", "CLASS_1": "Forêt & lande"}
        )
        del dataset
    (folder / "RESULTS.txt").write_text("0.9\n")
    return folder


def catalogue(about, final) -> dict[str, dict]:
    products = look_at_all(final, [path.name for path in final.iterdir() if path.is_file()])
    names = write_catalogue(str(final / "stac"), about, products, final)
    return {name: json.loads((final / "stac" / name).read_text(encoding="utf-8")) for name in names}


def faults(document: dict) -> list[str]:
    schemas = get_local_schema_cache()
    registry = Registry().with_resources(
        [(address, Resource.from_contents(schema, DRAFT7)) for address, schema in schemas.items()]
    )
    kind = "item" if document["type"] == "Feature" else "collection"
    schema = schemas[f"{SCHEMAS}/{kind}-spec/json-schema/{kind}.json"]
    return [
        error.message
        for error in jsonschema.Draft7Validator(schema, registry=registry).iter_errors(document)
    ]


def test_items_are_by_draw_fusion_and_delivery():
    names = ["diff_seed_12.tif", "RESULTS_seeds.txt", "delivery/unit_1.gpkg", "PixelsValidity.tif",
             "Classif_Regularised_fusion.png", "features/Sentinel2_NDVI_20180101.tif",
             "delivery/unit_Lin_seed_3.gpkg", "features/my_seed_3.tif"]  # fmt: skip
    groups = [group_of(Product(name, 0, "")) for name in names]
    assert groups == ["seed_12", "fusion", "delivery", "", "fusion", "", "delivery", ""]


def test_units_whose_names_differ_in_capitals_alone_are_two_assets(final):
    for name in ("unit_Nord.gpkg", "unit_nord.gpkg"):
        (final / "delivery").mkdir(exist_ok=True)
        (final / "delivery" / name).write_text(name)
    products = [Product(f"delivery/unit_{name}.gpkg", 0, "0" * 64) for name in ("Nord", "nord")]
    write_catalogue(str(final / "stac"), ABOUT, products, final)
    item = json.loads((final / "stac" / "delivery.json").read_text())
    assert sorted(asset["href"] for asset in item["assets"].values()) == [
        "../delivery/unit_Nord.gpkg", "../delivery/unit_nord.gpkg",
    ]  # fmt: skip


def test_a_title_of_other_letters_has_an_identifier(final):
    found = catalogue(replace(ABOUT, title="土地被覆"), final)
    assert all(faults(document) == [] for document in found.values())
    assert found["collection.json"]["id"] == "land_cover_0f"
    assert found["seed_0.json"]["collection"] == "land_cover_0f"
    assert found["seed_0.json"]["id"] == "land_cover_0f-seed_0"


def test_a_production_without_dates_has_items_of_the_hour_they_were_made(final):
    found = catalogue(replace(ABOUT, dates=None, sensors=[]), final)
    assert set(found) == {"collection.json", "seed_0.json", "fusion.json"}
    assert all(faults(document) == [] for document in found.values())
    item = found["seed_0.json"]["properties"]
    assert item["datetime"] == item["created"] != ""
    assert found["collection.json"]["extent"]["temporal"]["interval"] == [[None, None]]
    assert "rasters of the user" in found["collection.json"]["description"]


def test_a_projection_without_a_code_is_told_in_words(final):
    crs = "+proj=laea +lat_0=47 +lon_0=2 +x_0=0 +y_0=0 +ellps=GRS80 +units=m"
    tiles = {"A": ABOUT.tiles["T31TCJ"] | {"crs": crs, "left": 0, "top": 0}}
    item = catalogue(replace(ABOUT, tiles=tiles), final)["seed_0.json"]
    assert item["properties"]["proj:code"] is None
    assert item["properties"]["proj:wkt2"].startswith("PROJCRS")
    # The centre of the projection is 2 degrees east, 47 north: the tile lies south-east of it.
    assert item["bbox"][0] == pytest.approx(2, abs=1e-5)
    assert item["bbox"][3] == pytest.approx(47, abs=1e-5)
    assert faults(item) == []


def test_an_item_tells_where_and_of_when_the_map_is(final):
    """8 rows and 4 columns of 10 m in zone 31; corner 0.49593 degrees east, 44.22597 north (gdaltransform)."""
    tiles = {"A": ABOUT.tiles["T31TCJ"] | {"cols": 4}}
    for path in final.glob("*.tif"):
        write_image(path, CODES[:, :4], nodata=0)
    item = catalogue(replace(ABOUT, tiles=tiles), final)["seed_0.json"]
    for told in (item["properties"], item["assets"]["classif"]):
        assert told["proj:code"] == "EPSG:32631"
        assert told["proj:shape"] == [8, 4]
        assert told["proj:transform"] == [10, 0, 300_000, 0, -10, 4_900_020, 0, 0, 1]
        assert told["proj:bbox"] == [300_000, 4_899_940, 300_040, 4_900_020]
    assert item["bbox"] == pytest.approx([0.49593, 44.22526, 0.49646, 44.22597], abs=4e-5)
    outline = shapely.geometry.shape(item["geometry"])
    assert outline.bounds == pytest.approx(item["bbox"], abs=1e-4)
    assert shapely.is_ccw(outline.exterior)
    assert item["properties"]["start_datetime"] == "2018-01-06T00:00:00Z"
    assert item["properties"]["end_datetime"] == "2018-12-30T23:59:59Z"


def test_a_map_over_the_antimeridian_is_told_on_both_sides_of_it(final):
    """A tile of Fiji. By pyproj: 179.88 °E in the west to 179.08 °W in the east."""
    pyproj = pytest.importorskip("pyproj")
    grid = Grid("EPSG:32701", 170_000, 8_100_040, 10, 10980, 10980)
    found = catalogue(replace(ABOUT, tiles={"T01KAB": grid.as_dict()}), final)
    assert all(faults(document) == [] for document in found.values())
    item = found["seed_0.json"]
    west, south, east, north = item["bbox"]
    transformer = pyproj.Transformer.from_crs(32701, 4326, always_xy=True)
    edges = np.linspace(0, 1, 41)
    left, bottom, right, top = grid.bounds
    x = np.r_[left + edges * 0, right + edges * 0, left + edges * (right - left)]
    y = np.r_[bottom + edges * (top - bottom), bottom + edges * (top - bottom), bottom + edges * 0]
    longitudes, latitudes = transformer.transform(x, y)
    assert west == pytest.approx((longitudes % 360).min(), abs=1e-5)
    assert east == pytest.approx((longitudes % 360).max() - 360, abs=1e-5)
    assert west > 179.8 > 0 > east > -179.2
    assert south == pytest.approx(latitudes.min(), abs=1e-4)
    assert found["collection.json"]["extent"]["spatial"]["bbox"] == [item["bbox"]]
    shape = shapely.from_geojson(json.dumps(item["geometry"]))
    assert shape.is_valid
    parts = sorted(part.bounds for part in shape.geoms)
    assert [part[0] for part in parts] == [-180, pytest.approx(west, abs=1e-3)]
    assert [part[2] for part in parts] == [pytest.approx(east, abs=1e-3), 180]
    assert north == pytest.approx(max(part[3] for part in parts), abs=1e-3)


def test_hours_are_those_of_the_products_and_not_of_what_tells_of_them(final):
    """Seconds since 1970: 100 and 200 of products, 300 of a document, 400 of a fused map of all draws."""
    write_image(final / "Confidence_Seed_0.tif", CODES)
    (final / "production.qgz").write_bytes(b"x")
    names = (
        "Classif_Seed_0.tif",
        "Confidence_Seed_0.tif",
        "production.qgz",
        "Classifications_fusion.tif",
    )
    for name, second in zip(names, (100, 200, 300, 400), strict=True):
        os.utime(final / name, (second, second))
    os.utime(final / "RESULTS.txt", (150, 150))
    assert catalogue(ABOUT, final)["seed_0.json"]["properties"]["created"] == "1970-01-01T00:03:20Z"
    write_crate(str(final / "c.json"), ABOUT, look_at_all(final, names[:3]), {}, final)
    graph = {item["@id"]: item for item in json.loads((final / "c.json").read_text())["@graph"]}
    assert graph["#run"]["startTime"] == "1970-01-01T00:01:40+00:00"
    assert graph["#run"]["endTime"] == graph["./"]["datePublished"] == "1970-01-01T00:03:20+00:00"


def test_what_the_user_says_of_the_maps_is_told(final):
    given = {
        "producer": "Institute",
        "url": "https://example.org/",
        "licence": "CC-BY-4.0",
        "description": "Mine.",
    }
    about = replace(ABOUT, title="Été 2018", publication=given)
    found = catalogue(about, final)["collection.json"]
    assert (found["id"], found["title"], found["license"]) == ("ete_2018", "Été 2018", "CC-BY-4.0")
    assert found["description"] == "Mine."
    assert found["providers"] == [
        {"name": "Institute", "roles": ["producer", "licensor"], "url": "https://example.org/"}
    ]
    write_crate(str(final / "c.json"), about, look_at_all(final, ["RESULTS.txt"]), {}, final)
    graph = {item["@id"]: item for item in json.loads((final / "c.json").read_text())["@graph"]}
    assert graph["./"]["license"] == {"@id": "https://spdx.org/licenses/CC-BY-4.0"}
    assert graph["#run"]["agent"] == {"@id": "#producer"}
    assert graph["#producer"]["name"] == "Institute"


def test_extensions_are_those_whose_fields_are_there(final):
    for path in final.glob("*.tif"):
        path.unlink()
    found = catalogue(ABOUT, final)["collection.json"]
    assert [uri.split("/")[3] for uri in found["stac_extensions"]] == ["file"]


def test_classes_have_names_that_catalogues_allow_and_nodata_is_one(final):
    dataset = gdal.Open(str(final / "Classif_Seed_0.tif"))
    assert classes_of(dataset) == [
        {"value": 0, "name": "nodata", "title": "No data", "nodata": True},
        {"value": 1, "name": "foret_lande", "title": "Forêt & lande", "color_hint": "FF0010"},
    ]


def test_each_kind_of_product_has_a_title():
    assert title_of("Confusion_Matrix_Classif_Seed_0.csv") == "Confusion matrix"
    assert title_of("delivery/areas.csv") == "Areas of the classes by unit"
    assert title_of("delivery/unit_1.gpkg") == "Polygons of a unit"
    assert title_of("unknown.bin") == "unknown.bin"


def test_inputs_of_a_crate_stand_by_folder_and_names_are_addresses(final):
    inputs = {
        "s2/A B/x.tif": InputFile(5, "1"), "s2/A B/y.tif": InputFile(7, "2"), "s2/gone.tif": InputFile(None, None),
    }  # fmt: skip
    write_crate(str(final / "c.json"), ABOUT, look_at_all(final, ["RESULTS.txt"]), inputs, final)
    graph = {item["@id"]: item for item in json.loads((final / "c.json").read_text())["@graph"]}
    assert graph["#run"]["object"] == [{"@id": "#input/s2/A%20B"}]
    assert graph["#input/s2/A%20B"]["contentSize"] == "12"
    assert "agent" not in graph["#run"]
    assert graph["./"]["license"].startswith("No licence is stated")


def project(final, products) -> ElementTree.Element:
    write_project(str(final / "p.qgz"), "Land cover", products, final)
    with zipfile.ZipFile(final / "p.qgz") as archive:
        return ElementTree.fromstring(archive.read("p.qgs"))


def test_the_fused_map_is_shown_where_there_is_one(final):
    names = ["Classif_Seed_0.tif", "Classifications_fusion.tif"]
    for count, shown in ((1, names[0]), (2, names[1])):
        root = project(final, [Product(name, 0, "") for name in names[:count]])
        checked = [
            n.get("source")
            for n in root.iter("layer-tree-layer")
            if n.get("checked") == "Qt::Checked"
        ]
        assert checked == [f"./{shown}"]


def test_a_project_is_the_same_bytes_again(final):
    products = [Product("Classif_Seed_0.tif", 0, "")]
    project(final, products)
    first = (final / "p.qgz").read_bytes()
    project(final, products)
    assert (final / "p.qgz").read_bytes() == first


def test_a_raster_without_style_is_shown_from_black_to_white(final):
    write_image(final / "features" / "relief.tif", np.arange(64, dtype=np.float32).reshape(8, 8))
    root = project(
        final, [Product("features/relief.tif", 0, ""), Product("Classif_Seed_0.tif", 0, "")]
    )
    layer = next(n for n in root.iter("maplayer") if n.findtext("layername") == "relief")
    renderer = layer.find("pipe/rasterrenderer")
    assert renderer.get("type") == "singlebandgray"
    assert renderer.findtext("contrastEnhancement/minValue") == "0"
    assert renderer.findtext("contrastEnhancement/maxValue") == "63"


def test_a_raster_without_any_value_is_in_the_project_as_well(final):
    empty = np.full((8, 8), -32768, np.int16)
    write_image(final / "features" / "none.tif", empty, nodata=-32768)
    root = project(final, [Product(f"{n}.tif", 0, "") for n in ("features/none", "Classif_Seed_0")])
    layer = next(n for n in root.iter("maplayer") if n.findtext("layername") == "none")
    limits = [layer.findtext(f".//contrastEnhancement/{n}Value") for n in ("min", "max")]
    assert limits == ["0", "1"]


def test_folders_may_have_names_that_addresses_write_otherwise(final, tmp_path):
    import geopandas as gpd

    frame = gpd.GeoDataFrame({"code": [1]}, geometry=[shapely.box(0, 0, 1, 1)], crs="EPSG:32631")
    moved = final.rename(tmp_path / "50 %25? a#b")
    frame.to_file(moved / "LandCover.gpkg", layer="land")
    root = project(moved, [Product(n, 0, "") for n in ("Classif_Seed_0.tif", "LandCover.gpkg")])
    assert "./LandCover.gpkg|layername=land" in [n.text for n in root.iter("datasource")]


def test_units_whose_names_differ_in_signs_alone_are_two_layers(final):
    import geopandas as gpd

    frame = gpd.GeoDataFrame({"code": [1]}, geometry=[shapely.box(0, 0, 1, 1)], crs="EPSG:32631")
    (final / "delivery").mkdir()
    names = ["delivery/unit_Lot-et-Garonne.gpkg", "delivery/unit_Lot_et_Garonne.gpkg"]
    for name in names:
        frame.to_file(final / name, layer="land")
    root = project(final, [Product(name, 0, "") for name in ["Classif_Seed_0.tif", *names]])
    layers = [n.findtext("id") for n in root.iter("maplayer")]
    assert len(set(layers)) == len(layers) == 3
    assert layers == [n.get("id") for n in root.iter("layer-tree-layer")]
    assert "Classif_Seed_0_tif" in layers


def test_a_package_with_styles_of_others_alone_has_the_usual_one(final):
    import geopandas as gpd
    import pandas as pd
    import pyogrio

    frame = gpd.GeoDataFrame({"code": [1]}, geometry=[shapely.box(0, 0, 1, 1)], crs="EPSG:32631")
    styles = pd.DataFrame({"f_table_name": ["other"], "styleQML": ["<qgis/>"]})
    for name in ("plain", "styled"):
        frame.to_file(final / f"{name}.gpkg", layer="land")
    pyogrio.write_dataframe(styles, final / "styled.gpkg", layer="layer_styles", append=True)
    names = ["Classif_Seed_0.tif", "plain.gpkg", "styled.gpkg"]
    root = project(final, [Product(name, 0, "") for name in names])
    symbols = [
        [ElementTree.tostring(child) for child in n if child.tag == "renderer-v2"]
        for n in root.iter("maplayer")
        if n.get("type") == "vector"
    ]
    assert symbols[0] == symbols[1] != []


def test_layers_stand_by_group_and_tell_whether_they_are_in_degrees(final):
    """The class map comes first, whatever the names; the other raster is in degrees."""
    write_image(final / "Confidence_Seed_0.tif", CODES, resolution=0.001, left=0, epsg=4326)
    dataset = gdal.Open(str(final / "Confidence_Seed_0.tif"), gdal.GA_Update)
    dataset.SetMetadata({"TITLE": "A confidence", "LAYER": "confidence"})
    del dataset
    names = ["Confidence_Seed_0.tif", "Classif_Seed_0.tif"]
    root = project(final, [Product(name, 0, "") for name in names])
    groups = [n.get("name") for n in root.iter("layer-tree-group") if n.get("name")]
    assert groups == ["Land cover", "Confidence"]
    flags = [n.findtext("srs/spatialrefsys/geographicflag") for n in root.iter("maplayer")]
    assert flags == ["false", "true"]


def test_a_package_of_several_layers_is_refused(final):
    import geopandas as gpd

    frame = gpd.GeoDataFrame({"code": [1]}, geometry=[shapely.box(0, 0, 1, 1)], crs="EPSG:32631")
    for layer in ("a", "b"):
        frame.to_file(final / "LandCover.gpkg", layer=layer)
    with pytest.raises(InputDataError, match=r"LandCover\.gpkg: holds 2 layers, not one"):
        project(final, [Product("Classif_Seed_0.tif", 0, ""), Product("LandCover.gpkg", 0, "")])
    assert not Path(final, "p.qgz").exists()


def test_files_of_the_user_are_those_named_and_what_their_modules_import(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "season.py").write_text("from .helpers import peak\n")
    (tmp_path / "own" / "helpers.py").write_text("peak = 1\n")
    (tmp_path / "own" / "unused.py").write_text("")
    given = {
        "output": "results", "tiles": [TILE], "nomenclature": str(CONFIG / "nomenclature.csv"),
        "reference": {"path": "polygons.gpkg", "field": "code"}, "sensors": {"sentinel2": {"path": "s2"}},
        "external_features": [{"module": "own/season.py", "function": "season"}],
    }  # fmt: skip
    found = user_files(Parameters(Production(complete_configuration(given))))
    assert sorted(found) == sorted(
        [str(CONFIG / "nomenclature.csv"), "polygons.gpkg", "own/season.py", "own/helpers.py"]
    )


@pytest.mark.parametrize(
    ("dates", "title"),
    [
        (["2018-01-06", "2018-12-20"], "Land cover 2018"),
        (["2017-10-01", "2018-09-20"], "Land cover 2017-2018"),
        (None, "Land cover"),
    ],
)
def test_the_title_has_the_years_of_the_features(dates, title):
    assert f"Land cover{_years(dates)}" == title
