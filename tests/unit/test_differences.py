"""Where two files of one product differ: hand-made pictures, layers and tables."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from tiny import write_image

from iota2_tools.publishing import checksums
from iota2_tools.publishing.checksums import content_of
from iota2_tools.publishing.differences import against_lock, between

CODES = np.arange(64, dtype=np.uint8).reshape(8, 8) % 4


def coded(path, codes):
    from osgeo import gdal

    write_image(path, codes, nodata=0)
    table = gdal.ColorTable()
    table.SetColorEntry(1, (9, 9, 9, 255))
    dataset = gdal.Open(str(path), gdal.GA_Update)
    dataset.GetRasterBand(1).SetColorTable(table)
    return str(path)


@pytest.mark.parametrize("side", [2, 3, 8, 2048])
def test_pixels_are_counted_placed_and_named_whatever_the_blocks(tmp_path, monkeypatch, side):
    monkeypatch.setattr(checksums, "SIDE", side)
    other = CODES.copy()
    other[1, 6], other[5, 2], other[5, 6] = 3, 0, 1  # were 2, 2, 2
    first, second = coded(tmp_path / "a.tif", CODES), coded(tmp_path / "b.tif", other)
    assert between(first, first) == ""
    told = between(first, second)
    assert told.startswith(
        "3 value(s) differ; rows 1 to 5, columns 2 to 6; the first at row 1, column 6 (300065 4900005); "
    )
    assert set(told.rpartition("; ")[2].split(", ")) == {
        "2 became 3: 1", "2 became 0: 1", "2 became 1: 1",
    }  # fmt: skip


def test_without_the_original_the_block_and_the_classes_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(checksums, "SIDE", 4)
    other = CODES.copy()
    other[1, 6] = 3
    first, second = coded(tmp_path / "a.tif", CODES), coded(tmp_path / "b.tif", other)
    assert against_lock(second, content_of(second), content_of(first)) == (
        "pixels differ in 1 of 4 block(s): rows 0 to 3, columns 4 to 7 (300040 4899980 300080 4900020); "
        "pixels by code: code 2 -1, code 3 +1"
    )
    assert against_lock(first, content_of(first), content_of(first)) == ""


def test_a_palette_is_no_pixel(tmp_path):
    first, second = (
        coded(tmp_path / "a.tif", CODES),
        write_image(tmp_path / "b.tif", CODES, nodata=0),
    )
    assert "no pixel does" in against_lock(second, content_of(second), content_of(first))
    told = "type, nodata, names of bands or palette differ; no pixel does"
    assert between(first, second) == told


def test_a_quantity_of_another_type_or_nodata_differs(tmp_path):
    first = write_image(tmp_path / "a.tif", CODES)
    for number, other in enumerate(({"values": CODES.astype(np.uint16)}, {"nodata": 3})):
        second = write_image(tmp_path / f"{number}.tif", **{"values": CODES} | other)
        assert "no pixel does" in between(first, second)


def test_another_size_is_told(tmp_path):
    first = write_image(tmp_path / "a.tif", CODES)
    second = write_image(tmp_path / "b.tif", CODES[:4])
    assert against_lock(second, content_of(second), content_of(first)) == "it has another size"
    assert "(8, 4, 1) instead of (8, 8, 1)" in between(first, second)
    moved = write_image(tmp_path / "c.tif", CODES, left=10)
    assert between(first, moved) == "projection or place differ"


def test_the_largest_difference_of_a_quantity_is_told_and_nan_is_nan(tmp_path):
    values = np.full((8, 8), np.nan, dtype=np.float32)
    values[0] = 1
    other = values.copy()
    first, same = (write_image(tmp_path / f"{n}.tif", v) for n, v in (("a", values), ("b", other)))
    assert between(first, same) == ""
    other[0, 3], other[0, 4] = 1.5, 0.75
    second = write_image(tmp_path / "c.tif", other)
    assert between(first, second).startswith("2 value(s) differ; rows 0 to 0, columns 3 to 4;")
    assert between(first, second).endswith("by 0.5 at most")
    assert between(second, first).endswith("by 0.5 at most")


def test_the_first_row_that_differs_is_told(tmp_path):
    (tmp_path / "a.csv").write_text("code,name\n1,x\n2,y\n")
    (tmp_path / "b.csv").write_text("code,name\n1,x\n2,z\n")
    (tmp_path / "c.csv").write_text("code,name\n1,x\n")
    assert between(tmp_path / "a.csv", tmp_path / "b.csv") == (
        "1 row(s) differ, the first is 3: ['2', 'z'] instead of ['2', 'y']"
    )
    assert between(tmp_path / "a.csv", tmp_path / "c.csv") == "2 rows instead of 3"
    (tmp_path / "a.txt").write_text("x\n")
    (tmp_path / "b.txt").write_text("y\n")
    assert between(tmp_path / "a.txt", tmp_path / "b.txt").startswith(
        "1 line(s) differ, the first is 1"
    )


def test_features_are_counted(tmp_path):
    def layer(name, codes):
        shapes = [shapely.box(n, 0, n + 1, 1) for n in range(len(codes))]
        frame = gpd.GeoDataFrame({"code": codes}, geometry=shapes, crs="EPSG:32631")
        frame.to_file(tmp_path / name, layer="x")
        return str(tmp_path / name)

    first, second = layer("a.gpkg", [1, 2, 3]), layer("b.gpkg", [1, 2, 4, 5])
    assert between(first, first) == ""
    assert between(first, second) == "1 feature(s) are not as they were, 2 are new or other"
    assert against_lock(second, content_of(second), content_of(first)) == "4 features instead of 3"


def test_features_that_stand_twice_count_twice(tmp_path):
    shapes = [shapely.box(0, 0, 1, 1)] * 3
    for name, codes in (("a.gpkg", [1, 1, 2]), ("b.gpkg", [2, 2, 2])):
        frame = gpd.GeoDataFrame({"code": codes}, geometry=shapes, crs="EPSG:32631")
        frame.to_file(tmp_path / name, layer="x")
    told = "2 feature(s) are not as they were, 2 are new or other"
    assert between(tmp_path / "a.gpkg", tmp_path / "b.gpkg") == told


def test_pictures_and_other_files(tmp_path):
    from PIL import Image

    picture = Image.fromarray(np.zeros((4, 4, 3), dtype=np.uint8))
    picture.save(tmp_path / "a.png")
    picture.putpixel((1, 1), (0, 9, 0))
    picture.save(tmp_path / "b.png")
    assert between(tmp_path / "a.png", tmp_path / "b.png") == "1 pixel(s) differ"
    assert between(tmp_path / "a.png", tmp_path / "a.png") == ""
    (tmp_path / "a.bin").write_bytes(b"1")
    (tmp_path / "b.bin").write_bytes(b"2")
    assert between(tmp_path / "a.bin", tmp_path / "b.bin") == "the bytes differ"
