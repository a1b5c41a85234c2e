"""QGIS styles (.qml, QGIS 3) and attribute tables of the final maps.

QGIS loads `map.qml` with `map.tif` when both lie in one folder; GDAL and QGIS 3.30 read class
names from `map.tif.aux.xml`, for a GeoTIFF itself has no place for them but tags.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.etree import ElementTree as xml

from iota2_tools.config.nomenclature import Nomenclature
from iota2_tools.core.errors import InputDataError
from iota2_tools.core.files import whole_file
from iota2_tools.maps.layers import Layer

# Eleven equal steps of matplotlib's perceptually uniform ramps (CC0): dark to light, also in
# grey and for colour-blind eyes.
VIRIDIS = (
    "#440154", "#482475", "#414487", "#355f8d", "#2a788e", "#21918c",
    "#22a884", "#44bf70", "#7ad151", "#bddf26", "#fde725",
)  # fmt: skip
CIVIDIS = (
    "#00224e", "#083370", "#35456c", "#4f576c", "#666970", "#7d7c78",
    "#948e77", "#aea371", "#c8b866", "#e5cf52", "#fee838",
)  # fmt: skip
RAMPS = {
    "confidence": VIRIDIS,
    "change_confidence": VIRIDIS,
    "probability": VIRIDIS,
    "validity": CIVIDIS,
    "prediction_sets": CIVIDIS,
}

DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"


def write_class_style(nomenclature: Nomenclature, path: str) -> None:
    """Write the QGIS style of a class map: each code with its colour and name.

    Parameters
    ----------
    nomenclature : Nomenclature
        Codes, names and colours.
    path : str
        Style file, `.qml`, to stand beside the map under the same name.
    """
    renderer = _renderer("paletted")
    palette = xml.SubElement(renderer, "colorPalette")
    for item in nomenclature.classes:
        entry = {"value": str(item.code), "label": item.name, "color": item.hex_colour}
        xml.SubElement(palette, "paletteEntry", {**entry, "alpha": "255"})
    _write(_style(renderer), path)


def write_ramp_style(layer: Layer, path: str, *, maximum: float | None = None) -> None:
    """Write the QGIS style of a layer of quantities, or of a layer with classes of its own.

    Parameters
    ----------
    layer : Layer
        Confidence, validity or probability: a colour ramp from 0 to the maximum. Difference map:
        its six cases.
    path : str
        Style file, `.qml`.
    maximum : float, optional
        Value of the last colour, in the unit of the layer; by default `layer.maximum`. Give the
        number of dates for the validity.

    Raises
    ------
    InputDataError
        If neither the layer nor the caller says where the ramp ends.
    """
    if layer.classes is not None:
        write_class_style(layer.classes, path)
        return
    maximum = layer.maximum if maximum is None else maximum
    if maximum is None or layer.name not in RAMPS:
        raise InputDataError(
            f"{layer.title}: no colour ramp without classes nor a largest value; "
            "give the nomenclature of a class map, the number of dates of a validity map"
        )
    _write(ramp_style(layer, maximum), path)


def ramp_style(layer: Layer, maximum: float) -> xml.Element:
    """QGIS style of a layer of `RAMPS`: its colours from 0 to a largest value."""
    top = f"{maximum:g}"
    renderer = _renderer("singlebandpseudocolor", classificationMin="0", classificationMax=top)
    _add_ramp(renderer, RAMPS[layer.name], maximum, layer.unit)
    return _style(renderer)


def grey_style(lowest: float, highest: float) -> xml.Element:
    """QGIS style of a band of quantities without colours of their own: black to white."""
    renderer = _renderer("singlebandgray", grayBand="1", gradient="BlackToWhite")
    contrast = xml.SubElement(renderer, "contrastEnhancement")
    limits = (("minValue", f"{lowest:g}"), ("maxValue", f"{highest:g}"))
    _add_texts(contrast, (*limits, ("algorithm", "StretchToMinimumMaximum")))
    return _style(renderer)


def _renderer(kind: str, **attributes: str) -> xml.Element:
    common = {"type": kind, "band": "1", "opacity": "1", "alphaBand": "-1", "nodataColor": ""}
    renderer = xml.Element("rasterrenderer", {**common, **attributes})
    xml.SubElement(renderer, "rasterTransparency")
    origin = xml.SubElement(renderer, "minMaxOrigin")
    xml.SubElement(origin, "limits").text = "None"
    xml.SubElement(origin, "extent").text = "WholeRaster"
    return renderer


def _add_ramp(renderer: xml.Element, colours: Sequence[str], maximum: float, unit: str) -> None:
    """Interpolated ramp from 0 to `maximum`, with the same colours as QGIS's own gradient."""
    shader = xml.SubElement(xml.SubElement(renderer, "rastershader"), "colorrampshader")
    attributes = {
        "colorRampType": "INTERPOLATED",
        "classificationMode": "2",
        "clip": "0",
        "minimumValue": "0",
        "maximumValue": f"{maximum:g}",
        "labelPrecision": "0",
    }
    shader.attrib.update(attributes)
    steps = len(colours) - 1
    stops = ":".join(f"{i / steps:g};{_rgba(colours[i])}" for i in range(1, steps))
    ramp = xml.SubElement(shader, "colorramp", {"type": "gradient", "name": "[source]"})
    options = {
        "color1": _rgba(colours[0]),
        "color2": _rgba(colours[-1]),
        "discrete": "0",
        "rampType": "gradient",
        "stops": stops,
    }
    group = xml.SubElement(ramp, "Option", {"type": "Map"})
    for name, value in options.items():
        xml.SubElement(group, "Option", {"name": name, "type": "QString", "value": value})
    for name, value in options.items():  # QGIS before 3.26 reads these
        xml.SubElement(ramp, "prop", {"k": name, "v": value})
    for i, colour in enumerate(colours):
        value = f"{maximum * i / steps:g}"
        entry = {"value": value, "label": f"{value} {unit}", "color": colour, "alpha": "255"}
        xml.SubElement(shader, "item", entry)


def _rgba(colour: str) -> str:
    return ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5)) + ",255"


def _style(renderer: xml.Element) -> xml.Element:
    """A raster style around a renderer; nearest neighbour, so that classes never blend."""
    root = xml.Element("qgis", {"version": "3.22.0", "styleCategories": "Symbology"})
    pipe = xml.SubElement(root, "pipe")
    resampling = {"enabled": "false", "zoomedInResamplingMethod": "nearestNeighbour"}
    resampling |= {"zoomedOutResamplingMethod": "nearestNeighbour", "maxOversampling": "2"}
    xml.SubElement(xml.SubElement(pipe, "provider"), "resampling", resampling)
    pipe.append(renderer)
    xml.SubElement(pipe, "brightnesscontrast", {"brightness": "0", "contrast": "0", "gamma": "1"})
    neutral = {"saturation": "0", "grayscaleMode": "0", "invertColors": "0", "colorizeOn": "0"}
    xml.SubElement(pipe, "huesaturation", neutral)
    xml.SubElement(pipe, "rasterresampler", {"maxOversampling": "2"})
    xml.SubElement(root, "blendMode").text = "0"
    return root


def write_attribute_table(nomenclature: Nomenclature, path: str) -> None:
    """Write the class names of a map as GDAL's raster attribute table.

    By hand: GDAL 3.13 writes no file for a table of a GeoTIFF.

    Parameters
    ----------
    nomenclature : Nomenclature
        Codes, names and colours.
    path : str
        Name of the map followed by `.aux.xml`.

    References
    ----------
    GDAL's persistent auxiliary metadata; field types and usages of GDALRasterAttributeTable.
    """
    columns = (("Value", 0, 5), ("Class", 2, 2), ("Red", 0, 6), ("Green", 0, 7), ("Blue", 0, 8))
    root = xml.Element("PAMDataset")
    band = xml.SubElement(root, "PAMRasterBand", {"band": "1"})
    table = xml.SubElement(band, "GDALRasterAttributeTable", {"tableType": "thematic"})
    for index, (name, kind, usage) in enumerate(columns):
        column = xml.SubElement(table, "FieldDefn", {"index": str(index)})
        _add_texts(column, (("Name", name), ("Type", kind), ("Usage", usage)))
    for index, item in enumerate(nomenclature.classes):
        row = xml.SubElement(table, "Row", {"index": str(index)})
        _add_texts(row, (("F", value) for value in (item.code, item.name, *item.colour)))
    _write(root, path, doctype="")


def _add_texts(parent: xml.Element, texts: Iterable[tuple[str, object]]) -> None:
    for tag, text in texts:
        xml.SubElement(parent, tag).text = str(text)


def _write(root: xml.Element, path: str, doctype: str = DOCTYPE) -> None:
    xml.indent(root)
    with whole_file(path) as temporary:
        text = doctype + xml.tostring(root, encoding="unicode") + "\n"
        Path(temporary).write_text(text, encoding="utf-8")
