"""The table of tests/cluster/protections.py fits the code that it changes."""

import sys

import pytest
from conftest import ROOT

sys.path.append(str(ROOT / "tests" / "cluster"))
from protections import PROTECTIONS, without


@pytest.mark.parametrize("protection", PROTECTIONS, ids=lambda item: item.name)
def test_its_text_stands_once_and_its_tests_exist(protection):
    without(protection)
    for test in protection.tests:
        path, name = test.split("[")[0].split("::")
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), test
