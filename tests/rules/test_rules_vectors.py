"""Stages vectorisation, statistics and delivery, rule by rule."""

import hashlib

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely
from independent import pixels
from osgeo import gdal
from vector_maps import unify

SQUARES = ("r0c0", "r0c1")
SIDE = 64


@pytest.fixture(scope="module")
def classes(small_production) -> np.ndarray:
    return pixels(small_production.results / "final/Classif_Seed_1.tif")


@pytest.fixture(scope="module")
def layer(small_production) -> gpd.GeoDataFrame:
    return gpd.read_file(small_production.results / "final/LandCover.gpkg", layer="land_cover")


def test_trace_square_knows_every_component_of_its_square(made, classes):
    names = [f"vectors/trace/{square}.npz" for square in SQUARES]
    results = made("trace_square", *names, jobs=2)
    for square, name in enumerate(names):
        found = np.load(results / name)
        own = classes[:, square * SIDE : (square + 1) * SIDE]
        assert len(found["numbers"]) == len(unify(own.astype(np.uint8)))
        assert found["pixels"].sum() == (own > 0).sum()


def test_join_squares_joins_what_goes_on_over_the_line(made, classes):
    results = made("join_squares", "vectors/components.npz")
    found = np.load(results / "vectors/components.npz")
    west, east = classes[:, SIDE - 1], classes[:, SIDE]
    joined = (found["parts"] != found["wholes"]).sum()
    runs = np.flatnonzero((west == east) & (west > 0))
    assert len(runs) > 0
    assert 0 < joined <= len(runs)


def test_shape_square_and_border_make_each_polygon_once(made, classes):
    results = made(
        "shape_square", *(f"vectors/polygons/{name}.parquet" for name in SQUARES), jobs=2
    )
    tables = [
        pq.read_table(results / f"vectors/polygons/{name}.parquet") for name in (*SQUARES, "border")
    ]
    numbers = np.concatenate([table["number"].to_numpy() for table in tables])
    assert len(set(numbers)) == len(numbers) == len(unify(classes.astype(np.uint8)))


def test_shape_border_leaves_no_line_between_squares(made, classes):
    results = made("shape_border", "vectors/polygons/border.parquet")
    table = pq.read_table(results / "vectors/polygons/border.parquet")
    raster = gdal.Open(str(results / "final/Classif_Seed_1.tif"))
    line = raster.GetGeoTransform()[0] + SIDE * raster.GetGeoTransform()[1]
    crossing = (table["xmin"].to_numpy() < line) & (table["xmax"].to_numpy() > line)
    assert crossing.any()
    assert table["pixels"].to_numpy().sum() > 0


def test_write_polygons_covers_the_map_without_gap_or_overlap(made, classes, layer):
    made(
        "write_polygons",
        "final/LandCover.gpkg",
        "final/LandCover.parquet",
        "final/LandCover_parquet.qml",
    )
    assert shapely.is_valid(layer.geometry).all()
    assert shapely.coverage_is_valid(layer.geometry.to_numpy())
    assert layer["pixels"].sum() == (classes > 0).sum()
    assert layer.area.sum() == pytest.approx(100 * (classes > 0).sum(), rel=1e-9)
    assert (np.abs(layer.area / 100 - layer["pixels"]) <= 0.1 * layer["pixels"] + 1e-6).all()
    # Each polygon begins at its first pixel, which has its class and region.
    rows, cols = np.divmod(layer["id"].to_numpy() - 1, classes.shape[1])
    assert classes[rows, cols].tolist() == layer["code"].tolist()
    assert set(layer["region"]) == {"1", "2"}


def test_measure_square_adds_up_to_the_pixels_of_each_class(made, classes):
    results = made(
        "measure_square", *(f"vectors/measures/{name}.parquet" for name in SQUARES), jobs=2
    )
    found = pd.concat(
        pd.read_parquet(results / f"vectors/measures/{name}.parquet") for name in SQUARES
    )
    codes, counts = np.unique(classes[classes > 0], return_counts=True)
    assert found.groupby("code")["pixels"].sum().to_dict() == dict(zip(codes, counts, strict=True))
    confidence = pixels(results / "final/Confidence_Seed_1.tif")
    assert found["confidence:sum"].sum() == confidence[classes > 0].sum()
    dates = pixels(results / "final/PixelsValidity.tif").astype(int)
    assert found["validity:squares"].sum() == (dates[classes > 0] ** 2).sum()


def test_measure_border_gives_the_mean_of_polygons_in_both_squares(made, classes, layer):
    results = made("measure_border", "vectors/measures/border.parquet")
    confidence = pixels(results / "final/Confidence_Seed_1.tif")
    table = pq.read_table(results / "vectors/polygons/border.parquet")
    number = int(table["number"].to_numpy()[np.argmax(table["pixels"].to_numpy())])
    line = layer.set_index("id").loc[number]
    row, col = divmod(number - 1, classes.shape[1])
    from scipy import ndimage

    labels, _ = ndimage.label(classes == classes[row, col])
    own = labels == labels[row, col]
    assert line["pixels"] == own.sum()
    assert line["confidence_mean"] == pytest.approx(confidence[own].mean(), rel=1e-6)
    assert line["confidence_sd"] == pytest.approx(confidence[own].std(), rel=1e-4, abs=1e-4)
    assert line[f"share_{classes[row, col]}"] == 100


def test_deliver_unit_cuts_the_layer_and_the_cuts_add_up(made, layer):
    names = ["final/delivery/eco_1.gpkg", "final/delivery/eco_2.gpkg"]
    results = made("deliver_unit", *names, jobs=2)
    units = gpd.read_file(results.parent / "scene/reference/regions.gpkg").to_crs(layer.crs)
    total = 0.0
    for unit, name in zip(("1", "2"), names, strict=True):
        frame = gpd.read_file(results / name, layer="land_cover")
        outline = units.geometry[units["region"].astype(str) == unit].union_all()
        expected = layer.geometry.intersection(outline).area.sum()
        assert frame.area.sum() == pytest.approx(expected, rel=1e-9)
        total += expected
    assert total == pytest.approx(
        layer.geometry.intersection(units.union_all()).area.sum(), rel=1e-9
    )


def test_sum_units_has_a_line_a_unit_and_digests_of_all_files(made):
    results = made("sum_units", "final/delivery/areas.csv", "final/delivery/SHA256SUMS")
    table = pd.read_csv(results / "final/delivery/areas.csv", dtype={"unit": str})
    assert table["unit"].tolist() == ["1", "2"]
    frame = gpd.read_file(results / "final/delivery/eco_2.gpkg", layer="land_cover")
    assert table.iloc[1, 3:].sum() == pytest.approx(frame.area.sum() / 10_000, abs=1e-2)
    lines = (results / "final/delivery/SHA256SUMS").read_text().splitlines()
    assert len(lines) == 6  # of each unit a GeoPackage, a GeoParquet and its style
    for line in lines:
        digest, name = line.split("  ")
        content = (results / "final/delivery" / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest
