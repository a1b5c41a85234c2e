"""Probabilities for learners that have none, by folds in which no polygon is cut.

Pixels of one polygon look alike. Were they in the part learnt and in the part it is measured on, the
confidence would be too high.
"""

import logging

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from iota2_tools.core.errors import LearningError

logger = logging.getLogger(__name__)

FOLDS = 5
Folds = list[tuple[np.ndarray, np.ndarray]]


def polygon_folds(codes: np.ndarray, polygons: np.ndarray, wanted: int = FOLDS) -> Folds:
    """Folds of whole polygons, in which every class is learnt.

    There are as many as the class of fewest polygons has, `wanted` at most. A class of a single
    polygon has it cut into runs of its pixels, row by row, and the log says so.

    Parameters
    ----------
    codes, polygons : ndarray of int64, shape (n_samples,)
        Class and polygon of each sample, in the order of rows.

    Returns
    -------
    list of (ndarray, ndarray)
        Samples to learn and samples to measure on.

    Raises
    ------
    LearningError
        If a class has a single sample.
    """
    groups, single = _groups(codes, polygons, wanted)
    number = min(wanted, *(len(np.unique(groups[codes == code])) for code in np.unique(codes)))
    if number < 2:
        lonely = [str(code) for code in np.unique(codes) if (codes == code).sum() == 1]
        raise LearningError(
            f"class {', '.join(lonely)} has a single sample, and the learner no probabilities "
            "without a second one to calibrate them with; take another learner, or add samples"
        )
    if single:
        logger.warning(
            "class %s: a single polygon. Its confidence is calibrated on pixels beside those that "
            "were learnt, and is too high",
            ", ".join(map(str, single)),
        )
    logger.info("%d folds of whole polygons", number)
    return list(StratifiedGroupKFold(number).split(codes, codes, groups))


def _groups(codes: np.ndarray, polygons: np.ndarray, parts: int) -> tuple[np.ndarray, list[int]]:
    """Number of the group of each sample, and the classes of a single polygon."""
    _, groups = np.unique(polygons, return_inverse=True)
    single = []
    for code in np.unique(codes):
        samples = np.flatnonzero(codes == code)
        if len(np.unique(groups[samples])) == 1:
            single.append(int(code))
            runs = min(parts, len(samples))
            groups[samples] = groups.max() + 1 + np.arange(len(samples)) * runs // len(samples)
    return groups, single
