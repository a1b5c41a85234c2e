"""The record of submissions, and the permissions and marks that jobs see."""

import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
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


def entry(token: str, *writes: str) -> Entry:
    return Entry(token, f"rule {token}", list(writes), f"{token}.log")


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
    fence.allow(entry("a"))
    assert run_job(fence, "a", "12") == 0
    assert fence.marked() == {"a"}


def test_work_that_fails_leaves_no_mark(fence):
    fence.allow(entry("a"))
    assert run_job(fence, "a", "12", work="(exit 3)") == 3
    assert fence.marked() == set()


def test_a_job_without_permission_does_no_work(fence, tmp_path):
    fence.allow(entry("a"))
    assert fence.revoke("a") is None
    assert run_job(fence, "a", "12", work=f"touch {tmp_path}/done") == 75
    assert not (tmp_path / "done").exists()


def test_a_job_that_its_scheduler_starts_again_may_work(fence):
    fence.allow(entry("a"))
    assert run_job(fence, "a", "12", work="(exit 1)") == 1
    assert run_job(fence, "a", "12") == 0
    assert fence.marked() == {"a"}


def test_a_permission_is_for_one_job(fence, tmp_path):
    fence.allow(entry("a"))
    assert run_job(fence, "a", "12", work="(exit 1)") == 1
    assert run_job(fence, "a", "13", work=f"touch {tmp_path}/done") == 75
    assert not (tmp_path / "done").exists()


def test_the_id_of_a_job_that_started_is_learnt_and_its_mark_is_not_wanted_any_more(fence):
    fence.allow(entry("a"))
    assert run_job(fence, "a", "12", work="(exit 1)") == 1
    assert fence.revoke("a") == "12"
    assert run_job(fence, "a", "12") == 75


def test_a_job_whose_permission_is_taken_while_it_works_leaves_no_mark(fence, tmp_path):
    fence.allow(entry("a"))
    taken = f"rm {tmp_path}/*/jobs/a/running.12"
    assert run_job(fence, "a", "12", work=taken) != 0
    assert fence.marked() == set()


def test_the_mark_of_another_submission_does_not_count(fence):
    fence.allow(entry("a"))
    run_job(fence, "a", "12")
    assert "b" not in fence.marked()
    assert len({new_token() for _ in range(1000)}) == 1000


def test_nothing_of_a_forgotten_submission_is_left(fence, tmp_path):
    fence.allow(entry("a"))
    fence.script("a").touch()
    run_job(fence, "a", "12")
    fence.forget("a")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


# The journal.


def test_only_submissions_that_did_not_end_are_left(tmp_path):
    journal = Journal(tmp_path)
    for token in "abc":
        journal.submitting(entry(token, f"{token}.tif"))
    journal.submitted("a", "1")
    journal.submitted("b", "2")
    journal.ended("a")
    journal.close()
    left = read_journal(journal.path).entries
    assert {token: found.job_id for token, found in left.items()} == {"b": "2", "c": None}


def test_a_journal_goes_with_its_last_submission(tmp_path):
    journal = Journal(tmp_path)
    journal.submitting(entry("a"))
    journal.ended("a")
    journal.close()
    assert list((tmp_path / "runs").iterdir()) == []


# What a journal says of submission `a`, which wrote a.tif and is job 7: begun, taken, ended.
BEGUN = '{"event": "submitting", "token": "a", "name": "r", "writes": ["a.tif"], "log": "l"}'
TAKEN = '{"event": "submitted", "token": "a", "job_id": "7"}'
ENDED = '{"event": "ended", "token": "a"}'
WHOLE = Entry("a", "r", ["a.tif"], "l", "7")


def reading_of(tmp_path, *lines: str | bytes):
    path = tmp_path / "host-1-0123.jsonl"
    data = [line if isinstance(line, bytes) else line.encode() for line in lines]
    path.write_bytes(b"\n".join(data))
    return read_journal(path)


@pytest.mark.parametrize(
    "lines",
    [
        (BEGUN, TAKEN),
        (TAKEN, BEGUN),  # out of order
        (BEGUN, TAKEN, BEGUN),  # doubled: the id is not forgotten
        (BEGUN, TAKEN, TAKEN),
        (BEGUN, '{"event": "submitted", "token": "a", "job_id": "6"}', TAKEN),  # the last id
        (BEGUN.replace("{", '{"of a later version": 1, ', 1), TAKEN),
        ("", BEGUN, "   ", TAKEN, ""),
    ],
)
def test_what_a_journal_tells_does_not_depend_on_the_order_of_its_lines(tmp_path, lines):
    reading = reading_of(tmp_path, *lines)
    assert reading.entries == {"a": WHOLE}
    assert reading.damaged == 0


@pytest.mark.parametrize(
    "lines", [(BEGUN, TAKEN, ENDED), (ENDED, BEGUN, TAKEN), (BEGUN, ENDED, TAKEN), (ENDED,)]
)
def test_a_submission_that_ended_stays_so_in_any_order(tmp_path, lines):
    reading = reading_of(tmp_path, *lines)
    assert reading.entries == {}
    assert reading.ended == {"a"}


DAMAGED = {
    "cut short": TAKEN[:-9],
    "cut short after its kind": '{"event": "submi',
    "a number": "7",
    "a list": '["event"]',
    "a text": '"event"',
    "null": "null",
    "no kind": '{"token": "a"}',
    "a kind of no sense": '{"event": ["ended"], "token": "a"}',
    "an unknown kind": '{"event": "adopted", "token": "a"}',
    "no token": '{"event": "ended"}',
    "an empty token": '{"event": "ended", "token": ""}',
    "a token that is a path": '{"event": "ended", "token": "../a"}',
    "a token that is a number": '{"event": "ended", "token": 7}',
    "no id": '{"event": "submitted", "token": "b"}',
    "an empty id": '{"event": "submitted", "token": "b", "job_id": ""}',
    "an id that is a number": '{"event": "submitted", "token": "b", "job_id": 7}',
    "no outputs": '{"event": "submitting", "token": "b", "name": "r", "log": "l"}',
    "outputs that are a text": BEGUN.replace('"a"', '"b"').replace('["a.tif"]', '"a.tif"'),
    "outputs that are numbers": BEGUN.replace('"a"', '"b"').replace('["a.tif"]', "[1]"),
    "bytes that are no text": b'{"event": "ended", "token": "\xff\xfe"}',
    "zeros, as a file system leaves them": b"\0" * 64,
    "too deep": "[" * 100_000,
}


@pytest.mark.parametrize("line", DAMAGED.values(), ids=DAMAGED)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_damaged_line_is_counted_and_hides_no_other(tmp_path, line, place):
    lines = [BEGUN, TAKEN]
    lines.insert(place, line)
    reading = reading_of(tmp_path, *lines)
    assert reading.entries == {"a": WHOLE}
    assert reading.ended == set()
    assert reading.damaged == 1


def test_a_line_that_was_cut_short_does_not_take_with_it_what_was_written_behind_it(tmp_path):
    reading = reading_of(tmp_path, BEGUN, TAKEN[:20] + ENDED)
    assert reading.entries == {}
    assert reading.damaged == 1


def test_of_a_lost_submission_the_id_is_kept(tmp_path):
    (left,) = reading_of(tmp_path, TAKEN).entries.values()
    assert (left.token, left.job_id, left.writes) == ("a", "7", [])


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


# Journals of others, damaged.


def damaged_run(folder: Path, *lines: str, host: str = "") -> Path:
    """The journal of a Snakemake that is gone, with these lines."""
    journal = Journal(folder)
    journal.close()
    path = journal.path.with_name(f"{host}-1-0123.jsonl") if host else journal.path
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_a_lost_line_is_made_good_by_the_folder_of_its_submission(tmp_path):
    Fence(tmp_path).allow(entry("a", "a.tif"))
    damaged_run(tmp_path, TAKEN, host="elsewhere")
    earlier = Earlier(tmp_path, tmp_path / "own")
    assert earlier.writers_of(["a.tif"]) == [replace(entry("a", "a.tif"), job_id="7")]
    assert earlier.damage == ""


def test_a_submission_that_no_journal_names_is_still_known_as_a_writer(tmp_path):
    """It is not ended at the start: its Snakemake may run, nobody knows which it is."""
    fence = Fence(tmp_path)
    for token in "ab":
        fence.allow(entry(token, f"{token}.tif"))
        fence.script(token).touch()
    (fence.script("b").parent / "allowed").rename(fence.script("b").parent / "running.8")
    earlier = Earlier(tmp_path, tmp_path / "own")
    assert earlier.of_dead_runs() == []
    (writer,) = earlier.writers_of(["b.tif"])
    assert writer == entry("b", "b.tif")
    assert earlier.living_owner([writer]) is None
    assert fence.revoke("b") == "8"
    earlier.gone(writer)
    assert earlier.writers_of(["b.tif"]) == []
    assert earlier.writers_of(["a.tif"]) == [entry("a", "a.tif")]


def test_a_submission_that_ended_or_never_may_start_is_no_writer(tmp_path):
    fence = Fence(tmp_path)
    for token in "abc":
        fence.allow(entry(token, "a.tif"))
    fence.revoke("a")
    fence.forget("b", keep_script=True)
    damaged_run(tmp_path, BEGUN.replace('"a"', '"c"'), ENDED.replace('"a"', '"c"'))
    assert Earlier(tmp_path, tmp_path / "own").writers_of(["a.tif"]) == []


def test_what_is_damaged_is_told_once_and_the_rest_counts(tmp_path):
    Fence(tmp_path).allow(entry("b", "b.tif"))
    path = damaged_run(tmp_path, BEGUN, TAKEN, "garbage", '{"event": "submi')
    other = damaged_run(tmp_path, "garbage", host="elsewhere")
    earlier = Earlier(tmp_path, tmp_path / "own")
    assert earlier.of_dead_runs() == [WHOLE]
    assert re.search(rf"{path} has 2 damaged lines[;.]", earlier.damage)
    assert re.search(rf"{other} has 1 damaged line[;.]", earlier.damage)
    earlier.gone(WHOLE)
    assert not path.exists()


def test_a_journal_of_which_nothing_is_left_is_told_once(tmp_path):
    path = damaged_run(tmp_path, "garbage")
    assert str(path) in Earlier(tmp_path, tmp_path / "own").damage
    assert Earlier(tmp_path, tmp_path / "own").damage == ""


def test_a_job_of_which_only_the_id_is_left_is_told_and_ended_with_its_run(tmp_path):
    damaged_run(tmp_path, TAKEN)
    earlier = Earlier(tmp_path, tmp_path / "own")
    assert [found.job_id for found in earlier.of_dead_runs()] == ["7"]
    assert "what these jobs write is not known: 7." in earlier.damage


def test_a_half_written_copy_of_a_record_is_not_trusted(tmp_path):
    fence = Fence(tmp_path)
    fence.allow(entry("a", "a.tif"))
    copy = fence.script("a").with_name("entry.json")
    for text in (copy.read_text()[:-5], copy.read_text().replace('"a"', '"b"'), ENDED, ""):
        copy.write_text(text, encoding="utf-8")
        assert fence.entry("a").writes == []
    copy.unlink()
    assert fence.entry("a").writes == []


def test_a_journal_that_is_no_file_is_told(tmp_path):
    Fence(tmp_path)
    path = tmp_path / "runs" / "folder.jsonl"
    path.mkdir(parents=True)
    earlier = Earlier(tmp_path, tmp_path / "own")
    assert f"{path} cannot be read (Is a directory)" in earlier.damage
    assert earlier.of_dead_runs() == []


def test_a_journal_that_was_copied_does_not_double_its_jobs(tmp_path):
    other = BEGUN.replace('"a"', '"b"')
    first = damaged_run(tmp_path, BEGUN, TAKEN, other)
    copy = first.with_name("~copy-1-0123.jsonl")  # made before the last line
    copy.write_text(f"{BEGUN}\n{TAKEN}\n", encoding="utf-8")
    earlier = Earlier(tmp_path, tmp_path / "own")
    orphans = earlier.of_dead_runs()
    assert [orphan.token for orphan in orphans] == ["a", "b"]
    for orphan in orphans:
        earlier.gone(orphan)
    assert earlier.writers_of(["a.tif"]) == earlier.of_dead_runs() == []
    assert not first.exists()


def test_striking_off_is_read_again_behind_a_line_that_was_cut_short(tmp_path):
    path = damaged_run(tmp_path, BEGUN, TAKEN, BEGUN.replace('"a"', '"b"'), '{"event": "submi')
    earlier = Earlier(tmp_path, tmp_path / "own")
    earlier.gone(WHOLE)
    assert read_journal(path).entries.keys() == {"b"}
    assert read_journal(path).damaged == 1
