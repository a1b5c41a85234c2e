"""Sentinel-1 as S1Tiling leaves it: a GeoTIFF for each tile, date and polarisation, and its mask."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from iota2_tools.geo.grid import Window
from iota2_tools.geo.raster import create_raster
from iota2_tools.simulate.products import load_land
from iota2_tools.simulate.radar import (
    POLARISATIONS,
    RadarPass,
    parcel_backscatter,
    radar_passes,
    speckle_over,
)
from iota2_tools.simulate.settings import SceneSettings, grid_of_window, tile_window

BORDER = 4
"""Pixels at the eastern edge of a tile that each second pass does not see."""


@dataclass(frozen=True)
class TileImage:
    """One file: an image, or its mask of the border.

    Parameters
    ----------
    tile : str
        ``T31TCJ``.
    radar_pass : RadarPass
    polarisation : str
        ``VV`` or ``VH``.
    mask : bool
    unseen : int
        Columns at the eastern edge that the pass does not see.
    """

    tile: str
    radar_pass: RadarPass
    polarisation: str
    mask: bool
    unseen: int

    @property
    def name(self) -> str:
        """E.g. ``s1a_31TCJ_vv_ASC_030_20180104t174809.tif``."""
        radar_pass = self.radar_pass
        return (
            f"{radar_pass.platform.lower()}_{self.tile[1:]}_{self.polarisation.lower()}_"
            f"{radar_pass.direction}_{radar_pass.orbit:03d}_{radar_pass.time:%Y%m%dt%H%M%S}"
            f"{'_BorderMask' if self.mask else ''}.tif"
        )


def places_of(settings: SceneSettings) -> list[str]:
    """Folders: tiles without their T, as S1Tiling names them."""
    return [tile[1:] for tile in settings.tiles]


def window_of(settings: SceneSettings, place: str) -> Window:
    """World window of a folder."""
    return tile_window(settings, f"T{place}")


def plan_images(settings: SceneSettings, place: str) -> list[TileImage]:
    """All files of a tile in order of time."""
    return [
        TileImage(f"T{place}", radar_pass, polarisation, mask, BORDER if number % 2 else 0)
        for number, radar_pass in enumerate(radar_passes(settings))
        for polarisation in POLARISATIONS
        for mask in (False, True)
    ]


def write_image(settings: SceneSettings, image: TileImage, lands: list[Path], folder: Path) -> None:
    """Write one file: gamma nought, linear float32, 0 where it was not seen; or the mask, 1 where seen."""
    whole = tile_window(settings, image.tile)
    radar_pass = image.radar_pass
    tags = {
        "ACQUISITION_DATETIME": f"{radar_pass.time:%Y:%m:%dT%H:%M:%SZ}",
        "CALIBRATION": "gamma",
        "FLYING_UNIT_CODE": radar_pass.platform.lower(),
        "IMAGE_TYPE": "MASK" if image.mask else "BACKSCATTERING",
        "ORBIT_DIRECTION": radar_pass.direction,
        "ORTHORECTIFIED": "true",
        "POLARIZATION": image.polarisation.lower(),
        "RELATIVE_ORBIT_NUMBER": f"{radar_pass.orbit:03d}",
        "S2_TILE_CORRESPONDING_CODE": image.tile[1:],
    }
    dtype, nodata = ("uint8", None) if image.mask else ("float32", 0)
    path, grid = str(folder / image.name), grid_of_window(whole)
    with create_raster(path, grid, dtype, nodata=nodata, tags=tags) as writer:
        for land in map(load_land, lands):
            window = land.window
            if image.mask:
                values = np.ones((window.rows, window.cols), dtype=np.uint8)
            else:
                layer = POLARISATIONS.index(image.polarisation)
                power = parcel_backscatter(settings, land, radar_pass)[layer][land.parcel]
                speckle = speckle_over(
                    settings,
                    window,
                    "tile",
                    radar_pass.day,
                    radar_pass.direction,
                    image.polarisation,
                )
                values = (power * speckle).astype(np.float32)
            values[:, window.cols - image.unseen :] = 0
            place = Window(window.row - whole.row, window.col - whole.col, *window[2:])
            writer.write(values, place)
