"""The final products as a STAC collection with an item for each draw, in `final/stac`.

References
----------
STAC 1.1.0 and its extensions projection 2.0.0, raster 2.0.0, classification 2.0.0, file 2.1.0.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osgeo import gdal, osr

from iota2_tools.core.errors import InputDataError
from iota2_tools.core.files import whole_file
from iota2_tools.geo.grid import (
    Grid,
    grid_of,
    metres,
    spatial_reference,
    transform_bounds,
    union,
)
from iota2_tools.geo.raster import classes_named_by, open_raster
from iota2_tools.publishing.about import About, hour_of
from iota2_tools.publishing.products import DRAW, Product

if TYPE_CHECKING:
    import shapely

VERSION = "1.1.0"
EXTENSIONS = {
    "proj:": "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
    "raster:": "https://stac-extensions.github.io/raster/v2.0.0/schema.json",
    "classification:": "https://stac-extensions.github.io/classification/v2.0.0/schema.json",
    "file:": "https://stac-extensions.github.io/file/v2.1.0/schema.json",
}
"""Schemas of the extensions, by what the names of their fields begin with."""
DEGREES, HALF = "EPSG:4326", 180.0
TURNS = ((-360.0, 0.0), (0.0, 0.0), (360.0, 0.0))
"""Round the world, degrees."""
EDGES = 20
"""Parts of an edge that bounds are found by."""
SHA256 = "1220"
"""Before a digest: it is SHA-256, of 32 bytes (multihash)."""

MEDIA_TYPES = {
    ".tif": "image/tiff; application=geotiff; profile=cloud-optimized",
    ".png": "image/png",
    ".csv": "text/csv",
    ".txt": "text/plain",
    ".qml": "application/xml",
    ".xml": "application/xml",
    ".json": "application/json",
    ".gpkg": "application/geopackage+sqlite3",
    ".fgb": "application/vnd.flatgeobuf",
    ".parquet": "application/vnd.apache.parquet",
    ".zip": "application/zip",
    ".qgz": "application/zip",
    ".html": "text/html",
}
ROLES = {
    ".tif": "data", ".gpkg": "data", ".fgb": "data", ".parquet": "data", ".zip": "data",
    ".png": "overview", ".qml": "style", ".xml": "metadata",
}  # fmt: skip
TITLES = (
    (r"Classif(ications)?_.*\.png", "Picture of the map"),
    (r"Confusion_Matrix.*\.csv", "Confusion matrix"),
    (r"Confusion_Matrix.*\.png", "Confusion matrix, figure"),
    (r"Areas_.*", "Areas of the classes"),
    (r"RESULTS.*", "Accuracy"),
    (r"scores.*", "Scores"),
    (r"Histograms_.*", "Confidence of right and wrong pixels"),
    (r"LandCover.*", "Polygons of the map"),
    (r"delivery/areas.csv", "Areas of the classes by unit"),
    (r"delivery/SHA256SUMS", "Checksums of the polygons of units"),
    (r"delivery/.*", "Polygons of a unit"),
    (r".*\.qml", "Style for QGIS"),
    (r".*\.xml", "Names of the classes for GDAL"),
)


def write_catalogue(
    folder: str, about: About, products: Sequence[Product], final: str | Path
) -> list[str]:
    """Write the collection and its items; links and paths are relative, so that `final` can move.

    Parameters
    ----------
    folder : str
        Folder of the catalogue, inside `final`.
    about : About
        What the production is.
    products : sequence of Product
        The final products.
    final : str or Path
        Where they lie.

    Returns
    -------
    list of str
        Files of that folder: `collection.json`, and one for each of `group_of`.
    """
    groups: dict[str, list[Product]] = {}
    for product in products:
        groups.setdefault(group_of(product), []).append(product)
    shared = groups.pop("", [])
    items = {name: _item(name, about, members, Path(final)) for name, members in groups.items()}
    collection = _collection(about, list(items), _assets(shared, Path(final)))
    written = []
    for name, content in [("collection", collection), *items.items()]:
        content["stac_extensions"] = _extensions_of(content)
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        written.append(f"{name}.json")
        with whole_file(str(Path(folder, written[-1]))) as temporary:
            Path(temporary).write_text(text, encoding="utf-8")
    return written


def _extensions_of(content: Mapping[str, Any]) -> list[str]:
    """Extensions whose fields a document has."""
    fields = {*content.get("properties", {})}.union(*content["assets"].values())
    return [
        uri for prefix, uri in EXTENSIONS.items() if any(name.startswith(prefix) for name in fields)
    ]


def group_of(product: Product) -> str:
    """Item that a product stands in; empty for those of all draws.

    >>> group_of(Product("Areas_Seed_1.csv", 0, ""))
    'seed_1'
    """
    if product.draw is not None:
        return f"seed_{product.draw}"
    if product.path.startswith("delivery/"):
        return "delivery"
    return "fusion" if re.search(r"_(fusion|seeds)\b", product.path) else ""


def _collection(about: About, items: Sequence[str], assets: Mapping[str, Any]) -> dict[str, Any]:
    start, end = _period(about)
    publication = about.publication
    producer = publication.get("producer")
    providers = [{"name": producer, "roles": ["producer", "licensor"]}] if producer else []
    if providers and publication.get("url"):
        providers[0]["url"] = publication["url"]
    return {
        "type": "Collection",
        "stac_version": VERSION,
        "stac_extensions": [],
        "id": _identity(about),
        "title": about.title,
        "description": about.description,
        "keywords": ["land cover", *about.sensors],
        "license": publication.get("licence") or "other",
        **({"providers": providers} if providers else {}),
        "extent": {
            "spatial": {"bbox": [_bounds(union(about.grids))]},
            "temporal": {"interval": [[start, end]]},
        },
        "summaries": {"tiles": list(about.tiles), "software": [about.software]},
        "links": [
            {"rel": "root", "href": "./collection.json", "type": "application/json"},
            *(
                {"rel": "item", "href": f"./{name}.json", "type": "application/geo+json"}
                for name in items
            ),
        ],
        "assets": dict(assets),
    }


def _item(name: str, about: About, members: Sequence[Product], final: Path) -> dict[str, Any]:
    start, end = _period(about)
    grid = union(about.grids)
    draw = f"draw {name[5:]}" if name.startswith("seed_") else name
    newest = max(hour_of(final / product.path) for product in members)
    when = {"datetime": None, "start_datetime": start, "end_datetime": end}
    return {
        "type": "Feature",
        "stac_version": VERSION,
        "stac_extensions": [],
        "id": f"{_identity(about)}-{name}",
        "collection": _identity(about),
        "geometry": _footprint(about.grids),
        "bbox": _bounds(grid),
        "properties": {
            "title": f"{about.title}, {draw}",
            "created": newest,
            **(when if start else {"datetime": newest}),
            **_projection(grid),
        },
        "links": [
            {"rel": rel, "href": "./collection.json", "type": "application/json"}
            for rel in ("root", "parent", "collection")
        ],
        "assets": _assets(members, final),
    }


def _identity(about: About) -> str:
    """Name of the collection; a title may be of letters that no identifier has."""
    return _word(about.title) or f"land_cover_{about.digest[:8]}"


def _assets(products: Sequence[Product], final: Path) -> dict[str, Any]:
    """Assets by key; of products whose names differ in capitals alone, the later ones by their path."""
    found: dict[str, Any] = {}
    for product in products:
        key = _key(product)
        found[product.path if key in found else key] = _asset(product, final)
    return found


def _key(product: Product) -> str:
    """Name of an asset: that of its file, without the draw."""
    name = DRAW.sub("", product.path).replace("/", "_").lower()
    return name.removesuffix(".tif").replace(".", "_")


def _asset(product: Product, final: Path) -> dict[str, Any]:
    end = Path(product.path).suffix
    found: dict[str, Any] = {
        "href": f"../{product.path}",
        "type": MEDIA_TYPES.get(end, "application/octet-stream"),
        "title": title_of(product.path),
        "roles": [ROLES.get(end, "metadata")],
        "file:size": product.size,
        "file:checksum": SHA256 + product.sha256,
    }
    if end == ".tif":
        found |= _raster(str(final / product.path))
    return found


def title_of(path: str) -> str:
    """What a product is, for readers, where its file does not tell itself."""
    matching = (title for pattern, title in TITLES if re.fullmatch(pattern, path))
    return next(matching, path)


def _raster(path: str) -> dict[str, Any]:
    dataset, grid = open_raster(path), grid_of(path)
    tags = dataset.GetMetadata()
    classes = classes_of(dataset)
    bands = [dataset.GetRasterBand(number + 1) for number in range(dataset.RasterCount)]
    return {
        "title": tags.get("TITLE", title_of(Path(path).name)),
        **({"description": tags["DESCRIPTION"]} if "DESCRIPTION" in tags else {}),
        "gsd": metres(grid),
        **_projection(grid),
        "raster:spatial_resolution": grid.resolution,
        "bands": [_band(band) for band in bands],
        **({"classification:classes": classes} if classes else {}),
    }


def _band(band: gdal.Band) -> dict[str, Any]:
    nodata = band.GetNoDataValue()
    kind = gdal.GetDataTypeName(band.DataType).lower()
    found = {"name": band.GetDescription(), "data_type": "uint8" if kind == "byte" else kind}
    if nodata is not None:
        found["nodata"] = "nan" if math.isnan(nodata) else nodata
    return found | ({"unit": band.GetUnitType()} if band.GetUnitType() else {})


def classes_of(dataset: gdal.Dataset) -> list[dict[str, Any]]:
    """Classes of a map by its tags ``CLASS_<code>`` and its palette, in the order of the codes."""
    table = dataset.GetRasterBand(1).GetColorTable()
    names = classes_named_by(dataset)
    if not table or not names:
        return []
    nodata = dataset.GetRasterBand(1).GetNoDataValue()
    empty = {"value": int(nodata), "name": "nodata", "title": "No data", "nodata": True}
    return [
        *([empty] if nodata is not None and nodata not in names else []),
        *(
            {
                "value": code,
                "name": _word(name) or f"class_{code}",
                "title": name,
                "color_hint": "{:02X}{:02X}{:02X}".format(*table.GetColorEntry(code)[:3]),
            }
            for code, name in names.items()
        ),
    ]


def _projection(grid: Grid) -> dict[str, Any]:
    reference = spatial_reference(grid.crs)
    code = reference.GetAuthorityCode(None)
    told: dict[str, Any] = {
        "proj:code": f"{reference.GetAuthorityName(None)}:{code}" if code else None
    }
    if not code:
        told["proj:wkt2"] = reference.ExportToWkt(["FORMAT=WKT2_2019"])
    left, width, _, top, _, height = grid.geotransform
    return {
        **told,
        "proj:bbox": list(grid.bounds),
        "proj:shape": [grid.rows, grid.cols],
        "proj:transform": [width, 0, left, 0, height, top, 0, 0, 1],
    }


def _period(about: About) -> tuple[str | None, str | None]:
    if not about.dates:
        return None, None
    first, last = about.dates
    return f"{first}T00:00:00Z", f"{last}T23:59:59Z"


def _bounds(grid: Grid) -> list[float]:
    """West, south, east, north of a grid, degrees of WGS 84; over the antimeridian east is below west."""
    try:
        found = transform_bounds(grid.bounds, grid.crs, DEGREES)
    except InputDataError:  # no box of degrees in one piece
        found = _outline(grid, _longitude(grid), EDGES).bounds
    west, south, east, north = found
    return [round(value, 7) for value in (_usual(west), south, _usual(east), north)]


def _footprint(grids: Sequence[Grid]) -> dict[str, Any]:
    """Outlines of the tiles as one geometry, WGS 84, anticlockwise as GeoJSON wants it; cut at the antimeridian."""
    import shapely

    middle = _longitude(grids[0])
    whole = shapely.union_all([_outline(grid, middle) for grid in grids])
    if max(map(abs, whole.bounds)) > HALF:
        world = shapely.box(-HALF, -90, HALF, 90)
        turns = [shapely.transform(whole, lambda xy, by=by: xy + by) for by in TURNS]
        whole = shapely.union_all(shapely.intersection(turns, world))
    whole = shapely.set_precision(shapely.simplify(whole, 1e-5), 1e-7)
    return json.loads(shapely.to_geojson(shapely.orient_polygons(whole)))


def _outline(grid: Grid, middle: float, parts: int = 4) -> "shapely.Polygon":
    """Outline of a grid, degrees; longitudes are those nearest to `middle`, over the antimeridian too."""
    import shapely

    ring = shapely.segmentize(shapely.box(*grid.bounds), grid.cols * grid.resolution / parts)
    points = _to_degrees(grid).TransformPoints(shapely.get_coordinates(ring).tolist())
    return shapely.Polygon([((x - middle + HALF) % 360 - HALF + middle, y) for x, y, *_ in points])


def _longitude(grid: Grid) -> float:
    """Longitude of the middle of a grid."""
    left, bottom, right, top = grid.bounds
    return float(_to_degrees(grid).TransformPoint((left + right) / 2, (bottom + top) / 2)[0])


def _to_degrees(grid: Grid) -> osr.CoordinateTransformation:
    return osr.CoordinateTransformation(spatial_reference(grid.crs), spatial_reference(DEGREES))


def _usual(longitude: float) -> float:
    """A longitude from -180 to 180."""
    return longitude if abs(longitude) <= HALF else (longitude + HALF) % 360 - HALF


def _word(text: str) -> str:
    """A name of letters, digits, - and _ alone."""
    import unicodedata

    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^0-9A-Za-z_-]+", "_", plain).strip("_").lower()
