"""Stage catalogue: what tells of the final products, held against the products themselves."""

import hashlib
import json
import os
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path

import jsonschema
import numpy as np
import pystac
import pytest
import yaml
from conftest import ROOT
from independent import pixels
from osgeo import gdal
from pystac.extensions.classification import ClassificationExtension
from pystac.extensions.file import FileExtension
from pystac.extensions.projection import ProjectionExtension
from pystac.validation.local_validator import get_local_schema_cache
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7
from rocrate.rocrate import ROCrate

SCHEMAS = {
    "Collection": "https://schemas.stacspec.org/v1.1.0/collection-spec/json-schema/collection.json",
    "Feature": "https://schemas.stacspec.org/v1.1.0/item-spec/json-schema/item.json",
}


@pytest.fixture(scope="module")
def final(small_production) -> Path:
    return small_production.results / "final"


@pytest.fixture(scope="module")
def lock(final) -> dict:
    return json.loads((final / "production.lock").read_text(encoding="utf-8"))


def files_below(folder: Path) -> set[str]:
    """What stands in `final`, but for the report, which tells of what is described."""
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return {name for name in found if not name.startswith("report/")}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_describe_production_locks_every_file_of_final(made, final, lock):
    made("describe_production", "final/production.lock")
    assert set(lock["products"]) == files_below(final) - {"production.lock"}
    for name, product in lock["products"].items():
        assert product["sha256"] == sha256(final / name)
        assert product["size"] == (final / name).stat().st_size
        tells = name.startswith("stac/") or name in ("production.qgz", "ro-crate-metadata.json")
        assert (product["content"] is None) == tells, name
    kept = [path.read_bytes() for path in (final.parent / "locks").iterdir()]
    assert (final / "production.lock").read_bytes() in kept
    schema = ROOT / "workflow" / "schemas" / "lock.schema.yaml"
    jsonschema.validate(lock, yaml.safe_load(schema.read_text(encoding="utf-8")))


def test_describe_production_counts_the_pixels_of_each_class(final, lock):
    codes, counts = np.unique(pixels(final / "Classif_Seed_1.tif"), return_counts=True)
    expected = {
        str(code): count
        for code, count in zip(codes.tolist(), counts.tolist(), strict=True)
        if code
    }
    assert lock["products"]["Classif_Seed_1.tif"]["content"]["values"] == expected


def test_describe_production_names_every_file_that_was_read(small_production, lock):
    """Of the acquisitions all images and masks that were read, the damaged one too; the archive, not what is in it."""
    scene = small_production.folder / "scene"
    known = {path for path, state in lock["inputs"].items() if state["size"] is not None}
    images = {
        f"scene/{path.relative_to(scene).as_posix()}"
        for path in scene.glob("sentinel2/*/*/**/*.tif")
        if not path.name.endswith(("_B1.tif", "_B9.tif", "_B10.tif"))
    }
    read = {
        path
        for path in images
        if any(word in path for word in ("_FRE_", "CLM_R1", "EDG_R1", "SAT_R1"))
    }
    archives = {
        f"scene/{path.relative_to(scene).as_posix()}" for path in scene.glob("sentinel2/*/*.zip")
    }
    others = {
        f"scene/reference/{name}" for name in ("reference.gpkg", "regions.gpkg", "nomenclature.csv")
    }
    assert len(archives) == 1
    assert read | archives | others == known
    for path in known:
        assert lock["inputs"][path]["size"] == (small_production.folder / path).stat().st_size


def test_describe_production_makes_a_project_of_relative_paths_with_styles(final):
    with zipfile.ZipFile(final / "production.qgz") as archive:
        assert archive.namelist() == ["production.qgs"]
        project = ElementTree.fromstring(archive.read("production.qgs"))
    layers = project.findall("projectlayers/maplayer")
    sources = [layer.findtext("datasource") for layer in layers]
    suspicious = "./Suspicious_Polygons.gpkg|layername=suspicious_polygons"
    assert sorted(sources) == sorted(
        [suspicious, *(f"./{path.relative_to(final).as_posix()}" for path in final.rglob("*.tif"))]
    )
    for layer, source in zip(layers, sources, strict=True):
        drawn = "renderer-v2" if source == suspicious else "pipe/rasterrenderer"
        assert layer.find(drawn) is not None, source
    assert project.findtext("properties/Paths/Absolute") == "false"
    shown = [n for n in project.iter("layer-tree-layer") if n.get("checked") == "Qt::Checked"]
    assert [node.get("source") for node in shown] == ["./Classif_Seed_0.tif"]
    identities = {layer.findtext("id") for layer in layers}
    assert {node.get("id") for node in project.iter("layer-tree-layer")} == identities
    assert len(identities) == len(layers)


def documents(final: Path) -> list[dict]:
    return [json.loads(path.read_text()) for path in sorted((final / "stac").glob("*.json"))]


def faults(document: dict, schemas: dict[str, dict], uri: str) -> list[str]:
    """What the schema of an address finds in a document."""
    registry = Registry().with_resources(
        [(address, Resource.from_contents(schema, DRAFT7)) for address, schema in schemas.items()]
    )
    validator = jsonschema.Draft7Validator(schemas[uri], registry=registry)
    return [error.message for error in validator.iter_errors(document)]


def test_describe_production_writes_stac_that_keeps_to_the_specification(final):
    """By the schemas of STAC that pystac carries; those of the extensions in the next test."""
    found = documents(final)
    assert [item["type"] for item in found] == ["Collection", "Feature", "Feature"]
    for item in found:
        assert faults(item, get_local_schema_cache(), SCHEMAS[item["type"]]) == []
    assert faults(found[1] | {"bbox": "none"}, get_local_schema_cache(), SCHEMAS["Feature"])


def test_describe_production_writes_stac_that_keeps_to_its_extensions(final):
    """By their own schemas, in the folder IOTA2_STAC_SCHEMAS under the path of their addresses."""
    folder = os.environ.get("IOTA2_STAC_SCHEMAS")
    if not folder:
        pytest.skip("IOTA2_STAC_SCHEMAS names no folder with the schemas of STAC's extensions")
    schemas = get_local_schema_cache() | {
        f"https://stac-extensions.github.io/{path.relative_to(folder).as_posix()}": json.loads(
            path.read_text(encoding="utf-8")
        )
        for path in Path(folder).rglob("schema.json")
    }
    for item in documents(final):
        assert item["stac_extensions"]
        for uri in item["stac_extensions"]:
            assert faults(item, schemas, uri) == []


def test_describe_production_writes_stac_that_others_read(final):
    """By pystac: links lead to one another, assets to the products, and tell what GDAL tells of them."""
    collection = pystac.Collection.from_file(str(final / "stac" / "collection.json"))
    items = {item.id.rpartition("-")[2]: item for item in collection.get_items()}
    assert sorted(items) == ["seed_0", "seed_1"]
    item = items["seed_1"]
    assert item.get_collection().id == collection.id
    assert item.properties["start_datetime"][:10] == "2018-02-03"
    paths = [
        Path(asset.get_absolute_href())
        for owner in (item, collection)
        for asset in owner.assets.values()
    ]
    assert all(path.is_file() for path in paths)
    asset = next(a for a in item.assets.values() if a.href.endswith("/Classif_Seed_1.tif"))
    raster = gdal.Open(str(final / "Classif_Seed_1.tif"))
    place = ProjectionExtension.ext(asset)
    assert place.code == "EPSG:32631"
    assert place.shape == [raster.RasterYSize, raster.RasterXSize]
    left, width, _, top, _, height = raster.GetGeoTransform()
    assert place.transform == [width, 0, left, 0, height, top, 0, 0, 1]
    table = raster.GetRasterBand(1).GetColorTable()
    classes = [c for c in ClassificationExtension.ext(asset).classes if not c.nodata]
    assert [c.value for c in classes] == list(range(1, 12))
    for found in classes:
        assert bytes.fromhex(found.color_hint) == bytes(table.GetColorEntry(found.value)[:3])
    file = FileExtension.ext(asset)
    assert file.checksum == "1220" + sha256(final / "Classif_Seed_1.tif")
    assert file.size == (final / "Classif_Seed_1.tif").stat().st_size
    west, south, east, north = item.bbox
    corner = gdal.Info(raster, format="json")["wgs84Extent"]["coordinates"][0]
    assert [west, south, east, north] == pytest.approx(
        [min(x for x, _ in corner), min(y for _, y in corner), max(x for x, _ in corner), max(y for _, y in corner)],
        abs=2e-5,
    )  # fmt: skip


def test_describe_production_writes_a_crate_that_others_read(final):
    """By rocrate; the run has what the Process Run Crate 0.5 asks for."""
    crate = ROCrate(final)
    files = {entity.id for entity in crate.data_entities}
    assert files == files_below(final) - {"ro-crate-metadata.json"}
    assert crate.root_dataset["conformsTo"].id == "https://w3id.org/ro/wfrun/process/0.5"
    run = crate.root_dataset["mentions"]
    assert run.type == "CreateAction"
    assert run["instrument"].type == "SoftwareApplication"
    assert {entity.id for entity in run["result"]} == files
    names = {entity["name"] for entity in run["object"]}
    assert {"reference", "SENTINEL2A_20180603-235959-000_L2A_T31TCJ_C_V2-2"} <= names
    assert run["startTime"] <= run["endTime"] == crate.root_dataset["datePublished"]
    picture = crate.dereference("Classif_Seed_0.png")
    assert picture["sha256"] == sha256(final / "Classif_Seed_0.png")
