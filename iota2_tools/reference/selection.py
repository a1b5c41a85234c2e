"""Which pixels of a tile are learnt."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from iota2_tools.core.draws import generator
from iota2_tools.core.files import whole_file
from iota2_tools.reference.pixels import Pixels, ReferencePixels
from iota2_tools.reference.rates import read_rates, samples_of_tiles
from iota2_tools.reference.samplers import RandomSampler, Sampler, sampler
from iota2_tools.reference.sets import PolygonTable, read_polygon_table
from iota2_tools.reference.statistics import learning_pixels, limited, read_statistics

logger = logging.getLogger(__name__)

ROWS_TOGETHER = 1 << 20
"""Rows of the table that are written together, whatever the windows are."""


@dataclass(frozen=True)
class Samplers:
    """What takes the pixels of one draw.

    Parameters
    ----------
    classes : dict
        For the number of a region and the code of a class.
    polygons : dict
        For the number of a region and a polygon of more pixels than its limit: these are taken first.
    """

    classes: dict[tuple[int, int], Sampler] = field(default_factory=dict)
    polygons: dict[tuple[int, int], Sampler] = field(default_factory=dict)


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
        `sampler`, `random_seed`, what `rates.samples_of_tiles` takes and, if polygons have a limit,
        `max_per_polygon`; in `per_region` the same of regions that differ.
    """

    tile: str
    seeds: list[int]
    sampling: Mapping[str, Any]

    def of_region(self, region: str) -> Mapping[str, Any]:
        """What holds for a region."""
        own: Mapping[str, Any] = self.sampling.get("per_region", {}).get(region, self.sampling)
        return own


def write_selection(
    choice: Choice,
    pixels: ReferencePixels,
    splits: str,
    statistics: str,
    rates: Mapping[str, str],
    output: str,
    around: Mapping[str, str] | None = None,
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
    around : mapping of str to str, optional
        `statistics` of each tile of the regions whose polygons have a limit.
    """
    table = read_polygon_table(splits, choice.seeds)
    tables = {tile: read_statistics(path) for tile, path in (around or {}).items()}
    tables[choice.tile] = read_statistics(statistics)
    samplers = _samplers(choice, pixels.numbers, tables, rates)
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
        _assert_apart(clear, chosen, table)
        kept = np.any(list(chosen.values()), axis=0)
        own = clear.only(kept)
        regions = [names[number] for number in own.region.tolist()]
        columns = [own.row, own.col, own.polygon, table.codes[own.polygon], regions]
        yield pa.table([*columns, *(flags[kept] for flags in chosen.values())], schema=schema)


def _samplers(
    choice: Choice,
    numbers: Mapping[str, int],
    tables: Mapping[str, pd.DataFrame],
    rates: Mapping[str, str],
) -> dict[int, Samplers]:
    """For each draw what takes the pixels of each region."""
    found = {seed: Samplers() for seed in choice.seeds}
    for region, number in numbers.items():
        sampling = choice.of_region(region)
        most = sampling.get("max_per_polygon")
        capped = limited(tables, most)[choice.tile]
        for seed in choice.seeds:
            pixels = learning_pixels(capped, region, seed)
            if region in rates:
                samples = read_rates(rates[region], choice.tile, seed)
            else:
                samples = samples_of_tiles(sampling, {choice.tile: pixels})[choice.tile]
            for code in pixels:
                names = ("selection", seed, region, choice.tile, code)
                random = partial(generator, sampling["random_seed"], *names)
                found[seed].classes[number, code] = sampler(
                    sampling["sampler"], samples[code], pixels[code], random
                )
            if most:
                of_polygons = _polygon_samplers(choice, region, seed, tables[choice.tile], capped)
                for polygon, own in of_polygons:
                    found[seed].polygons[number, polygon] = own
            logger.info(
                "%s, region %s, seed %d: %d samples of %d pixels",
                choice.tile, region, seed, sum(samples.values()), sum(pixels.values()),
            )  # fmt: skip
    return found


def _polygon_samplers(
    choice: Choice, region: str, seed: int, table: pd.DataFrame, capped: pd.DataFrame
) -> Iterator[tuple[int, Sampler]]:
    """Each polygon that may give less than it has, and what takes its pixels: always by chance."""
    both = table.assign(most=capped["clear"].to_numpy())
    own = both[(both["region"] == region) & (both[f"seed_{seed}"] == 1)]
    for polygon, clear, most in own[["polygon", "clear", "most"]].to_numpy():
        if most < clear:
            names = ("polygon", seed, region, choice.tile, int(polygon))
            random = generator(choice.of_region(region)["random_seed"], *names)
            yield int(polygon), RandomSampler(int(most), int(clear), random)


def _choose(
    pixels: Pixels, table: PolygonTable, samplers: dict[int, Samplers]
) -> dict[int, np.ndarray]:
    """Which pixels each draw takes, bool, in the order of `pixels`."""
    codes = table.codes[pixels.polygon]
    chosen = {seed: np.zeros(len(codes), dtype=bool) for seed in samplers}
    for seed, own in samplers.items():
        learning = np.flatnonzero(table.learns[seed][pixels.polygon])
        if own.polygons:
            learning = learning[_within_limits(pixels.only(learning), own.polygons)]
        regions, classes = pixels.region[learning], codes[learning]
        for key, members in _groups(regions, classes):
            flags = own.classes[key].take(len(members))
            chosen[seed][learning[members[flags]]] = True
    return chosen


def _assert_apart(pixels: Pixels, chosen: Mapping[int, np.ndarray], table: PolygonTable) -> None:
    """No pixel learns and validates, but in polygons that shall do both (`single_polygon: both`)."""
    for seed, flags in chosen.items():
        polygons = pixels.polygon[flags]
        apart = table.learns[seed][polygons] | ~table.validates[seed][polygons]
        assert apart.all(), f"seed {seed}: pixels of validation polygons were chosen"


def _within_limits(pixels: Pixels, samplers: dict[tuple[int, int], Sampler]) -> np.ndarray:
    """Which pixels are among those that their polygon may give, bool."""
    kept = np.ones(len(pixels.polygon), dtype=bool)
    for key, members in _groups(pixels.region, pixels.polygon):
        if key in samplers:
            kept[members] = samplers[key].take(len(members))
    return kept


def _groups(regions: np.ndarray, codes: np.ndarray) -> Iterator[tuple[tuple[int, int], np.ndarray]]:
    """Positions of each region and class (or polygon), in increasing order."""
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
