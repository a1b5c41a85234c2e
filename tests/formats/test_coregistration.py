"""A series whose images lie off is brought onto a reference image, from the images to the map."""

import json
import re
from datetime import date

import numpy as np
import pytest
from conftest import Workflow, scene_config
from osgeo import gdal
from scenes import OWN_SERIES
from truths import agreement

from iota2_tools.geo.raster import create_raster
from iota2_tools.simulate import SceneSettings, clear_landsat, simulate_scene
from iota2_tools.simulate.landsat import LANDSAT8
from iota2_tools.simulate.own import plan_misplaced
from iota2_tools.simulate.theia_landsat import tile_grid

TILE = "T31TCJ"
PIXEL = 30
SETTINGS = SceneSettings(size=288, dates=16, tiles=(TILE,), cloud_cover=0.1)
NEAR_INFRARED = 5
RESULTS = "results/final/RESULTS.txt"
NAME = "results/final/Classif_Seed_0.tif"


@pytest.fixture
def workflow(tmp_path) -> Workflow:
    """A year of images that lie off by up to a pixel and a half, and where they should lie."""
    simulate_scene(SETTINGS, tmp_path / "scene", sensors=("own-misplaced",), jobs=2)
    grid = tile_grid(SETTINGS, TILE)
    bands = clear_landsat(SETTINGS, LANDSAT8, grid, date(SETTINGS.year, 6, 15))
    with create_raster(str(tmp_path / "reference.tif"), grid, "int16") as raster:
        raster.write(bands[NEAR_INFRARED - 1], grid.window)
    given = scene_config(sampling={"strategy": "percent", "percent": 0.5})
    section = {"path": "scene/own_series_misplaced", "coregistration": {
        "reference": "reference.tif", "sensor_band": f"B{NEAR_INFRARED}",
    }}  # fmt: skip
    return Workflow(
        tmp_path, given | {"tiles": [TILE], "sensors": {"own_series": OWN_SERIES | section}}
    )


def show_other_ground(path) -> None:
    """Turn an image upside down."""
    dataset = gdal.Open(str(path), gdal.GA_Update)
    dataset.WriteArray(np.ascontiguousarray(dataset.ReadAsArray()[:, ::-1]))


def test_shifts_that_are_known_are_found_told_and_taken_back(workflow, tmp_path):
    plan = {image.name: image for image in plan_misplaced(SETTINGS, TILE)}
    wrong = list(plan)[4]
    show_other_ground(tmp_path / "scene/own_series_misplaced" / TILE / wrong)
    stopped = workflow.run(NAME, check=False)
    assert stopped.returncode
    what = rf"{re.escape(wrong)}: [\d-]+: its windows do not agree on a shift"
    assert re.search(what, stopped.stdout + stopped.stderr)

    workflow.config["inputs"] = {"damaged_acquisition": "skip"}
    workflow.run(NAME, RESULTS)
    (path,) = workflow.results.rglob("inventory.json")
    inventory = json.loads(path.read_text(encoding="utf-8"))
    found = {item["name"]: item["shift"] for item in inventory["series"]["own_series"]}
    assert wrong not in found
    assert len(found) >= 6
    for name, shift in found.items():
        image = plan[name]
        assert np.hypot(shift["x"] + image.east, shift["y"] + image.north) < 0.15 * PIXEL, name
        assert 0.5 <= shift["quality"] <= 1
    told = (tmp_path / RESULTS).read_text(encoding="utf-8")
    assert f"own_series: {len(found)} acquisition(s) were brought onto the reference image" in told
    assert f"{wrong} is left out: its windows do not agree" in told
    share, mapped = agreement(tmp_path / NAME, tmp_path / "scene" / "truth" / f"{TILE}_class.tif")
    assert mapped > 0.9
    assert share > 0.75
