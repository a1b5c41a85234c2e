"""Compiled functions, and their files on disc.

numba's own cache gives its files numbers and rewrites them, in two steps. Jobs that compile at
once after an update, or one that is killed or out of disc between both, leave the code of one
source or signature under the name of another: wrong values, or writes out of bounds. Nor does it
see a change in a function imported from another module. Here a file is named after all that its
code was made of and holds nothing else, so that it is right or absent.

This takes names that are numba's own. Where one is missing, in another release, the kernels compile
without a cache.
"""

import hashlib
import logging
import os
import pickle
import socket
from collections.abc import Callable, Iterator
from functools import cache, cached_property, partial
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import numba

logger = logging.getLogger(__name__)

FunctionCache: Any = object
Dispatcher: Any = object
MISSING = ""
try:
    from numba.core import caching, dispatcher, serialize

    FunctionCache, Dispatcher = caching.FunctionCache, dispatcher.Dispatcher
    dumps = serialize.dumps
except (ImportError, AttributeError) as error:
    MISSING = str(error)


def kernel(function: Callable | None = None, **options: Any) -> Callable:
    """Compile a function with numba at its first call, once for all jobs; it frees the GIL.

    Parameters
    ----------
    function : callable
        Its constants are numbers, tuples, arrays or kernels, not attributes of a module.
    options
        Of `numba.njit`, e.g. ``error_model="numpy"``.
    """
    if function is None:
        return partial(kernel, **options)
    compiled: Any = numba.njit(nogil=True, **options)(function)
    if compiled is function:  # NUMBA_DISABLE_JIT
        return compiled
    try:
        _keep(compiled)
    except RuntimeError as error:
        logger.debug("%s; each job compiles it", error)  # no folder can be written
    except (AttributeError, TypeError) as error:
        logger.debug("numba: %s", error)
        _tell_once(numba.__version__)
    return compiled


def _keep(compiled: Any) -> None:
    """Have numba look for the compiled code of a kernel in files of ours.

    Raises
    ------
    AttributeError
        If a name that is numba's own is gone.
    """
    if MISSING:
        raise AttributeError(MISSING)
    for name in ("_cache", "py_func", "targetoptions"):
        getattr(compiled, name)
    compiled._cache = _KernelCache(compiled)


@cache
def _tell_once(release: str) -> None:
    logger.warning(
        "numba %s keeps compiled code in another way than this chain knows: every job compiles its "
        "kernels again, which takes some seconds. `make setup` installs a release it knows",
        release,
    )


class _KernelCache(FunctionCache):
    """What numba asks for compiled code; without a place to write, the code is only kept."""

    def __init__(self, compiled: Any) -> None:
        super().__init__(compiled.py_func)
        # Numba must be about to look there, or it would go on with files of its own.
        getattr(self, "_cache_file")  # noqa: B009
        self._cache_file = _KernelFiles(Path(self.cache_path), self._impl.filename_base, compiled)

    def save_overload(self, sig: object, data: object) -> None:
        try:
            super().save_overload(sig, data)
        except OSError as error:
            logger.warning("%s: compiled code not kept: %s", self.cache_path, error.strerror)


class _KernelFiles:
    """One file for each compiled signature; stands for numba's `IndexDataCacheFile`."""

    def __init__(self, folder: Path, name: str, compiled: Any) -> None:
        self._folder, self._name, self._compiled = folder, name, compiled

    def load(self, key: tuple) -> object | None:
        try:
            return pickle.loads(self._path(key).read_bytes())
        except (OSError, EOFError, pickle.UnpicklingError):  # absent, or cut by a crash
            return None

    def save(self, key: tuple, data: object) -> None:
        path = self._path(key)
        temporary = path.with_name(f"{path.name}.{socket.gethostname()}-{os.getpid()}")
        try:
            temporary.write_bytes(dumps(data))
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)

    def flush(self) -> None:
        for path in self._folder.glob(f"{self._name}.*.nbc"):
            path.unlink(missing_ok=True)

    def _path(self, key: tuple) -> Path:
        """Where the code of a signature, processor and source (numba's key) stands."""
        digest = hashlib.sha256(f"{self._origin} {key}".encode()).hexdigest()
        return self._folder / f"{self._name}.{digest[:32]}.nbc"

    @cached_property
    def _origin(self) -> str:
        """Digest of what the code is compiled from."""
        digest = hashlib.sha256(
            f"{numba.__version__} {getattr(numba.config, 'BOUNDSCHECK', None)}".encode()
        )
        for part in _parts(self._compiled, set()):
            digest.update(part + b"\0")
        return digest.hexdigest()


def _parts(compiled: Any, seen: set[Any]) -> Iterator[bytes]:
    """What a kernel is compiled from: its options and code, its constants, kernels it calls."""
    seen.add(compiled)
    yield repr(sorted(compiled.targetoptions.items())).encode()
    names: set[str] = set()
    for code in _codes(compiled.py_func.__code__):
        yield code.co_code
        yield repr((code.co_names, code.co_varnames, code.co_freevars)).encode()
        yield repr([item for item in code.co_consts if not isinstance(item, CodeType)]).encode()
        names.update(code.co_names)
    known = compiled.py_func.__globals__
    for name in sorted(names & known.keys()):
        value = known[name]
        if isinstance(value, Dispatcher):
            if value not in seen:
                yield from _parts(value, seen)
        elif isinstance(value, ModuleType):
            yield value.__name__.encode()
        else:
            yield pickle.dumps(value)


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A function's code, and that of the functions and comprehensions inside it."""
    yield code
    for item in code.co_consts:
        if isinstance(item, CodeType):
            yield from _codes(item)
