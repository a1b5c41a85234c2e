"""Inventory of a tile: the acquisitions that will be read, each file looked at once."""

import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from iota2_tools.core.errors import InputDataError, one_message
from iota2_tools.core.files import whole_file
from iota2_tools.geo.grid import Grid, grid_of
from iota2_tools.products import FORMATS, Acquisition, Identity, ProductFormat
from iota2_tools.timeseries.headers import Expected, image_faults
from iota2_tools.timeseries.inputs import Products, TileInputs
from iota2_tools.timeseries.user_rasters import UserImage, look_at_user_raster
from iota2_tools.timeseries.versions import superseded

logger = logging.getLogger(__name__)

THREADS = 4
"""Files whose headers are looked at together: most of the time is the disk's."""


@dataclass(frozen=True)
class Inventory:
    """What is read of a tile.

    Parameters
    ----------
    tile : str
        Its name.
    grid : Grid
        Grid of all its products.
    series : dict of str to list of Acquisition
        Acquisitions of each sensor, by day, time and name.
    user_features : dict of str to UserImage
        The user's raster of each word.
    left_out : dict of str to str
        Products that are not read, and why.
    """

    tile: str
    grid: Grid
    series: dict[str, list[Acquisition]]
    user_features: dict[str, UserImage]
    left_out: dict[str, str]


def take_inventory(inputs: TileInputs, damaged: str) -> Inventory:
    """Look at every file of a tile.

    Parameters
    ----------
    damaged : {"stop", "skip"}
        What a product with a missing, truncated or unfit file does.

    Raises
    ------
    InputDataError
        Listing every file at fault, or if a sensor has no acquisition left.
    """
    series: dict[str, list[Acquisition]] = {}
    left_out: dict[str, str] = {}
    problems: list[str] = []
    for sensor, products in inputs.products.items():
        found = products.acquisitions(sensor)
        faults = _faults(found, FORMATS[sensor], Grid(**products.grid))
        _check_plan(found, faults, FORMATS[sensor], products)
        whole = [item for item in found if item.name not in faults]
        identities = {item.name: _identity(sensor, item.name) for item in whole}
        replaced = superseded(whole, identities, FORMATS[sensor].nodata)
        series[sensor] = [item for item in whole if item.name not in replaced]
        problems += [f"{name}: {reason}" for name, reason in faults.items()]
        left_out |= faults | dict(products.strangers)
        left_out |= {name: f"replaced by {newer}" for name, newer in replaced.items()}
        logger.info("%s %s: %d acquisitions", inputs.tile, sensor, len(series[sensor]))
        if not series[sensor] and damaged == "skip":
            raise InputDataError(
                f"{products.folder}: no acquisition of {sensor} is whole; fetch them again"
            )
    for name, reason in left_out.items():
        logger.warning("%s is left out: %s", name, reason)
    if problems and damaged == "stop":
        raise InputDataError(
            one_message(f"tile {inputs.tile}", problems)
            + "\nFetch those products again, or set `inputs: {damaged_acquisition: skip}` to do without them."
        )
    images = {
        word: look_at_user_raster(item.path, item.interpolation, item.missing, inputs.grid)
        for word, item in inputs.user_features.items()
    }
    return Inventory(inputs.tile, inputs.grid, series, images, left_out)


def _identity(sensor: str, name: str) -> Identity:
    identity = FORMATS[sensor].recognise(name)
    assert identity is not None, name  # the plan has listed what is recognised
    return identity


def _faults(
    acquisitions: Sequence[Acquisition], product_format: ProductFormat, grid: Grid
) -> dict[str, str]:
    """What is wrong with each product that cannot be read as it should, in their order."""
    with ThreadPoolExecutor(THREADS) as pool:
        every = pool.map(lambda item: acquisition_faults(item, product_format, grid), acquisitions)
        return {
            item.name: "; ".join(faults)
            for item, faults in zip(acquisitions, every, strict=True)
            if faults
        }


def acquisition_faults(
    acquisition: Acquisition, product_format: ProductFormat, grid: Grid
) -> list[str]:
    """What is wrong with the files of an acquisition; nothing if all are whole and fit."""
    faults = []
    for band, path in acquisition.bands.items():
        factors = (2, 1) if band in product_format.coarse else (1,)
        image = Expected(
            grid, factors, (product_format.dtype,), f"reflectance / {product_format.scale:g}",
            product_format.scale, product_format.nodata,
        )  # fmt: skip
        faults += image_faults(path, image)
    mask = Expected(grid, (1,), ("Byte",), "codes of a mask")
    for path in acquisition.masks:
        faults += image_faults(path, mask)
    return faults


def _check_plan(
    acquisitions: Sequence[Acquisition],
    faults: Mapping[str, str],
    product_format: ProductFormat,
    products: Products,
) -> None:
    """Raise InputDataError if the grid of the plan is that of few products.

    The plan takes the grid of the first product. If that is the odd one, all others seem to be.
    """
    if len(faults) * 2 < len(acquisitions):
        return
    grids: Counter[Grid] = Counter()
    holders: dict[Grid, list[str]] = {}
    for item in acquisitions:
        for band, path in item.bands.items():
            if band not in product_format.coarse and Path(path).is_file():
                try:
                    grid = grid_of(path)
                except InputDataError:
                    continue
                grids[grid] += 1
                holders.setdefault(grid, []).append(item.name)
                break
    if len(grids) < 2:
        return
    usual, planned = grids.most_common(1)[0][0], Grid(**products.grid)
    odd = [name for grid, names in holders.items() if grid != usual for name in names]
    if usual != planned and grids[usual] > grids[planned]:
        raise InputDataError(
            f"{products.folder}: {len(odd)} product(s) lie on another grid than the other "
            f"{grids[usual]}: {', '.join(odd[:5])}{' …' if len(odd) > 5 else ''}; "
            "fetch them again, or move their folders away"
        )


def write_inventory(inputs: TileInputs, damaged: str, output: str) -> None:
    """Look at every file of a tile and write its inventory.

    Parameters
    ----------
    inputs, damaged
        See `take_inventory`.
    output : str
        JSON file, read back by `read_inventory`.
    """
    inventory = take_inventory(inputs, damaged)
    with whole_file(output) as temporary:
        Path(temporary).write_text(
            json.dumps(asdict(inventory), default=str, indent=1), encoding="utf-8"
        )


def read_inventory(path: str) -> Inventory:
    """Read what `write_inventory` wrote."""
    stored = json.loads(Path(path).read_text(encoding="utf-8"))
    series = {
        sensor: [
            Acquisition(
                item["name"],
                date.fromisoformat(item["day"]),
                item["bands"],
                tuple(item["masks"]),
                item["edge"],
                item["counts"],
            )
            for item in items
        ]
        for sensor, items in stored["series"].items()
    }
    images = {
        word: UserImage(
            item["path"],
            item["interpolation"],
            item["missing"],
            tuple(item["types"]),
            tuple(item["fills"]),
        )
        for word, item in stored["user_features"].items()
    }
    return Inventory(stored["tile"], Grid(**stored["grid"]), series, images, stored["left_out"])
