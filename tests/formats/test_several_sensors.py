"""Optical and radar sensors, an elevation model and functions of the user in one production."""

import json

from conftest import ROOT, Workflow
from truths import agreement

TILES = ("T31TCJ", "T31TDJ")


def test_sentinel_2_landsat_radar_dem_and_functions_find_the_classes_together(tmp_path):
    """With the products of the Sentinels as the Copernicus Data Space delivers them."""
    from iota2_tools.simulate import SceneSettings, simulate_scene

    scene = tmp_path / "scene"
    settings = SceneSettings(size=96, dates=9)
    simulate_scene(settings, str(scene), sensors=("s2-sen2cor", "l8-usgs", "s1"), jobs=2)
    dem = scene / "dem" / "dem.tif"
    for tile in TILES:
        (scene / "user" / tile).mkdir(parents=True)
        (scene / "user" / tile / "ALT.tif").symlink_to(dem)
    functions = [
        {"module": str(ROOT / "config" / "phenology.py"), "function": "season",
         "parameters": {"threshold": 0.4, "series": "sentinel2_sen2cor"}},
        {"module": str(ROOT / "config" / "texture.py"), "function": "deviation",
         "parameters": {"band": "nir", "series": "sentinel2_sen2cor"}, "margin": 2},
    ]  # fmt: skip
    workflow = Workflow(
        tmp_path,
        {
            "output": "results",
            "tiles": list(TILES),
            "sensors": {
                "landsat8_usgs": {"path": str(scene / "landsat8_usgs")},
                "sentinel1": {
                    "path": str(scene / "sentinel1"),
                    "dem": str(dem),
                    "geoid": str(scene / "geoid" / "geoid.tif"),
                },
                "sentinel2_sen2cor": {"path": str(scene / "sentinel2_sen2cor")},
            },
            "user_features": {"path": str(scene / "user"), "patterns": ["ALT"]},
            "external_features": functions,
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
