"""Samples managed and maps smoothed, rule by rule, on a copy of the small production that asks for both."""

import json

import numpy as np
import pandas as pd
import pytest
from independent import pixels
from PIL import Image
from sklearn import metrics
from test_rules_mosaic import TILES, classified, side_by_side
from test_rules_validation import compared, expanded, matrix_of, nomenclature

SEEDS = (0, 1)


@pytest.fixture(scope="module")
def results(managed_production):
    return managed_production.results


def samples(results) -> pd.DataFrame:
    return pd.concat(pd.read_parquet(results / f"tiles/{tile}/samples.parquet") for tile in TILES)


def learning_pixels(results) -> pd.DataFrame:
    """Clear pixels of each polygon in each region, over both tiles, from the counts of the rule before."""
    tables = [pd.read_csv(results / f"tiles/{tile}/polygon_statistics.csv") for tile in TILES]
    return pd.concat(tables).groupby(["region", "polygon", "code"]).sum().reset_index()


@pytest.mark.parametrize("seed", SEEDS)
def test_select_samples_keeps_the_limits_of_polygons_and_the_strategy_of_a_region(results, seed):
    own = samples(results)[lambda table: table[f"seed_{seed}"]]
    given = own.groupby(["region", "polygon"]).size()
    assert given["1"].max() == 4
    assert 4 < given["2"].max() <= 9
    there = learning_pixels(results)
    there = there[there[f"seed_{seed}"] > 0]
    one = there[there["region"] == 1].assign(most=lambda table: table["clear"].clip(upper=4))
    for code, most in one.groupby("code")["most"].sum().items():
        # Twelve of a class, rounded down for each of two tiles.
        taken = (own[own["region"] == "1"]["code"] == code).sum()
        assert min(most, 12) - 1 <= taken <= min(most, 12)
    two = there[there["region"] == 2].assign(most=lambda table: table["clear"].clip(upper=9))
    for code, most in two.groupby("code")["most"].sum().items():
        taken = (own[own["region"] == "2"]["code"] == code).sum()
        assert abs(taken - most / 2) <= 1


@pytest.mark.parametrize("seed", SEEDS)
def test_train_model_learns_what_is_copied_from_the_other_region_and_made(results, seed):
    own = samples(results)[lambda table: table[f"seed_{seed}"]]
    counts = own.groupby(["region", "code"]).size()
    told = {
        region: json.loads((results / f"models/region_{region}_seed_{seed}/model.json").read_text())
        for region in ("1", "2")
    }
    woods = counts["1"].get(9, 0)
    assert told["2"]["copied"] == [{"source": "1", "class": 9, "samples": woods}]
    assert "made" not in told["2"]
    expected = counts["2"].add(pd.Series({9: woods}), fill_value=0).astype(int)
    assert told["2"]["classes"] == {str(code): n for code, n in expected.items() if n}
    pasture = min(3, counts["2"].get(7, 0))
    assert told["1"]["copied"] == [{"source": "2", "class": 7, "samples": pasture}]
    with_copies = counts["1"].add(pd.Series({7: pasture}), fill_value=0).astype(int)
    assert told["1"]["made"] == {str(code): 20 - n for code, n in with_copies.items() if n < 20}
    assert set(told["1"]["classes"].values()) == {20}


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


def test_mosaic_raw_classes_is_the_map_of_the_classifier(results):
    raw = side_by_side(classified(results, "classes", 1), 0)
    assert np.array_equal(pixels(results / "final/Classif_raw_Seed_1.tif"), raw)
    assert (results / "final/Classif_raw_Seed_1.qml").exists()


def test_compare_raw_tile_and_compare_tile_count_either_map(results):
    codes = nomenclature(results)["code"].tolist()
    for tile in TILES:
        folder = results / "validation" / tile
        reference, raw, part = compared(results, tile, 0)
        final = pixels(results / f"smoothing/{tile}/classes_seed_0.tif").ravel()
        used = part == "validation"
        for name, mapped in (("confusion_raw_seed_0.csv", raw), ("confusion_seed_0.csv", final)):
            expected = metrics.confusion_matrix(reference[used], mapped[used], labels=[*codes, 0])
            assert np.array_equal(matrix_of(folder / name), expected[: len(codes)])


def test_sum_raw_confusions_and_the_report_tell_the_scores_of_both_maps(results, made):
    codes = nomenclature(results)["code"].tolist()
    text = (results / "final/RESULTS.txt").read_text()
    for word, title in (("", "Smoothed map"), ("_raw", "Raw map")):
        overall = []
        for seed in SEEDS:
            matrix = matrix_of(results / f"final/Confusion_Matrix_Classif{word}_Seed_{seed}.csv")
            tiles = [
                results / f"validation/{tile}/confusion{word}_seed_{seed}.csv" for tile in TILES
            ]
            assert np.array_equal(matrix, sum(matrix_of(path) for path in tiles))
            overall.append(metrics.accuracy_score(*expanded(matrix, codes)))
        table = pd.read_csv(results / f"final/scores{word}.csv")
        told = table[table["score"] == "overall_accuracy"].sort_values("seed")["value"]
        assert told.tolist() == pytest.approx(overall, abs=1e-6)
        assert f"{title:<14}  {np.mean(overall):.3f}" in text
    assert "Smoothing" not in (made("report_accuracy") / "final/RESULTS.txt").read_text()


GROUPS = {
    "validation_wrong": 1, "validation_right": 2, "learning_wrong": 3, "learning_right": 4, "both_wrong": 5,
    "both_right": 6,
}  # fmt: skip


def rasters(results, tile) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes of the comparison, confidence and clear dates of a tile."""
    return (
        pixels(results / f"validation/{tile}/diff_seed_1.tif"),
        pixels(results / f"smoothing/{tile}/confidence_seed_1.tif"),
        pixels(results / f"tiles/{tile}/validity.tif"),
    )


def test_count_values_counts_the_pixels_of_either_kind(results):
    for tile in TILES:
        table = pd.read_csv(results / f"validation/{tile}/values_seed_1.csv")
        check_counts(table, *rasters(results, tile))


def test_draw_histograms_adds_up_the_tiles_and_draws_right_and_wrong(results):
    parts = zip(*(rasters(results, tile) for tile in TILES), strict=True)
    whole = [np.concatenate([part.ravel() for part in layer]) for layer in parts]
    check_counts(pd.read_csv(results / "final/Histograms_Seed_1.csv"), *whole)
    with Image.open(results / "final/Histograms_Seed_1.png") as figure:
        assert min(figure.size) > 600
        assert {(0, 114, 178), (213, 94, 0)} <= {
            colour for _, colour in figure.convert("RGB").getcolors(1_000_000)
        }


def check_counts(table, codes, confidence, dates):
    for name, values in (("confidence", confidence), ("clear_dates", dates)):
        own = table[table["quantity"] == name].set_index("value")
        for group, code in GROUPS.items():
            expected = pd.Series(values[codes == code]).value_counts()
            found = own[group][own[group] > 0]
            assert found.to_dict() == expected.to_dict()
    assert table[list(GROUPS)].to_numpy().sum() == 2 * (codes > 0).sum() > 0
