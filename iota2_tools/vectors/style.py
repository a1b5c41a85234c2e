"""QGIS style of polygons: each class with its colour and name."""

import xml.etree.ElementTree as xml
from collections.abc import Mapping

from iota2_tools.config.nomenclature import Nomenclature

DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"


def polygon_style(classes: Nomenclature, field: str) -> str:
    """Style of a layer of polygons as text (QML).

    Outlines have the colour of their polygon: those of neighbours in white would hide small ones,
    and without outlines hairlines shine through between polygons that touch.

    Parameters
    ----------
    field : str
        Column that holds the class code.
    """
    root = xml.Element("qgis", {"version": "3.22.0", "styleCategories": "Symbology"})
    renderer = xml.SubElement(
        root, "renderer-v2", {"type": "categorizedSymbol", "attr": field, "enableorderby": "0"}
    )
    categories = xml.SubElement(renderer, "categories")
    symbols = xml.SubElement(renderer, "symbols")
    for number, item in enumerate(classes.classes):
        entry = {"value": str(item.code), "symbol": str(number), "label": item.name}
        xml.SubElement(categories, "category", {**entry, "render": "true", "type": "long"})
        colour = ",".join(map(str, (*item.colour, 255)))
        options = {
            "color": colour,
            "outline_color": colour,
            "outline_style": "solid",
            "outline_width": "0.05",
            "style": "solid",
        }
        _add_symbol(symbols, str(number), options)
    return _text(root)


OUTLINE = {
    "color": "0,0,0,0", "outline_color": "213,94,0,255", "outline_style": "solid",
    "outline_width": "0.6", "style": "no",
}  # fmt: skip
"""Of polygons that are pointed at: what lies under them is seen."""


def outline_style() -> str:
    """Style of a layer of polygons of which only the outlines are drawn, as text (QML)."""
    root = xml.Element("qgis", {"version": "3.22.0", "styleCategories": "Symbology"})
    renderer = xml.SubElement(root, "renderer-v2", {"type": "singleSymbol", "enableorderby": "0"})
    _add_symbol(xml.SubElement(renderer, "symbols"), "0", OUTLINE)
    return _text(root)


def _add_symbol(symbols: xml.Element, name: str, options: Mapping[str, str]) -> None:
    """A symbol of polygons, filled or outlined."""
    symbol = xml.SubElement(symbols, "symbol", {"type": "fill", "name": name, "alpha": "1"})
    layer = xml.SubElement(symbol, "layer", {"class": "SimpleFill", "enabled": "1"})
    group = xml.SubElement(layer, "Option", {"type": "Map"})
    for key, value in options.items():
        xml.SubElement(group, "Option", {"name": key, "type": "QString", "value": value})
    for key, value in options.items():  # QGIS before 3.26 reads these
        xml.SubElement(layer, "prop", {"k": key, "v": value})


def _text(root: xml.Element) -> str:
    xml.SubElement(root, "layerGeometryType").text = "2"
    xml.indent(root)
    return DOCTYPE + xml.tostring(root, encoding="unicode") + "\n"
