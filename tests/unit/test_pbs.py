"""What is read in the answers of PBS: OpenPBS 23.06.06, shortened."""

from dataclasses import replace
from pathlib import Path

import pytest

from iota2_tools.cluster import pbs
from iota2_tools.cluster.pbs import _megabytes, _minutes, queues_of, waiting_in
from iota2_tools.cluster.queues import Queue
from iota2_tools.cluster.site import read_site
from iota2_tools.commands import trial
from iota2_tools.core.errors import ClusterError, MissingSoftwareError

SERVER = {"Server": {"pbshost": {"server_state": "Active", "default_queue": "workq"}}}
QUEUES = {
    "Queue": {
        "entry": {"queue_type": "Route", "route_destinations": "small,workq"},
        "workq": {"queue_type": "Execution", "resources_max": {"walltime": "48:00:00"}},
        "small": {
            "queue_type": "Execution",
            "resources_max": {"mem": "2gb", "ncpus": 4, "walltime": "00:30:00"},
            "resources_default": {"walltime": "00:10:00"},
        },
    }
}
NODES = {
    "nodes": {
        "pbshost": {
            "Mom": "pbshost",
            "resources_available": {"host": "pbshost", "mem": "24684096kb", "ncpus": 8},
        }
    }
}
JOBS = {
    "Jobs": {
        "5003.pbshost": {
            "job_state": "Q",
            "Variable_List": {"PBS_O_WORKDIR": "/home/me/trial"},
            "comment": "Can Never Run: Insufficient amount of resource: ncpus (R: 99 A: 8 T: 8)",
        },
        "5004.pbshost": {"job_state": "R", "Variable_List": {"PBS_O_WORKDIR": "/home/me"}},
    }
}


def test_a_queue_gives_what_it_and_the_largest_host_allow():
    found = queues_of(SERVER, QUEUES, NODES)
    assert found["small"] == Queue("small", False, 2048, 30, 4)
    assert found["workq"] == Queue("workq", True, 24105, 2880, 8)


def test_a_routing_queue_gives_what_its_largest_destination_gives():
    assert queues_of(SERVER, QUEUES, NODES)["entry"] == Queue("entry", False, 24105, 2880, 8)
    elsewhere = {"queue_type": "Route", "route_destinations": "small,big@other"}
    queues = {"Queue": QUEUES["Queue"] | {"entry": elsewhere}}
    assert queues_of(SERVER, queues, NODES)["entry"].runtime_minutes is None


def test_a_limit_of_the_server_holds_in_every_queue():
    server = {"Server": {"pbshost": {"resources_max": {"walltime": "20:00"}}}}
    found = queues_of(server, QUEUES, NODES)
    assert {queue.runtime_minutes for queue in found.values()} == {20}
    assert not any(queue.is_default for queue in found.values())


def test_virtual_nodes_of_one_host_count_together():
    half = {"Mom": "n1", "resources_available": {"host": "n1", "mem": "4gb", "ncpus": 2}}
    found = queues_of(SERVER, QUEUES, {"nodes": {"n1[0]": half, "n1[1]": half}})
    assert (found["workq"].memory_mb, found["workq"].threads) == (8192, 4)


@pytest.mark.parametrize(
    ("text", "minutes"), [("48:00:00", 2880), ("30:00", 30), ("1800", 30), (None, None)]
)
def test_times_of_pbs(text, minutes):
    assert _minutes(text) == minutes


@pytest.mark.parametrize(
    ("text", "megabytes"), [("2gb", 2048), ("24684096kb", 24105), ("1TB", 2**20), (None, None)]
)
def test_sizes_of_pbs(text, megabytes):
    assert _megabytes(text) == megabytes


def test_a_waiting_job_is_told_with_the_comment_of_pbs():
    assert waiting_in(Path("/home/me/trial"), JOBS).startswith("Q, Can Never Run: Insufficient")
    assert waiting_in(Path("/elsewhere"), JOBS) == ""


# What `iota2 doctor` makes of them.


@pytest.fixture
def site(tmp_path, monkeypatch):
    (tmp_path / "site.yaml").touch()
    monkeypatch.setenv("IOTA2_SITE", str(tmp_path / "site.yaml"))
    return read_site()


def findings(queues, site):
    return trial.queue_limits(replace(trial.SCHEDULERS["pbs"], queues=queues), site)


def test_limits_above_those_of_the_queue_are_told(site):
    limits = site.limits.model_copy(
        update={"memory_mb": 64000, "runtime_minutes": 30, "threads": 8}
    )
    site = site.model_copy(update={"queue": "small", "limits": limits})
    queue, memory, threads = findings(lambda: queues_of(SERVER, QUEUES, NODES), site)
    assert queue.found == "small: at most 2048 MB, 30 minutes, 4 processors a job"
    assert memory.fatal
    assert memory.found == "is 64000; queue small gives 2048 at most"
    assert threads.found == "is 8; queue small gives 4 at most"


def test_an_unknown_queue_is_told_with_the_known_ones(site):
    site = site.model_copy(update={"queue": "nosuch"})
    (finding,) = findings(lambda: queues_of(SERVER, QUEUES, NODES), site)
    assert finding.fatal
    assert finding.found == "no queue 'nosuch'"
    assert "one of workq, small, entry" in finding.remedy


def test_of_a_list_of_partitions_the_smallest_limits_count(site):
    site = site.model_copy(update={"queue": "small,workq"})
    queue, *_ = findings(lambda: queues_of(SERVER, QUEUES, NODES), site)
    assert queue.found == "small,workq: at most 2048 MB, 30 minutes, 4 processors a job"
    (unknown,) = findings(
        lambda: queues_of(SERVER, QUEUES, NODES), site.model_copy(update={"queue": "small,nosuch"})
    )
    assert unknown.fatal


@pytest.mark.parametrize("error", [ClusterError("qstat: no"), MissingSoftwareError("no qstat")])
def test_a_library_may_do_where_the_commands_of_pbs_do_not(site, error):
    def fail():
        raise error

    (finding,) = findings(fail, site)
    assert finding.found == str(error)
    assert not finding.fatal


def test_a_user_without_a_name_is_not_asked_for(monkeypatch, tmp_path):
    """As in a container; PBS knows users by name alone."""

    def getuser():
        raise KeyError("getpwuid(): uid not found: 54321")

    monkeypatch.setattr(pbs.getpass, "getuser", getuser)
    assert pbs.pending_reason(tmp_path) == ""
