"""Several products of one acquisition: older versions, and parts that complete one another.

A duplicate and a complement look alike by name, so both are told apart by where they saw the
ground.
"""

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from iota2_tools.geo.grid import Window
from iota2_tools.geo.gridded import has_data
from iota2_tools.geo.raster import open_raster, read_window
from iota2_tools.products import Acquisition, Identity

SIDE = 256
"""Pixels looked at along each side of an image."""
DUPLICATE = 0.5
"""An older product is left out if newer ones saw at least this share of what it saw."""


def superseded(
    acquisitions: Sequence[Acquisition], identities: dict[str, Identity]
) -> dict[str, str]:
    """Products that newer ones of the same acquisition replace.

    The newest version counts. An older one stays only if newer ones saw less than `DUPLICATE` of
    what it saw: then both are parts of one acquisition.

    Parameters
    ----------
    acquisitions : sequence of Acquisition
        By day and time; of one acquisition, the newest version first.
    identities : dict of str to Identity
        By name of the product. The masks and the first band of each tell what was seen.

    Returns
    -------
    dict of str to str
        Name of the product that replaces each.
    """
    replaced = {}
    for _, group in groupby(acquisitions, lambda item: identities[item.name].acquisition):
        products = list(group)
        if len(products) == 1:
            continue
        kept = {products[0].name: _seen(products[0])}
        for older in products[1:]:
            seen = _seen(older)
            common = {name: np.sum(seen & other) for name, other in kept.items()}
            if not seen.any() or np.sum(seen & _any(kept)) >= DUPLICATE * seen.sum():
                replaced[older.name] = max(common, key=lambda name: common[name])
            else:
                kept[older.name] = seen
    return replaced


def _any(seen: dict[str, np.ndarray]) -> np.ndarray:
    return np.any(list(seen.values()), axis=0)


def _seen(acquisition: Acquisition) -> np.ndarray:
    """Where an acquisition saw the ground, on pixels at equal distances."""
    image = next(iter(acquisition.bands.values()))
    seen = has_data(_sampled(image.path, image.band), image.nodata)
    for mask in acquisition.masks:
        seen &= ~mask.unseen.found(_sampled(mask.path, mask.band))
    return seen


def _sampled(path: str, band: int) -> np.ndarray:
    """Pixels of a band at `SIDE` x `SIDE` places."""
    dataset = open_raster(path)
    rows = np.arange(SIDE) * dataset.RasterYSize // SIDE
    cols = np.arange(SIDE) * dataset.RasterXSize // SIDE
    lines = [
        read_window(dataset, Window(int(row), 0, 1, dataset.RasterXSize), band)[0, cols]
        for row in rows
    ]
    return np.array(lines)
