"""Whether the final maps of several roads of installation hold the same pixels.

Usage: python tests/setup/same_pixels.py FOLDER FOLDER...     (folders `final` of the same production)

Compared are names, grids and pixels of all rasters, and the accuracy. Not their bytes: another GDAL
compresses in another way.
"""

import sys
from pathlib import Path

import numpy as np
from osgeo import gdal

gdal.UseExceptions()


def raster(path: Path) -> tuple[str, np.ndarray]:
    """What a raster is beside its pixels (shape, type, corner, bands, nodata), and its pixels."""
    dataset = gdal.Open(str(path))
    names = [
        (band.GetDescription(), band.GetNoDataValue())
        for band in map(dataset.GetRasterBand, range(1, dataset.RasterCount + 1))
    ]
    pixels = dataset.ReadAsArray()
    return f"{pixels.shape} {pixels.dtype} {dataset.GetGeoTransform()} {names}", pixels


def differences(first: Path, other: Path) -> list[str]:
    """One line for each thing in which two folders differ."""
    names, others = ({path.name for path in folder.glob("*.tif")} for folder in (first, other))
    found = [f"{name}: only in one of both" for name in sorted(names ^ others)]
    if not names & others:
        found.append("no raster in common")
    for name in sorted(names & others):
        (facts, pixels), (other_facts, other_pixels) = raster(first / name), raster(other / name)
        if facts != other_facts:
            found.append(f"{name}: {facts} against {other_facts}")
        elif not np.array_equal(pixels, other_pixels, equal_nan=pixels.dtype.kind == "f"):
            differ = np.count_nonzero(pixels != other_pixels)
            found.append(f"{name}: {differ} of {pixels.size} values differ")
    tables = ("scores.csv", "Areas_Seed_*.csv", "Confusion_Matrix_*.csv")
    for path in sorted(path for pattern in tables for path in first.glob(pattern)):
        twin = other / path.name
        if not twin.exists() or path.read_bytes() != twin.read_bytes():
            found.append(f"{path.name}: another text")
    return found


def main(folders: list[str]) -> int:
    """Compare the first folder with each of the others; 0 where all are the same."""
    if len(folders) < 2:
        print(__doc__)
        return 2
    code = 0
    first = Path(folders[0])
    for name in folders[1:]:
        found = differences(first, Path(name))
        code = 1 if found else code
        print(f"{first} and {name}: {'the same pixels' if not found else ''}")
        print("".join(f"  {line}\n" for line in found), end="")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
