"""Stage init, rule by rule."""

import json
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
from independent import centres, clear, day_of, mask, pixels, products, which
from osgeo import gdal

TILES = ("T31TCJ", "T31TDJ")
MARGIN, OVERLAP, SIZE = 10, 20, 64  # pixels; the margin of 105 m is cut to whole pixels


def of_tiles(*names: str, tiles=TILES) -> list[str]:
    """Files of these names of each tile."""
    return [f"tiles/{tile}/{name}" for tile in tiles for name in names]


def seen(scene: Path, tile: str) -> np.ndarray:
    """Where at least one product lies inside the swath."""
    return np.any([mask(product, "EDG") == 0 for product in products(scene, tile)], axis=0)


def test_take_inventory_lists_the_products_of_a_tile_with_their_files(made):
    results = made("take_inventory", "tiles/T31TCJ/inventory.json")
    stored = json.loads((results / "tiles/T31TCJ/inventory.json").read_text())
    folders = products(results.parent / "scene", "T31TCJ")
    listed = stored["series"]["sentinel2"]
    assert [item["name"] for item in listed] == [folder.name for folder in folders]
    for item, folder in zip(listed, folders, strict=True):
        assert date.fromisoformat(item["day"]) == day_of(folder).date()
        files = [about["path"] for about in [*item["bands"].values(), *item["masks"]]]
        read = {results.parent / name for name in files}
        assert read == {*folder.glob("*_FRE_*.tif"), *folder.glob("MASKS/*_[CSE][LAD][MTG]_R1.tif")}
        assert len(read) == 13
    image = gdal.Open(next(str(path) for path in folders[0].glob("*_FRE_B2.tif")))
    left, size, _, top, *_ = image.GetGeoTransform()
    grid = stored["grid"]
    assert [grid[key] for key in ("left", "top", "resolution", "rows", "cols")] == [
        left, top, size, image.RasterYSize, image.RasterXSize,
    ]  # fmt: skip
    assert (stored["left_out"], stored["user_features"]) == ({}, {})


def test_take_inventory_leaves_out_the_damaged_product_and_names_it(made):
    results = made("take_inventory", "tiles/T31TDJ/inventory.json")
    stored = json.loads((results / "tiles/T31TDJ/inventory.json").read_text())
    folder = results.parent / "scene/sentinel2/T31TDJ"
    whole = [product.name for product in products(results.parent / "scene", "T31TDJ")]
    folders = {product.name for product in folder.iterdir() if product.is_dir()}
    (damaged,) = folders - set(whole)
    assert damaged < min(whole)  # the first of all
    assert list(stored["left_out"]) == [damaged]
    assert [item["name"] for item in stored["series"]["sentinel2"]] == whole


def test_mask_series_is_clear_where_no_mask_is_set_once_a_day(made):
    outputs = of_tiles("sentinel2_clear.tif", "sentinel2_footprint.tif")
    results = made("mask_series", *outputs, jobs=2)
    scene = results.parent / "scene"
    for tile in TILES:
        folder, folders = results / "tiles" / tile, products(scene, tile)
        written = pixels(folder / "sentinel2_clear.tif")
        assert np.array_equal(written, clear(scene, tile))
        assert 0 < written.mean() < 1
        assert np.array_equal(pixels(folder / "sentinel2_footprint.tif"), seen(scene, tile))
        raster = gdal.Open(str(folder / "sentinel2_clear.tif"))
        named = [raster.GetRasterBand(band + 1).GetDescription() for band in range(len(folders))]
        assert named == [f"{day_of(product):%Y%m%d} {product.name}" for product in folders]


def test_the_scene_has_a_day_seen_twice_and_ground_never_seen(small_production):
    """Without them the tests of mask_series and clip_validity would see less."""
    scene = small_production.folder / "scene"
    first, again = (
        mask(folder, "CLM") + mask(folder, "EDG") == 0
        for folder in products(scene, "T31TCJ")
        if "20180603" in folder.name
    )
    assert (first & again).any()
    assert 0 < seen(scene, "T31TDJ").mean() < 1


def test_count_valid_dates_is_the_sum_of_the_masks_where_the_ground_was_seen(made):
    results = made("count_valid_dates", *of_tiles("validity.tif", "footprint.tif"), jobs=2)
    scene = results.parent / "scene"
    for tile in TILES:
        dates = clear(scene, tile).sum(axis=0)
        assert len(np.unique(dates)) > 2
        validity, footprint = (
            results / path for path in of_tiles("validity.tif", "footprint.tif", tiles=[tile])
        )
        assert np.array_equal(pixels(validity), dates * seen(scene, tile))
        assert np.array_equal(pixels(footprint), seen(scene, tile))


def test_draw_regions_shares_out_every_pixel_once_and_follows_the_region_file(made):
    paths = of_tiles("regions.tif")
    results = made("draw_regions", *paths, jobs=2)
    west, east = (pixels(results / path) for path in paths)
    # The western tile leaves 10 pixels to its right; below, where no tile lies, each keeps its own.
    expected = np.zeros((SIZE, SIZE), dtype=bool)
    expected[:, : SIZE - MARGIN] = True
    assert np.array_equal(west > 0, expected)
    covered = np.zeros((SIZE, 2 * SIZE - OVERLAP), dtype=int)
    covered[:, :SIZE] += west > 0
    covered[:, SIZE - OVERLAP :] += east > 0
    assert (covered == 1).all()
    regions = gpd.read_file(results.parent / "scene/reference/regions.gpkg")
    numbers = regions["region"].astype(int)
    for path, written in zip(paths, (west, east), strict=True):
        inside = written > 0
        assert np.array_equal(
            written[inside], which(regions.geometry, numbers, results / path)[inside]
        )
        assert centres(results / path)[0].shape == written.shape
        tags = gdal.Open(str(results / path)).GetMetadata()
        assert {tags["REGION_1"], tags["REGION_2"]} == {"1", "2"}
    assert {*np.unique(west), *np.unique(east)} >= {1, 2}
