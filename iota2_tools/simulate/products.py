"""Products in the layout THEIA delivers: folders, names, bands, masks and metadata."""

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from osgeo import osr

from iota2_tools.core.files import whole_file
from iota2_tools.geo.grid import Grid, Window
from iota2_tools.geo.raster import RasterWriter, create_raster
from iota2_tools.simulate.atmosphere import seen_and_cloudy, swath_lines
from iota2_tools.simulate.imaging import BANDS_10M, BANDS_20M, MASKS, NODATA, Image, take_image
from iota2_tools.simulate.landscape import Land, describe_land
from iota2_tools.simulate.observation import Observation
from iota2_tools.simulate.phenology import parcel_traits
from iota2_tools.simulate.settings import (
    EPSG,
    Acquisition,
    SceneSettings,
    acquisitions,
    grid_of_window,
    tile_window,
)

LOGGER = logging.getLogger(__name__)

CLOUDIEST = 0.9
SMALLEST_PART = 0.005
DATASTRIP_SECONDS = 14
PREDICTOR = ("PREDICTOR=2",)
WELL_KNOWN_TEXT = osr.SpatialReference()
WELL_KNOWN_TEXT.ImportFromEPSG(EPSG)
WELL_KNOWN_TEXT = WELL_KNOWN_TEXT.ExportToWkt()


@dataclass(frozen=True)
class Product:
    """One product folder.

    Parameters
    ----------
    tile : str
    acquisition : Acquisition
    datastrip : int or None
        0 or 1 when the date is delivered in two parts.
    cloud_percent : float
        Share of the image under cloud.
    """

    tile: str
    acquisition: Acquisition
    datastrip: int | None
    cloud_percent: float

    @property
    def sensing_time(self) -> datetime:
        """UTC; the southern datastrip starts some seconds later."""
        start = datetime(*self.acquisition.day.timetuple()[:3], *self.acquisition.time)
        return start + timedelta(seconds=DATASTRIP_SECONDS * (self.datastrip or 0))

    @property
    def name(self) -> str:
        """E.g. ``SENTINEL2A_20180210-105031-000_L2A_T31TCJ_C_V2-2``."""
        time = self.sensing_time.strftime("%Y%m%d-%H%M%S")
        return f"{self.acquisition.platform}_{time}-000_L2A_{self.tile}_C_V2-2"


def plan_products(settings: SceneSettings, tile: str) -> list[Product]:
    """Products of a tile in order of time; dates outside the swath or overcast are left out."""
    window = tile_window(settings, tile)
    products = []
    for acquisition in acquisitions(settings):
        whole = swath_lines(settings, acquisition, None)
        seen, cloudy = seen_and_cloudy(settings, window, acquisition, whole)
        if seen < SMALLEST_PART:
            LOGGER.info("%s %s: outside the swath, no product", tile, acquisition.day)
            continue
        if cloudy > CLOUDIEST:
            LOGGER.info("%s %s: %.0f %% cloud, dropped", tile, acquisition.day, 100 * cloudy)
            continue
        for datastrip in (0, 1) if acquisition.split else (None,):
            lines = swath_lines(settings, acquisition, datastrip)
            part, cloudy = seen_and_cloudy(settings, window, acquisition, lines)
            if part >= SMALLEST_PART:
                products.append(Product(tile, acquisition, datastrip, round(100 * cloudy, 1)))
    return _joined(products)


def _joined(products: list[Product]) -> list[Product]:
    """Make a datastrip whole again where its other part does not touch the tile."""
    days = [product.acquisition.day for product in products]
    return [
        product
        if product.datastrip is None or days.count(product.acquisition.day) == 2
        else replace(product, datastrip=None)
        for product in products
    ]


def land_file(work: Path, window: Window, block: int) -> Path:
    """Where the land of a block of rows of a window is kept while the scene is written."""
    return work / "_".join(map(str, window)) / f"land_{block:04d}.npz"


def blocks_of(whole: Window, block_rows: int) -> list[Window]:
    """World windows that make up a window, `block_rows` high and as wide as it."""
    return [
        Window(whole.row + row, whole.col, min(block_rows, whole.rows - row), whole.cols)
        for row in range(0, whole.rows, block_rows)
    ]


def keep_land(settings: SceneSettings, window: Window, path: Path) -> None:
    """Compute the land of a block once and for all dates."""
    land = describe_land(settings, window)
    mixture: dict[str, Any] = {}
    if land.beside is not None:
        mixture = {"beside": land.beside, "part": land.part}
    with whole_file(str(path)) as temporary, open(temporary, "wb") as file:
        np.savez(
            file,
            parcel=land.parcel,
            texture=land.texture,
            identifiers=land.identifiers,
            codes=land.codes,
            regions=land.regions,
            window=[window.row, window.col, window.rows, window.cols],
            **mixture,
        )


def load_land(path: Path) -> Land:
    """Read what `keep_land` wrote."""
    with np.load(path) as arrays:
        values = {name: arrays[name] for name in arrays.files}
    window = Window(*(int(number) for number in values.pop("window")))
    return Land(window=window, **values)


def write_truth(settings: SceneSettings, tile: str, lands: list[Path], path: Path) -> None:
    """Write the true class of a tile."""
    whole = tile_window(settings, tile)
    with create_raster(
        str(path), product_grid(whole, 10), "uint8", nodata=0, options=PREDICTOR
    ) as writer:
        for land in map(load_land, lands):
            writer.write(land.class_map, _relative(land.window, whole, 1))


def write_product(settings: SceneSettings, product: Product, lands: list[Path], out: Path) -> None:
    """Write one product; its folder bears its name once all its files are there."""
    whole = tile_window(settings, product.tile)
    with whole_folder(out, product.name) as partial:
        with ExitStack() as stack:
            writers = _open_writers(stack, partial, product.name, whole)
            for land in map(load_land, lands):
                image = take_image(
                    settings, land, parcel_traits(land), product.acquisition, product.datastrip
                )
                _write_block(writers, image, land.window, whole)
        write_text(partial / f"{product.name}_MTD_ALL.xml", metadata(product, whole))


def observe_product(settings: SceneSettings, product: Product) -> Observation:
    """What a reader must find in a product; masks at 10 m."""
    window = tile_window(settings, product.tile)
    land = describe_land(settings, window)
    image = take_image(settings, land, parcel_traits(land), product.acquisition, product.datastrip)
    fine, coarse = product_grid(window, 10), product_grid(window, 20)
    masks = [image.masks[f"{name}_R1"] != 0 for name in ("EDG", "CLM", "SAT")]
    return Observation(
        product.acquisition.day,
        dict(zip(BANDS_10M + BANDS_20M, [*image.fine, *image.coarse], strict=True)),
        dict.fromkeys(BANDS_10M, fine) | dict.fromkeys(BANDS_20M, coarse),
        fine,
        masks[0],
        masks[0] | masks[1] | masks[2],
    )


@contextmanager
def whole_folder(out: Path, name: str) -> Iterator[Path]:
    """Give a temporary folder in `out`; rename it to `name` if the block succeeds."""
    partial = out / f".{name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    yield partial
    os.replace(partial, out / name)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole."""
    with whole_file(str(path)) as temporary:
        Path(temporary).write_text(text, encoding="utf-8")


def product_grid(window: Window, resolution: int) -> Grid:
    """Grid of an image over a world window, with the well-known text of its CRS."""
    return replace(grid_of_window(window, resolution), crs=WELL_KNOWN_TEXT)


def _relative(window: Window, whole: Window, factor: int) -> Window:
    """Window inside a tile, at 10 m (factor 1) or 20 m (factor 2)."""
    return Window(
        (window.row - whole.row) // factor,
        (window.col - whole.col) // factor,
        window.rows // factor,
        window.cols // factor,
    )


def _open_writers(
    stack: ExitStack, folder: Path, name: str, whole: Window
) -> dict[str, RasterWriter]:
    """Open all images of a product, by band or mask name."""
    writers = {}
    for resolution, bands in ((10, BANDS_10M), (20, BANDS_20M)):
        grid = product_grid(whole, resolution)
        for band in bands:
            path = str(folder / f"{name}_FRE_{band}.tif")
            writers[band] = stack.enter_context(
                create_raster(path, grid, "int16", nodata=NODATA, options=PREDICTOR)
            )
        for mask in (f"{mask}_R{resolution // 10}" for mask in MASKS):
            path = str(folder / "MASKS" / f"{name}_{mask}.tif")
            writers[mask] = stack.enter_context(
                create_raster(path, grid, "uint8", options=PREDICTOR)
            )
    return writers


def _write_block(
    writers: dict[str, RasterWriter], image: Image, window: Window, whole: Window
) -> None:
    fine, coarse = _relative(window, whole, 1), _relative(window, whole, 2)
    for band, pixels in zip(BANDS_10M, image.fine, strict=True):
        writers[band].write(pixels, fine)
    for band, pixels in zip(BANDS_20M, image.coarse, strict=True):
        writers[band].write(pixels, coarse)
    for mask, pixels in image.masks.items():
        writers[mask].write(pixels, fine if mask.endswith("R1") else coarse)
    for writer in writers.values():  # bounds the memory: else GDAL's cache fills up first
        writer.dataset.GetRasterBand(1).FlushCache()


METADATA = """\
<?xml version="1.0" encoding="UTF-8"?>
<Muscate_Metadata_Document>
  <!-- Minimal metadata of a simulated product; not a THEIA original. -->
  <Dataset_Identification>
    <IDENTIFIER>{name}</IDENTIFIER>
    <AUTHORITY>SIMULATED</AUTHORITY>
    <GEOGRAPHICAL_ZONE type="Tile">{tile}</GEOGRAPHICAL_ZONE>
  </Dataset_Identification>
  <Product_Characteristics>
    <PRODUCT_ID>{name}</PRODUCT_ID>
    <ACQUISITION_DATE>{time}.000Z</ACQUISITION_DATE>
    <PRODUCT_LEVEL>{level}</PRODUCT_LEVEL>
    <PLATFORM>{platform}</PLATFORM>
    <ORBIT_NUMBER type="relative">{orbit:03d}</ORBIT_NUMBER>
  </Product_Characteristics>
  <Geoposition_Informations>
    <Coordinate_Reference_System><Horizontal_Coordinate_System>
      <HORIZONTAL_CS_CODE>{epsg}</HORIZONTAL_CS_CODE>
    </Horizontal_Coordinate_System></Coordinate_Reference_System>
    <Geopositioning><Group_Geopositioning_List>
{groups}
    </Group_Geopositioning_List></Geopositioning>
  </Geoposition_Informations>
  <Geometric_Informations><Mean_Value_List>
    <Sun_Angles><ZENITH_ANGLE unit="deg">{zenith:.4f}</ZENITH_ANGLE>\
<AZIMUTH_ANGLE unit="deg">{azimuth:.4f}</AZIMUTH_ANGLE></Sun_Angles>
  </Mean_Value_List></Geometric_Informations>
  <Radiometric_Informations>
    <REFLECTANCE_QUANTIFICATION_VALUE>10000</REFLECTANCE_QUANTIFICATION_VALUE>
    <Special_Values_List><SPECIAL_VALUE name="nodata">{nodata}</SPECIAL_VALUE></Special_Values_List>
  </Radiometric_Informations>
  <Quality_Informations><Current_Product><Product_Quality_List><Product_Quality>\
<Global_Index_List>
    <QUALITY_INDEX name="CloudPercent">{cloud_percent}</QUALITY_INDEX>
  </Global_Index_List></Product_Quality></Product_Quality_List></Current_Product>\
</Quality_Informations>
</Muscate_Metadata_Document>
"""
GROUP = (
    '      <Group_Geopositioning group_id="{name}"><ULX>{left:.0f}</ULX><ULY>{top:.0f}</ULY>'
    "<XDIM>{size}</XDIM><YDIM>-{size}</YDIM><NROWS>{rows}</NROWS><NCOLS>{cols}</NCOLS>"
    "</Group_Geopositioning>"
)


def geopositions(grids: dict[str, Grid]) -> str:
    """The groups of images of a product that share a grid, as text."""
    return "\n".join(
        GROUP.format(
            name=name, left=grid.left, top=grid.top, size=f"{grid.resolution:.0f}",
            rows=grid.rows, cols=grid.cols,
        )
        for name, grid in grids.items()
    )  # fmt: skip


def metadata(product: Product, whole: Window) -> str:
    """Text of the product's XML file."""
    acquisition = product.acquisition
    grids = {f"R{number}": grid_of_window(whole, 10 * number) for number in (1, 2)}
    return METADATA.format(
        name=product.name, tile=product.tile, time=product.sensing_time.isoformat(), level="L2A",
        platform=acquisition.platform, orbit=acquisition.orbit, epsg=EPSG,
        groups=geopositions(grids), zenith=acquisition.sun_zenith,
        azimuth=acquisition.sun_azimuth, nodata=NODATA, cloud_percent=product.cloud_percent,
    )  # fmt: skip
