"""Out-of-fold predictions: no polygon in two folds, and nothing learnt from what is judged."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss

from iota2_tools.core.errors import LearningError
from iota2_tools.learning import engines, folds
from iota2_tools.learning.folds import FoldFiles, OutOfFold, out_of_fold, polygon_table, write_folds
from iota2_tools.learning.model import Prediction
from iota2_tools.learning.reliability import best_temperature, reliability, tempered
from iota2_tools.learning.settings import LearningSettings, ModelKey
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

    def learn(table, key, settings, threads, output):
        learnt.append(set(table.features[:, 0].tolist()))

    def load(folder):
        return Memory(learnt[-1])

    monkeypatch.setattr(engines, "learn", learn)
    monkeypatch.setattr(engines, "load", load)
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


def test_calibration_error_and_brier_score_are_those_of_hand_computation():
    nine = np.array([[0.9, 0.1], [0.9, 0.1]])
    assert reliability(nine, np.array([0, 1])).calibration_error == pytest.approx(0.4)
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
    assert folds.FOLDS == 5
