"""A map of parcels for the benchmarks of vectors: three sizes, roads, a river, noise at the edges."""

import numpy as np
from osgeo import gdal
from scipy.spatial import cKDTree


def parcels(size: int, seed: int = 0, classes: int = 20) -> np.ndarray:
    """A made-up class map of uint8, 1 to `classes`, with a wedge of nodata (0).

    Parameters
    ----------
    size : int
        Rows and columns.
    """
    random = np.random.default_rng(seed)
    codes = np.zeros((size, size), np.uint8)
    sites, sizes = [], (12, 26, 52)
    region = cKDTree(random.uniform(0, size, (max(size * size // 250_000, 4), 2)))
    for number, side in enumerate(sizes):
        points = random.uniform(0, size, (size * size // side**2, 2))
        sites.append(points[region.query(points)[1] % len(sizes) == number])
    places = np.concatenate(sites)
    tree = cKDTree(places)
    code = random.integers(1, classes + 1, len(places)).astype(np.uint8)
    noise = random.uniform(0.02, 0.2, len(places))
    for row in range(0, size, 256):
        y, x = np.mgrid[row : min(row + 256, size), 0:size].astype(float)
        wave = 3 * np.sin(x / 17) + 3 * np.cos(y / 23)
        near, which = tree.query(np.column_stack([(y + wave).ravel(), (x - wave).ravel()]), k=2)
        chosen = code[which[:, 0]]
        rate = np.where(near[:, 1] - near[:, 0] < 1.5, 0.35, noise[which[:, 0]])
        wrong = random.random(len(chosen)) < rate
        in_group = (chosen - 1) // 4 * 4 + random.integers(1, 5, len(chosen))
        other = np.where(
            random.random(len(chosen)) < 0.6, in_group, random.integers(1, classes + 1, len(chosen))
        )
        codes[row : row + 256] = np.where(wrong, other, chosen).reshape(y.shape)
    line = np.arange(size)
    for _ in range(size // 200):
        slope, start = random.uniform(-1, 1), random.uniform(0, size)
        road = np.clip((start + slope * line + 4 * np.sin(line / 40)).astype(int), 0, size - 1)
        codes[road, line] = 1
        codes[np.minimum(road + 1, size - 1), line] = 1
    river = np.clip((size / 3 + size / 12 * np.sin(line / size * 9)).astype(int), 0, size - 9)
    for width in range(8):
        codes[line, river + width] = 2
    y, x = np.ogrid[:size, :size]
    codes[(x + y) < 0.25 * size] = 0
    return codes


def sieved(codes: np.ndarray, pixels: int) -> np.ndarray:
    """The map without components smaller than so many pixels, 8- then 4-connected, by GDAL."""

    def band(values: np.ndarray) -> gdal.Dataset:
        image = gdal.GetDriverByName("MEM").Create("", *values.shape[::-1], 1, gdal.GDT_Byte)
        image.GetRasterBand(1).WriteArray(values)
        return image

    image, mask = band(codes), band((codes > 0).astype(np.uint8))
    for connectivity in (8, 4):
        gdal.SieveFilter(
            image.GetRasterBand(1),
            mask.GetRasterBand(1),
            image.GetRasterBand(1),
            pixels,
            connectivity,
        )
    return image.ReadAsArray()
