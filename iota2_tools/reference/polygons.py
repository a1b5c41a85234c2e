"""Reference polygons, regions, and the learning / validation splits."""

import hashlib
import logging

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from iota2_tools.config.nomenclature import Nomenclature
from iota2_tools.core.errors import InputDataError, one_message
from iota2_tools.geo.grid import Grid
from iota2_tools.geo.raster import whole_file
from iota2_tools.geo.vectors import polygons_only, read_layer, write_layer

logger = logging.getLogger(__name__)

LEARN, VALIDATION, UNUSED = "learn", "validation", "unused"
SET_NAMES = {
    "learn": LEARN,
    "train": LEARN,
    "validation": VALIDATION,
    "valid": VALIDATION,
    "val": VALIDATION,
}


def read_regions(path: str, layer: str | None, field: str, crs: str) -> gpd.GeoDataFrame:
    """Regions dissolved by name, in `crs`; the index holds the names.

    Raises
    ------
    InputDataError
        If the field is missing or a region has no name.
    """
    frame = read_layer(path, layer, crs)
    if field not in frame:
        fields = ", ".join(frame.columns.drop(frame.geometry.name))
        raise InputDataError(f"{path}: no field {field!r} (regions.field), found {fields}")
    if frame[field].isna().any():
        raise InputDataError(
            f"{path}: {frame[field].isna().sum()} polygon(s) have no value in field {field!r}"
        )
    frame = polygons_only(frame, path)
    names = frame[field].map(_plain_text)
    return gpd.GeoDataFrame({"region": names}, geometry=frame.geometry, crs=frame.crs).dissolve(
        "region"
    )


def _plain_text(value: object) -> str:
    """A field value as text; whole numbers, also those a null has made float, without a point."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def read_reference(
    path: str,
    layer: str | None,
    field: str,
    nomenclature: Nomenclature,
    crs: str,
    identifier: str | None = None,
) -> gpd.GeoDataFrame:
    """Reference polygons with columns `polygon` (id from 1), `code`, `geometry`, in `crs`.

    Parameters
    ----------
    field : str
        Integer codes or class names.
    identifier : str, optional
        Field whose values become `identifier`, for given splits.

    Raises
    ------
    InputDataError
        If a field is missing or holds values the nomenclature does not know (all are named).
    """
    frame = read_layer(path, layer, crs)
    for name in filter(None, (field, identifier)):
        if name not in frame:
            fields = ", ".join(frame.columns.drop(frame.geometry.name))
            raise InputDataError(f"{path}: no field {name!r}, found {fields}")
    frame["polygon"] = np.arange(1, len(frame) + 1, dtype=np.int64)
    codes = {value: nomenclature.code_of(value) for value in frame[field].unique()}
    unknown = [value for value, code in codes.items() if code is None]
    if unknown:
        raise InputDataError(unknown_classes(path, field, unknown))
    frame["code"] = frame[field].map(codes).astype(np.int64)
    columns = {"polygon": frame["polygon"], "code": frame["code"]}
    if identifier:
        columns["identifier"] = frame[identifier].map(_plain_text)
    result = gpd.GeoDataFrame(columns, geometry=frame.geometry, crs=frame.crs)
    return polygons_only(result, path)


def unknown_classes(path: str, field: str, values: list) -> str:
    """Message about reference values the nomenclature does not hold."""
    shown = ", ".join(
        "no value" if pd.isna(value) else repr(str(value)) for value in values[:10]
    ) + (" …" if len(values) > 10 else "")
    return (
        f"{path}: field {field!r} holds {shown}, which the nomenclature has neither as code nor as name; "
        "add the class to the nomenclature, or take those polygons out"
    )


def assign_regions(polygons: gpd.GeoDataFrame, regions: gpd.GeoDataFrame | None) -> pd.Series:
    """Region of each polygon: the one that holds most of it, "" if none does; "1" without regions.

    A polygon is drawn once, so it never learns on one side of a border and validates on the other.
    """
    if regions is None:
        return pd.Series("1", index=polygons.index)
    shapes = regions.geometry.to_numpy()
    tree = shapely.STRtree(shapes)
    geometries = polygons.geometry.to_numpy()
    which, region = tree.query(geometries, predicate="intersects")
    areas = shapely.area(shapely.intersection(geometries[which], shapes[region]))
    best = pd.DataFrame({"which": which, "region": region, "area": areas})
    best = best[best["area"] > 0].sort_values(
        ["which", "area", "region"], ascending=[True, False, True]
    )
    best = best.drop_duplicates("which").set_index("which")["region"]
    names = pd.Series("", index=range(len(polygons)), dtype=object)
    names[best.index] = regions.index.to_numpy()[best.to_numpy()]
    return pd.Series(names.to_numpy(), index=polygons.index)


def generator(random_seed: int, *names: object) -> np.random.Generator:
    """Random generator that depends on the seed and on the names of what it draws only.

    So a class or region more leaves the draws of the others as they were.
    """
    text = "/".join(str(name) for name in (random_seed, *names))
    return np.random.Generator(
        np.random.PCG64(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16]))
    )


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
