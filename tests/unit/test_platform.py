"""What belongs to one operating system, held against what the system itself tells."""

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from strangers import impossible

from iota2_tools.core import platform

ROOT = Path(__file__).parents[2]

LINUX_ONLY = (
    r"/proc/|/sys/|/dev/shm|\bldd\b|\botool\b|\bprctl\b|\bfcntl\b|\bsched_|\bsysconf\b|rlimit|"
    r"\bgetrusage\b|import ctypes|sys\.platform"
)
# Locks of files, and the library of a scheduler: docs/platforms.md.
ELSEWHERE = {"earlier.py", "record.py", "trial.py"}


def test_nothing_asks_for_the_system_outside_the_one_module():
    sources = [*(ROOT / "iota2_tools").rglob("*.py"), *(ROOT / "workflow").rglob("*.py")]
    sources += (ROOT / "executors").glob("*/src/**/*.py")
    found = {
        path.name
        for path in sources
        if re.search(LINUX_ONLY, _code(path.read_text(encoding="utf-8")))
    }
    assert found - ELSEWHERE == {"platform.py"}


def _code(text: str) -> str:
    """Source without comments, docstrings and messages that only name such things."""
    text = re.sub(r'"""(.|\n)*?"""', "", text)
    return re.sub(r'#.*|"[^"\n]* [^"\n]*"', "", text)


def under_limits(soft: str, hard: str, program: str) -> str:
    """What a program of Python prints where so many files may be open."""
    shell = f'set -e; ulimit -Sn {soft}; ulimit -Hn {hard}; exec "$0" -c "$1"'
    return subprocess.run(
        ["bash", "-c", shell, sys.executable, program], capture_output=True, text=True, check=True
    ).stdout


def test_as_many_files_may_be_open_as_the_system_allows():
    program = "import iota2_tools.core.platform as p; print(p.raise_open_files(), p.open_files())"
    assert under_limits("64", "512", program) == "512 (512, 512)\n"


def test_the_number_of_open_files_is_never_lowered():
    program = "import iota2_tools.core.platform as p; print(p.raise_open_files(), p.open_files())"
    assert under_limits("512", "512", program) == "512 (512, 512)\n"


@pytest.mark.parametrize(
    ("limits", "expected"),
    [((1024, -1), 65536), ((1024, 1 << 30), 65536), ((1 << 20, 1 << 30), 1 << 20), ((-1, -1), -1)],
)
def test_without_a_bound_a_job_asks_for_65536_files(monkeypatch, limits, expected):
    """Programs that close all possible files one by one take minutes for a thousand million."""
    asked = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits)
    monkeypatch.setattr(resource, "setrlimit", lambda _, given: asked.append(given))
    assert platform.raise_open_files() == expected
    assert asked == ([(65536, limits[1])] if expected == 65536 else [])


def test_a_limit_that_the_kernel_refuses_stays_as_it_is(monkeypatch):
    def refuse(*_):
        raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 4096))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    assert platform.raise_open_files() == 256


def test_peak_memory_is_that_of_the_kernel():
    status = Path("/proc/self/status").read_text()
    before = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) // 1024
    assert before <= platform.peak_memory_mb() <= before + 5


@pytest.mark.parametrize(("system", "told"), [("darwin", 300 << 20), ("linux", 300 << 10)])
def test_without_proc_peak_memory_is_told_in_the_unit_of_the_system(monkeypatch, system, told):
    """macOS counts bytes, Linux kilobytes."""
    monkeypatch.setattr(Path, "read_text", _absent)
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(resource, "getrusage", lambda _: SimpleNamespace(ru_maxrss=told))
    assert platform.peak_memory_mb() == 300


def _absent(*_, **__):
    raise FileNotFoundError("/proc")


def test_memory_of_the_machine_is_that_of_the_kernel(monkeypatch):
    kilobytes = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[1]
    assert platform.machine_memory_mb() == int(kilobytes) // 1024
    monkeypatch.setattr(os, "sysconf", lambda _: (_ for _ in ()).throw(ValueError("unknown name")))
    assert platform.machine_memory_mb() is None


def test_cores_are_those_allowed(monkeypatch):
    program = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "import iota2_tools.core.platform as p; print(p.usable_cores())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout == b"1\n"
    monkeypatch.delattr(os, "sched_getaffinity")
    assert platform.usable_cores() == os.cpu_count()


def test_the_file_of_a_loaded_library_is_told(monkeypatch):
    from osgeo import gdal  # noqa: F401

    found = platform.loaded_library("libgdal")
    assert Path(found).name.startswith("libgdal")
    assert Path(found).is_file()
    assert platform.loaded_library("libnothing") is None
    monkeypatch.setattr(Path, "read_text", _absent)
    assert platform.loaded_library("libgdal") is None


def test_libraries_of_a_program_are_listed(monkeypatch):
    assert "libc.so" in platform.linked_libraries(shutil.which("bash"))
    monkeypatch.setenv("PATH", "/nowhere")
    assert platform.linked_libraries("/bin/sh") == ""


def test_shared_memory_that_is_closed_is_seen(tmp_path):
    program = "import iota2_tools.core.platform as p; print(p.semaphores_work())"
    close = "mount -t tmpfs -o ro tmpfs /dev/shm 2>/dev/null || exit 77"
    shell = ["sh", "-c", f'{close}; exec "$0" -c "$1"', sys.executable, program]
    assert platform.semaphores_work()
    if not shutil.which("unshare"):
        impossible("no unshare")
    done = subprocess.run(["unshare", "--mount", *shell], capture_output=True, check=False)
    if done.returncode:
        impossible("only root can close /dev/shm")
    assert done.stdout == b"False\n"


def test_a_process_ends_with_the_one_that_started_it():
    """The pipe is at its end once nobody holds its other side any more."""
    program = """
import os, time
from iota2_tools.core.platform import die_with_parent
if os.fork() == 0:
    die_with_parent()
    print("ready", flush=True)
    time.sleep(600)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout.readline() == b"ready\n"
        parent.send_signal(signal.SIGKILL)
        assert parent.communicate(timeout=20)[0] == b""
