"""Images of any grid, read on the grid of a tile."""

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import numpy as np
from osgeo import gdal

from iota2_tools.core.errors import Iota2Error
from iota2_tools.core.platform import files_allowed
from iota2_tools.geo.beside import Beside, beside
from iota2_tools.geo.conversion import HIGHEST, LOWEST, UNSEEN, Values
from iota2_tools.geo.grid import BLOCK, Grid, Window, grid_of, is_coarser, part_of
from iota2_tools.geo.raster import open_raster, unreadable
from iota2_tools.geo.resampling import source_window, upsample_cubic_2x, upsample_cubic_3x

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
        self.of_sources = threading.RLock()
        """To be held while what is made of a `source` is read."""
        self._sources: dict[str, gdal.Dataset] = {}

    def source(self, path: str) -> gdal.Dataset:
        """A file of many bands that is open once, for what is made of each band."""
        with self.of_sources:
            if path not in self._sources:
                self._sources[path] = open_raster(path)
            return self._sources[path]

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


REPEATED = range(2, 33)
"""How many times larger the pixels of codes may be that are repeated, not warped."""
UPSAMPLE = {2: upsample_cubic_2x, 3: upsample_cubic_3x}
"""The same for quantities that are interpolated in exact integers, and by what."""


@dataclass(frozen=True)
class Reading:
    """How an image is brought to a grid.

    Parameters
    ----------
    nodata : float, optional
        Digital number of pixels without data; also fills what the image does not cover.
    continuous : bool
        Interpolate; False takes the nearest pixel (masks, codes).
    covered : bool
        Whether `GridBand.seen` shall know what the image covers where nodata does not tell it.
    values : Values, optional
        What int16 values are wanted; by default those of the file, in its type.
    moved : bool
        Whether the image has been moved beside the grid (`geo.beside`).
    """

    nodata: float | None = None
    continuous: bool = True
    covered: bool = False
    values: Values | None = None
    moved: bool = False


class GridBand:
    """One band of an image brought to a tile's grid.

    Images on the grid, also larger ones, are read as they are; int16 images whose pixels are two or three times as
    large, with its corner (bands of 20 m and 30 m on the 10 m grid), are interpolated by
    `resampling`, codes of a multiple of it are repeated; such images that were moved are
    interpolated by `beside`; all others are warped by GDAL, block by
    block of a fixed partition, so that no value depends on the window: bicubic, power bilinear (it
    stays positive), codes nearest.

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
    shared : bool
        Whether other bands of the file are wanted as well, also where it has to be warped: then it
        is opened once, and what is decoded for one of them serves the others too. Bands are warped
        one by one all the same: together, GDAL treats the holes of each in another way. A file of
        several bands that is not warped is always opened once.

    Attributes
    ----------
    in_strips : bool
        Whether the file is read best by windows as wide as the image.
    """

    def __init__(
        self,
        path: str,
        grid: Grid,
        reading: Reading,
        band: int = 1,
        pool: ImagePool | None = None,
        *,
        shared: bool = False,
    ) -> None:
        self._path, self._grid, self._reading, self._band = path, grid, reading, band
        self._pool = pool or ImagePool(1)
        self._shared = shared
        self._key: object = self
        self._begin = (0, 0)
        source = open_raster(path)
        int16 = source.GetRasterBand(band).DataType == gdal.GDT_Int16
        self._converted = reading.values if reading.values != Values() or not int16 else None
        self._factor = self._factor_of(int16)
        self._beside = None if self._factor or not reading.moved else self._place_beside(int16)
        self._warps = not self._factor and self._beside is None
        self.in_strips = not self._warps and lies_in_strips(source, band)
        if not self._warps:
            self._key = path if shared or source.RasterCount > 1 else self
            self._pool.keep(self._key, source)

    def _factor_of(self, int16: bool) -> int:
        """How many times larger the pixels of the image are; 0 where it has to be warped."""
        native = _grid_or_none(self._path)
        if native is None:
            return 0
        if is_coarser(native, self._grid, 1):
            return 1
        inside = part_of(native, self._grid)
        if inside:
            self._begin = inside
            return 1
        whole = self._converted is not None or int16
        linear = self._converted is not None and self._converted.decibel
        if self._reading.continuous and (linear or not whole):
            return 0
        factors = UPSAMPLE if self._reading.continuous else REPEATED
        return next((factor for factor in factors if is_coarser(native, self._grid, factor)), 0)

    def _place_beside(self, int16: bool) -> Beside | None:
        """Where the grid lies on an image that was moved; None where GDAL has to warp it."""
        power = self._converted is not None and self._converted.decibel
        whole = int16 or self._converted is not None
        native = _grid_or_none(self._path)
        if native is None or (self._reading.continuous and (power or not whole)):
            return None
        return beside(native, self._grid)

    def _around(self, dataset: gdal.Dataset, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """Pixels of a moved image that a window needs, 0 beyond the image, and where it has data."""
        assert self._beside
        outer = self._beside.needed(window)
        part = outer.grown(0, Window(0, 0, dataset.RasterYSize, dataset.RasterXSize))
        numbers = np.zeros((outer.rows, outer.cols), dtype=np.int16)
        seen = np.zeros(numbers.shape, dtype=bool)
        if min(part.rows, part.cols) > 0:
            found = self._part(dataset, part, self._band)
            inside = part.inside(outer).slices
            seen[inside] = self._has_data(found)
            if self._converted is not None:
                found = self._converted.of(found, self._reading.nodata)
            numbers = numbers.astype(found.dtype)
            numbers[inside] = found
        return numbers, seen

    def _moved(self, dataset: gdal.Dataset, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """A window of a moved image, and where it has data."""
        assert self._beside
        numbers, around = self._around(dataset, window)
        seen = self._beside.nearest(window, around)
        if not self._reading.continuous:
            return self._beside.nearest(window, numbers), seen
        values = np.where(around, numbers, np.float32(np.nan)).astype(np.float32, copy=False)
        found = self._beside.interpolated(window, values)
        np.clip(np.rint(found, out=found), LOWEST, HIGHEST, out=found)
        found[~seen] = UNSEEN
        return found.astype(np.int16), seen

    def _open(self) -> gdal.Dataset:
        if self._shared and self._warps:
            return self._warped(self._pool.source(self._path))
        source = open_raster(self._path)
        return self._warped(source) if self._warps else source

    def _warped(self, source: gdal.Dataset) -> gdal.Dataset:
        """Virtual raster on the grid; what the image does not cover is nodata."""
        reading = self._reading
        if is_signed_byte(source, self._band):
            source = as_int16(source, self._band)
        elif source.RasterCount > 1:
            source = gdal.Translate("", source, format="VRT", bandList=[self._band])
        power = reading.values is not None and reading.values.decibel
        smooth = "bilinear" if power else "cubic"
        return gdal.Warp(
            "", source, format="VRT", dstSRS=self._grid.crs, outputBounds=self._grid.bounds,
            width=self._grid.cols, height=self._grid.rows,
            resampleAlg=smooth if reading.continuous else "near",
            srcNodata=reading.nodata, dstNodata=reading.nodata, dstAlpha=reading.covered,
            warpOptions=[f"INIT_DEST={0 if reading.nodata is None else reading.nodata}"],
            errorThreshold=0,
        )  # fmt: skip

    @property
    def _shown(self) -> int:
        """Number of the band in the image that is opened."""
        return 1 if self._warps else self._band

    def read(self, window: Window, out: np.ndarray) -> None:
        """Read a window into `out`, shape (rows, cols), of the type of the image or of `values`."""
        with self._pool.use(self._key, self._open) as dataset:
            if self._beside:
                out[...] = self._moved(dataset, window)[0]
            elif self._factor > 1:
                self._coarse(dataset, window, out)
            elif self._converted is None:
                self._part(dataset, window, self._shown, out)
            else:
                self._values(dataset, window, self._converted, out)

    def _coarse(
        self, dataset: gdal.Dataset, window: Window, out: np.ndarray | None = None
    ) -> np.ndarray:
        """A window of an image of larger pixels: codes repeated, quantities interpolated."""
        if not self._reading.continuous:
            part = touched(window, self._factor)
            codes = repeated(self._part(dataset, part, self._band), window, self._factor)
            if out is not None:
                out[...] = codes
            return codes
        shape = (dataset.RasterYSize, dataset.RasterXSize)
        needed = source_window(window, shape, self._factor)
        numbers = self._part(dataset, needed, self._band)
        nodata = self._reading.nodata
        if self._converted is not None:
            numbers = self._converted.of(numbers, nodata)
            nodata = UNSEEN
        return UPSAMPLE[self._factor](numbers, window, shape, nodata, out)

    def _part(
        self, dataset: gdal.Dataset, window: Window, band: int, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Pixels of a band of the image that is opened; an error names the user's file."""
        lock = self._pool.of_sources if self._shared and self._warps else nullcontext()
        try:
            with lock:
                source = dataset.GetRasterBand(band)
                if self._warps:
                    return _by_blocks(source, window, out)
                return source.ReadAsArray(
                    window.col + self._begin[1],
                    window.row + self._begin[0],
                    window.cols,
                    window.rows,
                    buf_obj=out,
                )
        except RuntimeError as error:
            raise unreadable(self._path, error) from None

    def _values(
        self, dataset: gdal.Dataset, window: Window, values: Values, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Values of a window of an image that is not of larger pixels; `UNSEEN` where not seen."""
        numbers = self._part(dataset, window, self._shown)
        found = values.of(numbers, self._reading.nodata, out)
        if self._shows_coverage:
            found[self._part(dataset, window, dataset.RasterCount) == 0] = UNSEEN
        return found

    @property
    def _shows_coverage(self) -> bool:
        return self._warps and self._reading.covered

    def _numbers(self, dataset: gdal.Dataset, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """The same in the type of the image, and where seen."""
        numbers = self._part(dataset, window, self._shown)
        seen = has_data(numbers, self._reading.nodata)
        if self._shows_coverage:
            seen &= self._part(dataset, window, dataset.RasterCount) > 0
        return numbers, seen

    def observe(self, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """Values of a window, and where it has data.

        Returns
        -------
        values : ndarray, shape (rows, cols)
            Of the type of the image, or int16 if `Reading.values` are wanted. Of any use only
            where seen.
        seen : ndarray of bool, shape (rows, cols)
            As `seen`.
        """
        if self._factor > 1:
            with self._pool.use(self._key, self._open) as dataset:
                values = self._coarse(dataset, window)
            return values, self.seen(window)
        with self._pool.use(self._key, self._open) as dataset:
            if self._beside:
                return self._moved(dataset, window)
            if self._converted is None:
                return self._numbers(dataset, window)
            found = self._values(dataset, window, self._converted)
            return found, found != UNSEEN

    def seen(self, window: Window) -> np.ndarray:
        """Where a window has data, bool, shape (rows, cols): not nodata, not NaN or infinite, inside
        the image.

        A pixel of the grid inside a coarse pixel without data has none.
        """
        if self._factor <= 1 and not self._beside:
            return self.observe(window)[1]
        if self._beside:
            with self._pool.use(self._key, self._open) as dataset:
                return self._beside.nearest(window, self._around(dataset, window)[1])
        return repeated(self.seen_coarse(window), window, self._factor)

    @property
    def coarser(self) -> int:
        """How many times larger the pixels of the image are, if they are repeated or interpolated; else 1."""
        return max(self._factor, 1)

    def seen_coarse(self, window: Window) -> np.ndarray:
        """Where the larger pixels of the image that a window touches have data, bool; of `coarser` above 1."""
        with self._pool.use(self._key, self._open) as dataset:
            part = touched(window, self._factor)
            return self._has_data(self._part(dataset, part, self._band))

    def _has_data(self, numbers: np.ndarray) -> np.ndarray:
        if self._converted is None:
            return has_data(numbers, self._reading.nodata)
        return self._converted.of(numbers, self._reading.nodata) != UNSEEN


def touched(window: Window, factor: int) -> Window:
    """Pixels, `factor` times as large as those of the grid, that a window touches.

    >>> touched(Window(3, 4, 2, 2), 2)
    Window(row=1, col=2, rows=2, cols=1)
    """
    top, left = window.row // factor, window.col // factor
    bottom = -(-(window.row + window.rows) // factor)
    right = -(-(window.col + window.cols) // factor)
    return Window(top, left, bottom - top, right - left)


def repeated(coarse: np.ndarray, window: Window, factor: int) -> np.ndarray:
    """A window of the grid, shape (rows, cols), of the larger pixels it touches (`touched`), each repeated.

    >>> repeated(np.array([[1, 2]]), Window(0, 1, 2, 3), 2).tolist()
    [[1, 2, 2], [1, 2, 2]]
    """
    fine = coarse.repeat(factor, axis=1).repeat(factor, axis=0)
    row, col = window.row % factor, window.col % factor
    return fine[row : row + window.rows, col : col + window.cols]


def seen_in_all(images: Sequence[GridBand], window: Window) -> np.ndarray:
    """Where a window has data in each of some images, bool, shape (rows, cols).

    Images of larger pixels are brought together before their pixels are repeated.
    """
    seen = np.ones((window.rows, window.cols), dtype=bool)
    coarse: dict[int, np.ndarray] = {}
    for image in images:
        factor = image.coarser
        if factor == 1:
            seen &= image.seen(window)
        elif factor in coarse:
            coarse[factor] &= image.seen_coarse(window)
        else:
            coarse[factor] = image.seen_coarse(window)
    for factor, found in coarse.items():
        seen &= repeated(found, window, factor)
    return seen


def _by_blocks(band: gdal.Band, window: Window, out: np.ndarray | None) -> np.ndarray:
    """Pixels of a warped image, block by block: GDAL 3.10 would warp the window itself.

    Its values would depend on the window then.
    """
    width, height = band.GetBlockSize()
    found = out
    for top in range(window.row // height * height, window.row + window.rows, height):
        for left in range(window.col // width * width, window.col + window.cols, width):
            rows, cols = min(height, band.YSize - top), min(width, band.XSize - left)
            block = band.ReadAsArray(left, top, cols, rows)
            if found is None:
                found = np.empty((window.rows, window.cols), dtype=block.dtype)
            first_row, first_col = max(top, window.row), max(left, window.col)
            last_row = min(top + rows, window.row + window.rows)
            last_col = min(left + cols, window.col + window.cols)
            found[
                first_row - window.row : last_row - window.row,
                first_col - window.col : last_col - window.col,
            ] = block[first_row - top : last_row - top, first_col - left : last_col - left]
    assert found is not None  # windows are not empty
    return found


def has_data(numbers: np.ndarray, nodata: float | None) -> np.ndarray:
    """Where digital numbers are neither nodata nor NaN nor infinite, bool."""
    if np.issubdtype(numbers.dtype, np.floating):
        seen = np.isfinite(numbers)
        if nodata is not None:
            seen &= numbers != numbers.dtype.type(nodata)
        return seen
    if nodata is None or not float(nodata).is_integer():
        return np.ones(numbers.shape, dtype=bool)
    return numbers != int(nodata)


def lies_in_strips(dataset: gdal.Dataset, band: int) -> bool:
    """Whether a band is stored in low strips from one side of the image to the other."""
    width, height = dataset.GetRasterBand(band).GetBlockSize()
    return bool(width >= dataset.RasterXSize > BLOCK and height < BLOCK)


def is_signed_byte(dataset: gdal.Dataset, band: int) -> bool:
    """True for int8 as GDAL before 3.7 knows it: bytes with a remark, which warping overlooks."""
    kind = dataset.GetRasterBand(band).GetMetadataItem("PIXELTYPE", "IMAGE_STRUCTURE")
    return bool(kind == "SIGNEDBYTE")


def as_int16(dataset: gdal.Dataset, band: int) -> gdal.Dataset:
    """A band of signed bytes as a virtual raster of int16, for what knows bytes from 0 to 255 alone."""
    shown = gdal.Translate("", dataset, format="VRT", bandList=[band], outputType=gdal.GDT_Int16)
    text = shown.GetMetadata("xml:VRT")[0]
    text = re.sub(r"<MDI key=\"PIXELTYPE\">SIGNEDBYTE</MDI>", "", text)
    text = text.replace("<SimpleSource>", "<ComplexSource>")
    table = "<LUT>0:0,127:127,128:-128,255:-1</LUT></ComplexSource>"
    return gdal.Open(text.replace("</SimpleSource>", table))


def _grid_or_none(path: str) -> Grid | None:
    """Grid of an image; None where its pixels are oblong or rotated, which GDAL warps."""
    try:
        return grid_of(path)
    except Iota2Error:
        return None
