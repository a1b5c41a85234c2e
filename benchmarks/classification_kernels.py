"""Speed of the kernels of the classification, in pixels per CPU second.

Run `python benchmarks/classification_kernels.py`. The machine may be shared: CPU time of the thread
is measured, in turns, and the medians are compared. The data are synthetic: 20 classes with a
season each, 10 bands, 37 dates; the training labels are wrong 1 time in 20, and trees have some
7 000 leaves. The forest is fitted once (minutes) and kept in the temporary folder.
"""

import argparse
import os
import pickle
import tempfile
import time
from pathlib import Path

import numpy as np
import sklearn
from sklearn.ensemble import RandomForestClassifier

from iota2_tools.learning.packed.forest import pack_forest
from iota2_tools.timeseries.gapfilling import fill_gaps

N_CLASSES, N_BANDS, N_TARGETS = 20, 10, 37
TARGETS = 10 * np.arange(N_TARGETS)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7, help="runs of each, in turns (7)")
    parser.add_argument("--pixels", type=int, default=40_000, help="pixels of a run (40000)")
    arguments = parser.parse_args()
    print(f"{'kernel':46}{'px per CPU s':>14}{'ratio':>9}")
    for n_dates in (36, 70):
        benchmark_gapfilling(n_dates, arguments.pixels, arguments.runs)
    benchmark_forest(arguments.pixels, arguments.runs)


def compare(title, contenders, runs):
    """Time functions in turns and print their rates; ratios are to the first.

    Parameters
    ----------
    contenders : dict of str to (function, number of pixels it treats)
    """
    seconds = {name: [] for name in contenders}
    for turn in range(runs + 1):
        for name, (function, _) in contenders.items():
            start = time.thread_time()
            function()
            if turn > 0:  # The first turn compiles and warms up.
                seconds[name].append(time.thread_time() - start)
    rates = {name: pixels / np.median(seconds[name]) for name, (_, pixels) in contenders.items()}
    reference = next(iter(rates.values()))
    for name, rate in rates.items():
        print(f"{title + ', ' + name:46}{rate:14,.0f}{rate / reference:9.2f}")


def benchmark_gapfilling(n_dates, n_pixels, runs):
    rng = np.random.default_rng(0)
    days = np.sort(rng.choice(365, n_dates, replace=False))
    series = rng.integers(0, 10_000, (n_dates, N_BANDS, n_pixels)).astype(np.int16)
    clear = rng.random((n_dates, n_pixels)) < 0.5
    features = np.empty((n_pixels, N_TARGETS * N_BANDS), np.int16)
    few = n_pixels // 20
    compare(
        f"{n_dates} dates",
        {
            "vectorised NumPy": (lambda: fill_with_numpy(series, clear, days, features), n_pixels),
            "np.interp": (lambda: fill_with_interp(series, clear, days, features[:few]), few),
            "fill_gaps": (lambda: fill_gaps(series, clear, days, TARGETS, features), n_pixels),
        },
        runs,
    )


def fill_with_numpy(series, clear, days, out, block=2048):
    """Gap-filling as whole-array operations, by blocks that fit the cache."""
    n_dates, n_bands, n_pixels = series.shape
    for start in range(0, n_pixels, block):
        values = series[:, :, start : start + block]
        use = clear[:, start : start + block]
        rows = np.arange(n_dates)[:, None]
        before = np.maximum.accumulate(np.where(use, rows, -1), axis=0)
        after = np.minimum.accumulate(np.where(use, rows, n_dates)[::-1], axis=0)[::-1]
        filled = out[start : start + block].reshape(-1, TARGETS.size, n_bands)
        for number, target in enumerate(TARGETS):
            row = np.searchsorted(days, target, side="right")
            first = before[row - 1] if row > 0 else np.full(use.shape[1], -1)
            last = after[row] if row < n_dates else np.full(use.shape[1], n_dates)
            first, last = np.where(first < 0, last, first), np.where(last == n_dates, first, last)
            last = last.clip(0, n_dates - 1)
            first = first.clip(0, n_dates - 1)
            span = days[last] - days[first]
            weight = np.where(span > 0, (target - days[first]) / np.maximum(span, 1), 0.0)
            low = np.take_along_axis(values, first[None, None], axis=0)[0].astype(np.float32)
            high = np.take_along_axis(values, last[None, None], axis=0)[0]
            filled[:, number] = np.rint(low + (high - low) * weight.astype(np.float32)).T


def fill_with_interp(series, clear, days, out):
    """Gap-filling by one call of numpy.interp a pixel and band."""
    for pixel in range(len(out)):
        use = clear[:, pixel]
        known = days[use]
        for band in range(series.shape[1]):
            filled = np.interp(TARGETS, known, series[use, band, pixel])
            out[pixel, band :: series.shape[1]] = np.rint(filled)


def benchmark_forest(n_pixels, runs):
    forest = fitted_forest()
    features, _ = temporal_pixels(n_pixels, seed=5)
    few = features[: max(n_pixels // 4, 1)]
    packed = pack_forest(forest, np.int16)
    print(
        f"forest: {packed.n_trees} trees, "
        f"{np.mean([tree.get_n_leaves() for tree in forest.estimators_]):.0f} leaves a tree, "
        f"{packed.nbytes / 1e6:.1f} MB packed"
    )
    np.testing.assert_array_equal(forest.predict_proba(few), packed.predict_proba(few))
    compare(
        "forest",
        {
            "scikit-learn predict_proba": (lambda: forest.predict_proba(few), len(few)),
            "PackedForest.predict_proba": (lambda: packed.predict_proba(features), n_pixels),
        },
        runs,
    )


def fitted_forest():
    """A forest of 100 trees on 60 000 samples, fitted once and kept in the temporary folder."""
    user = getattr(os, "getuid", lambda: 0)()
    folder = Path(tempfile.gettempdir()) / f"iota2_benchmarks_{user}"
    path = folder / f"forest_sklearn_{sklearn.__version__}.pickle"
    if not path.exists():
        features, labels = temporal_pixels(60_000, seed=0)
        rng = np.random.default_rng(1)
        wrong = rng.random(labels.size) < 0.05
        labels[wrong] = rng.integers(0, N_CLASSES, wrong.sum())
        forest = RandomForestClassifier(100, n_jobs=-1, random_state=0).fit(features, labels)
        folder.mkdir(mode=0o700, exist_ok=True)
        path.write_bytes(pickle.dumps(forest))
    return pickle.loads(path.read_bytes()).set_params(n_jobs=1)


def temporal_pixels(n_pixels, seed):
    """Pixels of classes that differ by level, amplitude, date and length of their season.

    Returns
    -------
    ndarray of int16, shape (n_pixels, N_TARGETS * N_BANDS)
        Reflectance x 10000, dates outermost.
    ndarray of int, shape (n_pixels,)
        Class index.
    """
    season = np.random.default_rng(1)
    level = 1500 + season.normal(0, 480, (N_CLASSES, N_BANDS, 1))
    amplitude = 1000 + season.normal(0, 480, (N_CLASSES, N_BANDS, 1))
    peak = 0.5 + season.normal(0, 0.12, (N_CLASSES, 1, 1))
    length = 0.2 * np.exp(season.normal(0, 0.24, (N_CLASSES, 1, 1)))
    rng = np.random.default_rng(seed)
    label = rng.integers(0, N_CLASSES, n_pixels)
    time_of_year = np.linspace(0, 1, N_TARGETS) - rng.normal(0, 0.07, (n_pixels, 1, 1))
    green = np.exp(-0.5 * ((time_of_year - peak[label]) / length[label]) ** 2)
    gain = rng.normal(1, 0.3, (n_pixels, N_BANDS, 1))
    values = level[label] + amplitude[label] * gain * green
    values += rng.normal(0, 400, (n_pixels, N_BANDS, 1)) + rng.normal(0, 250, values.shape)
    values = values.round().clip(-1000, 16000).astype(np.int16)
    return values.transpose(0, 2, 1).reshape(n_pixels, -1), label


if __name__ == "__main__":
    main()
