"""Images of any grid, read on the grid of a tile."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from osgeo import gdal

from iota2_tools.core.errors import Iota2Error
from iota2_tools.core.platform import files_allowed
from iota2_tools.geo.grid import Grid, Window, grid_of, is_coarser
from iota2_tools.geo.raster import open_raster, unreadable
from iota2_tools.geo.resampling import source_window, upsample_cubic_2x

gdal.UseExceptions()

HANDLES = 2
"""Files that an open image may hold: its own, and one beside it."""


class ImagePool:
    """Open images, no more than the system allows; the others are opened each time they are read.

    Images are read in turns, window after window. So those opened first stay open; one that takes
    the place of another would be closed before its next turn.

    Parameters
    ----------
    limit : int, optional
        Most images kept open; by default what the system allows.
    """

    def __init__(self, limit: int | None = None) -> None:
        self._limit = max(files_allowed() // HANDLES, 1) if limit is None else limit
        self._kept: set[object] = set()
        self._idle: dict[object, gdal.Dataset] = {}
        self._lock = threading.Lock()

    @contextmanager
    def use(self, key: object, opened: Callable[[], gdal.Dataset]) -> Iterator[gdal.Dataset]:
        """Give an image that no other thread uses meanwhile.

        Parameters
        ----------
        key : object
            What tells this image from others.
        opened : callable
            Opens it, where it is not open yet.
        """
        with self._lock:
            dataset = self._idle.pop(key, None)
        if dataset is None:
            dataset = opened()
        try:
            yield dataset
        finally:
            self.keep(key, dataset)

    def keep(self, key: object, dataset: gdal.Dataset) -> None:
        """Keep an open image for its next use, if there is room."""
        with self._lock:
            if len(self._kept) < self._limit:
                self._kept.add(key)
            if key in self._kept:
                self._idle[key] = dataset


@dataclass(frozen=True)
class Reading:
    """How an image is brought to a grid.

    Parameters
    ----------
    nodata : float, optional
        Digital number of pixels without data; also fills what the image does not cover.
    continuous : bool
        Interpolate bicubically; False takes the nearest pixel (masks, codes).
    outside : float, optional
        Fills what the image does not cover, where that is not `nodata`.
    covered : bool
        Whether `GridBand.seen` shall know what the image covers where nodata does not tell it.
    """

    nodata: float | None = None
    continuous: bool = True
    outside: float | None = None
    covered: bool = False


class GridBand:
    """One band of an image brought to a tile's grid.

    Images on the grid are read as they are; int16 images of twice its resolution and the same
    corner (20 m bands on the 10 m grid) are interpolated by `upsample_cubic_2x`; all others are
    warped by GDAL, block by block of a fixed partition, so that no value depends on the window.

    Parameters
    ----------
    path : str
        Image file.
    grid : Grid
        Grid of the tile.
    reading : Reading
        How it is read.
    band : int
        Band of the file, from 1.
    pool : ImagePool, optional
        Bounds the images open at once; by default this one stays open.
    """

    def __init__(
        self,
        path: str,
        grid: Grid,
        reading: Reading,
        band: int = 1,
        pool: ImagePool | None = None,
    ) -> None:
        self._path, self._grid, self._reading, self._band = path, grid, reading, band
        self._pool = pool or ImagePool(1)
        self._kind = "warped"
        source = open_raster(path)
        native = _grid_or_none(path)
        int16 = source.GetRasterBand(band).DataType == gdal.GDT_Int16
        if native and is_coarser(native, grid, 1):
            self._kind = "same"
        elif native and reading.continuous and int16 and is_coarser(native, grid, 2):
            self._kind = "half"
        if self._kind != "warped":
            self._pool.keep(self, source)

    def _open(self) -> gdal.Dataset:
        source = open_raster(self._path)
        return source if self._kind != "warped" else self._warped(source)

    def _warped(self, source: gdal.Dataset) -> gdal.Dataset:
        """Virtual raster on the grid; what the image does not cover is `outside`, else nodata."""
        reading = self._reading
        if source.RasterCount > 1:
            source = gdal.Translate("", source, format="VRT", bandList=[self._band])
        outside = reading.outside if reading.outside is not None else reading.nodata
        return gdal.Warp(
            "", source, format="VRT", dstSRS=self._grid.crs, outputBounds=self._grid.bounds,
            width=self._grid.cols, height=self._grid.rows,
            resampleAlg="cubic" if reading.continuous else "near",
            srcNodata=reading.nodata, dstNodata=reading.nodata, dstAlpha=reading.covered,
            warpOptions=[f"INIT_DEST={0 if outside is None else outside}"], errorThreshold=0,
        )  # fmt: skip

    @property
    def _shown(self) -> int:
        """Number of the band in the image that is opened."""
        return 1 if self._kind == "warped" else self._band

    def read(self, window: Window, out: np.ndarray) -> None:
        """Read a window into `out`, shape (rows, cols)."""
        with self._pool.use(self, self._open) as dataset:
            if self._kind == "half":
                shape = (dataset.RasterYSize, dataset.RasterXSize)
                values = self._part(dataset, source_window(window, shape), self._band)
                upsample_cubic_2x(values, window, shape, self._reading.nodata, out)
            else:
                self._part(dataset, window, self._shown, out)

    def _part(
        self, dataset: gdal.Dataset, window: Window, band: int, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Pixels of a band of the image that is opened; an error names the user's file."""
        try:
            return dataset.GetRasterBand(band).ReadAsArray(
                window.col, window.row, window.cols, window.rows, buf_obj=out
            )
        except RuntimeError as error:
            raise unreadable(self._path, error) from None

    def observe(self, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """Values of a window in the type of the image, and where it has data.

        Returns
        -------
        values : ndarray, shape (rows, cols)
            Of any use only where seen.
        seen : ndarray of bool, shape (rows, cols)
            As `seen`.
        """
        if self._kind == "half":
            out = np.empty((window.rows, window.cols), dtype=np.int16)
            self.read(window, out)
            return out, self.seen(window)
        with self._pool.use(self, self._open) as dataset:
            values = self._part(dataset, window, self._shown)
            seen = self._has_data(values)
            if self._kind == "warped" and self._reading.covered:
                seen &= self._part(dataset, window, dataset.RasterCount) > 0
            return values, seen

    def seen(self, window: Window) -> np.ndarray:
        """Where a window has data, bool, shape (rows, cols): not nodata, not NaN, inside the image.

        A pixel of the grid inside a coarse pixel without data has none.
        """
        if self._kind != "half":
            return self.observe(window)[1]
        with self._pool.use(self, self._open) as dataset:
            return self._seen_of_half(dataset, window)

    def _seen_of_half(self, dataset: gdal.Dataset, window: Window) -> np.ndarray:
        top, left = window.row // 2, window.col // 2
        bottom = (window.row + window.rows + 1) // 2
        right = (window.col + window.cols + 1) // 2
        coarse = Window(top, left, bottom - top, right - left)
        seen = self._has_data(self._part(dataset, coarse, self._band))
        fine = seen.repeat(2, axis=0).repeat(2, axis=1)
        row, col = window.row - 2 * top, window.col - 2 * left
        return fine[row : row + window.rows, col : col + window.cols]

    def _has_data(self, values: np.ndarray) -> np.ndarray:
        nodata = self._reading.nodata
        if np.issubdtype(values.dtype, np.floating):
            seen = ~np.isnan(values)
            if nodata is not None:
                seen &= values != values.dtype.type(nodata)
            return seen
        if nodata is None or not float(nodata).is_integer():
            return np.ones(values.shape, dtype=bool)
        return values != int(nodata)


def _grid_or_none(path: str) -> Grid | None:
    """Grid of an image; None where its pixels are oblong or rotated, which GDAL warps."""
    try:
        return grid_of(path)
    except Iota2Error:
        return None
