"""What the tests on a real scheduler share: packages, an ordinary user, Snakemake as that user."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Our own plugins of Snakemake: folders in executors/.
EXECUTORS = ("drmaa_verified", "slurm_patient")


def cannot(reason: str):
    """Skip the test with its reason; where CI set everything up, fail instead."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def install_debian_packages(names: Sequence[str], preseed: str = "") -> None:
    """Install the Debian packages that are missing; skip the test where that is impossible.

    Parameters
    ----------
    names : sequence of str
        Packages, as in envs/apt-cluster.txt.
    preseed : str
        Answers to the questions of the packages, for debconf-set-selections.
    """
    missing = [name for name in names if not _is_installed(name)]
    if not missing:
        return
    wanted = f"apt-get install --no-install-recommends {' '.join(missing)}"
    if os.getuid() or not shutil.which("apt-get"):
        cannot(f"needs root on Debian, or: {wanted}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    if preseed:
        _quietly(["debconf-set-selections"], environment, preseed)
    _quietly(["apt-get", "-q", "update"], environment)
    _quietly(
        ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", "install", "--yes",
         "--no-install-recommends", *missing],
        environment,
    )  # fmt: skip


def _is_installed(package: str) -> bool:
    done = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Status}", package],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return "ok installed" in done.stdout


def _quietly(command: Sequence[str], environment: dict[str, str], answers: str = "") -> None:
    done = subprocess.run(
        command, input=answers, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        cannot(f"{' '.join(command)} ended with {done.returncode}: {done.stdout}{done.stderr}")


def debian_packages(word: str) -> list[str]:
    """The packages of envs/apt-cluster.txt in the block that begins with `# <word>`."""
    blocks = (ROOT / "envs" / "apt-cluster.txt").read_text(encoding="utf-8").split("\n\n")
    block = next(text for text in blocks if text.lower().startswith(f"# {word}"))
    return [line.split("#")[0].strip() for line in block.splitlines() if line.split("#")[0].strip()]


def wait_until(condition: Callable[[], object], seconds: float, what: str) -> object:
    """The first true value of `condition`; fail with `what` if none comes in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.2)
    raise AssertionError(f"waited {seconds} s for {what}")


@dataclass(frozen=True)
class SchedulerUser:
    """The ordinary user whose jobs the schedulers run; none of them runs root's.

    Attributes
    ----------
    clone : Path
        This repository where that user can read it: the clone itself, or a bind mount of it.
    """

    name: str
    home: Path
    clone: Path

    @property
    def python(self) -> str:
        """The interpreter of the environment, by a path that user can read."""
        # Not resolved: the environment is found by the place of the link.
        here = Path(sys.executable)
        return str(self.clone / here.relative_to(ROOT) if here.is_relative_to(ROOT) else here)

    def environment(self, **extra: str) -> dict[str, str]:
        """A login's environment; the code of this clone, should that of the environment not be readable."""
        code = [self.clone, *(self.clone / "executors" / name / "src" for name in EXECUTORS)]
        return {
            "HOME": str(self.home),
            "USER": self.name,
            "LOGNAME": self.name,
            "LANG": "C.UTF-8",
            "PATH": f"{Path(self.python).parent}:/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": ":".join(map(str, code)),
        } | extra

    def folder(self, name: str) -> Path:
        """A new folder of that user, which everyone on the machine can reach."""
        path = self.home / f"{name}-{time.monotonic_ns()}"
        path.mkdir()
        self.give(path)
        return path

    def give(self, path: Path) -> None:
        """Make that user the owner of a file or a whole folder."""
        _quietly(["chown", "-R", f"{self.name}:", str(path)], dict(os.environ))

    def start(
        self, command: Sequence[str], cwd: Path, before: Sequence[str] = (), **environment: str
    ) -> subprocess.Popen:
        """Start a command as that user, in a process group of its own.

        `before` is what root starts, and that in turn the command: see `sees_late`.
        """
        who = identity(self.name)
        if before:
            command = [*before, "setpriv", f"--reuid={self.name}", f"--regid={self.name}",
                       "--clear-groups", *command]  # fmt: skip
            who = {}
        # A file, not a pipe: jobs that outlive Snakemake would keep a pipe open.
        output = (cwd / "printed.txt").open("w", encoding="utf-8")
        with output:
            return subprocess.Popen(
                command, cwd=cwd, env=self.environment(**environment), stdout=output,
                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, umask=0o022,
                start_new_session=True, **who,
            )  # fmt: skip

    def run(self, command: Sequence[str], cwd: Path, **environment: str) -> str:
        """Run a command as that user; what it printed. It must end well."""
        process = self.start(command, cwd, **environment)
        process.wait(timeout=300)
        printed = (cwd / "printed.txt").read_text(encoding="utf-8")
        assert process.returncode == 0, f"{' '.join(command)} ended badly\n{printed}"
        return printed


def identity(name: str) -> dict:
    """Arguments of a subprocess that runs as a user; none to run as oneself."""
    if pwd.getpwuid(os.getuid()).pw_name == name:
        return {}
    return {"user": name, "group": name, "extra_groups": []}


def create_user(name: str) -> Path:
    """A new ordinary user with a group of its own; its home, which all can read."""
    _quietly(["useradd", "--create-home", "--user-group", "--shell", "/bin/bash", name],
             dict(os.environ))  # fmt: skip
    home = Path(pwd.getpwnam(name).pw_dir)
    home.chmod(0o755)
    return home


def remove_user(name: str) -> None:
    """Remove a user, its processes and its home."""
    for _ in range(50):
        if subprocess.run(["pkill", "-KILL", "-u", name], check=False).returncode:
            break
        time.sleep(0.1)
    subprocess.run(["userdel", "--remove", name], capture_output=True, check=False)


def can_read(name: str, path: Path) -> bool:
    """Whether a user can read a file below folders that may be closed to it."""
    done = subprocess.run(
        ["cat", str(path)], capture_output=True, check=False, cwd="/", **identity(name)
    )
    return done.returncode == 0


@contextmanager
def ordinary_user() -> Iterator[SchedulerUser]:
    """An ordinary user made for the while, who can read the clone and its environment."""
    if os.getuid():
        cannot("schedulers are started and their user is made by root only")
    name = f"iota2-{os.getpid()}"
    home = create_user(name)
    try:
        with readable_clone(name) as clone:
            yield SchedulerUser(name, home, clone)
    finally:
        remove_user(name)


@contextmanager
def readable_clone(user: str) -> Iterator[Path]:
    """The clone by a path that a user can read: itself, else a bind mount for the while."""
    if can_read(user, ROOT / "pyproject.toml"):
        yield ROOT
        return
    mount = Path(tempfile.mkdtemp(prefix="iota2-clone-"))
    mount.chmod(0o755)
    done = subprocess.run(
        ["mount", "--bind", str(ROOT), str(mount)], capture_output=True, text=True, check=False
    )
    try:
        if done.returncode or not can_read(user, mount / "pyproject.toml"):
            cannot(
                f"an ordinary user cannot read {ROOT}, and it cannot be mounted elsewhere "
                f"({done.stderr.strip()}): clone to a folder that all can read"
            )
        yield mount
    finally:
        subprocess.run(["umount", "--lazy", str(mount)], capture_output=True, check=False)
        mount.rmdir()


SEE_LATE = """
bindfs -o "$2" "$1" "$1" || exit 99
trap "umount --lazy $1" EXIT
cd "$1" && shift 2 && "$@"
"""


def sees_late(folder: Path, seconds: int) -> list[str]:
    """What to put before a command so that it sees late what others write in a folder.

    As over a network file system: that a file is absent, or how large it is, is remembered for
    some seconds, however others change it meanwhile. By FUSE, in a mount namespace of its own.
    """
    if not Path("/dev/fuse").exists():
        pytest.skip("no /dev/fuse: no file system that shows files late")
    install_debian_packages(debian_packages("late files"))
    remembered = ("attr_timeout", "entry_timeout", "negative_timeout")
    options = ",".join([*(f"{name}={seconds}" for name in remembered), "nonempty,allow_other"])
    return ["unshare", "--mount", "sh", "-c", SEE_LATE, "sh", str(folder), options]


@dataclass
class Snakemake:
    """A started Snakemake, and what it printed so far."""

    process: subprocess.Popen
    folder: Path

    @property
    def printed(self) -> str:
        return (self.folder / "printed.txt").read_text(encoding="utf-8")

    def finish(self, seconds: float = 240) -> int:
        """Wait for its end; its return code."""
        try:
            return self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"snakemake did not end in {seconds} s\n{self.printed}") from None

    def wait_for(self, condition: Callable[[], object], what: str, seconds: float = 60) -> object:
        """Wait while it runs; fail with what it printed."""

        def met_or_ended() -> object:
            value = condition()
            assert value or self.process.poll() is None, f"ended before {what}"
            return value

        try:
            return wait_until(met_or_ended, seconds, what)
        except AssertionError as error:
            self.process.kill()
            raise AssertionError(f"{error}\n{self.printed}") from None


@dataclass
class Cluster:
    """A scheduler that accepts jobs of `user`.

    Attributes
    ----------
    profile : str
        Folder of the profile in profiles/.
    environment : dict
        What Snakemake has to find in its environment to reach the scheduler.
    arguments : list of str
        Options that say what is particular of this small cluster, after the profile.
    before : list of str
        See `SchedulerUser.start`.
    """

    user: SchedulerUser
    profile: str
    environment: dict[str, str] = field(default_factory=dict)
    arguments: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)

    def snakemake(self, folder: Path, snakefile: Path, *arguments: str) -> Snakemake:
        """Start Snakemake as the user, through the profile."""
        clone = self.user.clone
        command = [
            # nohup leaves SIGHUP ignored.
            "env", "--default-signal=HUP",
            self.user.python, "-m", "snakemake", "--snakefile",
            str(clone / snakefile.relative_to(ROOT)), "--directory", str(folder),
            "--profile", str(clone / "profiles" / self.profile), *self.arguments, *arguments,
        ]  # fmt: skip
        process = self.user.start(command, folder, self.before, **self.environment)
        return Snakemake(process, folder)

    def produce(self, folder: Path) -> str:
        """Run the whole production that stands in `folder`; what Snakemake printed."""
        configfile = folder / "config.yaml"
        snakefile = ROOT / "workflow" / "Snakefile"
        done = self.snakemake(folder, snakefile, "--configfile", str(configfile))
        assert done.finish(540) == 0, done.printed
        return done.printed
