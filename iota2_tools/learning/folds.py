"""What a learner says of learning polygons that it has not learnt: one product for many uses.

The learning polygons of a region and draw are dealt into folds; a model learns all folds but one,
and says what that one is. Validation polygons take no part. From this come the masses of belief of
Dempster and Shafer's fusion, polygons whose class looks wrong, and the reliability of probabilities.
"""

import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from iota2_tools.core.errors import LearningError
from iota2_tools.core.files import whole_file
from iota2_tools.core.tables import cell, write_csv
from iota2_tools.learning import engines
from iota2_tools.learning.reliability import best_temperature, reliability, tempered
from iota2_tools.learning.settings import LearningSettings, ModelKey
from iota2_tools.reference.dealing import EVERYWHERE, deal
from iota2_tools.reference.table import TrainingTable, read_training_table

logger = logging.getLogger(__name__)

FOLDS = 5
SUSPICIOUS = 0.1
"""Mean probability of its own class below which a polygon looks wrong."""


@dataclass(frozen=True)
class OutOfFold:
    """What is said of the samples of a model by models that have not learnt their polygons.

    Parameters
    ----------
    fold : ndarray of int64, shape (n_samples,)
        Fold from 0; `EVERYWHERE` for a class of a single polygon, of which nothing is said.
    said : ndarray of int64, shape (n_samples,)
        Class; 0 where nothing is said.
    classes : ndarray of int64, shape (n_classes,)
        Classes of the samples, in increasing order.
    probabilities : ndarray of float32, shape (n_samples, n_classes), or None
        0-1; NaN where nothing is said. None: the learner gives none.
    """

    fold: np.ndarray
    said: np.ndarray
    classes: np.ndarray
    probabilities: np.ndarray | None

    @property
    def told(self) -> np.ndarray:
        """Samples of which something is said, bool."""
        return self.fold != EVERYWHERE


def out_of_fold(
    table: TrainingTable, key: ModelKey, settings: LearningSettings, threads: int
) -> OutOfFold:
    """Learn without each fold of whole polygons, and ask for that fold.

    Raises
    ------
    LearningError
        If no class has two polygons, or the learner cannot learn the others.
    """
    names = ("folds", key.seed, key.region)
    fold = deal(table.polygons, table.codes, FOLDS, key.random_seed, *names)
    classes = np.unique(table.codes)
    if (fold == EVERYWHERE).all():
        raise LearningError(
            f"{key}: no class has two learning polygons, so that nothing can be set apart; add "
            "polygons, or take a method of fusion without masses"
        )
    said = np.zeros(len(fold), dtype=np.int64)
    values = None
    if settings.traits.probabilities:
        values = np.full((len(fold), len(classes)), np.nan, dtype=np.float32)
    for number in np.unique(fold[fold != EVERYWHERE]):
        apart = fold == number
        with tempfile.TemporaryDirectory() as folder:
            model = str(Path(folder, "model"))
            engines.learn(table.only(~apart), key, settings, threads, model)
            loaded = engines.load(model)
            prediction = loaded.predict(table.features[apart], values is not None)
        said[apart] = prediction.codes
        if values is not None:
            assert prediction.probabilities is not None  # asked for, of a learner that gives them
            own = np.zeros((int(apart.sum()), len(classes)), dtype=np.float32)
            own[:, np.searchsorted(classes, loaded.codes)] = prediction.probabilities
            values[apart] = own
        logger.info("fold %d: %d samples set apart", number, apart.sum())
    return OutOfFold(fold, said, classes, values)


@dataclass(frozen=True)
class FoldFiles:
    """Files of `write_folds`.

    Parameters
    ----------
    predictions : str
        Parquet, a row a sample: `polygon`, `code`, `fold`, `said`, and `p_<code>` of each class.
    polygons : str
        CSV, a row a polygon: see `polygon_table`.
    calibration : str
        CSV: temperature, log loss, Brier score and calibration error of the probabilities as they
        are and tempered.
    """

    predictions: str
    polygons: str
    calibration: str


def write_folds(
    samples: list[str],
    key: ModelKey,
    settings: LearningSettings,
    threads: int,
    features: list[str] | None,
    files: FoldFiles,
) -> None:
    """Write what is said of the learning polygons of a region and draw, out of fold.

    Parameters
    ----------
    samples, key, settings, threads, features
        See `engines.train`.
    """
    table = read_training_table(samples, key.region, key.seed, features)
    found = out_of_fold(table, key, settings, threads)
    _tell_of_single(table, found)
    with whole_file(files.predictions) as temporary:
        _frame(table, found).to_parquet(temporary, index=False, compression="zstd")
    write_csv(_polygon_rows(polygon_table(table, found)), files.polygons)
    write_csv(_calibration_rows(table, found), files.calibration)


def _tell_of_single(table: TrainingTable, found: OutOfFold) -> None:
    single = np.unique(table.codes[~found.told])
    if len(single):
        logger.warning(
            "class %s: a single learning polygon, of which the folds say nothing",
            ", ".join(map(str, single)),
        )


def _frame(table: TrainingTable, found: OutOfFold) -> pd.DataFrame:
    columns = {
        "polygon": table.polygons,
        "code": table.codes,
        "fold": found.fold,
        "said": found.said,
    }
    if found.probabilities is not None:
        columns |= {
            f"p_{code}": found.probabilities[:, place] for place, code in enumerate(found.classes)
        }
    return pd.DataFrame(columns)


def polygon_table(table: TrainingTable, found: OutOfFold) -> pd.DataFrame:
    """What the folds say of each polygon.

    Returns
    -------
    DataFrame
        `polygon`, `code`, `samples`, `fold`, `right` (share said to be of its class), `own` (mean
        probability of its class), `suspicious` (`own` below `SUSPICIOUS`). NaN where nothing is said.
    """
    place = np.searchsorted(found.classes, table.codes)
    own = np.full(len(place), np.nan)
    if found.probabilities is not None:
        own = found.probabilities[np.arange(len(place)), place].astype(float)
    frame = pd.DataFrame(
        {
            "polygon": table.polygons,
            "code": table.codes,
            "fold": found.fold,
            "right": np.where(found.told, found.said == table.codes, np.nan).astype(float),
            "own": own,
        }
    )
    groups = frame.groupby("polygon")
    told = groups.agg(code=("code", "first"), samples=("code", "size"), fold=("fold", "first"),
                      right=("right", "mean"), own=("own", "mean")).reset_index()  # fmt: skip
    told["suspicious"] = told["own"] < SUSPICIOUS
    return told


def _polygon_rows(polygons: pd.DataFrame) -> list[list]:
    rows: list[list] = [["polygon", "code", "samples", "fold", "right", "own", "suspicious"]]
    for item in polygons.itertuples():
        fold = "" if item.fold == EVERYWHERE else item.fold
        doubt = "" if np.isnan(item.own) else int(item.suspicious)
        rows.append(
            [item.polygon, item.code, item.samples, fold, cell(item.right, 4), cell(item.own, 4), doubt]
        )  # fmt: skip
    return rows


def _calibration_rows(table: TrainingTable, found: OutOfFold) -> list[list]:
    """Header alone for a learner without probabilities."""
    rows: list[list] = [
        ["probabilities", "temperature", "log_loss", "brier", "calibration_error", "samples"]
    ]
    if found.probabilities is None:
        return rows
    values = found.probabilities[found.told].astype(float)
    truth = np.searchsorted(found.classes, table.codes[found.told])
    best = best_temperature(values, truth)
    for name, temperature, probabilities in (
        ("as they are", 1.0, values),
        ("tempered", best, tempered(values, best)),
    ):
        score = reliability(probabilities, truth)
        numbers = (temperature, score.log_loss, score.brier, score.calibration_error)
        rows.append([name, *(cell(number, 6) for number in numbers), len(truth)])
    return rows
