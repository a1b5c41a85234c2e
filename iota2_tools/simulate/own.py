"""A series of the user's own: one raster a date, as no distributor names it.

Its images may lie off, each by a shift of its own: for what brings them onto a reference.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from iota2_tools.geo.grid import Grid, Window
from iota2_tools.geo.raster import create_raster
from iota2_tools.simulate.hashing import stream_key, uniform
from iota2_tools.simulate.imaging import NODATA
from iota2_tools.simulate.landsat import (
    LANDSAT8,
    PIXEL,
    SQUARE,
    LandsatImage,
    LandsatProduct,
    covering_window,
    joined,
    plan_landsat,
    take_landsat,
)
from iota2_tools.simulate.landscape import Land, describe_land
from iota2_tools.simulate.observation import Observation
from iota2_tools.simulate.products import PREDICTOR, load_land
from iota2_tools.simulate.settings import SceneSettings
from iota2_tools.simulate.theia_landsat import tile_grid

BANDS = LANDSAT8.instrument.bands
CLOUDIEST = 0.9
FARTHEST = 9
"""Squares of 5 m that an image lies off to each side, at most: one pixel and a half."""

# DN = reflectance x 20000 + 4000. The band after the last holds bits.
STEP, ZERO, NO_NUMBER = 2, 4000, 65535
UNSEEN, CLOUDY, SATURATED = 1, 2, 4


@dataclass(frozen=True)
class OwnImage:
    """One date: a file of all bands and the bits of its pixels.

    Parameters
    ----------
    source : LandsatProduct
    east, north : int
        How far it lies off, m, multiples of 5.
    """

    source: LandsatProduct
    east: int = 0
    north: int = 0

    @property
    def name(self) -> str:
        """E.g. ``OWN_20180606.tif``."""
        return f"OWN_{self.source.acquisition.day:%Y%m%d}.tif"


def plan_own(settings: SceneSettings, tile: str) -> list[OwnImage]:
    """Images of a tile, in order of time."""
    return [OwnImage(each) for each in plan_landsat(settings, tile, LANDSAT8, CLOUDIEST)]


def plan_misplaced(settings: SceneSettings, tile: str) -> list[OwnImage]:
    """The same images, each taken where it does not say."""
    return [_misplaced(settings, each) for each in plan_own(settings, tile)]


def _misplaced(settings: SceneSettings, image: OwnImage) -> OwnImage:
    day = image.source.acquisition.day
    east, north = (
        SQUARE * round(FARTHEST * (2 * uniform(stream_key(settings.seed, side, day)) - 1))
        for side in ("misplaced east", "misplaced north")
    )
    return replace(image, east=east, north=north)


def seen_grid(settings: SceneSettings, image: OwnImage) -> Grid:
    """Grid of the ground that an image shows; it says that this is the grid of its tile."""
    grid = tile_grid(settings, image.source.tile)
    return replace(grid, left=grid.left - image.east, top=grid.top - image.north)


def window_of(settings: SceneSettings, tile: str) -> Window:
    """World window under all images of a tile, wherever they lie."""
    grid, around = tile_grid(settings, tile), -(-FARTHEST * SQUARE // PIXEL)
    return covering_window(
        replace(
            grid, left=grid.left - around * PIXEL, top=grid.top + around * PIXEL,
            rows=grid.rows + 2 * around, cols=grid.cols + 2 * around,
        )
    )  # fmt: skip


def _taken(settings: SceneSettings, image: OwnImage, lands: Iterable[Land]) -> LandsatImage:
    return take_landsat(settings, joined(list(lands)), seen_grid(settings, image), image.source)


def observe_own(settings: SceneSettings, image: OwnImage) -> Observation:
    """What a reader must find, as far as it believes what the image says of its place."""
    land = describe_land(settings, window_of(settings, image.source.tile))
    taken = _taken(settings, image, [land])
    grid = tile_grid(settings, image.source.tile)
    return Observation(
        image.source.acquisition.day,
        dict(zip(BANDS, taken.bands, strict=True)),
        dict.fromkeys(BANDS, grid),
        grid,
        taken.unseen,
        taken.unseen | (taken.clouds != 0) | (taken.saturated != 0),
    )


def digital_numbers(reflectance: np.ndarray) -> np.ndarray:
    """DN of reflectance x 10000, uint16.

    >>> digital_numbers(np.array([427, 0, -1990, -10000], dtype=np.int16)).tolist()
    [4854, 4000, 20, 65535]
    """
    numbers = STEP * reflectance.astype(np.int32) + ZERO
    return np.where(reflectance == NODATA, NO_NUMBER, numbers).astype(np.uint16)


def write_own(settings: SceneSettings, image: OwnImage, lands: list[Path], out: Path) -> None:
    """Write one image, and as its last band what its pixels are worth."""
    taken = _taken(settings, image, map(load_land, lands))
    grid = tile_grid(settings, image.source.tile)
    bits = np.where(taken.clouds != 0, CLOUDY, 0) | np.where(taken.saturated != 0, SATURATED, 0)
    bits = np.where(taken.unseen, UNSEEN, bits).astype(np.uint16)
    with create_raster(
        str(out / image.name), grid, "uint16", bands=len(BANDS) + 1, options=PREDICTOR
    ) as writer:
        writer.write_bands(np.stack([*digital_numbers(taken.bands), bits]), grid.window)
