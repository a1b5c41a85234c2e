"""The DRMAA executor on a site's own scheduler, by what an ordinary user can do there.

make test-cluster PROFILE=slurm DRMAA_LIBRARY_PATH=/path/of/libdrmaa.so

In the user's home, which the nodes must share.
"""

import os
import pwd
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster import ROOT, Cluster, SchedulerUser
from demonstration import assert_same_maps, begin_demonstration
from faults import begun, kill, lines_of, message_of, nothing_recorded, start_faults, unlock

PROFILE = os.environ.get("PROFILE", "")
LIBRARY = os.environ.get("DRMAA_LIBRARY_PATH", "")
DELETE = "scancel" if PROFILE == "slurm" else "qdel"

pytestmark = pytest.mark.skipif(
    not (PROFILE and LIBRARY),
    reason="for a site's own scheduler: PROFILE and DRMAA_LIBRARY_PATH do not name one",
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """The site's cluster, with the environment that reaches it."""
    person = pwd.getpwuid(os.getuid())
    home = Path(person.pw_dir) / f"iota2-cluster-{os.getpid()}"
    home.mkdir()
    user = SchedulerUser(person.pw_name, home, ROOT)
    own = user.environment()
    site = {key: value for key, value in os.environ.items() if key not in own}
    yield Cluster(
        user, PROFILE, site | {"HOME": person.pw_dir},
        ["--seconds-between-status-checks", "2", "--retries", "0"],
    )  # fmt: skip
    shutil.rmtree(home)


@pytest.fixture
def folder(cluster) -> Path:
    return cluster.user.folder("site")


def test_the_demonstration_is_that_of_one_machine_byte_for_byte(cluster, folder, demonstration):
    begin_demonstration(demonstration, folder)
    cluster.produce(folder)
    assert_same_maps(demonstration, folder)


def test_failures_are_told_and_nothing_of_them_is_used(cluster, folder):
    run = start_faults(cluster, folder, "ok+exit+kill+slow")
    assert run.finish(900) == 1
    assert len(lines_of(folder, "ok")) == 6
    for part in ("exit", "kill", "slow"):
        message = message_of(run.printed, f"parts/{part}.txt")
        assert re.search(r"Job \S+ of the scheduler: .*It printed to ", message), message
        assert not (folder / "parts" / f"{part}.txt").exists()
    assert not (folder / "merged.txt").exists()


def test_a_deleted_job_is_told_and_nothing_of_it_is_used(cluster, folder):
    run = start_faults(cluster, folder, "ok+deleted")
    victim = run.wait_for(begun(folder, "deleted"), "the job to delete", 900)
    subprocess.run([DELETE, victim], check=True)
    assert run.finish(900) == 1
    message = message_of(run.printed, "parts/deleted.txt")
    assert re.search(rf"Job {re.escape(victim)} of the scheduler: it was (killed|deleted)", message)
    assert not (folder / "parts" / "deleted.txt").exists()


def test_jobs_write_with_the_umask_of_snakemake(cluster, folder):
    assert start_faults(cluster, folder, "ok").finish(900) == 0
    assert (folder / "merged.txt").stat().st_mode & 0o777 == 0o644  # 022, as cluster.py sets it


def test_orphans_are_ended_before_their_job_runs_again(cluster, folder):
    killed = start_faults(cluster, folder, "ok", steps=200)
    orphan = killed.wait_for(begun(folder, "ok"), "the job to begin", 900)
    kill(killed)
    unlock(cluster, folder)
    again = start_faults(cluster, folder, "ok", steps=20)
    assert again.finish(900) == 0, again.printed
    assert f"Ending jobs that an earlier Snakemake left: {orphan}" in again.printed
    assert set(lines_of(folder, "ok")).isdisjoint({orphan})
    assert nothing_recorded(folder)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_snakemake_and_its_jobs(cluster, folder, number):
    run = start_faults(cluster, folder, "ok", steps=200)
    run.wait_for(begun(folder, "ok"), "the job to begin", 900)
    run.process.send_signal(number)
    assert run.finish(300) == 1
    assert nothing_recorded(folder)


def test_a_refused_submission_says_why(cluster, folder):
    option = "--drmaa-verified-native-specification=--no-such-option"
    run = start_faults(cluster, folder, "ok", option)
    assert run.finish() == 1
    assert "The scheduler refused it" in run.printed
