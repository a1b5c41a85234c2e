"""What one operating system does in its own way; nothing else asks for the system.

Written for Linux. Elsewhere each function says what it can (docs/platforms.md).
"""

import ctypes
import multiprocessing
import os
import platform
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MOST_OPEN_FILES = 65536
"""What a job asks for at most: some programs it starts close every possible file one by one."""
SPARE_FILES = 64
"""Files that libraries, logs and outputs of a job keep open."""

SHARED_MEMORY = "/dev/shm"
"""Where Linux keeps what processes share."""

_PR_SET_PDEATHSIG = 1


def peak_memory_mb() -> int:
    """Largest resident memory of this process so far, MB.

    On Linux not by `getrusage`: its figure is that of the parent at first, where a process was
    forked.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:
        status = ""
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    if found:
        return int(found[1]) // 1024
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest >> (20 if sys.platform == "darwin" else 10)  # bytes there, kB elsewhere


def machine_memory_mb() -> int | None:
    """Memory of the machine, MB; None where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    except (ValueError, OSError):
        return None


def machine() -> dict[str, str]:
    """System, architecture and model of the processor of this machine."""
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        told = ""
    model = re.search(r"^model name\s*: (.+)$", told, re.MULTILINE)
    return {
        "system": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "processor": model[1] if model else platform.processor() or "unknown",
    }


def usable_cores() -> int:
    """Processors this process may use: a container or a scheduler may allow fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _limits_of_cgroup(name: str, root: Path = Path("/")) -> Iterator[str]:
    """What the control groups of this process say in a file, from its own up; Linux alone has them.

    Parameters
    ----------
    name : str
        ``cpu.max`` or ``memory.max``, of version 2.
    root : Path
        Where the file system begins.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    group = next((line[3:] for line in lines if line.startswith("0::")), None)
    if group is None:
        return
    top = root / "sys/fs/cgroup"
    folder = top / group.strip("/")
    for place in (folder, *folder.parents):
        with suppress(OSError):
            yield (place / name).read_text(encoding="utf-8").strip()
        if place == top:
            return


def allowed_cores(root: Path = Path("/")) -> float | None:
    """Processors that control groups allow, by their share of time; None for no limit."""
    found = []
    for text in _limits_of_cgroup("cpu.max", root):
        quota, _, period = text.partition(" ")
        if quota.isdecimal() and period.isdecimal() and int(period):
            found.append(int(quota) / int(period))
    return min(found, default=None)


def allowed_memory_mb(root: Path = Path("/")) -> int | None:
    """Memory that this process may have, MB: of the machine, or less where control groups say so."""
    limits = [int(text) >> 20 for text in _limits_of_cgroup("memory.max", root) if text.isdecimal()]
    return min(filter(None, (machine_memory_mb(), *limits)), default=None)


def open_files() -> tuple[int, int]:
    """Files that may be open at once: now (soft limit), and at most (hard limit); -1: any number."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)


def raise_open_files() -> int:
    """Raise the number of files that may be open at once as far as allowed; returns it.

    Usually 1024 at first, which the images of a year can exceed. Neither lowered, nor raised
    above `MOST_OPEN_FILES`.
    """
    soft, hard = open_files()
    wanted = MOST_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_OPEN_FILES)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (ValueError, OSError):  # the kernel has a limit of its own
        return soft
    return wanted


def files_allowed() -> int:
    """How many files this process may keep open beside those it needs anyhow; 8 at least."""
    soft, _ = open_files()
    return max(soft - SPARE_FILES, 8) if soft != resource.RLIM_INFINITY else 1 << 20


def linked_libraries(binary: str) -> str:
    """Shared libraries that a program or library would load, as the system lists them."""
    command = ["otool", "-L"] if sys.platform == "darwin" else ["ldd"]
    try:
        done = subprocess.run([*command, binary], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout


def loaded_library(name: str) -> str | None:
    """File of a shared library that this process has loaded; None if it has not, or cannot tell.

    Parameters
    ----------
    name : str
        How the name of the file begins, e.g. ``libgdal``.
    """
    try:
        lines = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    paths = (line.split(maxsplit=5)[5] for line in lines if "/" in line)
    return next((path for path in paths if os.path.basename(path).startswith(name)), None)


def semaphores_work() -> bool:
    """Whether processes can share locks; on Linux /dev/shm must be writable for that."""
    try:
        multiprocessing.Lock()
    except (ImportError, OSError):
        return False
    return True


def die_with_parent() -> None:
    """Ask the system to kill this process when the one that started it ends; Linux alone does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def process_start(pid: int) -> str | None:
    """When a process of this machine began, in words of the system; None if there is none.

    Numbers of processes are given again: another one has begun at another time.
    """
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        state, *others = status.rpartition(")")[2].split()
        return None if state == "Z" else others[18]
    except OSError:
        if Path("/proc/self/stat").exists():
            return None
    asked = ["ps", "-o", "lstart=", "-p", str(pid)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return done.stdout.strip() or None
