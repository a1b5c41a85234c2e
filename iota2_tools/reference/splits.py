"""Which reference polygons learn and which validate, for each draw."""

import logging

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from iota2_tools.core.draws import generator
from iota2_tools.core.errors import InputDataError, one_message
from iota2_tools.core.files import whole_file
from iota2_tools.geo.grid import Grid
from iota2_tools.geo.vectors import write_layer
from iota2_tools.reference.polygons import read_reference
from iota2_tools.reference.regions import assign_regions, read_regions
from iota2_tools.reference.sets import LEARN, UNUSED, VALIDATION

logger = logging.getLogger(__name__)

SET_NAMES = {
    "learn": LEARN,
    "train": LEARN,
    "validation": VALIDATION,
    "valid": VALIDATION,
    "val": VALIDATION,
}


def learning_count(polygons: int, ratio: float) -> int:
    """Number of polygons of a class and region that learn: max(1, round(n · ratio)).

    At least one is left to validate if ratio < 1 and there are two or more. Halves round up.
    """
    count = max(1, int(np.floor(polygons * ratio + 0.5)))
    return min(count, polygons - 1) if ratio < 1 and polygons > 1 else min(count, polygons)


def draw_split(
    polygons: pd.DataFrame, seed: int, ratio: float, random_seed: int, single_polygon: str
) -> pd.Series:
    """Draw the set of each polygon, per class and region.

    Parameters
    ----------
    polygons : DataFrame
        Columns `polygon`, `code`, `region`; polygons with region "" are unused.
    seed : int
        Number of the draw.
    ratio : float
        Share that learns, in ]0, 1].
    single_polygon : {"learn", "validation", "exclude", "both"}
        What a class with one polygon in a region does; "both" gives ``learn+validation``.

    Returns
    -------
    Series of str
        ``learn``, ``validation``, ``learn+validation`` or ``unused``, on the index of `polygons`.
    """
    sets = pd.Series(UNUSED, index=polygons.index, dtype=object)
    alone = {"exclude": UNUSED, "both": f"{LEARN}+{VALIDATION}"}.get(single_polygon, single_polygon)
    for (region, code), group in polygons[polygons["region"] != ""].groupby(["region", "code"]):
        if len(group) == 1:
            sets[group.index] = alone if ratio < 1 else LEARN
            continue
        order = group.sort_values("polygon").index
        shuffled = generator(random_seed, "split", seed, region, code).permutation(order)
        count = learning_count(len(order), ratio)
        sets[shuffled[:count]] = LEARN
        sets[shuffled[count:]] = VALIDATION
    return sets


def given_splits(path: str, identifiers: pd.Series, runs: int) -> pd.DataFrame:
    """Sets of each polygon from a table `identifier,seed,set`, one column a seed.

    Polygons the table does not name are unused.

    Raises
    ------
    InputDataError
        If the table lacks seeds, holds unknown sets, or names polygons that do not exist.
    """
    table = read_splits_table(path)
    key = table.columns[0]
    problems = [f"column {name!r} is missing" for name in ("seed", "set") if name not in table]
    strange = [] if problems else sorted({seed for seed in table["seed"] if not seed.isdecimal()})
    if strange:
        problems.append(f"seed {', '.join(map(repr, strange))}: seeds are whole numbers from 0")
    if problems:
        raise InputDataError(one_message(path, problems))
    unknown_sets = sorted(set(table["set"].str.strip().str.lower()) - set(SET_NAMES))
    if unknown_sets:
        problems.append(f"set {', '.join(map(repr, unknown_sets))}: use learn or validation")
    seeds = sorted({int(seed) for seed in table["seed"]})
    if seeds != list(range(runs)):
        problems.append(f"seeds {seeds} found, sampling.runs asks for {list(range(runs))}")
    strangers = sorted(set(table[key]) - set(identifiers))
    if strangers:
        problems.append(f"{key} {', '.join(strangers[:10])}: no such reference polygon")
    if table.duplicated([key, "seed"]).any():
        problems.append(f"{key} stands twice for one seed")
    if problems:
        raise InputDataError(one_message(path, problems))
    table["set"] = table["set"].str.strip().str.lower().map(SET_NAMES)
    table["seed"] = table["seed"].astype(int)
    wide = table.pivot(index=key, columns="seed", values="set").reindex(identifiers).fillna(UNUSED)
    wide.index = identifiers.index
    return wide


def read_splits_table(path: str) -> pd.DataFrame:
    """Read a table of fixed splits as text."""
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputDataError(
            f"{path}: cannot be read as a table ({error}); expected the columns identifier,seed,set"
        ) from None
    return table.apply(lambda column: column.str.strip())


def split_identifier(path: str | None) -> str | None:
    """Name of the identifier field of a splits table: its first column."""
    return None if path is None else read_splits_table(path).columns[0]


def write_splits(
    reference: dict,
    regions: dict | None,
    sampling: dict,
    nomenclature: str,
    grids: list[Grid],
    used_regions: list[str],
    output: str,
) -> None:
    """Write the polygons of the production with their region and set per seed.

    Parameters
    ----------
    reference, regions, sampling : dict
        Those sections of the configuration.
    nomenclature : str
        Path of the nomenclature.
    grids : list of Grid
        Grid of every tile; polygons outside all of them are left out.
    used_regions : list of str
        Regions of the production.
    output : str
        GeoPackage with fields `polygon`, `code`, `region`, `seed_0` …

    Raises
    ------
    InputDataError
        If nothing remains, or a region has no class to learn.
    """
    from iota2_tools.config.nomenclature import read_nomenclature

    crs = grids[0].crs
    polygons = read_reference(
        reference["path"],
        reference["layer"],
        reference["field"],
        read_nomenclature(nomenclature),
        crs,
        split_identifier(reference["splits"]),
    )
    area = shapely.union_all([shapely.box(*grid.bounds) for grid in grids])
    polygons = polygons[polygons.intersects(area)]
    if polygons.empty:
        raise InputDataError(
            f"{reference['path']}: no polygon lies on the tiles; check its coordinate reference system "
            f"({polygons.crs.name if polygons.crs else 'none'}) and the tiles of the configuration"
        )
    shapes = None
    if regions:
        shapes = read_regions(regions["path"], regions["layer"], regions["field"], crs)
    polygons["region"] = assign_regions(polygons, shapes)
    seeds = range(sampling["runs"])
    if reference["splits"]:
        sets = given_splits(reference["splits"], polygons["identifier"], sampling["runs"])
    else:
        sets = pd.DataFrame(
            {
                seed: draw_split(
                    polygons,
                    seed,
                    sampling["ratio"],
                    sampling["random_seed"],
                    sampling["single_polygon"],
                )
                for seed in seeds
            }
        )
    for seed in seeds:
        polygons[f"seed_{seed}"] = sets[seed]
    _tell(polygons, seeds)
    _check_regions(polygons, seeds, used_regions, reference["path"])
    polygons = polygons.drop(columns="identifier", errors="ignore")
    with whole_file(output) as temporary:
        write_layer(polygons, temporary)


def _tell(polygons: gpd.GeoDataFrame, seeds: range) -> None:
    logger.info("%d polygons, %d classes", len(polygons), polygons["code"].nunique())
    outside = (polygons["region"] == "").sum()
    if outside:
        logger.warning("%d polygons lie in no region and are not used", outside)
    sizes = polygons[polygons["region"] != ""].groupby(["region", "code"]).size()
    for (region, code), _ in sizes[sizes == 1].items():
        found = polygons[(polygons["region"] == region) & (polygons["code"] == code)]
        sets = sorted({str(found[f"seed_{seed}"].iloc[0]) for seed in seeds})
        logger.warning("class %s has one polygon in region %s: %s", code, region, ", ".join(sets))


def _check_regions(polygons: gpd.GeoDataFrame, seeds: range, used: list[str], path: str) -> None:
    problems = []
    for region in used:
        inside = polygons[polygons["region"] == region]
        for seed in seeds:
            learning = inside[inside[f"seed_{seed}"].str.contains(LEARN)]
            if learning["code"].nunique() < 1:
                problems.append(
                    f"region {region}, seed {seed}: no polygon to learn from ({len(inside)} in the region); "
                    "add polygons, merge the region with a neighbour, or take it out of the region file"
                )
    if problems:
        raise InputDataError(one_message(path, problems))
