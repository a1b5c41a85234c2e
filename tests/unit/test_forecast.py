"""What a production will take; times and courses by hand."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from iota2_tools.planning.forecast import (
    BETWEEN,
    SHARE,
    STARTING,
    STARTING_HEAVY,
    Cost,
    Course,
    Forecast,
    Job,
    course,
    keep_works,
    read_benchmark,
    read_works,
)
from iota2_tools.planning.needs import NEEDS, Size
from iota2_tools.planning.outlook import Outlook
from iota2_tools.planning.watching import begun, read_plan, write_plan

SIZE = Size(
    pixels=4_000_000, columns=2000, acquisitions=100, bands=10, features=130, classes=5, draws=1
)


def job(
    number, rule="mask_series", after=(), needed=True, threads=1, size=SIZE, name="", **wildcards
):
    return Job(
        number, rule, wildcards, threads, needed, tuple(after), size, name or f"{rule}/{number}", {}
    )


def costs(**walls):
    return {int(name[1:]): Cost(wall, wall, 100, 0) for name, wall in walls.items()}


def write_benchmark(folder: Path, name: str, seconds: float, cpu: object, memory: object = 50):
    path = folder / f"{name}.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"s\th:m:s\tmax_rss\tcpu_time\n{seconds}\t0:00:10\t{memory}\t{cpu}\n", encoding="utf-8"
    )


def test_jobs_that_wait_for_nothing_share_the_cores():
    jobs = [job(0), job(1), job(2)]
    expected = course(jobs, costs(_0=10, _1=10, _2=10), cores=2)
    assert expected.wall == pytest.approx(2 * (10 + BETWEEN))
    assert expected.memory == 200
    assert course(jobs, costs(_0=10, _1=10, _2=10), cores=3).wall == pytest.approx(10 + BETWEEN)


def test_what_is_read_is_made_before():
    jobs = [job(0), job(1, after=[0]), job(2, after=[1])]
    assert course(jobs, costs(_0=1, _1=2, _2=3), cores=8).wall == pytest.approx(6 + 3 * BETWEEN)


def test_the_longest_chain_begins_first():
    # 3 follows 2 and takes 20 s: with 2 among the first, 5 s and then 20; else 5, 5 and 20.
    jobs = [job(0), job(1), job(2), job(3, after=[2])]
    expected = course(jobs, costs(_0=5, _1=5, _2=5, _3=20), cores=2)
    assert expected.wall == pytest.approx(25 + 2 * BETWEEN)


def test_a_job_of_more_threads_than_there_are_cores_gets_them_all():
    jobs = [job(0, threads=4), job(1, threads=1)]
    assert course(jobs, costs(_0=10, _1=10), cores=2).wall == pytest.approx(2 * (10 + BETWEEN))


def test_what_is_up_to_date_takes_nothing():
    jobs = [job(0, needed=False), job(1, after=[0])]
    assert course(jobs, costs(_1=3), cores=1).wall == pytest.approx(3 + BETWEEN)
    assert course([job(0, needed=False)], {}, cores=1).wall == 0


def test_without_earlier_runs_a_job_takes_its_start_and_its_work(tmp_path):
    one = job(0, "mask_series", threads=1)
    # As its need says, (0.01 + 0.006 x bands) s by megapixels and dates, and a fifth of that.
    work = 0.2 * (0.01 + 0.06) * 4 * 100
    assert one.work == pytest.approx(work)
    cost = Forecast([one], tmp_path).cost(one)
    assert cost.wall == pytest.approx(STARTING + work)
    assert cost.cpu == pytest.approx(STARTING + work)
    assert Forecast([one], tmp_path).known == 0


def test_a_forest_takes_as_long_as_its_samples_and_trees_ask_for(tmp_path):
    """20 000 samples of 150 features, 100 trees: 16 s on one core (benchmarks/README.md)."""
    size = Size(features=150, trees=100)
    one = Job(0, "train_model", {}, 1, True, (), size, "train_model/0", {}, samples=20_000)
    assert one.work == pytest.approx(16, rel=0.05)
    judged = Size(features=150, trees=100, folds=5)

    def learnt(size, samples, polygons=0):
        return Job(
            0, "train_model", {}, 1, True, (), size, "train_model/0", {}, samples, polygons
        ).work

    # Folds are made of 5 samples a polygon; each of five models learns four fifths of these.
    folds_of_200 = learnt(judged, 10_000, 200) - learnt(size, 10_000)
    assert folds_of_200 == pytest.approx(5 * learnt(size, 800))
    few = learnt(judged, 100, 200) - learnt(size, 100)
    assert few == pytest.approx(5 * learnt(size, 80))
    many = learnt(judged, 10**6, 10**5) - learnt(size, 10**6)
    assert many == pytest.approx(5 * learnt(size, 40_000))  # of FOLD_SAMPLES at most
    assert learnt(judged, 10**6) - learnt(size, 10**6) == pytest.approx(many)
    folds = Job(0, "learn_folds", {}, 1, True, (), size, "learn_folds/0", {}, samples=20_000)
    assert folds.work == pytest.approx(5 * one.work)
    assert Forecast([one], tmp_path).cost(one).wall == pytest.approx(STARTING_HEAVY + one.work)


def test_samples_are_read_from_the_blocks_that_hold_a_polygon():
    """2000 x 2000 pixels have 61 blocks of 256 x 256; 30 polygons, dealt at random, lie in 39 % of them."""
    whole, some = (
        Job(0, "extract_samples", {}, 1, True, (), SIZE, "", {}, polygons=number).work
        for number in (0, 30)
    )
    assert whole == pytest.approx(0.2 * (0.01 + 0.06) * 4 * 100)  # as masks are made
    assert some / whole == pytest.approx(1 - (1 - 1 / 61.04) ** 30, rel=0.01)


def test_jobs_of_the_regions_of_a_tile_share_its_pixels():
    alone, third = (job(0, "classify_tile", size=replace(SIZE, regions=n)).work for n in (1, 3))
    assert third == pytest.approx(alone / 3)
    assert job(0, size=replace(SIZE, regions=3)).work == job(0).work


def test_other_learners_take_what_their_need_says_for_so_many_samples():
    size = Size(features=100, learner="SVC")
    one = Job(0, "train_model", {}, 1, True, (), size, "", {}, samples=10_000)
    need = NEEDS["train_model"](Size(features=100, learner="SVC", input_mb=2)).seconds
    assert one.work == pytest.approx(SHARE * (need - NEEDS["train_model"](Size()).seconds))
    assert one.need.memory > NEEDS["train_model"](size).memory


def test_two_threads_halve_the_work_and_not_the_cpu(tmp_path):
    one = job(0, "mask_series", threads=2)
    cost = Forecast([one], tmp_path).cost(one)
    assert cost.wall == pytest.approx(STARTING + one.work / 2)
    assert cost.cpu == pytest.approx(STARTING + one.work)


def test_a_job_is_expected_to_take_less_than_it_asks_for(tmp_path):
    """A forest of 20 000 samples and 150 features took 578 MB (benchmarks/README.md, `learners.py`)."""
    size = Size(features=150, trees=100)
    one = Job(0, "train_model", {}, 1, True, (), size, "train_model/0", {}, samples=20_000)
    cost = Forecast([one], tmp_path).cost(one)
    assert cost.memory == pytest.approx(578, rel=0.3)
    # 550 to start, 4 x 6 MB of tables, which may be compressed twice: 200 of trees; 15 % of room, and the
    # Snakemake of a cluster: 774 x 1.15 + 300 = 1190, in steps of 50.
    assert cost.asked == 1200


def test_the_course_tells_memory_taken_and_asked_for():
    both = {0: Cost(10, 10, 100, 0, 700), 1: Cost(10, 10, 150, 0, 600)}
    assert course([job(0), job(1)], both, cores=2) == Course(10 + BETWEEN, 250, 1300)
    alone = course([job(0), job(1)], both, cores=1)
    assert (alone.memory, alone.asked) == (150, 700)


def test_what_describes_samples_takes_no_more_than_these_are():
    size = Size(features=200)
    few, many = (
        Job(0, "describe_samples", {}, 1, True, (), size, "", {}, samples=number).need.memory
        for number in (10_000, 10**6)
    )
    # 10 000 x 200 values are 4 MB of two bytes, 32 of eight at most; then the budget of 200.
    assert few == pytest.approx(300 + 4 * 32 + 1e-4 * 40_000)
    assert many == pytest.approx(300 + 4 * 200 + 1e-4 * 4_000_000, rel=0.01)


def test_a_job_that_has_run_takes_what_it_took(tmp_path):
    one = job(0)
    write_benchmark(tmp_path, one.name, 50, 40, 700)
    forecast = Forecast([one], tmp_path)
    assert (forecast.cost(one).wall, forecast.cost(one).cpu) == pytest.approx((50, 40))
    assert forecast.cost(one).memory == 700
    assert forecast.known == 1


def test_a_job_that_is_twice_the_work_takes_twice_as_long_but_for_its_start(tmp_path):
    one = job(0)
    write_benchmark(tmp_path, one.name, 52, 42)
    (tmp_path / "works.json").write_text(json.dumps({one.name: one.work / 2}), encoding="utf-8")
    cost = Forecast([one], tmp_path).cost(one)
    assert cost.wall == pytest.approx(STARTING + 2 * (52 - STARTING))
    assert cost.cpu == pytest.approx(STARTING + 2 * (42 - STARTING))


def test_a_job_of_nothing_before_is_longer_by_its_new_work(tmp_path):
    one = job(0)
    write_benchmark(tmp_path, one.name, 3, 3)
    (tmp_path / "works.json").write_text(json.dumps({one.name: 0.0}), encoding="utf-8")
    assert Forecast([one], tmp_path).cost(one).wall == pytest.approx(3 + one.work)


def test_a_new_job_takes_what_others_of_its_rule_took_by_its_size(tmp_path):
    half = Size(**vars(SIZE) | {"pixels": 2_000_000})
    known, new, other = job(0, size=half), job(1), job(2, "burn_polygons")
    write_benchmark(tmp_path, known.name, 12, 22)
    forecast = Forecast([known, new, other], tmp_path)
    assert forecast.cost(new).wall == pytest.approx(STARTING + 2 * (12 - STARTING))
    assert forecast.cost(new).cpu == pytest.approx(STARTING + 2 * (22 - STARTING))
    assert forecast.cost(other).wall == pytest.approx(STARTING + other.work)


def test_benchmarks_without_figures_are_no_benchmarks(tmp_path):
    write_benchmark(tmp_path, "a/1", 2, "NA", "-")
    took = read_benchmark(tmp_path, "a/1")
    assert took
    assert (took.wall, took.cpu, took.memory) == (2, 0, 0)
    (tmp_path / "a" / "2.tsv").write_text("s\n", encoding="utf-8")
    assert read_benchmark(tmp_path, "a/2") is None
    (tmp_path / "a" / "4.tsv").write_text("s\tmax_rss\tcpu_time\n2.5\t", encoding="utf-8")
    assert read_benchmark(tmp_path, "a/4") is None  # cut in its line
    assert read_benchmark(tmp_path, "a/3") is None
    assert read_benchmark(tmp_path, "") is None


def test_the_work_of_jobs_is_kept_beside_that_of_earlier_ones(tmp_path):
    (tmp_path / "works.json").write_text('{"x/1": 3.0, "mask_series/0": 1.0}', encoding="utf-8")
    keep_works(tmp_path, [job(0), job(1, needed=False)])
    assert read_works(tmp_path) == {"x/1": 3.0, "mask_series/0": round(job(0).work, 2)}


def test_a_plan_is_read_as_it_was_written(tmp_path):
    jobs = [job(0, tile="T31TCJ"), job(1, "all", after=[0], size=None)]
    write_plan(tmp_path / "plan.json", jobs, 3)
    assert read_plan(tmp_path / "plan.json") == (jobs, 3)


def test_a_run_begins_with_its_jobs_by_rule(tmp_path):
    jobs = [job(0), job(1), job(2, after=[0, 1], threads=2), job(3, needed=False)]
    for number, seconds in ((0, 10), (1, 20), (2, 30)):
        write_benchmark(tmp_path / "benchmarks", f"mask_series/{number}", seconds, seconds)
    jobs.append(
        Job(4, "all", {}, 1, True, (2,), None, "", {})
    )  # gathers files: none of the plan either
    facts = begun(jobs, tmp_path, cores=2)
    assert facts["jobs"] == {"mask_series": {"count": 3, "seconds": 20, "threads": 1}}
    # The longer of 0 and 1, then 2: 50 s and twice the time between; all cores at work: 45 s.
    assert facts["stretch"] == pytest.approx((50 + 2 * BETWEEN) / 45, abs=1e-3)
    assert set(read_works(tmp_path / "benchmarks")) == {f"mask_series/{n}" for n in (0, 1, 2)}


STAGES = {"mask_series": "init", "train_model": "learning"}


def outlook(jobs, folder):
    return Outlook(jobs, STAGES, folder)


def test_the_plan_is_told_by_stage_and_tile_with_reasons(tmp_path):
    why = {"parameters": {"before": ["7"], "now": {"random_seed": "8"}}}
    jobs = [
        job(0, tile="A"), job(1, tile="B", needed=False), job(2, tile="C", needed=False),
        Job(3, "train_model", {"seed": "0"}, 1, True, (0,), SIZE, "train_model/0", why),
        job(4, "all", after=[3], size=None, name="x"),
    ]  # fmt: skip
    for number, seconds in ((0, 1800), (3, 5400)):
        write_benchmark(tmp_path, jobs[number].name, seconds, seconds)
    lines = list(outlook(jobs, tmp_path).lines([1, 4]))
    text = "\n".join(lines)
    assert lines[0] == "2 of 4 jobs to run, 2 up to date"
    assert lines[2].split()[:4] == ["init", "1", "2", "0.50"]
    assert lines[3].split()[:4] == ["learning", "1", "0", "1.50"]
    assert "  A: 1 of 1 jobs\n  B, C: up to date\n" in text
    assert "  random_seed: 7 → 8: train_model (seed 0)\n  follow from these: 1 job\n" in text
    assert "2.00 CPU hours" in text
    assert "about 2 h 00 min on 1 core," in text
    assert " MB of memory at once; the jobs ask for up to " in text
    assert " CPU hours, 6 MB of disk" in text
    assert "about 2 h 00 min on 4 cores," in text


def test_after_an_upgrade_the_plan_says_which_computation_makes_what_again(tmp_path):
    upgrade = {"parameters": {"before": ["{'masks': 1}"], "now": {"algorithm": "{'masks': 2}"}}}
    jobs = [
        *(Job(n, "mask_series", {"tile": f"T{n}"}, 1, True, (0,) if n == 3 else (), SIZE, f"mask_series/{n}",
              upgrade) for n in range(4)),
        job(4, "train_model", after=[0, 1]), job(5, "train_model", after=[2, 3]),
        job(6, "classify_tile", after=[4]), job(7, "classify_tile", after=[5], needed=False),
    ]  # fmt: skip
    told = Outlook(jobs, STAGES | {"classify_tile": "classification"}, tmp_path)
    lines = list(told.lines([1]))
    place = lines.index("why") + 1
    assert lines[place : place + 2] == [
        "  computation masks: from version 1 to 2: mask_series (4 jobs), and 3 behind",
        "  follow from these: 3 jobs",
    ]
    alone = [jobs[0], job(4, "train_model", after=[0])]
    lines = list(outlook(alone, tmp_path).lines([1]))
    told_once = "  computation masks: from version 1 to 2: mask_series (tile T0), and 1 behind"
    assert told_once in lines


def test_the_plan_for_programs_has_each_job(tmp_path):
    facts = outlook([job(0, tile="A"), job(1, needed=False)], tmp_path).facts([2])
    (told,) = facts["to_run"]
    assert told["rule"] == "mask_series"
    assert told["wildcards"] == {"tile": "A"}
    assert told["stage"] == "init"
    assert facts["jobs"] == 2
    assert told["memory_mb"] < told["asked_mb"] == facts["on_cores"]["2"]["asked_mb"]
    assert facts["on_cores"]["2"]["seconds"] == pytest.approx(told["seconds"] + BETWEEN, abs=0.1)


def test_a_production_that_is_complete_says_so(tmp_path):
    lines = list(outlook([job(0, needed=False)], tmp_path).lines([2]))
    assert lines == ["all of 1 jobs are up to date"]
