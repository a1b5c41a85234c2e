"""Benchmarks run by hand: what they take from the package must still be there."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT


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
