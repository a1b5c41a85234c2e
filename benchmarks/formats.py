"""Reading and gap-filling of a tile, format by format, per band and date.

Simulates one landscape in the layout of each format, prepares what is prepared, and goes over the
tile in windows as the classification does, on one thread, without indices. The speed is that of Sentinel-2 of
THEIA, had it as many bands, acquisitions and interpolation dates, against that of the format.

Images are in ZSTD, as the simulator and the preparation write them, but for the row `as S1Tiling compresses it`.
At 1506 pixels a side the blocks of all resolutions are full, as those of a whole tile are.

Usage: python benchmarks/formats.py [--size 1506] [--dates 12] [--rounds 3]
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from classification import processor
from osgeo import gdal

from iota2_tools.features.stack import FeatureStack
from iota2_tools.planning.configuration import complete_configuration
from iota2_tools.planning.parameters import Parameters
from iota2_tools.planning.production import Production
from iota2_tools.simulate import SceneSettings, simulate_scene

ROOT = Path(__file__).parents[1]
TILE = "T31TCJ"
BUDGET = 400
SENSORS = {
    "sentinel2": "s2",
    "sentinel2_sen2cor": "s2-sen2cor",
    "sentinel2_l3a": "l3a",
    "landsat8": "l8",
    "landsat8_old": "l8-old",
    "landsat8_usgs": "l8-usgs",
    "landsat7_usgs": "l7-usgs",
    "landsat5": "l5",
    "landsat5_usgs": "l5-usgs",
    "sentinel1_s1tiling": "s1tiling",
    "sentinel1": "s1",
}


@dataclass(frozen=True)
class Row:
    """What is gone over: a sensor, with some choices of its section, and another that gives the grid."""

    sensor: str
    choices: dict
    beside: dict
    deflated: bool = False


ROWS = {name: Row(name, {}, {}) for name in SENSORS} | {
    "sentinel1": Row("sentinel1", {}, {"sentinel2_l3a": {"keep_bands": ["B2"], "indices": []}}),
    "sentinel1_s1tiling, as S1Tiling compresses it": Row("sentinel1_s1tiling", {}, {}, True),
    "sentinel1_s1tiling, prepared": Row("sentinel1_s1tiling", {"prepare": True}, {}, True),
}


@dataclass(frozen=True)
class Speed:
    """CPU nanoseconds of a pixel of the tile."""

    acquired: int
    """Values that are read: bands by acquisitions."""
    filled: int
    """Values that are filled: bands by interpolation dates."""
    reading: float
    """For a value that is read."""
    filling: float
    """For a value that is filled."""

    def whole(self, like: "Speed") -> float:
        """Reading and filling of as many values as another has."""
        return self.reading * like.acquired + self.filling * like.filled


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in (("size", 1506), ("dates", 12), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=value)
    given = parser.parse_args()
    folder = Path(tempfile.gettempdir()) / f"iota2_formats_{given.size}_{given.dates}"
    scene = folder / "scene"
    if not (folder / "ready").exists():
        settings = SceneSettings(size=given.size, tiles=(TILE,), dates=given.dates)
        simulate_scene(settings, str(scene), sensors=tuple(SENSORS.values()), jobs=2)
        (folder / "ready").touch()
    stacks = {title: stack_of(folder, scene, title) for title in ROWS}
    found: dict[str, list[Speed]] = {title: [] for title in ROWS}
    for stack in stacks.values():
        passed(stack)  # kernels are compiled, files are read once
    for _ in range(given.rounds):
        for title, stack in stacks.items():
            found[title].append(passed(stack))
    print(processor())
    print(f"{'format':<46}{'values':>8}{'reading ns':>12}{'filling ns':>12}{'speed':>8}")
    measure = found["sentinel2"]
    for title, speeds in found.items():
        least = min(speeds, key=lambda speed: speed.whole(speed))
        ratio = min(item.whole(least) for item in measure) / least.whole(least)
        print(
            f"{title:<46}{least.acquired:>8}{least.reading:>12.2f}{least.filling:>12.2f}{ratio:>8.2f}"
        )


def stack_of(folder: Path, scene: Path, title: str) -> FeatureStack:
    """The features of the tile with one sensor, everything before them being made by the workflow."""
    row = ROWS[title]
    place = folder / title.replace(", ", "_").replace(" ", "_")
    place.mkdir(exist_ok=True)
    own = {"path": str(scene / row.sensor), "indices": []} | row.choices
    if row.sensor == "sentinel1":
        own |= {"dem": str(scene / "dem" / "dem.tif"), "geoid": str(scene / "geoid" / "geoid.tif")}
    if row.deflated:
        own["path"] = str(deflated(scene / row.sensor))
    others = {name: {"path": str(scene / name)} | more for name, more in row.beside.items()}
    config = {
        "output": "results",
        "tiles": [TILE],
        "sensors": {row.sensor: own} | others,
        "reference": {"path": str(scene / "reference" / "reference.gpkg"), "field": "code"},
        "nomenclature": str(scene / "reference" / "nomenclature.csv"),
    }
    (place / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    os.chdir(place)
    command = [
        sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "workflow" / "Snakefile"),
        f"results/tiles/{TILE}/validity.tif", "--configfile", "config.yaml", "--cores", "2", "--quiet",
    ]  # fmt: skip
    if not Path(f"results/tiles/{TILE}/validity.tif").exists():  # else kept from an earlier run
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    parameters = Parameters(Production(complete_configuration(config)))
    settings = {
        name: item for name, item in parameters.features.items() if item["sensor"] == row.sensor
    }
    masks = {series: f"results/tiles/{TILE}/{series}_clear.tif" for series in settings}
    return FeatureStack(
        str(place / f"results/tiles/{TILE}/inventory.json"),
        settings,
        {series: str(place / path) for series, path in masks.items()},
    )


def deflated(source: Path) -> Path:
    """The same images as S1Tiling compresses them by default."""
    out = source.with_name(source.name + "_deflated")
    for path in source.rglob("*.tif"):
        target = out / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.name.endswith("_BorderMask.tif"):
            shutil.copyfile(path, target)
        elif not target.exists():
            options = ["COMPRESS=DEFLATE", "PREDICTOR=3"]  # in strips
            gdal.Translate(str(target), str(path), creationOptions=options)
    return out


def passed(stack: FeatureStack) -> Speed:
    """Go over the tile once."""
    reading = filling = 0.0
    with ThreadPoolExecutor(1) as pool:
        for window in stack.windows(BUDGET):
            start = time.process_time()
            images = stack.read(window, pool)
            read = time.process_time()
            for pixels in np.array_split(np.arange(window.size), -(-window.size // 4096)):
                images.of(pixels)
            reading += read - start
            filling += time.process_time() - read
    acquired = sum(len(plan.bands) * len(stack.acquisitions[plan.series]) for plan in stack.series)
    filled, pixels = len(stack.names), stack.grid.rows * stack.grid.cols
    return Speed(
        acquired, filled, 1e9 * reading / pixels / acquired, 1e9 * filling / pixels / filled
    )


if __name__ == "__main__":
    main()
