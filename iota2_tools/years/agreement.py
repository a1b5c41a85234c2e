"""Most probable class of each year, given all years and the pixels around that look alike.

What is seen of a pixel is what the classifiers say of it and, in the mean, of those of the 24 pixels around that
look like it in all years: they are of its parcel, as a rule. So a parcel that changed speaks with one
voice, and a pixel at an edge, whose classes differ from those of its neighbours, for itself:

``log e_k = log p_k + n (sum of w log p'_k) / max(sum of w, 1)``, ``w = exp(-H^2 / 0.1)``

with p + 0.01 in place of p, and H the Hellinger distance of the probabilities of both pixels in the year that it
is greatest in: H^2 is ``1 - sum of sqrt(p_k p'_k)``. Neighbours count for n pixels: they err together, so not
for all that there are.
Along time, the probability of a class is that of forward-backward recursion over the chain of classes.

References
----------
Bishop (2006), Pattern recognition and machine learning, 13.2 (forward-backward recursion). Tomasi and
Manduchi (1998), Bilateral filtering for gray and color images, ICCV, doi:10.1109/ICCV.1998.710815
(weights by likeness). Genest and Zidek (1986), Combining probability distributions, Statistical Science 1(1),
doi:10.1214/ss/1177013825 (means of logarithms).
"""

import numpy as np

from iota2_tools.core.kernels import kernel
from iota2_tools.years.chains import Chain

RADIUS = 2
"""Pixels to each side that are looked at."""
LIKENESS = 0.1
"""Greatest squared Hellinger distance of the years at which a neighbour counts 1/e."""
FLOOR = 10
"""Added to each probability, per mille, before its logarithm is taken: shares of votes may be 0."""
STEPS = 256
"""Exponentials are taken from tables in steps of 1 / 256: so all pixels have the same ones, in any window."""
LEAST_LOG = 20
"""Likelihoods below exp(-20) of the greatest are taken as that."""

LEAST = 1e-150
"""Of what is known of a class of a pixel from years before, or after: the product of both is no 0. What more than
some 17 years are sure of against a class counts as this."""

MOST = 1000
ROOTS = np.sqrt(np.arange(MOST + 1) / 1000).astype(np.float32)
LOGS = np.log((np.arange(MOST + 1) + FLOOR) / 1000).astype(np.float32)
POWERS = np.exp(-np.arange(LEAST_LOG * STEPS + 1) / STEPS).astype(np.float32)


def reach(neighbours: float) -> int:
    """Pixels around one that it depends on, to each side."""
    return RADIUS if neighbours else 0


def most_probable(
    probabilities: np.ndarray, chain: Chain, neighbours: float = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Most probable class of each year, given all years.

    Parameters
    ----------
    probabilities : ndarray of uint16, shape (n_years, n_classes, rows + 2 n, cols + 2 n)
        Per mille, with a margin of n = `reach(neighbours)` pixels on each side; 65535 where a pixel is not
        mapped, so also beyond the map.
    chain : Chain
        Of the classes.
    neighbours : float
        For how many pixels those around count; 0: each pixel is alone.

    Returns
    -------
    place : ndarray of uint16, shape (n_years, rows, cols)
        Class counted from 1, the first of equal ones; 0 where the pixel is not mapped in that year.
    belief : ndarray of uint8, shape (n_years, rows, cols)
        Its probability, percent, at least 1; 0 where the pixel is not mapped.
    """
    years, _, *sides = probabilities.shape
    shape = (years, *(side - 2 * reach(neighbours) for side in sides))
    place, belief = np.zeros(shape, dtype=np.uint16), np.zeros(shape, dtype=np.uint8)
    given = np.ascontiguousarray(probabilities)
    _fill(given, chain.shares, chain.transitions, np.float32(neighbours), place, belief)
    return place, belief


@kernel(error_model="numpy")
def _fill(probabilities, shares, transitions, neighbours, place, belief):
    """Fill `place` and `belief`, row by row."""
    years, classes, _, cols = probabilities.shape
    _, rows, width = place.shape
    margin = RADIUS if neighbours else 0
    side = 2 * margin + 1
    roots = np.zeros((side, years, classes, cols if margin else 1), dtype=np.float32)
    logs, known = np.zeros_like(roots), np.zeros_like(roots[:, :, 0])
    means = np.empty((years, classes, width), dtype=np.float32)
    weight, found = np.empty((years, classes, width)), np.empty((years, classes, width))
    messages = np.empty((3, classes, width))
    for i in range(2 * margin if margin else 0):
        _look(probabilities[:, :, i], roots[i], logs[i], known[i])
    for i in range(rows):
        if margin:
            last = (i + 2 * margin) % side
            _look(probabilities[:, :, i + 2 * margin], roots[last], logs[last], known[last])
            _pool(roots, logs, known, (i + margin) % side, means)
        for year in range(years):
            first = probabilities[year, 0, i + margin, margin : margin + width]
            if margin:
                centre = logs[(i + margin) % side, year]
                _together(first, centre, means[year], neighbours, shares, messages[0], weight[year])
                continue
            for k in range(classes):
                _weigh(first, probabilities[year, k, i], shares[k], weight[year, k])
        _along_time(weight, shares, transitions, messages, found)
        for year in range(years):
            first = probabilities[year, 0, i + margin, margin : margin + width]
            _decide(first, found[year], place[year, i], belief[year, i])


@kernel(error_model="numpy")
def _look(row, roots, logs, known):
    """Square roots and logarithms of the probabilities of a row; 0 where nothing is mapped."""
    years, classes, cols = row.shape
    for year in range(years):
        for j in range(cols):
            known[year, j] = row[year, 0, j] != 65535
        for k in range(classes):
            for j in range(cols):
                seen = row[year, 0, j] != 65535
                value = min(row[year, k, j], MOST)
                roots[year, k, j] = ROOTS[value] if seen else np.float32(0)
                logs[year, k, j] = LOGS[value] if seen else np.float32(0)


@kernel(error_model="numpy")
def _pool(roots, logs, known, centre, means):
    """Mean logarithms of the neighbours of a row, weighted by likeness; those of few are lessened.

    `roots`, `logs` and `known` hold the rows around in a ring; that of `centre` is looked at.
    """
    side, years, classes, cols = roots.shape
    width = cols - 2 * RADIUS
    total = np.zeros((years, width), dtype=np.float32)
    weight, both = np.empty(width, dtype=np.float32), np.empty(width, dtype=np.float32)
    means[:] = 0
    for other in range(side):
        for shift in range(side):
            if other == centre and shift == RADIUS:
                continue
            weight[:] = 0
            for year in range(years):
                both[:] = 0
                for k in range(classes):
                    here = roots[centre, year, k, RADIUS : RADIUS + width]
                    there = roots[other, year, k, shift : shift + width]
                    for j in range(width):
                        both[j] += here[j] * there[j]
                here = known[centre, year, RADIUS : RADIUS + width]
                there = known[other, year, shift : shift + width]
                for j in range(width):
                    weight[j] = max(weight[j], (np.float32(1) - both[j]) * here[j] * there[j])
            for j in range(width):
                step = np.int32(weight[j] * np.float32(STEPS / LIKENESS) + np.float32(0.5))
                weight[j] = POWERS[min(step, LEAST_LOG * STEPS)]
            for year in range(years):
                there = known[other, year, shift : shift + width]
                for j in range(width):
                    total[year, j] += weight[j] * there[j]
                for k in range(classes):
                    there = logs[other, year, k, shift : shift + width]
                    for j in range(width):
                        means[year, k, j] += weight[j] * there[j]
    for year in range(years):
        for k in range(classes):
            for j in range(width):
                means[year, k, j] /= max(total[year, j], np.float32(1))


@kernel(error_model="numpy")
def _together(first, logs, means, neighbours, shares, most, weight):
    """How likely what is seen of a row and its neighbours is, of each class, but for a factor."""
    classes, width = weight.shape
    most = most[0]
    for k in range(classes):
        own = logs[k, RADIUS : RADIUS + width]
        for j in range(width):
            weight[k, j] = own[j] + neighbours * means[k, j]
            most[j] = weight[k, j] if k == 0 else max(most[j], weight[k, j])
    for k in range(classes):
        for j in range(width):
            step = np.int32((most[j] - weight[k, j]) * np.float32(STEPS) + np.float32(0.5))
            likelihood = POWERS[min(step, LEAST_LOG * STEPS)] / shares[k]
            weight[k, j] = 1.0 if first[j] == 65535 else likelihood


@kernel(error_model="numpy")
def _weigh(first, values, share, weight):
    """How likely what a classifier says is, were the pixels of a row of this class (`chains.likelihoods`)."""
    factor = 0.001 / share
    for j in range(len(values)):
        likelihood = max(np.float64(values[j]), 0.5) * factor
        weight[j] = 1.0 if first[j] == 65535 else likelihood


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
    """Bring the values of each pixel of a row to a sum of 1; none is 0: other years may say more."""
    classes, cols = values.shape
    for j in range(cols):
        total[j] = 0
    for k in range(classes):
        for j in range(cols):
            total[j] += values[k, j]
    for j in range(cols):
        total[j] = 1 / total[j]
    for k in range(classes):
        for j in range(cols):
            values[k, j] = max(values[k, j] * total[j], LEAST)


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
