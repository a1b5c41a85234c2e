"""Which maps the report shows, and what is said of productions to compare with."""

import shlex
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from tiny import LEFT, TOP, name_of, write_image, write_product

from iota2_tools.core.contents import digest
from iota2_tools.planning.configuration import complete_configuration
from iota2_tools.planning.parameters import Parameters
from iota2_tools.planning.production import Production
from iota2_tools.planning.report import ReportPlan


@pytest.fixture
def plan(tmp_path):
    """Makes the plan of the report of a production over one tile."""
    write_product(tmp_path / "s2" / "T31TCJ", name_of("20180105"), {"B4": 1000, "B8": 1000})
    field = shapely.box(LEFT, TOP - 40, LEFT + 40, TOP)
    frame = gpd.GeoDataFrame({"code": [1]}, geometry=[field], crs="EPSG:32631")
    frame.to_file(tmp_path / "reference.gpkg")
    (tmp_path / "classes.csv").write_text("code,name\n1,Wheat\n2,Maize\n")

    def make(**sections) -> ReportPlan:
        sentinel2 = {"path": str(tmp_path / "s2"), "keep_bands": ["B4", "B8"], "indices": []}
        given = {
            "output": str(tmp_path / "results"),
            "tiles": ["T31TCJ"],
            "nomenclature": str(tmp_path / "classes.csv"),
            "sensors": {"sentinel2": sentinel2},
            "reference": {"path": str(tmp_path / "reference.gpkg"), "field": "code"},
        }
        return ReportPlan(Production(complete_configuration(given | sections)))

    return make


def map_in(folder, name="Classif_Seed_0.tif", **place) -> str:
    return write_image(folder / "final" / name, np.ones((8, 8), np.uint8), nodata=0, **place)


def test_one_draw_is_not_numbered(plan):
    maps = plan(sampling={"runs": 1}).maps
    assert {file: layer["title"] for file, layer in maps.items()} == {
        "Classif_Seed_0.tif": "Land cover",
        "Confidence_Seed_0.tif": "Confidence",
        "PixelsValidity.tif": "Clear dates",
        "diff_seed_0.tif": "Against the reference",
    }


def test_each_draw_is_shown_and_what_is_made_of_them_where_it_is_asked_for(plan):
    sections = {
        "sampling": {"runs": 2}, "fusion": {"seeds": {}},
        "regularisation": {"minimum_mapping_unit_m2": 500},
    }  # fmt: skip
    maps = plan(**sections).maps
    assert next(iter(maps)) == "Classifications_fusion.tif"
    assert {
        "Classif_Seed_1.tif",
        "Classif_Regularised_Seed_1.tif",
        "Confidence_fusion.tif",
        "Classif_Regularised_fusion.tif",
    } <= set(maps)
    names = [layer["name"] for layer in maps.values()]
    assert len(set(names)) == len(names) == 13
    assert maps["diff_seed_1.tif"] == {
        "name": "diff_seed_1", "title": "Against the reference, draw 1", "kind": "difference",
    }  # fmt: skip


def test_the_production_is_made_again_as_it_was_made(plan, tmp_path):
    parameters = Parameters(plan().production)
    configuration = f"{tmp_path}/results/final/report/configuration.yaml"
    commands = [parameters.about_report(by_iota2_run=way)["command"] for way in (True, False)]
    assert commands == [
        f"iota2 run {configuration}",
        f"snakemake --profile local --configfile {configuration}",
    ]
    about = parameters.about_report(by_iota2_run=True)
    assert about["days"] == {"20180105": "2018-01-05"}
    assert about["contents"] == {
        "reference": [digest(tmp_path / "reference.gpkg")],
        "regions": [],
        "nomenclature": [digest(tmp_path / "classes.csv")],
    }


def test_the_command_that_makes_it_again_can_be_typed(plan, tmp_path):
    output = str(tmp_path / "two words")
    command = Parameters(plan(output=output).production).about_report(by_iota2_run=True)["command"]
    assert shlex.split(command) == ["iota2", "run", f"{output}/final/report/configuration.yaml"]


def test_productions_of_one_folder_name_are_told_apart(plan, tmp_path):
    """results of each year, as `iota2 next` does not name them."""
    folders = [tmp_path / year / "results" for year in ("2016", "2017")]
    for folder in folders:
        map_in(folder)
    found = plan(report={"compare": [f"{folder}/" for folder in folders]}).others
    assert [item["title"] for item in found] == [
        "Land cover of 2016/results", "Land cover of 2017/results",
    ]  # fmt: skip


def test_this_production_is_known_by_another_path_too(plan, tmp_path):
    map_in(tmp_path / "results")
    (tmp_path / "link").symlink_to(tmp_path / "results")
    for other in ("link", "far/../results"):
        (tmp_path / "far").mkdir(exist_ok=True)
        (problem,) = plan(report={"compare": [str(tmp_path / other)]}).problems()
        assert problem.endswith("is the output of this production; give that of another one")


def test_prediction_sets_are_shown_where_they_are_asked_for(plan):
    maps = plan(sampling={"runs": 1}, classification={"prediction_sets": 0.1}).maps
    assert maps["PredictionSets_Seed_0.tif"]["title"] == "Classes that cannot be excluded"
    assert maps["PredictionSets_Seed_0.tif"]["kind"] == "set"
    assert "PredictionSets_Seed_0.tif" not in plan().maps


def test_the_map_of_another_production_is_shown_the_fused_one_first(plan, tmp_path):
    folder = tmp_path / "results_2017"
    path = map_in(folder)
    found = plan(report={"compare": [str(folder)]})
    assert list(found.problems()) == []
    (other,) = found.others
    assert (other["title"], other["path"]) == ("Land cover of results_2017", path)
    assert other["contents"] == digest(path)
    fused = map_in(folder, "Classifications_fusion.tif")
    assert plan(report={"compare": [str(folder)]}).others[0]["path"] == fused


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("nowhere", "nowhere: no such folder"),
        ("results", "results: is the output of this production"),
        ("empty", "empty: holds no final/Classifications_fusion.tif or final/Classif_Seed_0.tif"),
        ("far", "far: its map shares no ground with this one"),
        ("broken", "Classif_Seed_0.tif"),
    ],
)
def test_a_production_that_cannot_be_compared_with_is_named(plan, tmp_path, folder, said):
    for name in ("results", "empty", "broken/final"):
        Path(tmp_path, name).mkdir(parents=True)
    (tmp_path / "broken/final/Classif_Seed_0.tif").write_text("no map")
    map_in(tmp_path / "far", left=LEFT + 80)
    (problem,) = plan(report={"compare": [str(tmp_path / folder)]}).problems()
    assert problem.startswith("report.compare: ")
    assert said in problem


def test_without_a_reference_nothing_is_held_against_one(plan):
    sections = {
        "sampling": {"runs": 2}, "learning": {"models": "old"}, "classification": {"probability_map": True},
        "fusion": {"seeds": {"method": "mean"}},
    }  # fmt: skip
    kinds = [layer["kind"] for layer in plan(**sections).maps.values()]
    assert kinds.count("difference") == 3
    unreferenced = plan(reference=None, **sections).maps
    kinds.sort()
    assert sorted(layer["kind"] for layer in unreferenced.values()) == [
        k for k in kinds if k != "difference"
    ]
