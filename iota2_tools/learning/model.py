"""What a model is, and what it says of pixels."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Prediction:
    """What a model says of some pixels.

    Parameters
    ----------
    codes : ndarray of uint16, shape (n_pixels,)
        Class.
    confidence : ndarray of float, shape (n_pixels,)
        Probability of that class or share of votes, 0-1; 0 where the learner has none.
    probabilities : ndarray of float, shape (n_pixels, n_classes), optional
        In the order of `Model.codes`.
    """

    codes: np.ndarray
    confidence: np.ndarray
    probabilities: np.ndarray | None = None


class Model(Protocol):
    """A fitted learner, ready to map."""

    codes: np.ndarray

    def predict(self, features: np.ndarray, probabilities: bool = False) -> Prediction:
        """Classify pixels; features as they were learnt, shape (n_pixels, n_features)."""
