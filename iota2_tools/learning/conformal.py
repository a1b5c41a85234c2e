"""Which classes cannot be excluded: sets of classes that hold the true one as often as was asked for.

From folds of the learning polygons it is known how improbable the true class may seem to a model
that has not learnt the polygon. A class stays in the set of a pixel unless it is more improbable
than that. The promise is marginal: over all pixels that are like those of the polygons, not for
each class, nor for each place.

A forest gives most classes no vote at all, and often enough the true one (or that of a wrong label):
a threshold there keeps all classes without a vote, or none. So probabilities are first mixed with
what the truth is where the model says this, as the folds tell it: of classes without a vote those
come first that are often taken for the class that has them. Any score keeps the promise, if what it
is made of does not know the sample: the folds' own scores are made by what the other folds tell.

References
----------
Vovk, Gammerman and Shafer (2005), Algorithmic learning in a random world; Angelopoulos and Bates
(2021), A gentle introduction to conformal prediction, arXiv:2107.07511, section 1 (score 1 - p);
Sadinle, Lei and Wasserman (2019), Least ambiguous set-valued classifiers with bounded error levels,
JASA 114, 223-234 (the better the probabilities, the smaller these sets); Kull et al. (2019), Beyond
temperature scaling, arXiv:1910.12656 (probabilities mended by a matrix over classes).
"""

import logging
import math
from dataclasses import dataclass

import numpy as np

from iota2_tools.learning import engines
from iota2_tools.learning.reliability import tempered

logger = logging.getLogger(__name__)

WEIGHT = 0.3
"""Of what the truth is where the model says this, beside what it says (benchmarks/README.md, `sets.py`)."""
PRIOR = 5.0
"""Samples that the classes of all samples count for, beside those that a model says are of a class."""


def threshold(scores: np.ndarray, errors: float) -> float:
    """The largest score of a class that is not excluded.

    Parameters
    ----------
    scores : ndarray of float, shape (n,)
        Of the true class of samples that were not learnt; the more, the less the class conforms.
    errors : float
        Share of the pixels whose true class may be excluded, 0-1.

    Returns
    -------
    float
        The score of rank ceil((n + 1) (1 - errors)); infinite if there are fewer scores.
    """
    rank = math.ceil(round((len(scores) + 1) * (1 - errors), 9))
    if rank > len(scores):
        return math.inf
    return float(np.sort(scores)[rank - 1])


def truths_of_said(probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """What the truth is where a model says this: for each class that it says, shares of the true ones.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n_samples, n_classes)
        Of samples that were not learnt; each counts for all classes that it may be.
    truth : ndarray of int, shape (n_samples,)
        Column of the true class.

    Returns
    -------
    ndarray of float, shape (n_classes, n_classes)
        A row for each class that is said; its sum is 1.
    """
    classes = probabilities.shape[1]
    counts = np.array(
        [np.bincount(truth, probabilities[:, said], classes) for said in range(classes)]
    )
    usual = (np.bincount(truth, minlength=classes) + 1) / (len(truth) + classes)
    return (counts + PRIOR * usual) / (counts.sum(axis=1, keepdims=True) + PRIOR)


def mixed(probabilities: np.ndarray, truths: np.ndarray) -> np.ndarray:
    """Probabilities with what the truth is where these are said.

    Each pixel by itself, class by class: numbers do not depend on how many are asked for at once.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n_pixels, n_classes)
    truths : ndarray of float, shape (n_classes, n_classes)
        Of `truths_of_said`.

    Returns
    -------
    ndarray of float64, shape (n_pixels, n_classes)
    """
    values = probabilities.astype(np.float64)
    total = values.copy()
    for said, row in enumerate(WEIGHT * truths):
        total += values[:, said, None] * row
    return total / (1 + WEIGHT)


@dataclass(frozen=True)
class PredictionSets:
    """Which classes of a pixel are not excluded.

    Parameters
    ----------
    largest : float
        Score (1 less the mixed probability) above which a class is excluded; infinite: none is.
    truths : ndarray of float, shape (n_classes, n_classes)
        Of `truths_of_said`, for the classes of the model.
    """

    largest: float
    truths: np.ndarray

    def kept(self, probabilities: np.ndarray) -> np.ndarray:
        """Classes that are not excluded; the most probable one, that of the map, never is.

        Parameters
        ----------
        probabilities : ndarray of float, shape (n_pixels, n_classes)
            As the model gives them.

        Returns
        -------
        ndarray of bool, shape (n_pixels, n_classes)
        """
        if math.isinf(self.largest):
            return np.ones(probabilities.shape, dtype=bool)
        # What is just as improbable is kept: float32 and float64 tell it apart otherwise.
        found = mixed(probabilities, self.truths) >= 1 - self.largest - 1e-6
        found[np.arange(len(found)), probabilities.argmax(axis=1)] = True
        return found

    def sizes(self, probabilities: np.ndarray) -> np.ndarray:
        """Number of classes that are not excluded, int64 of shape (n_pixels,), from 1 to all."""
        return self.kept(probabilities).sum(axis=1)


def sets_of(
    probabilities: np.ndarray, truth: np.ndarray, fold: np.ndarray, errors: float
) -> PredictionSets:
    """Prediction sets of a model, from what others said of samples that these had not learnt.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n_samples, n_classes)
        Of the models of the folds.
    truth : ndarray of int, shape (n_samples,)
        Column of the class of each sample.
    fold : ndarray of int, shape (n_samples,)
        Fold of its polygon: its score is made by what the other folds tell.
    errors : float
        See `threshold`.
    """
    scores = np.empty(len(truth))
    for number in np.unique(fold):
        apart = fold == number
        others = truths_of_said(probabilities[~apart], truth[~apart])
        values = mixed(probabilities[apart], others)
        scores[apart] = 1 - values[np.arange(len(values)), truth[apart]]
    return PredictionSets(threshold(scores, errors), truths_of_said(probabilities, truth))


def sets_of_model(predictions: str, model: str, errors: float) -> PredictionSets:
    """Prediction sets of a model, from what folds say of its samples.

    Each sample has one vote. Folds are made of the same share of each polygon, so that a pixel of a
    large one counts as much as that of a small one, as in the map. Polygons whose label looks wrong
    count too, also where they are not learnt: most of them are right, and errors of the map.

    Parameters
    ----------
    predictions : str
        Table of `folds.write_folds`.
    model : str
        Folder of the model, whose temperature its probabilities get.
    errors : float
        See `threshold`.
    """
    import pandas as pd  # mapping without sets does not wait for tables

    from iota2_tools.reference.dealing import EVERYWHERE

    table = pd.read_parquet(predictions)
    told = table[table["fold"] != EVERYWHERE]
    described = engines.describe(model)
    codes = np.array(sorted(int(code) for code in described["classes"]))
    values = np.zeros((len(told), len(codes)))
    for name in told:
        if name.startswith("p_") and int(name[2:]) in codes:
            values[:, np.searchsorted(codes, int(name[2:]))] = told[name]
    temperature = described.get("calibration", {}).get("temperature", 1)
    if temperature != 1:
        values = tempered(values, temperature)
    truth = np.searchsorted(codes, told["code"].to_numpy())
    found = sets_of(values, truth, told["fold"].to_numpy(), errors)
    if math.isinf(found.largest):
        logger.warning(
            "%s: %d sample(s) were judged by folds, too few to exclude any class with %g errors allowed",
            *(model, len(told), errors),
        )
    else:
        logger.info(
            "%s: classes below a mixed probability of %.4f are excluded", model, 1 - found.largest
        )
    return found
