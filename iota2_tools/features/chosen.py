"""Some features of a tile as rasters: the pieces of the feature maps."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from iota2_tools.features.stack import FeatureStack, WindowFeatures
from iota2_tools.geo.grid import Window
from iota2_tools.geo.raster import create_raster, open_raster, read_window

NODATA = {"int16": -32768.0, "float32": float("nan")}
"""Of a piece, by its type; the layer `maps.layers.FEATURE` has the same."""


@dataclass(frozen=True)
class Choice:
    """Which features are written, and what has to be read for them.

    Parameters
    ----------
    names : sequence of str
        Features, one band each.
    dtype : {"int16", "float32"}
        The same for all tiles.
    settings : mapping
        Of the series they come from, reduced to them (`plan.reduced_settings`).
    words : sequence of str
        Rasters of the user that they come from.
    external : sequence of mapping
        Functions of the user (`external.ExternalFunction`), if some come from them.
    """

    names: Sequence[str]
    dtype: str
    settings: Mapping[str, dict[str, Any]]
    words: Sequence[str]
    external: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class TileRasters:
    """What a tile has, by path: its inventory, masks of each series, regions, footprint."""

    inventory: str
    masks: Mapping[str, str]
    regions: str
    footprint: str


def write_chosen(
    tile: TileRasters, choice: Choice, budget_mb: float, threads: int, output: str
) -> None:
    """Write chosen features where a tile is mapped: in its envelope, and where it was seen.

    A feature of a series has no data where no acquisition of it was ever clear; one that the tile
    does not have has none anywhere.

    Parameters
    ----------
    budget_mb : float
        Memory for the images of one window, MB.
    output : str
        GeoTIFF to write, a band a feature, of `Choice.dtype`; nodata as `NODATA`.
    """
    masks = {series: tile.masks[series] for series in choice.settings if series in tile.masks}
    settings = {series: choice.settings[series] for series in masks}
    stack = FeatureStack(tile.inventory, settings, masks, choice.external, words=choice.words)
    computed = np.dtype(stack.dtype).itemsize * len(stack.names) + 4 * len(choice.names)
    share = stack.bytes_per_pixel / (stack.bytes_per_pixel + 2 * computed)
    mapped = [open_raster(path) for path in (tile.regions, tile.footprint)]
    with (
        ThreadPoolExecutor(threads) as pool,
        create_raster(
            output, stack.grid, choice.dtype, bands=len(choice.names), nodata=NODATA[choice.dtype],
            descriptions=tuple(choice.names),
        ) as raster,
    ):  # fmt: skip
        for window in stack.windows(budget_mb * share):
            kept = np.logical_and(*(read_window(item, window, 1) > 0 for item in mapped))
            values = _chosen(stack, stack.read(window, pool), choice)
            values[:, ~kept] = NODATA[choice.dtype]
            raster.write_bands(values, window)


def _chosen(stack: FeatureStack, images: WindowFeatures, choice: Choice) -> np.ndarray:
    """Chosen features of a window, shape (n_features, rows, cols)."""
    window: Window = images.window
    shape = (window.rows, window.cols)
    out = np.full((len(choice.names), *shape), NODATA[choice.dtype], dtype=choice.dtype)
    values = images.of(np.arange(window.size, dtype=np.int64))
    columns = {name: column for column, name in enumerate(stack.names)}
    never = {
        name: ~clear.reshape(shape)
        for plan, clear in zip(stack.series, images.ever_clear(), strict=True)
        for name in plan.names
    }
    for band, name in enumerate(choice.names):
        if name in columns:
            out[band] = values[:, columns[name]].reshape(shape)
        if name in never:
            out[band][never[name]] = NODATA[choice.dtype]
    return out
