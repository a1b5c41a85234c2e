"""The executor on a real Grid Engine: the whole production, and every fault it can meet."""

import re
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cluster import (
    Cluster,
    Snakemake,
    debian_packages,
    install_debian_packages,
    sees_late,
    wait_until,
)
from demonstration import assert_same_maps, begin_demonstration
from faults import (
    begun,
    damage_records,
    forget_ids,
    kill,
    lines_of,
    message_of,
    nothing_recorded,
    permissions,
    start_faults,
    unlock,
)
from gridengine import LIBRARY, PRESEED, GridEngine, running_gridengine

from iota2_tools.cluster.site import read_site
from iota2_tools.commands.trial import drmaa_library

NATIVE = "-l h_rt=0:{resources.runtime}:0,h_vmem={resources.mem_mb}M"
QUICK = ["--seconds-between-status-checks", "1", "--latency-wait", "5"]


@pytest.fixture(scope="module")
def engine() -> Iterator[GridEngine]:
    install_debian_packages(debian_packages("grid engine"), PRESEED)
    with running_gridengine(slots=8) as engine:
        yield engine


@pytest.fixture(scope="module")
def cluster(engine, scheduler_user) -> Cluster:
    """Through the profile, looking often, with limits that this Grid Engine enforces."""
    arguments = [*QUICK, "--retries", "0"]
    return Cluster(scheduler_user, "gridengine", engine.environment, arguments)


@pytest.fixture
def folder(cluster, engine) -> Path:
    """A folder for a run, once the queue holds nothing of the tests before, not even failed ones."""
    engine.command("qdel", "-u", "*", check=False)
    wait_until(lambda: not engine.jobs(), 60, "the jobs of other tests to go")
    return cluster.user.folder("faults")


@pytest.mark.parametrize("known", [False, True])
def test_its_library_is_told_from_that_of_slurm(engine, monkeypatch, known):
    monkeypatch.setenv("SGE_ROOT", "")
    if known:
        for name, value in engine.environment.items():
            monkeypatch.setenv(name, value)
    site = read_site().model_copy(update={"drmaa_library": str(LIBRARY)})
    (finding,) = drmaa_library("slurm", site)
    assert finding.fatal
    assert ("SGE 8.1.9, not of Slurm" if known else "SGE_ROOT") in finding.found


def start(
    cluster: Cluster,
    folder: Path,
    parts: str,
    *arguments: str,
    native: str = NATIVE,
    steps: int = 6,
) -> Snakemake:
    """Start the misbehaving workflow with this native specification."""
    option = f"--drmaa-verified-native-specification={native}"
    return start_faults(cluster, folder, parts, option, *arguments, steps=steps)


# The production.


def test_the_demonstration_is_that_of_one_machine_byte_for_byte(cluster, folder, demonstration):
    begin_demonstration(demonstration, folder)
    cluster.user.give(folder)
    cluster.produce(folder)
    assert_same_maps(demonstration, folder)


def test_doctor_runs_a_trial_job(cluster, folder):
    command = [cluster.user.python, "-m", "iota2_tools.commands.cli", "doctor", "--profile", "gridengine",
               "--folder", str(folder)]  # fmt: skip
    said = cluster.user.run(command, folder, **cluster.environment)
    for words in ("✓ library", "✓ trial job", "✓ shared folder", "The chain can run here"):
        assert words in said


# Faults.


@pytest.fixture(scope="module")
def misbehaved(cluster, engine) -> Snakemake:
    """One run with a job of each kind, at its end."""
    folder = cluster.user.folder("misbehaved")
    run = start(cluster, folder, "ok+exit+kill+slow+deleted")
    victim = run.wait_for(begun(folder, "deleted"), "the job to delete")
    engine.command("qdel", victim)
    run.finish()
    return run


def test_a_job_that_ends_well_is_believed(misbehaved):
    assert (misbehaved.folder / "parts" / "ok.txt").read_text(encoding="utf-8").count("\n") == 6


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("exit", r"it ended with exit status 1 after \d+ s"),
        ("kill", r"it was killed by SIGKILL after \d+ s, by the system"),
        ("slow", r"it was killed by SIGKILL after \d+ s: over its run time of 60 s"),
        ("deleted", r"it was deleted or aborted after \d+ s, by the scheduler, an operator"),
    ],
    ids=["exit", "kill", "slow", "deleted"],
)
def test_a_failure_is_told_with_its_id_its_reason_and_its_log(misbehaved, part, words):
    message = message_of(misbehaved.printed, f"parts/{part}.txt")
    assert re.search(rf"Job \d+ of the scheduler: {words}", message), message
    log = Path(re.search(r"It printed to (\S+)\.", message)[1])
    assert log.is_file()
    assert log.is_relative_to(
        misbehaved.folder / ".snakemake" / "drmaa-verified" / "logs" / "write_part"
    )


@pytest.mark.parametrize("part", ["exit", "kill", "slow", "deleted"])
def test_nothing_of_a_failed_job_is_left_or_used(misbehaved, part):
    assert not (misbehaved.folder / "parts" / f"{part}.txt").exists()
    assert not (misbehaved.folder / "merged.txt").exists()
    assert misbehaved.process.returncode == 1


def test_a_job_over_its_memory_is_tried_again_with_more(cluster, folder):
    """As often as the profile says."""
    run = start(replace(cluster, arguments=QUICK), folder, "memory")
    assert run.finish() == 0, run.printed
    assert run.printed.count("Error in rule take_memory:") == 1
    assert (folder / "parts" / "memory.txt").read_text(encoding="utf-8") == "4000000000\n"


def test_a_job_deleted_before_it_started_is_no_success(cluster, engine, folder):
    run = start(cluster, folder, "ok", native=f"{NATIVE} -h")
    (waiting,) = run.wait_for(engine.jobs, "the job to be queued")
    engine.command("qdel", waiting)
    assert run.finish() == 1
    message = message_of(run.printed, "parts/ok.txt")
    assert (
        f"Job {waiting} of the scheduler: the scheduler calls it ended without telling how"
        in message
    )
    assert not (folder / "merged.txt").exists()


def test_a_file_that_shows_late_is_waited_for(cluster, folder):
    late = replace(
        cluster, before=sees_late(folder, 25), arguments=["--seconds-between-status-checks", "1"]
    )
    run = start(late, folder, "ok", "--retries", "0")
    assert run.finish() == 0, run.printed
    assert lines_of(folder, "ok", "merged.txt") == lines_of(folder, "ok")


def test_a_group_is_one_job_and_its_failure_is_told(cluster, folder):
    run = start(
        cluster, folder, "ok+exit", "--cores", "2", "--groups", "write_part=g",
        "--group-components", "g=2", native=f"-pe smp {{threads}} {NATIVE}",
    )  # fmt: skip
    assert run.finish() == 1
    assert (
        len(re.findall(r"Job \d+ of the scheduler: it ended with exit status 1", run.printed)) == 1
    )
    assert not (folder / "merged.txt").exists()


def test_a_refused_submission_says_why(cluster, folder):
    run = start(cluster, folder, "ok", native="-q nosuch.q")
    assert run.finish() == 1
    assert re.search(
        r"The scheduler refused it: .*unknown queue .*nosuch\.q.* Native specification: '-q nosuch",
        run.printed,
    ), run.printed


def test_what_cannot_be_expressed_stops_before_the_first_submission(cluster, folder):
    run = start(cluster, folder, "ok", native="-q {resources.queue}")
    assert run.finish() == 1
    assert "nothing was submitted" in run.printed
    assert "rule write_part, job" in run.printed
    assert "{resources.queue}, which this job does not have; it has" in run.printed


def test_a_job_above_the_limits_is_not_submitted(cluster, folder):
    run = start(cluster, folder, "ok", "--drmaa-verified-limits", "mem_mb=2000")
    assert run.finish() == 1
    assert "asks for mem_mb=3000, more than the limit 2000" in run.printed
    assert "executor.py" not in run.printed


@pytest.mark.parametrize(
    ("library", "words"),
    [
        ("/nowhere/libdrmaa.so", "/nowhere/libdrmaa.so cannot be loaded"),
        ("", "no DRMAA library found: ask the administrators"),
        ("/usr/lib/gridengine/libspoolc.so", "libspoolc.so"),
    ],
    ids=["absent", "unset", "wrong"],
)
def test_a_missing_or_wrong_library_is_named_without_traceback(cluster, folder, library, words):
    environment = {key: value for key, value in cluster.environment.items() if "DRMAA" not in key}
    if library:
        environment["DRMAA_LIBRARY_PATH"] = library
    elsewhere = replace(cluster, environment=environment)
    run = start(elsewhere, folder, "ok")
    assert run.finish() == 1
    assert words in run.printed, run.printed
    assert "Traceback" not in run.printed
    assert ".py" not in run.printed.split(words)[1], run.printed


# The scheduler, or Snakemake itself, goes down.


def test_a_silent_scheduler_is_waited_for_and_nothing_is_guessed(cluster, engine, folder):
    run = start(cluster, folder, "ok", steps=24)  # longer than the wait for a mark
    run.wait_for(begun(folder, "ok"), "the job to begin")
    engine.stop_master()
    run.wait_for(lambda: "The scheduler does not answer" in run.printed, "the silence to be seen")
    run.wait_for(lambda: "rule merge" in run.printed, "the mark to count, and the next job")
    engine.restart()
    assert run.finish() == 0, run.printed
    assert "The scheduler answers again" in run.printed
    assert "Error in rule" not in run.printed
    assert not permissions(folder)
    assert lines_of(folder, "ok", "merged.txt") == lines_of(folder, "ok")
    assert len(set(lines_of(folder, "ok"))) == 1


def test_orphans_are_ended_before_their_job_runs_again(cluster, engine, folder):
    killed = start(cluster, folder, "ok", steps=60)
    orphan = killed.wait_for(begun(folder, "ok"), "the job to begin")
    kill(killed)
    assert orphan in engine.jobs()
    unlock(cluster, folder)
    again = start(cluster, folder, "ok", steps=20)
    again.wait_for(lambda: begun(folder, "ok")() not in ("", orphan), "the new job to begin")
    assert orphan not in engine.jobs()
    assert f"Ending jobs that an earlier Snakemake left: {orphan}" in again.printed
    assert again.finish() == 0, again.printed
    written = lines_of(folder, "ok")
    assert len(written) == 20
    assert set(written).isdisjoint({orphan})
    assert len(set(written)) == 1
    assert nothing_recorded(folder)


def test_an_orphan_without_a_known_id_is_ended_too(cluster, engine, folder):
    killed = start(cluster, folder, "ok", steps=60)
    orphan = killed.wait_for(begun(folder, "ok"), "the job to begin")
    kill(killed)
    forget_ids(folder)
    unlock(cluster, folder)
    again = start(cluster, folder, "ok", steps=20)
    assert again.finish() == 0, again.printed
    assert orphan not in engine.jobs()
    assert set(lines_of(folder, "ok")).isdisjoint({orphan})


def test_a_damaged_record_stops_nothing_and_its_orphan_is_ended(cluster, engine, folder):
    killed = start(cluster, folder, "ok", steps=60)
    orphan = killed.wait_for(begun(folder, "ok"), "the job to begin")
    kill(killed)
    damage_records(folder)
    unlock(cluster, folder)
    again = start(cluster, folder, "ok", steps=20)
    assert again.finish() == 0, again.printed
    assert again.printed.count("has 2 damaged lines") == 1
    assert f"Ending jobs that an earlier Snakemake left: {orphan}" in again.printed
    assert orphan not in engine.jobs()
    assert set(lines_of(folder, "ok")).isdisjoint({orphan})
    assert nothing_recorded(folder)


def test_an_orphan_that_waits_in_the_queue_never_starts(cluster, engine, folder):
    killed = start(cluster, folder, "ok", native=f"{NATIVE} -h")
    killed.wait_for(engine.jobs, "the job to be queued")
    kill(killed)
    (orphan,) = engine.jobs()
    forget_ids(folder)
    unlock(cluster, folder)
    again = start(cluster, folder, "ok")
    assert again.finish() == 0, again.printed
    # It is still there, for nothing knows its id; set free, it finds that it is not wanted.
    engine.command("qrls", orphan)
    wait_until(lambda: orphan not in engine.jobs(), 30, "the orphan to go")
    assert set(lines_of(folder, "ok")).isdisjoint({orphan})
    said = "".join(
        path.read_text(encoding="utf-8")
        for path in folder.glob(".snakemake/drmaa-verified/logs/**/*.log")
    )
    assert "does not want this job" in said


def test_orphans_that_are_gone_do_not_hinder(cluster, engine, folder):
    killed = start(cluster, folder, "ok", steps=60)
    orphan = killed.wait_for(begun(folder, "ok"), "the job to begin")
    kill(killed)
    engine.command("qdel", orphan)
    wait_until(lambda: orphan not in engine.jobs(), 30, "the orphan to go")
    unlock(cluster, folder)
    again = start(cluster, folder, "ok", "--drmaa-verified-end-wait", "20")
    assert again.finish() == 0, again.printed
    assert set(lines_of(folder, "ok")).isdisjoint({orphan})
    assert nothing_recorded(folder)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_snakemake_and_its_jobs(cluster, engine, folder, number):
    run = start(cluster, folder, "ok+slow", steps=60)
    ids = [run.wait_for(begun(folder, part), "the jobs to begin") for part in ("ok", "slow")]
    run.process.send_signal(number)
    assert run.finish(60) == 1
    assert not set(ids) & engine.jobs()
    assert nothing_recorded(folder)


def test_two_snakemakes_do_not_share_a_file(cluster, engine, folder):
    first = start(cluster, folder, "ok", steps=24)
    own = first.wait_for(begun(folder, "ok"), "the job to begin")
    (folder / "printed.txt").rename(folder / "first.txt")
    second = start(cluster, folder, "ok", "--nolock", steps=24)
    assert second.finish() == 1
    assert "another Snakemake is at work on the same files" in second.printed
    assert first.finish() == 0
    assert set(lines_of(folder, "ok")) == {own}
