"""Learners behind one small interface.

A learner is a module with `problems(settings, purpose)`, `train(...)`, `load(...)` and `versions()`, and a class of
models with `codes`, `predict(features)`. `scikit` serves scikit-learn's classifiers, `otb_learners` those of Orfeo
ToolBox. A model is a folder: `model.json` tells what it is, the other files are the engine's.
"""

import json
import logging
import platform
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from iota2_tools.core.errors import Iota2Error, LearningError
from iota2_tools.core.files import whole_folder
from iota2_tools.learning.managed import Managed
from iota2_tools.learning.model import Model, Prediction, check_values
from iota2_tools.learning.settings import LearningSettings, ModelKey, Purpose
from iota2_tools.learning.traits import PLACE_MISSING, is_otb

if TYPE_CHECKING:  # tables take a third of a second that mapping does not need
    from iota2_tools.learning.folds import FoldsWanted
    from iota2_tools.reference.dealing import PartOfRegion
    from iota2_tools.reference.table import TrainingTable

logger = logging.getLogger(__name__)

NOTHING_MORE = Managed()


class Engine(Protocol):
    """A module that serves some learners."""

    def problems(self, settings: LearningSettings, purpose: Purpose) -> Iterator[str]:
        """What is wrong with a learner or its parameters, a sentence each."""

    def train(
        self,
        table: "TrainingTable",
        settings: LearningSettings,
        random_state: int,
        threads: int,
        folder: Path,
    ) -> dict[str, Any]:
        """Learn, write the model into a folder, and return what `model.json` tells of it."""

    def load(self, folder: Path, description: dict[str, Any]) -> Model:
        """Load what `train` wrote; `description` is its `model.json`."""

    def versions(self) -> dict[str, str]:
        """Versions of what a model depends on."""


def engine_of(learner: str) -> Engine:
    """Module that trains and loads a learner."""
    if is_otb(learner):
        from iota2_tools.learning import otb_learners

        return otb_learners
    from iota2_tools.learning import scikit

    return scikit


def learner_problems(settings: LearningSettings, purpose: Purpose) -> Iterator[str]:
    """Everything wrong with the learner of a production, a sentence each.

    It is tried on a few made-up samples, by the functions that learn and map with it.
    """
    if purpose.probability_map and not settings.traits.probabilities:
        yield (
            f"classification.probability_map: {settings.learner} gives no probabilities, as all of "
            "OTB's learners; take a scikit-learn one, or set it to false"
        )
    if purpose.smoothed and not settings.traits.probabilities:
        yield (
            f"classification.smoothing: {settings.learner} gives no probabilities to smooth, as all of "
            "OTB's learners; take a scikit-learn one, or `method: none`"
        )
    if purpose.weighted and is_otb(settings.learner):
        yield (
            f"learning.samples: {settings.learner} learns all samples alike, so that years cannot weigh differently; "
            "leave the weights equal, or take a scikit-learn learner"
        )
    if settings.search and is_otb(settings.learner):
        yield (
            f"learning.search: parameters of {settings.learner} are not searched; take a scikit-learn learner, or "
            "`method: none`"
        )
    if settings.reduction and is_otb(settings.learner):
        yield (
            f"learning.reduction: {settings.learner} maps features as they are; take a scikit-learn learner, or "
            "`method: none`"
        )
    if settings.reduction and purpose.kept_missing:
        yield (
            f"learning.reduction: components of missing values are not known; give {', '.join(purpose.kept_missing)} "
            "(user_features.patterns) another rule than `missing: keep`"
        )
    if purpose.kept_missing and not settings.traits.missing:
        yield (
            f"user_features.patterns: {', '.join(purpose.kept_missing)}: `missing: keep` needs a "
            f"learner that places missing values ({', '.join(PLACE_MISSING)}), which "
            f"{settings.learner} does not; take one of these, or another rule"
        )
        return
    try:
        yield from engine_of(settings.learner).problems(settings, purpose)
    except Iota2Error as error:
        yield f"learning.learner: {settings.learner}: {error}"


def train(
    samples: list[str],
    key: ModelKey,
    settings: LearningSettings,
    threads: int,
    output: str,
    features: list[str] | None = None,
    managed: Managed = NOTHING_MORE,
    folds: "FoldsWanted | None" = None,
) -> None:
    """Learn the model of a region and draw.

    Parameters
    ----------
    samples : list of str
        Samples of the tiles the region touches.
    key : ModelKey
        Which model.
    settings : LearningSettings
        The learner.
    output : str
        Folder of the model.
    features : list of str, optional
        Names of the features to learn, where tables hold others too; all by default.
    managed : Managed
        What is learnt beside the samples of the region, or in place of them; by default nothing.
    folds : FoldsWanted, optional
        What the model is judged by as it is learnt: then it knows how far its probabilities are to be
        believed, and polygons whose label looks wrong are found.

    Raises
    ------
    LearningError
        If there is no sample, a single class, or what the learner cannot learn from.
    """
    table, told = managed.own_samples(samples, key, features)
    tried = b""
    if folds:
        from iota2_tools.learning.folds import judge

        _classes(table, key)
        if settings.search:
            completed, _ = managed.complete(table, key)
            settings, found, tried = _searched(completed, key, settings, threads)
            told |= found
        table, judged = judge(table, key, settings, threads, managed, folds)
        told |= judged
    table, more = managed.complete(table, key)
    own = _of_part(table, managed.part, key) if managed.part else table
    learn(own, key, settings, threads, output, told | more, tried)


def _searched(
    table: "TrainingTable", key: ModelKey, settings: LearningSettings, threads: int
) -> tuple[LearningSettings, dict[str, Any], bytes]:
    """Settings with the parameters that a search finds, what is told of it, and its table."""
    from iota2_tools.learning.search import FILE

    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder, "model")
        learn(table, key, settings, threads, str(model))
        found = describe(str(model))
        tried = (model / FILE).read_bytes()
    plain = replace(settings, search=None, parameters=found["parameters"])
    return plain, {"search": found["search"]}, tried


def said_of(
    table: "TrainingTable",
    features: np.ndarray,
    key: ModelKey,
    settings: LearningSettings,
    threads: int,
) -> tuple[np.ndarray, Prediction]:
    """What a model says of pixels that it has not learnt; nothing is kept of it.

    Returns
    -------
    codes : ndarray of uint16
        Classes of the model.
    said : Prediction
        With the probabilities of all classes, of a learner that gives them.
    """
    check_values(table.features, table.names, settings.learner, "samples")
    _classes(table, key)
    if not (is_otb(settings.learner) or settings.search or settings.reduction):
        from iota2_tools.learning import scikit

        return scikit.said_of(table, features, settings, key.random_state, threads)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "model"))
        learn(table, key, settings, threads, path)
        model = load(path)
        return model.codes, model.predict(features, settings.traits.probabilities)


def _of_part(table: "TrainingTable", part: "PartOfRegion", key: ModelKey) -> "TrainingTable":
    """Samples of a part of a region; each part has all classes of the region."""
    polygons = part.polygons(key.region, key.seed, key.random_seed)
    own = table.only(np.isin(table.polygons, polygons))
    lacking = np.setdiff1d(table.codes, own.codes)
    if len(lacking):
        raise LearningError(
            f"{key}, part {part.number + 1} of {part.parts}: no pixel of class "
            f"{', '.join(map(str, lacking))} was clear often enough in the polygons of this part; raise "
            "fusion.regions.above_km2, or lower sampling.cloud_threshold"
        )
    return own


def learn(
    table: "TrainingTable",
    key: ModelKey,
    settings: LearningSettings,
    threads: int,
    output: str,
    told: Mapping[str, Any] | None = None,
    tried: bytes = b"",
) -> None:
    """Learn a model from samples that have been read; see `train`.

    Parameters
    ----------
    told : mapping, optional
        What else `model.json` tells of the samples.
    tried : bytes
        Table of a search whose parameters are given; by default there was none before.
    """
    told = dict(told or {})
    classes = _classes(table, key)
    try:
        check_values(table.features, table.names, settings.learner, "samples")
        logger.info("%d samples, %d features, %d classes", *table.features.shape, len(classes))
        if not settings.traits.confidence:
            logger.warning("%s has no confidence: that map will hold 0", settings.learner)
        engine = engine_of(settings.learner)
        with whole_folder(output) as folder:
            learnt = table
            if settings.reduction:
                from iota2_tools.learning.reduction import reduced_table

                learnt, told["reduced"] = reduced_table(table, settings.reduction, Path(folder))
            used = engine.train(learnt, settings, key.random_state, threads, Path(folder))
            if tried:
                from iota2_tools.learning.search import FILE

                Path(folder, FILE).write_bytes(tried)
            description = {
                "region": key.region,
                "seed": key.seed,
                "learner": settings.learner,
                **used,
                **told,
                "classes": classes,
                "samples": len(table.codes),
                "polygons": len(np.unique(table.polygons)),
                "dtype": str(table.features.dtype),
                "versions": {
                    "python": platform.python_version(),
                    "iota2-tools": version("iota2-tools"),
                }
                | engine.versions(),
                "features": table.names,
            }
            Path(folder, "model.json").write_text(
                json.dumps(description, indent=1), encoding="utf-8"
            )
    except LearningError as error:
        raise LearningError(f"{key}: {error}") from None


def _classes(table: "TrainingTable", key: ModelKey) -> dict[str, int]:
    """Number of samples of each class; two classes at least."""
    codes, counts = np.unique(table.codes, return_counts=True)
    if len(codes) < 2:
        found = f"only class {codes[0]}" if len(codes) else "no sample"
        raise LearningError(
            f"{key}: {found} to learn from; add reference polygons there, merge the region "
            "with a neighbour, or lower sampling.cloud_threshold"
        )
    return {str(code): int(count) for code, count in zip(codes, counts, strict=True)}


def describe(folder: str) -> dict[str, Any]:
    """What `model.json` tells of a model."""
    try:
        return json.loads(Path(folder, "model.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LearningError(
            f"{folder}: is no model ({error}); delete it to learn it anew"
        ) from None


def load(folder: str) -> Model:
    """Load a model for mapping; a forest packed while it was learnt needs no engine.

    Raises
    ------
    LearningError
        If the folder holds no whole model, or one with types that are not trusted.
    """
    description = describe(folder)
    model = _load_plain(folder, description)
    temperature = description.get("calibration", {}).get("temperature", 1)
    if temperature == 1:
        return model
    from iota2_tools.learning.reliability import TemperedModel

    return TemperedModel(model, temperature)


def _load_plain(folder: str, description: dict[str, Any]) -> Model:
    """A model with its probabilities as they are."""
    from iota2_tools.learning.packed.stored import stored_model  # the check waits for no compiler

    if "reduced" not in description:
        packed = stored_model(Path(folder), description)
        return packed or engine_of(description["learner"]).load(Path(folder), description)
    from iota2_tools.learning.reduction import ReducedModel, of_components

    inner = of_components(description)
    packed = stored_model(Path(folder), inner)
    model = packed or engine_of(description["learner"]).load(Path(folder), inner)
    return ReducedModel(model, Path(folder), description)
