"""scikit-learn's classifiers, by name."""

import inspect
import logging
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import has_fit_parameter

from iota2_tools.core.errors import LearningError
from iota2_tools.core.words import suggest
from iota2_tools.learning.calibration import FOLDS, polygon_folds
from iota2_tools.learning.model import Model, Prediction, check_values, most_probable
from iota2_tools.learning.packed.forest import PackedForest
from iota2_tools.learning.packed.mapping import PackedModel
from iota2_tools.learning.packed.packing import compare, pack
from iota2_tools.learning.packed.stored import MODEL, write_packed
from iota2_tools.learning.settings import LearningSettings, Purpose
from iota2_tools.learning.traits import OTB_LEARNERS
from iota2_tools.reference.table import TrainingTable

logger = logging.getLogger(__name__)

REFUSALS = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RuntimeError)
"""What scikit-learn raises where it refuses parameters, samples or pixels."""
WITHOUT_THREADS = ("LogisticRegression",)  # takes `n_jobs`, and warns that it does nothing

_DISTANCES = (
    "BrayCurtis", "Canberra", "Chebyshev", "Dice", "Euclidean", "Hamming", "Jaccard", "Manhattan",
    "Minkowski", "RogersTanimoto", "RussellRao", "SokalMichener", "SokalSneath",
)  # fmt: skip
TRUSTED = frozenset(
    (
        "functools.partial",  # of the function below; categories of gradient boosting
        "sklearn.utils.validation.check_array",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
        "sklearn.gaussian_process.kernels.ConstantKernel",
        "sklearn.gaussian_process.kernels.Product",
        "sklearn.gaussian_process.kernels.RBF",
        "sklearn.neighbors._ball_tree.BallTree",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
        "sklearn.tree._tree.Tree",
        *(f"sklearn.metrics._dist_metrics.{name}Distance64" for name in _DISTANCES),
    )
)
"""Types that fitted classifiers hold, beside those that skops trusts by itself."""


@cache
def classifiers() -> dict[str, type]:
    """Every classifier of scikit-learn; to find them all, it is imported whole."""
    from sklearn.utils import all_estimators

    return dict(all_estimators(type_filter="classifier"))


def classifier(name: str) -> type | None:
    """A classifier of scikit-learn by its name; those most used are found without the others."""
    for module in ("ensemble", "linear_model", "svm"):
        found = getattr(import_module(f"sklearn.{module}"), name, None)
        if inspect.isclass(found) and issubclass(found, ClassifierMixin):
            return found
    return classifiers().get(name)


def problems(settings: LearningSettings, purpose: Purpose) -> Iterator[str]:
    """What is wrong with a classifier or its parameters, a sentence each."""
    from iota2_tools.learning.trial import refusals

    name, given = settings.learner, settings.parameters
    kind = classifier(name)
    if kind is None:
        hint = suggest(
            name,
            [*classifiers(), *OTB_LEARNERS],
            "take RandomForestClassifier, or see scikit-learn's list",
        )
        yield f"learning.learner: scikit-learn has no classifier {name!r}, {hint}"
        return
    known = inspect.signature(kind).parameters
    unknown = [key for key in given if key not in known]
    for key in unknown:
        hint = suggest(key, known, f"known are {', '.join(known)}")
        yield f"learning.parameters: {name} has no parameter {key!r}, {hint}"
    needed = [key for key, meaning in known.items() if meaning.default is meaning.empty]
    if needed:
        yield (
            f"learning.learner: {name} cannot be made: it consists of other classifiers "
            f"({', '.join(needed)}), which a configuration does not hold; take another one"
        )
    strange = list(_strange_weights(given.get("class_weight"), purpose.codes))
    if purpose.weighted and not has_fit_parameter(kind, "sample_weight"):
        strange.append(
            f"learning.samples: {name} learns all samples alike, so that years cannot weigh differently; leave the "
            "weights equal, or take another learner"
        )
    if given.get("method") == "temperature":
        strange.append(
            f"learning.parameters: {name} refuses method: temperature (of scikit-learn {version('scikit-learn')} "
            "it is right for classes numbered 0, 1, 2 … alone); take sigmoid or isotonic"
        )
    yield from strange
    searched = list(_search_problems(settings, known))
    yield from searched
    if not (unknown or needed or strange or searched):
        plain = replace(settings, search=None)
        refused = list(refusals(plain, purpose))
        yield from refused or _refused_values(settings, purpose)


def _search_problems(settings: LearningSettings, known: Mapping[str, Any]) -> Iterator[str]:
    """Parameters that are to be searched and are none."""
    for key in (settings.search or {}).get("parameters", {}):
        if key not in known:
            hint = suggest(key, known, f"known are {', '.join(known)}")
            yield f"learning.search.parameters: {settings.learner} has no parameter {key!r}, {hint}"


def _refused_values(settings: LearningSettings, purpose: Purpose) -> Iterator[str]:
    """Values of a search that scikit-learn refuses, each tried alone."""
    from iota2_tools.learning.trial import refusals

    for key, values in (settings.search or {}).get("parameters", {}).items():
        for value in values:
            tried = {**settings.parameters, key: value}
            for reason in refusals(replace(settings, search=None, parameters=tried), purpose):
                yield f"learning.search.parameters: {key}: {value}: {reason.partition(': ')[2]}"


def _strange_weights(weights: object, codes: tuple[int, ...]) -> Iterator[str]:
    """Weights of classes that the nomenclature does not have."""
    if isinstance(weights, Mapping):
        for key in weights:
            if str(key) not in map(str, codes):
                hint = suggest(key, codes, f"codes are {', '.join(map(str, codes))}")
                yield f"learning.parameters: class_weight: the nomenclature has no code {key!r}, {hint}"


def versions() -> dict[str, str]:
    """Versions of what a model depends on."""
    return {name: version(name) for name in ("scikit-learn", "numpy", "skops")}


def train(
    table: TrainingTable,
    settings: LearningSettings,
    random_state: int,
    threads: int,
    folder: Path,
) -> dict[str, Any]:
    """Fit a classifier and write it, with its packed trees; returns what `model.json` tells.

    Raises
    ------
    LearningError
        If scikit-learn cannot learn these samples with these parameters.
    """
    searched: dict[str, Any] = {}
    if settings.search:
        from iota2_tools.learning.search import search

        estimator, _ = _made(settings, table.codes, random_state, 1)
        settings, searched["search"] = search(table, settings, estimator, threads, folder)
    fitted, told = fit(table, settings, random_state, threads)
    told |= searched | importances(fitted, table.names)
    write(fitted, folder / MODEL)
    packed, found = compare(fitted, table.features)
    if isinstance(packed, PackedForest):  # boosting needs scikit-learn to map
        write_packed(packed, folder)
    told |= found
    if "not_packed" in told:
        logger.warning(
            "%s is mapped by scikit-learn itself, which is right but slower: %s. Tell the "
            "developers, with the versions in model.json",
            settings.learner,
            told["not_packed"],
        )
    return told


IMPURITY = (
    "Mean decrease of impurity in the trees (Breiman 2001), mean over the models. Features that tell the same "
    "share theirs."
)
COEFFICIENTS = (
    "Share of the sizes of the coefficients of the standardised features, mean over the models."
)


def importances(fitted: ClassifierMixin, names: Sequence[str]) -> dict[str, Any]:
    """What a fitted classifier tells of its features: `importances`, their sum is 1; nothing if none.

    Coefficients of features that are not standardised tell nothing, for they bear their units.
    """
    standardised = isinstance(fitted, Pipeline)
    classifier = fitted[-1] if standardised else fitted
    values, how = getattr(classifier, "feature_importances_", None), IMPURITY
    if values is None and standardised:
        values, how = getattr(classifier, "coef_", None), COEFFICIENTS
        values = None if values is None else np.abs(np.atleast_2d(values)).sum(axis=0)
    if values is None or len(values) != len(names) or not np.sum(values) > 0:
        return {}
    shares = (np.asarray(values, dtype=float) / np.sum(values)).round(8).tolist()
    return {"importances": {"how": how, "values": dict(zip(names, shares, strict=True))}}


def fit(
    table: TrainingTable, settings: LearningSettings, random_state: int, threads: int
) -> tuple[ClassifierMixin, dict[str, Any]]:
    """Fit a classifier, calibrated if it has no probabilities; and tell how.

    Returns
    -------
    estimator : ClassifierMixin
        Fitted on float32, with `predict_proba`.
    told : dict
        `parameters`, `standardise`; `folds` where it was calibrated, or chosen, by folds.
    """
    estimator, parameters = _made(settings, table.codes, random_state, threads)
    told: dict[str, Any] = {"parameters": parameters, "standardise": settings.standardised}
    classifier = _with_probabilities(estimator, settings)
    number = _take_folds(classifier, table)
    if number:
        told["folds"] = number
    fitted = make_pipeline(StandardScaler(), classifier) if settings.standardised else classifier
    try:
        weights = weights_for(table, fitted.steps[-1][0] if settings.standardised else "")
        fitted.fit(table.features.astype(np.float32), table.codes, **weights)
    except REFUSALS as error:
        raise LearningError(
            f"{settings.learner} cannot learn these samples with {parameters}: {error}"
        ) from error
    _forget_the_job(classifier, number)
    return fitted, told


def weights_for(table: TrainingTable, step: str) -> dict[str, np.ndarray]:
    """Weights of samples as `fit` takes them; nothing where all are the same.

    Parameters
    ----------
    step : str
        Of a pipeline, the name of its classifier; empty: there is no pipeline.
    """
    name = f"{step}__sample_weight" if step else "sample_weight"
    return {} if table.weights is None else {name: table.weights}


def said_of(
    table: TrainingTable,
    features: np.ndarray,
    settings: LearningSettings,
    random_state: int,
    threads: int,
) -> tuple[np.ndarray, Prediction]:
    """What a classifier says of pixels that it has not learnt; see `engines.said_of`."""
    fitted, _ = fit(table, settings, random_state, threads)
    parts = [part for _, part in fitted.steps] if settings.standardised else [fitted]
    _forget_the_job(parts[-1], 0)  # threads would add up the votes of trees in any order
    about = {"learner": settings.learner, "features": table.names}
    model = ScikitModel(fitted, about)
    return model.codes, model.predict(features, probabilities=True)


def _made(
    settings: LearningSettings, codes: np.ndarray, random_state: int, threads: int
) -> tuple[ClassifierMixin, dict[str, Any]]:
    """The classifier to fit, and its parameters without the number of threads."""
    kind = classifier(settings.learner)
    assert kind is not None
    known = inspect.signature(kind).parameters
    parameters = dict(settings.parameters)
    if "random_state" in known:
        parameters.setdefault("random_state", random_state)
    weights = parameters.get("class_weight")
    if isinstance(weights, Mapping):
        # By numbers, and of the classes of this region alone: scikit-learn refuses others.
        numbers = {int(code): weight for code, weight in weights.items()}
        parameters["class_weight"] = {c: w for c, w in numbers.items() if c in set(codes.tolist())}
    if parameters.pop("probability", False):
        # Those of libsvm are by folds of pixels.
        logger.info("%s is calibrated by folds of whole polygons", settings.learner)
    estimator = kind(**parameters)
    if "n_jobs" in known and settings.learner not in WITHOUT_THREADS:
        estimator.set_params(n_jobs=threads)
    return estimator, parameters


def _with_probabilities(estimator: ClassifierMixin, settings: LearningSettings) -> ClassifierMixin:
    """The classifier, calibrated if it has no probabilities by itself."""
    if hasattr(estimator, "predict_proba"):
        return estimator
    if hasattr(estimator, "decision_function"):
        return CalibratedClassifierCV(estimator, ensemble=False)
    raise LearningError(
        f"{settings.learner} has, with these parameters, neither probabilities nor a decision "
        "function to calibrate"
    )


def _take_folds(classifier: ClassifierMixin, table: TrainingTable) -> int:
    """Give a classifier that works by folds those of whole polygons; their number, or 0."""
    wanted = classifier.get_params(deep=False).get("cv", 0)
    if wanted is None:
        wanted = FOLDS
    if not isinstance(wanted, int) or wanted < 2:  # no folds, or what scikit-learn refuses
        return 0
    folds = polygon_folds(table.codes, table.polygons, wanted)
    classifier.set_params(cv=folds)
    return len(folds)


def _forget_the_job(classifier: ClassifierMixin, folds: int) -> None:
    """A model file tells neither how many cores made it nor which samples stood in which fold."""
    if folds:
        classifier.set_params(cv=folds)
    parts = [part.estimator for part in getattr(classifier, "calibrated_classifiers_", ())]
    for each in (classifier, *parts):
        if "n_jobs" in each.get_params(deep=False):
            each.set_params(n_jobs=None)


def write(fitted: ClassifierMixin, path: Path) -> None:
    """Write a fitted classifier for `read`."""
    import skops.io  # takes most of a second

    skops.io.dump(fitted, path)


def read(path: Path) -> ClassifierMixin:
    """Read a fitted classifier that holds no other types than those of scikit-learn's classifiers.

    Raises
    ------
    LearningError
        If it holds another one, is cut, or is no classifier.
    """
    import skops.io  # takes most of a second

    advice = f"delete {path.parent} to learn it anew"
    try:
        types = skops.io.get_untrusted_types(file=path)
        strange = [name for name in types if name not in TRUSTED]
        if strange:
            raise LearningError(
                f"{path}: holds {', '.join(strange)}, which no classifier of scikit-learn holds; "
                f"it is not loaded. If this chain has not made it, do not trust its origin; {advice}"
            )
        estimator = skops.io.load(path, trusted=types)
    except (OSError, ImportError, zipfile.BadZipFile, *REFUSALS) as error:
        raise LearningError(f"{path}: cannot be loaded ({error}); {advice}") from None
    if not (hasattr(estimator, "classes_") and hasattr(estimator, "predict_proba")):
        raise LearningError(f"{path}: holds no fitted classifier; {advice}")
    return estimator


def load(folder: Path, description: dict[str, Any]) -> Model:
    """Load a model; forests and boosting are packed for speed, if they were found right."""
    estimator = read(folder / MODEL)
    if description.get("packed"):
        made_by, here = description["versions"]["scikit-learn"], version("scikit-learn")
        packed = pack(estimator, description["dtype"]) if made_by == here else None
        if packed is not None:
            return PackedModel(packed, estimator.classes_, description)
        logger.warning(
            "%s is of scikit-learn %s, here is %s: it is mapped without packing, slower; delete it "
            "to learn it anew",
            *(folder, made_by, here),
        )
    elif "not_packed" in description:
        logger.warning("%s is mapped without packing: %s", folder, description["not_packed"])
    return ScikitModel(estimator, description)


class ScikitModel:
    """Any fitted scikit-learn classifier with `predict_proba`."""

    def __init__(self, estimator: ClassifierMixin, description: dict[str, Any]) -> None:
        self._estimator = estimator
        self._learner, self._names = description["learner"], description["features"]
        self.codes = estimator.classes_.astype(np.uint16)

    def predict(self, features: np.ndarray, probabilities: bool = False) -> Prediction:
        """See `learning.Model`."""
        check_values(features, self._names, self._learner, "pixels")
        try:
            values = self._estimator.predict_proba(features.astype(np.float32, copy=False))
        except REFUSALS as error:
            raise LearningError(f"{self._learner} cannot map these pixels: {error}") from error
        undefined = np.isnan(values).any(axis=1).sum()
        if undefined:
            raise LearningError(
                f"{self._learner} gives {undefined} of {len(values)} pixels no probability: they "
                "lie too far from all that it has learnt"
            )
        return most_probable(self.codes, values, probabilities)
