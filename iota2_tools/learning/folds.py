"""What a learner says of learning polygons that it has not learnt: one product for many uses.

The learning polygons of a region and draw are dealt into folds; a model learns all folds but one,
and says what that one is. Validation polygons take no part. From this come the masses of belief of
Dempster and Shafer's fusion, polygons whose class looks wrong, and the reliability of probabilities.
"""

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from iota2_tools.core.draws import generator
from iota2_tools.core.errors import LearningError
from iota2_tools.core.files import whole_file
from iota2_tools.core.tables import cell, write_csv
from iota2_tools.learning import engines
from iota2_tools.learning.managed import Managed
from iota2_tools.learning.reliability import best_temperature, reliability, tempered
from iota2_tools.learning.settings import LearningSettings, ModelKey
from iota2_tools.learning.traits import FOLD_PIXELS, FOLD_SAMPLES, FOLDS
from iota2_tools.reference.dealing import EVERYWHERE, deal
from iota2_tools.reference.table import TrainingTable, read_training_table

logger = logging.getLogger(__name__)

FEWEST_POLYGONS = 30
"""Below which a temperature is not looked for: it would be that of a few fields."""
SUSPICIOUS = 0.1
"""Mean probability of its own class below which a polygon looks wrong."""


@dataclass(frozen=True)
class OutOfFold:
    """What is said of the samples of a model by models that have not learnt their polygons.

    Parameters
    ----------
    fold : ndarray of int64, shape (n_samples,)
        Fold from 0; `EVERYWHERE` for a class of a single polygon, of which nothing is said, or of none in
        the other folds that is not left out.
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
    table: TrainingTable,
    key: ModelKey,
    settings: LearningSettings,
    threads: int,
    managed: Managed = engines.NOTHING_MORE,
    left_out: np.ndarray | None = None,
) -> OutOfFold:
    """Learn without each fold of whole polygons, and ask for that fold.

    Parameters
    ----------
    managed : Managed
        How the samples that are learnt are completed.
    left_out : ndarray of bool, shape (n_samples,), optional
        Samples that are asked for and never learnt. The folds are the same with and without them.

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
        others = ~apart if left_out is None else ~(apart | left_out)
        unknown = apart & ~np.isin(table.codes, table.codes[others])  # all others are left out
        fold[unknown] = EVERYWHERE
        apart &= ~unknown
        learnt, _ = managed.complete(table.only(others), key)
        codes, prediction = engines.said_of(learnt, table.features[apart], key, settings, threads)
        said[apart] = prediction.codes
        if values is not None:
            assert prediction.probabilities is not None  # of a learner that gives them
            own = np.zeros((int(apart.sum()), len(classes)), dtype=np.float32)
            known = np.isin(codes, classes)  # copies of other regions may have more
            own[:, np.searchsorted(classes, codes[known])] = prediction.probabilities[:, known]
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


@dataclass(frozen=True)
class FoldsWanted:
    """What is done with the folds of a model as it is learnt.

    Parameters
    ----------
    files : FoldFiles
        To write.
    tempered : bool
        Whether its probabilities are calibrated.
    drop : bool
        Whether polygons whose label looks wrong are not learnt.
    """

    files: FoldFiles
    tempered: bool
    drop: bool


def judge(
    table: TrainingTable,
    key: ModelKey,
    settings: LearningSettings,
    threads: int,
    managed: Managed,
    wanted: FoldsWanted,
) -> tuple[TrainingTable, dict[str, Any]]:
    """Judge a model by folds before it is learnt, and write what they say.

    Some samples of each polygon do: `FOLD_PIXELS` on average, `FOLD_SAMPLES` in all.

    Polygons that are dropped are found by folds that have learnt them. What is then said of the others,
    and the temperature, is of folds that have not, for the model has not either.

    Where folds cannot be made, the log says so, the tables are empty, and probabilities stay as
    they are.

    Returns
    -------
    table : TrainingTable
        What is left to learn.
    told : dict
        What `model.json` tells: `calibration`, `dropped`.
    """
    most = min(FOLD_PIXELS * len(np.unique(table.polygons)), FOLD_SAMPLES)
    some = table.only(some_of_each(table.polygons, most, key))
    try:
        found = out_of_fold(some, key, settings, threads, managed)
    except LearningError as error:
        logger.warning("not judged by folds, so that its confidence is not calibrated: %s", error)
        found = _nothing(some, settings)
    polygons = polygon_table(some, found)
    told: dict[str, Any] = {}
    used = found.told
    if wanted.drop:
        dropped = droppable(polygons)
        told["dropped"] = dropped.tolist()
        logger.info("%d polygon(s) whose label looks wrong are not learnt", len(dropped))
        left_out = np.isin(some.polygons, dropped)
        if left_out.any():
            found = _without(left_out, some, key, settings, threads, managed) or found
            used = found.told & ~left_out
            table = table.only(~np.isin(table.polygons, dropped))
    _write(some, found, used, polygons, wanted.files)
    if wanted.tempered:
        told["calibration"] = _calibrated(some, found, used)
    return table, told


def _without(
    left_out: np.ndarray,
    table: TrainingTable,
    key: ModelKey,
    settings: LearningSettings,
    threads: int,
    managed: Managed,
) -> OutOfFold | None:
    """What folds say that have not learnt what is dropped; None where they cannot be made."""
    try:
        return out_of_fold(table, key, settings, threads, managed, left_out)
    except LearningError as error:
        logger.warning("judged by folds that have learnt what is dropped: %s", error)
        return None


def some_of_each(polygons: np.ndarray, most: int, key: ModelKey) -> np.ndarray:
    """Which samples stand for all: the same share of each polygon, one of each at least; bool.

    Parameters
    ----------
    polygons : ndarray of int, shape (n_samples,)
    most : int
        Samples wanted, about; all are taken if there are no more.
    """
    if len(polygons) <= most:
        return np.ones(len(polygons), dtype=bool)
    draws = generator(key.random_seed, "folds", "samples", key.seed, key.region)
    order = np.lexsort((draws.random(len(polygons)), polygons))
    _, first, sizes = np.unique(polygons[order], return_index=True, return_counts=True)
    rank = np.arange(len(polygons)) - np.repeat(first, sizes)
    chosen = np.zeros(len(polygons), dtype=bool)
    chosen[order] = rank < np.repeat(np.ceil(sizes * most / len(polygons)), sizes)
    return chosen


def _nothing(table: TrainingTable, settings: LearningSettings) -> OutOfFold:
    """What folds say that could not be made."""
    number, classes = len(table.codes), np.unique(table.codes)
    values = None
    if settings.traits.probabilities:
        values = np.full((number, len(classes)), np.nan, dtype=np.float32)
    return OutOfFold(np.full(number, EVERYWHERE), np.zeros(number, np.int64), classes, values)


def droppable(polygons: pd.DataFrame) -> np.ndarray:
    """Numbers of the polygons whose label looks wrong, but of classes that would lose all they have.

    Parameters
    ----------
    polygons : DataFrame
        Of `polygon_table`.
    """
    all_of = polygons.groupby("code")["suspicious"].transform("all")
    for code in polygons.loc[all_of, "code"].unique():
        logger.warning("class %d: all its polygons look wrong, and are learnt all the same", code)
    return polygons.loc[polygons["suspicious"] & ~all_of, "polygon"].to_numpy()


def _calibrated(table: TrainingTable, found: OutOfFold, used: np.ndarray) -> dict[str, Any]:
    """Temperature of a model, and the calibration error without and with it."""
    assert found.probabilities is not None  # calibration is refused otherwise
    polygons, samples = len(np.unique(table.polygons[used])), int(used.sum())
    if polygons < FEWEST_POLYGONS:
        logger.warning(
            "%d polygon(s) are judged by folds, %d are needed to calibrate the confidence: it stays as it is",
            *(polygons, FEWEST_POLYGONS),
        )
        return {"temperature": 1, "polygons": polygons, "samples": samples}
    values = found.probabilities[used].astype(float)
    truth = np.searchsorted(found.classes, table.codes[used])
    best = best_temperature(values, truth)
    errors = [
        round(reliability(item, truth).calibration_error, 6)
        for item in (values, tempered(values, best))
    ]
    logger.info("temperature %.3f: calibration error %.4f, before %.4f", best, errors[1], errors[0])
    return {
        "temperature": round(best, 6), "polygons": polygons, "samples": samples, "calibration_error": errors,
    }  # fmt: skip


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
    _write(table, found, found.told, polygon_table(table, found), files)


def _write(
    table: TrainingTable,
    found: OutOfFold,
    used: np.ndarray,
    polygons: pd.DataFrame,
    files: FoldFiles,
) -> None:
    """Write what folds say; `used` samples tell how true the probabilities are."""
    _tell_of_single(table, found)
    with whole_file(files.predictions) as temporary:
        _frame(table, found).to_parquet(temporary, index=False, compression="zstd")
    write_csv(_polygon_rows(polygons), files.polygons)
    write_csv(_calibration_rows(table, found, used), files.calibration)


def _tell_of_single(table: TrainingTable, found: OutOfFold) -> None:
    single = np.unique(table.codes[~found.told])
    if len(single) and found.told.any():
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
        probability of its class), `said` (what most of it is said to be, of equals the smaller
        code), `suspicious` (`own` below `SUSPICIOUS`). NaN, or 0, where nothing is said.
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
            "said": found.said,
        }
    )
    groups = frame.groupby("polygon")
    told = groups.agg(code=("code", "first"), samples=("code", "size"), fold=("fold", "first"),
                      right=("right", "mean"), own=("own", "mean"),
                      said=("said", _most_frequent)).reset_index()  # fmt: skip
    told["suspicious"] = told["own"] < SUSPICIOUS
    return told


def _most_frequent(codes: pd.Series) -> int:
    values, counts = np.unique(codes, return_counts=True)
    return int(values[np.argmax(counts)])


def _polygon_rows(polygons: pd.DataFrame) -> list[list]:
    rows: list[list] = [
        ["polygon", "code", "samples", "fold", "right", "own", "said", "suspicious"]
    ]
    for item in polygons.itertuples():
        fold = "" if item.fold == EVERYWHERE else item.fold
        doubt = "" if np.isnan(item.own) else int(item.suspicious)
        rows.append(
            [item.polygon, item.code, item.samples, fold, cell(item.right, 4), cell(item.own, 4),
             item.said or "", doubt]
        )  # fmt: skip
    return rows


def _calibration_rows(table: TrainingTable, found: OutOfFold, used: np.ndarray) -> list[list]:
    """Header alone for a learner without probabilities, or where nothing is said."""
    rows: list[list] = [
        ["probabilities", "temperature", "log_loss", "brier", "calibration_error", "samples"]
    ]
    if found.probabilities is None or not used.any():
        return rows
    values = found.probabilities[used].astype(float)
    truth = np.searchsorted(found.classes, table.codes[used])
    best = best_temperature(values, truth)
    for name, temperature, probabilities in (
        ("as they are", 1.0, values),
        ("tempered", best, tempered(values, best)),
    ):
        score = reliability(probabilities, truth)
        numbers = (temperature, score.log_loss, score.brier, score.calibration_error)
        rows.append([name, *(cell(number, 6) for number in numbers), len(truth)])
    return rows
