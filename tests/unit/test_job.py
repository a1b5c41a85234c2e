"""Which job a log is of, and the command that runs it again."""

import os
import re
import shlex
from pathlib import Path

import pytest
import yaml
from conftest import ROOT

from iota2_tools.commands import cli
from iota2_tools.commands.job import Job, job_of, log_patterns
from iota2_tools.core.errors import InputDataError

PATTERNS = log_patterns(ROOT)


def test_the_log_of_every_rule_is_known():
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "rules").glob("*.smk"))
    with_log = re.findall(r'^    log:\n +"<logs>/(\w+)', text, re.MULTILINE)
    assert len(with_log) > 20
    assert text.count("\n    log:\n") == len(with_log)
    assert sorted(PATTERNS) == sorted(with_log)  # a log bears the name of its rule


@pytest.mark.parametrize(
    ("log", "target"),
    [
        ("split_polygons.log", "split_polygons:"),
        ("take_inventory/T31TCJ.log", "take_inventory:tile=T31TCJ"),
        ("mask_series/T31TCJ_sentinel2.log", "mask_series:tile=T31TCJ,series=sentinel2"),
        ("train_model/region_1_seed_0.log", "train_model:region=1,seed=0"),
        (
            "train_model/region_no_seed_2_b_seed_10.log",
            "train_model:region=no_seed_2_b,seed=10",
        ),
        (
            "classify_tile/T31TCJ_region_north-west_2.log",
            "classify_tile:tile=T31TCJ,region=north-west_2",
        ),
        ("mosaic_classes/3.log", "mosaic_classes:seed=3"),
    ],
)
def test_a_log_tells_its_rule_and_its_wildcards(tmp_path, log, target):
    job = job_of(tmp_path / "logs" / log, tmp_path / "logs", PATTERNS)
    assert job.target == target


@pytest.mark.parametrize(
    "log",
    [
        "train_model/region_1_seed_a.log",  # a seed is a number
        "train_model/region_1.log",
        "train_model/x/region_1_seed_0.log",
        "nothing/T31TCJ.log",
        "split_polygons.txt",
        "split_polygons.log.gz",
        "train_model/region_1_seed_0.log.1",
    ],
)
def test_a_log_of_no_job_is_refused(tmp_path, log):
    with pytest.raises(InputDataError, match="no job of a production writes this log"):
        job_of(tmp_path / "logs" / log, tmp_path / "logs", PATTERNS)


def test_the_log_that_was_meant_is_named(tmp_path):
    folder = tmp_path / "logs" / "train_model"
    folder.mkdir(parents=True)
    (folder / "region_1_seed_0.log").touch()
    with pytest.raises(InputDataError, match=r"did you mean .*/region_1_seed_0\.log\?"):
        job_of(folder / "region_1_sed_0.log", tmp_path / "logs", PATTERNS)


def test_a_log_of_another_production_is_refused(tmp_path):
    log = tmp_path / "other" / "logs" / "split_polygons.log"
    with pytest.raises(InputDataError, match=r"is not in .*logs, where this production"):
        job_of(log, tmp_path / "logs", PATTERNS)


@pytest.mark.parametrize("folder", ["slurm_logs/rule_a/12.log", "drmaa-verified/logs/a/b.1-0f.log"])
def test_what_the_scheduler_kept_is_not_the_log_of_a_rule(tmp_path, folder):
    log = tmp_path / ".snakemake" / folder
    with pytest.raises(InputDataError, match=r"what the scheduler kept of a job.*in .*/logs"):
        job_of(log, tmp_path / "logs", PATTERNS)


def test_rules_that_are_made_of_others_are_known_and_those_without_a_log_are_not(tmp_path):
    (tmp_path / "workflow").mkdir()
    (tmp_path / "rules").mkdir()
    (tmp_path / "workflow" / "Snakefile").write_text(
        'wildcard_constraints:\n    seed=r"\\d+",\n\nrule all:\n    input:\n        "a",\n'
    )
    (tmp_path / "rules" / "a.smk").write_text(
        'rule one:\n    input:\n        "a",\n\n\n'
        'rule two:\n    output:\n        "b",\n    log:\n        "<logs>/two/{seed}.log",\n\n\n'
        'use rule two as three with:\n    log:\n        "<logs>/three/{seed}.log",\n'
    )
    patterns = log_patterns(tmp_path)
    assert list(patterns) == ["two", "three"]
    assert patterns["three"].fullmatch("three/12.log")["seed"] == "12"
    assert patterns["two"].fullmatch("two/a.log") is None
    assert patterns["two"].fullmatch("two/1xlog") is None


@pytest.fixture
def production(tmp_path, monkeypatch) -> Path:
    """A folder with a configuration, which is where things are typed."""
    text = (ROOT / "config" / "minimal.yaml").read_text(encoding="utf-8")
    config = yaml.safe_load(text) | {"output": "my results"}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


COMMAND = ["job", "my results/logs/train_model/region_1_seed_0.log", "--configfile", "own.yaml"]


def test_the_command_is_said_as_it_can_be_typed(production, capsys):
    assert cli.main(COMMAND) == 0
    said = shlex.split(capsys.readouterr().out)
    assert said[0] == "IOTA2_DEBUGGER=/dev/tty"
    assert said[2:6] == ["-m", "snakemake", "--snakefile", str(ROOT / "workflow" / "Snakefile")]
    assert said[6:8] == ["--configfile", "own.yaml"]
    assert said[-5:] == [
        "--force",
        "--allowed-rules",
        "train_model",
        "--target-jobs",
        "train_model:region=1,seed=0",
    ]


def test_the_command_is_run_at_once_where_that_is_wanted(production, monkeypatch):
    became = []
    monkeypatch.setattr(os, "execvp", lambda program, command: became.extend(command))
    monkeypatch.setenv("IOTA2_DEBUGGER", "")
    cli.main([*COMMAND, "--run"])
    assert became[-1] == "train_model:region=1,seed=0"
    assert os.environ["IOTA2_DEBUGGER"] == "/dev/tty"


def test_a_log_of_elsewhere_ends_with_a_sentence(production, capsys):
    assert cli.main(["job", "logs/split_polygons.log", "--configfile", "own.yaml"]) == 2
    assert "type this in the folder where the production is started" in capsys.readouterr().err


def test_a_job_without_wildcards_is_asked_for_by_its_rule_and_a_colon():
    assert Job("split_polygons", {}).target == "split_polygons:"
