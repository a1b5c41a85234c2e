"""False change that agreement takes away, and true change that it hides, on simulated land.

The lands and years are those of `years.py`, each year with a production of its own: 2019 has another class on one
field of twenty. Maps of the last two years, alone or with 2017 (`--years 3`), are made to agree for each `caution`
and `neighbours`.
`false`: share of the pixels without change from 2018 to 2019 that the maps call changed; `found`: share of those with
change that are called changed; `right`: those of them with both classes right; `accuracy`: of both years. All are
means over the lands, of the pixels outside all learning polygons. Lands `--chosen-on` are those that the defaults of
`iota2 consistency` were chosen on, `--shown-on` others.

Usage: python benchmarks/consistency.py FOLDER [--chosen-on 0 1 2 3] [--shown-on 4 5 6 7] [--years 2]
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from years import CHANGED, EARLY, MAP, Land, free

from iota2_tools.geo.raster import read_raster
from iota2_tools.years.agreement import most_probable, reach
from iota2_tools.years.chains import UNKNOWN
from iota2_tools.years.consistency import (
    CAUTION,
    FOUND,
    NEIGHBOURS,
    Series,
    chain_of,
    series_of,
)
from iota2_tools.years.maps import year_map

CAUTIONS = (300, 100, 30, 15, 5, 2, 1)
NEIGHBOUR_COUNTS = (0.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True)
class Judged:
    """Productions of the years of a land, what they say of each pixel, and the truth of the last two."""

    series: Series
    said: np.ndarray
    truths: list[np.ndarray]
    outside: np.ndarray

    def figures(self, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Accuracy, false, found, right of the maps of the last two years."""
        chosen = self.outside & (before != 0) & (after != 0)
        true, said = self.truths[0] != self.truths[1], before != after
        right = (before == self.truths[0]) & (after == self.truths[1])
        accuracy = [
            (found == truth)[chosen].mean()
            for found, truth in zip((before, after), self.truths, strict=True)
        ]
        parts = (said[chosen & ~true], said[chosen & true], right[chosen & true])
        return np.array([np.mean(accuracy), *(part.mean() for part in parts)])

    def as_they_are(self) -> np.ndarray:
        """Figures of the maps of the productions."""
        return self.figures(*(read_raster(item.classes) for item in self.series.maps[-2:]))

    def agreeing(self, caution: float, neighbours: float, table: str | None = None) -> np.ndarray:
        """Figures of maps that agree."""
        margin = reach(neighbours)
        sides = ((0, 0), (0, 0), (margin, margin), (margin, margin))
        around = np.pad(self.said, sides, constant_values=UNKNOWN)
        place, _ = most_probable(around, chain_of(self.series, caution, table=table), neighbours)
        codes = np.array([0, *self.series.legend.codes])
        return self.figures(*codes[place[-2:]])


def main() -> None:
    """Print the curves."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="keeps productions, and uses them again")
    parser.add_argument("--chosen-on", type=int, nargs="*", default=[0, 1, 2, 3])
    parser.add_argument("--shown-on", type=int, nargs="*", default=[4, 5, 6, 7])
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
            curve(seeds, lands)


def judged(land: Land, years: int) -> Judged:
    """Scenes and productions of a land; those that are there are taken as they are."""
    scenes = {
        2017: {"season_shift": EARLY},
        2018: {},
        2019: {"changed": CHANGED, "season_shift": 6.0},
    }
    made, truths = {}, []
    for year in sorted(scenes)[-years:]:
        path = land.folder / f"own_{year}"
        name = land.name_of(year, **scenes[year])
        if not (path / MAP).is_file():
            land.produce(path.name, land.scene(year, **scenes[year]), year)
        made[year] = path
        truths.append(land.truth(name))
    series = series_of([year_map(str(path), name=str(year)) for year, path in made.items()])
    said = series.reader().read(series.grid.window)
    return Judged(series, said, truths[-2:], free([*made.values()]))


def curve(seeds: list[int], lands: list[Judged]) -> None:
    """Print the means over the lands: of the maps as they are, and of those that agree."""
    print(f"{'neighbours':>10} {'caution':>7} {'accuracy':>9}{'false':>8}{'found':>8}{'right':>8}")
    raw = [land.as_they_are() for land in lands]
    tell("as they are", raw)
    tell("alone, found", [land.agreeing(CAUTION, 0.0, FOUND) for land in lands])
    for count in NEIGHBOUR_COUNTS:
        for caution in CAUTIONS:
            tell(f"{count:>10} {caution:>7}", [land.agreeing(caution, count) for land in lands])
    tell(f"default {CAUTION}", found := [land.agreeing(CAUTION, NEIGHBOURS) for land in lands])
    for seed, before, after in zip(seeds, raw, found, strict=True):
        print(
            f"  land {seed}: false {before[1]:.3f} to {after[1]:.3f}, found {before[2]:.3f} to {after[2]:.3f}"
        )


def tell(title: str, figures: list[np.ndarray]) -> None:
    """Print a line."""
    values = np.mean(figures, axis=0)
    print(
        f"{title:<18} {values[0]:>9.3f}" + "".join(f"{value:>8.3f}" for value in values[1:]),
        flush=True,
    )


if __name__ == "__main__":
    main()
