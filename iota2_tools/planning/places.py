"""Where a production is to stand: folders that may not be taken, and room on the disk."""

import os
from collections.abc import Iterator
from pathlib import Path

from iota2_tools.core.findings import Finding
from iota2_tools.core.locks import production_around
from iota2_tools.planning.configuration import Configuration
from iota2_tools.planning.external import NAMES
from iota2_tools.planning.vectorisation import UNITS

OWN = {
    "benchmarks", "classification", "feature_maps", "features", "final", "folds", "fusion", "logs", "models",
    "prepared", "regularisation", "sampling", "smoothing", "tiles", "validation", "vectors", UNITS,
    NAMES,
}  # fmt: skip
"""What stands in the output."""


def place_findings(config: Configuration) -> Iterator[Finding]:
    """Output and prepared folders that cannot be written to, or belong to something else."""
    yield from _folder_findings("output", config.output, config)
    if config.prepared:
        yield from _folder_findings("prepared", config.prepared, config)
    yield from _other_production(config)


def _folder_findings(key: str, folder: str, config: Configuration) -> Iterator[Finding]:
    above = Path(os.path.abspath(folder))
    while not os.path.lexists(above) and above != above.parent:
        above = above.parent
    if not above.is_dir():
        what = "is a file" if str(above) == os.path.abspath(folder) else f"{above} is a file"
        yield Finding("", key, f"{folder}: {what}", "name a folder that is there, or can be made")
    elif not os.access(above, os.W_OK | os.X_OK):
        yield Finding(
            "",
            key,
            f"{folder}: {above} cannot be written to",
            "name another folder, or have its permissions changed",
        )
    other = production_around(folder)
    if other:
        yield Finding(
            "",
            key,
            f"{folder} lies among the products of {other}",
            "name a folder that is beside it",
        )
    for name, path in _input_folders(config).items():
        if _inside(folder, path):
            yield Finding(
                "",
                key,
                f"{folder} lies in {path}, the folder of {name}",
                "name a folder that is beside it",
            )


def _input_folders(config: Configuration) -> dict[str, str]:
    """Folders that hold inputs, by the key that names them."""
    found = {
        f"sensors.{name}.path": section.path
        for name, section in config.sensors.given.items()
        if os.path.isdir(section.path)
    }
    if config.user_features and config.user_features.path:
        found["user_features.path"] = config.user_features.path
    return found


def _inside(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies in it, whatever links lead there."""
    inner, outer = os.path.realpath(path), os.path.realpath(folder)
    return os.path.commonpath([inner, outer]) == outer


def _other_production(config: Configuration) -> Iterator[Finding]:
    """An output that holds products of other tiles alone, or things that are no products."""
    names = {name for name in _names_in(config.output) if not name.startswith(".")}
    tiles = _names_in(os.path.join(config.output, "tiles"))
    if tiles and not set(tiles) & set(config.tiles):
        yield Finding(
            "", "output", f"{config.output} holds another production, of {_some(tiles)}",
            "name another folder, or remove that one",
        )  # fmt: skip
    elif names and not names & OWN:
        yield Finding(
            "", "output", f"{config.output} holds other files: {_some(sorted(names))}",
            "products would stand among them: better name a folder of their own", "warning",
        )  # fmt: skip


def _names_in(folder: str) -> list[str]:
    """What stands in a folder, by name; nothing where there is none, or none that may be looked into."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _some(names: list[str], most: int = 4) -> str:
    return ", ".join(names[:most]) + (" …" if len(names) > most else "")
