"""Maps as tiles of the report: what a browser reads is what the raster holds."""

import base64
import io
import json
import re

import numpy as np
import pyproj
import pytest
from osgeo import gdal
from PIL import Image
from tiny import LEFT, TOP, write_image

from iota2_tools.core.errors import InputDataError
from iota2_tools.reporting.page import tiles
from iota2_tools.reporting.page.tiles import MapLayer, Pyramid, write_tiles

CLASSES = np.array([[1, 1, 2, 2], [1, 3, 2, 2], [4, 4, 5, 0], [4, 4, 0, 0]], dtype=np.uint8)


def read_tile(folder, name):
    """Key and values of a tile, as a page gets them."""
    text = (folder / f"{name}.js").read_text()
    key, picture = re.fullmatch(r'mapTile\("(.+)","(.+)"\);\n', text).groups()
    image = Image.open(io.BytesIO(base64.b64decode(picture)))
    parts = np.asarray(image).astype(int)
    assert image.mode in ("L", "RGB")
    return key, parts if image.mode == "L" else parts[..., 0] + 256 * parts[..., 1]


@pytest.fixture
def small(monkeypatch):
    """Tiles of two pixels."""
    monkeypatch.setattr(tiles, "SIDE", 2)


def written(tmp_path, layers, pixels=512):
    write_tiles(layers, pixels, str(tmp_path / "tiles"))
    return json.loads((tmp_path / "tiles" / "layers.json").read_text())


def test_tiles_hold_the_pixels_of_the_map_and_each_level_the_most_frequent_class(tmp_path, small):
    path = write_image(tmp_path / "map.tif", CLASSES, nodata=0)
    told = written(tmp_path, [MapLayer("classes", "Land cover", "class", path)])
    assert told["grid"]["levels"] == 2
    assert (told["grid"]["rows"], told["grid"]["cols"]) == (4, 4)
    folder = tmp_path / "tiles" / "classes"
    for row in (0, 1):
        for col in (0, 1):
            key, values = read_tile(folder, f"0_{row}_{col}")
            assert key == f"classes/0_{row}_{col}"
            assert values.tolist() == CLASSES[2 * row : 2 * row + 2, 2 * col : 2 * col + 2].tolist()
    # Three of four are 1; four are 2; four are 4; of the last, nodata left out, 5.
    assert read_tile(folder, "1_0_0")[1].tolist() == [[1, 2], [4, 5]]
    assert sorted(path.name for path in folder.iterdir()) == [
        "0_0_0.js", "0_0_1.js", "0_1_0.js", "0_1_1.js", "1_0_0.js",
    ]  # fmt: skip
    (layer,) = told["layers"]
    assert (layer["nodata"], layer["largest"], layer["wide"], layer["foreign"]) == (
        0,
        5,
        False,
        False,
    )


def test_values_above_a_byte_come_back_whole(tmp_path):
    values = np.array([[0, 255, 256], [511, 4000, 65535]], dtype=np.uint16)
    path = write_image(tmp_path / "map.tif", values, nodata=65535)
    told = written(tmp_path, [MapLayer("validity", "Clear dates", "validity", path)])
    assert read_tile(tmp_path / "tiles" / "validity", "0_0_0")[1].tolist() == values.tolist()
    assert told["layers"][0]["wide"] is True
    assert (told["layers"][0]["largest"], told["layers"][0]["nodata"]) == (4000, 65535)


def test_quantities_are_averaged_without_nodata(tmp_path, small):
    values = np.array([[10, 30, 0, 80], [10, 30, 0, 0]], dtype=np.uint8)
    path = write_image(tmp_path / "map.tif", values, nodata=0)
    written(tmp_path, [MapLayer("confidence", "Confidence", "confidence", path)])
    assert read_tile(tmp_path / "tiles" / "confidence", "1_0_0")[1].tolist() == [[20, 80]]


def test_a_map_larger_than_allowed_is_shown_by_larger_pixels(tmp_path, small):
    path = write_image(tmp_path / "map.tif", CLASSES, nodata=0)
    told = written(tmp_path, [MapLayer("classes", "Land cover", "class", path)], pixels=2)
    assert (told["grid"]["factor"], told["grid"]["levels"]) == (2, 1)
    assert told["grid"]["metres"] == 20
    assert read_tile(tmp_path / "tiles" / "classes", "0_0_0")[1].tolist() == [[1, 2], [4, 5]]


@pytest.mark.parametrize(
    ("size", "pixels", "expected"),
    [((400, 748), 4096, (1, 2)), ((512, 512), 4096, (1, 1)), ((4097, 10), 4096, (2, 4)),
     ((109800, 54900), 4096, (32, 4))],
)  # fmt: skip
def test_levels_halve_until_one_tile_holds_the_map(size, pixels, expected):
    pyramid = Pyramid.of(*size, pixels)
    assert (pyramid.factor, pyramid.levels) == expected
    assert max(pyramid.shape(0)) <= pixels
    assert max(pyramid.shape(pyramid.levels - 1)) <= tiles.SIDE


def test_another_production_is_brought_onto_the_grid_with_its_own_legend(tmp_path):
    own = write_image(tmp_path / "own.tif", CLASSES[:3], nodata=0)
    last = np.full((4, 4), 9, dtype=np.uint8)
    last[0] = 7
    # One pixel farther east and south: its first row is our second.
    other = write_image(tmp_path / "other.tif", last, left=LEFT + 10, top=TOP - 10, nodata=0)
    dataset = gdal.Open(other, gdal.GA_Update)
    palette = gdal.ColorTable()
    palette.SetColorEntry(9, (1, 2, 255))
    dataset.GetRasterBand(1).SetColorTable(palette)
    dataset.SetMetadata(
        {"CLASS_7": "Vineyard", "CLASS_9": "Orchard", "CLASS_SYSTEM": "ours", "TITLE": "Land cover"}
    )
    dataset = None
    layers = [
        MapLayer("classes", "Land cover", "class", own),
        MapLayer("other_0", "Last year", "class", other, other=True),
    ]
    told = written(tmp_path, layers)["layers"][1]
    assert told["foreign"] is True
    assert told["legend"] == [
        {"code": 7, "name": "Vineyard", "colour": "#000000"},
        {"code": 9, "name": "Orchard", "colour": "#0102ff"},
    ]
    shown = read_tile(tmp_path / "tiles" / "other_0", "0_0_0")[1].tolist()
    assert shown == [[0, 0, 0, 0], [0, 7, 7, 7], [0, 9, 9, 9]]


def test_codes_of_another_production_are_never_mixed(tmp_path):
    """Its pixels lie four tenths beside ours: each of ours shows the nearest."""
    own = write_image(tmp_path / "own.tif", CLASSES[:3], nodata=0)
    codes = np.array([[7, 9, 7, 9]] * 3, dtype=np.uint8)
    other = write_image(tmp_path / "other.tif", codes, left=LEFT + 4, nodata=0)
    layers = [MapLayer("classes", "", "class", own)]
    layers.append(MapLayer("other_0", "", "class", other, other=True))
    written(tmp_path, layers)
    shown = read_tile(tmp_path / "tiles" / "other_0", "0_0_0")[1].tolist()
    assert shown == codes.tolist()


def test_a_map_of_larger_pixels_is_shown_pixel_by_pixel(tmp_path):
    """Its last column goes beyond the map: that must not squeeze the others."""
    own = write_image(tmp_path / "own.tif", np.ones((2, 5), np.uint8), nodata=0)
    coarse = write_image(tmp_path / "coarse.tif", np.array([[3, 4, 5]], np.uint8), 20, nodata=0)
    layers = [MapLayer("own", "", "class", own), MapLayer("coarse", "", "class", coarse)]
    written(tmp_path, layers)
    shown = read_tile(tmp_path / "tiles" / "coarse", "0_0_0")[1].tolist()
    assert shown == [[3, 3, 4, 4, 5]] * 2


def test_the_page_knows_where_the_map_lies(tmp_path):
    path = write_image(tmp_path / "map.tif", CLASSES, nodata=0)
    grid = written(tmp_path, [MapLayer("classes", "Land cover", "class", path)])["grid"]
    to_degrees = pyproj.Transformer.from_crs(32631, 4326, always_xy=True)
    for row, col, x, y in ((0, 0, 0, 0), (0, -1, 40, 0), (-1, 0, 0, -40)):
        expected = to_degrees.transform(LEFT + x, TOP + y)
        assert grid["nodes"][row][col] == pytest.approx(expected, abs=1e-6)
    assert (grid["left"], grid["top"], grid["resolution"]) == (LEFT, TOP, 10)
    assert grid["angles"] is False


def test_real_numbers_are_refused_by_name(tmp_path):
    path = write_image(tmp_path / "map.tif", CLASSES.astype(np.float32))
    with pytest.raises(InputDataError, match=r"map\.tif: float32 pixels"):
        written(tmp_path, [MapLayer("classes", "Land cover", "class", path)])
    assert not (tmp_path / "tiles").exists()
