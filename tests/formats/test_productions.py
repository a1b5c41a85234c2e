"""A whole production for each format, on a simulated scene whose classes are known.

`make test-formats`: each starts Snakemake, so they are no part of `make test`.
"""

from pathlib import Path

import pytest
from conftest import Workflow, scene_config
from scenes import SIMULATED, section_of, tile_of
from truths import agreement

TILES = ("T31TCJ", "T31TDJ")
NAME = "results/final/Classif_Seed_0.tif"
LEAST = {"sentinel1": 0.45, "sentinel1_s1tiling": 0.45, "landsat7_usgs": 0.5, "stac": 0.75}
"""Share of right pixels that a forest of 20 trees must reach; 0.55 for the others. By chance a sixth."""


@pytest.fixture(scope="session")
def scene(tmp_path_factory) -> Path:
    """A simulated year in all formats: two overlapping tiles of 128 pixels."""
    from iota2_tools.simulate import SceneSettings, simulate_scene

    folder = tmp_path_factory.mktemp("scene")
    settings = SceneSettings(size=128, dates=12)
    simulate_scene(settings, str(folder), sensors=tuple(SIMULATED.values()), jobs=2)
    return folder


def production(scene: Path, folder: Path, *sensors: str, **others: dict) -> Workflow:
    """A production of some sensors of a scene; `others` go into the sections of each."""
    (folder / "scene").symlink_to(scene)
    given = scene_config(sampling={"strategy": "percent", "percent": 0.5})
    given["tiles"] = [tile_of(sensors[0], tile) for tile in TILES]
    given["sensors"] = {name: section_of("scene", name) | others.get(name, {}) for name in sensors}
    return Workflow(folder, given)


@pytest.mark.parametrize("sensor", SIMULATED)
def test_a_production_of_one_format_finds_the_classes(scene, tmp_path, sensor):
    sensors, others = [sensor], {"sentinel1": {"speckle_radius": 2}}
    if sensor == "sentinel1":
        # Radar alone has tiles of 110 km; the blue of a few syntheses gives the grid, and little more.
        sensors.append("sentinel2_l3a")
        others["sentinel2_l3a"] = {"keep_bands": ["B2"], "indices": []}
    workflow = production(scene, tmp_path, *sensors, **others)
    workflow.run(NAME)
    for tile in TILES:
        share, mapped = agreement(tmp_path / NAME, scene / "truth" / f"{tile}_class.tif")
        assert mapped > 0.5
        assert share > LEAST.get(sensor, 0.55), sensor
    if sensor == "sentinel1_s1tiling":
        as_it_is = (tmp_path / NAME).read_bytes()
        workflow.config["sensors"][sensor]["prepare"] = True
        workflow.run(NAME)
        assert any(workflow.results.rglob("prepared.json"))
        assert (tmp_path / NAME).read_bytes() == as_it_is
