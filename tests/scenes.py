"""Simulated scenes as a configuration names them: the section of each sensor that is written."""

from pathlib import Path

from iota2_tools.geo.grid import grid_of
from iota2_tools.products import FORMATS, Listing, ProductFormat, format_of
from iota2_tools.simulate.own import BANDS, CLOUDY, NO_NUMBER, SATURATED, UNSEEN

SIMULATED = {
    "landsat5": "l5",
    "landsat5_usgs": "l5-usgs",
    "landsat7_usgs": "l7-usgs",
    "landsat8": "l8",
    "landsat8_old": "l8-old",
    "landsat8_usgs": "l8-usgs",
    "own_series": "own",
    "sentinel1": "s1",
    "sentinel1_s1tiling": "s1tiling",
    "sentinel2": "s2",
    "sentinel2_l3a": "l3a",
    "sentinel2_sen2cor": "s2-sen2cor",
    "stac": "stac",
}
"""What `iota2 simulate` calls each sensor. Its folder is that of the sensor."""
OWN_SERIES = {
    "pattern": "OWN_{date}.tif",
    "bands": {band: number for number, band in enumerate(BANDS, start=1)},
    "roles": {"red": "B4", "nir": "B5", "swir": "B6"},
    "nodata": NO_NUMBER,
    "scale": 0.5,
    "offset": -2000,
    "mask": {
        "pattern": "OWN_{date}.tif", "band": len(BANDS) + 1, "unusable_bits": CLOUDY + SATURATED,
        "unseen": [UNSEEN],
    },
    "indices": ["NDVI"],
}  # fmt: skip
STAC = {
    "bands": {"B2": "blue", "B3": "green", "B4": "red", "B8": "nir", "B11": "swir16", "B12": "B12"},
    "masks": [{"asset": "scl", "unusable": [1, 3, 8, 9, 10], "unseen": [0]}],
    "indices": ["NDVI", "NDWI"],
}


def section_of(scene: str | Path, sensor: str) -> dict:
    """Section of a sensor of a scene; of Sentinel-1 with the elevation that comes with it."""
    section: dict = {"path": f"{scene}/{sensor}"}
    if sensor == "sentinel1":
        return section | {"dem": f"{scene}/dem/dem.tif", "geoid": f"{scene}/geoid/geoid.tif"}
    if sensor == "stac":
        return section | STAC | {"path": f"{scene}/stac/items.json"}
    return section | (OWN_SERIES if sensor == "own_series" else {})


def tile_of(sensor: str, tile: str) -> str:
    """What a sensor calls a tile: a scene is smaller than the square of MGRS that items would mean."""
    return tile[3:] if sensor == "stac" else tile


def options_of(scene: Path, sensor: str) -> dict:
    """What the section of a sensor says of its files."""
    section = FORMATS[sensor].section
    return section.model_validate(section_of(scene, sensor)).options


def listed(scene: Path, sensor: str, tile: str) -> tuple[ProductFormat, Path, Listing]:
    """Format of a sensor, folder of its products over a tile, and what lies there."""
    known = format_of(sensor, options_of(scene, sensor))
    if sensor == "stac":
        place, grid = scene / "stac", grid_of(str(scene / "truth" / f"{tile}_class.tif"))
        items = str(place / "items.json")
        return known, place, known.passes(items, tile_of(sensor, tile), grid, "")
    place = scene / sensor / tile
    return known, place, known.listing(str(place))
