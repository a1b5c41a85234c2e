"""External features: Python functions of the user over the arrays of a block of pixels.

The same class serves the check and the jobs: functions are loaded, tried on made-up pixels, which
tells names and types of their features, and called block by block. No numba here: the plan needs
the names.
"""

import re
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Protocol

import numpy as np

from iota2_tools.core.errors import UserCodeError
from iota2_tools.core.words import suggest
from iota2_tools.features.plan import INDICES, SeriesFeatures
from iota2_tools.features.user_modules import load_function, user_errors
from iota2_tools.geo.grid import Window

RESERVED = ("row", "col", "polygon", "code", "region", "geometry")
"""Columns of a table of samples that are no features; `seed_0` and so on are neither."""
NAME = re.compile(r"(?!seed_\d+$)[A-Za-z][A-Za-z0-9_]*")
LARGEST_WHOLE = 1 << 24
"""Whole numbers beyond that are not told apart by a float32."""


SIDE = 128


def block_side(margin: int) -> int:
    """Side of the blocks that functions are called for, pixels: twice the margin at least."""
    return max(SIDE, 2 * margin)


@dataclass(frozen=True)
class ExternalFunction:
    """A function of the user, as the configuration names it.

    Parameters
    ----------
    module, function : str
        File, and name in it.
    parameters : mapping
        Handed to it.
    margin : int
        Pixels around a pixel that its features depend on.
    missing : float or None
        Stands for values that are not finite; None: these are an error.
    reads : mapping of str to list of str
        Bands it asks for beside those of features, by sensor (`plan.SeriesFeatures.also`).
    contents : str
        Digest of its source (`user_modules.digest_of_sources`); a parameter of the rules.
    """

    module: str
    function: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    margin: int = 0
    missing: float | None = None
    reads: Mapping[str, Sequence[str]] = field(default_factory=dict)
    contents: str = ""

    def __str__(self) -> str:
        return f"{self.module}: {self.function}"


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


class _Store:
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
    _store: _Store
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

    def __init__(self, names: Mapping[str, bool], store: _Store, margin: int) -> None:
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

    def __init__(self, function: ExternalFunction, outline: Outline, store: _Store) -> None:
        self.margin, self._place = function.margin, store.place
        self.parameters = _Named("parameter", function.parameters)
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


@dataclass(frozen=True)
class _Given:
    """Names and types of the features of a function."""

    names: tuple[str, ...]
    dtypes: tuple[str, ...]


class ExternalFeatures:
    """Functions of the user, loaded and tried.

    Parameters
    ----------
    functions : sequence of ExternalFunction
    outline : Outline
        What they may ask for.
    taken : sequence of str
        Names of the other features.

    Attributes
    ----------
    names : list of str
        Of their features, in order.
    dtype : str
        ``int16`` if all of them are, else ``float32``.
    margin : int
        The largest.

    Raises
    ------
    UserCodeError
        If one cannot be loaded, fails, or gives what no feature can be.
    """

    def __init__(
        self, functions: Sequence[ExternalFunction], outline: Outline, taken: Sequence[str]
    ) -> None:
        self._outline = outline
        self._functions = [(item, load_function(item.module, item.function)) for item in functions]
        self.margin = max((item.margin for item in functions), default=0)
        self._given = [_tried(item, call, outline) for item, call in self._functions]
        self.names: list[str] = []
        for (item, _), given in zip(self._functions, self._given, strict=True):
            _check_names(item, given.names, [*taken, *self.names])
            self.names += given.names
        whole = all(dtype == "int16" for given in self._given for dtype in given.dtypes)
        self.dtype = "int16" if whole else "float32"

    def compute(self, arrays: Arrays, place: Place) -> np.ndarray:
        """Features of a block, of `dtype`, shape (n_features, rows, cols).

        Parameters
        ----------
        arrays : Arrays
            Of the pixels of `place`, whose margin is `margin`.

        Raises
        ------
        UserCodeError
            If a function fails, or gives other names or types than when it was tried.
        """
        store = _Store(arrays, place)
        out = np.empty((len(self.names), place.window.rows, place.window.cols), dtype=self.dtype)
        number = 0
        for (item, call), tried in zip(self._functions, self._given, strict=True):
            found = _call(item, call, self._outline, store)
            _check_same(item, tried, found)
            for values in found.values():
                out[number] = values
                number += 1
        return out


def _call(
    function: ExternalFunction, call: Callable[..., Any], outline: Outline, store: _Store
) -> dict[str, np.ndarray]:
    """Call a function; its features by name, int16 or float32, shape (rows, cols) without margin."""
    with user_errors(function.module):
        result = call(Block(function, outline, store))
    named = _by_name(function, result)
    window = store.place.window
    return {
        name: _checked(function, name, values, (window.rows, window.cols))
        for name, values in named.items()
    }


def _refused(function: ExternalFunction, why: str) -> UserCodeError:
    return UserCodeError(f"external_features: {function} {why}")


WANTED = "return a dictionary of name to array, or an array (features, rows, cols) and a list of names"  # fmt: skip


def _by_name(function: ExternalFunction, result: Any) -> dict[str, Any]:
    """Features by name, from either form of a result."""
    if isinstance(result, Mapping):
        names, values = list(result), [np.asanyarray(item) for item in result.values()]
    elif isinstance(result, tuple) and len(result) == 2 and not isinstance(result[1], str):
        array, names = np.asanyarray(result[0]), list(result[1])
        values = list(array[np.newaxis] if array.ndim == 2 else array) if array.ndim else []
    else:
        raise _refused(function, f"returns a {type(result).__name__}: {WANTED}")
    if not names or len(names) != len(values):
        raise _refused(
            function, f"returns {len(values)} features with {len(names)} names: {WANTED}"
        )
    bad = [name for name in names if not isinstance(name, str) or not NAME.fullmatch(name)]
    if bad:
        raise _refused(
            function,
            f"gives a feature the name {bad[0]!r}; names begin with a letter and go on with letters, digits and _",
        )
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise _refused(function, f"gives two features the name {twice[0]!r}")
    return dict(zip(names, values, strict=True))


def _checked(
    function: ExternalFunction, name: str, values: np.ndarray, shape: tuple[int, int]
) -> np.ndarray:
    """A feature as it goes into the stack: without margin, int16 or float32, finite."""
    whole = tuple(side + 2 * function.margin for side in shape)
    if values.shape == whole:
        values = cut(values, function.margin)
    if values.shape != shape:
        raise _refused(
            function,
            f"gives {name} the shape {_shape(values.shape)} for a block of {_shape(shape)} pixels"
            + (f", {_shape(whole)} with its margin" if function.margin else "")
            + "; an array has one value a pixel",
        )
    if values.dtype.kind not in "biuf":
        raise _refused(function, f"gives {name} the type {values.dtype}; features are numbers")
    masked = isinstance(values, np.ma.MaskedArray)
    if not masked and (values.dtype == bool or np.can_cast(values.dtype, np.int16, "safe")):
        return values.astype(np.int16)
    if values.dtype.kind in "iu" and values.size and _largest(values) > LARGEST_WHOLE:
        raise _refused(
            function, f"gives {name} whole numbers beyond {LARGEST_WHOLE}, which float32 cannot tell apart"
        )  # fmt: skip
    with np.errstate(over="ignore", invalid="ignore"):
        values = values.astype(np.float32)
    numbers: np.ndarray = values.filled(np.nan) if isinstance(values, np.ma.MaskedArray) else values
    return _finite(function, name, numbers)


def _largest(values: np.ndarray) -> int:
    return max(abs(int(values.min())), abs(int(values.max())))


def _finite(function: ExternalFunction, name: str, values: np.ndarray) -> np.ndarray:
    """Values with that of the user in the place of those that are not finite."""
    bad = ~np.isfinite(values)
    if not bad.any():
        return values
    if function.missing is None:
        raise _refused(
            function,
            f"gives {name} no finite value at {int(bad.sum())} of {bad.size} pixels; give these a value there (a pixel "
            "that was never clear is 0 in all bands), or name one in `missing` of this function in the configuration",
        )
    return np.where(bad, np.float32(function.missing), values)


def _shape(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape)) or "a single number"


def _check_names(function: ExternalFunction, names: Sequence[str], taken: Sequence[str]) -> None:
    """Raise unless the names differ from all others, also where capitals do not count."""
    others = {name.lower() for name in (*taken, *RESERVED)}
    clash = [name for name in names if name.lower() in others]
    if clash:
        what = "a column of the samples" if clash[0].lower() in RESERVED else "another feature"
        raise _refused(function, f"gives a feature the name {clash[0]!r}, which is that of {what}")


def _check_same(function: ExternalFunction, tried: _Given, found: Mapping[str, np.ndarray]) -> None:
    """Raise unless a block has the features that were told before the first one."""
    if tuple(found) != tried.names:
        raise _refused(
            function,
            f"gives the features {', '.join(found)} here and {', '.join(tried.names)} when it was tried on made-up "
            "pixels; names and their order may depend on parameters and interpolation dates alone",
        )
    for (name, values), dtype in zip(found.items(), tried.dtypes, strict=True):
        if not np.can_cast(values.dtype, dtype, "safe"):
            raise _refused(
                function,
                f"gives {name} as {values.dtype} here and as {dtype} when it was tried on made-up pixels; "
                "give it one type",
            )


# The trial: pixels that are made up, the whole of them at once and in four parts.

AROUND = 8
"""Rows of what is made up, and one column more; twice the margin is added."""
SPECIAL = (0, -1000, 20000, 3000)
"""Pixels of one value on all dates: never clear, dark, saturated, without change."""


def _tried(function: ExternalFunction, call: Callable[..., Any], outline: Outline) -> _Given:
    """Try a function on made-up pixels: its features, and whether they depend on the window."""
    rows, cols = AROUND + 2 * function.margin, AROUND + 1 + 2 * function.margin
    tile = Window(0, 0, rows, cols)
    made = _MadeUp(outline, rows, cols)

    def of(window: Window) -> dict[str, np.ndarray]:
        place = Place(window, function.margin, tile)
        return _call(function, call, outline, _Store(made.of(place.clipped), place))

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        whole = of(tile)
        given = _Given(tuple(whole), tuple(str(values.dtype) for values in whole.values()))
        for row, height in ((0, rows // 2), (rows // 2, rows - rows // 2)):
            for col, width in ((0, cols // 2), (cols // 2, cols - cols // 2)):
                window = Window(row, col, height, width)
                part = of(window)
                _check_same(function, given, part)
                _check_part(function, whole, part, window)
    return given


def _check_part(
    function: ExternalFunction,
    whole: Mapping[str, np.ndarray],
    part: Mapping[str, np.ndarray],
    window: Window,
) -> None:
    """Raise if pixels have other values in a smaller block."""
    for name, values in part.items():
        expected = whole[name][window.slices]
        if not np.allclose(values, expected, rtol=1e-4, atol=1e-4 * (np.abs(expected).max() or 1)):
            raise _refused(
                function,
                f"gives a pixel another value of {name} in another window: the map would depend on how a tile is cut. "
                f"It looks farther than its margin of {function.margin} pixels (`margin` in the configuration), "
                "at the whole window, or at chance",
            )


class _MadeUp:
    """Arrays of pixels that do not exist: random, and some such as every tile has."""

    def __init__(self, outline: Outline, rows: int, cols: int) -> None:
        self._outline, self._shape = outline, (rows, cols)
        self._window = Window(0, 0, rows, cols)

    def of(self, window: Window) -> "_MadeUp":
        """The arrays of a part."""
        part = _MadeUp(self._outline, *self._shape)
        part._window = window
        return part

    def _numbers(self, key: str, layers: int, low: int, high: int, special: bool) -> np.ndarray:
        """Whole numbers from `low` to `high`, the same for a key, shape (layers, rows, cols)."""
        random = np.random.default_rng(zlib.crc32(key.encode()))
        values = random.integers(low, high, (layers, *self._shape)).astype(np.float32)
        if special:
            values.reshape(layers, -1)[:, : len(SPECIAL)] = SPECIAL
        return values[(..., *self._window.slices)]

    def band(self, series: str, name: str) -> np.ndarray:
        plan = self._outline.series[series]
        low, high = (-2500, 500) if "vv" in plan.format.roles else (1, 6000)
        return self._numbers(f"{series} {name}", len(plan.dates), low, high, True)

    def index(self, series: str, name: str) -> np.ndarray:
        dates = len(self._outline.series[series].dates)
        values = self._numbers(f"{series} index {name}", dates, -1000, 1000, True)
        return np.clip(values, -1000, 1000)

    def raw(self, series: str, name: str) -> np.ndarray:
        values = self._numbers(f"{series} raw {name}", len(self.acquired(series)), 1, 9000, False)
        return np.where(self.seen(series), values, np.float32(np.nan))

    def clear(self, series: str) -> np.ndarray:
        seen = self.seen(series)
        clouds = self._numbers(f"{series} clear", len(seen), 0, 3, True)
        return seen & (clouds > 0)

    def seen(self, series: str) -> np.ndarray:
        return self._numbers(f"{series} seen", len(self.acquired(series)), 0, 5, True) > 0

    def acquired(self, series: str) -> Sequence[date]:
        dates = self._outline.series[series].dates
        return (*dates, dates[-1] + timedelta(1))

    def user(self, name: str) -> np.ndarray:
        values = self._numbers(f"user {name}", 1, 0, 3000, False)[0]
        if self._outline.user[name]:
            values = np.where(self._numbers(f"no {name}", 1, 0, 4, True)[0] > 0, values, np.nan)
        return values.astype(np.float32)


def problems_of(
    functions: Sequence[ExternalFunction], outline: Outline, taken: Sequence[str]
) -> list[str]:
    """What is wrong with each of some functions."""
    problems = []
    for item in functions:
        try:
            taken = [*taken, *ExternalFeatures([item], outline, taken).names]
        except UserCodeError as error:
            problems.append(str(error))
    return problems
