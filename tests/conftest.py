"""What several tests share: a tiny simulated scene, real data, and running the workflow."""

import copy
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
REAL_DATA = Path(os.environ.get("IOTA2_TEST_DATA", ROOT.parent / "shared" / "data"))

# Two workers of pytest-xdist share the two cores that are counted with.
CORES = 1 if os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1") != "1" else 2


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Tests of one production go to one worker of pytest-xdist, so that it is made once.

    Not by its marks: `--dist loadgroup` of pytest-xdist 3.8 does nothing under pytest 9.2.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByProduction(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    config.option.loadscopereorder = False  # not by the number of tests
    return ByProduction(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Workers of pytest-xdist begin with what takes longest, so that they end together."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: length_of(item.nodeid))


def length_of(nodeid: str) -> int:
    """Place of a test in the order: whole productions, real data, the rest."""
    group = group_of(nodeid)
    return (
        0 if group in ("rules", "maps", "production") else 1 if "test_real_data.py" in group else 2
    )


def group_of(nodeid: str) -> str:
    """What a test shares with others; tests of a group follow one another on one worker."""
    file = nodeid.partition("::")[0]
    if "tests/rules/" in file or file.endswith(("_full_disk.py", "_of_another_year.py")):
        return "rules"
    apart = ("_boundaries.py", "_sensors.py", "_years.py", "_in_season.py")
    if "tests/maps/" in file and not file.endswith(apart):
        return "maps"
    if file.endswith("test_simulated.py"):
        return "production"
    return nodeid if file.endswith(("test_real_data.py", "test_productions.py")) else file


# A shell starts what it puts into the background with SIGINT ignored, and all that is started
# from there inherits it: Ctrl-C could not be tested.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def cache_of_the_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache folder for the tests and the Snakemake runs they start: the user's stays as it is."""
    root = tmp_path_factory.getbasetemp()  # of a worker of pytest-xdist: in that of the session
    folder = (root.parent if "PYTEST_XDIST_WORKER" in os.environ else root) / "cache"
    folder.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


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
        self, *arguments: str, cores: int = CORES, check: bool = True
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
        jobs = job_counts(self.run("--dry-run", *arguments))
        jobs.pop("all", None)
        return jobs


def job_counts(done: subprocess.CompletedProcess) -> dict[str, int]:
    """Number of jobs of each rule, from what snakemake printed."""
    text = done.stdout + done.stderr
    if "Job stats:" not in text:
        return {}
    jobs = {}
    for line in text.split("Job stats:")[1].splitlines()[3:]:
        parts = line.split()
        if len(parts) != 2 or parts[0] == "total":
            break
        jobs[parts[0]] = int(parts[1])
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
def production_settings() -> dict:
    """Configuration of the `production`."""
    return scene_config()


@pytest.fixture(scope="session")
def production(scene, tmp_path_factory) -> Workflow:
    """A complete production on the simulated scene; tests that change it work on a copy."""
    folder = tmp_path_factory.mktemp("production")
    workflow = on_scene(scene, folder)
    workflow.run(cores=2)  # others are compared with it that run on one
    return workflow


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory) -> Workflow:
    """The production of `make demo`: its scene, its configuration, its maps; nothing is made of these."""
    from iota2_tools.simulate import SceneSettings, simulate_scene

    folder = tmp_path_factory.mktemp("demonstration")
    simulate_scene(SceneSettings(size=400, seed=0), str(folder / "demo" / "scene"), jobs=2)
    text = (ROOT / "config" / "demo.yaml").read_text(encoding="utf-8")
    workflow = Workflow(folder, yaml.safe_load(text))
    for section in ("regularisation", "vectorisation", "delivery"):  # tests/maps
        del workflow.config[section]
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


def small_workflow(folder: Path, **sections: Any) -> Workflow:
    """What makes a whole production on tiles of 64 pixels: two tiles, regions and draws.

    The first image of one tile is damaged, the last product of it is in its zip.
    """
    from iota2_tools.simulate import SceneSettings, simulate_scene

    settings = SceneSettings(size=64, overlap=20, dates=6, cloud_cover=0.3, seed=1)
    simulate_scene(settings, str(folder / "scene"), jobs=1)
    west, east = (folder / "scene/sentinel2" / tile for tile in settings.tiles)
    # A day with two products that are clear at the same pixels, and ground that is never seen.
    deliver_again(next(west.glob("*_20180603-*")))
    for product in east.glob("*-1050*"):
        shutil.rmtree(product)
    damaged = deliver_again(min(east.iterdir()), "000000")
    next(damaged.glob("*_FRE_B4.tif")).write_bytes(b"")
    pack(max(east.iterdir()), folder / "scene/unpacked")
    workflow = Workflow(
        folder,
        scene_config(
            inputs={"damaged_acquisition": "skip"},
            regions={"path": "scene/reference/regions.gpkg", "field": "region"},
            sampling={"runs": 2, "strategy": "constant", "constant": 12, "envelope_margin": 105},
            classification={"probability_map": True},
            learning={"parameters": {"n_estimators": 7}},  # shares that are no whole percents
            feature_maps={"features": ["Sentinel2_NDVI_*", "Sentinel2_B8A_*"]},
            **sections,
        ),
    )
    workflow.config["sensors"]["sentinel2"]["temporal_resolution"] = 60
    return workflow


@pytest.fixture(scope="session")
def small_production(tmp_path_factory) -> Workflow:
    """The small production, with its features."""
    workflow = small_workflow(tmp_path_factory.mktemp("small"))
    workflow.config["classification"]["prediction_sets"] = 0.5
    workflow.run("all", "features")
    return workflow


OF_MAPS = {
    "fusion": {"seeds": {"method": "dempster_shafer", "held_back": 0}},
    "regularisation": {
        "minimum_mapping_unit_m2": 500,
        "groups": "parent",
        "resolution": 20,
        "water_mask": {"path": "scene/water.tif", "code": 11},
        "second_minimum_mapping_unit_m2": 1200,
        "margin_pixels": 32,
        "block_pixels": 40,
    },
    "vectorisation": {"square_pixels": 32, "formats": ["gpkg", "parquet"]},
    "delivery": {"path": "scene/reference/regions.gpkg", "field": "region", "prefix": "eco"},
    "report": {"compare": ["last_year"]},
}
"""Sections that ask for all that is made of maps."""


@pytest.fixture(scope="session")
def whole_production(tmp_path_factory) -> Workflow:
    """The small production, its draws fused, its maps regularised, made polygons and delivered."""
    import numpy as np
    from osgeo import gdal
    from tiny import write_image

    folder = tmp_path_factory.mktemp("whole")
    workflow = small_workflow(folder, **copy.deepcopy(OF_MAPS))
    truth = gdal.Open(str(folder / "scene/truth/T31TCJ_class.tif"))
    left, _, _, top, _, _ = truth.GetGeoTransform()
    river = np.zeros((64, 108), dtype=np.uint8)
    river[:, 30:32] = river[20, :] = 1
    write_image(folder / "scene/water.tif", river, left=left, top=top)
    # The map of another year: that of the simulator, on one of the tiles, by the names it gives.
    last_year = write_image(
        folder / "last_year/final/Classif_Seed_0.tif",
        truth.ReadAsArray(),
        left=left,
        top=top,
        nodata=0,
    )
    gdal.Open(last_year, gdal.GA_Update).SetMetadata(
        {f"CLASS_{n}": f"Kind {n}" for n in range(1, 12)}
    )
    workflow.run("all", "features", "folds")
    return workflow


@pytest.fixture(scope="session")
def managed_production(whole_production, tmp_path_factory) -> Workflow:
    """The production with its samples managed and its maps smoothed, no probabilities asked for.

    Nothing is made of these maps again.
    """
    folder = tmp_path_factory.mktemp("managed") / "copy"
    shutil.copytree(whole_production.folder, folder)
    workflow = Workflow(folder, copy.deepcopy(whole_production.config))
    for section in ("fusion", "regularisation", "vectorisation", "delivery"):
        del workflow.config[section]
    workflow.config["classification"] = {"smoothing": {"method": "markov"}, "histograms": True}
    workflow.config["sampling"] |= {
        "max_per_polygon": 4,
        "per_region": {"2": {"strategy": "percent", "percent": 0.5, "max_per_polygon": 9}},
        "augmentation": {"method": "smote", "to": "number", "number": 20, "regions": ["1"]},
        "management": "copies.csv",
    }
    (folder / "copies.csv").write_text(
        "source,destination,class,quantity\n1,2,9,all\n2,1,Pasture,3\n", encoding="utf-8"
    )
    workflow.run("mosaic", "validation")
    return workflow


def deliver_again(product: Path, hour: str = "235959") -> Path:
    """Copy a product under the name of another hour of its day."""
    again = product.with_name(re.sub(r"-\d{6}-", f"-{hour}-", product.name))
    for path in [path for path in product.rglob("*") if path.is_file()]:
        target = again / str(path.relative_to(product)).replace(product.name, again.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    return again


def pack(product: Path, aside: Path) -> None:
    """Put a product into a zip beside it, and its folder under that of its tile somewhere else."""
    shutil.make_archive(str(product), "zip", product.parent, product.name)
    (aside / product.parent.name).mkdir(parents=True)
    product.rename(aside / product.parent.name / product.name)


@pytest.fixture
def made(request):
    """Gives what jobs of one rule have made in the production; it may be read, not changed."""
    of_maps = request.path.parent.name == "maps"
    production = request.getfixturevalue("whole_production" if of_maps else "small_production")

    def products(rule: str, *outputs: str, jobs: int = 1) -> Path:
        """Results of the production, in which `jobs` jobs of `rule` wrote at least `outputs`."""
        results = production.results
        timed = [
            path
            for path in (results / "benchmarks").rglob("*.tsv")
            if rule in path.parts[-2:] or path.stem == rule
        ]
        assert len(timed) >= jobs, f"{rule}: {len(timed)} job(s) ran"
        for name in outputs:
            assert (results / name).exists(), name
        return results

    return products


def product_times(results: Path) -> dict[str, int]:
    """Time of change of every product, by its path in the results."""
    return {
        str(path.relative_to(results)): path.stat().st_mtime_ns
        for path in results.rglob("*")
        if path.is_file() and path.relative_to(results).parts[0] not in ("logs", "benchmarks")
    }
