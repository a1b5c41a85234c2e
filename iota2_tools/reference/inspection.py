"""What is wrong with the reference polygons, found before the first job."""

from collections.abc import Iterator
from dataclasses import dataclass

import geopandas as gpd

from iota2_tools.core.errors import InputDataError, Iota2Error
from iota2_tools.geo.grid import transform_bounds
from iota2_tools.geo.vectors import LayerHeader, any_within, layer_header, read_fields
from iota2_tools.reference.polygons import class_codes, identifiers
from iota2_tools.reference.sets import LEARN
from iota2_tools.reference.splits import (
    SplitPlan,
    no_polygon_on_tiles,
    single_polygons,
    split_of,
)

CHECKED_WHOLE = 50_000
"""Features of a reference that is split once more for the check: that takes a few seconds."""


@dataclass(frozen=True)
class Findings:
    """What was found, one sentence each.

    Parameters
    ----------
    problems, remarks : tuple of str
        What stops a production, and what does not.
    poor : tuple of str
        Regions that learn a single class of these polygons: no model can.
    classes : frozenset of int
        Codes of the polygons of the production, where they are known.
    """

    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    poor: tuple[str, ...] = ()
    classes: frozenset[int] = frozenset()


def inspect_reference(plan: SplitPlan) -> Findings:
    """What the job of the splits would refuse or remark.

    Its own function is asked, on all polygons. Of references with more than `CHECKED_WHOLE`
    features the fields are read, and it is seen whether there is a polygon on a tile; regions
    without a class to learn and the same shape with two classes are then left to the job, which is
    among the first. Where the grids are not known the fields alone are looked at.
    """
    path = plan.reference.path
    try:
        header = layer_header(path, plan.reference.layer)
        if problems := _header_problems(header, path):
            return Findings(problems)
        if plan.grids and header.features <= CHECKED_WHOLE:
            split = split_of(plan)
            given = plan.reference.splits
            remarks = split.remarks + ([] if given else single_polygons(split.polygons, plan))
            codes = split.polygons.loc[split.polygons["has_pixel"], "code"]
            return Findings(
                (),
                tuple(_about(remarks, path)),
                tuple(_poor(split.polygons, plan)),
                frozenset(codes),
            )
        _check_fields(plan)
        _check_place(plan, header)
    except Iota2Error as error:
        return Findings((error.args[0],))
    return Findings()


def _poor(polygons: gpd.GeoDataFrame, plan: SplitPlan) -> Iterator[str]:
    """Regions that learn one class alone."""
    for seed in plan.seeds:
        learns = polygons[polygons[f"seed_{seed}"].str.contains(LEARN) & polygons["has_pixel"]]
        for region, codes in learns.groupby("region")["code"]:
            if codes.nunique() == 1:
                only = f"class {codes.iloc[0]} ({plan.nomenclature.name_of(codes.iloc[0])})"
                yield (
                    f"{plan.reference.path}: region {region}, seed {seed}: only {only} is learnt, two classes are "
                    "needed; add polygons of another, or merge the region with a neighbour"
                )


def _about(remarks: list[str], path: str) -> list[str]:
    """Remarks that say which file they are about."""
    return [text if text.startswith(path) else f"{path}: {text}" for text in remarks]


def _header_problems(header: LayerHeader, path: str) -> tuple[str, ...]:
    problems = []
    if header.crs is None:
        problems.append(f"{path}: has no coordinate reference system; assign it (ogr2ogr -a_srs)")
    if "Polygon" not in header.kind and header.kind != "Unknown":
        problems.append(f"{path}: holds {header.kind}, polygons are needed")
    return tuple(problems)


def _check_fields(plan: SplitPlan) -> None:
    """Raise InputDataError if classes or identifiers do not fit nomenclature and table of splits."""
    table = plan.splits_table()
    source = plan.source(table)
    values = read_fields(source.path, source.layer, source.fields)
    class_codes(source, values["class"], plan.nomenclature)
    if table:
        table.check(set(identifiers(values["identifier"])), plan.sampling.runs)


def _check_place(plan: SplitPlan, header: LayerHeader) -> None:
    """Raise InputDataError if no polygon touches a tile."""
    path, crs = plan.reference.path, str(header.crs)
    try:
        places = [transform_bounds(grid.bounds, grid.crs, crs) for grid in plan.grids]
    except InputDataError:  # a tile on the seam of that projection: the job looks at the shapes
        return
    if places and not any(any_within(path, header.layer, place) for place in places):
        raise no_polygon_on_tiles(path, plan.grids)
