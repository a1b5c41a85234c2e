"""What `iota2 plan` says before a run, against what the run takes: CPU, time, disk, the largest job.

Productions on simulated scenes, unlike those that the times were set on (README.md says which these are):
two sensors over two tiles; one larger tile; one with polygons of its regularised and fused maps. Each is
planned from sizes alone, then made by `iota2 run`; the first once more with twice the trees, which is planned
by what its jobs took before. CPU is that of the jobs as Snakemake sees them (a job below half a second may
count 0). Kernels are compiled beforehand.

Usage: python benchmarks/forecast.py [--cores 2] [--only sensors larger products]
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

from iota2_tools.planning.forecast import Took, read_benchmark
from iota2_tools.simulate import SceneSettings, simulate_scene

TILES = ("T31TCJ", "T31TDJ")
QUANTITIES = ("CPU s", "wall s", "disk MB", "largest job MB", "it asks for MB")
TABLE = "{:<34}{:>6}" + "{:>20}" * len(QUANTITIES)


def main() -> None:
    """Print a line for each case: plan / run, and the ratio of both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=list(CASES), default=list(CASES))
    given = parser.parse_args()
    print(TABLE.format("case", "jobs", *QUANTITIES), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in given.only:
            place = Path(folder, name)
            title, sensors, scene, sections = CASES[name]
            settings = SceneSettings(**scene)
            simulate_scene(settings, str(place / "scene"), jobs=given.cores, sensors=sensors)
            warm(place, sections, given.cores)
            config = configuration("results", scene["tiles"], sections)
            case(title, place, config, given.cores)
            if name == "sensors":
                config["learning"] = {"parameters": {"n_estimators": 200}}
                case("  twice the trees, after that", place, config, given.cores)


CASES: dict[str, tuple[str, tuple[str, ...], dict[str, Any], dict[str, Any]]] = {
    "sensors": (
        "Sentinel-2 and Landsat, two tiles",
        ("s2", "l8"),
        {"tiles": TILES, "size": 300, "dates": 16},
        {"sampling": {"strategy": "percent", "percent": 0.2}},
    ),
    "larger": (
        "a tile of 1000 x 1000 pixels",
        ("s2",),
        {"tiles": TILES[:1], "size": 1000, "dates": 20, "seed": 3},
        {"sampling": {"strategy": "percent", "percent": 0.05}},
    ),
    "products": (
        "two draws, fused, to polygons",
        ("s2",),
        {"tiles": TILES[:1], "size": 500, "dates": 10, "seed": 5},
        {
            "sampling": {"runs": 2, "strategy": "percent", "percent": 0.1},
            "classification": {"smoothing": {"method": "markov"}},
            "fusion": {"seeds": {"method": "majority"}},
            "regularisation": {"groups": "none"},
            "vectorisation": {},
        },
    ),
}


def configuration(output: str, tiles: tuple[str, ...], sections: dict[str, Any]) -> dict[str, Any]:
    """A production of a scene, with all its sensors."""
    return {
        "output": output,
        "tiles": list(tiles),
        "sensors": {"sentinel2": {"path": "scene/sentinel2"}},
        "reference": {"path": "scene/reference/reference.gpkg", "field": "code"},
        "nomenclature": "scene/reference/nomenclature.csv",
        **sections,
    }


def warm(place: Path, sections: dict[str, Any], cores: int) -> None:
    """Compile the kernels, by a production with small forests."""
    config = configuration("warm", TILES[:1], sections)
    run(place, config | {"learning": {"parameters": {"n_estimators": 5}}}, cores)


def case(title: str, place: Path, config: dict[str, Any], cores: int) -> None:
    """Plan, run, and print both."""
    output = place / config["output"]
    plan = json.loads(
        iota2(place, with_sensors(place, config), "plan", "--cores", str(cores), "--json")
    )
    began = time.time()
    run(place, config, cores)
    took = jobs_since(output / "benchmarks", began)
    on_cores = plan["on_cores"][str(cores)]
    pairs = (
        (3600 * plan["cpu_hours"], sum(job.cpu for job in took)),
        (on_cores["seconds"], time.time() - began),
        (plan["disk_mb"], megabytes(output, began)),
        (max(job["memory_mb"] for job in plan["to_run"]), max(job.memory for job in took)),
        (max(job["asked_mb"] for job in plan["to_run"]), max(job.memory for job in took)),
    )
    told = (
        f"{said:.0f} / {was:.0f} {said / was:>6.2f}" if was > 0 else f"{said:.0f} / {was:.0f}    -"
        for said, was in pairs
    )
    print(TABLE.format(title, len(plan["to_run"]), *told), flush=True)


def jobs_since(benchmarks: Path, began: float) -> list[Took]:
    """What the jobs took that have ended since."""
    files = [path for path in benchmarks.rglob("*.tsv") if path.stat().st_mtime >= began]
    names = (str(path.relative_to(benchmarks).with_suffix("")) for path in files)
    return [took for took in (read_benchmark(benchmarks, name) for name in names) if took]


def megabytes(output: Path, began: float) -> float:
    """Size of the products that were made since then, without records, logs and benchmarks."""
    others = (".snakemake", "logs", "benchmarks")
    files = (path for path in output.rglob("*") if path.is_file())
    return (
        sum(
            path.stat().st_size
            for path in files
            if path.relative_to(output).parts[0] not in others and path.stat().st_mtime >= began
        )
        / 1e6
    )


def with_sensors(place: Path, config: dict[str, Any]) -> dict[str, Any]:
    """The configuration with each sensor whose folder the scene has."""
    sensors = {
        name: {"path": f"scene/{name}"}
        for name in ("sentinel2", "landsat8")
        if (place / "scene" / name).is_dir()
    }
    return config | {"sensors": sensors}


def run(place: Path, config: dict[str, Any], cores: int) -> None:
    iota2(place, with_sensors(place, config), "run", "--cores", str(cores))


def iota2(place: Path, config: dict[str, Any], command: str, *words: str) -> str:
    """What a command prints."""
    (place / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    typed = [sys.executable, "-m", "iota2_tools.commands.cli", command, "config.yaml", *words]
    done = subprocess.run(typed, cwd=place, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return done.stdout


if __name__ == "__main__":
    main()
