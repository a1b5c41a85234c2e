"""Packed trees as a model that maps."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from iota2_tools.core.errors import LearningError
from iota2_tools.learning.model import Prediction, check_values, most_probable


class PackedTrees(Protocol):
    """A forest or boosting, packed."""

    @property
    def dtype(self) -> np.dtype:
        """Type of the features: int16 or float32."""

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Compute the probability of each class, as scikit-learn's `predict_proba`."""


class PackedModel:
    """Trees of scikit-learn, with its answers and many times its speed."""

    def __init__(
        self, packed: PackedTrees, classes: np.ndarray, description: dict[str, Any]
    ) -> None:
        self._packed = packed
        self._learner: str = description["learner"]
        self._names: Sequence[str] = description["features"]
        self.codes = classes.astype(np.uint16)

    def predict(self, features: np.ndarray, probabilities: bool = False) -> Prediction:
        """See `learning.Model`; features of int16 do for a model of float32."""
        if np.can_cast(features.dtype, self._packed.dtype, "safe"):
            features = features.astype(self._packed.dtype, copy=False)
        try:
            values = self._packed.predict_proba(features)
        except LearningError:
            check_values(features, self._names, self._learner, "pixels")  # says where
            raise
        return most_probable(self.codes, values, probabilities)
