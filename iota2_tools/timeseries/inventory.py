"""Inventory of a tile: the acquisitions that will be read, each file looked at once."""

import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from osgeo import gdal

from iota2_tools.core.errors import InputDataError, one_message
from iota2_tools.core.files import whole_file
from iota2_tools.core.findings import Finding
from iota2_tools.geo.grid import Grid, grid_of
from iota2_tools.geo.raster import open_raster
from iota2_tools.products import Acquisition, Identity, Mask, Pixels, ProductFormat
from iota2_tools.products.prepared import PIXELS as PREPARED
from iota2_tools.timeseries.headers import FETCH_AGAIN, Expected, image_faults, uneven_faults
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
        Acquisitions of each series, by day, time and name.
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
    problems: list[Finding] = []
    for name, products in inputs.products.items():
        found, faults = _acquisitions(products)
        days = {item.name: item.day for item in found}
        faults |= _faults(found, products, inputs.grid)
        _check_plan(found, faults, products)
        whole = [item for item in found if item.name not in faults]
        identities = {item.name: _identity(products.format, item.name) for item in whole}
        replaced = superseded(whole, identities)
        kept = [item for item in whole if item.name not in replaced]
        series[name], cloudy, poor = moved_onto_reference(kept, products, inputs.grid)
        faults |= {product: [reason] for product, reason in poor.items()}
        left_out |= cloudy
        problems += [
            _fault_of(f"{products.folder}/{name}", str(days.get(name, "")), told)
            for name, reasons in faults.items()
            for told in reasons
        ]
        left_out |= {name: "; ".join(reasons) for name, reasons in faults.items()}
        left_out |= dict(products.strangers)
        left_out |= {product: f"replaced by {newer}" for product, newer in replaced.items()}
        logger.info("%s %s: %d acquisitions", inputs.tile, name, len(series[name]))
        if not series[name] and (damaged == "skip" or not faults):
            raise InputDataError(
                f"{products.folder}: no acquisition of {name} is whole"
                + (" and found on its reference" if products.coregistration else "")
                + "; fetch them again"
            )
    for name, reason in left_out.items():
        logger.warning("%s is left out: %s", name, reason)
    if problems and damaged == "stop":
        raise InputDataError(one_message(f"tile {inputs.tile}", problems, FETCH_AGAIN))
    images = {
        word: look_at_user_raster(item.path, item.interpolation, item.missing, inputs.grid)
        for word, item in inputs.user_features.items()
    }
    return Inventory(inputs.tile, inputs.grid, series, images, left_out)


def _fault_of(product: str, day: str, told: str) -> Finding:
    what, _, remedy = told.rpartition("; ")
    return Finding(product, day, *((what, remedy) if what else (remedy, "")))


def moved_onto_reference(
    acquisitions: Sequence[Acquisition], products: Products, tile: Grid
) -> tuple[list[Acquisition], dict[str, str], dict[str, str]]:
    """Acquisitions of a series with their shifts; as they are, if it has no reference.

    Returns
    -------
    moved : list of Acquisition
        Those whose shift is known, in their order.
    cloudy, poor : dict of str to str
        The others, and why: too few clear pixels, or a shift that is not to be trusted.
    """
    if not products.coregistration:
        return list(acquisitions), {}, {}
    from iota2_tools.timeseries.coregistration import Coregistration, register

    found = register(acquisitions, tile, Coregistration(**products.coregistration))
    moved = [
        replace(item, shift=found.shifts[item.name])
        for item in acquisitions
        if item.name in found.shifts
    ]
    return moved, found.cloudy, found.poor


def _identity(product_format: ProductFormat, name: str) -> Identity:
    identity = product_format.recognise(name)
    assert identity is not None, name  # the plan has listed what is recognised
    return identity


def _acquisitions(products: Products) -> tuple[list[Acquisition], dict[str, list[str]]]:
    """Files of each product; and why it is not known what those of some mean."""
    found, faults = [], {}
    for name in products.names:
        try:
            found.append(products.acquisition(name))
        except InputDataError as error:
            faults[name] = [str(error)]
    return found, faults


def _faults(
    acquisitions: Sequence[Acquisition], products: Products, tile: Grid
) -> dict[str, list[str]]:
    """What is wrong with each product that cannot be read as it should, in their order."""
    product_format, ready = products.format, set(products.ready)
    grid = Grid(**products.grid) if product_format.on_tile else tile
    with ThreadPoolExecutor(THREADS) as pool:
        every = pool.map(
            lambda item: acquisition_faults(
                item, product_format, grid, PREPARED if item.name in ready else None
            ),
            acquisitions,
        )
        return {
            item.name: faults for item, faults in zip(acquisitions, every, strict=True) if faults
        }


def acquisition_faults(
    acquisition: Acquisition,
    product_format: ProductFormat,
    grid: Grid,
    pixels: Pixels | None = None,
) -> list[str]:
    """What is wrong with the files of an acquisition; nothing if all are whole and fit.

    Parameters
    ----------
    grid : Grid
        Of the finest band over the tile; of the tile itself if images may lie anywhere.
    pixels : Pixels, optional
        What images hold, if not what the format says.
    """
    faults = []
    pixels = pixels or product_format.pixels
    anywhere = not product_format.on_tile
    for band, image in acquisition.bands.items():
        factors = product_format.factors(band)
        stated = not pixels.by_product
        expected = Expected(pixels, grid, factors, anywhere=anywhere, stated=stated)
        faults += image_faults(image.path, expected, image.band)
    types = ("Byte",) if pixels is PREPARED else product_format.mask_types
    codes = Pixels(types, "codes of a mask", several=True)
    for mask in acquisition.masks:
        expected = Expected(codes, grid, None, anywhere=anywhere, stated=False)
        faults += image_faults(mask.path, expected, mask.band) or mask_faults(mask)
    if anywhere and not faults and not product_format.of_files:
        paths = [image.path for image in acquisition.bands.values()]
        if not product_format.configured:  # else masks may be somebody else's, of a part
            paths += [mask.path for mask in acquisition.masks]
        faults += uneven_faults(paths)
    return faults


def mask_faults(mask: Mask) -> list[str]:
    """Codes that the pixels of a mask cannot have, so that what they mean would be taken for clear."""
    kind = gdal.GetDataTypeName(open_raster(mask.path).GetRasterBand(mask.band).DataType)
    dtype = np.dtype({"Byte": "uint8"}.get(kind, kind.lower()))
    odd = dict.fromkeys([*mask.unusable.impossible(dtype), *mask.unseen.impossible(dtype)])
    if not odd:
        return []
    codes = ", ".join(map(str, odd))
    return [
        f"{mask.path} holds {kind}, in which no pixel is {codes}; correct the codes of the mask"
    ]


def _check_plan(
    acquisitions: Sequence[Acquisition], faults: Mapping[str, list[str]], products: Products
) -> None:
    """Raise InputDataError if the grid of the plan is that of few products.

    The plan takes the grid of the first product. If that is the odd one, all others seem to be.
    """
    product_format = products.format
    if len(faults) * 2 < len(acquisitions) or not product_format.on_tile:
        return
    grids: Counter[Grid] = Counter()
    holders: dict[Grid, list[str]] = {}
    for item in acquisitions:
        for band, image in item.bands.items():
            if product_format.factors(band) == (1,) and Path(image.path).is_file():
                try:
                    grid = grid_of(image.path)
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
        name: [Acquisition.from_dict(item) for item in items]
        for name, items in stored["series"].items()
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
