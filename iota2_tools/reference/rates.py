"""How many pixels of each class are learnt, and which tile gives how many of them."""

import logging
import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from iota2_tools.core.errors import InputDataError
from iota2_tools.core.tables import write_csv
from iota2_tools.reference.statistics import learning_pixels, limited, read_statistics

logger = logging.getLogger(__name__)

Counts = dict[int, int]
"""Pixels of each class, by its code."""


def samples_of_tiles(
    sampling: Mapping[str, Any], pixels: Mapping[str, Counts]
) -> dict[str, Counts]:
    """Samples that each tile gives of each class, in one region and draw.

    The numbers are those of OTB: MultiImageSamplingRate in its mode ``proportional`` for strategies
    that look at several tiles, SampleSelection for ``percent`` and ``all``. What a tile gives is
    rounded down, so that together the tiles may give a few less than asked for; with ``total`` and
    ``percent`` halves round up. As in OTB, the share of ``percent`` is of single precision.

    Parameters
    ----------
    sampling : mapping
        `strategy`, and under the name of the strategy what it asks for: a number of pixels
        (``constant``, ``total``), a number for each class code (``byclass``), a share (``percent``).
    pixels : mapping of str to dict of int to int
        For each tile, the pixels of each class that may be learnt.

    Returns
    -------
    dict of str to dict of int to int
        As `pixels`, and at most that.
    """
    asked = STRATEGIES[sampling["strategy"]](sampling, pixels)
    return {
        tile: {code: min(asked[tile][code], number) for code, number in counts.items()}
        for tile, counts in pixels.items()
    }


def _all(_: Mapping[str, Any], pixels: Mapping[str, Counts]) -> Mapping[str, Counts]:
    return pixels


def _percent(sampling: Mapping[str, Any], pixels: Mapping[str, Counts]) -> Mapping[str, Counts]:
    share = float(np.float32(sampling["percent"]))
    return {
        tile: {code: _half_up(share * number) for code, number in counts.items()}
        for tile, counts in pixels.items()
    }


def _total(sampling: Mapping[str, Any], pixels: Mapping[str, Counts]) -> Mapping[str, Counts]:
    """First by tile, then by class, each in proportion to the pixels there."""
    sizes = {tile: sum(counts.values()) for tile, counts in pixels.items()}
    everywhere = max(sum(sizes.values()), 1)
    given = {tile: _half_up(sampling["total"] * size / everywhere) for tile, size in sizes.items()}
    return {
        tile: {
            code: _half_up(number / sizes[tile] * given[tile]) for code, number in counts.items()
        }
        for tile, counts in pixels.items()
    }


def _constant(sampling: Mapping[str, Any], pixels: Mapping[str, Counts]) -> Mapping[str, Counts]:
    return _in_proportion(dict.fromkeys(_over_tiles(pixels), sampling["constant"]), pixels)


def _smallest(_: Mapping[str, Any], pixels: Mapping[str, Counts]) -> Mapping[str, Counts]:
    available = _over_tiles(pixels)
    return _in_proportion(dict.fromkeys(available, min(available.values(), default=0)), pixels)


def _byclass(sampling: Mapping[str, Any], pixels: Mapping[str, Counts]) -> Mapping[str, Counts]:
    wanted = {int(code): number for code, number in sampling["byclass"].items()}
    return _in_proportion({code: wanted.get(code, 0) for code in _over_tiles(pixels)}, pixels)


STRATEGIES: dict[str, Callable[[Mapping[str, Any], Mapping[str, Counts]], Mapping[str, Counts]]] = {
    "all": _all,
    "percent": _percent,
    "total": _total,
    "constant": _constant,
    "smallest": _smallest,
    "byclass": _byclass,
}


def _over_tiles(pixels: Mapping[str, Counts]) -> Counter[int]:
    total: Counter[int] = Counter()
    for counts in pixels.values():
        total.update(counts)
    return total


def _in_proportion(wanted: Counts, pixels: Mapping[str, Counts]) -> Mapping[str, Counts]:
    """Divide what is wanted of a class among the tiles by the pixels they hold, rounded down."""
    available = _over_tiles(pixels)
    return {
        tile: {
            code: math.floor(wanted[code] * number / available[code])
            for code, number in counts.items()
        }
        for tile, counts in pixels.items()
    }


def _half_up(value: float) -> int:
    return math.floor(0.5 + value)


def write_rates(
    region: str,
    statistics: Mapping[str, str],
    seeds: list[int],
    sampling: Mapping[str, Any],
    output: str,
) -> None:
    """Share the samples of a region among its tiles (as OTB MultiImageSamplingRate).

    Parameters
    ----------
    statistics : mapping of str to str
        Table of `statistics.write_statistics` of each tile.
    seeds : list of int
        Draws.
    sampling : mapping
        See `samples_of_tiles`.
    output : str
        CSV table `seed,tile,code,pixels,samples`: of the learning pixels of a class on a tile, how
        many are taken.
    """
    tables = {tile: read_statistics(path) for tile, path in statistics.items()}
    tables = limited(tables, sampling.get("max_per_polygon"))
    rows: list[tuple] = []
    for seed in seeds:
        pixels = {tile: learning_pixels(table, region, seed) for tile, table in tables.items()}
        for tile, samples in samples_of_tiles(sampling, pixels).items():
            rows += [
                (seed, tile, code, pixels[tile][code], number)
                for code, number in sorted(samples.items())
            ]
    logger.info("region %s: %d samples over all tiles and draws", region, sum(r[-1] for r in rows))
    write_csv([("seed", "tile", "code", "pixels", "samples"), *rows], output)


def read_rates(path: str, tile: str, seed: int) -> Counts:
    """Samples of each class that a tile gives in a draw, from a table of `write_rates`.

    Raises
    ------
    InputDataError
        If the file is no such table.
    """
    try:
        table = pd.read_csv(path, dtype={"tile": str}, keep_default_na=False)
        own = table[(table["tile"] == tile) & (table["seed"] == seed)]
        return {int(code): int(number) for code, number in own[["code", "samples"]].to_numpy()}
    except (OSError, ValueError, KeyError) as error:
        raise InputDataError(
            f"{path}: cannot be read as a table ({error}); delete it to make it anew"
        ) from None
