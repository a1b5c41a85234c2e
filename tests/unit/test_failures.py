"""The digest of what failed jobs say."""

import os

import pytest

from iota2_tools.core.errors import InputDataError
from iota2_tools.core.logs import log_to
from iota2_tools.reporting.failures import told_failures


def fail(path, error: Exception) -> None:
    with pytest.raises((SystemExit, type(error))), log_to(str(path)):
        raise error


def test_each_message_stands_whole_under_its_log(tmp_path):
    fail(tmp_path / "take_inventory" / "T31TCJ.log", InputDataError("two problems:\n  a\n  b"))
    fail(tmp_path / "train_model" / "region_1.log", InputDataError("no sample"))
    said = told_failures(tmp_path, 0)
    assert said == (
        f"{tmp_path}/take_inventory/T31TCJ.log:\n  two problems:\n    a\n    b\n"
        f"{tmp_path}/train_model/region_1.log:\n  no sample"
    )


def test_an_unexpected_exception_is_told_without_its_traceback(tmp_path):
    fail(tmp_path / "a.log", ZeroDivisionError("division by zero"))
    assert told_failures(tmp_path, 0) == f"{tmp_path}/a.log:\n  ZeroDivisionError: division by zero"


def test_logs_of_good_jobs_and_of_earlier_runs_say_nothing(tmp_path):
    with log_to(str(tmp_path / "good.log")):
        print("2018-01-01 12:00:00 WARNING x: an ERROR was avoided")
    fail(tmp_path / "earlier.log", InputDataError("mended since"))
    os.utime(tmp_path / "earlier.log", (1000, 1000))
    assert told_failures(tmp_path, 2000) == ""


def test_without_a_folder_of_logs_there_is_nothing_to_tell(tmp_path):
    assert told_failures(tmp_path / "logs", 0) == ""
