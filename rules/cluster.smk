"""What is looked at before the first job is submitted to a cluster.

A profile hands the limits of its site to Snakemake as `resources`, and Snakemake cuts each request
to them. For a retry that is right. A first request is a need: cut, the job would fail for certain.
"""

from snakemake.exceptions import WorkflowError

from iota2_tools.core.errors import Iota2Error
from iota2_tools.cluster.site import LIMITED, Request, refuse_too_large
from iota2_tools.cluster.slurm import refuse_second_writers, wait_while_silent


def first_requests(jobs):
    """What each job asks for at its first attempt, before Snakemake cuts it to the limits."""
    for job in jobs:
        for name in LIMITED:
            resource = job.rule.resources.get(name).evaluate(
                job.wildcards, input=job.input, attempt=1, threads=job.threads
            )
            if isinstance(resource.value, int):
                yield Request(job.rule.name, name, resource.value)
    # Snakemake runs the parts of a group one after another where they would need too much memory.
    for group in filter(None, {workflow.dag.get_job_group(job) for job in jobs}):
        yield Request(f"group {group.groupid}", "runtime", group.resources["runtime"])


def look_before_submission():
    """Refuse what a cluster would not run, and jobs that still run for an earlier Snakemake."""
    limits = {name: workflow.global_resources.get(name).value for name in LIMITED}
    refuse_too_large(
        first_requests(list(workflow.dag.needrun_jobs())),
        {name: limit for name, limit in limits.items() if limit},
    )
    if workflow.executor_plugin.name == "slurm":
        refuse_second_writers(workflow.workdir_init)
        wait_while_silent(workflow.executor_plugin.executor)


onstart:
    if workflow.is_main_process and not workflow.local_exec:
        try:
            look_before_submission()
        except Iota2Error as error:
            raise WorkflowError(str(error)) from None
