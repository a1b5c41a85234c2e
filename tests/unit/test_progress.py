"""How far a run is, from its journal; times by hand."""

import io
import json
import logging
import os
import re

import pytest

from iota2_tools.commands.shown import Shown
from iota2_tools.commands.status import state_of
from iota2_tools.core.platform import process_start
from iota2_tools.planning.journal import Journal, WhenPlanned, is_told
from iota2_tools.planning.progress import Progress

STAGES = {"mask": "init", "train": "learning", "map": "classification"}
BEGUN = {
    "event": "begun", "time": 100.0, "host": os.uname().nodename, "pid": os.getpid(), "user": "ada",
    "start": process_start(os.getpid()), "cores": 2, "stretch": 1.5,
    "jobs": {
        "mask": {"count": 4, "seconds": 10, "threads": 1},
        "train": {"count": 1, "seconds": 20, "threads": 2},
        "map": {"count": 2, "seconds": 30, "threads": 8},
        "all": {"count": 1, "seconds": 0, "threads": 1},
    },
}  # fmt: skip


def started(job, rule, time, **wildcards):
    return {"event": "started", "job": job, "rule": rule, "wildcards": wildcards, "time": time}


def finished(job, time):
    return {"event": "finished", "job": job, "time": time}


def failed(job, rule, time, log="a.log"):
    return {"event": "failed", "job": job, "rule": rule, "log": [log], "time": time}


def progress(*events) -> Progress:
    found = Progress(STAGES)
    found.feed(json.dumps(event) for event in (BEGUN, *events))
    return found


def test_at_first_all_is_to_do_as_planned():
    # 4 x 10 x 1 + 1 x 20 x 2 + 2 x 30 x 2 (of two cores a job takes two) = 200; 2 cores; x 1.5.
    assert progress().seconds_left(100) == 150
    assert progress().line(100) == "init 0/4, 0 of 8 jobs, about 2 min left"


def test_jobs_that_are_done_tell_how_long_the_others_of_their_rule_take():
    now = progress(started(1, "mask", 100), finished(1, 105))
    # 3 x 5; of the others 10 s at half the planned pace and 10 s at the planned one tell 3/4 of it:
    # 1 x 15 x 2 + 2 x 22.5 x 2.
    assert now.seconds_left(105) == pytest.approx((15 + 30 + 90) / 2 * 1.5)
    assert now.done == {"mask": 1}


def of_quick_jobs(*jobs: tuple[float, float]) -> Progress:
    """On one core: 20 quick jobs of 1 s and two long ones of 100 s are planned; some took (begin, end)."""
    found = Progress({"prepare": "prepare", "train": "learning", "draw": "init"})
    plan = {
        "prepare": {"count": 20, "seconds": 1, "threads": 1},
        "draw": {"count": 1, "seconds": 2, "threads": 1},
        "train": {"count": 2, "seconds": 100, "threads": 1},
    }
    begun = BEGUN | {"cores": 1, "stretch": 1, "jobs": plan}
    events = [begun]
    for number, (begin, end) in enumerate(jobs):
        events += [started(number, "prepare", begin), finished(number, end)]
    found.feed(map(json.dumps, events))
    return found


def test_what_quick_jobs_take_longer_to_start_is_no_pace_of_long_ones():
    # All 20 took 25 s in place of 1: 24 s more a job, and no more than twice the time of the work.
    now = of_quick_jobs(*((25 * n, 25 * n + 25) for n in range(20)))
    assert now.seconds_left(500) == pytest.approx(2 * 25 + 2 * (2 * 100 + 24))


def test_quick_jobs_that_take_no_time_are_no_pace_of_long_ones_either():
    # A tenth of their plan: 0.9 s less a job, and no less than half the time of the work.
    now = of_quick_jobs(*((n, n + 0.1) for n in range(20)))
    assert now.seconds_left(20) == pytest.approx(2 * 0.1 + 2 * (0.5 * 100 - 0.9))


def test_quick_jobs_that_take_half_as_long_again_tell_as_much_of_the_others():
    now = of_quick_jobs((0, 1.5), (1.5, 3.0))
    assert now.seconds_left(3) == pytest.approx(18 * 1.5 + 3 + 2 * (150 + 0.5))


def test_quick_jobs_of_which_none_has_ended_go_at_the_pace_of_the_long_ones():
    """Of 20 s planned a job took 40: those of 10 + 20 s count for 40 + 10, 5/3; a job of 3 s takes twice as long."""
    jobs = {
        "train": {"count": 1, "seconds": 20, "threads": 2},
        "mask": {"count": 4, "seconds": 3, "threads": 1},
        "map": {"count": 1, "seconds": 30, "threads": 1},
    }
    now = progress({"jobs": jobs} | {k: v for k, v in BEGUN.items() if k != "jobs"},
                   started(1, "train", 100), finished(1, 140))  # fmt: skip
    assert now.seconds_left(140) == pytest.approx((4 * 3 * 2 + 30 * 5 / 3) / 2 * 1.5)


def test_what_a_job_has_spent_is_not_left():
    now = progress(started(1, "mask", 100))
    assert now.seconds_left(104) == pytest.approx((200 - 4) / 2 * 1.5)
    assert now.seconds_left(190) == pytest.approx((200 - 10) / 2 * 1.5)  # no less than nothing


def test_stages_are_counted_in_order_and_targets_are_of_none():
    now = progress(started(1, "mask", 100), finished(1, 110), started(2, "train", 110, seed="0"))
    assert list(now.by_stage().items()) == [
        ("init", (1, 4)), ("learning", (0, 1)), ("classification", (0, 2)),
    ]  # fmt: skip
    assert now.stage() == "learning"  # of which a job runs
    assert str(next(iter(now.running.values()))) == "train (seed 0)"


def test_a_failure_is_told_until_the_job_is_done_after_all():
    now = progress(started(1, "mask", 100), failed(1, "mask", 101), started(1, "mask", 102))
    assert "1 failed" in now.line(102)
    assert progress(started(1, "mask", 100), failed(1, "mask", 101)).running == {}
    now.feed([json.dumps(finished(1, 105))])
    assert now.failed == []
    assert now.done["mask"] == 1


def test_lines_that_are_not_whole_are_left_out(tmp_path):
    journal = tmp_path / "run.jsonl"
    journal.write_text(json.dumps(BEGUN) + "\n" + '{"event": "star', encoding="utf-8")
    found = Progress.of(journal, STAGES)
    assert found
    assert found.total == 8
    journal.write_text("", encoding="utf-8")
    assert Progress.of(journal, STAGES) is None
    assert Progress.of(tmp_path / "absent", STAGES) is None


def test_the_state_of_a_run_in_a_word():
    every = [started(n, "mask", 100) for n in range(4)] + [finished(n, 101) for n in range(4)]
    every += [started(5, "train", 100), finished(5, 102), started(8, "all", 102), finished(8, 103)]
    every += [started(n, "map", 102) for n in (6, 7)] + [finished(n, 103) for n in (6, 7)]
    ended = {"event": "ended", "time": 104}
    assert state_of(None, None) == "none"
    assert state_of(progress(), None) == "running"
    assert state_of(progress({**BEGUN, "start": "before"}), None) == "killed"
    assert state_of(progress({**BEGUN, "start": "before", "host": "far"}), None) == "running"
    assert state_of(progress(ended), None) == "ended"
    assert state_of(progress(*every, ended), None) == "complete"


class _Screen(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_has_one_line_that_is_written_again_below_the_messages(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    screen = _Screen()
    shown = Shown(screen, Progress(STAGES))
    shown.take([json.dumps(BEGUN)])
    shown.message("WARNING: a cloud")
    shown.take([json.dumps(failed(3, "train", 104, "logs/train.log"))])
    shown.end(1)
    text = screen.getvalue()
    assert re.match(
        r"\r\x1b\[Kinit 0/4, 0 of 8 jobs, about [^\n]* left\r\x1b\[KWARNING: a cloud\n", text
    )
    assert "failed: train; log: logs/train.log\n" in text
    assert text.endswith("1 failed; what is done is kept, the same command goes on from there\n")


def test_a_run_that_is_stopped_says_so_and_not_what_its_jobs_say_of_it():
    screen = io.StringIO()
    shown = Shown(screen, Progress(STAGES))
    shown.take(
        [json.dumps(BEGUN), json.dumps(started(1, "mask", 101)), json.dumps(finished(1, 102))]
    )
    begun = screen.getvalue()
    shown.stop()
    shown.stop()
    shown.message("KeyboardInterrupt")
    shown.take([json.dumps(failed(3, "train", 104, "logs/train.log"))])
    shown.end(1)
    assert screen.getvalue().removeprefix(begun).splitlines() == [
        "stopping: jobs at work are ended; what is done is kept",
        "stopped: 1 of 8 jobs done; the same command goes on from there",
    ]


def test_elsewhere_there_are_plain_lines_at_the_end_of_a_stage():
    screen = io.StringIO()
    shown = Shown(screen, Progress(STAGES))
    shown.take([json.dumps(BEGUN)])
    for number in range(4):
        shown.take([json.dumps(started(number, "mask", 101)), json.dumps(finished(number, 102))])
    lines = screen.getvalue().splitlines()
    assert [line.split(",")[0][9:] for line in lines] == ["init 0/4", "learning 0/1"]
    assert "\x1b" not in screen.getvalue()


def test_a_failure_is_shown_though_another_one_was_overcome():
    screen = io.StringIO()
    shown = Shown(screen, Progress(STAGES))
    shown.take([json.dumps(BEGUN), json.dumps(started(1, "mask", 101))])
    shown.take([json.dumps(failed(1, "mask", 102, "a.log")), json.dumps(started(1, "mask", 103))])
    second = started(2, "mask", 104, tile="T31TCJ")
    shown.take([json.dumps(finished(1, 104)), json.dumps(second)])
    shown.take([json.dumps(failed(2, "mask", 105, "b.log"))])
    lines = [line for line in screen.getvalue().splitlines() if line.startswith("failed")]
    assert lines == ["failed: mask; log: a.log", "failed: mask (tile T31TCJ); log: b.log"]


def test_a_run_without_jobs_says_so():
    screen = io.StringIO()
    Shown(screen, Progress(STAGES)).end(0)
    assert screen.getvalue() == "nothing to be done: all is up to date\n"


def record(event, level=logging.INFO, **fields):
    found = logging.LogRecord("snakemake", level, "", 0, "words", None, None)
    vars(found).update(fields, event=event) if event else None
    return found


def test_the_journal_is_what_snakemake_tells_its_handlers(tmp_path):
    facts = {key: value for key, value in BEGUN.items() if key not in ("event", "time")}
    path = tmp_path / "logs" / "run.jsonl"
    journal = Journal(path, lambda: facts)
    journal.emit(record(None))
    assert not path.exists()
    journal.emit(record("run_info", stats={}))
    journal.emit(record("job_info", jobid=7, rule_name="mask", wildcards={"tile": "T31TCJ"}))
    journal.emit(record("job_finished", job_id=7))
    journal.emit(record("job_error", jobid=8, rule_name="train", log=["t.log"]))
    journal.emit(record("run_info", stats={}))  # told again at the end of some runs
    found = Progress.of(path, STAGES)
    assert found
    assert found.done == {"mask": 1}
    assert found.failed[0]["log"] == ["t.log"]
    assert not found.ended
    journal.close()
    assert Progress.of(path, STAGES).ended


def test_a_dry_run_leaves_the_journal_of_the_run_before(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_text("before", encoding="utf-8")
    journal = Journal(path, lambda: None)
    journal.emit(record("run_info"))
    journal.emit(record("job_info", jobid=7, rule_name="mask", wildcards={}))
    journal.close()
    assert path.read_text(encoding="utf-8") == "before"


@pytest.mark.parametrize(
    ("event", "level", "told"),
    [
        (None, logging.INFO, False),
        (None, logging.WARNING, True),
        (None, logging.ERROR, True),
        ("error", logging.ERROR, True),
        ("job_error", logging.ERROR, False),
        ("group_error", logging.ERROR, False),
        ("job_info", logging.INFO, False),
    ],
)
def test_who_follows_the_progress_reads_warnings_and_errors_alone(event, level, told):
    assert is_told(record(event, level)) is told


def test_that_the_script_of_a_job_failed_is_told_by_the_job_itself():
    assert is_told(record("error", logging.ERROR, exception="WorkflowError"))
    assert not is_told(record("error", logging.ERROR, exception="RuleException"))


def test_a_plan_is_taken_once_when_the_jobs_are_known_or_there_are_none():
    done = []
    handler = WhenPlanned("all is done", lambda: done.append(1))
    handler.emit(record(None))
    assert done == []
    handler.emit(record("run_info"))
    handler.emit(record("run_info"))
    assert done == [1]
    other = WhenPlanned("words", lambda: done.append(2))
    other.emit(record(None))
    assert done == [1, 2]
