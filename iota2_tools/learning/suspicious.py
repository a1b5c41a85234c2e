"""Learning polygons whose label looks wrong, as a layer for a person to look at.

A polygon is listed where models that have not learnt it find its class improbable, in one draw at
least (`folds.polygon_table`). Its label may be wrong, its outline may lie beside the field, or the
field may be of a kind that no other polygon shows.
"""

from collections.abc import Mapping

import pandas as pd

from iota2_tools.config.nomenclature import Nomenclature
from iota2_tools.core.files import whole_file
from iota2_tools.core.words import number
from iota2_tools.geo.vectors import read_layer, write_layer

LAYER = "suspicious_polygons"


def write_suspicious(
    tables: Mapping[tuple[str, int], str],
    splits: str,
    nomenclature: Nomenclature,
    output: str,
    *,
    dropped: bool,
) -> int:
    """Write the suspicious polygons, the most suspicious first.

    Parameters
    ----------
    tables : mapping of (region, seed) to str
        Tables of the polygons of each model (`folds.write_folds`).
    splits : str
        Polygons of the production (`splits.write_splits`).
    output : str
        GeoPackage: `polygon` (number in the reference file, from 1), `code`, `name`, `region`,
        `own` (mean probability of its class over the draws that learnt it, 0-1), `looks_like` and
        `looks_like_name` (what it is most often said to be), `draws` (in which its label looks
        wrong), `learnt` (draws that learnt it), `samples` (pixels), `dropped`, `reason`.
    dropped : bool
        Whether these polygons were not learnt in those draws.

    Returns
    -------
    int
        How many there are; the layer may be empty.
    """
    parts = [
        pd.read_csv(path).assign(region=region, seed=seed)
        for (region, seed), path in tables.items()
    ]
    told = suspicious(pd.concat(parts, ignore_index=True))
    told["name"] = [nomenclature.name_of(code) for code in told["code"]]
    told["looks_like_name"] = [nomenclature.name_of(code) for code in told["looks_like"]]
    told["dropped"] = dropped
    told["reason"] = [_reason(row) for row in told.itertuples()]
    shapes = read_layer(splits, columns=["polygon"])
    found = shapes.merge(told, on="polygon").sort_values(["own", "polygon"], ignore_index=True)
    columns = [
        "polygon", "code", "name", "region", "own", "looks_like", "looks_like_name", "draws", "learnt",
        "samples", "dropped", "reason", "geometry",
    ]  # fmt: skip
    with whole_file(output) as temporary:
        write_layer(found[columns], temporary, layer=LAYER)
    return len(found)


def suspicious(polygons: pd.DataFrame) -> pd.DataFrame:
    """Polygons that look wrong in a draw, over all draws.

    A polygon on the edge of two regions is learnt by the models of both.

    Parameters
    ----------
    polygons : DataFrame
        Rows of all tables, with `region` and `seed`.

    Returns
    -------
    DataFrame
        `polygon`, `code`, `region`, `own`, `looks_like`, `draws`, `learnt`, `samples`.
    """
    judged = polygons[polygons["own"].notna()]
    wrong = judged[judged["suspicious"] == 1].copy()
    learnt = judged.groupby("polygon").agg(own=("own", "mean"), learnt=("seed", "nunique"))
    wrong["said"] = wrong["said"].astype(int)
    told = wrong.groupby("polygon").agg(
        code=("code", "first"),
        region=("region", "first"),
        looks_like=("said", lambda codes: codes.mode().iloc[0]),
        draws=("seed", "nunique"),
        samples=("samples", "max"),
    )
    return told.join(learnt).reset_index()


def _reason(row: object) -> str:
    """In words, for a person."""
    where = f"in {row.draws} of {row.learnt} draw(s) that learnt it"  # type: ignore[attr-defined]
    own = number(row.own, 2)  # type: ignore[attr-defined]
    return (
        f"models that have not learnt it give {row.name} a probability of {own} only, {where}, "  # type: ignore[attr-defined]
        f"and take most of it for {row.looks_like_name}"  # type: ignore[attr-defined]
    )
