"""The sieve written plainly: SciPy's labels and one dictionary, without any short cut; and GDAL's."""

import numpy as np
from osgeo import gdal
from scipy import ndimage

gdal.UseExceptions()


def plain_sieve(classes, threshold, connectivity, cap, groups=None) -> np.ndarray:
    """The capped rule: sizes up to `cap`, then the smaller code, then the first met row by row."""
    labels, count = np.zeros(classes.shape, dtype=int), 0
    for code in np.unique(classes[classes > 0]):
        found, number = ndimage.label(
            classes == code, ndimage.generate_binary_structure(2, connectivity // 4)
        )
        labels[found > 0] = found[found > 0] + count
        count += number
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    codes = np.zeros(count + 1, dtype=int)
    codes[labels.ravel()] = classes.ravel()
    best: dict[int, int] = {}
    steps = [(-1, 0), (-1, -1), (-1, 1), (0, -1)] if connectivity == 8 else [(-1, 0), (0, -1)]
    for row, col in np.argwhere(classes > 0):
        for down, right in steps:
            other = row + down, col + right
            if min(other) < 0 or other[1] >= classes.shape[1]:
                continue
            pair = labels[row, col], labels[other]
            if 0 in pair or pair[0] == pair[1]:
                continue
            if groups and groups[codes[pair[0]]] != groups[codes[pair[1]]]:
                continue
            for mine, its in (pair, pair[::-1]):
                key = (min(sizes[its], cap), -codes[its])
                kept = best.get(mine)
                if kept is None or key > (min(sizes[kept], cap), -codes[kept]):
                    best[mine] = its
    ends = codes.copy()
    for number in range(1, count + 1):
        way = [number]
        while sizes[way[-1]] < threshold and way[-1] in best and best[way[-1]] not in way:
            way.append(best[way[-1]])
        if sizes[way[-1]] >= threshold:
            ends[number] = codes[way[-1]]
    return ends[labels].astype(classes.dtype)


def sieve_of_gdal(classes, threshold, connectivity) -> np.ndarray:
    """gdal.SieveFilter with what has a class as mask."""
    rows, cols = classes.shape
    image = gdal.GetDriverByName("MEM").Create("", cols, rows, 2, gdal.GDT_UInt16)
    band, mask = image.GetRasterBand(1), image.GetRasterBand(2)
    band.WriteArray(classes)
    mask.WriteArray((classes > 0).astype(np.uint16))
    gdal.SieveFilter(band, mask, band, threshold, connectivity)
    return band.ReadAsArray().astype(classes.dtype)
