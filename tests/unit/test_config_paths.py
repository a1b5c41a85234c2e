"""Paths of a configuration: each text that names a file of the user, and no other."""

import os

import yaml

from iota2_tools.config.paths import as_written, paths_of, with_paths, written_paths
from iota2_tools.core.places import CONFIG
from iota2_tools.planning.configuration import Configuration, complete_configuration

GIVEN = {
    "output": "results",
    "prepared": "ready",
    "tiles": ["T31TCJ"],
    "nomenclature": "data/classes.csv",
    "sensors": {
        "sentinel2": {
            "path": "data/s2",
            "coregistration": {"reference": "data/image.tif", "sensor_band": "B8"},
        },
        "sentinel1": {"path": "data/s1", "dem": "data/dem.tif"},
    },
    "user_features": {"path": "data/user", "patterns": [{"name": "ALT", "path": "data/alt.tif"}]},
    "external_features": [{"module": "data/season.py", "function": "season"}],
    "reference": {"path": "data/polygons.gpkg", "field": "code", "splits": "data/splits.csv"},
    "regions": {"path": "data/regions.gpkg", "field": "name"},
    "sampling": {"management": "data/copies.csv"},
    "regularisation": {
        "minimum_mapping_unit_m2": 1000, "water_mask": {"path": "data/water.tif", "code": 3},
    },
    "vectorisation": {"rasters": [{"name": "relief", "path": "data/relief.tif"}]},
    "delivery": {"path": "data/units.gpkg", "field": "code"},
}  # fmt: skip
PATHS = [
    "data/classes.csv", "data/s2", "data/image.tif", "data/s1", "data/dem.tif", "data/user", "data/alt.tif",
    "data/season.py", "data/polygons.gpkg", "data/splits.csv", "data/regions.gpkg", "data/copies.csv",
    "data/water.tif", "data/relief.tif", "data/units.gpkg",
]  # fmt: skip


def test_every_path_of_the_user_is_found_and_no_folder_of_products():
    config = complete_configuration(GIVEN)
    assert sorted(paths_of(config)) == sorted(PATHS)


def test_paths_are_changed_and_nothing_else():
    config = complete_configuration(GIVEN)
    changed = with_paths(config, lambda path: f"/elsewhere/{path}")
    assert sorted(paths_of(complete_configuration(changed))) == [
        f"/elsewhere/{path}" for path in sorted(PATHS)
    ]
    assert changed["output"] == "results"
    back = with_paths(
        complete_configuration(changed), lambda path: path.removeprefix("/elsewhere/")
    )
    assert back == config.as_dict()


def test_the_complete_configuration_is_one_that_can_be_given():
    config = complete_configuration(GIVEN)
    again = complete_configuration(yaml.safe_load(yaml.safe_dump(config.as_dict())))
    assert again.as_dict() == config.as_dict()
    assert again.digest == config.digest


def test_the_example_of_all_choices_can_be_given_again():
    given = yaml.safe_load((CONFIG / "full.yaml").read_text(encoding="utf-8"))
    config = complete_configuration(given)
    assert isinstance(config, Configuration)
    assert complete_configuration(config.as_dict()).digest == config.digest


def test_files_are_told_by_the_paths_that_were_written():
    """Also those beside a file that is named, and in folders; what lies elsewhere by its own path."""
    written = complete_configuration(GIVEN | {"nomenclature": "/common/classes.csv"})
    absolute = complete_configuration(
        with_paths(written, lambda path: path if path.startswith("/") else f"/home/2018/{path}")
    )
    known = written_paths(written, absolute)
    for path, expected in (
        ("/home/2018/data/s2/T31TCJ/a.tif", "data/s2/T31TCJ/a.tif"),
        ("/home/2018/data/polygons.gpkg", "data/polygons.gpkg"),
        ("/home/2018/data/polygons.dbf", "data/polygons.dbf"),
        ("/common/classes.csv", "/common/classes.csv"),
        ("/elsewhere/a.tif", "/elsewhere/a.tif"),
        ("/home/2018/database/a.tif", "/home/2018/database/a.tif"),
    ):
        assert as_written(path, known) == expected
    assert written_paths(written, written) == {}


def test_of_two_folders_the_inner_one_tells_what_was_written():
    """A nomenclature beside the folder that paths count from: it stands for the folder around that."""
    written = complete_configuration(GIVEN | {"nomenclature": "../classes.csv"})
    absolute = complete_configuration(
        with_paths(written, lambda path: os.path.normpath(f"/home/2018/{path}"))
    )
    known = written_paths(written, absolute)
    assert as_written("/home/2018/data/s2/T31TCJ/a.tif", known) == "data/s2/T31TCJ/a.tif"
    assert as_written("/home/other.csv", known) == "../other.csv"
