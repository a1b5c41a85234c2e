"""A map judged by points that a person has looked at."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from iota2_tools.assessing.areas import hectares_of_a_pixel
from iota2_tools.assessing.drawing import LARGEST_CODE, WINDOW, CodeBand
from iota2_tools.assessing.estimators import Assessment, Points, assess
from iota2_tools.assessing.points import STRATA
from iota2_tools.config.nomenclature import LandCoverClass, Nomenclature, read_nomenclature
from iota2_tools.core.errors import InputDataError
from iota2_tools.core.words import plain_text
from iota2_tools.geo.burning import Burner
from iota2_tools.geo.grid import Grid, Window, grid_of
from iota2_tools.geo.units import Units
from iota2_tools.geo.vectors import layer_header, read_features, shown
from iota2_tools.vectors.zones import names_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Judged:
    """What is judged, and by what.

    Parameters
    ----------
    classes : str
        Class map.
    points : str
        Vector file of points, in any CRS.
    layer : str, optional
        Of that file; by default the only one of points.
    field : str
        Field with what was seen, a code or a name of a class; empty where nobody has looked.
    strata : str, optional
        Raster that the points were drawn by; by default the map.
    nomenclature : str, optional
        Table of the classes; by default the map's own names.
    regions : Units, optional
        Parts of the map that are judged too.
    """

    classes: str
    points: str
    layer: str | None = None
    field: str = "reference"
    strata: str | None = None
    nomenclature: str | None = None
    regions: Units | None = None


@dataclass(frozen=True)
class Judgement:
    """What the points tell of a map, or of a part of it.

    Parameters
    ----------
    legend : Nomenclature
        Classes, in the order of all arrays.
    points : int
        That were looked at.
    mapped : ndarray of int64, shape (n_classes,)
        Pixels of each class in the map.
    hectares : float
        Of a pixel; NaN where coordinates are angles.
    found : Assessment
    """

    legend: Nomenclature
    points: int
    mapped: np.ndarray
    hectares: float
    found: Assessment


@dataclass(frozen=True)
class Judgements:
    """The whole map, its regions by name, and what the reader must know."""

    whole: Judgement
    regions: Mapping[str, Judgement]
    remarks: Sequence[str]


def judge(judged: Judged) -> Judgements:
    """Accuracy and areas of a map and of its regions.

    Raises
    ------
    InputDataError
        If points cannot be read, have classes that the map's legend does not have, or were drawn
        by other strata; or if a stratum has none.
    """
    grid = grid_of(judged.classes)
    places, seen, remarks = _looked_at(judged, grid)
    counts = _Counts(judged, grid, places)
    mapped, stratum = counts.mapped, counts.stratum
    used = stratum > 0
    if (~used).any():
        remarks.append(
            f"{(~used).sum()} point(s) lie where the map has no class, or no stratum, and do not count"
        )
    legend = _legend(judged, np.flatnonzero(counts.of_map))
    reference = _codes(judged, seen[used], legend)
    codes = np.array(legend.codes)
    strata = np.flatnonzero(counts.of_stratum)
    _check_design(judged, strata, counts.of_stratum[strata])
    _check_sampled(judged, strata, stratum[used], counts.of_stratum)
    points = Points(
        counts.of_stratum[strata],
        np.searchsorted(strata, stratum[used]),
        np.searchsorted(codes, reference),
        np.searchsorted(codes, mapped[used]),
        len(codes),
        np.searchsorted(codes, strata) if judged.strata is None else None,
    )
    hectares = hectares_of_a_pixel(judged.classes)
    single = strata[(points.sizes == 1) & (points.pixels > 1)]
    if len(single):
        remarks.append(
            f"strata of a single point: {shown(single)}. What varies there is unknown, and what depends on it has "
            "no interval"
        )
    remarks += _certainties(points, legend, strata)
    whole = Judgement(legend, len(reference), counts.of_map[codes], hectares, assess(points))
    regions = {}
    for number, (name, own) in enumerate(counts.of_regions.items(), start=1):
        inside = counts.region[used] == number
        if not inside.any():
            remarks.append(f"region {name}: no point lies in it")
            continue
        found = assess(points, inside)
        regions[name] = Judgement(legend, int(inside.sum()), own[codes], hectares, found)
    return Judgements(whole, regions, remarks)


def _single_points(shapes: gpd.GeoSeries, path: str) -> gpd.GeoSeries:
    """Points, also where a program has written each as a group of one.

    Raises
    ------
    InputDataError
        If there is anything else.
    """
    grouped = (shapes.geom_type == "MultiPoint").to_numpy()
    single = grouped & (shapely.get_num_geometries(shapes.to_numpy()) == 1)
    found = shapes.copy()
    found[single] = shapely.get_geometry(shapes.to_numpy()[single], 0)
    kinds = set(found.geom_type.dropna().unique()) - {"Point"}
    if kinds:
        raise InputDataError(
            f"{path}: points are needed, found {', '.join(sorted(kinds))}; give one point a feature"
        )
    return found


def _certainties(points: Points, legend: Nomenclature, strata: np.ndarray) -> list[str]:
    """What is said of strata that are classes, of which no point is wrong though not every pixel was looked at."""
    if points.class_of_stratum is None:
        return []
    wrong = points.reference != points.class_of_stratum[points.stratum]
    errors = np.bincount(points.stratum, weights=wrong, minlength=len(points.pixels))
    flawless = (errors == 0) & (points.sizes > 1) & (points.sizes < points.pixels)
    told = [
        f"{legend.name_of(int(code))} ({size} points, up to {100 * _most_wrong(size):.2g} %)"
        for code, size in zip(strata[flawless], points.sizes[flawless], strict=True)
    ]
    return told and [
        f"no point is wrong in {shown(told)}: +- 0 does not mean sure there, so much of it may be wrong all the same"
    ]


def _most_wrong(size: int) -> float:
    """Upper limit (95 %, one-sided) of the share that is wrong where none of some points is.

    References
    ----------
    Clopper and Pearson (1934), 10.1093/biomet/26.4.404; nearly 3 / n (the rule of three).
    """
    return float(1 - 0.05 ** (1 / size))


def _looked_at(judged: Judged, grid: Grid) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Row and column of each point that was looked at, what was seen there, and remarks."""
    header = layer_header(judged.points, judged.layer)
    found = read_features(judged.points, header.layer, {"seen": judged.field}, grid.crs)
    found = replace(found, shapes=_single_points(found.shapes, judged.points))
    texts = np.array(
        ["" if pd.isna(v) else plain_text(v) for v in found.values["seen"]], dtype=object
    )
    placed = np.isfinite(shapely.get_x(found.shapes.to_numpy())) & (texts != "")
    remarks = list(found.remarks)
    if (texts != "").any() and not placed.any():
        raise InputDataError(
            f"{judged.points}: no point has a place in the coordinates of the map; check its coordinate reference "
            "system (ogrinfo), and assign the right one (ogr2ogr -a_srs)"
        )
    usable = placed
    if not usable.any():
        raise InputDataError(
            f"{judged.points}: no point has a class in the field {judged.field!r}; fill it in, with codes or names "
            "of the legend"
        )
    if not usable.all():
        remarks.append(
            f"{(~usable).sum()} of {len(usable)} point(s) have no class in {judged.field!r}, or no place, and do not "
            "count: if these are the difficult ones, the map seems better than it is"
        )
    shapes = found.shapes.to_numpy()[usable]
    rows = np.floor((grid.top - shapely.get_y(shapes)) / grid.resolution).astype(np.int64)
    cols = np.floor((shapely.get_x(shapes) - grid.left) / grid.resolution).astype(np.int64)
    places = np.stack([rows, cols], axis=1)
    twice = len(places) - len(np.unique(places, axis=0))
    if twice:
        remarks.append(f"{twice} point(s) lie in a pixel that another one lies in")
    return places, texts[usable], remarks


class _Counts:
    """Pixels of the classes, strata and regions of a map, and what stands at the points.

    Parameters
    ----------
    places : ndarray of int64, shape (n_points, 2)
        Row and column; those beyond the map have 0 of everything.
    """

    def __init__(self, judged: Judged, grid: Grid, places: np.ndarray) -> None:
        classes = CodeBand(judged.classes, grid)
        strata = CodeBand(judged.strata, grid) if judged.strata else classes
        outlines = judged.regions.outlines(grid.crs) if judged.regions else {}
        burner = Burner(list(outlines.values()), range(1, len(outlines) + 1), grid)
        self.of_map = np.zeros(LARGEST_CODE + 1, dtype=np.int64)
        self.of_stratum = self.of_map.copy()
        self.of_regions = {name: self.of_map.copy() for name in outlines}
        of_regions = list(self.of_regions.values())
        self.mapped, self.stratum, self.region = np.zeros((3, len(places)), dtype=np.int64)
        for window in grid.windows(*WINDOW):
            mapped, stratum = (band.read(window) for band in (classes, strata))
            mapped = np.where(stratum > 0, mapped, 0)
            stratum = np.where(mapped > 0, stratum, 0)
            region = burner.burn(window) if outlines else np.zeros_like(mapped)
            self.of_map += _histogram(mapped)
            self.of_stratum += _histogram(stratum)
            for number in np.flatnonzero(np.bincount(region.ravel(), minlength=1)):
                if number:  # of many regions a window has few
                    of_regions[number - 1] += _histogram(mapped[region == number])
            here, inside = _in_window(places, window)
            self.mapped[here], self.stratum[here] = mapped[inside], stratum[inside]
            self.region[here] = region[inside]
        for counts in (self.of_map, self.of_stratum, *self.of_regions.values()):
            counts[0] = 0


def _histogram(codes: np.ndarray) -> np.ndarray:
    return np.bincount(codes.ravel(), minlength=LARGEST_CODE + 1)


def _in_window(
    places: np.ndarray, window: Window
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Which places lie in a window, and where in it."""
    row, col = places[:, 0] - window.row, places[:, 1] - window.col
    here = np.flatnonzero((row >= 0) & (row < window.rows) & (col >= 0) & (col < window.cols))
    return here, (row[here], col[here])


def _legend(judged: Judged, codes: np.ndarray) -> Nomenclature:
    """Classes of the map by code: of the table that was given, or as the map names them."""
    if judged.nomenclature is None:
        names = names_of(judged.classes, set(codes.tolist()))
        grey = (128, 128, 128)
        return Nomenclature(tuple(LandCoverClass(code, name, grey) for code, name in names.items()))
    legend = read_nomenclature(judged.nomenclature)
    unknown = np.setdiff1d(codes, legend.codes)
    if len(unknown):
        raise InputDataError(
            f"{judged.classes}: holds class {shown(unknown)}, which {judged.nomenclature} does not have; name the "
            "nomenclature of this map"
        )
    return legend


def _codes(judged: Judged, seen: np.ndarray, legend: Nomenclature) -> np.ndarray:
    """Code of what was seen at each point."""
    codes = {text: legend.code_of(text) for text in set(seen.tolist())}
    unknown = sorted(text for text, code in codes.items() if code is None)
    if unknown:
        times = {text: int((seen == text).sum()) for text in unknown}
        told = ", ".join(f"{text!r} ({count} point(s))" for text, count in times.items())
        raise InputDataError(
            f"{judged.points}: field {judged.field!r} holds {told}, which the legend of the map has neither as code "
            "nor as name; correct them, or empty them where nobody can tell"
        )
    return np.array([codes[text] for text in seen.tolist()], dtype=np.int64)


def _check_design(judged: Judged, strata: np.ndarray, pixels: np.ndarray) -> None:
    """Raise InputDataError if the file says that its points were drawn by other strata."""
    try:
        table = pyogrio.read_dataframe(judged.points, layer=STRATA, read_geometry=False)
        drawn = dict(zip(table["stratum"].tolist(), table["pixels"].tolist(), strict=True))
    except (RuntimeError, ValueError, KeyError):  # points of another origin tell nothing
        return
    if drawn != dict(zip(strata.tolist(), pixels.tolist(), strict=True)):
        raster = judged.strata or judged.classes
        raise InputDataError(
            f"{judged.points}: its points were drawn by strata that {raster} does not have (other pixels, in table "
            f"{STRATA!r}); name the raster they were drawn by with --strata"
        )


def _check_sampled(
    judged: Judged, strata: np.ndarray, sampled: np.ndarray, pixels: np.ndarray
) -> None:
    """Raise InputDataError if a stratum has no point: what it holds cannot be told."""
    empty = np.setdiff1d(strata, sampled)
    if len(empty):
        names = names_of(judged.strata or judged.classes, set(empty.tolist()))
        told = shown(names[code] for code in empty.tolist())
        share = 100 * pixels[empty].sum() / pixels.sum()
        raise InputDataError(
            f"{judged.points}: no point was looked at in {told}, {share:.3g} % of "
            "the map, so that nothing is known of it; look at points there (`iota2 sample` gives every stratum "
            "some)"
        )
