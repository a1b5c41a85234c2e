"""How jobs follow one another on some cores, by hand."""

import pytest

from iota2_tools.planning.forecast import BETWEEN, Cost, Job, course


def job(number, threads=1, after=(), needed=True) -> Job:
    return Job(number, "rule", {}, threads, needed, tuple(after), None, str(number), {})


def costs(*seconds, memory=100) -> dict[int, Cost]:
    return {number: Cost(wall, wall, memory, 0) for number, wall in enumerate(seconds)}


def test_a_job_gives_back_the_cores_that_it_had_and_no_more():
    """One of four threads on two cores, then three of one thread: two at once, and one."""
    jobs = [job(0, threads=4), *(job(number, after=[0]) for number in (1, 2, 3))]
    found = course(jobs, costs(10, 10, 10, 10), cores=2)
    assert found.wall == pytest.approx(3 * (10 + BETWEEN))
    assert found.memory == 200


def test_a_small_job_goes_beside_a_large_one_that_waits():
    """Of two cores one is free: the job of two threads, first in line, waits, that of one thread does not."""
    jobs = [job(0), job(1, threads=2), job(2), job(3, after=[1])]
    found = course(jobs, costs(10, 10, 10, 20), cores=2)
    # The long chain first: both cores, 10 s; then its 20 s beside 10 s and 10 s.
    assert found.wall == pytest.approx(30 + 3 * BETWEEN)
    late = [job(0), job(1, threads=2, after=[0]), job(2), job(3)]
    # 0 and 2 at once; 1 waits for both cores until 2 has ended, and 3 goes meanwhile.
    found = course(late, costs(5, 10, 12, 2), cores=2)
    assert found.wall == pytest.approx(12 + 10 + 2 * BETWEEN)


def test_memory_is_that_of_the_jobs_at_work_at_one_time():
    """Two of 100 MB after each other, then three at once."""
    jobs = [job(0), job(1, after=[0]), *(job(number, after=[1]) for number in (2, 3, 4))]
    assert course(jobs, costs(1, 1, 1, 1, 1), cores=1).memory == 100
    assert course(jobs, costs(1, 1, 1, 1, 1), cores=3).memory == 300
