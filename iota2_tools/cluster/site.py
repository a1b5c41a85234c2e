"""The cluster of this site: account, queue and limits, for the profiles that submit jobs."""

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml

from iota2_tools.config.settings import complete, read_yaml
from iota2_tools.core.errors import ConfigError

ROOT = Path(__file__).parents[2]
SCHEMA_PATH = ROOT / "workflow" / "schemas" / "site.schema.yaml"

# Limits of the site by the resource of Snakemake they bound, each with its unit.
LIMITED = {"mem_mb": ("memory_mb", "MB"), "runtime": ("runtime_minutes", "minutes")}


@dataclass(frozen=True)
class Limits:
    """The most one job may ask for; None means no limit."""

    memory_mb: int | None
    runtime_minutes: int | None
    threads: int
    jobs: int

    @property
    def resources(self) -> dict[str, int]:
        """The limits of memory and time, by the names of Snakemake's resources."""
        found = {name: getattr(self, key) for name, (key, _) in LIMITED.items()}
        return {name: limit for name, limit in found.items() if limit is not None}


@dataclass(frozen=True)
class Site:
    """What `config/site.yaml` holds; the keys are described in `site.schema.yaml`."""

    account: str | None
    queue: str | None
    options: str
    scratch: str | None
    drmaa_library: str | None
    limits: Limits

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
    """The site file: `IOTA2_SITE`, or `config/site.yaml` of this installation."""
    return Path(os.environ.get("IOTA2_SITE") or ROOT / "config" / "site.yaml")


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
    schema = yaml.safe_load(SCHEMA_PATH.read_text(encoding="utf-8"))
    settings = complete(given or {}, schema, str(path))
    return Site(**settings | {"limits": Limits(**settings["limits"])})


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
