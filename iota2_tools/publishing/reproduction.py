"""A production made again from its lock, and held against it."""

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from iota2_tools.config.paths import paths_of, with_paths
from iota2_tools.core.contents import digest
from iota2_tools.core.errors import ConfigError, InputDataError, one_message
from iota2_tools.core.files import whole_file
from iota2_tools.core.locks import production_around
from iota2_tools.planning.configuration import Configuration, complete_configuration
from iota2_tools.publishing.about import InputFile
from iota2_tools.publishing.checksums import sha256_of
from iota2_tools.publishing.differences import against_lock, between
from iota2_tools.publishing.lock import Lock, LockedProduct

CONFIG = "reproduce.yaml"
"""The configuration of a reproduction, in its output folder."""
SHOWN = 10
THREADS = 8
"""Inputs that are read together: most of the time is the disk's."""


@dataclass(frozen=True)
class Places:
    """Where the inputs of a lock lie now.

    Parameters
    ----------
    folder : Path
        What relative paths are relative to. It also stands for the folder that all inputs with
        absolute paths lie in.
    common : str
        That folder; empty if no path is absolute.
    """

    folder: Path
    common: str

    @classmethod
    def of(cls, lock: Lock, configuration: Configuration, folder: Path | None) -> "Places":
        """Those of a lock: as it says, seen from here, or in a folder."""
        if folder is None:
            return cls(Path.cwd(), "")
        given = [path for path in [*lock.inputs, *paths_of(configuration)] if os.path.isabs(path)]
        common = os.path.commonpath(given) if given else ""
        if len(set(given)) == 1:
            common = os.path.dirname(common)
        return cls(folder.absolute(), common)

    def place_of(self, path: str) -> str:
        """Where an input lies.

        >>> Places(Path("/mnt/copy"), "/data/2018").place_of("/data/2018/s2/T31TCJ")
        '/mnt/copy/s2/T31TCJ'
        """
        inside = os.path.relpath(path, self.common) if self.common and os.path.isabs(path) else path
        return os.path.normpath(self.folder / inside)


def prepare(lock: Lock, folder: Path | None, output: str) -> tuple[list[str], Path]:
    """Check the inputs of a lock, and write the configuration that makes its production again.

    Parameters
    ----------
    lock : Lock
        Of the production.
    folder : Path, optional
        Where its inputs lie now; None: where the lock says.
    output : str
        Folder of what is made.

    Returns
    -------
    changed : list of str
        Inputs that are not what they were, in words.
    configfile : Path
        The configuration.

    Raises
    ------
    InputDataError
        Listing the inputs that are missing.
    ConfigError
        If this version does not know the configuration.
    """
    given = dict(lock.configuration) | {"output": output, "prepared": None}
    given.pop("report", None)  # no product; it may show productions that are not here
    configuration = complete_configuration(given, "configuration of the lock")
    places = Places.of(lock, configuration, folder)
    changed = list(changes_of_inputs(lock.inputs, places))
    config = with_paths(configuration, places.place_of)
    configfile = Path(output, CONFIG)
    with whole_file(str(configfile)) as temporary:
        Path(temporary).write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return changed, configfile


def changes_of_inputs(inputs: Mapping[str, InputFile], places: Places) -> Iterator[str]:
    """Inputs that are not what they were when the production read them.

    Raises
    ------
    InputDataError
        Listing those that are missing.
    """
    places_now = {path: Path(places.place_of(path)) for path in inputs}
    missing = [
        f"{path}: no file {places_now[path]}"
        for path, item in inputs.items()
        if item.size is not None and not places_now[path].is_file()
    ]
    if missing:
        raise InputDataError(
            one_message("inputs of the lock", [*missing[:SHOWN], *_more(missing)])
            + "\nFetch them, or name the folder that holds them: --inputs FOLDER"
        )
    with ThreadPoolExecutor(THREADS) as pool:
        yield from filter(None, pool.map(_change, inputs, inputs.values(), places_now.values()))


def _change(path: str, item: InputFile, now: Path) -> str:
    """What is not as it was of an input that is there if it was, in words; empty if nothing."""
    if item.size is None:
        return f"input {path}: is there now" if now.is_file() else ""
    same = now.stat().st_size == item.size and digest(now) == item.checksum
    if same and (not item.sha256 or sha256_of(now) == item.sha256):
        return ""
    return f"input {path}: its content is another"


def _more(items: list[str]) -> list[str]:
    return [f"… and {len(items) - SHOWN} more"] if len(items) > SHOWN else []


@dataclass(frozen=True)
class Outcome:
    """What a reproduction has shown.

    Parameters
    ----------
    same : int
        Products that hold the same.
    differing : dict of str to str
        Products that differ, and where.
    altered : dict of str to str
        Products of the lock's own folder that were altered since, and where; found by what was
        made again.
    reasons : list of str
        What is not as it was: inputs, libraries, computations, processor.
    """

    same: int
    differing: dict[str, str]
    altered: dict[str, str]
    reasons: list[str]


def outcome(lock: Lock, original: Path, again: Lock, made: Path, changed: list[str]) -> Outcome:
    """Hold what was made again against the lock.

    Parameters
    ----------
    lock, again : Lock
        Of the production, and of what was made again.
    original, made : Path
        Their folders `final`; the products of the first need not be there.
    changed : list of str
        Changes of inputs, in words.
    """
    same, differing, altered = 0, {}, {}
    for path, product in lock.products.items():
        if product.content is None:
            continue
        now = again.products.get(path)
        if now is None or now.content is None:
            differing[path] = "is not made any more"
            continue
        here = original / path
        kept = here.is_file() and _as_locked(here, product)
        if now.content == product.content:
            same += 1
            if here.is_file() and not kept and (where := _between(made / path, here)):
                altered[path] = where
        elif kept:
            differing[path] = _between(here, made / path)
        else:
            differing[path] = against_lock(str(made / path), now.content, product.content)
    more = [
        path for path, item in again.products.items() if item.content and path not in lock.products
    ]
    differing |= dict.fromkeys(more, "was not there before")
    reasons = [*changed, *_reasons(lock, again)]
    return Outcome(same, differing, altered, reasons)


def _as_locked(path: Path, product: LockedProduct) -> bool:
    return path.stat().st_size == product.size and sha256_of(path) == product.sha256


def _between(first: Path, second: Path) -> str:
    try:
        return between(first, second)
    except InputDataError as error:
        return f"cannot be read any more: {error}"


def _reasons(lock: Lock, again: Lock) -> Iterator[str]:
    """What is not as it was."""
    parts: list[tuple[str, Mapping[str, Any], Mapping[str, Any]]] = [
        ("library", lock.software, again.software),
        ("computation", lock.algorithms, again.algorithms),
        ("machine", lock.machine, again.machine),
    ]
    for what, before, now in parts:
        for name in sorted({*before, *now}):
            if before.get(name) != now.get(name):
                first, second = before.get(name, "none"), now.get(name, "none")
                yield f"{what} {name}: from {first} to {second}"
    new = len(again.inputs) - len(lock.inputs)
    if new > 0:
        yield f"inputs: {new} file(s) more were read than before"


def check_output(output: str, lock_file: Path) -> None:
    """Raise ConfigError if a production would be made over the one it is to be compared with."""
    if Path(output).resolve() == lock_file.resolve().parent.parent:
        raise ConfigError(
            f"--output {output}: holds the production of this lock; give what is made again another folder"
        )
    production = production_around(output)
    if production:
        raise ConfigError(
            f"--output {output}: lies among the products of {production}; give what is made again another folder"
        )
