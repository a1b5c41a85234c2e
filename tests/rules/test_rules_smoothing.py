"""Smoothing, rule by rule, on a copy of the small production that asks for it."""

import numpy as np
import pandas as pd
import pytest
from independent import pixels
from sklearn import metrics
from test_rules_mosaic import TILES, classified, side_by_side
from test_rules_validation import compared, matrix_of, nomenclature

SEEDS = (0, 1)


@pytest.fixture(scope="module")
def results(smoothed_production):
    return smoothed_production.results


def mean_field(per_mille: np.ndarray) -> np.ndarray:
    """Beliefs over the whole map, shape (classes, rows, cols): five rounds with beta 0.3."""
    seen = per_mille[0] != 65535
    rows, cols = seen.shape
    given = np.where(seen, per_mille / 1000, 0)
    belief = given
    for _ in range(5):
        wide = np.pad(belief, ((0, 0), (1, 1), (1, 1)))
        around = -belief + sum(
            wide[:, i : i + rows, j : j + cols] for i in range(3) for j in range(3)
        )
        weight = np.where(seen, (given + 0.01) * np.exp(0.3 * around), 0)
        belief = weight / np.maximum(weight.sum(axis=0), 1e-9)
    return belief


def smoothed(results, layer: str, seed: int) -> dict:
    return {tile: [pixels(results / f"smoothing/{tile}/{layer}_seed_{seed}.tif")] for tile in TILES}


@pytest.mark.parametrize("seed", SEEDS)
def test_smooth_tile_gives_the_mean_field_of_the_map_of_all_tiles_and_regions(results, seed):
    raw = side_by_side(classified(results, "classes", seed), 0)
    beliefs = mean_field(side_by_side(classified(results, "probabilities", seed), 65535))
    codes = nomenclature(results)["code"].to_numpy()
    classes = side_by_side(smoothed(results, "classes", seed), 0)
    confidence = side_by_side(smoothed(results, "confidence", seed), 0)
    assert np.array_equal(classes > 0, raw > 0)
    first, second = np.sort(beliefs, axis=0)[:-3:-1]
    clear = (raw > 0) & (first - second > 0.005)
    assert clear.sum() > 0.9 * (raw > 0).sum()
    assert np.array_equal(classes[clear], codes[beliefs.argmax(axis=0)][clear])
    assert np.abs(confidence[clear] - np.floor(100 * first[clear])).max() <= 1
    assert (classes != raw).sum() > 20
    final = pixels(results / f"final/Classif_Seed_{seed}.tif")
    assert np.array_equal(final, classes)
    assert np.array_equal(pixels(results / f"final/Confidence_Seed_{seed}.tif"), confidence)


def test_mosaic_raw_classes_is_the_map_of_the_classifier(results, made):
    plain = made("mosaic_classes", "final/Classif_Seed_1.tif") / "final/Classif_Seed_1.tif"
    assert np.array_equal(pixels(results / "final/Classif_raw_Seed_1.tif"), pixels(plain))
    assert (results / "final/Classif_raw_Seed_1.qml").exists()


def test_compare_raw_tile_and_compare_tile_count_either_map(results, made):
    plain = made("compare_tile")
    codes = nomenclature(results)["code"].tolist()
    for tile in TILES:
        folder, name = results / "validation" / tile, "confusion_seed_0.csv"
        raw = matrix_of(folder / "confusion_raw_seed_0.csv")
        assert np.array_equal(raw, matrix_of(plain / "validation" / tile / name))
        reference, _, part = compared(results, tile, 0)
        mapped = pixels(results / f"smoothing/{tile}/classes_seed_0.tif").ravel()
        used = part == "validation"
        expected = metrics.confusion_matrix(reference[used], mapped[used], labels=[*codes, 0])
        assert np.array_equal(matrix_of(folder / name), expected[: len(codes)])


def test_sum_raw_confusions_and_the_report_tell_the_scores_of_both_maps(results, made):
    plain = made("report_accuracy", "final/scores.csv")
    name = "final/Confusion_Matrix_Classif{}_Seed_1.csv"
    raw = matrix_of(results / name.format("_raw"))
    assert np.array_equal(raw, matrix_of(plain / name.format("")))
    assert (results / "final/scores_raw.csv").read_bytes() == (
        plain / "final/scores.csv"
    ).read_bytes()
    told = {}
    for word in ("scores.csv", "scores_raw.csv"):
        table = pd.read_csv(results / "final" / word)
        told[word] = table[table["score"] == "overall_accuracy"]["value"].mean()
    text = (results / "final/RESULTS.txt").read_text()
    assert f"Smoothed map    {told['scores.csv']:.3f}" in text
    assert f"Raw map         {told['scores_raw.csv']:.3f}" in text
    assert "Smoothing" not in (plain / "final/RESULTS.txt").read_text()
