"""What `iota2 doctor` says of a machine: by what is imported, and never a traceback."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from iota2_tools import otb
from iota2_tools.commands import doctor
from iota2_tools.commands.findings import Finding, print_findings
from iota2_tools.commands.imported import Imported, imported
from iota2_tools.core import environment
from iota2_tools.core.errors import MissingSoftwareError


def fatal(findings: list[Finding]) -> list[str]:
    return [finding.found for finding in findings if finding.fatal]


def test_a_look_that_fails_is_a_finding():
    def _broken_part() -> list[Finding]:
        raise KeyError("what")

    (found,) = doctor.safely(_broken_part)
    assert found.name == "broken part"
    assert found.found == "cannot be looked at (KeyError: 'what')"
    assert found.fatal


def test_a_look_for_want_of_software_tells_what_is_missing():
    def _look() -> list[Finding]:
        import nosuchmodule  # noqa: F401

        return []

    (found,) = doctor.safely(_look)
    assert "No module named 'nosuchmodule'" in found.found
    assert found.fatal


def test_no_look_ends_the_doctor(monkeypatch):
    def fail() -> list[Finding]:
        raise RuntimeError("here")

    looks = ["_installation", "_system", "_python_packages", "_locks", "_gdal", "_vectors", "_otb",
             "_environment", "_limits", "_programs", "_profiles"]  # fmt: skip
    for look in looks:
        monkeypatch.setattr(doctor, look, fail)
    assert len(fatal(doctor.examine())) == len(looks)


def test_the_verdict_tells_what_is_missing(capsys):
    good, without = Finding("a", "1"), Finding("otb", "no", "get it", lacks="learners of OTB")
    bad = Finding("gdal", "none", "install it", fatal=True)
    print_findings([good])
    assert capsys.readouterr().out.endswith("\nThe chain can run here.\n")
    print_findings([good, without])
    assert capsys.readouterr().out.endswith("\nThe chain can run here, without learners of OTB.\n")
    print_findings([good, without, bad, bad])
    assert capsys.readouterr().out.endswith("\nThe chain cannot run: gdal\n")


# Packages.


def test_every_package_that_is_asked_for_can_be_looked_for():
    wanted = doctor.needed_packages()
    assert {"osgeo", "snakemake", "numpy", "sklearn", "yaml", "skops"} <= set(wanted)
    assert wanted["sklearn"] == "scikit-learn"
    assert all(importlib.util.find_spec(name) for name in wanted)


@pytest.mark.parametrize(
    ("requirement", "module"),
    [("Snakemake<9.28,>=9.27", "snakemake"), ("scikit-learn", "sklearn"), ("drmaa-x>1", "drmaa_x")],
)
def test_modules_of_requirements(monkeypatch, requirement, module):
    asked = [requirement, 'sphinx==3.13; extra == "docs"']
    monkeypatch.setattr(doctor, "requires", lambda _: asked)
    assert set(doctor.needed_packages()) == {"osgeo", "snakemake", module}


@pytest.fixture
def others(tmp_path, monkeypatch):
    """Modules of a folder of PYTHONPATH: one whole, one broken, one that ends Python."""
    texts = {
        "whole_one": "__version__ = '1.2'",
        "broken_one": "raise ImportError('built for another python')",
        "odd_one": "raise RuntimeError('no licence')",
        "ending_one": "import os; os._exit(3)",
        "after_it": "",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def test_modules_are_judged_by_what_is_imported(others):
    names = {name: name for name in ("whole_one", "broken_one", "odd_one")}
    whole, broken, odd = imported(names)
    assert whole == Imported("whole_one", str(others / "whole_one.py"), "1.2")
    assert whole.foreign
    assert f"{others}/broken_one.py: cannot be imported (built for another python)" in broken.error
    assert "unset PYTHONPATH" in broken.error
    assert odd.error == "RuntimeError: no licence"


def test_a_module_that_ends_python_is_told(others):
    names = {name: name for name in ("whole_one", "ending_one", "after_it")}
    found = imported(names)
    assert [each.name for each in found] == ["whole_one", "ending_one"]
    assert found[1].error == "its import ends Python (status 3)"


@pytest.mark.slow
def test_a_module_that_never_comes_is_told(others, monkeypatch):
    (others / "slow_one.py").write_text("import time; time.sleep(600)")
    monkeypatch.setattr("iota2_tools.commands.imported.SECONDS", 2)
    (found,) = imported({"slow_one": "slow"})
    assert found.error == "its import takes more than 2 s"


def test_a_version_is_that_of_the_package_beside_the_file(others):
    """The list of what is installed may name another one."""
    folder = others / "numpy-0.9.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 0.9\n")
    (others / "named_one.py").write_text("")
    assert imported({"named_one": "numpy"})[0].version == "0.9"


def packages(monkeypatch, *found: Imported) -> list[Finding]:
    monkeypatch.setattr(doctor, "imported", lambda _: list(found))
    return doctor._python_packages()


def test_a_package_that_stands_for_one_of_this_environment_is_fatal(monkeypatch):
    found = packages(monkeypatch, Imported("numpy", "/opt/x/numpy/__init__.py", "1.2"))
    (told,) = fatal(found)
    assert told.startswith("numpy 1.2 is imported from /opt/x/numpy/__init__.py, not from this")


def test_a_package_of_a_module_of_the_centre_is_told_and_right(monkeypatch):
    snakemake = Imported("snakemake", f"{sys.prefix}/lib/snakemake/__init__.py", "9.27.1")
    (found,) = packages(monkeypatch, Imported("otherwise", "/apps/o/otherwise.py", "3"), snakemake)
    assert not found.fatal
    assert found.found == (
        "2 can be imported (snakemake 9.27.1); from elsewhere: otherwise 3 of /apps/o/otherwise.py"
    )


def test_a_package_that_cannot_be_imported_is_fatal(monkeypatch):
    assert fatal(packages(monkeypatch, Imported("numpy", error="no room"))) == ["numpy: no room"]


def test_versions_that_differ_from_the_tested_ones_are_remarks(monkeypatch):
    locked = {"pytest": "0.1", "no-such-package": "1"}
    monkeypatch.setattr(doctor, "locked_versions", lambda: locked)
    (found,) = doctor._locks()
    assert found.found.startswith("not there: no-such-package; other versions: pytest ")
    assert found.remedy
    assert not found.fatal


def test_without_locks_nothing_is_said_of_them(monkeypatch):
    monkeypatch.setattr(doctor, "locked_versions", dict)
    assert doctor._locks() == []


# GDAL, Orfeo ToolBox, the environment.


def test_gdal_without_zstd_is_fatal(monkeypatch):
    from osgeo import gdal

    tiff = gdal.GetDriverByName("GTiff")
    assert fatal(doctor._gdal()) == []

    class WithoutZstd:
        GetMetadataItem = staticmethod(lambda key: tiff.GetMetadataItem(key).replace("ZSTD", ""))

    monkeypatch.setattr(gdal, "GetDriverByName", lambda _: WithoutZstd)
    (told,) = fatal(doctor._gdal())
    assert told.startswith(f"GDAL {gdal.__version__} lacks zstd compression: another build")
    assert fatal(doctor._environment()) == []  # told once


def test_files_of_polygons_and_samples_can_be_written():
    (found,) = doctor._vectors()
    assert found.found.endswith("GeoPackage, Shapefile, Parquet")


def test_without_otb_the_chain_runs_without_its_learners(monkeypatch):
    def missing() -> None:
        raise MissingSoftwareError("otbApplication cannot be imported (none)")

    monkeypatch.setattr(otb, "load", missing)
    (found,) = doctor._otb()
    assert not found.fatal
    assert found.lacks == doctor.OTB_USES


def test_an_otb_without_its_applications_is_told(monkeypatch):
    class Registry:
        GetAvailableApplications = staticmethod(lambda: ("ImageClassifier",))

    monkeypatch.setattr(otb, "load", lambda: type("Module", (), {"Registry": Registry}))
    monkeypatch.setattr(otb, "installed_version", lambda: "8.1")
    (found,) = doctor._otb()
    assert found.found == "8.1, 1 applications, without TrainVectorClassifier"
    assert not found.fatal
    assert found.lacks


@pytest.mark.parametrize(
    ("listed", "version"),
    [
        (
            "\tlibOTBApplicationEngine-8.1.so.1 => /usr/lib/libOTBApplicationEngine-8.1.so.1 (0x7f)",
            "8.1",
        ),
        ("\t@rpath/libOTBApplicationEngine-9.1.1.dylib (compatibility version 1.0.0)", "9.1"),
        ("\tlibc.so.6 => /lib/libc.so.6 (0x7f)", "unknown"),
    ],
)
def test_the_version_of_otb_is_that_of_its_library(monkeypatch, listed, version):
    binding = SimpleNamespace(_otbApplication=SimpleNamespace(__file__="_otbApplication.so"))
    monkeypatch.setattr(otb, "load", lambda: binding)
    monkeypatch.setattr(otb, "linked_libraries", lambda _: listed)
    assert otb.installed_version() == version


def test_what_was_left_out_and_what_is_in_the_way_are_told_apart(monkeypatch):
    monkeypatch.setenv(environment.NOTES, "PROJ_LIB=/x is left out: there is no proj.db")
    monkeypatch.setenv("PYTHONHOME", "/other")
    monkeypatch.setattr(
        doctor, "environment_problems", lambda: ["GDAL is old: unset LD_LIBRARY_PATH"]
    )
    found = doctor._environment()
    assert fatal(found) == ["GDAL is old: unset LD_LIBRARY_PATH"]
    assert [each.found for each in found if not each.fatal] == [
        "PROJ_LIB=/x is left out: there is no proj.db", "PYTHONHOME is /other",
    ]  # fmt: skip


def test_closed_shared_memory_is_no_failure(monkeypatch):
    assert len(doctor._limits()) == 1
    monkeypatch.setattr(doctor, "semaphores_work", lambda: False)
    files, shared = doctor._limits()
    assert files.name == "open files"
    assert "no semaphores" in shared.found
    assert not shared.fatal


def test_programs_that_snakemake_needs_are_looked_for(monkeypatch):
    assert fatal(doctor._programs()) == []
    monkeypatch.setenv("PATH", "/nowhere")
    assert fatal(doctor._programs()) == ["no `bash`", "no `which`"]


def test_the_road_is_told(monkeypatch):
    monkeypatch.setenv("LOADEDMODULES", "gcc/12:otb/9.0")
    (found,) = doctor._installation()
    assert found.found.endswith(", with the modules gcc/12, otb/9.0")
    assert str(Path(doctor.__file__).parents[1]) in found.found


@pytest.mark.slow
def test_an_environment_full_of_other_software_gives_no_traceback(tmp_path):
    """The whole command, but for the packages it imports one by one."""
    (tmp_path / "numpy").mkdir()
    (tmp_path / "numpy" / "__init__.py").write_text("raise ImportError('another python')")
    own = os.environ | {
        "PYTHONPATH": str(tmp_path), "PROJ_LIB": "/nowhere", "GDAL_SKIP": "GPKG", "HOME": "/nonexistent",
        "TMPDIR": str(tmp_path),
    }  # fmt: skip
    program = """
import sys
from iota2_tools.commands import cli, doctor
doctor.imported = lambda _: []
sys.exit(cli.main(["doctor"]))
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=own, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    for told in (f"PYTHONPATH: {tmp_path} has numpy", "PROJ_LIB=/nowhere is left out", "lacks GPKG",
                 "HOME=/nonexistent is no folder"):  # fmt: skip
        assert told in done.stdout
