"""Principal components: those of scikit-learn, pixel by pixel, stored with the model."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.preprocessing import StandardScaler

from iota2_tools.core.errors import LearningError
from iota2_tools.learning import engines
from iota2_tools.learning.engines import learner_problems
from iota2_tools.learning.reduction import FILE, fit_projection, groups_of
from iota2_tools.learning.settings import LearningSettings, ModelKey, Purpose
from iota2_tools.reference.table import TrainingTable

DAYS = ("20180101", "20180201", "20180301")
NAMES = [
    *(f"Sentinel2_{band}_{day}" for band in ("B4", "B8", "NDVI") for day in DAYS),
    *(f"Sentinel1_ASC_{band}_{day}" for band in ("vv", "vh") for day in DAYS),
    "ALT_band_1",
]


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(1)
    base = rng.normal(size=(200, 4)) @ rng.normal(size=(4, len(NAMES)))
    values = 1000 * base + 300 * rng.normal(size=base.shape) + rng.normal(size=len(NAMES)) * 500
    values = np.rint(values).astype(np.int16)
    values[:, 7] = 12  # never changes
    codes = np.where(base[:, 0] > 0, 1, 2)
    return TrainingTable(values, codes, np.arange(200) // 5, NAMES)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("global", [list(range(16))]),
        ("date", [[0, 3, 6, 9, 12], [1, 4, 7, 10, 13], [2, 5, 8, 11, 14], [15]]),
        ("band", [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11], [12, 13, 14], [15]]),
        ("sensor", [list(range(9)), list(range(9, 15)), [15]]),
        ("sensor_band", [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11], [12, 13, 14], [15]]),
        (
            "sensor_date",
            [[0, 3, 6], [1, 4, 7], [2, 5, 8], [9, 12], [10, 13], [11, 14], [15]],
        ),
    ],
)
def test_features_are_grouped_by_what_their_names_share(by, expected):
    assert groups_of(NAMES, by) == expected


def test_bands_of_one_name_of_two_sensors_are_one_group_only_by_band():
    names = ["S2_B4_20180101", "L8_B4_20180101"]
    assert groups_of(names, "band") == [[0, 1]]
    assert groups_of(names, "sensor_band") == [[0], [1]]


@pytest.mark.parametrize("by", ["global", "date", "sensor"])
def test_components_are_those_of_scikit_learn_on_standardised_features(table, by):
    projection, explained = fit_projection(table, by, 3)
    parts, kept = [], 0.0
    for columns in groups_of(NAMES, by):
        values = table.features[:, columns].astype(float)
        if len(columns) == 1:
            parts.append(values)
            kept += 1
            continue
        pca = PCA(3, svd_solver="full")
        parts.append(pca.fit_transform(StandardScaler().fit_transform(values)))
        kept += pca.explained_variance_ratio_.sum() * len(columns)
    expected = np.concatenate(parts, axis=1)
    found = projection.of(table.features)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.abs(found), np.abs(expected), rtol=1e-4, atol=2e-4)
    assert np.sign(found[:, 0] * expected[:, 0]).min() == np.sign(found[0, 0] * expected[0, 0])
    assert explained == pytest.approx(kept / len(NAMES))
    assert projection.names == [f"reduced_{n}" for n in range(1, expected.shape[1] + 1)]


def test_a_group_gives_no_more_components_than_it_has_features(table):
    projection, explained = fit_projection(table, "band", 10)
    assert len(projection.names) == 5 * 3 + 1
    assert explained == pytest.approx(1)


def test_pixels_are_computed_alone_whatever_stands_beside_them(table):
    projection, _ = fit_projection(table, "global", 5)
    whole = projection.of(table.features)
    for start, stop in ((0, 1), (7, 20), (199, 200)):
        assert (projection.of(table.features[start:stop]) == whole[start:stop]).all()


@pytest.fixture(scope="module", params=["global", "date"])
def model(table, request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    about = {
        "row": 0,
        "col": 0,
        "polygon": table.polygons,
        "code": table.codes,
        "region": "1",
        "seed_0": True,
    }
    frame = pd.DataFrame(table.features, columns=NAMES).assign(**about)
    frame.to_parquet(folder / "samples.parquet", index=False)
    section = {
        "learner": "RandomForestClassifier", "parameters": {"n_estimators": 7, "random_state": 0},
        "standardise": "auto", "reduction": {"method": "pca", "by": request.param, "components": 3},
    }  # fmt: skip
    samples = [str(folder / "samples.parquet")]
    settings = LearningSettings.of(section)
    engines.train(samples, ModelKey("1", 0, 0), settings, 1, str(folder / "model"))
    return folder / "model", request.param


@pytest.mark.slow
def test_a_model_of_components_maps_pixels_of_all_features(table, model):
    folder, by = model
    projection, _ = fit_projection(table, by, 3)
    forest = RandomForestClassifier(7, random_state=0)
    forest.fit(projection.of(table.features), table.codes)
    pixels = table.features[::3]
    found = engines.load(str(folder)).predict(pixels, probabilities=True)
    expected = forest.predict_proba(projection.of(pixels))
    assert np.array_equal(found.probabilities, expected)
    assert found.codes.tolist() == forest.predict(projection.of(pixels)).tolist()
    told = json.loads((folder / "model.json").read_text())
    assert told["features"] == NAMES
    assert told["dtype"] == "int16"
    assert told["reduced"]["by"] == by
    assert told["reduced"]["components"] == (3 if by == "global" else 10)
    assert 0.5 < told["reduced"]["explained"] < 1
    assert (folder / "packed.npz").exists()


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["absent", "cut", "other"])
def test_a_projection_that_is_not_of_the_model_is_refused(table, model, tmp_path, damage):
    folder = tmp_path / "model"
    shutil.copytree(model[0], folder)
    path = folder / FILE
    if damage == "absent":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-200])
    else:
        with np.load(path) as stored:
            arrays = {name: stored[name] for name in stored.files}
        np.savez(path, **arrays | {"place": arrays["place"] + 1})
    with pytest.raises(LearningError, match=r"projection.npz.*to learn it anew"):
        engines.load(str(folder))


def test_missing_values_have_no_components(table):
    holes = table.features.astype(np.float32)
    holes[3, 2] = np.nan
    broken = TrainingTable(holes, table.codes, table.polygons, NAMES)
    with pytest.raises(
        LearningError, match="1 of 200 samples have values of Sentinel2_B4_20180301"
    ):
        fit_projection(broken, "global", 3)


@pytest.mark.slow
def test_missing_pixels_are_refused_by_a_model_of_components(table, model):
    holes = table.features[:4].astype(np.float32)
    holes[1, 15] = np.nan
    with pytest.raises(LearningError, match="1 of 4 pixels have values of ALT_band_1"):
        engines.load(str(model[0])).predict(holes)


@pytest.mark.slow
def test_what_cannot_be_reduced_is_told_before_the_first_job():
    reduction = {"method": "pca", "by": "global", "components": 4}
    settings = LearningSettings("otb-rf", {}, reduction=reduction)
    found = list(learner_problems(settings, Purpose((1, 2), 4)))
    assert found[0].startswith("learning.reduction: otb-rf maps features as they are")
    settings = LearningSettings("DecisionTreeClassifier", {}, reduction=reduction)
    (found,) = learner_problems(settings, Purpose((1, 2), 4, kept_missing=("ALT",)))
    assert found.startswith("learning.reduction: components of missing values")
    assert not list(learner_problems(settings, Purpose((1, 2), 4)))
