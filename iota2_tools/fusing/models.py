"""Several models that answer as one, pixel by pixel: nothing of what each says is written."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from iota2_tools.classifying.tile import (
    NO_PROBABILITY,
    check_learnt,
    confidence_percent,
    probabilities_per_mille,
)
from iota2_tools.core.errors import LearningError
from iota2_tools.fusing.known import known_sources
from iota2_tools.fusing.methods import METHODS, FusionRules, Known, Sources, fuse
from iota2_tools.learning import engines
from iota2_tools.learning.model import Model, Prediction

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FusedModels:
    """Where the models stand that are fused to one (`classifying.tile.Learnt`).

    Parameters
    ----------
    folders : tuple of str
        Of the models. Each has learnt some of the features of the tile, or all.
    names : tuple of str
        What to call them.
    codes : tuple of int
        Classes of the nomenclature.
    rules : FusionRules
        How they are fused; nothing stays undecided.
    matrices : tuple of ndarray
        Confusion matrices of their folds, if the method needs masses.
    masses : str
        Key of `masses.KINDS`.
    """

    folders: tuple[str, ...]
    names: tuple[str, ...]
    codes: tuple[int, ...]
    rules: FusionRules
    matrices: tuple[np.ndarray, ...] = ()
    masses: str = "precision"

    def load(self, names: list[str], dtype: str) -> Model:
        """Load all; see `classifying.tile.Learnt`."""
        parts = [Part.of(folder, names, dtype) for folder in self.folders]
        each = [(folder,) for folder in self.folders]
        known = known_sources(self.names, self.codes, each, self.matrices, self.masses)
        return FusedModel(parts, known, self.rules)


@dataclass(frozen=True)
class Part:
    """One of the models.

    Parameters
    ----------
    model : Model
    columns : ndarray of int, shape (n_features,), or None
        Columns of its features among those of the tile; None: all.
    """

    model: Model
    columns: np.ndarray | None

    @classmethod
    def of(cls, folder: str, names: Sequence[str], dtype: str) -> "Part":
        """Load a model that has learnt some of the features.

        Raises
        ------
        LearningError
            If it has learnt what the tile has not.
        """
        learnt = engines.describe(folder)["features"]
        place = {name: column for column, name in enumerate(names)}
        absent = [name for name in learnt if name not in place]
        if absent:
            raise LearningError(
                f"{folder}: has learnt {len(absent)} feature(s) that this tile has not ({absent[0]} first); "
                "delete the model to learn it anew"
            )
        columns = np.array([place[name] for name in learnt])
        check_learnt(folder, [names[column] for column in columns], dtype)
        every = len(columns) == len(names) and (np.diff(columns) == 1).all()
        return cls(engines.load(folder), None if every else columns)

    def predict(self, features: np.ndarray, probabilities: bool) -> Prediction:
        """What this model says of pixels of the tile."""
        own = features if self.columns is None else features[:, self.columns]
        return self.model.predict(np.ascontiguousarray(own), probabilities)


class FusedModel:
    """Models that answer as one (`learning.model.Model`); classes are those of the nomenclature."""

    def __init__(self, parts: Sequence[Part], known: Known, rules: FusionRules) -> None:
        self._parts, self._known, self._rules = parts, known, rules
        self._reads = METHODS[rules.method].reads
        self.codes = np.array(known.codes, dtype=np.uint16)

    def predict(self, features: np.ndarray, probabilities: bool = False) -> Prediction:
        """See `learning.model.Model`."""
        needed = probabilities or "probabilities" in self._reads
        said = [part.predict(features, needed) for part in self._parts]
        classes = np.stack([item.codes for item in said])
        confidence = [confidence_percent(item.confidence, item.codes) for item in said]
        values = None
        if needed:
            pairs = zip(self._parts, said, strict=True)
            values = np.stack([self._per_mille(part, own) for part, own in pairs])
        fused = fuse(Sources(classes, np.stack(confidence), values), self._known, self._rules)
        shares = None
        if probabilities:
            assert fused.probabilities is not None  # the sources have them
            known = fused.probabilities != NO_PROBABILITY
            shares = np.where(known, fused.probabilities / 1000, 0).T
        return Prediction(fused.classes, fused.confidence / 100, shares, fused.choice)

    def _per_mille(self, part: Part, said: Prediction) -> np.ndarray:
        """Probabilities of a part, shape (n_classes, n_pixels)."""
        assert said.probabilities is not None  # asked for, of learners that give them
        codes = tuple(self._known.codes)
        return probabilities_per_mille(said.probabilities, part.model.codes, codes).T
