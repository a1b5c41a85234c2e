"""Python modules of the user: loaded by their path, and what goes wrong told by file and line.

A module may import what is installed, and modules beside it as `from . import other`. It is
compiled from its source each time: no file is written beside it, and no older one is read.
"""

import ast
import hashlib
import importlib
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from iota2_tools.core.contents import digest
from iota2_tools.core.errors import UserCodeError
from iota2_tools.core.words import suggest

PACKAGE = "iota2_user_"
"""Begins the name of the package that stands for the folder of a module."""
_folders: dict[str, Path] = {}


class _Source(SourceFileLoader):
    """Compiles the source; Python's own cache goes by the time of a file, to the second."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code


class _Finder(MetaPathFinder):
    """Finds the modules of the folders of the user's modules, and no others."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, rest = name.partition(".")
        if package not in _folders or not rest:
            return None
        place = _folders[package].joinpath(*rest.split("."))
        inner = place / "__init__.py"
        if inner.is_file():
            return spec_from_file_location(
                name, inner, loader=_Source(name, str(inner)), submodule_search_locations=[str(place)]
            )  # fmt: skip
        file = place.with_name(f"{place.name}.py")
        if not file.is_file():
            return None
        return spec_from_file_location(name, file, loader=_Source(name, str(file)))


def load_function(path: str, function: str) -> Callable[..., Any]:
    """A function of a module of the user.

    Parameters
    ----------
    path : str
        File of the module.
    function : str
        Name of the function.

    Raises
    ------
    UserCodeError
        If the file is missing, cannot be imported, or has no such function.
    """
    if not os.path.isfile(path):
        raise UserCodeError(f"external_features: no file {path}")
    module = _load(path)
    found = getattr(module, function, None)
    if callable(found):
        return found
    own = (item for item in vars(module).values() if callable(item))
    names = [item.__name__ for item in own if getattr(item, "__module__", "") == module.__name__]
    hint = suggest(function, names, f"it has {', '.join(names) or 'none'}")
    raise UserCodeError(f"external_features: {path}: has no function {function!r}; {hint}")


def _load(path: str) -> ModuleType:
    file = Path(path).absolute()
    mark = f"{file.parent} {digest_of_sources(path)}"
    package = PACKAGE + hashlib.blake2b(mark.encode(), digest_size=8).hexdigest()
    if package not in _folders:
        if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
            sys.meta_path.insert(0, _Finder())  # before the one of folders, whose cache may be old
        _folders[package] = file.parent
        around = ModuleType(package)
        around.__path__ = [str(file.parent)]
        sys.modules[package] = around
    with user_errors(path):
        return importlib.import_module(f"{package}.{file.stem}")


@contextmanager
def user_errors(path: str) -> Iterator[None]:
    """Tell what a module of the user raises by its file and line.

    Raises
    ------
    UserCodeError
        Without a traceback of the chain.
    """
    try:
        yield
    except UserCodeError as error:
        raise UserCodeError(f"external_features: {_place(error, path)}: {error}") from None
    except (Exception, SystemExit) as error:
        what = error.msg if isinstance(error, SyntaxError) else str(error)
        text = " ".join(f"{type(error).__name__}: {what}".split())
        raise UserCodeError(
            f"external_features: {_place(error, path)}: {text}{_remedy(error, path)}"
        ) from None


def _place(error: BaseException, path: str) -> str:
    """Where the user's code was when an error came up: file, line, function and what stands there."""
    folder = Path(path).absolute().parent
    places = [
        (frame.filename, frame.lineno, frame.name, frame.line)
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(folder) and _is_the_users(frame.filename)
    ]
    if isinstance(error, SyntaxError) and error.filename:
        places.append((error.filename, error.lineno, "<module>", error.text))
    if not places:
        return path
    file, line, function, text = places[-1]
    shown = os.path.join(os.path.dirname(path), os.path.relpath(file, folder))
    within = "" if function == "<module>" else f", in {function}"
    return f"{shown}, line {line}{within}" + (f" (`{text.strip()}`)" if text else "")


def _is_the_users(file: str) -> bool:
    """Whether a file is no part of the chain, nor of an environment beside the user's module."""
    chain = Path(__file__).parents[1]
    own = Path(file).is_relative_to(chain) and not Path(file).is_relative_to(chain / "shipped")
    return not own and "site-packages" not in Path(file).parts


def _remedy(error: BaseException, path: str) -> str:
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return ""
    name = error.name.partition(".")[0]
    beside = Path(path).absolute().parent / name
    if beside.with_name(f"{name}.py").is_file() or beside.is_dir():
        return f"; it stands beside the module: write `from . import {name}`"
    if name.startswith(PACKAGE):
        return ""
    return f"; install it into the environment of the chain: {sys.executable} -m pip install {name}"


def digest_of_sources(path: str) -> str:
    """Digest of a module of the user and of the modules beside it that it imports.

    Those are found in the text, `from .other import name`; what is imported by a function call
    (`importlib.import_module`) is not seen. Where the file is missing the digest is that of nothing.
    """
    folder = Path(path).absolute().parent
    found = hashlib.blake2b(digest_size=16)
    for file in sources_of(path):
        found.update(f"{file.relative_to(folder)} {digest(file)}\n".encode())
    return found.hexdigest()


def sources_of(path: str) -> list[Path]:
    """Files of a module and of all modules beside it that it imports, sorted."""
    file = Path(path).absolute()
    found: set[Path] = set()
    waiting = [file]
    while waiting:
        one = waiting.pop()
        if one not in found and one.is_file() and one.is_relative_to(file.parent):
            found.add(one)
            waiting += _imported(one)
    return sorted(found)


def _imported(file: Path) -> Iterator[Path]:
    """Files that the relative imports of a module may mean, whether they exist or not."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            place = file.parents[min(node.level, len(file.parents)) - 1]
            for part in (node.module or "").split("."):
                place = place / part
                yield from _files_of(place)
            for alias in node.names:
                yield from _files_of(place / alias.name)


def _files_of(place: Path) -> Iterator[Path]:
    yield place.with_name(f"{place.name}.py")
    yield place / "__init__.py"
