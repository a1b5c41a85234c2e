"""A production over a whole tile of 10980² pixels, from the images to the map: CPU time and memory by rule.

A simulated land of 1098² pixels stands ten times down and ten times across. A date that was not
simulated is that of the season nearest to it, by hard links: its images are decoded like any other. The
polygons of the reference are spread over the tile. One draw, everything else by default. What stands of an
earlier run is kept; the figures are those of all its jobs.

Usage: python benchmarks/whole_tile.py [--dates 70] [--simulated 10] [--three] [--repeats 10] [--cores 1]
(--three: with Landsat 8 of THEIA on every third date, and both orbit directions of S1Tiling.)
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import yaml
from classification import processor
from osgeo import gdal
from shapely import affinity

from iota2_tools.geo.grid import Grid, Window
from iota2_tools.geo.raster import create_raster
from iota2_tools.reporting.summary import job_figures
from iota2_tools.simulate import SceneSettings, simulate_scene

ROOT = Path(__file__).parents[1]
TILE = "T31TCJ"
SIZE = 1098
NAME = "results/final/Classif_Seed_0.tif"
DAY = re.compile(r"(?<=_)2018\d{4}(?=[-t])")
SENSORS = {"sentinel2": "s2", "landsat8": "l8", "sentinel1_s1tiling": "s1tiling"}
STEPS = {"sentinel2": 5, "landsat8": 15, "sentinel1_s1tiling": 5}
"""Days between two acquisitions of a sensor."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in (("dates", 70), ("simulated", 10), ("repeats", 10), ("cores", 1)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--target", default=NAME, help="of the workflow; what stands is kept")
    parser.add_argument("--three", action="store_true", help="Landsat and radar as well")
    given = parser.parse_args()
    sensors = list(SENSORS) if given.three else ["sentinel2"]
    folder = Path(tempfile.gettempdir()) / f"iota2_whole_tile_{given.repeats}_{given.simulated}"
    place = folder / "_".join([*sensors, str(given.dates)])
    scene = folder / "scene"
    settings = SceneSettings(size=SIZE, tiles=(TILE,), dates=given.simulated, split_dates=0)
    simulate_scene(settings, scene, sensors=[SENSORS[name] for name in sensors], jobs=given.cores)
    for sensor in sensors:
        large = enlarged(scene, sensor, folder / "large" / sensor, given.repeats)
        span = timedelta(5 * given.dates)
        days = [date(2018, 1, 1) + timedelta(step) for step in range(0, span.days, STEPS[sensor])]
        link_dates(large, place / sensor / TILE, days)
    spread_reference(scene, place, given.repeats)
    print(processor())
    produce(place, sensors, given.cores, given.target)


def enlarged(scene: Path, sensor: str, out: Path, repeats: int) -> Path:
    """Folder of the products of a sensor over the whole tile."""
    if out.exists():
        return out
    (source,), partial = (scene / sensor).iterdir(), out.with_suffix(".part")
    for path in sorted(source.rglob("*")):
        target = partial / path.relative_to(source)
        if path.suffix == ".tif":
            repeat(path, target, repeats)
        elif path.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    partial.rename(out)
    return out


def repeat(path: Path, target: Path, repeats: int) -> None:
    """Write an image that stands `repeats` times down and across."""
    image = gdal.Open(str(path))
    left, size, _, top, _, _ = image.GetGeoTransform()
    band = image.GetRasterBand(1)
    numbers = np.tile(band.ReadAsArray(), (1, repeats))
    rows, cols = numbers.shape
    grid = Grid(image.GetProjection(), left, top, size, rows * repeats, cols)
    with create_raster(
        str(target),
        grid,
        numbers.dtype.name,
        nodata=band.GetNoDataValue(),
        tags=image.GetMetadata(),
    ) as raster:
        for row in range(0, grid.rows, 256):
            height = min(256, grid.rows - row)
            lines = np.arange(row, row + height) % rows
            raster.write(numbers[lines], Window(row, 0, height, cols))


def link_dates(source: Path, out: Path, days: list[date]) -> None:
    """Products of all days, each a hard link of that of the nearest day of the year."""
    files = [path for path in source.rglob("*") if path.is_file()]
    groups: dict[str, dict[str, list[Path]]] = {}  # by orbit direction, then day
    for path in files:
        part = next((word for word in ("_ASC_", "_DES_") if word in path.name), "")
        groups.setdefault(part, {}).setdefault(day_of(path.relative_to(source)), []).append(path)
    for by_day in groups.values():
        for day in days:
            nearest = min(by_day, key=lambda text: abs(date.fromisoformat(text) - day))
            for path in by_day[nearest]:
                name = DAY.sub(f"{day:%Y%m%d}", str(path.relative_to(source)))
                (out / name).parent.mkdir(parents=True, exist_ok=True)
                if not (out / name).exists():
                    os.link(path, out / name)


def day_of(path: Path) -> str:
    """Day that a product or a file names, as ISO writes it."""
    found = DAY.search(str(path))
    assert found, path
    return date.fromisoformat(found[0]).isoformat()


def spread_reference(scene: Path, place: Path, repeats: int) -> None:
    """Polygons of the small land, each in another of its repetitions."""
    fields = gpd.read_file(scene / "reference" / "reference.gpkg")
    side = SIZE * 10
    places = np.arange(len(fields)) * 37 % repeats**2
    fields.geometry = [
        affinity.translate(shape, number % repeats * side, -(number // repeats) * side)
        for shape, number in zip(fields.geometry, places, strict=True)
    ]
    fields.to_file(place / "reference.gpkg")
    (place / "nomenclature.csv").write_bytes(
        (scene / "reference" / "nomenclature.csv").read_bytes()
    )


def produce(place: Path, sensors: list[str], cores: int, target: str) -> None:
    """Run the production, and tell what its rules took."""
    config = {
        "output": "results",
        "tiles": [TILE],
        "sensors": {sensor: {"path": sensor} for sensor in sensors},
        "reference": {"path": "reference.gpkg", "field": "code"},
        "nomenclature": "nomenclature.csv",
    }
    (place / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    command = [
        sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "workflow" / "Snakefile"), target,
        "--configfile", "config.yaml", "--cores", str(cores), "--quiet", "all",
    ]  # fmt: skip
    subprocess.run(command, check=True, cwd=place, stdout=subprocess.DEVNULL)
    jobs = job_figures(place / "results")
    table = jobs.groupby("rule").agg(
        jobs=("rule", "size"), cpu=("cpu_seconds", "sum"), peak=("peak_mb", "max")
    )
    tell(table.sort_values("cpu", ascending=False))


def tell(table: pd.DataFrame) -> None:
    """Print what the rules took."""
    print(f"{'rule':<26}{'jobs':>6}{'CPU s':>10}{'peak MB':>10}")
    for rule, row in table.iterrows():
        print(f"{rule:<26}{int(row.jobs):>6}{row.cpu:>10.1f}{row.peak:>10.0f}")
    print(f"all: {table.cpu.sum():.0f} CPU s, {table.cpu.sum() / 3600:.3f} CPU h")


if __name__ == "__main__":
    main()
