"""How far a map is right, against a raster of the true classes or by its own scores."""

from pathlib import Path

import numpy as np
import pandas as pd
from conftest import Workflow
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


def scores_of(workflow: Workflow) -> str:
    """The scores of a production, and only what they need: the maps, no pictures of them."""
    return str(workflow.results / "final" / "scores.csv")


def overall_accuracy(workflow: Workflow) -> float:
    scores = pd.read_csv(scores_of(workflow))
    return scores[scores["score"] == "overall_accuracy"]["value"].mean()
