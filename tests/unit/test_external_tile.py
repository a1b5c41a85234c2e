"""External features of a tile of 8 x 8 pixels: samples, maps and the written stack hold the same values.

Expected values come from the arrays that were written, and from NumPy here.
"""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from osgeo import gdal, gdal_array
from tiny import name_of, values_of, write_image, write_product

from iota2_tools.classifying.tile import MappingSettings, TileMapper
from iota2_tools.core.errors import UserCodeError
from iota2_tools.features import external as external_module
from iota2_tools.features import stack as stack_module
from iota2_tools.features.plan import series_features
from iota2_tools.features.stack import FeatureStack, write_stack
from iota2_tools.geo.grid import Window, grid_of
from iota2_tools.geo.gridded import GridBand
from iota2_tools.learning.model import Prediction
from iota2_tools.reference import table as table_module
from iota2_tools.reference.table import write_samples
from iota2_tools.timeseries.inputs import Products, TileInputs, UserFile
from iota2_tools.timeseries.inventory import write_inventory
from iota2_tools.timeseries.masks import write_clear_masks

DAYS = ("20180101", "20180106", "20180106", "20180121")
BANDS = ("B4", "B8", "B8A")
SETTINGS = {
    "sensor": "sentinel2", "part": "", "options": {"level": "FRE"}, "keep_bands": list(BANDS),
    "indices": ["NDVI", "Brightness"], "additional_features": {},
    "dates": ["2018-01-01", "2018-01-11", "2018-01-21"],
}  # fmt: skip
ORIGINAL = len(SETTINGS["dates"]) * 5 + 1

MODULE = """
import numpy as np


def copies(block):
    s = block.series["sentinel2"]
    found = {}
    for date, day in enumerate(s.dates):
        for name in ("B4", "nir", "B8A"):
            found[f"Copy_{name}_{day:%Y%m%d}"] = s.band(name)[date]
        for name in ("NDVI", "Brightness"):
            found[f"Copy_{name}_{day:%Y%m%d}"] = s.index(name)[date]
    found["Copy_ALT"] = block.user_features["ALT_band_1"]
    return {name: values.astype(np.int16) for name, values in found.items()}


def around(block):
    b = block.user_features["ALT_band_1"]
    m = block.margin
    rows, cols = (side - 2 * m for side in b.shape)
    sides = [b[i:i + rows, j:j + cols] for i in range(2 * m + 1) for j in range(2 * m + 1)]
    return np.mean(sides, axis=0), ["Around"]


def raw(block):
    r = block.series["sentinel2"].raw
    last = r.band("B8")[-1]
    return {
        "Clear": r.clear.sum(axis=0), "Seen": r.seen.sum(axis=0), "Last": np.nan_to_num(last, nan=-1),
        "Best": np.where(r.clear, r.band("B4"), 0).max(axis=0),
    }
"""


@pytest.fixture(scope="module")
def tile(tmp_path_factory):
    """Four products, two of one day; clouds, an edge, nodata, and a raster of the user."""
    folder = tmp_path_factory.mktemp("tile")
    rng = np.random.default_rng(1)
    values, clouds = {}, {}
    for number, day in enumerate(DAYS):
        name = name_of(day, time=f"1051{number}8-000")
        bands = {band: rng.integers(1, 6000, (8, 8)) for band in ("B4", "B8")}
        bands["B8A"] = rng.integers(1, 6000, (4, 4))
        cloud = (rng.random((8, 8)) < 0.3).astype(np.uint8)
        cloud[2, 2] = 1  # never clear
        edge = np.zeros((8, 8), np.uint8)
        if number == 3:
            edge[:, :2] = 1
            for band, whole in bands.items():
                whole[:, : 1 if band == "B8A" else 2] = -10000
        write_product(folder / "T31TCJ", name, bands, cloud, edge)
        values[name], clouds[name] = bands, (cloud, edge)
    altitude = rng.integers(0, 3000, (8, 8)).astype(np.int16)
    path = write_image(folder / "ALT.tif", altitude)
    names = sorted(values)
    first = folder / "T31TCJ" / names[0] / f"{names[0]}_FRE_B4.tif"
    products = Products(
        "sentinel2", str(folder / "T31TCJ"), names, names, {"level": "FRE"}, BANDS,
        grid_of(str(first)).as_dict(),
    )  # fmt: skip
    inputs = TileInputs(
        "T31TCJ", grid_of(path), {"sentinel2": products}, {"ALT": UserFile(path, "nearest", 0.0)}
    )
    write_inventory(inputs, "stop", str(folder / "inventory.json"))
    masks = str(folder / "clear.tif")
    write_clear_masks(str(folder / "inventory.json"), "sentinel2", masks, str(folder / "seen.tif"))
    (folder / "mine.py").write_text(MODULE)
    return SimpleNamespace(
        folder=folder, values=values, clouds=clouds, altitude=altitude, masks={"sentinel2": masks}
    )


def function(tile, name, **how):
    return {"module": str(tile.folder / "mine.py"), "function": name} | how


def sources(tile):
    return str(tile.folder / "inventory.json"), {"sentinel2": SETTINGS}, tile.masks


def written(tile, path, *functions):
    write_stack(*sources(tile), 100, 2, str(path), functions)
    return values_of(path)


def test_what_a_function_copies_is_what_the_chain_has_itself(tile, tmp_path):
    found = written(tile, tmp_path / "stack.tif", function(tile, "copies"))
    assert found.dtype == np.int16
    assert len(found) == 2 * ORIGINAL
    names = FeatureStack(*sources(tile), [function(tile, "copies")]).names
    of = dict(zip(names, found, strict=True))
    for day in ("20180101", "20180111", "20180121"):
        for band in ("B4", "B8", "B8A", "NDVI", "Brightness"):
            copy = of[f"Copy_{'nir' if band == 'B8' else band}_{day}"]
            np.testing.assert_array_equal(copy, of[f"Sentinel2_{band}_{day}"])
    np.testing.assert_array_equal(of["Copy_ALT"], tile.altitude)
    assert (of["Copy_B4_20180101"][2, 2], of["Copy_NDVI_20180101"][2, 2]) == (0, 0)


def test_all_other_features_stay_as_they_are(tile, tmp_path):
    before = written(tile, tmp_path / "before.tif")
    after = written(tile, tmp_path / "after.tif", function(tile, "around", margin=2))
    assert (before.dtype, after.dtype) == (np.int16, np.float32)
    np.testing.assert_array_equal(after[:ORIGINAL], before)
    assert len(after) == ORIGINAL + 1


def mean_around(altitude, margin):
    padded = np.pad(altitude.astype(np.float32), margin, mode="edge")
    found = np.empty(altitude.shape, np.float64)
    for row, col in np.ndindex(altitude.shape):
        found[row, col] = padded[row : row + 2 * margin + 1, col : col + 2 * margin + 1].mean()
    return found


@pytest.mark.parametrize(
    ("shape", "margin", "side"),
    [((8, 8), 0, 3), ((8, 8), 9, 3), ((3, 5), 3, 128), ((2, 2), 9, 128), ((1, 8), 1, 3), ((1, 1), 3, 128)],
)  # fmt: skip
def test_windows_smaller_than_the_margin_give_the_same_values(
    tile, tmp_path, monkeypatch, shape, margin, side
):
    """The tile itself is smaller than the largest margin."""
    monkeypatch.setattr(stack_module, "block_side", lambda _: side)
    monkeypatch.setattr(FeatureStack, "windows", lambda self, _: list(self.grid.windows(*shape)))
    functions = [function(tile, "around", margin=margin), function(tile, "copies")]
    found = written(tile, tmp_path / "stack.tif", *functions)
    expected = mean_around(tile.altitude, margin)
    np.testing.assert_allclose(found[ORIGINAL], expected, rtol=1e-6)
    np.testing.assert_array_equal(found[-1], tile.altitude)
    np.testing.assert_array_equal(found[ORIGINAL + 1 : ORIGINAL + 3], found[:2])


@pytest.mark.parametrize(("rows", "budget"), [(256, 100), (3, 1e-9)])
def test_samples_hold_the_values_of_the_written_stack(tile, tmp_path, monkeypatch, rows, budget):
    functions = [
        function(tile, "around", margin=3),
        function(tile, "raw"),
        function(tile, "copies"),
    ]
    stack = written(tile, tmp_path / "stack.tif", *functions)
    monkeypatch.setattr(table_module, "BAND_ROWS", rows)
    monkeypatch.setattr(stack_module, "window_shape", lambda *_: (2, 3) if budget < 1 else (8, 8))
    chosen = [(0, 0), (0, 7), (2, 2), (3, 4), (5, 1), (7, 7)]
    frame = pd.DataFrame(chosen, columns=["row", "col"])
    frame.assign(polygon=1, code=1, region="1", seed_0=True).to_parquet(tmp_path / "chosen.parquet")
    output = str(tmp_path / "samples.parquet")
    write_samples(
        str(tmp_path / "chosen.parquet"), *sources(tile), budget, 2, output, external=functions
    )
    table = pq.read_table(output)
    names = FeatureStack(*sources(tile), functions).names
    assert table_module.feature_columns(output) == names
    assert str(table.schema.field("Around").type) == "float"
    for number, name in enumerate(names):
        assert table[name].to_pylist() == [stack[number, row, col] for row, col in chosen], name


def test_pixels_in_any_order_and_again_have_the_same_features(tile):
    functions = [function(tile, "around", margin=2)]
    stack = FeatureStack(*sources(tile), functions)
    with ThreadPoolExecutor(2) as pool:
        window = Window(1, 2, 6, 5)
        features = stack.read(window, pool)
        every = features.of(np.arange(30))
        order = np.random.default_rng(0).permutation(30)
        np.testing.assert_array_equal(features.of(order), every[order])
        np.testing.assert_array_equal(features.of(np.array([7, 7])), every[[7, 7]])
    expected = mean_around(tile.altitude, 2)[window.slices].ravel()
    np.testing.assert_allclose(every[:, -1], expected, rtol=1e-6)


def test_the_raw_series_tells_what_was_clear_and_what_was_seen(tile, tmp_path):
    found = written(tile, tmp_path / "stack.tif", function(tile, "raw"))[ORIGINAL:]
    names = sorted(tile.values)
    usable = np.array([sum(tile.clouds[name]) == 0 for name in names])
    usable[2] &= ~usable[1]  # of one day the first clear one counts
    np.testing.assert_array_equal(found[0], usable.sum(axis=0))
    np.testing.assert_array_equal(found[1], 4 - tile.clouds[names[3]][1])
    last = np.where(tile.values[names[3]]["B8"] == -10000, -1, tile.values[names[3]]["B8"])
    np.testing.assert_array_equal(found[2], last)
    bands = np.array([tile.values[name]["B4"] for name in names])
    np.testing.assert_array_equal(found[3], np.where(usable, bands, 0).max(axis=0))


@pytest.fixture
def clouded(tile, tmp_path):
    """The same tile, its last acquisition nowhere clear."""
    masks = values_of(tile.masks["sentinel2"]).astype(np.uint8)
    masks[-1] = 0
    return SimpleNamespace(**vars(tile) | {"masks": {"sentinel2": write_masks(tmp_path, masks)}})


def write_masks(folder, masks):
    path = str(folder / "clouded.tif")
    gdal.GetDriverByName("GTiff").CreateCopy(path, gdal_array.OpenNumPyArray(masks, True))
    return path


def test_a_function_sees_an_acquisition_that_is_nowhere_clear(clouded, tmp_path):
    found = written(clouded, tmp_path / "stack.tif", function(clouded, "raw"))[ORIGINAL:]
    values = clouded.values[sorted(clouded.values)[3]]["B8"]
    np.testing.assert_array_equal(found[2], np.where(values == -10000, -1, values))


def test_without_a_function_what_is_nowhere_clear_is_not_decoded(clouded, tmp_path, monkeypatch):
    read, windows = GridBand.read, []
    monkeypatch.setattr(
        GridBand, "read", lambda *given: (windows.append(given[1]), read(*given))[1]
    )
    written(clouded, tmp_path / "stack.tif")
    assert len(windows) == 3 * len(BANDS)  # of four acquisitions


class Echo:
    """A model whose class is the last feature."""

    codes = np.arange(1, 3001, dtype=np.uint16)

    def predict(self, features, probabilities=False):
        return Prediction(features[:, -1].astype(np.uint16), np.ones(len(features)), None)


@pytest.mark.parametrize("shape", [(8, 8), (3, 2)])
def test_a_model_maps_by_the_external_features_of_each_pixel(tile, shape):
    rasters = {}
    for name in ("regions", "footprint", "validity"):
        rasters[name] = gdal.GetDriverByName("MEM").Create("", 8, 8, 1, gdal.GDT_UInt16)
        rasters[name].GetRasterBand(1).WriteArray(np.ones((8, 8), np.uint16))
    stack = FeatureStack(*sources(tile), [function(tile, "around", margin=2)])
    settings = MappingSettings(1, (1, 2), "uint16", 1, 100)
    mapper = TileMapper(stack, rasters, [Echo()], settings, False)
    found = np.empty((8, 8), np.uint16)
    with ThreadPoolExecutor(2) as pool:
        for window in stack.grid.windows(*shape):
            (layers,) = mapper.layers(window, pool)
            found[window.slices] = layers["classes"]
    np.testing.assert_array_equal(found, mean_around(tile.altitude, 2).astype(np.uint16))


def test_what_is_not_asked_for_is_not_computed(tile, monkeypatch):
    stack = FeatureStack(*sources(tile), [function(tile, "around", margin=1)])
    monkeypatch.setattr(FeatureStack, "looks", None)
    calls = []
    monkeypatch.setattr(stack_module._BlockArrays, "_features", lambda *a: calls.append(a))
    with ThreadPoolExecutor(1) as pool:
        stack.read(Window(0, 0, 8, 8), pool).of(np.arange(64))
    assert not calls


def test_functions_are_called_only_for_blocks_with_pixels_and_by_one_thread_at_a_time(
    tile, monkeypatch
):
    monkeypatch.setattr(stack_module, "block_side", lambda _: 4)
    stack = FeatureStack(*sources(tile), [function(tile, "around")])
    blocks, locked = [], []
    compute = external_module.ExternalFeatures.compute

    def counted(self, arrays, place):
        blocks.append(place.window)
        locked.append(features._external._lock.locked())
        return compute(self, arrays, place)

    monkeypatch.setattr(external_module.ExternalFeatures, "compute", counted)
    with ThreadPoolExecutor(4) as pool:
        features = stack.read(Window(0, 0, 8, 8), pool)
        parts = [np.array([pixel]) for pixel in (0, 1, 9, 60, 61)] * 4
        list(pool.map(features.of, parts))
    assert sorted(blocks) == [Window(0, 0, 4, 4), Window(4, 4, 4, 4)]
    assert all(locked)


def test_the_margin_counts_in_the_memory_of_a_window(tile):
    functions = [function(tile, "raw", margin=50)]
    plain, wide = (FeatureStack(*sources(tile), part) for part in ([], functions))
    assert wide.bytes_per_pixel == plain.bytes_per_pixel + 4 * 4
    for stack in (plain, wide):
        stack.grid = type(stack.grid)("EPSG:32631", 0, 0, 10, 10980, 10980)
    for budget in (20, 100, 400):
        rows, cols = wide.window_shape(budget)
        assert (rows + 100) * (cols + 100) * wide.bytes_per_pixel <= budget * 1e6
        assert wide.megabytes(rows, cols) >= 0.3 * budget
        assert rows % 128 == 0
        assert cols % 128 == 0 or cols == 10980
    assert plain.window_shape(20) == stack_module.window_shape(
        plain.grid, plain.bytes_per_pixel, 20
    )
    assert wide.window_shape(0.01) == (128, 128)  # a block
    wide.grid = type(wide.grid)("EPSG:32631", 0, 0, 10, 70, 300)
    assert wide.window_shape(0.01) == (70, 128)


@pytest.mark.parametrize("shape", [(8, 8), (3, 5), (1, 1)])
def test_a_function_gets_the_same_blocks_whatever_the_windows(tile, monkeypatch, shape):
    monkeypatch.setattr(stack_module, "block_side", lambda _: 3)
    stack = FeatureStack(*sources(tile), [function(tile, "around", margin=1)])
    places = []
    compute = external_module.ExternalFeatures.compute
    monkeypatch.setattr(
        external_module.ExternalFeatures, "compute",
        lambda self, arrays, place: places.append(place.window) or compute(self, arrays, place),
    )  # fmt: skip
    with ThreadPoolExecutor(1) as pool:
        for window in stack.grid.windows(*shape):
            stack.read(window, pool).of(np.arange(window.size))
    assert set(places) == set(stack.grid.windows(3, 3))


def test_an_error_of_a_function_reaches_the_job_without_a_traceback(tile, tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text(
        "def f(block):\n"
        "    b = block.series['sentinel2'].band('B8')\n"
        "    if b.shape[2] == 8:\n"
        "        return b['x']\n"
        "    return {'A': b[0]}\n"
    )
    stack = FeatureStack(*sources(tile), [{"module": str(broken), "function": "f"}])
    with (
        ThreadPoolExecutor(1) as pool,
        pytest.raises(UserCodeError, match=r"broken\.py, line 4, in f \(`return b\['x'\]`\): IndexError"),
    ):  # fmt: skip
        stack.read(Window(0, 0, 8, 3), pool).of(np.arange(24))


def ratio(first, second, haze):
    first, second = first.astype(np.float64), second.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = 1000 * (first - second - haze) / (first + second + haze)
    return np.rint(np.where(first + second + haze == 0, 0, value)).clip(-32768, 32767)


@pytest.mark.parametrize("robust", [False, True])
@pytest.mark.parametrize("keep_duplicates", [False, True])
def test_relative_reflectances_stand_between_bands_and_indices(
    tile, tmp_path, robust, keep_duplicates
):
    chosen = SETTINGS | {
        "relative_reflectance": True, "robust_indices": robust, "keep_duplicates": keep_duplicates,
    }  # fmt: skip
    inventory, _, masks = sources(tile)
    path = tmp_path / "stack.tif"
    write_stack(inventory, {"sentinel2": chosen}, masks, 100, 1, str(path))
    names = FeatureStack(inventory, {"sentinel2": chosen}, masks).names
    items = ["RelB8", "RelB8A", *(["NDVI"] if keep_duplicates else []), "Brightness"]
    stamps = ("20180101", "20180111", "20180121")
    expected = [f"Sentinel2_{band}_{stamp}" for stamp in stamps for band in BANDS]
    expected += [f"Sentinel2_{item}_{stamp}" for item in items for stamp in stamps]
    assert names == [*expected, "ALT_band_1"]
    of = dict(zip(names, values_of(path), strict=True))
    assert of["ALT_band_1"].dtype == np.int16
    for stamp in stamps:
        red = of[f"Sentinel2_B4_{stamp}"]
        for band in ("B8", "B8A"):
            expected = ratio(of[f"Sentinel2_{band}_{stamp}"], red, 500 if robust else 0)
            np.testing.assert_array_equal(of[f"Sentinel2_Rel{band}_{stamp}"], expected)
        if keep_duplicates:
            np.testing.assert_array_equal(
                of[f"Sentinel2_NDVI_{stamp}"], of[f"Sentinel2_RelB8_{stamp}"]
            )


def test_red_is_read_for_relative_reflectances_though_it_is_no_feature():
    settings = SETTINGS | {"keep_bands": ["B8"], "indices": [], "relative_reflectance": True}
    plan = series_features("sentinel2", settings | {"keep_duplicates": True})
    assert plan.bands == ("B4", "B8")
    assert plan.relative == ("B8",)
    only_red = settings | {"keep_bands": ["B4"], "keep_duplicates": False, "indices": ["NDVI"]}
    plan = series_features("sentinel2", only_red)
    assert (plan.relative, plan.indices) == ((), ("NDVI",))  # it repeats nothing


def test_a_function_gets_robust_indices_where_the_chain_has_them(tile, tmp_path):
    chosen = SETTINGS | {
        "relative_reflectance": True, "robust_indices": True, "keep_duplicates": True,
    }  # fmt: skip
    inventory, _, masks = sources(tile)
    own = [function(tile, "copies")]
    write_stack(inventory, {"sentinel2": chosen}, masks, 100, 1, str(tmp_path / "s.tif"), own)
    names = FeatureStack(inventory, {"sentinel2": chosen}, masks, own).names
    of = dict(zip(names, values_of(tmp_path / "s.tif"), strict=True))
    for name in ("NDVI", "Brightness", "B8A"):
        copy, original = (of[f"{label}_{name}_20180111"] for label in ("Copy", "Sentinel2"))
        np.testing.assert_array_equal(copy, original)


def test_bands_that_a_function_alone_reads_are_no_features(tile, tmp_path):
    few = SETTINGS | {"keep_bands": ["B8"], "indices": ["Brightness"], "also_read": ["B4", "B8A"]}
    inventory, _, masks = sources(tile)
    own = [function(tile, "copies")]
    names = FeatureStack(inventory, {"sentinel2": few}, masks, own).names
    assert names[:3] == [f"Sentinel2_B8_{stamp}" for stamp in ("20180101", "20180111", "20180121")]
    write_stack(inventory, {"sentinel2": few}, masks, 100, 1, str(tmp_path / "few.tif"), own)
    of = dict(zip(names, values_of(tmp_path / "few.tif"), strict=True))
    whole = dict(zip(FeatureStack(*sources(tile)).names, written(tile, tmp_path / "a.tif"), strict=True))  # fmt: skip
    for band in ("B4", "B8A", "NDVI"):
        copy, original = of[f"Copy_{band}_20180111"], whole[f"Sentinel2_{band}_20180111"]
        np.testing.assert_array_equal(copy, original)
    brightness, band = (of[f"Sentinel2_{name}_20180111"] for name in ("Brightness", "B8"))
    np.testing.assert_array_equal(brightness, band)  # of the bands kept
