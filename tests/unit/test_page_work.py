"""What jobs took and warned of, from logs and benchmarks as Snakemake and the jobs write them."""

from pathlib import Path

import pytest

from iota2_tools.core.jobs import job, unfinished_attempts
from iota2_tools.reporting.page.work import by_rule, finished_jobs, warnings_of

HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


@pytest.fixture
def results(tmp_path):
    def add(name, seconds, cpu, memory, asked, *lines):
        for kind, end in (("logs", "log"), ("benchmarks", "tsv")):
            (tmp_path / kind / f"{name}.{end}").parent.mkdir(parents=True, exist_ok=True)
        row = f"{seconds}\t0:00:00\t{memory}\t0\t0\t0\t0\t0\t0\t{cpu}\n"
        (tmp_path / "benchmarks" / f"{name}.tsv").write_text(HEADER + row)
        told = [
            f"2018-01-01 00:00:00,000 INFO    iota2_tools.core.jobs: asked for: 1 thread(s) and {asked} MB"
        ]
        (tmp_path / "logs" / f"{name}.log").write_text("\n".join([*told, *lines]) + "\n")

    warned = (
        "2018-01-01 00:00:01,000 WARNING iota2_tools.timeseries.inventory: X is left out: no file"
    )
    again = "2018-01-01 00:00:00,000 INFO    iota2_tools.core.jobs: attempts before this one that did not finish: 2"
    peak = "2018-01-01 00:00:02,000 INFO    iota2_tools.core.jobs: peak memory 512 MB"
    add("mask_series/A_s2", 1800, 900, 300, 1000, warned, peak, again.replace(": 2", ": 1"))
    add("mask_series/B_s2", 3600, 1800, 500, 1600, again, warned)
    add("split_polygons", 2, "-", "-", 1000)
    add("write_report", 9, 9, 9, 9)
    return tmp_path


def test_jobs_are_summed_by_rule_the_longest_first(results):
    masks, splits = by_rule(list(finished_jobs(results, frozenset({"write_report"}))))
    assert (masks.rule, masks.jobs, masks.hours, masks.cpu_hours) == ("mask_series", 2, 1.5, 0.75)
    assert (masks.longest_seconds, masks.peak_mb, masks.asked_mb) == (3600, 512, 1600)
    assert masks.repeated == 3
    # What Snakemake could not measure is not known, and no zero of memory.
    assert (splits.rule, splits.cpu_hours, splits.peak_mb, splits.repeated) == (
        "split_polygons",
        0,
        None,
        0,
    )


def test_a_warning_of_several_jobs_is_told_once_with_the_first(results):
    (warned,) = warnings_of(list(finished_jobs(results)))
    assert (warned.text, warned.times, warned.first) == (
        "X is left out: no file",
        2,
        "mask_series/A_s2",
    )


def test_attempts_that_did_not_finish_are_counted_until_one_does(tmp_path):
    log = str(tmp_path / "job.log")
    assert unfinished_attempts(log) == 0
    with pytest.raises(SystemExit), job(log, 1, 100):
        raise ValueError("first")
    assert unfinished_attempts(log) == 1
    with pytest.raises(SystemExit), job(log, 1, 100):
        raise ValueError("second")
    with job(log, 1, 100):
        pass
    assert "attempts before this one that did not finish: 2" in Path(log).read_text()
    assert unfinished_attempts(log) == 0
    with job(log, 1, 100):
        pass
    assert "did not finish" not in Path(log).read_text()


def test_a_job_that_was_killed_did_not_finish(tmp_path):
    """It could not tell its peak of memory."""
    log = tmp_path / "job.log"
    log.write_text(
        "2018-01-01 00:00:00,000 INFO    iota2_tools.core.jobs: asked for: 1 thread(s) and 9 MB\n"
    )
    assert unfinished_attempts(str(log)) == 1


@pytest.mark.parametrize(
    "text", ["", HEADER, HEADER + "12.5\t0:0", HEADER + "-\t-\n", "s\n3\n", "s\th"]
)
def test_a_benchmark_that_is_cut_does_not_stop_the_report(results, text):
    """Of a job that is being told of, or of a disk that was full."""
    known = [item.job for item in finished_jobs(results)]
    (results / "benchmarks" / "classify_tile").mkdir()
    (results / "benchmarks" / "classify_tile" / "T31TCJ.tsv").write_text(text)
    assert [item.job for item in finished_jobs(results)] == known
