"""What is taken from inside Snakemake, which may change without notice: here and nowhere else.

Each function says what the rest needs, and has Snakemake's own names inside. If one of these goes
away, tests/unit/test_snakemake_inside.py fails with the function and the name.
"""

from importlib.metadata import version

from snakemake.common import NOTHING_TO_BE_DONE_MSG
from snakemake.logging import logger

# The first minor version these were not tried with; envs/python.in bounds it likewise.
UNTRIED = (9, 28)


def is_main_process():
    """Whether this process plans the production; the others each run one job of it."""
    return workflow.is_main_process


def is_only_read():
    """Whether the rules are looked at and no job is planned: `snakemake --lint`."""
    return not workflow.check_envvars


def configuration_files():
    """Files the configuration was read from."""
    return list(workflow.configfiles)


def start_folder():
    """Folder where Snakemake was started."""
    return workflow.workdir_init


def executor_of_jobs():
    """Name of the executor that submits jobs; empty where they run on this machine."""
    return "" if workflow.local_exec else workflow.executor_plugin.name


def limit_of(resource):
    """Most of a resource that one job may have, as `--resources` says; None for no limit."""
    return workflow.global_resources.get(resource).value


def given_resource(rule, resource):
    """What a rule asks for as a plain value, by itself or by `--set-resources`; else None."""
    return workflow.get_rule(rule).resources.get(resource).value


def is_grouped(rule):
    """Whether the jobs of a rule are submitted together with others."""
    return bool(workflow.get_rule(rule).group)


def asked_at_first(resource):
    """Rule and amount of each job to run, at its first attempt, before Snakemake cuts it.

    Without jobs that do not ask for it, or whose need is known only later.
    """
    for job in workflow.dag.needrun_jobs():
        asked = job.rule.resources.get(resource).evaluate(
            job.wildcards, input=job.input, attempt=1, threads=job.threads
        )
        if isinstance(asked.value, int):
            yield job.rule.name, asked.value


def asked_by_groups(resource):
    """Name and amount of each group of jobs that are submitted together."""
    jobs = workflow.dag.needrun_jobs()
    for group in filter(None, {workflow.dag.get_job_group(job) for job in jobs}):
        yield f"group {group.groupid}", group.resources[resource]


def words_of_nothing_to_do():
    """What Snakemake says in place of the number of jobs where there is none."""
    return NOTHING_TO_BE_DONE_MSG


def is_dry_run():
    """Whether jobs are planned and none will run."""
    return workflow.dryrun


def cores_of_run():
    """Cores of this machine that jobs may use at once; on a cluster, jobs in its hands at once."""
    if workflow.local_exec or workflow.dryrun:
        return workflow.global_resources["_cores"].value or 1
    return workflow.nodes


def tell_also(handler):
    """Let a handler of the logging package have all that Snakemake tells."""
    logger.addHandler(handler)


def print_only(is_told):
    """Print what a function says of a record that it is told, and nothing else."""
    for handler in logger.handlers:
        if handler.name == "DefaultStreamHandler":
            handler.addFilter(is_told)


def planned_jobs():
    """Facts of each job of the plan, in an order that products follow what they are made of.

    Known once Snakemake has said how many jobs there are.
    """
    dag = workflow.dag
    order = [job for level in dag.toposorted() for job in level]
    numbers = {job: number for number, job in enumerate(order)}
    for job, number in numbers.items():
        benchmark = str(job.benchmark or "").rpartition("/benchmarks/")[2]
        yield {
            "number": number,
            "rule": job.rule.name,
            "wildcards": job.wildcards_dict or {},
            "threads": threads_of(job),
            "needed": dag.needrun(job),
            "after": tuple(sorted(numbers[other] for other in dag.dependencies[job])),
            "inputs": job.input,
            "name": benchmark.removesuffix(".tsv"),
            "why": why_needed(job) if dag.needrun(job) else {},
        }


def threads_of(job):
    """Cores that a job asks for, without what else it asks for, which takes longer to know."""
    asked = job.rule.resources["_cores"].value
    return asked if isinstance(asked, int) else job.threads


def why_needed(job):
    """Why a job will run: what is missing, and what is not as it was when it ran."""
    reason, records = workflow.dag.reason(job), workflow.persistence
    found = {
        "forced": bool(reason.forced),
        "missing": sorted(map(str, reason.missing_output)),
        "incomplete": sorted(map(str, reason.incomplete_output)),
        "updated": sorted(map(str, reason.updated_input - reason.updated_input_run)),
        "follows": bool(reason.updated_input_run),
        "code": bool(reason.code_changed),
        "environment": bool(reason.software_stack_changed),
    }
    if job.output and records.has_metadata(job):
        changed = records.params_changed(job)
        if changed:
            named = {
                name: records._serialize_param(value)
                for name, value in job.params.items()
            }
            found["parameters"] = {
                "before": sorted(changed.only_old),
                "now": {n: t for n, t in named.items() if t in changed.only_new},
            }
        if any(records.input_changed(job)):
            found["inputs"] = {
                "before": list(records.input(job.output[0])),
                "now": sorted(map(str, job.input)),
            }
    return {name: value for name, value in found.items() if value}


def tell_of_untried_version():
    """Warn of a Snakemake that is newer than what these functions were tried with."""
    found = version("snakemake")
    if tuple(map(int, found.split(".")[:2])) >= UNTRIED:
        logger.warning(
            f"Snakemake {found} is newer than what this was tried with, which is below "
            f"{'.'.join(map(str, UNTRIED))}: if it fails, take the version of envs/python.lock"
        )


if is_main_process():
    tell_of_untried_version()
