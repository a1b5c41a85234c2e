"""How far probabilities can be believed: scores of them, and the temperature that mends them."""

from dataclasses import dataclass, replace

import numpy as np

from iota2_tools.learning.model import Model, Prediction

SMALLEST = 0.01
"""Added to probabilities before their logarithm is taken: shares of votes may be 0."""
TEMPERATURES = np.exp(np.linspace(np.log(0.2), np.log(5), 129))
BINS = 10


@dataclass(frozen=True)
class Reliability:
    """Scores of probabilities against the truth; smaller is better.

    Parameters
    ----------
    log_loss : float
        Mean of -log(p + 0.01) of the true class.
    brier : float
        Mean over samples of the sum over classes of the squared error, 0-2.
    calibration_error : float
        Expected calibration error: mean distance of confidence and share right, over ten bins of
        the confidence (Guo et al. 2017, arXiv:1706.04599).
    """

    log_loss: float
    brier: float
    calibration_error: float


def reliability(probabilities: np.ndarray, truth: np.ndarray) -> Reliability:
    """Scores of probabilities.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n_samples, n_classes)
        0-1.
    truth : ndarray of int, shape (n_samples,)
        Column of the true class.
    """
    own = probabilities[np.arange(len(truth)), truth]
    squared = (probabilities**2).sum(axis=1) - 2 * own + 1
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    return Reliability(
        float(-np.log(own + SMALLEST).mean()),
        float(squared.mean()),
        _calibration_error(confidence, right),
    )


def _calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    sums = np.bincount(bins, confidence, BINS) - np.bincount(bins, right, BINS)
    return float(np.abs(sums).sum() / len(confidence))


def tempered(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities to the power of 1 / temperature, brought to the sum of 1.

    The most probable class stays the same. Below 1 they become surer, above 1 less sure.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n_samples, n_classes)
    """
    logs = np.log(probabilities + SMALLEST) / temperature
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


class TemperedModel:
    """A model whose probabilities are brought to what they say; its classes stay the same."""

    def __init__(self, model: Model, temperature: float) -> None:
        self._model, self._temperature = model, temperature
        self.codes = model.codes

    def predict(self, features: np.ndarray, probabilities: bool = False) -> Prediction:
        """See `learning.Model`."""
        said = self._model.predict(features, True)
        assert said.probabilities is not None  # asked for, of a learner that gives them
        values = tempered(said.probabilities, self._temperature)
        own = values[np.arange(len(values)), np.searchsorted(self.codes, said.codes)]
        return replace(said, confidence=own, probabilities=values if probabilities else None)


def best_temperature(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """The one of `TEMPERATURES`, 0.2 to 5, of the smallest log loss; 1 is among them."""
    losses = [
        -np.log(tempered(probabilities, temperature)[np.arange(len(truth)), truth]).mean()
        for temperature in TEMPERATURES
    ]
    return float(TEMPERATURES[int(np.argmin(losses))])
