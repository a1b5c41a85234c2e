"""Planning of a national production: `snakemake -n` for many tiles, from nothing and when up to date, and `iota2 plan`.

Builds an archive of empty product folders with one image header a tile, regions and reference
polygons; prints jobs, CPU and wall time and peak memory of each plan, and how many jobs a scheduler
gets. The plan that is up to date finds every file of the products and the records of the inventories.

Usage: python benchmarks/planning.py [--tiles 120] [--regions 10] [--runs 5] [--dates 70] [--three] [--products]
(--three: with Landsat 8 of THEIA and both orbit directions of S1Tiling beside Sentinel-2; --products: with
smoothing, fusion of the draws, regularisation, polygons and their delivery by 96 units.)
"""

import argparse
import os
import re
import resource
import string
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import geopandas as gpd
import shapely
import yaml
from osgeo import gdal, osr

from iota2_tools.core.contents import write_record
from iota2_tools.planning.configuration import complete_configuration
from iota2_tools.planning.parameters import Parameters
from iota2_tools.planning.production import Production

ROOT = Path(__file__).parents[1]
STEP, SIDE, PIXELS = 100_000, 109_800, 10_980


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in (("tiles", 120), ("regions", 10), ("runs", 5), ("dates", 70)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--three", action="store_true", help="Landsat and radar as well")
    parser.add_argument("--products", action="store_true", help="all that is made of maps as well")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder), given)
        print(
            f"{given.tiles} tiles, {given.regions} regions, {given.runs} seeds, {given.dates} dates a tile"
            f"{', with Landsat and radar' if given.three else ''}"
            f"{', with all that is made of maps' if given.products else ''}"
        )
        print(f"{'plan':<24}{'jobs':>8}{'CPU s':>10}{'wall s':>10}{'peak MB':>10}")
        print(plan(Path(folder), "from nothing"))
        print(iota2_plan(Path(folder), "iota2 plan, from nothing"))
        print(f"jobs of the scheduler, short ones in groups: {submissions(Path(folder))}")
        finish(Path(folder))
        print(plan(Path(folder), "everything up to date"))


def build(folder: Path, given: argparse.Namespace) -> None:
    """An archive of tiles in rows of twelve."""
    letters = [
        a + b + c for a in string.ascii_uppercase for b in "CDEF" for c in string.ascii_uppercase
    ]
    tiles = [f"T31{name}" for name in letters[: given.tiles]]
    days = [date(2018, 1, 1) + timedelta(5 * number) for number in range(given.dates)]
    boxes = []
    for number, tile in enumerate(tiles):
        left, top = 300_000 + number % 12 * STEP, 5_400_000 - number // 12 * STEP
        boxes.append(shapely.box(left, top - SIDE, left + SIDE, top))
        names = [f"SENTINEL2A_{day:%Y%m%d}-105158-000_L2A_{tile}_C_V2-2" for day in days]
        for name in names:
            (folder / "sentinel2" / tile / name).mkdir(parents=True)
        header(folder / "sentinel2" / tile / names[0] / f"{names[0]}_FRE_B2.tif", left, top)
        if given.three:
            more_sensors(folder, tile, days, left, top)
    west, south, east, north = shapely.union_all(boxes).bounds
    width = (east - west) / given.regions
    stripes = [
        shapely.box(west + n * width, south, west + (n + 1) * width, north)
        for n in range(given.regions)
    ]
    regions = gpd.GeoDataFrame(
        {"region": [str(n + 1) for n in range(given.regions)]}, geometry=stripes, crs=32631
    )
    regions.to_file(folder / "regions.gpkg")
    points = [
        shapely.Point(west + (n + 0.5) * (east - west) / 1000, south + 5000) for n in range(1000)
    ]
    fields = gpd.GeoDataFrame(
        {"code": [1 + n % 2 for n in range(1000)]}, geometry=points, crs=32631
    )
    fields.geometry = fields.buffer(100)
    fields.to_file(folder / "reference.gpkg")
    (folder / "nomenclature.csv").write_text("code,name\n1,one\n2,two\n", encoding="utf-8")
    config = {
        "output": "results",
        "tiles": tiles,
        "sensors": {"sentinel2": {"path": "sentinel2"}},
        "reference": {"path": "reference.gpkg", "field": "code"},
        "regions": {"path": "regions.gpkg"},
        "nomenclature": "nomenclature.csv",
        "sampling": {"runs": given.runs},
    }
    if given.products:
        config |= products_of_maps(folder, (west, south, east, north))
    if given.three:
        config["sensors"] |= {
            "landsat8": {"path": "landsat8"},
            "sentinel1_s1tiling": {"path": "sentinel1"},
        }
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")


def products_of_maps(folder: Path, bounds: tuple[float, float, float, float]) -> dict:
    """Sections of the configuration, and the layer that the polygons are cut by: 12 x 8 units."""
    west, south, east, north = bounds
    width, height = (east - west) / 12, (north - south) / 8
    units = [
        shapely.box(west + col * width, south + row * height, west + (col + 1) * width,
                    south + (row + 1) * height)
        for row in range(8) for col in range(12)
    ]  # fmt: skip
    names = [f"{number:02d}" for number in range(1, 97)]
    layer = gpd.GeoDataFrame({"unit": names}, geometry=units, crs=32631)
    layer.to_file(folder / "units.gpkg")
    return {
        "classification": {"smoothing": {"method": "markov"}},
        "fusion": {"seeds": {"method": "majority"}},
        "regularisation": {},
        "vectorisation": {},
        "delivery": {"path": "units.gpkg", "field": "unit"},
    }


def more_sensors(folder: Path, tile: str, days: list[date], left: float, top: float) -> None:
    """Landsat on every third date, radar of both directions on all."""
    names = [f"LANDSAT8-OLITIRS-XS_{day:%Y%m%d}-104459-000_L2A_{tile}_C_V2-2" for day in days[::3]]
    for name in names:
        (folder / "landsat8" / tile / name).mkdir(parents=True)
    header(folder / "landsat8" / tile / names[0] / f"{names[0]}_FRE_B1.tif", left, top, 30)
    place = folder / "sentinel1" / tile[1:]
    place.mkdir(parents=True)
    for day in days:
        for band in ("vv", "vh"):
            for orbit in ("ASC_161", "DES_008"):
                path = place / f"s1a_{tile[1:]}_{band}_{orbit}_{day:%Y%m%d}txxxxxx.tif"
                header(path, left, top) if day == days[0] else path.touch()


def header(path: Path, left: float, top: float, resolution: int = 10) -> None:
    """An image whose blocks are all absent."""
    options = ["SPARSE_OK=YES", "TILED=YES", "COMPRESS=DEFLATE"]
    side = PIXELS * 10 // resolution
    image = gdal.GetDriverByName("GTiff").Create(str(path), side, side, 1, gdal.GDT_Int16, options)
    image.SetGeoTransform((left, resolution, 0, top, 0, -resolution))
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(32631)
    image.SetProjection(reference.ExportToWkt())


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [
        sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "workflow" / "Snakefile"), "--directory",
        str(folder), "--configfile", str(folder / "config.yaml"), "--cores", "2", *arguments,
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)


def plan(folder: Path, title: str) -> str:
    """Time one plan of Snakemake."""
    return timed(
        title, r"^total +(\d+)", lambda: snakemake(folder, "--dry-run", "--quiet", "rules")
    )


def iota2_plan(folder: Path, title: str) -> str:
    """Time one plan with reasons, times and needs."""
    command = [sys.executable, "-m", "iota2_tools.commands.cli", "plan", "config.yaml"]
    return timed(
        title, r"^(\d+) of \d+ jobs to run",
        lambda: subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder),
    )  # fmt: skip


def timed(title: str, count: str, call: Callable[[], subprocess.CompletedProcess]) -> str:
    """A line about a plan: its jobs, as a pattern finds them; the peak is that of the largest child so far."""
    start, before = time.perf_counter(), cpu_of_children()
    done = call()
    wall, cpu = time.perf_counter() - start, cpu_of_children() - before
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    jobs = re.search(count, done.stdout + done.stderr, re.MULTILINE)
    return f"{title:<26}{jobs[1] if jobs else 0:>6}{cpu:>10.1f}{wall:>10.1f}{peak:>10.0f}"


def cpu_of_children() -> float:
    """Seconds of the processors that the programs started so far have taken."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def submissions(folder: Path) -> int:
    """How many jobs a cluster profile would submit; `all` itself is none."""
    profile = str(ROOT / "profiles" / "slurm-native")
    done = snakemake(folder, "--dry-run", "--profile", profile)
    printed = done.stdout + done.stderr
    return len(re.findall(r"^Job \d+:|^\[.*\] Group job ", printed, re.MULTILINE)) - 1


def finish(folder: Path) -> None:
    """Make every product an empty file and let Snakemake record it as made.

    Files of the images are empty, too; what they held stands in the records.
    """
    os.chdir(folder)
    config = yaml.safe_load(Path("config.yaml").read_text(encoding="utf-8"))
    parameters = Parameters(Production(complete_configuration(config)))
    for tile in config["tiles"]:
        files = list(parameters.tile_inputs(tile).files)
        for path in map(Path, files):
            path.parent.mkdir(exist_ok=True)
            path.touch()
        write_record(f"results/tiles/{tile}/inventory.record", files, 0)
    table = snakemake(folder, "--summary").stdout.splitlines()[1:]
    for line in table:
        path = folder / line.split("\t")[0]
        is_folder = not path.suffix and path.name != "SHA256SUMS"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(exist_ok=True) if is_folder else path.touch()
    snakemake(folder, "--touch", "--quiet", "all")


if __name__ == "__main__":
    main()
