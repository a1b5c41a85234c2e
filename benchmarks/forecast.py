"""What `iota2 plan` says before a run, against what the run takes.

A simulated scene of two tiles is made by `iota2 run` and planned before: from nothing, by sizes alone; then with more
trees, and with a third tile, by what jobs of the production took before. Kernels are compiled beforehand.

Usage: python benchmarks/forecast.py [--size 400] [--dates 24] [--cores 2]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from iota2_tools.planning.forecast import read_benchmark
from iota2_tools.simulate import SceneSettings, simulate_scene

TILES = ("T31TCJ", "T31TDJ", "T31TEJ")
ROW = "{:<34}{:>6}{:>12}{:>12}{:>8}{:>12}{:>12}{:>8}"


def main() -> None:
    """Print a line for each case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in (("size", 400), ("dates", 24), ("cores", 2)):
        parser.add_argument(f"--{name}", type=int, default=value)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), given)


def measure(folder: Path, given: argparse.Namespace) -> None:
    """Three productions, each planned, then made."""
    settings = SceneSettings(size=given.size, dates=given.dates, tiles=TILES)
    simulate_scene(settings, str(folder / "scene"), jobs=given.cores)
    config: dict[str, Any] = {
        "output": "warm",
        "tiles": list(TILES[:1]),
        "sensors": {"sentinel2": {"path": "scene/sentinel2"}},
        "reference": {"path": "scene/reference/reference.gpkg", "field": "code"},
        "nomenclature": "scene/reference/nomenclature.csv",
        "sampling": {"strategy": "percent", "percent": 0.3},
        "learning": {"parameters": {"n_estimators": 5}},
    }
    run(folder, config, given.cores)
    print(f"{given.size} pixels, {given.dates} dates, {given.cores} cores")
    print(
        ROW.format(
            "case", "jobs", "CPU s plan", "CPU s run", "ratio", "wall s plan", "wall s run", "ratio"
        )
    )
    config |= {
        "output": "results",
        "tiles": list(TILES[:2]),
        "learning": {"parameters": {"n_estimators": 100}},
    }
    case("from nothing, by sizes alone", folder, config, given.cores)
    config["learning"] = {"parameters": {"n_estimators": 200}}
    case("twice the trees, after that", folder, config, given.cores)
    config["tiles"] = list(TILES)
    case("a third tile, after that", folder, config, given.cores)


def case(title: str, folder: Path, config: dict[str, Any], cores: int) -> None:
    """Plan, run, and print both."""
    plan = json.loads(iota2(folder, config, "plan", "--cores", str(cores), "--json"))
    began = time.time()
    run(folder, config, cores)
    wall = time.time() - began
    cpu = cpu_since(folder / config["output"] / "benchmarks", began)
    foreseen = plan["on_cores"][str(cores)]["seconds"]
    seconds = 3600 * plan["cpu_hours"]
    print(
        ROW.format(
            title, len(plan["to_run"]), f"{seconds:.0f}", f"{cpu:.0f}", f"{seconds / cpu:.2f}", f"{foreseen:.0f}",
            f"{wall:.0f}", f"{foreseen / wall:.2f}",
        ),
        flush=True,
    )  # fmt: skip


def cpu_since(benchmarks: Path, began: float) -> float:
    """Seconds of the processors of the jobs that have ended since."""
    files = [path for path in benchmarks.rglob("*.tsv") if path.stat().st_mtime >= began]
    names = (str(path.relative_to(benchmarks).with_suffix("")) for path in files)
    return sum(took.cpu for took in (read_benchmark(benchmarks, name) for name in names) if took)


def run(folder: Path, config: dict[str, Any], cores: int) -> None:
    iota2(folder, config, "run", "--cores", str(cores))


def iota2(folder: Path, config: dict[str, Any], command: str, *words: str) -> str:
    """What a command prints."""
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    typed = [sys.executable, "-m", "iota2_tools.commands.cli", command, "config.yaml", *words]
    done = subprocess.run(typed, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return done.stdout


if __name__ == "__main__":
    main()
