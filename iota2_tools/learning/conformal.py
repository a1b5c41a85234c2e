"""Which classes cannot be excluded: sets of classes that hold the true one as often as was asked for.

From folds of the learning polygons it is known how improbable the true class may seem to a model
that has not learnt the polygon. A class stays in the set of a pixel unless it is more improbable
than that. The promise is marginal: over all pixels that are like those of the polygons, not for
each class, nor for each place.

References
----------
Vovk, Gammerman and Shafer (2005), Algorithmic learning in a random world; Angelopoulos and Bates
(2021), A gentle introduction to conformal prediction, arXiv:2107.07511, section 1 (score 1 - p).
"""

import logging
import math

import numpy as np

from iota2_tools.learning import engines
from iota2_tools.learning.reliability import tempered

logger = logging.getLogger(__name__)


def threshold(scores: np.ndarray, errors: float) -> float:
    """The largest score of a class that is not excluded.

    Parameters
    ----------
    scores : ndarray of float, shape (n,)
        1 less the probability of the true class, of samples that were not learnt.
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


def set_sizes(probabilities: np.ndarray, largest: float) -> np.ndarray:
    """Number of classes that are not excluded; the most probable one never is.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n_pixels, n_classes)
    largest : float
        Of `threshold`.

    Returns
    -------
    ndarray of int64, shape (n_pixels,)
        From 1 to n_classes.
    """
    if math.isinf(largest):
        return np.full(len(probabilities), probabilities.shape[1])
    # What is just as improbable is kept: float32 and float64 tell it apart otherwise.
    kept = probabilities >= 1 - largest - 1e-6
    return np.maximum(kept.sum(axis=1), 1)


def threshold_of_model(predictions: str, model: str, errors: float) -> float:
    """Threshold of a model, from what folds say of its samples.

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
    columns = [name for name in table if name.startswith("p_")]
    values = told[columns].to_numpy(dtype=float)
    temperature = engines.describe(model).get("calibration", {}).get("temperature", 1)
    if temperature != 1:
        values = tempered(values, temperature)
    codes = np.array([int(name[2:]) for name in columns])
    own = values[np.arange(len(told)), np.searchsorted(codes, told["code"])]
    found = threshold(1 - own, errors)
    if math.isinf(found):
        logger.warning(
            "%s: %d sample(s) were judged by folds, too few to exclude any class with %g errors allowed",
            *(model, len(told), errors),
        )
    else:
        logger.info("%s: classes below a probability of %.4f are excluded", model, 1 - found)
    return found
