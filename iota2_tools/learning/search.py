"""Search of a learner's parameters, judged on polygons that were not learnt.

References
----------
Jamieson and Talwalkar (2016), Non-stochastic best arm identification and hyperparameter
optimization (halving).
"""

import csv
import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.metrics import cohen_kappa_score, get_scorer, make_scorer
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from iota2_tools.core.errors import LearningError
from iota2_tools.core.files import whole_file
from iota2_tools.learning.calibration import polygon_folds
from iota2_tools.learning.scikit import weights_for
from iota2_tools.learning.settings import LearningSettings
from iota2_tools.reference.table import TrainingTable

logger = logging.getLogger(__name__)

FILE = "search.csv"
STEP = "classifier"
"""Name of the classifier in the pipeline that is tried."""


def search(
    table: TrainingTable,
    settings: LearningSettings,
    estimator: ClassifierMixin,
    threads: int,
    folder: Path,
) -> tuple[LearningSettings, dict[str, Any]]:
    """Try combinations of parameters by folds of whole polygons.

    Of equally good ones the first in the order of the configuration is taken. A table of all of them is
    written into the folder of the model.

    Parameters
    ----------
    estimator : ClassifierMixin
        The classifier with the parameters that are not searched, on one thread.
    threads : int
        Combinations tried at a time; without influence on the result.

    Returns
    -------
    settings : LearningSettings
        With the best parameters.
    told : dict
        What `model.json` tells of it.

    Raises
    ------
    LearningError
        If no combination can be learnt, or a class has a single sample.
    """
    wanted = settings.search
    assert wanted is not None
    folds = polygon_folds(table.codes, table.polygons, wanted["folds"])
    steps = [("scale", StandardScaler())] if settings.standardised else []
    pipeline = Pipeline([*steps, (STEP, estimator)])
    grid = {f"{STEP}__{name}": list(values) for name, values in wanted["parameters"].items()}
    shared = {"scoring": _scorer(wanted["score"]), "cv": folds, "refit": False, "n_jobs": threads}
    if wanted["method"] == "halving":
        seed = estimator.get_params(deep=False).get("random_state", 0)
        found = HalvingGridSearchCV(pipeline, grid, random_state=seed, **shared)
    else:
        found = GridSearchCV(pipeline, grid, **shared)
    try:
        with joblib.parallel_backend("threading"):
            weights = weights_for(table, STEP)
            found.fit(table.features.astype(np.float32), table.codes, **weights)
    except (ValueError, TypeError) as error:
        raise LearningError(f"{settings.learner}: the search found nothing: {error}") from error
    rows = _rows(found.cv_results_, wanted["parameters"])
    best = _best(rows)
    if best is None:
        raise LearningError(f"{settings.learner}: none of {len(rows)} combinations can be learnt")
    _write(rows, folder / FILE)
    chosen = {name: best[name] for name in wanted["parameters"]}
    logger.info("%s: %d combinations, best %s", settings.learner, len(rows), chosen)
    told = {name: wanted[name] for name in ("method", "score")}
    told |= {"folds": len(folds), "combinations": len(rows), "best": best["mean"]}
    return replace(settings, parameters={**settings.parameters, **chosen}, search=None), told


def _scorer(name: str) -> Any:
    return make_scorer(cohen_kappa_score) if name == "kappa" else get_scorer(name)


def _rows(results: Mapping[str, Any], names: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A line for each combination tried, and in each round of halving."""
    rounds = results.get("iter", np.zeros(len(results["params"]), dtype=int))
    samples = results.get("n_resources")
    rows = []
    for number, values in enumerate(results["params"]):
        row = {name: values[f"{STEP}__{name}"] for name in names}
        if samples is not None:
            row |= {"round": int(rounds[number]), "samples": int(samples[number])}
        mean, deviation = results["mean_test_score"][number], results["std_test_score"][number]
        rows.append(row | {"mean": round(float(mean), 6), "deviation": round(float(deviation), 6)})
    return rows


def _best(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The best of the last round, the first of equal ones; None where all failed."""
    last = max(row.get("round", 0) for row in rows)
    judged = [row for row in rows if row.get("round", 0) == last and not np.isnan(row["mean"])]
    return max(judged, key=lambda row: row["mean"], default=None)


def _write(rows: list[dict[str, Any]], path: Path) -> None:
    with (
        whole_file(str(path)) as temporary,
        open(temporary, "w", encoding="utf-8", newline="") as file,
    ):
        table = csv.DictWriter(file, rows[0], lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
