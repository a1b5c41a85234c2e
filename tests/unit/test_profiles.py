"""Which profile Snakemake takes, and what `iota2 doctor` says of it."""

import sys
from pathlib import Path

import pytest

from iota2_tools.commands import profiles
from iota2_tools.commands.profiles import examine_profiles, judged, our_profiles, taken_files
from iota2_tools.core.places import PROFILES


def write_profile(folder: Path, name: str = "config.yaml") -> Path:
    """A profile of a person's own."""
    folder.mkdir(parents=True)
    (folder / name).write_text("cores: 1\n", encoding="utf-8")
    return folder / name


def test_all_five_are_ours():
    assert our_profiles() == ["gridengine", "local", "pbs", "slurm", "slurm-native"]


@pytest.mark.slow
def test_snakemake_takes_the_first_of_folder_user_and_site(tmp_path, monkeypatch):
    """In one question to Snakemake, which takes a second."""
    folder, user, site = tmp_path / "here", tmp_path / "user", tmp_path / "site"
    (folder / "pbs").mkdir(parents=True)  # no profile, and yet it hides all others
    mine = {
        "slurm": write_profile(folder / "slurm"),
        "local": write_profile(user / "snakemake" / "local", "profile.v9+.yaml"),
        "gridengine": write_profile(site / "snakemake" / "gridengine"),
    }
    write_profile(user / "snakemake" / "slurm")
    write_profile(site / "snakemake" / "local")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(user))
    # Ours is named too, so the set-up does not put it first.
    own = Path(sys.prefix, "etc")
    monkeypatch.setenv("XDG_CONFIG_DIRS", f"{site}:{own}")
    found = taken_files(["slurm", "local", "gridengine", "pbs", "slurm-native"], folder)
    assert found == mine | {"pbs": None, "slurm-native": None}


@pytest.mark.slow
def test_a_profile_in_the_home_of_the_user_hides_ours(tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("XDG_CONFIG_DIRS", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    path = write_profile(tmp_path / ".config" / "snakemake" / "slurm")
    (tmp_path / "work").mkdir()
    told = examine_profiles(tmp_path / "work", ["slurm", "local"])
    assert [finding.found for finding in told] == [
        "local",
        f"`--profile slurm` takes {path}, which hides that of this installation",
    ]
    assert told[1].remedy.endswith(f"--profile {PROFILES / 'slurm'}")
    assert not any(finding.fatal for finding in told)


def test_ours_are_told_in_one_line(tmp_path):
    found = {name: PROFILES / name / "config.yaml" for name in ("local", "slurm")}
    (told,) = judged(found, tmp_path)
    assert (told.found, told.remedy, told.fatal) == ("local, slurm", "", False)


def test_ours_by_a_link_is_ours(tmp_path):
    (tmp_path / "slurm").symlink_to(PROFILES / "slurm")
    (told,) = judged({"slurm": tmp_path / "slurm" / "config.yaml"}, tmp_path)
    assert told.found == "slurm"


def test_another_file_beside_ours_is_not_ours(tmp_path):
    (told,) = judged({"slurm": PROFILES / "local" / "config.yaml"}, tmp_path)
    assert "hides that of this installation" in told.found


def test_a_profile_that_is_not_found_is_fatal(tmp_path):
    (told,) = judged({"slurm": None}, tmp_path)
    assert (told.found, told.remedy, told.fatal) == (
        "`--profile slurm` is not found",
        "run `make setup`",
        True,
    )


def test_a_folder_of_that_name_without_a_profile_is_named(tmp_path):
    (tmp_path / "slurm").mkdir()
    (told,) = judged({"slurm": None}, tmp_path)
    assert f"{tmp_path / 'slurm'} stands in its way" in told.found
    assert "start snakemake in another folder" in told.remedy
    assert not told.fatal


def test_a_snakemake_that_cannot_be_asked_is_told_without_traceback(tmp_path, monkeypatch):
    monkeypatch.setattr(profiles, "ASK", "raise SystemExit('No module named snakemake')")
    (told,) = examine_profiles(tmp_path)
    assert told.fatal
    assert told.found == "snakemake cannot be asked: No module named snakemake"


@pytest.mark.parametrize("text", ["print('a warning of a library')\n", ""])
def test_what_else_is_printed_does_not_hinder(tmp_path, monkeypatch, text):
    monkeypatch.setattr(profiles, "ASK", text + 'print(\'{"local": "local/config.yaml"}\')')
    assert taken_files(["local"], tmp_path) == {"local": tmp_path / "local" / "config.yaml"}
