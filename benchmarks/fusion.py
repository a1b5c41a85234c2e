"""Fusion of classifications: pixels a CPU second of each method, on arrays and from files.

python benchmarks/fusion.py [--size 4096]
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from iota2_tools import otb
from iota2_tools.fusing.masses import masses_of
from iota2_tools.fusing.methods import FusionRules, Known, Sources, fuse
from iota2_tools.fusing.tile import RegionMaps, write_fused
from iota2_tools.geo.grid import Grid, Window
from iota2_tools.geo.raster import create_raster

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


def windows_of(given: Sources) -> Iterator[Sources]:
    """Windows of 256 rows, as the job reads them."""
    for row in range(0, given.classes.shape[1], 256):
        rows = np.s_[..., row : row + 256, :]
        values = None if given.probabilities is None else given.probabilities[rows]
        yield Sources(given.classes[rows], given.confidence[rows], values)


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
            parts = list(windows_of(given))
            seconds = cpu_of(lambda p=parts, k=about, r=rules: [fuse(item, k, r) for item in p])
            print(f"{method:<18}{count:>8}{given.classes[0].size / seconds / 1e6:>14.1f}")


def on_files(side: int) -> None:
    """Three maps of a tile, read, fused and written: this chain and Orfeo ToolBox."""
    given = sources(3, (side, side))
    grid = Grid("EPSG:32631", 300000, 4900020, 10, side, side)
    with tempfile.TemporaryDirectory() as folder:
        layers: dict[str, list[str]] = {"classes": [], "confidence": []}
        for layer, paths in layers.items():
            for number, values in enumerate(getattr(given, layer)):
                paths.append(f"{folder}/{layer}_{number}.tif")
                with create_raster(paths[-1], grid, "uint8", nodata=0) as raster:
                    raster.write(values, Window(0, 0, side, side))
        maps = RegionMaps(layers["classes"], layers["confidence"], known(3))
        out = {name: f"{folder}/{name}.tif" for name in layers}
        for method in ("majority", "dempster_shafer"):
            seconds = cpu_of(lambda m=method: write_fused([maps], FusionRules(m), "uint8", out), 2)
            print(f"{method + ', this chain':<36}{side**2 / seconds / 1e6:>8.1f}")
        for method in ("majorityvoting", "dempstershafer"):
            seconds = cpu_of(lambda m=method: by_otb(m, layers["classes"], folder), 2)
            print(f"{method + ', OTB (classes alone)':<36}{side**2 / seconds / 1e6:>8.1f}")


def by_otb(method: str, paths: list[str], folder: str) -> None:
    """The same by FusionOfClassifications."""
    given = {"il": paths, "out": f"{folder}/otb.tif?&gdal:co:COMPRESS=ZSTD", "nodatalabel": 0}
    given |= {"undecidedlabel": 255, "method": method}
    if method == "dempstershafer":
        names = ",".join(map(str, CODES))
        text = f"#Reference labels (rows):{names}\n#Produced labels (columns):{names}\n"
        rows = (np.diag([90] * 20) + 1).tolist()
        text += "\n".join(",".join(map(str, row)) for row in rows) + "\n"
        files = [Path(folder, f"{number}.csv") for number in range(len(paths))]
        for file in files:
            file.write_text(text, encoding="utf-8")
        given["method.dempstershafer.cmfl"] = [str(file) for file in files]
    otb.run("FusionOfClassifications", given)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=4096)
    size = parser.parse_args().size
    on_arrays(size)
    print("\nthree maps on disk, read, fused, written      Mpx / CPU s")
    on_files(size)


if __name__ == "__main__":
    main()
