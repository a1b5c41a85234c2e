"""Points for a person to look at, in a GeoPackage for QGIS: drawn from a map, without telling what it says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from iota2_tools.assessing.design import allocate, largest_size, sample_size
from iota2_tools.assessing.drawing import Drawn, draw
from iota2_tools.core.errors import ConfigError, InputDataError
from iota2_tools.core.files import whole_file
from iota2_tools.geo.grid import grid_of
from iota2_tools.geo.vectors import shown, write_layer, write_table
from iota2_tools.vectors.zones import names_of

POINTS, STRATA = "points", "strata"
"""Layers of the file: the points, and the table of what they were drawn from."""


@dataclass(frozen=True)
class PointsWanted:
    """How many points are drawn, and from what.

    Parameters
    ----------
    classes : str
        Class map.
    strata : str, optional
        Raster of the strata, 0 for none; by default the classes are the strata.
    points : int, optional
        Points in all; by default as many as `standard_error` needs.
    standard_error : float
        Of the overall accuracy, 0-1.
    allocation : {"proportional", "equal", "neyman"}
        See `design.allocate`.
    minimum : int
        Points of a stratum at least, or all its pixels.
    accuracy : float
        Share of a stratum that is expected to be right, 0-1.
    accuracies : mapping of str to float
        The same of single strata, by code or name.
    random_seed : int
        Other seeds give other points.
    """

    classes: str
    strata: str | None = None
    points: int | None = None
    standard_error: float = 0.015
    allocation: str = "proportional"
    minimum: int = 50
    accuracy: float = 0.85
    accuracies: Mapping[str, float] = field(default_factory=dict)
    random_seed: int = 0

    def problems(self) -> list[str]:
        """What is wrong with these numbers, a sentence each."""
        found = []
        if self.points is not None and self.points < 1:
            found.append(f"{self.points} points: ask for one at least")
        if not 0 < self.standard_error < 0.5:
            found.append(f"standard error {self.standard_error:g}: give a share between 0 and 0.5")
        if self.minimum < 2:
            found.append(
                f"minimum {self.minimum}: two points of a stratum at least, or nothing tells how it varies"
            )
        for name, value in {"all strata": self.accuracy, **self.accuracies}.items():
            if not 0 <= value <= 1:
                found.append(f"expected accuracy {value:g} of {name}: give a share from 0 to 1")
        return found

    @property
    def most(self) -> int:
        """Points that one stratum may have."""
        return self.points or max(largest_size(self.standard_error), self.minimum)


@dataclass(frozen=True)
class Design:
    """What was drawn, stratum by stratum.

    Parameters
    ----------
    names : list of str
        Of the strata.
    accuracies : ndarray of float, shape (n_strata,)
        Expected.
    sizes : ndarray of int64, shape (n_strata,)
        Points.
    drawn : Drawn
        The points, in their order.
    """

    names: list[str]
    accuracies: np.ndarray
    sizes: np.ndarray
    drawn: Drawn

    @property
    def expected_error(self) -> float:
        """Standard error of the overall accuracy, if the expected accuracies are right."""
        weights = self.drawn.pixels / self.drawn.pixels.sum()
        variances = self.accuracies * (1 - self.accuracies) / np.maximum(self.sizes, 1)
        left = 1 - self.sizes / self.drawn.pixels
        return float(np.sqrt((weights**2 * left * variances).sum()))


def write_points(wanted: PointsWanted, output: str, *, hidden: bool = True) -> Design:
    """Draw points from a map and write them.

    Parameters
    ----------
    output : str
        GeoPackage. Layer `points`: `point`, `rank` (its place in the draw of its stratum), `reference`
        and `note`, both empty, to be filled in; with `hidden` false also `stratum`, `mapped` and
        `mapped_name`. Table `strata`: `stratum`, `name`, `pixels`, `points`, `expected`.
    hidden : bool
        Whether the class in the map is kept from who looks at the points.

    Raises
    ------
    ConfigError
        If the numbers are impossible, expectations are of strata that are not there, or the file stands
        already: a person may have filled it in.
    InputDataError
        If the map has no class anywhere.
    """
    problems = wanted.problems()
    if Path(output).exists():
        problems.append(
            f"{output}: stands already, and what was filled in would be lost; name another file, or remove it"
        )
    if problems:
        raise ConfigError("; ".join(problems))
    design = designed(wanted, draw(wanted.classes, wanted.strata, wanted.random_seed, wanted.most))
    with whole_file(output) as temporary:
        write_layer(_layer(wanted, design.drawn, hidden), temporary, layer=POINTS)
        write_table(_table(design), temporary, layer=STRATA)
    return design


def designed(wanted: PointsWanted, drawn: Drawn) -> Design:
    """How many of the pixels drawn are taken of each stratum, and these."""
    if not len(drawn.strata):
        raise InputDataError(f"{wanted.classes}: no pixel has a class and a stratum")
    names = names_of(wanted.strata or wanted.classes, set(drawn.strata.tolist()))
    told = [names[code] for code in drawn.strata.tolist()]
    accuracies = _expected(wanted, drawn.strata, told)
    total = wanted.points
    if total is None:
        least = int(np.minimum(wanted.minimum, drawn.pixels).sum())
        total = max(sample_size(drawn.pixels, accuracies, wanted.standard_error), least)
    sizes = allocate(total, wanted.allocation, drawn.pixels, accuracies, wanted.minimum)
    return Design(told, accuracies, sizes, drawn.first(sizes))


def _expected(wanted: PointsWanted, strata: np.ndarray, names: list[str]) -> np.ndarray:
    """Expected accuracy of each stratum."""
    found = np.full(len(strata), wanted.accuracy)
    places = {name: place for place, name in enumerate(names)}
    places |= {str(code): place for place, code in enumerate(strata.tolist())}
    unknown = [name for name in wanted.accuracies if name not in places]
    if unknown:
        raise ConfigError(
            f"expected accuracy of {', '.join(unknown)}: no such stratum; there are "
            f"{shown(f'{code} {name}' for code, name in zip(strata, names, strict=True))}"
        )
    for name, value in wanted.accuracies.items():
        found[places[name]] = value
    return found


def _layer(wanted: PointsWanted, drawn: Drawn, hidden: bool) -> gpd.GeoDataFrame:
    grid = grid_of(wanted.classes)
    number = len(drawn.row)
    columns: dict[str, object] = {"point": np.arange(1, number + 1), "rank": drawn.rank}
    if not hidden:
        names = names_of(wanted.classes, set(drawn.mapped.tolist()))
        columns |= {
            "stratum": drawn.stratum,
            "mapped": drawn.mapped,
            "mapped_name": [names[code] for code in drawn.mapped.tolist()],
        }
    columns |= {
        "reference": pd.array([pd.NA] * number, dtype="string"),
        "note": pd.array([pd.NA] * number, dtype="string"),
    }
    x = grid.left + (drawn.col + 0.5) * grid.resolution
    y = grid.top - (drawn.row + 0.5) * grid.resolution
    return gpd.GeoDataFrame(columns, geometry=shapely.points(x, y), crs=grid.crs)


def _table(design: Design) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "stratum": design.drawn.strata,
            "name": design.names,
            "pixels": design.drawn.pixels,
            "points": design.sizes,
            "expected": design.accuracies,
        }
    )
