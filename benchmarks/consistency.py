"""False change that agreement takes away, and true change that it hides, on simulated land.

The lands and years are those of `years.py`, each year with a production of its own: 2019 has another class on one
field of twenty. Maps of the last two years, alone or with 2017 (`--years 3`), are made to agree for each `change`
and `beta`.
`false`: share of the pixels without change from 2018 to 2019 that the maps call changed; `found`: share of those with
change that are called changed; `right`: those of them with both classes right; `accuracy`: of both years. All are
means over the lands, of the pixels outside all learning polygons. Lands `--chosen-on` are those that the defaults of
`iota2 consistency` were chosen on, `--shown-on` others.

Usage: python benchmarks/consistency.py FOLDER [--chosen-on 0 1 2] [--shown-on 3 4 5] [--size 256] [--years 2]
"""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from years import CHANGED, EARLY, Land, free

from iota2_tools.geo.raster import read_raster
from iota2_tools.years.consistency import (
    BETA,
    CHANGE,
    FOUND,
    Series,
    chain_of,
    field_of,
    series_of,
    write_consistent,
)
from iota2_tools.years.maps import year_map

CHANGES = (0.05, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
BETAS = (0.0, 0.3, 0.5)


@dataclass(frozen=True)
class Judged:
    """Productions of the years of a land, and the truth of the last two."""

    series: Series
    truths: list[np.ndarray]
    outside: np.ndarray

    def figures(self, maps: list[Path]) -> np.ndarray:
        """Accuracy, false, found, right of the maps of the last two years."""
        before, after = (read_raster(str(path)) for path in maps)
        chosen = self.outside & (before != 0) & (after != 0)
        true, said = self.truths[0] != self.truths[1], before != after
        right = (before == self.truths[0]) & (after == self.truths[1])
        accuracy = [
            (found == truth)[chosen].mean()
            for found, truth in zip((before, after), self.truths, strict=True)
        ]
        parts = (said[chosen & ~true], said[chosen & true], right[chosen & true])
        return np.array([np.mean(accuracy), *(part.mean() for part in parts)])

    def agreeing(self, change: float, beta: float, table: str | None = None) -> np.ndarray:
        """Figures of maps that agree."""
        with tempfile.TemporaryDirectory() as folder:
            chain = chain_of(self.series, change, table)
            write_consistent(self.series, chain, folder, field_of(beta))
            return self.figures([Path(folder, f"Classif_{year}.tif") for year in (2018, 2019)])


def main() -> None:
    """Print the curves."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="keeps productions, and uses them again")
    parser.add_argument("--chosen-on", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--shown-on", type=int, nargs="*", default=[3, 4, 5])
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--years", type=int, choices=(2, 3), default=2)
    parser.add_argument("--cores", type=int, default=2)
    given = parser.parse_args()
    for title, seeds in (("chosen on", given.chosen_on), ("shown on", given.shown_on)):
        lands = []
        for seed in seeds:
            folder = given.folder.absolute() / f"land_{seed}"
            folder.mkdir(parents=True, exist_ok=True)
            lands.append(judged(Land(folder, given.size, seed, given.cores), given.years))
        if lands:
            print(f"\n{title} lands {' '.join(map(str, seeds))}, {given.years} years")
            curve(lands)


def judged(land: Land, years: int) -> Judged:
    """Scenes and productions of a land."""
    scenes = {2018: land.scene(2018), 2019: land.scene(2019, changed=CHANGED, season_shift=6.0)}
    made = {year: land.produce(f"own_{year}", scene, year) for year, scene in scenes.items()}
    if years == 3:
        earlier = land.scene(2017, season_shift=EARLY)
        made = {2017: land.produce("own_2017", earlier, 2017)} | made
    series = series_of([year_map(str(path), name=str(year)) for year, path in made.items()])
    return Judged(series, [land.truth(scene) for scene in scenes.values()], free([*made.values()]))


def curve(lands: list[Judged]) -> None:
    """Print the means over the lands: of the maps as they are, and of those that agree."""
    print(f"{'beta':>5} {'change':>7} {'accuracy':>9}{'false':>8}{'found':>8}{'right':>8}")
    raw = [land.figures([Path(item.classes) for item in land.series.maps[-2:]]) for land in lands]
    tell("as they are", raw)
    tell("0  found", [land.agreeing(CHANGE, 0.0, FOUND) for land in lands])
    for beta in BETAS:
        for change in CHANGES:
            tell(f"{beta:>5} {change:>7}", [land.agreeing(change, beta) for land in lands])
    tell(f"default {CHANGE}", found := [land.agreeing(CHANGE, BETA) for land in lands])
    for number, (before, after) in enumerate(zip(raw, found, strict=True)):
        print(
            f"  land {number + 1}: false {before[1]:.3f} to {after[1]:.3f}, found {before[2]:.3f} to {after[2]:.3f}"
        )


def tell(title: str, figures: list[np.ndarray]) -> None:
    """Print a line."""
    values = np.mean(figures, axis=0)
    print(
        f"{title:<13} {values[0]:>9.3f}" + "".join(f"{value:>8.3f}" for value in values[1:]),
        flush=True,
    )


if __name__ == "__main__":
    main()
