"""The cluster of this site: account, queue and limits, for the profiles that submit jobs."""

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from iota2_tools.config.completion import complete
from iota2_tools.config.pages import schema_text
from iota2_tools.config.section import Section
from iota2_tools.config.yaml_files import read_yaml, words_of
from iota2_tools.core.errors import ConfigError
from iota2_tools.core.places import SITE_FILE

# Limits of the site by the resource of Snakemake they bound, each with its unit.
LIMITED = {"mem_mb": ("memory_mb", "MB"), "runtime": ("runtime_minutes", "minutes")}


class Limits(Section):
    """The most that one job may ask for, and how many jobs may wait and run at once."""

    memory_mb: int | None = Field(
        None, ge=500, description="Memory of one job, MB; empty for no limit."
    )
    runtime_minutes: int | None = Field(
        None, ge=1, description="Time of one job, minutes; empty for no limit."
    )
    threads: int = Field(
        8, ge=1, description="Processors of one job. A rule that asks for more gets this many."
    )
    jobs: int = Field(
        200, ge=1, description="Jobs in the scheduler's hands at once, waiting or running."
    )

    @property
    def resources(self) -> dict[str, int]:
        """The limits of memory and time, by the names of Snakemake's resources."""
        found = {name: getattr(self, key) for name, (key, _) in LIMITED.items()}
        return {name: limit for name, limit in found.items() if limit is not None}


class Site(Section):
    """The cluster that the profiles slurm, slurm-native, pbs and gridengine submit to."""

    account: str | None = Field(
        None,
        min_length=1,
        description="Account or project that pays for the jobs; empty for the user's default one.",
    )
    queue: str | None = Field(
        None,
        min_length=1,
        description=(
            "Slurm's partition, or the queue of PBS and Grid Engine; empty for the scheduler's default."
        ),
    )
    options: str = Field(
        "", description="Further options for the scheduler, as its submit command takes them."
    )
    scratch: str | None = Field(
        None,
        pattern=r"^[/$]",
        description=(
            "Folder on the own disk of each node for temporary files; empty for what TMPDIR says there."
        ),
    )
    drmaa_library: str | None = Field(
        None,
        pattern=r"^/.*\.so",
        description=(
            "The scheduler's DRMAA library, a path that ends in .so; empty for what DRMAA_LIBRARY_PATH says."
        ),
    )
    limits: Limits = Field(Limits(), description=" ".join((Limits.__doc__ or "").split()))

    def selection(self, account: str, queue: str) -> str:
        """Options that choose account and queue, and the site's own; what is unset is left out.

        Parameters
        ----------
        account, queue : str
            How the scheduler spells them, with `{}` for the name: `--partition={}`.
        """
        chosen = [
            option.format(name)
            for option, name in ((queue, self.queue), (account, self.account))
            if name
        ]
        return " ".join([*chosen, self.options]).strip()


@dataclass(frozen=True)
class Request:
    """What one job asks for: an amount of a resource of Snakemake."""

    rule: str
    resource: str
    amount: int


def site_path() -> Path:
    """The site file: `IOTA2_SITE`, or that of this installation (`config/site.yaml` of a checkout)."""
    return Path(os.environ.get("IOTA2_SITE") or SITE_FILE)


def read_site() -> Site:
    """Read and check the site file; without one, the defaults.

    Raises
    ------
    ConfigError
        Listing every problem of the file, or if `IOTA2_SITE` names a file that is absent.
    """
    path = site_path()
    given = None
    if path.exists() or "IOTA2_SITE" in os.environ:
        given = read_yaml(path)
    if not isinstance(given or {}, dict):
        raise ConfigError(f"{path}: holds no keys; start from config/site.example.yaml")
    return complete(given or {}, Site, str(path), words_of([path]) if given else None)


def site_schema() -> str:
    """The JSON schema `workflow/schemas/site.schema.yaml`, for editors."""
    return schema_text(Site, "Site", "iota2 config-reference --site-schema")


def refuse_too_large(requests: Iterable[Request], limits: dict[str, int]) -> None:
    """Refuse jobs whose first request is above a limit; they would wait for ever.

    Parameters
    ----------
    requests : iterable of Request
        What each job asks for at its first attempt.
    limits : dict
        Limits by resource of Snakemake (`mem_mb`, `runtime`); a resource not in it has none.

    Raises
    ------
    ConfigError
        Naming rule, number of jobs, largest request and limit, one line a rule and resource.
    """
    amounts = defaultdict(list)
    for request in requests:
        if request.amount > limits.get(request.resource, request.amount):
            amounts[request.rule, request.resource].append(request.amount)
    if not amounts:
        return
    lines = []
    for (rule, resource), asked in sorted(amounts.items()):
        key, unit = LIMITED[resource]
        jobs = f"{len(asked)} job{'s' if len(asked) > 1 else ''}"
        lines.append(
            f"  {rule} ({jobs}): asks for {max(asked)} {unit}, limits.{key} is {limits[resource]}"
        )
    raise ConfigError(
        f"more is asked for than a job may have here; nothing was submitted:\n{chr(10).join(lines)}\n"
        f"Choose a queue with larger limits and raise them in {site_path()}, "
        "or ask for less: --set-resources RULE:mem_mb=... RULE:runtime=..."
    )
