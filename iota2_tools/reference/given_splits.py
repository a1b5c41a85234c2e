"""Splits of the user's own: a table that tells which polygon learns and which validates."""

from dataclasses import dataclass

import pandas as pd

from iota2_tools.core.errors import InputDataError, one_message
from iota2_tools.geo.vectors import shown
from iota2_tools.reference.sets import LEARN, UNUSED, VALIDATION

SET_NAMES = {
    "learn": LEARN,
    "train": LEARN,
    "validation": VALIDATION,
    "valid": VALIDATION,
    "val": VALIDATION,
}


@dataclass(frozen=True)
class SplitsTable:
    """A table of splits, as text.

    Parameters
    ----------
    path : str
        File.
    identifier : str
        Name of its first column: that of the field which identifies the polygons.
    rows : DataFrame
        Columns `identifier`, `seed`, `set`, whatever the file calls the first one.
    """

    path: str
    identifier: str
    rows: pd.DataFrame

    def check(self, known: set[str], runs: int) -> None:
        """Raise InputDataError that lists all that is wrong.

        Parameters
        ----------
        known : set of str
            Identifiers of all polygons of the reference.
        runs : int
            Number of draws asked for.
        """
        rows, problems = self.rows, []
        strange = sorted({seed for seed in rows["seed"] if not seed.isdecimal()})
        if strange:
            problems.append(f"seed {shown(map(repr, strange))}: seeds are whole numbers from 0")
        elif (seeds := sorted({int(seed) for seed in rows["seed"]})) != list(range(runs)):
            problems.append(f"seeds {seeds} found, sampling.runs asks for {list(range(runs))}")
        sets = sorted(set(rows["set"].str.lower()) - set(SET_NAMES))
        if sets:
            problems.append(f"set {shown(map(repr, sets))}: use learn or validation")
        strangers = sorted(set(rows["identifier"]) - known)
        if strangers:
            problems.append(f"{self.identifier} {shown(strangers)}: no such reference polygon")
        if rows.duplicated(["identifier", "seed"]).any():
            problems.append(f"{self.identifier} stands twice for one seed")
        if problems:
            raise InputDataError(one_message(self.path, problems))

    def sets(self, identifiers: pd.Series) -> pd.DataFrame:
        """Set of each polygon, one column a seed; polygons the table does not name are unused."""
        rows = pd.DataFrame(
            {
                "identifier": self.rows["identifier"],
                "seed": self.rows["seed"].astype(int),
                "set": self.rows["set"].str.lower().map(SET_NAMES),
            }
        )
        wide = rows.pivot(index="identifier", columns="seed", values="set")
        wide = wide.reindex(identifiers).fillna(UNUSED)
        wide.index = identifiers.index
        return wide


def read_splits_table(path: str) -> SplitsTable:
    """Read a table `identifier,seed,set`; the first column identifies, the others go by name.

    Raises
    ------
    InputDataError
        If it is no such table.
    """
    try:
        cells = pd.read_csv(path, header=None, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputDataError(
            f"{path}: cannot be read as a table in UTF-8 ({error}); expected the columns identifier,seed,set"
        ) from None
    cells = cells.apply(lambda column: column.str.strip())
    names = cells.iloc[0].tolist()
    places = {name.lower(): place for place, name in enumerate(names) if place > 0}
    missing = [f"column {name!r} is missing" for name in ("seed", "set") if name not in places]
    if missing:
        found = (
            f"found {', '.join(names)}; the columns are identifier,seed,set, with commas between"
        )
        raise InputDataError(one_message(path, [*missing, found]))
    columns = cells.iloc[1:, [0, places["seed"], places["set"]]]
    rows = columns.set_axis(["identifier", "seed", "set"], axis=1).reset_index(drop=True)
    return SplitsTable(path, names[0], rows)


def merged_sets(table: SplitsTable, polygons: pd.DataFrame, first: pd.Series) -> pd.DataFrame:
    """Sets of polygons of which some stand in the file more than once.

    What the table says of one holds for all that are the same.

    Parameters
    ----------
    polygons : DataFrame
        Columns `polygon` and `identifier`.
    first : Series of int
        See `repetitions.first_of_its_shape`.

    Raises
    ------
    InputDataError
        If the table puts one shape into both sets of a seed.
    """
    sets = table.sets(polygons["identifier"])
    problems = []
    for seed in sets:
        named = sets[seed].where(sets[seed] != UNUSED)
        said = named.groupby(first)
        both = said.nunique() > 1
        for polygon in both.index[both]:
            same = polygons.loc[first == polygon, "identifier"]
            problems.append(
                f"seed {seed}: {table.identifier} {shown(same)} are the same polygon, in two sets"
            )
        sets[seed] = said.transform("first").fillna(UNUSED)
    if problems:
        raise InputDataError(one_message(table.path, problems[:20]))
    return sets
