"""The sets of a draw: which polygons learn and which validate."""

import numpy as np
import pandas as pd

from iota2_tools.geo.vectors import read_layer

LEARN, VALIDATION, UNUSED = "learn", "validation", "unused"


class PolygonTable:
    """Class and set of each reference polygon, looked up by its id.

    Parameters
    ----------
    splits : DataFrame
        Fields of the polygons of a production: `polygon`, `code` and one `seed_N` a draw.
    seeds : list of int
        Draws that are looked up.

    Attributes
    ----------
    codes : ndarray of int64, shape (largest id + 1,)
        Class of each polygon, 0 where no polygon has that id.
    learns, validates : dict of int to ndarray of bool, shape (largest id + 1,)
        For each draw, whether a polygon learns or validates.
    """

    def __init__(self, splits: pd.DataFrame, seeds: list[int]) -> None:
        ids = splits["polygon"].to_numpy()
        size = int(ids.max(initial=0)) + 1
        self.codes = np.zeros(size, dtype=np.int64)
        self.codes[ids] = splits["code"]
        self.learns: dict[int, np.ndarray] = {}
        self.validates: dict[int, np.ndarray] = {}
        for seed in seeds:
            for target, word in ((self.learns, LEARN), (self.validates, VALIDATION)):
                target[seed] = np.zeros(size, dtype=bool)
                target[seed][ids] = splits[f"seed_{seed}"].str.contains(word)

    @property
    def learnt(self) -> np.ndarray:
        """Whether a polygon learns in some draw, bool, shape (largest id + 1,)."""
        return np.any(list(self.learns.values()), axis=0)

    @property
    def unlearnt(self) -> np.ndarray:
        """Whether a polygon validates in every draw and learns in none, as `learnt`."""
        return np.all(list(self.validates.values()), axis=0) & ~self.learnt


def read_polygon_table(splits: str, seeds: list[int]) -> PolygonTable:
    """Class and set of each polygon of a production, without its shapes.

    Parameters
    ----------
    splits : str
        Polygons of the production (`splits.write_splits`).
    """
    columns = ["polygon", "code", *(f"seed_{seed}" for seed in seeds)]
    return PolygonTable(read_layer(splits, columns=columns, read_geometry=False), seeds)
