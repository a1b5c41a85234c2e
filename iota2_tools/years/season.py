"""How early in the year a map is worth publishing: accuracy with the features up to each month.

Learning polygons of a finished production are dealt into folds; models learn all folds but one with
the features up to the end of a month, and say what that one is. So nothing is read or mapped again.

Features of a date are gap-filled between the clear acquisitions around it, later ones too. A production of
that month alone would hold the last clear one; so the figures are those of a month with a clear view at its end.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np

from iota2_tools.assessing.clusters import (
    PolygonCounts,
    accuracy_half_width,
    count_polygons,
    summed,
)
from iota2_tools.config.nomenclature import Nomenclature
from iota2_tools.core.errors import InputDataError
from iota2_tools.core.files import whole_file, writable_folder
from iota2_tools.core.tables import cell, write_csv
from iota2_tools.learning.engines import describe
from iota2_tools.learning.folds import out_of_fold
from iota2_tools.learning.settings import LearningSettings, ModelKey
from iota2_tools.learning.traits import FOLDS
from iota2_tools.reference.sources import sample_tables
from iota2_tools.reference.table import TrainingTable, read_training_table

logger = logging.getLogger(__name__)

DATED = re.compile(r".+_(?P<stamp>\d{8}|D\d{3})")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAYS_OF_YEAR = 365


@dataclass(frozen=True)
class Step:
    """What is known at the end of a month.

    Parameters
    ----------
    label : str
        `2018-06`, or `Jun` where features are named by days of the year; `Jun (next year)` where
        June is the month that they begin with as well.
    columns : list of int
        Features up to then; those without date are known from the beginning.
    """

    label: str
    columns: list[int]


def steps_of(names: Sequence[str]) -> list[Step]:
    """Months of the features, in order of time.

    Days of the year may go over New Year: the season begins with the first day of a series. Where it ends in
    the month that it began with, this stands twice, and what is of the next year says so.

    Raises
    ------
    InputDataError
        If no feature has a date, or some tell the date and others the day of the year.
    """
    stamps = [found["stamp"] if (found := DATED.fullmatch(name)) else None for name in names]
    known = {stamp for stamp in stamps if stamp}
    if not known:
        raise InputDataError("no feature has a date: there is no season to follow")
    if len({_is_day_of_year(stamp) for stamp in known}) > 1:
        raise InputDataError(
            "some features tell a date and others a day of the year, so that they have no common order; give all "
            "sensors the same `dates`"
        )
    begin = _begin(names)
    month_of = {stamp: _month(stamp, begin) for stamp in known}
    ordered = sorted(known, key=lambda stamp: _since(stamp, begin))
    labels = list(dict.fromkeys(month_of[stamp] for stamp in ordered))
    steps = []
    for number, label in enumerate(labels, start=1):
        past = set(labels[:number])
        columns = [
            column
            for column, stamp in enumerate(stamps)
            if stamp is None or month_of[stamp] in past
        ]
        steps.append(Step(label, columns))
    return steps


def _is_day_of_year(stamp: str) -> bool:
    return stamp.startswith("D")


def _month(stamp: str, begin: int) -> str:
    """Month of a stamp; that which the season began with, of the next year, has another name."""
    if not _is_day_of_year(stamp):
        return f"{stamp[:4]}-{stamp[4:6]}"
    first, own = (date(2019, 1, 1) + timedelta(day - 1) for day in (begin, int(stamp[1:])))
    again = own.month == first.month and own < first
    return f"{MONTHS[own.month - 1]}{' (next year)' if again else ''}"


def _begin(names: Sequence[str]) -> int:
    """Day of the year that the season begins with; 0 where dates are whole ones.

    Features of a series stand in order of time, so each has a first day; of several series the season begins with
    the one from which the others are reached soonest.
    """
    firsts: dict[str, int] = {}
    for name in names:
        series, *_, stamp = name.rsplit("_", 2)
        if re.fullmatch(r"D\d{3}", stamp):
            firsts.setdefault(series, int(stamp[1:]))
    days = sorted(set(firsts.values()))
    waits = [max((other - day) % DAYS_OF_YEAR for other in days) for day in days]
    return days[int(np.argmin(waits))] if days else 0


def _since(stamp: str, begin: int) -> int:
    """Place of a stamp in order of time."""
    return (int(stamp[1:]) - begin) % DAYS_OF_YEAR if _is_day_of_year(stamp) else int(stamp)


@dataclass(frozen=True)
class MonthScore:
    """Accuracy at the end of a month, out of fold, over all regions.

    Parameters
    ----------
    label : str
        The month.
    features : int
        Most features of a model.
    counts : PolygonCounts
        Samples of each polygon by what was said of them.
    codes : sequence of int, n_classes
        Order of the classes, increasing.
    """

    label: str
    features: int
    counts: PolygonCounts
    codes: Sequence[int]

    @cached_property
    def matrix(self) -> np.ndarray:
        """Samples, int64, shape (n_classes, n_classes); rows: class of the polygon, columns: what was said."""
        found = np.zeros((len(self.codes), len(self.codes)), dtype=np.int64)
        places = [
            np.searchsorted(self.codes, item) for item in (self.counts.code, self.counts.mapped)
        ]
        np.add.at(found, tuple(places), self.counts.pixels)
        return found

    @cached_property
    def polygons(self) -> np.ndarray:
        """Polygons of each class, int64, shape (n_classes,)."""
        pairs = np.unique(np.stack([self.counts.code, self.counts.polygon]), axis=1)
        return np.bincount(np.searchsorted(self.codes, pairs[0]), minlength=len(self.codes))

    @property
    def overall(self) -> float:
        """Share of the samples that are right."""
        return float(np.trace(self.matrix) / self.matrix.sum())

    @cached_property
    def half_width(self) -> float:
        """Of the 95 % interval of that share, if the polygons were drawn at random."""
        return accuracy_half_width(self.counts)

    @property
    def f_scores(self) -> np.ndarray:
        """F-score of each class; NaN of one that has no sample and is never said."""
        sums = self.matrix.sum(axis=0) + self.matrix.sum(axis=1)
        return np.divide(
            2.0 * np.diag(self.matrix), sums, out=np.full(len(sums), np.nan), where=sums > 0
        )


def season_of(
    results: Path, draw: int, threads: int, nomenclature: Nomenclature
) -> list[MonthScore]:
    """Accuracy of a finished production by month.

    Parameters
    ----------
    results : Path
        Output folder, with `models` and the samples of all tiles.
    draw : int
        Whose learning polygons are used.
    threads : int
        That learn.
    nomenclature : Nomenclature
        Classes.

    Raises
    ------
    InputDataError
        If samples or models are missing.
    """
    tables = list(sample_tables(results).values())
    parts: dict[str, list[np.ndarray]] = {}
    widths: dict[str, int] = {}
    for model in models_of(results, draw):
        told = describe(str(model))
        settings = LearningSettings(
            told["learner"],
            {key: value for key, value in told["parameters"].items() if key != "random_state"},
            told["standardise"],
        )
        unknown = sorted(set(map(int, told["classes"])) - set(nomenclature.codes))
        if unknown:
            raise InputDataError(
                f"{model}: has learnt class {', '.join(map(str, unknown))}, which the nomenclature has not; name "
                "the nomenclature of that production"
            )
        key = ModelKey(told["region"], draw, 0)
        table = read_training_table(tables, key.region, draw, told["features"])
        for step in steps_of(table.names):
            parts.setdefault(step.label, []).append(
                _counted(_narrow(table, step), key, settings, threads)
            )
            widths[step.label] = max(widths.get(step.label, 0), len(step.columns))
            logger.info("region %s, %s: %d features", key.region, step.label, len(step.columns))
    codes = sorted(nomenclature.codes)
    return [
        MonthScore(label, widths[label], PolygonCounts(*summed(counts).T), codes)
        for label, counts in parts.items()
    ]


def models_of(results: Path, draw: int) -> list[Path]:
    """Models of a draw of a finished production, of all its regions.

    Raises
    ------
    InputDataError
        If there is none.
    """
    found = sorted(results.glob(f"models/region_*_seed_{draw}"))
    if found:
        return found
    draws = sorted(
        {int(path.name.rpartition("_")[2]) for path in results.glob("models/region_*_seed_*")}
    )
    remedy = "name the output folder of a finished production"
    if draws:
        remedy = f"it has draw {', '.join(map(str, draws))}"
    raise InputDataError(
        f"{results}: holds no model of draw {draw} (models/region_…_seed_{draw}); {remedy}"
    )


def _narrow(table: TrainingTable, step: Step) -> TrainingTable:
    return TrainingTable(
        np.ascontiguousarray(table.features[:, step.columns]),
        table.codes,
        table.polygons,
        [table.names[column] for column in step.columns],
    )


def _counted(
    table: TrainingTable, key: ModelKey, settings: LearningSettings, threads: int
) -> np.ndarray:
    """Samples of each polygon by what is said of them out of fold (`clusters.HEADER`)."""
    found = out_of_fold(table, key, settings, threads)
    told = found.told
    return count_polygons(table.polygons[told], table.codes[told], found.said[told])


def season_rows(scores: Sequence[MonthScore], nomenclature: Nomenclature) -> list[list]:
    """Table of the season: a line a month; F-scores in order of the classes."""
    rows: list[list] = [
        [
            "until",
            "features",
            "samples",
            "polygons",
            "overall_accuracy",
            "half_width",
            *(f"F {c.name}" for c in nomenclature.classes),
        ]
    ]
    for item in scores:
        numbers = [cell(value, 4) for value in (item.overall, item.half_width, *item.f_scores)]
        counted = [int(item.matrix.sum()), int(item.polygons.sum())]
        rows.append([item.label, item.features, *counted, *numbers])
    return rows


def counted(scores: Sequence[MonthScore], nomenclature: Nomenclature) -> list[str]:
    """What these figures count, and which classes they tell little of; sentences for a reader."""
    last = scores[-1]
    lines = [
        f"Of {last.matrix.sum()} samples in {last.polygons.sum()} learning polygons: each is said by a model that has "
        "not learnt its polygon. +-: 95 % interval, as if these polygons were drawn at random.",
        "RESULTS.txt judges the map on other polygons, those of validation, by models that have learnt all of these: "
        "compare a month with other months, not with it.",
    ]
    few = [
        f"{item.name} {count}"
        for item, count in zip(nomenclature.classes, last.polygons, strict=True)
        if 0 < count < FOLDS
    ]
    if few:
        lines.append(
            f"Few learning polygons, so that models without one of them hardly know the class: {', '.join(few)}."
        )
    return lines


def write_season(scores: Sequence[MonthScore], nomenclature: Nomenclature, folder: str) -> None:
    """Write `season.csv` and `season.png`."""
    writable_folder(folder)
    write_csv(season_rows(scores, nomenclature), str(Path(folder, "season.csv")))
    _draw(scores, nomenclature, str(Path(folder, "season.png")))


def _draw(scores: Sequence[MonthScore], nomenclature: Nomenclature, path: str) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5.5), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    labels = [item.label for item in scores]
    for place, item in enumerate(nomenclature.classes):
        values = [score.f_scores[place] for score in scores]
        axes.plot(labels, values, color=item.hex_colour, linewidth=1.4, label=item.name)
    overall = [score.overall for score in scores]
    axes.plot(labels, overall, color="#222222", linewidth=3, marker="o", label="Overall accuracy")
    half = np.nan_to_num([score.half_width for score in scores])
    low, high = (np.clip(np.add(overall, sign * half), 0, 1) for sign in (-1, 1))
    axes.fill_between(
        labels, low, high, color="#222222", alpha=0.12, linewidth=0, label="its 95 % interval"
    )
    axes.set_title("Learning polygons, each by models that have not learnt it", fontsize=10)
    axes.set_ylim(0, 1)
    axes.set_ylabel("F-score of each class, overall accuracy")
    axes.set_xlabel("with features up to the end of")
    axes.grid(axis="y", color="#dddddd")
    axes.tick_params(axis="x", rotation=45)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, fontsize=8)
    with whole_file(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})
