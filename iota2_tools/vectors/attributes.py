"""Attributes of polygons, from the sums over their pixels.

Shares are percents of the pixels that have a class in the raw map; means and deviations (of the
population) leave out pixels without value, and are empty where none has one. The most frequent class
of the raw map is the *majority*; of equal ones that of the polygon itself counts, then the smaller code.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa

from iota2_tools.config.nomenclature import Nomenclature
from iota2_tools.config.vectorisation import OWN_QUANTITIES
from iota2_tools.vectors.measuring import FIELDS


@dataclass(frozen=True)
class Naming:
    """Names of the columns.

    Parameters
    ----------
    classes : Nomenclature
        Classes of the map.
    style : {"plain", "oso"}
        Names of ours, or those of the OSO product.
    quantities : sequence of str
        Names of further rasters.
    """

    classes: Nomenclature
    style: str = "plain"
    quantities: Sequence[str] = field(default_factory=tuple)

    @property
    def fixed(self) -> dict[str, str]:
        """For each of our columns the name it is delivered under; those left out are missing."""
        return OSO if self.style == "oso" else {name: name for name in PLAIN}

    @property
    def extra(self) -> list[str]:
        """Columns of the further rasters."""
        kinds = ("mean", "sd", "majority_mean", "majority_sd")
        return [f"{name}_{kind}" for name in self.quantities for kind in kinds]

    def share(self, code: int) -> str:
        """Column of the share of a class."""
        return f"share_{code}" if self.style == "plain" else self._shares[code]

    @property
    def _shares(self) -> dict[int, str]:
        """Names of classes as columns: short, of plain letters, each once whatever the case."""
        taken = {name.lower() for name in [*OSO.values(), "geom", "fid", "geometry"]}
        found = {}
        for item in self.classes.classes:
            found[item.code] = unique_name(item.name, taken)
            taken.add(found[item.code].lower())
        return found

    @property
    def legend(self) -> list[tuple[str, str]]:
        """Columns of shares, and the class that each is the share of."""
        return [(self.share(item.code), item.name) for item in self.classes.classes]


PLAIN = (
    "id", "code", "name", "majority", "pixels", "area", "perimeter",
    "confidence_mean", "confidence_sd", "confidence_majority_mean", "confidence_majority_sd",
    "validity_mean", "validity_sd", "validity_majority_mean", "validity_majority_sd",
)  # fmt: skip
OSO = {
    "id": "ID", "majority": "Classe", "validity_majority_mean": "Validmean",
    "validity_majority_sd": "Validstd", "confidence_majority_mean": "Confidence", "area": "Aire",
}  # fmt: skip
LONGEST = 10
"""Bytes of the name of a field in a Shapefile."""


def unique_name(text: str, taken: set[str]) -> str:
    """A field name of at most ten plain letters and digits that is not taken, whatever the case.

    >>> unique_name("Prairies permanentes", {"prairiespe"})
    'PrairiesP1'
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    word = "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", plain))
    word = word if word[:1].isalpha() else f"C{word}"
    name, number = word[:LONGEST], 0
    while name.lower() in taken:
        number += 1
        name = f"{word[: LONGEST - len(str(number))]}{number}"
    return name


def attributes(
    table: pa.Table, numbers: np.ndarray, codes: np.ndarray, naming: Naming
) -> dict[str, np.ndarray]:
    """Columns that describe polygons, under our own names.

    Parameters
    ----------
    table : Table
        Sums (`measuring`), in the order of parts and codes.
    numbers : ndarray of int64, shape (n,)
        Polygons, in increasing order; each has lines in the table.
    codes : ndarray, shape (n,)
        Class of each in the map it comes from.
    """
    lines = _Lines(table, numbers)
    counts = lines.sums("pixels", lines.code > 0)
    found = {
        "id": numbers,
        "code": codes.astype(np.int32),
        "name": _names(naming.classes, codes),
        "majority": lines.majority(codes),
    }
    for item in naming.classes.classes:
        pixels = lines.sums("pixels", lines.code == item.code)
        with np.errstate(invalid="ignore", divide="ignore"):
            found[naming.share(item.code)] = _rounded(100 * pixels / counts)
    most = lines.code == found["majority"][lines.polygon]
    for name in (*OWN_QUANTITIES, *naming.quantities):
        if f"{name}:sum" not in table.column_names:
            continue
        for kind, chosen in (("", np.ones(len(most), bool)), ("_majority", most)):
            mean, deviation = lines.moments(name, chosen)
            found[f"{name}{kind}_mean"], found[f"{name}{kind}_sd"] = mean, deviation
    return found


class _Lines:
    """Lines of a table of sums that belong to some polygons."""

    def __init__(self, table: pa.Table, numbers: np.ndarray) -> None:
        part = table["part"].to_numpy()
        places = np.minimum(np.searchsorted(numbers, part), max(len(numbers) - 1, 0))
        inside = numbers[places] == part if len(numbers) else np.zeros(len(part), bool)
        self._table = table.filter(pa.array(inside))
        self.polygon = places[inside]
        self.code = self._table["code"].to_numpy().astype(np.int64)
        self._count = len(numbers)

    def sums(self, column: str, chosen: np.ndarray) -> np.ndarray:
        """Sums over some of the lines of each polygon."""
        values = self._table[column].to_numpy()
        return np.bincount(self.polygon[chosen], values[chosen], self._count)

    def majority(self, codes: np.ndarray) -> np.ndarray:
        """Most frequent class of each polygon; its own if no pixel has one."""
        pixels = self._table["pixels"].to_numpy()
        own = self.code == codes[self.polygon]
        order = np.lexsort([-self.code, own, pixels, self.code > 0, self.polygon])
        last = np.diff(self.polygon[order], append=-1) != 0
        found = codes.astype(np.int32).copy()
        best = order[last]
        best = best[self.code[best] > 0]
        found[self.polygon[best]] = self.code[best]
        return found

    def moments(self, name: str, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and deviation of a quantity over the pixels of some lines."""
        count, total, squares = (self.sums(f"{name}:{field}", chosen) for field in FIELDS)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = total / count
            variance = squares / count - mean**2
        return _rounded(mean), _rounded(np.sqrt(np.maximum(variance, 0)))


def _rounded(values: np.ndarray) -> np.ndarray:
    """Seven digits: what is left when sums of floats are added in another order."""
    return values.astype(np.float32)


def _names(classes: Nomenclature, codes: np.ndarray) -> np.ndarray:
    known = {item.code: item.name for item in classes.classes}
    return pd.Series(codes).map(lambda code: known.get(code, str(code))).to_numpy(object)
