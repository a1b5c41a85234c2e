"""Stage validation, rule by rule; the scores are scikit-learn's and SciPy's."""

import xml.etree.ElementTree as ElementTree
from itertools import product

import numpy as np
import pandas as pd
import pytest
from independent import pixels, polygon_ids, split_polygons
from PIL import Image
from scipy import stats
from sklearn import metrics
from test_rules_mosaic import check_cog, classified, side_by_side

TILES = ("T31TCJ", "T31TDJ")
SEEDS = (0, 1)


def nomenclature(results) -> pd.DataFrame:
    return pd.read_csv(results.parent / "scene/reference/nomenclature.csv")


def matrix_of(path) -> np.ndarray:
    """Counts of a matrix file: a row a class of the reference, a column a class of the map, and without class."""
    return pd.read_csv(path).drop(columns=["code", "name"]).to_numpy()


def compared(results, tile: str, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Reference code, map code and set of each pixel of a polygon that was seen clear."""
    ids = polygon_ids(results, tile)
    ids[pixels(results / "tiles" / tile / "validity.tif") < 1] = 0
    rows = split_polygons(results).reindex(ids.ravel())
    reference = rows["code"].fillna(0).to_numpy().astype(int)
    mapped = sum(
        pixels(results / f"classification/{tile}/region_{region}/classes_seed_{seed}.tif").astype(
            int
        )
        for region in (1, 2)
    )
    return reference, mapped.ravel(), rows[f"seed_{seed}"].fillna("").to_numpy()


def test_compare_tile_counts_what_scikit_learn_counts(made):
    pieces = list(product(TILES, SEEDS))
    results = made(
        "compare_tile",
        *(f"validation/{tile}/confusion_seed_{seed}.csv" for tile, seed in pieces),
        *(f"validation/{tile}/diff_seed_{seed}.tif" for tile, seed in pieces),
        jobs=2,
    )
    codes = nomenclature(results)["code"].tolist()
    for tile, seed in pieces:
        folder = results / "validation" / tile
        reference, mapped, part = compared(results, tile, seed)
        used = part == "validation"
        expected = metrics.confusion_matrix(reference[used], mapped[used], labels=[*codes, 0])
        counted = matrix_of(folder / f"confusion_seed_{seed}.csv")
        assert np.array_equal(counted, expected[: len(codes)])
        assert counted.sum() == used.sum() > 0
        right = (reference == mapped).astype(int)
        difference = np.where(used, 1 + right, np.where(part == "learn", 3 + right, 0))
        written = pixels(folder / f"diff_seed_{seed}.tif")
        assert np.array_equal(written.ravel(), difference)
        ids = polygon_ids(results, tile).ravel()[used]
        rows = np.stack([ids, reference[used], mapped[used]], axis=1)
        expected, counts = np.unique(rows, axis=0, return_counts=True)
        table = pd.read_csv(folder / f"polygons_seed_{seed}.csv")
        assert np.array_equal(table, np.column_stack([expected, counts]))
        confidence = sum(
            piece.astype(int) for piece in classified(results, "confidence", seed)[tile]
        )
        told, right = confidence.ravel()[used], right[used]
        table = pd.read_csv(folder / f"reliability_seed_{seed}.csv").set_index("confidence")
        assert table.index.tolist() == sorted(set(told.tolist()))
        for value, row in table.iterrows():
            assert row.tolist() == [(right[told == value] == n).sum() for n in (0, 1)]


def test_sum_confusions_is_the_matrix_of_both_tiles_and_a_figure(made):
    name, seed = "final/Confusion_Matrix_Classif_Seed_1", 1
    results = made("sum_confusions", f"{name}.csv", f"{name}.png")
    codes = nomenclature(results)["code"].tolist()
    parts = [compared(results, tile, seed) for tile in TILES]
    reference, mapped, part = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    used = part == "validation"
    expected = metrics.confusion_matrix(reference[used], mapped[used], labels=[*codes, 0])
    assert np.array_equal(matrix_of(results / f"{name}.csv"), expected[: len(codes)])
    header = pd.read_csv(results / f"{name}.csv", nrows=0).columns
    assert [title.split()[0] for title in header[2:-1]] == [str(code) for code in codes]
    with Image.open(results / f"{name}.png") as figure:
        assert min(figure.size) > 300
        assert len(figure.convert("RGB").getcolors(1_000_000)) > 20


def test_sum_confusions_tells_what_the_confidence_is_worth(made):
    name = "final/reliability_seed_1"
    results = made("sum_confusions", f"{name}.csv", f"{name}.png")
    table = pd.read_csv(results / f"{name}.csv")
    validated = by_polygon(results, 1)
    bins = np.minimum(validated["confidence"] // 10, 9)
    assert table["n"].tolist() == [(bins == number).sum() for number in range(10)]
    expected = validated.groupby(bins)["right"].mean()
    assert table["accuracy"].dropna().tolist() == pytest.approx(expected.tolist(), abs=1e-6)
    with Image.open(results / f"{name}.png") as figure:
        assert len(figure.convert("RGB").getcolors(1_000_000)) > 20


def test_mosaic_differences_holds_the_pieces_and_tells_its_codes(made):
    name = "final/diff_seed_1"
    results = made("mosaic_differences", f"{name}.tif", f"{name}.qml")
    raster = check_cog(results / f"{name}.tif", 0)
    pieces = {tile: [pixels(results / f"validation/{tile}/diff_seed_1.tif")] for tile in TILES}
    assert np.array_equal(raster.ReadAsArray(), side_by_side(pieces, 0))
    right = side_by_side(classified(results, "classes", 1), 0)[raster.ReadAsArray() > 0]
    assert right.size
    tags = raster.GetMetadata()
    assert [tags[f"CLASS_{code}"] for code in (1, 2, 3, 4)] == [
        "validation, wrong", "validation, right", "learning, wrong", "learning, right",
    ]  # fmt: skip
    style = ElementTree.parse(results / f"{name}.qml").getroot()
    assert {int(entry.get("value")) for entry in style.iter("paletteEntry")} >= {1, 2, 3, 4}


def expanded(matrix: np.ndarray, codes: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Reference and map of every pixel a matrix counts, those without class left out."""
    square = matrix[:, : len(codes)]
    reference, mapped = np.nonzero(square)
    times = square[reference, mapped]
    return np.repeat(np.array(codes)[reference], times), np.repeat(np.array(codes)[mapped], times)


def by_polygon(results, seed: int) -> pd.DataFrame:
    """Validation pixels with a class: a row each, with polygon, class and whether the map is right."""
    parts = []
    for tile in TILES:
        reference, mapped, part = compared(results, tile, seed)
        frame = pd.DataFrame(
            {"polygon": polygon_ids(results, tile).ravel(), "code": reference, "mapped": mapped}
        )
        confidence = sum(
            piece.astype(int) for piece in classified(results, "confidence", seed)[tile]
        )
        parts.append(frame.assign(confidence=confidence.ravel())[part == "validation"])
    every = pd.concat(parts)
    return every[every["mapped"] > 0].assign(right=lambda frame: frame["code"] == frame["mapped"])


def half_width_by_polygon(results, seed: int) -> float:
    """Of the overall accuracy: a ratio estimate over polygons as clusters (Cochran 1977, 9.20)."""
    groups = by_polygon(results, seed).groupby("polygon")["right"]
    right, size = groups.sum(), groups.count()
    residual = right - right.sum() / size.sum() * size
    n = len(size)
    return stats.t.ppf(0.975, n - 1) * np.sqrt(n * residual.var(ddof=1)) / size.sum()


def calibration_error(results, seed: int) -> float:
    pixels = by_polygon(results, seed)
    told = np.minimum((pixels["confidence"] + 0.5) / 100, 1)
    groups = pixels.assign(told=told).groupby(np.minimum(pixels["confidence"] // 10, 9))
    gaps = (groups["told"].mean() - groups["right"].mean()).abs()
    return float((gaps * groups.size()).sum() / len(pixels))


def test_report_accuracy_gives_the_scores_of_scikit_learn_and_the_interval_by_polygon(made):
    results = made("report_accuracy", "final/RESULTS.txt", "final/scores.csv", "final/scores.png")
    codes = nomenclature(results)["code"].tolist()
    table = pd.read_csv(results / "final/scores.csv")
    overall, kappas = [], []
    for seed in SEEDS:
        matrix = matrix_of(results / f"final/Confusion_Matrix_Classif_Seed_{seed}.csv")
        reference, mapped = expanded(matrix, codes)
        overall.append(metrics.accuracy_score(reference, mapped))
        kappas.append(metrics.cohen_kappa_score(reference, mapped))
        own = table[table["seed"] == seed]
        told = own[own["code"].isna()].set_index("score")["value"]
        assert told["overall_accuracy"] == pytest.approx(overall[-1], abs=1e-6)
        assert told["kappa"] == pytest.approx(kappas[-1], abs=1e-6)
        by_class = own.dropna(subset="code").pivot(index="code", columns="score", values="value")
        expected = metrics.precision_recall_fscore_support(
            reference, mapped, labels=codes, zero_division=np.nan
        )
        for name, values in zip(("precision", "recall", "f_score"), expected, strict=False):
            judged = np.isin(codes, reference)
            assert by_class[name].to_numpy()[judged] == pytest.approx(
                values[judged], abs=1e-6, nan_ok=True
            )
            assert by_class[name][~judged].isna().all()
    text = (results / "final/RESULTS.txt").read_text()
    for title, (first, second) in (("Overall accuracy", overall), ("Kappa", kappas)):
        both = f"({first:.3f} and {second:.3f}: too few draws for an interval)"
        assert f"{title:<19}{(first + second) / 2:.3f} {both}" in text
    half = np.sqrt(np.mean([half_width_by_polygon(results, seed) ** 2 for seed in SEEDS]))
    assert f"Polygons           +- {half:.3f}\n" in text
    errors = [calibration_error(results, seed) for seed in SEEDS]
    assert f"Confidence off by  {np.mean(errors):.3f}\n" in text
    (damaged,) = (results.parent / "scene/sentinel2/T31TDJ").glob("*-000000-*")
    assert f"{damaged.name} is left out" in text
    with Image.open(results / "final/scores.png") as figure:
        colours = {colour for _, colour in figure.convert("RGB").getcolors(1_000_000)}
    mean = table[table["score"] == "f_score"].groupby("code")["value"].mean()
    barred = nomenclature(results).set_index("code")["colour"][mean.index[mean > 0.05]]
    assert len(barred) > 1
    assert {tuple(bytes.fromhex(colour[1:])) for colour in barred} <= colours


def area_half_width(results, seed: int, code: int) -> float:
    """Share of the map: deviation of each polygon from what its pixels lead to expect, by loops."""
    weights = pd.read_csv(results / f"final/Areas_Seed_{seed}.csv").set_index("code")["pixels"]
    weights = weights / weights.sum()
    matrix = pd.DataFrame(
        matrix_of(results / f"final/Confusion_Matrix_Classif_Seed_{seed}.csv")[:, :-1],
        weights.index, weights.index,
    )  # fmt: skip
    absent = matrix.sum(axis=1) == 0
    known = [m for m in weights.index if weights[m] and matrix[m].sum() and not absent[m]]
    validated = by_polygon(results, seed)
    validated = validated[validated["mapped"].isin(known)]
    deviations = []
    for _, own in validated.groupby("polygon"):
        found = 0.0
        for m in known:
            here = own[own["mapped"] == m]
            share = matrix.loc[code, m] / matrix[m].sum()
            found += (
                weights[m] / matrix[m].sum() * ((here["code"] == code).sum() - share * len(here))
            )
        deviations.append(found)
    alone = [m for m in known if validated.loc[validated["mapped"] == m, "polygon"].nunique() == 1]
    n = len(deviations)
    squares = sum(value**2 for value in deviations) + 0.25 * sum(weights[m] ** 2 for m in alone)
    return stats.t.ppf(0.975, n - 1) * np.sqrt(squares * n / (n - 1))


def test_measure_areas_tells_how_sure_they_are_by_polygon(made):
    results = made("measure_areas", "final/Areas_Seed_0.csv")
    table = pd.read_csv(results / "final/Areas_Seed_0.csv").set_index("code")
    told = table["half_width_ha"].dropna()
    assert len(told) > 3
    assert told.index.tolist() == table["corrected_ha"].dropna().index.tolist()
    for code, half in told.items():
        expected = area_half_width(results, 0, code) * table["mapped_ha"].sum()
        assert half == pytest.approx(expected, abs=0.0051)


def test_measure_areas_counts_the_map_and_corrects_it_by_the_columns_of_the_matrix(made):
    results = made("measure_areas", "final/Areas_Seed_1.csv")
    table = pd.read_csv(results / "final/Areas_Seed_1.csv").set_index("code")
    codes = table.index.to_numpy()
    counts = np.bincount(
        pixels(results / "final/Classif_Seed_1.tif").ravel(), minlength=codes.max() + 1
    )[codes]
    assert table["pixels"].tolist() == counts.tolist()
    assert table["mapped_ha"].to_numpy() == pytest.approx(counts * 0.01)  # 10 m pixels
    matrix = matrix_of(results / "final/Confusion_Matrix_Classif_Seed_1.csv")[:, : len(codes)]
    absent = matrix.sum(axis=1) == 0
    unknown = (counts > 0) & (absent | (matrix.sum(axis=0) == 0))
    # Of what is mapped as a class, the share that is each class in truth (Olofsson 2014, eq. 9).
    known = (counts > 0) & ~unknown
    assert known.any()
    least = matrix[:, known] / matrix.sum(axis=0)[known] @ counts[known] * 0.01
    most = np.where(absent, np.nan, least + counts[unknown].sum() * 0.01)
    least[absent | unknown] = np.nan
    assert table["corrected_ha"].to_numpy() == pytest.approx(least, abs=0.006, nan_ok=True)
    assert table["corrected_max_ha"].to_numpy() == pytest.approx(most, abs=0.006, nan_ok=True)
    told = table["half_width_ha"].dropna().index
    sure = np.array([code in told and area_half_width(results, 1, code) < 1e-9 for code in codes])
    assert (table["note"].isna() == (~absent & ~unknown.any() & ~(sure & (counts > 0)))).all()
