"""`iota2 run` and `iota2 demo`: Snakemake on the workflow of the package."""

import io
import os
import re
import shlex
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from conftest import ROOT

from iota2_tools.commands import cli, demo, engine, run
from iota2_tools.commands.completion import commands_of
from iota2_tools.config.nomenclature import read_nomenclature
from iota2_tools.core.errors import InputDataError, OutputError
from iota2_tools.planning.configuration import read_configuration
from iota2_tools.planning.regularisation import RegularisationPlan
from iota2_tools.planning.vectorisation import VectorPlan
from iota2_tools.planning.whereabouts import Place
from iota2_tools.simulate import SceneSettings, reference, scene_window, tile_window
from iota2_tools.simulate.settings import grid_of_window

LOCAL = str(ROOT / "profiles" / "local")


@pytest.fixture
def place(tmp_path, monkeypatch) -> Place:
    """A production `results` in a folder of its own, where things are typed."""
    folder = tmp_path / "my project"
    (folder / "results").mkdir(parents=True)
    monkeypatch.chdir(folder)
    return Place(folder / "own.yaml", folder, folder / "results")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([], ["--profile", LOCAL]),
        (["sampling", "-n"], ["sampling", "-n", "--profile", LOCAL]),
        (["--profile", "slurm"], ["--profile", str(ROOT / "profiles" / "slurm")]),
        (["--profile=slurm", "-n"], [f"--profile={ROOT / 'profiles' / 'slurm'}", "-n"]),
        (["--profile", "mine"], ["--profile", "mine"]),
        (["local"], ["local", "--profile", LOCAL]),
        (["--report", "a.html"], ["--report", "{here}/a.html", "--profile", LOCAL]),
        (["--report=a.html"], ["--report={here}/a.html", "--profile", LOCAL]),
        (["--report", "-n"], ["--report", "-n", "--profile", LOCAL]),
        (["--workflow-profile", "none"], ["--workflow-profile", "none", "--profile", LOCAL]),
    ],
)
def test_options_reach_snakemake_and_a_profile_of_the_package_goes_by_its_name(place, given, told):
    command = engine.snakemake_command(place, given)
    assert command[:3] == [sys.executable, "-m", "snakemake"]
    end = command.index("--config")
    assert command[3:end] == [word.replace("{here}", str(place.folder)) for word in told]
    assert command[end:] == [
        "--config", f"relative_to={place.folder}", "--directory", str(place.output),
        "--configfile", str(place.configfile), "--snakefile", str(ROOT / "workflow" / "Snakefile"),
    ]  # fmt: skip


def test_a_profile_in_this_folder_is_named_by_its_whole_path(place):
    (place.folder / "own").mkdir()
    command = engine.snakemake_command(place, ["--profile", "own"])
    assert command[3:5] == ["--profile", str(place.folder / "own")]


def test_values_of_the_configuration_stand_in_one_list(place):
    command = engine.snakemake_command(place, ["--config", "a=1"])
    assert command.count("--config") == 1
    start = command.index("--config")
    assert command[start + 1 : start + 3] == [f"relative_to={place.folder}", "a=1"]


@pytest.mark.parametrize(
    ("word", "target"),
    [
        ("sampling", "sampling"),
        ("all", "all"),
        ("train_model", "train_model"),
        ("results/final/Classif_Seed_0.tif", "{output}/final/Classif_Seed_0.tif"),
        ("./results/a/../b.tif", "{output}/b.tif"),
        ("final/Classif_Seed_0.tif", "{output}/final/Classif_Seed_0.tif"),
        ("{output}/tiles/a.tif", "{output}/tiles/a.tif"),
    ],
)
def test_targets_are_stages_and_files_however_they_are_named(place, word, target):
    word, target = (text.replace("{output}", str(place.output)) for text in (word, target))
    assert engine.targets([word], place) == [target]


@pytest.mark.parametrize(
    ("word", "hint"),
    [("samplng", "did you mean 'sampling'"), ("/elsewhere/a.tif", "stages are all, prepare")],
)
def test_what_is_no_target_is_told(place, word, hint):
    with pytest.raises(InputDataError, match=f"{word}: is no stage, and no file of .*{hint}"):
        engine.targets([word], place)


def test_files_in_options_of_snakemake_are_those_of_the_production(place):
    given = [
        "--forcerun",
        "train_model",
        "results/a.tif",
        "--until",
        "final/b.tif",
        "--report",
        "c/d",
    ]
    assert engine.placed(given, place) == [
        "--forcerun", "train_model", f"{place.output}/a.tif", "--until", f"{place.output}/final/b.tif",
        "--report", "c/d",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "runs"),
    [
        ([], True), (["sampling", "--forcerun", "train_model"], True), (["--touch"], True),
        (["-n"], False), (["--report=a.html"], False), (["--unlock"], False), (["--summary"], False),
    ],
)  # fmt: skip
def test_what_runs_no_job_needs_no_production_for_itself(options, runs):
    assert engine.runs_jobs(options) is runs


def test_options_stand_before_or_behind_targets_and_those_of_snakemake_behind_two_dashes(
    monkeypatch, place
):
    seen = []
    monkeypatch.setattr(run, "run_production", lambda _, options: seen.append(options) or 7)
    monkeypatch.setattr(run, "place_from", lambda _: place)
    words = ["run", "own.yaml", "-n", "sampling", "--cores", "3", "--", "--forcerun", "train_model"]
    assert cli.main(words) == 7
    assert seen == [["sampling", "--cores", "3", "--dry-run", "--forcerun", "train_model"]]


def test_an_option_of_snakemake_without_the_dashes_is_told_of_them(capsys):
    assert cli.main(["run", "own.yaml", "--forcerun", "train_model"]) == 2
    assert (
        "unknown option --forcerun: options of Snakemake stand after `--`"
        in capsys.readouterr().err
    )


def test_without_a_configuration_the_way_to_one_is_told(place, capsys):
    assert cli.main(["run"]) == 2
    assert (
        "config/config.yaml: no such configuration; `iota2 init FOLDER`" in capsys.readouterr().err
    )


def test_the_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["--version"])
    assert caught.value.code == 0
    (told,) = re.findall(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert capsys.readouterr().out == f"iota2 {told}\n"


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_the_help_of_each_command_has_an_example(name, capsys):
    word = name.replace("_", "-")
    with pytest.raises(SystemExit) as caught:
        cli.main([word, "--help"])
    assert caught.value.code == 0
    assert re.search(rf"\nexamples?:\s+iota2 {word}\b", capsys.readouterr().out)


def test_other_commands_refuse_what_they_do_not_know(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["summary", "results", "--size", "3"])
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert "unrecognized arguments: --size 3" in said
    assert said.startswith("usage: iota2 summary")


def test_the_command_that_was_meant_is_told(capsys):
    for word, told in {
        "runn": "unknown command 'runn', did you mean 'run'?",
        "convert_config": "unknown command 'convert_config', did you mean 'convert-config'?",
        "xyz": "unknown command 'xyz'; there are demo, init, check",
    }.items():
        with pytest.raises(SystemExit) as caught:
            cli.main([word])
        assert caught.value.code == 2
        assert told in capsys.readouterr().err


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

    def snakemake(place, options):
        told.append((place, options))
        return told.codes.pop(0)

    monkeypatch.setattr(
        "iota2_tools.simulate.simulate_scene",
        lambda settings, folder, jobs: told.append((settings, folder)),
    )
    monkeypatch.setattr(engine, "snakemake", snakemake)
    monkeypatch.setattr(run, "run_production", snakemake)
    monkeypatch.setattr(
        "iota2_tools.reporting.summary.summary", lambda results: f"map in {results}/final"
    )
    return told


def test_the_demonstration_says_where_the_map_is(told, capsys):
    assert demo.demo(64) == 0
    scene, maps, report = told
    assert scene == (given_by_hand("simulate", "demo/scene", "--size", "64"), "demo/scene")
    for place, _ in (maps, report):
        assert place.configfile == ROOT / "config" / "demo.yaml"
        assert place.output == Path.cwd() / "demo" / "results"
    assert report[1][-2:] == ["--report", "demo/results/final/report.html"]
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
    assert f"the report is missing; what stops it: iota2 run {ROOT}/config/demo.yaml -" in said
    assert "map in demo/results/final" in said


def test_a_folder_that_may_not_be_written_to_is_refused_at_once(told, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(OutputError, match="start `iota2 demo` in a folder of yours"):
        demo.demo(64)
    assert told == []


def test_examples_of_the_help_can_be_typed_as_they_stand():
    commands = commands_of(cli.parser())
    for name, parser in commands.items():
        lines = re.findall(
            rf"^(?: |example:).*?\b(iota2 {name}\b.*)", str(parser.epilog), re.MULTILINE
        )
        assert lines, name
        for line in lines:
            words = shlex.split(re.split(r"  +#?|>>|\)", line)[0])[1:]
            parser.parse_known_args(words[1 : words.index("--") if "--" in words else None])


@pytest.mark.parametrize("begun", [True, False])
def test_the_last_words_are_told_though_no_line_ends_them(begun):
    """Of a process that was killed."""
    words = (f"reading\n{run.MARK}\n" if begun else "") + "working\nKilled"
    told = run._Told(io.BytesIO(words.encode()))
    lines = told.lines()
    assert [*lines, *told.end()] == ["working", "Killed"]


def test_snakemake_s_words_of_unknown_targets_and_options_are_replaced():
    said = [
        "MissingRuleException:",
        "No rule to produce /o/final/a_9.tif (if you use input functions make sure that they don't raise "
        "unexpected exceptions).",
    ]
    (told,) = run.in_our_words(said)
    assert told.startswith(
        "/o/final/a_9.tif: no product of this production: another tile, region or draw"
    )
    page = [
        "usage: __main__.py [-h] [--dry-run]",
        "        [targets ...]",
        "x: error: no argument --cors",
    ]
    assert list(run.in_our_words(page)) == [
        "Snakemake: no argument --cors; its options: `snakemake --help`"
    ]
    others = ["working", "", "Error: disk full"]
    assert list(run.in_our_words(others)) == others


def test_the_journal_of_the_run_before_is_not_that_of_this_one(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_text("old\n")
    os.utime(path, (1000, 1000))
    journal = run._Journal(path, since=2000)
    assert journal.lines() == []
    path.write_text("begun\nhal")
    assert journal.lines() == ["begun"]
    with path.open("a") as file:
        file.write("f\n")
    assert journal.lines() == ["half"]
    assert run._Journal(tmp_path / "none.jsonl", since=0).lines() == []
