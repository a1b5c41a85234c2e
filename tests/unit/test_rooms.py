"""Who may import whom: the contracts of pyproject.toml."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_rooms_import_only_those_below_them():
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [str(program), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert "0 broken" in done.stdout


@pytest.mark.slow
def test_the_package_is_importable_without_otb():
    """Only an application called needs it: a machine without Orfeo ToolBox plans and maps."""
    program = (
        "import sys, pkgutil, importlib, iota2_tools\n"
        "for found in pkgutil.walk_packages(iota2_tools.__path__, 'iota2_tools.'):\n"
        "    importlib.import_module(found.name)\n"
        "print('otbApplication' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
