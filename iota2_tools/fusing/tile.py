"""Fusion of the maps of a tile that stand on disk: one pass over windows, for all regions."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from osgeo import gdal

from iota2_tools.fusing.kernels import NO_PROBABILITY
from iota2_tools.fusing.methods import Fused, FusionRules, Known, Sources, fuse
from iota2_tools.geo.grid import Grid, Window, grid_of
from iota2_tools.geo.raster import RasterWriter, create_raster, open_raster, read_window

logger = logging.getLogger(__name__)

WINDOW_MB = 64
"""Memory for what is read of a window; without influence on the result."""
BLOCK = 256


@dataclass(frozen=True)
class RegionMaps:
    """What several sources say of a region of a tile.

    Parameters
    ----------
    classes, confidence : sequence of str
        Rasters of each source.
    known : Known
        Of the sources.
    probabilities : sequence of str
        Rasters of each source, or none.
    """

    classes: Sequence[str]
    confidence: Sequence[str]
    known: Known
    probabilities: Sequence[str] = ()

    @cached_property
    def _opened(self) -> dict[str, list[gdal.Dataset]]:
        paths = {
            "classes": self.classes,
            "confidence": self.confidence,
            "probabilities": self.probabilities,
        }
        return {name: [open_raster(path) for path in listed] for name, listed in paths.items()}

    @property
    def pixel_bytes(self) -> int:
        """Of what is read and made of one pixel."""
        bands = 4 * len(self.known.codes) if self.probabilities else 0
        return len(self.classes) * (3 + bands) + 16

    def read(self, window: Window) -> Sources | None:
        """What the sources say of a window; None where none of them has a pixel."""
        files = self._opened
        classes = np.stack([read_window(item, window, 1) for item in files["classes"]])
        if not classes.any():
            return None
        confidence = np.stack([read_window(item, window, 1) for item in files["confidence"]])
        values = [read_window(item, window) for item in files["probabilities"]]
        return Sources(classes, confidence, np.stack(values) if values else None)


def write_fused(
    regions: Sequence[RegionMaps], rules: FusionRules, dtype: str, outputs: Mapping[str, str]
) -> None:
    """Fuse the maps of all regions of a tile.

    Parameters
    ----------
    regions : sequence of RegionMaps
        A pixel has a class in one of them at most.
    rules : FusionRules
        How.
    dtype : {"uint8", "uint16"}
        Type of the fused classes.
    outputs : mapping of str to str
        Rasters to write: `classes`, `confidence` (percent), and if wanted `probabilities` (per
        mille, 65535 where there is no class).
    """
    grid = grid_of(regions[0].classes[0])
    codes = regions[0].known.codes
    choices = np.zeros(256, dtype=np.int64)
    with ExitStack() as files:
        writers = dict(_writers(files, grid, dtype, len(codes), outputs))
        for window in _windows(grid, max(region.pixel_bytes for region in regions)):
            layers = _empty(window, dtype, len(codes) if "probabilities" in outputs else 0)
            for region in regions:
                sources = region.read(window)
                if sources:
                    fused = fuse(sources, region.known, rules)
                    _put(layers, fused)
                    choices += np.bincount(fused.choice.ravel(), minlength=256)
            for name, writer in writers.items():
                writer.write_bands(layers[name], window)
    logger.info(
        "%d pixels fused; all sources agree on %d, %d are left undecided",
        choices[1:].sum(), choices[1], choices[255],
    )  # fmt: skip


def _windows(grid: Grid, pixel_bytes: int) -> Iterator[Window]:
    """Windows of whole blocks that keep to the memory."""
    blocks = max(int(WINDOW_MB * 1e6 / pixel_bytes / BLOCK**2), 1)
    return grid.windows(BLOCK, min(blocks * BLOCK, grid.cols))


def _empty(window: Window, dtype: str, classes: int) -> dict[str, np.ndarray]:
    shape = (window.rows, window.cols)
    layers = {"classes": np.zeros(shape, dtype), "confidence": np.zeros(shape, np.uint8)}
    if classes:
        layers["probabilities"] = np.full((classes, *shape), NO_PROBABILITY, np.uint16)
    return layers


def _put(layers: Mapping[str, np.ndarray], fused: Fused) -> None:
    """Put the pixels of a region to their places."""
    inside = fused.choice > 0
    for name, values in layers.items():
        np.copyto(values, getattr(fused, name), where=inside, casting="unsafe")  # codes fit the map


def _writers(
    files: ExitStack, grid: Grid, dtype: str, classes: int, outputs: Mapping[str, str]
) -> Iterator[tuple[str, RasterWriter]]:
    kinds = {
        "classes": (dtype, 1, 0, {"MEANING": "class code, 0 no data"}),
        "confidence": ("uint8", 1, 0, {"UNITS": "percent"}),
        "probabilities": ("uint16", classes, NO_PROBABILITY, {"UNITS": "per mille"}),
    }
    for name, path in outputs.items():
        kind, bands, nodata, tags = kinds[name]
        writer = create_raster(path, grid, kind, bands=bands, nodata=nodata, tags=tags)
        yield name, files.enter_context(writer)
