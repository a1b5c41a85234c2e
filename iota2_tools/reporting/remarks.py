"""What the reader of the scores must know, gathered for RESULTS.txt.

A remark comes from a function `(Evidence) -> Iterator[Remark]` in `GATHERERS`. One more kind of
remark is one more function; what it looks at beside is one more field of `Evidence`.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import pandas as pd

from iota2_tools.assessing.areas import ClassAreas, unvalidated
from iota2_tools.assessing.scores import classified, scores_over_seeds
from iota2_tools.config.nomenclature import Nomenclature
from iota2_tools.core.words import listed, number
from iota2_tools.reference.coverage import polygons_without_pixels
from iota2_tools.reference.sets import VALIDATION
from iota2_tools.timeseries.inventory import Inventory


class Topic(StrEnum):
    """What a remark is about: its heading in the report, in the order of the headings."""

    IMAGES = "Images"
    REFERENCE = "Reference"
    SCORES = "Scores"
    AREAS = "Areas"


@dataclass(frozen=True)
class Remark:
    """One or two sentences the reader must know."""

    topic: Topic
    text: str


@dataclass(frozen=True)
class Evidence:
    """What remarks are drawn from.

    Parameters
    ----------
    inventories : sequence of Inventory
        Of all tiles.
    polygons : DataFrame
        Reference polygons of the production: `polygon`, `code`, `region`, `has_pixel`, `seed_N`.
    matrices : mapping of int to ndarray
        Confusion matrix of each seed; rows: reference, columns: map.
    areas : mapping of int to ClassAreas
        Areas of the map of each seed.
    nomenclature : Nomenclature
        Order of rows, columns and areas.
    regularised : bool
        Whether it is the regularised map that was compared.
    plain : sequence of ndarray
        Matrix of each seed of the maps without what neighbouring regions say near boundaries.
    distances : mapping of int to ndarray
        Metres from each validation polygon of a seed to the nearest that learns.
    suspicious : int, optional
        Learning polygons whose label looks wrong; None: they were not looked for.
    dropped : bool
        Whether these were not learnt.
    other_years : tuple of int, optional
        Other productions and tables whose samples are learnt; of their samples those that were not, for they
        lie in polygons that validate, over all models. None: there are none.
    """

    inventories: Sequence[Inventory]
    polygons: pd.DataFrame
    matrices: Mapping[int, np.ndarray]
    areas: Mapping[int, ClassAreas]
    nomenclature: Nomenclature
    regularised: bool = False
    plain: Sequence[np.ndarray] = ()
    distances: Mapping[int, np.ndarray] = field(default_factory=dict)
    suspicious: int | None = None
    dropped: bool = False
    other_years: tuple[int, int] | None = None

    @property
    def seeds(self) -> list[int]:
        """Seeds in increasing order."""
        return sorted(self.matrices)

    @property
    def validated_seeds(self) -> list[int]:
        """Seeds with validation pixels that have a class in the map."""
        return [seed for seed in self.seeds if classified(self.matrices[seed]).sum()]


def gather(evidence: Evidence) -> list[Remark]:
    """All remarks, by topic, within a topic in the order of `GATHERERS`."""
    found = [remark for gatherer in GATHERERS for remark in gatherer(evidence)]
    order = list(Topic)
    return sorted(found, key=lambda remark: order.index(remark.topic))


def gather_without_reference(
    inventories: Sequence[Inventory],
    areas: Mapping[int, ClassAreas],
    nomenclature: Nomenclature,
) -> list[Remark]:
    """Remarks about maps that no reference judges: their images, and areas that are none."""
    evidence = Evidence(inventories, pd.DataFrame(), {}, areas, nomenclature)
    gatherers = (products_left_out, series_moved, maps_without_hectares)
    return [remark for gatherer in gatherers for remark in gatherer(evidence)]


def products_left_out(evidence: Evidence) -> Iterator[Remark]:
    """Acquisitions that are not read, and why, by tile, whatever the order these are given in."""
    for inventory in sorted(evidence.inventories, key=lambda item: item.tile):
        for name, why in inventory.left_out.items():
            # Where the archive lies does not belong to the scores: they are the same elsewhere.
            inside = re.sub(rf"\S*/(?={re.escape(name)})", "", why)
            yield Remark(Topic.IMAGES, f"{inventory.tile}: {name} is left out: {inside}")


def series_moved(evidence: Evidence) -> Iterator[Remark]:
    """How far the acquisitions of a series were moved onto its reference."""
    shifts: dict[str, list[tuple[float, str]]] = {}
    for inventory in evidence.inventories:
        for series, items in inventory.series.items():
            shifts.setdefault(series, []).extend(
                (
                    float(np.hypot(item.shift.x, item.shift.y)) / inventory.grid.resolution,
                    f"{item.name} over {inventory.tile}",
                )
                for item in items
                if item.shift
            )
    for series, found in shifts.items():
        if found:
            median, (largest, which) = np.median([size for size, _ in found]), max(found)
            yield Remark(
                Topic.IMAGES,
                f"{series}: {number(len(found), 0)} acquisition(s) were brought onto the reference image, by "
                f"{number(median, 2)} pixels of the map in the median, at most by {number(largest, 2)} ({which})",
            )


def polygons_without_a_pixel(evidence: Evidence) -> Iterator[Remark]:
    """Classes of which polygons hold no pixel centre, so that they are not used."""
    for text in polygons_without_pixels(evidence.polygons, evidence.nomenclature):
        yield Remark(Topic.REFERENCE, text)


def single_polygons(evidence: Evidence) -> Iterator[Remark]:
    """Classes that have a single polygon in a region, and what it was used for."""
    polygons = evidence.polygons
    used = polygons[(polygons["region"] != "") & polygons["has_pixel"]]
    for (region, code), group in used.groupby(["region", "code"]):
        if len(group) > 1:
            continue
        sets = sorted({str(group[f"seed_{seed}"].iloc[0]) for seed in evidence.seeds})
        name = evidence.nomenclature.name_of(code)
        text = f"region {region}: {name} has a single polygon ({', '.join(sets)})"
        if any("+" in item for item in sets):
            text += ": its scores are optimistic"
        yield Remark(Topic.REFERENCE, text)


def distance_kept(evidence: Evidence) -> Iterator[Remark]:
    """How far validation polygons lie from those that learn: near ones look alike."""
    if not evidence.distances:
        return
    every = np.concatenate(list(evidence.distances.values()))
    touching = int((every == 0).sum())
    text = (
        f"validation polygons lie at least {number(float(every.min()), 0, apart=' ')} m from those that learn, "
        f"{number(float(np.median(every)), 0, apart=' ')} m in the median"
    )
    if touching:
        share = number(100 * touching / len(every), 0)
        text += (
            f"; {share} % of them touch one, and look like it: `sampling.split_by: touching` or "
            "`sampling.buffer` keeps them apart (docs/samples.md)"
        )
    yield Remark(Topic.REFERENCE, text)


def polygons_that_look_wrong(evidence: Evidence) -> Iterator[Remark]:
    """Learning polygons whose label looks wrong, and what was done with them."""
    if evidence.suspicious:
        done = (
            "were not learnt by the draws that found them so" if evidence.dropped else "were learnt"
        )
        yield Remark(
            Topic.REFERENCE,
            f"{evidence.suspicious} learning polygon(s) look wrong, and {done}: Suspicious_Polygons.gpkg lists them "
            "for a person to look at",
        )


def samples_of_other_years(evidence: Evidence) -> Iterator[Remark]:
    """What of other years is learnt, and that no place both learns and validates."""
    if evidence.other_years:
        productions, left_out = evidence.other_years
        own = "none lies" if not left_out else f"{number(left_out, apart=' ')} lie"
        yield Remark(
            Topic.REFERENCE,
            f"samples of {productions} other production(s) are learnt; {own} in a polygon that validates this map"
            + (", and were left out (over all models)" if left_out else ""),
        )


def seeds_never_validated(evidence: Evidence) -> Iterator[Remark]:
    """Seeds without any validation pixel that has a class in the map."""
    seeds = [seed for seed in evidence.seeds if seed not in evidence.validated_seeds]
    if seeds:
        yield Remark(
            Topic.SCORES,
            f"no validation pixel has a class in the map ({_of(seeds)}): nothing is scored, and no "
            "area corrected",
        )


def polygons_hold_no_edges(evidence: Evidence) -> Iterator[Remark]:
    """The scores of a regularised map are those of the middle of fields."""
    if evidence.regularised and evidence.validated_seeds:
        yield Remark(
            Topic.SCORES,
            "the polygons hold few edges and few small areas, so what regularisation takes away is hardly "
            "counted: these scores are no measure of which map is the better one",
        )


def classes_never_validated(evidence: Evidence) -> Iterator[Remark]:
    """Classes of which polygons validate and no pixel does: too small, or never clear."""
    for position, item in enumerate(evidence.nomenclature.classes):
        polygons = evidence.polygons[evidence.polygons["code"] == item.code]
        counts = {
            seed: int(polygons[f"seed_{seed}"].str.contains(VALIDATION).sum())
            for seed in evidence.validated_seeds
            if not evidence.matrices[seed][position].sum()
        }
        seeds = [seed for seed, count in counts.items() if count]
        if seeds:
            yield Remark(
                Topic.SCORES,
                f"{item.name} ({item.code}): {_span([counts[seed] for seed in seeds])} polygon(s) "
                f"validate it and hold no pixel centre that was clear often enough ({_of(seeds)}): "
                "it has no score",
            )


def boundaries_compared(evidence: Evidence) -> Iterator[Remark]:
    """What averaging near the boundaries between regions gave."""
    if evidence.plain:
        without = scores_over_seeds(dict(enumerate(evidence.plain)))
        averaged = scores_over_seeds(evidence.matrices)
        yield Remark(
            Topic.SCORES,
            "near the boundaries between regions the probabilities of neighbours are averaged: overall accuracy "
            f"{averaged.overall_accuracy}, kappa {averaged.kappa}; without it {without.overall_accuracy}, kappa "
            f"{without.kappa}",
        )


def maps_without_hectares(evidence: Evidence) -> Iterator[Remark]:
    """Maps whose coordinates are angles."""
    if any(np.isnan(areas.mapped).any() for areas in evidence.areas.values()):
        yield Remark(
            Topic.AREAS,
            "the coordinates of the map are angles: its pixels have no area in hectares. Set "
            "grid.projection to one in metres",
        )


def classes_not_corrected(evidence: Evidence) -> Iterator[Remark]:
    """Classes that are mapped and have no validation; how much land that leaves open."""
    found = {
        seed: unvalidated(evidence.matrices[seed], evidence.areas[seed].pixels)
        for seed in evidence.validated_seeds
    }
    for position, item in enumerate(evidence.nomenclature.classes):
        without = [seed for seed in found if found[seed].stratum[position]]
        absent = [seed for seed in without if found[seed].absent[position]]
        for seeds, lack in (
            (absent, "no validation pixel is of it"),
            ([seed for seed in without if seed not in absent], "no validation pixel is"),
        ):
            if seeds:
                yield Remark(
                    Topic.AREAS,
                    f"{item.name} ({item.code}): {_extent(evidence, seeds, position)} mapped as "
                    f"this class, and {lack} ({_of(seeds)}). What stands there is unknown: "
                    f"{item.name} has no corrected area from {_those(seeds)}, and every other "
                    "class may have so much more than its lower figure",
                )


def _extent(evidence: Evidence, seeds: Sequence[int], position: int) -> str:
    """Pixels of a class in the maps of some seeds, and hectares where they are known."""
    areas = [evidence.areas[seed] for seed in seeds]
    pixels = _span([float(item.pixels[position]) for item in areas])
    hectares = [float(item.mapped[position]) for item in areas]
    known = "" if np.isnan(hectares).any() else f" ({_span(hectares, 2)} ha)"
    one = pixels == "1"
    return f"{pixels} pixel{'' if one else 's'}{known} {'is' if one else 'are'}"


def classes_of_one_pixel(evidence: Evidence) -> Iterator[Remark]:
    """Classes as which a single validation pixel is mapped: their errors are judged from it."""
    for position, item in enumerate(evidence.nomenclature.classes):
        seeds = [
            seed
            for seed in evidence.validated_seeds
            if classified(evidence.matrices[seed])[:, position].sum() == 1
            and evidence.matrices[seed][position].sum()
        ]
        if seeds:
            yield Remark(
                Topic.AREAS,
                f"{item.name} ({item.code}): a single validation pixel is mapped as this class "
                f"({_of(seeds)}); its precision and what it gives to the corrected areas rest on "
                "that one",
            )


def seeds_of_mean_areas(evidence: Evidence) -> Iterator[Remark]:
    """Classes whose mean corrected area is one of some of the seeds only."""
    known = {seed: ~np.isnan(evidence.areas[seed].corrected) for seed in evidence.validated_seeds}
    for position, item in enumerate(evidence.nomenclature.classes):
        having = [seed for seed in known if known[seed][position]]
        lacking = [seed for seed in known if seed not in having]
        if having and lacking:
            yield Remark(
                Topic.AREAS,
                f"{item.name} ({item.code}): its corrected area is that of {_of(having)} alone; "
                f"{_of(lacking)} {'have' if len(lacking) > 1 else 'has'} none",
            )


Gatherer = Callable[[Evidence], Iterator[Remark]]
GATHERERS: tuple[Gatherer, ...] = (
    products_left_out,
    series_moved,
    polygons_without_a_pixel,
    single_polygons,
    distance_kept,
    polygons_that_look_wrong,
    samples_of_other_years,
    seeds_never_validated,
    polygons_hold_no_edges,
    classes_never_validated,
    boundaries_compared,
    maps_without_hectares,
    classes_not_corrected,
    classes_of_one_pixel,
    seeds_of_mean_areas,
)


def _of(seeds: Sequence[int]) -> str:
    return f"seed{'s' if len(seeds) > 1 else ''} {listed(seeds)}"


def _those(seeds: Sequence[int]) -> str:
    return "those seeds" if len(seeds) > 1 else "that seed"


def _span(values: Sequence[float], decimals: int = 0) -> str:
    """Smallest and largest, or the one value they have."""
    low, high = (number(value, decimals, apart=" ") for value in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"
