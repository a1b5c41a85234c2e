"""scikit-learn's classifiers, by name."""

import inspect
import zipfile
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import skops.io
from sklearn.base import ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import all_estimators

from iota2_tools.core.errors import ConfigError, LearningError
from iota2_tools.core.words import suggest
from iota2_tools.learning.model import Prediction
from iota2_tools.learning.packed.boosting import PackedBoosting, can_be_packed, pack_boosting
from iota2_tools.learning.packed.forest import PackedForest, pack_forest

FORESTS = (RandomForestClassifier, ExtraTreesClassifier)
# Learners that compare distances or follow gradients: features must be of one scale.
NEED_SCALING = (
    "KNeighborsClassifier", "LinearSVC", "LogisticRegression", "MLPClassifier", "NearestCentroid", "NuSVC",
    "Perceptron", "RadiusNeighborsClassifier", "RidgeClassifier", "SGDClassifier", "SVC",
)  # fmt: skip
# Types of other packages that a fitted classifier may hold.
TRUSTED_PACKAGES = ("sklearn", "numpy", "scipy", "builtins")


@cache
def classifiers() -> dict[str, type]:
    """Every classifier of scikit-learn that can be made from its parameters alone."""
    return dict(all_estimators(type_filter="classifier"))


def check(learner: str, parameters: dict) -> None:
    """Raise ConfigError if the classifier, or one of its parameters, is unknown."""
    if learner not in classifiers():
        known = [*classifiers(), "otb-rf", "otb-libsvm", "otb-knn", "otb-dt", "otb-bayes"]
        hint = suggest(learner, known, "take RandomForestClassifier, or see scikit-learn's list")
        raise ConfigError(f"learning.learner: scikit-learn has no classifier {learner!r}, {hint}")
    known = list(inspect.signature(classifiers()[learner]).parameters)
    for key in parameters:
        if key not in known:
            hint = suggest(key, known, f"known are {', '.join(known)}")
            raise ConfigError(f"learning.parameters: {learner} has no parameter {key!r}, {hint}")
    try:
        classifiers()[learner](**parameters)
    except TypeError as error:
        raise ConfigError(f"learning.learner: {learner} cannot be made ({error})") from None


def versions() -> dict[str, str]:
    """Versions of what a model depends on."""
    return {name: version(name) for name in ("scikit-learn", "numpy", "skops")}


def train(
    features: np.ndarray,
    codes: np.ndarray,
    learning: dict,
    random_state: int,
    threads: int,
    folder: Path,
) -> dict:
    """Fit a classifier and write `model.skops`; returns what `model.json` tells of it."""
    name, parameters = learning["learner"], dict(learning["parameters"])
    known = inspect.signature(classifiers()[name]).parameters
    if "random_state" in known:
        parameters.setdefault("random_state", random_state)
    estimator: ClassifierMixin = classifiers()[name](**parameters)
    if "n_jobs" in known:
        estimator.set_params(n_jobs=threads)
    fitted = estimator
    if not hasattr(fitted, "predict_proba"):
        folds = int(min(5, np.unique(codes, return_counts=True)[1].min()))
        if folds < 2:
            raise LearningError(
                f"{name} has no probabilities and a class has a single sample to calibrate them with; "
                "take another learner, or add samples"
            )
        fitted = CalibratedClassifierCV(fitted, ensemble=False, cv=folds)
    standardise = learning["standardise"]
    if standardise == "auto":
        standardise = name in NEED_SCALING
    if standardise:
        fitted = make_pipeline(StandardScaler(), fitted)
    try:
        fitted.fit(features.astype(np.float32), codes)
    except ValueError as error:
        raise LearningError(
            f"{name} cannot learn these samples with {parameters}: {error}"
        ) from None
    if "n_jobs" in known:
        estimator.set_params(n_jobs=None)  # the model file must not tell how many cores made it
    skops.io.dump(fitted, folder / "model.skops")
    return {"parameters": parameters, "standardise": bool(standardise)}


def load(folder: Path, description: dict) -> "ScikitModel | PackedModel":
    """Load a model; forests and boosting without scaling are packed for speed."""
    path = folder / "model.skops"
    try:
        types = skops.io.get_untrusted_types(file=path)
        strange = [name for name in types if name.split(".")[0] not in TRUSTED_PACKAGES]
        if strange:
            raise LearningError(
                f"{path}: holds {', '.join(strange)}, which is not of scikit-learn; it is not loaded"
            )
        estimator = skops.io.load(path, trusted=types)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise LearningError(
            f"{path}: cannot be loaded ({error}); delete {folder} to learn it anew"
        ) from None
    if isinstance(estimator, FORESTS):
        return PackedModel(estimator, pack_forest(estimator, description["dtype"]))
    if can_be_packed(estimator):
        return PackedModel(estimator, pack_boosting(estimator, description["dtype"]))
    return ScikitModel(estimator)


def _prediction(codes: np.ndarray, values: np.ndarray, probabilities: bool):
    best = values.argmax(axis=1)
    confidence = values[np.arange(len(best)), best]
    return Prediction(codes[best], confidence, values if probabilities else None)


class ScikitModel:
    """Any fitted scikit-learn classifier with `predict_proba`."""

    def __init__(self, estimator: ClassifierMixin) -> None:
        self._estimator = estimator
        self.codes = estimator.classes_.astype(np.uint16)

    def predict(self, features: np.ndarray, probabilities: bool = False):
        """See `learning.Model`."""
        return _prediction(
            self.codes, self._estimator.predict_proba(features.astype(np.float32)), probabilities
        )


class PackedModel:
    """Trees of scikit-learn, with its answers and many times its speed (`forest`, `boosting`)."""

    def __init__(self, estimator: ClassifierMixin, packed: PackedForest | PackedBoosting) -> None:
        self._packed = packed
        self.codes = estimator.classes_.astype(np.uint16)

    def predict(self, features: np.ndarray, probabilities: bool = False):
        """See `learning.Model`."""
        return _prediction(self.codes, self._packed.predict_proba(features), probabilities)
