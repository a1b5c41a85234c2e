"""The executor on a real Grid Engine: the whole production, and every fault it can meet."""

import os
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster import (
    ROOT,
    Cluster,
    Snakemake,
    debian_packages,
    install_debian_packages,
    wait_until,
)
from gridengine import PRESEED, GridEngine, running_gridengine

FAULTS = Path(__file__).with_name("faults.smk")
NATIVE = "-l h_rt=0:{resources.runtime}:0,h_vmem={resources.mem_mb}M"


@pytest.fixture(scope="module")
def engine() -> Iterator[GridEngine]:
    install_debian_packages(debian_packages("grid engine"), PRESEED)
    with running_gridengine(slots=8) as engine:
        yield engine


@pytest.fixture(scope="module")
def cluster(engine, scheduler_user) -> Cluster:
    """Through the profile, looking often, with limits that this Grid Engine enforces."""
    return Cluster(
        scheduler_user,
        "gridengine",
        engine.environment,
        ["--seconds-between-status-checks", "1", "--latency-wait", "5", "--retries", "0"],
    )


@pytest.fixture
def folder(cluster) -> Path:
    return cluster.user.folder("faults")


def start(cluster: Cluster, folder: Path, parts: str, *arguments: str, native: str = NATIVE,
          steps: int = 6) -> Snakemake:  # fmt: skip
    """Start the misbehaving workflow."""
    return cluster.snakemake(
        folder, FAULTS, f"--drmaa-verified-native-specification={native}",
        "--drmaa-verified-mark-wait", "5", *arguments, "--config", f"parts={parts}",
        f"steps={steps}",
    )  # fmt: skip


def job_id(folder: Path, part: str) -> str:
    """The scheduler's id of the job that wrote a part last, empty before it did."""
    path = folder / "parts" / f"{part}.txt"
    return path.read_text(encoding="utf-8").split()[-1] if path.exists() else ""


def begun(folder: Path, part: str):
    return lambda: job_id(folder, part)


def message_of(printed: str, rule_or_part: str) -> str:
    """What Snakemake printed of the error of a job."""
    blocks = re.split(r"(?=^Error in rule )", printed, flags=re.MULTILINE)
    return next(block for block in blocks[1:] if rule_or_part in block)


# The production.


def test_the_maps_are_those_of_a_local_run(cluster, cluster_scene, production):
    cluster.produce(cluster_scene)
    final = sorted((production.results / "final").glob("*.tif"))
    assert final
    for path in final:
        made = cluster_scene / "results" / "final" / path.name
        assert made.read_bytes() == path.read_bytes(), path.name


# Faults.


@pytest.fixture(scope="module")
def misbehaved(cluster, engine) -> tuple[Path, str]:
    """One run with a job of each kind; its folder and what it printed."""
    folder = cluster.user.folder("misbehaved")
    run = start(cluster, folder, "ok+exit+kill+slow+deleted+memory")
    victim = run.wait_for(begun(folder, "deleted"), "the job to delete")
    engine.command("qdel", victim)
    assert run.finish() == 1
    return folder, run.printed


def test_a_job_that_ends_well_is_believed(misbehaved):
    folder, printed = misbehaved
    assert (folder / "parts" / "ok.txt").read_text(encoding="utf-8").count("\n") == 6


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("exit", r"it ended with exit status 1 after \d+ s"),
        ("kill", r"it was killed by SIGKILL after \d+ s, by the system"),
        ("slow", r"it was killed by SIGKILL after \d+ s: over its run time of 60 s"),
        ("deleted", r"it was deleted or aborted after \d+ s, by the scheduler, an operator"),
    ],
)
def test_a_failure_is_told_with_its_id_its_reason_and_its_log(misbehaved, part, words):
    folder, printed = misbehaved
    message = message_of(printed, f"parts/{part}.txt")
    assert re.search(rf"Job \d+ of the scheduler: {words}", message), message
    log = Path(re.search(r"It printed to (\S+)\.", message)[1])
    assert log.is_file()
    assert log.is_relative_to(folder / "logs" / "gridengine" / "write_part")


@pytest.mark.parametrize("part", ["exit", "kill", "slow", "deleted"])
def test_nothing_of_a_failed_job_is_left_or_used(misbehaved, part):
    folder, _ = misbehaved
    assert not (folder / "parts" / f"{part}.txt").exists()
    assert not (folder / "merged.txt").exists()


def test_a_job_over_its_memory_is_tried_again_with_more(misbehaved):
    folder, printed = misbehaved
    assert "Trying to restart job" in printed
    assert (folder / "parts" / "memory.txt").read_text(encoding="utf-8") == "4000000000\n"
