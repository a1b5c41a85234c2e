"""Optical and radar sensors, an elevation model and functions of the user in one production."""

import json

from conftest import ROOT, Workflow, scene_config
from scenes import SIMULATED, section_of
from truths import agreement

TILES = ("T31TCJ", "T31TDJ")
SENSORS = ("landsat8_usgs", "sentinel1", "sentinel2_sen2cor")


def test_sentinel_2_landsat_radar_dem_and_functions_find_the_classes_together(tmp_path):
    """With the products of the Sentinels as the Copernicus Data Space delivers them."""
    from iota2_tools.simulate import SceneSettings, simulate_scene

    scene = tmp_path / "scene"
    settings = SceneSettings(size=96, dates=9)
    simulate_scene(settings, str(scene), sensors=[SIMULATED[name] for name in SENSORS], jobs=2)
    for tile in TILES:
        (scene / "user" / tile).mkdir(parents=True)
        (scene / "user" / tile / "ALT.tif").symlink_to(scene / "dem" / "dem.tif")
    functions = [
        {"module": str(ROOT / "config" / "phenology.py"), "function": "season",
         "parameters": {"threshold": 0.4, "series": "sentinel2_sen2cor"}},
        {"module": str(ROOT / "config" / "texture.py"), "function": "deviation",
         "parameters": {"band": "nir", "series": "sentinel2_sen2cor"}, "margin": 2},
    ]  # fmt: skip
    workflow = Workflow(
        tmp_path,
        scene_config(
            sensors={name: section_of("scene", name) for name in SENSORS},
            user_features={"path": "scene/user", "patterns": ["ALT"]},
            external_features=functions,
            sampling={"strategy": "percent", "percent": 0.5},
        ),
    )
    name = "results/final/Classif_Seed_0.tif"
    workflow.run(name)
    for tile in TILES:
        share, mapped = agreement(tmp_path / name, scene / "truth" / f"{tile}_class.tif")
        assert mapped > 0.9
        assert share > 0.65
    model = json.loads((workflow.results / "models/region_1_seed_0/model.json").read_text())
    series = [name.rsplit("_", 2)[0] for name in model["features"]]
    order = list(dict.fromkeys(series))
    expected = ["Landsat8USGS", "Sentinel1_ASC", "Sentinel1_DES", "Sentinel2S2C"]
    assert order[: len(expected)] == expected
    assert "ALT_band_1" in model["features"]
    workflow.config["learning"] = {"parameters": {"n_estimators": 10}}
    assert "prepare_batch" not in workflow.planned(name)
