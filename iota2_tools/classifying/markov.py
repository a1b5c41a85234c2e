"""Smoothing of class probabilities by a Markov random field, in its mean-field approximation.

A pixel believes in a class the more, the more the eight pixels around it do:
``Q = P`` at first, then a few times, all pixels at once, ``Q_k ~ (P_k + 0.01) exp(beta S_k)``, where S_k
is the sum of Q_k over the neighbours. A neighbour that is not mapped says nothing.

References
----------
Geman and Geman (1984), Stochastic relaxation, Gibbs distributions, and the Bayesian restoration of
images, IEEE PAMI 6(6). Zhang (1992), The mean field theory in EM procedures for Markov random
fields, IEEE Trans. Signal Processing 40(10).
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from iota2_tools.classifying.tile import NO_PROBABILITY
from iota2_tools.core.kernels import kernel

STEPS = 8000
"""Q is kept in whole parts of this: the sum of eight fits 16 bits, and no order of adding matters."""
FLOOR = 10
"""Added to each probability, per mille: a class that no tree voted for is not impossible."""
LARGEST_BETA = 3
"""Beyond it a pixel is what its neighbours are, whatever was seen of it."""


@dataclass(frozen=True)
class Field:
    """A Markov field.

    Parameters
    ----------
    beta : float
        Weight of a neighbour, above 0, at most `LARGEST_BETA`.
    iterations : int
        Rounds; a pixel depends on those so many pixels around it.
    """

    beta: float
    iterations: int


@cache
def _pull(beta: float) -> np.ndarray:
    """``exp(beta S)`` of each sum of eight neighbours, in parts of `STEPS`; float32."""
    return np.exp(beta * np.arange(8 * STEPS + 1) / STEPS).astype(np.float32)


def smooth(probabilities: np.ndarray, field: Field) -> tuple[np.ndarray, np.ndarray]:
    """Most probable class of each pixel after smoothing, and its probability.

    Parameters
    ----------
    probabilities : ndarray of uint16, shape (n_classes, rows + 2 n, cols + 2 n)
        Per mille, with a margin of n = `field.iterations` pixels on each side; `NO_PROBABILITY`
        in all classes where nothing is mapped, so also beyond the map.
    field : Field

    Returns
    -------
    place : ndarray of int32, shape (rows, cols)
        Number of the class from 0, the first of equal ones; -1 where nothing is mapped.
    belief : ndarray of float32, shape (rows, cols)
        Its Q, 0-1; 0 where nothing is mapped.
    """
    rows, cols = (side - 2 * field.iterations for side in probabilities.shape[1:])
    place = np.full((rows, cols), -1, dtype=np.int32)
    belief = np.zeros((rows, cols), dtype=np.float32)
    _iterate(
        np.ascontiguousarray(probabilities), field.iterations, _pull(field.beta), place, belief
    )
    return place, belief


@kernel
def _iterate(probabilities, rounds, pull, place, belief):
    """Fill `place` and `belief`; each round knows one pixel a side less than the one before."""
    classes, rows, cols = probabilities.shape
    now = np.zeros((classes, rows, cols), dtype=np.uint16)
    after = np.zeros((classes, rows, cols), dtype=np.uint16)
    for c in range(classes):
        for i in range(rows):
            for j in range(cols):
                value = probabilities[c, i, j]
                now[c, i, j] = 0 if value == NO_PROBABILITY else value * (STEPS // 1000)
    weight = np.zeros((classes, cols), dtype=np.float32)
    for done in range(1, rounds + 1):
        for i in range(done, rows - done):
            seen = probabilities[0, i, done : cols - done] != NO_PROBABILITY
            total = np.zeros(cols - 2 * done, dtype=np.float32)
            for c in range(classes):
                own = probabilities[c, i, done : cols - done]
                _weigh(
                    own, now[c, i - 1 : i + 2, done - 1 : cols - done + 1], pull, weight[c], total
                )
            if done == rounds:
                _decide(seen, weight, total, place[i - done], belief[i - done])
            else:
                _share(seen, weight, total, after[:, i, done : cols - done])
        now, after = after, now


@kernel
def _weigh(values, three, pull, weight, total):
    """Weights of a class in a row, from the beliefs of three rows; they are added to `total`."""
    column = np.empty(three.shape[1], dtype=np.uint16)
    for j in range(len(column)):
        column[j] = three[0, j] + three[1, j] + three[2, j]
    left, middle, right = column[:-2], column[1:-1], column[2:]
    here = three[1, 1:-1]
    around = np.empty(len(values), dtype=np.uint16)
    for j in range(len(values)):
        around[j] = left[j] + middle[j] + right[j] - here[j]
    for j in range(len(values)):
        weight[j] = np.float32(np.int32(values[j]) + FLOOR) * pull[around[j]]
        total[j] += weight[j]


@kernel
def _share(seen, weight, total, after):
    """Beliefs of a row from the weights of its classes, rounded half up; 0 where nothing is mapped."""
    part = np.zeros(len(seen), dtype=np.float32)
    for j in range(len(seen)):
        if seen[j]:
            part[j] = np.float32(STEPS) / total[j]
    for c in range(len(weight)):
        for j in range(len(seen)):
            after[c, j] = np.uint16(np.int32(weight[c, j] * part[j] + np.float32(0.5)))


@kernel
def _decide(seen, weight, total, place, belief):
    """Class of the greatest weight of each pixel of a row, the first of equal ones."""
    for j in range(len(seen)):
        if seen[j]:
            best = 0
            for c in range(1, len(weight)):
                if weight[c, j] > weight[best, j]:
                    best = c
            place[j] = best
            belief[j] = weight[best, j] / total[j]
