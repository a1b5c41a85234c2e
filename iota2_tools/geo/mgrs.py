"""Grids of the tiles of Sentinel-2, from their names.

References
----------
Military Grid Reference System, NGA.STND.0037, 2014. A tile of Sentinel-2 is a square of 100 km
enlarged to 109.8 km to the east and south; its corner lies on multiples of 60 m (ESA, S2 tiling
grid: T31TCJ has (300000, 4900020), T31TDJ (399960, 4900020)).
"""

import math
import re

import pyproj

from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.grid import Grid

COLUMNS = ("STUVWXYZ", "ABCDEFGH", "JKLMNPQR")
"""Letters of the columns of squares, by zone modulo 3."""
ROWS = "ABCDEFGHJKLMNPQRSTUV"
BANDS = "CDEFGHJKLMNPQRSTUVWX"
SQUARE, ROUND, SIDE = 100_000, 60, 109_800
FALSE_NORTHING = 10_000_000
TILE = re.compile(r"T?(\d{1,2})([C-HJ-NP-X])([A-HJ-NP-Z])([A-HJ-NP-V])", re.IGNORECASE)


def tile_grid(name: str, resolution: float = 10) -> Grid:
    """Grid of a tile of Sentinel-2.

    Raises
    ------
    InputDataError
        If the name is none of a tile.

    >>> grid = tile_grid("T31TDJ")
    >>> grid.left, grid.top, grid.rows
    (399960, 4900020, 10980)
    """
    found = TILE.fullmatch(name)
    zone = int(found[1]) if found else 0
    if not found or not 1 <= zone <= 60:
        raise InputDataError(f"{name}: is no tile of Sentinel-2's grid, such as T31TCJ")
    band, column, row = (letter.upper() for letter in found.groups()[1:])
    if column not in COLUMNS[zone % 3]:
        raise InputDataError(
            f"{name}: zone {zone} has no column {column}; its columns are {COLUMNS[zone % 3]}"
        )
    south = band < "N"
    easting = (COLUMNS[zone % 3].index(column) + 1) * SQUARE
    northing = _northing(zone, band, ROWS.index(row), south)
    left = easting // ROUND * ROUND
    # Multiples are counted from the equator, which is 10 000 km in the south.
    equator = FALSE_NORTHING if south else 0
    top = equator + math.ceil((northing + SQUARE - equator) / ROUND) * ROUND
    side = round(SIDE / resolution)
    return Grid(_crs(zone, south), left, top, resolution, side, side)


def _crs(zone: int, south: bool) -> str:
    return f"EPSG:{327 if south else 326}{zone:02d}"


def _northing(zone: int, band: str, row: int, south: bool) -> int:
    """Lower edge of the square of a row letter that lies in a band of latitude, m."""
    offset = row if zone % 2 else (row - 5) % len(ROWS)
    latitude = -80 + 8 * BANDS.index(band)
    to_metres = pyproj.Transformer.from_crs("EPSG:4326", _crs(zone, south), always_xy=True)
    lowest = to_metres.transform(6 * zone - 183, latitude)[1]
    northing = offset * SQUARE
    # Letters begin anew every 2000 km; a square that the band begins in counts.
    while northing + SQUARE <= lowest:
        northing += len(ROWS) * SQUARE
    return northing
