"""Fewer features than there are: principal components, stored with the model and applied as it maps.

References
----------
Jolliffe (2002), Principal component analysis, chapter 3 (of the correlation matrix).
"""

import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.decomposition import PCA

from iota2_tools.core.errors import LearningError
from iota2_tools.core.kernels import kernel
from iota2_tools.learning.model import Model, Prediction, check_values
from iota2_tools.reference.table import TrainingTable

FILE = "projection.npz"
WHO = "the reduction of features"
DATED = re.compile(r"(?P<sensor>.+)_(?P<band>[^_]+)_(?P<date>\d{8}|D\d{3})")
"""Name of a feature of a series. Others (rasters and functions of the user) have no date."""
PARTS = {
    "date": ("date",),
    "band": ("band",),
    "sensor": ("sensor",),
    "sensor_date": ("sensor", "date"),
    "sensor_band": ("sensor", "band"),
}
"""What the features of a group have in common."""


class Projection(NamedTuple):
    """Features to components, group by group.

    Parameters
    ----------
    mean : ndarray of float64, shape (n_features,)
    first_place : ndarray of int64, shape (n_groups + 1,)
        Where the features of each group begin in `place`, and the end of the last.
    place : ndarray of int64
        Columns of the features, group after group.
    first_component : ndarray of int64, shape (n_groups + 1,)
        The same of the components, which are the columns of the result.
    first_weight : ndarray of int64, shape (n_groups + 1,)
        The same of the weights: those of a group by feature, then component.
    weight : ndarray of float64
    """

    mean: np.ndarray
    first_place: np.ndarray
    place: np.ndarray
    first_component: np.ndarray
    first_weight: np.ndarray
    weight: np.ndarray

    @property
    def names(self) -> list[str]:
        """Names of the components, as in IOTA²."""
        return [f"reduced_{number}" for number in range(1, int(self.first_component[-1]) + 1)]

    def of(self, features: np.ndarray) -> np.ndarray:
        """Components of some pixels, float32, shape (n_pixels, n_components).

        Each pixel is computed by itself, always in the same order: they do not depend on windows.
        """
        out = np.empty((len(features), int(self.first_component[-1])), dtype=np.float32)
        _project(features, *self, out)
        return out


@kernel
def _project(
    features, mean, first_place, place, first_component, first_weight, weight, out
):  # fmt: skip
    for pixel in range(len(features)):
        for group in range(len(first_place) - 1):
            begin = first_component[group]
            total = np.zeros(first_component[group + 1] - begin)
            at = first_weight[group]
            for number in range(first_place[group], first_place[group + 1]):
                column = place[number]
                value = features[pixel, column] - mean[column]
                for component in range(len(total)):
                    total[component] += value * weight[at + component]
                at += len(total)
            for component in range(len(total)):
                out[pixel, begin + component] = total[component]


def groups_of(names: Sequence[str], by: str) -> list[list[int]]:
    """Columns that are reduced together, in order of their first ones; a feature without date stays alone.

    >>> groups_of(["S2_B4_20180101", "S2_B8_20180101", "S2_B4_20180201", "DEM_band_1"], "date")
    [[0, 1], [2], [3]]
    """
    if by == "global":
        return [list(range(len(names)))]
    groups: dict[object, list[int]] = {}
    for column, name in enumerate(names):
        found = DATED.fullmatch(name)
        key = tuple(found[part] for part in PARTS[by]) if found else column
        groups.setdefault(key, []).append(column)
    return list(groups.values())


def fit_projection(table: TrainingTable, by: str, components: int) -> tuple[Projection, float]:
    """Principal components of standardised features, group by group.

    A group of one feature is kept as it is.

    Parameters
    ----------
    by : {"global", "date", "band", "sensor", "sensor_date", "sensor_band"}
        What the features of a group have in common.
    components : int
        Of each group; all of a group that has fewer features or samples.

    Returns
    -------
    projection : Projection
    explained : float
        Share of the variance of the standardised features that stays, 0-1.

    Raises
    ------
    LearningError
        If values are missing or infinite.
    """
    check_values(table.features, table.names, WHO, "samples")
    mean = np.zeros(table.features.shape[1])
    groups = groups_of(table.names, by)
    weights, explained = [], 0.0
    for columns in groups:
        if len(columns) == 1:
            weights.append(np.ones((1, 1)))
            explained += 1
            continue
        values = table.features[:, columns].astype(np.float64)
        mean[columns], scale = values.mean(axis=0), values.std(axis=0)
        scale[scale == 0] = 1
        number = min(components, *values.shape)
        found = PCA(number, svd_solver="covariance_eigh").fit((values - mean[columns]) / scale)
        weights.append((found.components_ / scale).T)
        explained += float(found.explained_variance_ratio_.sum()) * len(columns)
    projection = Projection(
        mean,
        _starts([len(columns) for columns in groups]),
        np.array([column for columns in groups for column in columns]),
        _starts([part.shape[1] for part in weights]),
        _starts([part.size for part in weights]),
        np.concatenate([np.ascontiguousarray(part).ravel() for part in weights]),
    )
    return projection, explained / len(table.names)


def _starts(lengths: Sequence[int]) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def reduced_table(
    table: TrainingTable, settings: Mapping[str, Any], folder: Path
) -> tuple[TrainingTable, dict[str, Any]]:
    """Samples by their components, whose projection is written into the folder of the model.

    Parameters
    ----------
    settings : mapping
        `by` and `components`.

    Returns
    -------
    table : TrainingTable
    told : dict
        What `model.json` tells of it.
    """
    projection, explained = fit_projection(table, settings["by"], settings["components"])
    np.savez(folder / FILE, **projection._asdict())
    told = {"by": settings["by"], "components": len(projection.names)}
    reduced = replace(table, features=projection.of(table.features), names=projection.names)
    return reduced, told | {"explained": round(explained, 4)}


def of_components(description: Mapping[str, Any]) -> dict[str, Any]:
    """What `model.json` would tell if components were the features."""
    names = [f"reduced_{number}" for number in range(1, description["reduced"]["components"] + 1)]
    return {**description, "features": names, "dtype": "float32"}


class ReducedModel:
    """A model that has learnt components, for pixels of all features."""

    def __init__(self, model: Model, folder: Path, description: Mapping[str, Any]) -> None:
        self._model, self._names = model, description["features"]
        self._projection = read_projection(folder, description)
        self.codes = model.codes

    def predict(self, features: np.ndarray, probabilities: bool = False) -> Prediction:
        """See `learning.Model`."""
        check_values(features, self._names, WHO, "pixels")
        return self._model.predict(self._projection.of(features), probabilities)


def read_projection(folder: Path, description: Mapping[str, Any]) -> Projection:
    """Read what `reduced_table` wrote.

    Raises
    ------
    LearningError
        If it is absent, cut, or of other features.
    """
    path = folder / FILE
    try:
        with np.load(path, allow_pickle=False) as stored:
            projection = Projection(*(stored[name] for name in Projection._fields))
        whole = _is_whole(projection, len(description["features"]))
    except (OSError, ValueError, LookupError, EOFError, zipfile.BadZipFile) as error:
        raise LearningError(
            f"{path}: cannot be read ({error}); delete {folder} to learn it anew"
        ) from None
    if not whole or len(projection.names) != description["reduced"]["components"]:
        raise LearningError(f"{path}: is not of this model; delete {folder} to learn it anew")
    return projection


def _is_whole(projection: Projection, n_features: int) -> bool:
    """Whether no kernel is led to a place that is not there."""
    starts = (projection.first_place, projection.first_component, projection.first_weight)
    features, components, weights = (np.diff(first) for first in starts)
    place = projection.place
    return bool(
        projection.mean.shape == (n_features,)
        and all(first[0] == 0 and first.dtype == np.int64 for first in starts)
        and min(features.min(), components.min()) > 0
        and np.array_equal(features * components, weights)
        and projection.first_place[-1] == place.size
        and projection.first_weight[-1] == projection.weight.size
        and place.min() >= 0
        and place.max() < n_features
    )
