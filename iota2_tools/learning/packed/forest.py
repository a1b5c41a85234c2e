"""Random forests in a compact form, faster than scikit-learn and with its own answer.

A fitted scikit-learn forest keeps 64 bytes a node and walks one pixel through one tree at a time,
waiting on memory at every step. Here a node is 8 bytes (int16 features), and a block of pixels goes
down a tree level by level: the steps of a level do not depend on each other, so the processor
overlaps their waits, and the nodes of a level, side by side, stay in its nearest cache.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from iota2_tools.core.errors import LearningError
from iota2_tools.core.kernels import kernel

BLOCK = 256
"""Pixels walked together: their features (190 kB for 370 int16) leave room in a 1 MB cache.

Measured: 256 to 384 are the fastest, 4096 takes 1.4 times as long.
"""

log = logging.getLogger(__name__)


class Trees(NamedTuple):
    """The arrays the kernels read; a child or a leaf below zero is `~number`."""

    nodes: np.ndarray
    """Records (feature, threshold, left, right) of the inner nodes, tree after tree,
    breadth first. A child >= 0 is a node of the tree, a child < 0 its leaf `~child`."""
    missing_left: np.ndarray
    """bool, as long as `nodes`: whether a missing value goes left there."""
    first_node: np.ndarray
    """int64 (n_trees + 1,): where each tree starts in `nodes`."""
    leaves: np.ndarray
    """int32: a class index (pure leaf), or `~mixture` below zero."""
    first_leaf: np.ndarray
    """int64 (n_trees + 1,): where each tree starts in `leaves`."""
    first_share: np.ndarray
    """int64 (n_mixtures + 1,): where each mixture starts in the two arrays below."""
    share_class: np.ndarray
    """int32: class index of each non-zero share."""
    share: np.ndarray
    """float64: share of that class in the leaf, in (0, 1)."""


@dataclass(frozen=True)
class PackedForest:
    """A forest ready to predict; made by `pack_forest`."""

    classes: np.ndarray
    """Labels in the order of the probability columns, as `classes_` of scikit-learn."""
    n_features: int
    dtype: np.dtype
    """Type of the features: int16 or float32."""
    trees: Trees

    @property
    def n_trees(self) -> int:
        return self.trees.first_node.size - 1

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for array in self.trees)

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Compute the probability of each class, as scikit-learn's `predict_proba`.

        Parameters
        ----------
        features : ndarray of `dtype`, shape (n_pixels, n_features), C-contiguous
            Without infinity; NaN goes where scikit-learn lets it go.

        Returns
        -------
        ndarray of float64, shape (n_pixels, n_classes)
            From 0 to 1; the same numbers as scikit-learn on one thread.

        Raises
        ------
        LearningError
            If the features are not what the forest was packed for.
        """
        check_features(features, self.dtype, self.n_features)
        probability = np.empty((features.shape[0], self.classes.size))
        check_placed(_predict_proba(self.trees, features, probability))
        return probability


def check_features(features: np.ndarray, dtype: np.dtype, n_features: int) -> None:
    """Refuse features that packed trees were not made for."""
    if features.dtype != dtype:
        raise LearningError(
            f"the forest was packed for {dtype} features, got {features.dtype}; "
            "convert the features or pack the forest for their type"
        )
    if features.ndim != 2 or features.shape[1] != n_features:
        raise LearningError(
            f"the forest expects features of shape (n_pixels, {n_features}), got {features.shape}"
        )
    if not features.flags.c_contiguous:
        raise LearningError(
            "the features of a pixel must follow each other in memory; "
            "pass `numpy.ascontiguousarray(features)`"
        )


def check_placed(placed: bool) -> None:
    """Refuse features of which a kernel says that it could not place all."""
    if not placed:
        raise LearningError(
            "the features hold infinity, which no model places; give these pixels a finite value"
        )


def pack_forest(estimator: Any, dtype: DTypeLike) -> PackedForest:
    """Convert a fitted scikit-learn forest for features of one type.

    scikit-learn goes left when `float32(x) <= threshold`, the threshold being float64. The same x
    go left of the threshold rounded down to the type of x: floor for int16, the float32
    below for float32. So the answer is the same, not merely close. A missing x goes where
    scikit-learn has written into the node that it goes: by what it learnt from missing values,
    or to the child of more samples where it has seen none.

    Parameters
    ----------
    estimator : RandomForestClassifier or ExtraTreesClassifier
        Fitted, on one output.
    dtype : int16 or float32
        Type of the features it will be given.

    Raises
    ------
    LearningError
        If this is another model, or no tree at all.

    References
    ----------
    L. Breiman, Random Forests, Machine Learning 45, 2001. `sklearn.tree._tree.Tree.apply`,
    scikit-learn 1.9.
    """
    dtype = np.dtype(dtype)
    _check_forest(estimator, dtype)
    trees = [member.tree_ for member in estimator.estimators_]
    largest = max(tree.n_leaves for tree in trees)
    record = node_record(dtype, estimator.n_features_in_, largest)
    packed_nodes = [pack_nodes(tree, record, estimator.n_features_in_) for tree in trees]
    nodes, missing_left = zip(*packed_nodes, strict=True)
    leaves, *mixtures = _pack_leaves([tree.value[tree.children_left < 0, 0] for tree in trees])
    packed = Trees(
        np.concatenate(nodes),
        np.concatenate(missing_left),
        starts([len(part) for part in nodes]),
        leaves,
        starts([tree.n_leaves for tree in trees]),
        *mixtures,
    )
    forest = PackedForest(estimator.classes_, int(estimator.n_features_in_), dtype, packed)
    log.info(
        "Packed %d trees of %d leaves at most for %s features: %d bytes a node, %.1f MB",
        *(forest.n_trees, largest, dtype, record.itemsize, forest.nbytes / 1e6),
    )
    return forest


def is_forest(estimator: Any) -> bool:
    """Whether this is one of the forests of scikit-learn that are packed."""
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

    return isinstance(estimator, RandomForestClassifier | ExtraTreesClassifier)


def _check_forest(estimator: Any, dtype: np.dtype) -> None:
    if dtype not in (np.int16, np.float32):
        raise LearningError(f"a forest is packed for int16 or float32 features, not {dtype}")
    if not is_forest(estimator):
        raise LearningError(
            f"only random forests and extra trees can be packed, not {type(estimator).__name__}"
        )
    if not hasattr(estimator, "estimators_"):
        raise LearningError("the forest is not fitted: call its `fit` before packing it")
    if estimator.n_outputs_ != 1:
        raise LearningError(f"the forest predicts {estimator.n_outputs_} outputs, not one")


def node_record(dtype: np.dtype, n_features: int, n_leaves: int) -> np.dtype:
    """Type of a node, as small as the number of features and the largest tree allow."""
    child = np.int16 if n_leaves <= 2**15 else np.int32
    feature = np.uint16 if n_features <= 2**16 else np.uint32
    fields = [("feature", feature), ("threshold", dtype), ("left", child), ("right", child)]
    return np.dtype(fields, align=True)


def starts(lengths: Sequence[int] | np.ndarray) -> np.ndarray:
    """Where each part starts once they are put end to end, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _round_down(threshold: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The largest number of `dtype` not above each float64 threshold, as float64.

    It may lie below the range of int16: no int16 goes left of such a node. Infinity, where a tree
    splits off missing values, stays above all numbers.
    """
    if dtype == np.int16:
        return np.floor(threshold).clip(None, np.iinfo(np.int16).max)
    with np.errstate(over="ignore"):
        nearest = threshold.astype(np.float32)
    below = np.nextafter(nearest, np.float32(-np.inf))
    return np.where(nearest > threshold, below, nearest).astype(np.float64)


def pack_nodes(tree: Any, record: np.dtype, n_features: int) -> tuple[np.ndarray, np.ndarray]:
    """Inner nodes of a tree, breadth first, without those never going left.

    Parameters
    ----------
    tree : sklearn.tree._tree.Tree
        Or what has its `children_left`, `children_right` (-1 in leaves), `threshold`, `feature`,
        `missing_go_to_left` and `n_leaves`.
    record : dtype
        Of `node_record`.
    n_features : int
        What the numbers of features stay below.

    Returns
    -------
    nodes : ndarray of `record`
    missing_left : ndarray of bool
        Whether a missing value goes left there.

    Raises
    ------
    LearningError
        If a node leads back, or out of the tree, or looks at a feature that is not there: a kernel
        would never end, or read what is not its own.
    """
    _check_tree(tree, n_features)
    left, right = tree.children_left.copy(), tree.children_right.copy()
    threshold = _round_down(tree.threshold, record["threshold"])
    inner = left >= 0
    if record["threshold"] == np.int16:
        never_left = inner & (threshold < np.iinfo(np.int16).min)
    else:
        never_left = np.zeros_like(inner)
    target = np.where(never_left, right, np.arange(left.size))
    while never_left[target].any():
        target = target[target]

    levels = [target[:1][inner[target[:1]]]]
    while levels[-1].size:
        children = target[np.column_stack([left[levels[-1]], right[levels[-1]]]).ravel()]
        levels.append(children[inner[children]])
    order = np.concatenate(levels)

    number = np.empty(left.size, np.int64)
    number[order] = np.arange(order.size)
    number[~inner] = ~np.arange(tree.n_leaves)
    nodes = np.zeros(order.size, record)
    nodes["feature"] = tree.feature[order]
    nodes["threshold"] = threshold[order]
    nodes["left"] = number[target[left[order]]]
    nodes["right"] = number[target[right[order]]]
    return nodes, tree.missing_go_to_left[order].astype(bool)


def _check_tree(tree: Any, n_features: int) -> None:
    inner = np.flatnonzero(tree.children_left >= 0)
    children = np.stack([tree.children_left[inner], tree.children_right[inner]])
    feature = tree.feature[inner]
    whole = (inner < children).all() and (children < tree.children_left.size).all()
    if not (whole and (feature >= 0).all() and (feature < n_features).all()):
        raise LearningError(
            "a tree of this model leads out of itself: its file is damaged, or not made by this "
            "chain; delete it to learn it anew"
        )


def _pack_leaves(values: list[np.ndarray]) -> tuple[np.ndarray, ...]:
    """Leaves as class or mixture, and the mixtures as runs of (class, share).

    Parameters
    ----------
    values : list of ndarray of float64, shape (n_leaves, n_classes)
        Shares of the classes in the leaves of each tree, zeros included.

    Returns
    -------
    leaves, first_share, share_class, share : ndarray
        As in `Trees`.
    """
    leaves, lengths, classes, shares = [], [], [], []
    n_mixtures = 0
    for value in values:
        top = value.argmax(axis=1)
        mixed = np.flatnonzero(value.max(axis=1) != 1)
        code = top.astype(np.int32)
        code[mixed] = ~np.arange(n_mixtures, n_mixtures + mixed.size)
        row, column = np.nonzero(value[mixed])
        leaves.append(code)
        lengths.append(np.bincount(row, minlength=mixed.size))
        classes.append(column.astype(np.int32))
        shares.append(value[mixed][row, column])
        n_mixtures += mixed.size
    return (
        np.concatenate(leaves),
        starts(np.concatenate(lengths)),
        np.concatenate(classes),
        np.concatenate(shares),
    )


@kernel
def descend(
    nodes: np.ndarray,
    missing_left: np.ndarray,
    features: np.ndarray,
    missing: bool,
    position: np.ndarray,
    waiting: np.ndarray,
) -> None:
    """Lead every pixel of a block from the root of a tree to its leaf, two levels at a time.

    `position` receives `~leaf`; `missing` tells whether a feature of the block is NaN; `waiting` is
    scratch, the pixels not yet at a leaf. There is no branch in the loop: a pixel is always
    written back, and kept by counting it or not; from a leaf the second step starts at the root, and
    is not used.
    """
    n_waiting = position.size if nodes.size else 0
    for pixel in range(position.size):
        waiting[pixel] = pixel
        position[pixel] = 0 if nodes.size else -1
    while n_waiting:
        kept = 0
        for rank in range(n_waiting):
            pixel = waiting[rank]
            number = np.uint64(position[pixel])
            node = nodes[number]
            value = features[pixel, node.feature]
            goes_left = value <= node.threshold
            if missing:
                goes_left |= (value != value) & missing_left[number]
            child = node.left if goes_left else node.right
            number = np.uint64(max(child, 0))
            node = nodes[number]
            value = features[pixel, node.feature]
            goes_left = value <= node.threshold
            if missing:
                goes_left |= (value != value) & missing_left[number]
            below = node.left if goes_left else node.right
            child = below if child >= 0 else child
            position[pixel] = child
            waiting[kept] = pixel
            kept += child >= 0
        n_waiting = kept


@kernel
def _add_votes(trees: Trees, tree: int, position: np.ndarray, votes: np.ndarray) -> None:
    """Add to the votes the leaf each pixel reached in a tree."""
    leaves = trees.leaves[trees.first_leaf[tree] : trees.first_leaf[tree + 1]]
    for pixel in range(position.size):
        leaf = leaves[np.uint64(~position[pixel])]
        if leaf >= 0:
            votes[pixel, np.uint64(leaf)] += 1.0
        else:
            for rank in range(trees.first_share[~leaf], trees.first_share[~leaf + 1]):
                votes[pixel, trees.share_class[rank]] += trees.share[rank]


@kernel
def all_finite(features: np.ndarray) -> bool:
    """Whether no feature is NaN or infinite."""
    finite = True
    for pixel in range(features.shape[0]):
        for feature in range(features.shape[1]):
            finite &= np.isfinite(features[pixel, feature])
    return finite


@kernel
def any_infinite(features: np.ndarray) -> bool:
    """Whether a feature is infinite."""
    infinite = False
    for pixel in range(features.shape[0]):
        for feature in range(features.shape[1]):
            infinite |= np.isinf(features[pixel, feature])
    return infinite


@kernel
def _mean_vote(
    trees: Trees,
    features: np.ndarray,
    missing: bool,
    votes: np.ndarray,
    position: np.ndarray,
    waiting: np.ndarray,
) -> None:
    """Fill `votes` with the probabilities of a block of pixels, summed in tree order."""
    n_trees = trees.first_node.size - 1
    votes[:] = 0
    for tree in range(n_trees):
        first, last = trees.first_node[tree], trees.first_node[tree + 1]
        descend(
            trees.nodes[first:last],
            trees.missing_left[first:last],
            features,
            missing,
            position,
            waiting,
        )
        _add_votes(trees, tree, position, votes)
    for pixel in range(votes.shape[0]):
        for label in range(votes.shape[1]):
            votes[pixel, label] /= n_trees


@kernel
def _predict_proba(trees: Trees, features: np.ndarray, probability: np.ndarray) -> bool:
    """Kernel of `PackedForest.predict_proba`; False if a feature is infinite."""
    position = np.empty(BLOCK, trees.nodes["left"].dtype)
    waiting = np.empty(BLOCK, np.uint32)
    for start in range(0, features.shape[0], BLOCK):
        block = features[start : start + BLOCK]
        missing = not all_finite(block)
        if missing and any_infinite(block):
            return False
        votes = probability[start : start + BLOCK]
        _mean_vote(trees, block, missing, votes, position[: len(block)], waiting)
    return True
