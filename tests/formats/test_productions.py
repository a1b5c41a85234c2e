"""A whole production for each format, on a simulated scene whose classes are known.

`make test-formats`: each starts Snakemake, so they are no part of `make test`.
"""

from pathlib import Path

import pytest
from conftest import Workflow
from truths import agreement

TILES = ("T31TCJ", "T31TDJ")
SENSORS = {
    "landsat5": "l5",
    "landsat5_usgs": "l5-usgs",
    "landsat7_usgs": "l7-usgs",
    "landsat8": "l8",
    "landsat8_old": "l8-old",
    "landsat8_usgs": "l8-usgs",
    "sentinel1": "s1",
    "sentinel1_s1tiling": "s1tiling",
    "sentinel2": "s2",
    "sentinel2_l3a": "l3a",
    "sentinel2_sen2cor": "s2-sen2cor",
}
LEAST = {"sentinel1": 0.45, "sentinel1_s1tiling": 0.45, "landsat7_usgs": 0.5}
"""Share of right pixels that a forest of 20 trees must reach; 0.55 for the others. By chance a sixth."""


@pytest.fixture(scope="session")
def scene(tmp_path_factory) -> Path:
    """A simulated year in all formats: two overlapping tiles of 128 pixels."""
    from iota2_tools.simulate import SceneSettings, simulate_scene

    folder = tmp_path_factory.mktemp("scene")
    settings = SceneSettings(size=128, dates=12)
    simulate_scene(settings, str(folder), sensors=tuple(SENSORS.values()), jobs=2)
    return folder


def section_of(scene: Path, sensor: str) -> dict:
    """Section of a sensor of the scene."""
    section = {"path": str(scene / sensor)}
    if sensor == "sentinel1":
        section["dem"] = str(scene / "dem" / "dem.tif")
        section["geoid"] = str(scene / "geoid" / "geoid.tif")
        section |= {"speckle_radius": 2}
    return section


@pytest.mark.parametrize("sensor", SENSORS)
def test_a_production_of_one_format_finds_the_classes(scene, tmp_path, sensor):
    sensors = {sensor: section_of(scene, sensor)}
    if sensor == "sentinel1":
        # Radar alone has tiles of 110 km; the blue of a few syntheses gives the grid, and little more.
        blue = {"keep_bands": ["B2"], "indices": []}
        sensors["sentinel2_l3a"] = section_of(scene, "sentinel2_l3a") | blue
    workflow = Workflow(
        tmp_path,
        {
            "output": "results",
            "tiles": list(TILES),
            "sensors": sensors,
            "reference": {"path": str(scene / "reference" / "reference.gpkg"), "field": "code"},
            "nomenclature": str(scene / "reference" / "nomenclature.csv"),
            "learning": {"parameters": {"n_estimators": 20}},
            "sampling": {"strategy": "percent", "percent": 0.5},
        },
    )
    name = "results/final/Classif_Seed_0.tif"
    workflow.run(name)
    for tile in TILES:
        share, mapped = agreement(tmp_path / name, scene / "truth" / f"{tile}_class.tif")
        assert mapped > 0.5
        assert share > LEAST.get(sensor, 0.55), sensor
