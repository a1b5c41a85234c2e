"""Images of any grid, read on the grid of a tile."""

import numpy as np
from osgeo import gdal

from iota2_tools.geo.grid import Grid, Window, grid_of, same_crs
from iota2_tools.geo.raster import open_raster, read_window, unreadable
from iota2_tools.geo.resampling import source_window, upsample_cubic_2x

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
            values = read_window(self._dataset, source_window(window, shape), self._band)
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
