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


@pytest.mark.parametrize("enabled", [None, "NO"])
def test_gdal_reads_the_class_names_beside_the_map(tmp_path, monkeypatch, enabled):
    """Also written where a user has told GDAL to leave nothing beside images."""
    if enabled:
        monkeypatch.setenv("GDAL_PAM_ENABLED", enabled)
    path = str(tmp_path / "map.tif")
    with create_raster(path, Grid("EPSG:32631", 0, 0, 10, 1, 1), "uint16", nodata=0):
        pass
    write_attribute_table(NOMENCLATURE, path + ".aux.xml")
    monkeypatch.delenv("GDAL_PAM_ENABLED", raising=False)
    dataset = gdal.Open(path)
    table = dataset.GetRasterBand(1).GetDefaultRAT()
    codes, names = table.GetColOfUsage(gdal.GFU_MinMax), table.GetColOfUsage(gdal.GFU_Name)
    rows = range(table.GetRowCount())
    assert [table.GetValueAsInt(row, codes) for row in rows] == [1, 300]
    assert [table.GetValueAsString(row, names) for row in rows] == ["Forêt & <lande>", "Water"]
    colours = [
        table.GetColOfUsage(usage) for usage in (gdal.GFU_Red, gdal.GFU_Green, gdal.GFU_Blue)
    ]
    assert [[table.GetValueAsInt(row, column) for column in colours] for row in rows] == [
        [0, 150, 0],
        [0, 0, 255],
    ]
    assert table.GetTableType() == gdal.GRTT_THEMATIC
    assert gdal.ReadDirRecursive("/vsimem/") is None  # nothing stays in memory


def test_the_attribute_table_is_the_file_qgis_and_gdal_know(tmp_path):
    """Names, types (0 integer, 2 text) and usages (5 value, 2 name, 6 to 8 colours) of GDAL's format."""
    path = tmp_path / "map.tif.aux.xml"
    write_attribute_table(NOMENCLATURE, str(path))
    assert "Forêt &amp; &lt;lande&gt;" in path.read_text(encoding="utf-8")
    table = ElementTree.parse(path).getroot().find("PAMRasterBand[@band='1']/*")
    assert (table.tag, table.get("tableType")) == ("GDALRasterAttributeTable", "thematic")
    columns = [[part.text for part in column] for column in table.findall("FieldDefn")]
    assert columns == [
        ["Value", "0", "5"], ["Class", "2", "2"],
        ["Red", "0", "6"], ["Green", "0", "7"], ["Blue", "0", "8"],
    ]  # fmt: skip
    assert [[cell.text for cell in row] for row in table.findall("Row")] == [
        ["1", "Forêt & <lande>", "0", "150", "0"],
        ["300", "Water", "0", "0", "255"],
    ]


def test_styles_are_the_same_bytes_again(tmp_path):
    for name in ("a", "b"):
        write_class_style(NOMENCLATURE, str(tmp_path / f"{name}.qml"))
        write_attribute_table(NOMENCLATURE, str(tmp_path / f"{name}.aux.xml"))
    for kind in ("qml", "aux.xml"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()
