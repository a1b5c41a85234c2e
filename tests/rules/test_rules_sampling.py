"""Stages sampling and features, rule by rule."""

from itertools import product

import geopandas as gpd
import numpy as np
import pandas as pd
from independent import centres, features, pixels, polygon_ids, split_polygons
from osgeo import gdal

TILES = ("T31TCJ", "T31TDJ")
SEEDS = (0, 1)
STEP, WANTED = 60, 12  # days between dates, samples of a class: the configuration


def learning_pixels(results, tile: str, region: str, seed: int) -> pd.DataFrame:
    """Every pixel that may be learnt: row, col, polygon and code; by shapely."""
    folder = results / "tiles" / tile
    ids = polygon_ids(results, tile)
    ids[pixels(folder / "regions.tif") != int(region)] = 0
    ids[pixels(folder / "validity.tif") < 1] = 0
    rows, cols = np.nonzero(ids)
    table = pd.DataFrame({"row": rows, "col": cols, "polygon": ids[rows, cols]})
    polygons = split_polygons(results).loc[table["polygon"]]
    table["code"] = polygons["code"].to_numpy()
    return table[(polygons[f"seed_{seed}"] == "learn").to_numpy()]


def test_split_polygons_halves_each_class_and_region_and_leaves_no_polygon_on_both_sides(made):
    results = made("split_polygons", "sampling/polygons.gpkg")
    scene = results.parent / "scene" / "reference"
    written = split_polygons(results)
    surveyed = gpd.read_file(scene / "reference.gpkg")
    surveyed.index = surveyed.index + 1
    assert list(written.index) == list(surveyed.index)
    assert written.crs == surveyed.crs
    assert written["code"].tolist() == surveyed["code"].tolist()
    assert written.geometry.geom_equals(surveyed.geometry).all()
    regions = gpd.read_file(scene / "regions.gpkg").set_index("region").geometry
    shares = pd.DataFrame(
        {name: surveyed.intersection(shape).area for name, shape in regions.items()}
    )
    assert written["region"].tolist() == shares.idxmax(axis=1).tolist()
    for seed in SEEDS:
        sets = written[f"seed_{seed}"]
        assert set(sets) == {"learn", "validation"}  # one word each: never on both sides
        counts = (
            (sets == "learn").groupby([written["region"], written["code"]]).agg(["size", "sum"])
        )
        one, more = counts[counts["size"] == 1], counts[counts["size"] > 1]
        assert (one["sum"] == 1).all()
        assert ((more["sum"] - 0.5 * more["size"]).abs() <= 0.5).all()
        assert len(one)
        assert more["size"].max() >= 6
    assert (written["seed_0"] != written["seed_1"]).any()


def test_burn_polygons_gives_each_pixel_the_polygon_its_centre_lies_in(made):
    results = made("burn_polygons", *(f"tiles/{tile}/polygons.tif" for tile in TILES), jobs=2)
    for tile in TILES:
        burnt = pixels(results / "tiles" / tile / "polygons.tif")
        assert np.array_equal(burnt, polygon_ids(results, tile))
        assert len(np.unique(burnt)) > 10


def test_count_polygon_pixels_counts_the_clear_pixels_of_learning_polygons(made):
    files = [f"tiles/{tile}/polygon_statistics.csv" for tile in TILES]
    results = made("count_polygon_pixels", *files, jobs=2)
    for tile, path in zip(TILES, files, strict=True):
        counted = pd.read_csv(results / path)
        for region, seed in product("12", SEEDS):
            expected = learning_pixels(results, tile, region, seed)["polygon"].value_counts()
            own = counted[(counted["region"] == int(region)) & (counted[f"seed_{seed}"] == 1)]
            clear = own.set_index("polygon")["clear"]
            assert clear[clear > 0].to_dict() == expected.to_dict()
        ids = polygon_ids(results, tile)
        every = pd.Series(ids[ids > 0]).value_counts()
        assert counted.groupby("polygon")["pixels"].sum().to_dict() == every.to_dict()


def test_share_samples_divides_a_class_by_what_each_tile_holds(made):
    files = [f"sampling/rates/region_{name}.csv" for name in "12"]
    results = made("share_samples", *files, jobs=2)
    for (region, path), seed in product(zip("12", files, strict=True), SEEDS):
        counts = pd.DataFrame(
            {
                tile: learning_pixels(results, tile, region, seed)["code"].value_counts()
                for tile in TILES
            }
        ).fillna(0)
        shares = np.floor(WANTED * counts.div(counts.sum(axis=1), axis=0))
        table = pd.read_csv(results / path)
        table = table[table["seed"] == seed].set_index(["code", "tile"])
        expected = counts.stack()[counts.stack() > 0]
        assert table["pixels"].to_dict() == expected.to_dict()
        asked = np.minimum(shares, counts).stack()[expected.index]
        assert table["samples"].to_dict() == asked.to_dict()


def test_select_samples_takes_the_numbers_asked_for_from_learning_polygons_alone(made):
    results = made("select_samples", *(f"tiles/{tile}/selection.parquet" for tile in TILES), jobs=2)
    for tile in TILES:
        chosen = pd.read_parquet(results / "tiles" / tile / "selection.parquet")
        assert not chosen.duplicated(["row", "col"]).any()
        assert chosen[["seed_0", "seed_1"]].any(axis=1).all()
        assert len(chosen) > 100
        for region, seed in product("12", SEEDS):
            own = chosen[(chosen["region"] == region) & chosen[f"seed_{seed}"]]
            allowed = learning_pixels(results, tile, region, seed)
            key = ["row", "col", "polygon", "code"]
            assert len(own.merge(allowed, on=key)) == len(own)
            rates = pd.read_csv(results / f"sampling/rates/region_{region}.csv")
            asked = rates[(rates["tile"] == tile) & (rates["seed"] == seed)]
            taken = asked.set_index("code")["samples"]
            assert own["code"].value_counts().to_dict() == taken[taken > 0].to_dict()


def test_extract_samples_reads_features_that_np_interp_gives_as_well(made):
    results = made("extract_samples", *(f"tiles/{tile}/samples.parquet" for tile in TILES), jobs=2)
    for tile in TILES:
        check_samples(results, tile)


def check_samples(results, tile: str) -> None:
    folder = results / "tiles" / tile
    samples = gpd.read_parquet(folder / "samples.parquet")
    chosen = pd.read_parquet(folder / "selection.parquet")
    pd.testing.assert_frame_equal(samples[chosen.columns], chosen, check_like=False)
    rows, cols = chosen["row"].to_numpy(), chosen["col"].to_numpy()
    expected = features(results.parent / "scene", tile, STEP)
    assert list(samples.columns) == [*chosen.columns, *expected, "geometry"]
    for name, image in expected.items():
        assert samples[name].dtype == np.int16
        assert np.array_equal(samples[name], image[rows, cols]), name
    x, y = centres(folder / "regions.tif")
    assert np.array_equal(samples.geometry.x, x[rows, cols])
    assert np.array_equal(samples.geometry.y, y[rows, cols])
    assert samples.crs.to_epsg() == 32631


def test_write_features_writes_every_feature_of_every_pixel_with_its_name(made):
    results = made("write_features", *(f"features/{tile}.tif" for tile in TILES), jobs=2)
    for tile in TILES:
        stack = gdal.Open(str(results / "features" / f"{tile}.tif"))
        names = [
            stack.GetRasterBand(band + 1).GetDescription() for band in range(stack.RasterCount)
        ]
        expected = features(results.parent / "scene", tile, STEP)
        assert names == list(expected)
        assert np.array_equal(stack.ReadAsArray(), np.array(list(expected.values())))
