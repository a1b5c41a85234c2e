"""What a reader must find in a product, whatever its format."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from iota2_tools.geo.grid import Grid


@dataclass(frozen=True)
class Observation:
    """A product decoded.

    Parameters
    ----------
    day : datetime.date
        Date of the acquisition or synthesis.
    bands : dict of str to ndarray of int16, shape (rows, cols)
        Reflectance x 10000 by the name that the format gives the band; -10000 where nothing was
        seen. A band of temperature: uint16, 0 where nothing was seen.
    grids : dict of str to Grid
        Grid of each band.
    mask_grid : Grid
        Grid of both masks.
    unseen : ndarray of bool, shape (rows, cols)
        Outside the swath, or in a gap of it.
    unusable : ndarray of bool, shape (rows, cols)
        Unseen, cloud, shadow or saturated, as the product's masks say it.
    """

    day: date
    bands: dict[str, np.ndarray]
    grids: dict[str, Grid]
    mask_grid: Grid
    unseen: np.ndarray
    unusable: np.ndarray
