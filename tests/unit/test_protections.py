"""The table of tests/cluster/protections.py fits the code that it changes."""

import sys

import pytest
from conftest import ROOT

sys.path.append(str(ROOT / "tests" / "cluster"))
from protections import PROTECTIONS, check_imports, copy_project, without


@pytest.mark.parametrize("protection", PROTECTIONS, ids=lambda item: item.name)
def test_its_text_stands_once_and_its_tests_exist(protection):
    without(protection)
    for test in protection.tests:
        path, name = test.split("[")[0].split("::")
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), test


@pytest.mark.slow
def test_a_copy_of_the_project_runs_its_own_code(tmp_path):
    """Else a protection would be taken away where nobody looks."""
    tree = tmp_path / "tree"
    tree.mkdir()
    copy_project(tree)
    check_imports(tree)
