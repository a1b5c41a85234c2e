"""How many pixels of each reference polygon a tile holds."""

import logging
from collections.abc import Mapping

import numpy as np
import pandas as pd

from iota2_tools.core.errors import InputDataError
from iota2_tools.core.tables import write_csv
from iota2_tools.reference.pixels import ReferencePixels
from iota2_tools.reference.sets import PolygonTable, read_polygon_table

logger = logging.getLogger(__name__)


def write_statistics(pixels: ReferencePixels, splits: str, seeds: list[int], output: str) -> None:
    """Count the pixels of each polygon of a tile, by region (as OTB PolygonClassStatistics).

    Parameters
    ----------
    splits : str
        Polygons of the production (`splits.write_splits`).
    seeds : list of int
        Draws.
    output : str
        CSV table, one row a region and polygon that has pixels there: `region`, `polygon`, `code`,
        `pixels` (whose centre lies in the polygon), `clear` (of these, clear often enough to be
        learnt) and `seed_N` (1 if the polygon learns in that draw, else 0).
    """
    table = read_polygon_table(splits, seeds)
    size = len(table.codes)
    pixel_counts = {number: np.zeros(size, dtype=np.int64) for number in pixels.numbers.values()}
    clear_counts = {number: np.zeros(size, dtype=np.int64) for number in pixels.numbers.values()}
    for found in pixels.windows():
        for number in pixel_counts:
            own = found.only(found.region == number)
            pixel_counts[number] += np.bincount(own.polygon, minlength=size)
            clear_counts[number] += np.bincount(own.polygon[own.clear], minlength=size)
    rows: list[tuple] = [
        (
            region, polygon, table.codes[polygon], pixel_counts[number][polygon],
            clear_counts[number][polygon], *(int(table.learns[seed][polygon]) for seed in seeds),
        )
        for region, number in pixels.numbers.items()
        for polygon in np.flatnonzero(pixel_counts[number])
    ]  # fmt: skip
    _tell_of_clouded(rows, table, pixels.cloud_threshold)
    header = ("region", "polygon", "code", "pixels", "clear", *(f"seed_{seed}" for seed in seeds))
    write_csv([header, *rows], output)


def _tell_of_clouded(rows: list[tuple], table: PolygonTable, cloud_threshold: int) -> None:
    """Log how many pixels there are, and the polygons that were never clear often enough."""
    clear = {row[1]: 0 for row in rows}
    for row in rows:
        clear[row[1]] += row[4]
    logger.info("%d polygons, %d pixels that may be learnt", len(clear), sum(clear.values()))
    clouded = [polygon for polygon, pixels in clear.items() if not pixels]
    for code in np.unique(table.codes[clouded]):
        logger.warning(
            "class %d: %d of %d polygons have no pixel with %d clear dates or more on this tile",
            code,
            np.count_nonzero(table.codes[clouded] == code),
            np.count_nonzero(table.codes[list(clear)] == code),
            cloud_threshold,
        )


def read_statistics(path: str) -> pd.DataFrame:
    """Read a table of `write_statistics`; names of regions stay as they are, also ``NA``.

    Raises
    ------
    InputDataError
        If the file is no such table.
    """
    try:
        table = pd.read_csv(path, dtype={"region": str}, keep_default_na=False)
        numbers = table.columns.drop("region")
        return table.astype(dict.fromkeys(numbers, np.int64))
    except (OSError, ValueError, KeyError) as error:
        raise InputDataError(
            f"{path}: cannot be read as a table ({error}); delete it to make it anew"
        ) from None


def learning_pixels(statistics: pd.DataFrame, region: str, seed: int) -> dict[int, int]:
    """Pixels of each class that may be learnt in a region and draw; classes without any are absent."""
    learning = statistics[(statistics["region"] == region) & (statistics[f"seed_{seed}"] == 1)]
    counts = learning.groupby("code")["clear"].sum()
    return {int(code): int(pixels) for code, pixels in counts.items() if pixels}


def limited(statistics: Mapping[str, pd.DataFrame], most: int | None) -> dict[str, pd.DataFrame]:
    """Statistics in which no polygon has more pixels to learn than a limit, over all tiles of a region.

    What a polygon on several tiles may give is divided among them by the pixels they hold: rounded
    down, then one more each where most was lost by that, of equal ones to the tile first by name.

    Parameters
    ----------
    statistics : mapping of str to DataFrame
        Table of `read_statistics` of each tile.
    most : int, optional
        Pixels of a polygon; None for no limit.

    Returns
    -------
    dict of str to DataFrame
        As given, with less in the column `clear`.
    """
    if most is None:
        return dict(statistics)
    every = pd.concat(
        [table.assign(tile=tile) for tile, table in sorted(statistics.items())], ignore_index=True
    )
    clear = every["clear"].to_numpy(copy=True)
    for rows in every.groupby(["region", "polygon"], sort=False).indices.values():
        clear[rows] = _divided(most, clear[rows])
    every["clear"] = clear
    parts = dict(iter(every.groupby("tile")))
    return {
        tile: parts[tile].drop(columns="tile") if tile in parts else table
        for tile, table in statistics.items()
    }


def _divided(most: int, counts: np.ndarray) -> np.ndarray:
    """Divide a number in proportion to counts; the counts themselves if they are less in all.

    >>> _divided(5, np.array([4, 4, 6])).tolist()
    [2, 1, 2]
    """
    total = counts.sum()
    if total <= most:
        return counts
    shares, lost = np.divmod(most * counts, total)
    first = np.argsort(-lost, kind="stable")[: most - shares.sum()]
    shares[first] += 1
    return shares
