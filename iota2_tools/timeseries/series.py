"""Reading images on the grid of a tile, window by window."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from osgeo import gdal

from iota2_tools.core.buffers import Buffer
from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.conversion import UNSEEN, Values
from iota2_tools.geo.grid import Grid, Window
from iota2_tools.geo.gridded import GridBand, ImagePool, Reading, seen_in_all
from iota2_tools.geo.raster import open_raster, read_window
from iota2_tools.products import Acquisition, Image
from iota2_tools.products.images import NONE
from iota2_tools.radar.decibels import to_decibels, to_power
from iota2_tools.radar.speckle import filter_speckle

gdal.UseExceptions()


def image_on(
    grid: Grid, image: Image, pool: ImagePool | None = None, *, moved: bool = False
) -> GridBand:
    """An image of a product on the grid of a tile; `moved`: as `Reading.moved`."""
    values = Values(image.scale, image.offset, image.decibel)
    # Where nodata does not tell what a warped image covers, its coverage must.
    reading = Reading(image.nodata, covered=image.nodata is None, values=values, moved=moved)
    return GridBand(image.path, grid, reading, image.band, pool)


class Looks:
    """Masks and images of one acquisition, of which all must be usable at a pixel."""

    def __init__(self, acquisition: Acquisition, grid: Grid, pool: ImagePool) -> None:
        moved = acquisition.shift is not None
        codes = Reading(continuous=False, covered=True, moved=moved)
        grid = acquisition.grid_of(grid)
        self._masks = [
            (mask, GridBand(mask.path, grid, codes, mask.band, pool)) for mask in acquisition.masks
        ]
        self._images = [
            image_on(grid, image, pool, moved=moved) for image in acquisition.bands.values()
        ]

    @property
    def in_strips(self) -> bool:
        """Whether most of the files are stored in strips."""
        bands = [*self._images, *(codes for _, codes in self._masks)]
        return 2 * sum(band.in_strips for band in bands) > len(bands)

    def read(self, window: Window, unusable: np.ndarray, unseen: np.ndarray) -> None:
        """Write where a window is not usable, and where it was not seen; 0 elsewhere.

        Parameters
        ----------
        unusable, unseen : ndarray of uint8, shape (rows, cols)
            Written.
        """
        seen = seen_in_all(self._images, window)
        masked = np.zeros(seen.shape, dtype=bool)
        for mask, codes in self._masks:
            values, covered = codes.observe(window)
            seen &= covered
            if mask.unseen != NONE:
                seen &= ~mask.unseen.found(values)
            masked |= mask.unusable.found(values)
        np.logical_not(seen, out=unseen.view(bool))
        np.logical_or(masked, unseen.view(bool), out=unusable.view(bool))


def rows_with_any(mask: np.ndarray) -> slice:
    """From the first row of a mask, shape (rows, cols), in which it is not 0, to the last one.

    >>> rows_with_any(np.array([[0, 0], [0, 1], [0, 0], [1, 0]]))
    slice(1, 4, None)
    """
    rows = np.flatnonzero(mask.any(axis=1)).tolist()
    return slice(rows[0], rows[-1] + 1) if rows else slice(0, 0)


class SeriesReader:
    """Values and clear-sky masks of one series over a tile.

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
    pool : ImagePool, optional
        Bounds the images open at once.
    speckle_radius : int
        Of the multitemporal speckle filter, pixels; 0: none. Values are decibels x 100 then.

    Attributes
    ----------
    shape : tuple of int
        Numbers of acquisitions and of bands.
    in_strips : int
        How many of the images are stored in strips.
    """

    def __init__(
        self,
        acquisitions: Sequence[Acquisition],
        bands: Sequence[str],
        masks: str,
        grid: Grid,
        pool: ImagePool | None = None,
        speckle_radius: int = 0,
    ) -> None:
        pool = pool or ImagePool()
        self._buffer = Buffer()
        self._grid, self._radius = grid, speckle_radius
        self._images = [
            [
                image_on(item.grid_of(grid), item.bands[band], pool, moved=item.shift is not None)
                for band in bands
            ]
            for item in acquisitions
        ]
        self.in_strips = sum(image.in_strips for bands in self._images for image in bands)
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

    def read(
        self, window: Window, pool: ThreadPoolExecutor, *, clouds: bool = True
    ) -> tuple[np.ndarray, np.ndarray]:
        """Read a window.

        Parameters
        ----------
        clouds : bool
            False: rows of an acquisition that are nowhere clear are neither decoded nor wanted.

        Returns
        -------
        values : ndarray of int16, shape (n_acquisitions, n_bands, n_pixels)
            Reflectance x 10000, backscatter in dB x 100; `UNSEEN` in rows that are not read.
        clear : ndarray of uint8, shape (n_acquisitions, n_pixels)
            1 where usable. At most one acquisition of a day is clear at a pixel.
        """
        outer = window.grown(self._radius, self._grid.window)
        values = self._buffer.array((*self.shape, outer.rows, outer.cols), np.int16)
        clear = read_window(self._masks, outer).reshape(self.shape[0], outer.rows, outer.cols)

        def read_acquisition(number: int) -> None:
            rows = slice(0, outer.rows) if clouds else rows_with_any(clear[number])
            values[number, :, : rows.start] = values[number, :, rows.stop :] = UNSEEN
            if rows.start == rows.stop:
                return
            part = Window(outer.row + rows.start, outer.col, rows.stop - rows.start, outer.cols)
            for band, image in enumerate(self._images[number]):
                image.read(part, values[number, band, rows])

        list(pool.map(read_acquisition, range(self.shape[0])))
        if self._radius:
            values = self._filtered(values, clear, window, outer)
            clear = clear[(..., *window.inside(outer).slices)]
        return values.reshape(*self.shape, -1), np.ascontiguousarray(clear).reshape(
            self.shape[0], -1
        )

    def _filtered(
        self, values: np.ndarray, clear: np.ndarray, window: Window, outer: Window
    ) -> np.ndarray:
        """Values of a window less their speckle, from those of the window and its margin.

        What is not clear, and what lies outside the tile, has no part in the means.
        """
        radius, place = self._radius, window.inside(outer)
        out = np.empty((*self.shape, window.rows, window.cols), dtype=np.int16)
        shape = (self.shape[0], window.rows + 2 * radius, window.cols + 2 * radius)
        top, left = radius - place.row, radius - place.col
        for band in range(self.shape[1]):
            power = np.full(shape, np.nan, dtype=np.float32)
            found = to_power(values[:, band])
            found[clear == 0] = np.nan
            power[:, top : top + outer.rows, left : left + outer.cols] = found
            out[:, band] = to_decibels(filter_speckle(power, radius))
        return out
