"""Packed forests as files: scikit-learn's answer without scikit-learn, or none at all."""

import json
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from iota2_tools.core.versions import VERSIONS
from iota2_tools.learning import engines, scikit
from iota2_tools.learning.packed import stored
from iota2_tools.learning.packed.forest import pack_forest
from iota2_tools.learning.packed.mapping import PackedModel
from iota2_tools.learning.packed.stored import read_packed, write_packed
from iota2_tools.learning.settings import LearningSettings
from iota2_tools.reference.table import TrainingTable

CODES = np.array([11, 222, 300])
NAMES = ["red", "nir", "dem", "swir"]
INT16 = np.dtype(np.int16)


def pixels(number=300, seed=0):
    """Features of classes that overlap, and codes."""
    random = np.random.default_rng(seed)
    classes = random.integers(0, 3, number)
    centres = np.eye(4)[classes] * 2000
    return np.rint(random.normal(centres, 1500)).astype(np.int16), CODES[classes]


def table(dtype="int16"):
    features, codes = pixels()
    return TrainingTable(features.astype(dtype), codes, np.arange(len(codes)) // 5, NAMES)


def description(folder):
    """What `model.json` tells of a model just learnt."""
    section = LearningSettings("RandomForestClassifier", {"n_estimators": 5})
    told = scikit.train(table(), section, 0, 1, folder)
    about = {"learner": section.learner, "dtype": "int16", "features": NAMES}
    return told | about | {"versions": scikit.versions()}


@pytest.fixture
def model(tmp_path) -> Path:
    """Folder of a forest of five trees, learnt and packed."""
    description(tmp_path)
    return tmp_path


@pytest.mark.parametrize("dtype", ["int16", "float32"])
@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
def test_what_is_read_answers_as_scikit_learn(tmp_path, kind, dtype):
    features, codes = pixels()
    estimator = kind(7, random_state=0).fit(features.astype(np.float32), codes)
    scikit.write(estimator, tmp_path / "model.skops")
    packed = pack_forest(estimator, dtype)
    write_packed(packed, tmp_path)
    found = read_packed(tmp_path, np.dtype(dtype))
    assert found is not None
    others = pixels(500, seed=1)[0].astype(dtype)
    expected = estimator.predict_proba(others.astype(np.float32))
    np.testing.assert_array_equal(found.predict_proba(others), expected)
    assert found.classes.tolist() == CODES.tolist()
    # Else each job compiles its kernels again.
    assert numba.typeof(found.trees) == numba.typeof(packed.trees)


MAP = """
import json, sys
from pathlib import Path
import numpy as np
from iota2_tools.learning import engines
said = engines.load(sys.argv[1]).predict(np.load(sys.argv[2]), probabilities=True)
print("sklearn" in sys.modules, "skops" in sys.modules)
np.save(sys.argv[3], said.probabilities)
"""


@pytest.mark.slow
def test_a_forest_maps_without_loading_scikit_learn(tmp_path):

    told = description(tmp_path)
    (tmp_path / "model.json").write_text(json.dumps(told))
    features = pixels(500, seed=1)[0]
    np.save(tmp_path / "features.npy", features)
    arguments = [tmp_path, tmp_path / "features.npy", tmp_path / "found.npy"]
    done = subprocess.run(
        [sys.executable, "-c", MAP, *map(str, arguments)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["False", "False"]
    estimator = scikit.read(tmp_path / "model.skops")
    expected = estimator.predict_proba(features.astype(np.float32))
    np.testing.assert_array_equal(np.load(tmp_path / "found.npy"), expected)


def test_the_packed_form_of_another_model_is_not_used(model):
    """Also of one that differs by a byte."""
    assert read_packed(model, INT16) is not None
    path = model / "model.skops"
    path.write_bytes(path.read_bytes() + b"\0")
    assert read_packed(model, INT16) is None
    path.unlink()
    assert read_packed(model, INT16) is None


def test_of_another_version_type_or_absent_it_is_not_used(model, monkeypatch):
    assert read_packed(model, np.dtype(np.float32)) is None
    monkeypatch.setitem(VERSIONS, "forest", VERSIONS["forest"] + 1)
    assert read_packed(model, INT16) is None
    monkeypatch.undo()
    assert read_packed(model, INT16) is not None
    (model / "packed.npz").unlink()
    assert read_packed(model, INT16) is None


def test_one_that_did_not_answer_as_scikit_learn_or_of_another_release_is_not_used(tmp_path):
    told = description(tmp_path)
    assert isinstance(stored.stored_model(tmp_path, told), PackedModel)
    assert stored.stored_model(tmp_path, told | {"packed": False}) is None
    other = told["versions"] | {"scikit-learn": "1.2.3"}
    assert stored.stored_model(tmp_path, told | {"versions": other}) is None


@pytest.mark.parametrize("share", [0, 0.3, 0.99])
def test_one_that_is_cut_is_not_used(model, share):
    path = model / "packed.npz"
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert read_packed(model, INT16) is None


def test_a_byte_that_changed_on_disc_is_found(model):
    path = model / "packed.npz"
    content = bytearray(path.read_bytes())
    with np.load(path) as arrays:
        nodes = arrays["nodes"].tobytes()
    content[content.index(nodes) + 2] ^= 1  # a threshold: no number that leads out of the tree
    path.write_bytes(content)
    assert read_packed(model, INT16) is None


def rewritten(model, **others):
    """The file with other arrays, still of this model."""
    with np.load(model / "packed.npz") as arrays:
        content = dict(arrays)
    np.savez(model / "packed.npz", **content | others)


def array(model, name):
    with np.load(model / "packed.npz") as arrays:
        return arrays[name]


def changed(model, name, place, value, field=None):
    values = array(model, name)
    (values[field] if field else values)[place] = value
    return {name: values}


def mixed(model, leaf=~0, share_class=2, first_share=(0, 1)):
    """The first leaf of the first tree holds half a sample of one class."""
    leaves = array(model, "leaves")
    leaves[0] = leaf
    return {
        "leaves": leaves, "first_share": np.array(first_share), "share": np.array([0.5]),
        "share_class": np.array([share_class], np.int32),
    }  # fmt: skip


WRONG = {
    "a child that leads back": lambda m: changed(m, "nodes", 1, 0, "left"),
    "a child that is itself": lambda m: changed(m, "nodes", 1, 1, "right"),
    "a child beyond the tree": lambda m: changed(m, "nodes", 0, 32767, "right"),
    "a leaf beyond the tree": lambda m: changed(m, "nodes", 0, -32768, "left"),
    "a feature that is not there": lambda m: changed(m, "nodes", 0, 4, "feature"),
    "a class that is not there": lambda m: changed(m, "leaves", 0, 3),
    "a mixture that is not there": lambda m: changed(m, "leaves", 0, -32768),
    "a mixture beyond the last": lambda m: mixed(m, leaf=~1),
    "a share of no class": lambda m: mixed(m, share_class=3),
    "a share of a class below zero": lambda m: mixed(m, share_class=-1),
    "shares without classes": lambda m: mixed(m) | {"share_class": np.array([], np.int32)},
    "shares that start late": lambda m: mixed(m, first_share=(1, 1)),
    "shares that end before they start": lambda m: mixed(m, first_share=(0, 2, -1, 1)),
    "shares beyond the last": lambda m: mixed(m, first_share=(0, 2)),
    "a tree that starts behind its end": lambda m: changed(m, "first_node", 1, 10**6),
    "trees that start late": lambda m: changed(m, "first_node", 0, 1),
    "nodes beyond the last tree": lambda m: changed(m, "first_node", -1, 3),
    "leaves beyond the last": lambda m: {"leaves": array(m, "leaves")[:-1]},
    "a tree without leaves": lambda m: {
        "first_leaf": np.append(array(m, "first_leaf"), array(m, "first_leaf")[-1]),
        "first_node": np.append(array(m, "first_node"), array(m, "first_node")[-1]),
    },
    "fewer trees of leaves": lambda m: {"first_leaf": array(m, "first_leaf")[[0, -1]]},
    "no tree": lambda m: {
        name: array(m, name)[:0] for name in ("nodes", "missing_left", "leaves")
    } | {"first_node": np.array([0]), "first_leaf": np.array([0])},
    "fewer missing values than nodes": lambda m: {"missing_left": array(m, "missing_left")[1:]},
    "leaves of another type": lambda m: {"leaves": array(m, "leaves").astype(np.int64)},
    "nodes of another type": lambda m: {
        "nodes": array(m, "nodes").astype([("feature", "u4"), ("threshold", "i2"), ("left", "i2"),
                                           ("right", "i2")])},
    "nodes that are plain numbers": lambda m: {"nodes": array(m, "nodes")["left"]},
    "nodes in rows": lambda m: {"nodes": array(m, "nodes")[:, None]},
    "classes that are words": lambda m: {"classes": np.array(["a", "b", "c"])},
    "fewer classes": lambda m: {"classes": array(m, "classes")[:2]},
    "no features": lambda m: {"n_features": np.array([4, 4])},
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_numbers_that_lead_nowhere_are_not_given_to_a_kernel(model, wrong):
    rewritten(model)
    assert read_packed(model, INT16) is not None  # written again as it was
    rewritten(model, **mixed(model))
    assert read_packed(model, INT16) is not None
    others = WRONG[wrong](model)
    rewritten(model, **others)
    assert read_packed(model, INT16) is None


def test_objects_are_not_loaded(model):
    content = {"classes": np.array([print], object)}
    rewritten(model, **content)
    assert read_packed(model, INT16) is None


def test_boosting_is_packed_when_it_is_loaded(tmp_path):
    section = LearningSettings("HistGradientBoostingClassifier", {"max_iter": 3})
    assert scikit.train(table(), section, 0, 1, tmp_path)["packed"] is True
    assert [path.name for path in tmp_path.iterdir()] == ["model.skops"]


def test_the_same_forest_is_written_in_the_same_bytes(model):
    first = (model / "packed.npz").read_bytes()
    forest = read_packed(model, INT16)
    assert forest is not None
    write_packed(forest, model)
    assert (model / "packed.npz").read_bytes() == first


def test_a_forest_whose_packed_form_is_gone_is_packed_from_the_model(model):
    told = description(model)
    (model / "packed.npz").unlink()
    assert stored.stored_model(model, told) is None
    assert isinstance(engines.engine_of(told["learner"]).load(model, told), PackedModel)


def test_the_check_of_a_learner_waits_for_no_compiler():
    program = "import sys, iota2_tools.learning.engines; print('numba' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
