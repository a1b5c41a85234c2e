"""Learning samples made of others, for classes that have few.

References
----------
Chawla et al. (2002), SMOTE: synthetic minority over-sampling technique, J. Artificial Intelligence
Research 16.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.neighbors import NearestNeighbors

from iota2_tools.reference.table import TrainingTable

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Augmentation:
    """How many samples are made, and how.

    Parameters
    ----------
    method : {"replicate", "jitter", "smote"}
        Samples again; samples with noise; points between a sample and one of its neighbours.
    to : {"balance", "number", "byclass"}
        Until each class has as many as the largest, `number`, or what `byclass` tells of its code.
    jitter : float
        Deviation of the noise, against that of the feature within the class.
    neighbours : int
        Nearest samples of the class, one of which is taken.
    """

    method: str
    to: str
    number: int
    byclass: Mapping[str, int]
    jitter: float
    neighbours: int

    @classmethod
    def of(cls, section: Mapping[str, Any]) -> "Augmentation":
        """From the section of the configuration."""
        names = ("method", "to", "number", "byclass", "jitter", "neighbours")
        return cls(**{name: section[name] for name in names})

    def wanted(self, counts: Mapping[int, int]) -> dict[int, int]:
        """Samples each class shall have, at least those it has.

        >>> Augmentation("smote", "number", 7, {}, 0.1, 5).wanted({1: 10, 2: 3})
        {1: 10, 2: 7}
        """
        asked = {
            "balance": dict.fromkeys(counts, max(counts.values(), default=0)),
            "number": dict.fromkeys(counts, self.number),
            "byclass": {code: self.byclass.get(str(code), 0) for code in counts},
        }[self.to]
        return {code: max(asked[code], number) for code, number in counts.items()}


def augment(
    table: TrainingTable, how: Augmentation, draw: Callable[[int], np.random.Generator]
) -> tuple[TrainingTable, dict[int, int]]:
    """Add samples made of others; a class that has enough is left as it is.

    Each sample of a class is the origin of as many new ones, or of one more, drawn by chance. A new
    sample belongs to the polygon of its origin, and weighs as much.

    Parameters
    ----------
    draw : callable
        Generator of random numbers for a class code.

    Returns
    -------
    table : TrainingTable
        The samples as given, then the new ones, class by class.
    made : dict of int to int
        How many of each class are new.
    """
    codes, counts = np.unique(table.codes, return_counts=True)
    numbers = dict(zip(codes.tolist(), counts.tolist(), strict=True))
    made = {code: wanted - numbers[code] for code, wanted in how.wanted(numbers).items()}
    values, origins = [table.features], [np.arange(len(table.codes))]
    for code, number in made.items():
        if number:
            rows = np.flatnonzero(table.codes == code)
            random = draw(code)
            first = _origins(len(rows), number, random)
            values.append(_made(table.features[rows], first, how, random))
            origins.append(rows[first])
            logger.info("class %d: %d samples made of %d", code, number, len(rows))
    rows = np.concatenate(origins)
    added = replace(
        table,
        features=np.concatenate(values),
        codes=table.codes[rows],
        polygons=table.polygons[rows],
        weights=None if table.weights is None else table.weights[rows],
    )
    return added, {code: number for code, number in made.items() if number}


def _origins(samples: int, wanted: int, random: np.random.Generator) -> np.ndarray:
    """Places of the samples that new ones are made of: all equally often, the rest by chance."""
    rest = random.choice(samples, wanted % samples, replace=False)
    return np.concatenate([np.tile(np.arange(samples), wanted // samples), np.sort(rest)])


def _made(
    values: np.ndarray, origins: np.ndarray, how: Augmentation, random: np.random.Generator
) -> np.ndarray:
    """New samples of a class, of the type of the others; whole numbers are rounded."""
    if how.method == "replicate" or len(values) < 2:
        return values[origins]
    wide = values.astype(np.float64)
    if how.method == "jitter":
        noise = random.standard_normal((len(origins), values.shape[1]))
        new = wide[origins] + how.jitter * np.nanstd(wide, axis=0) * noise
    else:
        near = _neighbours(wide, how.neighbours)
        chosen = random.integers(near.shape[1], size=len(origins))
        others = wide[near[origins, chosen]]
        new = wide[origins] + random.random((len(origins), 1)) * (others - wide[origins])
    if values.dtype.kind == "i":
        limits = np.iinfo(values.dtype)
        new = np.clip(np.rint(new), limits.min, limits.max)
    return new.astype(values.dtype)


def _neighbours(values: np.ndarray, wanted: int) -> np.ndarray:
    """Places of the nearest other samples, shape (n_samples, at most `wanted`).

    Of missing values the mean of the feature stands for the search.
    """
    holes = np.isnan(values)
    if holes.any():
        sums, seen = np.where(holes, 0, values).sum(axis=0), (~holes).sum(axis=0)
        values = np.where(holes, sums / np.maximum(seen, 1), values)
    number = min(wanted, len(values) - 1)
    found: np.ndarray = NearestNeighbors(n_neighbors=number).fit(values).kneighbors()[1]
    return found
