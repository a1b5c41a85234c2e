"""Stages folds and fusion, rule by rule; what is fused is computed again pixel by pixel."""

import json
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
from independent import pixels, polygon_ids, split_polygons
from PIL import Image
from sklearn import metrics
from sklearn.ensemble import RandomForestClassifier
from test_rules_mosaic import check_cog, side_by_side
from test_rules_regularisation import STEP_EAST, regularised, regularised_map
from test_rules_validation import TILES, matrix_of, nomenclature

SEEDS, REGIONS = (0, 1), ("1", "2")


def test_learn_folds_asks_forests_that_have_not_learnt_the_polygon(made):
    folder = "folds/region_2_seed_1"
    names = ("predictions.parquet", "polygons.csv", "calibration.csv", "confusion.csv")
    results = made("learn_folds", *(f"{folder}/{name}" for name in names), jobs=4)
    said = pd.read_parquet(results / folder / "predictions.parquet")
    tables = [pd.read_parquet(results / f"tiles/{tile}/samples.parquet") for tile in TILES]
    samples = pd.concat(tables)
    samples = samples[(samples["region"] == "2") & samples["seed_1"]].reset_index(drop=True)
    assert said["polygon"].tolist() == samples["polygon"].tolist()
    assert (said.groupby("polygon")["fold"].nunique() == 1).all()
    told = json.loads((results / "models/region_2_seed_1/model.json").read_text())
    values = samples[told["features"]].to_numpy(np.float32)
    state, trees = told["parameters"]["random_state"], told["parameters"]["n_estimators"]
    columns = [name for name in said if name.startswith("p_")]
    folds = sorted(set(said["fold"]) - {-1})
    assert len(folds) > 1
    for fold in folds:
        apart = (said["fold"] == fold).to_numpy()
        forest = RandomForestClassifier(trees, random_state=state)
        forest.fit(values[~apart], samples["code"][~apart])
        expected = np.zeros((apart.sum(), len(columns)))
        places = [columns.index(f"p_{code}") for code in forest.classes_]
        expected[:, places] = forest.predict_proba(values[apart])
        assert np.allclose(said.loc[apart, columns], expected, atol=1e-6)
        assert np.array_equal(said.loc[apart, "said"], forest.predict(values[apart]))
    judged = said[said["fold"] >= 0]
    codes = nomenclature(results)["code"].tolist()
    expected = metrics.confusion_matrix(judged["code"], judged["said"], labels=codes)
    assert np.array_equal(matrix_of(results / folder / "confusion.csv")[:, :-1], expected)
    validation = split_polygons(results)["seed_1"] == "validation"
    assert not set(said["polygon"]) & set(validation.index[validation])


def masses(results, region: str, seed: int) -> dict[int, float]:
    """Precision of each class in the folds."""
    matrix = matrix_of(results / f"folds/region_{region}_seed_{seed}/confusion.csv")[:, :-1]
    said = matrix.sum(axis=0)
    codes = nomenclature(results)["code"].tolist()
    return {code: matrix[n, n] / said[n] if said[n] else 0.0 for n, code in enumerate(codes)}


def fused_pixel(labels, confidence, believed) -> tuple[int, int, int]:
    """Label, confidence and source of a pixel that two sources see."""
    (first, second), (a, b) = labels, believed
    surer = int(confidence[1] > confidence[0])
    if first == second:
        return first, max(confidence), surer
    ours, theirs = a * (1 - b), b * (1 - a)
    source = surer if abs(ours - theirs) < 1e-9 else int(theirs > ours)
    return labels[source], confidence[source], source


def test_fuse_seeds_is_dempsters_rule_at_each_pixel(made):
    tile = "T31TDJ"
    layers = ("classes", "confidence", "probabilities")
    results = made("fuse_seeds", *(f"fusion/{tile}/{layer}.tif" for layer in layers), jobs=2)
    fused = {layer: pixels(results / f"fusion/{tile}/{layer}.tif") for layer in layers}
    seen, differ = 0, 0
    for region in REGIONS:
        folder = results / f"classification/{tile}/region_{region}"
        given = {
            layer: np.stack([pixels(folder / f"{layer}_seed_{seed}.tif") for seed in SEEDS])
            for layer in layers
        }
        believed = [masses(results, region, seed) for seed in SEEDS]
        for row, col in np.argwhere(given["classes"][0] > 0):
            labels = given["classes"][:, row, col].tolist()
            sure = given["confidence"][:, row, col].tolist()
            both = [own[code] for own, code in zip(believed, labels, strict=True)]
            code, confidence, source = fused_pixel(labels, sure, both)
            assert (fused["classes"][row, col], fused["confidence"][row, col]) == (code, confidence)
            chosen = given["probabilities"][source, :, row, col]
            assert np.array_equal(fused["probabilities"][:, row, col], chosen)
            seen += 1
            differ += labels[0] != labels[1]
    assert seen == np.count_nonzero(fused["classes"]) > 0
    assert differ > 50


def test_mosaic_fusion_holds_the_fused_maps_of_all_tiles_with_legend(made):
    name = "final/Classifications_fusion"
    results = made("mosaic_fusion", f"{name}.tif", f"{name}.qml", f"{name}.tif.aux.xml")
    raster = check_cog(results / f"{name}.tif", 0)
    pieces = {tile: [pixels(results / f"fusion/{tile}/classes.tif")] for tile in TILES}
    assert np.array_equal(raster.ReadAsArray(), side_by_side(pieces, 0))
    style = ElementTree.parse(results / f"{name}.qml").getroot()
    values = {int(entry.get("value")) for entry in style.iter("paletteEntry")}
    assert values >= set(nomenclature(results)["code"])


def test_mosaic_fused_confidence_holds_the_pieces(made):
    name = "final/Confidence_fusion"
    results = made("mosaic_fused_confidence", f"{name}.tif", f"{name}.qml")
    pieces = {tile: [pixels(results / f"fusion/{tile}/confidence.tif")] for tile in TILES}
    raster = check_cog(results / f"{name}.tif", 0)
    assert np.array_equal(raster.ReadAsArray(), side_by_side(pieces, 0))
    assert raster.GetMetadata()["UNITS"] == "percent"


def test_mosaic_fused_probabilities_has_a_band_a_class(made):
    name = "final/ProbabilityMap_fusion.tif"
    results = made("mosaic_fused_probabilities", name)
    raster = check_cog(results / name, 65535)
    names = [raster.GetRasterBand(n + 1).GetDescription() for n in range(raster.RasterCount)]
    assert names == nomenclature(results)["name"].tolist()
    for band in (0, len(names) - 1):
        pieces = {
            tile: [pixels(results / f"fusion/{tile}/probabilities.tif")[band]] for tile in TILES
        }
        own = raster.GetRasterBand(band + 1).ReadAsArray()
        assert np.array_equal(own, side_by_side(pieces, 65535))


def test_preview_fusion_is_a_picture_in_the_colours_of_the_classes(made):
    results = made("preview_fusion", "final/Classifications_fusion.png")
    table = nomenclature(results).set_index("code")["colour"]
    mapped = set(np.unique(pixels(results / "final/Classifications_fusion.tif"))) - {0}
    with Image.open(results / "final/Classifications_fusion.png") as picture:
        colours = {colour for _, colour in picture.convert("RGB").getcolors(1_000_000)}
    assert {tuple(bytes.fromhex(table[code][1:])) for code in mapped} <= colours


def unlearnt(results, tile: str) -> tuple[np.ndarray, np.ndarray]:
    """Reference code of each clear pixel, and whether its polygon validates in both draws."""
    ids = polygon_ids(results, tile)
    ids[pixels(results / "tiles" / tile / "validity.tif") < 1] = 0
    rows = split_polygons(results).reindex(ids.ravel())
    both = (rows[["seed_0", "seed_1"]] == "validation").all(axis=1)
    return rows["code"].fillna(0).to_numpy().astype(int), both.to_numpy()


def matrices(results, mapped_by_tile) -> np.ndarray:
    """Confusions on polygons that no draw has learnt, by scikit-learn."""
    codes = nomenclature(results)["code"].tolist()
    found = np.zeros((len(codes) + 1, len(codes) + 1), int)
    for tile in TILES:
        reference, used = unlearnt(results, tile)
        mapped = mapped_by_tile(tile).ravel()
        found += metrics.confusion_matrix(reference[used], mapped[used], labels=[*codes, 0])
    return found[:-1]


def of_fusion(results):
    return lambda tile: pixels(results / f"fusion/{tile}/classes.tif")


def of_seed(results, seed):
    def mapped(tile):
        folder = results / f"classification/{tile}"
        return sum(
            pixels(folder / f"region_{region}/classes_seed_{seed}.tif").astype(int)
            for region in REGIONS
        )

    return mapped


def test_compare_fusion_counts_polygons_that_no_draw_has_learnt(made):
    results = made(
        "compare_fusion",
        *(f"validation/{tile}/confusion_fusion.csv" for tile in TILES),
        *(f"validation/{tile}/diff_fusion.tif" for tile in TILES),
        jobs=2,
    )
    counted = sum(matrix_of(results / f"validation/{tile}/confusion_fusion.csv") for tile in TILES)
    assert np.array_equal(counted, matrices(results, of_fusion(results)))
    assert counted.sum() > 0
    for seed in SEEDS:
        name = f"confusion_unlearnt_seed_{seed}.csv"
        own = sum(matrix_of(results / "validation" / tile / name) for tile in TILES)
        assert np.array_equal(own, matrices(results, of_seed(results, seed)))


def test_sum_fusion_is_the_matrix_of_both_tiles_and_a_figure(made):
    name = "final/Confusion_Matrix_Classifications_fusion"
    results = made("sum_fusion", f"{name}.csv", f"{name}.png")
    expected = matrices(results, of_fusion(results))
    assert np.array_equal(matrix_of(results / f"{name}.csv"), expected)


def test_mosaic_fused_differences_holds_the_pieces(made):
    name = "final/diff_fusion"
    results = made("mosaic_fused_differences", f"{name}.tif", f"{name}.qml")
    raster = check_cog(results / f"{name}.tif", 0)
    pieces = {tile: [pixels(results / f"validation/{tile}/diff_fusion.tif")] for tile in TILES}
    found = raster.ReadAsArray()
    assert np.array_equal(found, side_by_side(pieces, 0))
    expected = matrices(results, of_fusion(results))
    assert np.count_nonzero((found == 1) | (found == 2)) == expected.sum()
    assert np.count_nonzero(found == 2) == np.trace(expected)


def test_measure_fused_areas_counts_the_fused_map(made):
    results = made("measure_fused_areas", "final/Areas_fusion.csv")
    table = pd.read_csv(results / "final/Areas_fusion.csv").set_index("code")
    fused = pixels(results / "final/Classifications_fusion.tif").ravel()
    counts = np.bincount(fused, minlength=table.index.max() + 1)[table.index]
    assert table["pixels"].tolist() == counts.tolist()


def test_report_fusion_gives_the_accuracy_of_scikit_learn_and_of_the_single_maps(made):
    results = made("report_fusion", "final/RESULTS_seeds.txt")
    text = (results / "final/RESULTS_seeds.txt").read_text()
    matrix = matrices(results, of_fusion(results))
    square = matrix[:, :-1]
    assert f"Overall accuracy   {np.trace(square) / square.sum():.3f}\n" in text
    shares = [
        np.trace(own) / own.sum()
        for own in (matrices(results, of_seed(results, seed)) for seed in SEEDS)
    ]
    assert (
        f"{min(shares):.3f} to {max(shares):.3f}, in the mean {np.mean(shares):.3f}, the fused map "
        f"for {np.trace(matrix) / matrix.sum():.3f}"
    ) in text
    assert "Dempster and Shafer's theory (masses: precision; undecided: most confident)" in text


def of_regularised(results, mapped: np.ndarray):
    """A regularised map in the pixels of each tile: two along a side of one of its own."""
    fine = np.kron(mapped, np.ones((2, 2), dtype=int))

    def of_tile(tile):
        left = STEP_EAST * TILES.index(tile)
        return fine[:, left : left + 64]

    return of_tile


def regularised_fusion(results):
    return of_regularised(results, regularised_map(results, "Classifications_fusion"))


def test_compare_regularised_fusion_counts_polygons_that_no_draw_has_learnt(made):
    results = made(
        "compare_regularised_fusion",
        *(f"validation/{tile}/diff_regularised_fusion.tif" for tile in TILES),
        jobs=2,
    )
    folders = [results / "validation" / tile for tile in TILES]
    counted = sum(matrix_of(folder / "confusion_regularised_fusion.csv") for folder in folders)
    expected = matrices(results, regularised_fusion(results))
    assert np.array_equal(counted, expected)
    assert not np.array_equal(expected, matrices(results, of_fusion(results)))
    for seed in SEEDS:
        name = f"confusion_regularised_unlearnt_seed_{seed}.csv"
        own = sum(matrix_of(folder / name) for folder in folders)
        mapped = of_regularised(results, regularised(results, seed))
        assert np.array_equal(own, matrices(results, mapped))


def test_sum_regularised_fusion_is_the_matrix_of_both_tiles_and_a_figure(made):
    name = "final/Confusion_Matrix_Classif_Regularised_fusion"
    results = made("sum_regularised_fusion", f"{name}.csv", f"{name}.png")
    expected = matrices(results, regularised_fusion(results))
    assert np.array_equal(matrix_of(results / f"{name}.csv"), expected)


def test_mosaic_regularised_fused_differences_holds_the_pieces(made):
    name = "final/diff_Regularised_fusion"
    results = made("mosaic_regularised_fused_differences", f"{name}.tif", f"{name}.qml")
    found = check_cog(results / f"{name}.tif", 0).ReadAsArray()
    pieces = {
        tile: [pixels(results / f"validation/{tile}/diff_regularised_fusion.tif")] for tile in TILES
    }
    assert np.array_equal(found, side_by_side(pieces, 0))
    expected = matrices(results, regularised_fusion(results))
    assert np.count_nonzero(found == 2) == np.trace(expected)


def test_measure_regularised_fused_areas_counts_larger_pixels(made):
    results = made("measure_regularised_fused_areas", "final/Areas_Regularised_fusion.csv")
    table = pd.read_csv(results / "final/Areas_Regularised_fusion.csv").set_index("code")
    mapped = regularised_map(results, "Classifications_fusion").ravel()
    assert table["pixels"].tolist() == np.bincount(mapped, minlength=12)[table.index].tolist()


def test_report_regularised_fusion_gives_the_accuracy_of_scikit_learn(made):
    results = made("report_regularised_fusion", "final/RESULTS_Regularised_fusion.txt")
    text = (results / "final/RESULTS_Regularised_fusion.txt").read_text()
    assert text.startswith("Accuracy of the regularised land-cover map\n")
    matrix = matrices(results, regularised_fusion(results))
    square = matrix[:, :-1]
    assert f"Overall accuracy   {np.trace(square) / square.sum():.3f}\n" in text
    assert f"the fused map for {np.trace(matrix) / matrix.sum():.3f}" in text.replace("\n", " ")
