"""Landsat as THEIA delivers it: today's layout, and the old one of one image in a file.

References
----------
Hagolle, multitemp blog of CESBIO, "Landsat, old format": files, bits of NUA and DIV, factor.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from iota2_tools.geo.grid import Grid, Window
from iota2_tools.geo.raster import create_raster
from iota2_tools.simulate.atmosphere import CIRRUS, SHADOW
from iota2_tools.simulate.imaging import NODATA
from iota2_tools.simulate.landsat import (
    LANDSAT5,
    LANDSAT8,
    PIXEL,
    LandsatImage,
    LandsatProduct,
    Mission,
    covering_window,
    joined,
    plan_landsat,
    take_landsat,
)
from iota2_tools.simulate.landscape import describe_land
from iota2_tools.simulate.observation import Observation
from iota2_tools.simulate.products import (
    CLOUDIEST,
    METADATA,
    PREDICTOR,
    geopositions,
    load_land,
    product_grid,
    whole_folder,
    write_text,
)
from iota2_tools.simulate.settings import (
    COLUMN_LETTERS,
    EPSG,
    ROW_LETTERS,
    SceneSettings,
    tile_window,
)
from iota2_tools.simulate.xml import node, text_of

SENSOR_NAMES = {5: "TM", 8: "OLITIRS"}
FACTORS = (1_000, 10_000)
CLOUD_BITS_OF_OLD = 31
OLD_HIGH_CLOUD, OLD_SHADOW = 32, 64
NOT_SEEN, ON_WATER = 1, 2


def tile_grid(settings: SceneSettings, tile: str) -> Grid:
    """Grid of 30 m whose corner is that of the tile; its last pixels may reach beyond it."""
    return product_grid(tile_window(settings, tile), PIXEL)


def window_of(settings: SceneSettings, tile: str) -> Window:
    """World window under `tile_grid`."""
    return covering_window(tile_grid(settings, tile))


@dataclass(frozen=True)
class NewProduct:
    """One product of today's layout."""

    source: LandsatProduct

    @property
    def name(self) -> str:
        """E.g. ``LANDSAT8-OLITIRS-XS_20180606-104459-000_L2A_T31TCJ_C_V2-2``."""
        time = self.source.sensing_time.strftime("%Y%m%d-%H%M%S")
        return f"LANDSAT8-OLITIRS-XS_{time}-000_L2A_{self.source.tile}_C_V2-2"


@dataclass(frozen=True)
class OldProduct:
    """One product of the old layout; its version says by what the reflectance is multiplied."""

    source: LandsatProduct

    @property
    def sensor(self) -> str:
        """``TM`` or ``OLITIRS``."""
        return SENSOR_NAMES[self.source.mission.number]

    @property
    def factor(self) -> int:
        """Reflectance is multiplied by this: 1000 and 10000 take turns."""
        return FACTORS[self.source.number % 2]

    @property
    def zone(self) -> str:
        """A zone of the old grid for each tile, e.g. ``France-MetropoleD0003H0009``."""
        tile = self.source.tile
        column, row = COLUMN_LETTERS.index(tile[4]) + 1, ROW_LETTERS.index(tile[5]) + 1
        return f"France-MetropoleD{column:04d}H{row:04d}"

    @property
    def date_part(self) -> str:
        """E.g. ``LANDSAT8_OLITIRS_XS_20130414_N2A``."""
        day = self.source.acquisition.day.strftime("%Y%m%d")
        return f"LANDSAT{self.source.mission.number}_{self.sensor}_XS_{day}_N2A"

    @property
    def name(self) -> str:
        """E.g. ``LANDSAT8_OLITIRS_XS_20130414_N2A_France-MetropoleD0005H0002``."""
        return f"{self.date_part}_{self.zone}"


def plan_new(settings: SceneSettings, tile: str) -> list[NewProduct]:
    """Landsat 8 of a tile in today's layout."""
    return [NewProduct(each) for each in plan_landsat(settings, tile, LANDSAT8, CLOUDIEST)]


def plan_old(mission: Mission, settings: SceneSettings, tile: str) -> list[OldProduct]:
    """Landsat of a tile in the old layout."""
    return [OldProduct(each) for each in plan_landsat(settings, tile, mission, CLOUDIEST)]


plan_old8 = partial(plan_old, LANDSAT8)
plan_old5 = partial(plan_old, LANDSAT5)


def _taken(
    settings: SceneSettings, source: LandsatProduct, lands: list[Path] | None
) -> LandsatImage:
    """The image, of land that is kept in files or computed here."""
    grid = tile_grid(settings, source.tile)
    if lands is None:
        land = describe_land(settings, covering_window(grid))
    else:
        land = joined([load_land(path) for path in lands])
    return take_landsat(settings, land, grid, source)


def old_numbers(reflectance: np.ndarray, factor: int) -> np.ndarray:
    """Reflectance x 10000 to reflectance x factor, int16; nodata stays -10000.

    >>> old_numbers(np.array([427, -10000], dtype=np.int16), 1000).tolist()
    [43, -10000]
    """
    numbers = np.rint(reflectance.astype(np.float64) * factor / 10_000)
    return np.where(reflectance == NODATA, NODATA, numbers).astype(np.int16)


def _observed(
    settings: SceneSettings, source: LandsatProduct, image: LandsatImage, bands: np.ndarray
) -> Observation:
    grid = tile_grid(settings, source.tile)
    names = source.mission.instrument.bands
    return Observation(
        source.acquisition.day,
        dict(zip(names, bands, strict=True)),
        dict.fromkeys(names, grid),
        grid,
        image.unseen,
        image.unseen | (image.clouds != 0) | (image.saturated != 0),
    )


def observe_new(settings: SceneSettings, product: NewProduct) -> Observation:
    """What a reader must find in a product of today's layout."""
    image = _taken(settings, product.source, None)
    return _observed(settings, product.source, image, image.bands)


def observe_old(settings: SceneSettings, product: OldProduct) -> Observation:
    """What a reader must find in a product of the old layout: a factor of 1000 rounds to tens."""
    image = _taken(settings, product.source, None)
    coded = old_numbers(image.bands, product.factor)
    bands = np.where(coded == NODATA, NODATA, coded.astype(np.int32) * (10_000 // product.factor))
    return _observed(settings, product.source, image, bands.astype(np.int16))


def write_new(settings: SceneSettings, product: NewProduct, lands: list[Path], out: Path) -> None:
    """Write one product of today's layout."""
    source = product.source
    image = _taken(settings, source, lands)
    grid = tile_grid(settings, source.tile)
    seen = ~image.unseen
    masks = {
        "CLM": image.clouds,
        "SAT": image.saturated,
        "EDG": image.unseen.astype(np.uint8),
        "MG2": ((image.water & seen) | (image.clouds & 2) | (image.clouds & SHADOW) >> 2).astype(
            np.uint8
        ),
    }
    with whole_folder(out, product.name) as folder:
        for band, pixels in zip(source.mission.instrument.bands, image.bands, strict=True):
            _write(folder / f"{product.name}_FRE_{band}.tif", grid, pixels, NODATA)
        for mask, pixels in masks.items():
            _write(folder / "MASKS" / f"{product.name}_{mask}_XS.tif", grid, pixels)
        write_text(folder / f"{product.name}_MTD_ALL.xml", new_metadata(settings, product))


def _write(path: Path, grid: Grid, pixels: np.ndarray, nodata: float | None = None) -> None:
    """Write one band, or several in one file."""
    layers = pixels if pixels.ndim == 3 else pixels[np.newaxis]
    with create_raster(
        str(path), grid, pixels.dtype.name, bands=len(layers), nodata=nodata, options=PREDICTOR
    ) as writer:
        writer.write_bands(layers, grid.window)


def new_metadata(settings: SceneSettings, product: NewProduct) -> str:
    """Text of the XML file of a product of today's layout."""
    source = product.source
    acquisition = source.acquisition
    return METADATA.format(
        name=product.name, tile=source.tile, time=source.sensing_time.isoformat(),
        level="L2A", platform=acquisition.platform, orbit=acquisition.orbit, epsg=EPSG,
        groups=geopositions({"XS": tile_grid(settings, source.tile)}),
        zenith=acquisition.sun_zenith, azimuth=acquisition.sun_azimuth, nodata=NODATA,
        cloud_percent=source.cloud_percent,
    )  # fmt: skip


def old_clouds(clouds: np.ndarray) -> np.ndarray:
    """NUA of a CLM: bits 0 to 4 are the same, high clouds are bit 5 and shadows bit 6.

    >>> old_clouds(np.array([1 | 32, 1 | 2 | 128, 16], dtype=np.uint8)).tolist()
    [65, 35, 16]
    """
    shadows = np.where(clouds & SHADOW != 0, OLD_SHADOW, 0)
    cirrus = np.where(clouds & CIRRUS != 0, OLD_HIGH_CLOUD, 0)
    return (clouds & CLOUD_BITS_OF_OLD | shadows | cirrus).astype(np.uint8)


def write_old(settings: SceneSettings, product: OldProduct, lands: list[Path], out: Path) -> None:
    """Write one product of the old layout."""
    image = _taken(settings, product.source, lands)
    grid = tile_grid(settings, product.source.tile)
    diverse = np.where(image.unseen, NOT_SEEN, np.where(image.water, ON_WATER, 0))
    masks = {
        "NUA": old_clouds(image.clouds),
        "SAT": image.saturated,
        "DIV": diverse.astype(np.uint8),
    }
    with whole_folder(out, product.name) as folder:
        path = folder / f"{product.date_part}_ORTHO_SURF_CORR_PENTE_{product.zone}.TIF"
        _write(path, grid, old_numbers(image.bands, product.factor), NODATA)
        for mask, pixels in masks.items():
            _write(folder / "MASK" / f"{product.name}_{mask}.TIF", grid, pixels)
        write_text(folder / f"{product.name}.xml", old_metadata(product, grid))


def old_metadata(product: OldProduct, grid: Grid) -> str:
    """Text of the XML file of a product of the old layout."""
    source = product.source
    acquisition, bands = source.acquisition, source.mission.instrument.bands
    image = f"{product.date_part}_ORTHO_SURF_CORR_PENTE_{product.zone}.TIF"
    header = {
        "IDENT": product.name,
        "DATE_PDV": f"{source.sensing_time.isoformat(sep=' ')}.000000",
        "PLATEFORM": acquisition.platform,
        "SENSOR": product.sensor,
        "MODE": "XS",
        "LEVEL": "N2A",
        "ZONE_GEO": product.zone,
        "VERSION": f"{1 + FACTORS.index(product.factor)}.0",
    }
    files = {
        "MASK_SATURATION": f"MASK/{product.name}_SAT.TIF",
        "ORTHO_SURF_CORR_PENTE": image,
        "MASK_N2": "MASK",
    }
    geometry = {
        "PROJECTION": "UTM31N",
        "RESOLUTION": f"{grid.resolution:.1f}",
        "NB_COLS": grid.cols,
        "NB_ROWS": grid.rows,
        "PIXEL_SIZE_X": f"{grid.resolution:.1f}",
        "PIXEL_SIZE_Y": f"-{grid.resolution:.1f}",
        "ORIGIN_X": f"{grid.left:.1f}",
        "ORIGIN_Y": f"{grid.top:.1f}",
    }
    angles = {
        "PHI_S": f"{acquisition.sun_azimuth:.6f}",
        "THETA_S": f"{acquisition.sun_zenith:.6f}",
    }
    quantification = {"THERM_BAND": "False", "VALUE": f"{product.factor:.1f}"}
    radiometry = [
        node("BANDS", ";".join(bands)),
        node("ANGLES", _nodes(angles)),
        node("QUANTIFICATION", _nodes(quantification)),
    ]
    return text_of(
        node(
            "METADATA",
            [
                node("HEADER", _nodes(header)),
                node("FILES", _nodes(files)),
                node("GEOMETRY", _nodes(geometry)),
                node("RADIOMETRY", radiometry),
            ],
        )
    )


def _nodes(values: Mapping[str, object]) -> list[Element]:
    return [node(name, value) for name, value in values.items()]
