"""Jobs that ask for more than a cluster gives are refused before the first is submitted.

A profile hands the limits of its site to Snakemake as `resources`. Snakemake cuts each request to
them. For a retry that is right. A first request is a need: cut, the job would fail for certain.
"""

from iota2_tools.site import LIMITED, Request, refuse_too_large


def first_requests(jobs):
    """What each job asks for at its first attempt, before Snakemake cuts it to the limits."""
    for job in jobs:
        for name in LIMITED:
            resource = job.rule.resources.get(name).evaluate(
                job.wildcards, input=job.input, attempt=1, threads=job.threads
            )
            if isinstance(resource.value, int):
                yield Request(job.rule.name, name, resource.value)


onstart:
    if not workflow.local_exec:
        limits = {name: workflow.global_resources.get(name).value for name in LIMITED}
        try:
            refuse_too_large(
                first_requests(workflow.dag.needrun_jobs()),
                {name: limit for name, limit in limits.items() if limit},
            )
        except Iota2Error as error:
            raise WorkflowError(str(error)) from None
