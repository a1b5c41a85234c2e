"""A trial job through a profile: does the scheduler take it, and does the job see this folder."""

import contextlib
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from iota2_tools.cluster import pbs, slurm
from iota2_tools.cluster.queues import Queue, common_limits
from iota2_tools.cluster.site import Site, read_site, site_path
from iota2_tools.commands.findings import REINSTALL, Finding
from iota2_tools.commands.profiles import examine_profiles
from iota2_tools.core.errors import ConfigError, Iota2Error
from iota2_tools.core.places import PROFILES, ROOT

# Profiles with a DRMAA library: the scheduler's name, and how its libraries call it.
SYSTEMS = {
    "slurm": ("Slurm", r"slurm"),
    "pbs": ("PBS", r"pbs|torque"),
    "gridengine": ("Grid Engine", r"\b\w?ge\b|grid engine"),
}
# Own process: a library may end the whole process, and cannot be unloaded.
IDENTIFY = """
import ctypes, sys
name, error = ctypes.create_string_buffer(1024), ctypes.create_string_buffer(1024)
size = ctypes.c_size_t(1024)
library = ctypes.CDLL(sys.argv[1], ctypes.RTLD_GLOBAL)  # Slurm's plugins look for its symbols
failed = library.drmaa_get_DRM_system(name, size, error, size)
sys.exit(error.value.decode()) if failed else print(name.value.decode())
"""
# Grid Engine's library of Debian needs it, here only to be asked for its name.
STATIC_TLS = {"GLIBC_TUNABLES": "glibc.rtld.optional_static_tls=1000000"}
LIBRARY_SECONDS = 120
SKEW_SECONDS = 1.0
# Where the executors let the scheduler write what a job prints, below `.snakemake`.
JOB_LOGS = ("slurm_logs", "drmaa-verified/logs")


@dataclass(frozen=True)
class Scheduler:
    """What the commands of a scheduler tell, and its word for a queue."""

    word: str
    queues: Callable[[], dict[str, Queue]]
    pending_reason: Callable[[Path], str]


_SLURM = Scheduler("partition", slurm.partitions, slurm.pending_reason)
SCHEDULERS = {
    "slurm": _SLURM,
    "slurm-native": _SLURM,
    "pbs": Scheduler("queue", pbs.queues, pbs.pending_reason),
}


@dataclass(frozen=True)
class Ended:
    """What is known after the trial: how Snakemake ended and what it printed."""

    code: int | None
    printed: str
    seconds: float
    waiting_for: str = ""


def examine_profile(name: str, folder: Path, seconds: float) -> list[Finding]:
    """Look at a profile, its site file and its scheduler, then run a trial job in a folder.

    Parameters
    ----------
    name : str
        A profile of `profiles/`.
    folder : Path
        Where productions are started. The trial works in a new folder below it, and removes it.
    seconds : float
        How long the trial job may take, waiting included.
    """
    try:
        executor = executor_of(name)
        site = read_site()
    except ConfigError as error:
        return [Finding("profile", str(error), "correct it, then try again", fatal=True)]
    if executor is None:
        return [Finding("profile", f"{name}: jobs run on this machine, nothing to submit")]
    where = f"site file {site_path()}" if site_path().exists() else "no site file: its defaults"
    findings = [Finding("profile", f"{name}: executor {executor}, {where}")]
    findings += hidden_profile(name, folder) + installed_executor(executor)
    if executor == "drmaa-verified":
        findings += drmaa_library(name, site)
    if name in SCHEDULERS and not _broken(findings):
        findings += queue_limits(SCHEDULERS[name], site)
    if not _broken(findings):
        findings += trial_job(name, folder, seconds)
    return findings


def _broken(findings: list[Finding]) -> bool:
    return any(finding.fatal for finding in findings)


def executor_of(name: str) -> str | None:
    """The executor a profile chooses; None where jobs run on this machine."""
    path = PROFILES / name / "config.yaml"
    if not path.is_file():
        known = sorted(p.parent.name for p in PROFILES.glob("*/config.yaml"))
        raise ConfigError(f"no profile {name!r}; there are {', '.join(known)}")
    found = re.search(r"^executor:\s*(\S+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else None


def hidden_profile(name: str, folder: Path) -> list[Finding]:
    """Whether `--profile NAME` takes another file in that folder; the trial takes ours."""
    if not folder.is_dir():
        return []  # the trial tells of that
    return [finding for finding in examine_profiles(folder, [name]) if finding.remedy]


def installed_executor(name: str) -> list[Finding]:
    """Whether the plugin of an executor is installed: an update may have brought a new one."""
    package = f"snakemake_executor_plugin_{name.replace('-', '_')}"
    if find_spec(package):
        return []
    return [Finding("executor", f"no package {package}", REINSTALL, fatal=True)]


def drmaa_library(profile: str, site: Site) -> list[Finding]:
    """Whether there is a DRMAA library, and whether it is that of the profile's scheduler."""
    library = site.drmaa_library or os.environ.get("DRMAA_LIBRARY_PATH")
    wanted, pattern = SYSTEMS.get(profile, ("any scheduler", ""))
    ask = f"ask the administrators for {wanted}'s libdrmaa.so; name it in `drmaa_library` of {site_path()}"
    if not library:
        return [Finding("library", "no DRMAA library is named", ask, fatal=True)]
    if not Path(library).is_file():
        return [Finding("library", f"{library}: no such file", ask, fatal=True)]
    try:
        done = subprocess.run(
            [sys.executable, "-c", IDENTIFY, library], timeout=LIBRARY_SECONDS,
            env=STATIC_TLS | os.environ, capture_output=True, text=True, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        found = f"{library} tells no name in {LIBRARY_SECONDS} s"
        return [Finding("library", found, ask, fatal=True)]
    if done.returncode:
        words = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        found = f"{library} cannot be used for {wanted}: {words}"
        return [Finding("library", found, ask, fatal=True)]
    system = done.stdout.strip()
    if not re.search(pattern, system, re.IGNORECASE):
        return [
            Finding("library", f"{library} is that of {system}, not of {wanted}", ask, fatal=True)
        ]
    return [Finding("library", f"{library} ({system})")]


def queue_limits(scheduler: Scheduler, site: Site) -> list[Finding]:
    """Whether the queue exists, and gives what the site file promises."""
    word = scheduler.word
    try:
        queues = scheduler.queues()
    except Iota2Error as error:
        remedy = "is this a machine of the cluster?"
        return [Finding(word, str(error), remedy, fatal=scheduler.word == "partition")]
    name = site.queue or next((queue.name for queue in queues.values() if queue.is_default), None)
    known = [queues[each] for each in (name or "").split(",") if each in queues]
    if len(known) <= (name or "").count(","):
        found = f"no {word} {name!r}" if name else f"no default {word}"
        remedy = f"set `queue` in {site_path()} to one of {', '.join(queues)}"
        return [Finding(word, found, remedy, fatal=True)]
    queue = common_limits(known)
    limits = {"memory_mb": site.limits.memory_mb, "runtime_minutes": site.limits.runtime_minutes,
              "threads": site.limits.threads}  # fmt: skip
    return [Finding(word, str(queue))] + [
        finding
        for key, promised in limits.items()
        for finding in _compare(key, promised, getattr(queue, key), f"{word} {name}")
    ]


def _compare(key: str, promised: int | None, given: int | None, queue: str) -> list[Finding]:
    """A limit of the site file beside that of the queue; None means no limit."""
    if given is None or (promised is not None and promised <= given):
        return []
    what = f"limits.{key}"
    remedy = f"set {what} to {given} in {site_path()}: more is refused, or waits for ever"
    if promised is None:
        return [Finding(what, f"not set; {queue} gives {given} at most", remedy)]
    return [Finding(what, f"is {promised}; {queue} gives {given} at most", remedy, fatal=True)]


def trial_job(profile: str, folder: Path, seconds: float) -> list[Finding]:
    """Run one small job through Snakemake with a profile, and judge what it left."""
    try:
        place = Path(tempfile.mkdtemp(prefix="iota2-trial-", dir=folder.resolve()))
    except OSError as error:
        remedy = "start it where productions are started"
        return [Finding("folder", f"{folder}: {error.strerror}", remedy, fatal=True)]
    try:
        token = secrets.token_hex(8)
        (place / "token.txt").write_text(f"{token}\n", encoding="utf-8")
        ended = _run(profile, place, seconds)
        seen = place / "seen.txt"
        if ended.code != 0 or not seen.exists():
            return [_failure(ended, place, seconds)]
        host, *read = seen.read_text(encoding="utf-8", errors="replace").split() or ["?"]
        if read != [token]:
            return [_not_shared(place)]
        return [
            Finding("trial job", f"ran on {host}, {ended.seconds:.0f} s from start to end"),
            Finding("shared folder", f"{folder.resolve()} is the same on {host}"),
            clock(place / "token.txt", seen, host),
        ]
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _run(profile: str, place: Path, seconds: float) -> Ended:
    command = [
        sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "workflow" / "trial.smk"),
        "--profile", str(PROFILES / profile), "--retries", "0", "--latency-wait", "15",
    ]  # fmt: skip
    if profile == "slurm-native":
        command += ["--slurm-patient-init-seconds-before-status-checks", "6"]
    start = time.monotonic()
    output = place / "printed.txt"
    with output.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(
            command, cwd=place, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
            start_new_session=True,  # Ctrl-C comes through `_end`, once
            # In a shell's background SIGINT is ignored, also by what is started from there.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
    waiting_for = ""
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        code = None
        waiting_for = _waiting_for(profile, place)
        _end(process)
    except KeyboardInterrupt:
        _end(process)
        raise
    printed = output.read_text(encoding="utf-8", errors="replace")
    return Ended(code, printed, time.monotonic() - start, waiting_for)


def _end(process: subprocess.Popen) -> None:
    """Interrupt Snakemake, which takes its job back, and wait for it."""
    process.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(330)  # the executor waits 300 s for its jobs to go
    process.kill()
    process.wait()


def _waiting_for(profile: str, place: Path) -> str:
    if profile not in SCHEDULERS:
        return ""
    try:
        return SCHEDULERS[profile].pending_reason(place)
    except Iota2Error:
        return ""


def _failure(ended: Ended, place: Path, seconds: float) -> Finding:
    """Why there is no good result: the first of the possible reasons that fits."""
    if ended.code is None:
        why = f" ({ended.waiting_for})" if ended.waiting_for else ""
        return Finding(
            "trial job", f"not ended after {seconds:.0f} s{why}; it was taken back",
            "look at the queue; give it longer with --seconds", fatal=True,
        )  # fmt: skip
    error = ended.printed.partition("Error in rule trial")[2]
    found = re.search(r"message: (.*?)\n *(?:sbatch call|For further|jobid):?", error, re.DOTALL)
    last_lines = " ".join(ended.printed.split("\n")[-4:])
    told = " ".join((found[1] if found else last_lines).split())
    if not error:
        return Finding("trial job", f"not started: {told}", "see docs/clusters.md", fatal=True)
    if "external_jobid:" not in error:
        remedy = f"correct account, queue or options in {site_path()}"
        return Finding("trial job", f"refused: {told}", remedy, fatal=True)
    if not any(log for logs in JOB_LOGS for log in (place / ".snakemake" / logs).rglob("*.log")):
        return _not_shared(place)
    return Finding("trial job", f"failed: {told}", "see docs/clusters.md", fatal=True)


def _not_shared(place: Path) -> Finding:
    return Finding(
        "shared folder", f"the job left no trace in {place.parent}: its node does not see it, or may not write",
        "start productions in a folder that every node sees under the same path", fatal=True,
    )  # fmt: skip


def clock(before: Path, of_job: Path, host: str) -> Finding:
    """Compare the time of a job's file with those of files written here before and after it."""
    after = before.with_name("after.txt")
    after.touch()
    start, made, end = (path.stat().st_mtime for path in (before, of_job, after))
    skew = max(start - made, made - end, 0)
    if skew > SKEW_SECONDS:
        way = "behind" if made < start else "ahead"
        return Finding(
            "clock", f"files of {host} are {skew:.0f} s {way} of those of this machine",
            "ask the administrators to set the clocks (NTP): Snakemake decides by times of files",
            fatal=True,
        )  # fmt: skip
    return Finding("clock", f"files of {host} bear the times of this machine")
