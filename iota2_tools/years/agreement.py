"""Most probable class of each year, given all years and the pixels around.

Along time, the probability of a class is that of forward-backward recursion over the chain of classes.
Across the map, a pixel believes in a class of a year the more, the more the eight pixels around
it do: what a classifier says of class k is multiplied by ``exp(beta S_k)``, where S_k is the sum of the
probabilities of k of these pixels in that year, given all years. A few times, all pixels at once: the
mean-field approximation of a Markov field whose pixels are chains. A change of a parcel has
neighbours that speak for it, one of a single pixel has not.

References
----------
Saul and Jordan (1996), Exploiting tractable substructures in intractable networks, NIPS 8 (chains
kept whole within a mean field). Liu, Song, Townshend and Gong (2008), Using local transition
probability models in Markov random fields for forest change detection, Remote Sensing of Environment 112(5).
"""

from functools import cache

import numpy as np

from iota2_tools.classifying.markov import Field
from iota2_tools.core.kernels import kernel
from iota2_tools.years.chains import Chain

STEPS = 250
"""Probabilities that neighbours see are kept in whole parts of this, a byte: no order of adding matters."""


@cache
def _pull(beta: float) -> np.ndarray:
    """``exp(beta S)`` of each sum of eight neighbours, in parts of `STEPS`; float32."""
    return np.exp(beta * np.arange(8 * STEPS + 1) / STEPS).astype(np.float32)


def reach(field: Field | None) -> int:
    """Pixels around one that it depends on, to each side."""
    return field.iterations if field else 0


def most_probable(
    probabilities: np.ndarray, chain: Chain, field: Field | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Most probable class of each year, given all years.

    Parameters
    ----------
    probabilities : ndarray of uint16, shape (n_years, n_classes, rows + 2 n, cols + 2 n)
        Per mille, with a margin of n = `reach(field)` pixels on each side; 65535 where a pixel is not
        mapped, so also beyond the map.
    chain : Chain
        Of the classes.
    field : Field, optional
        How neighbours count; by default each pixel is alone.

    Returns
    -------
    place : ndarray of uint16, shape (n_years, rows, cols)
        Class counted from 1, the first of equal ones; 0 where the pixel is not mapped in that year.
    belief : ndarray of uint8, shape (n_years, rows, cols)
        Its probability, percent, at least 1; 0 where the pixel is not mapped.
    """
    years, _, *sides = probabilities.shape
    shape = (years, *(side - 2 * reach(field) for side in sides))
    place, belief = np.zeros(shape, dtype=np.uint16), np.zeros(shape, dtype=np.uint8)
    pull, rounds = _pull(field.beta if field else 0), reach(field)
    given = np.ascontiguousarray(probabilities)
    shares, transitions = (item.astype(np.float32) for item in (chain.shares, chain.transitions))
    _iterate(given, shares, transitions, pull, rounds, place, belief)
    return place, belief


@kernel(error_model="numpy")
def _iterate(probabilities, shares, transitions, pull, rounds, place, belief):
    """Fill `place` and `belief`; each round knows one pixel a side less than the one before."""
    years, classes, rows, cols = probabilities.shape
    now = np.zeros(probabilities.shape if rounds else (years, classes, 1, 1), dtype=np.uint8)
    after = np.zeros_like(now)
    if rounds:
        _begin(probabilities, now)
    for done in range(min(rounds, 1), rounds + 1):
        last = cols - done
        weight = np.empty((years, classes, last - done), dtype=np.float32)
        found = np.empty_like(weight)
        messages = np.empty((3, classes, last - done), dtype=np.float32)
        for i in range(done, rows - done):
            for year in range(years):
                first = probabilities[year, 0, i, done:last]
                for k in range(classes):
                    _weigh(first, probabilities[year, k, i, done:last], shares[k], weight[year, k])
                    if done:
                        above = now[year, k, i - 1, done - 1 : last + 1]
                        here = now[year, k, i, done - 1 : last + 1]
                        below = now[year, k, i + 1, done - 1 : last + 1]
                        _pulled(first, above, here, below, pull, weight[year, k])
            _along_time(weight, shares, transitions, messages, found)
            for year in range(years):
                first = probabilities[year, 0, i, done:last]
                if done == rounds:
                    _decide(first, found[year], place[year, i - done], belief[year, i - done])
                    continue
                for k in range(classes):
                    _keep(first, found[year, k], after[year, k, i, done:last])
        now, after = after, now


@kernel(error_model="numpy")
def _begin(probabilities, now):
    """What each classifier says, in parts of `STEPS`; 0 where nothing is mapped."""
    years, classes, rows, cols = probabilities.shape
    for year in range(years):
        for k in range(classes):
            for i in range(rows):
                for j in range(cols):
                    value = np.int32(probabilities[year, k, i, j])
                    value = 0 if value == 65535 else (value * STEPS + 500) // 1000
                    now[year, k, i, j] = np.uint8(value)


@kernel(error_model="numpy")
def _weigh(first, values, share, weight):
    """How likely what a classifier says is, were the pixels of a row of this class (`chains.likelihoods`)."""
    factor = np.float32(0.001) / share
    for j in range(len(values)):
        likelihood = max(np.float32(values[j]), np.float32(0.5)) * factor
        weight[j] = np.float32(1) if first[j] == 65535 else likelihood


@kernel(error_model="numpy")
def _pulled(first, above, here, below, pull, weight):
    """Multiply the weights of a class in a row by what its neighbours in three rows believe of it.

    Not where the pixel is not mapped in that year: nothing is known of it then.
    """
    column = np.empty(len(here), dtype=np.uint16)
    for j in range(len(here)):
        column[j] = np.uint16(above[j]) + np.uint16(here[j]) + np.uint16(below[j])
    for j in range(len(weight)):
        around = np.int32(column[j]) + column[j + 1] + column[j + 2] - here[j + 1]
        weight[j] *= pull[0 if first[j] == 65535 else around]


@kernel(error_model="numpy")
def _along_time(weight, shares, transitions, messages, found):
    """Forward-backward recursion of the pixels of a row, into their probabilities."""
    years, classes, cols = weight.shape
    message, before, total = messages[0], messages[1], messages[2, 0]
    for year in range(years):
        if year:
            _through(transitions, found[year - 1], message)
        for k in range(classes):
            for j in range(cols):
                value = message[k, j] if year else shares[k]
                found[year, k, j] = value * weight[year, k, j]
        _scale(found[year], total)
    for k in range(classes):
        for j in range(cols):
            before[k, j] = weight[years - 1, k, j]
    for year in range(years - 2, -1, -1):
        _through(transitions.T, before, message)
        _scale(message, total)
        for k in range(classes):
            for j in range(cols):
                found[year, k, j] *= message[k, j]
                before[k, j] = message[k, j] * weight[year, k, j]
        _scale(found[year], total)


@kernel(error_model="numpy")
def _through(transitions, given, found):
    """A message of a row from one year to the next; back by the transposed transitions."""
    classes, cols = given.shape
    for k in range(classes):
        for j in range(cols):
            found[k, j] = 0
        for other in range(classes):
            rate = transitions[other, k]
            for j in range(cols):
                found[k, j] += rate * given[other, j]


@kernel(error_model="numpy")
def _scale(values, total):
    """Bring the values of each pixel of a row to a sum of 1."""
    classes, cols = values.shape
    for j in range(cols):
        total[j] = 0
    for k in range(classes):
        for j in range(cols):
            total[j] += values[k, j]
    for j in range(cols):
        total[j] = np.float32(1) / total[j]
    for k in range(classes):
        for j in range(cols):
            values[k, j] *= total[j]


@kernel(error_model="numpy")
def _keep(first, found, after):
    """Probabilities of a row in parts of `STEPS`, rounded half up; 0 where nothing is mapped."""
    for j in range(len(found)):
        value = np.int32(found[j] * np.float32(STEPS) + np.float32(0.5))
        after[j] = np.uint8(0 if first[j] == 65535 else value)


@kernel(error_model="numpy")
def _decide(first, found, place, belief):
    """Class of the greatest probability of each pixel of a row, the first of equal ones."""
    for j in range(len(first)):
        if first[j] == 65535:
            continue
        best = 0
        for k in range(1, len(found)):
            if found[k, j] > found[best, j]:
                best = k
        place[j] = best + 1
        belief[j] = max(int(100.0 * found[best, j] + 0.5), 1)
