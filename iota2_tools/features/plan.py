"""Which features a production has, and their names; nothing is computed here.

Snakemake's parser and the checks need this much, and shall not wait for numba.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from iota2_tools.features.expressions import Expression, parse_expression
from iota2_tools.products import FORMATS

# Bands an index reads, by their role in `ProductFormat.index_bands`; brightness takes all kept.
INDICES = {"NDVI": ("nir", "red"), "NDWI": ("swir", "nir"), "Brightness": ()}


@dataclass(frozen=True)
class SensorFeatures:
    """Which features a sensor gives, and in which columns they are computed.

    Parameters
    ----------
    sensor : str
        Key of `products.FORMATS`.
    kept : tuple of str
        Bands that are features.
    indices : tuple of str
        Keys of `INDICES`.
    expressions : dict of str to Expression
        The user's features.
    dates : tuple of date
        Interpolation dates.
    """

    sensor: str
    kept: tuple[str, ...]
    indices: tuple[str, ...]
    expressions: dict[str, Expression]
    dates: tuple[date, ...]

    @property
    def bands(self) -> tuple[str, ...]:
        """Bands to read: those kept and those that indices and expressions need, in stack order."""
        product_format = FORMATS[self.sensor]
        needed = set(self.kept)
        for index in self.indices:
            needed |= {product_format.index_bands[role] for role in INDICES[index]}
        for expression in self.expressions.values():
            needed |= set(expression.bands)
        return tuple(band for band in product_format.bands if band in needed)

    @property
    def names(self) -> list[str]:
        """Feature names in order: bands of each date, each index by date, each expression by date."""
        label = FORMATS[self.sensor].label
        stamps = [f"{day:%Y%m%d}" for day in self.dates]
        names = [f"{label}_{band}_{stamp}" for stamp in stamps for band in self.kept]
        for item in (*self.indices, *self.expressions):
            names += [f"{label}_{item}_{stamp}" for stamp in stamps]
        return names

    def columns(self, bands: Sequence[str]) -> np.ndarray:
        """Columns of some bands among the gap-filled ones, shape (n_dates, n_bands)."""
        positions = np.array([self.bands.index(band) for band in bands], dtype=np.int64)
        return np.arange(len(self.dates))[:, None] * len(self.bands) + positions


def sensor_features(sensor: str, settings: dict, dates: Sequence[str]) -> SensorFeatures:
    """Features of a sensor from its section of the configuration and its interpolation dates."""
    product_format = FORMATS[sensor]
    return SensorFeatures(
        sensor,
        tuple(band for band in product_format.bands if band in settings["keep_bands"]),
        tuple(index for index in INDICES if index in settings["indices"]),
        {
            name: parse_expression(text, product_format.bands)
            for name, text in settings["additional_features"].items()
        },
        tuple(date.fromisoformat(day) for day in dates),
    )
