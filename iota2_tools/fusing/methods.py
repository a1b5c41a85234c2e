"""Several classifications of the same pixels become one: the small interface, and the methods.

A method is an entry of `METHODS`: what it reads of the sources, and how it decides. All else
(undecided pixels, choice, confidence, probabilities) follows for all methods alike.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from iota2_tools.core.errors import InputDataError
from iota2_tools.fusing.kernels import (
    KEEP,
    MOST_CONFIDENT,
    MOST_SAMPLES,
    UNDECIDED,
    average,
    combine,
    first_unknown,
    settle,
    vote,
)

UNDECIDED_RULES = {
    "most_confident": MOST_CONFIDENT,
    "most_samples": MOST_SAMPLES,
    "undecided": KEEP,
}


@dataclass(frozen=True)
class Sources:
    """What the sources say of some pixels.

    Parameters
    ----------
    classes : ndarray of uint8 or uint16, shape (n_sources, …)
        Codes of the nomenclature; 0 where a source has no pixel.
    confidence : ndarray of uint8, same shape
        Percent; 0 where a source has none.
    probabilities : ndarray of uint16, shape (n_sources, n_classes, …), optional
        Per mille, in the order of the codes; 0 for classes that a source does not know, 65535
        where it has no pixel.
    """

    classes: np.ndarray
    confidence: np.ndarray
    probabilities: np.ndarray | None = None


@dataclass(frozen=True)
class Known:
    """What is known of the sources, whatever the pixel.

    Parameters
    ----------
    codes : sequence of int
        Classes of the nomenclature, in increasing order.
    samples : sequence of int
        Samples that each source has learnt.
    masses : ndarray of float64, shape (n_sources, n_classes), optional
        See `masses.masses_of`.
    """

    codes: Sequence[int]
    samples: Sequence[int]
    masses: np.ndarray | None = None
    positions: np.ndarray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        positions = np.full(max(self.codes) + 1, -1, dtype=np.int32)
        positions[list(self.codes)] = np.arange(len(self.codes))
        object.__setattr__(self, "positions", positions)


@dataclass(frozen=True)
class FusionRules:
    """How sources are fused.

    Parameters
    ----------
    method : str
        Key of `METHODS`.
    undecided : str
        Key of `UNDECIDED_RULES`.
    undecided_label : int
        Written where `undecided` leaves a pixel undecided; no code of the nomenclature.
    weights : sequence of float
        Of the sources in the mean of probabilities; empty: all weigh the same.
    """

    method: str
    undecided: str = "most_confident"
    undecided_label: int = 255
    weights: Sequence[float] = ()


@dataclass(frozen=True)
class Fused:
    """One classification.

    Parameters
    ----------
    classes : ndarray of uint16, shape (…)
        0: no source has the pixel.
    confidence : ndarray of uint8, same shape
        Percent; 0 where there is no class, and where no source has a confidence.
    choice : ndarray of uint8, same shape
        0 no source has the pixel, 1 all say this class, 2 the first source, 3 the second, …; 254
        no source alone says it, 255 left undecided.
    probabilities : ndarray of uint16, shape (n_classes, …), optional
        Per mille, 65535 where no source has the pixel.
    """

    classes: np.ndarray
    confidence: np.ndarray
    choice: np.ndarray
    probabilities: np.ndarray | None = None


@dataclass(frozen=True)
class Decision:
    """What a method decides, on flat pixels: labels (see `kernels`), and mean probabilities."""

    labels: np.ndarray
    probabilities: np.ndarray | None = None


@dataclass(frozen=True)
class Method:
    """A way to fuse.

    Parameters
    ----------
    decide : callable
        (flat sources, what is known of them, weights) -> decision.
    reads : frozenset of str
        What it needs of `Sources` and `Known`, beside classes.
    shared : bool
        Whether the confidence is that of all sources together (`kernels.settle`); else it is that
        of the source chosen, or of the mean probability.
    """

    decide: Callable[[Sources, Known, np.ndarray | None], Decision]
    reads: frozenset[str] = frozenset()
    shared: bool = False


def _majority(sources: Sources, known: Known, weights: np.ndarray | None) -> Decision:
    decided = np.empty(sources.classes.shape[1], dtype=np.int32)
    vote(sources.classes, np.broadcast_to(np.uint8(1), sources.classes.shape), decided)
    return Decision(decided)


def _confidence(sources: Sources, known: Known, weights: np.ndarray | None) -> Decision:
    decided = np.empty(sources.classes.shape[1], dtype=np.int32)
    vote(sources.classes, sources.confidence, decided)
    return Decision(decided)


def _dempster_shafer(sources: Sources, known: Known, weights: np.ndarray | None) -> Decision:
    pixels = sources.classes.shape[1]
    decided, belief = np.empty(pixels, dtype=np.int32), np.empty(pixels)
    combine(sources.classes, known.masses, known.positions, decided, belief)
    return Decision(decided)


def _mean(sources: Sources, known: Known, weights: np.ndarray | None) -> Decision:
    values = sources.probabilities
    assert values is not None  # `Method.reads`
    pixels = sources.classes.shape[1]
    mean = np.empty((len(known.codes), pixels), dtype=np.uint16)
    decided = np.empty(pixels, dtype=np.int32)
    shares = np.broadcast_to(np.float64(1) if weights is None else weights, (len(values), pixels))
    average(values, shares, np.array(known.codes, dtype=np.int32), mean, decided)
    return Decision(decided, mean)


METHODS = {
    "majority": Method(_majority, shared=True),
    "confidence": Method(_confidence, frozenset({"confidence"}), shared=True),
    "dempster_shafer": Method(_dempster_shafer, frozenset({"masses"})),
    "mean": Method(_mean, frozenset({"probabilities"})),
}
"""Votes, votes weighted by confidence, Dempster and Shafer's theory, mean of probabilities."""


def fuse(
    sources: Sources, known: Known, rules: FusionRules, weights: np.ndarray | None = None
) -> Fused:
    """Fuse what several sources say of some pixels.

    Parameters
    ----------
    weights : ndarray of float64, shape (n_sources, 1) or (n_sources, n_pixels), optional
        Of the mean of probabilities; by default those of the rules.

    Raises
    ------
    InputDataError
        If a source says what is no class of the nomenclature.

    Notes
    -----
    Probabilities are the mean ones, or those of the source chosen: the most confident one of those
    that say the class, the first of equal ones in the order of the sources.
    """
    shape = sources.classes.shape[1:]
    flat = _flat(sources)
    unknown = int(first_unknown(flat.classes, known.positions))
    if unknown:
        raise InputDataError(
            f"a source says class {unknown}, which is not in the nomenclature; delete its maps, so "
            "that they are made anew"
        )
    method = METHODS[rules.method]
    if weights is None and len(rules.weights):
        weights = np.array(rules.weights, dtype=np.float64)[:, np.newaxis]
    decision = method.decide(flat, known, weights)
    labels, probabilities = decision.labels, decision.probabilities
    source = np.empty(labels.size, dtype=np.int16)
    choice, confidence = (np.empty(labels.size, dtype=np.uint8) for _ in range(2))
    settle(
        flat.classes,
        flat.confidence,
        np.asarray(known.samples, dtype=np.int64),
        UNDECIDED_RULES[rules.undecided],
        method.shared,
        labels,
        source,
        choice,
        confidence,
    )
    if probabilities is not None:
        confidence = _percent_of(probabilities, labels)
    elif flat.probabilities is not None:
        probabilities = _of_chosen(flat.probabilities, source)
    classes = np.where(labels == UNDECIDED, rules.undecided_label, labels).astype(np.uint16)
    return Fused(
        classes.reshape(shape),
        confidence.reshape(shape),
        choice.reshape(shape),
        None if probabilities is None else probabilities.reshape(-1, *shape),
    )


def _flat(sources: Sources) -> Sources:
    """The same with one axis of pixels."""
    count = len(sources.classes)
    values = sources.probabilities
    return Sources(
        np.ascontiguousarray(sources.classes).reshape(count, -1),
        np.ascontiguousarray(sources.confidence).reshape(count, -1),
        None
        if values is None
        else np.ascontiguousarray(values).reshape(count, values.shape[1], -1),
    )


def _percent_of(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Confidence from mean probabilities: whole percents, cut, at least 1 where there is a class."""
    percent = np.where(labels > 0, probabilities.max(axis=0), 0) // 10
    return np.where(labels > 0, np.maximum(percent, 1), 0).astype(np.uint8)


def _of_chosen(probabilities: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Probabilities of the source that each pixel follows, shape (n_classes, n_pixels).

    Where no source has the pixel those of the first one, which then are `NO_PROBABILITY`.
    """
    place = np.maximum(source, 0).astype(np.intp)[np.newaxis, np.newaxis]
    return np.take_along_axis(probabilities, place, axis=0)[0]
