"""A small good scene, written by GDAL and geopandas alone, and means to break it.

Two tiles of 24 x 24 pixels that share four columns, four dates of 2018, twelve polygons of two classes in two regions.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from osgeo import gdal, osr
from tiny import LEFT, TOP, name_of, write_image

SIZE = 24
DAYS = ("20180115", "20180415", "20180715", "20181015")
TILES = {"T31TCJ": LEFT, "T31TDJ": LEFT + 200}
CONFIG = """\
output: results
tiles: [T31TCJ, T31TDJ]
nomenclature: classes.csv
sensors:
  sentinel2:
    path: s2
    keep_bands: [B4, B8, B11]
    temporal_resolution: 60
reference:
  path: reference.gpkg
  field: code
regions: {path: regions.gpkg, field: region}
learning: {parameters: {n_estimators: 3}}
"""
CLASSES = "code,name,colour\n1,Wheat,#f2d974\n2,Maize,#d1495b\n"
REFLECTANCE = {"B4": 800, "B8": 3000, "B11": 2000}


def write_band(path: Path, values: np.ndarray, coarse: bool, left: float, **options) -> None:
    side = 20 if coarse else 10
    write_image(path, values, side, left, TOP, **options)


def good_scene(folder: Path) -> None:
    """Write it; the configuration is `config.yaml`."""
    random = np.random.default_rng(0)
    for tile, left in TILES.items():
        for number, day in enumerate(DAYS):
            name = name_of(day, tile=tile)
            product = folder / "s2" / tile / name
            for band, value in REFLECTANCE.items():
                coarse = band == "B11"
                side = SIZE // 2 if coarse else SIZE
                values = value * (1 + 0.1 * number) + random.integers(-90, 90, (side, side))
                path = product / f"{name}_FRE_{band}.tif"
                write_band(path, values.astype(np.int16), coarse, left)
            for mask in ("CLM", "SAT", "EDG"):
                clear = np.zeros((SIZE, SIZE), np.uint8)
                write_image(product / "MASKS" / f"{name}_{mask}_R1.tif", clear, 10, left, TOP)
    fields().to_file(folder / "reference.gpkg", engine="pyogrio")
    halves = [box(0, 0, 44, 12), box(0, 12, 44, 24)]
    regions = gpd.GeoDataFrame({"region": ["north", "south"]}, geometry=halves, crs="EPSG:32631")
    regions.to_file(folder / "regions.gpkg", engine="pyogrio")
    (folder / "classes.csv").write_text(CLASSES, encoding="utf-8")
    (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")


def box(col: float, row: float, end: float, bottom: float) -> shapely.Polygon:
    """A rectangle in pixels from the upper left corner of the scene."""
    return shapely.box(LEFT + 10 * col, TOP - 10 * bottom, LEFT + 10 * end, TOP - 10 * row)


def fields() -> gpd.GeoDataFrame:
    """Twelve polygons of 4 x 4 pixels: three columns in the west, three in the east, a row in each region."""
    shapes, codes = [], []
    for row in (2, 16):
        for number, col in enumerate((1, 7, 13, 27, 33, 39)):
            shapes.append(box(col, row, col + 4, row + 4))
            codes.append(1 + number % 2)
    farms = [f"farm {number % 4}" for number in range(12)]
    names = ["Wheat" if code == 1 else "Maize" for code in codes]
    columns = {"code": codes, "name": names, "farm": farms, "id": range(101, 113)}
    return gpd.GeoDataFrame(columns, geometry=shapes, crs="EPSG:32631")


@dataclass
class Scene:
    """A copy of the scene that may be broken; `iota2 check` is run in its folder."""

    folder: Path

    def path(self, name: str) -> Path:
        return self.folder / name

    def product(self, number: int = 0, tile: str = "T31TCJ") -> Path:
        """Folder of the product of a date, counted from 0."""
        return self.folder / "s2" / tile / name_of(DAYS[number], tile=tile)

    def band(self, band: str = "B4", number: int = 0, tile: str = "T31TCJ") -> Path:
        product = self.product(number, tile)
        return product / f"{product.name}_FRE_{band}.tif"

    def mask(self, mask: str = "CLM", number: int = 0, tile: str = "T31TCJ") -> Path:
        product = self.product(number, tile)
        return product / "MASKS" / f"{product.name}_{mask}_R1.tif"

    def rename(self, source: Path, name: str) -> Path:
        """Give a product, and its files, another name."""
        target = source.with_name(name)
        source.rename(target)
        for path in [path for path in target.rglob("*") if path.is_file()]:
            path.rename(path.with_name(path.name.replace(source.name, name)))
        return target

    def copy(self, source: Path, name: str) -> Path:
        """A product under another name."""
        target = source.with_name(name)
        shutil.copytree(source, target)
        for path in [path for path in target.rglob("*") if path.is_file()]:
            path.rename(path.with_name(path.name.replace(source.name, name)))
        return target

    def write(self, path: Path, values: np.ndarray, resolution: float = 10, **options) -> None:
        options = {"left": LEFT, "top": TOP} | options
        write_image(path, values, resolution, **options)

    def say(self, old: str, new: str) -> None:
        """Change the configuration."""
        path = self.folder / "config.yaml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def add(self, text: str) -> None:
        with open(self.folder / "config.yaml", "a", encoding="utf-8") as file:
            file.write(text + "\n")

    def sensor(self, text: str) -> None:
        """Add a key to the section of the sensor."""
        self.say("    path: s2\n", f"    path: s2\n    {text}\n")

    def edit(self, change, name: str = "reference.gpkg", **options) -> None:
        """Write a vector file again, changed."""
        path = self.folder / name
        frame = gpd.read_file(path, engine="pyogrio")
        changed = change(frame)
        path.unlink()
        (frame if changed is None else changed).to_file(path, engine="pyogrio", **options)

    def each(self, change, pattern: str = "*_FRE_*.tif", tile: str = "T31TCJ", number=None) -> None:
        """Change the open dataset of each image of a tile, or of one date of it."""
        folder = self.folder / "s2" / tile if number is None else self.product(number, tile)
        for path in sorted(folder.rglob(pattern)):
            dataset = gdal.Open(str(path), gdal.GA_Update)
            change(dataset)
            dataset = None


def scaled(factor: float):
    """Multiply the values of an image."""

    def change(dataset: gdal.Dataset) -> None:
        values = dataset.ReadAsArray()
        dataset.WriteArray(np.clip(values * factor, -32768, 32767).astype(values.dtype))

    return change


def moved(east: float = 0, south: float = 0):
    """Move an image, metres."""

    def change(dataset: gdal.Dataset) -> None:
        left, width, shear, top, other, height = dataset.GetGeoTransform()
        dataset.SetGeoTransform((left + east, width, shear, top - south, other, height))

    return change


def projected(epsg: int):
    """Say that an image is in another projection."""

    def change(dataset: gdal.Dataset) -> None:
        reference = osr.SpatialReference()
        reference.ImportFromEPSG(epsg)
        dataset.SetProjection(reference.ExportToWkt())

    return change
