"""All samples of a production as one file: points with their features."""

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyproj

from iota2_tools.core.errors import InputDataError
from iota2_tools.core.files import whole_file
from iota2_tools.geo.vectors import write_layer
from iota2_tools.reference.table import feature_columns

logger = logging.getLogger(__name__)

MOST_COLUMNS = 1990
"""Of a GeoPackage: SQLite takes 2000, some of which are the layer's own."""
ROWS_TOGETHER = 1 << 16
LAYER = "samples"


@dataclass(frozen=True)
class Chosen:
    """Which samples are exported.

    Parameters
    ----------
    seed : int, optional
        Those that this draw learns; by default those of any draw.
    region : str, optional
        Those of one region; by default of all.
    """

    seed: int | None = None
    region: str | None = None


def export_samples(tables: dict[str, str], output: str, chosen: Chosen = Chosen()) -> int:
    """Write the samples of all tiles into one GeoParquet or GeoPackage, as the name of the file says.

    Columns are those of the tables, and `tile` before them. A feature that some tiles do not have is null there.

    Parameters
    ----------
    tables : dict of str to str
        Table of `table.write_samples` of each tile.
    output : str
        File that ends with .parquet or .gpkg; it appears only once whole.

    Returns
    -------
    int
        Number of samples.

    Raises
    ------
    InputDataError
        If the name ends otherwise, a table is damaged, the draw or region is not there, or a GeoPackage cannot hold
        so many columns.
    """
    write = {".parquet": _write_parquet, ".gpkg": _write_gpkg}.get(Path(output).suffix)
    if write is None:
        raise InputDataError(f"{output}: is neither .parquet (GeoParquet) nor .gpkg (GeoPackage)")
    schema = _common_schema(list(tables.values()))
    if chosen.seed is not None and f"seed_{chosen.seed}" not in schema.names:
        draws = ", ".join(name[5:] for name in schema.names if name.startswith("seed_"))
        raise InputDataError(f"no samples of draw {chosen.seed}; there are those of {draws}")
    parts = (_read(tile, path, schema, chosen) for tile, path in tables.items())
    with whole_file(output) as temporary:
        number = write((part for part in parts if len(part)), schema, temporary)
        if not number:
            where = "" if chosen.region is None else f" of region {chosen.region!r}"
            raise InputDataError(f"{output}: there are no samples{where} to export")
    logger.info("%s: %d samples, %d columns", output, number, len(schema.names))
    return number


def _common_schema(paths: Sequence[str]) -> pa.Schema:
    """Columns of all tables: `tile`, those that all have first, the geometry last."""
    for path in paths:
        feature_columns(path)  # says what is wrong with a file
    schemas = [pq.read_schema(path) for path in paths]
    whole = pa.unify_schemas(
        [schema.remove_metadata() for schema in schemas], promote_options="permissive"
    )
    fields = [field for field in whole if field.name != "geometry"]
    fields = [pa.field("tile", pa.string()), *fields, pa.field("geometry", pa.binary())]
    return pa.schema(fields, schemas[0].metadata)


def _read(tile: str, path: str, schema: pa.Schema, chosen: Chosen) -> pa.Table:
    """Samples of a tile by the columns of all."""
    filters = None
    if chosen.seed is not None:
        filters = pc.field(f"seed_{chosen.seed}")
    if chosen.region is not None:
        own = pc.field("region") == chosen.region
        filters = own if filters is None else filters & own
    table = pq.read_table(path, filters=filters)
    columns = []
    for field in schema:
        if field.name == "tile":
            columns.append(pa.array([tile] * len(table), pa.string()))
        elif field.name in table.column_names:
            columns.append(table[field.name].cast(field.type))
        else:
            columns.append(pa.nulls(len(table), field.type))
    return pa.table(columns, schema=schema)


def _write_parquet(parts: Iterable[pa.Table], schema: pa.Schema, path: str) -> int:
    number = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as file:
        for part in parts:
            file.write_table(part, row_group_size=ROWS_TOGETHER)
            number += len(part)
    return number


def _write_gpkg(parts: Iterable[pa.Table], schema: pa.Schema, path: str) -> int:
    if len(schema.names) > MOST_COLUMNS:
        raise InputDataError(
            f"{len(schema.names)} columns are more than the {MOST_COLUMNS} a GeoPackage can hold; "
            "export to .parquet"
        )
    place = json.loads(schema.metadata[b"geo"])["columns"]["geometry"]["crs"]
    crs = pyproj.CRS.from_json_dict(place)
    number = 0
    for part in parts:
        frame = part.drop_columns("geometry").to_pandas()
        points = gpd.GeoSeries.from_wkb(part["geometry"].to_numpy(), crs=crs)
        write_layer(gpd.GeoDataFrame(frame, geometry=points), path, layer=LAYER, append=number > 0)
        number += len(part)
    return number
