"""A folder of Sentinel-1 GRD products, not by tile: which of them are of a pass over a tile.

The plan needs the orbit, the direction and the footprint of each product, which its manifest alone
tells. They are read once, and kept in an index beside the prepared products.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from iota2_tools.core.errors import InputDataError, OutputError
from iota2_tools.core.files import whole_file
from iota2_tools.geo.grid import Grid
from iota2_tools.radar.safe import NAME, parse_name, passes, read_facts, touches

OTHER = re.compile(r"S1[A-Z]_(?!IW_GRD)\w\w_\w{4}_")
"""Names of products of other modes and kinds: EW, SLC, OCN."""


@dataclass(frozen=True)
class Slice:
    """What the plan knows of a product.

    Parameters
    ----------
    name : str
        Folder or zip.
    direction : str
        ``ASC`` or ``DES``.
    orbit : int
        Relative orbit.
    footprint : tuple of (longitude, latitude)
        Corners, degrees.
    """

    name: str
    direction: str
    orbit: int
    footprint: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Pass:
    """Products of one pass of a satellite that touch a tile.

    Parameters
    ----------
    name : str
        Of what is prepared of them: ``S1A_ASC_161_20180104T174830``.
    slices : tuple of str
        Folders, in order of time.
    """

    name: str
    slices: tuple[str, ...]


def slices_of(folder: str, index: str) -> tuple[dict[str, Slice], dict[str, str]]:
    """Products of a folder by name; and entries that look like products and cannot be read.

    Parameters
    ----------
    folder : str
        Holds the SAFEs, folders or zips; a zip beside its folder is left out.
    index : str
        JSON file that keeps what manifests tell; written if it can be.
    """
    known = _read_index(index)
    found, strangers = {}, {}
    names = os.listdir(folder)
    unpacked = {name.removesuffix(".SAFE") for name in names if not name.endswith(".zip")}
    for name in sorted(names):
        path = Path(folder, name)
        if not NAME.fullmatch(name):
            if ".SAFE" in name:
                strangers[name] = (
                    "no IW GRD product; only these are read"
                    if OTHER.match(name)
                    else "neither the folder of a product nor its zip"
                )
            continue
        if name.endswith(".zip") and name.removesuffix(".zip").removesuffix(".SAFE") in unpacked:
            continue
        try:
            found[name] = known.get(name) or _look_at(path)
        except InputDataError as error:
            strangers[name] = str(error)
    if found.keys() - known.keys():
        with suppress(OutputError, OSError):
            _write_index(index, {**known, **found})
    return found, strangers


def _look_at(path: Path) -> Slice:
    direction, orbit, footprint = read_facts(path)
    if not footprint:
        raise InputDataError(f"{path}: its manifest has no footprint; fetch the product again")
    return Slice(path.name, direction, orbit, footprint)


def _read_index(path: str) -> dict[str, Slice]:
    try:
        stored = json.loads(Path(path).read_text(encoding="utf-8"))
        return {
            name: Slice(
                name, item["direction"], item["orbit"], tuple(map(tuple, item["footprint"]))
            )
            for name, item in stored.items()
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _write_index(path: str, slices: Mapping[str, Slice]) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as temporary:
        text = json.dumps({name: asdict(item) for name, item in slices.items()})
        Path(temporary).write_text(text, encoding="utf-8")


def passes_over(slices: Mapping[str, Slice], grid: Grid) -> list[Pass]:
    """Passes whose products touch a tile, in order of time."""
    touching = [name for name, item in slices.items() if touches(item.footprint, grid)]
    return list(_passes(slices, touching))


def _passes(slices: Mapping[str, Slice], names: Sequence[str]) -> Iterator[Pass]:
    parsed = [found for name in names if (found := parse_name(name))]
    for group in passes(parsed):
        first = slices[group[0].name]
        yield Pass(
            pass_name(group[0].platform, first.direction, first.orbit, group[0].start),
            tuple(item.name for item in group),
        )


def pass_name(platform: str, direction: str, orbit: int, start: datetime) -> str:
    """Name of a prepared pass."""
    return f"{platform}_{direction}_{orbit:03d}_{start:%Y%m%dT%H%M%S}"
