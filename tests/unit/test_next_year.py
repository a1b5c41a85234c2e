"""The configuration of another year: what moves, what stays, what is told."""

from datetime import date

import geopandas as gpd
import pytest
import shapely
import yaml
from tiny import LEFT, TOP, name_of, write_product

from iota2_tools.commands.cli import main
from iota2_tools.commands.next import name_of as name_of_file
from iota2_tools.core.errors import ConfigError
from iota2_tools.planning.configuration import complete_configuration
from iota2_tools.years.next_year import From, moved, next_year, without

TEXT = """# Our production.
output: results_2018
tiles: [T31TCJ]   # one tile
nomenclature: classes.csv
sensors:
  sentinel2:
    path: archive   # of all years
    first_date: 2017-10-01
    last_date: 2018-09-30
    keep_bands: [B4, B8]
reference: {path: fields_2018.gpkg, field: code}
"""


def test_periods_move_by_whole_years():
    assert moved(date(2020, 2, 29), 1) == date(2021, 2, 28)
    assert moved(date(2019, 2, 28), 1) == date(2020, 2, 28)
    assert moved(date(2020, 2, 29), 4) == date(2024, 2, 29)
    assert moved(date(2096, 2, 29), 4) == date(2100, 2, 28)  # no leap year
    found = next_year(TEXT, 2019, {}, "a.yaml")
    given = yaml.safe_load(found.text)["sensors"]["sentinel2"]
    assert given["first_date"] == date(2018, 10, 1)
    assert given["last_date"] == date(2019, 9, 30)
    leap = TEXT.replace("2017-10-01", "2020-02-29").replace("2018-09-30", "2020-12-31")
    assert "first_date: 2023-02-28\n" in next_year(leap, 2023, {}, "a.yaml").text


def test_all_else_stays_as_it_was_written():
    """Line by line: the output and the two dates alone are others."""
    found = next_year(TEXT, 2019, {}, "a.yaml").text
    pairs = zip(TEXT.splitlines(), found.splitlines(), strict=True)
    assert [new for old, new in pairs if old != new] == [
        "output: results_2019", "    first_date: 2018-10-01", "    last_date: 2019-09-30",
    ]  # fmt: skip


def test_the_year_in_a_path_moves_where_there_is_something_of_that_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = next_year(TEXT, 2019, {}, "a.yaml")
    assert found.remarks == [
        "reference.path: there is no fields_2019.gpkg; it stays fields_2018.gpkg"
    ]
    (tmp_path / "fields_2019.gpkg").touch()
    found = next_year(TEXT, 2019, {}, "a.yaml")
    assert yaml.safe_load(found.text)["reference"]["path"] == "fields_2019.gpkg"
    assert found.remarks == []
    plain = TEXT.replace("results_2018", "results/").replace("fields_2018", "fields")
    found = next_year(plain, 2019, {}, "a.yaml")
    assert yaml.safe_load(found.text)["output"] == "results_2019"
    assert found.remarks == [
        "reference.path: fields.gpkg is used for 2019 too; is it of that year?"
    ]
    (tmp_path / "fields_12019.gpkg").touch()
    assert yaml.safe_load(next_year(TEXT.replace("2018.gpkg", "12018.gpkg"), 2019, {}, "a").text)[
        "reference"
    ] == {"path": "fields_12018.gpkg", "field": "code"}


def test_paths_that_are_given_count(tmp_path):
    given = {"sensors.sentinel2": "new: archive", "reference.path": "r.gpkg", "output": "out"}
    found = yaml.safe_load(next_year(TEXT, 2019, given, "a.yaml").text)
    assert found["sensors"]["sentinel2"]["path"] == "new: archive"
    assert found["reference"]["path"] == "r.gpkg"
    assert found["output"] == "out"


@pytest.mark.parametrize(
    ("change", "paths", "words"),
    [
        (("    last_date: 2018-09-30\n", ""), {}, "sensors.sentinel2.last_date: has no date"),
        (("2018-09-30", "null"), {}, "sensors.sentinel2.last_date: has no date"),
        (("2018", "2018"), {"sensors.landsat": "x"}, "there is no sensors.landsat in it"),
    ],
)
def test_what_has_no_year_is_refused(change, paths, words):
    with pytest.raises(ConfigError, match=words):
        next_year(TEXT.replace(*change), 2019, paths, "a.yaml")


def test_sensors_of_several_years_are_refused():
    other = TEXT.replace(
        "reference:",
        "  landsat8: {path: l8, first_date: 2016-01-01, last_date: 2016-12-31}\nreference:",
    )
    with pytest.raises(ConfigError, match="the year of its sensors is of 2016, 2018"):
        next_year(other, 2019, {}, "a.yaml")


@pytest.fixture
def production(tmp_path, monkeypatch):
    """An archive of two years: of July 2019 one image in place of four, none in August."""
    monkeypatch.chdir(tmp_path)
    days = [
        "20180105",
        *(f"201807{day:02d}" for day in (1, 8, 15, 22)),
        "20180810",
        "20180901",
        "20180910",
        "20190107",
        "20190703",
        "20190905",
    ]
    for day in days:
        write_product("archive/T31TCJ", name_of(day), {"B4": 1000, "B8": 1000})
    field = shapely.box(LEFT, TOP - 40, LEFT + 40, TOP)
    gpd.GeoDataFrame({"code": [1]}, geometry=[field], crs=32631).to_file("fields_2018.gpkg")
    (tmp_path / "classes.csv").write_text("code,name\n1,Wheat\n2,Maize\n")
    text = TEXT.replace("2017-10-01", "2018-01-01").replace("2018-09-30", "2018-12-31")
    (tmp_path / "made_2018.yaml").write_text(text)
    return tmp_path


def test_what_a_year_lacks_of_images_is_told(production, capsys):
    assert main(["next", "made_2018.yaml", "--year", "2019"]) == 0
    said = capsys.readouterr().out
    assert "T31TCJ: sentinel2 has 1 acquisition(s) in 2019-07, 4 in 2018-07" in said
    assert "T31TCJ: sentinel2 has 0 acquisition(s) in 2019-08, 1 in 2018-08" in said
    assert "2019-01" not in said
    assert "2019-09" not in said  # one of two: half
    assert "made_2019.yaml: the production of 2019, in results_2019" in said
    assert yaml.safe_load((production / "made_2019.yaml").read_text())["output"] == "results_2019"
    assert main(["next", "made_2018.yaml", "--year", "2019"]) == 2
    assert "made_2019.yaml: stands already" in capsys.readouterr().err
    assert main(["next", "made_2018.yaml", "--year", "2021"]) == 0
    assert (
        "T31TCJ: sentinel2 has no acquisition from 2021-01-01 to 2021-12-31"
        in capsys.readouterr().out
    )


BLOCKS = """# Our production.
output: results_2018
tiles: [T31TCJ]   # one tile
nomenclature: classes.csv
sensors:
  sentinel2: {path: archive, first_date: 2018-01-01, last_date: 2018-12-31}
sampling:
  runs: 2
  ratio: 0.7      # most of them learn
  per_region:
    hills:
      strategy: total
  # how far tiles reach
  envelope_margin: 100
reference:
  path: fields_2018.gpkg   # by the department
  field: code

learning:
  # a forest
  learner: RandomForestClassifier
  search: {method: grid, parameters: {max_depth: [5, 10]}}
"""


def test_models_map_a_year_without_reference_and_what_means_nothing_then_is_taken_out():
    of = From(models="results_2018", reference=False)
    found = next_year(BLOCKS, 2019, {}, "a.yaml", of)
    assert found.text == (
        """# Our production.
output: results_2019
tiles: [T31TCJ]   # one tile
nomenclature: classes.csv
sensors:
  sentinel2: {path: archive, first_date: 2019-01-01, last_date: 2019-12-31}
sampling:
  runs: 2
  # how far tiles reach
  envelope_margin: 100

learning:
  # a forest
  models: results_2018
  learner: RandomForestClassifier
"""
    )
    assert found.remarks == [
        "sampling.ratio: is taken out, for it means nothing here",
        "sampling.per_region: is taken out, for it means nothing here",
        "learning.search: is taken out, for it means nothing here",
    ]
    complete_configuration(yaml.safe_load(found.text))


def test_samples_of_several_years_are_learnt_with_the_reference_kept():
    found = next_year(BLOCKS, 2019, {}, "a.yaml", From(samples=("results_2017", "old: 2018")))
    given = yaml.safe_load(found.text)
    assert given["learning"]["samples"] == ["results_2017", "old: 2018"]
    assert given["learning"]["search"]["method"] == "grid"
    assert given["reference"]["field"] == "code"
    assert given["sampling"]["ratio"] == 0.7
    again = next_year(found.text, 2020, {}, "a.yaml", From(models="results_2019"))
    assert yaml.safe_load(again.text)["learning"] == {
        "models": "results_2019", "learner": "RandomForestClassifier",
    }  # fmt: skip

    learnt = next_year(again.text, 2021, {}, "a.yaml", From(samples=("results_2019",)))
    assert yaml.safe_load(learnt.text)["learning"] == {
        "samples": ["results_2019"], "learner": "RandomForestClassifier",
    }  # fmt: skip


def test_a_section_is_made_where_there_is_none_and_goes_where_it_is_empty():
    plain = TEXT.replace("reference:", "sampling: {ratio: 0.5}\nreference:")
    found = next_year(plain, 2019, {}, "a.yaml", From(samples=("old",), reference=False))
    given = yaml.safe_load(found.text)
    assert given["learning"] == {"samples": ["old"]}
    assert "sampling" not in given
    assert "reference" not in given
    assert "   # of all years" in found.text
    with pytest.raises(ConfigError, match="without a reference there is nothing to learn from"):
        next_year(plain, 2019, {}, "a.yaml", From(reference=False))


@pytest.mark.parametrize(
    ("text", "place", "left"),
    [
        ("a: {b: 1, c: 2}\n", ("a", "c"), "a: {b: 1}\n"),
        ("a: {b: 1}\nd: 2\n", ("a", "b"), "d: 2\n"),
        ("a:\n  b:\n    - 1\n    - 2\n  c: 3\n", ("a", "b"), "a:\n  c: 3\n"),
        ("a: |\n  text\n  more\nb: 1\n", ("a",), "b: 1\n"),
        ("a: [1,\n  2]\nb: 1\n", ("a",), "b: 1\n"),
        ("b: 1\na:\n", ("a",), "b: 1\n"),
        ("a: 1\n", ("b",), "a: 1\n"),
    ],
)
def test_a_key_goes_with_all_below_it_and_nothing_else(text, place, left):
    assert without(text, place)[0] == left


def test_the_command_writes_a_year_by_the_models_of_the_last(production, capsys):
    made = yaml.safe_load((production / "made_2018.yaml").read_text())
    made["sensors"]["sentinel2"]["dates"] = "day_of_year"
    (production / "made_2018.yaml").write_text(yaml.safe_dump(made))
    command = ["next", "made_2018.yaml", "--year", "2019", "--models", "results_2018"]
    assert main([*command, "--no-reference"]) == 0
    given = yaml.safe_load((production / "made_2019.yaml").read_text())
    assert given["learning"] == {"models": "results_2018"}
    assert "reference" not in given
    capsys.readouterr()
    assert main([*command, "--samples", "results_2017"]) == 2
    assert "give one" in capsys.readouterr().err


SHARED = """output: results_2018
tiles: [T31TCJ]
nomenclature: classes.csv
sensors:
  sentinel2: {path: &place archive, first_date: &first 2018-01-01, last_date: &last !!timestamp 2018-12-31}
  landsat8: {path: *place, first_date: *first, last_date: *last}
reference: {path: fields.gpkg, field: code}
"""


def test_a_value_that_several_places_share_moves_once_and_stays_shared():
    found = next_year(SHARED, 2019, {}, "a.yaml").text
    assert "first_date: &first 2019-01-01, last_date: &last !!timestamp 2019-12-31}" in found
    sensors = yaml.safe_load(found)["sensors"]
    assert sensors["sentinel2"] == sensors["landsat8"]
    assert sensors["landsat8"]["last_date"] == date(2019, 12, 31)


def test_one_shared_value_cannot_become_two():
    with pytest.raises(ConfigError) as caught:
        next_year(SHARED, 2019, {"sensors.sentinel2": "a", "sensors.landsat8": "b"}, "c.yaml")
    said = str(caught.value)
    assert said.startswith("c.yaml: sensors.")
    assert "sensors.sentinel2.path" in said
    assert "sensors.landsat8.path" in said
    assert "share one value" in said
    with pytest.raises(ConfigError, match="shall have two now, a and archive; write both out"):
        next_year(SHARED, 2019, {"sensors.sentinel2": "a"}, "c.yaml")
    both = {"sensors.sentinel2": "a", "sensors.landsat8": "a"}
    sensors = yaml.safe_load(next_year(SHARED, 2019, both, "c.yaml").text)["sensors"]
    assert [sensors[name]["path"] for name in ("sentinel2", "landsat8")] == ["a", "a"]


@pytest.mark.parametrize("year", [0, -3, 12019])
def test_a_year_that_is_none_is_refused(year):
    with pytest.raises(ConfigError, match=f"--year {year}: give one from 1972"):
        next_year(TEXT, year, {}, "a.yaml")


def test_the_last_year_in_the_name_of_a_file_moves():
    assert name_of_file("config/france_2017_2018.yaml", 2019) == "config/france_2017_2019.yaml"
    assert name_of_file("T12018_v2.yaml", 2019) == "T12018_v2_2019.yaml"
