"""The validity of a map: the number of clear dates of the pixels it shows."""

import numpy as np

from iota2_tools.geo.grid import grid_of
from iota2_tools.geo.raster import STRIP_ROWS, create_raster, open_raster, read_window
from iota2_tools.maps.layers import VALIDITY


def clip_validity(validity: str, regions: str, footprint: str, dtype: str, output: str) -> None:
    """Write the validity of the pixels a tile maps: those of its envelope that were seen.

    Parameters
    ----------
    validity, regions, footprint : str
        Rasters of the tile.
    dtype : {"uint8", "uint16"}
        Of the raster to write; its nodata is that of the layer. Larger numbers of dates are
        written as nodata - 1.
    """
    grid, nodata = grid_of(validity), VALIDITY.encodings[dtype]
    sources = [open_raster(path) for path in (validity, regions, footprint)]
    with create_raster(output, grid, dtype, nodata=nodata) as raster:
        for window in grid.windows(STRIP_ROWS):
            dates, region, seen = (read_window(dataset, window, 1) for dataset in sources)
            kept = np.where((region > 0) & (seen > 0), np.minimum(dates, nodata - 1), nodata)
            raster.write(kept.astype(dtype), window)
