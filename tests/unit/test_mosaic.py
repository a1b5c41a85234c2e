"""The mosaic: pixels in their place, overviews, palette, tags, same bytes, clear failures."""

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal
from osgeo_utils.samples.validate_cloud_optimized_geotiff import validate

from iota2_tools.config.nomenclature import LandCoverClass, Nomenclature
from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.grid import Grid
from iota2_tools.geo.raster import create_raster, read_raster
from iota2_tools.maps import mosaic
from iota2_tools.maps.layers import CLASS_MAP, CONFIDENCE, DIFFERENCE, LAYERS, PROBABILITY, VALIDITY
from iota2_tools.maps.mosaic import COG_OPTIONS, FinalMap, write_mosaic

CRS = "EPSG:32631"
NOMENCLATURE = Nomenclature(
    (
        LandCoverClass(1, "Forêt & <lande>", (0, 150, 0)),
        LandCoverClass(2, "Water", (0, 0, 255)),
        LandCoverClass(3, "Urban", (255, 0, 0)),
    )
)


def piece(folder, name, array, layer, *, left=300_000.0, top=5_000_000.0, crs=CRS, **options):
    """Write a source file of 10 m pixels; its path."""
    array = np.asarray(array)
    bands = array if array.ndim == 3 else array[np.newaxis]
    grid = Grid(crs, left, top, options.pop("resolution", 10.0), *bands.shape[1:])
    path = str(folder / f"{name}.tif")
    dtype = str(array.dtype)
    options.setdefault("nodata", layer.encodings.get(dtype))
    with create_raster(path, grid, dtype, bands=len(bands), **options) as raster:
        raster.write_bands(bands, grid.window)
    return path


@pytest.fixture
def tiles(tmp_path):
    """Two tiles of 600 x 600 pixels side by side: classes at random, some pixels not mapped."""
    rng = np.random.default_rng(0)
    arrays = [rng.integers(0, 4, (600, 600), dtype=np.uint8) for _ in range(2)]
    paths = [
        piece(tmp_path, f"tile{i}", array, CLASS_MAP, left=300_000 + 6000 * i)
        for i, array in enumerate(arrays)
    ]
    return paths, np.hstack(arrays)


def test_tiles_side_by_side_make_one_valid_cog(tiles, tmp_path):
    paths, expected = tiles
    output = str(tmp_path / "map.tif")
    write_mosaic(paths, output, FinalMap(CLASS_MAP, classes=NOMENCLATURE))
    assert (read_raster(output) == expected).all()
    dataset = gdal.Open(output)
    assert dataset.GetGeoTransform() == (300_000, 10, 0, 5_000_000, 0, -10)
    assert dataset.GetMetadataItem("LAYOUT", "IMAGE_STRUCTURE") == "COG"
    assert not faults(output)


def test_the_band_of_a_layer_without_names_bears_its_title(tmp_path):
    output = str(tmp_path / "map.tif")
    write_mosaic([piece(tmp_path, "a", EIGHT, CONFIDENCE)], output, FinalMap(CONFIDENCE))
    dataset = gdal.Open(output)
    assert dataset.GetRasterBand(1).GetDescription() == "Confidence of the classifier"


def test_a_piece_that_states_no_nodata_has_that_of_its_layer(tmp_path):
    """Its zeros hide nothing of the piece below."""
    below = piece(tmp_path, "below", np.full((2, 2), 2, np.uint8), CLASS_MAP)
    above = piece(tmp_path, "above", np.array([[0, 1], [0, 0]], np.uint8), CLASS_MAP, nodata=None)
    output = str(tmp_path / "map.tif")
    write_mosaic([below, above], output, FinalMap(CLASS_MAP, classes=NOMENCLATURE))
    assert read_raster(output).tolist() == [[2, 1], [2, 2]]
    assert gdal.Open(output).GetRasterBand(1).GetNoDataValue() == 0


def faults(path):
    """Errors and warnings of GDAL's validator."""
    warnings, errors, _ = validate(path, full_check=True)
    return errors + warnings


def test_regions_of_one_tile_lie_over_one_another(tmp_path):
    first = np.array([[1, 0], [0, 0]], np.uint8)
    second = np.array([[0, 2], [3, 0]], np.uint8)
    paths = [piece(tmp_path, f"r{i}", array, CLASS_MAP) for i, array in enumerate((first, second))]
    write_mosaic(paths, str(tmp_path / "map.tif"), FinalMap(CLASS_MAP))
    assert read_raster(str(tmp_path / "map.tif")).tolist() == [[1, 2], [3, 0]]


def test_an_origin_off_by_rounding_does_not_resample(tmp_path):
    array = np.arange(1, 101, dtype=np.uint8).reshape(10, 10)
    paths = [
        piece(tmp_path, "a", array, CLASS_MAP),
        piece(tmp_path, "b", array, CLASS_MAP, left=300_100.000004, top=4_999_999.999996),
    ]
    write_mosaic(paths, str(tmp_path / "map.tif"), FinalMap(CLASS_MAP))
    assert (read_raster(str(tmp_path / "map.tif")) == np.hstack([array, array])).all()


def test_extent_is_the_grid_given_even_where_no_tile_lies(tmp_path):
    path = piece(tmp_path, "a", np.array([[1]], np.uint8), CLASS_MAP)
    grid = Grid(CRS, 299_990.0, 5_000_010.0, 10.0, 3, 3)
    write_mosaic([path], str(tmp_path / "map.tif"), FinalMap(CLASS_MAP, grid=grid))
    assert read_raster(str(tmp_path / "map.tif")).tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]


EIGHT = np.arange(1, 65, dtype=np.uint8).reshape(8, 8)


def test_pieces_lie_where_their_origin_says(tmp_path):
    """Four of 8 x 8 pixels, none of them aligned with the other three in rows or columns."""
    places = ((0, 1), (1, 12), (10, 0), (9, 9))
    paths = [
        piece(
            tmp_path, f"p{i}", EIGHT + i, CLASS_MAP,
            left=300_000 + 10 * col, top=5_000_000 - 10 * row,
        )
        for i, (row, col) in enumerate(places)
    ]  # fmt: skip
    expected = np.zeros((18, 20), np.uint8)
    for i, (row, col) in enumerate(places):
        expected[row : row + 8, col : col + 8] = EIGHT + i
    write_mosaic(paths, str(tmp_path / "map.tif"), FinalMap(CLASS_MAP))
    assert read_raster(str(tmp_path / "map.tif")).tolist() == expected.tolist()


def test_the_later_of_two_pieces_is_kept_where_both_hold_a_value(tmp_path):
    first, second = np.full((8, 8), 1, np.uint8), np.full((8, 8), 2, np.uint8)
    second[3] = 0
    paths = [piece(tmp_path, name, a, CLASS_MAP) for name, a in (("a", first), ("b", second))]
    write_mosaic(paths, str(tmp_path / "map.tif"), FinalMap(CLASS_MAP))
    expected = np.full((8, 8), 2)
    expected[3] = 1
    assert read_raster(str(tmp_path / "map.tif")).tolist() == expected.tolist()


def test_a_grid_that_holds_a_source_exactly_is_enough(tmp_path):
    path = piece(tmp_path, "a", EIGHT, CLASS_MAP)
    grid = Grid(CRS, 300_000.0, 5_000_000.0, 10.0, 8, 8)
    write_mosaic([path], str(tmp_path / "map.tif"), FinalMap(CLASS_MAP, grid=grid))
    assert read_raster(str(tmp_path / "map.tif")).tolist() == EIGHT.tolist()


@pytest.mark.parametrize(
    ("left", "top", "rows", "cols"),
    [(0, 0, 7, 8), (0, 0, 8, 7), (1, 0, 8, 8), (0, 1, 8, 8)],
    ids=["row below", "column right", "column left", "row above"],
)
def test_a_source_one_row_or_column_beyond_the_grid_is_refused(tmp_path, left, top, rows, cols):
    path = piece(tmp_path, "a", EIGHT, CLASS_MAP)
    grid = Grid(CRS, 300_000.0 + 10 * left, 5_000_000.0 - 10 * top, 10.0, rows, cols)
    with pytest.raises(InputDataError, match="exceed"):
        write_mosaic([path], str(tmp_path / "map.tif"), FinalMap(CLASS_MAP, grid=grid))


@pytest.mark.parametrize("names", [("Wood",), ("Wood", "Water", "Urban")])
def test_as_many_names_as_bands_are_needed(tmp_path, names):
    path = piece(tmp_path, "a", np.zeros((2, 8, 8), np.uint16), PROBABILITY)
    with pytest.raises(InputDataError, match=rf"{len(names)} band names, .*a\.tif has 2"):
        write_mosaic([path], str(tmp_path / "map.tif"), FinalMap(PROBABILITY, bands=names))


def test_bands_bear_the_names_given(tmp_path):
    path = piece(tmp_path, "a", np.zeros((2, 8, 8), np.uint16), PROBABILITY)
    output = str(tmp_path / "map.tif")
    write_mosaic([path], output, FinalMap(PROBABILITY, bands=("Wood", "Water")))
    dataset = gdal.Open(output)
    bands = [dataset.GetRasterBand(number) for number in (1, 2)]
    assert [band.GetDescription() for band in bands] == ["Wood", "Water"]
    assert [band.GetUnitType() for band in bands] == ["per mille"] * 2


def test_palette_names_units_and_provenance_are_in_the_file(tiles, tmp_path):
    output = str(tmp_path / "map.tif")
    tags = {"CONFIG_SHA256": "abc", "VERSION": 1.5}
    write_mosaic(tiles[0], output, FinalMap(CLASS_MAP, classes=NOMENCLATURE, tags=tags))
    dataset = gdal.Open(output)
    band = dataset.GetRasterBand(1)
    table = band.GetColorTable()
    assert [table.GetColorEntry(code)[:3] for code in (1, 2, 3)] == [
        (0, 150, 0), (0, 0, 255), (255, 0, 0)
    ]  # fmt: skip
    written = dataset.GetMetadata()
    assert written["CLASS_1"] == "Forêt & <lande>"
    assert (written["CONFIG_SHA256"], written["VERSION"]) == ("abc", "1.5")
    assert (written["LAYER"], written["UNITS"]) == ("class_map", "class code")
    assert band.GetUnitType() == "class code"
    assert band.GetNoDataValue() == 0
    assert not list(tmp_path.glob("*.aux.xml"))


def test_codes_above_255_keep_values_and_palette(tmp_path):
    nomenclature = Nomenclature(
        (LandCoverClass(7, "a", (1, 2, 3)), LandCoverClass(40_000, "b", (250, 128, 7)))
    )
    array = np.full((600, 600), 40_000, np.uint16)
    array[:, :300] = 7
    output = str(tmp_path / "map.tif")
    write_mosaic(
        [piece(tmp_path, "a", array, CLASS_MAP)], output, FinalMap(CLASS_MAP, classes=nomenclature)
    )
    assert (read_raster(output) == array).all()
    dataset = gdal.Open(output)
    assert dataset.GetRasterBand(1).DataType == gdal.GDT_UInt16
    table = dataset.GetRasterBand(1).GetColorTable()
    assert table.GetColorEntry(40_000)[:3] == (250, 128, 7)
    assert not faults(output)


def test_codes_too_large_for_the_pixels_are_refused(tmp_path):
    nomenclature = Nomenclature((LandCoverClass(256, "a", (1, 2, 3)),))
    path = piece(tmp_path, "a", np.ones((4, 4), np.uint8), CLASS_MAP)
    with pytest.raises(InputDataError, match="cannot hold code 256"):
        write_mosaic([path], str(tmp_path / "map.tif"), FinalMap(CLASS_MAP, classes=nomenclature))


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of 128 pixels: a map of 512 has two overviews."""
    options = tuple(
        "BLOCKSIZE=128" if option.startswith("BLOCKSIZE") else option for option in COG_OPTIONS
    )
    monkeypatch.setattr(mosaic, "COG_OPTIONS", options)


def overview(path, band=1, level=0):
    """Pixels of an overview: 2 x 2 pixels of the map make one, at the next level 4 x 4."""
    dataset = gdal.Open(path)
    return dataset.GetRasterBand(band).GetOverview(level).ReadAsArray()


@pytest.mark.parametrize("layer", [CLASS_MAP, DIFFERENCE])
def test_overviews_of_codes_are_modes_without_nodata(small_blocks, tmp_path, layer):
    array = np.zeros((256, 256), np.uint8)
    array[0:2, 0:2] = [[3, 3], [1, 2]]  # mode 3
    array[0:2, 2:4] = [[0, 0], [0, 2]]  # mapped once: 2
    array[0:2, 4:6] = [[1, 2], [2, 2]]  # mode 2, mean 1.75
    output = str(tmp_path / "map.tif")
    write_mosaic([piece(tmp_path, "a", array, layer)], output, FinalMap(layer))
    assert overview(output)[0, :4].tolist() == [3, 2, 2, 0]


@pytest.mark.parametrize(
    ("layer", "dtype"), [(CONFIDENCE, np.uint8), (VALIDITY, np.uint8), (VALIDITY, np.uint16)]
)
def test_overviews_of_quantities_are_means_without_nodata(small_blocks, tmp_path, layer, dtype):
    nodata = layer.encodings[np.dtype(dtype).name]
    array = np.full((512, 512), nodata, dtype)
    array[0:4, 0:4] = [[10, 20, 40, 40], [20, 30, 40, 40], [50, 70, 99, 61], [60, 60, 80, 80]]
    array[0:2, 4:6] = [[nodata, 10], [40, nodata]]
    output = str(tmp_path / "map.tif")
    write_mosaic([piece(tmp_path, "a", array, layer)], output, FinalMap(layer))
    assert overview(output)[0:2, 0:3].tolist() == [[20, 40, 25], [60, 80, nodata]]
    # All 16 pixels: 10 + 20 + ... = 800, 50 each; beside them the two that are not nodata.
    assert overview(output, level=1)[0, 0:3].tolist() == [50, 25, nodata]


def test_zero_clear_dates_count_in_the_mean_of_an_overview(small_blocks, tmp_path):
    array = np.full((256, 256), 255, np.uint8)
    array[0:2, 0:2] = [[255, 0], [4, 255]]
    output = str(tmp_path / "validity.tif")
    write_mosaic([piece(tmp_path, "a", array, VALIDITY)], output, FinalMap(VALIDITY))
    assert overview(output)[0, 0] == 2
    assert gdal.Open(output).GetMetadataItem("UNITS") == "dates"


def test_probabilities_keep_their_bands_and_names(tmp_path):
    array = np.full((3, 1024, 1024), 65535, np.uint16)
    array[:, 0:2, 0:2] = np.array(
        [[[0, 0], [0, 100]], [[1000, 1000], [1000, 900]], [[0, 0], [0, 0]]]
    )
    names = ("Forêt", "Water", "Urban")
    source = piece(tmp_path, "a", array, PROBABILITY, descriptions=names)
    output = str(tmp_path / "probability.tif")
    write_mosaic([source], output, FinalMap(PROBABILITY))
    assert (read_raster(output, None) == array).all()
    dataset = gdal.Open(output)
    assert tuple(dataset.GetRasterBand(i).GetDescription() for i in (1, 2, 3)) == names
    assert [overview(output, band)[0, 0] for band in (1, 2, 3)] == [25, 975, 0]
    assert not faults(output)


@pytest.mark.parametrize(
    ("layer", "dtype", "value"),
    [(CONFIDENCE, np.uint8, 100), (VALIDITY, np.uint16, 300), (DIFFERENCE, np.uint8, 4)],
)
def test_other_layers_make_valid_cogs(tmp_path, layer, dtype, value):
    array = np.full((700, 700), layer.encodings[np.dtype(dtype).name], dtype)
    array[100:500, 200:600] = value
    output = str(tmp_path / "map.tif")
    write_mosaic([piece(tmp_path, "a", array, layer)], output, FinalMap(layer))
    assert (read_raster(output) == array).all()
    assert not faults(output)
    dataset = gdal.Open(output)  # a band does not keep its dataset alive
    colours = dataset.GetRasterBand(1).GetColorTable()
    assert (colours is not None) == (layer is DIFFERENCE)
    assert layer is not DIFFERENCE or colours.GetColorEntry(2)[:3] == (0, 114, 178)


@pytest.mark.slow
@pytest.mark.parametrize(("threads", "cache_mb"), [(1, 256), (2, 256), (4, 8)])
def test_bytes_do_not_depend_on_run_threads_or_cache(
    tiles, tmp_path, monkeypatch, threads, cache_mb
):
    first, second = tmp_path / "first.tif", tmp_path / "second.tif"
    maps = [
        FinalMap(CLASS_MAP, classes=NOMENCLATURE, tags=tags)
        for tags in ({"B": 1, "A": 2}, {"A": 2, "B": 1})
    ]
    write_mosaic(tiles[0], str(first), maps[0])
    monkeypatch.setattr(mosaic, "MAP_CACHE_MB", cache_mb)
    write_mosaic(tiles[0], str(second), maps[1], threads=threads)
    assert first.read_bytes() == second.read_bytes()


def test_no_source_and_absent_sources_are_told(tmp_path):
    with pytest.raises(InputDataError, match="no file to merge"):
        write_mosaic([], str(tmp_path / "map.tif"), FinalMap(CLASS_MAP))
    with pytest.raises(InputDataError, match=r"2 problems(?s:.*)a\.tif(?s:.*)b\.tif"):
        write_mosaic(
            [str(tmp_path / "a.tif"), str(tmp_path / "b.tif")],
            str(tmp_path / "m.tif"),
            FinalMap(CLASS_MAP),
        )


def test_an_empty_file_is_named(tmp_path):
    (tmp_path / "empty.tif").touch()
    with pytest.raises(InputDataError, match=r"empty\.tif"):
        write_mosaic([str(tmp_path / "empty.tif")], str(tmp_path / "map.tif"), FinalMap(CLASS_MAP))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"left": 300_005.0}, "shifted by 0.500 of a pixel"),
        ({"resolution": 20.0}, "two resolutions"),
        ({"crs": "EPSG:32632"}, "two projections"),
        ({"nodata": 9}, "nodata"),
    ],
)
def test_sources_that_do_not_fit_are_refused(tmp_path, change, message):
    array = np.ones((4, 4), np.uint8)
    paths = [
        piece(tmp_path, "a", array, CLASS_MAP),
        piece(tmp_path, "b", array, CLASS_MAP, **change),
    ]
    with pytest.raises(InputDataError, match=message):
        write_mosaic(paths, str(tmp_path / "map.tif"), FinalMap(CLASS_MAP))
    assert not (tmp_path / "map.tif").exists()


def test_types_and_bands_must_agree(tmp_path):
    small = piece(tmp_path, "a", np.ones((4, 4), np.uint8), CLASS_MAP)
    wide = piece(tmp_path, "b", np.ones((4, 4), np.uint16), CLASS_MAP)
    real = piece(tmp_path, "c", np.ones((4, 4), np.float32), CLASS_MAP)
    two = piece(tmp_path, "d", np.ones((2, 4, 4), np.uint8), CLASS_MAP)
    with pytest.raises(InputDataError, match="3 problems") as error:
        write_mosaic([small, wide, real, two], str(tmp_path / "map.tif"), FinalMap(CLASS_MAP))
    for part in ("b.tif: pixels are uint16", "c.tif: pixels are float32", "d.tif: 2 band(s)"):
        assert part in str(error.value)


def test_a_truncated_source_is_named_and_leaves_nothing(tiles, tmp_path):
    paths, _ = tiles
    damaged = Path(paths[1])
    whole = damaged.read_bytes()
    # GDAL writes the directory first: half a file still opens.
    damaged.write_bytes(whole[: len(whole) // 2])
    folder = tmp_path / "out"
    with pytest.raises(InputDataError, match=r"tile1\.tif"):
        write_mosaic(paths, str(folder / "map.tif"), FinalMap(CLASS_MAP))
    assert not list(folder.iterdir())


DISK_FULL = """
    import resource, signal, sys
    from iota2_tools.core.errors import OutputError
    from iota2_tools.maps.mosaic import FinalMap, write_mosaic
    from iota2_tools.maps.layers import CLASS_MAP

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
    try:
        write_mosaic([sys.argv[1]], sys.argv[2], FinalMap(CLASS_MAP))
    except OutputError as error:
        print("OutputError", error)
"""


@pytest.mark.parametrize("limit", [0, 3_000, 60_000, 200_000, 280_000])
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, limit):
    array = np.random.default_rng(0).integers(1, 255, (600, 600), dtype=np.uint8)
    source = piece(tmp_path, "a", array, CLASS_MAP)
    folder = tmp_path / "out"
    folder.mkdir()
    script = textwrap.dedent(DISK_FULL)
    command = [sys.executable, "-c", script, source, str(folder / "map.tif"), str(limit)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert run.stdout.startswith("OutputError"), run.stderr
    assert "free space" in run.stdout
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("layer", "name", "encodings", "unit"),
    [
        (CLASS_MAP, "class_map", {"uint8": 0, "uint16": 0}, "class code"),
        (CONFIDENCE, "confidence", {"uint8": 0}, "percent"),
        (VALIDITY, "validity", {"uint8": 255, "uint16": 65535}, "dates"),
        (PROBABILITY, "probability", {"uint16": 65535}, "per mille"),
        (DIFFERENCE, "difference", {"uint8": 0}, "code"),
    ],
)
def test_layers_are_encoded_as_the_catalogue_says(layer, name, encodings, unit):
    """docs/products.md, "Final products"."""
    assert (layer.encodings, layer.unit) == (encodings, unit)
    assert LAYERS[name] is layer
    assert layer.name == name
