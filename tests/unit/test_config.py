"""The configuration: what is filled in, what is refused, and how it is told."""

import copy
import hashlib
import json
from pathlib import Path

import pytest
import yaml

from iota2_tools.config.pages import json_schema
from iota2_tools.core.errors import ConfigError
from iota2_tools.planning.configuration import (
    TITLE,
    Configuration,
    complete_configuration,
    configuration_page,
    read_configuration,
)

FOLDER = Path(__file__).parents[2] / "config"
LEAST = {
    "output": "results",
    "tiles": ["T31TCJ"],
    "nomenclature": "nomenclature.csv",
    "sensors": {"sentinel2": {"path": "images"}},
    "reference": {"path": "reference.gpkg", "field": "code"},
}


def with_(**sections):
    return copy.deepcopy(LEAST) | sections


def complete_config(given):
    """Plain values, as the rules see them."""
    return complete_configuration(given).as_dict()


def config_digest(sections):
    return complete_configuration(sections).digest


def problems_of(given, words=None):
    with pytest.raises(ConfigError) as caught:
        complete_configuration(given, words=words)
    return str(caught.value)


def keys_of(section):
    for key, meaning in section["properties"].items():
        yield key
        if "properties" in meaning:
            yield from keys_of(meaning)


def test_unknown_key_gets_the_nearest_name():
    message = problems_of(with_(sampling={"ration": 0.5}))
    assert "sampling: unknown key 'ration', did you mean 'ratio'?" in message


def test_unknown_section_gets_the_nearest_name():
    assert "did you mean 'sampling'?" in problems_of(with_(samplings={}))


def test_misspelt_choice_gets_the_nearest_one():
    assert "did you mean 'percent'?" in problems_of(with_(sampling={"strategy": "percents"}))


def test_missing_key_is_named_with_its_meaning():
    given = with_()
    del given["reference"]["field"]
    message = problems_of(given)
    meaning = json_schema(Configuration, TITLE)["properties"]["reference"]["properties"]["field"][
        "description"
    ]
    assert "reference: 'field' is missing" in message
    assert meaning.strip()[:20] in message


def test_all_problems_are_told_at_once():
    given = with_(sampling={"ration": 1, "runs": "ten"}, classification={"window": 3})
    del given["nomenclature"]
    message = problems_of(given)
    assert message.startswith("configuration has 4 problems")
    for word in ("'ration'", "sampling.runs", "'window'", "'nomenclature'"):
        assert word in message


def test_defaults_are_filled_in_sections_that_are_absent_or_partial():
    config = complete_config(with_(sampling={"runs": 3}))
    assert config["sampling"]["runs"] == 3
    assert config["sampling"]["ratio"] == 0.5
    assert config["classification"]["window_mb"] == 400
    assert config["sensors"]["sentinel2"]["keep_bands"][-1] == "B12"
    assert config["learning"]["learner"] == "RandomForestClassifier"


def test_filled_defaults_are_not_shared_between_configurations():
    complete_config(with_())["sensors"]["sentinel2"]["keep_bands"].clear()
    assert len(complete_config(with_())["sensors"]["sentinel2"]["keep_bands"]) == 10


def test_given_configuration_is_left_as_it_was():
    given = with_()
    complete_config(given)
    assert given == LEAST


def test_dates_read_by_yaml_become_text():
    given = yaml.safe_load("{path: images, first_date: 2018-01-01}")
    config = complete_config(with_(sensors={"sentinel2": given}))
    assert config["sensors"]["sentinel2"]["first_date"] == "2018-01-01"


@pytest.mark.parametrize(
    ("sections", "place"),
    [
        ({"sensors": {}}, "sensors"),
        (
            {
                "sensors": {
                    "sentinel2": {
                        "path": "x",
                        "first_date": "2018-02-01",
                        "last_date": "2018-01-01",
                    }
                }
            },
            "sensors.sentinel2: first_date 2018-02-01 is after",
        ),
        ({"sampling": {"strategy": "byclass"}}, "sampling.byclass"),
        ({"sampling": {"ratio": 1, "runs": 2}}, "sampling.runs"),
        ({"sampling": {"split_by": "block"}}, "sampling.block: `split_by: block` needs the side"),
        ({"sampling": {"block": 100}}, "sampling.block: nothing is done with it"),
        (
            {"sampling": {"buffer": 1, "single_polygon": "both"}},
            "sampling.buffer and sampling.single_polygon: both",
        ),
        (
            {
                "sampling": {"buffer": 1},
                "reference": {"path": "a.shp", "field": "code", "splits": "a.csv"},
            },
            "sampling.buffer and reference.splits",
        ),
        (
            {"sampling": {"split_by": "farm", "runs": 2}, "fusion": {"seeds": {}}},
            "sampling.split_by: farm and fusion.seeds.held_back",
        ),
    ],
)
def test_contradiction_is_refused(sections, place):
    assert place in problems_of(with_(**sections))


def test_same_day_for_first_and_last_date_is_no_contradiction():
    sensor = {"path": "x", "first_date": "2018-01-01", "last_date": "2018-01-01"}
    complete_config(with_(sensors={"sentinel2": sensor}))


def test_digest_ignores_output_and_memory():
    other = with_(output="elsewhere", classification={"window_mb": 50})
    assert config_digest(with_()) == config_digest(other)


@pytest.mark.parametrize(
    ("sections", "names"),
    [
        (
            {"sampling": {"augmentation": {"method": "smote"}}, "fusion": {"sensors": {}}},
            "sampling.augmentation and fusion.sensors",
        ),
        (
            {"sampling": {"management": "a.csv"}, "fusion": {"regions": {"above_km2": 5.0}}},
            "sampling.management and fusion.regions",
        ),
        (
            {
                "learning": {"samples": "a.parquet"},
                "fusion": {"seeds": {}},
                "sampling": {"runs": 2},
            },
            "learning.samples and fusion.seeds",
        ),
        (
            {
                "classification": {"smoothing": {"method": "markov"}},
                "fusion": {"boundaries": {"exterior": 50}},
            },
            "classification.smoothing and fusion.boundaries",
        ),
    ],
)
def test_samples_and_smoothing_that_the_fusion_does_not_know_are_refused(sections, names):
    assert f"{names}: " in problems_of(with_(**sections))


FUSED = {"fusion": {"seeds": {}}, "sampling": {"runs": 2}}


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        (
            FUSED | {"learning": {"calibration": "temperature"}},
            "learning.calibration: temperature and fusion: ",
        ),
        (
            FUSED | {"sampling": {"runs": 2, "suspicious_polygons": "drop"}},
            "sampling.suspicious_polygons: drop and fusion: ",
        ),
        (
            FUSED | {"classification": {"prediction_sets": 0.1}},
            "classification.prediction_sets and fusion: ",
        ),
        (
            {"learning": {"learner": "otb-rf", "calibration": "temperature"}},
            "learning.calibration: temperature: otb-rf gives no probabilities",
        ),
        (
            {"classification": {"prediction_sets": 0.1, "smoothing": {"method": "markov"}}},
            "classification.prediction_sets and classification.smoothing: ",
        ),
        (
            {
                "learning": {"samples": "own.parquet"},
                "sampling": {"suspicious_polygons": "drop"},
            },
            "sampling.suspicious_polygons: drop and learning.samples: ",
        ),
    ],
)
def test_what_needs_folds_and_cannot_have_them_is_refused(sections, told):
    assert told in problems_of(with_(**sections))


def test_choices_that_came_later_count_in_the_digest_only_where_they_are_made():
    plain = complete_configuration(with_()).as_dict()
    beside = (
        "output",
        "prepared",
        "feature_maps",
        "regularisation",
        "vectorisation",
        "delivery",
        "publication",
        "report",
    )
    for name in (*beside, "fusion"):
        del plain[name]
    for key in ("window_mb", "smoothing", "histograms", "prediction_sets"):
        del plain["classification"][key]
    later = (
        "max_per_polygon",
        "per_region",
        "augmentation",
        "management",
        "suspicious_polygons",
        "split_by",
        "block",
        "buffer",
    )
    for key in later:
        del plain["sampling"][key]
    del plain["inputs"]["longest_gap"]
    for key in ("reduction", "search", "samples", "calibration", "models", "own_weight"):
        del plain["learning"][key]
    for sensor in plain["sensors"].values():
        del sensor["dates"], sensor["in_season"]
    text = json.dumps(plain, sort_keys=True)
    assert config_digest(with_()) == hashlib.sha256(text.encode()).hexdigest()
    smoothed = with_(classification={"smoothing": {"method": "markov"}})
    assert config_digest(smoothed) != config_digest(with_())


@pytest.mark.parametrize(
    "sections",
    [
        {"sampling": {"random_seed": 1}},
        {"tiles": ["T31TDJ"]},
        {"classification": {"minimum_clear_dates": 2}},
    ],
)
def test_digest_tells_results_apart(sections):
    assert config_digest(with_()) != config_digest(with_(**sections))


def test_reference_page_mentions_every_key():
    page = configuration_page()
    assert [
        key
        for key in keys_of(json_schema(Configuration, TITLE))
        if f"`{key}`" not in page and f".{key}`" not in page
    ] == []


@pytest.mark.parametrize("name", ["full.yaml", "minimal.yaml"])
def test_example_configuration_is_valid(name):
    read_configuration(str(FOLDER / name))


def test_full_example_states_the_defaults():
    full = yaml.safe_load((FOLDER / "full.yaml").read_text(encoding="utf-8"))
    least = yaml.safe_load((FOLDER / "minimal.yaml").read_text(encoding="utf-8"))
    assert full == complete_config(least) | {"tiles": full["tiles"]}


@pytest.mark.parametrize("text", ["", "tiles: [", "- T31TCJ"])
def test_file_that_holds_no_mapping_is_refused_by_name(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"config\.yaml"):
        read_configuration(str(path))


def write(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("written", "read"),
    [("0310", "the number 200"), ("no", "false"), ("1e3", None), ("2018_10", "the number 201810")],
)
def test_a_tile_that_yaml_reads_as_something_else_is_shown_as_it_was_written(
    tmp_path, written, read
):
    text = yaml.safe_dump(LEAST).replace("- T31TCJ", f"- T31TCJ\n- {written}")
    path = write(tmp_path, text)
    if read is None:  # text for YAML, though it looks like a number
        assert read_configuration(path).tiles == ["T31TCJ", written]
        return
    with pytest.raises(ConfigError) as caught:
        read_configuration(path)
    assert f"tiles.1: {written} is read as {read}" in str(caught.value)
    assert f"between quotes, '{written}'" in str(caught.value)


def test_a_key_that_stands_twice_is_refused_with_its_line(tmp_path):
    path = write(tmp_path, yaml.safe_dump(LEAST) + "output: other\n")
    with pytest.raises(ConfigError, match=r"key 'output' stands twice") as caught:
        read_configuration(path)
    assert "line " in str(caught.value)


def test_class_codes_are_the_words_of_the_file(tmp_path):
    sampling = "sampling: {strategy: byclass, byclass: {11: 500, 12: 3}}\n"
    path = write(tmp_path, yaml.safe_dump(LEAST) + sampling)
    assert read_configuration(path).sampling.byclass == {"11": 500, "12": 3}


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("results/", "results"),
        ("a//b/./c/", "a/b/c"),
        ("a/../b", "b"),
        ("/data/x/", "/data/x"),
        ("~/results", "/home/someone/results"),
        ("résultats & cartes (2)", "résultats & cartes (2)"),
    ],
)
def test_paths_are_brought_to_one_form(monkeypatch, given, plain):
    monkeypatch.setenv("HOME", "/home/someone")
    sections = with_(output=given)
    sections["reference"]["path"] = given
    config = complete_config(sections)
    assert (config["output"], config["reference"]["path"]) == (plain, plain)


@pytest.mark.parametrize(
    "given", ["a?b", "{tile}", "<results>", ".", "./", "", "  ", "a\nb", "$HOME/x"]
)
def test_an_output_that_cannot_hold_products_is_refused(given):
    assert "output: " in problems_of(with_(output=given))


def test_a_variable_in_a_path_is_shown_with_its_value(monkeypatch):
    monkeypatch.setenv("STORE", "/big/disk")
    given = with_(nomenclature="$STORE/classes.csv")
    assert "/big/disk/classes.csv" in problems_of(given)


def test_a_home_that_is_unknown_is_refused():
    assert "there is no such user" in problems_of(with_(output="~nobody_of_that_name/x"))


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        ({"sampling": {"runs": True}}, "sampling.runs: True is not a whole number"),
        ({"sampling": {"runs": 2.5}}, "sampling.runs: 2.5 is not a whole number"),
        ({"sampling": {"percent": "0,5"}}, "sampling.percent: '0,5' is not a number"),
        ({"sampling": {"ratio": 0}}, "sampling.ratio: 0 is not greater than 0"),
        ({"sampling": {"runs": 101}}, "sampling.runs: 101 is greater than the maximum of 100"),
        ({"sampling": {"percent": float("nan")}}, "sampling.percent: "),
        ({"sampling": 3}, "sampling: 3 is not a section with keys"),
        ({"tiles": "T31TCJ"}, "tiles: 'T31TCJ' is not a list"),
        ({"tiles": []}, "tiles: is empty"),
        ({"tiles": ["T31TCJ", "T31TCJ"]}, "tiles: T31TCJ stands twice"),
        ({"tiles": ["T31/TCJ"]}, "tiles.0: 'T31/TCJ' does not match"),
        ({"sensors": {"sentinel2": {"path": "x", "first_date": "1.2.2018"}}}, "is not a date"),
        ({"sensors": {"sentinel2": {"path": "x", "keep_bands": ["B9"]}}}, "'B9' is none of B2"),
        ({"sensors": {"landsat": {"path": "x"}}}, "unknown key 'landsat'"),
        (
            {"sensors": {"sentinel2": {"path": "x", "additional_features": {"NDVI": "B4/B8"}}}},
            "sensors.sentinel2: NDVI would be the name of two features",
        ),
        (
            {"sensors": {"sentinel2": {"path": "x", "additional_features": {"B4": "B4/B8"}}}},
            "sensors.sentinel2: B4 would be the name of two features",
        ),
        ({"learning": {"standardise": "yes"}}, "'yes' is none of true, false, auto"),
        ({"user_features": {"path": "x", "patterns": ["A", {"name": "A"}]}}, "A stands twice"),
        (
            {"user_features": {"path": "x", "patterns": [{"name": "A", "missing": "men"}]}},
            "user_features.patterns.0.missing",
        ),
    ],
)
def test_wrong_values_are_told_by_place_and_kind(sections, told):
    assert told in problems_of(with_(**sections))


def test_a_raster_of_the_user_may_be_given_by_its_word_alone():
    patterns = ["ALT", {"name": "SOIL", "interpolation": "nearest", "missing": -1}]
    config = complete_config(with_(user_features={"path": "x", "patterns": patterns}))
    assert config["user_features"]["patterns"] == [
        {
            "name": "ALT",
            "path": None,
            "interpolation": "bicubic",
            "missing": "leave_out",
            "dated": False,
        },
        {"name": "SOIL", "path": None, "interpolation": "nearest", "missing": -1.0, "dated": False},
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"module": None}, ".module: None is not text"),
        ({"modul": "m.py"}, ": unknown key 'modul', did you mean 'module'"),
        ({"module": "my-module.py"}, ".module: 'my-module.py' is no name of a Python module"),
        ({"module": "m.ipynb"}, ".module: 'm.ipynb' is no name of a Python module"),
        ({"function": "f()"}, ".function: 'f()' does not match"),
        ({"margin": 101}, ".margin: 101 is greater than the maximum of 100"),
        ({"margin": 1.5}, ".margin: 1.5 is not a whole number"),
        ({"missing": "mean"}, ".missing: 'mean' is not a number"),
        ({"parameters": [1]}, ".parameters: [1] is not a section"),
        ("m.py", ": 'm.py' is not a section with keys"),
    ],
)
def test_a_function_of_the_user_that_is_named_wrongly_is_told_by_its_place(given, expected):
    least = {"module": "m.py", "function": "f"}
    wrong = least | given if isinstance(given, dict) else given
    assert f"external_features.1{expected}" in problems_of(with_(external_features=[least, wrong]))
