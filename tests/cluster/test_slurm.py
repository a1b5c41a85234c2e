"""The production and the fault table on a real Slurm, brought up here on loopback.

The profile `slurm-native` runs always. `slurm`, which needs a DRMAA library of Slurm, runs where
DRMAA_LIBRARY_PATH names one.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from cluster import (
    ROOT,
    Snakemake,
    cannot,
    debian_packages,
    install_debian_packages,
    sees_late,
    wait_until,
)
from demonstration import assert_same_maps, begin_demonstration
from slurm import Slurm, running_slurm
from submitter import CODE, Submitter

from iota2_tools.cluster.site import read_site
from iota2_tools.commands.trial import drmaa_library

FAULTS = Path(__file__).with_name("slurm_faults.smk")
PRODUCTION = ROOT / "workflow" / "Snakefile"


@pytest.fixture(scope="session")
def slurm(tmp_path_factory):
    """A Slurm of one node, for all tests of this file."""
    install_debian_packages(debian_packages("slurm"))
    with running_slurm(tmp_path_factory.mktemp("slurm") / "daemons") as cluster:
        yield cluster


@pytest.fixture
def own_slurm(slurm, tmp_path_factory):
    """Another Slurm, for a test that needs it alone."""
    with running_slurm(tmp_path_factory.mktemp("own") / "daemons") as cluster:
        yield cluster


def need_drmaa_library_of_slurm() -> None:
    """Skip the test with the reason unless DRMAA_LIBRARY_PATH names one; fail if it was asked for."""
    library = os.environ.get("DRMAA_LIBRARY_PATH")
    if not library:
        pytest.skip("DRMAA_LIBRARY_PATH names no DRMAA library of Slurm; Debian has none")
    (finding,) = drmaa_library("slurm", read_site().model_copy(update={"drmaa_library": library}))
    if finding.fatal and os.environ.get("PROFILE") == "slurm":
        pytest.fail(finding.found)
    if finding.fatal:
        pytest.skip(finding.found)


@pytest.fixture(scope="session", params=["slurm-native", "slurm"])
def submitter(request, slurm) -> Submitter:
    """Each profile for Slurm that can run here."""
    if request.param == "slurm":
        need_drmaa_library_of_slurm()
        if not (ROOT / "executors" / "drmaa_verified").is_dir():
            cannot("the executor drmaa-verified is not in this clone")
    return Submitter(slurm, request.param)


@pytest.fixture(scope="session")
def started_faults(submitter, slurm, tmp_path_factory) -> Snakemake:
    """One run with a job of each fault. It mostly sleeps, so other tests go on meanwhile."""
    folder = tmp_path_factory.mktemp(f"faults-{submitter.profile}")
    snakemake = submitter.start(folder, FAULTS, "--retries", "0", "--latency-wait", "5")
    snakemake.wait_for((folder / "deleted.txt").exists, "the job to be deleted")
    slurm.run("scancel", slurm.job_of("deleted"))
    return snakemake


@pytest.fixture(scope="session")
def faults(started_faults) -> Snakemake:
    """The same run at its end."""
    started_faults.finish(300)
    return started_faults


@pytest.fixture
def scene_here(scene, production_settings, tmp_path) -> list[str]:
    """The scene and the configuration of the local `production` in this folder; its options."""
    shutil.copytree(scene, tmp_path / "scene")
    configfile = tmp_path / "config.yaml"
    configfile.write_text(yaml.safe_dump(production_settings), encoding="utf-8")
    return ["--configfile", str(configfile)]


def test_the_demonstration_is_that_of_one_machine_byte_for_byte(
    submitter, started_faults, demonstration, tmp_path
):
    begin_demonstration(demonstration, tmp_path)
    limits = {"memory_mb": 8000, "runtime_minutes": 600, "threads": 2, "jobs": 20}
    options = ("--configfile", str(tmp_path / "config.yaml"))
    printed = submitter.run(tmp_path, PRODUCTION, *options, limits=limits)
    assert printed.count("Group job tile ") == 2  # the short jobs of each tile are one
    assert_same_maps(demonstration, tmp_path)


def error_of(printed: str, rule: str) -> str:
    """What Snakemake printed of the failed job of a rule."""
    assert f"Error in rule {rule}:" in printed, printed
    return printed.split(f"Error in rule {rule}:")[1].split("\n[")[0]


# Words of the message in each profile. slurm-drmaa tells no reasons, and not every signal.
ABORTED = "it was deleted or aborted"
MESSAGES = {
    "exits": {"slurm-native": "status is: 'FAILED'", "slurm": "it ended with exit status 1"},
    "killed": {"slurm-native": "status is: 'FAILED'", "slurm": ABORTED},
    "late": {"slurm-native": "status is: 'TIMEOUT'", "slurm": ABORTED},
    "deleted": {"slurm-native": "status is: 'CANCELLED'", "slurm": ABORTED},
    "greedy": {"slurm-native": "status is: 'FAILED'", "slurm": "it was "},
}
# What Slurm writes into the log that the message names.
REASONS = {"late": "DUE TO TIME LIMIT", "deleted": "CANCELLED AT", "greedy": "memory limit"}


@pytest.mark.parametrize("fault", MESSAGES)
def test_a_job_that_did_not_end_well_is_told_and_its_file_is_never_merged(faults, submitter, fault):
    assert MESSAGES[fault][submitter.profile] in error_of(faults.printed, fault)
    assert not (faults.folder / f"{fault}.merged").exists()
    assert not (faults.folder / f"{fault}.txt").exists()
    assert faults.process.returncode == 1


@pytest.mark.parametrize("fault", REASONS)
def test_the_log_that_the_message_names_says_why(faults, fault):
    logs = re.findall(r"\S+\.log", error_of(faults.printed, fault))
    assert any(REASONS[fault] in Path(log).read_text(encoding="utf-8") for log in logs)


def test_a_job_over_its_memory_is_run_again_with_more(submitter, tmp_path):
    printed = submitter.run(tmp_path, FAULTS, "hungry.merged")
    assert printed.count("Error in rule hungry:") == 1
    assert "mem_mb=3000" in printed
    assert (tmp_path / "hungry.merged").read_text() == "half\nwhole\n"


def test_a_job_ends_well_while_the_scheduler_is_down(submitter, own_slurm, tmp_path):
    part = tmp_path / "survives.txt"
    snakemake = Submitter(own_slurm, submitter.profile).start(tmp_path, FAULTS, "survives.merged")
    snakemake.wait_for(part.exists, "the job")
    own_slurm.stop_controller()
    snakemake.wait_for(lambda: part.exists() and "whole" in part.read_text(), "its end")
    snakemake.wait_for(lambda: "does not answer" in snakemake.printed, "a silence", 120)
    own_slurm.start_controller()
    assert snakemake.finish(90) == 0, snakemake.printed
    assert (tmp_path / "survives.merged").read_text() == "half\nwhole\n"


def test_a_job_that_is_ready_while_the_scheduler_is_down_is_submitted_later(own_slurm, tmp_path):
    snakemake = Submitter(own_slurm).start(tmp_path, FAULTS, "there.txt", "--retries", "0")
    snakemake.wait_for((tmp_path / "begun").exists, "the job on this machine")
    own_slurm.stop_controller()
    (tmp_path / "end").touch()
    snakemake.wait_for(lambda: "does not answer" in snakemake.printed, "a silence")
    own_slurm.start_controller()
    assert snakemake.finish(120) == 0, snakemake.printed
    assert (tmp_path / "there.txt").read_text() == "whole\n"


def test_a_job_that_slurm_forgot_is_lost_after_the_stated_time_and_tried_again(own_slurm, tmp_path):
    part = tmp_path / "survives.txt"
    snakemake = Submitter(own_slurm).start(
        tmp_path, FAULTS, "survives.merged", "--slurm-patient-lost-after", "5"
    )
    snakemake.wait_for(part.exists, "the job")
    own_slurm.forget_jobs()
    assert snakemake.finish(240) == 0, snakemake.printed
    assert "is lost: Slurm answers, but has not known it for 5 s" in error_of(
        snakemake.printed, "survives"
    )
    assert (tmp_path / "survives.merged").read_text() == "half\nwhole\n"


def test_a_file_that_shows_late_is_waited_for(submitter, tmp_path):
    late = replace(submitter, before=sees_late(tmp_path, 45))
    late.run(tmp_path, FAULTS, "survives.merged", "--retries", "0")
    assert (tmp_path / "survives.merged").read_text() == "half\nwhole\n"


def test_a_refused_submission_is_told_in_the_words_of_slurm(submitter, tmp_path):
    snakemake = submitter.start(tmp_path, FAULTS, "--retries", "0", "alone.txt", queue="nosuch")
    assert snakemake.finish(60) == 1
    assert "nvalid partition" in snakemake.printed
    assert not (tmp_path / "writers.txt").exists()


def test_after_kill_9_no_second_writer_is_submitted(slurm, tmp_path):
    """Snakemake's plugin keeps no record of its jobs; rules/cluster.smk asks Slurm."""
    native = Submitter(slurm)
    killed = native.start(tmp_path, FAULTS, "alone.txt")
    killed.wait_for((tmp_path / "writers.txt").exists, "the job")
    os.killpg(killed.process.pid, signal.SIGKILL)
    killed.process.wait()

    locked = native.start(tmp_path, FAULTS, "alone.txt")
    assert locked.finish(60) == 1
    assert "LockException" in locked.printed
    native.run(tmp_path, FAULTS, "--unlock", "alone.txt")

    orphan = slurm.job_of("alone")
    refused = native.start(tmp_path, FAULTS, "alone.txt")
    assert refused.finish(60) == 1
    assert f"scancel {orphan}" in refused.printed
    assert "Traceback" not in refused.printed

    slurm.run("scancel", orphan)
    wait_until(lambda: orphan not in slurm.jobs("RUNNING,COMPLETING"), 30, "its end")
    native.run(tmp_path, FAULTS, "alone.txt")
    writers = (tmp_path / "writers.txt").read_text().split()
    assert len(writers) == 2
    assert (tmp_path / "alone.txt").read_text() == "whole\n"


def test_an_interrupted_snakemake_ends_its_jobs(submitter, slurm, tmp_path):
    snakemake = submitter.start(tmp_path, FAULTS, "alone.txt")
    snakemake.wait_for((tmp_path / "writers.txt").exists, "the job")
    snakemake.process.send_signal(signal.SIGINT)
    assert snakemake.finish(60) != 0
    wait_until(lambda: "alone" not in str(slurm.jobs()), 30, "the end of the job")
    assert not (tmp_path / "alone.txt").exists()


def test_what_a_failed_job_says_is_told_at_the_end(submitter, scene_here, tmp_path):
    """Also by a job in a group, whose log is one of many."""
    image = next(path for path in sorted((tmp_path / "scene").rglob("*_FRE_B4.tif")))
    image.write_bytes(image.read_bytes()[:1000])
    snakemake = submitter.start(tmp_path, PRODUCTION, "init", "--retries", "0", *scene_here)
    assert snakemake.finish(200) == 1
    told = snakemake.printed.split("What the jobs that failed say:")[1]
    assert f"{image.name} is truncated: 1000 bytes" in told


def test_requests_above_the_limits_are_refused_before_any_job(submitter, scene_here, tmp_path):
    limits = {"memory_mb": 600, "runtime_minutes": 5}
    snakemake = submitter.start(tmp_path, PRODUCTION, *scene_here, limits=limits)
    assert snakemake.finish(60) == 1
    assert "group tile (2 jobs): asks for " in snakemake.printed
    assert "limits.memory_mb is 600" in snakemake.printed
    assert "train_model (1 job): asks for 10 minutes, limits.runtime_minutes is 5" in (
        snakemake.printed
    )
    assert "Traceback" not in snakemake.printed
    assert "has been submitted" not in snakemake.printed


def doctor(
    slurm: Slurm, folder: Path, profile: str = "slurm-native", seconds: int = 60, **site: object
) -> str:
    """What `iota2 doctor --profile` says of a profile, with a site file."""
    site_file = folder / "site.yaml"
    site_file.write_text(yaml.safe_dump(site), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "iota2_tools.commands.cli", "doctor", "--profile", profile,
         "--folder", str(folder), "--seconds", str(seconds)],
        env=slurm.environment | {"IOTA2_SITE": str(site_file), "PYTHONPATH": CODE}, cwd=ROOT,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert not done.stderr
    assert not list(folder.glob("iota2-trial-*"))
    return done.stdout.split("profile  ")[-1]


def test_doctor_runs_a_trial_job(submitter, slurm, tmp_path):
    said = doctor(slurm, tmp_path, submitter.profile)
    assert "✓ trial job" in said
    assert "✓ shared folder" in said
    assert "✓ clock" in said
    assert "! limits.memory_mb" in said
    assert "gives 12000 at most" in said
    assert "The chain can run here" in said


def test_doctor_names_an_unknown_partition_and_the_known_ones(slurm, tmp_path):
    said = doctor(slurm, tmp_path, queue="nosuch")
    assert "✗ partition" in said
    assert "no partition 'nosuch'" in said
    assert "one of normal, small" in said


def test_doctor_compares_the_limits_with_those_of_the_partition(slurm, tmp_path):
    limits = {"memory_mb": 2000, "runtime_minutes": 30, "threads": 8}
    said = doctor(slurm, tmp_path, queue="small", limits=limits)
    assert "✗ limits.memory_mb" in said
    assert "set limits.memory_mb to 1000" in said
    assert "set limits.runtime_minutes to 10" in said
    assert "limits.threads" not in said


def test_doctor_tells_a_refused_submission(slurm, tmp_path):
    said = doctor(slurm, tmp_path, options="--reservation=nosuch")
    assert "✗ trial job" in said
    assert "refused" in said
    assert "reservation" in said


def test_doctor_tells_why_a_job_waits_and_takes_it_back(own_slurm, tmp_path):
    own_slurm.run("scontrol", "update", "PartitionName=small", "State=DOWN")
    said = doctor(own_slurm, tmp_path, seconds=10, queue="small")
    assert "✗ trial job" in said
    assert "PENDING, PartitionDown" in said
    assert not own_slurm.jobs()


def test_doctor_tells_a_folder_the_node_does_not_share(slurm, tmp_path):
    """The node's slurmd has an empty folder where we have ours."""
    if os.getuid():
        cannot("only root hides a folder from the node")
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    with running_slurm(tmp_path / "daemons", hidden_from_node=hidden) as cluster:
        said = doctor(cluster, hidden)
        assert "✗ shared folder" in said
        assert "left no trace" in said
