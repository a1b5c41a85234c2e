"""A Grid Engine of one host, private to the tests: own folder, own ports, loopback only."""

import contextlib
import os
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cluster import wait_until

INSTALLED = Path("/usr/lib/gridengine")
SHARED = Path("/usr/share/gridengine")
LIBRARY = Path("/usr/lib/gridengine-drmaa/lib/libdrmaa.so.1.0")
ADMINISTRATOR = "sgeadmin"

# No cluster of the machine's own: the tests make theirs.
PRESEED = "\n".join(
    f"gridengine-{part} shared/gridengineconfig boolean false"
    for part in ("common", "client", "exec", "master")
)

HOST_GROUP = """\
group_name @allhosts
hostlist {host}
"""

PARALLEL_ENVIRONMENT = """\
pe_name smp
slots 999
user_lists NONE
xuser_lists NONE
start_proc_args NONE
stop_proc_args NONE
allocation_rule $pe_slots
control_slaves FALSE
job_is_first_task TRUE
urgency_slots min
qsort_args NONE
accounting_summary FALSE
"""

# Quick enough for tests: jobs start at once, a lost daemon is noticed soon.
SCHEDULER = {
    "schedule_interval": "0:0:1",
    "flush_submit_sec": "1",
    "flush_finish_sec": "1",
}
GLOBAL = {
    "load_report_time": "00:00:01",
    "execd_params": "ENABLE_ADDGRP_KILL=true",
    "max_unheard": "00:01:00",
}


def own_groups() -> str:
    """Additional groups by which jobs are killed: of this Grid Engine only, if there are more."""
    first = 1_000_000 + 100 * os.getpid()
    return f"{first}-{first + 99}"


def free_port() -> int:
    """A TCP port of the loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class GridEngine:
    """The daemons and how to reach them.

    Attributes
    ----------
    root : Path
        Its `SGE_ROOT`, with cell and spool folders.
    """

    root: Path
    master_port: int
    execution_port: int
    slots: int = 2
    master: subprocess.Popen | None = None
    execution: subprocess.Popen | None = None

    @property
    def tmp(self) -> Path:
        """Where the queue makes the TMPDIR of each job; in /tmp, they bear the names of others."""
        return self.root / "tmp"

    @property
    def environment(self) -> dict[str, str]:
        """What commands and the DRMAA library need to reach this cluster."""
        return {
            "SGE_ROOT": str(self.root),
            "SGE_CELL": "default",
            "SGE_QMASTER_PORT": str(self.master_port),
            "SGE_EXECD_PORT": str(self.execution_port),
            "SGE_CLUSTER_NAME": "iota2",
            "DRMAA_LIBRARY_PATH": str(LIBRARY),
            # Room for the thread-local variables of the memory allocator libdrmaa brings along.
            "GLIBC_TUNABLES": "glibc.rtld.optional_static_tls=1000000",
        }

    def command(self, *words: str, check: bool = True) -> str:
        """Run a Grid Engine command as its administrator; what it printed."""
        done = subprocess.run(
            [str(INSTALLED / words[0]), *words[1:]], env=os.environ | self.environment,
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        printed = done.stdout + done.stderr
        assert done.returncode == 0 or not check, f"{' '.join(words)}: {printed}"
        return printed

    # Bringing it up.

    def create(self) -> None:
        """Lay out the folders, and initialise the spool as Debian's package does."""
        for name in ("bin", "lib", "util", "utilbin"):
            (self.root / name).symlink_to(Path("/var/lib/gridengine") / name)
        common = self.root / "default" / "common"
        common.mkdir(parents=True)
        spool = self.root / "spool"
        for name in ("db", "qmaster/job_scripts", "execd"):
            (spool / name).mkdir(parents=True)
        text = (SHARED / "default-bootstrap").read_text(encoding="utf-8")
        changed = {
            "spooling_params": spool / "db",
            "qmaster_spool_dir": spool / "qmaster",
            "admin_user": ADMINISTRATOR,
        }
        (common / "bootstrap").write_text(with_values(text, changed), encoding="utf-8")
        (common / "act_qmaster").write_text(f"{socket.gethostname()}\n", encoding="utf-8")
        # Its own name leads to the loopback, whatever the resolver of the machine says.
        (common / "host_aliases").write_text(
            f"{socket.gethostname()} localhost\n", encoding="utf-8"
        )
        subprocess.run(["chown", "-R", f"{ADMINISTRATOR}:", str(self.root)], check=True)
        self.tmp.mkdir()
        self.tmp.chmod(0o1777)
        done = subprocess.run(
            [str(SHARED / "scripts" / "init_cluster"), str(self.root), "default",
             str(spool / "db"), ADMINISTRATOR],
            user=ADMINISTRATOR, group=ADMINISTRATOR, extra_groups=[],
            env=os.environ | self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    def configure(self) -> None:
        """One host, one queue, quick scheduling."""
        host = socket.gethostname()
        for option in ("-ah", "-as"):
            self.command("qconf", option, host, check=False)
        settings = GLOBAL | {
            "execd_spool_dir": self.root / "spool/execd",
            "gid_range": own_groups(),
        }
        self._from_file(
            "-Mconf", with_values(self.command("qconf", "-sconf"), settings), name="global"
        )
        self._from_file("-Msconf", with_values(self.command("qconf", "-ssconf"), SCHEDULER))
        self._from_file("-Ap", PARALLEL_ENVIRONMENT)
        self._from_file("-Ahgrp", HOST_GROUP.format(host=host))
        queue = {
            "qname": "main.q",
            "hostlist": "@allhosts",
            "slots": self.slots,
            "pe_list": "smp",
            "tmpdir": self.tmp,
            "load_thresholds": "NONE",  # a busy machine takes jobs all the same
        }
        self._from_file("-Aq", with_values(self.command("qconf", "-sq"), queue))

    def _from_file(self, option: str, text: str, name: str = "part") -> None:
        path = self.root / name
        path.write_text(text, encoding="utf-8")
        self.command("qconf", option, str(path))
        path.unlink()

    # The daemons.

    def start_master(self) -> None:
        """Start sge_qmaster, and wait until it answers."""
        self.master = self._daemon("sge_qmaster")
        wait_until(self.answers, 30, "sge_qmaster to answer")

    def answers(self) -> bool:
        """Whether sge_qmaster answers a command."""
        return "error" not in self.command("qconf", "-sh", check=False)

    def start_execution(self) -> None:
        """Start sge_execd, and wait until the queue takes jobs."""
        self.execution = self._daemon("sge_execd")
        wait_until(self.takes_jobs, 60, "the queue to take jobs")

    def takes_jobs(self) -> bool:
        """Whether the host reported its load, and its queue is in no state that keeps jobs away."""
        words = self.command("qstat", "-f", check=False).split()
        # queuename, type, reserved/used/total slots, load, architecture, then states, if any
        found = words.index("main.q@" + socket.gethostname()) if "BIP" in words else None
        return found is not None and words[found + 3] != "-NA-" and len(words) == found + 5

    def _daemon(self, name: str) -> subprocess.Popen:
        return subprocess.Popen(
            [str(INSTALLED / name)], env=os.environ | self.environment | {"SGE_ND": "1"},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip

    def stop_master(self) -> None:
        """End sge_qmaster as when its host loses power."""
        end(self.master, hard=True)

    def restart(self) -> None:
        """Start sge_qmaster again. sge_execd would need minutes to find it: it starts again too."""
        end(self.execution, hard=True)
        self.start_master()
        self.start_execution()

    def jobs(self) -> set[str]:
        """Ids of all jobs that wait or run."""
        lines = self.command("qstat", "-u", "*").splitlines()[2:]
        return {line.split()[0] for line in lines}


def end(daemon: subprocess.Popen | None, hard: bool = False) -> None:
    """End a daemon and wait until it is gone."""
    if daemon is None:
        return
    daemon.kill() if hard else daemon.terminate()
    try:
        daemon.wait(timeout=20)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


def with_values(text: str, values: dict[str, object]) -> str:
    """A Grid Engine configuration with the values of some of its keys replaced."""
    lines = []
    for line in text.replace("\\\n", " ").splitlines():
        key = line.split(maxsplit=1)[0] if line.strip() else ""
        lines.append(f"{key} {values[key]}" if key in values else line)
    return "\n".join(lines) + "\n"


@contextlib.contextmanager
def running_gridengine(slots: int = 2):
    """A Grid Engine that takes jobs, gone at the end with all it made."""
    with tempfile.TemporaryDirectory(prefix="iota2-gridengine-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        engine = GridEngine(root, free_port(), free_port(), slots)
        try:
            engine.create()
            engine.start_master()
            engine.configure()
            engine.start_execution()
            yield engine
        finally:
            engine.command("qdel", "-u", "*", check=False)
            end(engine.execution, hard=True)
            end(engine.master, hard=True)
