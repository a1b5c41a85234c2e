"""Stage regularisation, rule by rule: a plain sieve in SciPy, scores by scikit-learn."""

import json

import numpy as np
import pandas as pd
import pytest
from independent import pixels, polygon_ids, split_polygons
from osgeo import gdal
from osgeo_utils.samples import validate_cloud_optimized_geotiff as cog
from PIL import Image
from plain_sieve import plain_sieve
from sklearn import metrics
from test_rules_mosaic import colours, side_by_side
from test_rules_validation import TILES, expanded, matrix_of, nomenclature

SEEDS = (0, 1)
BLOCKS = ("0_0", "0_1")
STEP_EAST = 44  # pixels between the left edges of both tiles


def groups_of(results) -> dict[int, str]:
    """Parent of each class."""
    table = nomenclature(results)
    return dict(zip(table["code"], table["parent"], strict=True))


def most_frequent(classes: np.ndarray) -> np.ndarray:
    """Class of squares of two pixels: the most frequent one, of equals the smaller code."""
    squares = classes.reshape(len(classes) // 2, 2, -1, 2).swapaxes(1, 2).reshape(-1, 4)
    counts = [np.bincount(square[square > 0], minlength=1) for square in squares]
    return np.array([count.argmax() for count in counts]).reshape(len(classes) // 2, -1)


def regularised(results, seed: int) -> np.ndarray:
    """The map of a draw as it is to be."""
    return regularised_map(results, f"Classif_Seed_{seed}")


def regularised_map(results, name: str) -> np.ndarray:
    """A map as it is to be: 2 pixels in groups, 500 m², pixels of 20 m, water, 1200 m²."""
    classes = pixels(results / f"final/{name}.tif").astype(int)
    groups = groups_of(results)
    for threshold, seen in ((2, groups), (5, None)):
        for connectivity in (8, 4):
            classes = plain_sieve(classes, threshold, connectivity, 64, seen)
    coarse = most_frequent(classes)
    # The river is two pixels wide, columns 30 and 31; its arm is one, and the half of a larger one.
    river = np.zeros_like(coarse)
    river[:, 15] = river[10] = 1
    coarse[(river > 0) & (coarse > 0)] = 11
    for connectivity in (8, 4):
        coarse = plain_sieve(coarse, 3, connectivity, 64)
    return coarse


def test_regularise_blocks_writes_its_part_of_the_map_treated_as_one_and_a_pixel_more(made):
    maps = {
        "Seed_0": "Classif_Seed_0",
        "Seed_1": "Classif_Seed_1",
        "fusion": "Classifications_fusion",
    }
    names = [f"regularisation/{name}/{block}/{block}.tif" for name in maps for block in BLOCKS]
    results = made("regularise_blocks", *names, jobs=6)
    for name, raw in maps.items():
        expected = regularised_map(results, raw)
        assert expected.shape == (32, 54)
        for block in BLOCKS:
            written = pixels(results / f"regularisation/{name}/{block}/{block}.tif")
            columns = slice(0, 28) if block == "0_0" else slice(26, 54)
            assert np.array_equal(written, expected[:, columns])


def test_compare_seams_has_compared_what_two_blocks_hold(made):
    results = made("compare_seams", *(f"regularisation/Seed_{seed}/seams.json" for seed in SEEDS))
    told = json.loads((results / "regularisation/Seed_0/seams.json").read_text())
    assert told == {"blocks": 2, "pixels_compared": 2 * 32, "different": 0}


def test_mosaic_regularised_holds_the_blocks_with_colours_names_and_what_was_done(made):
    name = "final/Classif_Regularised_Seed_1"
    results = made(
        "mosaic_regularised", f"{name}.tif", f"{name}.qml", f"{name}.tif.aux.xml", jobs=2
    )
    assert cog.validate(str(results / f"{name}.tif"), full_check=True)[:2] == ([], [])
    raster = gdal.Open(str(results / f"{name}.tif"))
    assert np.array_equal(raster.ReadAsArray(), regularised(results, 1))
    raw = gdal.Open(str(results / "final/Classif_Seed_1.tif"))
    left, size, *_, top, _, _ = raw.GetGeoTransform()
    assert raster.GetGeoTransform() == (left, 2 * size, 0, top, 0, -2 * size)
    tags = raster.GetMetadata()
    assert tags["REGULARISATION"] == (
        "unit 5 px, rule capped, groups parent, water class 11, second unit 3 px"
    )
    assert tags["TITLE"] == "Land cover, regularised"
    assert tags["CONFIG_SHA256"] == raw.GetMetadata()["CONFIG_SHA256"]
    palette = raster.GetRasterBand(1).GetColorTable()
    for code, colour in colours(results).items():
        assert palette.GetColorEntry(code)[:3] == colour


def test_preview_regularised_draws_each_pixel_in_the_colour_of_its_class(made):
    results = made("preview_regularised", "final/Classif_Regularised_Seed_0.png")
    picture = Image.open(results / "final/Classif_Regularised_Seed_0.png").convert("RGB")
    classes = pixels(results / "final/Classif_Regularised_Seed_0.tif")
    factor = 1600 // max(classes.shape)
    drawn = np.array(picture)[56 + factor // 2 :: factor, 40 + factor // 2 :: factor]
    table = np.full((256, 3), 255, dtype=np.uint8)
    for code, colour in colours(results).items():
        table[code] = colour
    assert np.array_equal(drawn[: classes.shape[0], : classes.shape[1]], table[classes])


def compared(results, tile: str, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Reference code, regularised class and set of each pixel of a polygon that was seen clear."""
    ids = polygon_ids(results, tile)
    ids[pixels(results / "tiles" / tile / "validity.tif") < 1] = 0
    rows = split_polygons(results).reindex(ids.ravel())
    reference = rows["code"].fillna(0).to_numpy().astype(int)
    fine = np.kron(regularised(results, seed), np.ones((2, 2), dtype=int))
    left = STEP_EAST * TILES.index(tile)
    mapped = fine[:, left : left + ids.shape[1]]
    return reference, mapped.ravel(), rows[f"seed_{seed}"].fillna("").to_numpy()


def test_compare_regularised_tile_counts_what_scikit_learn_counts(made):
    results = made("compare_regularised_tile", jobs=2)
    codes = nomenclature(results)["code"].tolist()
    for tile in TILES:
        for seed in SEEDS:
            reference, mapped, part = compared(results, tile, seed)
            used = part == "validation"
            expected = metrics.confusion_matrix(reference[used], mapped[used], labels=[*codes, 0])
            folder = results / "validation" / tile
            counted = matrix_of(folder / f"confusion_regularised_seed_{seed}.csv")
            assert np.array_equal(counted, expected[: len(codes)])
            right = (reference == mapped).astype(int)
            difference = np.where(used, 1 + right, np.where(part == "learn", 3 + right, 0))
            written = pixels(folder / f"diff_regularised_seed_{seed}.tif")
            assert np.array_equal(written.ravel(), difference)


def test_sum_regularised_confusions_is_the_matrix_of_both_tiles(made):
    name = "final/Confusion_Matrix_Classif_Regularised_Seed_0"
    results = made("sum_regularised_confusions", f"{name}.csv", f"{name}.png", jobs=2)
    parts = [
        matrix_of(results / f"validation/{tile}/confusion_regularised_seed_0.csv") for tile in TILES
    ]
    assert np.array_equal(matrix_of(results / f"{name}.csv"), parts[0] + parts[1])
    assert parts[0].sum() > 0


def test_mosaic_regularised_differences_holds_the_pieces(made):
    name = "final/diff_Regularised_seed_0"
    results = made("mosaic_regularised_differences", f"{name}.tif", f"{name}.qml", jobs=2)
    pieces = {
        tile: [pixels(results / f"validation/{tile}/diff_regularised_seed_0.tif")] for tile in TILES
    }
    assert np.array_equal(pixels(results / f"{name}.tif"), side_by_side(pieces, 0))


def test_measure_regularised_areas_counts_larger_pixels(made):
    results = made("measure_regularised_areas", "final/Areas_Regularised_Seed_0.csv", jobs=2)
    table = pd.read_csv(results / "final/Areas_Regularised_Seed_0.csv").set_index("code")
    counts = np.bincount(regularised(results, 0).ravel(), minlength=12)[table.index]
    assert table["pixels"].tolist() == counts.tolist()
    assert table["mapped_ha"].to_numpy() == pytest.approx(counts * 0.04)  # 20 m pixels


def test_report_regularised_accuracy_gives_its_own_scores_and_says_what_they_are_of(made):
    results = made(
        "report_regularised_accuracy",
        "final/RESULTS_Regularised.txt", "final/scores_Regularised.csv", "final/scores_Regularised.png",
    )  # fmt: skip
    codes = nomenclature(results)["code"].tolist()
    table = pd.read_csv(results / "final/scores_Regularised.csv")
    for seed in SEEDS:
        name = f"final/Confusion_Matrix_Classif_Regularised_Seed_{seed}.csv"
        reference, mapped = expanded(matrix_of(results / name), codes)
        own = table[(table["seed"] == seed) & (table["score"] == "overall_accuracy")]
        expected = metrics.accuracy_score(reference, mapped)
        assert own["value"].item() == pytest.approx(expected, abs=1e-6)
    text = (results / "final/RESULTS_Regularised.txt").read_text()
    assert text.startswith("Accuracy of the regularised land-cover map\n")
    assert "polygons hold few edges" in text
    raw = (results / "final/RESULTS.txt").read_text()
    assert raw.startswith("Accuracy of the land-cover map\n")
    assert "polygons hold few edges" not in raw
