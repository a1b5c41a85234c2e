"""Clear-sky masks: where each acquisition is usable, what was seen, and how often."""

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from iota2_tools.core.buffers import Buffer
from iota2_tools.geo.grid import BLOCK, Grid, Window, strip_shape, window_shape
from iota2_tools.geo.gridded import ImagePool
from iota2_tools.geo.raster import create_raster, open_raster, read_window
from iota2_tools.timeseries.inventory import read_inventory
from iota2_tools.timeseries.series import Looks
from iota2_tools.timeseries.user_rasters import seen_by_all, user_bands

logger = logging.getLogger(__name__)

WINDOW_MB = 200


def combine_masks(
    unusable: np.ndarray, unseen: np.ndarray, same_day: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Clear-sky masks and footprint of a window.

    Products of one day are merged here: a pixel is clear in the first of them that is clear
    there, in their order, and in no other.

    Parameters
    ----------
    unusable : ndarray of uint8, shape (n_acquisitions, ...)
        Sum of the masks; 0 where usable.
    unseen : ndarray of uint8, shape (n_acquisitions, ...)
        0 where seen.
    same_day : ndarray of bool, shape (n_acquisitions,)
        True where an acquisition is of the day of the one before it.

    Returns
    -------
    clear : ndarray of uint8, shape (n_acquisitions, ...)
        1 where usable.
    footprint : ndarray of uint8, shape (...)
        1 where seen at least once.
    """
    clear = (unusable == 0).astype(np.uint8)
    taken = np.zeros_like(clear[0])
    for number in range(len(clear)):
        if not same_day[number]:
            taken[...] = 0
        clear[number] &= 1 - taken
        taken |= clear[number]
    return clear, (unseen == 0).any(axis=0).astype(np.uint8)


def write_clear_masks(
    inventory: str, series: str, masks: str, footprint: str, threads: int = 1
) -> None:
    """Write the clear-sky masks of a series over a tile, and its footprint.

    An acquisition is clear at a pixel where no mask of it says otherwise, and where each of its
    bands that are read has data: masks do not tell of lost packets, nor of the edges of a band.

    Parameters
    ----------
    inventory : str
        Of the tile (`inventory.write_inventory`).
    masks : str
        Raster to write: one 1-bit band an acquisition, 1 where clear, named by day and product. Tags
        of each band, of the acquisition by itself: `SEEN_PIXELS`, and of these `CLEAR_PIXELS`.
    footprint : str
        Raster to write: 1 where at least one acquisition saw the ground.
    """
    stock = read_inventory(inventory)
    acquisitions, grid = stock.series[series], stock.grid
    pool_of_images = ImagePool()
    looks = [Looks(item, grid, pool_of_images) for item in acquisitions]
    days = [item.day for item in acquisitions]
    same_day = np.array([number > 0 and day == days[number - 1] for number, day in enumerate(days)])
    names = tuple(f"{item.day:%Y%m%d} {item.name}" for item in acquisitions)
    logger.info(
        "%s: %d acquisitions, %d merged into another of their day",
        stock.tile,
        len(days),
        same_day.sum(),
    )
    rows, cols = _window_shape(grid, looks)
    with (
        ThreadPoolExecutor(threads) as pool,
        create_raster(
            masks, grid, "uint8", bands=len(names), descriptions=names, options=("NBITS=1",),
            tags={"MEANING": "1 clear, 0 cloud, shadow, saturated, not seen or taken from another product of the day"},
        ) as clear_file,
        create_raster(footprint, grid, "uint8", options=("NBITS=1",)) as footprint_file,
    ):  # fmt: skip
        counted, memory = np.zeros((len(names), 2), dtype=np.int64), Buffer()
        for window in grid.windows(rows, cols):
            clear, seen, found = _masks_of(window, looks, same_day, pool, memory)
            clear_file.write_bands(clear, window)
            footprint_file.write(seen, window)
            counted += found
        for number, (seen_pixels, clear_pixels) in enumerate(counted.tolist(), start=1):
            clear_file.dataset.GetRasterBand(number).SetMetadata(
                {"SEEN_PIXELS": str(seen_pixels), "CLEAR_PIXELS": str(clear_pixels)}
            )


def _masks_of(
    window: Window,
    looks: Sequence[Looks],
    same_day: np.ndarray,
    pool: ThreadPoolExecutor,
    memory: Buffer,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Clear-sky masks and footprint of a window (`combine_masks`), and of each acquisition by itself how
    many pixels are seen, and clear: int64, shape (n_acquisitions, 2)."""
    unusable, unseen = memory.array((2, len(looks), window.rows, window.cols), np.uint8)
    list(pool.map(lambda look, *out: look.read(window, *out), looks, unusable, unseen))
    counted = [
        (np.count_nonzero(never == 0), np.count_nonzero(masked == 0))
        for never, masked in zip(unseen, unusable, strict=True)
    ]
    return *combine_masks(unusable, unseen, same_day), np.array(counted, dtype=np.int64)


def _window_shape(grid: Grid, looks: Sequence[Looks]) -> tuple[int, int]:
    """Rows and columns of windows whose masks stay within the budget."""
    if 2 * sum(look.in_strips for look in looks) > len(looks):
        return strip_shape(grid, 3 * len(looks), WINDOW_MB)
    # Two rows of blocks, so that those of 20 m bands are decoded once.
    return window_shape(grid, 3 * len(looks), WINDOW_MB, block=2 * BLOCK)


def count_clear(clear: np.ndarray) -> np.ndarray:
    """Number of clear acquisitions of each pixel, uint16.

    >>> count_clear(np.ones((300, 1), dtype=np.uint8)).tolist()
    [300]
    """
    return clear.sum(axis=0, dtype=np.uint16)


def write_validity(
    inventory: str,
    masks: list[str],
    footprints: list[str],
    validity: str,
    footprint: str,
    least: Mapping[str, int] | None = None,
) -> None:
    """Write the number of clear dates over all series, and the common footprint.

    Parameters
    ----------
    masks, footprints : list of str
        Those of each series, in the order of the inventory; none where a production rests on user
        features alone.
    validity : str
        Raster to write: uint16, number of clear dates of the period, 0 outside the common
        footprint. Of several series together in the first band, then of each.
    footprint : str
        Raster to write: 1 where every series saw the ground often enough, and every raster of the
        user that shall leave pixels out has data.
    least : mapping of str to int, optional
        Fewest clear dates of a series; pixels with fewer are outside the footprint.
    """
    stock = read_inventory(inventory)
    grid, wanted = stock.grid, least or {}
    mask_files = [open_raster(path) for path in masks]
    footprint_files = [open_raster(path) for path in footprints]
    counted = [
        np.array([item.counts for item in acquisitions], dtype=bool)
        for acquisitions in stock.series.values()
    ]
    user = [band for band in user_bands(stock.user_features, grid)[0] if band.leaves_out]
    bands = sum(dataset.RasterCount for dataset in mask_files)
    rows, cols = window_shape(grid, 3 * bands + 2 * len(counted) + 8, WINDOW_MB)
    names = ("all", *stock.series) if len(counted) > 1 else ("all",)
    with (
        create_raster(
            validity, grid, "uint16", bands=len(names), descriptions=names,
            tags={"UNITS": "clear dates"},
        ) as validity_file,
        create_raster(footprint, grid, "uint8", options=("NBITS=1",)) as footprint_file,
    ):  # fmt: skip
        for window in grid.windows(rows, cols):
            seen = np.ones((window.rows, window.cols), dtype=np.uint8)
            for dataset in footprint_files:
                seen &= read_window(dataset, window, 1)
            seen &= seen_by_all(user, window)
            dates = [np.zeros(seen.shape, dtype=np.uint16)]
            for series, dataset, counts in zip(stock.series, mask_files, counted, strict=True):
                dates.append(count_clear(read_window(dataset, window)[counts]))
                seen &= dates[-1] >= wanted.get(series, 0)
            dates[0] = np.sum(dates, axis=0, dtype=np.uint16)
            validity_file.write_bands(np.stack(dates[: len(names)]) * seen, window)
            footprint_file.write(seen, window)
