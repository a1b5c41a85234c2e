"""What is looked at before the first job is submitted to a cluster.

A profile hands the limits of its site to Snakemake as `resources`, and Snakemake cuts each request
to them. For a retry that is right. A first request is a need: cut, the job would fail for certain.
"""

from snakemake.exceptions import WorkflowError

from iota2_tools.core.errors import Iota2Error
from iota2_tools.cluster.site import LIMITED, Request, refuse_too_large
from iota2_tools.cluster.slurm import refuse_second_writers


def first_requests():
    """What jobs ask for at their first attempt, and groups of them for their run time."""
    for resource in LIMITED:
        for rule, amount in asked_at_first(resource):
            yield Request(rule, resource, amount)
    # Snakemake runs the parts of a group one after another where they would need too much memory.
    for group, amount in asked_by_groups("runtime"):
        yield Request(group, "runtime", amount)


def look_before_submission():
    """Refuse what a cluster would not run, and jobs that still run for an earlier Snakemake."""
    limits = {resource: limit_of(resource) for resource in LIMITED}
    refuse_too_large(
        first_requests(),
        {resource: limit for resource, limit in limits.items() if limit},
    )
    if executor_of_jobs() in ("slurm", "slurm-patient"):
        refuse_second_writers(start_folder())


onstart:
    if is_main_process() and executor_of_jobs():
        try:
            look_before_submission()
        except Iota2Error as error:
            raise WorkflowError(str(error)) from None
