"""Gradient boosting in the compact form of `forest`: scikit-learn's own answer, many times faster.

Boosting has a small tree for each class and iteration, thousands in all, and scikit-learn goes
over all pixels of a chunk with each of them.
"""

import logging
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from sklearn.ensemble import HistGradientBoostingClassifier

from iota2_tools.core.errors import LearningError
from iota2_tools.core.kernels import kernel
from iota2_tools.learning.packed.forest import (
    BLOCK,
    all_finite,
    any_infinite,
    check_features,
    check_placed,
    descend,
    node_record,
    pack_nodes,
    starts,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PackedBoosting:
    """Boosted trees ready to predict; made by `pack_boosting`."""

    estimator: HistGradientBoostingClassifier
    """Turns the sums of the leaves into probabilities."""
    dtype: np.dtype
    """Type of the features: int16 or float32."""
    nodes: np.ndarray
    """As in `forest`: inner nodes, tree after tree, iteration by iteration, class by class."""
    missing_left: np.ndarray
    """bool, as long as `nodes`: whether a missing value goes left there."""
    first_node: np.ndarray
    """int64 (n_trees + 1,): where each tree starts in `nodes`."""
    leaves: np.ndarray
    """float64: what each leaf adds to the sum of its class."""
    first_leaf: np.ndarray
    """int64 (n_trees + 1,): where each tree starts in `leaves`."""

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Compute the probability of each class, as scikit-learn's `predict_proba`.

        Parameters
        ----------
        features : ndarray of `dtype`, shape (n_pixels, n_features), C-contiguous
            Without infinity; NaN goes where scikit-learn lets it go.

        Returns
        -------
        ndarray of float64, shape (n_pixels, n_classes)
            From 0 to 1; the same numbers as scikit-learn.

        Raises
        ------
        LearningError
            If the features are not what the trees were packed for.
        """
        check_features(features, self.dtype, self.estimator.n_features_in_)
        # In the order of scikit-learn's, for so it is added up there.
        sums = np.empty((len(features), self.estimator.n_trees_per_iteration_), order="F")
        sums[:] = self.estimator._baseline_prediction
        trees = (self.nodes, self.missing_left, self.first_node, self.leaves, self.first_leaf)
        check_placed(_add_leaves(*trees, features, sums))
        return self.estimator._loss.predict_proba(sums)


def can_be_packed(estimator: Any) -> bool:
    """Whether this is boosting without classes of values, which nodes of numbers do not hold."""
    return (
        isinstance(estimator, HistGradientBoostingClassifier) and estimator.is_categorical_ is None
    )


def pack_boosting(estimator: Any, dtype: DTypeLike) -> PackedBoosting:
    """Convert fitted gradient boosting for features of one type.

    Parameters
    ----------
    estimator : HistGradientBoostingClassifier
        Fitted, one of those that `can_be_packed`.
    dtype : int16 or float32
        Type of the features it will be given.

    Raises
    ------
    LearningError
        If it cannot be packed.

    References
    ----------
    J. Friedman, Greedy function approximation: a gradient boosting machine, Annals of Statistics
    29(5), 2001. `sklearn.ensemble._hist_gradient_boosting.predictor`, scikit-learn 1.9.
    """
    if not can_be_packed(estimator):
        raise LearningError(
            "only histogram gradient boosting of numbers can be packed, not "
            f"{type(estimator).__name__} with categories"
        )
    trees = [_as_tree(each.nodes) for iteration in estimator._predictors for each in iteration]
    largest = max(tree.n_leaves for tree in trees)
    record = node_record(np.dtype(dtype), estimator.n_features_in_, largest)
    packed_nodes = [pack_nodes(tree, record, estimator.n_features_in_) for tree in trees]
    nodes, missing_left = zip(*packed_nodes, strict=True)
    packed = PackedBoosting(
        estimator,
        np.dtype(dtype),
        np.concatenate(nodes),
        np.concatenate(missing_left),
        starts([len(part) for part in nodes]),
        np.concatenate([tree.values for tree in trees]),
        starts([tree.n_leaves for tree in trees]),
    )
    log.info("Packed %d boosted trees of %d leaves at most", len(trees), largest)
    return packed


def _as_tree(nodes: np.ndarray) -> SimpleNamespace:
    """A tree of boosting with the names of a tree of a forest."""
    leaf = nodes["is_leaf"].astype(bool)
    return SimpleNamespace(
        children_left=np.where(leaf, -1, nodes["left"].astype(np.int64)),
        children_right=np.where(leaf, -1, nodes["right"].astype(np.int64)),
        threshold=nodes["num_threshold"],
        feature=nodes["feature_idx"],
        missing_go_to_left=nodes["missing_go_to_left"],
        n_leaves=int(leaf.sum()),
        values=nodes["value"][leaf],
    )


@kernel
def _add_leaves(
    nodes: np.ndarray,
    missing_left: np.ndarray,
    first_node: np.ndarray,
    leaves: np.ndarray,
    first_leaf: np.ndarray,
    features: np.ndarray,
    sums: np.ndarray,
) -> bool:
    """Add to the sum of each class the leaves its trees lead a pixel to, in their order.

    Returns False if a feature is infinite.
    """
    position = np.empty(BLOCK, nodes["left"].dtype)
    waiting = np.empty(BLOCK, np.uint32)
    for start in range(0, features.shape[0], BLOCK):
        block = features[start : start + BLOCK]
        missing = not all_finite(block)
        if missing and any_infinite(block):
            return False
        here = position[: len(block)]
        for tree in range(first_node.size - 1):
            first, last = first_node[tree], first_node[tree + 1]
            descend(nodes[first:last], missing_left[first:last], block, missing, here, waiting)
            label = tree % sums.shape[1]
            for pixel in range(len(block)):
                sums[start + pixel, label] += leaves[first_leaf[tree] + ~here[pixel]]
    return True
