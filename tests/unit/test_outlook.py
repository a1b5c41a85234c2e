"""The plan of a production in words: reasons in their order, and what follows from them."""

from pathlib import Path

from iota2_tools.planning.changes import TAGS
from iota2_tools.planning.forecast import Cost, Job
from iota2_tools.planning.outlook import Outlook

STAGES = {"classify_tile": "classification", "mosaic_classes": "mosaic", "write_report": "report"}
TAGGED = {
    "parameters": {
        "before": ["{'CONFIG_SHA256': 'a'}"],
        "now": {"tags": "{'CONFIG_SHA256': 'b'}"},
    }
}


def job(number, rule="classify_tile", after=(), why=None, needed=True, **wildcards) -> Job:
    return Job(
        number, rule, wildcards, 1, needed, tuple(after), None, f"{rule}/{number}", why or {}
    )


def outlook(*jobs: Job, memory=(100,)) -> Outlook:
    found = Outlook(jobs, STAGES, Path("nowhere"))
    costs = [
        Cost(10, 10, memory[number % len(memory)], 1, 1000 + number) for number in range(len(jobs))
    ]
    found.costs = {item.number: cost for item, cost in zip(jobs, costs, strict=True)}
    return found


def test_that_tags_are_others_is_told_last():
    """It is a reason of every map, whatever the change of the configuration."""
    found = outlook(job(0, why=TAGGED), job(1, why={"missing": ["x"]}), job(2, why={"code": True}))
    assert list(found.why()) == ["not made yet", "its script has changed", TAGS]


def test_what_follows_from_a_reason_is_counted_once_and_not_with_its_own_jobs():
    """1 follows from 0 and has the same reason; 2 follows from both, 3 from 2; 4 is up to date."""
    found = outlook(
        job(0, why={"code": True}), job(1, after=[0], why={"code": True}), job(2, "mosaic_classes", [0, 1]),
        job(3, "write_report", [2]), job(4, "write_report", [3], needed=False),
    )  # fmt: skip
    lines = "\n".join(found.lines([1]))
    assert "its script has changed: classify_tile, classify_tile, and 2 behind" in lines
    assert "follow from these: 2 jobs" in lines


def test_a_stage_has_the_memory_of_its_largest_job_and_the_disk_of_all():
    found = outlook(job(0), job(1), job(2, "mosaic_classes"), memory=(300, 700, 50))
    rows = [line.split() for line in found.lines([1])]
    # What they will probably take, then what they ask for.
    assert ["classification", "2", "0", "0.01", "700", "1001", "2"] in rows
    assert ["mosaic", "1", "0", "0.00", "50", "1002", "1"] in rows


def test_tiles_with_most_to_do_stand_first():
    found = outlook(
        job(0, tile="A", needed=False), job(1, tile="B"), job(2, tile="C"), job(3, tile="C"),
        job(4, tile="D", needed=False),
    )  # fmt: skip
    lines = list(found.lines([1]))
    first = next(number for number, line in enumerate(lines) if line.startswith("  C:"))
    assert lines[first : first + 3] == [
        "  C: 2 of 2 jobs",
        "  B: 1 of 1 jobs",
        "  A, D: up to date",
    ]
