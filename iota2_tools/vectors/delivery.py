"""Layers to be delivered: the whole map, and its parts inside units such as departments.

Polygons are cut last, after all else, by exact geometry. A polygon inside a unit is copied; one on
its border is intersected, and what is left of it as lines or points is dropped. Area and perimeter
are those of what is delivered; shares and means stay those of the whole polygon.
"""

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely

from iota2_tools.config.nomenclature import Nomenclature, read_legend
from iota2_tools.core.files import whole_file
from iota2_tools.geo.grid import Grid, spatial_reference
from iota2_tools.geo.squares import Square, divided, files_in_bundles
from iota2_tools.geo.units import Units
from iota2_tools.reference.regions import assign_regions
from iota2_tools.vectors.attributes import Naming, attributes
from iota2_tools.vectors.measuring import read_sums
from iota2_tools.vectors.style import polygon_style
from iota2_tools.vectors.writing import Dress, style_beside, write_json, write_layer_files

SQUARE_METRES = 10_000
"""Of a hectare."""


@dataclass(frozen=True)
class Coverage:
    """The polygons of a map and what describes them.

    Parameters
    ----------
    shapes, measures : mapping of str to str
        Tables of `shaping` and `measuring` by name of the square, of those at least that are asked
        about, and `border`.
    squares : mapping of str to Square
        By name.
    grid : Grid
        Of the map.
    naming : Naming
        Names of the columns.
    regions : Units, optional
        Layer of regions; a polygon belongs to the one that holds most of it.
    """

    shapes: Mapping[str, str]
    measures: Mapping[str, str]
    squares: Mapping[str, Square]
    grid: Grid
    naming: Naming
    regions: Units | None = None

    @classmethod
    def of(
        cls,
        shapes: Sequence[str],
        measures: Sequence[str],
        *,
        division: dict[str, Any],
        legend: Mapping[str, Any],
        style: str,
        quantities: Sequence[str],
        regions: Mapping[str, Any] | None,
    ) -> "Coverage":
        """From the parameters of a rule; tables are folders of bundles of squares, then that of the border."""
        squares = divided(division)
        naming = Naming(read_legend(legend), style, tuple(quantities))
        return cls(
            _tables(shapes, squares),
            _tables(measures, squares),
            squares,
            Grid(**division["grid"]),
            naming,
            Units(**regions["units"]) if regions else None,
        )

    def parts(self, bounds: tuple[float, float, float, float] | None = None) -> Iterator[pa.Table]:
        """Polygons of each square, and of the borders, that touch a rectangle, some at a time."""
        for name, path in self.shapes.items():
            if bounds and name in self.squares and not self._touches(self.squares[name], bounds):
                continue
            file = pq.ParquetFile(path)
            for group in range(file.num_row_groups):
                table = file.read_row_group(group)
                if bounds:
                    left, bottom, right, top = bounds
                    table = table.filter(
                        (pc.field("xmax") >= left) & (pc.field("xmin") <= right)
                        & (pc.field("ymax") >= bottom) & (pc.field("ymin") <= top)
                    )  # fmt: skip
                if table.num_rows:
                    yield table.append_column("square", pa.array([name] * table.num_rows))

    def _touches(self, square: Square, bounds: tuple[float, float, float, float]) -> bool:
        left, bottom, right, top = self.grid.bounds_of(square.window)
        return bounds[0] <= right and bounds[2] >= left and bounds[1] <= top and bounds[3] >= bottom

    def described(self, table: pa.Table, shapes: np.ndarray) -> gpd.GeoDataFrame:
        """A table of polygons with all columns of a delivered layer.

        Parameters
        ----------
        table : Table
            Some polygons of one square.
        shapes : ndarray of geometry
            What is delivered of each.
        """
        numbers = table["number"].to_numpy()
        order = np.argsort(numbers)
        table, shapes, numbers = table.take(order), shapes[order], numbers[order]
        square = table["square"][0].as_py() if table.num_rows else next(iter(self.measures))
        measures = read_sums(self.measures[square], numbers)
        columns = attributes(measures, numbers, table["code"].to_numpy(), self.naming)
        unit = _unit_of(self.grid)
        columns["pixels"] = table["pixels"].to_numpy()
        columns["area"] = np.round(shapely.area(shapes) * unit**2, 3)
        columns["perimeter"] = np.round(shapely.length(shapes) * unit, 3)
        frame = gpd.GeoDataFrame(geometry=shapes, crs=self.grid.crs)
        for own, delivered in self.naming.fixed.items():
            if own in columns:
                frame[delivered] = columns[own]
        if self.regions:
            # Of whole polygons: each has one region, wherever it is cut.
            whole = gpd.GeoDataFrame(geometry=shapely.from_wkb(table["geometry"].to_numpy()))
            frame["region"] = assign_regions(whole, self._outlines).to_numpy()
        for name in [*self.naming.extra, *(name for name, _ in self.naming.legend)]:
            frame[name] = columns[name]
        return frame[[*(name for name in frame.columns if name != "geometry"), "geometry"]]

    @cached_property
    def _outlines(self) -> gpd.GeoSeries:
        """Outlines of the regions by name."""
        assert self.regions
        return gpd.GeoSeries(self.regions.outlines(self.grid.crs))

    @property
    def nothing(self) -> gpd.GeoDataFrame:
        """A layer without polygons."""
        table = pq.read_table(next(iter(self.shapes.values()))).slice(0, 0)
        table = table.append_column("square", pa.array([], pa.string()))
        return self.described(table, np.empty(0, object))

    @property
    def dress(self) -> Dress:
        """Style and meaning of the columns."""
        field = "Classe" if self.naming.style == "oso" else "code"
        legend = {f"FIELD_{name}": f"share of {item}, percent" for name, item in self.naming.legend}
        classes = {f"CLASS_{item.code}": item.name for item in self.naming.classes.classes}
        return Dress(polygon_style(self.naming.classes, field), legend | classes)


def _tables(paths: Sequence[str], squares: Mapping[str, Square]) -> dict[str, str]:
    """Tables by name of the square, and `border`, which comes last."""
    *folders, border = paths
    return files_in_bundles(folders, squares, "parquet") | {"border": border}


def _unit_of(grid: Grid) -> float:
    """Metres of a unit of the CRS; NaN where coordinates are angles."""
    reference = spatial_reference(grid.crs)
    return float(reference.GetLinearUnits()) if reference.IsProjected() else float("nan")


def write_whole(coverage: Coverage, outputs: Sequence[str], tags: Mapping[str, str]) -> None:
    """Write the layer of the whole map.

    Parameters
    ----------
    outputs : sequence of str
        Files, see `writing.write_layer_files`.
    tags : mapping of str to str
        Provenance.
    """

    def frames() -> Iterator[gpd.GeoDataFrame]:
        described = (
            coverage.described(table, shapely.from_wkb(table["geometry"].to_numpy()))
            for table in coverage.parts()
        )
        return _or_nothing(described, coverage)

    dress = coverage.dress
    write_layer_files(frames, outputs, Dress(dress.style, {**tags, **dress.tags}))


def _or_nothing(
    frames: Iterator[gpd.GeoDataFrame], coverage: Coverage
) -> Iterator[gpd.GeoDataFrame]:
    """Parts of a layer, or one without polygons if there are none."""
    first = next(frames, None)
    yield coverage.nothing if first is None else first
    yield from frames


def deliver_unit(
    coverage: Coverage,
    unit: tuple[Units, str],
    outputs: Sequence[str],
    summary: str,
    tags: Mapping[str, str],
) -> None:
    """Write what lies inside a unit, and a summary.

    Parameters
    ----------
    unit : tuple of Units and str
        Layer, and the value of the unit.
    outputs : sequence of str
        Files, see `writing.write_layer_files`.
    summary : str
        JSON file: area of each class, share of the unit that is covered, digests of the files.
    """
    units, value = unit
    outline = units.outlines(coverage.grid.crs)[value]
    tally = _Tally(coverage.naming)

    def frames() -> Iterator[gpd.GeoDataFrame]:
        parts = cut(coverage.parts(outline.bounds), outline)
        described = (coverage.described(table, multi(shapes)) for table, shapes in parts)
        return tally.over(_or_nothing(described, coverage))

    dress = coverage.dress
    own = {"UNIT": value, "UNIT_FIELD": units.field, "UNIT_LAYER": Path(units.path).name}
    write_layer_files(frames, outputs, Dress(dress.style, {**tags, **dress.tags, **own}))
    size = shapely.area(outline) * _unit_of(coverage.grid) ** 2
    write_json(summary, {"unit": value, **tally.told(size), "sha256": _digests(outputs)})


def cut(
    tables: Iterator[pa.Table], outline: shapely.Geometry
) -> Iterator[tuple[pa.Table, np.ndarray]]:
    """Polygons of some tables that lie in an outline, cut where they cross it."""
    shapely.prepare(outline)
    for table in tables:
        shapes = shapely.from_wkb(table["geometry"].to_numpy())
        touching = shapely.intersects(outline, shapes)
        inside = shapely.contains_properly(outline, shapes)
        crossing = np.flatnonzero(touching & ~inside)
        shapes[crossing] = areal(shapely.intersection(shapes[crossing], outline))
        kept = touching & ~shapely.is_empty(shapes)
        if kept.any():
            yield table.filter(pa.array(kept)), shapes[kept]


def multi(shapes: np.ndarray) -> np.ndarray:
    """All as multipolygons: what was cut may have several parts, and a layer has one type."""
    found = shapes.copy()
    single = np.flatnonzero(shapely.get_type_id(shapes) == 3)
    if len(single):
        found[single] = shapely.multipolygons(shapes[single], indices=np.arange(len(single)))
    return found


def areal(shapes: np.ndarray) -> np.ndarray:
    """Polygons and multipolygons alone of what intersections gave; empty where none is left."""
    kinds = shapely.get_type_id(shapes)
    found = shapes.copy()
    for place in np.flatnonzero((kinds != 3) & (kinds != 6)):
        parts = [
            part for part in shapely.get_parts(shapes[place]) if shapely.get_type_id(part) in (3, 6)
        ]
        found[place] = shapely.union_all(parts) if parts else shapely.Polygon()
    return found


class _Tally:
    """Polygons and areas of a layer, counted while its parts go by."""

    def __init__(self, naming: Naming) -> None:
        self._naming = naming
        self._columns = ("Classe", "Aire") if naming.style == "oso" else ("code", "area")

    def over(self, frames: Iterator[gpd.GeoDataFrame]) -> Iterator[gpd.GeoDataFrame]:
        """The same parts; what was counted before is forgotten."""
        self._polygons = 0
        self._totals = {str(item.code): 0.0 for item in self._naming.classes.classes}
        code, area = self._columns
        for frame in frames:
            self._polygons += len(frame)
            for key, total in frame.groupby(code)[area].sum().items():
                self._totals[str(key)] = self._totals.get(str(key), 0.0) + float(total)
            yield frame

    def told(self, size: float) -> dict[str, object]:
        """Hectares of a unit of so many square metres, and of its classes."""
        hectares = {key: round(area / SQUARE_METRES, 4) for key, area in self._totals.items()}
        return {
            "polygons": self._polygons,
            "unit_ha": round(size / SQUARE_METRES, 4),
            "area_ha": hectares,
            "covered": round(sum(self._totals.values()) / size, 6) if size else 0.0,
        }


def _digests(outputs: Sequence[str]) -> dict[str, str]:
    """SHA-256 of files and of the styles beside them, by name."""
    files = [*outputs, *(style_beside(path) for path in outputs if not path.endswith(".gpkg"))]
    return {Path(path).name: file_digest(path) for path in files}


def file_digest(path: str) -> str:
    """SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_tables(
    summaries: Sequence[str], classes: Nomenclature, areas: str, checksums: str
) -> None:
    """Write the areas of each class in each unit, and the digests of all files.

    Parameters
    ----------
    summaries : sequence of str
        JSON files of `deliver_unit`.
    classes : Nomenclature
        Classes of the map.
    areas : str
        CSV table: unit, its area and covered share, then one column a class, hectares.
    checksums : str
        Text as `sha256sum --check` reads it, in the folder of the files.
    """
    found = [json.loads(Path(path).read_text(encoding="utf-8")) for path in summaries]
    with whole_file(areas) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("unit", "unit_ha", "covered", *(item.name for item in classes.classes)))
        for summary in found:
            hectares = [summary["area_ha"][str(item.code)] for item in classes.classes]
            table.writerow((summary["unit"], summary["unit_ha"], summary["covered"], *hectares))
    with whole_file(checksums) as temporary, open(temporary, "w", encoding="utf-8") as file:
        for summary in found:
            file.writelines(f"{digest}  {name}\n" for name, digest in summary["sha256"].items())
