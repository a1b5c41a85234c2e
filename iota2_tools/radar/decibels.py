"""Backscatter as it is stored: int16, hundredths of a decibel."""

import numpy as np

from iota2_tools.radar.settings import FAINTEST, NODATA, PER_DECIBEL


def to_decibels(power: np.ndarray) -> np.ndarray:
    """Store linear power.

    Parameters
    ----------
    power : ndarray of float32
        0 or more; NaN is not seen.

    Returns
    -------
    ndarray of int16
        Decibels x 100, from -5000 on; -32768 is not seen.
    """
    faintest = 10.0 ** (FAINTEST / 10.0)
    seen = ~np.isnan(power)
    values = np.log10(np.maximum(np.where(seen, power, 1.0), faintest))
    values *= 10 * PER_DECIBEL
    return np.where(seen, np.rint(values), NODATA).astype(np.int16)


def to_power(stored: np.ndarray) -> np.ndarray:
    """Linear power of what `to_decibels` stored, float32; NaN is not seen.

    Means and filters are linear: the mean of 0.01 and 0.09 is 0.05, that of their decibels is not.
    """
    exponent = stored.astype(np.float32) / np.float32(10 * PER_DECIBEL)
    return np.where(stored == NODATA, np.float32(np.nan), np.float32(10.0) ** exponent)
