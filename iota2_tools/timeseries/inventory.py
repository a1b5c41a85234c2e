"""Inventory of a tile: the acquisitions that will be read, each file looked at once."""

import json
import logging
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from osgeo import gdal

from iota2_tools.core.errors import InputDataError, Iota2Error, one_message
from iota2_tools.core.files import whole_file
from iota2_tools.geo.grid import Grid
from iota2_tools.geo.raster import open_raster
from iota2_tools.products import FORMATS, Acquisition, find_acquisitions

logger = logging.getLogger(__name__)


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
        Acquisitions of each sensor, by day then name.
    user_features : dict of str to str
        The user's raster of each pattern.
    left_out : dict of str to str
        Acquisitions that were damaged, and why.
    """

    tile: str
    grid: Grid
    series: dict[str, list[Acquisition]]
    user_features: dict[str, str]
    left_out: dict[str, str]


def write_inventory(
    tile: str,
    grid: Grid,
    products: dict[str, dict],
    user_features: dict[str, str],
    damaged: str,
    output: str,
) -> None:
    """Look at every file of a tile and write its inventory.

    Parameters
    ----------
    products : dict
        For each sensor `folder`, `names`, `level` and `bands`.
    damaged : {"stop", "skip"}
        What a missing or truncated file does.
    output : str
        JSON file, read back by `read_inventory`.

    Raises
    ------
    InputDataError
        Listing every file at fault, or if a sensor has no acquisition left.
    """
    series, left_out = {}, {}
    for sensor, given in products.items():
        found = find_acquisitions(
            FORMATS[sensor], given["folder"], given["names"], given["level"], tuple(given["bands"])
        )
        faults = {item.name: acquisition_faults(item) for item in found}
        series[sensor] = [item for item in found if not faults[item.name]]
        left_out |= {name: "; ".join(lines) for name, lines in faults.items() if lines}
        logger.info("%s %s: %d acquisitions", tile, sensor, len(series[sensor]))
        if not series[sensor] and damaged == "skip":
            raise InputDataError(
                f"{given['folder']}: no acquisition of {sensor} is whole; fetch them again"
            )
    for path in user_features.values():
        for fault in file_faults(path):
            raise InputDataError(f"user_features: {fault}")
    for name, reason in left_out.items():
        logger.warning("%s is left out: %s", name, reason)
    if left_out and damaged == "stop":
        raise InputDataError(
            one_message(f"tile {tile}", [f"{name}: {reason}" for name, reason in left_out.items()])
            + "\nFetch those products again, or set `inputs: {damaged_acquisition: skip}` to do without them."
        )
    inventory = Inventory(tile, grid, series, user_features, left_out)
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
            )
            for item in items
        ]
        for sensor, items in stored["series"].items()
    }
    return Inventory(
        stored["tile"], Grid(**stored["grid"]), series, stored["user_features"], stored["left_out"]
    )


def acquisition_faults(acquisition: Acquisition) -> list[str]:
    """What is wrong with the files of an acquisition; nothing if all are whole."""
    return [fault for path in acquisition.files for fault in file_faults(path)]


def file_faults(path: str) -> list[str]:
    """What is wrong with an image: missing, no image, or shorter than its header says.

    Only headers are read. A fault inside a file of the right length shows when it is decoded.
    """
    if not Path(path).is_file():
        return [f"{path} is missing"]
    try:
        dataset = open_raster(path)
    except Iota2Error:
        return [f"{path} is no readable image (truncated or half-copied?)"]
    needed, size = _bytes_needed(dataset), Path(path).stat().st_size
    if needed > size:
        return [f"{path} is truncated: {size} bytes, its header tells of {needed}"]
    return []


def _bytes_needed(dataset: gdal.Dataset) -> int:
    """Length a TIFF must have to hold its blocks; 0 where the format does not tell."""
    if dataset.GetDriver().ShortName != "GTiff":
        return 0
    needed = 0
    for number in range(1, dataset.RasterCount + 1):
        band = dataset.GetRasterBand(number)
        width, height = band.GetBlockSize()
        columns = -(-dataset.RasterXSize // width)
        rows = -(-dataset.RasterYSize // height)
        # Writers append blocks, by rows or by columns of blocks: the ends of the file are among these.
        border = {(x, rows - 1) for x in range(columns)} | {(columns - 1, y) for y in range(rows)}
        for x, y in border:
            offset = band.GetMetadataItem(f"BLOCK_OFFSET_{x}_{y}", "TIFF")
            length = band.GetMetadataItem(f"BLOCK_SIZE_{x}_{y}", "TIFF")
            if offset and length:
                needed = max(needed, int(offset) + int(length))
    return needed
