"""Clones of the project, and what they find elsewhere."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from clones import BORROWED, NOBODY, ROOT, Clone, copy_module, write_wheel


@pytest.fixture(scope="module")
def workshop():
    """Folder an ordinary user can reach, with the wheels and what comes from elsewhere."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "elsewhere").mkdir()
        for item in BORROWED:
            copy_module(item, folder / "elsewhere")
        (folder / "elsewhere" / "otbApplication.py").write_text("")
        shutil.copy(Path(__file__).with_name("stops.py"), folder / "elsewhere" / "sitecustomize.py")
        (folder / "signs").mkdir()
        (folder / "signs").chmod(0o777)
        (folder / "wheels").mkdir()
        write_wheel(folder / "wheels", "small-tool")
        write_wheel(folder / "wheels", "small-library")
        yield folder


@pytest.fixture
def clone(workshop):
    """The project as just fetched, with locks of its own."""
    folder = Path(tempfile.mkdtemp(dir=workshop, prefix="clone "))  # a blank in the path
    for name in ("envs", "executors", "iota2_tools", "profiles"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ("pyproject.toml", "setup.py"):
        shutil.copy2(ROOT / name, folder)
    wheels = workshop / "wheels"
    (folder / "envs/build.lock").write_text(write_wheel(wheels, "small-tool"))
    (folder / "envs/python.lock").write_text(write_wheel(wheels, "small-library"))
    (folder / "envs/dev.lock").write_text("")
    if os.getuid() == 0:
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, NOBODY, NOBODY)
    yield Clone(folder)
    shutil.rmtree(folder, ignore_errors=True)
