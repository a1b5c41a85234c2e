"""Styles: what QGIS and GDAL read from them."""

from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from osgeo import gdal

from iota2_tools.config.nomenclature import LandCoverClass, Nomenclature
from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.grid import Grid
from iota2_tools.geo.raster import create_raster
from iota2_tools.maps.layers import CLASS_MAP, CONFIDENCE, DIFFERENCE, VALIDITY
from iota2_tools.maps.style import write_attribute_table, write_class_style, write_ramp_style

NOMENCLATURE = Nomenclature(
    (LandCoverClass(1, "Forêt & <lande>", (0, 150, 0)), LandCoverClass(300, "Water", (0, 0, 255)))
)


def renderer(path):
    root = ElementTree.parse(path).getroot()
    assert root.tag == "qgis"
    return root.find("pipe/rasterrenderer")


def test_each_class_has_its_colour_and_name(tmp_path):
    path = tmp_path / "map.qml"
    write_class_style(NOMENCLATURE, str(path))
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE qgis PUBLIC")
    element = renderer(path)
    assert element.get("type") == "paletted"
    assert [entry.attrib for entry in element.findall("colorPalette/paletteEntry")] == [
        {"value": "1", "label": "Forêt & <lande>", "color": "#009600", "alpha": "255"},
        {"value": "300", "label": "Water", "color": "#0000ff", "alpha": "255"},
    ]


@pytest.mark.parametrize(
    ("layer", "maximum", "top", "colours"),
    [(CONFIDENCE, None, 100, "viridis"), (VALIDITY, 70, 70, "cividis")],
)
def test_ramps_are_perceptual_and_span_the_values(tmp_path, layer, maximum, top, colours):
    path = tmp_path / "layer.qml"
    write_ramp_style(layer, str(path), maximum=maximum)
    element = renderer(path)
    assert element.get("type") == "singlebandpseudocolor"
    items = element.findall("rastershader/colorrampshader/item")
    values = [float(item.get("value")) for item in items]
    assert values == pytest.approx(np.linspace(0, top, len(items)))
    expected = [
        matplotlib.colors.to_hex(matplotlib.colormaps[colours](value / top)) for value in values
    ]
    assert [item.get("color") for item in items] == expected


def test_the_difference_map_has_its_six_cases(tmp_path):
    path = tmp_path / "diff.qml"
    write_ramp_style(DIFFERENCE, str(path))
    entries = renderer(path).findall("colorPalette/paletteEntry")
    assert [(entry.get("value"), entry.get("label")) for entry in entries] == [
        ("1", "validation, wrong"),
        ("2", "validation, right"),
        ("3", "learning, wrong"),
        ("4", "learning, right"),
        ("5", "learning and validation, wrong"),
        ("6", "learning and validation, right"),
    ]


@pytest.mark.parametrize("layer", [VALIDITY, CLASS_MAP])
def test_a_ramp_without_end_is_refused(tmp_path, layer):
    with pytest.raises(InputDataError, match="no colour ramp"):
        write_ramp_style(layer, str(tmp_path / "layer.qml"))


def test_gdal_reads_the_class_names_beside_the_map(tmp_path):
    path = str(tmp_path / "map.tif")
    with create_raster(path, Grid("EPSG:32631", 0, 0, 10, 1, 1), "uint16", nodata=0):
        pass
    write_attribute_table(NOMENCLATURE, path + ".aux.xml")
    dataset = gdal.Open(path)
    table = dataset.GetRasterBand(1).GetDefaultRAT()
    codes, names = table.GetColOfUsage(gdal.GFU_MinMax), table.GetColOfUsage(gdal.GFU_Name)
    rows = range(table.GetRowCount())
    assert [table.GetValueAsInt(row, codes) for row in rows] == [1, 300]
    assert [table.GetValueAsString(row, names) for row in rows] == ["Forêt & <lande>", "Water"]
    assert table.GetValueAsInt(0, table.GetColOfUsage(gdal.GFU_Green)) == 150


def test_styles_are_the_same_bytes_again(tmp_path):
    for name in ("a", "b"):
        write_class_style(NOMENCLATURE, str(tmp_path / f"{name}.qml"))
    assert (tmp_path / "a.qml").read_bytes() == (tmp_path / "b.qml").read_bytes()
