"""The misbehaving workflow (`faults.smk`): starting it, and looking at what it left."""

import re
from collections.abc import Callable
from pathlib import Path

from cluster import Cluster, Snakemake

FAULTS = Path(__file__).with_name("faults.smk")


def start_faults(
    cluster: Cluster, folder: Path, parts: str, *arguments: str, steps: int = 6
) -> Snakemake:
    """Start it through the DRMAA executor; `parts` are joined by `+`."""
    return cluster.snakemake(
        folder, FAULTS, "--drmaa-verified-mark-wait", "5", *arguments, "--config",
        f"parts={parts}", f"steps={steps}",
    )  # fmt: skip


def unlock(cluster: Cluster, folder: Path) -> None:
    """Remove the lock that a killed Snakemake left."""
    assert cluster.snakemake(folder, FAULTS, "--unlock").finish() == 0


def kill(snakemake: Snakemake) -> None:
    """Kill Snakemake and nothing else: its jobs run on."""
    snakemake.process.kill()
    snakemake.process.wait()


def lines_of(folder: Path, part: str, path: str = "") -> list[str]:
    """The ids of the jobs that wrote a part, one a step; none before it stands."""
    file = folder / (path or f"parts/{part}.txt")
    return file.read_text(encoding="utf-8").split() if file.exists() else []


def begun(folder: Path, part: str) -> Callable[[], str]:
    """Gives the scheduler's id of the job that wrote a part last, empty before it did."""
    return lambda: (lines_of(folder, part) or [""])[-1]


def message_of(printed: str, part: str) -> str:
    """What Snakemake printed of the error of the job that names a part."""
    blocks = re.split(r"(?=^Error in rule )", printed, flags=re.MULTILINE)
    found = [block for block in blocks[1:] if part in block]
    assert found, printed
    return found[0]


def records(folder: Path) -> list[Path]:
    """The journals of submissions that may still run."""
    return list((folder / ".snakemake" / "drmaa-verified" / "runs").iterdir())


def nothing_recorded(folder: Path) -> bool:
    """Whether no submission is left that a later Snakemake would have to end."""
    return not records(folder)


def permissions(folder: Path) -> list[Path]:
    """Those of submissions that may still start."""
    return list((folder / ".snakemake" / "drmaa-verified" / "jobs").glob("*/allowed"))


def damage_records(folder: Path) -> None:
    """As a power failure may leave them: first lines lost, zeros, a line cut short."""
    for journal in records(folder):
        lines = journal.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if '"submitting"' not in line]
        damaged = ["\0" * 20, *kept, '{"event": "submi']
        journal.write_text("\n".join(damaged), encoding="utf-8")


def forget_ids(folder: Path) -> None:
    """As if Snakemake had been killed before it learnt the ids of its jobs."""
    for path in records(folder):
        events = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join(e for e in events if '"submitted"' not in e), encoding="utf-8")
