"""The validity of a map: the number of clear dates of the pixels it shows."""

import numpy as np

from iota2_tools.geo.grid import grid_of
from iota2_tools.geo.raster import create_raster, open_raster, read_window


def clip_validity(
    validity: str, regions: str, footprint: str, dtype: str, nodata: int, output: str
) -> None:
    """Write the validity of the pixels a tile maps: those of its envelope that were seen.

    Parameters
    ----------
    validity, regions, footprint : str
        Rasters of the tile.
    dtype, nodata
        Of the raster to write; larger numbers of dates are written as `nodata` - 1.
    """
    grid = grid_of(validity)
    sources = [open_raster(path) for path in (validity, regions, footprint)]
    with create_raster(output, grid, dtype, nodata=nodata) as raster:
        for window in grid.windows(256):
            dates, region, seen = (read_window(dataset, window, 1) for dataset in sources)
            kept = np.where((region > 0) & (seen > 0), np.minimum(dates, nodata - 1), nodata)
            raster.write(kept.astype(dtype), window)
