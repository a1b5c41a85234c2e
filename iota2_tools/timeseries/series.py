"""Reading images on the grid of a tile, window by window."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from osgeo import gdal

from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.grid import Grid, Window, grid_of, same_crs
from iota2_tools.geo.raster import open_raster, read_window, unreadable
from iota2_tools.geo.resampling import source_window, upsample_cubic_2x
from iota2_tools.products import Acquisition

gdal.UseExceptions()


class GridBand:
    """One image brought to a tile's grid.

    Images on the grid are read as they are; images of twice its resolution and the same corner
    (20 m bands on the 10 m grid) are interpolated by `upsample_cubic_2x`; all others are warped
    by GDAL, block by block of a fixed partition, so that no value depends on the window read.

    Parameters
    ----------
    path : str
        Image file.
    grid : Grid
        Grid of the tile.
    nodata : int, optional
        Digital number of pixels without data; also fills what the image does not cover.
    continuous : bool
        Interpolate bicubically; False takes the nearest pixel (masks).
    band : int
        Band of the file, from 1.
    """

    def __init__(
        self,
        path: str,
        grid: Grid,
        nodata: float | None = None,
        continuous: bool = True,
        band: int = 1,
    ) -> None:
        self._nodata, self._band = nodata, band
        self._source = open_raster(path)
        native = grid_of(path)
        self._upsampled = continuous and _is_half(native, grid)
        if self._upsampled or _is_same(native, grid):
            self._dataset = self._source
        else:
            self._dataset = _warped(self._source, grid, nodata, continuous)

    def read(self, window: Window, out: np.ndarray) -> None:
        """Read a window into `out`, shape (rows, cols)."""
        if self._upsampled:
            shape = (self._dataset.RasterYSize, self._dataset.RasterXSize)
            values = read_window(self._dataset, Window(*source_window(window, shape)), self._band)
            upsample_cubic_2x(values, window, shape, self._nodata, out)
            return
        try:
            self._dataset.GetRasterBand(self._band).ReadAsArray(
                window.col, window.row, window.cols, window.rows, buf_obj=out
            )
        except RuntimeError as error:
            raise unreadable(self._source, error) from None


def _is_same(native: Grid, grid: Grid) -> bool:
    return (native.rows, native.cols) == (grid.rows, grid.cols) and _same_corner(native, grid, 1)


def _is_half(native: Grid, grid: Grid) -> bool:
    return (2 * native.rows, 2 * native.cols) == (grid.rows, grid.cols) and _same_corner(
        native, grid, 2
    )


def _same_corner(native: Grid, grid: Grid, factor: int) -> bool:
    tolerance = 1e-3 * grid.resolution
    return (
        abs(native.resolution - factor * grid.resolution) < 1e-6 * grid.resolution
        and abs(native.left - grid.left) < tolerance
        and abs(native.top - grid.top) < tolerance
        and same_crs(native.crs, grid.crs)
    )


def _warped(source: gdal.Dataset, grid: Grid, nodata: int | None, continuous: bool) -> gdal.Dataset:
    """Virtual raster of `source` on `grid`; what it does not cover is nodata, or 1 in masks."""
    outside = 1 if nodata is None else nodata
    return gdal.Warp(
        "", source, format="VRT", dstSRS=grid.crs, outputBounds=grid.bounds, width=grid.cols, height=grid.rows,
        resampleAlg="cubic" if continuous else "near", srcNodata=nodata, dstNodata=nodata,
        warpOptions=[f"INIT_DEST={outside}"], errorThreshold=0,
    )  # fmt: skip


class SeriesReader:
    """Reflectance and clear-sky masks of one sensor over a tile.

    Parameters
    ----------
    acquisitions : sequence of Acquisition
        By day then name.
    bands : sequence of str
        Bands to read, in this order.
    masks : str
        Clear-sky raster of `masks.write_clear_masks`, one band an acquisition.
    grid : Grid
        Grid of the tile.
    nodata : int
        Digital number of pixels without data.
    """

    def __init__(
        self,
        acquisitions: Sequence[Acquisition],
        bands: Sequence[str],
        masks: str,
        grid: Grid,
        nodata: int,
    ) -> None:
        self._images = [
            [GridBand(item.bands[band], grid, nodata) for band in bands] for item in acquisitions
        ]
        self._masks = open_raster(masks)
        if self._masks.RasterCount != len(acquisitions):
            raise InputDataError(
                f"{masks}: {self._masks.RasterCount} masks for {len(acquisitions)} acquisitions; "
                "delete it to make it anew"
            )
        self.shape = (len(acquisitions), len(bands))
        first = acquisitions[0].day
        self.first_day = first
        self.days = np.array([(item.day - first).days for item in acquisitions], dtype=np.int64)

    def read(self, window: Window, pool: ThreadPoolExecutor) -> tuple[np.ndarray, np.ndarray]:
        """Read a window.

        Returns
        -------
        values : ndarray of int16, shape (n_acquisitions, n_bands, n_pixels)
            Reflectance x 10000.
        clear : ndarray of uint8, shape (n_acquisitions, n_pixels)
            1 where usable. At most one acquisition of a day is clear at a pixel.
        """
        values = np.empty((*self.shape, window.rows, window.cols), dtype=np.int16)

        def read_acquisition(number: int) -> None:
            for band, image in enumerate(self._images[number]):
                image.read(window, values[number, band])

        list(pool.map(read_acquisition, range(self.shape[0])))
        clear = read_window(self._masks, window)
        return values.reshape(*self.shape, -1), np.ascontiguousarray(clear).reshape(
            self.shape[0], -1
        )


def window_shape(
    grid: Grid, bytes_per_pixel: float, budget_mb: float, block: int = 256
) -> tuple[int, int]:
    """Rows and columns of the windows to read: whole blocks, within a memory budget.

    The images of a tile come in blocks of 256 pixels as a rule; windows that cut blocks would
    decode them twice.

    >>> window_shape(Grid("EPSG:32631", 0, 0, 10, 10980, 10980), 740, 400)
    (256, 2048)
    """
    pixels = budget_mb * 1e6 / max(bytes_per_pixel, 1e-9)
    rows = min(block, grid.rows)
    cols = int(pixels / rows) // block * block
    if cols >= grid.cols:
        rows = max(block, int(pixels / grid.cols) // block * block)
        return min(rows, grid.rows), grid.cols
    if cols >= block:
        return rows, min(cols, grid.cols)
    side = max(32, int(pixels**0.5) // 32 * 32)
    return min(side, grid.rows), min(side, grid.cols)
