"""What of Slurm can be told without one: what is read in the answers of its commands."""

import os
import re

import pytest
import yte
from conftest import ROOT

from iota2_tools.cluster import slurm
from iota2_tools.cluster.queues import Queue
from iota2_tools.core.errors import ClusterError


@pytest.fixture
def answers(monkeypatch):
    """Answers by the first word of a command; the commands that were asked."""
    given: dict[str, str] = {}
    asked = []

    def ask(*command):
        asked.append(command)
        return given[command[0]]

    monkeypatch.setattr(slurm, "ask", ask)
    return given, asked


def jobs(answers, *lines: str) -> None:
    """Let squeue tell of these: id, name, folder, rule."""
    answers[0]["squeue"] = "\n".join(lines)


def test_jobs_of_an_earlier_snakemake_in_this_folder_are_refused_by_name(answers, tmp_path):
    jobs(answers, f"12|iota2_5c1e|{tmp_path}|rule_train_model", f"13|iota2_5c1e|{tmp_path}|a|b")
    with pytest.raises(ClusterError) as caught:
        slurm.refuse_second_writers(tmp_path)
    told = str(caught.value)
    assert told.startswith(f"2 job(s) of another Snakemake still work in {tmp_path}")
    assert "\n  12: rule_train_model\n  13: a|b\n" in told
    assert "scancel 12 13\n" in told


@pytest.mark.parametrize(
    "name", ["my_iota2_5c1e", "iota", "iota2", "iota25c1e", "bash", "5c1e-0a", "IOTA2_5c1e", ""]
)
def test_jobs_of_other_names_are_not_ours(answers, tmp_path, name):
    """People submit other things from the folder of a production."""
    jobs(answers, f"12|{name}|{tmp_path}|(null)")
    slurm.refuse_second_writers(tmp_path)


def test_jobs_of_other_folders_do_not_hinder(answers, tmp_path):
    for place in (tmp_path.parent, tmp_path / "below", f"{tmp_path}2"):
        jobs(answers, f"12|iota2_5c1e|{place}|rule")
        slurm.refuse_second_writers(tmp_path)


def test_a_folder_is_known_by_another_path_too(answers, tmp_path):
    folder, link = tmp_path / "folder", tmp_path / "link"
    folder.mkdir()
    link.symlink_to(folder)
    jobs(answers, f"12|iota2_5c1e|{link}|rule")
    with pytest.raises(ClusterError, match="scancel 12"):
        slurm.refuse_second_writers(folder)
    jobs(answers, f"12|iota2_5c1e|{folder}|rule")
    with pytest.raises(ClusterError, match="scancel 12"):
        slurm.refuse_second_writers(link)


def test_no_job_at_all_hinders_nothing(answers, tmp_path):
    jobs(answers, "")
    slurm.refuse_second_writers(tmp_path)


def test_of_many_jobs_ten_are_shown_and_all_are_ended(answers, tmp_path):
    jobs(answers, *(f"{number}|iota2_5c1e|{tmp_path}|rule" for number in range(101, 114)))
    with pytest.raises(ClusterError) as caught:
        slurm.refuse_second_writers(tmp_path)
    told = str(caught.value)
    assert "  110: rule\n  and 3 more\n" in told
    assert "111: rule" not in told
    assert f"scancel {' '.join(map(str, range(101, 114)))}" in told


def test_the_user_is_known_by_number_where_it_has_no_name(answers, monkeypatch, tmp_path):
    """In a container the number may have no entry, and USER may be unset."""
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    monkeypatch.delenv("USER", raising=False)
    jobs(answers, "")
    slurm.refuse_second_writers(tmp_path)
    slurm.pending_reason(tmp_path)
    assert all("--user=54321" in command for command in answers[1])


def test_the_profile_names_its_jobs_as_they_are_looked_for(tmp_path, monkeypatch):
    (tmp_path / "site.yaml").touch()
    monkeypatch.setenv("IOTA2_SITE", str(tmp_path / "site.yaml"))
    with (ROOT / "profiles" / "slurm-native" / "config.yaml").open(encoding="utf-8") as file:
        profile = yte.process_yaml(file, require_use_yte=True)
    # The plugin joins the prefix and a name of the run by a low line.
    assert f"{profile['slurm-patient-jobname-prefix']}_" == slurm.JOB_NAME_PREFIX
    assert profile["executor"] == "slurm-patient"
    assert not [key for key in profile if re.match(r"slurm-(?!patient-)", key)]


def test_why_jobs_of_a_folder_wait(answers, tmp_path):
    answers[0]["squeue"] = (
        f"{tmp_path}|PENDING, Resources\n/elsewhere|RUNNING, None\n{tmp_path}|PENDING, Priority | x"
    )
    assert slurm.pending_reason(tmp_path) == "PENDING, Resources; PENDING, Priority | x"


def test_a_partition_gives_what_its_largest_node_and_its_own_limits_allow(answers):
    given, _ = answers
    given["sinfo"] = "normal|64000|16\nnormal|128000|32\nsmall|64000|16\nother|1|1"
    given["scontrol"] = (
        "PartitionName=normal Default=YES MaxTime=2-00:00:00 MaxMemPerNode=UNLIMITED "
        "MaxCPUsPerNode=UNLIMITED State=UP\n"
        "PartitionName=small Default=NO MaxTime=UNLIMITED MaxMemPerNode=1000 MaxCPUsPerNode=4\n"
        "PartitionName=empty Default=NO MaxTime=00:30:00"
    )
    assert slurm.partitions() == {
        "normal": Queue("normal", True, 128000, 2880, 32),
        "small": Queue("small", False, 1000, None, 4),
        "empty": Queue("empty", False, 0, 30, 0),
    }
