"""A part of the production whose jobs use the node's own disk: choosing the samples of a tile."""

import re
import shutil
from pathlib import Path

from cluster import ROOT

SNAKEFILE = ROOT / "workflow" / "Snakefile"
# Made by a group job and by a job.
PRODUCTS = ("results/tiles/T31TCJ/polygon_statistics", "results/tiles/T31TCJ/selection.parquet")
OPTIONS = [PRODUCTS[1], "--configfile", "config.yaml"]


def copy_without_selection(made: Path, folder: Path) -> None:
    """Copy a finished production into a folder, but for these products."""
    shutil.copytree(made, folder, dirs_exist_ok=True)
    shutil.rmtree(folder / PRODUCTS[0])
    (folder / PRODUCTS[1]).unlink()


def assert_selected_beside(folder: Path, made: Path, disk: Path) -> None:
    """The products are those of before, byte for byte; the full disk was told, and not used."""
    for product in PRODUCTS:
        ours, theirs = contents(folder / product), contents(made / product)
        assert theirs
        assert ours == theirs, product
    for rule in ("count_polygon_pixels", "select_samples"):
        log = (folder / "results" / "logs" / rule / "T31TCJ.log").read_text(encoding="utf-8")
        words = rf"{disk}\S* has 0 MB free, \d+ are needed: intermediate files go to results/"
        assert re.search(words, log), log
    assert not list((folder / "results").rglob(".part-*"))
    assert [path.name for path in disk.iterdir()] == ["filler"]


def contents(product: Path) -> list[bytes]:
    """What a file holds, or each file of a folder."""
    files = sorted(product.iterdir()) if product.is_dir() else [product]
    return [file.read_bytes() for file in files]
