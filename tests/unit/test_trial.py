"""What `iota2 doctor --profile` says without a scheduler."""

import os

import pytest
from conftest import ROOT

from iota2_tools.cluster.site import read_site
from iota2_tools.cluster.slurm import _minutes
from iota2_tools.commands import trial
from iota2_tools.commands.findings import Finding
from iota2_tools.commands.trial import (
    clock,
    drmaa_library,
    examine_profile,
    executor_of,
    hidden_profile,
    installed_executor,
)
from iota2_tools.core.errors import ConfigError


@pytest.fixture
def site(tmp_path, monkeypatch):
    (tmp_path / "site.yaml").touch()
    monkeypatch.setenv("IOTA2_SITE", str(tmp_path / "site.yaml"))
    monkeypatch.delenv("DRMAA_LIBRARY_PATH", raising=False)
    return read_site()


def test_an_unknown_profile_is_told_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"no profile 'slrum'; there are .*slurm-native"):
        executor_of("slrum")


def test_a_profile_of_this_machine_has_nothing_to_submit(tmp_path):
    (finding,) = examine_profile("local", tmp_path, 1)
    assert not finding.fatal
    assert "nothing to submit" in finding.found


@pytest.mark.parametrize("path", sorted((ROOT / "profiles").glob("*/config.yaml")), ids=str)
def test_the_executor_of_each_profile_is_installed(path):
    executor = executor_of(path.parent.name)
    assert executor is None or installed_executor(executor) == []


def test_an_executor_that_an_update_brought_is_told_to_be_installed():
    (finding,) = installed_executor("slurm-patience")
    assert finding.fatal
    assert finding.found == "no package snakemake_executor_plugin_slurm_patience"
    assert finding.remedy == "run `make setup`"


def test_a_profile_that_hides_ours_where_productions_are_started_is_told(tmp_path, monkeypatch):
    other = Finding("profiles", "`--profile slurm` takes another", "rename it")
    asked = []

    def examine(folder, names):
        asked.append((folder, names))
        return [Finding("profiles", "local"), other]

    monkeypatch.setattr(trial, "examine_profiles", examine)
    assert hidden_profile("slurm", tmp_path) == [other]
    assert asked == [(tmp_path, ["slurm"])]
    assert hidden_profile("slurm", tmp_path / "absent") == []


def test_no_library_is_named(site):
    (finding,) = drmaa_library("slurm", site)
    assert finding.fatal
    assert finding.found == "no DRMAA library is named"
    assert "ask the administrators for Slurm's libdrmaa.so" in finding.remedy


def test_a_library_that_is_not_there(site):
    (finding,) = drmaa_library(
        "pbs", site.model_copy(update={"drmaa_library": "/nowhere/libdrmaa.so"})
    )
    assert finding.fatal
    assert finding.found == "/nowhere/libdrmaa.so: no such file"


def test_a_library_that_is_not_of_drmaa(site, tmp_path):
    file = tmp_path / "libdrmaa.so"
    file.write_text("no library", encoding="utf-8")
    (finding,) = drmaa_library("slurm", site.model_copy(update={"drmaa_library": str(file)}))
    assert finding.fatal
    assert "cannot be used for Slurm" in finding.found


def test_a_library_that_does_not_tell_its_name_is_not_waited_for(site, tmp_path, monkeypatch):
    file = tmp_path / "libdrmaa.so"
    file.touch()
    monkeypatch.setattr(trial, "IDENTIFY", "import time; time.sleep(600)")
    monkeypatch.setattr(trial, "LIBRARY_SECONDS", 0.1)
    (finding,) = drmaa_library("slurm", site.model_copy(update={"drmaa_library": str(file)}))
    assert finding.fatal
    assert finding.found == f"{file} tells no name in 0.1 s"


@pytest.mark.parametrize("left", ["", "node7\n", "node7\nanother token\n", "node7\n\xff\n"])
def test_a_trial_job_that_left_half_a_file_does_not_share_the_folder(tmp_path, monkeypatch, left):
    def run(profile, place, seconds):
        (place / "seen.txt").write_text(left, encoding="latin-1")
        return trial.Ended(0, "", 1.0)

    monkeypatch.setattr(trial, "_run", run)
    (finding,) = trial.trial_job("slurm", tmp_path, 60)
    assert finding.name == "shared folder"
    assert finding.fatal


def test_a_trial_job_that_copied_the_token_shares_the_folder(tmp_path, monkeypatch):
    def run(profile, place, seconds):
        token = (place / "token.txt").read_text(encoding="utf-8")
        (place / "seen.txt").write_text(f"node7\n{token}", encoding="utf-8")
        return trial.Ended(0, "", 1.0)

    monkeypatch.setattr(trial, "_run", run)
    ran, shared, _ = trial.trial_job("slurm", tmp_path, 60)
    assert "ran on node7" in ran.found
    assert shared.found == f"{tmp_path} is the same on node7"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "bear the times"), (90, "ahead"), (-90, "behind")]
)
def test_a_job_whose_clock_differs_is_told(tmp_path, seconds, words):
    before, of_job = tmp_path / "token.txt", tmp_path / "seen.txt"
    before.touch()
    of_job.touch()
    stamp = of_job.stat().st_mtime + seconds
    os.utime(of_job, (stamp, stamp))
    finding = clock(before, of_job, "node7")
    assert finding.fatal == bool(seconds)
    assert words in finding.found


@pytest.mark.parametrize(
    ("text", "minutes"), [("01:30:00", 90), ("2-00:00:00", 2880), ("UNLIMITED", None)]
)
def test_times_of_slurm(text, minutes):
    assert _minutes(text) == minutes
