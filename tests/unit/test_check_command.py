"""The command `iota2 check`: what it prints, for people and for programs."""

import json
import os
import subprocess
import sys

import jsonschema
import pytest
import yaml
from broken import Scene, good_scene
from conftest import ROOT

from iota2_tools.commands import cli
from iota2_tools.commands.check import grouped
from iota2_tools.core.errors import InputDataError, one_message
from iota2_tools.core.findings import Finding, findings_in, findings_of, with_lines
from iota2_tools.planning import overview as overviews

SCHEMA = yaml.safe_load((ROOT / "workflow" / "schemas" / "check.schema.yaml").read_text())


@pytest.fixture
def scene(tmp_path, monkeypatch):
    good_scene(tmp_path)
    monkeypatch.chdir(tmp_path)
    return Scene(tmp_path)


def as_json(capsys, *options):
    code = cli.main(["check", "config.yaml", "--json", *options])
    told = json.loads(capsys.readouterr().out)
    jsonschema.validate(told, SCHEMA)
    return code, told


def test_the_json_of_a_good_scene_tells_what_each_tile_has(scene, capsys):
    code, told = as_json(capsys)
    assert (code, told["errors"], told["warnings"], told["findings"]) == (0, 0, 0, [])
    assert told["tiles"] == {
        tile: f"{tile}: 4 sentinel2; EPSG:32631, 10 m, 24 x 24 pixels; regions north south"
        for tile in ("T31TCJ", "T31TDJ")
    }


def test_of_many_alike_in_a_file_the_first_are_written_and_the_rest_counted():
    many = [Finding("a.gpkg", "", f"region r{i} has none", "add polygons") for i in range(1044)]
    other = Finding("a.gpkg", "", "no field", "name it")
    lines = grouped([*many[:30], other, *many[30:], Finding("b.gpkg", "", "none", "add polygons")])
    told = lines.split("\n")
    assert sum("region r" in line for line in told) == 20
    more = "  … and 1024 more like these; --json lists them all"
    assert told[-4:] == [more, "b.gpkg", "  none", "    -> add polygons"]
    assert "  no field" in told
    assert "more like these" not in grouped(many[:20])


def fault(*_):
    raise RuntimeError("a fault")


def test_a_fault_is_not_passed_over_because_there_are_warnings(scene, capsys, monkeypatch):
    odd = Finding("a.gpkg", "", "odd", "look at it", "warning")
    monkeypatch.setattr(overviews, "_of_inputs", lambda *_: [odd])
    assert as_json(capsys)[0] == 0
    monkeypatch.setattr(overviews, "warning_findings", fault)
    assert cli.main(["check", "config.yaml"]) == 70


def test_what_contradictory_choices_keep_from_being_looked_at_is_told(scene, capsys, monkeypatch):
    scene.add("fusion: {seeds: {method: majority}}")
    code, told = as_json(capsys)
    before = [item["what"] for item in told["findings"]]
    assert code == 1
    assert "the inputs could not all be looked at" not in before
    monkeypatch.setattr(overviews, "warning_findings", fault)
    code, told = as_json(capsys)
    after = [item["what"] for item in told["findings"]]
    assert code == 1
    assert "the inputs could not all be looked at" in after
    assert set(before) <= set(after)


def test_the_json_of_a_broken_scene_tells_place_and_remedy(scene, capsys):
    scene.mask("CLM", 1).unlink()
    scene.add("sampling: {ratio: 2}")
    (scene.path("classes.csv")).write_text("code,name,colour\n1,Wheat,#000000\n2,Maize,#000000\n")
    code, told = as_json(capsys)
    assert (code, told["errors"], told["warnings"], told["tiles"]) == (1, 2, 1, {})
    key, image, colour = told["findings"]
    assert key == {
        "file": "config.yaml",
        "where": "line 14, sampling.ratio",
        "what": "2 is greater than the maximum of 1.0 (Share of the polygons of each class and region used for "
        "learning. 1, no validation.)",
        "remedy": "",
        "severity": "error",
    }
    assert image["file"] == str(scene.product(1).relative_to(scene.folder))
    assert image["where"] == "2018-04-15"
    assert image["what"].endswith("_CLM_R1.tif is missing")
    assert "damaged_acquisition: skip" in image["remedy"]
    assert (colour["file"], colour["severity"]) == ("classes.csv", "warning")
    assert colour["what"] == "Wheat, Maize have one colour, #000000"


def test_a_configuration_that_cannot_be_read_is_json_too(scene, capsys):
    scene.path("config.yaml").write_text("tiles: [")
    code, told = as_json(capsys)
    assert code == 1
    assert told["findings"][0]["file"] == "config.yaml"
    assert "is not valid YAML" in told["findings"][0]["what"]


def test_names_alone_open_no_image_and_pixels_are_read_when_asked(scene, capsys):
    scene.band("B8", 2).write_bytes(b"")
    assert as_json(capsys, "--names-only")[0] == 0
    assert as_json(capsys)[0] == 1
    with pytest.raises(SystemExit):
        cli.main(["check", "config.yaml", "--deep", "--names-only"])
    assert "not allowed with" in capsys.readouterr().err


def test_what_of_other_software_is_in_the_way_is_told_alone(scene, capsys, monkeypatch):
    from iota2_tools.planning import overview

    monkeypatch.setattr(
        overview, "environment_problems", lambda: ["PROJ: no proj.db: unset PROJ_DATA"]
    )
    scene.path("config.yaml").unlink()
    code, told = as_json(capsys)
    assert code == 1
    (finding,) = told["findings"]
    assert (finding["file"], finding["what"]) == (
        "environment",
        "PROJ: no proj.db: unset PROJ_DATA",
    )


@pytest.mark.slow
def test_what_other_software_has_left_is_a_warning_and_no_home_or_name_is_needed(scene, tmp_path):
    """As in a container that a batch system starts, after another conda environment."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("HOME", "USER", "LOGNAME")
    }
    environment |= {"GDAL_DATA": "/nowhere", "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "iota2_tools.commands.cli", "check", "config.yaml", "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    told = [(item["file"], item["what"]) for item in json.loads(done.stdout)["findings"]]
    assert ("environment", "GDAL_DATA=/nowhere is left out: there is no gdalvrt.xsd") in told
    assert {file for file, _ in told} == {"environment"}


LANDSAT = ["B2", "B3", "B4", "B5", "B6", "B7"]


def real(folder, tiles, sensors, field="code"):
    """A production on one of the sets of real data."""
    return {
        "output": "results",
        "tiles": tiles,
        "sensors": {
            sensor: {"path": str(folder / place)} | others
            for sensor, (place, others) in sensors.items()
        },
        "reference": {"path": str(folder / "reference/reference.gpkg"), "field": field},
        "nomenclature": str(folder / "reference/nomenclature.csv"),
    }


@pytest.mark.slow
def test_real_data_are_not_blamed(real_data, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    flanders, modis = real_data / "flanders2018", real_data / "matogrosso_modis_userfeat"
    sensors = {
        "sentinel2": ("sentinel2", {}),
        "landsat8": ("landsat8", {"keep_bands": LANDSAT}),
        "sentinel1_s1tiling": ("sentinel1", {}),
    }
    rasters = {"path": str(modis / "userfeatures"), "patterns": ["EVI", "NDVI"]}
    productions = [
        real(flanders, ["T31UDS", "T31UES"], sensors, "code_l1")
        | {"nomenclature": str(flanders / "reference/nomenclature_l1.csv")},
        real(modis, ["T012010W", "T012010E"], {}) | {"user_features": rasters},
    ]
    for config in productions:
        (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
        code, told = as_json(capsys, "--deep")
        assert (code, told["findings"]) == (0, [])


def test_findings_stand_under_their_file_whose_path_is_not_repeated():
    findings = [
        Finding("a/b", "2018-01-15", "a/b/c.tif is missing", "fetch it"),
        Finding("d", "", "is empty"),
        Finding("a/b", "", "is old\nvery"),
    ]
    assert grouped(findings) == (
        "a/b\n  2018-01-15: c.tif is missing\n    -> fetch it\n  is old\n    very\nd\n  is empty"
    )


# From sentences to findings.


def parts(told, about="config.yaml"):
    return [
        (item.file, item.where, item.what, item.remedy)
        for item in findings_in(told, about, "error", {"sampling", "sensors"})
    ]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("is empty", ("config.yaml", "", "is empty", "")),
        ("sampling.runs: is 0; raise it", ("config.yaml", "sampling.runs", "is 0", "raise it")),
        ("a b/c.tif: is blue; a; paint it", ("a b/c.tif", "", "is blue; a", "paint it")),
        ("c.csv: line 3: no name", ("c.csv", "line 3", "no name", "")),
        ("line 3: no name; name it", ("config.yaml", "line 3", "no name", "name it")),
        ("r.gpkg: region a, seed 1: no polygon", ("r.gpkg", "region a, seed 1", "no polygon", "")),
        ("no such thing: as this", ("config.yaml", "", "no such thing: as this", "")),
        ("T31TCJ: user/T31TCJ/a.tif is gone", ("T31TCJ", "", "user/T31TCJ/a.tif is gone", "")),
    ],
)
def test_a_sentence_tells_place_what_and_remedy(sentence, expected):
    assert parts(sentence) == [expected]


def test_a_file_called_like_a_key_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert parts("sensors.gpkg: is blue") == [("config.yaml", "sensors.gpkg", "is blue", "")]
    (tmp_path / "sensors.gpkg").write_text("")
    assert parts("sensors.gpkg: is blue") == [("sensors.gpkg", "", "is blue", "")]


def test_a_list_of_problems_is_as_many_findings():
    message = one_message(
        "c.csv", ["line 2: no code", Finding("", "line 3", "twice", "once")], "Mend it."
    )
    assert (
        str(message) == "c.csv has 2 problems:\n  line 2: no code\n  line 3: twice; once\nMend it."
    )
    expected = [("c.csv", "line 2", "no code", "Mend it."), ("c.csv", "line 3", "twice", "once")]
    assert parts(message) == expected
    assert len(findings_of(InputDataError(message), "config.yaml")) == 2
    assert findings_of(InputDataError(), "x")[0].what == ""


def test_a_finding_reads_as_the_sentence_it_came_from():
    for sentence in ("a/b.tif: is blue; paint it", "c.csv: line 3: no name", "it is late"):
        (found,) = findings_in(sentence, "")
        assert str(found) == sentence


def test_a_key_has_the_line_it_stands_on_or_its_section_does():
    lines = {"sensors": 3, "sensors.sentinel2": 4, "sensors.sentinel2.path": 5}

    def placed(where, what="x", file="c.yaml"):
        return with_lines(Finding(file, where, what), "c.yaml", lines).where

    assert placed("sensors.sentinel2.path") == "line 5, sensors.sentinel2.path"
    assert placed("sensors.sentinel2.level") == "line 4, sensors.sentinel2.level"
    assert placed("sensors.sentinel2", "unknown key 'path', …") == "line 5, sensors.sentinel2"
    assert placed("tiles") == "tiles"
    assert placed("") == ""
    assert placed("sensors", file="other.yaml") == "sensors"
