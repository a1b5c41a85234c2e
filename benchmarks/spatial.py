"""Spatial options judged on the exact truth of simulated land, edges included, beside the polygons' score.

Validation polygons hold no edges of fields: what blurs a map looks better on them than it is. For each land (size of
fields, mixed pixels at edges, wrong labels) a whole production is run, and its probabilities are smoothed in several
ways: `markov` of the chain, and means over windows, which it does not have.

Gains are those over the raw map of the same draw, in points; intervals are Student's over lands of
other seeds. `truth`: all pixels outside the learning polygons against the class that covers most
of each; `edge`: those of them beside another class; `ece`: calibration error of the confidence.

Usage: python benchmarks/spatial.py [--size 300] [--seeds 0 1 2] [--jobs 2]
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import yaml
from scipy import stats
from scipy.ndimage import uniform_filter

from iota2_tools.classifying.markov import Field, smooth
from iota2_tools.classifying.tile import NO_PROBABILITY
from iota2_tools.geo.raster import read_raster
from iota2_tools.reference.sets import read_polygon_table
from iota2_tools.simulate import SceneSettings, simulate_scene

ROOT = Path(__file__).parents[1]
TILE = "T31TCJ"
LANDS = {
    "usual land": {},
    "all edges mixed": {"mixed_edges": 1.0},
    "small fields, mixed": {"field_size": 0.6, "mixed_edges": 1.0},
    "large fields, mixed": {"field_size": 2.0, "mixed_edges": 1.0},
    "mixed, 20 % wrong labels": {"mixed_edges": 1.0, "label_noise": 0.2},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=300)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    for land, keys in LANDS.items():
        found: dict[str, list[np.ndarray]] = {}
        for seed in given.seeds:
            with tempfile.TemporaryDirectory() as folder:
                settings = SceneSettings(
                    size=given.size, tiles=(TILE,), seed=seed, dates=24, cloud_cover=0.5, **keys
                )
                results = produce(settings, Path(folder), given.jobs)
                for name, scores in judged(results, Path(folder)):
                    found.setdefault(name, []).append(scores)
        print(
            f"\n{land}\n{'':<18}{'polygons':>16}{'truth':>16}{'edge':>16}{'inside':>16}{'ece':>8}"
        )
        raw = np.array(found["raw"])
        print(f"{'raw':<18}" + "".join(f"{value:>16.3f}" for value in raw.mean(axis=0)[:4]), end="")
        print(f"{raw.mean(axis=0)[4]:>8.3f}")
        for name, scores in found.items():
            if name != "raw":
                gains = 100 * (np.array(scores) - raw)[:, :4]
                cells = "".join(f"{told(column):>16}" for column in gains.T)
                print(f"{name:<18}{cells}{np.mean(scores, axis=0)[4]:>8.3f}", flush=True)


def told(values: np.ndarray) -> str:
    """Mean and half the width of the 95 % interval."""
    if len(values) < 2:
        return f"{values.mean():+.1f}"
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return f"{values.mean():+.1f} +- {half:.1f}"


def produce(settings: SceneSettings, folder: Path, jobs: int) -> Path:
    """Run a production on a scene; its results."""
    simulate_scene(settings, folder / "scene", jobs=jobs)
    config = {
        "output": "results",
        "tiles": [TILE],
        "sensors": {"sentinel2": {"path": "scene/sentinel2", "temporal_resolution": 20}},
        "reference": {"path": "scene/reference/reference.gpkg", "field": "code"},
        "nomenclature": "scene/reference/nomenclature.csv",
        "sampling": {"strategy": "constant", "constant": 300},
        "learning": {"parameters": {"n_estimators": 100}},
        "classification": {"smoothing": {"method": "markov"}},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    command = [
        sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "workflow" / "Snakefile"), "--directory",
        str(folder), "--configfile", str(folder / "config.yaml"), "--profile",
        str(ROOT / "profiles" / "local"), "--cores", str(jobs), "validation",
    ]  # fmt: skip
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"the production failed\n{done.stdout}\n{done.stderr}")
    return folder / "results"


def judged(results: Path, folder: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Each way with its scores: polygons, truth, edge and inside (0-1), calibration error."""
    own = results / f"classification/{TILE}/region_1"
    raw = read_raster(str(own / "probabilities_seed_0.tif"), None)
    codes = np.array([int(row.split(",")[0]) for row in nomenclature(folder)])
    truth = read_raster(str(folder / "scene/truth" / f"{TILE}_class.tif"))
    ids = read_raster(str(results / f"tiles/{TILE}/polygons.tif"))
    table = read_polygon_table(str(results / "sampling/polygons.gpkg"), [0])
    mapped = raw[0] != NO_PROBABILITY
    valid = mapped & table.validates[0][ids]
    free = mapped & ~table.learns[0][ids]
    edge = beside_another(truth)
    for name, (place, confidence) in ways(raw, results, codes):
        found = codes[place]
        right = found == truth
        yield (
            name,
            np.array(
                [
                    (found == table.codes[ids])[valid].mean(),
                    right[free].mean(),
                    right[free & edge].mean(),
                    right[free & ~edge].mean(),
                    calibration_error(confidence[free], right[free]),
                ]
            ),
        )


def nomenclature(folder: Path) -> list[str]:
    """Rows of the table of classes."""
    text = (folder / "scene/reference/nomenclature.csv").read_text(encoding="utf-8")
    return text.splitlines()[1:]


def beside_another(truth: np.ndarray) -> np.ndarray:
    """Pixels with another class among their eight neighbours."""
    wide = np.pad(truth, 1, mode="edge")
    rows, cols = truth.shape
    parts = [wide[i : i + rows, j : j + cols] != truth for i in range(3) for j in range(3)]
    return np.any(parts, axis=0)


def ways(
    raw: np.ndarray, results: Path, codes: np.ndarray
) -> Iterator[tuple[str, tuple[np.ndarray, np.ndarray]]]:
    """Number of the class and confidence of each way."""
    mapped = raw[0] != NO_PROBABILITY
    shares = np.where(mapped, raw / 1000, 0)
    yield "raw", (shares.argmax(axis=0), shares.max(axis=0))
    chain = read_raster(str(results / f"smoothing/{TILE}/classes_seed_0.tif"))
    for beta in (0.1, 0.3, 1.0):
        around = np.pad(raw, ((0, 0), (5, 5), (5, 5)), constant_values=NO_PROBABILITY)
        place, belief = smooth(around, Field(beta, 5))
        if beta == 0.3 and not np.array_equal(codes[place][mapped], chain[mapped]):
            raise SystemExit("the chain's map is another")
        yield f"markov, beta {beta:g}", (np.maximum(place, 0), belief)
    for side in (3, 5):
        weight = uniform_filter(mapped.astype(float), side)
        mean = np.stack([uniform_filter(share, side) for share in shares]) / np.maximum(
            weight, 1e-9
        )
        yield f"mean {side} x {side}", (mean.argmax(axis=0), mean.max(axis=0))


def calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """Expected calibration error over ten classes of confidence (Naeini et al. 2015)."""
    group = np.minimum((10 * confidence).astype(int), 9)
    counts = np.bincount(group, minlength=10)
    gaps = np.bincount(group, confidence - right, minlength=10)
    return float(np.abs(gaps).sum() / counts.sum())


if __name__ == "__main__":
    main()
