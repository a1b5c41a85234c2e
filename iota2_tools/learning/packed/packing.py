"""Whether a model is packed for mapping, and whether it then answers as scikit-learn does."""

import logging
from typing import Any

import numpy as np

from iota2_tools.core.draws import generator
from iota2_tools.learning.packed.boosting import PackedBoosting, can_be_packed, pack_boosting
from iota2_tools.learning.packed.forest import PackedForest, is_forest, pack_forest

logger = logging.getLogger(__name__)

Packed = PackedForest | PackedBoosting

COMPARED = 256
"""Samples on which packed trees and scikit-learn are compared, at the end of learning."""
TOLERANCE = 1e-9
"""Difference of a probability that the order of a sum may make."""


def pack(estimator: Any, dtype: str) -> Packed | None:
    """Pack a fitted estimator for features of one type; None for one that is not of packed trees."""
    if is_forest(estimator):
        return pack_forest(estimator, dtype)
    return pack_boosting(estimator, dtype) if can_be_packed(estimator) else None


def compare(estimator: Any, features: np.ndarray) -> tuple[Packed | None, dict[str, Any]]:
    """Pack a fitted estimator, and compare its answers on some of its samples.

    The packing reads private parts of scikit-learn, of which another release may mean other things.

    Parameters
    ----------
    features : ndarray of int16 or float32, shape (n_samples, n_features)
        What it has learnt.

    Returns
    -------
    packed : Packed or None
        What may be used in its place.
    told : dict
        `packed`: whether it may be used. `not_packed`: the reason, where packed trees are there
        and answer otherwise or not at all.
    """
    rows = samples_to_compare(features)
    try:
        packed = pack(estimator, str(features.dtype))
        if packed is None:
            return None, {"packed": False}
        found = packed.predict_proba(rows)
    except Exception as error:  # whatever became of scikit-learn's private parts
        return None, {"packed": False, "not_packed": f"it cannot be packed ({error!r})"}
    expected = estimator.predict_proba(rows.astype(np.float32))
    if found.shape != expected.shape:
        return None, {"packed": False, "not_packed": "packed, it knows other classes"}
    difference = float(np.abs(found - expected).max())
    if difference <= TOLERANCE:
        logger.info("Packed trees answer as scikit-learn on %d samples", len(rows))
        return packed, {"packed": True}
    return None, {
        "packed": False,
        "not_packed": f"its probabilities differ from scikit-learn's by up to {difference:.2g} on {len(rows)} samples",
    }


def samples_to_compare(features: np.ndarray) -> np.ndarray:
    """Some samples, evenly spread; of every second one a tenth of float32 features goes missing."""
    chosen = np.linspace(0, len(features) - 1, min(COMPARED, len(features))).astype(int)
    rows = np.ascontiguousarray(features[chosen])
    if rows.dtype.kind == "f":
        missing = generator(0, "compare").random(rows.shape) < 0.1
        missing[::2] = False
        rows[missing] = np.nan
    return rows
