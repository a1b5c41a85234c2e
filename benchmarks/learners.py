"""What learning and mapping with each learner take, against what `needs.py` asks for.

Usage: python benchmarks/learners.py [--samples 5000] [--features 150] [LEARNER …]

Classes that overlap, so that trees are deep and support vectors many. Every step runs in a process of
its own, on one core. The ratio of memory is asked / (peak + the Snakemake of a cluster job); that of time is
asked / CPU, for a whole tile where it is mapped, and should be near `SAFETY` or above (10 minutes are asked for
at least). Mapping is timed on some chunks, and its seconds are given for a million pixels.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from iota2_tools.planning.needs import SNAKEMAKE, Size, megabytes_on_disk, resources

LEARNERS = (
    "RandomForestClassifier", "ExtraTreesClassifier", "HistGradientBoostingClassifier",
    "LogisticRegression", "LinearSVC", "SVC", "KNeighborsClassifier", "MLPClassifier", "GaussianNB",
    "LinearDiscriminantAnalysis", "QuadraticDiscriminantAnalysis", "DecisionTreeClassifier",
    "otb-rf", "otb-libsvm", "otb-knn", "otb-dt", "otb-bayes",
)  # fmt: skip
CLASSES = 10
CHUNK = 16384
TILE = 120  # millions of pixels
ROW = "{:<32}{:>10}{:>10}{:>10}{:>7}{:>7}{:>12}{:>10}{:>7}{:>7}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("learners", nargs="*", default=LEARNERS)
    parser.add_argument("--samples", type=int, default=5000)
    parser.add_argument("--features", type=int, default=150)
    parser.add_argument("--step", choices=("learn", "map"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        step(given)
        return
    print(f"{given.samples} samples, {given.features} features, {CLASSES} classes")
    print(
        ROW.format(
            "learner", "model MB", "learn s", "peak MB", "time", "memory",
            "map s/Mpx", "peak MB", "time", "memory",
        )
    )  # fmt: skip
    for learner in given.learners:
        print(measure(learner, given), flush=True)


def measure(learner: str, given: argparse.Namespace) -> str:
    """A line of the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        learn, mapped = (run(learner, name, given, folder) for name in ("learn", "map"))
        if not (learn and mapped):
            return f"{learner:<32}  did not run"
        model = megabytes_on_disk([str(folder)])
        table = 2 * given.samples * given.features / 2 / 1e6  # int16, compressed about twice
    size = {"pixels": TILE * 10**6, "columns": 1000, "features": given.features, "draws": 1, "classes": CLASSES,
            "learner": learner}  # fmt: skip
    asked_learn = resources("train_model", Size(input_mb=table, **size))
    asked_map = resources("classify_tile", Size(input_mb=model, **size))
    figures = [
        value
        for took, asked, times in ((learn, asked_learn, 1), (mapped, asked_map, TILE))
        for value in (
            f"{took['seconds']:.1f}",
            f"{took['peak']:.0f}",
            f"{asked['runtime'] * 60 / took['seconds'] / times:.1f}",
            f"{asked['mem_mb'] / (took['peak'] + SNAKEMAKE):.2f}",
        )
    ]
    return ROW.format(learner, f"{model:.1f}", *figures)


def run(learner: str, step: str, given: argparse.Namespace, folder: Path) -> dict | None:
    """One step in a process of its own."""
    command = [
        sys.executable, __file__, learner, "--samples", str(given.samples), "--features",
        str(given.features), "--step", step, "--folder", str(folder),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None


def step(given: argparse.Namespace) -> None:
    """Learn, or map; prints seconds of CPU and the peak of memory."""
    from iota2_tools.core.jobs import job, peak_memory_mb

    learner = given.learners[0]
    with job(f"{given.folder}.{given.step}.log", 1, 4000):
        features, codes = pixels(given.samples, given.features)
        before = cpu_seconds()
        seconds_for = 1.0
        if given.step == "learn":
            learn(learner, features, codes, given.folder)
        else:
            seconds_for = mapping(given.folder, features)
        figures = {
            "seconds": (cpu_seconds() - before) * seconds_for,
            "peak": peak_memory_mb(),
        }
    print(json.dumps(figures))


def cpu_seconds() -> float:
    return time.process_time()


def pixels(count: int, features: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of classes that overlap: mean spectra of a random walk, and noise as wide."""
    random = np.random.default_rng(0)
    means = 1500 + 150 * np.cumsum(random.normal(size=(CLASSES, features)), axis=1)
    codes = random.integers(1, CLASSES + 1, count).astype(np.uint16)
    noise = random.normal(scale=1500, size=(count, features))
    return np.clip(means[codes - 1] + noise, 0, 20000).astype(np.int16), codes


def learn(learner: str, features: np.ndarray, codes: np.ndarray, folder: Path) -> None:
    from iota2_tools.learning.engines import engine_of
    from iota2_tools.learning.settings import LearningSettings
    from iota2_tools.reference.table import TrainingTable

    names = [f"feature {number}" for number in range(features.shape[1])]
    polygons = np.arange(len(codes)) // 20
    table = TrainingTable(features, codes, polygons, names)
    engine = engine_of(learner)
    used = engine.train(table, LearningSettings(learner, {}), 1, 1, folder)
    classes = {str(code): 1 for code in np.unique(codes)}
    description = {"learner": learner, "dtype": "int16", "classes": classes, "features": names}
    description |= {"versions": engine.versions(), **used}
    (folder / "model.json").write_text(json.dumps(description), encoding="utf-8")


def mapping(folder: Path, features: np.ndarray) -> float:
    """Map chunks for a few seconds; the factor from these to a million pixels."""
    from iota2_tools.learning import engines as learning

    model = learning.load(str(folder))
    chunk = np.resize(features, (CHUNK, features.shape[1]))
    start, chunks = time.monotonic(), 0
    while chunks < 2 or time.monotonic() - start < 3:
        model.predict(chunk)
        chunks += 1
    return 1e6 / (chunks * CHUNK)


if __name__ == "__main__":
    main()
