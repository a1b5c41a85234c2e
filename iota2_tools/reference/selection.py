"""Which pixels of a tile are learnt."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from iota2_tools.core.draws import generator
from iota2_tools.core.files import whole_file
from iota2_tools.reference.pixels import Pixels, ReferencePixels
from iota2_tools.reference.rates import read_rates, samples_of_tiles
from iota2_tools.reference.samplers import Sampler, sampler
from iota2_tools.reference.sets import PolygonTable, read_polygon_table
from iota2_tools.reference.statistics import learning_pixels, read_statistics

logger = logging.getLogger(__name__)

ROWS_TOGETHER = 1 << 20
"""Rows of the table that are written together, whatever the windows are."""

Samplers = dict[tuple[int, int], Sampler]
"""A sampler for each number of a region and code of a class."""


@dataclass(frozen=True)
class Choice:
    """What is chosen on a tile, and how.

    Parameters
    ----------
    tile : str
        Name; with it the draws of tiles differ.
    seeds : list of int
        Draws.
    sampling : mapping
        `sampler`, `random_seed`, and what `rates.samples_of_tiles` takes.
    """

    tile: str
    seeds: list[int]
    sampling: Mapping[str, Any]


def write_selection(
    choice: Choice,
    pixels: ReferencePixels,
    splits: str,
    statistics: str,
    rates: Mapping[str, str],
    output: str,
) -> None:
    """Choose the learning pixels of a tile, for all its regions and draws (as OTB SampleSelection).

    There are as many of each class as OTB would take. Which ones depends on the random seed and on
    draw, region, tile and class alone.

    Parameters
    ----------
    splits : str
        Polygons of the production (`splits.write_splits`).
    statistics : str
        Table of `statistics.write_statistics` of the tile.
    rates : mapping of str to str
        Table of `rates.write_rates` of each region, for strategies that look at several tiles.
    output : str
        Parquet table: `row`, `col`, `polygon`, `code`, `region`, and `seed_S` (bool). A pixel
        stands once, with the draws that chose it, in order of rows, then columns.
    """
    table = read_polygon_table(splits, choice.seeds)
    samplers = _samplers(choice, pixels.numbers, statistics, rates)
    schema = pa.schema(
        [
            *(pa.field(name, pa.int32()) for name in ("row", "col")),
            *(pa.field(name, pa.int64()) for name in ("polygon", "code")),
            pa.field("region", pa.string()),
            *(pa.field(f"seed_{seed}", pa.bool_()) for seed in choice.seeds),
        ]
    )
    with whole_file(output) as temporary:
        _write_together(_chosen_pixels(pixels, table, samplers, schema), schema, temporary)


def _chosen_pixels(
    pixels: ReferencePixels, table: PolygonTable, samplers: dict[int, Samplers], schema: pa.Schema
) -> Iterator[pa.Table]:
    """Rows of the table, window after window."""
    names = {number: name for name, number in pixels.numbers.items()}
    for found in pixels.windows():
        clear = found.only(found.clear)
        chosen = _choose(clear, table, samplers)
        kept = np.any(list(chosen.values()), axis=0)
        own = clear.only(kept)
        regions = [names[number] for number in own.region.tolist()]
        columns = [own.row, own.col, own.polygon, table.codes[own.polygon], regions]
        yield pa.table([*columns, *(flags[kept] for flags in chosen.values())], schema=schema)


def _samplers(
    choice: Choice, numbers: Mapping[str, int], statistics: str, rates: Mapping[str, str]
) -> dict[int, Samplers]:
    """For each draw the sampler of each region and class that has something to learn."""
    table = read_statistics(statistics)
    found: dict[int, Samplers] = {seed: {} for seed in choice.seeds}
    for seed in choice.seeds:
        for region, number in numbers.items():
            pixels = learning_pixels(table, region, seed)
            if region in rates:
                samples = read_rates(rates[region], choice.tile, seed)
            else:
                samples = samples_of_tiles(choice.sampling, {choice.tile: pixels})[choice.tile]
            for code in pixels:
                names = ("selection", seed, region, choice.tile, code)
                random = partial(generator, choice.sampling["random_seed"], *names)
                found[seed][number, code] = sampler(
                    choice.sampling["sampler"], samples[code], pixels[code], random
                )
            logger.info(
                "%s, region %s, seed %d: %d samples of %d pixels",
                choice.tile, region, seed, sum(samples.values()), sum(pixels.values()),
            )  # fmt: skip
    return found


def _choose(
    pixels: Pixels, table: PolygonTable, samplers: dict[int, Samplers]
) -> dict[int, np.ndarray]:
    """Which pixels each draw takes, bool, in the order of `pixels`."""
    codes = table.codes[pixels.polygon]
    chosen = {seed: np.zeros(len(codes), dtype=bool) for seed in samplers}
    for seed, own in samplers.items():
        learning = np.flatnonzero(table.learns[seed][pixels.polygon])
        regions, classes = pixels.region[learning], codes[learning]
        for (region, code), members in _groups(regions, classes):
            flags = own[region, code].take(len(members))
            chosen[seed][learning[members[flags]]] = True
    return chosen


def _groups(regions: np.ndarray, codes: np.ndarray) -> Iterator[tuple[tuple[int, int], np.ndarray]]:
    """Positions of each region and class, in increasing order."""
    order = np.lexsort((codes, regions))  # a stable sort
    change = np.diff(regions[order]).astype(bool) | np.diff(codes[order]).astype(bool)
    for members in np.split(order, np.flatnonzero(change) + 1):
        if len(members):
            yield (int(regions[members[0]]), int(codes[members[0]])), members


def _write_together(tables: Iterable[pa.Table], schema: pa.Schema, path: str) -> None:
    """Write tables one after the other, in groups of rows that do not depend on their sizes."""
    with pq.ParquetWriter(path, schema, compression="zstd") as file:
        waiting = schema.empty_table()
        for table in tables:
            waiting = pa.concat_tables([waiting, table])
            while len(waiting) >= ROWS_TOGETHER:
                file.write_table(waiting.slice(0, ROWS_TOGETHER).combine_chunks())
                waiting = waiting.slice(ROWS_TOGETHER)
        file.write_table(waiting.combine_chunks())
