"""The verdict on a job, from what is known of it."""

import pytest
from snakemake_executor_plugin_drmaa_verified.verdict import (
    Asked,
    Ending,
    Outcome,
    explain,
    judge,
)

NOTHING = Asked()
WELL_ENDED = Ending(exit_status=0, seconds=12)
UNTOLD = Ending()


def outcome(marked, ending, unmarked_seconds=0, patience=60):
    return judge(marked, ending, unmarked_seconds, patience, NOTHING).outcome


@pytest.mark.parametrize(
    "ending", [None, WELL_ENDED, UNTOLD, Ending(forgotten=True), Ending(exit_status=1)]
)
def test_a_mark_is_a_success_whatever_the_scheduler_says(ending):
    assert outcome(True, ending) is Outcome.SUCCEEDED


@pytest.mark.parametrize("ending", [WELL_ENDED, UNTOLD, Ending(forgotten=True)])
def test_without_its_mark_no_end_is_a_success(ending):
    assert outcome(False, ending, unmarked_seconds=59) is Outcome.AWAITING_MARK
    assert outcome(False, ending, unmarked_seconds=60) is Outcome.FAILED


def test_a_job_that_is_not_known_to_have_ended_is_running():
    assert outcome(False, None, unmarked_seconds=1e9) is Outcome.RUNNING


@pytest.mark.parametrize(
    "ending",
    [
        Ending(exit_status=1),
        Ending(signal="SIGKILL"),
        Ending(aborted=True),
        Ending(exit_status=0, aborted=True),
        Ending(stuck=True),
    ],
)
def test_a_told_failure_waits_for_no_mark(ending):
    assert outcome(False, ending) is Outcome.FAILED


@pytest.mark.parametrize(
    ("ending", "asked", "words"),
    [
        (Ending(exit_status=3, seconds=7), NOTHING, "it ended with exit status 3 after 7 s"),
        (Ending(exit_status=3), NOTHING, "it ended with exit status 3"),
        (
            Ending(signal="SIGKILL", seconds=61),
            Asked(seconds=60),
            "it was killed by SIGKILL after 61 s: over its run time of 60 s",
        ),
        (
            Ending(aborted=True, seconds=61),
            Asked(seconds=60),
            "it was deleted or aborted after 61 s: over its run time of 60 s",
        ),
        (
            Ending(signal="SIGKILL", seconds=5, memory_mb=980),
            Asked(seconds=60, memory_mb=1000),
            "it was killed by SIGKILL after 5 s: it had 980 MB and asked for 1000 MB",
        ),
        (
            Ending(signal="SIGKILL", seconds=5, memory_mb=3500, virtual=True),
            Asked(seconds=60, memory_mb=1000),
            "it was killed by SIGKILL after 5 s, by the system, the scheduler or a person",
        ),
        (
            Ending(signal="SIGKILL", seconds=5, memory_mb=1000, virtual=True),
            Asked(seconds=60, memory_mb=1000, virtual=True),
            "it was killed by SIGKILL after 5 s: it had 1000 MB and asked for 1000 MB",
        ),
        (
            Ending(signal="SIGKILL", seconds=5, memory_mb=10),
            Asked(seconds=60, memory_mb=1000),
            "it was killed by SIGKILL after 5 s, by the system, the scheduler or a person",
        ),
        (
            Ending(aborted=True),
            Asked(seconds=60),
            "it was deleted or aborted, by the scheduler, an operator or its owner",
        ),
        (
            WELL_ENDED,
            NOTHING,
            "the scheduler calls it well ended after 12 s, yet it left no mark of success: "
            "it was cut short, or its node does not share this folder",
        ),
        (
            UNTOLD,
            NOTHING,
            "the scheduler calls it ended without telling how, and it left no mark of success: "
            "it was deleted before it started, or lost",
        ),
        (
            Ending(forgotten=True),
            NOTHING,
            "the scheduler does not know it any more and it left no mark of success: "
            "whether and how it ended cannot be told",
        ),
        (Ending(stuck=True), NOTHING, "the scheduler holds it in an error state"),
    ],
)
def test_a_failure_is_explained_by_what_is_known(ending, asked, words):
    assert explain(ending, asked) == words
