"""Values the rules must give, computed apart from the chain: GDAL, NumPy and shapely alone."""

import re
from datetime import datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from osgeo import gdal

gdal.UseExceptions()

BANDS = ("B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B11", "B12")
NODATA = -10000


def pixels(path: Path) -> np.ndarray:
    """All pixels of a raster, (rows, cols) or (bands, rows, cols)."""
    return gdal.Open(str(path)).ReadAsArray()


def centres(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates of the pixel centres of a raster, two arrays (rows, cols)."""
    raster = gdal.Open(str(path))
    left, width, _, top, _, height = raster.GetGeoTransform()
    x = left + width * (np.arange(raster.RasterXSize) + 0.5)
    y = top + height * (np.arange(raster.RasterYSize) + 0.5)
    return np.meshgrid(x, y)


def which(shapes, values, like: Path) -> np.ndarray:
    """Value of the shape each pixel centre of a raster lies in, 0 where there is none."""
    x, y = centres(like)
    found = np.zeros(x.shape, dtype=np.int64)
    for shape, value in zip(shapes, values, strict=True):
        found[shapely.contains_xy(shape, x, y)] = value
    return found


def split_polygons(results: Path) -> gpd.GeoDataFrame:
    """The polygons of a production, indexed by their id."""
    return gpd.read_file(results / "sampling" / "polygons.gpkg").set_index("polygon")


def polygon_ids(results: Path, tile: str) -> np.ndarray:
    """Polygon each pixel of a tile lies in, inside its envelope; 0 where there is none."""
    regions = results / "tiles" / tile / "regions.tif"
    polygons = split_polygons(results)
    return which(polygons.geometry, polygons.index, regions) * (pixels(regions) > 0)


def products(scene: Path, tile: str) -> list[Path]:
    """Product folders of a tile with whole images, by day then name; also of those in zips."""
    aside = scene / "unpacked" / tile
    folders = [
        folder
        for folder in [*(scene / "sentinel2" / tile).iterdir(), *aside.glob("*")]
        if folder.is_dir() and all(path.stat().st_size for path in folder.glob("*_FRE_*.tif"))
    ]
    return sorted(folders, key=lambda folder: (day_of(folder), folder.name))


def day_of(product: Path) -> datetime:
    """Day of a product, from its name."""
    return datetime.strptime(re.search(r"_(\d{8})-", product.name)[1], "%Y%m%d")


def mask(product: Path, kind: str) -> np.ndarray:
    """One mask of a product on the 10 m grid."""
    return pixels(product / "MASKS" / f"{product.name}_{kind}_R1.tif")


def clear(scene: Path, tile: str) -> np.ndarray:
    """Where each product is used, bool (products, rows, cols): of a day, the first clear one."""
    folders = products(scene, tile)
    usable = np.array(
        [sum(mask(folder, kind) for kind in ("CLM", "SAT", "EDG")) == 0 for folder in folders]
    )
    for later, folder in enumerate(folders):
        for earlier in range(later):
            if day_of(folders[earlier]) == day_of(folder):
                usable[later] &= ~usable[earlier]
    return usable


def keys_kernel(distance: np.ndarray) -> np.ndarray:
    """Bicubic weights of R. Keys (1981), a = -0.5."""
    d = np.abs(distance)
    near = 1.5 * d**3 - 2.5 * d**2 + 1
    far = -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2
    return np.where(d < 1, near, np.where(d < 2, far, 0))


def half_away(values: np.ndarray) -> np.ndarray:
    """Round to whole numbers, halves away from zero; what lies 1e-6 below a half is one."""
    return np.copysign(np.floor(np.abs(values) + 0.5 + 1e-6), values)


def doubled(image: np.ndarray) -> np.ndarray:
    """A 20 m image on the 10 m grid; what lies outside or has no data takes no part."""
    valid = image != NODATA
    fine = (np.arange(2 * len(image)) + 0.5) / 2 - 0.5
    weights = keys_kernel(fine[:, np.newaxis] - np.arange(len(image)))
    total = weights @ (image * valid) @ weights.T
    share = weights @ valid @ weights.T
    hole = np.kron(valid, np.ones((2, 2))) == 0
    return np.where(hole, NODATA, half_away(total / np.where(hole, 1, share)))


def reflectance(product: Path) -> np.ndarray:
    """Bands of a product on the 10 m grid, (bands, rows, cols)."""
    images = [pixels(product / f"{product.name}_FRE_{band}.tif").astype(float) for band in BANDS]
    rows = max(len(image) for image in images)
    return np.array([image if len(image) == rows else doubled(image) for image in images])


def target_days(scene: Path, step: int) -> pd.DatetimeIndex:
    """Interpolation dates: from the first to the last product over all tiles."""
    tiles = [folder.name for folder in (scene / "sentinel2").iterdir()]
    days = [day_of(product) for tile in tiles for product in products(scene, tile)]
    return pd.date_range(min(days), max(days), freq=f"{step}D")


def gap_filled(scene: Path, tile: str, dates: pd.DatetimeIndex) -> np.ndarray:
    """Bands on the interpolation dates by np.interp, (dates, bands, rows, cols)."""
    folders = products(scene, tile)
    series = np.array([reflectance(folder) for folder in folders])
    usable = clear(scene, tile)
    origin = dates[0]
    days = np.array([(day_of(folder) - origin).days for folder in folders])
    targets = (dates - origin).days
    filled = np.zeros((len(dates), *series.shape[1:]))
    for row, col in np.argwhere(usable.any(axis=0)):
        seen = usable[:, row, col]
        for band in range(len(BANDS)):
            filled[:, band, row, col] = np.interp(targets, days[seen], series[seen, band, row, col])
    return half_away(filled)


def features(scene: Path, tile: str, step: int) -> dict[str, np.ndarray]:
    """Every feature of a tile by its name, in order, each (rows, cols)."""
    dates = target_days(scene, step)
    filled = gap_filled(scene, tile, dates)
    band = {name: filled[:, number] for number, name in enumerate(BANDS)}
    stamps = dates.strftime("%Y%m%d")
    named = {
        f"Sentinel2_{name}_{stamp}": band[name][number]
        for number, stamp in enumerate(stamps)
        for name in BANDS
    }
    brightness = np.rint(np.sqrt((filled**2).sum(axis=1)))
    for index, values in (
        ("NDVI", ratio(band["B8"], band["B4"])),
        ("NDWI", ratio(band["B11"], band["B8"])),
        ("Brightness", brightness),
    ):
        named |= {
            f"Sentinel2_{index}_{stamp}": values[number] for number, stamp in enumerate(stamps)
        }
    return named


def ratio(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Normalised difference times 1000, 0 where both are."""
    total = first + second
    return np.where(
        total == 0, 0, np.rint(1000 * (first - second) / np.where(total == 0, 1, total))
    )
