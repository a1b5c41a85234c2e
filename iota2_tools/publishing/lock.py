"""The lock of a production, `final/production.lock`: all that its maps came from, and what they hold."""

import hashlib
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from iota2_tools.core.errors import InputDataError
from iota2_tools.core.files import whole_file
from iota2_tools.core.locks import FORMAT, NAME, newer_lock
from iota2_tools.core.platform import machine
from iota2_tools.core.versions import VERSIONS
from iota2_tools.publishing.about import About, InputFile
from iota2_tools.publishing.checksums import Content
from iota2_tools.publishing.products import Product

KEPT = "locks"
"""Folder beside `final` with the locks of all runs."""

LIBRARIES = (
    "geopandas", "llvmlite", "matplotlib", "numba", "numexpr", "numpy", "pandas", "pyarrow", "pyogrio", "pyproj",
    "scikit-image", "scikit-learn", "scipy", "shapely", "skops", "snakemake",
)  # fmt: skip
"""Packages that touch numbers or draw pictures."""
SCHEDULERS = {"SLURM_JOB_ID": "slurm", "PBS_JOBID": "pbs", "SGE_ROOT": "gridengine"}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LockedProduct(_Part):
    """A final product: its file, and what it holds."""

    size: int = Field(ge=0, description="Bytes of the file.")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="SHA-256 of the file.")
    content: Content | None = Field(
        description="What it holds, whatever the bytes; null where its bytes alone can be compared."
    )


class Lock(_Part):
    """What made a production, and what it is. Paths of inputs are those of the configuration."""

    format: int = Field(FORMAT, ge=1, description="Of this file.")
    software: dict[str, str] = Field(description="Versions of the package and of its libraries.")
    algorithms: dict[str, int] = Field(description="Versions of the computations.")
    machine: dict[str, str] = Field(
        description="System, processor and scheduler of the job that wrote this file."
    )
    configuration: dict[str, Any] = Field(description="The complete configuration.")
    configuration_sha256: str = Field(description="Digest of what of it decides the maps.")
    seeds: list[int] = Field(description="Draws.")
    inputs: dict[str, InputFile] = Field(
        description=(
            "Files of the user by path. `checksum` is the BLAKE2b of 128 bits of size and content; of a file of "
            "more than 32 MB, of its ends and 64 parts of it. `sha256`: of all its bytes, where it was asked for. "
            "All null: there was no such file."
        )
    )
    products: dict[str, LockedProduct] = Field(description="Files in `final`, by path inside it.")
    sha256: str = Field(
        "", description="Of all the above as canonical JSON: the file is as written."
    )

    @property
    def own_digest(self) -> str:
        """SHA-256 of all but itself."""
        plain = self.model_dump(mode="json", exclude={"sha256"})
        text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def lock_of(about: About, inputs: Mapping[str, InputFile], products: list[Product]) -> Lock:
    """The lock of a production whose products have been looked at."""
    lock = Lock(
        software=software(),
        algorithms=dict(VERSIONS),
        machine=machine() | {"scheduler": _scheduler()},
        configuration=dict(about.configuration),
        configuration_sha256=about.digest,
        seeds=list(about.seeds),
        inputs=dict(inputs),
        products={
            item.path: LockedProduct(size=item.size, sha256=item.sha256, content=item.content)
            for item in products
        },
    )
    return lock.model_copy(update={"sha256": lock.own_digest})


def software() -> dict[str, str]:
    """Versions of the package, of Python, and of all libraries that touch numbers."""
    import platform

    import shapely
    from osgeo import gdal, osr

    found = {"iota2-tools": version("iota2-tools"), "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    found["gdal"] = gdal.VersionInfo("RELEASE_NAME")
    proj = (osr.GetPROJVersionMajor(), osr.GetPROJVersionMinor(), osr.GetPROJVersionMicro())
    found["proj"] = ".".join(map(str, proj))
    found["geos"] = shapely.geos_version_string
    return found


def _scheduler() -> str:
    """What runs this job; `local` where nothing says."""
    return next((name for key, name in SCHEDULERS.items() if os.environ.get(key)), "local")


def write_lock(lock: Lock, path: str) -> None:
    """Write a lock as JSON."""
    with whole_file(path) as temporary:
        text = json.dumps(lock.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n"
        Path(temporary).write_text(text, encoding="utf-8")


def keep_lock(lock: Lock, output: Path) -> Path:
    """Keep the lock of a run beside those of the runs before, under the time and the head of its digest.

    Parameters
    ----------
    lock : Lock
        Of this run.
    output : Path
        Folder of the production.

    Returns
    -------
    Path
        `locks/20180630T101500Z_1a2b3c4d.lock` in it.
    """
    path = output / KEPT / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}_{lock.sha256[:8]}.lock"
    write_lock(lock, str(path))
    return path


def final_of(lock_file: Path) -> Path:
    """Folder of the final products that a lock tells of, also if it is kept from an earlier run."""
    folder = lock_file.parent
    return folder.parent / "final" if folder.name == KEPT else folder


def read_lock(path: str | Path) -> Lock:
    """Read a lock.

    Raises
    ------
    InputDataError
        If it is absent, no lock, of a newer version, or was altered.
    """
    try:
        given = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputDataError(
            f"{path}: cannot be read ({error.strerror}); a finished production has one in its `final`"
        ) from None
    except ValueError as error:
        raise InputDataError(
            f"{path}: is no JSON ({error}); take the lock as it was written"
        ) from None
    if newer := newer_lock(given, path):
        raise InputDataError(newer)
    try:
        lock = Lock.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise InputDataError(
            f"{path}: is no lock of a production ({place}: {first['msg']})"
        ) from None
    if lock.sha256 != lock.own_digest:
        raise InputDataError(
            f"{path}: was altered since it was written: its digest is another; take it as it was written"
        )
    return lock


def lock_schema() -> str:
    """The JSON schema `workflow/schemas/lock.schema.yaml` of the file, as YAML."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Lock.model_json_schema(),
        "title": "Lock of a production",
    }
    head = "# Generated by `iota2 config-reference --lock-schema`; do not edit.\n"
    return head + yaml.safe_dump(schema, sort_keys=False, allow_unicode=True, width=100)


def lock_in(place: str | Path) -> Path:
    """The lock of a production or of its archive, from its folder, from `final` or from the lock itself.

    Raises
    ------
    InputDataError
        If there is none.
    """
    given = Path(place)
    for path in (given, given / NAME, given / "final" / NAME):
        if path.is_file():
            return path
    raise InputDataError(
        f"{given}: holds no final/{NAME}; name the output folder of a finished production "
        "(`iota2 run CONFIG catalogue` writes the lock of one that was made before there were locks)"
    )
