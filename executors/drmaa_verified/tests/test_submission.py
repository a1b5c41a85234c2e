"""Native specifications, limits and log files."""

from pathlib import Path

import pytest
from snakemake_executor_plugin_drmaa_verified.errors import ExecutorError
from snakemake_executor_plugin_drmaa_verified.submission import (
    Need,
    SpecificationError,
    check_limits,
    job_name,
    log_path,
    native_specification,
    parse_limits,
)


def need(threads=1, rule="train_model", **resources) -> Need:
    return Need(rule, 7, 2, threads, {"mem_mb": 1000, "runtime": 30} | resources)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (
            "--partition={resources.partition} --cpus-per-task={threads} --time=0:{resources.runtime}",
            "--partition=long --cpus-per-task=3 --time=0:30",
        ),
        (
            "-q {resources.partition} -l select=1:ncpus={threads}:mem={resources.mem_mb}mb",
            "-q long -l select=1:ncpus=3:mem=1000mb",
        ),
        ("-pe smp {threads} -l h_vmem={mem_mb_per_thread}M", "-pe smp 3 -l h_vmem=334M"),
        ("{rule} {jobid} {attempt} {threads}", "train_model 7 2 3"),
        ("-l x={{a}} -pe smp {threads}", "-l x={a} -pe smp 3"),
    ],
)
def test_a_template_is_filled_in(template, expected):
    assert native_specification(template, need(threads=3, partition="long")) == expected


def test_an_empty_template_asks_for_nothing():
    assert native_specification("", need()) == ""


@pytest.mark.parametrize(
    ("template", "resources", "words"),
    [
        ("-q {resources.queue}", {}, r"rule train_model, job 7: .*\{resources.queue\}.* it has mem_mb, runtime"),
        ("-q {queue}", {}, r"unknown field \{queue\}; there are \{threads\}"),
        ("-q {threads:03d}", {}, r"unknown field \{threads:03d\}"),
        ("-q {resources.mem_mb", {}, "a brace itself is written"),
        ("-q {resources.queue}", {"queue": "a b"}, "'a b', which cannot stand"),
        ("-q {resources.queue}", {"queue": ""}, "'', which cannot stand"),
        ("-l mem={resources.mem_mb}", {"gpu": 1}, r"needs gpu=1, .*add \{resources.gpu\}"),
        ("-l mem={resources.mem_mb}", {"mpi": "mpirun"}, "needs mpi=mpirun"),
    ],
)  # fmt: skip
def test_what_cannot_be_expressed_is_an_error(template, resources, words):
    with pytest.raises(SpecificationError, match=words):
        native_specification(template, need(**resources))


def test_threads_that_are_not_asked_for_are_an_error():
    with pytest.raises(SpecificationError, match=r"has 4 threads, .* add \{threads\}"):
        native_specification("-l mem={resources.mem_mb}", need(threads=4))


def test_limits_are_checked_by_name():
    limits = parse_limits("mem_mb=999, threads=2 disk_mb=5")
    assert limits == {"mem_mb": 999, "threads": 2, "disk_mb": 5}
    with pytest.raises(SpecificationError, match="attempt 2, asks for mem_mb=1000, more than"):
        check_limits(limits, need())
    with pytest.raises(SpecificationError, match="asks for threads=3"):
        check_limits({"threads": 2}, need(threads=3))
    check_limits({"mem_mb": 1000, "threads": 3}, need(threads=3))


def test_a_malformed_limit_is_an_error():
    with pytest.raises(ExecutorError, match="'mem_mb=64G' is not NAME=NUMBER"):
        parse_limits("mem_mb=64G")


def test_a_log_is_a_file_of_its_own_whose_name_no_scheduler_expands():
    wildcards = {"tile": "T31TCJ", "name": "a/b:$JOB_ID%j"}
    path = log_path(Path("/logs"), need(), wildcards, "0123")
    assert path == Path("/logs/train_model/tile=T31TCJ,name=a_b__JOB_ID_j.2-0123.log")
    assert log_path(Path("/logs"), need(), {}, "0123").name == "job7.2-0123.log"


def test_a_job_name_begins_with_a_letter():
    assert job_name(need(rule="3d_model")) == "snakemake_3d_model"
