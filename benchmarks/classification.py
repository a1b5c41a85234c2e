"""Classification of a tile, read to map: this chain, the plain way, and OTB's ImageClassifier.

Prints pixels per CPU second (user + system, one thread) of each, side by side in one run, and the
peak memory of the chain's job with two threads. A simulated tile of 2048² pixels, 36 dates x 10
bands with masks; 100 trees; 20 classes (the simulator's, told apart by north and south).

Usage: python benchmarks/classification.py [--size 2048] [--samples 40000]
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from osgeo import gdal
from sklearn.ensemble import RandomForestClassifier

from iota2_tools import otb
from iota2_tools.features.plan import series_features
from iota2_tools.features.stack import FeatureStack
from iota2_tools.geo.grid import Window, grid_of
from iota2_tools.geo.raster import create_raster, read_raster
from iota2_tools.learning import otb_learners, scikit
from iota2_tools.learning.settings import LearningSettings
from iota2_tools.products import FORMATS
from iota2_tools.reference.table import TrainingTable
from iota2_tools.simulate import SceneSettings, simulate_scene
from iota2_tools.timeseries.dates import interpolation_dates
from iota2_tools.timeseries.inventory import (
    Products,
    TileInputs,
    read_inventory,
    write_inventory,
)
from iota2_tools.timeseries.masks import write_clear_masks, write_validity

TILE = "T31TCJ"
BANDS = ["B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B11", "B12"]
OPTIONS = {"level": "FRE"}
JOB = Path(__file__).with_name("classification_job.py")
SHARE = 16  # the slow ways do one row of windows in so many


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=2048)
    parser.add_argument("--samples", type=int, default=40_000)
    parser.add_argument(
        "--folder", help="where the scene and the models are kept (a temporary folder)"
    )
    given = parser.parse_args()
    otb.load()  # not missed after minutes
    folder = Path(given.folder or Path(tempfile.gettempdir()) / f"iota2_benchmark_{given.size}")
    prepare(folder, given.size, given.samples)
    rows = [compare_job(folder, threads) for threads in (1, 2)]
    rows += [plain_way(folder, given.size), otb_way(folder, given.size)]
    first = rows[0]["rate"]
    print(processor())
    print(f"{'way':<58}{'px / CPU s':>12}{'chain / way':>13}{'peak MB':>9}{'labels':>9}")
    for row in rows:
        peak, same = row.get("peak", ""), row.get("same", "")
        print(
            f"{row['way']:<58}{row['rate']:>12,.0f}{first / row['rate']:>13.1f}{peak:>9}{same:>9}"
        )
    share = agreement(folder, given.size)
    print(f"labels equal to scikit-learn's predict_proba on the same features: {share:.4%}")


def processor() -> str:
    """Model of the processor, as the system tells it: ratios differ from one to another."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "processor unknown"
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    told = {key.strip(): value.strip() for key, value in pairs}
    name = told.get("model name", platform.machine())
    kind = [f"{key} {told[key]}" for key in ("cpu family", "model") if key in told]
    return f"{name} ({', '.join([*kind, f'{os.cpu_count()} cores'])})"


def agreement(folder: Path, size: int) -> float:
    """Share of the mapped pixels whose label is scikit-learn's, on the chain's own features."""
    from concurrent.futures import ThreadPoolExecutor

    import skops.io

    window = share_of(size)
    stack = FeatureStack(
        str(folder / "inventory.json"),
        settings_of(folder),
        {"sentinel2": str(folder / "masks.tif")},
    )
    with ThreadPoolExecutor(2) as pool:
        values = stack.read(window, pool).of(np.arange(window.size, dtype=np.int64))
    path = folder / "model" / "model.skops"
    forest = skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
    forest.set_params(n_jobs=1)
    labels = forest.classes_[forest.predict_proba(values.astype(np.float32)).argmax(axis=1)]
    ours = (
        gdal.Open(str(folder / "classes.tif")).ReadAsArray(0, window.row, size, window.rows).ravel()
    )
    return float((labels == ours)[ours > 0].mean())


def settings_of(folder: Path) -> dict:
    inventory = read_inventory(str(folder / "inventory.json"))
    days = [item.day for item in inventory.series["sentinel2"]]
    dates = [day.isoformat() for day in interpolation_dates(min(days), max(days), 10)]
    return {
        "sentinel2": {
            "sensor": "sentinel2",
            "options": OPTIONS,
            "part": "",
            "keep_bands": BANDS,
            "indices": ["NDVI", "NDWI", "Brightness"],
            "additional_features": {},
            "dates": dates,
        }
    }


def prepare(folder: Path, size: int, n_samples: int) -> None:
    """Scene, masks, samples and both forests; kept for the next run."""
    if (folder / "ready").exists():
        return
    scene = folder / "scene"
    simulate_scene(SceneSettings(size=size, tiles=(TILE,), dates=46), str(scene), jobs=2)
    source = scene / "sentinel2" / TILE
    names = [item.name for item in FORMATS["sentinel2"].listing(str(source)).products][:36]
    grid = grid_of(str(source / names[0] / f"{names[0]}_FRE_B2.tif"))
    products = Products("sentinel2", str(source), names, names, OPTIONS, BANDS, grid.as_dict())
    where = {
        name: str(folder / f"{name}.tif")
        for name in ("masks", "seen", "validity", "footprint", "regions")
    }
    inputs = TileInputs(TILE, grid, {"sentinel2": products}, {})
    write_inventory(inputs, "stop", str(folder / "inventory.json"))
    write_clear_masks(str(folder / "inventory.json"), "sentinel2", where["masks"], where["seen"], 2)
    write_validity(
        str(folder / "inventory.json"),
        [where["masks"]],
        [where["seen"]],
        where["validity"],
        where["footprint"],
    )
    with create_raster(where["regions"], grid, "uint16") as raster:
        raster.write(np.ones((grid.rows, grid.cols), np.uint16), grid.window)
    learn(folder, scene, size, n_samples)
    (folder / "ready").touch()


def learn(folder: Path, scene: Path, size: int, n_samples: int) -> None:
    """Both forests of 100 trees, on the same pixels drawn at random."""
    from concurrent.futures import ThreadPoolExecutor

    truth = read_raster(str(scene / "truth" / f"{TILE}_class.tif")).astype(np.int64)
    truth[size // 2 :] += 10 * (truth[size // 2 :] < 11)  # water is one class: 20 or 21 in all
    stack = FeatureStack(
        str(folder / "inventory.json"),
        settings_of(folder),
        {"sentinel2": str(folder / "masks.tif")},
    )
    chosen = np.sort(np.random.default_rng(0).choice(size * size, n_samples, replace=False))
    rows, cols = np.divmod(chosen, size)
    features = np.empty((n_samples, len(stack.names)), np.int16)
    with ThreadPoolExecutor(2) as pool:
        for window in stack.windows(400):
            row_slice, col_slice = window.slices
            inside = np.flatnonzero(
                (rows >= row_slice.start) & (rows < row_slice.stop)
                & (cols >= col_slice.start) & (cols < col_slice.stop)
            )  # fmt: skip
            pixels = (rows[inside] - window.row) * window.cols + cols[inside] - window.col
            features[inside] = stack.read(window, pool).of(pixels)
    table = TrainingTable(features, truth[rows, cols], chosen, stack.names)
    model = folder / "model"
    model.mkdir(exist_ok=True)
    forest = LearningSettings("RandomForestClassifier", {"n_estimators": 100})
    used = scikit.train(table, forest, 0, 2, model)
    described = {"learner": forest.learner, **used, "dtype": "int16", "features": stack.names}
    described["versions"] = scikit.versions()
    (model / "model.json").write_text(json.dumps(described))
    (folder / "otb").mkdir(exist_ok=True)
    otb_learners.train(table, LearningSettings("otb-rf", {"nbtrees": 100}), 0, 2, folder / "otb")


def compare_job(folder: Path, threads: int) -> dict:
    """The chain's own job: the whole process, imports and loading of the model counted."""
    rasters = {name: str(folder / f"{name}.tif") for name in ("regions", "footprint", "validity")}
    job = {
        "sources": {
            "inventory": str(folder / "inventory.json"),
            "settings": settings_of(folder),
            "masks": {"sentinel2": str(folder / "masks.tif")},
            **rasters,
        },
        "model": str(folder / "model"),
        "layers": {name: str(folder / f"{name}.tif") for name in ("classes", "confidence")},
        "threads": threads,
    }
    (folder / "job.json").write_text(json.dumps(job))
    command = [sys.executable, str(JOB), str(folder / "job.json")]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "NUMEXPR_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    told = json.loads(done.stdout.strip().splitlines()[-1])
    size = read_raster(str(folder / "classes.tif")).size
    return {
        "way": f"this chain, {threads} thread(s), whole job",
        "rate": size / told["cpu"],
        "peak": told["peak"],
    }


def share_of(size: int) -> Window:
    rows = max(size // SHARE, 64)
    return Window(size // 2 // 256 * 256, 0, rows, size)


def plain_way(folder: Path, size: int) -> dict:
    """GDAL reads, NumPy fills and computes the indices, scikit-learn predicts; no process start counted."""
    inventory = read_inventory(str(folder / "inventory.json"))
    items, window = inventory.series["sentinel2"], share_of(size)
    plan = series_features("sentinel2", settings_of(folder)["sentinel2"])
    import skops.io

    path = folder / "model" / "model.skops"
    forest: RandomForestClassifier = skops.io.load(
        path, trusted=skops.io.get_untrusted_types(file=path)
    )
    start = time.process_time()
    series = np.stack(
        [[read_plain(item.bands[band].path, window, size) for band in plan.bands] for item in items]
    )
    unusable = np.stack(
        [sum(read_plain(mask.path, window, size) for mask in item.masks) for item in items]
    )
    series = series.reshape(len(items), len(plan.bands), -1)
    clear = (unusable == 0).reshape(len(items), -1)
    # Two products of one day: the first clear one counts, as in the chain.
    for number in range(1, len(items)):
        if items[number].day == items[number - 1].day:
            clear[number] &= ~clear[number - 1]
    origin = items[0].day
    days = np.array([(item.day - origin).days for item in items])
    targets = np.array([(day - origin).days for day in plan.dates])
    filled = plain_fill(series, clear, days, targets)
    codes = np.empty(series.shape[2], np.uint8)
    for first in range(0, len(codes), 16384):
        part = filled[first : first + 16384]
        codes[first : first + 16384] = forest.classes_[
            forest.predict_proba(plain_features(part)).argmax(axis=1)
        ]
    cpu = time.process_time() - start
    ours = (
        gdal.Open(str(folder / "classes.tif")).ReadAsArray(0, window.row, size, window.rows).ravel()
    )
    seen = ours > 0
    return {
        "way": "plain way: GDAL, vectorised NumPy, scikit-learn predict_proba",
        "rate": len(codes) / cpu,
        "same": f"{(codes == ours)[seen].mean():.4%}",
    }


def read_plain(path: str, window: Window, size: int) -> np.ndarray:
    """A window at 10 m; 20 m bands by GDAL's bicubic."""
    dataset = gdal.Open(path)
    factor = size // dataset.RasterXSize
    place = [
        window.col // factor,
        window.row // factor,
        window.cols // factor,
        window.rows // factor,
    ]
    return dataset.ReadAsArray(
        *place, buf_xsize=window.cols, buf_ysize=window.rows, resample_alg=gdal.GRIORA_Cubic
    )


def plain_fill(
    series: np.ndarray, clear: np.ndarray, days: np.ndarray, targets: np.ndarray
) -> np.ndarray:
    """Linear gap-filling as whole-array operations, (n_pixels, n_targets, n_bands) float32."""
    index = np.arange(len(days))[:, None]
    before = np.maximum.accumulate(np.where(clear, index, -1), axis=0)
    after = np.minimum.accumulate(np.where(clear, index, len(days))[::-1], axis=0)[::-1]
    out = np.empty((series.shape[2], len(targets), series.shape[1]), np.float32)
    pixel = np.arange(series.shape[2])
    for number, day in enumerate(targets):
        left = np.searchsorted(days, day, side="right") - 1
        right = np.searchsorted(days, day, side="left")
        first = before[left] if left >= 0 else np.full(len(pixel), -1)
        last = after[right] if right < len(days) else np.full(len(pixel), len(days))
        first_ok, last_ok = first >= 0, last < len(days)
        first, last = np.where(first_ok, first, last), np.where(last_ok, last, first)
        never = ~first_ok & ~last_ok
        first, last = np.where(never, 0, first), np.where(never, 0, last)
        span = np.maximum(days[last] - days[first], 1)
        since = np.clip(day - days[first], 0, span)[:, None].astype(np.float32)
        span = span[:, None].astype(np.float32)
        a, b = series[first, :, pixel].astype(np.float32), series[last, :, pixel].astype(np.float32)
        # Both products are whole and below 2**24: exact in float32, as the division of halves is.
        value = (a * (span - since) + b * since) / span
        value[never] = 0
        out[:, number] = np.copysign(np.floor(np.abs(value) + np.float32(0.5)), value)
    return out


def plain_features(filled: np.ndarray) -> np.ndarray:
    """Bands by date, NDVI, NDWI and brightness by date, as the forest has learnt them."""
    red, nir, swir = (filled[:, :, band].astype(np.float64) for band in (2, 6, 8))
    with np.errstate(divide="ignore", invalid="ignore"):
        ndvi = np.where(np.abs(nir + red) < 1e-5, 0, 1000 * (nir - red) / (nir + red))
        ndwi = np.where(np.abs(swir + nir) < 1e-5, 0, 1000 * (swir - nir) / (swir + nir))
    norm = np.minimum(np.sqrt((filled.astype(np.float64) ** 2).sum(axis=2)), 32767)
    indices = [np.clip(np.rint(index), -32768, 32767) for index in (ndvi, ndwi, norm)]
    return np.concatenate([filled.reshape(len(filled), -1), *indices], axis=1).astype(np.float32)


def otb_way(folder: Path, size: int) -> dict:
    """OTB's forest of the same samples with confidence, on a feature stack that lies ready."""
    from concurrent.futures import ThreadPoolExecutor

    window = Window(*share_of(size)[:3], size // 2)
    stack = FeatureStack(
        str(folder / "inventory.json"),
        settings_of(folder),
        {"sentinel2": str(folder / "masks.tif")},
    )
    with ThreadPoolExecutor(2) as pool:
        values = stack.read(window, pool).of(np.arange(window.size, dtype=np.int64))
    ready = folder / "stack.tif"
    grid = grid_of(str(folder / "classes.tif"))
    part = type(grid)(grid.crs, grid.left, grid.top, grid.resolution, window.rows, window.cols)
    with create_raster(str(ready), part, "int16", bands=len(stack.names)) as raster:
        raster.write_bands(
            np.ascontiguousarray(values.T).reshape(-1, window.rows, window.cols), part.window
        )
    start = time.process_time()
    otb.run("ImageClassifier", {
        "in": str(ready), "model": str(folder / "otb" / "model.otb"), "out": str(folder / "otb.tif"),
        "confmap": str(folder / "otb_confidence.tif"),
    })  # fmt: skip
    return {
        "way": "OTB ImageClassifier with confidence, features ready",
        "rate": window.size / (time.process_time() - start),
    }


if __name__ == "__main__":
    main()
