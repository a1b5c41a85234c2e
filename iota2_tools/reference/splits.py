"""Which polygons learn and which validate, for each draw."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from iota2_tools.config.nomenclature import Nomenclature
from iota2_tools.config.sampling import Reference, Regions, Sampling
from iota2_tools.core.draws import generator
from iota2_tools.core.errors import InputDataError, one_message
from iota2_tools.core.files import whole_file
from iota2_tools.geo.grid import Grid, crs_name
from iota2_tools.geo.vectors import write_layer
from iota2_tools.reference.coverage import hold_pixels, polygons_without_pixels
from iota2_tools.reference.dealing import parts_of_region
from iota2_tools.reference.given_splits import SplitsTable, merged_sets, read_splits_table
from iota2_tools.reference.overlaps import check_overlaps, overlap_remarks, overlapping_pairs
from iota2_tools.reference.polygons import ReferenceSource, read_reference
from iota2_tools.reference.regions import assign_regions, read_regions
from iota2_tools.reference.repetitions import (
    check_classes,
    first_of_its_shape,
    repetition_remarks,
)
from iota2_tools.reference.separation import (
    BLOCK,
    POLYGON,
    TOUCHING,
    groups_of,
    in_units,
    kept_apart,
    learning_groups,
    one_a_group,
)
from iota2_tools.reference.sets import LEARN, UNUSED, VALIDATION

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SplitPlan:
    """What the polygons of a production and their sets follow from.

    Parameters
    ----------
    reference, sampling, regions : Section
        Those of the configuration; no regions: one, named `1`.
    nomenclature : Nomenclature
        Classes of the production.
    grids : sequence of Grid
        Of every tile; polygons outside all of them are left out.
    used_regions : sequence of str
        Regions of the production: each must have something to learn from.
    held_back : float, optional
        Share of the polygons of each class and region that learn in no draw, where the maps of all
        draws are fused: some polygon must be left to judge the fused map.
    parts : mapping of str to int
        Regions that are learnt in parts, and in how many.
    folds : bool
        Whether models are judged by folds of their learning polygons.
    """

    reference: Reference
    sampling: Sampling
    regions: Regions | None
    nomenclature: Nomenclature
    grids: Sequence[Grid]
    used_regions: Sequence[str]
    held_back: float | None = None
    parts: Mapping[str, int] = field(default_factory=dict)
    folds: bool = False

    @property
    def seeds(self) -> range:
        """Draws."""
        return range(self.sampling.runs)

    def source(self, table: SplitsTable | None) -> ReferenceSource:
        """The reference polygons, with the identifier that a table of splits names."""
        section, identifier = self.reference, table.identifier if table else None
        return ReferenceSource(
            section.path, section.layer, section.field, identifier, self.group_field
        )

    @property
    def group_field(self) -> str | None:
        """Field of the reference whose values tell which polygons are drawn together."""
        word = self.sampling.split_by
        return None if word in (POLYGON, TOUCHING, BLOCK) else word

    def splits_table(self) -> SplitsTable | None:
        """The user's own splits, None if they are drawn."""
        return read_splits_table(self.reference.splits) if self.reference.splits else None


def learning_count(polygons: int, ratio: float) -> int:
    """Number of polygons of a class and region that learn: max(1, round(n · ratio)).

    At least one is left to validate if ratio < 1 and there are two or more. Halves round up.
    """
    count = max(1, int(np.floor(polygons * ratio + 0.5)))
    return min(count, polygons - 1) if ratio < 1 and polygons > 1 else min(count, polygons)


def held_back_count(polygons: int, share: float) -> int:
    """Number of polygons of a class and region that learn in no draw: round(n · share).

    Of three or more at least one, if any shall be; two at least are left to the draws.
    """
    if not share or polygons < 3:
        return 0
    return min(max(1, int(np.floor(polygons * share + 0.5))), polygons - 2)


def draw_held_back(polygons: pd.DataFrame, share: float, random_seed: int) -> np.ndarray:
    """Draw the polygons that learn in no draw, per class and region.

    Parameters
    ----------
    polygons : DataFrame
        As of `draw_split`.

    Returns
    -------
    ndarray of bool, shape (n_polygons,)
    """
    held = np.zeros(len(polygons), dtype=bool)
    numbers = polygons["polygon"].to_numpy()
    for (region, code), places in polygons.groupby(["region", "code"]).indices.items():
        count = held_back_count(len(places), share)
        if region == "" or not count:
            continue
        order = places[np.argsort(numbers[places])]
        held[generator(random_seed, "held back", region, code).permutation(order)[:count]] = True
    return held


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
    sets = np.full(len(polygons), UNUSED, dtype=object)
    alone = {"exclude": UNUSED, "both": f"{LEARN}+{VALIDATION}"}.get(single_polygon, single_polygon)
    numbers = polygons["polygon"].to_numpy()
    for (region, code), places in polygons.groupby(["region", "code"]).indices.items():
        if region == "":
            continue
        if len(places) == 1:
            sets[places] = alone if ratio < 1 else LEARN
            continue
        order = places[np.argsort(numbers[places])]
        shuffled = generator(random_seed, "split", seed, region, code).permutation(order)
        count = learning_count(len(order), ratio)
        sets[shuffled[:count]] = LEARN
        sets[shuffled[count:]] = VALIDATION
    return pd.Series(sets, index=polygons.index)


@dataclass(frozen=True)
class Split:
    """The polygons of a production.

    Parameters
    ----------
    polygons : GeoDataFrame
        `polygon` (number in the file, from 1), `code`, `region`, `has_pixel` (bool), `geometry`, and
        for each seed `seed_N`: ``learn``, ``validation``, ``learn+validation`` or ``unused``.
    remarks : list of str
        What a user may want to know, one sentence each.
    """

    polygons: gpd.GeoDataFrame
    remarks: list[str]


def write_splits(plan: SplitPlan, output: str) -> None:
    """Write the polygons of a production with their region and set per seed.

    Parameters
    ----------
    output : str
        GeoPackage of `Split.polygons`.
    """
    split = split_of(plan)
    polygons = split.polygons
    logger.info("%d polygons, %d classes", len(polygons), polygons["code"].nunique())
    for remark in [*split.remarks, *single_polygons(polygons, plan)]:
        logger.warning("%s", remark)
    with whole_file(output) as temporary:
        write_layer(polygons, temporary)


def split_of(plan: SplitPlan) -> Split:
    """The polygons of a production, with their region and set per seed.

    A polygon that stands in the file more than once is one polygon. One that no pixel belongs to
    is drawn into no set: it could neither learn nor validate.

    Raises
    ------
    InputDataError
        If nothing remains, the same shape has two classes, a region has no class to learn, or the
        table of given splits does not fit.
    """
    path, crs = plan.reference.path, plan.grids[0].crs
    table = plan.splits_table()
    every, remarks = read_reference(plan.source(table), plan.nomenclature, crs)
    if every.empty:
        raise InputDataError(f"{path}: holds no polygon")
    if table:
        table.check(set(every["identifier"]), plan.sampling.runs)
    found = _on_tiles(every, plan.grids, path)
    first = first_of_its_shape(found)
    check_classes(found, first, path)
    given = merged_sets(table, found, first) if table else None
    columns = [name for name in found if name != "identifier"]
    polygons = found.loc[first == found["polygon"], columns].copy()
    overlaps = overlapping_pairs(polygons, plan.grids)
    check_overlaps(overlaps, path)
    polygons["region"] = assign_regions(polygons, _region_shapes(plan, crs))
    polygons["has_pixel"] = hold_pixels(polygons.geometry.to_numpy(), plan.grids)
    groups = _groups(polygons, plan)
    for seed in plan.seeds:
        sets = _drawn(polygons, groups, seed, plan) if given is None else given[seed]
        polygons[f"seed_{seed}"] = sets[polygons.index]
    polygons = polygons.drop(columns="group", errors="ignore")
    remarks += overlap_remarks(overlaps, path) + _keep_apart(polygons, plan)
    _check_regions(polygons, plan, path)
    _check_unlearnt(polygons, plan, path)
    _check_parts(polygons, plan, path)
    _check_folds(polygons, plan, path)
    remarks += repetition_remarks(found, first, path) + _remarks(polygons, plan)
    remarks += _never_validated(polygons, groups, plan)
    return Split(polygons, remarks)


def _on_tiles(polygons: gpd.GeoDataFrame, grids: Sequence[Grid], path: str) -> gpd.GeoDataFrame:
    area = shapely.union_all([shapely.box(*grid.bounds) for grid in grids])
    shapely.prepare(area)
    found = polygons[shapely.intersects(area, polygons.geometry.to_numpy())]
    if found.empty:
        raise no_polygon_on_tiles(path, grids)
    return found


def no_polygon_on_tiles(path: str, grids: Sequence[Grid]) -> InputDataError:
    """The error of a reference that has nothing to do with the tiles."""
    return InputDataError(
        f"{path}: no polygon lies on the tiles, which are in {crs_name(grids[0].crs)}; check its "
        "coordinate reference system, and the tiles of the configuration"
    )


def _region_shapes(plan: SplitPlan, crs: str) -> gpd.GeoSeries | None:
    section = plan.regions
    return read_regions(section.path, section.layer, section.field, crs) if section else None


def _groups(polygons: gpd.GeoDataFrame, plan: SplitPlan) -> pd.Series | None:
    """Which of the polygons that take part are drawn as one; None: each is."""
    drawn = polygons[polygons["has_pixel"] & (polygons["region"] != "")]
    return groups_of(drawn, plan.sampling.split_by, plan.sampling.block, plan.grids[0])


def _drawn(
    polygons: gpd.GeoDataFrame, groups: pd.Series | None, seed: int, plan: SplitPlan
) -> pd.Series:
    """Sets of a draw; polygons without a pixel take no part, those held back validate."""
    used = polygons[polygons["has_pixel"]]
    if groups is None:
        sets = _drawn_by_class(used, seed, plan)
    elif plan.sampling.split_by == TOUCHING:
        own = used.loc[groups.index]
        sets = groups.map(_drawn_by_class(one_a_group(own, groups), seed, plan))
    else:
        sets = _drawn_across_classes(used.loc[groups.index].assign(group=groups), seed, plan)
    return sets.reindex(polygons.index, fill_value=UNUSED)


def _drawn_by_class(used: pd.DataFrame, seed: int, plan: SplitPlan) -> pd.Series:
    """Sets of polygons, or of groups of one class, on the index of `used`."""
    sampling = plan.sampling
    held = draw_held_back(used, plan.held_back or 0, sampling.random_seed)
    drawn = draw_split(
        used[~held], seed, sampling.ratio, sampling.random_seed, sampling.single_polygon
    )
    return drawn.reindex(used.index, fill_value=VALIDATION)


def _drawn_across_classes(used: pd.DataFrame, seed: int, plan: SplitPlan) -> pd.Series:
    """Sets of polygons whose groups hold several classes, on the index of `used`."""
    sampling = plan.sampling
    strata = used["region"] + " " + used["code"].astype(str)
    wanted = strata.value_counts().map(lambda count: learning_count(count, sampling.ratio))
    learns = learning_groups(used.assign(stratum=strata), wanted, seed, sampling.random_seed)
    return pd.Series(np.where(learns, LEARN, VALIDATION), used.index)


def _keep_apart(polygons: gpd.GeoDataFrame, plan: SplitPlan) -> list[str]:
    """Take out, in place, what learns too near to what validates; one sentence a draw."""
    buffer, remarks = plan.sampling.buffer, []
    if not buffer:
        return []
    distance = in_units(buffer, plan.grids[0].crs, "sampling.buffer")
    for seed in plan.seeds:
        before = polygons[f"seed_{seed}"]
        after = kept_apart(polygons.geometry.to_numpy(), before, distance)
        polygons[f"seed_{seed}"] = after
        lost = polygons[(before != after).to_numpy()]
        if len(lost):
            remarks.append(
                f"seed {seed}: {len(lost)} of {(before == LEARN).sum()} learning polygons lie nearer than "
                f"{buffer:g} m to one that validates and are not used{_classes_lost(polygons, lost, seed, plan)}"
            )
    return remarks


def _classes_lost(
    polygons: gpd.GeoDataFrame, lost: gpd.GeoDataFrame, seed: int, plan: SplitPlan
) -> str:
    """Classes of which a region learns nothing any more."""
    left = polygons[polygons[f"seed_{seed}"] == LEARN]
    still = set(zip(left["region"], left["code"], strict=True))
    gone = sorted(set(zip(lost["region"], lost["code"], strict=True)) - still)
    names = [f"{plan.nomenclature.name_of(code)} in region {region}" for region, code in gone]
    return f"; nobody learns {', '.join(names)}" if names else ""


def _never_validated(
    polygons: gpd.GeoDataFrame, groups: pd.Series | None, plan: SplitPlan
) -> list[str]:
    """Classes of several polygons in one group, which can only learn or validate as a whole."""
    if groups is None:
        return []
    used = polygons.loc[groups.index].assign(group=groups)
    remarks = []
    for (region, code), own in used.groupby(["region", "code"]):
        if own["group"].nunique() == 1 and len(own) > 1:
            sets = sorted({str(own[f"seed_{seed}"].iloc[0]) for seed in plan.seeds})
            remarks.append(
                f"class {code} ({plan.nomenclature.name_of(code)}): its {len(own)} polygons in region {region} "
                f"are drawn as one (sampling.split_by: {plan.sampling.split_by}): {', '.join(sets)}"
            )
    return remarks


def _remarks(polygons: gpd.GeoDataFrame, plan: SplitPlan) -> list[str]:
    """Polygons that are of no use."""
    remarks = polygons_without_pixels(polygons, plan.nomenclature)
    outside = (polygons["region"] == "").sum()
    if outside:
        remarks.append(f"{outside} polygon(s) lie in no region and are not used")
    return remarks + _unjudged(polygons, plan)


def _unjudged(polygons: gpd.GeoDataFrame, plan: SplitPlan) -> list[str]:
    """Classes of which the folds of a region say nothing, where masses come from them."""
    remarks = []
    for seed in plan.seeds if plan.folds else ():
        for (region, code), count in _learning(polygons, seed).items():
            if count == 1 and region in plan.used_regions:
                remarks.append(
                    f"region {region}, seed {seed}: class {plan.nomenclature.name_of(code)} has one learning "
                    "polygon, so that its folds lack it: where the model says that class, it is not believed (mass 0)"
                )
    return remarks


def _learning(polygons: gpd.GeoDataFrame, seed: int) -> dict[tuple[str, int], int]:
    """Number of polygons that learn in a draw, by region and class."""
    learns = polygons[f"seed_{seed}"].str.contains(LEARN) & polygons["has_pixel"]
    counts: dict[tuple[str, int], int] = (
        polygons[learns].groupby(["region", "code"]).size().to_dict()
    )
    return counts


ALONE = {
    LEARN: "it learns, and nothing tells how right the class is",
    VALIDATION: "it validates a class that is not learnt",
    UNUSED: "it is left out",
    f"{LEARN}+{VALIDATION}": "it learns and validates itself, which flatters the class",
}
"""What becomes of a polygon that is the only one of its class."""


def single_polygons(polygons: gpd.GeoDataFrame, plan: SplitPlan) -> list[str]:
    """Classes that stand on one polygon in a region, and what it does."""
    remarks = []
    used = polygons[(polygons["region"] != "") & polygons["has_pixel"]]
    for (region, code), group in used.groupby(["region", "code"]):
        if len(group) == 1:
            sets = sorted({str(group[f"seed_{seed}"].iloc[0]) for seed in plan.seeds})
            does = ", ".join(ALONE.get(name, name) for name in sets)
            remarks.append(f"class {code} has one polygon in region {region}: {does}")
    return remarks


def _check_regions(polygons: gpd.GeoDataFrame, plan: SplitPlan, path: str) -> None:
    """Raise InputDataError unless each region of the production has a polygon that learns."""
    problems = []
    for seed in plan.seeds:
        learns = polygons[f"seed_{seed}"].str.contains(LEARN) & polygons["has_pixel"]
        learning = set(polygons.loc[learns, "region"])
        problems += [
            f"region {region}, seed {seed}: no polygon to learn from "
            f"({(polygons['region'] == region).sum()} in the region); add polygons, merge the region "
            "with a neighbour, or take it out of the region file"
            + (", or lower sampling.buffer" if plan.sampling.buffer else "")
            for region in plan.used_regions
            if region not in learning
        ]
    if problems:
        raise InputDataError(one_message(path, problems))


def _check_unlearnt(polygons: gpd.GeoDataFrame, plan: SplitPlan, path: str) -> None:
    """Raise InputDataError unless the fused map can be judged: by polygons that no draw learns."""
    if plan.held_back is None:
        return
    sets = polygons[[f"seed_{seed}" for seed in plan.seeds]]
    unlearnt = (sets == VALIDATION).all(axis=1) & polygons["has_pixel"]
    if not unlearnt.any():
        raise InputDataError(
            f"{path}: every polygon learns in one of the {len(plan.seeds)} draws, so that none is left to "
            "judge the fused map; raise fusion.seeds.held_back (a class needs three polygons in a "
            "region), add polygons, or leave some out of `learn` in reference.splits"
        )


def _check_parts(polygons: gpd.GeoDataFrame, plan: SplitPlan, path: str) -> None:
    """Raise InputDataError if a part of a large region would lack one of its classes."""
    problems = []
    for region, parts in plan.parts.items():
        for seed in plan.seeds:
            dealt = parts_of_region(polygons, region, seed, parts, plan.sampling.random_seed)
            for code, group in dealt.groupby("code"):
                if len(group) < parts:
                    problems.append(
                        f"region {region}, seed {seed}: class {plan.nomenclature.name_of(code)} has "
                        f"{len(group)} learning polygon(s) for {parts} parts, so that some would lack it; raise "
                        "fusion.regions.above_km2, add polygons, or merge the class with another"
                    )
    if problems:
        raise InputDataError(one_message(path, problems[:20]))


def _check_folds(polygons: gpd.GeoDataFrame, plan: SplitPlan, path: str) -> None:
    """Raise InputDataError if nothing can be set apart of the learning polygons of a region."""
    problems = []
    for seed in plan.seeds if plan.folds else ():
        most: dict[str, int] = {}
        for (region, _), count in _learning(polygons, seed).items():
            most[region] = max(most.get(region, 0), count)
        problems += [
            f"region {region}, seed {seed}: no class has two learning polygons, so that folds cannot tell "
            "what a model is to be believed; add polygons, or take a method of fusion without masses"
            for region in plan.used_regions
            if most.get(region, 0) < 2
        ]
    if problems:
        raise InputDataError(one_message(path, problems[:20]))
