"""The configuration: what is filled in, what is refused, and how it is told."""

import copy
from pathlib import Path

import pytest
import yaml

from iota2_tools.config.settings import (
    complete_config,
    config_digest,
    describe_schema,
    load_schema,
    read_config,
)
from iota2_tools.core.errors import ConfigError

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


def problems_of(given):
    with pytest.raises(ConfigError) as caught:
        complete_config(given)
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
    meaning = load_schema()["properties"]["reference"]["properties"]["field"]["description"]
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
        (
            {"learning": {"learner": "otb-rf"}, "classification": {"probability_map": True}},
            "classification.probability_map",
        ),
    ],
)
def test_contradiction_is_refused(sections, place):
    assert place in problems_of(with_(**sections))


def test_same_day_for_first_and_last_date_is_no_contradiction():
    sensor = {"path": "x", "first_date": "2018-01-01", "last_date": "2018-01-01"}
    complete_config(with_(sensors={"sentinel2": sensor}))


def test_digest_ignores_output_and_memory():
    one = complete_config(with_())
    two = complete_config(with_(output="elsewhere", classification={"window_mb": 50}))
    assert config_digest(one) == config_digest(two)


@pytest.mark.parametrize(
    "sections",
    [
        {"sampling": {"random_seed": 1}},
        {"tiles": ["T31TDJ"]},
        {"classification": {"minimum_clear_dates": 2}},
    ],
)
def test_digest_tells_results_apart(sections):
    assert config_digest(complete_config(with_())) != config_digest(
        complete_config(with_(**sections))
    )


def test_digest_does_not_alter_the_configuration():
    config = complete_config(with_())
    config_digest(config)
    assert config["classification"]["window_mb"] == 400


def test_reference_page_mentions_every_key():
    page = describe_schema()
    assert [
        key for key in keys_of(load_schema()) if f"`{key}`" not in page and f".{key}`" not in page
    ] == []


@pytest.mark.parametrize("name", ["full.yaml", "minimal.yaml"])
def test_example_configuration_is_valid(name):
    read_config(str(FOLDER / name))


def test_full_example_states_the_defaults():
    full = yaml.safe_load((FOLDER / "full.yaml").read_text(encoding="utf-8"))
    least = yaml.safe_load((FOLDER / "minimal.yaml").read_text(encoding="utf-8"))
    assert full == complete_config(least) | {"tiles": full["tiles"]}


@pytest.mark.parametrize("text", ["", "tiles: [", "- T31TCJ"])
def test_file_that_holds_no_mapping_is_refused_by_name(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"config\.yaml"):
        read_config(str(path))
