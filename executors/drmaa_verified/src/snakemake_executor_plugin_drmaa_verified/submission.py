"""What is asked of the scheduler for a job: native specification, limits, log file."""

import math
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from snakemake_interface_executor_plugins.jobs import JobExecutorInterface

from .errors import ExecutorError

# Resources that change where a job can run: never dropped in silence.
MUST_BE_EXPRESSED = (
    "constraint",
    "cpus_per_gpu",
    "gpu",
    "gpu_manufacturer",
    "gpu_model",
    "mpi",
    "nodes",
    "tasks",
    "tasks_per_gpu",
)
_SIMPLE_FIELDS = ("threads", "mem_mb_per_thread", "rule", "jobid", "attempt")


@dataclass(frozen=True)
class Need:
    """What a job needs, as Snakemake knows it.

    Attributes
    ----------
    resources : mapping
        By name; without Snakemake's own `_cores` and `_nodes`.
    """

    rule: str
    jobid: int
    attempt: int
    threads: int
    resources: Mapping[str, object]

    @property
    def mem_mb_per_thread(self) -> int:
        """Memory of one slot, for schedulers that count by slot. Rounded up."""
        return math.ceil(float(str(self.resources["mem_mb"])) / self.threads)

    def __str__(self) -> str:
        return f"rule {self.rule}, job {self.jobid}"


class SpecificationError(ExecutorError):
    """The native specification cannot say what a job needs."""


def need_of(job: JobExecutorInterface) -> Need:
    """The need of a Snakemake job or group."""
    resources = {name: value for name, value in job.resources.items() if not name.startswith("_")}
    return Need(job.name, job.jobid, job.attempt, job.threads, resources)


def parts_of(template: str) -> list[tuple[str, str | None]]:
    """A template as literal texts, each with the field that follows it, or None at the end."""
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError as error:
        raise SpecificationError(
            f"native specification '{template}': {error}; a brace itself is written {{{{ or }}}}"
        ) from None
    return [
        (literal, name if name is None else name + (f":{form}" if form else ""))
        for literal, name, form, _ in parsed
    ]


def native_specification(template: str, need: Need) -> str:
    """The template filled in for a job.

    Raises
    ------
    SpecificationError
        For a field that is not known or a value that cannot stand there, naming the job.
    """
    parts = parts_of(template)
    _check_all_is_expressed(template, {name for _, name in parts}, need)
    return "".join(
        literal + ("" if name is None else _value(name, need, template)) for literal, name in parts
    )


def _value(name: str, need: Need, template: str) -> str:
    if name.startswith("resources."):
        value = _resource(name.removeprefix("resources."), need, template)
    elif name == "mem_mb_per_thread":
        _resource("mem_mb", need, template)
        value = need.mem_mb_per_thread
    elif name in _SIMPLE_FIELDS:
        value = getattr(need, name)
    else:
        raise SpecificationError(
            f"native specification '{template}': unknown field {{{name}}}; there are "
            f"{', '.join(f'{{{field}}}' for field in _SIMPLE_FIELDS)} and {{resources.NAME}}"
        )
    text = str(value)
    if not text or re.search(r"[\s'\"\\]", text):
        raise SpecificationError(
            f"{need}: {name} is {text!r}, which cannot stand in a native specification; "
            "no spaces, quotes or backslashes"
        )
    return text


def _resource(name: str, need: Need, template: str) -> object:
    known = need.resources
    if name not in known:
        raise SpecificationError(
            f"{need}: native specification '{template}' asks for {{resources.{name}}}, which this "
            f"job does not have; it has {', '.join(sorted(known)) or 'none'}. Give it one under "
            f"default-resources of the profile, for example {name}=..."
        )
    if type(known[name]).__name__ == "TBDString":
        raise SpecificationError(f"{need}: resource {name} is not known before the job starts")
    return known[name]


def _check_all_is_expressed(template: str, fields: set[str | None], need: Need) -> None:
    for name in MUST_BE_EXPRESSED:
        if need.resources.get(name) and f"resources.{name}" not in fields:
            raise SpecificationError(
                f"{need} needs {name}={need.resources[name]}, and native specification "
                f"'{template}' does not ask for it: add {{resources.{name}}} to "
                "drmaa-verified-native-specification, in the scheduler's words"
            )
    if need.threads > 1 and not {"threads", "resources.tasks"} & fields:
        raise SpecificationError(
            f"{need} has {need.threads} threads, and native specification '{template}' does not "
            "ask for them: add {threads} to drmaa-verified-native-specification, "
            "for example --cpus-per-task={threads}, -pe smp {threads} or ncpus={threads}"
        )


def parse_limits(text: str | None) -> dict[str, float]:
    """`mem_mb=190000 runtime=2880` as numbers by name."""
    limits = {}
    for word in (text or "").replace(",", " ").split():
        name, _, value = word.partition("=")
        try:
            limits[name] = float(value)
        except ValueError:
            raise ExecutorError(
                f"drmaa-verified-limits: '{word}' is not NAME=NUMBER, as in mem_mb=190000"
            ) from None
    return limits


def check_limits(limits: Mapping[str, float], need: Need) -> None:
    """Refuse a job that asks for more than the cluster has."""
    for name, most in limits.items():
        value = need.threads if name == "threads" else need.resources.get(name)
        if isinstance(value, int | float) and value > most:
            raise SpecificationError(
                f"{need}, attempt {need.attempt}, asks for {name}={value}, more than the limit "
                f"{most:g} of drmaa-verified-limits: it would wait for ever. Lower it "
                "(set-resources, set-threads) or choose a larger partition"
            )


def log_path(folder: Path, need: Need, wildcards: Mapping[str, str], token: str) -> Path:
    """File of what a submission prints: `<folder>/<rule>/<wildcards>.<attempt>-<token>.log`.

    A file, never a folder: Slurm and PBS take no folder.
    """
    name = ",".join(f"{key}={value}" for key, value in wildcards.items()) or f"job{need.jobid}"
    return folder / _plain(need.rule) / f"{_plain(name)}.{need.attempt}-{token}.log"


def _plain(name: str) -> str:
    """A file name that no scheduler expands: % of Slurm, $ and : of Grid Engine and PBS."""
    return re.sub(r"[^\w.,=+-]", "_", name)[:120]


def job_name(need: Need) -> str:
    """Name in the scheduler's lists; it begins with a letter, as Grid Engine wants it."""
    return _plain(f"snakemake_{need.rule}")[:60]
