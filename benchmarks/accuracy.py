"""Accuracy on real data: this chain against a plain forest on the same splits, seed by seed.

For each combination of sensors and each field of the reference a whole production of five draws (200 trees, the
fixed splits of the data) and, on the same polygons, scikit-learn's forest of features that NumPy made: bands of the
optical sensors between clear dates every ten days, NDVI, NDWI, brightness; decibels of each radar date. `published` is
the mean of that forest as the data set tells it. Gains are in points of overall accuracy, with Student's 95 % interval
over the pairs; the five draws share polygons, so that it is too narrow rather than too wide.

Usage: python benchmarks/accuracy.py DATA [--sets flanders2018/s2+l8+s1/code …]     (DATA: folder of baseline.md)
"""

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from osgeo import gdal, ogr
from scipy import stats
from sklearn.ensemble import RandomForestClassifier

from iota2_tools.geo.grid import Grid, grid_of

gdal.UseExceptions()
ROOT = Path(__file__).parents[1]
NAMES = {"s2": "sentinel2", "l8": "landsat8", "s1": "sentinel1_s1tiling"}
FOLDERS = {"s2": "sentinel2", "l8": "landsat8", "s1": "sentinel1"}
TILES = ("T31UDS", "T31UES")
BANDS = {
    "s2": ("B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B11", "B12"),
    "l8": ("B2", "B3", "B4", "B5", "B6", "B7"),
}
INDICES = {"s2": {"NDVI": ("B8", "B4"), "NDWI": ("B3", "B8")},
           "l8": {"NDVI": ("B5", "B4"), "NDWI": ("B3", "B5")}}  # fmt: skip
MASKS = {"s2": "_R1.tif", "l8": "_XS.tif"}
TREES, STEP = 200, 10
OVERLAP = 12
"""Columns of 10 m that the second tile shares with the first."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", help="some of them: folder/sensors/field")
    given = parser.parse_args()
    print(f"{'set':<34}{'chain':>8}{'plain':>8}{'published':>11}{'gain':>8}{'95 %':>10}")
    for place, sensors, field, published in published_means(given.data / "baseline.md"):
        name = f"{place}/{sensors}/{field}"
        if not (given.data / place / "landsat8").exists() or name not in (given.sets or [name]):
            continue
        ours = of_chain(given.data / place, sensors.split("+"), field)
        plain = of_forest(given.data / place, sensors.split("+"), field)
        gains = 100 * (ours - plain)
        half = stats.sem(gains) * stats.t.ppf(0.975, len(gains) - 1)
        print(
            f"{name:<34}{ours.mean():>8.3f}{plain.mean():>8.3f}{published:>11.3f}{gains.mean():>+8.1f}{half:>10.1f}",
            flush=True,
        )


def published_means(page: Path) -> Iterator[tuple[str, str, str, float]]:
    """Folder, sensors, field and mean overall accuracy of each line of a table."""
    for line in page.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) > 6 and re.match(r"0\.\d+ ±", cells[5]):
            yield cells[0], cells[1], cells[2], float(cells[5].split()[0])


def of_chain(data: Path, sensors: list[str], field: str) -> np.ndarray:
    """Overall accuracy of each draw of a production, on a grid of 10 m."""
    level = field.removeprefix("code")
    with tempfile.TemporaryDirectory() as folder:
        config = {
            "output": "results",
            "tiles": list(TILES),
            "sensors": {NAMES[name]: section(data, name) for name in sensors},
            "grid": {"spatial_resolution": 10.0},
            "reference": {
                "path": str(data / "reference" / "reference.gpkg"),
                "field": field,
                "splits": str(data / "reference" / f"splits_{field}.csv"),
            },
            "nomenclature": str(data / "reference" / f"nomenclature{level}.csv"),
            "sampling": {"runs": 5},
            "learning": {"parameters": {"n_estimators": TREES}},
        }
        Path(folder, "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
        command = [
            sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "workflow" / "Snakefile"),
            "results/final/scores.csv", "--configfile", "config.yaml", "--cores", "1", "--quiet", "all",
        ]  # fmt: skip
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)
        scores = pd.read_csv(Path(folder, "results/final/scores.csv"))
    return scores[scores.score == "overall_accuracy"].sort_values("seed").value.to_numpy()


def section(data: Path, name: str) -> dict:
    """Section of a sensor."""
    plain = {"path": str(data / FOLDERS[name])}
    return plain | ({"keep_bands": list(BANDS["l8"])} if name == "l8" else {})


def of_forest(data: Path, sensors: list[str], field: str) -> np.ndarray:
    """Overall accuracy of scikit-learn's forest in each draw."""
    tables = [of_tile(data, sensors, tile, number) for number, tile in enumerate(TILES)]
    polygons = np.concatenate([polygons for polygons, _ in tables])
    features = np.concatenate([features for _, features in tables])
    layer = ogr.Open(str(data / "reference" / "reference.gpkg"))
    codes = {item["fid_poly"]: item[field] for item in layer.GetLayer()}
    labels = np.array([codes[polygon] for polygon in polygons])
    splits = pd.read_csv(data / "reference" / f"splits_{field}.csv")
    found = []
    for seed, split in splits.groupby("seed"):
        learnt = np.isin(polygons, split.fid_poly[split.set == "train"])
        judged = np.isin(polygons, split.fid_poly[split.set == "valid"])
        forest = RandomForestClassifier(TREES, random_state=seed).fit(
            features[learnt], labels[learnt]
        )
        found.append(np.mean(forest.predict(features[judged]) == labels[judged]))
    return np.array(found)


def of_tile(
    data: Path, sensors: list[str], tile: str, number: int
) -> tuple[np.ndarray, np.ndarray]:
    """Polygon and features of the labelled pixels of a tile, less what the tile west of it shares."""
    grid = grid_of(str(next((data / "sentinel1" / tile[1:]).rglob("*.tif"))))
    burnt = gdal.GetDriverByName("MEM").Create("", grid.cols, grid.rows, 1, gdal.GDT_Int32)
    burnt.SetGeoTransform((grid.left, 10, 0, grid.top, 0, -10))
    burnt.SetProjection(grid.crs)
    reference = gdal.OpenEx(str(data / "reference" / "reference.gpkg"))
    gdal.Rasterize(burnt, reference, options=gdal.RasterizeOptions(attribute="fid_poly"))
    polygons = burnt.ReadAsArray()
    if number:
        polygons[:, :OVERLAP] = 0
    rows, cols = np.nonzero(polygons)
    features = [of_sensor(data, name, tile, grid)[:, rows, cols] for name in sensors]
    return polygons[rows, cols], np.concatenate(features).T


def place_of(name: str, tile: str) -> str:
    return tile[1:] if name == "s1" else tile


def of_sensor(data: Path, name: str, tile: str, grid: Grid) -> np.ndarray:
    """Features of a sensor over a tile, float32, shape (n, rows, cols)."""
    folder = data / FOLDERS[name] / place_of(name, tile)
    if name == "s1":
        images = sorted(path for path in folder.glob("*.tif") if "BorderMask" not in path.name)
        power = np.stack([read(path, grid) for path in images])
        return np.log10(np.maximum(power, 1e-5)).astype(np.float32)
    products = sorted(folder.iterdir(), key=day_of)
    days = np.array([day_of(path).toordinal() for path in products])
    every = sorted(day_of(path) for other in TILES for path in (folder.parent / other).iterdir())
    wanted = np.arange(every[0].toordinal(), every[-1].toordinal() + 1, STEP)
    clear = np.stack(
        [
            ~np.any([read(path, grid) != 0 for path in masks_of(product, name)], axis=0)
            for product in products
        ]
    )
    filled = {
        band: fill(
            days,
            wanted,
            clear,
            np.stack([read(image(product, band), grid) for product in products]),
        )
        for band in BANDS[name]
    }
    layers = list(filled.values())
    for plus, minus in INDICES[name].values():
        sums = filled[plus] + filled[minus]
        layers.append((filled[plus] - filled[minus]) / np.where(sums == 0, 1, sums))
    layers.append(np.sqrt(np.sum([band**2 for band in filled.values()], axis=0)))
    return np.concatenate(layers).astype(np.float32)


def fill(days: np.ndarray, wanted: np.ndarray, clear: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Linear in time between clear dates, by `np.interp`."""
    out = np.zeros((len(wanted), *values.shape[1:]))
    for row, col in np.ndindex(*values.shape[1:]):
        there = clear[:, row, col]
        if there.any():
            out[:, row, col] = np.interp(wanted, days[there], values[there, row, col])
    return out


def masks_of(product: Path, name: str) -> list[Path]:
    return [
        next((product / "MASKS").glob(f"*_{mask}{MASKS[name]}")) for mask in ("CLM", "EDG", "SAT")
    ]


def image(product: Path, band: str) -> Path:
    return product / f"{product.name}_FRE_{band}.tif"


def day_of(product: Path) -> date:
    found = re.search(r"_(\d{8})-", product.name)
    assert found, product
    return date.fromisoformat(found[1])


def read(path: Path, grid: Grid) -> np.ndarray:
    """An image on a grid of 10 m, each pixel that of the image which holds its centre."""
    return (
        gdal.Warp(
            "",
            str(path),
            format="MEM",
            outputBounds=grid.bounds,
            xRes=10,
            yRes=10,
            resampleAlg="near",
        )
        .ReadAsArray()
        .astype(np.float32)
    )


if __name__ == "__main__":
    main()
