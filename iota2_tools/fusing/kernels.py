"""Loops over the pixels of a window: what several sources say becomes one label.

Labels are codes of the nomenclature, 0 where a source has no pixel. A label decided on is int32:
a code, 0 where no source has the pixel, `UNDECIDED` where the best are equal.
"""

import numpy as np

from iota2_tools.core.kernels import kernel

UNDECIDED = -1
NO_PROBABILITY = 65535
"""Of a source without the pixel, in the bands of probabilities."""
SAME = 1e-12
"""Scores that differ by less, against the larger one, are equal: products of the same masses in
another order differ by rounding."""

BLOCK = 1024
"""Pixels whose sums stay in cache while the bands of all sources go by."""

MOST_CONFIDENT, MOST_SAMPLES, KEEP = 0, 1, 2
"""What an undecided pixel becomes (`methods.UNDECIDED_RULES`)."""

NONE, ALL, NO_SOURCE, LEFT = 0, 1, 254, 255
"""Choice: no source has the pixel; all say the label; no source alone says it; left undecided.
Between them 2 is the first source, 3 the second, and so on."""


@kernel
def vote(labels, weights, decided):
    """Sum of the weights of each label; the largest wins, equal ones stay undecided.

    Parameters
    ----------
    labels : ndarray of integers, shape (n_sources, n_pixels)
    weights : ndarray of integers, same shape
    decided : ndarray of int32, shape (n_pixels,)
        Written.
    """
    sources, pixels = labels.shape
    for pixel in range(pixels):
        # Often one label has more than half of the weight: nothing else needs to be counted.
        lead, own, rest = np.int64(labels[0, pixel]), np.int64(0), np.int64(0)
        for source in range(sources):
            code, weight = np.int64(labels[source, pixel]), np.int64(weights[source, pixel])
            own += weight * (code == lead)
            rest += weight * ((code != lead) & (code != 0))
        if lead != 0 and own > rest:
            decided[pixel] = lead
            continue
        best, label, equal = np.int64(-1), np.int64(0), False
        for first in range(sources):
            code, total = np.int64(labels[first, pixel]), np.int64(0)
            if code == 0 or code == label:
                continue
            for source in range(sources):
                total += np.int64(weights[source, pixel]) * (labels[source, pixel] == code)
            if total > best:
                best, label, equal = total, code, False
            elif total == best:
                equal = True
        decided[pixel] = UNDECIDED if equal else label


@kernel
def combine(labels, masses, positions, decided, belief):
    """Dempster's rule for sources that each support the one label they say.

    Parameters
    ----------
    labels : ndarray of integers, shape (n_sources, n_pixels)
    masses : ndarray of float64, shape (n_sources, n_classes)
        Support of a source for a label when it says that label, 0-1; the rest is ignorance.
    positions : ndarray of int32, shape (largest code + 1,)
        Column of each code.
    decided : ndarray of int32, shape (n_pixels,)
        Written: the label of greatest score; undecided where two are equal, where no source has
        an opinion, and in total conflict.
    belief : ndarray of float64, shape (n_pixels,)
        Written: belief of that label, 0-1.
    """
    sources, pixels = labels.shape
    doubt = np.empty(sources)  # of each label said: product of 1 - mass of those that say it
    said = np.empty(sources, np.int64)
    for pixel in range(pixels):
        count = 0
        for source in range(sources):
            code = np.int64(labels[source, pixel])
            if code == 0:
                continue
            rest = 1.0 - masses[source, positions[code]]
            slot = 0
            while slot < count and said[slot] != code:
                slot += 1
            if slot < count:
                doubt[slot] *= rest
                continue
            said[slot] = code
            doubt[slot] = rest
            count += 1
        best, total, ignorance, label, equal = 0.0, 0.0, 1.0, np.int64(0), False
        for slot in range(count):
            score = 1.0 - doubt[slot]
            ignorance *= doubt[slot]
            for other in range(slot):
                score *= doubt[other]
            for other in range(slot + 1, count):
                score *= doubt[other]
            total += score
            if score > best * (1.0 + SAME):
                best = score
                label = said[slot]
                equal = False
            elif score >= best * (1.0 - SAME):
                equal = True
        if equal:  # also of scores that are all 0: no opinion, or total conflict
            label = UNDECIDED
        decided[pixel] = label
        belief[pixel] = best / (total + ignorance) if best > 0.0 else 0.0


@kernel
def average(probabilities, weights, codes, mean, decided):
    """Weighted mean of probabilities over the sources that have the pixel, rounded half up.

    Parameters
    ----------
    probabilities : ndarray of uint16, shape (n_sources, n_classes, n_pixels)
        Per mille; `NO_PROBABILITY` where a source has no pixel.
    weights : ndarray of float64, shape (n_sources, n_pixels)
    codes : ndarray of int32, shape (n_classes,)
        In increasing order.
    mean : ndarray of uint16, shape (n_classes, n_pixels)
        Written, per mille.
    decided : ndarray of int32, shape (n_pixels,)
        Written: class of the largest mean, the smallest code of equal ones.
    """
    sources, classes, pixels = probabilities.shape
    share, total = np.empty((sources, BLOCK)), np.empty(BLOCK)
    amount, best = np.empty(BLOCK), np.empty(BLOCK)
    for start in range(0, pixels, BLOCK):
        size = min(BLOCK, pixels - start)
        total[:] = 0.0
        best[:] = -1.0
        for source in range(sources):
            for place in range(size):
                known = probabilities[source, 0, start + place] != NO_PROBABILITY
                share[source, place] = weights[source, start + place] if known else 0.0
                total[place] += share[source, place]
        decided[start : start + size] = 0
        for column in range(classes):
            amount[:] = 0.0
            for source in range(sources):
                for place in range(size):
                    amount[place] += (
                        share[source, place] * probabilities[source, column, start + place]
                    )
            for place in range(size):
                if total[place] == 0.0:
                    mean[column, start + place] = NO_PROBABILITY
                    continue
                value = np.floor(amount[place] / total[place] + 0.5)
                mean[column, start + place] = np.uint16(value)
                if value > best[place]:
                    best[place] = value
                    decided[start + place] = codes[column]


@kernel
def settle(labels, confidence, samples, rule, shared, decided, source, choice, sure):
    """Settle what is undecided; say which source each pixel follows, and how sure it is.

    Parameters
    ----------
    labels : ndarray of integers, shape (n_sources, n_pixels)
    confidence : ndarray of uint8, same shape
        Percent; 0: the source has none.
    samples : ndarray of int64, shape (n_sources,)
        Samples that each source has learnt.
    rule : int
        `MOST_CONFIDENT`: the label of the most confident source; `MOST_SAMPLES`: of the one that
        learnt most; of equal ones the first. `KEEP`: as it is.
    shared : bool
        Whether confidence is the mean over the sources that have one of their own if they say the
        label, of the rest if not, cut to whole percents and at least 1; else it is that of `source`.
    decided : ndarray of int32, shape (n_pixels,)
        Changed.
    source : ndarray of int16, shape (n_pixels,)
        Written: the most confident source that says the label, the first of equal ones; where
        none says it, the most confident of all. -1: no source has the pixel.
    choice : ndarray of uint8, shape (n_pixels,)
        Written: see `NONE`.
    sure : ndarray of uint8, shape (n_pixels,)
        Written: confidence, 0 where there is no class.
    """
    sources, pixels = labels.shape
    for pixel in range(pixels):
        label = decided[pixel]
        if label == 0:
            source[pixel], choice[pixel], sure[pixel] = -1, NONE, 0
            continue
        if label == UNDECIDED and rule != KEEP:
            label = np.int32(labels[_leading(labels, confidence, samples, rule, pixel), pixel])
            decided[pixel] = label
        agreeing, best, found, total, count = 0, -1, -1, 0, 0
        for number in range(sources):
            code = np.int64(labels[number, pixel])
            own = np.int64(confidence[number, pixel])
            same = code == label
            if same:
                agreeing += 1
                if own > best:
                    best = own
                    found = number
            if code != 0 and own > 0:
                count += 1
                total += own if same else 100 - own
        if agreeing == 0:
            source[pixel] = _leading(labels, confidence, samples, MOST_CONFIDENT, pixel)
            choice[pixel] = LEFT if label == UNDECIDED else NO_SOURCE
            sure[pixel] = 0
            continue
        source[pixel] = found
        choice[pixel] = ALL if agreeing == sources else found + 2
        if shared:
            best = max(total // count, 1) if count else 0
        sure[pixel] = best


@kernel
def _leading(labels, confidence, samples, rule, pixel):
    """The source that a pixel follows where its label does not tell; the first of equal ones."""
    most, leading = np.int64(-1), 0
    for number in range(labels.shape[0]):
        if labels[number, pixel] != 0:
            rank = samples[number]
            if rule == MOST_CONFIDENT:
                rank = np.int64(confidence[number, pixel])
            if rank > most:
                most = rank
                leading = number
    return leading


@kernel
def first_unknown(labels, positions):
    """First label that is neither 0 nor a code of the nomenclature; 0 if all are known.

    Parameters
    ----------
    labels : ndarray of integers, shape (n_sources, n_pixels)
    positions : ndarray of int32, shape (largest code + 1,)
        -1 for what is no code.
    """
    for source in range(labels.shape[0]):
        for pixel in range(labels.shape[1]):
            code = np.int64(labels[source, pixel])
            if code != 0 and (code >= len(positions) or positions[code] < 0):
                return code
    return np.int64(0)
