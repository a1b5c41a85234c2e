"""The final products as a QGIS project, `final/production.qgz`; no QGIS is needed to write it.

The project is of QGIS 3.22, with paths relative to it. Each layer holds its style, so that it
looks the same without the style files beside it.
"""

import sqlite3
import zipfile
from collections import Counter
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree as xml

from osgeo import gdal

from iota2_tools.core.errors import InputDataError
from iota2_tools.core.files import whole_file
from iota2_tools.geo.grid import Grid, grid_of, spatial_reference
from iota2_tools.geo.raster import open_raster
from iota2_tools.maps.layers import LAYERS
from iota2_tools.maps.style import grey_style, ramp_style
from iota2_tools.publishing.products import Product
from iota2_tools.vectors.style import outline_style

DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
VERSION = "3.22.0-Białowieża"
FIXED_TIME = (1980, 1, 1, 0, 0, 0)
"""Of the file in the archive: the same project gives the same bytes."""

GROUPS = {
    "class_map": "Land cover",
    "regularised_map": "Land cover",
    "confidence": "Confidence",
    "prediction_sets": "Confidence",
    "probability": "Probabilities",
    "validity": "Clear dates",
    "difference": "Map against reference",
    "choice": "Source of the class",
    "feature": "Features",
}
"""Group of each layer of a raster, in the order of the legend, above them the polygons."""
POLYGONS, UNITS, OTHERS = "Polygons", "Delivery", "Others"
TITLES = {
    "LandCover.gpkg": ("Land cover, polygons", POLYGONS),
    "Suspicious_Polygons.gpkg": ("Learning polygons whose label looks wrong", GROUPS["difference"]),
}
"""Names in the legend, and groups, of GeoPackages; others are units of the delivery."""
ORDER = [POLYGONS, *dict.fromkeys(GROUPS.values()), UNITS, OTHERS]
SHOWN = ("Classifications_fusion.tif", "Classif_Seed_0.tif")
"""The first of these that is there is what the project opens on."""


@dataclass(frozen=True)
class _Layer:
    """A layer of the project: path in `final`, name and group in the legend, its style.

    `twins`: how many layers before it have paths that differ from its own in signs alone.
    """

    path: str
    name: str
    group: str
    style: xml.Element
    crs: str
    bounds: tuple[float, float, float, float]
    vector: str = ""
    twins: int = 0

    @property
    def identity(self) -> str:
        return _plain(self.path) + (f"_{self.twins}" if self.twins else "")


def _plain(path: str) -> str:
    """Letters and digits of a path; QGIS takes layers of one identity for one layer."""
    return "".join(c if c.isalnum() else "_" for c in path)


def write_project(path: str, title: str, products: Sequence[Product], final: str | Path) -> None:
    """Write the project.

    Parameters
    ----------
    path : str
        File `.qgz`, in `final`.
    title : str
        Of the production.
    products : sequence of Product
        The final products; rasters and GeoPackages become layers.
    final : str or Path
        Where they lie.

    Raises
    ------
    InputDataError
        If a layer cannot be read.
    """
    layers = []
    for product in products:
        if product.path.endswith(".tif"):
            layers.append(_raster(product.path, Path(final)))
        elif product.path.endswith(".gpkg"):
            layers.append(_polygons(product.path, Path(final)))
    seen: Counter[str] = Counter()
    for number, layer in enumerate(layers):
        layers[number] = replace(layer, twins=seen[_plain(layer.path)])
        seen[_plain(layer.path)] += 1
    layers.sort(key=lambda layer: (ORDER.index(layer.group), layer.name))
    maps = [grid_of(str(Path(final, item.path))) for item in products if item.path.endswith(".tif")]
    text = DOCTYPE + xml.tostring(_project(title, layers, maps), encoding="unicode") + "\n"
    with whole_file(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        entry = zipfile.ZipInfo(f"{Path(path).stem}.qgs", FIXED_TIME)
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, text.encode())


def _raster(path: str, final: Path) -> _Layer:
    """A raster with the style beside it; those that have none get one of their values."""
    grid, dataset = grid_of(str(final / path)), open_raster(str(final / path))
    tags = dataset.GetMetadata()
    layer = LAYERS.get(tags.get("LAYER", ""))
    style_file = (final / path).with_suffix(".qml")
    if style_file.is_file():
        style = xml.parse(style_file).getroot()
    elif layer and layer.maximum:
        style = ramp_style(layer, layer.maximum)
    else:
        style = grey_style(*_limits(dataset.GetRasterBand(1)))
    group = GROUPS.get(layer.name, OTHERS) if layer else OTHERS
    return _Layer(path, _name(path, tags), group, style, grid.crs, grid.bounds)


def _limits(band: gdal.Band) -> tuple[float, float]:
    """Smallest and largest value of a band, of a part of its pixels where that tells any; 0 and 1 of one without."""
    for some in (True, False):
        with suppress(RuntimeError):  # no pixel of them has a value
            lowest, highest = band.ComputeRasterMinMax(some)
            return lowest, highest
    return 0, 1


def _name(path: str, tags: dict[str, str]) -> str:
    """Name in the legend: title, and draw or fusion."""
    stem = Path(path).stem
    title = tags.get("TITLE", stem)
    if path.startswith("features/"):
        return stem
    _, _, draw = stem.lower().rpartition("seed_")
    raw = ", before smoothing" if "_raw_" in stem else ""
    if "_Regularised_" in stem and "regularised" not in title:
        raw = ", regularised"
    if draw.isdigit() and "seed_" in stem.lower():
        return f"{title}{raw}, draw {draw}"
    return f"{title}{raw}, all draws" if stem.endswith("_fusion") else title


def _polygons(path: str, final: Path) -> _Layer:
    """The layer of polygons of a GeoPackage, with the style it holds."""
    file = (final / path).resolve().as_uri()  # a folder may be called `50 %` or `a?b`
    with closing(sqlite3.connect(f"{file}?mode=ro", uri=True)) as database:
        contents = database.execute(
            "SELECT c.table_name, c.min_x, c.min_y, c.max_x, c.max_y, s.organization, "
            "s.organization_coordsys_id, s.definition FROM gpkg_contents c JOIN gpkg_spatial_ref_sys s "
            "ON c.srs_id = s.srs_id WHERE c.data_type = 'features'"
        ).fetchall()
        if len(contents) != 1:
            raise InputDataError(
                f"{final / path}: holds {len(contents)} layers, not one; make it again"
            )
        name, *bounds, authority, code, definition = contents[0]
        styled = database.execute(
            "SELECT name FROM sqlite_master WHERE name = 'layer_styles'"
        ).fetchone()
        found = (outline_style(),)
        if styled:
            own = "SELECT styleQML FROM layer_styles WHERE f_table_name = ?"
            found = database.execute(own, (name,)).fetchone() or found
    crs = definition if authority.upper() != "EPSG" else f"EPSG:{code}"
    title, group = TITLES.get(path, (Path(path).stem, UNITS))
    style = xml.fromstring(found[0])
    west, south, east, north = (float(value or 0) for value in bounds)
    box = (west, south, east, north)
    return _Layer(path, title, group, style, crs, box, vector=name)


def _project(title: str, layers: Sequence[_Layer], maps: Sequence[Grid]) -> xml.Element:
    whole = maps[0]
    root = xml.Element("qgis", {"projectname": title, "version": VERSION})
    xml.SubElement(root, "homePath", {"path": ""})
    xml.SubElement(root, "title").text = title
    _reference(xml.SubElement(root, "projectCrs"), whole.crs)
    shown = next((name for name in SHOWN if any(layer.path == name for layer in layers)), "")
    root.append(_tree(layers, shown))
    root.append(_canvas(whole))
    root.append(_legend(layers, shown))
    order = xml.SubElement(root, "layerorder")
    held = xml.SubElement(root, "projectlayers")
    for layer in layers:
        xml.SubElement(order, "layer", {"id": layer.identity})
        held.append(_map_layer(layer))
    properties = xml.SubElement(root, "properties")
    paths = xml.SubElement(properties, "Paths")
    xml.SubElement(paths, "Absolute", {"type": "bool"}).text = "false"
    systems = xml.SubElement(properties, "SpatialRefSys")
    xml.SubElement(systems, "ProjectionsEnabled", {"type": "int"}).text = "1"
    return root


def _tree(layers: Sequence[_Layer], shown: str) -> xml.Element:
    """Groups and layers of the legend; one map is shown."""
    tree = xml.Element("layer-tree-group")
    xml.SubElement(tree, "customproperties")
    for group in dict.fromkeys(layer.group for layer in layers):
        members = [layer for layer in layers if layer.group == group]
        opened = any(layer.path == shown for layer in members)
        node = xml.SubElement(
            tree,
            "layer-tree-group",
            {"name": group, "checked": _checked(opened), "expanded": str(int(opened))},
        )
        xml.SubElement(node, "customproperties")
        for layer in members:
            is_shown = layer.path == shown
            entry = xml.SubElement(
                node,
                "layer-tree-layer",
                {
                    "id": layer.identity,
                    "name": layer.name,
                    "source": _source(layer),
                    "providerKey": "ogr" if layer.vector else "gdal",
                    "checked": _checked(is_shown),
                    "expanded": str(int(is_shown)),
                },
            )
            xml.SubElement(entry, "customproperties")
    return tree


def _legend(layers: Sequence[_Layer], shown: str) -> xml.Element:
    """The same as QGIS 2 had it, which some readers still look for."""
    legend = xml.Element("legend", {"updateDrawingOrder": "true"})
    for layer in layers:
        entry = xml.SubElement(
            legend, "legendlayer", {"name": layer.name, "checked": _checked(layer.path == shown)}
        )
        group = xml.SubElement(entry, "filegroup", {"open": "false", "hidden": "false"})
        xml.SubElement(
            group,
            "legendlayerfile",
            {"layerid": layer.identity, "visible": str(int(layer.path == shown))},
        )
    return legend


def _checked(yes: bool) -> str:
    return "Qt::Checked" if yes else "Qt::Unchecked"


def _source(layer: _Layer) -> str:
    """What its provider opens, relative to the project."""
    name = f"|layername={layer.vector}" if layer.vector else ""
    return f"./{layer.path}{name}"


def _canvas(grid: Grid) -> xml.Element:
    canvas = xml.Element("mapcanvas", {"name": "theMapCanvas", "annotationsVisible": "1"})
    degrees = spatial_reference(grid.crs).IsGeographic()
    xml.SubElement(canvas, "units").text = "degrees" if degrees else "meters"
    _extent(canvas, grid.bounds)
    xml.SubElement(canvas, "rotation").text = "0"
    _reference(xml.SubElement(canvas, "destinationsrs"), grid.crs)
    return canvas


def _extent(parent: xml.Element, bounds: Sequence[float]) -> None:
    extent = xml.SubElement(parent, "extent")
    for name, value in zip(("xmin", "ymin", "xmax", "ymax"), bounds, strict=True):
        xml.SubElement(extent, name).text = repr(float(value))


def _reference(parent: xml.Element, crs: str) -> None:
    """A coordinate reference system, by its text, its PROJ string and its code."""
    reference = spatial_reference(crs)
    node = xml.SubElement(parent, "spatialrefsys", {"nativeFormat": "Wkt"})
    xml.SubElement(node, "wkt").text = reference.ExportToWkt(["FORMAT=WKT2_2019"])
    xml.SubElement(node, "proj4").text = reference.ExportToProj4()
    code = reference.GetAuthorityCode(None)
    if code:
        xml.SubElement(node, "srid").text = code
        xml.SubElement(node, "authid").text = f"{reference.GetAuthorityName(None)}:{code}"
    xml.SubElement(node, "description").text = reference.GetName()
    xml.SubElement(node, "geographicflag").text = str(bool(reference.IsGeographic())).lower()


def _map_layer(layer: _Layer) -> xml.Element:
    """A layer as the project holds it: where it lies, and its style."""
    kind = {"type": "vector", "geometry": "Polygon"} if layer.vector else {"type": "raster"}
    node = xml.Element(
        "maplayer", {**kind, "autoRefreshEnabled": "0", "hasScaleBasedVisibilityFlag": "0"}
    )
    _extent(node, layer.bounds)
    xml.SubElement(node, "id").text = layer.identity
    xml.SubElement(node, "datasource").text = _source(layer)
    xml.SubElement(node, "layername").text = layer.name
    _reference(xml.SubElement(node, "srs"), layer.crs)
    provider = xml.SubElement(node, "provider")
    provider.text = "ogr" if layer.vector else "gdal"
    if layer.vector:
        provider.set("encoding", "UTF-8")
    for child in layer.style:
        node.append(child)
    return node
