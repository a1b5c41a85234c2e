"""`iota2 doctor`: can the chain run here, and if not, what is to be done."""

import argparse
import os
import platform
import re
import shutil
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from iota2_tools.commands.findings import REINSTALL, Finding, print_findings

ROOT = Path(__file__).parents[2]


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
        from iota2_tools.commands.trial import examine_profile

        findings += examine_profile(arguments.profile, arguments.folder, arguments.seconds)
    print_findings(findings)
    return 1 if any(finding.fatal for finding in findings) else 0


def examine() -> list[Finding]:
    """Look at all that the chain needs; nothing is changed."""
    checks: tuple[Callable[[], list[Finding]], ...] = (
        _system, _python_packages, _gdal, _otb, _programs, _profiles,
    )  # fmt: skip
    return [finding for check in checks for finding in check()]


def _system() -> list[Finding]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    free = shutil.disk_usage(ROOT).free / 2**30
    return [
        Finding("python", f"{platform.python_version()} ({sys.executable})"),
        Finding(
            "machine",
            f"{os.cpu_count()} cores, {memory:.0f} GiB of memory, {free:.0f} GiB free here",
        ),
    ]


def locked_versions() -> dict[str, str]:
    """Versions that `envs/*.lock` ask for, by package."""
    pattern = re.compile(r"^([A-Za-z0-9_.-]+)==([^\s\\]+)", re.MULTILINE)
    locks = sorted((ROOT / "envs").glob("*.lock"))
    return {
        name.lower(): number for lock in locks for name, number in pattern.findall(lock.read_text())
    }


def _python_packages() -> list[Finding]:
    missing, other = [], []
    locked = locked_versions()
    for name, wanted in locked.items():
        try:
            found = version(name)
        except PackageNotFoundError:
            missing.append(name)
            continue
        if found != wanted:
            other.append(f"{name} {found} (locked: {wanted})")
    if missing:
        return [Finding("python packages", f"missing: {', '.join(missing)}", REINSTALL, fatal=True)]
    if other:
        return [
            Finding("python packages", ", ".join(other), f"other versions than tested; {REINSTALL}")
        ]
    return [
        Finding(
            "python packages",
            f"{len(locked)}, as locked (snakemake {version('snakemake')}, scikit-learn {version('scikit-learn')})",
        )
    ]


def _gdal() -> list[Finding]:
    try:
        from osgeo import gdal, gdal_array  # noqa: F401
    except ImportError as error:
        return [Finding("gdal", f"cannot be imported ({error})", REINSTALL, fatal=True)]
    lacking = [
        name for name in ("GTiff", "COG", "GPKG", "VRT") if gdal.GetDriverByName(name) is None
    ]
    zstd = "ZSTD" in gdal.GetDriverByName("GTiff").GetMetadataItem("DMD_CREATIONOPTIONLIST")
    if lacking or not zstd:
        what = ", ".join([*lacking, *([] if zstd else ["zstd compression"])])
        return [
            Finding(
                "gdal", f"{gdal.__version__} lacks {what}", "install Debian's libgdal32", fatal=True
            )
        ]
    return [Finding("gdal", gdal.__version__)]


def _otb() -> list[Finding]:
    from iota2_tools import otb
    from iota2_tools.core.errors import MissingSoftwareError

    try:
        applications = otb.load().Registry.GetAvailableApplications()
        needed = (
            "PolygonClassStatistics",
            "SampleSelection",
            "MultiImageSamplingRate",
            "TrainVectorClassifier",
            "ImageClassifier",
        )
        absent = [name for name in needed if name not in applications]
    except MissingSoftwareError as error:
        return [Finding("otb", str(error), REINSTALL, fatal=True)]
    if absent:
        return [
            Finding(
                "otb", f"{otb.installed_version()}, {len(applications)} applications, without {', '.join(absent)}",
                "install otb-bin, or set OTB_APPLICATION_PATH to its folder of applications", fatal=True,
            )
        ]  # fmt: skip
    return [Finding("otb", f"{otb.installed_version()}, {len(applications)} applications")]


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
    if shutil.which("dot") is None:
        findings.append(Finding("graphviz", "no `dot`", "pictures of the DAG need graphviz"))
    return findings


def _profiles() -> list[Finding]:
    from iota2_tools.commands.profiles import examine_profiles

    return examine_profiles(Path.cwd())
