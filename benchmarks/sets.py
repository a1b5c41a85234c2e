"""What prediction sets hold of the truth, on land that was learnt and on land that was not.

A land of 420 x 420 pixels for each seed, half of the pixels at edges mixed, 3 % of the polygons with a wrong label,
12 dates of four bands. `dense`: nearly each parcel has a reference polygon, as in a small scene. `sparse`: 300
polygons, so that more than half of the pixels lie in areas no polygon of which was learnt. Three draws each.
`plain`: classes are excluded by their probability alone, without what the truth is where the model says this;
`right labels`: by folds without the polygons whose label is wrong, which a user cannot know.

Usage: python benchmarks/sets.py [--lands dense sparse] [--seeds 200 201 202 203] [--keep FOLDER]
"""

import argparse
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from labels import areas_of_one_class, beside_another, held_against, read, true_classes

from iota2_tools.learning import engines
from iota2_tools.learning.conformal import PredictionSets, sets_of_model, threshold
from iota2_tools.learning.reliability import tempered
from iota2_tools.reference.sets import read_polygon_table
from iota2_tools.simulate import SceneSettings, simulate_scene

TILE = "T31TCJ"
DRAWS = 3
LANDS = {
    "dense": {"mixed_edges": 0.5},
    "sparse": {"mixed_edges": 0.5, "reference_polygons": 300},
}
SENSOR = {
    "path": "scene/sentinel2",
    "temporal_resolution": 20,
    "keep_bands": ["B3", "B4", "B8", "B11"],
}
ERRORS = (0.1, 0.05, 0.02)
CHAIN = "this chain"
ROW = "{:<18}" + "{:>17}" * 6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lands", nargs="+", choices=list(LANDS), default=list(LANDS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[200, 201, 202, 203])
    parser.add_argument("--keep", type=Path, help="where productions stay, and are found")
    given = parser.parse_args()
    for land in given.lands:
        found: dict[tuple[float, str, str], list[list[np.ndarray]]] = {}
        for seed in given.seeds:
            with tempfile.TemporaryDirectory() as folder:
                place = (given.keep or Path(folder)) / f"{land}_{seed}"
                produce(place, seed, land)
                of_land = defaultdict(list)
                for key, row in judged(place):
                    of_land[key].append(row)
            for key, rows in of_land.items():
                found.setdefault(key, []).append(np.mean(rows, axis=0))
        show(land, found)


def produce(place: Path, seed: int, land: str) -> None:
    """Make a scene and its maps, unless they are there."""
    if (place / "done").exists():
        return
    place.mkdir(parents=True, exist_ok=True)
    settings = SceneSettings(
        size=420, tiles=(TILE,), seed=seed, dates=12, cloud_cover=0.5, **LANDS[land]
    )
    simulate_scene(settings, str(place / "scene"), jobs=1)
    config = {
        "output": "results",
        "tiles": [TILE],
        "sensors": {"sentinel2": SENSOR},
        "reference": {"path": "scene/reference/reference.gpkg", "field": "code"},
        "nomenclature": "scene/reference/nomenclature.csv",
        "sampling": {"runs": DRAWS},
        "classification": {"probability_map": True, "prediction_sets": 0.1},
    }
    (place / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    typed = ("-m", "iota2_tools.commands.cli", "run", "config.yaml", "classification")
    done = subprocess.run(
        [sys.executable, *typed], cwd=place, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    (place / "done").touch()


def judged(place: Path) -> Iterator[tuple[tuple[float, str, str], np.ndarray]]:
    """Errors allowed, way and part of the land, with: share of the land, accuracy, coverage, classes in a set."""
    results, scene = place / "results", place / "scene"
    truth = read(scene / "truth" / f"{TILE}_class.tif")
    polygons = read(results / "tiles" / TILE / "polygons.tif")
    table = read_polygon_table(str(results / "sampling/polygons.gpkg"), list(range(DRAWS)))
    areas, true = areas_of_one_class(truth), true_classes(results, scene)
    for draw in range(DRAWS):
        name = f"region_1_seed_{draw}"
        folder = results / "classification" / TILE / "region_1"
        mapped = read(folder / f"classes_seed_{draw}.tif")
        shares = read(folder / f"probabilities_seed_{draw}.tif") / 1000
        model, folds = (
            str(results / "models" / name),
            str(results / "folds" / name / "predictions.parquet"),
        )
        codes = np.array(engines.load(model).codes)
        learns = table.learns[draw][polygons]
        learnt_areas = np.isin(areas, np.unique(areas[learns]))
        every = mapped > 0
        parts = {
            "every pixel": every,
            "learnt polygons": every & learns,
            "validation p.": every & table.validates[draw][polygons],
            "learnt areas": every & learnt_areas,
            "other areas": every & ~learnt_areas,
            "their edges": every & ~learnt_areas & beside_another(truth),
        }
        for errors in ERRORS:
            for way, sets in ways(folds, model, errors, true):
                said = held_against(truth, mapped, shares, codes, sets)
                for part, here in parts.items():
                    figures = (said.right[here], said.covered[here], said.sizes[here])
                    yield (
                        (errors, way, part),
                        np.array([here.sum() / every.sum(), *(item.mean() for item in figures)]),
                    )


def ways(
    folds: str, model: str, errors: float, true: dict[int, int]
) -> Iterator[tuple[str, PredictionSets]]:
    """Sets of the chain, and others."""
    yield CHAIN, sets_of_model(folds, model, errors)
    table = pd.read_parquet(folds)
    told = table[table["fold"] >= 0]
    names = [name for name in table if name.startswith("p_")]
    values = told[names].to_numpy(dtype=float)
    temperature = engines.describe(model).get("calibration", {}).get("temperature", 1)
    if temperature != 1:
        values = tempered(values, temperature)
    place = [names.index(f"p_{code}") for code in told["code"]]
    scores = 1 - values[np.arange(len(told)), place]
    yield "plain", PredictionSets(threshold(scores, errors), np.eye(len(names)))
    with tempfile.TemporaryDirectory() as folder:
        right = table["polygon"].map(true) == table["code"]
        table[right].to_parquet(f"{folder}/right.parquet")
        yield "right labels", sets_of_model(f"{folder}/right.parquet", model, errors)


def show(land: str, found: dict[tuple[float, str, str], list[np.ndarray]]) -> None:
    """Coverage and classes in a set, means over the seeds; below, the least and the most coverage of a seed."""
    parts = list(dict.fromkeys(part for _, _, part in found))
    print(f"\n{land}\n" + ROW.format("", *parts))
    first = [np.mean(found[ERRORS[0], CHAIN, part], axis=0) for part in parts]
    for number, name in enumerate(("share", "accuracy")):
        print(ROW.format(name, *(f"{row[number]:.3f}" for row in first)))
    for errors in ERRORS:
        for way in (CHAIN, "plain", "right labels"):
            cells = [np.array(found[errors, way, part]) for part in parts]
            told = (f"{cell[:, 2].mean():.3f} {cell[:, 3].mean():.2f}" for cell in cells)
            print(ROW.format(f"{errors:.0%} {way}", *told))
            spread = (f"{cell[:, 2].min():.3f}-{cell[:, 2].max():.3f}" for cell in cells)
            print(ROW.format("", *spread))


if __name__ == "__main__":
    main()
