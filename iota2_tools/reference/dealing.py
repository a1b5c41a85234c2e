"""Polygons dealt into folds, class by class, so that no polygon stands in two of them."""

from collections.abc import Hashable

import numpy as np

from iota2_tools.core.draws import generator

EVERYWHERE = -1
"""Fold of a polygon that is the only one of its class: it is never set apart."""


def deal(
    polygons: np.ndarray, codes: np.ndarray, folds: int, random_seed: int, *names: Hashable
) -> np.ndarray:
    """Deal the polygons of each class among folds, at random, as equally as can be.

    The draw of a class depends on the seed, the names and the class alone. It begins at a fold of
    its own, so that small classes do not all stand in the first ones.

    Parameters
    ----------
    polygons : ndarray of int, shape (n,)
        Numbers of the polygons; one may stand several times, as for each of its samples.
    codes : ndarray of int, shape (n,)
        Class of each.
    folds : int
        Number of folds.
    random_seed, names
        See `core.draws.generator`.

    Returns
    -------
    ndarray of int64, shape (n,)
        Fold from 0, or `EVERYWHERE`.
    """
    found = np.full(len(polygons), EVERYWHERE, dtype=np.int64)
    for code in np.unique(codes):
        places = np.flatnonzero(codes == code)
        own, inverse = np.unique(polygons[places], return_inverse=True)
        if len(own) < 2:
            continue
        draws = generator(random_seed, *names, int(code))
        first = int(draws.integers(folds))
        order = np.empty(len(own), dtype=np.int64)
        order[draws.permutation(len(own))] = (first + np.arange(len(own))) % folds
        found[places] = order[inverse]
    return found
