"""Products of a few pixels in the THEIA layout, written by GDAL alone."""

from pathlib import Path

import numpy as np
from osgeo import gdal, osr

gdal.UseExceptions()

LEFT, TOP = 300_000, 4_900_020
NODATA = -10000
TYPES = {
    "uint8": gdal.GDT_Byte,
    "uint16": gdal.GDT_UInt16,
    "int16": gdal.GDT_Int16,
    "int32": gdal.GDT_Int32,
    "uint32": gdal.GDT_UInt32,
    "float32": gdal.GDT_Float32,
    "float64": gdal.GDT_Float64,
}


def write_image(
    path, values, resolution=10.0, left=LEFT, top=TOP, epsg=32631, nodata=None, options=()
) -> str:
    """An image of `values`, shape (rows, cols) or (bands, rows, cols)."""
    values = np.asarray(values)
    bands = values if values.ndim == 3 else values[np.newaxis]
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    kind = TYPES.get(str(values.dtype))
    if values.dtype == np.int8:  # GDAL knows it from 3.7 on
        kind = getattr(gdal, "GDT_Int8", gdal.GDT_Byte)
        if kind == gdal.GDT_Byte:
            bands, options = bands.view(np.uint8), [*options, "PIXELTYPE=SIGNEDBYTE"]
    dataset = gdal.GetDriverByName("GTiff").Create(
        str(path), *bands.shape[:0:-1], len(bands), kind, list(options)
    )
    dataset.SetGeoTransform((left, resolution, 0, top, 0, -resolution))
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(epsg)
    dataset.SetProjection(reference.ExportToWkt())
    for number, band in enumerate(bands, start=1):
        dataset.GetRasterBand(number).WriteArray(band)
        if nodata is not None:
            dataset.GetRasterBand(number).SetNoDataValue(nodata)
    dataset = None
    return str(path)


def name_of(day, time="105158-000", tile="T31TCJ", version="2-2", platform="A", letter="C") -> str:
    """Name of a product."""
    return f"SENTINEL2{platform}_{day}-{time}_L2A_{tile}_{letter}_V{version}"


def write_product(folder, name, bands, cloud=None, edge=None, size=8, level="FRE") -> Path:
    """A product of `size` x `size` pixels of 10 m.

    Parameters
    ----------
    bands : dict of str to array or int
        Values of each band; those of a coarse band have half the rows and columns.
    cloud, edge : array, optional
        Masks; 0 by default.
    """
    product = Path(folder) / name
    for band, values in bands.items():
        coarse = band in ("B5", "B6", "B7", "B8A", "B11", "B12")
        side = size // 2 if coarse else size
        full = np.broadcast_to(np.asarray(values, dtype=np.int16), (side, side))
        write_image(product / f"{name}_{level}_{band}.tif", full, 20 if coarse else 10)
    for mask, values in (("CLM", cloud), ("SAT", None), ("EDG", edge)):
        full = np.zeros((size, size), np.uint8) if values is None else np.asarray(values, np.uint8)
        write_image(product / "MASKS" / f"{name}_{mask}_R1.tif", full)
    return product


def values_of(path, band=None) -> np.ndarray:
    """Pixels of an image as GDAL reads them."""
    dataset = gdal.Open(str(path))
    return dataset.ReadAsArray() if band is None else dataset.GetRasterBand(band).ReadAsArray()


def halves(left, right, size=8) -> np.ndarray:
    """An array whose left half is one value and its right half another."""
    values = np.full((size, size), right)
    values[:, : size // 2] = left
    return values
