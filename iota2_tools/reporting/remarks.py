"""What the reader of the scores must know: acquisitions left out, classes of a single polygon."""

import pandas as pd

from iota2_tools.config.nomenclature import Nomenclature
from iota2_tools.geo.vectors import read_layer
from iota2_tools.timeseries.inventory import read_inventory


def remarks(
    inventories: list[str], splits: str, seeds: list[int], nomenclature: Nomenclature
) -> list[str]:
    """Remarks for RESULTS.txt, one sentence each.

    Parameters
    ----------
    inventories : list of str
        Of all tiles.
    splits : str
        Polygons of the production.
    """
    polygons = read_layer(splits, read_geometry=False)
    return [
        *(remark for path in inventories for remark in _left_out(path)),
        *single_polygon_remarks(polygons, seeds, nomenclature),
    ]


def _left_out(path: str) -> list[str]:
    inventory = read_inventory(path)
    return [
        f"{inventory.tile}: {name} is left out: {why}" for name, why in inventory.left_out.items()
    ]


def single_polygon_remarks(
    polygons: pd.DataFrame, seeds: list[int], nomenclature: Nomenclature
) -> list[str]:
    """One sentence a class and region that has a single polygon: what it was used for."""
    found = []
    for (region, code), group in polygons[polygons["region"] != ""].groupby(["region", "code"]):
        if len(group) == 1:
            sets = sorted({group[f"seed_{seed}"].iloc[0] for seed in seeds})
            found.append(
                f"region {region}: {nomenclature.name_of(code)} has a single polygon ({', '.join(sets)})"
                + (": its scores are optimistic" if any("+" in item for item in sets) else "")
            )
    return found
