"""The set-up, by its own script, on a copy of the project whose locks ask for two small packages.

Debian's packages are those of this machine; NumPy, GDAL and otbApplication come from elsewhere
(PYTHONPATH), so that a whole set-up takes seconds. `bare_root.sh` goes all the way.
"""

import base64
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import ROOT

NOBODY = 65534
BORROWED = ("numpy", "numpy.libs", "osgeo", "setuptools", "otbApplication.py", "_otbApplication.so")
MODULES = {"small-tool": 3, "small-library": 1500}  # enough for pip to be caught in the middle
WAITING = "another set-up is at work in this folder"


@dataclass
class Clone:
    """A copy of the project that an ordinary user sets up."""

    folder: Path

    @property
    def site(self) -> Path:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return self.folder / ".venv" / "lib" / version / "site-packages"

    def command(self) -> list[str]:
        """The set-up without root and without a way to it."""
        identity = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        as_user = identity if os.getuid() == 0 else []
        return ["setpriv", *as_user, "--no-new-privs", "bash", str(self.folder / "envs/setup.sh")]

    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "PYTHONPATH": str(self.folder.parent / "elsewhere"),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.folder.parent / "wheels"),
        }

    def start(self) -> subprocess.Popen:
        return subprocess.Popen(
            self.command(), env=self.environment(), start_new_session=True, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            # As in a terminal, also where these tests run in the background of a script.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip

    def set_up(self, check: bool = True) -> str:
        """Run the set-up to its end; returns what it said."""
        with self.start() as process:
            said = process.communicate(timeout=300)[0]
        assert (process.returncode == 0) == check, said
        return said

    def check_whole(self) -> None:
        """Everything the locks and the project ask for is there, and nothing else is left."""
        for package, modules in MODULES.items():
            folder = self.site / package.replace("-", "_")
            assert len(list(folder.glob("*.py"))) == modules
            assert self.run(package).stdout == f"{modules - 1}\n"
        assert self.run("iota2", "--help").returncode == 0
        assert (self.site / "iota2_profiles.pth").is_file()
        self.check_environment()
        assert (self.folder / ".venv/etc/snakemake/local/config.yaml").is_file()
        assert not (self.folder / ".setup").exists()

    def check_environment(self) -> None:
        """Packages of PYTHONPATH hide none of its own, and there is a home that can be written."""
        elsewhere = self.folder.parent / "hiding"
        elsewhere.mkdir(exist_ok=True)
        (elsewhere / "small_library.py").write_text("raise ImportError('another python')")
        told = subprocess.run(
            [self.folder / ".venv/bin/python", "-c", "import small_library, os; print(os.environ['HOME'])"],
            env={"PYTHONPATH": str(elsewhere), "HOME": "/nonexistent"},
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        assert os.access(told.strip(), os.W_OK)

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [self.folder / ".venv/bin" / program, *arguments],
            env=self.environment(), capture_output=True, text=True, check=True, cwd="/",
        )  # fmt: skip

    def listing(self) -> dict[str, tuple[int, int]]:
        """Time of change and size of every file and folder."""
        return listing(self.folder)


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    found = {}
    for path in [folder, *folder.rglob("*")]:
        status = path.lstat()
        found[str(path)] = (status.st_mtime_ns, status.st_size)
    return found


def write_wheel(folder: Path, name: str) -> str:
    """A package of many modules with a program; returns its line in a lock."""
    module, modules = name.replace("-", "_"), MODULES[name]
    info = f"{module}-1.0.dist-info"
    files = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {module}.m{modules - 1}:show\n",
        f"{module}/__init__.py": "",
    }
    for number in range(1, modules):
        files[f"{module}/m{number}.py"] = f"def show():\n    print({number})\n"
    record = [
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()},{len(text)}"
        for path, text in files.items()
    ]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,"]) + "\n"
    path = folder / f"{module}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name_in_it, text in files.items():
            archive.writestr(name_in_it, text)
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


@pytest.fixture(scope="module")
def workshop():
    """Folder an ordinary user can reach, with the wheels and what comes from elsewhere."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "elsewhere").mkdir()
        for item in BORROWED:
            copy_module(item, folder / "elsewhere")
        (folder / "wheels").mkdir()
        write_wheel(folder / "wheels", "small-tool")
        write_wheel(folder / "wheels", "small-library")
        yield folder


def copy_module(name: str, target: Path) -> None:
    """Copy a package or module of this environment (numpy.libs has no spec: it lies beside numpy)."""
    origin = Path(importlib.util.find_spec(name.split(".")[0]).origin)
    beside = origin.parent.parent if origin.name == "__init__.py" else origin.parent
    path = beside / name
    if path.is_dir():
        shutil.copytree(path, target / name)
    else:
        shutil.copy2(path, target / name)


@pytest.fixture
def clone(workshop):
    """The project as just fetched, with locks of its own."""
    folder = Path(tempfile.mkdtemp(dir=workshop, prefix="clone "))  # a blank in the path
    for name in ("envs", "executors", "iota2_tools", "profiles"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.copy2(ROOT / "pyproject.toml", folder)
    wheels = workshop / "wheels"
    (folder / "envs/build.lock").write_text(write_wheel(wheels, "small-tool"))
    (folder / "envs/python.lock").write_text(write_wheel(wheels, "small-library"))
    (folder / "envs/dev.lock").write_text("")
    if os.getuid() == 0:
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, NOBODY, NOBODY)
    yield Clone(folder)
    shutil.rmtree(folder, ignore_errors=True)


def test_a_user_without_root_is_told_which_packages_are_missing_and_nothing_is_made(clone):
    with (clone.folder / "envs/apt.txt").open("a") as file:
        file.write("no-such-package-a\nno-such-package-b   # a comment\n")
    before = clone.listing()
    said = clone.set_up(check=False)
    assert "apt-get install --no-install-recommends no-such-package-a no-such-package-b\n" in said
    assert "neither root nor passwordless sudo" in said
    assert clone.listing() == before


def test_a_user_without_root_sets_up_and_the_second_run_changes_nothing(clone):
    clone.set_up()
    clone.check_whole()
    before, start = clone.listing(), time.monotonic()
    clone.set_up()
    assert time.monotonic() - start < 10
    assert clone.listing() == before


def test_an_otb_from_elsewhere_is_left_as_it_is_and_its_packages_are_not_asked_for(clone, workshop):
    with (clone.folder / "envs/apt-otb.txt").open("a") as file:
        file.write("no-such-package\n")
    before = listing(workshop / "elsewhere")
    clone.set_up()
    assert not list(clone.site.glob("*otbApplication*"))
    assert not (clone.folder / ".setup").exists()
    assert listing(workshop / "elsewhere").keys() - before.keys() == set()
    hidden = workshop / "elsewhere" / "otbApplication.py"
    hidden.rename(workshop / "otbApplication.py")
    try:
        assert "no-such-package" in clone.set_up(check=False)
    finally:
        (workshop / "otbApplication.py").rename(hidden)


def in_venv(clone: Clone) -> bool:
    return (clone.site / "pip").is_dir() and not (clone.folder / ".venv/bin/activate").exists()


def in_pip(clone: Clone) -> bool:
    record = clone.site / "small_library-1.0.dist-info" / "RECORD"
    written = record.read_text() if record.exists() else ""
    return (clone.site / "small_library/m9.py").exists() and "INSTALLER" not in written


def in_package(clone: Clone) -> bool:
    stamp = clone.folder / ".venv/.python-packages"
    return stamp.exists() and any((clone.folder / ".setup/pip").glob("*"))


def wait_until(condition, process: subprocess.Popen) -> None:
    while not condition():
        assert process.poll() is None, f"ended before: {process.stdout.read()}"
        time.sleep(0.002)


@pytest.mark.parametrize("stage", [in_venv, in_pip, in_package])
def test_a_killed_set_up_is_taken_up_where_it_stopped(clone, stage):
    with clone.start() as process:
        wait_until(lambda: stage(clone), process)
        os.killpg(process.pid, signal.SIGKILL)
    assert stage(clone)
    clone.set_up()
    clone.check_whole()
    before = clone.listing()
    clone.set_up()
    assert clone.listing() == before


def test_what_a_killed_set_up_left_running_is_waited_for(clone):
    """Only the script dies; its pip goes on."""
    with clone.start() as process:
        wait_until(lambda: in_pip(clone), process)
        os.kill(process.pid, signal.SIGKILL)
        assert WAITING in clone.set_up()
    clone.check_whole()


def test_ctrl_c_ends_everything_and_the_next_run_goes_on(clone):
    with clone.start() as process:
        wait_until(lambda: in_pip(clone), process)
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=30)
    assert process.returncode != 0
    assert WAITING not in clone.set_up()
    clone.check_whole()


def test_a_moved_clone_gets_an_environment_of_its_own(clone, workshop):
    clone.set_up()
    moved = Clone(workshop / "moved")
    clone.folder.rename(moved.folder)
    moved.set_up()
    moved.check_whole()


def test_the_environment_of_these_tests_stands_and_a_set_up_leaves_it_as_it_is():
    if Path(sys.prefix) != ROOT / ".venv":
        reason = f"these tests run in {sys.prefix}, not in {ROOT / '.venv'}"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    before, start = listing(ROOT / ".venv"), time.monotonic()
    subprocess.run(["bash", ROOT / "envs/setup.sh"], check=True)
    assert time.monotonic() - start < 10
    assert listing(ROOT / ".venv") == before
