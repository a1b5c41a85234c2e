"""Models of one year on another, on real data: Landsat 8 and Sentinel-1 of two areas of Flanders, 2018 and 2019.

Each area has a production of its own year, and one that maps it by the models of the other; both are judged on the
same validation polygons of the area, in the five fixed splits of the data. Features tell days of the year. Classes
are those that both areas have in two polygons or more: built-up and other land, grassland, maize. The areas lie 48 km
apart, so what is told is the loss by another year and another place together.

Usage: python benchmarks/real_years.py DATA [--sets l8+s1 l8 s1] [--cores 1]     (DATA: folder of baseline.md)
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import yaml

AREAS = {2018: "flanders2018", 2019: "flanders2019_l8s1"}
TILES = ("T31UDS", "T31UES")
SENSORS = {"l8": ("landsat8", "landsat8"), "s1": ("sentinel1_s1tiling", "sentinel1")}
CLASSES = {10: "artificial_or_other", 20: "grassland", 33: "maize"}
DRAWS, TREES = 5, 200
ROW = "{:<8}{:<18}{:>10}{:>10}{:>10}{:>26}"


def main() -> None:
    """Print a line for each set of sensors, area and models."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", default=["l8+s1", "l8", "s1"])
    parser.add_argument("--cores", type=int, default=1)
    given = parser.parse_args()
    print(
        ROW.format(
            "sensors", "mapped, models of", "OA", "lowest", "highest", "F: other, grass, maize"
        )
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for year, area in AREAS.items():
            keep_common(given.data / area, folder / f"{year}")
        for sensors in given.sets:
            for year, own in ((2018, True), (2019, True), (2019, False), (2018, False)):
                tell(sensors, year, own, produce(folder, given, sensors, year, own))


def keep_common(area: Path, folder: Path) -> None:
    """Reference, its splits and the nomenclature, with the classes that both areas have."""
    folder.mkdir()
    reference = gpd.read_file(area / "reference" / "reference.gpkg")
    reference = reference[reference.code.isin(CLASSES)]
    reference.to_file(folder / "reference.gpkg")
    splits = pd.read_csv(area / "reference" / "splits_code.csv")
    splits[splits.fid_poly.isin(reference.fid_poly)].to_csv(folder / "splits.csv", index=False)
    rows = [f"{code},{name}" for code, name in CLASSES.items()]
    (folder / "nomenclature.csv").write_text("\n".join(["code,name", *rows, ""]), encoding="utf-8")


def produce(folder: Path, given: argparse.Namespace, sensors: str, year: int, own: bool) -> Path:
    """Make a production; its final products."""
    other = next(item for item in AREAS if item != year)
    name = f"{sensors}_{year}" + ("" if own else f"_by_{other}")
    config = {
        "output": name,
        "tiles": list(TILES),
        "sensors": {SENSORS[item][0]: section(given.data / AREAS[year], item, year)
                    for item in sensors.split("+")},
        "grid": {"spatial_resolution": 10.0},
        "reference": {"path": f"{year}/reference.gpkg", "field": "code",
                      "splits": f"{year}/splits.csv"},
        "nomenclature": f"{year}/nomenclature.csv",
        "sampling": {"runs": DRAWS},
        "learning": {"parameters": {"n_estimators": TREES}} if own else {
            "models": f"{sensors}_{other}"},
    }  # fmt: skip
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    command = [
        sys.executable, "-m", "iota2_tools.commands.cli", "run", f"{name}.yaml",
        f"{name}/final/scores.csv", "--cores",
        str(given.cores),
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{name}\n{done.stdout}\n{done.stderr}")
    return folder / name / "final"


def section(area: Path, sensor: str, year: int) -> dict:
    """Section of a sensor: from February to October, in which both years have images."""
    found = {
        "path": str(area / SENSORS[sensor][1]), "dates": "day_of_year",
        "first_date": f"{year}-02-15", "last_date": f"{year}-10-20",
    }  # fmt: skip
    bands = [f"B{number}" for number in range(2, 8)]
    return found | ({"keep_bands": bands} if sensor == "l8" else {})


def tell(sensors: str, year: int, own: bool, final: Path) -> None:
    """Overall accuracy over the draws, and the mean F-score of each class."""
    other = next(item for item in AREAS if item != year)
    scores = pd.read_csv(final / "scores.csv")
    overall = scores[scores.score == "overall_accuracy"].value
    f_scores = [np.mean(scores[(scores.score == "f_score") & (scores.code == code)].value)
                for code in CLASSES]  # fmt: skip
    told = ", ".join(f"{value:.2f}" for value in f_scores)
    ways = f"{year}, {year if own else other}"
    print(
        ROW.format(sensors, ways, *(f"{value:.3f}" for value in
                                    (overall.mean(), overall.min(), overall.max())), told),
        flush=True,
    )  # fmt: skip


if __name__ == "__main__":
    main()
