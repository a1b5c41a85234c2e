"""Reading and writing GeoTIFFs by windows; a file bears its name only once it is whole."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

import numpy as np
from osgeo import gdal

from iota2_tools.core.errors import (
    InputDataError,
    Iota2Error,
    MissingSoftwareError,
    OutputError,
    unopened,
    unwritable,
)
from iota2_tools.core.files import whole_file
from iota2_tools.geo.grid import Grid, Window

gdal.UseExceptions()

# GDAL would keep 5 % of the machine's memory per job; windows follow the blocks, so this is enough.
CACHE_MB = 128
if not os.environ.get("GDAL_CACHEMAX"):
    gdal.SetCacheMax(CACHE_MB << 20)

MAP_CACHE_MB = 256
"""Of a job that goes over a whole map: a row of its blocks."""

STRIP_ROWS = 256
"""Height of the windows of what goes over a few bands of a tile: a row of its blocks."""

GDAL_TYPES = {
    "uint8": gdal.GDT_Byte,
    "uint16": gdal.GDT_UInt16,
    "uint32": gdal.GDT_UInt32,
    "int16": gdal.GDT_Int16,
    "int32": gdal.GDT_Int32,
    "float32": gdal.GDT_Float32,
    "float64": gdal.GDT_Float64,
}

# zstd-1 reads four times faster than LZW and deflate (docs/architecture.md, "Formats").
CREATION_OPTIONS = (
    "TILED=YES",
    "BLOCKXSIZE=256",
    "BLOCKYSIZE=256",
    "COMPRESS=ZSTD",
    "ZSTD_LEVEL=1",
    "BIGTIFF=IF_SAFER",
    "INTERLEAVE=BAND",
)


# Words of GDAL and libtiff, paths left out, about PROJ, memory, what is read, what is written.
_PROJ = re.compile(r"\bPROJ: |\bproj_\w+:|\bproj\.db\b")
_MEMORY = re.compile(r"cannot allocate|out of memory|memory allocation", re.IGNORECASE)
_READING = re.compile(
    r"read error|ReadBlock|TIFFRead|not recognized as|"
    r"^(?!.*\bcreat).*(no such file|does not exist|permission denied)",
    re.IGNORECASE,
)
_WRITING = re.compile(
    r"\bwrit|tiff(write|append|rewrite|seek)|seek error|\bcreat|\bcommit|no space left|disk|quota|"
    r"too large|read-?only|unable to open database",
    re.IGNORECASE,
)


@contextmanager
def gdal_failures_raise(path: str) -> Iterator[None]:
    """Turn what GDAL raises, or only prints while it closes a file, into an error about `path`.

    Raises
    ------
    Iota2Error
        See `gdal_error`.
    """
    failures: list[str] = []

    def remember(level: int, _number: int, message: str) -> None:
        if level >= gdal.CE_Failure:
            failures.append(message)

    gdal.PushErrorHandler(remember)
    try:
        yield
    except RuntimeError as error:
        failures.append(str(error))
    finally:
        gdal.PopErrorHandler()
    if failures:
        raise gdal_error(path, failures)


def gdal_error(path: str, messages: Sequence[str]) -> Iota2Error:
    """What GDAL's messages mean for a file that was being made.

    Parameters
    ----------
    path : str
        The file.
    messages : sequence of str
        In the order GDAL told them; at least one.

    Returns
    -------
    MissingSoftwareError
        If PROJ cannot work.
    InputDataError
        If something could not be read.
    OutputError
        If `path` could not be written, for want of room or permission, or for a reason unknown.
    Iota2Error
        If there was too little memory.
    """
    for message in messages:  # the first one that says why
        error = _error_of_kind(path, message)
        if error:
            return error
    return OutputError(f"{path}: cannot be made: GDAL says {messages[0]!r}")


def _error_of_kind(path: str, message: str) -> Iota2Error | None:
    message = re.sub(r"^_tiff\w+Proc:\s*", "", message)  # what libtiff was about to do
    words = re.sub(r"\S*/\S*", " ", message)
    if _PROJ.search(message):
        return MissingSoftwareError(
            f"{path}: cannot be made: PROJ does not know its projection ({message}); "
            "`iota2 doctor` tells what is in the way"
        )
    if _MEMORY.search(words):
        return Iota2Error(
            f"{path}: cannot be made: too little memory ({message}); give the job more "
            "(--set-resources RULE:mem_mb=…)"
        )
    if _READING.search(words):
        return InputDataError(
            f"{path}: cannot be made: what it is made of cannot be read ({message}); remove the "
            "damaged file, or fetch it again"
        )
    return unwritable(path, message) if _WRITING.search(words) else None


class RasterWriter:
    """An open GeoTIFF to be filled window by window; see `create_raster`."""

    def __init__(self, dataset: gdal.Dataset, path: str) -> None:
        self._dataset = dataset
        self._path = path

    def write(self, array: np.ndarray, window: Window, band: int = 1) -> None:
        """Write a (rows, cols) array at a window of a band (counted from 1)."""
        with gdal_failures_raise(self._path):
            self._dataset.GetRasterBand(band).WriteArray(array, window.col, window.row)

    def write_bands(self, array: np.ndarray, window: Window) -> None:
        """Write a (bands, rows, cols) array at a window of all bands."""
        with gdal_failures_raise(self._path):
            self._dataset.WriteArray(array, window.col, window.row)

    @property
    def dataset(self) -> gdal.Dataset:
        """The GDAL dataset, to set colours or metadata."""
        return self._dataset

    def close(self) -> None:
        """Write what is still in memory; OutputError if that fails."""
        with gdal_failures_raise(self._path):
            dataset, self._dataset = self._dataset, None
            dataset.FlushCache()
            del dataset


@contextmanager
def create_raster(
    path: str,
    grid: Grid,
    dtype: str,
    *,
    bands: int = 1,
    nodata: float | None = None,
    descriptions: tuple[str, ...] = (),
    tags: Mapping[str, str] | None = None,
    options: tuple[str, ...] = (),
) -> Iterator[RasterWriter]:
    """Create a tiled, compressed GeoTIFF that appears under its name only once whole.

    Parameters
    ----------
    path : str
        File to write; its folder is created.
    grid : Grid
        Georeference and shape.
    dtype : str
        Key of `GDAL_TYPES`.
    bands : int
        Number of bands.
    nodata : float, optional
        Value that means "nothing here".
    descriptions : tuple of str
        Name of each band.
    tags : mapping of str to str, optional
        TIFF metadata.
    options : tuple of str
        GDAL creation options, after (and over) `CREATION_OPTIONS`.

    Raises
    ------
    OutputError
        If anything could not be written, also when it shows only while closing.
    """
    with whole_file(path) as temporary:
        with gdal_failures_raise(path):
            dataset = gdal.GetDriverByName("GTiff").Create(
                temporary,
                grid.cols,
                grid.rows,
                bands,
                GDAL_TYPES[dtype],
                [*CREATION_OPTIONS, *options],
            )
            dataset.SetGeoTransform(grid.geotransform)
            dataset.SetProjection(grid.crs)
            dataset.SetMetadata(dict(tags or {}))
            for number, description in enumerate(descriptions, start=1):
                dataset.GetRasterBand(number).SetDescription(description)
            if nodata is not None:
                for number in range(1, bands + 1):
                    dataset.GetRasterBand(number).SetNoDataValue(float(nodata))
        writer = RasterWriter(dataset, path)
        del dataset
        try:
            yield writer
        except BaseException:
            with suppress(Iota2Error):
                writer.close()
            raise
        writer.close()


def open_raster(path: str) -> gdal.Dataset:
    """Open a raster for reading.

    Raises
    ------
    InputDataError
        If it is absent or no raster GDAL can read.
    """
    if not str(path).startswith("/vsi") and not os.path.exists(path):
        raise InputDataError(f"{path}: no such file")
    try:
        return gdal.Open(str(path))
    except RuntimeError as error:
        remedy = "if the file is truncated or half-copied, fetch it again"
        raise unopened(path, error, remedy) from None


def class_names(path: str) -> dict[int, str]:
    """Names of the classes of a map by code; see `classes_named_by`."""
    return classes_named_by(open_raster(path))


def classes_named_by(dataset: gdal.Dataset) -> dict[int, str]:
    """Names of the classes of a map in order of their codes, from its tags ``CLASS_<code>``; empty if it names none."""
    found = {
        int(key.removeprefix("CLASS_")): name
        for key, name in dataset.GetMetadata().items()
        if key.startswith("CLASS_") and key.removeprefix("CLASS_").isdecimal()
    }
    return dict(sorted(found.items()))


def code_of_nothing(path: str) -> int | None:
    """Code beside 0 of the pixels of a class map that have no class: its nodata, unless it names a class so.

    None: there is no such code.

    Raises
    ------
    InputDataError
        If the map holds quantities, not whole numbers.
    """
    dataset = open_raster(path)
    band = dataset.GetRasterBand(1)
    kind = gdal.GetDataTypeName(band.DataType)
    if kind.startswith(("Float", "C")):
        raise InputDataError(
            f"{path}: has pixels of {kind}, a class map whole numbers; convert it (gdal_translate -ot UInt16)"
        )
    nodata = band.GetNoDataValue()
    if not nodata or not float(nodata).is_integer() or int(nodata) in classes_named_by(dataset):
        return None
    return int(nodata)


def read_window(
    dataset: gdal.Dataset, window: Window | None = None, band: int | None = None
) -> np.ndarray:
    """Read a window of one band, shape (rows, cols), or of all, (bands, rows, cols).

    Raises
    ------
    InputDataError
        If pixels cannot be decoded, with the file's name and what to do.
    """
    source = dataset if band is None else dataset.GetRasterBand(band)
    place = () if window is None else (window.col, window.row, window.cols, window.rows)
    try:
        array = source.ReadAsArray(*place)
    except RuntimeError as error:
        raise unreadable(dataset.GetDescription(), error) from None
    if array is None:
        raise unreadable(dataset.GetDescription(), "no data came back")
    return array[np.newaxis] if band is None and array.ndim == 2 else array


def unreadable(path: str, reason: object) -> InputDataError:
    """The error of an image whose pixels cannot be decoded."""
    return InputDataError(
        f"{path}: pixels cannot be read ({reason}); the file is truncated or "
        "damaged: fetch that product again, or move its folder away to do without it"
    )


def read_raster(path: str, band: int | None = 1) -> np.ndarray:
    """Read a whole (small) raster: one band, or all of them if `band` is None."""
    return read_window(open_raster(path), None, band)


@contextmanager
def block_cache(megabytes: int) -> Iterator[None]:
    """Bound GDAL's block cache: by default it takes 5 % of the machine, not of the job."""
    usual = gdal.GetCacheMax()
    gdal.SetCacheMax(megabytes * 1024 * 1024)
    try:
        yield
    finally:
        gdal.SetCacheMax(usual)
