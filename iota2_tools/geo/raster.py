"""Reading and writing GeoTIFFs by windows; a file bears its name only once it is whole."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import numpy as np
from osgeo import gdal

from iota2_tools.core.errors import InputDataError, OutputError, unwritable
from iota2_tools.core.files import whole_file
from iota2_tools.geo.grid import Grid, Window

gdal.UseExceptions()

# GDAL would keep 5 % of the machine's memory per job; windows follow the blocks, so this is enough.
CACHE_MB = 128
if not os.environ.get("GDAL_CACHEMAX"):
    gdal.SetCacheMax(CACHE_MB << 20)

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


@contextmanager
def gdal_failures_raise(path: str) -> Iterator[None]:
    """Turn what GDAL only prints while it closes a file into an `OutputError`."""
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
        raise unwritable(path, failures[0])


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
            with suppress(OutputError):
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
    if not os.path.exists(path):
        raise InputDataError(f"{path}: no such file")
    try:
        return gdal.Open(str(path))
    except RuntimeError as error:
        raise InputDataError(
            f"{path}: cannot be opened ({error}); if the file is truncated or half-copied, "
            "fetch it again"
        ) from None


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
