"""External features: what the machinery costs, beside the same pass over a tile without them.

Maps a simulated tile (36 dates x 10 bands, NDVI, NDWI and brightness, 100 trees) without functions
of the user, and with some that compute nothing: what is left is the price of handing them their
arrays. CPU seconds (user + system) of `classify_tile` in one process, in turns.

Usage: python benchmarks/external.py [--size 1024] [--rounds 3]
"""

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from iota2_tools.classifying.tile import MappingSettings, TileSources, classify_tile
from iota2_tools.geo.grid import grid_of
from iota2_tools.geo.raster import create_raster, read_raster
from iota2_tools.learning import engines
from iota2_tools.learning.settings import LearningSettings, ModelKey
from iota2_tools.products import FORMATS
from iota2_tools.reference.table import write_samples
from iota2_tools.simulate import SceneSettings, simulate_scene
from iota2_tools.timeseries.dates import interpolation_dates
from iota2_tools.timeseries.inputs import Products, TileInputs
from iota2_tools.timeseries.inventory import read_inventory, write_inventory
from iota2_tools.timeseries.masks import write_clear_masks, write_validity

TILE = "T31TCJ"
SAMPLES = 20_000
MODULE = """
import numpy as np

def band(block):
    return {"Own": block.series["sentinel2"].band("B8")[3].astype(np.int16)}

def index(block):
    return {"Own": block.series["sentinel2"].index("NDVI")[3].astype(np.int16)}

def everything(block):
    series = block.series["sentinel2"]
    for name in series.bands:
        series.band(name)
    return {"Own": series.band("B8")[3].astype(np.int16)}

def around(block):
    m = block.margin
    b = block.series["sentinel2"].band("B8")[3].astype(np.int16)
    return {"Own": b[2 * m:, 2 * m:]}
"""
WAYS = {
    "no function": (),
    "one band": ("band", 0),
    "one index": ("index", 0),
    "one band, margin of 10 pixels": ("around", 10),
    "all ten bands": ("everything", 0),
}


@dataclass(frozen=True)
class Scene:
    """A tile that lies ready."""

    folder: Path

    def at(self, name: str) -> str:
        return str(self.folder / name)

    @property
    def masks(self) -> dict[str, str]:
        return {"sentinel2": self.at("masks.tif")}

    @property
    def settings(self) -> dict:
        days = [item.day for item in read_inventory(self.at("inventory.json")).series["sentinel2"]]
        dates = [day.isoformat() for day in interpolation_dates(min(days), max(days), 10)]
        bands = list(FORMATS["sentinel2"].band_names)
        return {
            "sentinel2": {
                "sensor": "sentinel2", "part": "", "options": {"level": "FRE"}, "keep_bands": bands,
                "indices": ["NDVI", "NDWI", "Brightness"], "additional_features": {}, "dates": dates,
            }
        }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    folder = Path(tempfile.gettempdir()) / f"iota2_external_{given.size}"
    scene = Scene(folder)
    prepare(scene, given.size)
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    for way in ("no function", "one index"):  # kernels are compiled, files are read once
        run(scene, way)
    for _ in range(given.rounds):
        for way in WAYS:
            seconds[way].append(run(scene, way))
    plain = min(seconds["no function"])
    print(f"{'function':<32}{'CPU s':>8}{'ratio':>8}{'us a pixel more':>18}")
    for way, found in seconds.items():
        more = 1e6 * (min(found) - plain) / given.size**2
        print(f"{way:<32}{min(found):>8.2f}{min(found) / plain:>8.3f}{more:>18.2f}")


def external_of(scene: Scene, way: str) -> list[dict]:
    if not WAYS[way]:
        return []
    function, margin = WAYS[way]
    return [{"module": scene.at("mine.py"), "function": function, "margin": margin}]


def run(scene: Scene, way: str) -> float:
    """CPU seconds of the map of one region, one draw."""
    rasters = {name: scene.at(f"{name}.tif") for name in ("regions", "footprint", "validity")}
    sources = TileSources(
        scene.at("inventory.json"), scene.settings, scene.masks, **rasters,
        external=external_of(scene, way),
    )  # fmt: skip
    layers = {name: scene.at(f"{name}.tif") for name in ("classes", "confidence")}
    model = scene.at("with" if WAYS[way] else "without")
    before = time.process_time()
    classify_tile(sources, MappingSettings(1, tuple(range(1, 22)), "uint8", 1, 400), [model], [layers], 1)  # fmt: skip
    return time.process_time() - before


def prepare(scene: Scene, size: int) -> None:
    """Images, masks, samples and both models; kept for the next run."""
    (scene.folder / "mine.py").parent.mkdir(exist_ok=True)
    (scene.folder / "mine.py").write_text(MODULE)
    if (scene.folder / "ready").exists():
        return
    simulate_scene(SceneSettings(size=size, tiles=(TILE,), dates=46), scene.at("scene"), jobs=2)
    source = scene.folder / "scene" / "sentinel2" / TILE
    names = [item.name for item in FORMATS["sentinel2"].listing(str(source)).products][:36]
    grid = grid_of(str(source / names[0] / f"{names[0]}_FRE_B2.tif"))
    products = Products(
        "sentinel2", str(source), names, names, {"level": "FRE"}, FORMATS["sentinel2"].band_names,
        grid.as_dict(),
    )  # fmt: skip
    inventory = scene.at("inventory.json")
    write_inventory(TileInputs(TILE, grid, {"sentinel2": products}, {}), "stop", inventory)
    seen = scene.at("seen.tif")
    write_clear_masks(inventory, "sentinel2", scene.masks["sentinel2"], seen, 2)
    outputs = scene.at("validity.tif"), scene.at("footprint.tif")
    write_validity(inventory, [scene.masks["sentinel2"]], [seen], *outputs)
    with create_raster(scene.at("regions.tif"), grid, "uint16") as raster:
        raster.write(np.ones((grid.rows, grid.cols), np.uint16), grid.window)
    learn(scene, size)
    (scene.folder / "ready").touch()


def learn(scene: Scene, size: int) -> None:
    """Both models, of the same pixels drawn at random: with the feature of a function, and without."""
    truth = read_raster(scene.at(f"scene/truth/{TILE}_class.tif")).astype(np.int64)
    truth[size // 2 :] += 10 * (truth[size // 2 :] < 11)
    chosen = np.sort(np.random.default_rng(0).choice(size * size, SAMPLES, replace=False))
    rows, cols = np.divmod(chosen, size)
    pixels = pd.DataFrame({"row": rows, "col": cols, "polygon": chosen, "code": truth[rows, cols]})
    pixels.assign(region="1", seed_0=True).to_parquet(scene.at("chosen.parquet"), index=False)
    forest = LearningSettings("RandomForestClassifier", {"n_estimators": 100})
    for name, way in (("without", "no function"), ("with", "one band")):
        samples = scene.at(f"{name}.parquet")
        write_samples(
            scene.at("chosen.parquet"), scene.at("inventory.json"), scene.settings, scene.masks,
            400, 2, samples, external_of(scene, way),
        )  # fmt: skip
        engines.train([samples], ModelKey("1", 0, 0), forest, 2, scene.at(name))


if __name__ == "__main__":
    main()
