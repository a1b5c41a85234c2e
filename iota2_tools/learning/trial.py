"""A classifier of scikit-learn tried on a few made-up samples, by what learns and maps with it.

What scikit-learn refuses only while it learns, or while it predicts, shows here in the first minute.
"""

import contextlib
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from threadpoolctl import threadpool_limits

from iota2_tools.core.errors import LearningError
from iota2_tools.learning import scikit
from iota2_tools.learning.packed.forest import is_forest
from iota2_tools.learning.packed.stored import MODEL
from iota2_tools.learning.settings import LearningSettings, Purpose
from iota2_tools.reference.table import TrainingTable

CLASSES, FEATURES, ROWS = 4, 4, 20
"""What is made up: classes and features at most, and samples of each class, two a polygon."""
BY_CLASS = ("class_weight", "priors", "class_prior", "n_components")
BY_FEATURE = (
    "max_features", "n_components", "monotonic_cst", "categorical_features", "interaction_cst",
)  # fmt: skip
"""Parameters that speak of each class or feature: all those of the production are made up."""
AT_MOST = {
    "n_estimators": 3, "max_iter": 3, "max_iter_predict": 3, "n_restarts_optimizer": 0,
    "n_neighbors": 3, "max_samples": 10, "validation_fraction": 10, "cv": 3, "verbose": 0,
}  # fmt: skip
"""Whole numbers that cost time, need many samples, or fill the terminal."""
AT_LEAST = {"validation_fraction": 0.2}
"""Shares of a few samples that would be fewer than the classes."""


def refusals(settings: LearningSettings, purpose: Purpose) -> Iterator[str]:
    """What scikit-learn says against a learner and its parameters, a sentence each."""
    name, given = settings.learner, settings.parameters
    reason = _refusal(settings, purpose)
    if not reason:
        return
    if not given or _refusal(replace(settings, parameters={}), purpose):
        yield (
            f"learning.learner: {name} does not do for the features of a production, take another "
            f"or give it other parameters: {reason}"
        )
        return
    alone = {
        key: _refusal(replace(settings, parameters={key: given[key]}), purpose) for key in given
    }
    for key, why in alone.items():
        if why:
            yield f"learning.parameters: {name} refuses {key}: {given[key]}{_hint(given[key])} ({why})"
    if not any(alone.values()):
        together = ", ".join(f"{key}: {value}" for key, value in given.items())
        yield f"learning.parameters: {name} refuses {together} together ({reason})"


def _hint(value: object) -> str:
    """YAML takes 1e-3 for text, and what stands between quotes."""
    if not isinstance(value, str):
        return ""
    for number in (int, float):
        with contextlib.suppress(ValueError):
            return f", a text; write it as {number(value)!r}"
    return {"true": ", a text; write it as true", "false": ", a text; write it as false"}.get(
        value.lower(), ""
    )


def _refusal(settings: LearningSettings, purpose: Purpose) -> str:
    """Why a learner does not learn, or does not map; nothing if it does."""
    with warnings.catch_warnings(), threadpool_limits(1), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            _learn_and_map(settings, purpose)
        except (LearningError, *scikit.REFUSALS) as error:
            reason = " ".join(str(error.__cause__ or error).split())
            # scikit-learn names its own function where a classifier is calibrated.
            return reason.replace("cross_val_predict", settings.learner)
    return ""


def _learn_and_map(settings: LearningSettings, purpose: Purpose) -> None:
    table = samples(settings.parameters, purpose)
    small = replace(settings, parameters=reduced(settings))
    fitted, _ = scikit.fit(table, small, 0, 1)
    described = {"learner": settings.learner, "features": table.names}
    model = scikit.ScikitModel(_written_and_read(fitted, small), described)
    pixels = np.concatenate([table.features, far_pixels(table.features.shape[1])])
    parts = [_probabilities(model, part) for part in np.split(pixels, 2)]
    if not np.allclose(_probabilities(model, pixels), np.concatenate(parts), atol=1e-3):
        raise LearningError(
            "it answers otherwise when pixels are asked in other groups: the map would depend on "
            "the size of windows"
        )


def _written_and_read(fitted: ClassifierMixin, settings: LearningSettings) -> ClassifierMixin:
    """What a file gives back of a classifier.

    A forest whose parameters are numbers and words comes back as it was: it is not written, for
    what writes it takes most of a second to load, and the first plan of a country waits for it.
    """
    plain = all(
        isinstance(value, str | int | float | None) for value in settings.parameters.values()
    )
    if plain and is_forest(fitted):
        return fitted
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, MODEL)
        scikit.write(fitted, path)
        return scikit.read(path)


def _probabilities(model: scikit.ScikitModel, pixels: np.ndarray) -> np.ndarray:
    found = model.predict(pixels, probabilities=True).probabilities
    assert found is not None
    return found


def samples(parameters: Mapping[str, Any], purpose: Purpose) -> TrainingTable:
    """Samples of classes that overlap: whole numbers, also negative ones, as reflectances and indices."""
    codes = purpose.codes if len(purpose.codes) > 1 else (1, 2)
    if not any(key in parameters for key in BY_CLASS):
        codes = codes[:CLASSES]
    all_features = any(key in parameters for key in BY_FEATURE)
    n_features = purpose.n_features if all_features else FEATURES
    random = np.random.default_rng(0)
    classes = np.repeat(np.arange(len(codes)), ROWS)
    centres = 2000 * ((classes[:, None] + np.arange(n_features)) % CLASSES)
    features = np.rint(random.normal(centres, 1500)).astype(np.int16)
    if purpose.kept_missing:
        features = np.where(random.random(features.shape) < 0.1, np.float32(np.nan), features)
    polygons = np.arange(len(classes)) // 2
    names = [f"feature {number}" for number in range(n_features)]
    return TrainingTable(features, np.array(codes)[classes], polygons, names)


def far_pixels(n_features: int) -> np.ndarray:
    """Pixels such as every map has: never clear, dark, saturated; int16."""
    values = np.array([0, -1000, 10000, 20000], np.int16)
    return np.repeat(values[:, None], n_features, axis=1)


def reduced(settings: LearningSettings) -> dict[str, Any]:
    """The parameters, none of which costs time or needs more samples than there are here."""
    kind = scikit.classifier(settings.learner)
    assert kind is not None
    parameters = kind(**settings.parameters).get_params(deep=False)
    changed: dict[str, float] = {}
    for key, value in parameters.items():
        if isinstance(value, int) and value > AT_MOST.get(key, value):
            changed[key] = AT_MOST[key]
        elif isinstance(value, float) and 0 < value < AT_LEAST.get(key, 0):
            changed[key] = AT_LEAST[key]
    return dict(settings.parameters) | changed
