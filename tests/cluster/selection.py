"""A part of the production that needs nothing of the node's own disk: choosing the samples of a tile."""

import shutil
from pathlib import Path

from cluster import ROOT

SNAKEFILE = ROOT / "workflow" / "Snakefile"
# Made by a group job and by a job.
PRODUCTS = ("results/tiles/T31TCJ/polygon_statistics.csv", "results/tiles/T31TCJ/selection.parquet")
OPTIONS = [PRODUCTS[1], "--configfile", "config.yaml"]


def copy_without_selection(made: Path, folder: Path) -> None:
    """Copy a finished production into a folder, but for these products."""
    shutil.copytree(made, folder, dirs_exist_ok=True)
    for product in PRODUCTS:
        (folder / product).unlink()


def assert_selected_beside(folder: Path, made: Path, disk: Path) -> None:
    """The products are those of before, byte for byte; the full disk was not used."""
    for product in PRODUCTS:
        assert (folder / product).read_bytes() == (made / product).read_bytes(), product
    assert not list((folder / "results").rglob(".part-*"))
    assert [path.name for path in disk.iterdir()] == ["filler"]
