"""Comparison of a map with its reference."""

from dataclasses import replace
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from iota2_tools.assessing import comparison
from iota2_tools.assessing.comparison import (
    SeedFiles,
    TileReference,
    difference,
    write_comparison,
    write_comparison_by_region,
)
from iota2_tools.assessing.scores import read_matrix_csv
from iota2_tools.geo.grid import Grid
from iota2_tools.geo.raster import create_raster, read_raster
from iota2_tools.geo.vectors import write_layer
from iota2_tools.maps import validity as validity_module
from iota2_tools.maps.validity import clip_validity
from iota2_tools.reference.sets import PolygonTable

GRID = Grid("EPSG:32631", 0, 80, 10, 8, 8)


def write_raster(path, values, dtype="uint16") -> str:
    with create_raster(str(path), GRID, dtype) as raster:
        raster.write(np.asarray(values, dtype=dtype), GRID.window)
    return str(path)


@pytest.mark.parametrize(
    ("reference", "mapped", "learns", "validates", "code"),
    [
        (0, 0, False, False, 0),
        (0, 11, True, False, 0),
        (11, 11, False, False, 0),
        (11, 12, False, True, 1),
        (11, 11, False, True, 2),
        (11, 12, True, False, 3),
        (11, 11, True, False, 4),
        (11, 12, True, True, 5),
        (11, 11, True, True, 6),
        (11, 0, False, True, 1),  # not mapped is wrong
        (300, 300, False, True, 2),
    ],
)
def test_difference_code(reference, mapped, learns, validates, code):
    values = [np.array([item]) for item in (reference, mapped, learns, validates)]
    assert difference(*values).tolist() == [code]


def test_polygons_are_looked_up_by_id():
    splits = pd.DataFrame(
        {
            "polygon": [5, 2, 3],
            "code": [300, 11, 12],
            "seed_0": ["learn", "validation", "learn+validation"],
            "seed_1": ["unused", "learn", "validation"],
        }
    )
    table = PolygonTable(splits, [0, 1])
    assert table.codes.tolist() == [0, 0, 11, 12, 0, 300]
    assert np.flatnonzero(table.learns[0]).tolist() == [3, 5]
    assert np.flatnonzero(table.validates[0]).tolist() == [2, 3]
    assert np.flatnonzero(table.learns[1]).tolist() == [2]
    assert np.flatnonzero(table.validates[1]).tolist() == [3]


def test_a_map_of_all_tiles_and_of_larger_pixels_is_compared_where_the_tile_lies(tile, tmp_path):
    """The tile begins two pixels to the east and four to the south of the map of 20 m."""
    fine = np.zeros((12, 12), dtype=np.uint16)
    fine[4:, 2:10] = sum(read_raster(path).astype(np.uint16) for path in tile.seeds[1].maps)
    wide = Grid("EPSG:32631", -20, 120, 10, 12, 12)
    for grid, values in ((wide, fine), (wide.coarser(2), fine[::2, ::2])):
        path = str(tmp_path / f"map{grid.resolution}.tif")
        with create_raster(path, grid, "uint16", nodata=0) as raster:
            raster.write(np.ascontiguousarray(values), grid.window)
        seeds = {1: replace(tile.seeds[1], maps=[path])}
        write_comparison(tile.reference, tile.seeds, tile.nomenclature)
        expected = read_matrix_csv(tile.seeds[1].confusion)[0]
        (tmp_path / "confusion_1.csv").unlink()
        write_comparison(tile.reference, seeds, tile.nomenclature)
        assert np.array_equal(read_matrix_csv(tile.seeds[1].confusion)[0], expected)
        assert expected.sum() > 0


class Tile(NamedTuple):
    """Inputs of a comparison on a tile of 8 x 8 pixels, and where its outputs go."""

    reference: TileReference
    seeds: dict[int, SeedFiles]
    nomenclature: str


@pytest.fixture
def tile(tmp_path) -> Tile:
    """Polygons 1 (class 11) and 2 (12) in rows 0 and 1, 3 (300) in row 6, 4 (11) in row 7.

    A pixel of polygon 1 was clear as often as asked for, another one less.
    """
    frame = gpd.GeoDataFrame(
        {
            "polygon": [1, 2, 3, 4],
            "code": [11, 12, 300, 11],
            "seed_0": ["validation", "learn", "validation", "learn+validation"],
            "seed_1": ["learn", "validation", "unused", "validation"],
        },
        geometry=[shapely.box(0, 0, 1, 1)] * 4,
        crs="EPSG:32631",
    )
    write_layer(frame, str(tmp_path / "splits.gpkg"))
    ids = np.zeros((8, 8))
    ids[:2, :4], ids[:2, 4:], ids[6], ids[7, :4] = 1, 2, 3, 4
    clear = np.full((8, 8), 5)
    clear[0, :2] = [2, 1]
    halves = [11] * 4 + [12] * 4
    first = np.array([halves, halves, *[[0] * 8] * 4, [300] * 8, [11] * 4 + [0] * 4])
    first[1, :2], first[0, 4], first[6, 7], first[7, 3] = [12, 0], 11, 11, 300
    maps = {0: first, 1: np.array([halves] * 8)}
    west = np.arange(8) < 4
    seeds = {
        seed: SeedFiles(
            [
                write_raster(tmp_path / f"{seed}_{part}.tif", np.where(kept, values, 0))
                for part, kept in (("west", west), ("east", ~west))
            ],
            str(tmp_path / f"confusion_{seed}.csv"),
            str(tmp_path / f"difference_{seed}.tif"),
        )
        for seed, values in maps.items()
    }
    table = tmp_path / "nomenclature.csv"
    table.write_text("code,name\n11,Wood\n12,Water\n300,Urban\n")
    reference = TileReference(
        str(tmp_path / "splits.gpkg"),
        write_raster(tmp_path / "polygons.tif", ids, "uint32"),
        write_raster(tmp_path / "validity.tif", clear),
        write_raster(tmp_path / "footprint.tif", np.ones((8, 8))),
        cloud_threshold=2,
    )
    return Tile(reference, seeds, str(table))


@pytest.mark.parametrize("rows", [1, 3, 256])
def test_a_tile_is_compared_pixel_by_pixel_whatever_the_windows(tile, monkeypatch, rows):
    monkeypatch.setattr(comparison, "STRIP_ROWS", rows)
    write_comparison(*tile)
    none = [0] * 8
    # Rows: reference 11, 12, 300. Columns: map 11, 12, 300, without class.
    assert read_matrix_csv(tile.seeds[0].confusion)[0].tolist() == [
        [5 + 3, 1, 1, 1],  # polygon 1 without the pixel of one clear date, and polygon 4
        [0, 0, 0, 0],  # polygon 2 learns
        [1, 0, 7, 0],
    ]
    assert read_raster(tile.seeds[0].difference).tolist() == [
        [2, 0, 2, 2, 3, 4, 4, 4],
        [1, 1, 2, 2, 4, 4, 4, 4],
        *[none] * 4,
        [2, 2, 2, 2, 2, 2, 2, 1],
        [6, 6, 6, 5, 0, 0, 0, 0],
    ]
    assert read_matrix_csv(tile.seeds[1].confusion)[0].tolist() == [
        [4, 0, 0, 0],  # polygon 4; polygon 1 learns
        [0, 8, 0, 0],
        [0, 0, 0, 0],  # polygon 3 is unused
    ]
    assert read_raster(tile.seeds[1].difference).tolist() == [
        [4, 0, 4, 4, 2, 2, 2, 2],
        [4, 4, 4, 4, 2, 2, 2, 2],
        *[none] * 5,
        [2, 2, 2, 2, 0, 0, 0, 0],
    ]


@pytest.mark.parametrize("rows", [3, 256])
@pytest.mark.parametrize(("dtype", "nodata", "most"), [("uint8", 255, 254), ("uint16", 65535, 300)])
def test_validity_is_kept_where_seen_and_in_a_region_and_saturates_below_nodata(
    tmp_path, monkeypatch, rows, dtype, nodata, most
):
    monkeypatch.setattr(validity_module, "STRIP_ROWS", rows)
    dates, regions, footprint = (np.full((8, 8), value) for value in (7, 1, 1))
    dates[0, :2], dates[7, 7] = [0, 300], 254
    regions[2, 2], regions[3, 3] = 0, 2
    footprint[6] = 0
    paths = [
        write_raster(tmp_path / f"{name}.tif", values)
        for name, values in (("dates", dates), ("regions", regions), ("footprint", footprint))
    ]
    output = str(tmp_path / "clipped.tif")
    clip_validity(*paths, dtype, output)
    expected = np.full((8, 8), 7)
    expected[0, :2], expected[7, 7] = [0, most], 254
    expected[2, 2] = expected[6] = nodata
    assert read_raster(output).tolist() == expected.tolist()
    assert read_raster(output).dtype == dtype


def test_a_pixel_outside_the_footprint_is_not_compared_whatever_the_threshold(tile, tmp_path):
    """User features alone have no dates, so that every pixel is clear often enough."""
    hole = np.ones((8, 8))
    hole[1, 1] = 0  # of polygon 1, mapped without class by seed 0
    footprint = write_raster(tmp_path / "footprint.tif", hole)
    reference = replace(tile.reference, footprint=footprint, cloud_threshold=0)
    write_comparison(reference, tile.seeds, tile.nomenclature)
    matrix = read_matrix_csv(tile.seeds[0].confusion)[0]
    assert matrix[0, 3] == 0
    assert read_raster(tile.seeds[0].difference)[1, 1] == 0


@pytest.mark.parametrize("rows", [1, 3, 256])
def test_regions_are_compared_apart_and_together_are_the_tile(tile, tmp_path, monkeypatch, rows):
    monkeypatch.setattr(comparison, "STRIP_ROWS", rows)
    numbers = np.full((8, 8), 2)
    numbers[:, 6:] = 1
    regions = write_raster(tmp_path / "regions.tif", numbers, "uint16")
    seeds = {
        seed: replace(files, confusion=str(tmp_path / f"regions_{seed}.csv"))
        for seed, files in tile.seeds.items()
    }
    write_comparison_by_region(tile.reference, seeds, regions, {1: "01", 2: "hills"})
    found = pd.read_csv(seeds[0].confusion, dtype={"region": str})
    # Of polygon 1, less the pixel of one clear date: 11 11 11, then 12 0 11 11. Of polygon 4: 11 11 11 300.
    # Of polygon 3: 300, in the last column 11.
    assert found.to_numpy().tolist() == [
        ["01", 300, 11, 1], ["01", 300, 300, 1],
        ["hills", 11, 0, 1], ["hills", 11, 11, 8], ["hills", 11, 12, 1], ["hills", 11, 300, 1],
        ["hills", 300, 300, 6],
    ]  # fmt: skip
    write_comparison(*tile)
    for seed, files in seeds.items():
        matrix = np.zeros((3, 4), dtype=np.int64)
        place = {11: 0, 12: 1, 300: 2, 0: 3}
        for _, reference, mapped, pixels in pd.read_csv(files.confusion).to_numpy():
            matrix[place[reference], place[mapped]] += pixels
        assert np.array_equal(matrix, read_matrix_csv(tile.seeds[seed].confusion)[0])


def test_a_tile_that_is_not_mapped_has_pixels_without_class_alone(tile, tmp_path):
    """No region touches it, so that it has no maps; what its polygons hold is compared all the same."""
    regions = write_raster(tmp_path / "regions.tif", np.full((8, 8), 1), "uint16")
    output = str(tmp_path / "regions_0.csv")
    seeds = {0: replace(tile.seeds[0], maps=[], confusion=output)}
    write_comparison_by_region(tile.reference, seeds, regions, {1: "all"})
    found = pd.read_csv(output)
    # As many as of the maps above, by class of the reference.
    assert found.to_numpy().tolist() == [["all", 11, 0, 11], ["all", 300, 0, 8]]
