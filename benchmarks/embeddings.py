"""Embeddings as user features: one pass over a simulated tile of 64 bands of signed bytes.

Prints pixels per CPU second (user + system) of the chain's whole job, of its reading alone, and of
the plain way (GDAL reads, scikit-learn predicts), side by side in one run. One raster over all
tiles, larger than the tile, in the layouts that embeddings come in: bands together or apart, on the
pixels of the tile or between them. 100 trees, 20 classes.

Usage: python benchmarks/embeddings.py [--size 2048] [--bands 64]
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import skops.io
from classification import processor
from osgeo import gdal

from iota2_tools.classifying.tile import MappingSettings, TileSources, classify_tile
from iota2_tools.features.stack import FeatureStack
from iota2_tools.geo.grid import Grid, Window
from iota2_tools.geo.raster import create_raster, read_raster
from iota2_tools.learning import scikit
from iota2_tools.learning.settings import LearningSettings
from iota2_tools.reference.table import TrainingTable
from iota2_tools.timeseries.inputs import TileInputs, UserFile
from iota2_tools.timeseries.inventory import write_inventory
from iota2_tools.timeseries.masks import write_validity

CLASSES, FIELD, BESIDE = 20, 32, 256
LAYOUTS = {
    "bands apart, on the pixels of the tile": ("INTERLEAVE=BAND", 0),
    "bands together, on the pixels of the tile": ("INTERLEAVE=PIXEL", 0),
    "bands together, between the pixels": ("INTERLEAVE=PIXEL", 4),
}
SAMPLES = 20_000
SHARE = 8  # the plain way does one part of the rows in so many


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=2048)
    parser.add_argument("--bands", type=int, default=64)
    parser.add_argument("--job", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.job:
        run_job(Path(given.job))
        return
    print(processor())
    heads = f"{'job':>10}{'reading':>10}{'plain':>10}{'job / plain':>13}{'peak MB':>9}"
    print(f"{'raster of the user':<44}{heads}")
    for name, (interleave, shift) in LAYOUTS.items():
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            grid = prepare(folder, given.size, given.bands, interleave, shift)
            job, peak = timed_job(folder, grid)
            reading, plain = read_alone(folder), plain_way(folder, grid)
        rates = f"{job:>10,.0f}{reading:>10,.0f}{plain:>10,.0f}{job / plain:>13.1f}{peak:>9}"
        print(f"{name:<44}{rates}")


def prepare(folder: Path, size: int, bands: int, interleave: str, shift: int) -> Grid:
    """The raster, the inventory and a forest."""
    grid = Grid("EPSG:32631", 300_000, 4_900_020, 10, size, size)
    left, top = 300_000 - 10 * BESIDE + shift, 4_900_020 + 10 * BESIDE
    side = size + 2 * BESIDE
    rng = np.random.default_rng(0)
    prototypes = rng.integers(-100, 101, (CLASSES, bands))
    fields = rng.integers(0, CLASSES, (side // FIELD + 1, side // FIELD + 1))
    truth = fields.repeat(FIELD, axis=0).repeat(FIELD, axis=1)[:side, :side]
    path = str(folder / "embeddings.tif")
    write_embeddings(path, (left, top), truth, prototypes, interleave)
    inputs = TileInputs("T31TCJ", grid, {}, {"AEF": UserFile(path, "bicubic", "leave_out")})
    inventory = str(folder / "inventory.json")
    write_inventory(inputs, "stop", inventory)
    write_validity(inventory, [], [], str(folder / "validity.tif"), str(folder / "footprint.tif"))
    with create_raster(str(folder / "regions.tif"), grid, "uint16") as raster:
        raster.write(np.ones((size, size), np.uint16), grid.window)
    inside = truth[BESIDE : BESIDE + size, BESIDE : BESIDE + size] + 1
    learn(folder, inside, prototypes, rng)
    return grid


def write_embeddings(
    path: str,
    corner: tuple[int, int],
    truth: np.ndarray,
    prototypes: np.ndarray,
    interleave: str,
) -> None:
    """Signed bytes around the prototype of each class, as every GDAL can write them."""
    kind = getattr(gdal, "GDT_Int8", gdal.GDT_Byte)
    options = ["TILED=YES", "COMPRESS=ZSTD", "ZSTD_LEVEL=1", "BIGTIFF=YES", interleave]
    if kind == gdal.GDT_Byte:
        options.append("PIXELTYPE=SIGNEDBYTE")
    rows, cols = truth.shape
    driver = gdal.GetDriverByName("GTiff")
    dataset = driver.Create(path, cols, rows, prototypes.shape[1], kind, options)
    dataset.SetGeoTransform((corner[0], 10, 0, corner[1], 0, -10))
    dataset.SetProjection("EPSG:32631")
    rng = np.random.default_rng(1)
    for band in range(1, prototypes.shape[1] + 1):
        dataset.GetRasterBand(band).SetNoDataValue(-128)
    for row in range(0, rows, 256):
        part = truth[row : row + 256]
        block = prototypes.T[:, part] + rng.integers(-20, 21, (len(prototypes.T), *part.shape))
        values = block.astype(np.int8)
        dataset.WriteArray(values.view(np.uint8) if kind == gdal.GDT_Byte else values, 0, row)
    dataset = None


def learn(
    folder: Path, truth: np.ndarray, prototypes: np.ndarray, rng: np.random.Generator
) -> None:
    """A forest of 100 trees on values drawn as those of the raster are."""
    codes = rng.choice(truth.ravel(), SAMPLES)
    noise = rng.integers(-20, 21, (SAMPLES, prototypes.shape[1]))
    features = (prototypes[codes - 1] + noise).astype(np.int16)
    names = [f"AEF_band_{number}" for number in range(1, prototypes.shape[1] + 1)]
    table = TrainingTable(features, codes.astype(np.int64), np.arange(SAMPLES), names)
    model = folder / "model"
    model.mkdir()
    forest = LearningSettings("RandomForestClassifier", {"n_estimators": 100})
    used = scikit.train(table, forest, 0, 2, model)
    described = {"learner": forest.learner, **used, "dtype": "int16", "features": names}
    described["versions"] = scikit.versions()
    (model / "model.json").write_text(json.dumps(described))


def run_job(folder: Path) -> None:
    """In a process of its own: map the tile, tell the CPU time and the peak memory."""
    rasters = {name: str(folder / f"{name}.tif") for name in ("regions", "footprint", "validity")}
    layers = {name: str(folder / f"{name}.tif") for name in ("classes", "confidence")}
    classify_tile(
        TileSources(str(folder / "inventory.json"), {}, {}, **rasters),
        MappingSettings(1, tuple(range(1, CLASSES + 1)), "uint8", 0, 400),
        [str(folder / "model")],
        [layers],
        1,
    )
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss // 1024}))


def timed_job(folder: Path, grid: Grid) -> tuple[float, int]:
    """Rate and peak memory of the whole job."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "NUMEXPR_NUM_THREADS": "1"}
    command = [sys.executable, __file__, "--job", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    told = json.loads(done.stdout.strip().splitlines()[-1])
    assert (read_raster(str(folder / "classes.tif")) > 0).all()
    return grid.rows * grid.cols / told["cpu"], told["peak"]


def read_alone(folder: Path) -> float:
    """Rate of reading the features."""
    stack = FeatureStack(str(folder / "inventory.json"), {}, {})
    start, pixels = time.process_time(), 0
    with ThreadPoolExecutor(1) as pool:
        for window in stack.windows(400):
            pixels += len(stack.read(window, pool).of(np.arange(window.size, dtype=np.int64)))
    return pixels / (time.process_time() - start)


def plain_way(folder: Path, grid: Grid) -> float:
    """Rate of GDAL and scikit-learn on a part of the tile, without interpolation."""
    path = folder / "model" / "model.skops"
    forest = skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
    forest.set_params(n_jobs=1)
    window = Window(0, 0, grid.rows // SHARE, grid.cols)
    dataset = gdal.Open(str(folder / "embeddings.tif"))
    start = time.process_time()
    values = dataset.ReadAsArray(BESIDE, BESIDE, window.cols, window.rows).view(np.int8)
    table = values.reshape(len(values), -1).T.astype(np.float32)
    for first in range(0, len(table), 16384):
        forest.classes_[forest.predict_proba(table[first : first + 16384]).argmax(axis=1)]
    return window.size / (time.process_time() - start)


if __name__ == "__main__":
    main()
