"""Threads, memory and files of a job, as libraries and system themselves tell them."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from iota2_tools.core import jobs
from iota2_tools.core.jobs import THREAD_VARIABLES, job
from iota2_tools.geo.grid import Grid, Window
from iota2_tools.geo.raster import create_raster


@pytest.mark.parametrize("threads", [1, 2])
def test_linear_algebra_keeps_to_the_threads_of_the_job(tmp_path, threads):
    np.ones((2, 2)) @ np.ones((2, 2))
    with job(str(tmp_path / "job.log"), threads, 1000):
        assert {pool["num_threads"] for pool in threadpool_info()} == {threads}


def test_the_environment_is_as_it_was_afterwards(tmp_path):
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    with job(str(tmp_path / "job.log"), 3, 1000):
        assert os.environ["GDAL_NUM_THREADS"] == "3"
    assert {name: os.environ.get(name) for name in THREAD_VARIABLES} == before


@pytest.mark.slow
def test_otb_tells_the_threads_and_memory_it_was_given(tmp_path):
    """In a process of its own: OTB reads them once."""
    pytest.importorskip("otbApplication")
    log, image = tmp_path / "job.log", str(tmp_path / "a.tif")
    with create_raster(image, Grid("EPSG:32631", 0, 0, 10, 4, 4), "uint8") as raster:
        raster.write(np.ones((4, 4), np.uint8), Window(0, 0, 4, 4))
    parameters = {"il": [image], "out": str(tmp_path / "b.tif"), "exp": "im1b1"}
    program = f"""
from iota2_tools import otb
from iota2_tools.core.jobs import job
with job({str(log)!r}, 1, 2000):
    otb.run("BandMathX", {parameters!r})
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    text = log.read_text()
    assert "OTB will use at most 1 threads" in text
    assert "Default RAM limit for OTB is 500 MB" in text


def test_the_log_tells_what_was_asked_for_and_taken(tmp_path):
    log = tmp_path / "job.log"
    with job(str(log), 2, 1234):
        pass
    assert "asked for: 2 thread(s) and 1234 MB" in log.read_text()
    assert "peak memory" in log.read_text()


def test_peak_memory_holds_what_was_freed():
    program = """
import numpy as np
from iota2_tools.core.platform import peak_memory_mb
before = peak_memory_mb()
np.ones(60_000_000, dtype=np.uint8)
print(peak_memory_mb() - before)
"""  # in a process of its own: in this one much may have been freed already
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert float(done.stdout) >= 30


def test_a_job_may_open_as_many_files_as_the_system_allows(tmp_path):
    log = tmp_path / "job.log"
    program = f"""
from iota2_tools.core.jobs import job
with job({str(log)!r}, 1, 1000):
    files = [open("/dev/null") for _ in range(300)]
"""
    shell = 'set -e; ulimit -Sn 64; ulimit -Hn 4096; exec "$0" -c "$1"'
    subprocess.run(["bash", "-c", shell, sys.executable, program], check=True)
    assert "files open at once: 4096" in log.read_text()


def test_other_software_in_the_way_of_a_job_is_one_message(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(jobs, "environment_problems", lambda: ["PROJ_LIB leads astray", "old"])
    with pytest.raises(SystemExit), job(str(tmp_path / "job.log"), 1, 1000):
        raise AssertionError("the work has begun")
    told = capfd.readouterr().err
    assert "MissingSoftwareError: the environment of this job has 2 problems:" in told
    assert "  PROJ_LIB leads astray\n  old" in told


def test_what_was_left_out_of_the_environment_stands_in_the_log_of_a_job(tmp_path):
    log = tmp_path / "job.log"
    program = f"""
from iota2_tools.core.jobs import job
with job({str(log)!r}, 1, 1000):
    pass
"""
    own = {**os.environ, "PROJ_LIB": "/nowhere"}
    subprocess.run([sys.executable, "-c", program], env=own, check=True)
    assert log.read_text().count("PROJ_LIB=/nowhere is left out: there is no proj.db") == 1


def test_a_rank_on_another_node_may_open_as_many_files_as_the_system_allows(tmp_path):
    """A launcher of MPI may hand no limits to other nodes."""
    task = tmp_path / "task.pickle"
    arguments = {"args": ["bash", "-c", "ulimit -Sn"]}
    task.write_bytes(pickle.dumps(("subprocess", "run", arguments)))
    program = """
import sys
from iota2_tools.core import ranks
ranks.MpiRanks = ranks.Alone
ranks._rank(sys.argv[1])
"""
    shell = 'set -e; ulimit -Sn 64; ulimit -Hn 4096; exec "$0" -c "$1" "$2"'
    command = ["bash", "-c", shell, sys.executable, program, str(task)]
    assert subprocess.run(command, check=True, capture_output=True).stdout == b"4096\n"
