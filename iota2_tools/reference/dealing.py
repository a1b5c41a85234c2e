"""Polygons dealt into folds, class by class, so that no polygon stands in two of them."""

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from iota2_tools.core.draws import generator
from iota2_tools.geo.vectors import read_layer
from iota2_tools.reference.sets import LEARN

EVERYWHERE = -1
"""Fold of a polygon that is the only one of its class: it is never set apart."""


def deal(
    polygons: np.ndarray, codes: np.ndarray, folds: int, random_seed: int, *names: Hashable
) -> np.ndarray:
    """Deal the polygons of each class among folds, at random, as equally as can be.

    The draw of a class depends on the seed, the names and the class alone. It begins at a fold of
    its own, so that small classes do not all stand in the first ones.

    Parameters
    ----------
    polygons : ndarray of int, shape (n,)
        Numbers of the polygons; one may stand several times, as for each of its samples.
    codes : ndarray of int, shape (n,)
        Class of each.
    folds : int
        Number of folds.
    random_seed, names
        See `core.draws.generator`.

    Returns
    -------
    ndarray of int64, shape (n,)
        Fold from 0, or `EVERYWHERE`.
    """
    found = np.full(len(polygons), EVERYWHERE, dtype=np.int64)
    for code in np.unique(codes):
        places = np.flatnonzero(codes == code)
        own, inverse = np.unique(polygons[places], return_inverse=True)
        if len(own) < 2:
            continue
        draws = generator(random_seed, *names, int(code))
        first = int(draws.integers(folds))
        order = np.empty(len(own), dtype=np.int64)
        order[draws.permutation(len(own))] = (first + np.arange(len(own))) % folds
        found[places] = order[inverse]
    return found


def parts_of_region(
    polygons: pd.DataFrame, region: str, seed: int, parts: int, random_seed: int
) -> pd.DataFrame:
    """Deal the learning polygons of a large region into parts, a model each.

    Parameters
    ----------
    polygons : DataFrame
        Columns `polygon`, `code`, `region`, `has_pixel`, `seed_N` (`splits.Split`).

    Returns
    -------
    DataFrame
        `polygon`, `code`, `part` (from 0, or `EVERYWHERE`) of each learning polygon.
    """
    learns = polygons[f"seed_{seed}"].str.contains(LEARN) & polygons["has_pixel"]
    own = polygons.loc[learns & (polygons["region"] == region), ["polygon", "code"]]
    names = ("parts", seed, region)
    numbers, codes = own["polygon"].to_numpy(), own["code"].to_numpy()
    return own.assign(part=deal(numbers, codes, parts, random_seed, *names))


@dataclass(frozen=True)
class PartOfRegion:
    """One of the parts of a large region.

    Parameters
    ----------
    splits : str
        Polygons of the production (`splits.write_splits`).
    number : int
        From 0.
    parts : int
        How many there are.
    """

    splits: str
    number: int
    parts: int

    def polygons(self, region: str, seed: int, random_seed: int) -> np.ndarray:
        """Numbers of its polygons."""
        columns = ["polygon", "code", "region", "has_pixel", f"seed_{seed}"]
        table = read_layer(self.splits, columns=columns, read_geometry=False)
        dealt = parts_of_region(table, region, seed, self.parts, random_seed)
        return dealt.loc[dealt["part"] == self.number, "polygon"].to_numpy()
