"""Several models that answer as one: each reads its own features, nothing between is written."""

import numpy as np
import pytest

from iota2_tools.core.errors import LearningError
from iota2_tools.fusing.methods import FusionRules, Known
from iota2_tools.fusing.models import FusedModel, FusedModels, Part
from iota2_tools.learning import engines
from iota2_tools.learning.model import Prediction
from iota2_tools.learning.settings import LearningSettings, ModelKey
from iota2_tools.reference.table import TrainingTable

NAMES = ["S1_a", "S1_b", "S2_a", "DEM"]
CODES = (1, 2, 5)


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    """Forests of two and of two features, one shared; both know 1 and 5, the second 2 as well."""
    folder = tmp_path_factory.mktemp("models")
    rng = np.random.default_rng(0)
    for name, features, classes in (
        ("radar", ["S1_a", "S1_b", "DEM"], [1, 5]),
        ("optical", ["S2_a", "DEM"], [1, 2, 5]),
    ):
        codes = np.repeat(classes, 40)
        values = rng.normal(codes[:, None] * 100, 120, (len(codes), len(features)))
        table = TrainingTable(
            np.rint(values).astype(np.int16), codes, np.arange(len(codes)), features
        )
        settings = LearningSettings("RandomForestClassifier", {"n_estimators": 9})
        engines.learn(table, ModelKey(name, 0, 0), settings, 1, str(folder / name))
    return folder


def fused(learnt, rules, **more) -> FusedModel:
    folders = (str(learnt / "radar"), str(learnt / "optical"))
    return FusedModels(folders, ("radar", "optical"), CODES, rules, **more).load(NAMES, "int16")


def pixels() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 600, (300, 4)).astype(np.int16)


def test_each_model_reads_its_own_columns_and_the_mean_is_that_of_both(learnt):
    values = pixels()
    said = fused(learnt, FusionRules("mean")).predict(values, True)
    radar = engines.load(str(learnt / "radar")).predict(
        np.ascontiguousarray(values[:, [0, 1, 3]]), True
    )
    optical = engines.load(str(learnt / "optical")).predict(
        np.ascontiguousarray(values[:, [2, 3]]), True
    )
    per_mille = np.zeros((2, 300, 3))
    per_mille[0][:, [0, 2]] = np.rint(radar.probabilities * 1000)
    per_mille[1] = np.rint(optical.probabilities * 1000)
    mean = np.floor(per_mille.sum(axis=0) / 2 + 0.5)
    assert np.array_equal(np.rint(said.probabilities * 1000), mean)
    assert np.array_equal(said.codes, np.array(CODES)[mean.argmax(axis=1)])
    assert np.array_equal(np.floor(said.confidence * 100 + 1e-5), mean.max(axis=1) // 10)
    assert set(said.choice) >= {1, 2, 3}
    weighted = fused(learnt, FusionRules("mean", weights=(1, 3))).predict(values, True)
    expected = np.floor((per_mille[0] + 3 * per_mille[1]) / 4 + 0.5)
    assert np.array_equal(np.rint(weighted.probabilities * 1000), expected)
    assert not np.array_equal(expected, mean)
    both = said.choice == 1
    assert np.array_equal(both, (radar.codes == said.codes) & (optical.codes == said.codes))


def test_masses_of_both_decide_and_probabilities_are_made_only_if_wanted(learnt):
    matrices = (np.diag([5, 0, 5]), np.full((3, 3), 5))
    rules = FusionRules("dempster_shafer")
    said = fused(learnt, rules, matrices=matrices).predict(pixels())
    radar = engines.load(str(learnt / "radar")).predict(
        np.ascontiguousarray(pixels()[:, [0, 1, 3]])
    )
    assert np.array_equal(said.codes, radar.codes)  # believed wholly, the other by a third
    assert said.probabilities is None
    assert set(said.choice) == {1, 2}


class Silent:
    """A model that must not be asked for probabilities."""

    codes = np.array([1, 5], np.uint16)

    def predict(self, features, probabilities=False):
        assert not probabilities
        count = len(features)
        return Prediction(np.full(count, 5, np.uint16), np.full(count, 0.5))


def test_votes_ask_no_model_for_probabilities():
    model = FusedModel([Part(Silent(), None)] * 2, Known(CODES, [1, 1]), FusionRules("majority"))
    assert model.predict(pixels()).codes.tolist() == [5] * 300


def test_a_model_of_features_that_the_tile_lacks_is_refused(learnt):
    folders = (str(learnt / "radar"), str(learnt / "optical"))
    with pytest.raises(LearningError, match=r"optical: has learnt 1 feature\(s\).*S2_a first"):
        FusedModels(folders, ("radar", "optical"), CODES, FusionRules("mean")).load(
            ["S1_a", "S1_b", "DEM"], "int16"
        )
    with pytest.raises(LearningError, match="whole numbers"):
        FusedModels(folders, ("radar", "optical"), CODES, FusionRules("mean")).load(
            NAMES, "float32"
        )
