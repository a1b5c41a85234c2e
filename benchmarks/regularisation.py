"""The regularisation of a noisy map: this chain's rules against gdal.SieveFilter, in one run.

A synthetic map of 20 classes in 5 groups: parcels of three sizes, narrow roads, a river, 2 to 20 % of
noise by parcel, 35 % at their edges, a wedge without data. Each way works on the same map and does
all passes: 2 pixels within groups, then 10 pixels over all classes, 8- then 4-connected.
GDAL needs one masked raster a group. Each is a process of its own; kernels are compiled before.
CPU seconds of the passes alone, peak memory of the whole process.

Usage: python benchmarks/regularisation.py [--sizes 2745 5490] [--rounds 1]
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import numpy as np
from numba import njit

from iota2_tools.vectors.sieve import _join, _number

CLASSES, GROUPS = 20, 5
GROUP_OF = np.array([0, *(1 + (code - 1) * GROUPS // CLASSES for code in range(1, CLASSES + 1))])
UNIT, SMALLEST = 10, 2


@njit
def _hash(a, b, c):
    value = np.uint64(a * 73856093) ^ np.uint64(b * 19349663) ^ np.uint64(c * 83492791)
    value = (value ^ (value >> np.uint64(15))) * np.uint64(0x2C1B3C6D)
    value = (value ^ (value >> np.uint64(12))) * np.uint64(0x297A2D39)
    return np.float64((value ^ (value >> np.uint64(15))) % np.uint64(1 << 24)) / (1 << 24)


@njit
def synthetic_map(size, seed):
    """A class map of `size` x `size` pixels, uint8; 0: no data."""
    out = np.zeros((size, size), dtype=np.uint8)
    for row in range(size):
        for col in range(size):
            if col < 0.06 * (size - row):
                continue
            y = row + 4 * np.sin(col / 17.0) + 9 * np.sin(col / 71.0 + row / 90.0)
            x = col + 4 * np.sin(row / 19.0) + 9 * np.sin(row / 83.0 + col / 110.0)
            scale = (12, 26, 52)[int(3 * _hash(int(y // 208), int(x // 208), seed))]
            first, second, cell_row, cell_col = 1e9, 1e9, 0, 0
            for i in range(int(y // scale) - 1, int(y // scale) + 2):
                for j in range(int(x // scale) - 1, int(x // scale) + 2):
                    to_y = (i + _hash(i, j, seed + 1)) * scale - y
                    to_x = (j + _hash(i, j, seed + 2)) * scale - x
                    distance = np.sqrt(to_y * to_y + to_x * to_x)
                    if distance < first:
                        second, first, cell_row, cell_col = first, distance, i, j
                    elif distance < second:
                        second = distance
            code = 1 + int(CLASSES * _hash(cell_row, cell_col, seed + 3 + scale))
            noise = 0.02 + 0.18 * _hash(cell_row, cell_col, seed + 4)
            edge = second - first < 1.5
            if edge and _hash(cell_row // 4, cell_col // 4, seed + 5) < 0.3:
                code = CLASSES
            if abs(y - size / 2 - size / 10 * np.sin(x / 300.0)) < 4:
                code = 1
            if _hash(row, col, seed + 6) < (0.35 if edge else noise):
                if _hash(row, col, seed + 7) < 0.6:
                    inside = CLASSES // GROUPS
                    group = (code - 1) // inside
                    code = 1 + group * inside + int(inside * _hash(row, col, seed + 8))
                else:
                    code = 1 + int(CLASSES * _hash(row, col, seed + 9))
            out[row, col] = code
    return out


HEAD = """
import json, sys, time
import numpy as np
from iota2_tools.core.platform import peak_memory_mb
classes = np.load(sys.argv[1])
groups = np.array(json.loads(sys.argv[2]), dtype=np.uint16)
smallest, unit, cap = map(int, sys.argv[3:6])
"""
OURS = """
from iota2_tools.vectors.sieve import Sieve, sieve
def passes(classes):
    table = np.zeros(65536, dtype=np.uint16)
    table[:len(groups)] = groups
    buffer = np.empty(classes.size, dtype=np.int32)
    for connectivity in (8, 4):
        sieve(classes, Sieve(smallest, cap), connectivity, table, buffer)
    for connectivity in (8, 4):
        sieve(classes, Sieve(unit, cap), connectivity, None, buffer)
    return classes
passes(classes[:64, :64].copy())
"""
GDAL = """
from osgeo import gdal
gdal.UseExceptions()
def band(values):
    image = gdal.GetDriverByName("MEM").Create("", *values.shape[::-1], 1, gdal.GDT_Byte)
    image.GetRasterBand(1).WriteArray(values)
    return image
def sieved(values, threshold):
    image, mask = band(values), band((values > 0).astype(np.uint8))
    for connectivity in (8, 4):
        gdal.SieveFilter(image.GetRasterBand(1), mask.GetRasterBand(1), image.GetRasterBand(1),
                         threshold, connectivity)
    return image.ReadAsArray()
def passes(classes):
    total = np.zeros_like(classes)
    for group in range(1, groups.max() + 1):
        total += sieved(np.where(groups[classes] == group, classes, 0).astype(np.uint8), smallest)
    return sieved(total, unit)
"""
TAIL = """
start = time.process_time()
result = passes(classes)
used = time.process_time() - start
np.save(sys.argv[6], result)
print(json.dumps([used, peak_memory_mb()]))
"""
WAYS = {
    "gdal.SieveFilter": (GDAL, 0),
    "this chain, rule gdal": (OURS, 0),
    "this chain, rule capped": (OURS, 64),
}


def timed(program: str, cap: int, source: str, output: str) -> tuple[float, float]:
    """CPU seconds of the passes, and peak memory, MB."""
    given = [source, json.dumps(GROUP_OF.tolist()), SMALLEST, UNIT, cap, output]
    done = subprocess.run(
        [sys.executable, "-c", HEAD + program + TAIL, *map(str, given)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    cpu, peak = json.loads(done.stdout.splitlines()[-1])
    return cpu, peak


def components(classes: np.ndarray) -> tuple[int, int]:
    """4-connected components of a map, and those below the unit."""
    labels = np.empty(classes.shape, dtype=np.int32)
    _join(classes, False, labels)
    sizes, _ = _number(classes, labels)
    return len(sizes), int((sizes < UNIT).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[2745, 5490])
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    for size in given.sizes:
        with tempfile.TemporaryDirectory() as folder:
            source = str(Path(folder, "map.npy"))
            classes = synthetic_map(size, 1)
            np.save(source, classes)
            print(f"{size} x {size} pixels, {components(classes)[0]:,} components")
            print(
                f"{'way':<28}{'CPU s':>8}{'peak MB':>9}{'components':>12}{'below unit':>12}  pixels unlike GDAL"
            )
            results = {}
            for way, (program, cap) in WAYS.items():
                output = str(Path(folder, "out.npy"))
                runs = [timed(program, cap, source, output) for _ in range(given.rounds)]
                results[way] = np.load(output)
                left, below = components(results[way])
                unlike = int((results[way] != results["gdal.SieveFilter"]).sum())
                print(
                    f"{way:<28}{median(cpu for cpu, _ in runs):>8.2f}{max(mb for _, mb in runs):>9.0f}"
                    f"{left:>12,}{below:>12,}{unlike:>12,}"
                )


if __name__ == "__main__":
    main()
