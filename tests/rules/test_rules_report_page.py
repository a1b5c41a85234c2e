"""Stage report_page, rule by rule: values computed apart from the chain, by GDAL and pandas."""

import base64
import io
import json
import re

import jsonschema
import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import ROOT
from independent import clear, mask, pixels, polygon_ids, products, split_polygons
from PIL import Image
from sklearn import metrics
from test_rules_validation import SEEDS, TILES, compared, nomenclature

PAGE = "final/report/index.html"


def tile_values(path) -> np.ndarray:
    """What a browser reads from a tile of the map."""
    picture = re.search(r'","(.+)"\)', path.read_text())[1]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(picture))))


def report_of(results) -> dict:
    return json.loads((results / "final/report/report.json").read_text(encoding="utf-8"))


def test_describe_samples_counts_and_averages_what_the_tables_hold(made):
    results = made("describe_samples", "report/samples.csv", "report/profiles.parquet")
    samples = pd.concat(
        [pd.read_parquet(results / f"tiles/{tile}/samples.parquet") for tile in TILES]
    )
    counts = pd.read_csv(results / "report/samples.csv", dtype={"region": str})
    for seed in SEEDS:
        learnt = samples[samples[f"seed_{seed}"]].groupby(["region", "code"])["polygon"]
        own = counts[counts["seed"] == seed].set_index(["region", "code"])
        assert own["samples"].to_dict() == learnt.size().to_dict()
        assert own["polygons"].to_dict() == learnt.nunique().to_dict()
    profiles = pd.read_parquet(results / "report/profiles.parquet").set_index(["feature", "code"])
    feature = next(name for name in samples if name.startswith("Sentinel2_NDVI_"))
    by_class = samples.groupby("code")[feature]
    assert profiles.loc[feature]["mean"].to_dict() == pytest.approx(by_class.mean().to_dict())
    for share in (5, 25, 50, 75, 95):
        expected = by_class.quantile(share / 100).to_dict()
        assert profiles.loc[feature][f"q{share:02d}"].to_dict() == pytest.approx(expected)


def test_compare_regions_counts_what_scikit_learn_counts_in_each_region(made):
    files = [f"validation/{tile}/regions_seed_{seed}.csv" for tile in TILES for seed in SEEDS]
    results = made("compare_regions", *files, jobs=2)
    codes = nomenclature(results)["code"].tolist()
    regions = set()
    for tile in TILES:
        numbers = pixels(results / f"tiles/{tile}/regions.tif").ravel()
        for seed in SEEDS:
            reference, mapped, part = compared(results, tile, seed)
            table = pd.read_csv(results / f"validation/{tile}/regions_seed_{seed}.csv")
            for number in (1, 2):
                used = (part == "validation") & (numbers == number)
                expected = (
                    metrics.confusion_matrix(reference[used], mapped[used], labels=[*codes, 0])
                    if used.any()
                    else 0
                )
                found = np.zeros((len(codes) + 1,) * 2, dtype=int)
                for _, row in table[table["region"] == number].iterrows():
                    place = [[*codes, 0].index(row[name]) for name in ("reference", "mapped")]
                    found[tuple(place)] = row["pixels"]
                assert np.array_equal(found, expected * np.ones_like(found))
                regions |= {number} if used.any() else set()
    assert regions == {1, 2}


def test_cut_map_shows_the_pixels_of_each_map(made):
    results = made("cut_map", "final/report/tiles/layers.json")
    told = json.loads((results / "final/report/tiles/layers.json").read_text())
    files = {
        "classif_seed_1": "Classif_Seed_1", "confidence_seed_0": "Confidence_Seed_0",
        "pixelsvalidity": "PixelsValidity", "diff_seed_1": "diff_seed_1",
    }  # fmt: skip
    assert set(files) <= {layer["name"] for layer in told["layers"]}
    assert len(told["layers"]) == 9  # of each draw four, and the validity
    for layer, file in files.items():
        values = tile_values(results / f"final/report/tiles/{layer}/0_0_0.js")
        assert np.array_equal(values, pixels(results / f"final/{file}.tif"))


def test_write_report_tells_the_figures_of_the_products(made):
    results = made("write_report", PAGE, "final/report/report.json")
    told = report_of(results)
    schema = yaml.safe_load(
        (ROOT / "workflow/schemas/report.schema.yaml").read_text(encoding="utf-8")
    )
    jsonschema.validate(told, schema)
    scores = pd.read_csv(results / "final/scores.csv")
    overall = scores[scores["score"] == "overall_accuracy"]["value"].mean()
    assert told["accuracy"]["overall_accuracy"]["mean"] == pytest.approx(overall, abs=1e-6)
    assert told["accuracy"]["overall_accuracy"]["half_width"] is None  # of two draws
    curve = pd.read_csv(results / "final/reliability_seed_1.csv")
    shown = [step for step in told["accuracy"]["reliability"] if step["draw"] == 1]
    assert [step["pixels"] for step in shown] == curve["n"][curve["n"] > 0].tolist()
    assert 0 < told["accuracy"]["half_width_by_polygons"] < 1
    for place in told["accuracy"]["places"]:
        if place["kind"] == "tile":
            values = []
            for seed in SEEDS:
                reference, mapped, part = compared(results, place["name"], seed)
                used = part == "validation"
                values.append(metrics.accuracy_score(reference[used], mapped[used]))
            assert place["overall_accuracy"] == pytest.approx(np.mean(values))
    assert [place["name"] for place in told["accuracy"]["places"]] == [*TILES, "1", "2"]
    areas = [pd.read_csv(results / f"final/Areas_Seed_{seed}.csv") for seed in SEEDS]
    mapped = np.mean([table["mapped_ha"] for table in areas], axis=0)
    assert [area["mapped_ha"] for area in told["areas"]] == pytest.approx(mapped)
    page = (results / PAGE).read_text(encoding="utf-8")
    assert f"{100 * overall:.1f} %" in page


def test_write_report_tells_the_clouds_of_each_acquisition(made):
    results = made("write_report", "final/report/report.json")
    told = pd.DataFrame(report_of(results)["data"]["acquisitions"])
    for tile in TILES:
        folders = products(results.parent / "scene", tile)
        own = told[told["tile"] == tile].set_index("product")
        assert set(own.index) == {folder.name for folder in folders}
        for folder in folders:
            seen = mask(folder, "EDG") == 0
            usable = sum(mask(folder, kind) for kind in ("CLM", "SAT", "EDG")) == 0
            assert own.loc[folder.name, "seen"] == pytest.approx(seen.mean())
            if seen.any():
                assert own.loc[folder.name, "clear"] == pytest.approx(usable.sum() / seen.sum())
    assert told["clear"].nunique() > 5
    # A day with two products, of which each pixel counts once: the shares are those of each by itself.
    assert clear(results.parent / "scene", "T31TCJ").shape[0] == (told["tile"] == "T31TCJ").sum()


def test_write_report_tells_the_jobs_and_how_to_make_it_again(made):
    results = made("write_report", "final/report/configuration.yaml")
    told = report_of(results)
    rules = {item["rule"]: item for item in told["work"]["rules"]}
    times = [
        pd.read_csv(path, sep="\t")["s"].sum()
        for path in (results / "benchmarks/classify_tile").glob("*.tsv")
    ]
    assert rules["classify_tile"]["jobs"] == len(times)
    assert rules["classify_tile"]["hours"] * 3600 == pytest.approx(sum(times))
    assert not {"write_report", "cut_map"} & set(rules)
    damaged = [item for item in told["work"]["warnings"] if "is left out" in item["text"]]
    assert damaged
    assert {item["tile"] for item in told["data"]["left_out"]} == {"T31TDJ"}
    configuration = yaml.safe_load((results / "final/report/configuration.yaml").read_text())
    assert configuration == told["work"]["configuration"]
    assert configuration["learning"]["parameters"] == {"n_estimators": 7}
    assert configuration["sampling"]["constant"] == 12
    names = [item["name"] for item in told["work"]["inputs"]]
    assert names == [
        "reference",
        "regions",
        "nomenclature",
        *(f"images of {tile}" for tile in TILES),
    ]
    files = {item["name"]: item["files"] for item in told["work"]["inputs"]}
    assert files["images of T31TCJ"] >= 10 * len(products(results.parent / "scene", "T31TCJ"))
    total = sum(item["value"] for item in told["data"]["importance"])
    assert total == pytest.approx(1, abs=1e-4)


def test_write_report_counts_polygons_of_the_reference_only(made):
    """Its samples are those of learning polygons."""
    results = made("write_report", "final/report/report.json")
    polygons = split_polygons(results)
    for item in report_of(results)["data"]["samples"]:
        learns = polygons[polygons[f"seed_{item['seed']}"].str.contains("learn")]
        own = learns[learns["code"] == item["code"]]
        assert 0 < item["polygons"] <= len(own)
    assert polygon_ids(results, "T31TCJ").any()
