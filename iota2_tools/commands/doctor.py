"""`iota2 doctor`: can the chain run here, and if not, what is to be done."""

import argparse
import os
import platform
import re
import shutil
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import iota2_tools
from iota2_tools.commands.findings import REINSTALL, Finding, print_findings
from iota2_tools.commands.imported import imported
from iota2_tools.core.environment import (
    DRIVERS,
    environment_problems,
    environment_remarks,
    lacking_formats,
    own_names,
    unimportable,
)
from iota2_tools.core.places import ROOT
from iota2_tools.core.platform import (
    loaded_library,
    machine_memory_mb,
    open_files,
    semaphores_work,
    usable_cores,
)

MODULES = {
    "django-js-lib-leaflet": "js_lib_leaflet",
    "gdal": "osgeo",
    "gdal-wheel": "osgeo",
    "pyyaml": "yaml",
    "scikit-image": "skimage",
    "scikit-learn": "sklearn",
}
"""Packages whose module has another name."""

OTB_APPLICATIONS = ("TrainVectorClassifier", "ImageClassifier")
OTB_USES = "learners of Orfeo ToolBox (`otb-…`)"
"""What needs it; all else runs without."""


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Options of the command."""
    parser = commands.add_parser(
        "doctor", help="versions, and what is missing or broken on this machine"
    )
    parser.add_argument(
        "--profile", metavar="NAME", help="also submit a trial job through this profile"
    )
    parser.add_argument(
        "--folder", type=Path, default=Path(),
        help="where the trial job works: where you start productions (this folder)",
    )  # fmt: skip
    parser.add_argument(
        "--seconds",
        type=float,
        default=300,
        help="for the trial job, waiting included (%(default)s)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what was found; exit code 1 if the chain cannot run."""
    findings = examine()
    if arguments.profile:
        findings += _trial(arguments)
    print_findings(findings)
    return 1 if any(finding.fatal for finding in findings) else 0


def examine() -> list[Finding]:
    """Look at all that the chain needs; nothing is changed."""
    checks: tuple[Callable[[], list[Finding]], ...] = (
        _installation, _system, _python_packages, _locks, _gdal, _vectors, _otb, _environment,
        _limits, _programs, _profiles,
    )  # fmt: skip
    return [finding for check in checks for finding in safely(check)]


def safely(check: Callable[[], list[Finding]]) -> list[Finding]:
    """What a check finds; that it fails is a finding too."""
    try:
        return check()
    except Exception as error:
        name = check.__name__.strip("_").replace("_", " ")
        told = unimportable(error) if isinstance(error, ImportError) else ""
        found = told or f"cannot be looked at ({type(error).__name__}: {error})"
        return [Finding(name, found, "" if told else REINSTALL, fatal=True)]


def _trial(arguments: argparse.Namespace) -> list[Finding]:
    def trial() -> list[Finding]:
        from iota2_tools.commands.trial import examine_profile

        return examine_profile(arguments.profile, arguments.folder, arguments.seconds)

    return safely(trial)


def _installation() -> list[Finding]:
    """The road that led here: the set-up of this project, or an environment of the user's own."""
    package = Path(iota2_tools.__file__).parent
    try:
        number = version("iota2-tools")
    except PackageNotFoundError:
        return [Finding("iota2", f"{package}, not installed", REINSTALL, fatal=True)]
    road = f"the environment {sys.prefix}"
    if Path(sys.prefix) == ROOT / ".venv":
        road = "the environment of `make setup`"
    modules = os.environ.get("LOADEDMODULES", "").replace(":", ", ")
    with_modules = f", with the modules {modules}" if modules else ""
    return [Finding("iota2", f"{number} of {package}, in {road}{with_modules}")]


def _system() -> list[Finding]:
    memory = machine_memory_mb()
    free = shutil.disk_usage(ROOT).free / 2**30
    told = f"{memory / 1024:.0f} GiB of memory" if memory else "memory not told"
    return [
        Finding("python", f"{platform.python_version()} ({sys.executable})"),
        Finding("machine", f"{usable_cores()} cores, {told}, {free:.0f} GiB free here"),
    ]


def locked_versions() -> dict[str, str]:
    """Versions that the locks of this installation ask for, by package."""
    pattern = re.compile(r"^([\w.-]+)==([^\s;\\]+) *\\?$", re.MULTILINE)  # not what is for Windows
    names = ("build", "python", "dev") if (ROOT / "envs" / "python.lock").exists() else ("pip",)
    locks = [ROOT / "envs" / f"{name}.lock" for name in names]
    return {
        name.lower(): number for lock in locks for name, number in pattern.findall(lock.read_text())
    }


def needed_packages() -> dict[str, str]:
    """Modules that the chain imports, each with the package it is from."""
    asked = [text for text in requires("iota2-tools") or () if "extra ==" not in text]
    names = [re.split(r"[^\w.-]", text)[0].lower() for text in asked]
    return {"osgeo": "gdal", "snakemake": "snakemake"} | {
        MODULES.get(name, name.replace("-", "_")): name for name in names
    }


def _python_packages() -> list[Finding]:
    """Packages by what is imported, not by what is listed."""
    found = imported(needed_packages())
    bad = [
        Finding("python packages", f"{each.name}: {each.error}", REINSTALL, fatal=True)
        for each in found
        if each.error
    ]
    hidden = [each for each in found if each.foreign and each.name in own_names()]
    bad += [
        Finding("python packages", f"{each.name} {each.version} is imported from {each.file}, not from "
                f"this environment ({sys.prefix})", "take that folder out of the way", fatal=True)
        for each in hidden
    ]  # fmt: skip
    if bad:
        return bad
    others = [f"{each.name} {each.version} of {each.file}" for each in found if each.foreign]
    numbers = {each.name: each.version for each in found}
    told = ", ".join(
        f"{name} {numbers[name]}" for name in ("snakemake", "sklearn") if name in numbers
    )
    beside = f"; from elsewhere: {', '.join(others)}" if others else ""
    return [Finding("python packages", f"{len(found)} can be imported ({told}){beside}")]


def _locks() -> list[Finding]:
    """Versions beside those the chain was tested with; other ones may do as well."""
    locked = locked_versions()
    other, missing = [], []
    for name, wanted in locked.items():
        try:
            number = version(name)
        except PackageNotFoundError:
            missing.append(name)
            continue
        if number != wanted:
            other.append(f"{name} {number} (locked: {wanted})")
    told = [f"not there: {', '.join(missing)}"] if missing else []
    told += [f"other versions: {', '.join(other)}"] if other else []
    if told:
        remedy = f"not as tested; where that matters, {REINSTALL}"
        return [Finding("locked versions", "; ".join(told), remedy)]
    return [Finding("locked versions", f"{len(locked)}, as locked")] if locked else []


def _gdal() -> list[Finding]:
    from osgeo import gdal, gdal_array  # noqa: F401

    library = loaded_library("libgdal")
    found = gdal.VersionInfo("RELEASE_NAME") + (f" ({library})" if library else "")
    lacking = lacking_formats()
    if lacking:
        return [Finding("gdal", problem, fatal=True) for problem in lacking]
    return [Finding("gdal", f"{found}: {', '.join(DRIVERS)}, zstd")]


def _vectors() -> list[Finding]:
    """Reading and writing polygons and tables of samples."""
    import pyarrow
    import pyogrio

    drivers = pyogrio.list_drivers()
    lacking = [name for name in ("GPKG", "ESRI Shapefile") if name not in drivers]
    lacking += [] if pyarrow.Codec.is_available("zstd") else ["Parquet with zstd"]
    gdal_version = ".".join(map(str, pyogrio.__gdal_version__))
    found = (
        f"pyogrio {pyogrio.__version__} with its GDAL {gdal_version}, pyarrow {pyarrow.__version__}"
    )
    if lacking:
        found = f"{found}, without {', '.join(lacking)}"
        return [Finding("vectors, tables", found, REINSTALL, fatal=True)]
    return [Finding("vectors, tables", f"{found}: GeoPackage, Shapefile, Parquet")]


def _otb() -> list[Finding]:
    """Orfeo ToolBox, which some choices need and the chain does not."""
    from iota2_tools import otb
    from iota2_tools.core.errors import MissingSoftwareError

    try:
        applications = otb.load().Registry.GetAvailableApplications()
    except MissingSoftwareError as error:
        return [Finding("otb", str(error), "nothing, unless you need it", lacks=OTB_USES)]
    absent = [name for name in OTB_APPLICATIONS if name not in applications]
    found = f"{otb.installed_version()}, {len(applications)} applications"
    if absent:
        remedy = "set OTB_APPLICATION_PATH to its folder of applications"
        return [Finding("otb", f"{found}, without {', '.join(absent)}", remedy, lacks=OTB_USES)]
    return [Finding("otb", f"{found}: {OTB_USES} can be used")]


def _environment() -> list[Finding]:
    """Variables and folders of other software."""
    found = [
        Finding("environment", remark, "the chain goes on with that; put it right to be rid of it")
        for remark in environment_remarks()
    ]
    if os.environ.get("PYTHONHOME"):
        told = f"PYTHONHOME is {os.environ['PYTHONHOME']}"
        found.append(Finding("environment", told, "unset it: this Python knows its own folder"))
    others = [problem for problem in environment_problems() if problem not in lacking_formats()]
    found += [Finding("environment", problem, fatal=True) for problem in others]
    return found or [Finding("environment", "nothing of other software is in the way")]


def _limits() -> list[Finding]:
    soft, hard = open_files()
    found = [Finding("open files", f"{soft} at once, {hard if hard > 0 else 'any number'} in jobs")]
    if not semaphores_work():
        found.append(
            Finding("shared memory", "no semaphores (is /dev/shm closed?)",
                    "nothing: `iota2 simulate` then works in one process")
        )  # fmt: skip
    return found


def _programs() -> list[Finding]:
    findings = []
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    program = shutil.which("snakemake", path=path)
    if program is None:
        findings.append(Finding("snakemake", "no such program", REINSTALL, fatal=True))
    elif shutil.which("snakemake") is None:
        findings.append(
            Finding("snakemake", program, "type `. .venv/bin/activate` to have it at hand")
        )
    findings += [
        Finding("programs", f"no `{name}`", "Snakemake needs it: install it, or correct PATH", fatal=True)
        for name in ("bash", "which")
        if shutil.which(name) is None
    ]  # fmt: skip
    if shutil.which("dot") is None:
        findings.append(Finding("graphviz", "no `dot`", "pictures of the DAG need graphviz"))
    return findings


def _profiles() -> list[Finding]:
    from iota2_tools.commands.profiles import examine_profiles

    return examine_profiles(Path.cwd())
