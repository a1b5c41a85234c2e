"""From IOTA²'s configuration to ours: both spellings, effects and not texts, what is told."""

import pytest
import yaml

from iota2_tools.commands import cli
from iota2_tools.config.from_iota2 import converted
from iota2_tools.config.iota2_cfg import (
    read_cfg,
    read_colour_table,
    read_iota2_nomenclature,
)
from iota2_tools.config.nomenclature import read_nomenclature
from iota2_tools.core.errors import ConfigError
from iota2_tools.planning.configuration import complete_configuration, read_configuration

OLD = """
# as written by hand in 2019
chain:
{
  outputPath:'/out/2018'
  nomenclaturePath:'names.txt'
  listTile:'T31TCJ T31TDJ'
  featuresPath : 'unused'
  S2Path:'/data/s2'
  L8Path : None
  groundTruth:'/data/ground.shp'
  dataField:'CODE'
  regionPath:'/data/eco.shp'
  regionField:'region'
  runs : 2
  ratio : 0.7
  cloud_threshold : 2
  colorTable:'colours.txt'
  remove_outputPath : True
  logFileLevel: "INFO"
  enable_autoContext : True
}
argTrain:
{
  sampleSelection : {"sampler":"random",
                     "strategy":"percent",
                     "strategy.percent.p":0.3,
                     "per_models":[{"target_model":"4", "sampler":"periodic", "strategy":"all"}]}
  sampleAugmentation : {"activate":True, "target_models":["1","2"], "strategy" : "jitter",
                        "strategy.jitter.stdfactor":10, "samples.strategy":"minNumber",
                        "samples.strategy.minNumber":500}
  classifier : 'rf'
  options : ' -classifier.rf.min 5 -classifier.rf.max 30 '
}
argClassification: { classifMode : 'separate', enable_probability_map : False }
GlobChain: { proj : "EPSG:2154", features : ["NDVI", "NDWI"], autoDate : False }
Sentinel_2:
{
  temporalResolution:15
  startDate:'20180101', endDate:'20181231'
  keepBands:["B2", "B3"]
}
iota2FeatureExtraction: { relrefl : True, extractBands : False }
"""
NEW = """
chain :
{
  output_path : '/out/2018'
  nomenclature_path : 'names.txt'
  list_tile : 'T31TCJ T31TDJ'
  s2_path : '/data/s2'
  ground_truth : '/data/ground.shp'
  data_field : 'CODE'
  region_path : '/data/eco.shp'
  region_field : 'region'
  color_table : 'colours.txt'
  proj : "EPSG:2154"
  cloud_threshold : 2
  check_inputs : True
}
arg_train :
{
  runs : 2
  ratio : 0.7
  classifier : 'sharkrf'
  otb_classifier_options : {"classifier.sharkrf.nbtrees" : 120}
}
builders : { builders_class_name : ["i2_classification"] }
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the tables, where things are typed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "names.txt").write_bytes("Forêt : dense:31\nblé:211\n\n".encode("latin-1"))
    (tmp_path / "colours.txt").write_text("0 255 255 255\n31 0 100 0\n211 255 255 0\n")
    return tmp_path


def cfg(folder, text, name="old.cfg"):
    (folder / name).write_text(text, encoding="utf-8")
    return read_cfg(folder / name)


def test_the_old_spelling_is_carried_over_with_its_effects(folder):
    found = converted(cfg(folder, OLD))
    config = found.config
    assert config["output"] == "/out/2018"
    assert config["tiles"] == ["T31TCJ", "T31TDJ"]
    assert config["reference"] == {"path": "/data/ground.shp", "field": "CODE"}
    assert config["regions"] == {"path": "/data/eco.shp", "field": "region"}
    assert config["grid"] == {"projection": "EPSG:2154"}
    assert config["sensors"] == {
        "sentinel2": {
            "path": "/data/s2", "indices": ["NDVI", "NDWI"], "temporal_resolution": 15,
            "first_date": "2018-01-01", "last_date": "2018-12-31", "margin_days": 366,
            "relative_reflectance": True,
        }
    }  # fmt: skip
    assert config["sampling"] == {
        "runs": 2, "ratio": 0.7, "single_polygon": "both", "cloud_threshold": 2, "sampler": "random",
        "strategy": "percent", "percent": 0.3,
        "per_region": {"4": {"sampler": "periodic", "strategy": "all"}},
        "augmentation": {"method": "jitter", "to": "number", "number": 500, "jitter": 0.1, "regions": ["1", "2"]},
    }  # fmt: skip
    assert config["learning"] == {"learner": "otb-rf", "parameters": {"min": 5, "max": 30}}
    complete_configuration(config)


def test_what_had_no_effect_is_told_and_left_out(folder):
    told = " | ".join(converted(cfg(folder, OLD)).changed)
    assert "keepBands had no effect, extractBands was not set" in told
    auto = OLD.replace("autoDate : False", "autoDate : True")
    found = converted(cfg(folder, auto))
    assert "startDate and endDate had no effect" in " | ".join(found.changed)
    assert set(found.config["sensors"]["sentinel2"]) & {"first_date", "last_date"} == set()
    kept = converted(cfg(folder, OLD.replace("extractBands : False", "extractBands : True")))
    assert kept.config["sensors"]["sentinel2"]["keep_bands"] == ["B2", "B3"]


def test_what_has_no_counterpart_is_listed_with_the_reason(folder):
    told = converted(cfg(folder, OLD)).without
    assert any("enable_autoContext: there is no counterpart (auto-context" in line for line in told)
    assert any("remove_outputPath: not needed; nothing is erased" in line for line in told)
    assert any("featuresPath: 'unused' is not known here" in line for line in told)
    assert not any("L8Path" in line for line in told)


def test_an_unknown_name_of_a_sensor_is_told_as_such_where_it_has_images(folder):
    text = OLD.replace("temporalResolution:15", "temporalResolution:15, typo:3")
    text += "Landsat8: { typo : 4 }\n"
    told = converted(cfg(folder, text)).without
    assert any("Sentinel_2.typo: 3 is not known here" in line for line in told)
    assert any(
        "Landsat8.typo: left out, its sensor has no folder of images" in line for line in told
    )


def test_the_new_spelling_says_the_same(folder):
    found = converted(cfg(folder, NEW))
    old = converted(cfg(folder, OLD))
    for key in ("output", "tiles", "reference", "regions", "grid"):
        assert found.config[key] == old.config[key], key
    assert found.config["sampling"]["runs"] == 2
    assert found.config["learning"] == {
        "learner": "RandomForestClassifier",
        "parameters": {"n_estimators": 120, "min_samples_leaf": 25},
    }
    assert found.assumed == ["sensors.sentinel2.temporal_resolution: 10"]
    complete_configuration(found.config)


def test_defaults_of_iota2_that_are_not_ours_are_written_out(folder):
    text = "chain: { listTile: 'T31TCJ', L8Path: '/l8', groundTruth: 'g.shp', dataField: 'c' }"
    found = converted(cfg(folder, text))
    assert found.config["sampling"] == {
        "runs": 1, "ratio": 0.5, "single_polygon": "both", "cloud_threshold": 0,
    }  # fmt: skip
    assert found.config["sensors"]["landsat8"]["temporal_resolution"] == 16
    assert found.config["learning"]["parameters"] == {"min": 5, "max": 25}
    assert len(found.assumed) == 3
    assert any("each run of IOTA² drew otherwise" in line for line in found.changed)


@pytest.mark.parametrize(
    ("text", "place", "value"),
    [
        ("chain: {merge_final_classifications: True, runs: 3}", ("fusion", "seeds"),
         {"method": "majority", "undecided": "undecided", "undecided_label": 255, "held_back": 0.1}),
        ("chain: {merge_final_classifications: True, merge_final_classifications_method: 'dempstershafer',"
         " dempstershafer_mob: 'recall', merge_final_classifications_ratio: 0.2}", ("fusion", "seeds"),
         {"method": "dempster_shafer", "masses": "recall", "undecided": "undecided", "undecided_label": 255,
          "held_back": 0.2}),
        ("a: {classifMode: 'fusion', noLabelManagement: 'learningPriority', mode_outside_RegionSplit: 5}",
         ("fusion", "regions"), {"above_km2": 5.0, "undecided": "most_samples"}),
        ("a: {dempster_shafer_SAR_Opt_fusion: True}", ("fusion", "sensors"),
         {"method": "dempster_shafer", "masses": "precision"}),
        ("a: {enable_boundary_fusion: True, boundary_exterior_buffer_size: 500}", ("fusion", "boundaries"),
         {"exterior": 500.0, "interior": 0.0}),
        ("dimRed: {dimRed: True, targetDimension: 6, reductionMode: 'sensor_date'}", ("learning", "reduction"),
         {"method": "pca", "by": "sensor_date", "components": 6}),
        ("a: {enable_probability_map: True, outputStatistics: True}", ("classification",),
         {"probability_map": True, "histograms": True}),
        ("simplification: {umc1: 10, rssize: 20, umc2: 3}", ("regularisation",),
         {"minimum_mapping_unit_m2": 1000.0, "resolution": 20.0, "second_minimum_mapping_unit_m2": 1200.0}),
        ("a: {L8Path: '/l8'}\nsimplification: {umc1: 10, rssize: 30}", ("regularisation",),
         {"minimum_mapping_unit_m2": 9000.0, "resolution": 30.0}),
        ("a: {L8Path: '/l8', S2Path: '/s2'}\nsimplification: {umc1: 10}", ("regularisation",),
         {"minimum_mapping_unit_m2": 1000.0, "resolution": 20.0}),
        ("simplification: {clipfile: 'd.shp', clipfield: 'dep', clipvalue: 31, outprefix: 'dept'}", ("delivery",),
         {"path": "d.shp", "field": "dep", "values": ["31"], "prefix": "dept"}),
        ("chain: {userFeatPath: '/u'}\nuserFeat: {arbo: '/*', patterns: 'ALT,ASP, SLP'}", ("user_features",),
         {"path": "/u", "patterns": ["ALT", "ASP", "SLP"]}),
        ("external_features: {module: 'm.py', functions: 'f g'}", ("external_features",),
         [{"module": "m.py", "function": "f"}, {"module": "m.py", "function": "g"}]),
        ("scikit_models_parameters: {model_type: 'ExtraTreesClassifier', n_estimators: 40, standardization: True,"
         " cross_validation_parameters: {max_depth: [5, 10]}, cross_validation_folds: 3}", ("learning",),
         {"learner": "ExtraTreesClassifier", "parameters": {"n_estimators": 40}, "standardise": True,
          "search": {"method": "grid", "parameters": {"max_depth": [5, 10]}, "folds": 3}}),
        ("a: {classifier: 'sharkrf', options: '-classifier.sharkrf.nbtrees 50 -classifier.sharkrf.nodesize 10 "
         "-classifier.sharkrf.mtry 4'}", ("learning", "parameters"),
         {"n_estimators": 50, "min_samples_leaf": 10, "max_features": 4}),
        ("a: {spatialResolution: [20, 20]}", ("grid",), {"spatial_resolution": 20.0}),
        ("a: {splitGroundTruth: False}", ("sampling", "ratio"), 1.0),
        ("a: {sampleSelection: {strategy: 'constant', 'strategy.constant.nb': 400}}", ("sampling", "constant"), 400),
        ("a: {classifier: 'boost'}", ("learning",), {"learner": "RandomForestClassifier"}),
    ],
)  # fmt: skip
def test_parameters_have_their_counterparts(folder, text, place, value):
    found = converted(cfg(folder, text)).config
    for key in place:
        found = found[key]
    assert found == value


def test_expressions_are_apart_at_commas_outside_brackets(folder):
    text = (
        "chain: {S2Path: '/s'}\nGlobChain: {useAdditionalFeatures: True}\n"
        "Sentinel_2: {additionalFeatures: 'b1+b2,max(b1,b2),b3'}"
    )
    sensor = converted(cfg(folder, text)).config["sensors"]["sentinel2"]
    assert sensor["additional_features"] == {"X1": "b1+b2", "X2": "max(b1,b2)", "X3": "b3"}


def test_a_default_does_not_touch_what_is_not_asked_for(folder):
    config = converted(cfg(folder, "chain: {listTile: 'T31TCJ'}")).config
    assert not set(config) & {
        "fusion",
        "regularisation",
        "vectorisation",
        "delivery",
        "classification",
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1 # note\nb: -2.5", {"a": 1, "b": -2.5}),
        ("a: 'x' + \"y\"", {"a": "xy"}),
        ("a: {b: 'x'}\nc: $a.b + '/z'", None),
        ("a: {b: 'x'}\nc: $a.b", {"a": {"b": "x"}, "c": "x"}),
        ("{a: [1, 2,\n3], b: None}", {"a": [1, 2, 3], "b": None}),
        ("a: ['x' 'y']", {"a": ["x", "y"]}),
        ("a: 007", {"a": 7}),
        ("a: '#no comment'", {"a": "#no comment"}),
        ("a: '''two\nlines'''\nb: 1", {"a": "two\nlines", "b": 1}),
        ("'a.b': True", {"a.b": True}),
    ],
)
def test_the_syntax_of_its_configurations(folder, text, value):
    if value is None:
        with pytest.raises(ConfigError, match="only words can be put together"):
            cfg(folder, text)
    else:
        assert cfg(folder, text) == value


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\nb 2", "line 2: after b a colon is needed, found '2'"),
        ("a: 1\na: 2", "line 2: a stands twice"),
        ("a: {b: 1", "line 1: a name is needed, found 'the end'"),
        ("a:\n\n;", "line 3: cannot read ';'"),
        ("a: word", "line 1: a value is needed, found 'word'"),
        ("a: $b.c", r"line 1: \$b.c leads to nothing"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(folder, text, told):
    with pytest.raises(ConfigError, match=told):
        cfg(folder, text)


def test_nomenclature_and_colours_are_read_line_by_line(folder):
    assert read_iota2_nomenclature(folder / "names.txt") == {31: "Forêt : dense", 211: "blé"}
    assert read_colour_table(folder / "colours.txt")[31] == "#006400"


@pytest.mark.parametrize(
    ("reader", "text", "told"),
    [
        (read_iota2_nomenclature, "a:1\nb", "line 2: 'b' is not `name:code`"),
        (read_iota2_nomenclature, "a:1\nb:1", "line 2: code 1 stands twice"),
        (read_iota2_nomenclature, ":1", "line 1: ':1' is not `name:code`"),
        (read_colour_table, "1 2 3", "line 1: '1 2 3' is not `code red green blue`"),
        (read_colour_table, "1 2 3 256", "line 1: a part of a colour goes from 0 to 255"),
    ],
)
def test_lines_that_are_none_are_told(folder, reader, text, told):
    (folder / "table.txt").write_text(text)
    with pytest.raises(ConfigError, match=told):
        reader(folder / "table.txt")


def test_the_command_writes_what_check_reads_and_overwrites_nothing(folder, capsys):
    (folder / "copy.csv").write_text("# src,dst\n1,2,31,-1\n2,1,211,40\n")
    text = OLD.replace("classifier : 'rf'", "sampleManagement : 'copy.csv'\n classifier : 'rf'")
    (folder / "old.cfg").write_text(text)
    assert cli.main(["convert-config", "old.cfg"]) == 0
    said = capsys.readouterr().out
    assert "assumed" not in said  # all was given
    assert "means something else here:\n" in said
    assert "without counterpart:\n" in said
    assert said.endswith("now: iota2 check config/config.yaml\n")
    config = read_configuration("config/config.yaml")
    assert config.sampling.management == "config/management.csv"
    assert (folder / "config/management.csv").read_text() == (
        "source,destination,class,quantity\n1,2,31,all\n2,1,211,40\n"
    )
    classes = read_nomenclature(config.nomenclature).classes
    assert [(c.code, c.name, c.hex_colour) for c in classes] == [
        (31, "Forêt : dense", "#006400"), (211, "blé", "#ffff00"),
    ]  # fmt: skip
    assert cli.main(["convert-config", "old.cfg"]) == 2
    assert "left as they are" in capsys.readouterr().err
    assert (
        cli.main(["convert-config", "odl.cfg"]) == 2
    )  # a name mistyped is the first thing to tell
    assert "odl.cfg: cannot be read (No such file or directory)" in capsys.readouterr().err


def test_a_class_without_colour_and_a_table_that_is_not_there_are_told(folder, capsys):
    (folder / "colours.txt").write_text("31 0 0 0\n")
    (folder / "old.cfg").write_text(OLD)
    assert cli.main(["convert-config", "old.cfg"]) == 2
    assert "no colour of class 211" in capsys.readouterr().err
    (folder / "names.txt").unlink()
    assert cli.main(["convert-config", "old.cfg"]) == 2
    assert "names.txt: there is no such file" in capsys.readouterr().err
    assert not (folder / "config").exists()


def test_what_is_still_missing_is_told_and_the_code_is_1(folder, capsys):
    (folder / "old.cfg").write_text("chain: {listTile: 'T31TCJ', S2Path: '/s'}")
    assert cli.main(["convert-config", "old.cfg"]) == 1
    said = capsys.readouterr().out
    assert "to be mended: config/config.yaml has" in said
    assert "reference.path" in said
    assert yaml.safe_load((folder / "config/config.yaml").read_text())["tiles"] == ["T31TCJ"]


@pytest.mark.parametrize("written", ["'False'", '"false"', "False", "'0'"])
def test_what_is_false_between_quotes_is_false(tmp_path, written):
    text = OLD.replace("enable_probability_map : False", f"enable_probability_map : {written}")
    (tmp_path / "old.cfg").write_text(text.replace("relrefl : True", "relrefl : 'True'"))
    found = converted(read_cfg(str(tmp_path / "old.cfg")))
    assert "probability_map" not in found.config.get("classification", {})
    assert found.config["sensors"]["sentinel2"]["relative_reflectance"] is True


def test_what_is_neither_true_nor_false_is_told(tmp_path):
    text = OLD.replace("enable_probability_map : False", "enable_probability_map : 'maybe'")
    (tmp_path / "old.cfg").write_text(text)
    found = converted(read_cfg(str(tmp_path / "old.cfg")))
    assert "probability_map" not in found.config.get("classification", {})
    told = "argClassification.enable_probability_map: 'maybe' is neither True nor False; taken as False, its default"
    assert found.without.count(told) == 1


def test_oblong_pixels_are_told(tmp_path):
    text = OLD.replace("chain:\n{", "chain:\n{\n  spatialResolution : (20, 10)")
    (tmp_path / "old.cfg").write_text(text)
    found = converted(read_cfg(str(tmp_path / "old.cfg")))
    assert found.config["grid"]["spatial_resolution"] == 20
    assert "spatialResolution: pixels are square here, 20 of 20 x 10" in found.changed
