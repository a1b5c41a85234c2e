"""`iota2 run` and `iota2 demo`: Snakemake on the workflow of the package."""

import os
import sys
from dataclasses import fields

import pytest
import yaml
from conftest import ROOT

from iota2_tools.commands import cli, demo, engine
from iota2_tools.config.nomenclature import read_nomenclature
from iota2_tools.core.errors import OutputError
from iota2_tools.planning.configuration import read_configuration
from iota2_tools.planning.regularisation import RegularisationPlan
from iota2_tools.planning.vectorisation import VectorPlan
from iota2_tools.simulate import SceneSettings, reference, scene_window, tile_window
from iota2_tools.simulate.settings import grid_of_window

BEGINNING = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "workflow" / "Snakefile")]
LOCAL = str(ROOT / "profiles" / "local")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([], ["--profile", LOCAL]),
        (["-n", "final"], ["--profile", LOCAL, "-n", "final"]),
        (["--profile", "slurm"], ["--profile", str(ROOT / "profiles" / "slurm")]),
        (["--profile=slurm", "-n"], [f"--profile={ROOT / 'profiles' / 'slurm'}", "-n"]),
        (["--profile", "mine"], ["--profile", "mine"]),
        (["local"], ["--profile", LOCAL, "local"]),
        (["--configfile", "local"], ["--profile", LOCAL, "--configfile", "local"]),
        (["--config", "a=local"], ["--profile", LOCAL, "--config", "a=local"]),
    ],
)
def test_a_profile_of_the_package_goes_by_its_name(given, told):
    assert engine.snakemake_command(given) == [*BEGINNING, *told]


def test_all_options_reach_snakemake(monkeypatch):
    seen = []
    monkeypatch.setattr(engine, "snakemake", lambda options: seen.append(options) or 7)
    assert cli.main(["run", "--configfile", "my.yaml", "-n", "a/target"]) == 7
    assert seen == [["--configfile", "my.yaml", "-n", "a/target"]]


def test_other_commands_refuse_what_they_do_not_know(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["summary", "results", "--size", "3"])
    assert caught.value.code == 2
    assert "unrecognized arguments: --size 3" in capsys.readouterr().err


def test_the_demonstration_is_that_of_its_configuration():
    config = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text(encoding="utf-8"))
    assert config["output"] == demo.RESULTS
    assert config["sensors"]["sentinel2"]["path"] == f"{demo.SCENE}/sentinel2"


def test_what_the_demonstration_makes_of_its_maps_fits_its_scene(tmp_path, monkeypatch):
    """Regularised within the parents of its classes, cut by all departments of its scene."""
    monkeypatch.chdir(tmp_path)
    settings = SceneSettings(seed=demo.SEED, size=400)
    folder = tmp_path / demo.SCENE / "reference"
    folder.mkdir(parents=True)
    reference.write_departments(settings, folder / reference.DEPARTMENTS)
    reference.write_nomenclature(folder / "nomenclature.csv")
    config = read_configuration(ROOT / "config" / "demo.yaml")
    grid = grid_of_window(scene_window(settings))
    tiles = [grid_of_window(tile_window(settings, tile)) for tile in config.tiles]
    classes = read_nomenclature(config.nomenclature)
    regularised = RegularisationPlan(config.regularisation, grid, tiles, classes)
    assert list(regularised.problems()) == []
    vectors = VectorPlan(config.vectorisation, config.delivery, grid, tiles, classes)
    assert list(vectors.problems(range(config.sampling.runs))) == []
    assert list(vectors.units) == ["01", "02", "03"]


def given_by_hand(*words):
    """The scene that `iota2 simulate` would write."""
    given = vars(cli.parser().parse_args(words))
    names = {field.name for field in fields(SceneSettings)}
    chosen = {name: value for name, value in given.items() if name in names}
    return SceneSettings(**chosen | {"tiles": tuple(chosen["tiles"])})


@pytest.fixture
def told(monkeypatch):
    """What the demonstration does, one entry a step; Snakemake ends as `codes` says."""

    class Told(list):
        codes: list[int]

    told = Told()
    told.codes = [0, 0]

    def snakemake(options):
        told.append(options)
        return told.codes.pop(0)

    monkeypatch.setattr(
        "iota2_tools.simulate.simulate_scene",
        lambda settings, folder, jobs: told.append((settings, folder)),
    )
    monkeypatch.setattr(engine, "snakemake", snakemake)
    monkeypatch.setattr(
        "iota2_tools.reporting.summary.summary", lambda results: f"map in {results}/final"
    )
    return told


def test_the_demonstration_says_where_the_map_is(told, capsys):
    assert demo.demo(64) == 0
    scene, maps, report = told
    assert scene == (given_by_hand("simulate", "demo/scene", "--size", "64"), "demo/scene")
    for options in (maps, report):
        assert options[options.index("--configfile") + 1] == str(ROOT / "config" / "demo.yaml")
    assert report[-2:] == ["--report", "demo/results/final/report.html"]
    assert "map in demo/results/final" in capsys.readouterr().out


def test_a_failed_job_ends_the_demonstration(told, capsys):
    told.codes = [1]
    assert demo.demo(64) == 1
    assert len(told) == 2
    assert capsys.readouterr().out == ""


def test_a_report_that_fails_does_not_hide_the_map(told, capsys):
    told.codes = [0, 1]
    assert demo.demo(64) == 1
    said = capsys.readouterr().out
    assert "the report is missing; what stops it: iota2 run --workflow-profile none" in said
    assert "map in demo/results/final" in said


def test_a_folder_that_may_not_be_written_to_is_refused_at_once(told, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(OutputError, match="start `iota2 demo` in a folder of yours"):
        demo.demo(64)
    assert told == []
