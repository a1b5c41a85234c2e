"""Checksums of what final products hold, apart from the bytes of their files.

The bytes of a file change with the library that compressed it, with the hour, with its tags. What
counts is what it holds: pixels, grid, nodata and palette of a raster; features of a layer, in any
order; cells of a table; lines of a text; pixels of a picture.
"""

import csv
import hashlib
import json
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from osgeo import gdal

from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.grid import Grid, Window, grid_of, spatial_reference
from iota2_tools.geo.raster import open_raster, read_window

SIDE = 2048
"""Side of the blocks of a raster that have a checksum each, pixels."""
PART = 1 << 20
BATCH = 50_000
"""Features that are held at once."""
BYTES = 16
"""Length of a checksum."""

Kind = Literal["raster", "vector", "table", "text", "picture"]
KINDS: dict[str, Kind] = {
    ".tif": "raster",
    ".png": "picture",
    ".csv": "table",
    ".txt": "text", ".qml": "text", ".xml": "text", ".json": "text", ".geojson": "text",
    ".gpkg": "vector", ".fgb": "vector", ".parquet": "vector", ".shp.zip": "vector",
}  # fmt: skip


@dataclass(frozen=True)
class Content:
    """What a product holds.

    Parameters
    ----------
    kind : str
        What it is: raster, vector, table, text or picture.
    checksum : str
        BLAKE2b of 128 bits, hexadecimal.
    count : int
        Pixels of a band, features, rows or lines.
    blocks : list of str
        Of a raster: the checksum of each block of `SIDE` pixels, row by row; all bands together.
    values : dict of str to int
        Of a raster of codes: pixels of each code but nodata.
    """

    kind: Kind
    checksum: str
    count: int
    blocks: list[str] = field(default_factory=list)
    values: dict[str, int] = field(default_factory=dict)


def kind_of(path: str | Path) -> Kind | None:
    """What a file is by its name; None where nothing but its bytes can be compared."""
    name = str(path).lower()
    return next((kind for end, kind in KINDS.items() if name.endswith(end)), None)


def content_of(path: str | Path) -> Content | None:
    """What a product holds; None where nothing but its bytes can be compared.

    Memory is bounded by a block of one band, or by `BATCH` features.

    Raises
    ------
    InputDataError
        If it cannot be read.
    """
    readers = {
        "raster": _raster,
        "vector": _vector,
        "table": _table,
        "text": _text,
        "picture": _picture,
    }
    kind = kind_of(path)
    return readers[kind](str(path)) if kind else None


def sha256_of(path: str | Path) -> str:
    """SHA-256 of the bytes of a file, hexadecimal."""
    found = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(PART):
            found.update(part)
    return found.hexdigest()


def _digest(*parts: Any) -> hashlib.blake2b:
    """BLAKE2b of the JSON text of some values."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=BYTES)


def blocks_of(grid: Grid) -> list[Window]:
    """Blocks of a raster that have a checksum each, row by row."""
    return list(grid.windows(SIDE, SIDE))


def _raster(path: str) -> Content:
    grid, dataset = grid_of(path), open_raster(path)
    place = [*grid.geotransform, grid.rows, grid.cols]
    about = _digest(_crs(grid.crs), place, bands_of(dataset))
    values = np.zeros(65536, dtype=np.int64) if _coded(dataset) else None
    blocks = []
    for window in blocks_of(grid):
        block = hashlib.blake2b(digest_size=BYTES)
        for number in range(1, dataset.RasterCount + 1):
            pixels = read_window(dataset, window, number)
            block.update(_plain(pixels))
            if values is not None:
                values += np.bincount(pixels.ravel(), minlength=len(values))
        blocks.append(block.hexdigest())
    about.update("".join(blocks).encode())
    counted = {}
    if values is not None:
        nodata = dataset.GetRasterBand(1).GetNoDataValue()
        counted = {
            str(code): int(values[code]) for code in np.flatnonzero(values) if code != nodata
        }
    return Content("raster", about.hexdigest(), grid.rows * grid.cols, blocks, counted)


def _crs(crs: str) -> str:
    """A projection by its authority's code, whose words do not change with the version of PROJ."""
    reference = spatial_reference(crs)
    name, code = reference.GetAuthorityName(None), reference.GetAuthorityCode(None)
    return f"{name}:{code}" if code else reference.ExportToWkt()


def bands_of(dataset: gdal.Dataset) -> list[list[Any]]:
    """Type, nodata, name and palette of each band."""
    return [_about(dataset.GetRasterBand(number + 1)) for number in range(dataset.RasterCount)]


def _about(band: gdal.Band) -> list[Any]:
    table, nodata = band.GetColorTable(), band.GetNoDataValue()
    colours = [table.GetColorEntry(code) for code in range(table.GetCount())] if table else []
    return [
        gdal.GetDataTypeName(band.DataType),
        None if nodata is None else str(nodata),
        band.GetDescription(),
        [list(colour) for colour in colours],
    ]


def _coded(dataset: gdal.Dataset) -> bool:
    """Whether the pixels of a raster are codes, of which as many as there are can be counted."""
    band = dataset.GetRasterBand(1)
    small = band.DataType in (gdal.GDT_Byte, gdal.GDT_UInt16)
    return small and dataset.RasterCount == 1 and band.GetColorTable() is not None


def _plain(pixels: np.ndarray) -> bytes:
    """Bytes of pixels, the same on all machines: little-endian, one NaN, one zero."""
    if pixels.dtype.kind == "f":
        pixels = np.where(np.isnan(pixels), np.nan, pixels + 0).astype(pixels.dtype)
    return np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("<")).tobytes()


def _picture(path: str) -> Content:
    dataset = open_raster(path)
    pixels = read_window(dataset)
    found = _digest(list(pixels.shape), str(pixels.dtype))
    found.update(_plain(pixels))
    return Content("picture", found.hexdigest(), pixels.shape[1] * pixels.shape[2])


def lines_of(path: str | Path) -> list[str]:
    """Lines of a text, whatever ends them.

    Raises
    ------
    InputDataError
        If it is no text.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: str | Path, reason: object) -> InputDataError:
    return InputDataError(f"{path}: cannot be read ({reason}); fetch or make it again")


def _text(path: str) -> Content:
    lines = lines_of(path)
    return Content("text", _digest(lines).hexdigest(), len(lines))


def rows_of_table(path: str | Path) -> list[list[str]]:
    """Cells of a CSV table, as they are written."""
    try:
        return list(csv.reader(lines_of(path)))
    except csv.Error as error:
        raise _unreadable(path, error) from None


def _table(path: str) -> Content:
    rows = rows_of_table(path)
    return Content("table", _digest(rows).hexdigest(), len(rows))


def _vector(path: str) -> Content:
    """The features of all layers, in any order: the sum of their checksums."""
    total, count = 0, 0
    for feature in features_of(path):
        total += int.from_bytes(feature, "big")
        count += 1
    about = _digest(heads_of(path), f"{total % (1 << 8 * BYTES):x}", count)
    return Content("vector", about.hexdigest(), count)


def heads_of(path: str) -> list[Any]:
    """Name, projection and columns of each layer of a vector file."""
    with _blamed(path):
        return [layer.head for layer in _layers(path)]


def features_of(path: str) -> Iterator[bytes]:
    """Checksum of each feature of a vector file, of its layer, attributes and geometry."""
    with _blamed(path):
        for layer in _layers(path):
            for columns in layer.batches:
                yield from _rows(layer.name, columns)


@contextmanager
def _blamed(path: str) -> Iterator[None]:
    """What Arrow and GDAL say of a vector file that is cut or damaged becomes an InputDataError."""
    try:
        yield
    except (OSError, ValueError, RuntimeError) as error:  # of several classes each
        raise _unreadable(path, error) from None


@dataclass(frozen=True)
class _Layer:
    """A layer of a vector file: its name, what it is, its features as columns of Arrow."""

    name: str
    head: list[Any]
    batches: Iterable[list[Any]]


def _layers(path: str) -> Iterator[_Layer]:
    if path.lower().endswith(".parquet"):
        yield _parquet(path)
        return
    import pyogrio

    source = f"/vsizip/{path}" if path.lower().endswith(".zip") else path
    names = [name for name, kind in pyogrio.list_layers(source) if kind]
    for name in sorted(names):
        about = pyogrio.read_info(source, layer=name)
        crs = _crs(about["crs"]) if about["crs"] else ""
        columns = [[str(n), str(t)] for n, t in zip(about["fields"], about["dtypes"], strict=True)]
        yield _Layer(name, [name, crs, columns], _batches(source, name))


def _batches(source: str, layer: str) -> Iterator[list[Any]]:
    import pyogrio

    with pyogrio.open_arrow(source, layer=layer, batch_size=BATCH, use_pyarrow=True) as (_, reader):
        for batch in reader:
            yield list(batch.columns)


def _parquet(path: str) -> _Layer:
    import pyarrow.parquet as parquet

    file = parquet.ParquetFile(path)
    # What was added at the end of writing stands in the file alone, not in the schema.
    about = json.loads((file.metadata.metadata or {}).get(b"geo", b"{}"))
    columns = [[name, str(kind)] for name, kind in zip(
        file.schema_arrow.names, file.schema_arrow.types, strict=True
    )]  # fmt: skip
    crs = about.get("columns", {}).get(about.get("primary_column"), {}).get("crs") or {}
    batches = (list(batch.columns) for batch in file.iter_batches(batch_size=BATCH))
    return _Layer("", ["", str(crs.get("id", crs)), columns], batches)


def _rows(layer: str, columns: list[Any]) -> Iterator[bytes]:
    """Checksum of each row of some columns of Arrow of one length."""
    head = layer.encode() + b"\0"
    for cells in zip(*map(_cells, columns), strict=True):
        yield hashlib.blake2b(head + b"".join(cells), digest_size=BYTES).digest()


def _cells(column: Any) -> Iterator[bytes]:
    """Cells of a column as bytes that tell where they end; numbers of one value are one."""
    for value in column.to_pylist():
        if value is None:
            yield b"n"
        elif isinstance(value, bytes):
            yield b"b" + struct.pack("<q", len(value)) + value
        elif isinstance(value, float):
            yield b"f" + struct.pack("<d", value + 0.0)
        else:
            text = str(value).encode()
            yield b"t" + struct.pack("<q", len(text)) + text
