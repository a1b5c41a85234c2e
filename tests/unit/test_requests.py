"""What jobs ask for, within what they may have."""

import pytest

from iota2_tools.planning.needs import Size, resources
from iota2_tools.planning.requests import Asking, Requests, listed

SIZE = Size(pixels=10**8, columns=10**4, acquisitions=50, bands=10, features=400, classes=10)
CLASSIFY = Asking("classify_tile", 1, grouped=False)
MASK = Asking("mask_series", 1, grouped=True)


@pytest.fixture
def told():
    return []


def requests(told, **limits) -> Requests:
    return Requests(limits.get, told.append)


def test_without_a_limit_the_need_is_asked_for(told):
    wanted = resources("classify_tile", SIZE)["mem_mb"]
    assert requests(told).amount(CLASSIFY, "mem_mb", SIZE, 1) == wanted
    assert told == []


def test_a_need_above_the_limit_is_asked_for_all_the_same_and_told_once(told):
    ask = requests(told, mem_mb=500)
    wanted = resources("classify_tile", SIZE)["mem_mb"]
    assert [ask.amount(CLASSIFY, "mem_mb", SIZE, 1) for _ in range(2)] == [wanted] * 2
    assert told == [
        f"classify_tile needs mem_mb={wanted} and gets no more than 500: "
        "it may be killed for that, or find too little"
    ]


def test_a_need_at_the_limit_is_not_told(told):
    wanted = resources("classify_tile", SIZE)["mem_mb"]
    requests(told, mem_mb=wanted).amount(CLASSIFY, "mem_mb", SIZE, 1)
    assert told == []


def test_a_retry_grows_and_is_not_told(told):
    ask = requests(told, mem_mb=500)
    assert ask.amount(CLASSIFY, "mem_mb", SIZE, 2) == resources("classify_tile", SIZE, 2)["mem_mb"]
    assert told == []


def test_a_retry_of_a_grouped_job_takes_its_share_of_the_time_alone(told):
    need = resources("mask_series", SIZE, 2)["runtime"]
    ask = requests(told, runtime=50)
    assert need > 10
    assert ask.amount(MASK, "runtime", SIZE, 2) == 10
    assert ask.amount(Asking("mask_series", 1, grouped=False), "runtime", SIZE, 2) == need
    assert requests(told, runtime=2).amount(MASK, "runtime", SIZE, 2) == 1
    assert requests(told).amount(MASK, "runtime", SIZE, 2) == need


def test_ranks_share_a_node_so_that_memory_is_that_of_all(told):
    one, four = (
        requests(told).amount(Asking("classify_tile", ranks, False), "mem_mb", SIZE, 1)
        for ranks in (1, 4)
    )
    assert four > 2 * one


def test_an_input_is_one_file_or_several():
    assert listed("a") == ["a"]
    assert listed(iter(["a", "b"])) == ["a", "b"]
