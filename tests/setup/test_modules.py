"""Environment modules of a computing centre: the set-up takes what `module load` puts into place.

The modules are small and of our making; the command is Debian's `environment-modules`.
"""

import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import pytest
from clones import BORROWED, Clone, ask_for, copy_module

INIT = Path("/usr/share/modules/init/bash")
PACKAGE = "environment-modules"


@dataclass
class ClusterClone(Clone):
    """A clone whose user loads modules before the set-up."""

    modules: list[str] = field(default_factory=list)

    def command(self) -> list[str]:
        *before, _, script = super().command()
        lines = f'. {INIT}\nmodule use "$MODULES" && module load {" ".join(self.modules)}\nexec bash "$0"'
        return [*before, "bash", "-c", lines, script]


@pytest.fixture(scope="module", autouse=True)
def _module_command() -> None:
    """Debian's package, installed by root where it is missing."""
    if not INIT.exists() and os.getuid() == 0 and shutil.which("apt-get"):
        command = ["apt-get", "-q", "install", "--yes", "--no-install-recommends", PACKAGE]
        subprocess.run(command, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"}, check=False)
    if not INIT.exists():
        reason = f"needs the Debian package {PACKAGE}"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


@pytest.fixture(scope="module")
def software(workshop) -> Path:
    """What the centre has installed, each in a folder of its own, and a tree of modules."""
    folder = workshop / "software"
    write(folder / "gdal/bin/gdal-config", "#!/bin/sh\necho 9.9.9\n", 0o755)
    write_gdal(workshop / "wheels")
    copy_python(folder / "python")
    write(folder / "python-old/bin/python3", OLD_PYTHON, 0o755)
    write(folder / "otb/python/otbApplication.py", "")
    write(
        folder / "otb-other/python/otbApplication.py",
        "raise ImportError('libOTB.so.7: no such file')",
    )
    # Without a module `osgeo`, unlike `elsewhere`.
    (folder / "numpy").mkdir()
    for item in set(BORROWED) - {"osgeo"}:
        copy_module(item, folder / "numpy")
    (folder / "osgeo").mkdir()
    copy_module("osgeo", folder / "osgeo")

    def module(name: str, *lines: str) -> None:
        write(folder / "modules" / name, "\n".join(["#%Module1.0", *lines, ""]))

    module("python", f"prepend-path PATH {folder}/python/bin")
    module("python-old", f"prepend-path PATH {folder}/python-old/bin")
    module("numpy", f"prepend-path PYTHONPATH {folder}/numpy")
    module("gdal", f"prepend-path PATH {folder}/gdal/bin")
    module("gdal-python", f"prepend-path PYTHONPATH {folder}/osgeo")
    for name in ("otb", "otb-other"):
        module(
            name, f"prepend-path PYTHONPATH {folder}/{name}/python",
            f"setenv OTB_APPLICATION_PATH {folder}/{name}/applications",
        )  # fmt: skip
    return folder


OLD_PYTHON = """#!/bin/sh
case $1 in --version) echo Python 3.6.8 ;; *) exit 1 ;; esac
"""


def write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def copy_python(folder: Path) -> None:
    """Debian's interpreter under another prefix: Python finds its own by the folder beside `bin`."""
    interpreter = Path("/usr/bin/python3").resolve()
    (folder / "bin").mkdir(parents=True)
    shutil.copy2(interpreter, folder / "bin" / "python3")
    (folder / "lib").mkdir()
    (folder / "lib" / interpreter.name).symlink_to(f"/usr/lib/{interpreter.name}")


def write_gdal(folder: Path) -> None:
    """A source archive of GDAL's bindings in the version of the module, which is in no lock."""
    files = {
        "setup.py": "from setuptools import setup\nsetup(name='gdal', version='9.9.9', packages=['osgeo'])\n",
        "pyproject.toml": "[build-system]\nrequires = ['setuptools']\nbuild-backend = 'setuptools.build_meta'\n",
        "PKG-INFO": "Metadata-Version: 2.1\nName: gdal\nVersion: 9.9.9\n",
        "osgeo/__init__.py": "",
        "osgeo/gdal_array.py": "",
    }
    with tarfile.open(folder / "gdal-9.9.9.tar.gz", "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"gdal-9.9.9/{name}")
            entry.size = len(text)
            archive.addfile(entry, BytesIO(text.encode()))


@pytest.fixture
def loaded(clone, software) -> Callable[..., ClusterClone]:
    """Clone of a user who loads these modules, and has nothing else."""

    def load(*modules: str) -> ClusterClone:
        variables = {"PYTHONPATH": "", "MODULES": str(software / "modules")}
        return ClusterClone(clone.folder, variables, ["numpy", *modules])

    return load


def test_python_and_gdal_of_modules_are_taken(loaded, software):
    clone = loaded("python", "gdal", "gdal-python")
    said = clone.set_up()
    settings = (clone.folder / ".venv/pyvenv.cfg").read_text()
    assert f"command = {software}/python/bin/python3 -m venv" in settings
    assert (
        "load the same modules before each use: module load numpy python gdal gdal-python" in said
    )
    assert "GDAL for Python" not in said  # the module's own
    assert not list(clone.site.glob("gdal-*"))


def test_bindings_are_compiled_for_the_gdal_of_a_module(loaded):
    clone = loaded("gdal")
    said = clone.set_up()
    assert "GDAL for Python: gdal==9.9.9" in said
    assert "envs/gdal.lock has no hash for this version" in said
    assert (clone.site / "gdal-9.9.9.dist-info").is_dir()
    assert clone.set_up().count("[setup]") == 2  # the modules to load, and "ready"


def test_debian_packages_are_not_asked_for_where_modules_give_the_same(loaded):
    clone = loaded("python", "gdal", "gdal-python")
    clone.variables["PATH"] = without("dpkg-query", clone)
    clone.set_up()


def without(program: str, clone: Clone) -> str:
    """A PATH on which a program of Debian finds nothing installed."""
    folder = clone.folder.parent / "without"
    write(folder / program, "#!/bin/sh\nexit 1\n", 0o755)
    return f"{folder}:{os.environ['PATH']}"


def test_the_toolbox_of_a_module_is_taken(loaded):
    clone = loaded("gdal-python", "otb")
    ask_for(clone, "apt-otb.txt", "no-such-package")
    said = clone.set_up(OTB="yes")
    assert "Orfeo ToolBox" not in said
    assert not list(clone.site.glob("*otbApplication*"))


def test_a_toolbox_for_another_python_is_told_and_does_not_stop_the_rest(loaded):
    clone = loaded("gdal-python", "otb-other")
    said = clone.set_up()
    assert "otbApplication is found and cannot be loaded by this Python" in said
    assert "libOTB.so.7: no such file" in said
    assert "ready" in said
    assert "cannot be loaded" in clone.set_up(check=False, OTB="yes")


def test_a_python_that_is_too_old_is_refused_before_anything_is_made(loaded, software):
    clone = loaded("python-old", "gdal-python")
    before = clone.listing()
    said = clone.set_up(check=False)
    assert f"{software}/python-old/bin/python3 is Python 3.6.8: 3.11 or newer is needed" in said
    assert clone.listing() == before


def test_another_python_makes_another_environment(loaded, software):
    loaded("gdal-python").set_up()
    clone = loaded("python", "gdal-python")
    assert "virtual environment .venv" in clone.set_up()
    base = clone.run("python", "-c", "import sys; print(sys.base_prefix)").stdout
    assert base == f"{software}/python\n"
    assert "virtual environment" not in clone.set_up()


def test_an_active_environment_does_not_hide_the_python_of_a_module(loaded, software):
    """As after `. .venv/bin/activate`, which puts it before what the modules put into PATH."""
    clone = loaded("gdal-python")
    clone.set_up()
    path = f"{clone.folder}/.venv/bin:{software}/python/bin:{os.environ['PATH']}"
    assert "virtual environment .venv" in clone.set_up(PATH=path)
    assert "virtual environment" not in clone.set_up(PATH=path)
