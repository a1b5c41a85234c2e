"""Layers of polygons as files: GeoPackage, FlatGeobuf, GeoParquet, zipped Shapefile."""

import csv
import io
import itertools
import json
import shutil
import sqlite3
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio

from iota2_tools.core.files import whole_file, whole_folder
from iota2_tools.geo.raster import gdal_error
from iota2_tools.geo.vectors import FIXED_DATE
from iota2_tools.vectors.attributes import unique_name

LAYER = "land_cover"
"""Name of the layer in a file."""
ENDS = {"gpkg": ".gpkg", "fgb": ".fgb", "parquet": ".parquet", "shp": ".shp.zip"}
SHORT = {
    "confidence_mean": "conf_mean", "confidence_sd": "conf_sd",
    "confidence_majority_mean": "confm_mean", "confidence_majority_sd": "confm_sd",
    "validity_mean": "val_mean", "validity_sd": "val_sd",
    "validity_majority_mean": "valm_mean", "validity_majority_sd": "valm_sd",
}  # fmt: skip


@dataclass(frozen=True)
class Dress:
    """What a file holds beside the polygons.

    Parameters
    ----------
    style : str
        QGIS style (`style.polygon_style`).
    tags : mapping of str to str
        Provenance, and what columns mean.
    """

    style: str
    tags: Mapping[str, str]


def write_layer_files(
    frames: Callable[[], Iterator[gpd.GeoDataFrame]], outputs: Sequence[str], dress: Dress
) -> None:
    """Write a layer in each format that a file name asks for.

    Parameters
    ----------
    frames : callable
        Gives the parts of the layer, one after the other, each time anew.
    outputs : sequence of str
        Files; their ends (`ENDS`) tell the format. Beside those that hold no style stands one, `.qml`.

    Raises
    ------
    OutputError
        If a file could not be written whole.
    """
    for output in outputs:
        if output.endswith(ENDS["gpkg"]):
            _write_geopackage(frames(), output, dress)
        elif output.endswith(ENDS["fgb"]):
            _write_flatgeobuf(frames(), output)
        elif output.endswith(ENDS["parquet"]):
            _write_parquet(frames(), output)
        elif output.endswith(ENDS["shp"]):
            _write_shapefile(frames(), output, dress)
        else:
            raise AssertionError(f"no format of {output}")
        if not output.endswith(ENDS["gpkg"]):
            _write_text(style_beside(output), dress.style)


def style_beside(path: str) -> str:
    """Style file of a layer that holds none."""
    end = next(end for end in ENDS.values() if path.endswith(end))
    return path.removesuffix(end) + f"{end.removesuffix('.zip').replace('.', '_')}.qml"


def _write_text(path: str, text: str) -> None:
    with whole_file(path) as temporary:
        Path(temporary).write_text(text, encoding="utf-8")


@contextmanager
def _writing(path: str) -> Iterator[None]:
    """The hour of writing is fixed: the same features give the same bytes."""
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": FIXED_DATE})
    try:
        yield
    except RuntimeError as error:  # what all errors of pyogrio are
        raise gdal_error(path, [str(error)]) from None
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def _write_geopackage(frames: Iterator[gpd.GeoDataFrame], output: str, dress: Dress) -> None:
    with whole_file(output) as temporary, _writing(output):
        for number, frame in enumerate(frames):
            # pyogrio writes GeoPackage 1.4, which GDAL 3.6 complains of.
            first = {"VERSION": "1.2"} if number == 0 else {}
            pyogrio.write_dataframe(
                frame, temporary, layer=LAYER, driver="GPKG", use_arrow=True, append=number > 0,
                geometry_type=_kind_of(frame), **first,
            )  # fmt: skip
        _dress(temporary, dress)


def _dress(path: str, dress: Dress) -> None:
    """Put style and metadata into a GeoPackage: tables that QGIS and GDAL look for."""
    connection = sqlite3.connect(path)
    with connection:
        connection.executescript(
            """
            CREATE TABLE layer_styles (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
              f_table_catalog TEXT, f_table_schema TEXT, f_table_name TEXT, f_geometry_column TEXT,
              styleName TEXT, styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT,
              owner TEXT, ui TEXT, update_time DATETIME);
            CREATE TABLE IF NOT EXISTS gpkg_metadata (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
              md_scope TEXT NOT NULL DEFAULT 'dataset', md_standard_uri TEXT NOT NULL,
              mime_type TEXT NOT NULL DEFAULT 'text/xml', metadata TEXT NOT NULL DEFAULT '');
            CREATE TABLE IF NOT EXISTS gpkg_metadata_reference (reference_scope TEXT NOT NULL,
              table_name TEXT, column_name TEXT, row_id_value INTEGER, timestamp DATETIME NOT NULL,
              md_file_id INTEGER NOT NULL, md_parent_id INTEGER);
            CREATE TABLE IF NOT EXISTS gpkg_extensions (table_name TEXT, column_name TEXT,
              extension_name TEXT NOT NULL, definition TEXT NOT NULL, scope TEXT NOT NULL,
              CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));
            """
        )
        connection.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, last_change) "
            "VALUES ('layer_styles', 'attributes', 'layer_styles', ?)",
            (FIXED_DATE,),
        )
        connection.execute(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, "
            "f_geometry_column, styleName, styleQML, styleSLD, useAsDefault, description, update_time) "
            "VALUES ('', '', ?, 'geom', ?, ?, '', 1, '', ?)",
            (LAYER, LAYER, dress.style, FIXED_DATE),
        )
        for table in ("gpkg_metadata", "gpkg_metadata_reference"):
            connection.execute(
                "INSERT OR IGNORE INTO gpkg_extensions VALUES (?, NULL, 'gpkg_metadata', "
                "'http://www.geopackage.org/spec121/#extension_metadata', 'read-write')",
                (table,),
            )
        lines = "".join(
            f"<MDI key={quoteattr(key)}>{escape(str(value))}</MDI>"
            for key, value in sorted(dress.tags.items())
        )
        row = connection.execute(
            "INSERT INTO gpkg_metadata (md_standard_uri, metadata) VALUES ('http://gdal.org', ?)",
            (f"<GDALMultiDomainMetadata><Metadata>{lines}</Metadata></GDALMultiDomainMetadata>",),
        )
        connection.execute(
            "INSERT INTO gpkg_metadata_reference VALUES ('table', ?, NULL, NULL, ?, ?, NULL)",
            (LAYER, FIXED_DATE, row.lastrowid),
        )
    connection.close()


def _write_flatgeobuf(frames: Iterator[gpd.GeoDataFrame], output: str) -> None:
    """GDAL appends nothing to such a file: it takes the parts as one stream."""
    first = next(frames)
    tables = (pa.table(frame.to_arrow(index=False)) for frame in itertools.chain([first], frames))
    table = next(tables)
    schema = table.schema

    def batches() -> Iterator[pa.RecordBatch]:
        for part in itertools.chain([table], tables):
            yield from part.cast(schema).to_batches()

    with whole_file(output) as temporary, _writing(output):
        pyogrio.write_arrow(
            pa.RecordBatchReader.from_batches(schema, batches()), temporary, layer=LAYER,
            driver="FlatGeobuf", geometry_name="geometry", geometry_type=_kind_of(first),
            crs=first.crs.to_wkt(),
        )  # fmt: skip


def _kind_of(frame: gpd.GeoDataFrame) -> str:
    return str(frame.geom_type.iloc[0]) if len(frame) else "MultiPolygon"


def _together(frames: Iterator[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    return pd.concat(list(frames), ignore_index=True)


def _write_parquet(frames: Iterator[gpd.GeoDataFrame], output: str) -> None:
    """Part by part; what GeoParquet tells of all geometries comes last."""
    tables = map(_as_geoparquet, frames)
    first = next(tables)
    told, schema = _told_of(first), first.schema.remove_metadata()
    with (
        whole_file(output) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):
        for table in itertools.chain([first], tables):
            _add_extent(told["columns"]["geometry"], _told_of(table)["columns"]["geometry"])
            writer.write_table(table.replace_schema_metadata().cast(schema))
        writer.add_key_value_metadata({"geo": json.dumps(told)})


def _as_geoparquet(frame: gpd.GeoDataFrame) -> pa.Table:
    """A part of a layer as geopandas would write it."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False, compression=None, write_covering_bbox=True)
    return pq.read_table(buffer)


def _told_of(table: pa.Table) -> dict[str, Any]:
    """What GeoParquet tells of the geometries of a table."""
    return dict(json.loads((table.schema.metadata or {})[b"geo"]))


def _add_extent(column: dict[str, Any], other: Mapping[str, Any]) -> None:
    """Let what is told of a column of geometries hold those of another part as well."""
    column["geometry_types"] = sorted({*column["geometry_types"], *other["geometry_types"]})
    both = list(zip(column["bbox"], other["bbox"], strict=True))
    column["bbox"] = [*map(min, both[:2]), *map(max, both[2:])]


def _write_shapefile(frames: Iterator[gpd.GeoDataFrame], output: str, dress: Dress) -> None:
    """A zipped Shapefile with short names, the style and a table of the names."""
    frame = _together(frames)
    short = short_names([name for name in frame.columns if name != "geometry"])
    name = Path(output).name.removesuffix(ENDS["shp"])
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("field", "meaning"))
    table.writerows((field, full) for full, field in short.items())
    folder = str(Path(output).with_name(f".files-{name}"))
    with whole_file(output) as temporary, whole_folder(folder) as place, _writing(output):
        path = str(Path(place) / f"{name}.shp")
        pyogrio.write_dataframe(
            frame.rename(columns=short), path, driver="ESRI Shapefile", encoding="UTF-8"
        )
        Path(place, f"{name}.qml").write_text(dress.style, encoding="utf-8")
        Path(place, f"{name}_fields.csv").write_text(text.getvalue(), encoding="utf-8")
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(Path(place).iterdir()):
                _put(archive, file)
    shutil.rmtree(folder, ignore_errors=True)


def _put(archive: zipfile.ZipFile, file: Path) -> None:
    """Put a file into an archive, without its date."""
    entry = zipfile.ZipInfo(file.name)
    entry.compress_type = zipfile.ZIP_DEFLATED
    with archive.open(entry, "w", force_zip64=True) as target, open(file, "rb") as source:
        shutil.copyfileobj(source, target)


def short_names(columns: Sequence[str]) -> dict[str, str]:
    """Names of at most ten bytes, each once whatever the case, by the full names.

    >>> list(short_names(["id", "confidence_mean", "elevation_mean", "elevation_median"]).values())
    ['id', 'conf_mean', 'ElevationM', 'Elevation1']
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for column in columns:
        name = SHORT.get(column, column)
        if len(name.encode()) > 10 or name.lower() in taken:
            name = unique_name(name, taken)
        found[column] = name
        taken.add(name.lower())
    return found


def write_json(path: str, content: Mapping[str, object]) -> None:
    """Write a JSON file with sorted keys."""
    _write_text(path, json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
