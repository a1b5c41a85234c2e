"""A copy of the project that an ordinary user sets up, with locks of two small packages.

Debian's packages are those of this machine; NumPy, GDAL and a stand-in for otbApplication come from
elsewhere (PYTHONPATH), so that a whole set-up takes seconds. `roads.sh` goes all the way.

A set-up that is to be killed at a stage stops there by itself: `stops.py` runs in each of its Pythons
and waits before a certain file is written. So nothing here has to be quick.
"""

import base64
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOBODY = 65534
BORROWED = ("numpy", "numpy.libs", "osgeo", "setuptools")
MODULES = {"small-tool": 3, "small-library": 1500}  # enough for pip to be caught in the middle


@dataclass
class Clone:
    """A copy of the project that an ordinary user sets up."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

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
        } | self.variables

    def start(self, **variables: str) -> subprocess.Popen:
        return subprocess.Popen(
            self.command(), env=self.environment() | variables, start_new_session=True, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            # As in a terminal, also where these tests run in the background of a script.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip

    @contextmanager
    def stopped(self, place: str) -> Iterator[subprocess.Popen]:
        """A set-up that stands still before it writes a file; it goes on after `go_on`."""
        self.sign("reached").unlink(missing_ok=True)
        self.sign("go-on").unlink(missing_ok=True)
        folder = str(self.sign("reached").parent)
        with self.start(STOP_BEFORE=place, STOP_SIGNS=folder) as process:
            while not self.sign("reached").exists():
                assert process.poll() is None, f"ended before: {process.stdout.read()}"
                time.sleep(0.01)
            yield process

    def sign(self, name: str) -> Path:
        return self.folder.parent / "signs" / name

    def go_on(self) -> None:
        self.sign("go-on").touch()

    def set_up(self, check: bool = True, **variables: str) -> str:
        """Run the set-up to its end; returns what it said."""
        with self.start(**variables) as process:
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


def copy_module(name: str, target: Path) -> None:
    """Copy a package or module of this environment (numpy.libs has no spec: it lies beside numpy)."""
    origin = Path(importlib.util.find_spec(name.split(".")[0]).origin)
    beside = origin.parent.parent if origin.name == "__init__.py" else origin.parent
    path = beside / name
    if path.is_dir():
        shutil.copytree(path, target / name)
    else:
        shutil.copy2(path, target / name)


def ask_for(clone: Clone, packages: str, *more: str) -> None:
    with (clone.folder / "envs" / packages).open("a") as file:
        file.writelines(f"{name}\n" for name in more)
