"""A table of samples of the user's own, learnt in place of pixels of the reference polygons."""

import json
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyproj
import shapely

from iota2_tools.config.nomenclature import Nomenclature
from iota2_tools.core.errors import InputDataError
from iota2_tools.core.words import suggest
from iota2_tools.geo.vectors import layer_header, read_layer
from iota2_tools.reference.separation import in_units
from iota2_tools.reference.sets import LEARN, VALIDATION
from iota2_tools.reference.sources import Demands
from iota2_tools.reference.table import TrainingTable

logger = logging.getLogger(__name__)

CODE, REGION, POLYGON = "code", "region", "polygon"


@dataclass(frozen=True)
class Header:
    """What a table of samples says of itself.

    Parameters
    ----------
    columns : tuple of str
        Names, but for the geometry.
    crs : str or None
        Of the points.
    points : bool
        Whether it has a geometry.
    types : dict of str to DataType
        Of the columns of a GeoParquet.
    """

    columns: tuple[str, ...]
    crs: str | None
    points: bool
    types: dict[str, pa.DataType]


def own_header(path: str) -> Header:
    """Look at a table: GeoParquet, or any vector file of points.

    Raises
    ------
    InputDataError
        If it cannot be read.
    """
    if not path.endswith(".parquet"):
        told = layer_header(path)
        return Header(told.fields, told.crs, "Point" in told.kind, {})
    try:
        schema = pq.read_schema(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputDataError(f"{path}: cannot be read as a table ({error})") from None
    about: dict[str, Any] = json.loads((schema.metadata or {}).get(b"geo", b"{}"))
    place = about.get("columns", {}).get("geometry", {})
    # Without `crs` GeoParquet means longitude and latitude.
    crs = pyproj.CRS.from_user_input(place.get("crs") or "OGC:CRS84").to_wkt() if place else None
    types = {field.name: field.type for field in schema if field.name != "geometry"}
    return Header(tuple(types), crs, bool(place), types)


def own_problems(path: str, demands: Demands) -> Iterator[str]:
    """What is wrong with a table for a production, a sentence each."""
    header = own_header(path)
    if not header.points or header.crs is None:
        yield (
            f"{path}: has no points with a coordinate reference system; without them nothing tells which samples "
            "lie in validation polygons"
        )
    missing = [name for name in (CODE, *demands.features) if name not in header.columns]
    if missing:
        more = f" and {len(missing) - 3} more" if missing[3:] else ""
        yield f"{path}: has no column {', '.join(missing[:3])}{more}"
    yield from _without_value(path, [name for name in demands.features if name in header.types])
    seeds = [name for name in header.columns if name.startswith("seed_")]
    draws = [f"seed_{seed}" for seed in range(demands.runs)]
    lacking = [name for name in draws if name not in seeds]
    if seeds and lacking:
        yield f"{path}: has {', '.join(seeds)}, and not {', '.join(lacking)} of the draws asked for"
    wanted = [name for name in (CODE, REGION, *draws) if name in header.columns]
    values = _read(path, wanted, geometry=False) if wanted else {}
    for name in filter(seeds.__contains__, draws):
        yield from _faults_of_draw(f"{path}: column {name}", values[name])
    if CODE in wanted:
        for value in pd.unique(values[CODE]).tolist():
            if demands.nomenclature.code_of(value) is None:
                yield f"{path}: code {value!r} is neither a code nor a name of the nomenclature"
    if REGION in wanted:
        found = set(map(str, pd.unique(values[REGION])))
        for region in sorted(found - set(demands.regions)):
            hint = suggest(region, demands.regions, f"they are {', '.join(demands.regions)}")
            yield f"{path}: no region {region!r} touches a tile, {hint}"
        empty = [region for region in demands.regions if region not in found]
        if empty:
            yield f"{path}: has no sample of region {', '.join(empty)}"


def _without_value(path: str, features: Sequence[str]) -> Iterator[str]:
    """Features of whole numbers in a GeoParquet that some samples lack, by what the file says of its parts."""
    if not features:
        return
    about = pq.ParquetFile(path).metadata
    wanted = set(features)
    lacking: Counter[str] = Counter()
    for group in range(about.num_row_groups):
        for number in range(about.num_columns):
            column = about.row_group(group).column(number)
            told = column.statistics
            whole = column.physical_type in ("INT32", "INT64")
            if whole and column.path_in_schema in wanted and told and told.has_null_count:
                lacking[column.path_in_schema] += told.null_count
    short = [name for name in features if lacking[name]]
    if short:
        yield _no_value(path, short, lacking[short[0]])


def _no_value(path: str, features: Sequence[str], samples: int) -> str:
    more = f" and {len(features) - 3} more" if features[3:] else ""
    names = f"{', '.join(features[:3])}{more}"
    return f"{path}: {samples} sample(s) have no value of {names}; take them out, or the feature"


def _faults_of_draw(place: str, values: np.ndarray) -> Iterator[str]:
    """A column that does not say of each sample whether a draw learns it: any word would be taken for yes."""
    strange = [value for value in pd.unique(values).tolist() if value not in (0, 1)]
    if strange:
        yield (
            f"{place} holds {', '.join(map(repr, strange[:3]))}{' …' if strange[3:] else ''}; it says of each sample "
            "whether the draw learns it, true or false (1 or 0)"
        )


def read_own_table(
    path: str,
    region: str,
    seed: int,
    features: Sequence[str],
    nomenclature: Nomenclature,
    splits: str | None,
    buffer: float = 0.0,
) -> tuple[TrainingTable, int]:
    """Samples of a region and draw, but for those in polygons that validate in this draw.

    Without a column `region` all models learn all samples, without `seed_N` all draws; without `polygon`
    each sample counts as a polygon of its own in folds; so does one whose polygon is empty.

    Parameters
    ----------
    splits : str or None
        Polygons of the production (`splits.write_splits`); None: there is no reference, and nothing validates.
    buffer : float
        Samples nearer than this to a polygon that validates are left out as well, metres.

    Returns
    -------
    table : TrainingTable
    left_out : int
        Samples that lie in validation polygons.
    """
    header = own_header(path)
    optional = [name for name in (REGION, POLYGON, f"seed_{seed}") if name in header.columns]
    # Of a country's table the rows of one region are read, not all.
    filters = [
        (name, "=", value)
        for name, value, kind in (
            (REGION, region, pa.string()),
            (f"seed_{seed}", True, pa.bool_()),
        )
        if header.types.get(name) == kind
    ]
    columns = _read(path, [CODE, *features, *optional], geometry=True, filters=filters)
    kept = np.ones(len(columns[CODE]), dtype=bool)
    if REGION in optional:
        kept &= columns[REGION].astype(str) == region
    if f"seed_{seed}" in optional:
        kept &= columns[f"seed_{seed}"].astype(bool)
    rows = np.flatnonzero(kept)
    validating = np.zeros(len(rows), dtype=bool)
    if splits:
        validating = _in_validation(columns["geometry"][rows], header.crs, splits, seed, buffer)
    rows = rows[~validating]
    left_out = int(validating.sum())
    if left_out:
        logger.warning(
            "%s: %d samples lie in validation polygons of draw %d%s and are not learnt",
            *(path, left_out, seed, f", or nearer than {buffer:g} m," if buffer else ""),
        )
    given = columns[CODE][rows]
    code_of = {value: nomenclature.code_of(value) for value in pd.unique(given)}
    codes = np.array([code_of[value] for value in given], dtype=np.int64)
    whole = all(header.types.get(name) == pa.int16() for name in features)
    values = np.empty((len(rows), len(features)), np.int16 if whole else np.float32)
    for number, name in enumerate(features):
        own = columns[name][rows]
        if whole and own.dtype.kind == "f" and np.isnan(own).any():
            raise InputDataError(_no_value(path, [name], int(np.isnan(own).sum())))
        values[:, number] = own
    polygons = _numbers(columns[POLYGON][rows]) if POLYGON in optional else np.arange(len(rows))
    return TrainingTable(values, codes, polygons.astype(np.int64), list(features)), left_out


def _numbers(polygons: np.ndarray) -> np.ndarray:
    """Numbers of polygons as they are; of names numbers from 0, of a sample without one a number of its own."""
    if polygons.dtype.kind in "iu":
        return polygons
    numbers, known = pd.factorize(polygons)
    alone = np.flatnonzero(numbers < 0)
    numbers[alone] = len(known) + np.arange(len(alone))
    return numbers


def _read(
    path: str, names: Sequence[str], *, geometry: bool, filters: Sequence[tuple] = ()
) -> dict[str, np.ndarray]:
    """Columns of a table; `geometry` as points. Of a GeoParquet the rows that pass some filters."""
    wanted = list(dict.fromkeys(names))
    if not path.endswith(".parquet"):
        frame = read_layer(path, columns=wanted, read_geometry=geometry)
        return {name: frame[name].to_numpy() for name in [*wanted, *["geometry"] * geometry]}
    columns = [*wanted, *["geometry"] * geometry]
    table = pq.read_table(path, columns=columns, filters=list(filters) or None)
    found = {name: table[name].to_numpy() for name in wanted}
    if geometry:
        found["geometry"] = shapely.from_wkb(table["geometry"].to_numpy())
    return found


def _in_validation(
    points: np.ndarray, crs: str | None, splits: str, seed: int, buffer: float
) -> np.ndarray:
    """Which points lie in, or near, polygons that validate in a draw and do not learn in it, bool."""
    name = f"seed_{seed}"
    polygons = read_layer(splits, columns=[name])
    word = polygons[name]
    polygons = polygons[word.str.contains(VALIDATION) & ~word.str.contains(LEARN)]
    inside = np.zeros(len(points), dtype=bool)
    if len(points) and len(polygons):
        there = gpd.GeoSeries(points, crs=crs).to_crs(polygons.crs)
        tree = shapely.STRtree(polygons.geometry.to_numpy())
        if buffer:
            distance = in_units(buffer, str(polygons.crs), "sampling.buffer")
            found = tree.query(there.to_numpy(), predicate="dwithin", distance=distance)
        else:
            found = tree.query(there.to_numpy(), predicate="intersects")
        inside[found[0]] = True
    return inside
