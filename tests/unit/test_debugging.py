"""The debugger inside a job, with a terminal of the test's making."""

import os
import subprocess
import sys

from terminals import Terminal

SCRIPT = """
import sys
from iota2_tools.core.errors import InputDataError
from iota2_tools.core.jobs import job

def divide(numerator, denominator):
    print("dividing")
    {inside}
    return numerator / denominator

with job(sys.argv[1], 1, 500):
    first = 6 * 7
    last = divide(first, {denominator})
print("after the job")
"""


def debug(tmp_path, typed: str, denominator: int = 2, inside: str = "pass"):
    """Run a job that divides 42, with this typed at its terminal; its end and what was shown."""
    terminal = Terminal(typed)
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(inside=inside, denominator=denominator), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "job.log")],
        env=os.environ | {"IOTA2_DEBUGGER": terminal.name},
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=120,
        start_new_session=True,
    )  # fmt: skip
    return done, terminal.shown()


def test_a_job_stops_where_its_work_begins(tmp_path):
    done, shown = debug(tmp_path, "next\np first, 'typed'\ncontinue\n")
    assert "first = 6 * 7\n" in shown
    assert "(42, 'typed')" in shown
    assert (done.returncode, done.stdout, done.stderr) == (0, "after the job\n", "")
    log = (tmp_path / "job.log").read_text()
    assert "dividing" in log
    assert "Pdb" not in log


def test_a_job_stops_at_a_breakpoint(tmp_path):
    done, shown = debug(tmp_path, "continue\np denominator * 100\ncontinue\n", 7, "breakpoint()")
    assert "700" in shown
    assert done.returncode == 0


def test_one_steps_from_line_to_line_of_the_script_only(tmp_path):
    done, shown = debug(tmp_path, "next\nnext\nstep\nstep\ncontinue\n")
    assert "> " in shown
    assert "contextlib" not in shown
    assert done.returncode == 0


def test_what_a_job_starts_is_not_debugged(tmp_path):
    inside = "import os; print(os.environ.get('IOTA2_DEBUGGER', 'no debugger'))"
    debug(tmp_path, "continue\n", inside=inside)
    assert "no debugger" in (tmp_path / "job.log").read_text()


def test_a_job_that_fails_stops_there_and_fails_all_the_same(tmp_path):
    done, shown = debug(tmp_path, "continue\np numerator * 100\nquit\n", denominator=0)
    assert "ZeroDivisionError: division by zero" in shown
    assert "4200" in shown
    assert done.returncode == 70
    assert "ZeroDivisionError" in (tmp_path / "job.log").read_text()


def test_a_mistake_of_the_user_can_be_looked_at_too(tmp_path):
    """In the log it has no traceback."""
    inside = "raise InputDataError('a.tif: is blue')"
    done, shown = debug(tmp_path, "continue\np numerator * 100\nquit\n", inside=inside)
    assert "4200" in shown
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_a_job_that_is_quit_has_failed_and_no_more_is_said(tmp_path):
    done, _ = debug(tmp_path, "quit\n")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    assert "Traceback" not in (tmp_path / "job.log").read_text()


def test_without_a_terminal_a_job_says_so(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(inside="pass", denominator=2), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "job.log")],
        env=os.environ | {"IOTA2_DEBUGGER": "/dev/nowhere"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "IOTA2_DEBUGGER is /dev/nowhere, which cannot be opened (No such file" in done.stderr
    assert "Traceback" not in done.stderr
