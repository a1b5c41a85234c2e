"""What Slurm's own commands tell."""

import os
import re
from pathlib import Path

from iota2_tools.cluster.queues import Queue, ask
from iota2_tools.core.errors import ClusterError

# Given to jobs by profiles/slurm-native.
JOB_NAME_PREFIX = "iota2_"


def partitions() -> dict[str, Queue]:
    """The partitions of the cluster, by name."""
    nodes: dict[str, list[tuple[int, int]]] = {}
    for line in ask("sinfo", "--Node", "--noheader", "--format=%R|%m|%c").splitlines():
        name, memory, processors = line.split("|")
        nodes.setdefault(name, []).append((int(memory), int(processors)))
    found = {}
    for line in ask("scontrol", "show", "partition", "--oneliner").splitlines():
        told = dict(word.split("=", 1) for word in line.split() if "=" in word)
        name = told["PartitionName"]
        memory, processors = (
            max(values) for values in zip(*nodes.get(name, [(0, 0)]), strict=True)
        )
        found[name] = Queue(
            name,
            is_default=told["Default"] == "YES",
            memory_mb=_smaller(memory, told.get("MaxMemPerNode", "")),
            runtime_minutes=_minutes(told["MaxTime"]),
            threads=_smaller(processors, told.get("MaxCPUsPerNode", "")),
        )
    return found


def _smaller(of_node: int, of_partition: str) -> int:
    return min(of_node, int(of_partition)) if of_partition.isdigit() else of_node


def _minutes(text: str) -> int | None:
    """Minutes of `2-00:00:00` or `01:30:00`; None for no limit."""
    found = re.fullmatch(r"(?:(\d+)-)?(\d+):(\d+):(\d+)", text)
    if found is None:
        return None
    days, hours, minutes, _ = (int(part or 0) for part in found.groups())
    return (days * 24 + hours) * 60 + minutes


def pending_reason(folder: Path) -> str:
    """State of the user's jobs that work in a folder, and why they wait, in Slurm's words."""
    lines = ask("squeue", "--noheader", f"--user={os.getuid()}", "--format=%Z|%T, %r")
    states = [line.split("|", 1) for line in lines.splitlines()]
    return "; ".join(state for place, state in states if Path(place) == folder)


def refuse_second_writers(folder: str | Path) -> None:
    """Refuse to start while jobs of another Snakemake, alive or killed, work in a folder.

    Snakemake that was killed leaves its jobs running, and its plugin keeps no record of them.
    Started again, the same job would run twice, and the one that fails removes the other's files.

    Raises
    ------
    ClusterError
        Naming the jobs and how to end them.
    """
    wanted = Path(folder).resolve()
    lines = ask("squeue", "--noheader", f"--user={os.getuid()}", "--format=%i|%j|%Z|%k")
    left = []
    for line in lines.splitlines():
        job, name, place, rule = line.split("|", 3)
        if name.startswith(JOB_NAME_PREFIX) and Path(place).resolve() == wanted:
            left.append((job, rule))
    if not left:
        return
    shown = "\n".join(f"  {job}: {rule}" for job, rule in left[:10])
    more = f"\n  and {len(left) - 10} more" if len(left) > 10 else ""
    raise ClusterError(
        f"{len(left)} job(s) of another Snakemake still work in {wanted}; nothing was submitted:\n"
        f"{shown}{more}\n"
        "If that Snakemake was killed, wait for them or end them, then start again: "
        f"scancel {' '.join(job for job, _ in left)}\n"
        "If it still runs, let it end, or start this production from another folder."
    )
