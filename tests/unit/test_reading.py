"""What is read of the images: strips by windows as wide as the tile, and around samples no more than needed."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from osgeo import gdal
from tiny import name_of, write_image, write_product

from iota2_tools.features.stack import FeatureStack
from iota2_tools.geo.grid import grid_of
from iota2_tools.geo.gridded import ImagePool, lies_in_strips
from iota2_tools.products import FORMATS
from iota2_tools.reference.table import write_samples
from iota2_tools.timeseries.inputs import Products, TileInputs
from iota2_tools.timeseries.inventory import read_inventory, write_inventory
from iota2_tools.timeseries.masks import _window_shape, write_clear_masks
from iota2_tools.timeseries.series import Looks

SIDE, BANDS = 520, ["B4", "B5"]
SETTINGS = {
    "sensor": "sentinel2", "part": "", "options": {"level": "FRE"}, "keep_bands": BANDS, "indices": [],
    "additional_features": {}, "dates": ["2018-01-05"],
}  # fmt: skip
TILED = ["TILED=YES", "BLOCKXSIZE=256", "BLOCKYSIZE=256"]


@pytest.mark.parametrize(
    ("side", "options", "expected"), [(520, [], True), (520, TILED, False), (8, [], False)]
)
def test_strips_are_told_from_blocks_and_from_small_images(tmp_path, side, options, expected):
    path = write_image(tmp_path / "B4.tif", np.zeros((side, side), np.int16), options=options)
    assert lies_in_strips(gdal.Open(path), 1) == expected


def product(folder: Path, tiled: bool) -> Path:
    """One date over 5.2 km, with a hole and a cloud; in strips, as GDAL writes by default, or in blocks."""
    draw = np.random.default_rng(5)
    fine, coarse = (draw.integers(0, 9000, (side, side)) for side in (SIDE, SIDE // 2))
    coarse[100:103, 50] = -10000
    cloud = np.zeros((SIDE, SIDE))
    cloud[:, 300:310] = 1
    place = write_product(folder, name_of("20180105"), {"B4": fine, "B5": coarse}, cloud, size=SIDE)
    for path in place.rglob("*.tif") if tiled else []:
        gdal.Translate(f"{path}.part", str(path), format="GTiff", creationOptions=TILED)
        Path(f"{path}.part").rename(path)
    return place


def stack_of(folder: Path, tiled: bool) -> FeatureStack:
    place = product(folder, tiled)
    grid = grid_of(str(place / f"{place.name}_FRE_B4.tif"))
    options = {"level": "FRE"}
    names = [item.name for item in FORMATS["sentinel2"].listing(str(folder)).products]
    products = Products("sentinel2", str(folder), names, names, options, BANDS, grid.as_dict())
    inventory, masks = str(folder / "inventory.json"), str(folder / "clear.tif")
    write_inventory(TileInputs("T31TCJ", grid, {"sentinel2": products}, {}), "stop", inventory)
    write_clear_masks(inventory, "sentinel2", masks, str(folder / "seen.tif"))
    return FeatureStack(inventory, {"sentinel2": SETTINGS}, {"sentinel2": masks})


def features(stack: FeatureStack, budget: float) -> np.ndarray:
    out = np.empty((SIDE, SIDE, len(stack.names)), np.int16)
    with ThreadPoolExecutor(1) as pool:
        for window in stack.windows(budget):
            values = stack.read(window, pool).of(np.arange(window.size))
            out[window.slices] = values.reshape(window.rows, window.cols, -1)
    return out


def test_strips_are_read_by_wide_windows_and_give_what_blocks_give(tmp_path):
    strips, blocks = (stack_of(tmp_path / str(tiled), tiled) for tiled in (False, True))
    budget = 0.2
    assert strips.in_strips
    assert not blocks.in_strips
    # 5 bytes of images and 16 more for each pixel: 0.2 MB are 18 rows, by eight 16.
    assert {(window.rows, window.cols) for window in strips.windows(budget)} == {
        (16, 520),
        (8, 520),
    }
    assert strips.window_shape(budget) == (16, 520)
    assert max(window.cols for window in blocks.windows(budget)) < SIDE
    np.testing.assert_array_equal(features(strips, budget), features(blocks, 400))
    assert (features(strips, budget)[5, 305] == 0).all()  # never clear


@pytest.mark.parametrize("tiled", [False, True])
def test_masks_are_made_by_wide_windows_where_files_lie_in_strips(tmp_path, monkeypatch, tiled):
    monkeypatch.setattr("iota2_tools.timeseries.masks.WINDOW_MB", 0.02)
    stack_of(tmp_path, tiled)
    stock = read_inventory(str(tmp_path / "inventory.json"))
    looks = [Looks(item, stock.grid, ImagePool()) for item in stock.series["sentinel2"]]
    rows, cols = _window_shape(stock.grid, looks)
    assert (cols == SIDE) is not tiled
    assert rows * cols * 3 <= 20_000


def test_samples_are_read_by_the_smallest_window_around_them(tmp_path, monkeypatch):
    stack = stack_of(tmp_path, tiled=True)
    places = {"row": [3, 5, 300, 519], "col": [10, 12, 7, 519]}  # of three blocks of 256 pixels
    pixels = pd.DataFrame(places | {"polygon": 1, "code": 1, "region": "1", "seed_0": True})
    pixels.to_parquet(tmp_path / "selection.parquet", index=False)
    read, whole = [], FeatureStack.read
    monkeypatch.setattr(
        FeatureStack,
        "read",
        lambda self, window, pool: read.append(window) or whole(self, window, pool),
    )
    write_samples(
        str(tmp_path / "selection.parquet"), str(tmp_path / "inventory.json"), {"sentinel2": SETTINGS},
        {"sentinel2": str(tmp_path / "clear.tif")}, 400, 1, str(tmp_path / "samples.parquet"),
    )  # fmt: skip
    assert [tuple(window) for window in read] == [(3, 10, 3, 3), (300, 7, 1, 1), (519, 519, 1, 1)]
    monkeypatch.undo()
    samples = pd.read_parquet(tmp_path / "samples.parquet")[stack.names].to_numpy()
    expected = features(stack, 400)[places["row"], places["col"]]
    np.testing.assert_array_equal(samples, expected)
