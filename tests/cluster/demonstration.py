"""The demonstration on a scheduler, and whether it is that of one machine."""

import shutil
from pathlib import Path

from locks import locked_contents


def begin_demonstration(made, folder: Path) -> None:
    """Scene and configuration of the demonstration `made` on this machine, in another folder."""
    shutil.copytree(made.folder / "demo" / "scene", folder / "demo" / "scene")
    shutil.copy(made.folder / "config.yaml", folder)


def assert_same_maps(made, folder: Path) -> None:
    """All final maps of a folder are those that were made on this machine, byte for byte."""
    maps = sorted((made.results / "final").glob("*.tif"))
    assert len(maps) == 7  # classes, confidence and differences of two draws, and the validity
    for path in maps:
        there = folder / made.config["output"] / "final" / path.name
        assert there.read_bytes() == path.read_bytes(), path.name
    here, there = (
        locked_contents(place) for place in (made.results, folder / made.config["output"])
    )
    assert here == there
