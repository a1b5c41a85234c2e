"""What a model is, what it says of pixels, and what it cannot take."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from iota2_tools.core.errors import LearningError
from iota2_tools.learning.traits import PLACE_MISSING, traits_of


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
    choice : ndarray of uint8, shape (n_pixels,), optional
        Of a model that is several: which of them the class is from (`fusing.methods.Fused`).
    """

    codes: np.ndarray
    confidence: np.ndarray
    probabilities: np.ndarray | None = None
    choice: np.ndarray | None = None


class Model(Protocol):
    """A fitted learner, ready to map."""

    codes: np.ndarray

    def predict(self, features: np.ndarray, probabilities: bool = False) -> Prediction:
        """Classify pixels; features as they were learnt, shape (n_pixels, n_features)."""


def most_probable(codes: np.ndarray, values: np.ndarray, probabilities: bool) -> Prediction:
    """The class of the largest probability, the first of equal ones.

    Parameters
    ----------
    codes : ndarray of uint16, shape (n_classes,)
    values : ndarray of float, shape (n_pixels, n_classes)
        Probabilities, 0-1.
    probabilities : bool
        Whether they are wanted themselves.
    """
    best = values.argmax(axis=1)
    confidence = values[np.arange(len(best)), best]
    return Prediction(codes[best], confidence, values if probabilities else None)


def check_values(features: np.ndarray, names: Sequence[str], learner: str, what: str) -> None:
    """Refuse infinite features, and missing ones unless the learner places them.

    Parameters
    ----------
    features : ndarray, shape (n, n_features)
    names : sequence of str
        Of the features.
    what : {"samples", "pixels"}
        What is counted in the message.

    Raises
    ------
    LearningError
        With the number of samples or pixels, and the features at fault.
    """
    if features.dtype.kind != "f":
        return
    infinite = np.isinf(features)
    if infinite.any():
        raise LearningError(
            f"{_where(infinite, names, what)} infinite; no model places that: give these pixels "
            "of the raster a finite value, or nodata"
        )
    missing = np.isnan(features)
    if not traits_of(learner).missing and missing.any():
        raise LearningError(
            f"{_where(missing, names, what)} missing (NaN), which {learner} cannot place: set "
            "`missing` of that raster (user_features.patterns) to leave_out, mean or a number, or "
            f"take one of {', '.join(PLACE_MISSING)}"
        )


def _where(wrong: np.ndarray, names: Sequence[str], what: str) -> str:
    """Say how many rows have wrong features, and which.

    >>> _where(np.array([[False, True], [False, True], [False, False]]), ["red", "dem"], "samples")
    '2 of 3 samples have values of dem that are'
    """
    columns = [names[int(number)] for number in np.flatnonzero(wrong.any(axis=0))]
    told = ", ".join(columns[:3]) + (f" and {len(columns) - 3} more" if columns[3:] else "")
    rows = int(wrong.any(axis=1).sum())
    return f"{rows} of {len(wrong)} {what} have values of {told} that are"
