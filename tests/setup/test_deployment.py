"""The workflow from a tag of its repository, as `snakedeploy deploy-workflow` writes it down."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from clones import ROOT

ADDRESS = "https://hosting.example/"
# What snakedeploy 0.17 writes for a repository on GitHub.
SNAKEFILE = """\
from snakemake.utils import min_version


min_version("6.10.0")


configfile: "config/config.yaml"


# declare https://github.com/example/iota2 as a module
module iota2:
    snakefile:
        github("example/iota2", path="workflow/Snakefile", tag="v0.0.0", host="hosting.example")
    config:
        config


# use all rules from https://github.com/example/iota2
use rule * from iota2
"""


def git(*arguments: str, folder: Path) -> None:
    name = ["-c", "user.name=test", "-c", "user.email=test@hosting.example"]
    subprocess.run(["git", *name, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def hosting(tmp_path) -> dict[str, str]:
    """Variables with which git finds a hosted repository in a folder: this checkout with a tag."""
    repository = tmp_path / "hosting" / "example" / "iota2"
    repository.mkdir(parents=True)
    for name in ("workflow", "rules"):
        shutil.copytree(ROOT / name, repository / name)
    git("init", "--quiet", folder=repository)
    git("add", ".", folder=repository)
    git("commit", "--quiet", "--message", "a release", folder=repository)
    git("tag", "v0.0.0", folder=repository)
    shutil.rmtree(repository / "rules")  # the tag has them
    git("commit", "--quiet", "--all", "--message", "later", folder=repository)
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{tmp_path}/hosting/.insteadOf",
        "GIT_CONFIG_VALUE_0": ADDRESS,
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }


def test_rules_and_scripts_of_a_tag_make_the_products(hosting, tmp_path):
    from iota2_tools.simulate import SceneSettings, simulate_scene

    folder = tmp_path / "production"
    (folder / "workflow").mkdir(parents=True)
    (folder / "workflow" / "Snakefile").write_text(SNAKEFILE)
    shutil.copytree(ROOT / "config", folder / "config", ignore=shutil.ignore_patterns("site.yaml"))
    shutil.copy(ROOT / "config" / "demo.yaml", folder / "config" / "config.yaml")
    settings = SceneSettings(size=64, overlap=20, dates=4, cloud_cover=0.3)
    simulate_scene(settings, folder / "demo" / "scene")
    target = "demo/results/tiles/T31TCJ/validity.tif"
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--profile", ROOT / "profiles" / "local", target],
        cwd=folder, env=os.environ | hosting, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / target).is_file()
