"""How far a map is right, against a raster of the true classes."""

from pathlib import Path

import numpy as np
from osgeo import gdal

gdal.UseExceptions()


def agreement(classes: Path, truth: Path) -> tuple[float, float]:
    """Share of right pixels among those mapped, and share mapped, at the pixels of the truth."""
    true = gdal.Open(str(truth))
    left, size, _, top, _, _ = true.GetGeoTransform()
    right, bottom = left + size * true.RasterXSize, top - size * true.RasterYSize
    mapped = gdal.Warp(
        "", str(classes), format="MEM", dstSRS=true.GetProjection(), outputBounds=(left, bottom, right, top),
        width=true.RasterXSize, height=true.RasterYSize, resampleAlg="near",
    ).ReadAsArray()  # fmt: skip
    right_pixels = mapped == true.ReadAsArray()
    return float(right_pixels[mapped > 0].mean()), float(np.mean(mapped > 0))
