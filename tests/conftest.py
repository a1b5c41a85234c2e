"""What several tests share: a tiny simulated scene, real data, and running the workflow."""

import copy
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
REAL_DATA = Path(os.environ.get("IOTA2_TEST_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real satellite data; in CI it must be there."""
    if not (REAL_DATA / "flanders2018").is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"no real data in {REAL_DATA}: set IOTA2_TEST_DATA")
        pytest.skip(f"no real data in {REAL_DATA}: set IOTA2_TEST_DATA to their folder")
    return REAL_DATA


@dataclass
class Workflow:
    """A production that can be run."""

    folder: Path
    config: dict

    @property
    def results(self) -> Path:
        return self.folder / self.config["output"]

    @property
    def products(self) -> Path:
        return self.folder / self.config["sensors"]["sentinel2"]["path"]

    def run(
        self, *arguments: str, cores: int = 2, check: bool = True
    ) -> subprocess.CompletedProcess:
        """Run snakemake on this production and return what it printed."""
        configfile = self.folder / "config.yaml"
        configfile.write_text(yaml.safe_dump(self.config), encoding="utf-8")
        command = [
            sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "workflow" / "Snakefile"),
            "--directory", str(self.folder), "--configfile", str(configfile),
            "--profile", str(ROOT / "profiles" / "local"), "--cores", str(cores), *arguments,
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.folder)
        if check and done.returncode:
            raise AssertionError(
                f"snakemake ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
            )
        return done

    def planned(self, *arguments: str) -> dict[str, int]:
        """Jobs a dry run would start, by rule, without targets that only gather files."""
        done = self.run("--dry-run", *arguments)
        text = done.stdout + done.stderr
        if "Job stats:" not in text:
            return {}
        table = text.split("Job stats:")[1].splitlines()[3:]
        jobs = {}
        for line in table:
            parts = line.split()
            if len(parts) != 2 or parts[0] == "total":
                break
            jobs[parts[0]] = int(parts[1])
        jobs.pop("all", None)
        return jobs


def scene_config(**sections: dict) -> dict:
    """Configuration of a production on a simulated scene, all paths relative to its folder."""
    return {
        "output": "results",
        "tiles": ["T31TCJ", "T31TDJ"],
        "sensors": {"sentinel2": {"path": "scene/sentinel2", "temporal_resolution": 30}},
        "reference": {"path": "scene/reference/reference.gpkg", "field": "code"},
        "nomenclature": "scene/reference/nomenclature.csv",
        "learning": {"parameters": {"n_estimators": 20}},
        "sampling": {"strategy": "percent", "percent": 0.3},
    } | sections


@pytest.fixture(scope="session")
def scene(tmp_path_factory) -> Path:
    """A simulated year: two overlapping tiles of 160 pixels, 12 dates, two regions."""
    from iota2_tools.simulate import SceneSettings, simulate_scene

    folder = tmp_path_factory.mktemp("scene")
    simulate_scene(SceneSettings(size=160, dates=12), str(folder), jobs=2)
    return folder


@pytest.fixture(scope="session")
def production(scene, tmp_path_factory) -> Workflow:
    """A complete production on the simulated scene; tests that change it work on a copy."""
    folder = tmp_path_factory.mktemp("production")
    workflow = on_scene(scene, folder)
    workflow.run()
    return workflow


def on_scene(scene: Path, folder: Path, **sections: dict) -> Workflow:
    """A production of its own on a copy of the scene."""
    shutil.copytree(scene, folder / "scene")
    return Workflow(folder, scene_config(**sections))


@pytest.fixture
def own_copy(production, tmp_path) -> Workflow:
    """The finished production with its scene and Snakemake's records, free to be changed."""
    folder = tmp_path / "copy"
    shutil.copytree(production.folder, folder)
    return Workflow(folder, copy.deepcopy(production.config))
