"""Stages vectorisation, statistics and delivery, rule by rule: polygons of the fused map, regularised."""

import hashlib

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely
from independent import pixels
from osgeo import gdal
from scipy import ndimage
from vector_maps import unify

SQUARES = ("r0c0", "r0c1")
SIDE, FINE = (
    32,
    2,
)  # pixels of a square; pixels of the raw map along a side of one of the regularised map


@pytest.fixture(scope="module")
def classes(whole_production) -> np.ndarray:
    return pixels(whole_production.results / "final/Classif_Regularised_fusion.tif")


@pytest.fixture(scope="module")
def components(classes) -> dict[int, np.ndarray]:
    """Pixels of the raw map in each component, by the number of its first pixel."""
    found = {}
    for code in np.unique(classes[classes > 0]):
        labels, count = ndimage.label(classes == code)
        for label in range(1, count + 1):
            own = labels == label
            found[int(np.flatnonzero(own)[0]) + 1] = np.kron(own, np.ones((FINE, FINE), bool))
    return found


@pytest.fixture(scope="module")
def layer(whole_production) -> gpd.GeoDataFrame:
    return gpd.read_file(whole_production.results / "final/LandCover.gpkg", layer="land_cover")


def test_trace_squares_knows_every_component_of_its_square(made, classes):
    names = [f"vectors/trace/{square}/{square}.npz" for square in SQUARES]
    results = made("trace_squares", *names, jobs=2)
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


def test_shape_squares_and_border_make_each_polygon_once(made, classes):
    results = made(
        "shape_squares", *(f"vectors/polygons/{name}/{name}.parquet" for name in SQUARES), jobs=2
    )
    tables = [
        pq.read_table(results / f"vectors/polygons/{name}.parquet")
        for name in (*(f"{square}/{square}" for square in SQUARES), "border")
    ]
    numbers = np.concatenate([table["number"].to_numpy() for table in tables])
    assert len(set(numbers)) == len(numbers) == len(unify(classes.astype(np.uint8)))


def test_shape_border_leaves_no_line_between_squares(made, classes):
    results = made("shape_border", "vectors/polygons/border.parquet")
    table = pq.read_table(results / "vectors/polygons/border.parquet")
    raster = gdal.Open(str(results / "final/Classif_Regularised_fusion.tif"))
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
    assert layer.area.sum() == pytest.approx(400 * (classes > 0).sum(), rel=1e-9)
    assert (np.abs(layer.area / 400 - layer["pixels"]) <= 0.1 * layer["pixels"] + 1e-6).all()
    # Each polygon begins at its first pixel, which has its class and region.
    rows, cols = np.divmod(layer["id"].to_numpy() - 1, classes.shape[1])
    assert classes[rows, cols].tolist() == layer["code"].tolist()
    assert set(layer["region"]) == {"1", "2"}


def test_measure_squares_adds_up_to_the_pixels_of_each_raw_class(made, components):
    names = [f"vectors/measures/{name}/{name}.parquet" for name in SQUARES]
    results = made("measure_squares", *names, jobs=2)
    found = pd.concat(pd.read_parquet(results / name) for name in names)
    raw = pixels(results / "final/Classifications_fusion.tif")
    inside = cut_to(np.any(list(components.values()), axis=0), raw)
    codes, counts = np.unique(raw[inside], return_counts=True)
    assert found.groupby("code")["pixels"].sum().to_dict() == dict(zip(codes, counts, strict=True))
    confidence = pixels(results / "final/Confidence_fusion.tif")
    assert found["confidence:sum"].sum() == confidence[inside].sum()


def cut_to(mask, raw):
    """A mask of whole larger pixels, where the raw map has pixels."""
    return mask[: raw.shape[0], : raw.shape[1]]


def test_measure_border_and_squares_give_each_polygon_its_values(made, components, layer):
    results = made("measure_border", "vectors/measures/border.parquet")
    raw = pixels(results / "final/Classifications_fusion.tif")
    confidence = pixels(results / "final/Confidence_fusion.tif").astype(float)
    confidence[confidence == 0] = np.nan
    dates = pixels(results / "final/PixelsValidity.tif").astype(float)
    dates[dates == 255] = np.nan
    border = set(pq.read_table(results / "vectors/polygons/border.parquet")["number"].to_pylist())
    assert 0 < len(border) < len(layer)
    assert set(layer["id"]) == set(components)
    for line in layer.to_dict("records"):
        own = cut_to(components[line["id"]], raw)
        classed = own & (raw > 0)
        codes, counts = np.unique(raw[classed], return_counts=True)
        shares = dict(zip(codes, 100 * counts / counts.sum(), strict=True))
        assert line["majority"] in (codes[counts == counts.max()] if len(codes) else [line["code"]])
        for code, share in shares.items():
            assert line[f"share_{code}"] == pytest.approx(share, rel=1e-6)
        most = own & (raw == line["majority"])
        for name, values, where in (
            ("confidence", confidence, own),
            ("confidence_majority", confidence, most),
            ("validity", dates, own),
            ("validity_majority", dates, most),
        ):
            known = values[where][~np.isnan(values[where])]
            if not known.size:
                assert np.isnan(line[f"{name}_mean"])
                continue
            assert line[f"{name}_mean"] == pytest.approx(known.mean(), rel=1e-6)
            assert line[f"{name}_sd"] == pytest.approx(known.std(), rel=1e-4, abs=1e-3)


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
