"""The ellipsoid WGS 84."""

import numpy as np

SEMI_MAJOR = 6378137.0
FLATTENING = 1.0 / 298.257223563


def earth_fixed(longitude: np.ndarray, latitude: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Earth-fixed coordinates of points on WGS 84, m.

    Parameters
    ----------
    longitude, latitude : ndarray of float64
        Degrees.
    height : ndarray of float64
        Above the ellipsoid, m.

    Returns
    -------
    ndarray of float64, shape (..., 3)
    """
    longitude, latitude = np.radians(longitude), np.radians(latitude)
    squared = FLATTENING * (2.0 - FLATTENING)
    sine = np.sin(latitude)
    normal = SEMI_MAJOR / np.sqrt(1.0 - squared * sine * sine)
    around = (normal + height) * np.cos(latitude)
    return np.stack(
        [
            around * np.cos(longitude),
            around * np.sin(longitude),
            (normal * (1.0 - squared) + height) * sine,
        ],
        axis=-1,
    )
