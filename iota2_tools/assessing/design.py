"""How many points a person has to look at to judge a map, and how they are shared among strata.

A stratum is what the pixels of the map are drawn from apart: as a rule a class of the map. Sizes
follow from what the map is expected to have right, and from how sure its accuracy shall be known.
"""

import math
from collections.abc import Sequence

import numpy as np

from iota2_tools.core.errors import ConfigError

ALLOCATIONS = ("equal", "proportional", "neyman")


def deviations(accuracies: Sequence[float] | np.ndarray) -> np.ndarray:
    """Standard deviation of "right or wrong" in each stratum, √(U (1 - U)), from its user's accuracy."""
    expected = np.asarray(accuracies, dtype=float)
    return np.sqrt(expected * (1 - expected))


def sample_size(
    pixels: Sequence[int] | np.ndarray,
    accuracies: Sequence[float] | np.ndarray,
    standard_error: float,
) -> int:
    """Number of points for a wanted standard error of the overall accuracy.

    Parameters
    ----------
    pixels : sequence of int, n_strata
        Pixels of each stratum.
    accuracies : sequence of float, n_strata
        Share of each that is expected to be right, 0-1.
    standard_error : float
        Of the overall accuracy, 0-1; half the width of a 95 % interval is 1.96 times as much.

    Returns
    -------
    int
        (Σ W S / standard error)², rounded up, W being the share of a stratum and S its deviation;
        at most all pixels.

    References
    ----------
    Cochran (1977), Sampling techniques, equation 5.25; Olofsson et al. (2014),
    10.1016/j.rse.2014.02.015, equation 13.

    >>> sample_size([20, 15, 320, 645], [0.7, 0.6, 0.9, 0.95], 0.02)
    161
    """
    counts = np.asarray(pixels, dtype=float)
    spread = float((counts * deviations(accuracies)).sum() / counts.sum())
    wanted = math.ceil(round((spread / standard_error) ** 2, 6))
    return min(wanted, int(counts.sum()))


def largest_size(standard_error: float) -> int:
    """The most points that `sample_size` may ask for, whatever the strata: half of all is right."""
    return math.ceil(round(0.25 / standard_error**2, 6))


def allocate(
    total: int,
    method: str,
    pixels: Sequence[int] | np.ndarray,
    accuracies: Sequence[float] | np.ndarray,
    minimum: int = 0,
) -> np.ndarray:
    """Share points among strata.

    Parameters
    ----------
    total : int
        Points in all; there are as many as pixels at most.
    method : {"equal", "proportional", "neyman"}
        The same for each; in proportion to its pixels; to its pixels times its deviation, which
        makes the overall accuracy surest.
    pixels, accuracies
        See `sample_size`.
    minimum : int
        Points of a stratum at least, or all its pixels if it has fewer.

    Returns
    -------
    ndarray of int64, shape (n_strata,)
        They sum to `total`; none is above the pixels of its stratum.

    Raises
    ------
    ConfigError
        If the minima alone are more than `total`.
    """
    most = np.asarray(pixels, dtype=np.int64)
    total = min(total, int(most.sum()))
    least = np.minimum(minimum, most)
    if least.sum() > total:
        raise ConfigError(
            f"{total} point(s) for {len(most)} strata of {minimum} at least: that are {least.sum()}; ask for "
            "more points, or lower the minimum"
        )
    shares = {
        "equal": np.ones(len(most)),
        "proportional": most.astype(float),
        "neyman": most * deviations(accuracies),
    }[method]
    # A stratum that is expected to be all right still takes what no other can.
    shares = np.where(most > 0, np.maximum(shares, 1e-12 * max(shares.max(), 1)), 0)
    return _rounded(_bounded(total, shares, least, most), total, most)


def _bounded(total: int, shares: np.ndarray, least: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Parts of `total` in proportion to `shares`, none below `least` or above `most`."""
    low, high = -80.0, 80.0
    for _ in range(200):  # their sum grows with the factor
        middle = (low + high) / 2
        if np.clip(shares * math.exp(middle), least, most).sum() < total:
            low = middle
        else:
            high = middle
    return np.clip(shares * math.exp(high), least, most)


def _rounded(parts: np.ndarray, total: int, most: np.ndarray) -> np.ndarray:
    """Whole numbers of the same sum, by the largest remainders."""
    whole = np.floor(parts + 1e-9).astype(np.int64)
    order = np.argsort(-(parts - whole), kind="stable")
    for place in order[whole[order] < most[order]][: total - whole.sum()]:
        whole[place] += 1
    return whole
