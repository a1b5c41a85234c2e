"""The log of a job; `/dev/full` is a disk without room."""

import logging
import subprocess
import sys

from iota2_tools.core.logs import log_to

JOB = """
import sys
from iota2_tools.core.errors import InputDataError
from iota2_tools.core.logs import log_to
with log_to(sys.argv[1]):
    {}
"""


def run_job(log, body: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", JOB.format(body), str(log)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_messages_and_prints_of_a_job_are_in_its_log_only(tmp_path, capfd):
    log = tmp_path / "rule" / "tile.log"
    with log_to(str(log)):
        logging.getLogger("iota2_tools.x").info("twelve acquisitions")
        print("printed")
    text = log.read_text()
    assert "twelve acquisitions" in text
    assert "printed" in text
    assert capfd.readouterr() == ("", "")


def test_a_mistake_of_the_user_ends_without_traceback(tmp_path):
    done = run_job(tmp_path / "job.log", "raise InputDataError('a.tif: is blue')")
    assert done.returncode == 1
    assert "InputDataError: a.tif: is blue" in done.stderr
    assert "Traceback" not in done.stderr
    assert "a.tif: is blue" in (tmp_path / "job.log").read_text()


def test_a_job_that_is_stopped_has_no_traceback(tmp_path):
    done = run_job(tmp_path / "job.log", "raise KeyboardInterrupt")
    assert (done.returncode, done.stderr) == (130, "")
    assert "stopped by the user" in (tmp_path / "job.log").read_text()


def test_a_fault_of_the_chain_is_one_line_and_its_traceback_in_the_log(tmp_path):
    done = run_job(tmp_path / "job.log", "1 / 0")
    assert done.returncode == 70
    assert done.stderr == (
        f"\na fault of the chain, ZeroDivisionError: division by zero (log: {tmp_path / 'job.log'}); please report "
        "it, with that log\n"
    )
    text = (tmp_path / "job.log").read_text()
    assert "Traceback" in text
    assert "ZeroDivisionError" in text


def test_an_error_of_the_system_about_a_file_is_a_sentence_and_its_traceback_in_the_log(tmp_path):
    done = run_job(tmp_path / "job.log", "open('/nowhere/a.csv')")
    assert done.returncode == 1
    assert "FileNotFoundError: /nowhere/a.csv: No such file or directory\n(log: " in done.stderr
    assert "Traceback" not in done.stderr
    assert "Traceback" in (tmp_path / "job.log").read_text()


def test_an_error_of_the_system_about_no_file_is_a_fault_of_the_chain(tmp_path):
    done = run_job(tmp_path / "job.log", "raise OSError(5, 'Input/output error')")
    assert done.returncode == 70
    assert "Traceback" not in done.stderr
    assert "Input/output error" in done.stderr
    assert "Traceback" in (tmp_path / "job.log").read_text()


def test_a_full_disk_does_not_hide_what_the_job_says_of_itself():
    done = run_job("/dev/full", "print('x' * 100000); raise InputDataError('a.tif: is blue')")
    assert done.returncode == 1
    assert "InputDataError: a.tif: is blue" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_job_that_works_does_so_without_room_for_its_log():
    done = run_job("/dev/full", "print('x' * 100000)")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_log_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    done = run_job(tmp_path / "file" / "job.log", "print('never')")
    assert done.returncode == 1
    assert "cannot be written (File exists)" in done.stderr
    assert "Traceback" not in done.stderr
