"""A Slurm of one node on loopback, brought up and taken down by the tests.

munged, slurmctld and slurmd run as the user of the tests, with all their files in one folder
and on free ports, so a Slurm of the machine is neither used nor touched.
`SLURM_CONF` in `Slurm.environment` is all that clients need.
"""

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol")
SEARCH_PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"

# Jobs are forgotten `MinJobAge` seconds after their end. Memory is watched every second.
# The node claims more processors than the machine may have: jobs of the tests mostly sleep.
SETTINGS = """\
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
CommunicationParameters=NoInAddrAny
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,sched_min_interval=100000,bf_interval=1
ReturnToService=2
MinJobAge={min_job_age}
KillWait=2
UnkillableStepTimeout=180
InactiveLimit=0
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory_mb} State=UNKNOWN
PartitionName=normal Nodes={host} Default=YES MaxTime=UNLIMITED State=UP
PartitionName=small Nodes={host} MaxMemPerNode=1000 MaxTime=10 State=UP
"""


def missing_programs() -> list[str]:
    """Programs of Slurm that are not installed."""
    return [name for name in PROGRAMS if shutil.which(name, path=SEARCH_PATH) is None]


def wait_for(condition: Callable[[], object], what: str, seconds: float = 30) -> None:
    """Wait until a condition holds; a `TimeoutError` names what was waited for."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.1)


def free_port() -> int:
    """A TCP port of loopback nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Slurm:
    """The daemons, and the commands that talk to them.

    Attributes
    ----------
    settings : str
        Further lines of `slurm.conf`.
    """

    folder: Path
    cpus: int = 8
    memory_mb: int = 12000
    min_job_age: int = 300
    hidden_from_node: Path | None = None
    settings: str = ""
    daemons: dict[str, subprocess.Popen] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """Environment of clients of this Slurm."""
        path = f"{self.folder / 'bin'}:{SEARCH_PATH}"
        return os.environ | {"SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": path}

    def run(self, *command: str, check: bool = True) -> str:
        """Run a client command and return what it printed."""
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False, timeout=60
        )
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)}: {done.stderr or done.stdout}")
        return done.stdout.strip()

    def jobs(self, states: str = "PENDING,RUNNING") -> dict[str, str]:
        """Name and comment of each job in one of the states, by its id; they hold its rule."""
        lines = self.run("squeue", "--noheader", f"--states={states}", "--format=%i|%j %k")
        return dict(line.split("|", 1) for line in lines.splitlines())

    def job_of(self, rule: str, states: str = "RUNNING", seconds: float = 60) -> str:
        """Id of the one job of a rule, once it is there."""
        found: list[str] = []

        def look() -> bool:
            found[:] = [job for job, words in self.jobs(states).items() if rule in words]
            return bool(found)

        wait_for(look, f"a job of {rule} in state {states}", seconds)
        return found[0]

    def start(self) -> None:
        """Write the settings, start the daemons, wait until the node takes jobs."""
        for name in ("state", "spool"):
            (self.folder / name).mkdir(parents=True)
        self.folder.chmod(0o755)
        host = socket.gethostname().split(".")[0]
        (self.folder / "slurm.conf").write_text(
            SETTINGS.format(
                folder=self.folder, host=host, user=getpass.getuser(), cpus=self.cpus,
                memory_mb=self.memory_mb, min_job_age=self.min_job_age,
                controller_port=free_port(), node_port=free_port(),
            ) + self.settings, encoding="utf-8",
        )  # fmt: skip
        (self.folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n", encoding="utf-8")
        self._wrap_srun()
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        self._start_munged()
        self.start_controller()
        self.start_node()
        wait_for(lambda: self.run("sinfo", "-h", "-o", "%t", check=False) in ("idle", "idle\nidle"),
                 f"an idle node ({self.folder}/*.log)")  # fmt: skip

    def stop(self) -> None:
        """End jobs and daemons."""
        with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
            self.run("scancel", "--user", getpass.getuser(), check=False)
            wait_for(lambda: not self.run("squeue", "-h", "--states=RUNNING,COMPLETING"), "end", 10)
        for daemon in reversed(self.daemons.values()):
            daemon.terminate()
        for daemon in self.daemons.values():
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        self.daemons.clear()

    def start_controller(self) -> None:
        """Start slurmctld."""
        self._start("slurmctld", "slurmctld", "-D", "-f", str(self.folder / "slurm.conf"))
        wait_for(lambda: "UP" in self.run("scontrol", "ping", check=False), "slurmctld")

    def stop_controller(self) -> None:
        """End slurmctld; jobs run on."""
        self.daemons["slurmctld"].terminate()
        self.daemons.pop("slurmctld").wait(20)

    def forget_jobs(self) -> None:
        """Let slurmctld lose all it knows; it has jobs that it does not know any more killed."""
        self.stop_controller()
        shutil.rmtree(self.folder / "state")
        (self.folder / "state").mkdir()
        self.start_controller()

    def start_node(self) -> None:
        """Start slurmd; it does not see the folder `hidden_from_node`."""
        command = ["slurmd", "-D", "-f", str(self.folder / "slurm.conf")]
        if self.hidden_from_node is not None:
            hide = f"mount -t tmpfs none {self.hidden_from_node} && exec {' '.join(command)}"
            command = ["unshare", "--mount", "sh", "-c", hide]
        self._start("slurmd", *command)

    def _wrap_srun(self) -> None:
        """An `srun` that finds this Slurm: Snakemake's plugin clears SLURM_CONF inside a job."""
        script = self.folder / "bin" / "srun"
        script.parent.mkdir()
        settings = self.folder / "slurm.conf"
        real = shutil.which("srun", path=SEARCH_PATH)
        script.write_text(f'#!/bin/sh\nSLURM_CONF={settings} exec {real} "$@"\n', encoding="utf-8")
        script.chmod(0o755)

    def _start_munged(self) -> None:
        self._start(
            "munged", "munged", "--foreground", "--force", "--num-threads=2",
            f"--key-file={self.folder}/munge.key", f"--socket={self.folder}/munge.socket",
            f"--pid-file={self.folder}/munged.pid", f"--seed-file={self.folder}/munged.seed",
        )  # fmt: skip
        wait_for((self.folder / "munge.socket").exists, f"munged ({self.folder}/munged.out)")

    def _start(self, name: str, *command: str) -> None:
        """Start a daemon; it ends with the tests even if they are killed."""
        command = ("setpriv", "--pdeathsig", "KILL", *command)
        with open(self.folder / f"{name}.out", "ab") as output:
            self.daemons[name] = subprocess.Popen(
                command, env=self.environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, start_new_session=True,
            )  # fmt: skip


@contextlib.contextmanager
def running_slurm(folder: Path, **settings: object) -> Iterator[Slurm]:
    """A Slurm for the time of a `with` block."""
    slurm = Slurm(folder, **settings)
    try:
        slurm.start()
        yield slurm
    finally:
        slurm.stop()
