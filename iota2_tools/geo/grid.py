"""The grid of a tile, and windows on it.

A grid is a coordinate reference system, an origin, a resolution and a shape. All rasters of
a tile share one grid; the grids of all tiles of a production are aligned with one another.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

from osgeo import gdal, osr

from iota2_tools.core.errors import InputDataError, unopened

gdal.UseExceptions()
osr.UseExceptions()


BLOCK = 256
"""Side of the blocks that the images of a tile come in as a rule, pixels."""


def _up(number: int, side: int) -> int:
    return -(-number // side) * side


class Window(NamedTuple):
    """A rectangle of pixels: first row and column, number of rows and columns."""

    row: int
    col: int
    rows: int
    cols: int

    @property
    def size(self) -> int:
        """Number of pixels."""
        return self.rows * self.cols

    @property
    def slices(self) -> tuple[slice, slice]:
        """Row and column slices of this window in an array of the whole grid."""
        return slice(self.row, self.row + self.rows), slice(self.col, self.col + self.cols)

    def grown(self, margin: int, within: "Window") -> "Window":
        """This window and the pixels around it, as far as `within` has them.

        >>> Window(0, 4, 2, 2).grown(3, Window(0, 0, 8, 8))
        Window(row=0, col=1, rows=5, cols=7)
        """
        row, col = max(self.row - margin, within.row), max(self.col - margin, within.col)
        bottom = min(self.row + self.rows + margin, within.row + within.rows)
        right = min(self.col + self.cols + margin, within.col + within.cols)
        return Window(row, col, bottom - row, right - col)

    def rounded(self, side: int, within: "Window") -> "Window":
        """The whole squares of `side` pixels that this window touches, as far as `within` has them.

        Squares are counted from the first pixel of `within`.

        >>> Window(3, 4, 2, 2).rounded(4, Window(0, 0, 6, 99))
        Window(row=0, col=4, rows=6, cols=4)
        """
        row = within.row + (self.row - within.row) // side * side
        col = within.col + (self.col - within.col) // side * side
        bottom = min(_up(self.row + self.rows - within.row, side), within.rows) + within.row
        right = min(_up(self.col + self.cols - within.col, side), within.cols) + within.col
        return Window(row, col, bottom - row, right - col)

    def strips(self, rows: int) -> Iterator["Window"]:
        """Cut this window into strips of at most `rows`, from above.

        >>> list(Window(2, 5, 3, 4).strips(2))
        [Window(row=2, col=5, rows=2, cols=4), Window(row=4, col=5, rows=1, cols=4)]
        """
        for row in range(self.row, self.row + self.rows, rows):
            yield self._replace(row=row, rows=min(rows, self.row + self.rows - row))

    def inside(self, outer: "Window") -> "Window":
        """This window, counted from the first pixel of one that holds it."""
        return Window(self.row - outer.row, self.col - outer.col, self.rows, self.cols)


@dataclass(frozen=True)
class Grid:
    """Pixels of a tile, north up.

    Parameters
    ----------
    crs : str
        Well-known text, or any definition GDAL accepts (``EPSG:32631``).
    left, top : float
        Outer corner of the first pixel, in units of the CRS.
    resolution : float
        Side of a pixel, in units of the CRS.
    rows, cols : int
        Shape.
    """

    crs: str
    left: float
    top: float
    resolution: float
    rows: int
    cols: int

    @property
    def right(self) -> float:
        return self.left + self.cols * self.resolution

    @property
    def bottom(self) -> float:
        return self.top - self.rows * self.resolution

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(left, bottom, right, top) in units of the CRS."""
        return self.left, self.bottom, self.right, self.top

    @property
    def geotransform(self) -> tuple[float, float, float, float, float, float]:
        """GDAL's affine transform."""
        return self.left, self.resolution, 0.0, self.top, 0.0, -self.resolution

    @property
    def window(self) -> Window:
        """The whole grid."""
        return Window(0, 0, self.rows, self.cols)

    def bounds_of(self, window: Window) -> tuple[float, float, float, float]:
        """(left, bottom, right, top) of a window, in units of the CRS."""
        left = self.left + window.col * self.resolution
        top = self.top - window.row * self.resolution
        return left, top - window.rows * self.resolution, left + window.cols * self.resolution, top

    def window_over(self, bounds: tuple[float, float, float, float]) -> Window | None:
        """Smallest window that holds all of a rectangle that lies on the grid; None where nothing of it does.

        Parameters
        ----------
        bounds : tuple of float
            (left, bottom, right, top) in units of the CRS; NaN, as of an empty shape: nowhere.

        >>> Grid("EPSG:32631", 0, 50, 10, 5, 4).window_over((-7, 12, 11, 30))
        Window(row=2, col=0, rows=2, cols=2)
        """
        if not all(map(math.isfinite, bounds)):
            return None
        left, bottom, right, top = bounds
        row = max(math.floor((self.top - top) / self.resolution), 0)
        col = max(math.floor((left - self.left) / self.resolution), 0)
        end_row = min(math.ceil((self.top - bottom) / self.resolution), self.rows)
        end_col = min(math.ceil((right - self.left) / self.resolution), self.cols)
        if end_row <= row or end_col <= col:
            return None
        return Window(row, col, end_row - row, end_col - col)

    def part(self, window: Window) -> "Grid":
        """Grid of a window."""
        left, _, _, top = self.bounds_of(window)
        return replace(self, left=left, top=top, rows=window.rows, cols=window.cols)

    def coarser(self, factor: int) -> "Grid":
        """Grid of pixels `factor` times as large, from the same corner, that holds all of this one.

        >>> coarse = Grid("EPSG:32631", 0, 50, 10, 5, 4).coarser(2)
        >>> coarse.resolution, coarse.rows, coarse.cols
        (20, 3, 2)
        """
        rows, cols = _up(self.rows, factor) // factor, _up(self.cols, factor) // factor
        return replace(self, resolution=self.resolution * factor, rows=rows, cols=cols)

    def windows(self, rows: int, cols: int | None = None) -> Iterator[Window]:
        """Cut the grid into windows of at most `rows` x `cols`, row by row."""
        cols = cols or self.cols
        for row in range(0, self.rows, rows):
            for col in range(0, self.cols, cols):
                yield Window(row, col, min(rows, self.rows - row), min(cols, self.cols - col))

    def as_dict(self) -> dict:
        """Plain values, for JSON and for rule parameters."""
        return asdict(self)


def spatial_reference(crs: str) -> osr.SpatialReference:
    """Parse a CRS with x = easting first.

    Raises
    ------
    InputDataError
        If GDAL does not know it.
    """
    reference = osr.SpatialReference()
    try:
        reference.SetFromUserInput(crs)
    except RuntimeError as error:
        raise InputDataError(
            f"coordinate reference system {crs!r} is not understood ({error}); "
            "give an EPSG code such as EPSG:32631, a PROJ string or well-known text"
        ) from None
    reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    return reference


def same_crs(first: str, second: str) -> bool:
    """True if two definitions mean the same coordinate reference system."""
    return first == second or bool(spatial_reference(first).IsSame(spatial_reference(second)))


def crs_name(crs: str) -> str:
    """Short name for messages: the EPSG code where there is one."""
    reference = spatial_reference(crs)
    code = reference.GetAuthorityCode(None)
    if code:
        return f"{reference.GetAuthorityName(None)}:{code}"
    return reference.GetName() or "unnamed CRS"


def grid_of(path: str) -> Grid:
    """Read the grid of a raster file (header only).

    Raises
    ------
    InputDataError
        If the file cannot be opened, has no CRS, is rotated or has oblong pixels.
    """
    try:
        dataset = gdal.Open(str(path))
    except RuntimeError as error:
        raise unopened(path, error, "is it an image, and whole?") from None
    crs = dataset.GetProjection()
    left, width, shear_x, top, shear_y, height = dataset.GetGeoTransform()
    if not crs:
        raise InputDataError(f"{path}: has no coordinate reference system; assign it (gdal_edit)")
    if shear_x or shear_y or not math.isclose(width, -height, rel_tol=1e-6):
        raise InputDataError(
            f"{path}: pixels must be square and north up, found a geotransform of "
            f"{(left, width, shear_x, top, shear_y, height)}; warp it first (gdalwarp)"
        )
    return Grid(crs, left, top, width, dataset.RasterYSize, dataset.RasterXSize)


METRES_OF_A_DEGREE = 111_320
"""On the equator."""


SQUARE_METRES = 10_000
"""Of a hectare."""


def pixel_hectares(grid: Grid) -> float:
    """Area of a pixel, hectares; NaN where coordinates are angles."""
    reference = spatial_reference(grid.crs)
    if not reference.IsProjected():
        return math.nan
    return float((grid.resolution * reference.GetLinearUnits()) ** 2 / SQUARE_METRES)


def metres(grid: Grid) -> float:
    """Side of a pixel, about, in metres."""
    reference = spatial_reference(grid.crs)
    unit = METRES_OF_A_DEGREE if reference.IsGeographic() else reference.GetLinearUnits()
    return float(grid.resolution * unit)


def side_of_pixel(grid: Grid) -> str:
    """Side of a pixel in words, in the unit of the coordinates; other units than metres with metres."""
    reference = spatial_reference(grid.crs)
    if reference.IsProjected() and reference.GetLinearUnits() == 1:
        return f"{grid.resolution:g} m"
    return f"{grid.resolution:g} {reference.GetAttrValue('UNIT') or 'units'} ({metres(grid):.4g} m)"


def reprojected(grid: Grid, crs: str, resolution: float) -> Grid:
    """Grid covering `grid` in another CRS, its corners at multiples of the resolution.

    Multiples make the grids of neighbouring tiles fall on one another.
    """
    left, bottom, right, top = transform_bounds(grid.bounds, grid.crs, crs)
    tolerance = 1e-6
    first_col = math.floor(left / resolution + tolerance)
    first_row = math.ceil(top / resolution - tolerance)
    cols = math.ceil(right / resolution - tolerance) - first_col
    rows = first_row - math.floor(bottom / resolution + tolerance)
    if min(rows, cols) < 1 or rows * cols > LARGEST_TILE:
        raise InputDataError(
            f"grid: a tile of {grid.cols} x {grid.rows} pixels would have {cols} x {rows} in {crs_name(crs)} "
            f"with a resolution of {resolution:g}; check projection and spatial_resolution (units of the CRS)"
        )
    return Grid(crs, first_col * resolution, first_row * resolution, resolution, rows, cols)


LARGEST_TILE = 1 << 36
"""Pixels; a grid with more comes from a resolution in other units than those of the CRS."""
EDGE_POINTS = 21
"""Points along each edge of a box that are transformed."""
LARGEST_STEP = 20
"""Steps between neighbouring points that are so many times the usual one lead over a seam."""


def transform_bounds(
    bounds: tuple[float, float, float, float], source: str, target: str
) -> tuple[float, float, float, float]:
    """Bounding box in another CRS, its edges densified so that curved edges stay inside.

    Raises
    ------
    InputDataError
        If the other CRS cannot show the box in one piece: its seam crosses it (the antimeridian in
        degrees or Mercator), or a part of it lies outside its domain.
    """
    if same_crs(source, target):
        return bounds
    transform = osr.CoordinateTransformation(spatial_reference(source), spatial_reference(target))
    left, bottom, right, top = bounds
    shares = [number / (EDGE_POINTS - 1) for number in range(EDGE_POINTS)]
    # Lines through the whole box: a seam may cross its middle alone.
    lines = [
        [(left + u * (right - left), bottom + v * (top - bottom)) for u in shares] for v in shares
    ] + [[(left + u * (right - left), bottom + v * (top - bottom)) for v in shares] for u in shares]
    try:
        shown = [transform.TransformPoints(line) for line in lines]
        if any(_jumps(line) for line in shown):
            raise RuntimeError("its seam crosses the tile")
        return transform.TransformBounds(*bounds, EDGE_POINTS)
    except RuntimeError as error:
        raise InputDataError(
            f"the projection {crs_name(target)} cannot show the area {_where(bounds, source)} in one piece "
            f"({error}); choose one that can, such as the UTM zone of the tile"
        ) from None


def _jumps(points: list[tuple[float, ...]]) -> bool:
    """True if a line of points breaks, or has points that cannot be shown."""
    if not all(math.isfinite(value) for x, y, *_ in points for value in (x, y)):
        return True
    steps = [
        math.hypot(second[0] - first[0], second[1] - first[1])
        for first, second in itertools.pairwise(points)
    ]
    usual = sorted(steps)[len(steps) // 2]
    return max(steps) > LARGEST_STEP * usual


def _where(bounds: tuple[float, float, float, float], crs: str) -> str:
    return f"({', '.join(f'{value:.10g}' for value in bounds)}) of {crs_name(crs)}"


def union(grids: list[Grid]) -> Grid:
    """Smallest grid that holds all the grids of a production.

    Raises
    ------
    InputDataError
        If they differ in CRS or resolution, or are not aligned to a thousandth of a pixel.
    """
    if not grids:
        raise InputDataError("no tile: there is nothing to put on one grid")
    first = grids[0]
    left = min(grid.left for grid in grids)
    top = max(grid.top for grid in grids)
    right = max(grid.right for grid in grids)
    bottom = min(grid.bottom for grid in grids)
    for grid in grids:
        check_aligned(first, grid)
    size = first.resolution
    return Grid(
        first.crs, left, top, size, round((top - bottom) / size), round((right - left) / size)
    )


def check_aligned(first: Grid, second: Grid) -> None:
    """Raise InputDataError unless pixels of both grids fall on one another."""
    advice = "set `grid: {projection: ..., spatial_resolution: ...}` to bring all tiles on one grid"
    if not same_crs(first.crs, second.crs):
        raise InputDataError(
            f"tiles are in two projections, {crs_name(first.crs)} and {crs_name(second.crs)}; {advice}"
        )
    if not math.isclose(first.resolution, second.resolution, rel_tol=1e-9):
        raise InputDataError(
            f"tiles have two resolutions, {first.resolution:g} and {second.resolution:g}; {advice}"
        )
    for shift in (second.left - first.left, second.top - first.top):
        pixels = shift / first.resolution
        if abs(pixels - round(pixels)) > 1e-3:
            raise InputDataError(
                f"tiles are shifted by {pixels % 1:.3f} of a pixel against one another; {advice}"
            )


def placed(inner: Grid, outer: Grid) -> Window:
    """Window of `inner` on the aligned grid `outer` (may exceed it)."""
    return Window(
        round((outer.top - inner.top) / outer.resolution),
        round((inner.left - outer.left) / outer.resolution),
        inner.rows,
        inner.cols,
    )


def window_shape(
    grid: Grid, bytes_per_pixel: float, budget_mb: float, block: int = BLOCK
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


def strip_shape(grid: Grid, bytes_per_pixel: float, budget_mb: float) -> tuple[int, int]:
    """Rows and columns of the windows to read where images lie in strips: as wide as the tile.

    A narrower window would decode the whole width of each strip all the same. Rows come by eight,
    where the budget allows: so strips of larger pixels are cut seldom.

    >>> strip_shape(Grid("EPSG:32631", 0, 0, 10, 10980, 10980), 740, 400)
    (48, 10980)
    """
    rows = max(int(budget_mb * 1e6 / max(bytes_per_pixel * grid.cols, 1e-9)), 1)
    return min(rows // 8 * 8 or rows, grid.rows), grid.cols


def reading_windows(grid: Grid, bytes_per_pixel: float, budget_mb: float) -> list[Window]:
    """Windows to read the series of a tile by, within a memory budget.

    Blocks of 20 m bands are 512 pixels of 10 m, and interpolation needs two pixels beyond a window.
    So windows have two blocks or a multiple a side, where the budget allows, and their edges
    run through the middle of the blocks of 20 m bands: each such block is decoded for two
    windows a side, not three.

    >>> windows = reading_windows(Grid("EPSG:32631", 0, 0, 10, 10980, 10980), 740, 400)
    >>> [tuple(window) for window in windows[:3]]
    [(0, 0, 256, 256), (0, 256, 256, 1024), (0, 1280, 256, 1024)]
    """
    double = 2 * BLOCK
    if bytes_per_pixel * min(double, grid.rows) * min(double, grid.cols) > budget_mb * 1e6:
        return list(grid.windows(*window_shape(grid, bytes_per_pixel, budget_mb)))
    rows, cols = window_shape(grid, bytes_per_pixel, budget_mb, block=double)
    return [
        Window(row, col, height, width)
        for row, height in _spans(grid.rows, rows)
        for col, width in _spans(grid.cols, cols)
    ]


def _spans(length: int, step: int) -> list[tuple[int, int]]:
    """Cut a length, the first span a block long if there are several: first pixel, length."""
    edges = [0, *range(BLOCK, length, step), length] if step < length else [0, length]
    return [(first, last - first) for first, last in itertools.pairwise(edges)]


def is_coarser(native: Grid, grid: Grid, factor: int) -> bool:
    """True if an image has pixels `factor` times as large as a grid, its corner and its extent."""
    shape = (factor * native.rows, factor * native.cols)
    return shape == (grid.rows, grid.cols) and same_corner(native, grid, factor)


def part_of(native: Grid, grid: Grid) -> tuple[int, int] | None:
    """Row and column of a larger image at which a grid begins that lies on its pixels; else None."""
    if (
        abs(native.resolution - grid.resolution) * max(grid.rows, grid.cols)
        > 1e-3 * grid.resolution
    ):
        return None
    if not same_crs(native.crs, grid.crs):
        return None
    row = (native.top - grid.top) / native.resolution
    col = (grid.left - native.left) / native.resolution
    begin = round(row), round(col)
    on_pixels = abs(row - begin[0]) < 1e-3 and abs(col - begin[1]) < 1e-3
    covers = (
        min(begin) >= 0
        and begin[0] + grid.rows <= native.rows
        and begin[1] + grid.cols <= native.cols
    )
    return begin if on_pixels and covers else None


def same_corner(native: Grid, grid: Grid, factor: int) -> bool:
    """True if an image has pixels `factor` times as large as a grid, its corner and its CRS."""
    tolerance = 1e-3 * grid.resolution
    return (
        abs(native.resolution - factor * grid.resolution) < 1e-6 * grid.resolution
        and abs(native.left - grid.left) < tolerance
        and abs(native.top - grid.top) < tolerance
        and same_crs(native.crs, grid.crs)
    )
