"""A fault of the chain: one line, the path of a log, exit code 70."""

import subprocess
import sys
from pathlib import Path

import pytest

from iota2_tools.commands import check, cli
from iota2_tools.core import faults


def broken(*_):
    raise KeyError("B4 of\n T31TCJ")


def test_a_fault_is_one_line_and_its_traceback_in_a_log(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(check, "run", broken)
    assert cli.main(["check", "config.yaml"]) == 70
    told = capsys.readouterr()
    assert told.out == ""
    (line,) = told.err.splitlines()
    (log,) = (tmp_path / "iota2-tools" / "faults").iterdir()
    assert line.startswith("iota2: a fault of the chain, KeyError: 'B4 of")
    assert f"(log: {log})" in line
    text = log.read_text()
    assert "Traceback" in text
    assert "in broken" in text


def test_without_a_folder_for_caches_the_log_is_in_the_temporary_one(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(faults.tempfile, "gettempdir", lambda: str(tmp_path / "temporary"))
    log = faults.written(ValueError("x"))
    assert Path(log).parent == tmp_path / "temporary"
    monkeypatch.setattr(faults.tempfile, "gettempdir", lambda: str(tmp_path / "file"))
    assert faults.written(ValueError("x")) == ""
    assert "no log could be written" in faults.one_line(ValueError("x"), "")


def test_too_little_memory_is_no_fault_of_the_chain():
    told = faults.one_line(MemoryError("Unable to allocate 9 GiB"), "a.log")
    assert told == (
        "too little memory, MemoryError: Unable to allocate 9 GiB (log: a.log); give it more "
        "(a job: --set-resources RULE:mem_mb=…)"
    )


def test_an_import_that_fails_inside_the_package_is_a_fault_of_ours(monkeypatch, capsys):
    def absent(*_):
        raise ImportError("cannot import name 'x'", name="iota2_tools.x")

    monkeypatch.setattr(check, "run", absent)
    assert cli.main(["check", "config.yaml"]) == 70
    assert "Traceback" not in capsys.readouterr().err


def test_interrupted_by_the_user_it_is_no_fault(monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(check, "run", stopped)
    assert cli.main(["check", "config.yaml"]) == 130


@pytest.mark.slow
def test_what_reads_the_words_may_end_first():
    command = f"{sys.executable} -m iota2_tools.commands.cli --help | true"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
