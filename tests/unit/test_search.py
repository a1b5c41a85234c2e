"""Search of parameters: the scores of a loop by hand, over folds in which no polygon is cut."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from iota2_tools.core.errors import LearningError
from iota2_tools.learning import engines, scikit
from iota2_tools.learning import search as search_module
from iota2_tools.learning.calibration import polygon_folds
from iota2_tools.learning.engines import learner_problems
from iota2_tools.learning.search import FILE, search
from iota2_tools.learning.settings import LearningSettings, ModelKey, Purpose
from iota2_tools.reference.table import TrainingTable

GRID = {"max_depth": [1, 3, None], "min_samples_leaf": [1, 9]}


@pytest.fixture(scope="module")
def table():
    """Three classes of 30 polygons; pixels of a polygon are nearly the same."""
    rng = np.random.default_rng(3)
    polygons = np.repeat(np.arange(30), 6)
    codes = np.repeat(np.arange(30) % 3 + 1, 6)
    centres = np.stack([codes, codes % 2, rng.normal(size=180)], axis=1)
    values = (
        500 * centres + 450 * rng.normal(size=(30, 3))[polygons] + 60 * rng.normal(size=(180, 3))
    )
    return TrainingTable(np.rint(values).astype(np.int16), codes, polygons, ["a", "b", "c"])


def settings(method="grid", learner="DecisionTreeClassifier", grid=GRID, score="f1_macro", **fixed):
    wanted = {"method": method, "parameters": grid, "folds": 4, "score": score}
    return LearningSettings(learner, {"random_state": 0, **fixed}, search=wanted)


def tried(table, wanted, folder, threads=1):
    estimator, _ = scikit._made(wanted, table.codes, 0, 1)
    chosen, told = search(table, wanted, estimator, threads, folder)
    return chosen, told, pd.read_csv(folder / FILE)


def test_a_grid_scores_each_combination_on_polygons_that_it_has_not_learnt(table, tmp_path):
    folds = polygon_folds(table.codes, table.polygons, 4)
    expected = []
    for depth in GRID["max_depth"]:
        for leaf in GRID["min_samples_leaf"]:
            scores = []
            for learn, judge in folds:
                assert not set(table.polygons[learn]) & set(table.polygons[judge])
                tree = DecisionTreeClassifier(
                    max_depth=depth, min_samples_leaf=leaf, random_state=0
                )
                tree.fit(table.features[learn].astype(np.float32), table.codes[learn])
                found = tree.predict(table.features[judge].astype(np.float32))
                scores.append(f1_score(table.codes[judge], found, average="macro"))
            expected.append((depth, leaf, np.mean(scores), np.std(scores)))
    chosen, told, written = tried(table, settings(), tmp_path)
    depth, leaf, best, _ = max(expected, key=lambda row: row[2])
    assert chosen.parameters == {"random_state": 0, "max_depth": depth, "min_samples_leaf": leaf}
    assert chosen.search is None
    assert told == {
        "method": "grid", "score": "f1_macro", "folds": 4, "combinations": 6,
        "best": pytest.approx(best, abs=1e-6),
    }  # fmt: skip
    assert written["mean"].tolist() == pytest.approx([row[2] for row in expected], abs=1e-6)
    assert written["deviation"].tolist() == pytest.approx([row[3] for row in expected], abs=1e-6)
    assert written["min_samples_leaf"].tolist() == [row[1] for row in expected]
    assert list(written) == ["max_depth", "min_samples_leaf", "mean", "deviation"]
    assert len({round(row[2], 6) for row in expected}) > 3


def test_of_equally_good_combinations_the_first_is_taken(table, tmp_path):
    """A leaf of at least one sample or of two: the tree of one level is the same."""
    grid = {"max_depth": [1], "min_samples_leaf": [2, 1]}
    chosen, _, written = tried(table, settings(grid=grid), tmp_path)
    assert written["mean"].nunique() == 1
    assert chosen.parameters["min_samples_leaf"] == 2


@pytest.mark.slow
@pytest.mark.parametrize("method", ["grid", "halving"])
def test_threads_change_nothing(table, tmp_path, method):
    files = []
    for threads in (1, 2):
        folder = tmp_path / str(threads)
        folder.mkdir()
        tried(table, settings(method), folder, threads)
        files.append((folder / FILE).read_bytes())
    assert files[0] == files[1]


def test_halving_takes_the_best_of_the_last_round(table, tmp_path):
    chosen, told, written = tried(table, settings("halving", score="kappa"), tmp_path)
    assert written["round"].max() > 0
    rounds = written.groupby("round").agg(rows=("mean", "size"), samples=("samples", "first"))
    assert rounds["rows"].tolist() == sorted(rounds["rows"], reverse=True)
    assert rounds["rows"].iloc[0] == 6
    assert rounds["samples"].is_monotonic_increasing
    last = written[written["round"] == written["round"].max()]
    assert told["best"] == last["mean"].max()
    best = last.loc[last["mean"].idxmax()]
    assert chosen.parameters["min_samples_leaf"] == best["min_samples_leaf"]


def test_what_cannot_be_learnt_is_told(table, tmp_path):
    with pytest.raises(LearningError, match="the search found nothing"):
        tried(table, settings(grid={"max_depth": [-3]}), tmp_path)


def test_the_model_has_the_parameters_found_and_says_so(table, tmp_path):
    about = {
        "row": 0,
        "col": 0,
        "polygon": table.polygons,
        "code": table.codes,
        "region": "1",
        "seed_0": True,
    }
    samples = str(tmp_path / "samples.parquet")
    pd.DataFrame(table.features, columns=table.names).assign(**about).to_parquet(samples)
    engines.train([samples], ModelKey("1", 0, 0), settings(), 2, str(tmp_path / "model"))
    told = json.loads((tmp_path / "model/model.json").read_text())
    written = pd.read_csv(tmp_path / "model" / FILE)
    best = written.loc[written["mean"].idxmax()]
    assert told["search"]["best"] == best["mean"]
    assert told["parameters"]["min_samples_leaf"] == best["min_samples_leaf"]
    depth = told["parameters"]["max_depth"]
    tree = DecisionTreeClassifier(
        max_depth=depth, min_samples_leaf=told["parameters"]["min_samples_leaf"], random_state=0
    ).fit(table.features.astype(np.float32), table.codes)
    found = engines.load(str(tmp_path / "model")).predict(table.features).codes
    assert found.tolist() == tree.predict(table.features.astype(np.float32)).tolist()


def test_values_and_names_that_are_none_are_told_before_the_first_job():
    purpose = Purpose((1, 2, 3), 4)
    wrong = settings(grid={"max_depht": [1], "min_samples_leaf": [1]})
    (found,) = learner_problems(wrong, purpose)
    assert found == (
        "learning.search.parameters: DecisionTreeClassifier has no parameter 'max_depht', "
        "did you mean 'max_depth'?"
    )
    (found,) = learner_problems(settings(grid={"max_depth": [3, -1, None]}), purpose)
    assert found.startswith(
        "learning.search.parameters: max_depth: -1: DecisionTreeClassifier refuses"
    )
    assert not list(learner_problems(settings(), purpose))
    (found, *_) = learner_problems(settings(learner="otb-rf"), purpose)
    assert found.startswith("learning.search: parameters of otb-rf are not searched")


def test_a_combination_that_failed_is_never_the_best():
    failed, right = {"a": 1, "mean": float("nan")}, {"a": 2, "mean": 0.4}
    assert search_module._best([failed, right, {"a": 3, "mean": 0.3}]) == right
    assert search_module._best([failed]) is None


def test_halving_draws_by_the_random_state_of_the_model(table, tmp_path, monkeypatch):
    """The few samples that all combinations learn first are those of its seed; without one, always the same."""
    given = []
    plain = search_module.HalvingGridSearchCV

    def watched(*args, **options):
        given.append(options["random_state"])
        return plain(*args, **options)

    monkeypatch.setattr(search_module, "HalvingGridSearchCV", watched)
    scores = []
    for seed in (7, 8, 7):
        wanted = settings("halving")
        estimator = DecisionTreeClassifier(random_state=seed)
        search(table, wanted, estimator, 1, tmp_path)
        scores.append((tmp_path / FILE).read_bytes())
    assert scores[0] == scores[2] != scores[1]
    neighbours = settings("halving", "KNeighborsClassifier", {"n_neighbors": [1, 3]})
    search(table, neighbours, KNeighborsClassifier(), 1, tmp_path)
    assert given == [7, 8, 7, 0]
