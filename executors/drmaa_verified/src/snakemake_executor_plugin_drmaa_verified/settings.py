"""What a profile can choose; `--drmaa-verified-...` on the command line."""

from dataclasses import dataclass, field

from snakemake_interface_executor_plugins.settings import ExecutorSettingsBase


def _help(text: str) -> dict:
    return {"help": text, "required": False}


@dataclass
class ExecutorSettings(ExecutorSettingsBase):
    """Settings of the executor. Times are in seconds; an empty text means the default."""

    native_specification: str = field(
        default="",
        metadata=_help(
            "Options for the scheduler, in its own words, with {threads}, {resources.NAME}, "
            "{mem_mb_per_thread}, {rule}, {jobid} and {attempt} filled in for each job, "
            "for example '--partition={resources.partition} --mem={resources.mem_mb}'."
        ),
    )
    library: str = field(
        default="",
        metadata=_help(
            "The scheduler's DRMAA library (libdrmaa.so). Default: that of DRMAA_LIBRARY_PATH."
        ),
    )
    log_dir: str = field(
        default="",
        metadata=_help("Folder of what each job prints. Default: .snakemake/drmaa-verified/logs."),
    )
    limits: str = field(
        default="",
        metadata=_help(
            "The most a job may ask for, for example 'mem_mb=190000 runtime=2880 threads=32'. "
            "More is an error at once, where the scheduler would let the job wait for ever."
        ),
    )
    pass_variables: str = field(
        default="PATH LD_LIBRARY_PATH PYTHONPATH",
        metadata=_help(
            "Environment variables that jobs get from Snakemake's own; unset ones are left out."
        ),
    )
    silence_limit: int = field(
        default=3600,
        metadata=_help(
            "How long a scheduler that does not answer is waited for before Snakemake stops."
        ),
    )
    answer_wait: int = field(
        default=120,
        metadata=_help(
            "How long one answer of the DRMAA library is waited for before the scheduler "
            "counts as silent."
        ),
    )
    mark_wait: int = field(
        default=90,
        metadata=_help(
            "How long the mark of a job that ended, or that the scheduler does not know any "
            "more, is waited for: a shared file system may show it a minute late. Without it "
            "the job then counts as failed or lost, and is tried again (retries)."
        ),
    )
    end_wait: int = field(
        default=300,
        metadata=_help("How long jobs that are ended are waited for until they are gone."),
    )
