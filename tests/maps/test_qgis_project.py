"""The QGIS project, opened by QGIS itself, where the production has been moved to."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pyogrio
import pytest
from cluster import install_debian_packages
from conftest import ROOT
from PIL import Image
from test_rules_mosaic import colours

HERE = Path(__file__).parent
QGIS_PYTHON = "/usr/bin/python3"


@pytest.fixture(scope="module")
def moved(whole_production, tmp_path_factory) -> Path:
    """The folder `final` alone, somewhere else."""
    folder = tmp_path_factory.mktemp("moved") / "final"
    shutil.copytree(whole_production.results / "final", folder)
    return folder


@pytest.fixture(scope="module")
def opened(moved) -> dict:
    """What QGIS tells of the project; its picture is beside it."""
    lines = (ROOT / "envs" / "apt-qgis.txt").read_text(encoding="utf-8").splitlines()
    install_debian_packages([line for line in lines if line and not line.startswith("#")])
    # Nothing of this environment: QGIS has libraries of its own.
    environment = {"PATH": os.defpath, "HOME": str(moved.parent), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [QGIS_PYTHON, str(HERE / "open_project.py"), str(moved / "production.qgz"), str(moved.parent / "p.png")],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


def test_every_layer_is_valid_where_the_folder_is_now(opened, moved):
    assert opened["read"]
    assert opened["crs"] == "EPSG:32631"
    rasters = {str(path) for path in moved.rglob("*.tif")}
    packages = {
        f"{path}|layername={name}"
        for path in moved.rglob("*.gpkg")
        for name, kind in pyogrio.list_layers(path)
        if kind
    }
    assert {layer["source"] for layer in opened["layers"].values()} == rasters | packages
    for name, layer in opened["layers"].items():
        assert layer["valid"], name
        assert layer["crs"] == "EPSG:32631", name


def test_layers_have_the_styles_of_what_they_are(opened):
    styles = {name: layer["style"] for name, layer in opened["layers"].items()}
    assert styles["Land cover, draw 1"] == styles["Land cover, all draws"] == "paletted"
    assert styles["Map against reference, regularised, draw 0"] == "paletted"
    assert styles["Confidence of the classifier, draw 0"] == "singlebandpseudocolor"
    assert styles["Class probabilities, draw 0"] == "singlebandpseudocolor"
    assert styles["Number of clear dates"] == "singlebandpseudocolor"
    assert styles["Land cover, polygons"] == styles["eco_1"] == "categorizedSymbol"
    assert styles["Sentinel2_NDVI_20180603"] == "singlebandgray"


def test_groups_hold_all_layers_and_one_map_is_shown(opened):
    assert list(opened["groups"]) == [
        "Polygons", "Land cover", "Confidence", "Probabilities", "Clear dates", "Map against reference",
        "Features", "Delivery",
    ]  # fmt: skip
    named = [name for members in opened["groups"].values() for name in members]
    assert sorted(named) == sorted(opened["layers"])
    assert opened["shown"] == ["Land cover, all draws"]


def test_the_project_is_drawn_in_the_colours_of_the_nomenclature(opened, moved, whole_production):
    picture = np.asarray(Image.open(moved.parent / "p.png").convert("RGB")).reshape(-1, 3)
    drawn = {tuple(colour) for colour in np.unique(picture, axis=0).tolist()}
    known = set(colours(whole_production.results).values()) | {(255, 255, 255)}
    assert drawn <= known
    assert len(drawn) > 5
