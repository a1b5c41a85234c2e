"""Smoothing of the probabilities of a whole tile, beside one of 2048²: CPU seconds and peak memory.

Probabilities of 20 classes as a forest of 100 trees gives them: fields of 24 pixels, a fifth of the
votes for others. A pattern of 1024² is repeated over the tile. One job with its start, one thread.

Usage: python benchmarks/smoothing.py [--sizes 2048 10980]
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from iota2_tools.geo.grid import Grid, Window
from iota2_tools.geo.raster import create_raster

CLASSES, TREES, SIDE, FIELD = 20, 100, 1024, 24
JOB = """
import sys
from iota2_tools.classifying.markov import Field
from iota2_tools.classifying.smoothing import DrawFiles, smooth_tile
folder = sys.argv[1]
files = DrawFiles([f"{folder}/probabilities.tif"], [], f"{folder}/classes.tif", f"{folder}/confidence.tif")
smooth_tile([files], list(range(1, 21)), "uint8", Field(0.3, 5), 1)
"""


def pattern() -> np.ndarray:
    """Per mille of each class, shape (classes, SIDE, SIDE)."""
    random = np.random.default_rng(0)
    fields = random.integers(0, CLASSES, (SIDE // FIELD + 1, SIDE // FIELD + 1))
    truth = np.kron(fields, np.ones((FIELD, FIELD), np.int64))[:SIDE, :SIDE].ravel()
    right = random.binomial(TREES, 0.8, truth.size)
    votes = random.multinomial(TREES - right, np.full(CLASSES, 1 / CLASSES)).T
    votes[truth, np.arange(truth.size)] += right
    return (votes * (1000 // TREES)).astype(np.uint16).reshape(CLASSES, SIDE, SIDE)


def write_probabilities(path: str, size: int) -> None:
    """The pattern, repeated over a tile."""
    grid = Grid("EPSG:32631", 300_000.0, 4_900_020.0, 10.0, size, size)
    values = pattern()
    with create_raster(path, grid, "uint16", bands=CLASSES, nodata=65535) as raster:
        for window in grid.windows(SIDE, SIDE):
            part = np.ascontiguousarray(values[:, : window.rows, : window.cols])
            raster.write_bands(part, Window(*window))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[2048, 10980])
    print(f"{'pixels':>8}{'CPU s':>9}{'peak MB':>10}")
    for size in parser.parse_args().sizes:
        with tempfile.TemporaryDirectory() as folder:
            write_probabilities(str(Path(folder, "probabilities.tif")), size)
            process = subprocess.Popen([sys.executable, "-c", JOB, folder])
            _, status, used = os.wait4(process.pid, 0)
            if os.waitstatus_to_exitcode(status):
                raise SystemExit("the job failed")
            print(f"{size:>7}²{used.ru_utime + used.ru_stime:>9.1f}{used.ru_maxrss / 1024:>10.0f}")


if __name__ == "__main__":
    main()
