"""RESULTS_seeds.txt: how right the map is that is fused from those of all draws."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from iota2_tools.assessing.areas import ClassAreas
from iota2_tools.assessing.scores import ratio
from iota2_tools.config.nomenclature import Nomenclature
from iota2_tools.core.words import listed, number
from iota2_tools.reference.sets import PolygonTable
from iota2_tools.reporting.remarks import Remark, Topic
from iota2_tools.reporting.results import Certainty, Results, write_results


@dataclass(frozen=True)
class FusedEvidence:
    """What the report of the fused map is made of.

    Parameters
    ----------
    matrix : ndarray of int64
        Confusion matrix of the fused map on the polygons that no draw has learnt.
    of_seeds : mapping of int to ndarray
        Of the map of each draw, on the same polygons.
    polygons : PolygonTable
        Polygons of the production, with the sets of all draws.
    areas : ClassAreas
        Of the fused map.
    nomenclature : Nomenclature
    half_width : float
        Of the 95 % interval of the overall accuracy, polygons taken as drawn at random.
    """

    matrix: np.ndarray
    of_seeds: Mapping[int, np.ndarray]
    polygons: PolygonTable
    areas: ClassAreas
    nomenclature: Nomenclature
    half_width: float


def write_fused_results(
    evidence: FusedEvidence, method: str, path: str, *, regularised: bool = False
) -> None:
    """Write the report of the fused map.

    Parameters
    ----------
    method : str
        How the maps were fused, in a few words.
    regularised : bool
        Whether small areas have been merged, in this map and in those of the draws.
    """
    seeds = ", ".join(map(str, sorted(evidence.of_seeds)))
    results = Results(
        {0: evidence.matrix},
        list(_remarks(evidence)),
        {0: evidence.areas},
        certainty=Certainty([evidence.half_width]),
        title=f"Accuracy of the {'regularised ' if regularised else ''}land-cover map",
        about={"Fused from seeds": seeds, "By": method},
    )
    write_results(results, evidence.nomenclature, path)


METHODS = {
    "majority": "majority vote",
    "confidence": "vote weighted by confidence",
    "dempster_shafer": "Dempster and Shafer's theory",
    "mean": "mean of probabilities",
}


def described(rules: Mapping[str, Any]) -> str:
    """A method of fusion and what belongs to it, in a few words.

    >>> described({"method": "dempster_shafer", "masses": "recall", "undecided": "most_samples"})
    "Dempster and Shafer's theory (masses: recall; undecided: most samples)"
    """
    details = [f"masses: {rules['masses']}"] if rules["method"] == "dempster_shafer" else []
    if rules["method"] != "mean":
        details.append(f"undecided: {rules['undecided'].replace('_', ' ')}")
    if rules.get("weights"):
        details.append(f"weights: {', '.join(f'{weight:g}' for weight in rules['weights'])}")
    return METHODS[rules["method"]] + (f" ({'; '.join(details)})" if details else "")


def _remarks(evidence: FusedEvidence) -> Iterator[Remark]:
    codes = evidence.polygons.codes[evidence.polygons.unlearnt]
    yield Remark(
        Topic.REFERENCE,
        f"the map is judged on {len(codes)} polygon(s) that no draw has learnt; scores of single draws in "
        "RESULTS.txt are those of other polygons",
    )
    lacking = [item.name for item in evidence.nomenclature.classes if item.code not in codes]
    if lacking:
        yield Remark(
            Topic.REFERENCE,
            f"no such polygon is of {listed(lacking)}: nothing is known of how right the map is there",
        )
    yield from _compared(evidence.matrix, evidence.of_seeds)


def _compared(matrix: np.ndarray, of_seeds: Mapping[int, np.ndarray]) -> Iterator[Remark]:
    """The fused map beside those of the draws; pixels without class are wrong, or they would be
    left out of one map and not of the other."""
    single = [_share_right(other) for other in of_seeds.values()]
    fused = _share_right(matrix)
    if not np.isnan([fused, *single]).any():
        yield Remark(
            Topic.SCORES,
            f"on the same pixels the maps of the single draws are right for {number(min(single), 3)} to "
            f"{number(max(single), 3)}, in the mean {number(float(np.mean(single)), 3)}, the fused map for "
            f"{number(fused, 3)}; what is left without class counts as wrong",
        )


def _share_right(matrix: np.ndarray) -> float:
    """Share of all reference pixels, those without class too; NaN without any."""
    return float(ratio(np.diagonal(matrix).sum(), matrix.sum()))
