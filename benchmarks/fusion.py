"""Fusion of classifications: pixels a CPU second of each method, on arrays and from files.

python benchmarks/fusion.py [--size 4096]
"""

import argparse
import time

import numpy as np

from iota2_tools.fusing.masses import masses_of
from iota2_tools.fusing.methods import FusionRules, Known, Sources, fuse

CODES = tuple(range(11, 31))


def sources(count: int, shape: tuple[int, int], probabilities: bool = False) -> Sources:
    """Maps that agree at four pixels of five, in patches; 3 % nodata."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, len(CODES), (shape[0] // 16 + 1, shape[1] // 16 + 1))
    truth = np.kron(truth, np.ones((16, 16), np.uint8))[: shape[0], : shape[1]]
    labels = np.array(CODES, np.uint8)[
        np.where(
            rng.random((count, *shape)) < 0.8, truth, rng.integers(0, len(CODES), (count, *shape))
        )
    ]
    labels[:, : int(0.03 * shape[0])] = 0
    confidence = np.where(labels > 0, rng.integers(20, 101, labels.shape), 0).astype(np.uint8)
    values = None
    if probabilities:
        values = rng.integers(0, 100, (count, len(CODES), *shape)).astype(np.uint16)
    return Sources(labels, confidence, values)


def known(count: int) -> Known:
    """Masses from random matrices."""
    rng = np.random.default_rng(1)
    matrices = [
        rng.integers(0, 20, (20, 20)) + np.diag(rng.integers(50, 200, 20)) for _ in range(count)
    ]
    masses = np.array([masses_of(matrix, "precision") for matrix in matrices])
    return Known(CODES, [1000] * count, masses)


def cpu_of(action, repeat: int = 3) -> float:
    """Least CPU seconds of some calls, after one that compiles."""
    action()
    times = []
    for _ in range(repeat):
        start = time.process_time()
        action()
        times.append(time.process_time() - start)
    return min(times)


def on_arrays(side: int) -> None:
    """The methods themselves."""
    print(f"{'method':<18}{'sources':>8}{'Mpx / CPU s':>14}")
    for method in ("majority", "confidence", "dempster_shafer", "mean"):
        for count in (2, 3, 5):
            size = (side, side) if method != "mean" else (side // 4, side // 4)
            given = sources(count, size, method == "mean")
            rules = FusionRules(method)
            about = known(count)
            seconds = cpu_of(lambda g=given, k=about, r=rules: fuse(g, k, r))
            print(f"{method:<18}{count:>8}{given.classes[0].size / seconds / 1e6:>14.1f}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=4096)
    on_arrays(parser.parse_args().size)


if __name__ == "__main__":
    main()
