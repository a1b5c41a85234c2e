"""What the table says of each learner, against the learners."""

from dataclasses import replace

import numpy as np
import pytest

from iota2_tools.core.errors import LearningError
from iota2_tools.learning.engines import learner_problems
from iota2_tools.learning.scikit import classifiers, fit
from iota2_tools.learning.settings import LearningSettings, Purpose
from iota2_tools.learning.traits import OTB_LEARNERS, TRAITS, traits_of
from iota2_tools.learning.trial import reduced, samples

pytestmark = pytest.mark.filterwarnings(
    "ignore::FutureWarning"
)  # of scikit-learn, of what is to come


@pytest.mark.parametrize("name", sorted(classifiers()))
def test_learners_that_place_missing_values_are_those_that_learn_from_some(name):
    purpose = Purpose((1, 2), 4)
    settings = LearningSettings(name, {})
    if list(learner_problems(settings, purpose)):
        return  # not for maps, as test_learner_check says
    table = samples({}, purpose)
    features = table.features.astype(np.float32)
    features[::7, 1] = np.nan
    reduced_settings = replace(settings, parameters=reduced(settings))
    try:
        fit(replace(table, features=features), reduced_settings, 0, 1)
        learns = True
    except LearningError:
        learns = False
    assert traits_of(name).missing is learns


def test_every_row_is_a_learner_there_is():
    assert set(TRAITS) - set(OTB_LEARNERS) <= set(classifiers())
    assert OTB_LEARNERS == ("otb-rf", "otb-libsvm", "otb-knn", "otb-dt", "otb-bayes")


def test_learners_of_otb_have_no_probabilities_and_all_others_do():
    assert {name for name, traits in TRAITS.items() if not traits.probabilities} == set(
        OTB_LEARNERS
    )


@pytest.mark.parametrize(
    ("learner", "standardise", "expected"),
    [
        ("SVC", "auto", True), ("SVC", False, False), ("RandomForestClassifier", "auto", False),
        ("RandomForestClassifier", True, True), ("otb-knn", "auto", True), ("GaussianNB", "auto", False),
    ],
)  # fmt: skip
def test_features_are_scaled_where_the_learner_needs_it_or_the_user_wants_it(
    learner, standardise, expected
):
    assert LearningSettings(learner, {}, standardise).standardised is expected
