"""What folds find: wrong labels, calibrated confidence, prediction sets; on polygons that were not learnt.

Usage: python benchmarks/labels.py RESULTS [--region 1] [--noise 0.2] [--seeds 1]
       python benchmarks/labels.py RESULTS --truth SCENE

RESULTS is the output folder of a production with two draws or more (`iota2 demo` has two). The learning samples
of draw 0 are learnt; what is said of them is held against the samples that the other draws learn and draw 0 does
not. A share of the learning polygons then gets the label of another class, drawn at random; those that judge keep
theirs. `drop` learns without the polygons that look wrong, and asks folds that have not learnt them either, as the
chain does (its sets count them); `deleted`: these polygons are taken out of the reference.

With the scene of `iota2 simulate` that a production was made of (with `classification: {probability_map: true,
prediction_sets: 0.1}`), its prediction sets are held against the class of every pixel of the land.
"""

import argparse
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.ndimage import label

from iota2_tools.geo.raster import open_raster
from iota2_tools.learning import engines
from iota2_tools.learning.conformal import PredictionSets, sets_of, sets_of_model
from iota2_tools.learning.folds import (
    droppable,
    out_of_fold,
    polygon_table,
    some_of_each,
)
from iota2_tools.learning.reliability import best_temperature, reliability, tempered
from iota2_tools.learning.settings import LearningSettings, ModelKey
from iota2_tools.learning.traits import FOLD_PIXELS
from iota2_tools.reference.sets import read_polygon_table
from iota2_tools.reference.sources import sample_tables
from iota2_tools.reference.table import TrainingTable, read_training_table

SETTINGS = LearningSettings("RandomForestClassifier", {})
ERRORS = 0.1
ROW = "{:<16}{:>8}{:>8}{:>8}{:>8}{:>8}{:>10}{:>8}{:>10}{:>8}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--region", default="1")
    parser.add_argument("--noise", type=float, default=0.2)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--truth", type=Path, metavar="SCENE")
    given = parser.parse_args()
    if given.truth:
        on_every_pixel(given.results, given.truth)
        return
    paths = list(sample_tables(given.results).values())
    learnt = read_training_table(paths, given.region, 0)
    others = read_training_table(paths, given.region, 1)
    judges = others.only(~np.isin(others.polygons, learnt.polygons))
    print(
        f"{len(np.unique(learnt.polygons))} polygons learn ({len(learnt.codes)} samples), "
        f"{len(np.unique(judges.polygons))} judge ({len(judges.codes)})"
    )
    print(
        ROW.format("", "OA", "Brier", "ECE", "T", "ECE, T", "coverage", "classes", "found", "right")
    )
    for seed in range(given.seeds):
        key = ModelKey(given.region, 0, seed)
        report("as they are", learnt, judges, key)
        noisy, wrong = with_wrong_labels(learnt, given.noise, seed)
        found = report(f"{given.noise:.0%} wrong", noisy, judges, key, wrong)
        report("drop", noisy, judges, key, drop=True)
        report("deleted", noisy.only(~np.isin(noisy.polygons, found)), judges, key)


BY_RIGHT = "by right labels"
"""Of every pixel, where the folds know polygons of the right label alone."""
ON_LAND = (0.1, 0.05, 0.02)
"""Shares of errors that are allowed, of the sets that are held against the land."""


@dataclass
class Counted:
    """Pixels: how many, those whose class is right, those whose sets hold the true class, sizes of all sets."""

    pixels: int = 0
    right: int = 0
    covered: int = 0
    classes: int = 0

    def add(self, here: np.ndarray, said: "Said") -> None:
        """Take those of a window."""
        self.pixels += int(here.sum())
        self.right += int(said.right[here].sum())
        self.covered += int(said.covered[here].sum())
        self.classes += int(said.sizes[here].sum())


class Said(NamedTuple):
    """Of each pixel: whether its class is right; whether its set holds the true class; how many classes it holds."""

    right: np.ndarray
    covered: np.ndarray
    sizes: np.ndarray


def on_every_pixel(results: Path, scene: Path) -> None:
    """Print what the sets of the maps of draw 0 are worth on the land itself."""
    kinds = (
        "every pixel",
        "in polygons",
        "elsewhere",
        "beside another class",
        "in the midst of a class",
        "learnt polygons",
        "validation polygons",
        "areas with a learnt one",
        "areas without",
    )
    true = true_classes(results, scene)
    print(f"{'':<26}{'pixels':>10}{'OA':>8}{'coverage':>10}{'classes':>9}")
    for errors in ON_LAND:
        counted = {kind: Counted() for kind in (*kinds, BY_RIGHT)}
        for place in sorted((results / "classification").glob("*/region_*")):
            chosen, said = _of_a_tile(results, scene, place, errors)
            for kind, here in zip(kinds, chosen, strict=True):
                counted[kind].add(here, said)
            chosen, said = _of_a_tile(results, scene, place, errors, true)
            counted[BY_RIGHT].add(chosen[0], said)
        print(f"{errors:.0%} of errors allowed")
        for kind, item in counted.items():
            shares = [n / item.pixels for n in (item.right, item.covered, item.classes)]
            print("  {:<24}{:>10}{:>8.3f}{:>10.3f}{:>9.2f}".format(kind, item.pixels, *shares))


def _of_a_tile(
    results: Path,
    scene: Path,
    place: Path,
    errors: float,
    true: Mapping[int, int] | None = None,
) -> tuple[list[np.ndarray], Said]:
    """Pixels of each kind that a region of a tile maps, and what its sets are worth there.

    With the true class of each polygon the sets are those of folds without polygons of a wrong label.
    """
    tile, region = place.parent.name, place.name.removeprefix("region_")
    name = f"region_{region}_seed_0"
    model = str(results / "models" / name)
    folds = str(results / "folds" / name / "predictions.parquet")
    truth = read(scene / "truth" / f"{tile}_class.tif")
    mapped = read(place / "classes_seed_0.tif")
    shares = read(place / "probabilities_seed_0.tif") / 1000
    codes = np.array(engines.load(model).codes)
    with tempfile.TemporaryDirectory() as folder:
        if true is not None:
            table = pd.read_parquet(folds)
            folds = f"{folder}/right.parquet"
            table[table["polygon"].map(true) == table["code"]].to_parquet(folds)
        sets = sets_of_model(folds, model, errors)
    said = held_against(truth, mapped, shares, codes, sets)
    ids = read(results / "tiles" / tile / "polygons.tif")
    polygons, edge = ids > 0, beside_another(truth)
    here = mapped > 0
    table = read_polygon_table(str(results / "sampling/polygons.gpkg"), [0])
    learns, validates = (part[0][ids] for part in (table.learns, table.validates))
    areas = areas_of_one_class(truth)
    known = np.isin(areas, np.unique(areas[learns]))
    parts = (polygons, ~polygons, edge, ~edge, learns, validates, known, ~known)
    return [here, *(here & part for part in parts)], said


def true_classes(results: Path, scene: Path) -> dict[int, int]:
    """True class of each polygon: that of most of its pixels."""
    found: dict[int, int] = {}
    for path in sorted((results / "tiles").glob("*/polygons.tif")):
        polygons, truth = read(path), read(scene / "truth" / f"{path.parent.name}_class.tif")
        counts = pd.crosstab(polygons[polygons > 0], truth[polygons > 0])
        found |= counts.idxmax(axis=1).to_dict()
    return found


def read(path: Path) -> np.ndarray:
    """All of a raster."""
    return open_raster(str(path)).ReadAsArray()


def held_against(
    truth: np.ndarray,
    mapped: np.ndarray,
    shares: np.ndarray,
    codes: np.ndarray,
    sets: PredictionSets,
) -> Said:
    """Sets of each pixel.

    Probabilities (class, row, column) are written in steps of 0.001: half of one is let pass.
    """
    near = replace(sets, largest=sets.largest + 0.0005)
    kept = near.kept(shares.reshape(len(codes), -1).T).T.reshape(shares.shape)
    held = (kept & (codes[:, None, None] == truth)).any(axis=0)
    return Said(mapped == truth, held, kept.sum(axis=0))


def beside_another(truth: np.ndarray) -> np.ndarray:
    """Pixels one of whose four neighbours is of another class."""
    found = np.zeros(truth.shape, bool)
    across, down = truth[:, 1:] != truth[:, :-1], truth[1:] != truth[:-1]
    found[:, 1:] |= across
    found[:, :-1] |= across
    found[1:] |= down
    found[:-1] |= down
    return found


def areas_of_one_class(truth: np.ndarray) -> np.ndarray:
    """Number of the 4-connected area of one class that each pixel lies in."""
    found = np.zeros(truth.shape, dtype=np.int64)
    for code in np.unique(truth):
        numbers, _ = label(truth == code)
        found[numbers > 0] = numbers[numbers > 0] + found.max()
    return found


def with_wrong_labels(
    table: TrainingTable, share: float, seed: int
) -> tuple[TrainingTable, np.ndarray]:
    """Some polygons with the label of another class; and which."""
    rng = np.random.default_rng(seed)
    polygons = np.unique(table.polygons)
    wrong = rng.choice(polygons, round(share * len(polygons)), replace=False)
    codes, classes = table.codes.copy(), np.unique(table.codes)
    for polygon in wrong:
        own = table.polygons == polygon
        codes[own] = rng.choice(classes[classes != table.codes[own][0]])
    return replace(table, codes=codes), wrong


def report(
    name: str,
    table: TrainingTable,
    judges: TrainingTable,
    key: ModelKey,
    wrong: np.ndarray | None = None,
    *,
    drop: bool = False,
) -> np.ndarray:
    """Learn, judge, print a line; the polygons that look wrong."""
    most = FOLD_PIXELS * len(np.unique(table.polygons))
    some = table.only(some_of_each(table.polygons, most, key))
    said = out_of_fold(some, key, SETTINGS, 2)
    suspicious = droppable(polygon_table(some, said))
    learnt = table
    if drop:
        learnt = table.only(~np.isin(table.polygons, suspicious))
        left_out = np.isin(some.polygons, suspicious)
        said = out_of_fold(some, key, SETTINGS, 2, left_out=left_out)
    values = said.probabilities[said.told].astype(float)
    truth = np.searchsorted(said.classes, some.codes[said.told])
    kept = ~np.isin(some.polygons[said.told], suspicious) | (not drop)
    temperature = best_temperature(values[kept], truth[kept])
    with tempfile.TemporaryDirectory() as folder:
        engines.learn(learnt, key, SETTINGS, 2, f"{folder}/model")
        model = engines.load(f"{folder}/model")
    plain = model.predict(judges.features, True).probabilities
    places = np.searchsorted(model.codes, judges.codes)
    calibrated = temperature != 1  # as a model is loaded
    sharp = tempered(plain, temperature) if calibrated else plain
    values = tempered(values, temperature) if calibrated else values
    sets = sets_of(values, truth, said.fold[said.told], ERRORS).kept(sharp)
    covered = sets[np.arange(len(places)), places].mean()
    before, after = reliability(plain, places), reliability(sharp, places)
    caught = ("", "")
    if wrong is not None:
        hits = np.isin(suspicious, wrong).sum()
        caught = (f"{hits / len(wrong):.2f}", f"{hits / max(len(suspicious), 1):.2f}")
    print(
        ROW.format(
            name, f"{(plain.argmax(axis=1) == places).mean():.3f}", f"{before.brier:.3f}",
            f"{before.calibration_error:.3f}", f"{temperature:.2f}", f"{after.calibration_error:.3f}",
            f"{covered:.3f}", f"{sets.sum(axis=1).mean():.2f}", *caught,
        ),
        flush=True,
    )  # fmt: skip
    return suspicious


if __name__ == "__main__":
    main()
