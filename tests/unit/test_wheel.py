"""The wheel holds the whole workflow, and an installed package finds it without a checkout."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT
from files_of_project import files_of_project

from iota2_tools.commands.doctor import locked_versions
from iota2_tools.core import places

pytestmark = pytest.mark.slow  # a wheel is built, and unpacked

CARRIED = ("workflow", "rules", "profiles")


def tracked(*folders: str) -> list[str]:
    """Files of the project in some folders, those that git ignores left out."""
    starts = tuple(f"{folder}/" for folder in folders)
    return [name for name in files_of_project(ROOT) if not folders or name.startswith(starts)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
    """The wheel, built from a copy that also holds what a user has put there."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in tracked():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, copy / name)
    (copy / "config" / "site.yaml").write_text("account: secret\n")
    (copy / "config" / "config.yaml").write_text("output: mine\n")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index",
               "--no-build-isolation", "--wheel-dir", copy / "dist", copy]  # fmt: skip
    subprocess.run(command, check=True)
    with zipfile.ZipFile(next((copy / "dist").glob("*.whl"))) as archive:
        yield archive


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The wheel unpacked as pip does it, far from any checkout."""
    folder = tmp_path_factory.mktemp("site-packages")
    wheel.extractall(folder)
    return folder


def told_by(installed: Path, program: str, **variables: str) -> str:
    """What a program prints that imports the unpacked package, and no other."""
    environment = os.environ | {"PYTHONPATH": str(installed)} | variables
    command = [sys.executable, "-P", "-c", program]
    done = subprocess.run(
        command, env=environment, cwd=installed, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_wheel_carries_every_file_of_the_workflow(wheel):
    inside = set(wheel.namelist())
    for name in tracked(*CARRIED):
        assert f"iota2_tools/shipped/{name}" in inside


def test_the_wheel_carries_the_examples_and_nothing_of_the_user(wheel):
    shipped = "iota2_tools/shipped/"
    inside = {name.removeprefix(shipped) for name in wheel.namelist() if name.startswith(shipped)}
    assert {name for name in inside if name.startswith("config/")} == set(tracked("config"))
    assert "envs/pip.lock" in inside


def test_the_wheel_carries_every_module(wheel):
    modules = {name for name in tracked("iota2_tools") if name.endswith(".py")}
    assert modules <= set(wheel.namelist())
    templates = {name for name in tracked("iota2_tools") if "/templates/" in name}
    assert templates
    assert templates <= set(wheel.namelist())


def test_an_installed_package_looks_for_its_files_inside_itself(installed):
    program = """
import iota2_tools
from iota2_tools.commands.doctor import locked_versions
from iota2_tools.core import places
print(iota2_tools.__file__)
print(places.ROOT)
for folder in (places.SNAKEFILE, places.PROFILES, places.CONFIG):
    assert folder.exists(), folder
"""
    origin, root = told_by(installed, program).splitlines()
    assert origin == str(installed / "iota2_tools" / "__init__.py")
    assert root == str(installed / "iota2_tools" / "shipped")


def test_an_installed_package_runs_its_commands(installed):
    """The site file is looked for in the environment, not in the package."""
    program = """
from iota2_tools.cluster.site import read_site, site_path
from iota2_tools.commands.cli import main
from iota2_tools.commands.trial import executor_of
print(read_site().limits.threads, executor_of("slurm"), site_path())
main(["config-reference"])
"""
    told = told_by(installed, program)
    first, _, page = told.partition("\n")
    assert first == f"8 drmaa-verified {sys.prefix}/etc/iota2/site.yaml"
    assert page == (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8").rstrip()


def test_a_doctor_of_an_installed_package_names_its_own_road(installed):
    program = """
from pathlib import Path
from iota2_tools.commands.doctor import locked_versions
from iota2_tools.commands.findings import REINSTALL
from iota2_tools.commands.profiles import examine_profiles
for finding in examine_profiles(Path()):
    print(finding)
print(REINSTALL, locked_versions()["gdal-wheel"])
"""
    profiles, remedy = told_by(installed, program).splitlines()
    assert "gridengine, local, pbs, slurm, slurm-native: `iota2 run --profile NAME`" in profiles
    assert "fatal=False" in profiles
    assert remedy == "repeat its `pip install` (docs/installation.md) 3.13.3"


def test_the_linter_reads_the_installed_workflow(installed):
    """Its includes lead from file to file inside the package."""
    program = """
import sys
from iota2_tools.core.places import SNAKEFILE
from snakemake.cli import main
sys.argv = ["snakemake"]
main(["--lint", "--snakefile", str(SNAKEFILE)])
"""
    environment = os.environ | {"PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], env=environment, cwd=installed,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_checkout_and_an_installed_package_each_find_their_own(tmp_path):
    checkout = tmp_path / "checkout" / "iota2_tools"
    installed = tmp_path / "site-packages" / "iota2_tools"
    checkout.mkdir(parents=True)
    (installed / "shipped").mkdir(parents=True)
    assert places.root_of(checkout) == tmp_path / "checkout"
    assert places.root_of(installed) == installed / "shipped"
    prefix = tmp_path / "environment"
    assert places.site_file_of(checkout, prefix) == tmp_path / "checkout" / "config" / "site.yaml"
    assert places.site_file_of(installed, prefix) == prefix / "etc" / "iota2" / "site.yaml"


def test_the_pip_road_has_the_versions_of_the_others():
    """The maps are compared pixel by pixel: other versions could change them."""

    def versions(name: str) -> dict[str, str]:
        lines = (ROOT / "envs" / name).read_text(encoding="utf-8").splitlines()
        pairs = [line.split(" ")[0].split("==") for line in lines if "==" in line.split("#")[0]]
        return {package: number for package, number in pairs if not package.startswith(" ")}

    others = versions("build.lock") | versions("python.lock")
    pip = versions("pip.lock")
    assert pip.pop("gdal-wheel")
    assert len(pip) > 60
    assert {name: others.get(name) for name in pip} == pip


def test_what_the_extra_gdal_asks_for_is_what_the_lock_holds():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (wanted,) = project["optional-dependencies"]["gdal"]
    assert f"\n{wanted} " in (ROOT / "envs" / "pip.lock").read_text(encoding="utf-8")


def test_the_example_nomenclature_is_one(tmp_path):
    from iota2_tools.config.nomenclature import read_nomenclature

    assert len(read_nomenclature(str(ROOT / "config" / "nomenclature.csv")).codes) == 6


def test_the_configurations_of_the_examples_are_whole():
    from iota2_tools.planning.configuration import read_configuration

    for name in ("minimal", "full", "demo"):
        read_configuration(ROOT / "config" / f"{name}.yaml")


def test_the_files_for_conda_ask_for_what_the_package_does():
    import tomllib

    import yaml

    def name(requirement: str) -> str:
        return re.split(r"[\[ ><=]", requirement)[0]

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    # Python itself, GDAL of the channel, what builds the package, the extra of Snakemake.
    wanted = {name(item) for item in project["dependencies"]}
    wanted |= {"python", "gdal", "pip", "setuptools", "pygments"}
    conda = yaml.safe_load((ROOT / "envs" / "environment.yml").read_text(encoding="utf-8"))
    pixi = tomllib.loads((ROOT / "envs" / "pixi.toml").read_text(encoding="utf-8"))
    *of_conda, of_pypi = conda["dependencies"]
    assert {name(item) for item in of_conda} | set(of_pypi["pip"]) == wanted
    assert set(pixi["dependencies"]) | set(pixi["pypi-dependencies"]) == wanted


def test_containers_take_all_that_the_set_up_and_the_workflow_need():
    """What the wheel carries and what the set-up reads, in both recipes."""
    needed = {"Makefile", "pyproject.toml", "setup.py", "iota2_tools", "executors"}
    needed |= {*CARRIED, "config", "envs"}
    oci = (ROOT / "envs" / "Containerfile").read_text(encoding="utf-8")
    copied = {word for line in re.findall(r"^COPY (.*) \S+$", oci, re.M) for word in line.split()}
    assert copied == needed
    apptainer = (ROOT / "envs" / "apptainer.def").read_text(encoding="utf-8")
    files = apptainer.split("%files")[1].split("%post")[0]
    assert {line.split()[0] for line in files.strip().splitlines()} == needed
    for recipe in (oci, apptainer):
        assert "bash /opt/iota2/envs/on_bare_debian.sh" in recipe


def test_the_locks_of_a_checkout_are_those_of_its_set_up():
    """Not those of other roads, and not what is for Windows alone."""
    locked = locked_versions()
    assert {"numpy", "snakemake", "pytest"} <= locked.keys()
    assert locked.keys().isdisjoint({"gdal-wheel", "colorama", "pyreadline3"})
