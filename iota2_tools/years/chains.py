"""Classes of a pixel over years as a Markov chain, seen through each year's classifier.

The chain says how often a class becomes another from one year to the next. Forward-backward
recursion gives the probability of each class in each year, given what the classifiers said in all
years; Baum and Welch's steps find the chain that makes what they said most likely.

References
----------
Rabiner (1989), A tutorial on hidden Markov models, Proc. IEEE 77(2), doi:10.1109/5.18626.
Abercrombie and Friedl (2016), Improving the consistency of multitemporal land cover maps using a
hidden Markov model, IEEE TGRS 54(2), doi:10.1109/TGRS.2015.2463689.
"""

from dataclasses import dataclass

import numpy as np

UNKNOWN = 65535
"""Of a pixel that is not mapped in a year: nothing is known of it then."""
LEAST = 0.5
"""Per mille that a class has at least: 0 of a thousand votes does not mean never."""
MOST_ROUNDS = 200
SETTLED = 1e-5
"""Largest change of a probability of the chain in a round after which no more follow."""
FIRST_CHANGE = 0.1
"""Yearly change that the search begins with."""


@dataclass(frozen=True)
class Chain:
    """How classes follow one another.

    Parameters
    ----------
    shares : ndarray of float64, shape (n_classes,)
        Share of each class in what the classifiers say; sums to 1.
    transitions : ndarray of float64, shape (n_classes, n_classes)
        Probability that a class (row) is another one (column) a year later; rows sum to 1.
    """

    shares: np.ndarray
    transitions: np.ndarray


def steady(shares: np.ndarray, change: float) -> np.ndarray:
    """Transitions where each class changes as often, into others by their shares.

    >>> steady(np.array([0.5, 0.25, 0.25]), 0.1).round(3).tolist()
    [[0.9, 0.05, 0.05], [0.067, 0.9, 0.033], [0.067, 0.033, 0.9]]
    """
    others = np.tile(shares, (len(shares), 1)) * ~np.eye(len(shares), dtype=bool)
    sums = others.sum(axis=1, keepdims=True)
    return np.eye(len(shares)) * (1 - change) + change * others / np.where(sums > 0, sums, 1)


def cautious_change(shares: np.ndarray, caution: float) -> float:
    """Yearly change where a class is so many times likelier to stay than to become one other.

    There are ``N = 1 / sum(shares^2)`` classes, counted by their shares (Simpson 1949,
    doi:10.1038/163688a0); change leads to ``N - 1`` of them. So what a classifier must say for one of
    these changes to be believed depends on the caution alone, not on how many classes a map has.

    >>> round(cautious_change(np.array([0.25, 0.25, 0.25, 0.25]), 2), 3)
    0.6
    """
    others = 1 / (shares**2).sum() - 1
    return float(others / (others + caution))


def shares_of(probabilities: np.ndarray) -> np.ndarray:
    """Share of each class over all years and pixels that are mapped.

    Parameters
    ----------
    probabilities : ndarray of uint16, shape (n_years, n_classes, n_pixels)
        Per mille; 65535 where a pixel is not mapped.

    Returns
    -------
    ndarray of float64, shape (n_classes,)
    """
    known = probabilities[:, 0] != UNKNOWN
    sums = np.array(
        [
            np.maximum(year[:, seen], LEAST).sum(axis=1)
            for year, seen in zip(probabilities, known, strict=True)
        ]
    ).sum(axis=0)
    return sums / sums.sum()


def likelihoods(probabilities: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """How likely what a classifier says is, were the pixel of each class (but for a factor).

    By Bayes' rule it is the probability of the class over its share; 1 of all classes where nothing is known.

    Returns
    -------
    ndarray of float64, shape of `probabilities`
    """
    floored = np.maximum(probabilities.astype(np.float64), LEAST) / (1000 * shares[:, np.newaxis])
    known = probabilities[:, :1] != UNKNOWN
    return np.where(known, floored, 1.0)


def estimate_chain(probabilities: np.ndarray) -> Chain:
    """Find the chain of some pixels by Baum and Welch's steps; shares stay those that are seen.

    Parameters
    ----------
    probabilities : ndarray of uint16, shape (n_years, n_classes, n_pixels)
        Per mille; 65535 where a pixel is not mapped. Two years at least.

    Returns
    -------
    Chain
    """
    shares = shares_of(probabilities)
    seen = likelihoods(probabilities, shares)
    transitions = steady(shares, FIRST_CHANGE)
    for _ in range(MOST_ROUNDS):
        found = _reestimated(seen, Chain(shares, transitions))
        moved = np.abs(found - transitions).max()
        transitions = found
        if moved < SETTLED:
            break
    return Chain(shares, transitions)


def _reestimated(seen: np.ndarray, chain: Chain) -> np.ndarray:
    """Transitions that a chain would be seen to make (Rabiner 1989, equation 40b)."""
    forward, backward = _messages(seen, chain)
    pairs = np.zeros_like(chain.transitions)
    for year in range(len(seen) - 1):
        after = seen[year + 1] * backward[year + 1]
        total = ((forward[year].T @ chain.transitions) * after.T).sum(axis=1)
        pairs += chain.transitions * ((forward[year] / total) @ after.T)
    return pairs / pairs.sum(axis=1, keepdims=True)


def _messages(seen: np.ndarray, chain: Chain) -> tuple[np.ndarray, np.ndarray]:
    """Forward and backward messages, each year's scaled to a sum of 1."""
    forward, backward = np.empty_like(seen), np.ones_like(seen)
    message = chain.shares[:, np.newaxis] * seen[0]
    for year in range(len(seen)):
        if year:
            message = (chain.transitions.T @ forward[year - 1]) * seen[year]
        forward[year] = message / message.sum(axis=0)
    for year in range(len(seen) - 2, -1, -1):
        message = chain.transitions @ (seen[year + 1] * backward[year + 1])
        backward[year] = message / message.sum(axis=0)
    return forward, backward
