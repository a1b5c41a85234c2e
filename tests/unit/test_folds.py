"""Out-of-fold predictions: no polygon in two folds, and nothing learnt from what is judged."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from sklearn.metrics import brier_score_loss

from iota2_tools.config.nomenclature import LandCoverClass, Nomenclature
from iota2_tools.core.errors import LearningError
from iota2_tools.geo.vectors import write_layer
from iota2_tools.learning import engines, folds
from iota2_tools.learning.folds import (
    FoldFiles,
    FoldsWanted,
    OutOfFold,
    droppable,
    out_of_fold,
    polygon_table,
    some_of_each,
    write_folds,
)
from iota2_tools.learning.managed import Managed
from iota2_tools.learning.model import Prediction
from iota2_tools.learning.reliability import TemperedModel, best_temperature, reliability, tempered
from iota2_tools.learning.settings import LearningSettings, ModelKey
from iota2_tools.learning.suspicious import suspicious, write_suspicious
from iota2_tools.learning.traits import FOLDS
from iota2_tools.reference.dealing import EVERYWHERE, deal
from iota2_tools.reference.table import TrainingTable

KEY = ModelKey("1", 0, 7)
TREES = LearningSettings("RandomForestClassifier", {"n_estimators": 5})
# Eleven polygons of a class, two of another, one of a third; three samples each.
CODES_OF = dict.fromkeys(range(1, 12), 1) | {21: 2, 22: 2, 31: 3}


def samples() -> TrainingTable:
    """Samples whose feature is the number of their polygon."""
    polygons = np.repeat(list(CODES_OF), 3)
    codes = np.array([CODES_OF[polygon] for polygon in polygons])
    return TrainingTable(polygons[:, np.newaxis].astype(np.int16), codes, polygons, ["number"])


def test_no_polygon_stands_in_two_folds_and_classes_are_dealt_equally():
    table = samples()
    fold = deal(table.polygons, table.codes, 5, 0, "folds", 0, "1")
    by_polygon = pd.Series(fold).groupby(table.polygons)
    assert (by_polygon.nunique() == 1).all()
    of = by_polygon.first()
    assert sorted(of.loc[1:11].value_counts()) == [2, 2, 2, 2, 3]
    assert of[21] != of[22]
    assert of[31] == EVERYWHERE


def test_a_class_more_leaves_the_folds_of_the_others_as_they_were():
    table = samples()
    without = table.codes != 2
    every = deal(table.polygons, table.codes, 5, 0, "folds", 0, "1")
    fewer = deal(table.polygons[without], table.codes[without], 5, 0, "folds", 0, "1")
    assert np.array_equal(every[without], fewer)
    other = deal(table.polygons, table.codes, 5, 0, "folds", 1, "1")
    assert not np.array_equal(every, other)


class Memory:
    """A model that tells which polygons it has learnt: class 1 for those, class 2 for others."""

    codes = np.array([1, 2, 3], np.uint16)

    def __init__(self, learnt):
        self.learnt = learnt

    def predict(self, features, probabilities=False):
        known = np.isin(features[:, 0], list(self.learnt))
        values = np.where(known[:, None], [0.9, 0.1, 0.0], [0.2, 0.8, 0.0])
        return Prediction(np.where(known, 1, 2).astype(np.uint16), values.max(axis=1), values)


@pytest.fixture
def watched(monkeypatch):
    """Models that remember; what each has learnt."""
    learnt = []

    def said_of(table, features, key, settings, threads):
        learnt.append(set(table.features[:, 0].tolist()))
        return Memory.codes, Memory(learnt[-1]).predict(features, True)

    monkeypatch.setattr(engines, "said_of", said_of)
    return learnt


def test_nothing_is_said_by_a_model_that_has_learnt_the_polygon(watched):
    found = out_of_fold(samples(), KEY, TREES, 1)
    assert (found.said[found.told] == 2).all()
    assert len(watched) == 5
    assert all(31 in learnt for learnt in watched)  # a single polygon is never set apart
    assert all({21, 22} & learnt for learnt in watched)
    counts = pd.Series([number for learnt in watched for number in learnt]).value_counts()
    assert (counts.drop(31) == 4).all()
    assert (found.said[~found.told] == 0).all()
    assert np.isnan(found.probabilities[~found.told]).all()
    assert found.probabilities[found.told][0] == pytest.approx([0.2, 0.8, 0.0])


def test_classes_of_a_single_polygon_alone_cannot_be_judged():
    table = TrainingTable(np.zeros((2, 1), np.int16), np.array([1, 2]), np.array([1, 2]), ["a"])
    with pytest.raises(LearningError, match="region 1, seed 0: no class has two learning polyg"):
        out_of_fold(table, KEY, TREES, 1)


def test_a_polygon_is_suspicious_where_its_own_class_is_improbable():
    table = TrainingTable(
        np.zeros((6, 1), np.int16),
        np.array([1, 1, 1, 2, 2, 3]),
        np.array([1, 1, 2, 3, 3, 4]),
        ["a"],
    )
    values = np.array([[0.1, 0.9, 0], [0.05, 0.9, 0], [0.1, 0.9, 0], [0, 1, 0], [0.5, 0.5, 0]])
    values = np.vstack([values, np.full(3, np.nan)]).astype(np.float32)
    said = np.array([2, 2, 2, 2, 1, 0])
    found = OutOfFold(np.array([0, 0, 1, 0, 0, -1]), said, np.array([1, 2, 3]), values)
    told = polygon_table(table, found).set_index("polygon")
    assert told["own"].tolist() == pytest.approx([0.075, 0.1, 0.75, np.nan], nan_ok=True)
    assert told["right"].tolist() == pytest.approx([0, 0, 0.5, np.nan], nan_ok=True)
    assert told["suspicious"].tolist() == [True, False, False, False]
    assert told["samples"].tolist() == [2, 1, 2, 1]
    assert told["said"].tolist() == [2, 2, 1, 0]  # of polygon 3 half each: the smaller code


def test_calibration_error_and_brier_score_are_those_of_hand_computation():
    nine = np.array([[0.9, 0.1], [0.9, 0.1]])
    assert reliability(nine, np.array([0, 1])).calibration_error == pytest.approx(0.4)
    # Two that are too sure (0.9 each, one right) and one that is not sure enough (0.6, right).
    three = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6]])
    found = reliability(three, np.array([0, 1, 1])).calibration_error
    assert found == pytest.approx((0.8 + 0.4) / 3)
    assert reliability(np.array([[0.6, 0.4]]), np.array([0])).brier == pytest.approx(0.32)
    rng = np.random.default_rng(0)
    values = rng.dirichlet(np.ones(3), 50)
    truth = rng.integers(0, 3, 50)
    expected = brier_score_loss(truth, values, labels=[0, 1, 2], scale_by_half=False)
    assert reliability(values, truth).brier == pytest.approx(expected)


def test_a_temperature_sharpens_probabilities_and_keeps_the_class():
    expected = np.array([0.61**2, 0.41**2]) / (0.61**2 + 0.41**2)
    assert tempered(np.array([[0.6, 0.4]]), 0.5)[0] == pytest.approx(expected)
    assert expected == pytest.approx([0.6888, 0.3112], abs=1e-4)


def test_the_best_temperature_sharpens_what_is_always_right_and_blunts_what_is_often_wrong():
    sure = np.array([[0.6, 0.4]] * 10)
    assert best_temperature(sure, np.zeros(10, int)) == pytest.approx(0.2)
    assert best_temperature(np.array([[0.95, 0.05]] * 10), np.array([0] * 6 + [1] * 4)) > 1.5


@pytest.fixture
def written(tmp_path):
    """Runs `write_folds` with a learner; gives its tables."""

    def write(learner, **parameters):
        rng = np.random.default_rng(0)
        polygons = np.repeat(np.arange(1, 13), 6)
        codes = np.where(polygons <= 6, 11, 300)
        codes[polygons == 3] = 300  # a polygon with a wrong label, and one of a third class
        codes[polygons == 12] = 51
        values = np.where(polygons <= 6, 100, 900) + rng.integers(0, 50, len(polygons))
        frame = pd.DataFrame({"polygon": polygons, "code": codes, "region": "1", "seed_0": True})
        frame["band"] = values.astype(np.int16)
        frame["other"] = values.astype(np.int16)
        frame.to_parquet(tmp_path / "samples.parquet", index=False)
        names = [tmp_path / name for name in ("said.parquet", "polygons.csv", "calibration.csv")]
        settings = LearningSettings(learner, parameters)
        write_folds(
            [str(tmp_path / "samples.parquet")], KEY, settings, 1, ["band"], FoldFiles(*map(str, names))
        )  # fmt: skip
        return (pd.read_parquet(names[0]), *map(pd.read_csv, names[1:]))

    return write


def test_a_wrong_label_is_found_and_a_single_polygon_is_not_judged(written):
    said, polygons, calibration = written("RandomForestClassifier", n_estimators=10)
    assert polygons.loc[polygons["suspicious"] == 1, "polygon"].tolist() == [3]
    assert polygons.set_index("polygon").loc[12, ["fold", "own", "suspicious"]].isna().all()
    told = said[said["fold"] != EVERYWHERE]
    assert [name for name in said if name.startswith("p_")] == ["p_11", "p_51", "p_300"]
    assert told[["p_11", "p_51", "p_300"]].sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-5)
    best = told[["p_11", "p_51", "p_300"]].to_numpy().argmax(axis=1)
    assert np.array_equal(np.array([11, 51, 300])[best], told["said"])
    assert calibration["samples"].tolist() == [66, 66]
    assert calibration["log_loss"][1] <= calibration["log_loss"][0] + 1e-6


@pytest.mark.slow
def test_the_same_folds_are_written_again(written):
    first, again = (written("RandomForestClassifier", n_estimators=5)[0] for _ in range(2))
    assert first.equals(again)


@pytest.mark.slow
def test_a_learner_without_probabilities_has_classes_out_of_fold(written):
    pytest.importorskip("otbApplication")
    said, polygons, calibration = written("otb-dt")
    assert set(said.loc[said["fold"] != EVERYWHERE, "said"]) <= {11, 51, 300}
    assert polygons["own"].isna().all()
    assert calibration.empty


def test_a_model_learnt_from_a_table_is_that_of_its_samples(tmp_path):
    table = samples()
    engines.learn(table, KEY, TREES, 1, str(tmp_path / "m"))
    told = json.loads((tmp_path / "m" / "model.json").read_text())
    assert (told["samples"], told["polygons"]) == (42, 14)
    assert FOLDS == 5


@pytest.mark.parametrize("settings", [TREES, LearningSettings("LogisticRegression", {})])
def test_what_is_asked_in_memory_is_what_a_stored_model_says(tmp_path, settings):
    rng = np.random.default_rng(1)
    values = rng.integers(0, 1000, (60, 2)).astype(np.int16)
    table = TrainingTable(values, 1 + (values[:, 0] > 500), np.arange(60), ["a", "b"])
    codes, said = engines.said_of(table.only(np.arange(60) < 40), values[40:], KEY, settings, 1)
    engines.learn(table.only(np.arange(60) < 40), KEY, settings, 1, str(tmp_path / "m"))
    stored = engines.load(str(tmp_path / "m"))
    expected = stored.predict(values[40:], True)
    assert codes.tolist() == stored.codes.tolist()
    assert said.codes.tolist() == expected.codes.tolist()
    assert np.array_equal(said.probabilities, expected.probabilities)


def test_of_each_polygon_the_same_share_stands_for_all():
    polygons = np.random.default_rng(0).permutation(np.repeat([1, 2, 3], [100, 50, 1]))
    chosen = some_of_each(polygons, 30, KEY)
    # 30 of 151: 19.87, 9.93 and 0.2 of a polygon, rounded up.
    assert np.bincount(polygons[chosen]).tolist() == [0, 20, 10, 1]
    assert some_of_each(polygons, 151, KEY).all()
    assert np.array_equal(chosen, some_of_each(polygons, 30, KEY))
    other = some_of_each(polygons, 30, ModelKey("1", 1, 7))
    assert not np.array_equal(chosen, other)


def judged(polygon, code, suspicious):
    return pd.DataFrame({"polygon": polygon, "code": code, "suspicious": suspicious})


def test_a_class_keeps_its_polygons_if_all_look_wrong(caplog):
    table = judged([1, 2, 3, 4], [1, 1, 2, 2], [True, False, True, True])
    assert droppable(table).tolist() == [1]
    assert "class 2: all its polygons look wrong" in caplog.text


@pytest.fixture
def learnt(tmp_path, monkeypatch):
    """Learns a model of twelve polygons, one with a wrong label; gives its `model.json` and table."""
    monkeypatch.setattr(folds, "FEWEST_POLYGONS", 11)
    rng = np.random.default_rng(0)
    polygons = np.repeat(np.arange(1, 13), 10)
    codes = np.where(polygons <= 6, 11, 300)
    codes[polygons == 3] = 300
    values = np.where(polygons <= 6, 100, 900) + rng.integers(0, 300, len(polygons))
    frame = pd.DataFrame({"polygon": polygons, "code": codes, "region": "1", "seed_0": True})
    frame["band"] = values.astype(np.int16)
    frame.to_parquet(tmp_path / "samples.parquet", index=False)
    names = [str(tmp_path / name) for name in ("said.parquet", "polygons.csv", "calibration.csv")]

    def learn(
        name,
        *,
        judged=True,
        tempered=True,
        drop=False,
        settings=TREES,
        managed=engines.NOTHING_MORE,
    ):
        wanted = FoldsWanted(FoldFiles(*names), tempered, drop) if judged else None
        engines.train(
            [str(tmp_path / "samples.parquet")], KEY, settings, 1, str(tmp_path / name),
            managed=managed, folds=wanted,
        )  # fmt: skip
        return json.loads((tmp_path / name / "model.json").read_text())

    learn.folder = tmp_path
    return learn


def test_a_calibrated_model_has_the_same_classes_and_a_temperature(learnt):
    plain, told = learnt("plain", judged=False), learnt("judged")
    assert "calibration" not in plain
    temperature = told["calibration"]["temperature"]
    table = pd.read_csv(learnt.folder / "calibration.csv")
    assert temperature == pytest.approx(table["temperature"][1], abs=1e-5)
    # Of 10 samples a polygon 5 stand for all, and are judged.
    assert told["calibration"]["samples"] == 60
    assert len(pd.read_parquet(learnt.folder / "said.parquet")) == 60
    assert 0.2 <= temperature <= 5
    pixels = np.arange(0, 1200, 7, dtype=np.int16)[:, None]
    before, after = (
        engines.load(str(learnt.folder / name)).predict(pixels, True)
        for name in ("plain", "judged")
    )
    assert after.codes.tolist() == before.codes.tolist()
    assert after.probabilities == pytest.approx(tempered(before.probabilities, temperature))
    own = np.searchsorted([11, 300], after.codes)
    assert after.confidence == pytest.approx(after.probabilities[np.arange(len(own)), own])
    alone = engines.load(str(learnt.folder / "judged")).predict(pixels)
    assert alone.probabilities is None
    assert np.array_equal(alone.confidence, after.confidence)


def test_too_few_polygons_do_not_calibrate(learnt, monkeypatch, caplog):
    monkeypatch.setattr(folds, "FEWEST_POLYGONS", 13)
    told = learnt("judged")["calibration"]
    assert told == {"temperature": 1, "polygons": 12, "samples": 60}
    assert "12 polygon(s) are judged by folds, 13 are needed" in caplog.text
    monkeypatch.setattr(folds, "FEWEST_POLYGONS", 12)
    assert learnt("judged")["calibration"]["temperature"] != 1


def test_a_model_judged_and_not_calibrated_says_what_it_said(learnt):
    learnt("plain", judged=False)
    assert "calibration" not in learnt("judged", tempered=False)
    pixels = np.arange(0, 1200, 7, dtype=np.int16)[:, None]
    said = [engines.load(str(learnt.folder / name)).predict(pixels) for name in ("plain", "judged")]
    assert np.array_equal(said[0].confidence, said[1].confidence)


def test_a_polygon_that_looks_wrong_is_not_learnt_where_that_is_asked_for(learnt):
    told = learnt("kept")
    assert "dropped" not in told
    assert (told["samples"], told["polygons"]) == (120, 12)
    told = learnt("dropped", drop=True)
    assert told["dropped"] == [3]
    assert (told["samples"], told["polygons"]) == (110, 11)
    assert told["calibration"]["samples"] == 55
    assert pd.read_csv(learnt.folder / "polygons.csv")["suspicious"].tolist() == [0, 0, 1] + [0] * 9


def test_what_is_dropped_is_learnt_by_no_fold_that_tells_of_the_others(learnt):
    """The reference: a production whose samples never had that polygon."""
    learnt("kept")
    before = pd.read_csv(learnt.folder / "polygons.csv")
    asked = pd.read_parquet(learnt.folder / "said.parquet")
    told = learnt("dropped", drop=True)
    after = pd.read_parquet(learnt.folder / "said.parquet")
    # Which polygons look wrong is told by folds that have learnt them, and so it stays.
    pd.testing.assert_frame_equal(pd.read_csv(learnt.folder / "polygons.csv"), before)
    pd.testing.assert_frame_equal(
        after[["polygon", "code", "fold"]], asked[["polygon", "code", "fold"]]
    )
    # The values of the classes lie apart, so that without the wrong label each tree is sure.
    others = after[after["polygon"] != 3]
    own = np.where(others["code"] == 11, others["p_11"], others["p_300"])
    assert (own == 1).all()
    assert (asked.loc[asked["polygon"] != 3, ["p_11", "p_300"]].max(axis=1) < 1).any()
    # The table is that of the samples that the temperature is found with.
    table = pd.read_csv(learnt.folder / "calibration.csv")
    assert table["samples"].tolist() == [55, 55]
    assert told["calibration"]["temperature"] == pytest.approx(table["temperature"][1], abs=1e-5)


def test_folds_say_nothing_of_a_class_whose_other_polygons_are_left_out():
    polygons = np.repeat(np.arange(1, 10), 4)
    codes = np.repeat([1, 1, 1, 1, 2, 2, 3, 3, 3], 4)
    features = (codes * 100)[:, None].astype(np.int16)
    table = TrainingTable(features, codes, polygons, ["band"])
    plain = out_of_fold(table, KEY, TREES, 1)
    assert plain.told.all()
    found = out_of_fold(table, KEY, TREES, 1, left_out=polygons == 5)
    # Polygon 6 is the only one of its class: no fold that has not learnt it knows that class.
    assert np.unique(polygons[~found.told]).tolist() == [6]
    assert np.isnan(found.probabilities[polygons == 6]).all()
    assert (found.said[polygons == 6] == 0).all()
    # Polygon 5 is asked for: the others know its class by polygon 6 unless they lie in one fold.
    assert (found.said[polygons == 5] == 2).all()
    assert np.array_equal(found.fold[polygons != 6], plain.fold[polygons != 6])


def test_where_one_class_is_left_to_a_fold_those_that_learnt_all_judge(
    tmp_path, monkeypatch, caplog
):
    """Two polygons of class 12, of which one is dropped: without the other a fold knows class 11 alone."""
    polygons = np.repeat(np.arange(1, 8), 4)
    frame = pd.DataFrame(
        {"polygon": polygons, "code": np.where(polygons <= 5, 11, 12), "region": "1"}
    )
    frame["seed_0"] = True
    frame["band"] = np.where(polygons <= 6, 100, 900).astype(np.int16)
    frame.to_parquet(tmp_path / "s.parquet", index=False)
    names = [str(tmp_path / name) for name in ("said.parquet", "polygons.csv", "calibration.csv")]
    monkeypatch.setattr(folds, "droppable", lambda table: np.array([6]))
    wanted = FoldsWanted(FoldFiles(*names), True, True)
    engines.train([str(tmp_path / "s.parquet")], KEY, TREES, 1, str(tmp_path / "m"), folds=wanted)
    assert "judged by folds that have learnt what is dropped" in caplog.text
    told = json.loads((tmp_path / "m/model.json").read_text())
    assert (told["dropped"], told["calibration"]["samples"]) == ([6], 24)


def test_found_parameters_are_those_that_folds_judge(learnt):
    search = {
        "method": "grid",
        "parameters": {"max_depth": [1, 3]},
        "folds": 2,
        "score": "accuracy",
    }
    settings = LearningSettings("RandomForestClassifier", {"n_estimators": 3}, search=search)
    plain, told = (
        learnt("plain", judged=False, settings=settings),
        learnt("judged", settings=settings),
    )
    assert told["search"] == plain["search"]
    assert told["parameters"] == plain["parameters"]
    tables = [(learnt.folder / name / "search.csv").read_bytes() for name in ("plain", "judged")]
    assert tables[0] == tables[1]


def test_made_samples_are_learnt_in_folds_and_never_asked_about(learnt):
    made = {"method": "jitter", "to": "number", "number": 200, "byclass": {}, "jitter": 0.1,
            "neighbours": 5}  # fmt: skip
    told = learnt("made", managed=Managed(augmentation=made))
    assert told["made"] == {"11": 150, "300": 130}
    assert told["calibration"]["samples"] == 60
    assert len(pd.read_parquet(learnt.folder / "said.parquet")) == 60


def test_without_folds_the_model_is_learnt_and_its_confidence_left(tmp_path, caplog):
    frame = pd.DataFrame({"polygon": [1, 1, 2, 2], "code": [11, 11, 12, 12], "region": "1"})
    frame["seed_0"], frame["band"] = True, np.array([1, 2, 8, 9], np.int16)
    frame.to_parquet(tmp_path / "s.parquet", index=False)
    names = [str(tmp_path / name) for name in ("said.parquet", "polygons.csv", "calibration.csv")]
    wanted = FoldsWanted(FoldFiles(*names), True, True)
    model = str(tmp_path / "m")
    engines.train([str(tmp_path / "s.parquet")], KEY, TREES, 1, model, folds=wanted)
    assert "not judged by folds, so that its confidence is not calibrated" in caplog.text
    told = json.loads((tmp_path / "m/model.json").read_text())
    assert told["calibration"] == {"temperature": 1, "polygons": 0, "samples": 0}
    assert told["dropped"] == []
    polygons = pd.read_csv(names[1])
    assert polygons["own"].isna().all()
    assert pd.read_csv(names[2]).empty
    assert type(engines.load(model)).__name__ == "PackedModel"


def test_suspicious_polygons_of_all_models_are_one_layer(tmp_path):
    header = "polygon,code,samples,fold,right,own,said,suspicious\n"
    (tmp_path / "a.csv").write_text(
        header + "1,11,9,0,0.1,0.05,300,1\n2,11,4,1,0.0,0.01,12,1\n3,12,2,1,0.9,0.8,12,0\n"
    )
    (tmp_path / "b.csv").write_text(header + "1,11,9,2,0.2,0.15,12,0\n4,12,5,,,,,\n")
    # Polygon 2 lies on the edge of both regions.
    (tmp_path / "c.csv").write_text(header + "2,11,3,2,0.0,0.01,300,1\n")
    shapes = [shapely.box(number, 0, number + 1, 1) for number in range(1, 5)]
    splits = gpd.GeoDataFrame({"polygon": [1, 2, 3, 4]}, geometry=shapes, crs="EPSG:32631")
    write_layer(splits, str(tmp_path / "splits.gpkg"))
    legend = Nomenclature(
        tuple(LandCoverClass(c, n, (0, 0, 0)) for c, n in ((11, "Wood"), (12, "Sea"), (300, "Ice")))
    )
    tables = {("hills", 0): str(tmp_path / "a.csv"), ("hills", 1): str(tmp_path / "b.csv")}
    tables["plain", 0] = str(tmp_path / "c.csv")
    output = str(tmp_path / "suspicious.gpkg")
    assert (
        write_suspicious(tables, str(tmp_path / "splits.gpkg"), legend, output, dropped=False) == 2
    )
    found = gpd.read_file(output)
    assert found["polygon"].tolist() == [2, 1]
    assert found["own"].tolist() == pytest.approx([0.01, 0.1])
    assert found["looks_like_name"].tolist() == ["Sea", "Ice"]
    assert (found["draws"].tolist(), found["learnt"].tolist()) == ([1, 1], [1, 2])
    assert found["region"].tolist() == ["hills", "hills"]
    assert found.geometry.iloc[0].bounds == (2, 0, 3, 1)
    assert "in 1 of 2 draw(s) that learnt it, and take most of it for Ice" in found["reason"][1]
    for name in ("a", "c"):
        (tmp_path / f"{name}.csv").write_text(header)
    assert (
        write_suspicious(tables, str(tmp_path / "splits.gpkg"), legend, output, dropped=True) == 0
    )
    assert gpd.read_file(output).empty


def test_a_polygon_looks_like_what_most_draws_take_it_for():
    """Of four draws three judge it, and two of these take it for class 300."""
    told = pd.DataFrame(
        {
            "polygon": 7, "code": 11, "samples": [4, 4, 6, 4], "own": [0.05, 0.02, 0.02, np.nan],
            "said": [12, 300, 300, np.nan], "suspicious": [1, 1, 1, np.nan], "region": "1", "seed": range(4),
        }
    )  # fmt: skip
    (found,) = suspicious(told).to_dict("records")
    assert (found["looks_like"], found["draws"], found["learnt"]) == (300, 3, 3)
    assert found["own"] == pytest.approx(0.03)
    assert found["samples"] == 6


def test_a_calibrated_model_tells_the_confidence_of_the_class_that_it_says():
    """Of a machine whose classes are not those of its largest probabilities, as scikit-learn's SVC."""

    class Said:
        codes = np.array([2, 5, 9])

        def predict(self, features, probabilities=False):
            values = np.array([[0.5, 0.4, 0.1], [0.1, 0.2, 0.7]])
            return Prediction(np.array([5, 9]), None, values if probabilities else None)

    model = TemperedModel(Said(), 1.0)
    found = model.predict(np.zeros((2, 1)))
    assert found.codes.tolist() == [5, 9]
    # A hundredth is added to each of three.
    assert found.confidence.tolist() == pytest.approx([0.41 / 1.03, 0.71 / 1.03])
    assert found.probabilities is None
    # At temperature 1/2: the squares of 51, 41 and 11, and of 11, 21 and 71.
    surer = TemperedModel(Said(), 0.5).predict(np.zeros((2, 1)), True)
    assert surer.confidence.tolist() == pytest.approx([1681 / 4403, 5041 / 5603])
    assert surer.probabilities[0].tolist() == pytest.approx([2601 / 4403, 1681 / 4403, 121 / 4403])
