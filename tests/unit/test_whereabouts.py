"""Where a production is, and whose records are there."""

from pathlib import Path

import pytest
import yaml

from iota2_tools.commands import cli
from iota2_tools.commands.production import enter, output_folder
from iota2_tools.core.errors import ConfigError
from iota2_tools.planning.configuration import complete_configuration
from iota2_tools.planning.whereabouts import (
    place_of,
    refuse_products_without_records,
    refuse_records_of_another_start,
)

CONFIG = {
    "output": "results",
    "tiles": ["T31TCJ"],
    "sensors": {"sentinel2": {"path": "data/sentinel2"}},
    "reference": {"path": "data/reference.gpkg", "field": "code"},
    "nomenclature": "data/nomenclature.csv",
}


@pytest.fixture
def project(tmp_path) -> Path:
    """A folder with `config/config.yaml` and a nomenclature, as the README has it."""
    folder = tmp_path / "project"
    (folder / "config").mkdir(parents=True)
    (folder / "data").mkdir()
    (folder / "data" / "nomenclature.csv").touch()
    (folder / "config" / "config.yaml").write_text(yaml.safe_dump(CONFIG), encoding="utf-8")
    return folder


def test_paths_count_from_here_where_the_inputs_are_found_from_here(project, monkeypatch):
    other = project.parent / "other"
    for folder in (other, project / "config"):
        (folder / "data").mkdir(parents=True)
        (folder / "data" / "nomenclature.csv").touch()
    monkeypatch.chdir(other)
    place = place_of(project / "config" / "config.yaml")
    assert (place.folder, place.output) == (other, other / "results")


@pytest.mark.parametrize("typed_in", ["", "project", "project/config", "project/data"])
def test_started_elsewhere_they_count_from_the_folder_of_the_project(
    project, monkeypatch, typed_in
):
    monkeypatch.chdir(project.parent / typed_in)
    place = place_of(project / "config" / "config.yaml")
    assert (place.folder, place.output) == (project, project / "results")
    assert place.configfile == project / "config" / "config.yaml"


def test_a_configuration_beside_its_data_is_found_from_anywhere(project, monkeypatch):
    (project / "config" / "config.yaml").rename(project / "own.yaml")
    monkeypatch.chdir("/")
    assert place_of(project / "own.yaml").folder == project


@pytest.mark.parametrize("made", ["logs/run.jsonl", ".snakemake/metadata/x"])
def test_where_inputs_have_whole_paths_an_earlier_run_tells_where_the_output_is(
    project, monkeypatch, made
):
    """Else a second production would be made, in a folder of its own, without a word."""
    whole = {
        "reference": {"path": str(project / "data/reference.gpkg"), "field": "code"},
        "nomenclature": str(project / "data/nomenclature.csv"),
    }
    path = project / "config" / "config.yaml"
    path.write_text(yaml.safe_dump(CONFIG | whole), encoding="utf-8")
    monkeypatch.chdir(project / "config")
    assert place_of(path).output == project / "config" / "results"  # none yet: as with Snakemake
    (project / "results" / made).parent.mkdir(parents=True)
    (project / "results" / made).touch()
    assert place_of(path).output == project / "results"
    monkeypatch.chdir(project)
    assert place_of(path).output == project / "results"


def test_a_production_that_happens_to_be_here_is_not_that_of_a_configuration_elsewhere(
    project, monkeypatch
):
    other = project.parent / "other"
    (other / "results" / "logs").mkdir(parents=True)
    (other / "results" / "logs" / "run.jsonl").touch()
    monkeypatch.chdir(other)
    assert place_of(project / "config" / "config.yaml").output == project / "results"


def test_commands_on_products_take_the_configuration_too(project, monkeypatch):
    monkeypatch.chdir("/")
    assert output_folder(str(project / "config" / "config.yaml")) == str(project / "results")
    assert output_folder("results") == "results"


def test_a_folder_in_place_of_a_configuration_is_told(project, capsys):
    assert cli.main(["status", str(project)]) == 2
    assert f"{project}: is a folder; name the configuration" in capsys.readouterr().err


def test_where_nothing_is_found_they_count_from_here_as_with_snakemake(project, monkeypatch):
    (project / "data" / "nomenclature.csv").unlink()
    monkeypatch.chdir(project / "data")
    assert place_of(project / "config" / "config.yaml").folder == project / "data"


def test_a_folder_that_is_named_counts(project, monkeypatch, tmp_path):
    monkeypatch.chdir(project)
    place = place_of("config/config.yaml", tmp_path / "elsewhere")
    assert place.output == tmp_path / "elsewhere" / "results"


def test_every_path_of_a_configuration_becomes_absolute_and_the_digest_stays():
    given = CONFIG | {
        "prepared": "../ready",
        "regions": {"path": "/far/regions.gpkg"},
        "external_features": [{"module": "own/f.py", "function": "f"}],
    }
    written, placed = (complete_configuration(given, folder=folder) for folder in (None, "/base"))
    assert placed.output == "/base/results"
    assert placed.prepared == "/ready"
    assert placed.reference.path == "/base/data/reference.gpkg"
    assert placed.sensors.given["sentinel2"].path == "/base/data/sentinel2"
    assert placed.regions.path == "/far/regions.gpkg"
    assert placed.external_features[0].module == "/base/own/f.py"
    assert written.output == "results"
    assert placed.digest == written.digest


def test_a_folder_that_products_cannot_be_named_by_is_refused():
    with pytest.raises(ConfigError, match=r"'/base\{1\}/results' holds '\{'"):
        complete_configuration(CONFIG, folder="/base{1}")


def test_records_in_the_output_bind_a_production_to_iota2_run(tmp_path):
    (tmp_path / "results").mkdir()
    refuse_records_of_another_start(str(tmp_path / "results"), str(tmp_path))
    (tmp_path / "results" / ".snakemake" / "metadata").mkdir(parents=True)
    refuse_records_of_another_start(str(tmp_path / "results"), str(tmp_path))  # of a plan alone
    (tmp_path / "results" / ".snakemake" / "metadata" / "cmVzdWx0cw==").touch()
    refuse_records_of_another_start(str(tmp_path / "results"), str(tmp_path / "results"))
    (tmp_path / "link").symlink_to(tmp_path / "results")
    refuse_records_of_another_start(str(tmp_path / "link"), str(tmp_path / "results"))
    with pytest.raises(ConfigError, match=r"was made by `iota2 run`, and .*\.snakemake knows"):
        refuse_records_of_another_start(str(tmp_path / "results"), str(tmp_path))


def test_products_of_a_snakemake_elsewhere_are_not_taken_for_up_to_date(project, monkeypatch):
    monkeypatch.chdir(project)
    place = place_of("config/config.yaml")
    refuse_products_without_records(place)
    (place.output / "logs").mkdir(parents=True)
    refuse_products_without_records(place)
    (place.output / "tiles").mkdir()
    with pytest.raises(ConfigError, match="made by snakemake started in another folder"):
        refuse_products_without_records(place)
    place.records.mkdir()  # of a run that may have been killed before its first product
    refuse_products_without_records(place)


def test_check_goes_to_the_folder_of_the_project(project, monkeypatch, capsys):
    monkeypatch.chdir(project.parent)
    assert enter("project/config/config.yaml") == str(project / "config" / "config.yaml")
    assert Path.cwd() == project
    assert capsys.readouterr().err == f"paths count from {project}\n"
    assert enter("config/config.yaml") == "config/config.yaml"
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("text", [None, "", "- a\n", "a: ["])
def test_what_is_no_configuration_stays_where_it_is(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    if text is not None:
        (tmp_path / "own.yaml").write_text(text)
    assert enter("own.yaml") == "own.yaml"
    assert Path.cwd() == tmp_path
