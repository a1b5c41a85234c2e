"""Checksums of what products hold: the same whatever the bytes, another for another pixel, feature or cell."""

import shutil
import zipfile

import geopandas as gpd
import numpy as np
import pytest
import shapely
from osgeo import gdal
from tiny import write_image

from iota2_tools.core.errors import InputDataError
from iota2_tools.publishing import checksums
from iota2_tools.publishing.checksums import content_of, kind_of, sha256_of
from iota2_tools.publishing.differences import between
from iota2_tools.vectors.writing import Dress, write_layer_files

CODES = np.arange(64, dtype=np.uint8).reshape(8, 8) % 4


def class_map(path, codes=CODES, *, options=(), colour=(0, 150, 0, 255), tags=None, nodata=0):
    """A map of codes with a palette."""
    write_image(path, codes, nodata=nodata, options=options)
    dataset = gdal.Open(str(path), gdal.GA_Update)
    table = gdal.ColorTable()
    table.SetColorEntry(1, colour)
    dataset.GetRasterBand(1).SetColorTable(table)
    dataset.SetMetadata(tags or {})
    return path


def test_compression_and_tags_are_no_content(tmp_path):
    first = class_map(tmp_path / "a.tif")
    second = class_map(tmp_path / "b.tif", options=["COMPRESS=DEFLATE"], tags={"SOFTWARE": "x"})
    assert sha256_of(first) != sha256_of(second)
    assert content_of(first) == content_of(second)


@pytest.mark.parametrize(
    "other",
    [
        {"codes": np.where(np.arange(64).reshape(8, 8) == 63, 1, CODES).astype(np.uint8)},
        {"codes": CODES.astype(np.uint16)},
        {"colour": (0, 151, 0, 255)},
        {"nodata": 3},
    ],
)
def test_pixels_type_palette_and_nodata_are_content(tmp_path, other):
    first = content_of(class_map(tmp_path / "a.tif"))
    assert content_of(class_map(tmp_path / "b.tif", **other)).checksum != first.checksum


def test_place_and_projection_are_content(tmp_path):
    found = {
        content_of(write_image(tmp_path / f"{number}.tif", CODES, **where)).checksum
        for number, where in enumerate([{}, {"left": 10}, {"epsg": 32630}, {"resolution": 20.0}])
    }
    assert len(found) == 4


def test_shape_is_content(tmp_path):
    """The pixels of both are the same, one after the other."""
    wide, high = np.ones((4, 8), dtype=np.uint8), np.ones((8, 4), dtype=np.uint8)
    first, second = (
        content_of(write_image(tmp_path / f"{len(codes)}.tif", codes)) for codes in (wide, high)
    )
    assert first.blocks == second.blocks
    assert first.checksum != second.checksum


def test_a_flipped_pixel_changes_the_checksum_of_its_block_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(checksums, "SIDE", 4)
    first = content_of(class_map(tmp_path / "a.tif"))
    flipped = CODES.copy()
    flipped[1, 6] = 3  # 2 before; the block of the upper right
    second = content_of(class_map(tmp_path / "b.tif", flipped))
    assert len(first.blocks) == 4
    assert [a != b for a, b in zip(first.blocks, second.blocks, strict=True)] == [
        False, True, False, False,
    ]  # fmt: skip
    # Of 64 pixels each of the four codes has 16; 0 is nodata.
    assert first.values == {"1": 16, "2": 16, "3": 16}
    assert second.values == {"1": 16, "2": 15, "3": 17}
    assert first.count == 64


def test_a_quantity_has_no_counts_by_value(tmp_path):
    assert content_of(write_image(tmp_path / "a.tif", CODES)).values == {}


def test_every_nan_is_one_and_so_are_both_zeros(tmp_path):
    plain = np.array([[np.nan, 0.0], [1, 2]], dtype=np.float32)
    odd = plain.copy()
    odd.view(np.uint32)[0] = [0x7FC00001, 0x80000000]  # another NaN, minus zero
    first, second = (write_image(tmp_path / f"{n}.tif", v) for n, v in enumerate((plain, odd)))
    assert content_of(first) == content_of(second)


def test_names_of_bands_are_content(tmp_path):
    for name, word in (("a", "wheat"), ("b", "maize")):
        write_image(tmp_path / f"{name}.tif", CODES)
        dataset = gdal.Open(str(tmp_path / f"{name}.tif"), gdal.GA_Update)
        dataset.GetRasterBand(1).SetDescription(word)
        dataset = None
    assert content_of(tmp_path / "a.tif") != content_of(tmp_path / "b.tif")


def test_bands_in_another_order_are_another_content(tmp_path):
    bands = np.stack([CODES, 3 - CODES])
    first, second = (
        write_image(tmp_path / f"{n}.tif", v) for n, v in enumerate((bands, bands[::-1]))
    )
    assert content_of(first).checksum != content_of(second).checksum


def layer(order=slice(None), moved=0.0, code=2):
    shapes = [shapely.box(n, 0, n + 1, 1) for n in range(3)]
    shapes[1] = shapely.box(1 + moved, 0, 2, 1)
    data = {"code": [1, code, 3], "share": [0.5, 0.25, None], "name": ["a", None, "ç"]}
    return (
        gpd.GeoDataFrame(data, geometry=shapes, crs="EPSG:32631").iloc[order].reset_index(drop=True)
    )


@pytest.mark.parametrize("end", [".gpkg", ".fgb", ".parquet"])
def test_features_in_another_order_are_the_same_content(tmp_path, end):
    def written(name, frame):
        path = tmp_path / f"{name}{end}"
        if end == ".parquet":
            frame.to_parquet(path)
        else:
            frame.to_file(path, layer="x", SPATIAL_INDEX="NO")
        return content_of(path)

    first = written("a", layer())
    assert first.count == 3
    assert written("b", layer([2, 0, 1])) == first
    for name, other in (("c", layer(moved=1e-9)), ("d", layer(code=4)), ("e", layer([0, 1]))):
        assert written(name, other).checksum != first.checksum


def test_a_cell_ends_where_it_ends(tmp_path):
    """Put one after the other these cells are the same letters."""
    for name, cells in (("a", ("atb", "c")), ("b", ("a", "btc"))):
        frame = layer([0]).assign(x=cells[0], y=cells[1])
        frame.to_parquet(tmp_path / f"{name}.parquet")
    assert content_of(tmp_path / "a.parquet") != content_of(tmp_path / "b.parquet")


def test_features_belong_to_their_layer(tmp_path):
    for name, order in (("a.gpkg", ("x", "y")), ("b.gpkg", ("y", "x"))):
        for place, own in enumerate(order):
            layer([place]).to_file(tmp_path / name, layer=own)
    assert content_of(tmp_path / "a.gpkg") != content_of(tmp_path / "b.gpkg")


def test_both_zeros_of_an_attribute_are_one(tmp_path):
    for name, zero in (("a", 0.0), ("b", -0.0)):
        frame = layer().assign(share=[0.5, zero, 1])
        frame.to_parquet(tmp_path / f"{name}.parquet")
    assert content_of(tmp_path / "a.parquet") == content_of(tmp_path / "b.parquet")


def test_a_zipped_shapefile_is_read(tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    layer().to_file(folder / "x.shp")
    shutil.make_archive(str(tmp_path / "x.shp"), "zip", folder)
    assert content_of(tmp_path / "x.shp.zip").count == 3


def test_features_that_stand_twice_do_not_cancel_each_other(tmp_path):
    layer([0, 1, 1]).to_file(tmp_path / "a.gpkg")
    layer([0, 2, 2]).to_file(tmp_path / "b.gpkg")
    first, second = (content_of(tmp_path / name) for name in ("a.gpkg", "b.gpkg"))
    assert first.checksum != second.checksum


def test_line_ends_are_no_content_and_cells_are(tmp_path):
    for name, text in (("a", "code,name\n1,x\n"), ("b", '"code",name\r\n1,"x"\r\n')):
        (tmp_path / f"{name}.csv").write_bytes(text.encode())
    assert content_of(tmp_path / "a.csv") == content_of(tmp_path / "b.csv")
    (tmp_path / "c.csv").write_text("code,name\n1,y\n")
    assert content_of(tmp_path / "c.csv").checksum != content_of(tmp_path / "a.csv").checksum
    (tmp_path / "a.txt").write_bytes(b"x\r\ny\r\n")
    (tmp_path / "b.txt").write_bytes(b"x\ny\n")
    assert content_of(tmp_path / "a.txt") == content_of(tmp_path / "b.txt")
    assert content_of(tmp_path / "a.txt").count == 2


def test_a_picture_is_its_pixels(tmp_path):
    from PIL import Image

    picture = Image.fromarray(np.stack([CODES * 60] * 3, axis=-1))
    picture.save(tmp_path / "a.png", compress_level=0)
    picture.save(tmp_path / "b.png", compress_level=9)
    assert sha256_of(tmp_path / "a.png") != sha256_of(tmp_path / "b.png")
    assert content_of(tmp_path / "a.png") == content_of(tmp_path / "b.png")
    picture.putpixel((0, 0), (1, 0, 0))
    picture.save(tmp_path / "c.png")
    assert content_of(tmp_path / "c.png").checksum != content_of(tmp_path / "a.png").checksum


def test_what_is_unknown_has_its_bytes_alone(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.qgz", "w") as archive:
        archive.writestr("a.qgs", "x")
    assert kind_of("a.qgz") is None
    assert content_of(tmp_path / "a.qgz") is None


def test_sha256_is_that_of_the_standard(tmp_path):
    """FIPS 180-4's example: the message abc."""
    (tmp_path / "a").write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_of(tmp_path / "a") == expected


def test_what_cannot_be_read_is_named(tmp_path):
    (tmp_path / "a.gpkg").write_bytes(b"no database")
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\xff")
    for name in ("a.gpkg", "a.csv"):
        with pytest.raises(InputDataError, match=f"{name}: cannot be read"):
            content_of(tmp_path / name)


def test_a_geoparquet_that_is_written_part_by_part_holds_what_one_written_at_once_does(tmp_path):
    shapes = [shapely.box(n, 0, n + 1, 1) for n in range(4)]
    frame = gpd.GeoDataFrame({"code": [1, 2, 3, 4]}, geometry=shapes, crs="EPSG:32631")
    frame.to_parquet(tmp_path / "once.parquet")
    parts = (frame.iloc[:3], frame.iloc[3:])
    output = str(tmp_path / "parts.parquet")
    write_layer_files(lambda: iter(parts), [output], Dress("<qgis/>", {}))
    once, written = content_of(tmp_path / "once.parquet"), content_of(output)
    assert (written.kind, written.count) == (once.kind, once.count) == ("vector", 4)
    frame.set_crs("EPSG:32632", allow_override=True).to_parquet(tmp_path / "other.parquet")
    assert content_of(tmp_path / "other.parquet").checksum != once.checksum


@pytest.mark.parametrize("end", ["gpkg", "fgb", "parquet"])
@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99])
def test_a_layer_that_is_cut_is_told_in_words(tmp_path, end, kept):
    """A copy that was stopped: `iota2 verify` names it and goes on."""
    shapes = [shapely.box(number, 0, number + 1, 1) for number in range(500)]
    frame = gpd.GeoDataFrame({"code": range(500)}, geometry=shapes, crs="EPSG:32631")
    path = tmp_path / f"a.{end}"
    frame.to_parquet(path) if end == "parquet" else frame.to_file(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    for look in (content_of, lambda given: between(given, given)):
        with pytest.raises(InputDataError, match=rf"a\.{end}: cannot be read"):
            look(str(path))


def test_a_table_that_is_none_is_told_in_words(tmp_path):
    path = tmp_path / "scores.csv"
    path.write_text('"' + "x" * 200_000 + '"\n')  # one cell: a quote that nothing closes
    with pytest.raises(InputDataError, match=r"scores\.csv: cannot be read \(field larger"):
        content_of(path)


def test_a_layer_is_known_by_the_whole_of_its_sum(monkeypatch):
    """Of three hundred layers of one feature each no two have one checksum; features in another order are the same."""
    features = [number.to_bytes(16, "big") for number in (*range(300), 1 << 127)]
    monkeypatch.setattr(checksums, "heads_of", lambda path: [])
    found = set()
    for feature in features:
        monkeypatch.setattr(checksums, "features_of", lambda path, own=feature: iter([own]))
        found.add(content_of("layer.gpkg").checksum)
    assert len(found) == 301
    for order in (features, features[::-1]):
        monkeypatch.setattr(checksums, "features_of", lambda path, own=order: iter(own))
        found.add(content_of("layer.gpkg").checksum)
    assert len(found) == 302
