"""External features: Python functions of the user over the arrays of a block of pixels.

The same class serves the check and the jobs: functions are loaded, tried on made-up pixels, which
tells names and types of their features, and called block by block. No numba here: the plan needs
the names.
"""

import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from iota2_tools.core.errors import UserCodeError
from iota2_tools.features.block import Arrays, Block, Outline, Place, Store, cut
from iota2_tools.features.made_up import MadeUp
from iota2_tools.features.user_modules import load_function, user_errors
from iota2_tools.geo.grid import Window

RESERVED = ("row", "col", "polygon", "code", "region", "geometry")
"""Columns of a table of samples that are no features; `seed_0` and so on are neither."""
NAME = re.compile(r"(?!seed_\d+$)[A-Za-z][A-Za-z0-9_]*")
LARGEST_WHOLE = 1 << 24
"""Whole numbers beyond that are not told apart by a float32."""
SIDE, WIDE_SIDE, WIDE_MARGIN = 128, 256, 64
"""Of the blocks that functions are called for, pixels; wider ones beyond that margin."""


def block_side(margin: int) -> int:
    """Side of the blocks that a tile is cut into for functions of the user, pixels.

    Windows that are read are whole blocks of `grid.BLOCK`, and so whole ones of these.
    """
    return SIDE if margin <= WIDE_MARGIN else WIDE_SIDE


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
        store = Store(arrays, place)
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
    function: ExternalFunction, call: Callable[..., Any], outline: Outline, store: Store
) -> dict[str, np.ndarray]:
    """Call a function; its features by name, int16 or float32, shape (rows, cols) without margin."""
    with user_errors(function.module):
        result = call(Block(function.parameters, function.margin, outline, store))
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
    lower = [name.lower() for name in names]  # tables tell no capitals apart
    twice = [name for name in names if lower.count(name.lower()) > 1]
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


def _tried(function: ExternalFunction, call: Callable[..., Any], outline: Outline) -> _Given:
    """Try a function on made-up pixels: its features, and whether they depend on the window."""
    rows, cols = AROUND + 2 * function.margin, AROUND + 1 + 2 * function.margin
    tile = Window(0, 0, rows, cols)
    made = MadeUp(outline, rows, cols)

    def of(window: Window) -> dict[str, np.ndarray]:
        place = Place(window, function.margin, tile)
        return _call(function, call, outline, Store(made.of(place.clipped), place))

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
