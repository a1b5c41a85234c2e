"""Which features a production has, and their names; nothing is computed here.

Snakemake's parser and the checks need this much, and shall not wait for numba.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from iota2_tools.features.expressions import Expression, parse_expression
from iota2_tools.products import ProductFormat, format_of

# Bands an index reads, by their role in `Band.role`; brightness takes all reflectances kept.
INDICES = {
    "NDVI": ("nir", "red"),
    "NDWI": ("swir", "nir"),
    "Brightness": (),
    "Ratio": ("vv", "vh"),
}
NORMALISED = ("NDVI", "NDWI")
"""Indices that robust ones replace."""
REFERENCE = "red"
"""Role of the band that relative reflectances are relative to."""
HAZE = 500.0
"""Reflectance x 10000 that robust indices allow for."""


@dataclass(frozen=True)
class SeriesFeatures:
    """Which features a series gives, and in which columns they are computed.

    Parameters
    ----------
    series : str
        Its name in the production.
    format : ProductFormat
        Of its products.
    label : str
        In the names of its features.
    kept : tuple of str
        Bands that are features.
    indices : tuple of str
        Keys of `INDICES`.
    expressions : dict of str to Expression
        The user's features.
    dates : tuple of date
        Interpolation dates.
    relative : tuple of str
        Bands whose difference from red, normalised, is a feature.
    robust : bool
        Whether normalised differences allow for haze (`HAZE`).
    also : tuple of str
        Bands that functions of the user read beside.
    """

    series: str
    format: ProductFormat
    label: str
    kept: tuple[str, ...]
    indices: tuple[str, ...]
    expressions: dict[str, Expression]
    dates: tuple[date, ...]
    relative: tuple[str, ...] = ()
    robust: bool = False
    also: tuple[str, ...] = ()

    @property
    def bands(self) -> tuple[str, ...]:
        """Bands to read, in stack order: those kept, and what indices, expressions and functions need."""
        needed = {*self.kept, *self.relative, *self.also}
        if self.relative:
            needed.add(self.format.roles[REFERENCE])
        for index in self.indices:
            needed |= {self.format.roles[role] for role in INDICES[index]}
        for expression in self.expressions.values():
            needed |= set(expression.bands)
        return tuple(band for band in self.format.band_names if band in needed)

    @property
    def reflectances(self) -> tuple[str, ...]:
        """Bands kept that count for the brightness."""
        counted = {band.name for band in self.format.bands if band.is_reflectance}
        return tuple(band for band in self.kept if band in counted)

    @property
    def names(self) -> list[str]:
        """Feature names in order: bands of each date, then by date each band relative to red, each
        index and each expression.
        """
        stamps = [f"{day:%Y%m%d}" for day in self.dates]
        names = [f"{self.label}_{band}_{stamp}" for stamp in stamps for band in self.kept]
        relative = [f"Rel{band}" for band in self.relative]
        for item in (*relative, *self.indices, *self.expressions):
            names += [f"{self.label}_{item}_{stamp}" for stamp in stamps]
        return names

    def columns(self, bands: Sequence[str]) -> np.ndarray:
        """Columns of some bands among the gap-filled ones, shape (n_dates, n_bands)."""
        positions = np.array([self.bands.index(band) for band in bands], dtype=np.int64)
        return np.arange(len(self.dates))[:, None] * len(self.bands) + positions


def series_features(series: str, settings: Mapping[str, Any]) -> SeriesFeatures:
    """Features of a series.

    Parameters
    ----------
    series : str
        Its name in the production.
    settings : mapping
        ``sensor`` and its ``options``, the ``part`` of its acquisitions, the choices of its section
        of the configuration, and its interpolation ``dates`` (ISO).
    """
    product_format = format_of(settings["sensor"], settings["options"])
    part = settings["part"]
    kept = tuple(band for band in product_format.band_names if band in settings["keep_bands"])
    indices = tuple(index for index in INDICES if index in settings["indices"])
    relative: tuple[str, ...] = ()
    if settings.get("relative_reflectance"):
        relative = tuple(band for band in kept if band != product_format.roles.get(REFERENCE))
        if not settings["keep_duplicates"] and product_format.roles.get("nir") in relative:
            indices = tuple(index for index in indices if index != "NDVI")
    return SeriesFeatures(
        series,
        product_format,
        f"{product_format.label}_{part.upper()}" if part else product_format.label,
        kept,
        indices,
        {
            name: parse_expression(text, product_format.band_names, product_format.roles)
            for name, text in settings["additional_features"].items()
        },
        tuple(date.fromisoformat(day) for day in settings["dates"]),
        relative,
        bool(settings.get("robust_indices")),
        tuple(band for band in product_format.band_names if band in settings.get("also_read", ())),
    )
