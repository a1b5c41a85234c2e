"""The plan of a production, and what its check finds, on products of a few pixels."""

import json
import os
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from rule_texts import rule_texts
from tiny import LEFT, TOP, name_of, write_image, write_product

from iota2_tools.commands import cli
from iota2_tools.core.errors import ConfigError, InputDataError
from iota2_tools.learning import engines
from iota2_tools.planning import external
from iota2_tools.planning.checks import check, header_problems, input_problems, input_warnings
from iota2_tools.planning.configuration import complete_configuration
from iota2_tools.planning.external import write_names
from iota2_tools.planning.needs import resources
from iota2_tools.planning.parameters import Parameters
from iota2_tools.planning.production import Production
from iota2_tools.products import FORMATS

BANDS = {"B2": 1000, "B4": 1000, "B8": 1000}


@pytest.fixture
def plan(tmp_path):
    """Makes the plan of a production; sections of its configuration can be given."""
    quarters = [
        shapely.box(x, y, x + 40, y + 40) for x in (LEFT, LEFT + 40) for y in (TOP - 80, TOP - 40)
    ]
    frame = gpd.GeoDataFrame({"code": [1, 2, 1, 2]}, geometry=quarters, crs="EPSG:32631")
    frame.to_file(tmp_path / "reference.gpkg")
    (tmp_path / "classes.csv").write_text("code,name\n1,Wheat\n2,Maize\n")

    def make(sensor=None, **sections):
        sentinel2 = {"path": str(tmp_path / "s2"), "keep_bands": ["B4", "B8"], "indices": []}
        given = {
            "output": "results",
            "tiles": ["T31TCJ"],
            "nomenclature": str(tmp_path / "classes.csv"),
            "sensors": {"sentinel2": sentinel2 | (sensor or {})},
            "reference": {"path": str(tmp_path / "reference.gpkg"), "field": "code"},
            "inputs": {"longest_gap": 9999},
        }
        return Production(complete_configuration(given | sections))

    return make


@pytest.fixture
def tile(tmp_path):
    folder = tmp_path / "s2" / "T31TCJ"
    for day in ("20151225", "20180105", "20180125", "20190102"):
        write_product(folder, name_of(day), BANDS)
    return folder


YEAR = {"first_date": date(2018, 1, 1), "last_date": date(2018, 12, 31)}


def days(plan):
    return [f"{item.day:%Y%m%d}" for item in plan.products("sentinel2", "T31TCJ")]


def test_a_learner_that_passed_the_check_is_not_tried_at_the_next_start(
    plan, tile, tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    trees = {"learning": {"parameters": {"n_estimators": 3}}}
    assert not input_problems(plan(**trees))
    tried = []
    monkeypatch.setattr(engines, "learner_problems", lambda *given: tried.append(given) or ["no"])
    assert not input_problems(plan(**trees))
    assert not tried
    others = {"learning": {"parameters": {"n_estimators": 0}}}
    assert input_problems(plan(**others)) == input_problems(plan(**others)) == ["no"]
    assert [settings.parameters for settings, _ in tried] == [{"n_estimators": 0}] * 2


def test_acquisitions_outside_the_period_are_not_read(plan, tile):
    production = plan(YEAR)
    assert days(production) == ["20180105", "20180125"]
    assert production.clear_dates("T31TCJ") == 2


def test_a_margin_reads_more_and_counts_no_more(plan, tile):
    production = plan(YEAR | {"margin_days": 2})
    assert days(production) == ["20180105", "20180125", "20190102"]
    assert production.clear_dates("T31TCJ") == 2
    inputs = Parameters(production).tile_inputs("T31TCJ").products["sentinel2"]
    assert [name_of(day) for day in ("20180105", "20180125")] == inputs.counted
    assert len(inputs.names) == 3


@pytest.mark.parametrize(
    ("first", "last", "read"),
    [
        (date(2018, 1, 7), None, ["20180105", "20180125", "20190102"]),
        (date(2018, 1, 8), None, ["20180125", "20190102"]),
        (None, date(2018, 1, 23), ["20151225", "20180105", "20180125"]),
        (None, date(2018, 1, 22), ["20151225", "20180105"]),
    ],
)
def test_a_margin_lies_beyond_one_date_as_well(plan, tile, first, last, read):
    """Two days of it; where a side is open there is nothing beyond."""
    given = {"first_date": first, "last_date": last, "margin_days": 2}
    assert days(plan({key: value for key, value in given.items() if value is not None})) == read


def test_the_days_at_both_ends_of_the_period_count(plan, tile):
    ends = {"first_date": date(2018, 1, 5), "last_date": date(2018, 1, 25)}
    assert days(plan(ends)) == ["20180105", "20180125"]
    short = {"first_date": date(2018, 1, 6), "last_date": date(2018, 1, 25)}
    assert days(plan(short | {"margin_days": 1})) == ["20180105", "20180125"]


def test_without_dates_everything_counts(plan, tile):
    production = plan()
    assert len(days(production)) == 4
    assert production.target_dates["sentinel2"][0] == "2015-12-25"


def test_a_period_without_acquisitions_is_refused_with_those_that_are_there(plan, tile):
    production = plan({"first_date": date(2017, 1, 1), "last_date": date(2017, 12, 31)})
    with pytest.raises(InputDataError, match="2015-12-25 to 2019-01-02, none is from 2017-01-01"):
        production.products("sentinel2", "T31TCJ")


def test_products_of_another_tile_are_refused_by_name(plan, tile):
    stranger = name_of("20180301", tile="T31TDJ")
    write_product(tile, stranger, BANDS)
    with pytest.raises(InputDataError, match="another tile than T31TCJ") as caught:
        plan().products("sentinel2", "T31TCJ")
    assert stranger in str(caught.value)


def test_a_tile_of_a_name_of_its_own_holds_products_of_one_tile(plan, tmp_path):
    folder = tmp_path / "s2" / "valley"
    write_product(folder, name_of("20180105"), BANDS)
    assert len(plan(tiles=["valley"]).products("sentinel2", "valley")) == 1
    write_product(folder, name_of("20180115", tile="T31TDJ"), BANDS)
    with pytest.raises(InputDataError, match="another tile"):
        plan(tiles=["valley"]).products("sentinel2", "valley")


def test_archives_are_told_and_stop_nothing(plan, tile):
    for day in ("20180201", "20180211"):
        (tile / f"{name_of(day)}.tar.gz").write_bytes(b"")
    production = plan()
    check(production, "config.yaml")
    (warning,) = input_warnings(production)
    assert "2 not read, an archive: " in warning
    assert warning.endswith("; unpack it")


def test_a_folder_of_archives_alone_is_refused_with_the_reason(plan, tmp_path):
    folder = tmp_path / "s2" / "T31TCJ"
    folder.mkdir(parents=True)
    (folder / f"{name_of('20180201')}.tar.gz").write_bytes(b"")
    with pytest.raises(InputDataError, match="holds no product") as caught:
        plan().products("sentinel2", "T31TCJ")
    assert "unpack it" in str(caught.value)


def test_the_check_opens_each_image_as_the_job_does(plan, tile, tmp_path):
    production = plan()
    check(production, "config.yaml", headers=True)
    path = tile / name_of("20180125") / f"{name_of('20180125')}_FRE_B8.tif"
    write_image(path, np.zeros((8, 8), np.float32))
    check(production, "config.yaml")
    with pytest.raises(ConfigError, match=r"B8\.tif holds Float32"):
        check(production, "config.yaml", headers=True)


def test_the_check_of_a_user_raster_is_that_of_the_job(plan, tile, tmp_path):
    write_image(tmp_path / "user" / "T31TCJ" / "ALT.tif", np.zeros((8, 8), np.int16), left=0)
    production = plan(user_features={"path": str(tmp_path / "user"), "patterns": ["ALT"]})
    (problem,) = header_problems(production)
    assert "does not touch its tile" in problem


def test_each_band_of_a_user_raster_counts_in_the_needs(plan, tile, tmp_path):
    before = Parameters(plan()).feature_count
    write_image(tmp_path / "user" / "T31TCJ" / "EMB.tif", np.zeros((60, 8, 8), np.float32))
    production = plan(user_features={"path": str(tmp_path / "user"), "patterns": ["EMB"]})
    assert Parameters(production).feature_count == before + 60


def test_a_product_of_another_size_first_in_time_does_not_shrink_the_tile(plan, tile):
    write_product(tile, name_of("20141225"), BANDS, size=6)
    (problem,) = header_problems(plan())
    assert name_of("20141225") in problem
    assert "another grid than the other 4" in problem


def onto(folder, values=None, **others):
    """Section that moves the series onto a reference image."""
    path = folder / "reference.tif"
    if values is not None:
        write_image(path, values)
    return {"coregistration": {"reference": str(path), "sensor_band": "B8A", **others}}


def test_the_band_that_is_compared_with_a_reference_is_read_and_is_no_feature(plan, tile, tmp_path):
    before = Parameters(plan({"indices": []}))
    after = Parameters(plan({"indices": [], **onto(tmp_path, np.zeros((8, 8), np.int16))}))
    (old,), (new,) = (item.tile_inputs("T31TCJ").products.values() for item in (before, after))
    assert set(new.bands) == {*old.bands, "B8A"}
    assert after.feature_count == before.feature_count
    assert old.coregistration is None
    assert new.coregistration["largest_shift"] == 3
    sizes = [item.job_size("T31TCJ", []) for item in (before, after)]
    assert [size.registered for size in sizes] == [0, sizes[1].acquisitions]
    assert resources("take_inventory", sizes[1])["runtime"] >= 10


def test_a_reference_that_cannot_be_used_is_found_by_the_check(plan, tile, tmp_path):
    assert not input_problems(plan(onto(tmp_path, np.zeros((8, 8), np.int16))))
    # Comparing takes a job: here no window of 8 x 8 pixels would do.
    assert not header_problems(plan(onto(tmp_path, sensor_band="B8")))
    (band,) = input_problems(plan(onto(tmp_path, reference_band=2)))
    assert "sensors.sentinel2.coregistration.reference: T31TCJ: " in band
    assert "band 2 is needed" in band
    (unknown,) = input_problems(plan(onto(tmp_path, sensor_band="B8B")))
    assert "coregistration.sensor_band: no band 'B8B', did you mean" in unknown
    (tmp_path / "reference.tif").unlink()
    (missing,) = input_problems(plan(onto(tmp_path)))
    assert missing.endswith("reference.tif is missing")


def test_validity_of_more_than_254_dates_needs_two_bytes(plan, tile, monkeypatch):
    parameters = Parameters(plan())
    assert parameters.validity_type == "uint8"
    more = Parameters(plan())
    monkeypatch.setattr(Production, "clear_dates", lambda *_: 255)
    assert more.validity_type == "uint16"


def test_parameters_are_plain_values(plan, tile, tmp_path):
    write_image(tmp_path / "user" / "T31TCJ" / "ALT.tif", np.zeros((8, 8), np.int16))
    patterns = [{"name": "ALT", "missing": 0, "interpolation": "nearest"}]
    production = plan(user_features={"path": str(tmp_path / "user"), "patterns": patterns})
    parameters = Parameters(production)
    inputs = parameters.tile_inputs("T31TCJ")
    assert inputs.user_features["ALT"].missing == 0
    json.dumps([asdict(inputs), parameters.features, dict(parameters.provenance)])


def test_the_command_tells_what_is_outside_the_period(plan, tile, tmp_path, capsys, monkeypatch):
    import yaml

    config = plan(YEAR).config.as_dict()
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    assert cli.main(["check", str(path)]) == 0
    assert "2 sentinel2 (2 outside the period)" in capsys.readouterr().out


FUTURE = 4e9  # seconds: the year 2096


def test_dates_of_the_files_of_the_user_do_not_matter_and_their_content_does(plan, tile, tmp_path):
    """A clock of another machine may set them into the future: they are no inputs of Snakemake."""
    before = Parameters(plan())
    for name in ("reference.gpkg", "classes.csv"):
        os.utime(tmp_path / name, (FUTURE, FUTURE))
    production = plan()
    check(production, "config.yaml")
    after = Parameters(production)
    assert after.reference_contents == before.reference_contents
    assert after.legend == before.legend
    (tmp_path / "classes.csv").write_text("code,name,colour\n1,Wheat,#112233\n2,Maize,#000000\n")
    os.utime(tmp_path / "classes.csv", (1e9, 1e9))
    assert Parameters(plan()).legend != before.legend


def test_the_table_of_splits_and_the_reference_are_missed_by_name(plan, tile):
    reference = {"path": "absent.gpkg", "field": "code", "splits": "absent.csv"}
    with pytest.raises(ConfigError, match="has 2 problems") as caught:
        check(plan(reference=reference), "config.yaml")
    assert "reference.path: no file absent.gpkg" in str(caught.value)
    assert "reference.splits: no file absent.csv" in str(caught.value)


def test_what_is_strange_about_the_polygons_is_a_warning(plan, tile, tmp_path):
    path = str(tmp_path / "twice.gpkg")
    field, other = (shapely.box(x, TOP - 40, x + 40, TOP) for x in (LEFT, LEFT + 40))
    fields = gpd.GeoDataFrame({"code": [1, 1, 2]}, geometry=[field, field, other], crs="EPSG:32631")
    fields.to_file(path)
    production = plan(reference={"path": path, "field": "code"})
    check(production, "config.yaml")
    assert "1 polygon(s) repeat an earlier one" in input_warnings(production)[0]


JANUARY = {"first_date": date(2018, 1, 5), "last_date": date(2018, 1, 25)}
SEASON = "def f(block):\n    return {'Season': block.series['sentinel2'].band('nir')[0]}\n"


@pytest.fixture
def mine(tmp_path):
    """A module of the user with one function."""
    (tmp_path / "mine.py").write_text(SEASON)
    return {"module": str(tmp_path / "mine.py"), "function": "f"}


def test_external_features_count_in_the_plan_and_in_what_jobs_ask_for(plan, tile, mine, tmp_path):
    write_image(tmp_path / "user/T31TCJ/ALT.tif", np.ones((8, 8), np.int16))
    user = {"path": str(tmp_path / "user"), "patterns": ["ALT"]}
    sections = {"user_features": user, "output": str(tmp_path / "results")}
    without = Parameters(plan(JANUARY, **sections))
    having = Parameters(plan(JANUARY, **sections, external_features=[mine | {"margin": 7}]))
    assert without.feature_count == 2 * 3 + 1  # both bands on three dates, and a raster
    assert having.feature_count == without.feature_count + 1
    assert having.external_names == ["Season"]
    size = having.job_size("T31TCJ", [])
    assert (size.features, size.external, size.margin) == (8, 1, 7)
    assert without.job_size("T31TCJ", []).external == 0


def test_the_check_tells_what_is_wrong_with_each_function(plan, tile, mine, tmp_path):
    check(plan(JANUARY, external_features=[mine]), "config.yaml")
    (tmp_path / "mine.py").write_text(
        SEASON + "\ndef g(block):\n    return {'A': block.series['sentinel2'].band('B2')[0]}\n"
    )
    several = [mine, mine | {"function": "g"}, mine | {"function": "h"}, mine]
    with pytest.raises(ConfigError) as caught:
        check(plan(JANUARY, external_features=several), "config.yaml")
    text = str(caught.value)
    assert "config.yaml has 3 problems" in text
    assert "mine.py, line 5, in g" in text
    assert "band 'B2' of sentinel2 is not read" in text
    assert "has no function 'h'" in text
    assert "the name 'Season', which is that of another feature" in text


def test_without_images_the_check_tells_at_least_of_a_missing_module(plan, mine, tmp_path):
    with pytest.raises(ConfigError, match=r"(?s)no folder .*external_features: no file absent\.py"):
        check(plan(external_features=[mine, mine | {"module": "absent.py"}]), "config.yaml")


def test_jobs_know_the_names_from_the_check_and_run_no_code_of_the_user(
    plan, tile, mine, tmp_path, monkeypatch
):
    sections = {"output": str(tmp_path / "results"), "external_features": [mine]}
    trial = Parameters(plan(JANUARY, **sections)).external_trial
    write_names(str(tmp_path / "results"), trial)
    monkeypatch.setattr(external, "ExternalFeatures", None)
    assert Parameters(plan(JANUARY, **sections)).external_names == ["Season"]
    assert Parameters(plan(JANUARY, **sections)).feature_count == 2 * 3 + 1
    (tmp_path / "mine.py").write_text(SEASON + "# changed\n")
    with pytest.raises(TypeError):  # it has to be tried again
        _ = Parameters(plan(JANUARY, **sections)).external_names


@pytest.mark.parametrize(
    "stored", ["", "{", "[]", '{"names": ["X"]}', '{"digest": "", "names": []}']
)
def test_names_that_cannot_be_read_are_found_anew(plan, tile, mine, tmp_path, stored):
    (tmp_path / "results").mkdir()
    (tmp_path / "results/external_features.json").write_text(stored)
    sections = {"output": str(tmp_path / "results"), "external_features": [mine]}
    assert Parameters(plan(JANUARY, **sections)).external_names == ["Season"]


def test_names_are_found_anew_where_they_may_depend_on_something_else(plan, tile, mine, tmp_path):
    (tmp_path / "mine.py").write_text(
        "def f(block):\n"
        "    return {f'A{day:%m%d}': block.inside for day in block.series['sentinel2'].dates}\n"
    )
    sections = {"output": str(tmp_path / "results"), "external_features": [mine]}
    names = []
    for step in (10, 20):
        parameters = Parameters(plan(JANUARY | {"temporal_resolution": step}, **sections))
        write_names(str(tmp_path / "results"), parameters.external_trial)
        names.append(parameters.external_names)
    assert names == [["A0105", "A0115", "A0125"], ["A0105", "A0125"]]


def test_where_names_cannot_be_kept_each_process_finds_them(plan, tile, mine, tmp_path):
    (tmp_path / "results").write_text("a file, where a folder should be")
    sections = {"output": str(tmp_path / "results"), "external_features": [mine]}
    parameters = Parameters(plan(JANUARY, **sections))
    write_names(str(tmp_path / "results"), parameters.external_trial)
    assert parameters.external_names == ["Season"]


def test_the_source_of_a_function_is_a_parameter_of_the_rules_that_read_features(
    plan, tile, mine, tmp_path
):
    before = Parameters(plan(JANUARY, external_features=[mine])).external
    (tmp_path / "mine.py").write_text(SEASON + "# changed\n")
    after = Parameters(plan(JANUARY, external_features=[mine])).external
    assert {key for key in before[0] if before[0][key] != after[0][key]} == {"contents"}
    rules = [name for name, rule in rule_texts().items() if "parameters.external" in rule.body]
    assert set(rules) == {"extract_samples", "write_features", "classify_tile"}


def test_choices_of_ratios_reach_the_features(plan, tile):
    chosen = {"relative_reflectance": True, "robust_indices": True, "keep_duplicates": False}
    sensor = JANUARY | chosen | {"indices": ["NDVI", "NDWI"]}
    features = Parameters(plan(sensor)).series_features["sentinel2"]
    assert (features.relative, features.indices, features.robust) == (("B8",), ("NDWI",), True)
    features = Parameters(plan(JANUARY)).series_features["sentinel2"]
    assert (features.relative, features.robust) == ((), False)


def test_relative_reflectance_without_a_red_band_is_refused(plan, tile, monkeypatch):
    known = FORMATS["sentinel2"]
    bands = tuple(replace(band, role="") if band.role == "red" else band for band in known.bands)
    monkeypatch.setitem(FORMATS, "sentinel2", replace(known, bands=bands))
    with pytest.raises(
        ConfigError, match="relative_reflectance: none of its bands has the role red"
    ):
        check(plan(JANUARY | {"relative_reflectance": True}), "config.yaml")


def test_bands_that_a_function_reads_are_read_and_are_no_features(plan, tile, mine):
    sensor = JANUARY | {"keep_bands": ["B4"]}
    with pytest.raises(ConfigError, match="band 'nir' of sentinel2 is not read; add it to `reads`"):
        check(plan(sensor, external_features=[mine]), "config.yaml")
    production = plan(sensor, external_features=[mine | {"reads": {"sentinel2": ["nir", "B2"]}}])
    check(production, "config.yaml")
    parameters = Parameters(production)
    assert parameters.tile_inputs("T31TCJ").products["sentinel2"].bands == ["B2", "B4", "B8"]
    assert parameters.feature_count == 3 + 1


def test_bands_and_sensors_that_do_not_exist_cannot_be_read(plan, tile, mine):
    reads = {"sentinel2": ["B88", "red"], "sentinel3": ["B1"]}
    with pytest.raises(ConfigError) as caught:
        check(plan(JANUARY, external_features=[mine, mine | {"reads": reads}]), "config.yaml")
    text = str(caught.value)
    assert "has 2 problems" in text
    assert "external_features.1.reads.sentinel2: no band 'B88', did you mean 'B8'" in text
    assert "external_features.1.reads: the production has no sensor 'sentinel3', did you" in text


def test_maps_tell_by_which_functions_they_were_made(plan, tile, mine):
    provenance = Parameters(plan(JANUARY, external_features=[mine])).provenance
    name, function, digest = provenance["EXTERNAL_FEATURES"].split(":")
    assert (name, function, len(digest)) == ("mine.py", "f", 8)
    assert "EXTERNAL_FEATURES" not in Parameters(plan(JANUARY)).provenance


def user(tmp_path, *patterns, **others):
    return {"sensors": {}, "user_features": {"patterns": list(patterns)} | others}


def test_one_raster_may_stand_for_all_tiles(plan, tmp_path):
    """Beside one in the folder of each, which gives the grid."""
    everywhere = write_image(
        tmp_path / "dem.tif", np.ones((20, 20), np.int16), 30, LEFT - 90, TOP + 90
    )
    own = write_image(tmp_path / "user" / "T31TCJ" / "SOIL.tif", np.ones((8, 8), np.int16))
    made = plan(
        **user(tmp_path, "SOIL", {"name": "ALT", "path": everywhere}, path=str(tmp_path / "user"))
    )
    assert made.user_feature_files("T31TCJ") == {"SOIL": own, "ALT": everywhere}
    assert made.grid("T31TCJ").rows == 8
    assert Parameters(made).feature_count == 2
    alone = plan(**user(tmp_path, {"name": "ALT", "path": everywhere}))
    assert alone.grid("T31TCJ").rows == 10980
    assert header_problems(alone) == []


def test_a_raster_over_all_tiles_that_covers_one_of_them_not_is_refused(plan, tmp_path):
    far = write_image(tmp_path / "dem.tif", np.ones((8, 8), np.int16), left=LEFT - 90_000)
    (problem,) = header_problems(plan(**user(tmp_path, {"name": "ALT", "path": far})))
    assert "does not touch its tile" in problem
    with pytest.raises(InputDataError, match=r"ALT: no file nowhere\.tif"):
        plan(**user(tmp_path, {"name": "ALT", "path": "nowhere.tif"})).user_feature_files("T31TCJ")
    with pytest.raises(ConfigError, match="'SOIL' is looked for in the folder of each tile: give"):
        plan(**user(tmp_path, {"name": "ALT", "path": far}, "SOIL"))


def dated(tmp_path, *tiles):
    """Rasters of three dates, each named in another way."""
    for tile in tiles:
        for number, day in enumerate(("2018032", "20180101", "2018-01-17"), start=1):
            place = tmp_path / "user" / tile / f"MOD_NDVI_{day}_v2.tif"
            left = LEFT if tile == "T31TCJ" else LEFT + 80
            write_image(place, np.full((8, 8), number, np.int16), left=left)
    return user(tmp_path, {"name": "NDVI", "dated": True}, path=str(tmp_path / "user"))


def test_rasters_of_several_dates_are_features_of_their_dates(plan, tmp_path):
    """Day 32 of 2018 is the first of February."""
    made = plan(**dated(tmp_path, "T31TCJ"))
    assert [Path(path).name for path in made.user_feature_files("T31TCJ").values()] == [
        "MOD_NDVI_20180101_v2.tif", "MOD_NDVI_2018-01-17_v2.tif", "MOD_NDVI_2018032_v2.tif",
    ]  # fmt: skip
    assert Parameters(made).feature_names == [
        "NDVI_20180101_band_1", "NDVI_20180117_band_1", "NDVI_20180201_band_1",
    ]  # fmt: skip
    assert header_problems(made) == []
    (inputs,) = [Parameters(made).tile_inputs("T31TCJ")]
    assert [item.missing for item in inputs.user_features.values()] == ["leave_out"] * 3


def test_dated_rasters_that_do_not_fit_are_told(plan, tmp_path):
    given = dated(tmp_path, "T31TCJ", "T31TDJ")
    folder = tmp_path / "user" / "T31TDJ"
    both = {"tiles": ["T31TCJ", "T31TDJ"]}
    assert input_problems(plan(**given, **both)) == []
    (folder / "MOD_NDVI_2018032_v2.tif").rename(folder / "MOD_NDVI_2018033_v2.tif")
    (problem,) = input_problems(plan(**given, **both))
    assert "NDVI: the dates of T31TDJ are not those of T31TCJ: it lacks NDVI_20180201" in problem
    assert "has besides NDVI_20180202" in problem
    write_image(folder / "NDVI_20180202.tif", np.ones((8, 8), np.int16), left=LEFT + 80)
    (problem,) = input_problems(plan(**given, **both))
    assert "are both NDVI of 2018-02-02" in problem
    (folder / "NDVI_20180202.tif").rename(folder / "NDVI_last.tif")
    (problem,) = input_problems(plan(**given, **both))
    assert "NDVI_last.tif: its name tells no day such as 20180131" in problem
    given["user_features"]["patterns"] = ["NDVI"]
    (problem,) = input_problems(plan(**given))
    assert "if they are of several dates, say `dated: true`" in problem
    given["user_features"]["patterns"] = [{"name": "NDVI", "dated": True, "path": "dem.tif"}]
    with pytest.raises(ConfigError, match="leave `path` or `dated` out"):
        plan(**given)


def test_rasters_of_the_tiles_have_the_same_bands(plan, tmp_path):
    """A model would learn two features here and get three there."""
    given = dated(tmp_path, "T31TCJ", "T31TDJ")
    place = tmp_path / "user" / "T31TDJ" / "MOD_NDVI_2018032_v2.tif"
    write_image(place, np.ones((2, 8, 8), np.int16), left=LEFT + 80)
    (problem,) = input_problems(plan(**given, tiles=["T31TCJ", "T31TDJ"]))
    assert f"{place}: has 2 band(s), " in problem
    assert "v2.tif has 1; each band is a feature" in problem


@pytest.mark.parametrize(
    ("missing", "cols", "expected"),
    [("leave_out", 6, "covers 75% of T31TCJ"), ("mean", 6, ""), ("leave_out", 8, "")],
)
def test_a_raster_that_covers_a_part_of_its_tile_is_told(
    plan, tile, tmp_path, missing, cols, expected
):
    """The tile has 8 x 8 pixels."""
    write_image(tmp_path / "user" / "T31TCJ" / "ALT.tif", np.ones((8, cols), np.int16))
    pattern = {"name": "ALT", "missing": missing}
    given = {"user_features": {"path": str(tmp_path / "user"), "patterns": [pattern]}}
    told = [text for text in input_warnings(plan(JANUARY, **given)) if "user_features" in text]
    assert len(told) == bool(expected)
    assert all(expected in text for text in told)


def test_names_that_differ_in_capitals_alone_are_refused(plan, tmp_path):
    """Tables such as GeoPackages do not tell them apart."""
    with pytest.raises(ConfigError, match=r"user_features\.patterns: ALT stands twice"):
        plan(**user(tmp_path, "ALT", "alt", path="user"))
    with pytest.raises(ConfigError, match="NDVI and ndvi would be the name of two features"):
        plan(JANUARY | {"indices": ["NDVI"], "additional_features": {"ndvi": "B8/B4"}})


def test_features_that_are_to_be_maps_are_known_at_the_start(plan, tile, tmp_path):
    """Chosen by name; a wrong one is told with the nearest; other maps are not written again for them."""
    named = {"feature_maps": {"features": ["Sentinel2_B8_201801*"]}}
    made = plan(YEAR, **named)
    assert Parameters(made).chosen_features[0] == "Sentinel2_B8_20180101"
    assert Parameters(made).choice["dtype"] == "int16"
    assert Parameters(made).choice["settings"]["sentinel2"]["keep_bands"] == ["B8"]
    assert Parameters(made).chosen_series("T31TCJ") == ["sentinel2"]
    assert plan(YEAR).config.digest == made.config.digest
    assert Parameters(plan(YEAR)).choice["settings"] == {}
    wrong = plan(YEAR, feature_maps={"features": ["Sentinel2_B9_20180101"]})
    with pytest.raises(
        ConfigError, match="no feature is called 'Sentinel2_B9_20180101', did you mean"
    ):
        check(wrong, "config.yaml")


def test_a_regularised_map_is_planned_and_its_faults_are_told_at_the_start(plan, tile):
    """The tile has 8 x 8 pixels of 10 m, 6400 m²; other maps are not written again for it."""
    made = plan(YEAR, regularisation={"minimum_mapping_unit_m2": 500})
    assert list(made.regularisation.blocks) == ["0_0"]
    assert Parameters(made).regularisation["unit"] == {"threshold": 5, "cap": 64}
    assert Parameters(made).job_size(None, []).regularised == 64
    assert made.config.digest == plan(YEAR).config.digest
    assert plan(YEAR).regularisation is None
    wrong = plan(YEAR, regularisation={"minimum_mapping_unit_m2": 6401, "groups": "parent"})
    with pytest.raises(ConfigError) as told:
        check(wrong, "config.yaml")
    assert "minimum_mapping_unit_m2: 6401 m² is larger than the whole map" in str(told.value)
    assert "Wheat and Maize of the nomenclature have no parent" in str(told.value)


def test_another_content_of_the_mask_of_water_regularises_again(plan, tile, tmp_path):
    path = write_image(tmp_path / "water.tif", np.zeros((8, 8), np.uint8))
    section = {"regularisation": {"water_mask": {"path": path, "code": 1}}}
    before = Parameters(plan(YEAR, **section)).water_contents
    assert Parameters(plan(YEAR, **section)).water_contents == before
    write_image(tmp_path / "water.tif", np.ones((8, 8), np.uint8))
    assert Parameters(plan(YEAR, **section)).water_contents != before
    assert Parameters(plan(YEAR)).water_contents == []


def test_maps_of_what_the_user_gives_are_float(plan, tile, tmp_path):
    write_image(tmp_path / "user" / "T31TCJ" / "ALT.tif", np.ones((2, 8, 8), np.int16))
    write_image(tmp_path / "user" / "T31TCJ" / "SOIL.tif", np.ones((8, 8), np.int16))
    user = {"user_features": {"path": str(tmp_path / "user"), "patterns": ["ALT", "SOIL"]}}
    made = Parameters(plan(YEAR, feature_maps={"features": ["ALT_band_2"]}, **user)).choice
    assert made == {
        "names": ["ALT_band_2"], "dtype": "float32", "settings": {}, "words": ["ALT"], "external": [],
    }  # fmt: skip
    expression = {"sentinel2": {"additional_features": {"X": "B8/B4"}}}
    made = plan(YEAR | expression["sentinel2"], feature_maps={"features": ["*_X_*"]})
    assert Parameters(made).choice["dtype"] == "float32"
