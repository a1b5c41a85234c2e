"""Which features a production has, and their names; nothing is computed here.

Snakemake's parser and the checks need this much, and shall not wait for numba.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from iota2_tools.core.errors import ConfigError
from iota2_tools.core.words import suggest
from iota2_tools.features.expressions import Expression, parse_expression
from iota2_tools.products import ProductFormat, format_of
from iota2_tools.timeseries.dates import stamp_of

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
    travelling : bool
        Whether names tell the day of the year alone, so that models of another year know them.
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
    travelling: bool = False

    @property
    def stamps(self) -> list[str]:
        """Interpolation dates, as names of features tell them."""
        return [stamp_of(day, travelling=self.travelling) for day in self.dates]

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
        stamps = self.stamps
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
        bool(settings.get("travelling")),
    )


def reduced_settings(
    series: str, settings: Mapping[str, Any], names: Collection[str]
) -> dict[str, Any] | None:
    """Settings of a series that give some of its features, and not many others.

    Parameters
    ----------
    series, settings
        As `series_features` takes them.
    names : collection of str
        Features, of any series.

    Returns
    -------
    dict or None
        None if none of them is of this series.
    """
    plan = series_features(series, settings)
    own = [name for name in plan.names if name in names]
    if not own:
        return None
    stamps = {name.rpartition("_")[2] for name in own}
    items = {name.removeprefix(f"{plan.label}_").rpartition("_")[0] for name in own}
    dates = [
        day for day, stamp in zip(settings["dates"], plan.stamps, strict=True) if stamp in stamps
    ]
    reduced = {**settings, "dates": dates, "also_read": []}
    if plan.relative:
        return reduced
    if "Brightness" not in items:  # which is that of all bands kept
        reduced["keep_bands"] = [band for band in settings["keep_bands"] if band in items]
    reduced["indices"] = [index for index in settings["indices"] if index in items]
    expressions = settings["additional_features"].items()
    reduced["additional_features"] = {name: text for name, text in expressions if name in items}
    return reduced


def chosen_names(words: Sequence[str], known: Sequence[str]) -> list[str]:
    """Features that words stand for, in the order of all.

    Parameters
    ----------
    words : sequence of str
        Names, in which ``*`` stands for any letters.
    known : sequence of str
        Names of all features.

    Raises
    ------
    ConfigError
        Naming each word that stands for none, with the nearest name.

    >>> chosen_names(["NDVI_*"], ["B4_1", "NDVI_1", "NDVI_2"])
    ['NDVI_1', 'NDVI_2']
    """
    found = {word: [name for name in known if fnmatchcase(name, word)] for word in words}
    strange = [word for word, names in found.items() if not names]
    if strange:
        shown = ", ".join(known[:3])
        hints = [f"{word!r}, {suggest(word, known, f'there are {shown}, …')}" for word in strange]
        raise ConfigError(f"feature_maps.features: no feature is called {'; '.join(hints)}")
    chosen = {name for names in found.values() for name in names}
    return [name for name in known if name in chosen]
