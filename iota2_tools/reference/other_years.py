"""Samples of other years: of several productions, learnt together.

Whoever learns from several years learns the same ground several times. So samples in polygons that
validate this year are left out, whatever year they are of; and in folds, polygons of all years that
share ground stand together.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyarrow.parquet as pq
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from iota2_tools.config.nomenclature import Nomenclature
from iota2_tools.core.errors import InputDataError, Iota2Error
from iota2_tools.core.locks import problems_of_lock
from iota2_tools.core.words import listed
from iota2_tools.features.stack import by_dates
from iota2_tools.geo.grid import grid_of, metres
from iota2_tools.geo.raster import class_names
from iota2_tools.geo.vectors import read_layer
from iota2_tools.reference.own_samples import (
    CODE,
    REGION,
    own_header,
    own_problems,
    read_own_table,
)
from iota2_tools.reference.sources import POLYGONS, Demands, Source
from iota2_tools.reference.table import TrainingTable, feature_columns

logger = logging.getLogger(__name__)

SAME_SIZE = 1.1
"""How many times larger pixels of another production may be: degrees are no round numbers of metres."""
SHARED = 0.1
"""Of the smaller of two polygons: from this share of common ground on they are one place."""


def source_problems(source: Source, demands: Demands) -> Iterator[str]:
    """What keeps the samples of a source from being learnt, a sentence each."""
    if not Path(source.path).exists():
        yield f"there is no {source.path}; name the output folder of a finished production, or an archive of it"
    elif source.is_production:
        yield from _production_problems(source, demands)
    else:
        yield from own_problems(source.path, demands)


def _production_problems(source: Source, demands: Demands) -> Iterator[str]:
    yield from problems_of_lock(source.path)
    try:
        tables = source.tables
        if not Path(source.polygons).is_file():
            yield f"{source.path}: has no {POLYGONS}, which tells where its samples lie; take a whole output or archive"
        for table in tables:
            wrong = list(table_problems(table, demands.features, demands.runs))
            if wrong:  # those of other tiles say the same
                yield from wrong
                return
    except Iota2Error as error:
        yield str(error)
        return
    found: dict[str, set[int]] = {}
    for table in tables:
        columns = pq.read_table(table, columns=[REGION, CODE])
        pairs = columns.group_by([REGION, CODE]).aggregate([])
        for region, code in zip(*(pairs[name].to_pylist() for name in (REGION, CODE)), strict=True):
            found.setdefault(str(region), set()).add(code)
    lacking = [region for region in demands.regions if region not in found]
    if lacking:
        yield (
            f"{source.path}: has no sample of region {', '.join(lacking)} (it has "
            f"{', '.join(sorted(found)) or 'none'}); regions must have the same names"
        )
    codes = set().union(*(found[region] for region in demands.regions if region in found))
    yield from class_problems(source.path, sorted(codes), demands.nomenclature)
    yield from pixel_problems(source.path, demands)


def table_problems(path: str, features: Sequence[str], runs: int) -> Iterator[str]:
    """What a table of samples of a production lacks.

    Raises
    ------
    InputDataError
        If it cannot be read.
    """
    names = feature_columns(path)
    missing = [name for name in features if name not in set(names)]
    if missing:
        extra = [name for name in names if name not in set(features)]
        shown = ", ".join(missing[:3]) + (" …" if missing[3:] else "")
        yield (
            f"{path}: lacks {len(missing)} of {len(features)} features ({shown}){by_dates(missing, extra)}; both "
            "productions need the same bands, indices and days"
        )
    columns = own_header(path).columns
    draws = [name for name in (f"seed_{seed}" for seed in range(runs)) if name not in columns]
    if draws:
        known = [name.removeprefix("seed_") for name in columns if name.startswith("seed_")]
        yield f"{path}: has draws {listed(known)}, and not all of the {runs} asked for (sampling.runs)"


def class_problems(output: str, codes: Sequence[int], nomenclature: Nomenclature) -> Iterator[str]:
    """Classes of another production that are not those of this one.

    Parameters
    ----------
    output : str
        Its folder; names of its classes are those that a final map tells, where there is one.
    codes : sequence of int
        Those that it has learnt.
    """
    unknown = [code for code in codes if code not in nomenclature.codes]
    if unknown:
        yield (
            f"{output}: has learnt class {', '.join(map(str, unknown))}, which the nomenclature has not; take that "
            "of its production"
        )
    maps = sorted(Path(output, "final").glob("Classif_Seed_*.tif"))
    names = class_names(str(maps[0])) if maps else {}
    for code in codes:
        other = names.get(code)
        if code in nomenclature.codes and other and other != nomenclature.name_of(code):
            yield (
                f"{output}: class {code} is {other} there, and {nomenclature.name_of(code)} in the nomenclature; one "
                "code must mean one class"
            )


def pixel_problems(output: str, demands: Demands) -> Iterator[str]:
    """That pixels of another production are of another size: they mix other things, and have other values."""
    maps = sorted(Path(output, "final").glob("Classif_Seed_*.tif"))
    if not maps or demands.pixel_metres is None:
        return
    there, here = metres(grid_of(str(maps[0]))), demands.pixel_metres
    if not 1 / SAME_SIZE <= there / here <= SAME_SIZE:
        yield (
            f"{output}: has pixels of {there:.4g} m, this production of {here:.4g} m: what is learnt of pixels of one "
            "size does not hold for another; set grid.spatial_resolution to the same in both"
        )


@dataclass(frozen=True)
class Wanted:
    """Which samples of other years a model learns.

    Parameters
    ----------
    region : str
        Of the model.
    seed : int
        Its draw; of each production the samples of the draw of that number.
    features : sequence of str
        Names of the features.
    nomenclature : Nomenclature
        Classes.
    splits : str or None
        Polygons of this production (`splits.write_splits`); None: there is no reference.
    buffer : float
        Samples nearer than this to a validation polygon are left out as well, metres.
    """

    region: str
    seed: int
    features: Sequence[str]
    nomenclature: Nomenclature
    splits: str | None
    buffer: float = 0.0


def read_sources(
    sources: Sequence[Source],
    wanted: Wanted,
    own: TrainingTable | None = None,
    own_weight: float = 1.0,
) -> tuple[TrainingTable, list[dict[str, Any]]]:
    """Samples of several years as one table.

    Parameters
    ----------
    sources : sequence of Source
        In their order.
    own : TrainingTable, optional
        Samples of this production, learnt before them.
    own_weight : float
        Of each of these.

    Returns
    -------
    table : TrainingTable
        Polygons are numbered anew: those of several years that share ground have one number. Weights are
        in the proportion of those of the sources, 1 on average; None where all are equal.
    told : list of dict
        `path` (of the own samples none), `weight`, `samples` and `left_out`, source by source.

    Raises
    ------
    InputDataError
        If a table lacks features or the draw.
    """
    parts: list[tuple[TrainingTable, float]] = []
    shapes: list[gpd.GeoSeries | None] = []
    told: list[dict[str, Any]] = []
    if own is not None:
        assert wanted.splits  # or there were no own samples
        parts.append((own, own_weight))
        shapes.append(_shapes(wanted.splits, own.polygons))
        told.append({"path": None, "weight": own_weight, "samples": len(own.codes), "left_out": 0})
    for source in sources:
        table, left_out = _read(source, wanted)
        parts.append((table, source.weight))
        shapes.append(_shapes(source.polygons, table.polygons) if source.is_production else None)
        number = len(table.codes)
        told.append(
            {"path": source.path, "weight": source.weight, "samples": number, "left_out": left_out}
        )
        logger.info("%s: %d samples, weight %g", source.path, number, source.weight)
    numbers = common_places([table.polygons for table, _ in parts], shapes)
    joined = TrainingTable(
        np.concatenate([table.features for table, _ in parts]),
        np.concatenate([table.codes for table, _ in parts]),
        np.concatenate(numbers),
        list(wanted.features),
        weights_of([(weight, len(table.codes)) for table, weight in parts]),
    )
    return joined, told


def weights_of(sources: Sequence[tuple[float, int]]) -> np.ndarray | None:
    """Weight of each sample, 1 on average; None where all are equal.

    Parameters
    ----------
    sources : sequence of (float, int)
        Weight of each sample of a source, and how many there are.

    >>> weights_of([(1, 3), (3, 1)]).round(3).tolist()
    [0.667, 0.667, 0.667, 2.0]
    """
    used = [(float(weight), number) for weight, number in sources if number]
    if len({weight for weight, _ in used}) < 2:
        return None
    weights = np.repeat([weight for weight, _ in used], [number for _, number in used])
    return weights / weights.mean()


def _read(source: Source, wanted: Wanted) -> tuple[TrainingTable, int]:
    """Samples of one source, and how many were left out."""
    parts, left_out = [], 0
    for path in source.tables:
        wrong = list(table_problems(path, wanted.features, 0)) if source.is_production else []
        if wrong:
            raise InputDataError(wrong[0])
        table, number = read_own_table(
            path, wanted.region, wanted.seed, wanted.features, wanted.nomenclature, wanted.splits,
            wanted.buffer,
        )  # fmt: skip
        parts.append(table)
        left_out += number
    joined = replace(
        parts[0],
        features=np.concatenate([part.features for part in parts]),
        codes=np.concatenate([part.codes for part in parts]),
        polygons=np.concatenate([part.polygons for part in parts]),
    )
    return joined, left_out


def _shapes(path: str, numbers: np.ndarray) -> gpd.GeoSeries:
    """Shapes of some polygons of a production, by their number."""
    layer = read_layer(path, columns=["polygon"])
    layer = layer[layer["polygon"].isin(np.unique(numbers))]
    return layer.set_index("polygon").geometry


def common_places(
    numbers: Sequence[np.ndarray], shapes: Sequence[gpd.GeoSeries | None]
) -> list[np.ndarray]:
    """New numbers of polygons of several years: one where two of different years share ground.

    Two share ground if what they have in common is a tenth of the smaller one or more: neighbours whose
    outlines cross by a metre are two places.

    Parameters
    ----------
    numbers : sequence of ndarray of int
        Polygon of each sample, year by year.
    shapes : sequence of GeoSeries or None
        Polygons of each year by number; None: where they lie is not known, and they are places of their own.

    Returns
    -------
    list of ndarray of int64
        As `numbers`.
    """
    owns = [np.unique(of_year) for of_year in numbers]
    starts = np.concatenate([[0], np.cumsum([len(own) for own in owns])])
    pairs = [np.empty((2, 0), dtype=np.int64)]
    for second in range(len(owns)):
        for first in range(second):
            one, other = shapes[first], shapes[second]
            if one is None or other is None or one.empty or other.empty:
                continue
            left, right = _sharing(one, other.to_crs(one.crs))
            pairs.append(
                np.stack(
                    [
                        starts[first] + np.searchsorted(owns[first], left),
                        starts[second] + np.searchsorted(owns[second], right),
                    ]
                )
            )
    row, column = np.concatenate(pairs, axis=1)
    graph = coo_array((np.ones(len(row)), (row, column)), shape=(starts[-1], starts[-1]))
    _, places = connected_components(graph, directed=False)
    return [
        places[start + np.searchsorted(own, of_year)].astype(np.int64)
        for start, own, of_year in zip(starts, owns, numbers, strict=False)
    ]


def _sharing(one: gpd.GeoSeries, other: gpd.GeoSeries) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the pairs of polygons of two years that share ground."""
    first, second = one.to_numpy(), other.to_numpy()
    left, right = shapely.STRtree(second).query(first, predicate="intersects")
    common = shapely.area(shapely.intersection(first[left], second[right]))
    smaller = np.minimum(shapely.area(first[left]), shapely.area(second[right]))
    same = common >= SHARED * smaller
    return one.index.to_numpy()[left[same]], other.index.to_numpy()[right[same]]
