"""What pixels tell of the images of a tile: damage, no data, one value, another scale, clouds alone.

Headers tell none of this. Some blocks of each file are read, the last among them: a file that was
cut opens, and its first blocks are whole.
"""

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from osgeo import gdal

from iota2_tools.core.errors import InputDataError
from iota2_tools.core.findings import Finding
from iota2_tools.core.remembered import Notebook
from iota2_tools.geo.grid import BLOCK, Grid, Window
from iota2_tools.geo.gridded import ImagePool
from iota2_tools.geo.raster import open_raster, read_window
from iota2_tools.products import Acquisition, Image
from iota2_tools.timeseries.inventory import Inventory
from iota2_tools.timeseries.masks import combine_masks, count_clear
from iota2_tools.timeseries.series import Looks

VERSION = 1
"""Of these looks: raise it when they find something else, so that none is remembered."""
BLOCKS = 16
"""Blocks of an image, and windows of a tile, that are read if they tell enough."""
SAMPLED = 1 << 16
"""Pixels of a block that count for the median."""
OTHER_SCALE = 5
"""Every band of a date so many times brighter or darker than usual: another scale, not weather."""
BANDS_NEEDED = 3
"""Of a date, to tell another scale from snow or haze, which change some bands alone."""
DARKEST, BRIGHTEST = 500, 15_000
"""Median of the brightest band of a land over the year, reflectance x 10000, is between these."""
FEW = 0.05
"""Share of a tile with too few clear dates that is told."""


@dataclass(frozen=True)
class ImageLook:
    """What some blocks of an image told.

    Parameters
    ----------
    fault : str
        Why a block cannot be read; empty if all can.
    empty : bool
        Whether no pixel of the whole image has data.
    constant : bool
        Whether all pixels of the whole image have one value.
    median : float
        Of the values (reflectance x 10000, decibels x 100) of the blocks read; NaN without data.
    """

    fault: str = ""
    empty: bool = False
    constant: bool = False
    median: float = math.nan


def look_at_image(image: Image) -> ImageLook:
    """Read some blocks of an image; all of them while none has told it from an empty one."""
    try:
        dataset = open_raster(image.path)
        return _looked_at(dataset, image)
    except InputDataError as error:
        return ImageLook(fault=str(error))


def _looked_at(dataset: gdal.Dataset, image: Image) -> ImageLook:
    low, high, medians = math.inf, -math.inf, []
    for number, window in enumerate(_blocks(dataset.GetRasterBand(image.band))):
        if number >= BLOCKS and low < high:
            break
        values = read_window(dataset, window, image.band)
        values = values[_has_data(values, image.nodata)]
        if values.size:
            low, high = min(low, float(values.min())), max(high, float(values.max()))
            medians.append(float(np.median(values[:: max(values.size // SAMPLED, 1)])))
    median = statistics.median(medians) if medians else math.nan
    return ImageLook("", low > high, low == high, median * image.scale + image.offset)


def _has_data(values: np.ndarray, nodata: float | None) -> np.ndarray:
    seen = np.isfinite(values)
    return seen if nodata is None else seen & (values != nodata)


def _blocks(band: gdal.Band) -> Iterator[Window]:
    """Blocks of a band: the last, then some at equal distances, then all others."""
    width, height = band.GetBlockSize()
    cols, rows = -(-band.XSize // width), -(-band.YSize // height)
    last = rows * cols - 1
    some = [last, *(last * step // (BLOCKS - 1) for step in range(BLOCKS - 1))]
    for number in dict.fromkeys([*some, *range(last)]):
        row, col = number // cols * height, number % cols * width
        yield Window(row, col, min(height, band.YSize - row), min(width, band.XSize - col))


class _Sky:
    """The masks of a series, looked at window by window."""

    def __init__(self, acquisitions: Sequence[Acquisition], grid: Grid) -> None:
        pool, days = ImagePool(), [item.day for item in acquisitions]
        self._looks = [Looks(item, grid, pool) for item in acquisitions]
        self._same_day = np.array([n > 0 and day == days[n - 1] for n, day in enumerate(days)])
        self._counted = np.array([item.counts for item in acquisitions], dtype=bool)
        self.clear_pixels = np.zeros(len(days))

    def clear_dates(self, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """Clear dates of the pixels of a window, and where it was seen; as the masks of a job."""
        unusable = np.empty((len(self._looks), window.rows, window.cols), dtype=np.uint8)
        unseen = np.empty_like(unusable)
        for look, *out in zip(self._looks, unusable, unseen, strict=True):
            look.read(window, *out)
        self.clear_pixels += (unusable == 0).sum(axis=(1, 2))
        clear, seen = combine_masks(unusable, unseen, self._same_day)
        return count_clear(clear[self._counted]), seen


def clear_shares(
    series: Mapping[str, Sequence[Acquisition]], grid: Grid, least: int
) -> tuple[dict[str, float], float]:
    """How much of a tile is clear on each date, and how much of it too seldom, on some windows.

    Parameters
    ----------
    series : mapping
        Acquisitions of each series, by day.
    least : int
        Clear dates that a pixel should have, over all series.

    Returns
    -------
    shares : dict of str to float
        Of each product, the share of the pixels looked at that its masks and images leave clear.
    seldom : float
        Share of the pixels that every series saw which have fewer than `least` clear dates.
    """
    skies = {name: _Sky(acquisitions, grid) for name, acquisitions in series.items()}
    pixels = seen_pixels = seldom_pixels = 0
    for window in _some_windows(grid):
        dates = np.zeros((window.rows, window.cols), dtype=np.int64)
        seen = np.ones(dates.shape, dtype=bool)
        for sky in skies.values():
            count, own = sky.clear_dates(window)
            dates += count
            seen &= own > 0
        pixels += dates.size
        seen_pixels += int(seen.sum())
        seldom_pixels += int((seen & (dates < least)).sum())
    shares = {
        item.name: float(clear / pixels)
        for name, acquisitions in series.items()
        for item, clear in zip(acquisitions, skies[name].clear_pixels, strict=True)
    }
    return shares, seldom_pixels / max(seen_pixels, 1)


def _some_windows(grid: Grid) -> list[Window]:
    """Windows of a block, at equal distances in the order of rows."""
    every = list(grid.windows(BLOCK, BLOCK))
    step = max(len(every) / BLOCKS, 1)
    return [every[int(number * step)] for number in range(min(BLOCKS, len(every)))]


def examine(
    inventory: Inventory, folders: Mapping[str, str], least: int, notebook: Notebook
) -> Iterator[Finding]:
    """What is wrong or strange about the pixels of a tile.

    Parameters
    ----------
    folders : mapping of str to str
        Where the products of each series lie.
    least : int
        Clear dates that a pixel needs to be learnt and mapped.
    notebook : Notebook
        What was found before, of files of the same size and time.
    """
    whole: dict[str, list[Acquisition]] = {}
    for series, acquisitions in inventory.series.items():
        looks = {item.name: _looks(item, notebook) for item in acquisitions}
        for item in acquisitions:
            yield from _image_findings(item, looks[item.name])
        whole[series] = [
            item
            for item in acquisitions
            if not any(look.fault for look in looks[item.name].values())
        ]
        yield from _scale_findings(folders[series], whole[series], looks)
    yield from _cloud_findings(inventory, whole, folders, least, notebook)


def _looks(item: Acquisition, notebook: Notebook) -> dict[str, ImageLook]:
    """What the images of an acquisition tell, by band."""
    found = {}
    for band, image in item.bands.items():
        told = notebook.read([image.path], str(image), partial(_plain_look, image))
        found[band] = ImageLook(**told)
    return found


def _plain_look(image: Image) -> dict[str, Any]:
    return asdict(look_at_image(image))


def _image_findings(item: Acquisition, looks: Mapping[str, ImageLook]) -> Iterator[Finding]:
    """Images of a date that are damaged, hold nothing, or one value alone."""
    for band, look in looks.items():
        path, where = item.bands[band].path, f"{item.day}, band {band}"
        if look.fault:
            what, _, remedy = look.fault.removeprefix(f"{path}: ").rpartition("; ")
            yield Finding(path, where, what.partition(";")[0], remedy)
        elif look.empty:
            yield Finding(
                path, where, "no pixel has data",
                "fetch that product again, or move its folder away", "warning",
            )  # fmt: skip
        elif look.constant:
            yield Finding(
                path, where, f"every pixel is {look.median:g}",
                "fetch that product again, or move its folder away", "warning",
            )  # fmt: skip


def _scale_findings(
    sensor_folder: str,
    acquisitions: Sequence[Acquisition],
    looks: Mapping[str, Mapping[str, ImageLook]],
) -> Iterator[Finding]:
    """Dates, or a whole series, whose values are of another scale than reflectance x 10000."""
    medians = {
        item.name: {band: look.median for band, look in looks[item.name].items() if look.median > 0}
        for item in acquisitions
        if not any(image.decibel for image in item.bands.values())
    }
    usual = {
        band: statistics.median(values)
        for band in {band for found in medians.values() for band in found}
        if (values := [found[band] for found in medians.values() if band in found])
    }
    if not usual:
        return
    for item in acquisitions:
        ratios = [value / usual[band] for band, value in medians.get(item.name, {}).items()]
        if len(ratios) < BANDS_NEEDED:
            continue
        if min(ratios) > OTHER_SCALE or max(ratios) < 1 / OTHER_SCALE:
            yield Finding(
                f"{sensor_folder}/{item.name}", str(item.day),
                f"all bands are {statistics.median(ratios):.2g} times what they usually are: another scale?",
                "fetch that product again, or move its folder away", "warning",
            )  # fmt: skip
    brightest = max(usual.values())
    if len(usual) >= BANDS_NEEDED and not DARKEST <= brightest <= BRIGHTEST:
        yield Finding(
            sensor_folder, "",
            f"the brightest band is {brightest:.4g} in the median, reflectance x 10000 is some {DARKEST} to "
            f"{BRIGHTEST} over land: another scale?",
            "take the products as they were delivered; if this is deep water, leave it", "warning",
        )  # fmt: skip


def _cloud_findings(
    inventory: Inventory,
    series: Mapping[str, Sequence[Acquisition]],
    folders: Mapping[str, str],
    least: int,
    notebook: Notebook,
) -> Iterator[Finding]:
    """Dates without a clear pixel, and ground that is seldom clear."""
    every = {item.name: (item, name) for name, items in series.items() for item in items}
    if not every:
        return
    files = [path for item, _ in every.values() for path in item.files]
    question = (
        f"{[(name, item.counts) for name, (item, _) in every.items()]} {inventory.grid} {least}"
    )
    shares, seldom = notebook.read(
        files, question, partial(clear_shares, series, inventory.grid, least)
    )
    for own in series:
        cloudy = [str(item.day) for item in series[own] if shares[item.name] == 0]
        if cloudy:
            yield Finding(
                folders[own], ", ".join(cloudy), "no pixel looked at is clear: cloud, shadow or no data everywhere",
                "nothing; moved away, these products would not be read for nothing", "warning",
            )  # fmt: skip
    if seldom > FEW:
        yield Finding(
            f"tile {inventory.tile}", "",
            f"{100 * seldom:.0f} % of the pixels looked at have fewer than {least} clear date(s)",
            "add acquisitions or sensors, or lower sampling.cloud_threshold and "
            "classification.minimum_clear_dates", "warning",
        )  # fmt: skip
