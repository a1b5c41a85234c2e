"""Landsat Collection 2 Level 2 as the USGS delivers it.

References
----------
USGS, Landsat 8-9 (LSDS-1619) and 4-7 (LSDS-1618) Collection 2 Level 2 data format control books:
names, scales, bits of QA_PIXEL and QA_RADSAT, metadata.
"""

import json
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np

from iota2_tools.geo.grid import Grid, Window
from iota2_tools.geo.raster import create_raster
from iota2_tools.simulate.atmosphere import (
    CIRRUS,
    CLOUD_BY_BRIGHTNESS,
    CLOUD_BY_CHANGE,
    SHADOW,
    THINNEST_CLOUDS,
)
from iota2_tools.simulate.imaging import NODATA
from iota2_tools.simulate.landsat import (
    LANDSAT5,
    LANDSAT7,
    LANDSAT8,
    LANDSAT9,
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
    PREDICTOR,
    WELL_KNOWN_TEXT,
    load_land,
    whole_folder,
    write_text,
)
from iota2_tools.simulate.settings import SceneSettings, grid_of_window, tile_window
from iota2_tools.simulate.xml import node, text_of

PREFIXES = {5: "LT05", 7: "LE07", 8: "LC08", 9: "LC09"}
SENSOR_IDS = {5: "TM", 7: "ETM", 8: "OLI_TIRS", 9: "OLI_TIRS"}
WRS_ROW = 29
HALF_PIXEL = 15
MARGIN = 4 * PIXEL
PROCESSED_DAYS = 817

# Reflectance = DN x 0.0000275 - 0.2; kelvin = DN x 0.00341802 + 149; 0 is fill.
SCALE, ADD = 2.75e-05, -0.2
KELVIN_SCALE, KELVIN_ADD = 0.00341802, 149.0

# Bits of QA_PIXEL.
FILL, DILATED, HIGH_CIRRUS, CLOUD, CLOUD_SHADOW, CLEAR, ON_WATER = 1, 2, 4, 8, 16, 64, 128
LOW_CLOUD, LOW_SHADOW, LOW_SNOW, LOW_CIRRUS = 1 << 8, 1 << 10, 1 << 12, 1 << 14
UNUSABLE_BITS = FILL | DILATED | HIGH_CIRRUS | CLOUD | CLOUD_SHADOW
FILL_AEROSOL, CLEAR_AEROSOL = 1, 0b01000010  # low level, a valid retrieval


@dataclass(frozen=True)
class UsgsProduct:
    """One scene folder."""

    source: LandsatProduct

    @property
    def processed(self) -> datetime:
        """UTC of the processing."""
        return self.source.sensing_time + timedelta(days=PROCESSED_DAYS)

    @property
    def name(self) -> str:
        """E.g. ``LC08_L2SP_199029_20180606_20200831_02_T1``."""
        acquisition = self.source.acquisition
        prefix = PREFIXES[self.source.mission.number]
        days = f"{acquisition.day:%Y%m%d}_{self.processed:%Y%m%d}"
        return f"{prefix}_L2SP_{acquisition.orbit}{WRS_ROW:03d}_{days}_02_T1"


def plan_usgs(mission: Mission, settings: SceneSettings, tile: str) -> list[UsgsProduct]:
    """Scenes over a tile, the overcast ones too."""
    return [UsgsProduct(each) for each in plan_landsat(settings, tile, mission, 1.0)]


plan_usgs5 = partial(plan_usgs, LANDSAT5)
plan_usgs7 = partial(plan_usgs, LANDSAT7)
plan_usgs8 = partial(plan_usgs, LANDSAT8)
plan_usgs9 = partial(plan_usgs, LANDSAT9)


def scene_grid(settings: SceneSettings, tile: str) -> Grid:
    """Grid of 30 m over a tile and 120 m around; corners of pixels at 15 m + multiples of 30 m."""
    left, bottom, right, top = grid_of_window(tile_window(settings, tile)).bounds
    west = math.floor((left - MARGIN - HALF_PIXEL) / PIXEL) * PIXEL + HALF_PIXEL
    north = math.ceil((top + MARGIN - HALF_PIXEL) / PIXEL) * PIXEL + HALF_PIXEL
    cols = math.ceil((right + MARGIN - west) / PIXEL)
    rows = math.ceil((north - bottom + MARGIN) / PIXEL)
    return Grid(WELL_KNOWN_TEXT, float(west), float(north), float(PIXEL), rows, cols)


def window_of(settings: SceneSettings, tile: str) -> Window:
    """World window under `scene_grid`."""
    return covering_window(scene_grid(settings, tile))


def digital_numbers(reflectance: np.ndarray) -> np.ndarray:
    """DN of reflectance x 10000, uint16: nearest, 1 at least, 0 where nothing was seen.

    Decoded and rounded they give the reflectance x 10000 again.

    >>> digital_numbers(np.array([750, 0, -1990, -10000], dtype=np.int16)).tolist()
    [10000, 7273, 36, 0]
    """
    numbers = np.rint((reflectance.astype(np.float64) / 10_000 - ADD) / SCALE)
    return np.where(reflectance == NODATA, 0, np.clip(numbers, 1, 65535)).astype(np.uint16)


def kelvin_numbers(kelvin: np.ndarray, unseen: np.ndarray) -> np.ndarray:
    """DN of temperatures, uint16; 0 where nothing was seen."""
    numbers = np.rint((kelvin.astype(np.float64) - KELVIN_ADD) / KELVIN_SCALE)
    return np.where(unseen, 0, np.clip(numbers, 1, 65535)).astype(np.uint16)


def pixel_quality(image: LandsatImage, has_cirrus: bool) -> np.ndarray:
    """QA_PIXEL, uint16: clear land is 21824, without bits of cirrus 5440.

    Landsat 5 and 7 call clear what is neither shadow nor water, Landsat 8 and 9 both of them too.
    """
    clouds = image.clouds
    cloud = clouds & (CLOUD_BY_BRIGHTNESS | CLOUD_BY_CHANGE) != 0
    dilated = (clouds & THINNEST_CLOUDS != 0) & ~cloud
    shadow = clouds & SHADOW != 0
    cirrus = clouds & CIRRUS != 0
    quality = np.full(clouds.shape, LOW_CLOUD | LOW_SHADOW | LOW_SNOW, dtype=np.uint16)
    if has_cirrus:
        quality += np.where(cirrus, HIGH_CIRRUS + 3 * LOW_CIRRUS, LOW_CIRRUS).astype(np.uint16)
    quality[cloud] += CLOUD + 2 * LOW_CLOUD
    quality[dilated] += DILATED
    quality[shadow] += CLOUD_SHADOW + 2 * LOW_SHADOW
    quality[~cloud & ~dilated & (has_cirrus | ~(shadow | image.water))] += CLEAR
    quality[image.water] += ON_WATER
    quality[image.unseen] = FILL
    return quality


def saturation(image: LandsatImage, bands: tuple[str, ...]) -> np.ndarray:
    """QA_RADSAT, uint16: bit n - 1 of band n."""
    flags = np.zeros(image.saturated.shape, dtype=np.uint16)
    for place, band in enumerate(bands):
        flags[image.saturated >> place & 1 == 1] |= 1 << int(band[1:]) - 1
    return flags


def _taken(
    settings: SceneSettings, source: LandsatProduct, lands: list[Path] | None
) -> LandsatImage:
    """The image, of land that is kept in files or computed here."""
    grid = scene_grid(settings, source.tile)
    if lands is None:
        land = describe_land(settings, covering_window(grid))
    else:
        land = joined([load_land(path) for path in lands])
    return take_landsat(settings, land, grid, source)


def observe_usgs(settings: SceneSettings, product: UsgsProduct) -> Observation:
    """What a reader must find in a scene; the thermal band as DN."""
    source = product.source
    image = _taken(settings, source, None)
    grid = scene_grid(settings, source.tile)
    instrument = source.mission.instrument
    bands = {f"SR_{band}": image.bands[place] for place, band in enumerate(instrument.bands)}
    bands[f"ST_{instrument.thermal}"] = kelvin_numbers(image.temperature, image.unseen)
    return Observation(
        source.acquisition.day,
        bands,
        dict.fromkeys(bands, grid),
        grid,
        image.unseen,
        image.unseen | (image.clouds != 0) | (image.saturated != 0),
    )


def write_usgs(settings: SceneSettings, product: UsgsProduct, lands: list[Path], out: Path) -> None:
    """Write one scene; its folder bears its name once all its files are there."""
    source = product.source
    instrument = source.mission.instrument
    image = _taken(settings, source, lands)
    grid = scene_grid(settings, source.tile)
    files = {
        f"SR_{band}": digital_numbers(image.bands[place])
        for place, band in enumerate(instrument.bands)
    }
    files[f"ST_{instrument.thermal}"] = kelvin_numbers(image.temperature, image.unseen)
    files["QA_PIXEL"] = pixel_quality(image, instrument.sees_cirrus)
    files["QA_RADSAT"] = saturation(image, instrument.bands)
    if instrument.sees_cirrus:
        files["SR_QA_AEROSOL"] = np.where(image.unseen, FILL_AEROSOL, CLEAR_AEROSOL).astype(
            np.uint8
        )
    with whole_folder(out, product.name) as folder:
        for name, pixels in files.items():
            path = str(folder / f"{product.name}_{name}.TIF")
            nodata = 0.0 if name[:4] in ("SR_B", "ST_B") else None
            with create_raster(
                path, grid, pixels.dtype.name, nodata=nodata, options=PREDICTOR
            ) as writer:
                writer.write(pixels, grid.window)
        groups = metadata(product, grid, list(files))
        for suffix, text in metadata_texts(groups).items():
            write_text(folder / f"{product.name}_MTL.{suffix}", text)


ROOT = "LANDSAT_METADATA_FILE"
ORIGIN = "Simulated; not an image of the U.S. Geological Survey"
QUALITY_FILES = {
    "SR_QA_AEROSOL": "QUALITY_L2_AEROSOL",
    "QA_PIXEL": "QUALITY_L1_PIXEL",
    "QA_RADSAT": "QUALITY_L1_RADIOMETRIC_SATURATION",
}

Groups = dict[str, dict[str, object]]


class Word(str):
    """A value that stands without quotes, such as a date."""


def _file_key(name: str) -> str:
    """What the metadata call a file: ``BAND_1`` of SR_B1, ``BAND_ST_B10`` of ST_B10."""
    if name in QUALITY_FILES:
        return QUALITY_FILES[name]
    return f"BAND_{name[4:]}" if name.startswith("SR_") else f"BAND_{name}"


def metadata(product: UsgsProduct, grid: Grid, files: list[str]) -> Groups:
    """The MTL of a scene, by group."""
    contents: dict[str, object] = {
        "ORIGIN": ORIGIN,
        "LANDSAT_PRODUCT_ID": product.name,
        "PROCESSING_LEVEL": "L2SP",
        "COLLECTION_NUMBER": Word("02"),
        "COLLECTION_CATEGORY": "T1",
        "OUTPUT_FORMAT": "GEOTIFF",
    }
    for name in files:
        contents[f"FILE_NAME_{_file_key(name)}"] = f"{product.name}_{name}.TIF"
    contents["FILE_NAME_METADATA_ODL"] = f"{product.name}_MTL.txt"
    contents["FILE_NAME_METADATA_XML"] = f"{product.name}_MTL.xml"
    for name in files:
        kind = "UINT8" if name == "SR_QA_AEROSOL" else "UINT16"
        contents[f"DATA_TYPE_{_file_key(name)}"] = kind
    return {
        "PRODUCT_CONTENTS": contents,
        "IMAGE_ATTRIBUTES": _image_attributes(product.source),
        "PROJECTION_ATTRIBUTES": _projection(grid),
        "LEVEL2_PROCESSING_RECORD": {
            "LANDSAT_PRODUCT_ID": product.name,
            "PROCESSING_LEVEL": "L2SP",
            "DATE_PRODUCT_GENERATED": Word(f"{product.processed.isoformat()}Z"),
        },
        "LEVEL2_SURFACE_REFLECTANCE_PARAMETERS": _reflectance_scales(files),
        "LEVEL2_SURFACE_TEMPERATURE_PARAMETERS": {
            f"{kind}_BAND_{name}": value
            for name in files
            if name.startswith("ST_")
            for kind, value in (
                ("TEMPERATURE_MAXIMUM", 372.999941),
                ("TEMPERATURE_MINIMUM", 149.003418),
                ("QUANTIZE_CAL_MAXIMUM", 65535),
                ("QUANTIZE_CAL_MINIMUM", 1),
                ("TEMPERATURE_MULT", KELVIN_SCALE),
                ("TEMPERATURE_ADD", KELVIN_ADD),
            )
        },
    }


def _image_attributes(source: LandsatProduct) -> dict[str, object]:
    acquisition, number = source.acquisition, source.mission.number
    return {
        "SPACECRAFT_ID": f"LANDSAT_{number}",
        "SENSOR_ID": SENSOR_IDS[number],
        "WRS_TYPE": 2,
        "WRS_PATH": acquisition.orbit,
        "WRS_ROW": WRS_ROW,
        "DATE_ACQUIRED": Word(acquisition.day.isoformat()),
        "SCENE_CENTER_TIME": f"{source.sensing_time.time().isoformat()}.0000000Z",
        "CLOUD_COVER": source.cloud_percent,
        "CLOUD_COVER_LAND": source.cloud_percent,
        "SUN_AZIMUTH": round(acquisition.sun_azimuth, 6),
        "SUN_ELEVATION": round(90 - acquisition.sun_zenith, 6),
    }


def _projection(grid: Grid) -> dict[str, object]:
    """Shape and corners; the corners are centres of pixels."""
    left, bottom, right, top = grid.bounds
    corners = {"UL": (left, top), "UR": (right, top), "LL": (left, bottom), "LR": (right, bottom)}
    values: dict[str, object] = {
        "MAP_PROJECTION": "UTM",
        "DATUM": "WGS84",
        "ELLIPSOID": "WGS84",
        "UTM_ZONE": 31,
        "GRID_CELL_SIZE_REFLECTIVE": Word("30.00"),
        "GRID_CELL_SIZE_THERMAL": Word("30.00"),
        "REFLECTIVE_LINES": grid.rows,
        "REFLECTIVE_SAMPLES": grid.cols,
        "THERMAL_LINES": grid.rows,
        "THERMAL_SAMPLES": grid.cols,
        "ORIENTATION": "NORTH_UP",
    }
    for name, (x, y) in corners.items():
        inward = HALF_PIXEL if name[1] == "L" else -HALF_PIXEL
        down = -HALF_PIXEL if name[0] == "U" else HALF_PIXEL
        values[f"CORNER_{name}_PROJECTION_X_PRODUCT"] = Word(f"{x + inward:.3f}")
        values[f"CORNER_{name}_PROJECTION_Y_PRODUCT"] = Word(f"{y + down:.3f}")
    return values


def _reflectance_scales(files: list[str]) -> dict[str, object]:
    bands = [_file_key(name) for name in files if name.startswith("SR_B")]
    values: dict[str, object] = {}
    for kinds in (
        {"REFLECTANCE_MAXIMUM": Word("1.602213"), "REFLECTANCE_MINIMUM": Word("-0.199972")},
        {"QUANTIZE_CAL_MAX": 65535, "QUANTIZE_CAL_MIN": 1},
        {"REFLECTANCE_MULT": Word("2.75e-05")},
        {"REFLECTANCE_ADD": ADD},
    ):
        values |= {f"{kind}_{band}": value for band in bands for kind, value in kinds.items()}
    return values


def metadata_texts(groups: Groups) -> dict[str, str]:
    """The MTL as ODL text, JSON and XML, by the ending of the file."""
    lines = [f"GROUP = {ROOT}"]
    for group, values in groups.items():
        lines.append(f"  GROUP = {group}")
        for key, value in values.items():
            quoted = isinstance(value, str) and not isinstance(value, Word)
            lines.append(f'    {key} = "{value}"' if quoted else f"    {key} = {value}")
        lines.append(f"  END_GROUP = {group}")
    lines += [f"END_GROUP = {ROOT}", "END", ""]
    plain = {
        group: {key: str(value) for key, value in values.items()}
        for group, values in groups.items()
    }
    nested = [
        node(group, [node(key, value) for key, value in values.items()])
        for group, values in plain.items()
    ]
    return {
        "txt": "\n".join(lines),
        "json": json.dumps({ROOT: plain}),
        "xml": text_of(node(ROOT, nested)),
    }
