"""What all documents of a production tell of it: its name, what it is made of, who answers for it."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from iota2_tools.config.paths import as_written
from iota2_tools.core.contents import digest, read_record
from iota2_tools.core.files import whole_file
from iota2_tools.geo.grid import Grid
from iota2_tools.geo.vectors import files_of_layer
from iota2_tools.publishing.checksums import sha256_of

CHECKSUMS = "input_checksums.json"


@dataclass(frozen=True)
class InputFile:
    """A file of the user as it was when the production read it.

    Parameters
    ----------
    size : int, optional
        Bytes; None where there was no such file.
    checksum : str, optional
        As `core.contents.digest` tells it: of files up to 32 MB of the whole content.
    sha256 : str, optional
        Of all its bytes, where that was asked for (`publication.checksums`).
    """

    size: int | None
    checksum: str | None
    sha256: str | None = None


@dataclass(frozen=True)
class About:
    """What a production is, for those who find it.

    Parameters
    ----------
    title : str
        Name for readers.
    configuration : mapping
        The complete configuration.
    digest : str
        Of what decides its maps (`Configuration.digest`).
    seeds : sequence of int
        Its draws.
    tiles : mapping of str to dict
        Grid of each tile (`Grid.as_dict`).
    dates : tuple of str, optional
        First and last day that features are of; None without time series.
    sensors : sequence of str
        Names of the sensors.
    records : sequence of str
        What the jobs kept of the files they read (`core.contents`).
    files : sequence of str
        Other files of the user: reference, nomenclature, layers, modules.
    prepared : str
        Folder of what the chain itself has made of products: no input.
    publication : mapping
        Section of the configuration, if there is one.
    written : mapping of str to str
        What the configuration has for paths that were made absolute (`config.paths.as_written`).
    output : str
        Folder of the production.
    """

    title: str
    configuration: Mapping[str, Any]
    digest: str
    seeds: list[int]
    tiles: Mapping[str, Mapping[str, Any]]
    dates: tuple[str, str] | None
    sensors: list[str]
    records: list[str]
    files: list[str]
    prepared: str
    publication: Mapping[str, Any] = field(default_factory=dict)
    written: Mapping[str, str] = field(default_factory=dict)
    output: str = ""

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> "About":
        """The same from plain values (`dataclasses.asdict`)."""
        dates = given["dates"]
        return cls(**{**given, "dates": tuple(dates) if dates else None})

    @property
    def grids(self) -> list[Grid]:
        """Grids of the tiles."""
        return [Grid(**item) for item in self.tiles.values()]

    @property
    def software(self) -> str:
        """The package and its version."""
        return f"iota2-tools {version('iota2-tools')}"

    @property
    def description(self) -> str:
        """One sentence."""
        given = self.publication.get("description")
        if given:
            return str(given)
        when = f", {self.dates[0]} to {self.dates[1]}" if self.dates else ""
        sources = ", ".join(self.sensors) or "rasters of the user"
        return f"Land-cover map of {len(self.tiles)} tile(s) from {sources}{when}."

    def inputs(self, threads: int = 1) -> dict[str, InputFile]:
        """Every file of the user that was read, or would have been if it were there, by path.

        Paths are those of the configuration as it was written. Files that jobs have recorded are not
        read again, unless their whole bytes are asked for.
        """
        found = self._known_inputs()
        if self.publication.get("checksums") == "whole":
            found = with_whole_checksums(found, self.kept_checksums, threads)
        return {as_written(path, self.written): item for path, item in found.items()}

    @property
    def kept_checksums(self) -> str:
        """Where SHA-256 of inputs are kept, in the output folder."""
        return str(Path(self.output, CHECKSUMS))

    def _known_inputs(self) -> dict[str, InputFile]:
        found: dict[str, InputFile] = {}
        for record in self.records:
            for path, state in read_record(record).files.items():
                if not Path(path).is_relative_to(self.prepared):
                    known = (state.size, state.digest) if state else (None, None)
                    found[path] = InputFile(*known)
        for path in dict.fromkeys(file for given in self.files for file in files_of_layer(given)):
            found.setdefault(path, _as_it_is(path))
        return dict(sorted(found.items()))


def with_whole_checksums(
    inputs: Mapping[str, InputFile], kept: str, threads: int = 1
) -> dict[str, InputFile]:
    """Inputs with the SHA-256 of all their bytes, each read once for as long as it is the same file.

    Parameters
    ----------
    inputs : mapping of str to InputFile
        By path.
    kept : str
        JSON file of what is known: by path size, time of change in ns, and digest.
    threads : int
        Files that are read together.
    """
    known = _kept(kept)

    def looked_at(path: str) -> tuple[int, int, str] | None:
        if inputs[path].size is None or not Path(path).is_file():
            return None
        about = Path(path).stat()
        before = known.get(path)
        if before and before[:2] == (about.st_size, about.st_mtime_ns):
            return before
        return about.st_size, about.st_mtime_ns, sha256_of(path)

    with ThreadPoolExecutor(threads) as pool:
        now = dict(zip(inputs, pool.map(looked_at, inputs), strict=True))
    with whole_file(kept) as temporary:
        text = json.dumps({path: item for path, item in now.items() if item}, indent=0)
        Path(temporary).write_text(text, encoding="utf-8")
    return {
        path: replace(item, sha256=found[2]) if (found := now[path]) else item
        for path, item in inputs.items()
    }


def _kept(path: str) -> dict[str, tuple[int, int, str]]:
    """What is known of files; nothing, if there is none or it cannot be read."""
    try:
        stored = json.loads(Path(path).read_text(encoding="utf-8"))
        return {
            name: (int(size), int(time), str(sha)) for name, (size, time, sha) in stored.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _as_it_is(path: str) -> InputFile:
    file = Path(path)
    if not file.is_file():
        return InputFile(None, None)
    return InputFile(file.stat().st_size, digest(file))


def hour_of(path: str | Path) -> str:
    """When a file was last changed, ISO 8601 in UTC, whole seconds."""
    when = datetime.fromtimestamp(int(Path(path).stat().st_mtime), UTC)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
