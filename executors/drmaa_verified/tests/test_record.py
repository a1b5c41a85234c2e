"""The record of submissions, and the permissions and marks that jobs see."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from snakemake_executor_plugin_drmaa_verified.earlier import Earlier
from snakemake_executor_plugin_drmaa_verified.record import (
    Entry,
    Fence,
    Journal,
    new_token,
    read_journal,
)


@pytest.fixture
def fence(tmp_path) -> Fence:
    return Fence(tmp_path / "a folder, with 'quotes'")


def run_job(fence: Fence, token: str, job_id: str, work: str = "true") -> int:
    """Run what the script of a submission would run, as job `job_id` of Grid Engine."""
    environment = {"PATH": os.environ["PATH"], "JOB_ID": job_id}
    text = f"{fence.claim(token)} && {work} && {fence.mark(token)}"
    return subprocess.run(
        ["sh", "-c", text], env=environment, check=False, capture_output=True
    ).returncode


def test_work_that_ends_well_leaves_a_mark(fence):
    fence.allow("a")
    assert run_job(fence, "a", "12") == 0
    assert fence.marked() == {"a"}


def test_work_that_fails_leaves_no_mark(fence):
    fence.allow("a")
    assert run_job(fence, "a", "12", work="(exit 3)") == 3
    assert fence.marked() == set()


def test_a_job_without_permission_does_no_work(fence, tmp_path):
    fence.allow("a")
    assert fence.revoke("a") is None
    assert run_job(fence, "a", "12", work=f"touch {tmp_path}/done") == 75
    assert not (tmp_path / "done").exists()


def test_a_job_that_its_scheduler_starts_again_may_work(fence):
    fence.allow("a")
    assert run_job(fence, "a", "12", work="(exit 1)") == 1
    assert run_job(fence, "a", "12") == 0
    assert fence.marked() == {"a"}


def test_a_permission_is_for_one_job(fence, tmp_path):
    fence.allow("a")
    assert run_job(fence, "a", "12", work="(exit 1)") == 1
    assert run_job(fence, "a", "13", work=f"touch {tmp_path}/done") == 75
    assert not (tmp_path / "done").exists()


def test_the_id_of_a_job_that_started_is_learnt_and_its_mark_is_not_wanted_any_more(fence):
    fence.allow("a")
    assert run_job(fence, "a", "12", work="(exit 1)") == 1
    assert fence.revoke("a") == "12"
    assert run_job(fence, "a", "12") == 75


def test_a_job_whose_permission_is_taken_while_it_works_leaves_no_mark(fence, tmp_path):
    fence.allow("a")
    taken = f"rm {tmp_path}/*/jobs/a/running.12"
    assert run_job(fence, "a", "12", work=taken) != 0
    assert fence.marked() == set()


def test_the_mark_of_another_submission_does_not_count(fence):
    fence.allow("a")
    run_job(fence, "a", "12")
    assert "b" not in fence.marked()
    assert len({new_token() for _ in range(1000)}) == 1000


def test_nothing_of_a_forgotten_submission_is_left(fence, tmp_path):
    fence.allow("a")
    fence.script("a").touch()
    run_job(fence, "a", "12")
    fence.forget("a")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


# The journal.


def entry(token: str, *writes: str) -> Entry:
    return Entry(token, f"rule {token}", list(writes), f"{token}.log")


def test_only_submissions_that_did_not_end_are_left(tmp_path):
    journal = Journal(tmp_path)
    for token in "abc":
        journal.submitting(entry(token, f"{token}.tif"))
    journal.submitted("a", "1")
    journal.submitted("b", "2")
    journal.ended("a")
    journal.close()
    left = read_journal(journal.path)
    assert {token: found.job_id for token, found in left.items()} == {"b": "2", "c": None}


def test_a_journal_goes_with_its_last_submission(tmp_path):
    journal = Journal(tmp_path)
    journal.submitting(entry("a"))
    journal.ended("a")
    journal.close()
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_line_cut_short_by_a_crash_is_left_out(tmp_path):
    journal = Journal(tmp_path)
    journal.submitting(entry("a"))
    journal.submitted("a", "1")
    journal.close()
    with journal.path.open("a", encoding="utf-8") as file:
        file.write('{"event": "submi')
    assert read_journal(journal.path)["a"].job_id == "1"


# Journals of others.


KILLED = """
import os, signal, sys
from pathlib import Path
from snakemake_executor_plugin_drmaa_verified.record import Entry, Journal
journal = Journal(Path(sys.argv[1]))
journal.submitting(Entry("a", "rule a", ["a.tif"], "a.log"))
journal.submitted("a", "1")
os.kill(os.getpid(), signal.SIGKILL)
"""


def killed_run(folder: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder)], check=False)
    assert done.returncode == -signal.SIGKILL


def test_what_a_killed_process_submitted_is_found(tmp_path):
    killed_run(tmp_path)
    earlier = Earlier(tmp_path, tmp_path / "own")
    assert [found.job_id for found in earlier.of_dead_runs()] == ["1"]
    assert [found.job_id for found in earlier.writers_of(["b.tif", "a.tif"])] == ["1"]
    assert earlier.writers_of(["b.tif"]) == []


def test_what_is_gone_is_struck_off_for_good(tmp_path):
    killed_run(tmp_path)
    earlier = Earlier(tmp_path, tmp_path / "own")
    earlier.gone(earlier.of_dead_runs()[0])
    assert earlier.writers_of(["a.tif"]) == []
    assert list((tmp_path / "runs").iterdir()) == []


def test_the_jobs_of_a_living_process_are_not_taken_for_orphans(tmp_path):
    journal = Journal(tmp_path)
    journal.submitting(entry("a", "a.tif"))
    earlier = Earlier(tmp_path, tmp_path / "own")
    assert earlier.of_dead_runs() == []
    writers = earlier.writers_of(["a.tif"])
    assert earlier.living_owner(writers) == journal.path.stem
    journal.close()


def test_a_run_of_another_host_is_not_called_dead(tmp_path):
    killed_run(tmp_path)
    (path,) = (tmp_path / "runs").iterdir()
    path.rename(path.with_name("elsewhere-1-0123.jsonl"))
    earlier = Earlier(tmp_path, tmp_path / "own")
    assert earlier.of_dead_runs() == []
    assert [found.job_id for found in earlier.writers_of(["a.tif"])] == ["1"]
