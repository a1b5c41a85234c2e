"""Benchmarks run by hand: what they take from the package must still be there."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from conftest import ROOT
from osgeo import gdal


def taken(path: Path) -> Iterator[tuple[str, str]]:
    """Modules of the package, and what is taken from them, anywhere in a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("iota2_tools"):
            yield from ((node.module, item.name) for item in node.names)


def is_there(module: str, name: str) -> bool:
    """Whether a module has a name, or a module below it."""
    if hasattr(importlib.import_module(module), name):
        return True
    try:
        importlib.import_module(f"{module}.{name}")
    except ModuleNotFoundError:
        return False
    return True


@pytest.mark.slow  # imports much of the package
def test_benchmarks_take_from_the_package_what_it_has():
    found = [
        (path.name, *item) for path in (ROOT / "benchmarks").glob("*.py") for item in taken(path)
    ]
    assert len(found) > 100
    assert [item for item in found if not is_there(*item[1:])] == []
    assert not is_there("iota2_tools.reference.export", "sample_tables")  # it has moved


@pytest.mark.slow  # compiles what the fast loop does not
def test_the_steps_of_the_product_make_a_layer_that_covers_the_map(tmp_path, monkeypatch):
    """Called as the jobs are: what they take has changed before without a word."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    product = importlib.import_module("product")
    work = product.Work(tmp_path / "64", 64, 32, 32)
    for step in (product.prepare, *product.WAYS["ours"]):
        step(work)
    layer = gpd.read_file(work.file("layer", end="gpkg"), layer="land_cover")
    mapped = int((gdal.Open(work.source("raw")).ReadAsArray() > 0).sum())
    assert layer.area.sum() == pytest.approx(mapped * 100.0)
    assert shapely.coverage_is_valid(layer.geometry.to_numpy())
    whole = product.Work(tmp_path / "64", 64, 64, 64)
    for step in product.WAYS["ours"]:
        step(whole)
    assert product.same_layer(whole, work) == len(layer)
