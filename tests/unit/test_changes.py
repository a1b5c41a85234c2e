"""Why a job will run, in words."""

import pytest

from iota2_tools.planning.changes import TAGS, parameter_changes, reasons


def test_a_parameter_of_a_section_is_told_by_its_keys():
    before = ["{'learner': 'A', 'parameters': {'n_estimators': 20}}"]
    now = {"learning": "{'learner': 'A', 'parameters': {'n_estimators': 21}}"}
    assert parameter_changes(before, now) == ["learning.parameters.n_estimators: 20 → 21"]


def test_a_computation_is_told_with_its_versions():
    before = ["{'masks': 3, 'resampling': 2}"]
    assert parameter_changes(before, {"algorithm": "{'masks': 4, 'resampling': 2}"}) == [
        "computation masks: from version 3 to 4"
    ]
    assert parameter_changes(before, {"algorithm": "{'masks': 3, 'grid': 1, 'resampling': 2}"}) == [
        "computation grid is new"
    ]


def test_acquisitions_that_come_and_go_are_named():
    before = ["{'tile': 'T', 'products': {'s2': {'names': ['a', 'b'], 'counted': ['a', 'b']}}}"]
    now = {
        "inputs": "{'tile': 'T', 'products': {'s2': {'names': ['b', 'c'], 'counted': ['b', 'c']}}}"
    }
    assert parameter_changes(before, now) == ["new acquisition c", "acquisition a is gone"]


def test_each_new_value_is_set_beside_the_former_one_that_is_most_like_it():
    before = ["{'runs': 1, 'ratio': 0.5}", "{'learner': 'A', 'standardise': True}", "7"]
    now = {
        "learning": "{'learner': 'B', 'standardise': True}",
        "random_seed": "8",
        "sampling": "{'runs': 2, 'ratio': 0.5}",
    }
    assert parameter_changes(before, now) == [
        "learning.learner: A → B",
        "random_seed: 7 → 8",
        "sampling.runs: 1 → 2",
    ]


@pytest.mark.parametrize(
    ("name", "before", "now", "told"),
    [
        ("codes", "[1, 2]", "[1, 2, 3]", "codes: new 3"),
        ("codes", "[1, 2]", "[1]", "codes: no more 2"),
        ("dates", "['2018-01-01']", "['2018-01-02']", "dates: 2018-01-01 → 2018-01-02"),
        ("codes", "[1, 2]", "[2, 1]", "codes: [1, 2] → [2, 1]"),
        ("contents", "['ab']", "['cd']", "content of its inputs has changed"),
        ("reference_or_regions_contents", "['ab']", "['cd']", "content of the reference or regions has changed"),
        ("about", "{'contents': {'reference': ['ab']}}", "{'contents': {'reference': ['cd']}}",
         "content of the reference has changed"),
        ("legend", "{'path': 'n', 'contents': ['a']}", "{'path': 'n', 'contents': ['b']}",
         "content of the nomenclature has changed"),
        ("revision", "0", "1", "files of its products have other content"),
        ("external", "[]", "[{'a': 1}]", "external: new {'a': 1}"),
        ("seed", "None", "3", "seed: None → 3"),
        ("tags", "{'CONFIG_SHA256': 'a', 'TILES': 'T'}", "{'CONFIG_SHA256': 'b', 'TILES': 'T'}", TAGS),
    ],
)  # fmt: skip
def test_kinds_of_changes(name, before, now, told):
    assert parameter_changes([before], {name: now}) == [told]


def test_a_former_value_is_set_beside_one_new_value_alone():
    assert sorted(parameter_changes(["5"], {"first": "6", "second": "7"})) == [
        "first: nothing → 6", "second: 5 → 7",
    ]  # fmt: skip


def test_what_was_not_there_or_is_no_more_is_said():
    assert parameter_changes([], {"copies": "[1]"}) == ["copies: nothing → [1]"]
    (told,) = parameter_changes(["'gone'"], {})
    assert told == "a parameter that was gone: gone → nothing"


def test_values_of_unlike_kinds_are_not_the_same_parameter():
    assert parameter_changes(["{'x': 1}"], {"codes": "[1]"}) == [
        "codes: nothing → [1]",
        "a parameter that was {'x': 1}: {'x': 1} → nothing",
    ]


def test_many_differences_of_one_parameter_are_counted():
    before = [str(dict.fromkeys("abcdef", 1) | {"z": 0})]
    now = {"sampling": str(dict.fromkeys("abcdef", 2) | {"z": 0})}
    told = parameter_changes(before, now)
    assert len(told) == 4
    assert told[-1] == "sampling: 3 differences more"


def test_long_values_are_cut():
    (told,) = parameter_changes(["'" + "x" * 500 + "'"], {"note": "'" + "x" * 499 + "y'"})
    assert len(told) < 140


@pytest.mark.parametrize(
    ("why", "told"),
    [
        ({}, []),
        ({"follows": True}, []),
        ({"missing": ["/r/a.tif"]}, ["not made yet"]),
        ({"missing": ["/r/a.tif"], "follows": True}, []),
        ({"forced": True}, ["asked for (--force, --forcerun, --forceall)"]),
        ({"incomplete": ["a"]}, ["was stopped before it was finished"]),
        ({"updated": ["/r/tiles/b.tif"]}, ["newer than its product: b.tif"]),
        ({"code": True}, ["its script has changed"]),
        ({"environment": True}, ["its software environment has changed"]),
        (
            {"inputs": {"before": ["/r/tiles/A/s.tif"], "now": ["/r/tiles/A/s.tif", "/r/tiles/B/s.tif"]}},
            ["reads more: B/s.tif"],
        ),
        (
            {"parameters": {"before": ["1"], "now": {"seed": "2"}}, "missing": ["a"]},
            ["seed: 1 → 2"],
        ),
    ],
)  # fmt: skip
def test_reasons_of_a_job(why, told):
    assert reasons(why) == told


def test_samples_of_other_years_are_no_acquisitions():
    before = "{'sources': [{'path': 'a', 'weight': 1.0}], 'buffer': 0}"
    now = "{'sources': [{'path': 'a', 'weight': 2.0}], 'buffer': 0}"
    (told,) = parameter_changes([before], {"years": now})
    assert told == "years.sources: {'path': 'a', 'weight': 1.0} → {'path': 'a', 'weight': 2.0}"
    (told,) = parameter_changes(["{'names': None, 'n': 1}"], {"years": "{'names': ['a'], 'n': 1}"})
    assert told == "years.names: None → ['a']"


def test_names_that_are_a_parameter_themselves_are_no_acquisitions():
    """Those of regions, and of blocks of a map."""
    assert parameter_changes(["['1', '2']"], {"names": "['1', '2', '3']"}) == ["names: new 3"]
