"""Compiled kernels on disc: whatever was left there, a job runs the code of its own source."""

import os
import resource
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from iota2_tools.core import kernels

pytestmark = pytest.mark.slow

PACKAGE = Path(kernels.__file__).parents[1]

CALLED = """
from iota2_tools.core.kernels import kernel
SIZE = {size}
@kernel
def fill(a):
    for k in range(SIZE):
        a[k] = SIZE
"""

CALLER = """
import sys
import numpy as np
from called import SIZE, fill
from iota2_tools.core.kernels import kernel
@kernel
def total(a):
    fill(a)
    return a.sum()
def hits():
    return sum(total.stats.cache_hits.values())
"""

CALL = "import caller, numpy as np; print(caller.total(np.zeros(9, np.int32)), caller.hits())"


class Source:
    """A kernel that calls one of another module, as jobs see them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "caller.py").write_text(CALLER)

    def write(self, size: int) -> None:
        (self.folder / "called.py").write_text(CALLED.format(size=size))

    def run(
        self, call: str = CALL, file_bytes: int | None = None, **variables: str
    ) -> subprocess.CompletedProcess:
        """Run a job, whose files the disc takes up to `file_bytes`."""

        def limit() -> None:
            if file_bytes is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))

        inherited = {name: text for name, text in os.environ.items() if "NUMBA" not in name}
        added = {"PYTHONPATH": f"{self.folder}:{PACKAGE}", "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            [sys.executable, "-c", call], capture_output=True, text=True, check=True,
            env=inherited | added | variables, preexec_fn=limit,
        )  # fmt: skip

    def answer(self, **settings) -> tuple[int, int]:
        """Sum of the filled array, and how often code was found on disc."""
        total, hits = self.run(**settings).stdout.split()
        return int(total), int(hits)

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.folder.glob("__pycache__/*.nb*")}


@pytest.fixture
def source(tmp_path) -> Source:
    source = Source(tmp_path)
    source.write(3)
    return source


def test_a_kernel_is_compiled_once_for_all_jobs(source):
    assert source.answer() == (9, 0)
    files = source.files()
    assert source.answer() == (9, 1)
    assert source.files() == files


def test_a_changed_constant_of_another_module_counts_and_so_does_going_back(source):
    source.answer()
    source.write(4)
    assert source.answer() == (16, 0)
    source.write(3)
    assert source.answer() == (9, 1)


def test_no_source_signature_or_check_touches_the_files_of_another(source):
    source.answer()
    files = source.files()
    source.run(CALL.replace("np.zeros(9", "np.zeros((9, 2)").replace("int32)", "int32)[:, 0]"))
    source.run(NUMBA_BOUNDSCHECK="1")
    source.write(4)
    source.answer()
    assert len(source.files()) == 4 * len(files)
    assert {name: source.files()[name] for name in files} == files


def test_a_full_disc_while_compiling_leaves_nothing_wrong(source):
    source.answer()
    source.write(4)
    full = source.run(file_bytes=3000)
    assert full.stdout.split() == ["16", "0"]
    assert "compiled code not kept: File too large" in full.stderr
    assert source.answer() == (16, 0)


def test_a_file_cut_by_a_crash_is_made_anew(source):
    source.answer()
    for name, content in source.files().items():
        (source.folder / "__pycache__" / name).write_bytes(content[: len(content) // 2])
    assert source.answer() == (9, 0)
    assert source.answer() == (9, 1)


def test_without_any_folder_to_write_to_each_job_compiles(source):
    nowhere = {"NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator"}
    call = CALL.replace(", caller.hits()", "")
    assert source.run(call, **nowhere).stdout.split() == ["9"]
    assert not source.files()


GONE = """
import numba.core.{module} as module
kept = module.{name}
del module.{name}
import iota2_tools.core.kernels
module.{name} = kept  # numba needs it itself
"""
RENAMED = """
import numba.core.caching as caching
first = caching.Cache.__init__
def renamed(self, function):
    first(self, function)
    self._file = self.__dict__.pop("_cache_file")
caching.Cache.__init__ = renamed
"""


@pytest.mark.parametrize(
    "other_release",
    [
        GONE.format(module="caching", name="FunctionCache"),
        GONE.format(module="serialize", name="dumps"),
        GONE.format(module="dispatcher", name="Dispatcher"),
        RENAMED,
    ],
)
def test_without_a_name_of_numba_kernels_compile_each_time_and_say_so_once(source, other_release):
    done = source.run(f"{other_release}\n{CALL}")
    assert done.stdout.split() == ["9", "0"]
    assert done.stderr.count("compiles its kernels again") == 1
    assert len(done.stderr.splitlines()) == 1
    assert not source.files()


def test_a_compiled_function_that_numba_asks_otherwise_is_left_alone():
    compiled = SimpleNamespace(py_func=abs, targetoptions={})
    with pytest.raises(AttributeError, match="_cache"):
        kernels._keep(compiled)
    assert not hasattr(compiled, "_cache")


def test_kernels_run_without_being_compiled(source):
    call = CALL.replace(", caller.hits()", "")
    done = source.run(call, NUMBA_DISABLE_JIT="1")
    assert (done.stdout.split(), done.stderr) == (["9"], "")


def test_every_kernel_of_the_package_is_kept_this_way():
    for path in (PACKAGE / "iota2_tools").rglob("*.py"):
        if path.name != "kernels.py":
            assert "njit" not in path.read_text(encoding="utf-8"), path
