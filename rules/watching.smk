"""What is told of a run to those who watch it: its journal, and the plan for `iota2 plan`."""

import os
from functools import cache
from pathlib import Path

from iota2_tools.planning.expectation import expected
from iota2_tools.planning.forecast import DESCRIBING, EXTRACTING, LEARNING, Job
from iota2_tools.planning.journal import Journal, WhenPlanned, is_told
from iota2_tools.planning.whereabouts import journal_of
from iota2_tools.planning.journal import WATCHED
from iota2_tools.planning.watching import PLAN, begun, write_plan


@cache
def expectation():
    """What models and tiles will learn from, about: read once, and only if any is to be read."""
    return expected(production)


def forecast_jobs():
    """The jobs of the plan with the size of what they work on."""
    for facts in planned_jobs():
        inputs = facts.pop("inputs")
        asking = READ_WHOLE.get(facts["rule"])
        if asking is None:  # a target that only gathers files
            yield Job(**facts, size=None)
            continue
        reads, files = asking
        whole = [*files, *(path for name in reads for path in listed(inputs[name]))]
        size = parameters.job_size(facts["wildcards"].get("tile"), whole)
        known = {}
        if facts["rule"] in LEARNING and facts["needed"]:
            known = {
                "samples": expectation().samples,
                "polygons": expectation().polygons,
            }
        elif facts["rule"] in EXTRACTING and facts["needed"]:
            known = {
                "samples": expectation().read_on_tile,
                "polygons": expectation().on_tile,
            }
        elif facts["rule"] in DESCRIBING and facts["needed"]:
            known = {"samples": expectation().read_on_tile * len(production.tiles)}
        yield Job(**facts, size=size, **known)


def facts_of_run():
    """What the journal begins with; None if no job will run."""
    if is_dry_run():
        return None
    return begun(list(forecast_jobs()), Path(config["output"]), cores_of_run())


def hand_over_plan():
    """Write the plan that another process waits for."""
    write_plan(Path(os.environ[PLAN]), forecast_jobs(), cores_of_run())


if is_main_process():
    if os.environ.get(PLAN):
        tell_also(WhenPlanned(words_of_nothing_to_do(), hand_over_plan))
    else:
        tell_also(Journal(journal_of(config["output"]), facts_of_run))
    if os.environ.get(WATCHED):
        print_only(is_told)
