"""Learners tried before the first job: what would fail after an hour fails in a minute."""

import warnings

import numpy as np
import pytest

from iota2_tools import otb
from iota2_tools.core.errors import MissingSoftwareError
from iota2_tools.learning import scikit, trial
from iota2_tools.learning.engines import learner_problems
from iota2_tools.learning.scikit import classifier, classifiers
from iota2_tools.learning.settings import LearningSettings, Purpose

CODES = (11, 12, 51, 222, 300)

# Of all classifiers of scikit-learn, those that do not map as they are, and why.
NEED_OTHERS = {
    "ClassifierChain", "FixedThresholdClassifier", "MultiOutputClassifier", "OneVsOneClassifier",
    "OneVsRestClassifier", "OutputCodeClassifier", "StackingClassifier", "TunedThresholdClassifierCV",
    "VotingClassifier",
}  # fmt: skip
REFUSED = {
    "CategoricalNB": "Negative values", "ComplementNB": "Negative values",
    "MultinomialNB": "Negative values", "SelfTrainingClassifier": "neither probabilities",
    "LabelPropagation": "no probability", "LabelSpreading": "no probability",
    "RadiusNeighborsClassifier": "larger radius",
}  # fmt: skip


def problems(learner, *, probability_map=False, codes=CODES, **parameters):
    settings = LearningSettings(learner, parameters)
    return list(learner_problems(settings, Purpose(codes, 481, probability_map)))


@pytest.mark.parametrize("learner", sorted(classifiers()))
def test_every_classifier_of_scikit_learn_is_taken_or_refused_at_the_check(learner):
    found = problems(learner)
    if learner in NEED_OTHERS:
        assert len(found) == 1
        assert "consists of other classifiers (estimator" in found[0]
    elif learner in REFUSED:
        assert len(found) == 1
        assert f"learning.learner: {learner} does not do for" in found[0]
        assert REFUSED[learner] in found[0]
    else:
        assert not found


def test_a_classifier_is_found_by_its_name_and_nothing_else_is():
    for name, kind in classifiers().items():
        assert classifier(name) is kind
    for name in ("RandomForestRegressor", "BaseEnsemble", "l1_min_c", "_forest", "SVR", ""):
        assert classifier(name) is None


@pytest.mark.parametrize(
    ("learner", "parameters", "message"),
    [
        ("RandomForestClasifier", {}, "did you mean 'RandomForestClassifier'"),
        ("otb_rf", {}, "did you mean 'otb-rf'"),
        ("RandomForestRegressor", {}, "no classifier 'RandomForestRegressor'"),
        ("RandomForestClassifier", {"n_estimator": 5}, "did you mean 'n_estimators'"),
        ("RandomForestClassifier", {"n_estimators": "hundred"}, "refuses n_estimators: hundred"),
        ("RandomForestClassifier", {"n_estimators": -3}, "refuses n_estimators: -3"),
        ("RandomForestClassifier", {"max_depth": 0}, "refuses max_depth: 0"),
        ("RandomForestClassifier", {"criterion": "ginny"}, "'gini'"),
        ("RandomForestClassifier", {"class_weight": {"99": 2}}, "no code '99'"),
        ("RandomForestClassifier", {"class_weight": {"Maize": 2}}, "no code 'Maize'"),
        ("BaggingClassifier", {"max_features": 482}, "refuses max_features: 482"),
        ("AdaBoostClassifier", {"estimator": "SVC"}, "refuses estimator: SVC"),
        ("SVC", {"C": "1e-3"}, "refuses C: 1e-3, a text; write it as 0.001"),
        ("RandomForestClassifier", {"n_estimators": "30"}, "30, a text; write it as 30 (The"),
        ("RandomForestClassifier", {"bootstrap": "False"}, "a text; write it as false"),
        ("SVC", {"C": -1}, "'C' parameter of SVC must be"),
        ("SVC", {"kernel": "precomputed"}, "square"),
        ("KNeighborsClassifier", {"metric": "haversine"}, "refuses metric"),
        ("NearestCentroid", {"metric": "manhattan"}, "neither probabilities"),
        ("LogisticRegressionCV", {"cv": 1}, "refuses cv: 1"),
        ("LogisticRegression", {"solver": "liblinear"}, "multiclass"),
        ("GaussianNB", {"priors": [0.5, 0.5]}, "Number of priors"),
        ("LinearDiscriminantAnalysis", {"n_components": 5}, "refuses n_components"),
        ("HistGradientBoostingClassifier", {"categorical_features": [481]}, "categorical_features"),
        ("DummyClassifier", {"strategy": "stratified"}, "size of windows"),
        # It takes the codes for numbers of columns, and reads what lies behind them in memory.
        ("CalibratedClassifierCV", {"method": "temperature"}, "take sigmoid or isotonic"),
    ],
)
def test_what_scikit_learn_would_refuse_after_all_sampling_is_told(learner, parameters, message):
    found = problems(learner, **parameters)
    assert len(found) == 1
    assert message in found[0]


@pytest.mark.parametrize(
    ("learner", "parameters"),
    [
        ("RandomForestClassifier", {"n_estimators": 10**8, "max_features": 481}),
        ("RandomForestClassifier", {"max_samples": 5000}),
        ("RandomForestClassifier", {"max_samples": 1e-4}),
        ("BaggingClassifier", {"max_samples": 1e-4}),
        ("GradientBoostingClassifier", {"subsample": 1e-4}),
        ("RandomForestClassifier", {"class_weight": {"11": 2, "300": 0.5}}),
        ("RandomForestClassifier", {"class_weight": "balanced_subsample"}),
        ("HistGradientBoostingClassifier", {"early_stopping": True, "validation_fraction": 0.01}),
        ("HistGradientBoostingClassifier", {"max_iter": 10**7, "categorical_features": [480]}),
        ("KNeighborsClassifier", {"n_neighbors": 500, "algorithm": "ball_tree", "p": 3}),
        ("RadiusNeighborsClassifier", {"outlier_label": "most_frequent"}),
        ("LabelSpreading", {"kernel": "knn"}),
        ("LogisticRegressionCV", {"cv": 10}),
        ("RidgeClassifierCV", {"cv": 10}),
        ("CalibratedClassifierCV", {"cv": 50, "method": "isotonic"}),
        ("GaussianNB", {"priors": [0.2] * 5}),
        ("LinearDiscriminantAnalysis", {"n_components": 4}),
        ("MLPClassifier", {"hidden_layer_sizes": [50, 50], "solver": "sgd"}),
        ("NuSVC", {"nu": 0.9}),
        ("SVC", {"probability": True}),
    ],
)
def test_what_is_right_for_many_samples_is_not_refused_for_a_few(learner, parameters):
    assert not problems(learner, **parameters)


def test_two_classes_are_tried_as_two():
    assert not problems("LogisticRegression", solver="liblinear", codes=(1, 2))
    assert problems("LogisticRegression", solver="liblinear", codes=(1, 2, 3))


def test_all_problems_are_told_at_once():
    found = problems(
        "RandomForestClassifier", n_estimators=-3, max_depth=0, criterion="gini", n_jobs=1
    )
    assert [line.split(" refuses ")[1].split(" (")[0] for line in found] == [
        "n_estimators: -3", "max_depth: 0",
    ]  # fmt: skip
    assert len(problems("SVC", c=1, gama="auto")) == 2


def test_parameters_that_do_not_go_together_are_told_together():
    found = problems("RandomForestClassifier", bootstrap=False, max_samples=0.5, n_estimators=7)
    assert len(found) == 1
    assert "refuses bootstrap: False, max_samples: 0.5, n_estimators: 7 together" in found[0]


@pytest.mark.parametrize(
    ("learner", "parameters", "written"),
    [
        ("RandomForestClassifier", {"max_features": "sqrt", "max_samples": 0.5}, 0),
        ("RandomForestClassifier", {"class_weight": dict.fromkeys(CODES, 1)}, 1),
        ("GaussianNB", {}, 1),
    ],
)
def test_what_a_file_may_not_hold_is_written_and_read(monkeypatch, learner, parameters, written):
    paths, write = [], scikit.write
    monkeypatch.setattr(scikit, "write", lambda *given: (paths.append(given[1]), write(*given)))
    assert not problems(learner, **parameters)
    assert len(paths) == written


def test_the_check_is_quiet(capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for learner, parameters in (
            ("MLPClassifier", {"verbose": True}),
            ("RandomForestClassifier", {"verbose": 2}),
            ("SVC", {"verbose": True}),
            ("LogisticRegressionCV", {"verbose": 1}),
            ("GradientBoostingClassifier", {"verbose": 1}),
        ):
            assert not problems(learner, **parameters)
    assert capfd.readouterr() == ("", "")


def test_what_costs_is_made_small_and_what_is_wrong_stays():
    given = LearningSettings("RandomForestClassifier", {"n_estimators": 10**6, "max_depth": 0})
    assert trial.reduced(given)["n_estimators"] == 3
    assert trial.reduced(given)["max_depth"] == 0
    wrong = LearningSettings("RandomForestClassifier", {"n_estimators": -3, "max_samples": 1.5})
    assert trial.reduced(wrong)["n_estimators"] == -3
    assert trial.reduced(wrong)["max_samples"] == 1.5


def test_samples_made_up_are_whole_and_some_negative():
    table = trial.samples({}, Purpose(CODES, 481))
    assert table.features.dtype == "int16"
    assert (table.features < 0).any()
    assert set(table.codes) == set(CODES[:4])
    assert trial.samples({"priors": []}, Purpose(CODES, 481)).features.shape[1] == 4
    assert set(trial.samples({"priors": []}, Purpose(CODES, 481)).codes) == set(CODES)


@pytest.mark.slow
def test_learners_of_otb_give_nothing_to_smooth():
    settings = LearningSettings("otb-rf", {})
    found = list(learner_problems(settings, Purpose(CODES, 481, smoothed=True)))
    assert found[0].startswith("classification.smoothing: otb-rf gives no probabilities to smooth")


@pytest.mark.slow
def test_learners_of_otb_give_no_probability_map():
    pytest.importorskip("otbApplication")
    found = problems("otb-knn", probability_map=True)
    assert len(found) == 1
    assert "classification.probability_map" in found[0]
    assert not problems("GaussianNB", probability_map=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("learner", "parameters", "message"),
    [
        ("otb-svm", {}, "did you mean 'otb-libsvm'"),
        ("otb-rf", {"nbtree": 5}, "did you mean 'nbtrees'"),
        ("otb-rf", {"nbtrees": "hundred"}, "nbtrees: 'hundred' is no whole number"),
        ("otb-rf", {"nbtrees": True}, "nbtrees: True is no whole number"),
        ("otb-rf", {"nbtrees": 2.5}, "nbtrees: 2.5 is no whole number"),
        ("otb-rf", {"nbtrees": -3}, "not been trained"),
        ("otb-libsvm", {"c": "1"}, "c: '1' is no number"),
        ("otb-libsvm", {"c": -1}, "C <= 0"),
        ("otb-libsvm", {"k": "lineare"}, "did you mean 'linear'"),
        ("otb-libsvm", {"opt": "perhaps"}, "neither true nor false"),
        ("otb-libsvm", {"m": "oneclass"}, "has not learnt"),
        ("otb-knn", {"k": 0}, "0 < k"),
    ],
)
def test_what_otb_would_refuse_is_told(learner, parameters, message):
    pytest.importorskip("otbApplication")
    found = problems(learner, **parameters)
    assert len(found) == 1
    assert message in found[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("learner", "parameters"), [("otb-rf", {"nbtrees": 10**7}), ("otb-libsvm", {"c": 2})]
)
def test_what_otb_takes_is_accepted_in_silence(learner, parameters, capfd):
    pytest.importorskip("otbApplication")
    assert not problems(learner, **parameters)
    assert capfd.readouterr() == ("", "")


def test_without_otb_its_learners_are_refused_and_others_are_not(monkeypatch):
    def missing():
        raise MissingSoftwareError("otbApplication cannot be imported; run `make setup`")

    monkeypatch.setattr(otb, "load", missing)
    for parameters in ({}, {"nbtrees": 5}):
        assert problems("otb-rf", **parameters) == [
            "learning.learner: otb-rf: otbApplication cannot be imported; run `make setup`"
        ]
    assert not problems("GaussianNB")


def test_missing_values_are_kept_for_learners_that_place_them_alone():
    purpose = Purpose(CODES, 9, kept_missing=("ALT", "SOIL"))
    for learner, parameters in (
        ("RandomForestClassifier", {}),
        ("HistGradientBoostingClassifier", {"max_bins": 20}),
    ):
        assert not list(learner_problems(LearningSettings(learner, parameters), purpose))
    for learner in ("SVC", "GradientBoostingClassifier", "otb-rf"):
        (found,) = learner_problems(LearningSettings(learner, {}), purpose)
        assert found.startswith("user_features.patterns: ALT, SOIL: `missing: keep` needs")
        assert learner in found


def test_what_is_made_up_has_missing_values_where_they_are_kept():
    table = trial.samples({}, Purpose(CODES, 9, kept_missing=("ALT",)))
    assert np.isnan(table.features).any()
    assert not np.isnan(trial.samples({}, Purpose(CODES, 9)).features).any()
