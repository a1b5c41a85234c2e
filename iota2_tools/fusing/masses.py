"""How far each source is believed when it says a class: masses, from its confusion matrix.

The matrix must come from polygons that the source has not learnt and that do not judge the fused
map either: from folds of the learning polygons (`learning.folds`). Masses from the validation
polygons make the scores of the fused map too good, by three points in the tests behind this.
"""

import logging
from collections.abc import Callable, Sequence

import numpy as np

logger = logging.getLogger(__name__)


def masses_of(matrix: np.ndarray, kind: str) -> np.ndarray:
    """Support of a source for each class it says.

    Parameters
    ----------
    matrix : ndarray of int, shape (n_classes, n_classes) or (n_classes, n_classes + 1)
        Rows: reference, columns: what the source says; the last column of the second form, pixels
        without class, is left out.
    kind : str
        Key of `KINDS`.

    Returns
    -------
    ndarray of float64, shape (n_classes,)
        0-1. 0, no opinion, for a class that the source never says in the matrix.

    References
    ----------
    Xu, Krzyzak, Suen (1992), Methods of combining multiple classifiers, 10.1109/21.155943.
    """
    square = np.asarray(matrix, float)[:, : len(matrix)]
    said = square.sum(axis=0) > 0
    values = np.broadcast_to(np.nan_to_num(KINDS[kind](square)), said.shape)
    return np.where(said, np.clip(values, 0, 1), 0.0)


def _quotient(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _precision(matrix: np.ndarray) -> np.ndarray:
    return _quotient(np.diagonal(matrix).copy(), matrix.sum(axis=0))


def _recall(matrix: np.ndarray) -> np.ndarray:
    return _quotient(np.diagonal(matrix).copy(), matrix.sum(axis=1))


def _accuracy(matrix: np.ndarray) -> np.ndarray:
    return _quotient(np.trace(matrix), matrix.sum())


def _kappa(matrix: np.ndarray) -> np.ndarray:
    by_chance = _quotient((matrix.sum(axis=0) * matrix.sum(axis=1)).sum(), matrix.sum() ** 2)
    return _quotient(_accuracy(matrix) - by_chance, 1 - by_chance)


KINDS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "precision": _precision,
    "recall": _recall,
    "accuracy": _accuracy,
    "kappa": _kappa,
}
"""Share right of what the source says, share found of the class; accuracy and kappa are one number
for all classes, so that of two sources the better one always wins."""


def masses_of_sources(
    matrices: Sequence[np.ndarray], kind: str, codes: Sequence[int], names: Sequence[str]
) -> np.ndarray:
    """Masses of several sources, shape (n_sources, n_classes); classes without are told in the log.

    Parameters
    ----------
    codes : sequence of int
        Classes of the rows and columns.
    names : sequence of str
        Of the sources, for the log.
    """
    masses = np.array([masses_of(matrix, kind) for matrix in matrices])
    for name, row in zip(names, masses, strict=True):
        without = [str(code) for code, mass in zip(codes, row, strict=True) if mass == 0]
        if without:
            logger.info(
                "%s has no opinion when it says class %s: in the folds of its learning polygons "
                "it never does, or never rightly",
                name,
                ", ".join(without),
            )
    return masses
