"""What a function of the user gets: arrays of a block of pixels, made when they are asked for.

No numba here: the plan needs this much.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

import numpy as np

from iota2_tools.core.errors import UserCodeError
from iota2_tools.core.words import suggest
from iota2_tools.features.plan import INDICES, SeriesFeatures
from iota2_tools.geo.grid import Window


@dataclass(frozen=True)
class Outline:
    """What functions of the user may ask for.

    Parameters
    ----------
    series : mapping of str to SeriesFeatures
        Series of the production, in stack order.
    user : mapping of str to bool
        User features by name, and whether they may be NaN.
    resolution : float
        Side of a pixel, units of the CRS.
    """

    series: Mapping[str, SeriesFeatures]
    user: Mapping[str, bool]
    resolution: float


@dataclass(frozen=True)
class Place:
    """A block of pixels of a tile, and the margin around it.

    Beyond the border of the tile stands what its nearest pixel holds, whatever the block: a value
    never depends on how the tile is cut.

    Parameters
    ----------
    window : Window
        The block.
    margin : int
        Pixels around it.
    tile : Window
        The whole tile.
    """

    window: Window
    margin: int
    tile: Window

    @property
    def clipped(self) -> Window:
        """The block with its margin, as far as the tile goes."""
        return self.window.grown(self.margin, self.tile)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns with the whole margin."""
        return self.window.rows + 2 * self.margin, self.window.cols + 2 * self.margin

    def padded(self, values: np.ndarray, **how: Any) -> np.ndarray:
        """Values of `clipped`, shape (..., rows, cols), brought to `shape`."""
        own, margin = self.clipped.inside(self.window), self.margin
        top, left = own.row + margin, own.col + margin
        rows, cols = self.shape
        sides = ((top, rows - own.rows - top), (left, cols - own.cols - left))
        if not any(map(sum, sides)):
            return values
        return np.pad(values, (*((0, 0),) * (values.ndim - 2), *sides), **({"mode": "edge"} | how))


class Arrays(Protocol):
    """Where a block gets its arrays from, all of the pixels of `Place.clipped`."""

    def band(self, series: str, name: str) -> np.ndarray:
        """Gap-filled band, float32, shape (n_dates, rows, cols)."""

    def index(self, series: str, name: str) -> np.ndarray:
        """An index or expression of the gap-filled bands, of the same shape."""

    def raw(self, series: str, name: str) -> np.ndarray:
        """Band as it was acquired, float32, NaN without data, shape (n_acquisitions, rows, cols)."""

    def clear(self, series: str) -> np.ndarray:
        """Where acquisitions are usable, bool, of the same shape."""

    def seen(self, series: str) -> np.ndarray:
        """Where acquisitions saw the ground, bool, of the same shape."""

    def acquired(self, series: str) -> Sequence[date]:
        """Days of the acquisitions."""

    def user(self, name: str) -> np.ndarray:
        """A user feature, float32, shape (rows, cols)."""


class Store:
    """Arrays of a place, made when they are first asked for; read-only, and shared by all functions."""

    def __init__(self, arrays: Arrays, place: Place) -> None:
        self.arrays, self.place = arrays, place
        self._made: dict[tuple[str, ...], np.ndarray] = {}

    def get(self, margin: int, kind: str, *key: str) -> np.ndarray:
        """An array with a margin that is at most that of the place."""
        if (kind, *key) not in self._made:
            made = self.place.padded(getattr(self.arrays, kind)(*key)).view()
            made.flags.writeable = False
            self._made[kind, *key] = made
        return cut(self._made[kind, *key], self.place.margin - margin)


def cut(values: np.ndarray, width: int) -> np.ndarray:
    """Values without a border of some pixels, shape (..., rows, cols)."""
    rows, cols = values.shape[-2:]
    return values[..., width : rows - width, width : cols - width]


@dataclass(frozen=True)
class Raw:
    """A series as it was acquired, over a block."""

    _series: "Series"

    @property
    def dates(self) -> tuple[date, ...]:
        """Days of the acquisitions, never decreasing; other ones on each tile."""
        return tuple(self._series._store.arrays.acquired(self._series._plan.series))

    @property
    def clear(self) -> np.ndarray:
        """Where acquisitions are usable, bool, shape (n_acquisitions, rows, cols).

        Of several of one day, one at most is clear at a pixel.
        """
        return self._series._get("clear")

    @property
    def seen(self) -> np.ndarray:
        """Where acquisitions saw the ground, in clouds or not, bool, of the shape of `clear`."""
        return self._series._get("seen")

    def band(self, name: str) -> np.ndarray:
        """A band by its name or role, float32, NaN without data, of the shape of `clear`.

        Clouds are in it: see `clear`.
        """
        return self._series._get("raw", self._series.band_of(name))


@dataclass(frozen=True)
class Series:
    """A series over a block: gap-filled on the dates of the production, or `raw`.

    Arrays have the shape (n_dates, rows, cols), margin included, are float32 and cannot be written
    to. Reflectance is x 10000, backscatter decibels x 100.
    """

    _plan: SeriesFeatures
    _store: Store
    _margin: int

    @property
    def dates(self) -> tuple[date, ...]:
        """Interpolation dates, the same on all tiles."""
        return self._plan.dates

    @property
    def bands(self) -> tuple[str, ...]:
        """Bands that are read."""
        return self._plan.bands

    @property
    def roles(self) -> dict[str, str]:
        """Band of each role (``nir``), of those that are read."""
        return {role: name for role, name in self._plan.format.roles.items() if name in self.bands}

    def band(self, name: str) -> np.ndarray:
        """A gap-filled band, by its name (``B8``) or role (``nir``)."""
        return self._get("band", self.band_of(name))

    def index(self, name: str) -> np.ndarray:
        """An index (``NDVI``, x 1000), or an expression of `additional_features`, by its name."""
        known = [item for item in INDICES if self._computable(item)]
        if name not in (*known, *self._plan.expressions):
            all_known = (*known, *self._plan.expressions)
            hint = suggest(name, all_known, f"it has {', '.join(all_known) or 'none'}")
            raise UserCodeError(f"{self._plan.series} has no index {name!r}, {hint}")
        return self._get("index", name)

    @property
    def raw(self) -> Raw:
        """The acquisitions themselves, with clouds and gaps."""
        return Raw(self)

    def band_of(self, name: str) -> str:
        """Name of a band that is read, from that or its role."""
        found = self.roles.get(name, name)
        if found in self.bands:
            return found
        if found in (*self._plan.format.band_names, *self._plan.format.roles):
            raise UserCodeError(
                f"band {name!r} of {self._plan.series} is not read; add it to `reads` of this function, or to "
                "`keep_bands` of the sensor"
            )
        known = (*self._plan.format.band_names, *self._plan.format.roles)
        hint = suggest(name, known, f"it has {', '.join(known)}")
        raise UserCodeError(f"{self._plan.series} has no band {name!r}, {hint}")

    def _computable(self, index: str) -> bool:
        if index == "Brightness":
            return bool(self._plan.reflectances)
        return all(role in self.roles for role in INDICES[index])

    def _get(self, kind: str, *key: str) -> np.ndarray:
        return self._store.get(self._margin, kind, self._plan.series, *key)


class _Named(dict[str, Any]):
    """A dictionary that tells which names it has."""

    def __init__(self, what: str, items: Mapping[str, Any]) -> None:
        super().__init__(items)
        self._what = what

    def __missing__(self, name: str) -> Any:
        hint = suggest(name, list(self), f"there are {', '.join(self) or 'none'}")
        raise UserCodeError(f"no {self._what} {name!r}, {hint}")


class _UserFeatures(Mapping[str, np.ndarray]):
    """User features, read from the store when they are asked for."""

    def __init__(self, names: Mapping[str, bool], store: Store, margin: int) -> None:
        self._names = _Named("user feature", names)
        self._store, self._margin = store, margin

    def __getitem__(self, name: str) -> np.ndarray:
        _ = self._names[name]
        return self._store.get(self._margin, "user", name)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def get(self, name: str, default: Any = None) -> Any:
        """As of any mapping: a name that is not there gives `default`."""
        return self[name] if name in self._names else default


class Block:
    """What a function of the user gets: arrays of a block of pixels with its margin.

    Attributes
    ----------
    series : dict of str to Series
        By name of the series (``sentinel2``).
    user_features : mapping of str to ndarray
        By name (``ALT_band_1``), float32, shape (rows, cols).
    parameters : dict
        Those of the configuration.
    margin : int
        Pixels around the block, on each side. Beyond the tile its nearest pixel is repeated.
    shape : tuple of int
        Rows and columns of all arrays, margin included.
    inside : ndarray of bool, shape (rows, cols)
        False beyond the border of the tile.
    resolution : float
        Side of a pixel, units of the CRS.
    """

    def __init__(
        self, parameters: Mapping[str, Any], margin: int, outline: Outline, store: Store
    ) -> None:
        self.margin, self._place = margin, store.place
        self.parameters = _Named("parameter", parameters)
        self.resolution = outline.resolution
        self.series: dict[str, Series] = _Named(
            "series",
            {name: Series(plan, store, self.margin) for name, plan in outline.series.items()},
        )
        self.user_features: Mapping[str, np.ndarray] = _UserFeatures(
            outline.user, store, self.margin
        )

    @property
    def shape(self) -> tuple[int, int]:
        window = self._place.window
        return window.rows + 2 * self.margin, window.cols + 2 * self.margin

    @property
    def inside(self) -> np.ndarray:
        place = Place(self._place.window, self.margin, self._place.tile)
        there = np.ones((place.clipped.rows, place.clipped.cols), dtype=bool)
        return place.padded(there, mode="constant", constant_values=False)
