"""Sentinel-2 as a list of STAC items names it: what pixels are worth stands in the items alone.

References
----------
STAC 1.0.0, item; extensions eo 1.1, raster 1.1, projection 1.1, grid 1.1.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from osgeo import osr

from iota2_tools.geo.grid import Grid
from iota2_tools.geo.raster import create_raster
from iota2_tools.simulate.observation import Observation
from iota2_tools.simulate.products import (
    PREDICTOR,
    load_land,
    product_grid,
    whole_folder,
    write_text,
)
from iota2_tools.simulate.sen2cor import (
    QUANTIFICATION,
    SafeProduct,
    digital_numbers,
    image_of_lands,
    images_of,
    observe_safe,
    plan_safe,
)
from iota2_tools.simulate.settings import EPSG, SceneSettings, tile_window

STACKED = {"B02": "blue", "B03": "green", "B04": "red", "B08": "nir"}
"""Bands of the asset `data`, in the order of its file, and their common names."""
ALONE = {"B11": "swir16", "B12": "swir22"}
"""Bands with a file of their own."""
CLASSES = "scl"
COLLECTION = "simulated-sentinel-2"
EXTENSIONS = {"eo": "v1.1.0", "raster": "v1.1.0", "projection": "v1.1.0", "grid": "v1.1.0"}


@dataclass(frozen=True)
class StacProduct:
    """Files of one item, in a folder of its name."""

    safe: SafeProduct

    @property
    def name(self) -> str:
        """E.g. ``S2B_T31TCJ_20180316T105014``."""
        sensed = self.safe.source.sensing_time
        return f"{self.safe.platform}_{self.safe.source.tile}_{sensed:%Y%m%dT%H%M%S}"


@dataclass(frozen=True)
class ItemList:
    """The file that names all items of a scene."""

    name: str = "items.json"


def plan_stac(settings: SceneSettings, tile: str) -> list[StacProduct]:
    """Items of a tile: the dates and baselines of Sen2Cor's products."""
    return [StacProduct(each) for each in plan_safe(settings, tile)]


def plan_list(settings: SceneSettings, place: str) -> list[ItemList]:
    """The list."""
    return [ItemList()]


def code_of(tile: str) -> str:
    """What items call a tile: TCJ of T31TCJ, whose square of MGRS is far larger than the scene."""
    return tile[3:]


def observe_stac(settings: SceneSettings, product: StacProduct) -> Observation:
    """What a reader must find."""
    whole = observe_safe(settings, product.safe)
    names = (*STACKED, *ALONE)
    return replace(
        whole,
        bands={name: whole.bands[name] for name in names},
        grids={name: whole.grids[name] for name in names},
    )


def write_stac(settings: SceneSettings, product: StacProduct, lands: list[Path], out: Path) -> None:
    """Write the files of one item; their folder bears its name once all are there.

    They state neither scale nor offset, nor what has no data.
    """
    window = tile_window(settings, product.safe.source.tile)
    loaded = [load_land(land) for land in lands]
    images = images_of(image_of_lands(settings, product.safe, loaded))
    offset = product.safe.offset
    files = {"data": digital_numbers(np.stack([images[f"{band}_10m"] for band in STACKED]), offset)}
    files |= {name: digital_numbers(images[f"{band}_20m"], offset) for band, name in ALONE.items()}
    files[CLASSES] = images["SCL_20m"]
    with whole_folder(out, product.name) as folder:
        for name, pixels in files.items():
            bands = pixels if pixels.ndim == 3 else pixels[np.newaxis]
            grid = product_grid(window, 10 if name == "data" else 20)
            with create_raster(
                str(folder / f"{name}.tif"), grid, pixels.dtype.name, bands=len(bands),
                options=PREDICTOR,
            ) as writer:  # fmt: skip
                writer.write_bands(bands, grid.window)


def write_list(settings: SceneSettings, product: ItemList, lands: list[Path], out: Path) -> None:
    """Write the list of the items of all tiles; it needs no image."""
    items = [
        item(each, product_grid(tile_window(settings, tile), 10))
        for tile in settings.tiles
        for each in plan_stac(settings, tile)
    ]
    content = {"type": "FeatureCollection", "features": items}
    write_text(out / product.name, json.dumps(content, indent=1) + "\n")


def item(product: StacProduct, grid: Grid) -> dict[str, object]:
    """An item as JSON has it."""
    safe = product.safe
    corners = list(_corners(grid))
    longitudes, latitudes = zip(*corners, strict=True)
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "stac_extensions": [
            f"https://stac-extensions.github.io/{name}/{version}/schema.json"
            for name, version in EXTENSIONS.items()
        ],
        "id": product.name,
        "collection": COLLECTION,
        "geometry": {"type": "Polygon", "coordinates": [[*corners, corners[0]]]},
        "bbox": [min(longitudes), min(latitudes), max(longitudes), max(latitudes)],
        "properties": {
            "datetime": f"{safe.source.sensing_time.isoformat()}Z",
            "platform": f"sentinel-{safe.platform[1:].lower()}",
            "grid:code": code_of(safe.source.tile),
            "proj:epsg": EPSG,
            "s2:processing_baseline": safe.baseline,
            "eo:cloud_cover": safe.source.cloud_percent,
        },
        "assets": _assets(product),
        "links": [],
    }


def _assets(product: StacProduct) -> dict[str, dict[str, object]]:
    tile = product.safe.source.tile
    worth = {
        "scale": 1 / QUANTIFICATION,
        "offset": product.safe.offset / QUANTIFICATION,
        "nodata": 0,
    }
    found: dict[str, dict[str, object]] = {}
    for name, bands in (("data", STACKED), *((word, {band: word}) for band, word in ALONE.items())):
        found[name] = {
            "href": f"./{tile}/{product.name}/{name}.tif",
            "roles": ["data"],
            "eo:bands": [{"name": band, "common_name": word} for band, word in bands.items()],
            "raster:bands": [worth] * len(bands),
        }
    found[CLASSES] = {"href": f"./{tile}/{product.name}/{CLASSES}.tif", "roles": ["data"]}
    return found


def _corners(grid: Grid) -> Iterator[tuple[float, float]]:
    """Corners of a grid, longitude and latitude."""
    source, degrees = osr.SpatialReference(), osr.SpatialReference()
    source.SetFromUserInput(grid.crs)
    degrees.ImportFromEPSG(4326)
    for reference in (source, degrees):
        reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    transform = osr.CoordinateTransformation(source, degrees)
    left, bottom, right, top = grid.bounds
    for x, y in ((left, bottom), (right, bottom), (right, top), (left, top)):
        longitude, latitude, _ = transform.TransformPoint(x, y)
        yield round(longitude, 7), round(latitude, 7)
