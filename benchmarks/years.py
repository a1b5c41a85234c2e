"""Models of other years, and maps of two years that agree, on the exact truth of simulated land.

The simulator makes 2017, 2018 and 2019 of one land: other clouds in each, growth four days early in 2017 and late in
2019, and in 2019 another class on one field of twenty. Each year has a production of its own; 2019 is mapped besides by
the models of 2018, and by models of the samples of 2017 and 2018, without its own reference. `truth`: share of the
pixels outside all learning polygons that have the class which covers most of them.

`iota2 change` compares the maps of 2018 and 2019, before and after `iota2 consistency`. `false`: share of the pixels
without change that the maps call changed; `found`: share of those with change that are called changed; `right`:
those of them with both classes right. Points are then drawn by the map of changes, labelled from the truth, and
assessed: the 95 % interval of the area of change beside the true one.

Usage: python benchmarks/years.py [--size 240] [--seeds 0 1] [--shifts 0 6 12] [--folder years] [--cores 2]
"""

import argparse
import csv
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import yaml

from iota2_tools.geo.grid import grid_of
from iota2_tools.geo.raster import read_raster
from iota2_tools.reference.sets import read_polygon_table
from iota2_tools.simulate import SceneSettings, simulate_scene

TILE = "T31TCJ"
CHANGED, EARLY = 0.05, -4.0
"""Share of the fields that bear another class in 2019; days by which growth is late in 2017."""
MAP = "final/Classif_Seed_0.tif"


@dataclass(frozen=True)
class Land:
    """Folder of the years of a land, and how it is computed."""

    folder: Path
    size: int
    seed: int
    cores: int

    @staticmethod
    def name_of(year: int, **keys: float) -> str:
        """Name of the scene of a year."""
        return f"scene_{year}" + "".join(f"_{value:g}" for value in keys.values())

    def scene(self, year: int, **keys: float) -> str:
        """Simulate a year; its name."""
        name = self.name_of(year, **keys)
        settings = SceneSettings(
            size=self.size,
            tiles=(TILE,),
            seed=self.seed,
            year=year,
            dates=24,
            cloud_cover=0.5,
            **keys,
        )
        simulate_scene(settings, self.folder / name, jobs=self.cores)
        return name

    def produce(self, name: str, scene: str, year: int, **learning: object) -> Path:
        """Make a production of a scene, unless it is there; its results.

        One that learns nothing of its own year has no reference.
        """
        section = {
            "path": f"{scene}/sentinel2", "temporal_resolution": 15, "dates": "day_of_year",
            "first_date": f"{year}-01-01", "last_date": f"{year}-12-31",
        }  # fmt: skip
        config = {
            "output": name,
            "tiles": [TILE],
            "sensors": {"sentinel2": section},
            "reference": {"path": f"{scene}/reference/reference.gpkg", "field": "code"},
            "nomenclature": f"{scene}/reference/nomenclature.csv",
            "sampling": {"strategy": "constant", "constant": 300},
            "learning": learning or {"parameters": {"n_estimators": 100}},
            "classification": {"probability_map": True},
        }
        if learning:
            del config["reference"], config["sampling"]
        (self.folder / f"{name}.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
        self.iota2("run", f"{name}.yaml", "mosaic", "--cores", str(self.cores))
        return self.folder / name

    def iota2(self, *words: str) -> str:
        """What a command prints; it must end well."""
        command = [sys.executable, "-m", "iota2_tools.commands.cli", *words]
        done = subprocess.run(
            command, cwd=self.folder, check=False, capture_output=True, text=True,
            env=os.environ | {"COLUMNS": "200"},
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"{' '.join(words)}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def truth(self, scene: str) -> np.ndarray:
        """Class of each pixel."""
        return read_raster(str(self.folder / scene / "truth" / f"{TILE}_class.tif"))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=240)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--shifts", type=float, nargs="+", default=[0.0, 6.0, 12.0])
    parser.add_argument("--folder", type=Path, help="keep productions there, and use them again")
    parser.add_argument("--cores", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        place = (given.folder or Path(temporary)).absolute()
        for seed in given.seeds:
            folder = place / f"land_{seed}"
            folder.mkdir(parents=True, exist_ok=True)
            judge_land(Land(folder, given.size, seed, given.cores), given.shifts)


def judge_land(land: Land, shifts: list[float]) -> None:
    """All productions of a land, and what the truth says of them."""
    before, earlier = land.scene(2018), land.scene(2017, season_shift=EARLY)
    own = {
        2017: land.produce("own_2017", earlier, 2017),
        2018: land.produce("own_2018", before, 2018),
    }
    print(f"\nland {land.seed}, {land.size} x {land.size} pixels; 2018 by its own models: "
          f"{share_right(own[2018] / MAP, land.truth(before), free(own.values())):.3f}")  # fmt: skip
    for shift in shifts:
        scene = land.scene(2019, changed=CHANGED, season_shift=shift)
        head = f"_2019_{shift:g}"
        ways = {
            "own models": land.produce(f"own{head}", scene, 2019),
            "models of 2018": land.produce(f"other{head}", scene, 2019, models="own_2018"),
            "samples of 2017, 2018": land.produce(
                f"several{head}", scene, 2019, samples=["own_2017", "own_2018"],
                parameters={"n_estimators": 100},
            ),
        }  # fmt: skip
        outside = free([*own.values(), ways["own models"]])
        truth = land.truth(scene)
        told = [
            f"{way}: {share_right(path / MAP, truth, outside):.3f}" for way, path in ways.items()
        ]
        print(f"2019, {shift:g} days late: {', '.join(told)}", flush=True)
        between_years(land, (before, scene), ways["own models"], outside)


def free(productions: Iterator[Path] | list[Path]) -> np.ndarray:
    """Pixels outside the learning polygons of some productions."""
    outside = None
    for results in productions:
        ids = read_raster(str(results / f"tiles/{TILE}/polygons.tif"))
        learns = read_polygon_table(str(results / "sampling/polygons.gpkg"), [0]).learns[0][ids]
        outside = ~learns if outside is None else outside & ~learns
    assert outside is not None
    return outside


def share_right(path: Path, truth: np.ndarray, outside: np.ndarray) -> float:
    """Overall accuracy of a map where nothing was learnt."""
    found = read_raster(str(path))
    chosen = outside & (found != 0)
    return float((found == truth)[chosen].mean())


# Between the years.


def between_years(land: Land, scenes: tuple[str, str], after: Path, outside: np.ndarray) -> None:
    """Changes of the maps as they are, and of maps that agree."""
    truths = [land.truth(scene) for scene in scenes]
    years = [f"2018={land.folder / 'own_2018'}", f"2019={after}"]
    print(f"  {'maps':<26}{'2018':>7}{'2019':>7}{'false':>8}{'found':>8}{'right':>8}")
    maps = [land.folder / "own_2018" / MAP, after / MAP]
    print(changes("as they are", maps, truths, outside))
    for title, options in (("agreeing", []), ("agreeing, chain found", ["--transitions", "found"])):
        output = land.folder / f"consistent_{after.name}_{len(options)}"
        shutil.rmtree(output, ignore_errors=True)
        land.iota2("consistency", *years, "--output", str(output), *options)
        maps = [output / f"Classif_{year}.tif" for year in (2018, 2019)]
        print(changes(title, maps, truths, outside), flush=True)
    print(area_of_change(land, after, truths), flush=True)


def changes(title: str, paths: list[Path], truths: list[np.ndarray], outside: np.ndarray) -> str:
    """A line: accuracy of both years, false change, change found, change with both classes right."""
    before, after = (read_raster(str(path)) for path in paths)
    chosen = outside & (before != 0) & (after != 0)
    true, said = truths[0] != truths[1], before != after
    right = (before == truths[0]) & (after == truths[1])
    figures = (
        (before == truths[0])[chosen].mean(),
        (after == truths[1])[chosen].mean(),
        said[chosen & ~true].mean(),
        said[chosen & true].mean(),
        right[chosen & true].mean(),
    )
    widths = (7, 7, 8, 8, 8)
    cells = "".join(f"{value:>{width}.3f}" for value, width in zip(figures, widths, strict=True))
    return f"  {title:<26}{cells}"


def area_of_change(land: Land, after: Path, truths: list[np.ndarray]) -> str:
    """Points drawn by the map of changes, labelled from the truth, and assessed."""
    output = land.folder / f"change_{after.name}"
    shutil.rmtree(output, ignore_errors=True)
    land.iota2("change", "own_2018", after.name, str(output))
    points = output / "points.gpkg"
    land.iota2("sample", str(output / "Changed.tif"), str(points), "--points", "600")
    layer = gpd.read_file(points, layer="points")
    label(layer, output / "Changed.tif", truths)
    pyogrio.write_dataframe(layer, points, layer="points", driver="GPKG")
    land.iota2(
        "assess", str(output / "Changed.tif"), str(points), "--output", str(output / "assessed")
    )
    return f"  area of change: {told_area(output, truths)}"


def label(layer: gpd.GeoDataFrame, raster: Path, truths: list[np.ndarray]) -> None:
    """Say at each point whether the class changed in truth."""
    grid = grid_of(str(raster))
    cols = ((layer.geometry.x - grid.left) // grid.resolution).astype(int)
    rows = ((grid.top - layer.geometry.y) // grid.resolution).astype(int)
    changed = (truths[0] != truths[1])[rows, cols]
    layer["reference"] = np.where(changed, "changed", "unchanged")


def told_area(output: Path, truths: list[np.ndarray]) -> str:
    """What was mapped, what the points tell, and the truth, in hectares."""
    with open(output / "assessed" / "estimates.csv", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["name"] == "changed"]
    told = next(row for row in rows if row["estimate"] == "area_ha")
    low, high = float(told["low"]), float(told["high"])
    said = read_raster(str(output / "Changed.tif"))
    hectare = grid_of(str(output / "Changed.tif")).resolution ** 2 / 10_000
    true = float((truths[0] != truths[1])[said != 0].sum() * hectare)
    mapped = float((said == 2).sum() * hectare)
    holds = "holds" if low <= true <= high else "MISSES"
    return f"mapped {mapped:.0f} ha, points {low:.0f} to {high:.0f} ha, which {holds} the true {true:.0f} ha"


if __name__ == "__main__":
    main()
