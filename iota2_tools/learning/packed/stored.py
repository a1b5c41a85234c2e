"""A packed forest as a file beside its model, read without scikit-learn.

Loading scikit-learn and its model takes longer than mapping a small tile. The file belongs to one
model by the digest of that model's file, and a kernel that walks it reads and writes where it
says: it is used only if every number in it leads to a place that is there. Else, and where it is
absent, the model itself is loaded and packed anew.
"""

import hashlib
import logging
import zipfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from iota2_tools.core.versions import VERSIONS
from iota2_tools.learning.packed.forest import PackedForest, Trees, node_record
from iota2_tools.learning.packed.mapping import PackedModel

logger = logging.getLogger(__name__)

MODEL, PACKED = "model.skops", "packed.npz"
TYPES = {
    "missing_left": np.bool_,
    "first_node": np.int64,
    "leaves": np.int32,
    "first_leaf": np.int64,
    "first_share": np.int64,
    "share_class": np.int32,
    "share": np.float64,
}
"""Of the arrays of `Trees`; nodes have the smallest that does (`node_record`)."""


def write_packed(forest: PackedForest, folder: Path) -> None:
    """Write a packed forest beside its model, into the folder of both."""
    np.savez(
        folder / PACKED,
        of=np.array(_digest(folder / MODEL)),
        version=np.array(VERSIONS["forest"]),
        classes=forest.classes,
        n_features=np.array(forest.n_features),
        **forest.trees._asdict(),
    )


def stored_model(folder: Path, description: dict[str, Any]) -> PackedModel | None:
    """Load the packed form of a model; None where the model itself is to be loaded.

    Parameters
    ----------
    folder : Path
        Of the model.
    description : dict
        Its `model.json`.
    """
    if not description.get("packed"):
        return None
    if description["versions"]["scikit-learn"] != version("scikit-learn"):
        return None
    forest = read_packed(folder, np.dtype(description["dtype"]))
    if forest is None:
        return None
    logger.info("%s: %d packed trees, %.1f MB", folder, forest.n_trees, forest.nbytes / 1e6)
    return PackedModel(forest, forest.classes, description)


def read_packed(folder: Path, dtype: np.dtype) -> PackedForest | None:
    """Read the packed forest of a model for features of one type; None where there is none.

    One that is cut, of another model, of another version or with numbers that lead nowhere counts
    as none.
    """
    path = folder / PACKED
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as stored:
            of, made_by = str(stored["of"]), int(stored["version"])
            if of != _digest(folder / MODEL) or made_by != VERSIONS["forest"]:
                return None
            arrays = {name: stored[name] for name in Trees._fields}
            classes, n_features = stored["classes"], int(stored["n_features"])
    except (OSError, ValueError, LookupError, TypeError, EOFError, zipfile.BadZipFile) as error:
        logger.warning("%s: not read (%s), the model itself is", path, error)
        return None
    if not _is_whole(arrays, classes, n_features, dtype):
        logger.warning("%s: its trees lead out of themselves, the model itself is read", path)
        return None
    # A file forgets that the fields of a node are aligned; kernels are compiled for those.
    record = node_record(dtype, n_features, int(np.diff(arrays["first_leaf"]).max()))
    arrays["nodes"] = arrays["nodes"].view(record)
    return PackedForest(classes, n_features, dtype, Trees(**arrays))


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_whole(
    arrays: dict[str, np.ndarray], classes: np.ndarray, n_features: int, dtype: np.dtype
) -> bool:
    """Whether no kernel is led to a place that is not there, or round in a circle."""
    typed = all(arrays[name].dtype == kind for name, kind in TYPES.items())
    if not typed or classes.dtype.kind not in "iu" or classes.ndim != 1:
        return False
    if any(array.ndim != 1 for array in arrays.values()):
        return False
    trees = Trees(**arrays)
    pairs = (trees.missing_left, trees.nodes), (trees.share_class, trees.share)
    if any(one.size != other.size for one, other in pairs):
        return False
    parts = (
        (trees.first_node, trees.nodes),
        (trees.first_leaf, trees.leaves),
        (trees.first_share, trees.share),
    )
    if not all(_are_starts(first, array.size) for first, array in parts):
        return False
    leaves, mixtures = np.diff(trees.first_leaf), trees.first_share.size - 1
    return bool(
        trees.first_node.size == trees.first_leaf.size > 1
        and (leaves > 0).all()
        and trees.nodes.dtype == node_record(dtype, n_features, int(leaves.max()))
        and (trees.leaves < classes.size).all()
        and (~trees.leaves < mixtures).all()
        and (trees.share_class >= 0).all()
        and (trees.share_class < classes.size).all()
        and all(_leads_on(nodes, n, n_features) for nodes, n in _each_tree(trees))
    )


def _are_starts(first: np.ndarray, size: int) -> bool:
    """Whether these are the starts of parts that follow each other, and the end of the last."""
    return bool(
        first.size and first[0] == 0 and first[-1] == size and (first[1:] >= first[:-1]).all()
    )


def _each_tree(trees: Trees) -> Iterator[tuple[np.ndarray, int]]:
    """Nodes and number of leaves of each tree."""
    for tree in range(trees.first_node.size - 1):
        first, last = trees.first_node[tree], trees.first_node[tree + 1]
        yield trees.nodes[first:last], trees.first_leaf[tree + 1] - trees.first_leaf[tree]


def _leads_on(nodes: np.ndarray, n_leaves: int, n_features: int) -> bool:
    """Whether each child is a later node of the tree or one of its leaves, of a feature there is."""
    number = np.arange(nodes.size)
    right = (nodes["feature"] < n_features).all()
    for side in ("left", "right"):
        child = nodes[side].astype(np.int64)
        inner = child >= 0
        right &= (child[inner] > number[inner]).all() and (child < nodes.size).all()
        right &= (~child[~inner] < n_leaves).all()
    return bool(right)
