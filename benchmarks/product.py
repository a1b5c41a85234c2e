"""From the map of a classifier to a delivered layer: this chain beside what users have today, in one run.

A made-up map of parcels (`made_up_maps.py`), 20 classes in 5 groups, about 11 pixels a component. Both
ways take out what is smaller than ten pixels, within groups first, make polygons of the rest,
simplify them, describe them by the share of each class and by mean and deviation of two rasters,
and write a GeoPackage. Each step is a process of its own, with its start, on one core; ours does all
blocks or squares of the step, which are jobs in a production. Prints CPU seconds, wall seconds and
peak memory of each, then polygons, points, invalid ones and area of the layers.

Theirs: gdal.SieveFilter, then GRASS (r.to.vect, v.generalize) or GDAL and GEOS (gdal.Polygonize,
coverage_simplify), then exactextract. They need `apt-get install grass-core`, `pip install exactextract`.

Usage: python benchmarks/product.py FOLDER [--size 5490] [--square 4096] [--ways ours grass geos]
       [--steps NAME …] (of the ways; what the steps before have written is taken) [--cuts SIDE …]
(--cuts: our layer again in blocks and squares of these sides, held against the first one.)
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

CLASSES, GROUP, UNIT, LONE, CAP, MARGIN, BLOCK = 20, 4, 10, 2, 64, 128, 5490
TOLERANCE = 1.5
"""Pixels; the triangles, or the distances, that simplification takes away."""


@dataclass(frozen=True)
class Work:
    """Where a way works."""

    folder: Path
    size: int
    square: int
    block: int = BLOCK

    @property
    def grid(self):
        from iota2_tools.geo.grid import Grid

        return Grid("EPSG:32631", 500_000.0, 4_800_000.0, 10.0, self.size, self.size)

    @property
    def squares(self):
        from iota2_tools.geo.squares import squares_of

        return squares_of(self.grid, self.square)

    def source(self, name: str) -> str:
        """A raster that all ways begin with."""
        return str(self.folder / f"{name}.tif")

    def file(self, kind: str, name: str = "all", end: str = "npz") -> str:
        """What a step has made."""
        place = self.folder / f"{self.block}_{self.square}"
        place.mkdir(exist_ok=True)
        return str(place / f"{kind}_{name}.{end}")

    @property
    def bundles(self) -> dict[str, list[str]]:
        """Squares of the jobs of a step."""
        from iota2_tools.geo.squares import bundles

        return bundles(self.squares)

    def folders(self, kind: str) -> dict[str, str]:
        """What the jobs of a step have made, by bundle."""
        place = self.folder / f"{self.block}_{self.square}" / kind
        place.mkdir(parents=True, exist_ok=True)
        return {name: str(place / name) for name in self.bundles}

    def files(self, kind: str, end: str = "npz") -> dict[str, str]:
        """The same by square."""
        from iota2_tools.geo.squares import files_in_bundles

        return files_in_bundles(self.folders(kind).values(), self.squares, end)

    def jobs(self):
        """Name of a bundle, and its squares."""
        for bundle, names in self.bundles.items():
            yield bundle, {name: self.squares[name] for name in names}

    @property
    def classes(self) -> str:
        """Our regularised map."""
        return self.file("regularised", end="tif")


def prepare(work: Work) -> None:
    """Raw map, confidence and validity; made once."""
    import numpy as np
    from made_up_maps import parcels

    from iota2_tools.geo.raster import create_raster

    work.folder.mkdir(parents=True, exist_ok=True)
    legend = "code,name\n" + "".join(f"{code},Class {code}\n" for code in range(1, CLASSES + 1))
    (work.folder / "nomenclature.csv").write_text(legend)
    raw = parcels(work.size)
    random = np.random.default_rng(1)
    layers = {
        "confidence": random.integers(1, 101, raw.shape, np.uint8) * (raw > 0),
        "validity": random.integers(0, 40, raw.shape, np.uint8),
        "raw": raw,
    }
    for name, values in layers.items():
        nodata = 255 if name == "validity" else 0
        with create_raster(work.source(name), work.grid, "uint8", nodata=nodata) as raster:
            raster.write(values.astype(np.uint8), work.grid.window)


def regularise(work: Work) -> None:
    """Blocks, compared where they meet, put together."""
    from iota2_tools.maps.layers import LAYERS
    from iota2_tools.maps.mosaic import FinalMap, write_mosaic
    from iota2_tools.vectors.regularisation import Regularisation, compare_seams, write_block
    from iota2_tools.vectors.sieve import Sieve

    groups = {code: 1 + (code - 1) // GROUP for code in range(1, CLASSES + 1)}
    settings = Regularisation(Sieve(UNIT, CAP), MARGIN, groups)
    blocks = {}
    for number, window in enumerate(work.grid.windows(work.block, work.block)):
        blocks[str(number)] = work.file("block", str(number), "tif")
        write_block(work.source("raw"), window, settings, blocks[str(number)])
    compare_seams(blocks, MARGIN)
    write_mosaic(
        list(blocks.values()), work.classes, FinalMap(LAYERS["regularised_map"], work.grid)
    )


def trace(work: Work) -> None:
    from iota2_tools.vectors.tracing import trace_squares

    folders = work.folders("trace")
    for bundle, squares in work.jobs():
        trace_squares(work.classes, squares, folders[bundle])


def join(work: Work) -> None:
    from iota2_tools.vectors.joining import join_squares

    folders = dict(zip(work.folders("joined").values(), work.bundles.values(), strict=True))
    join_squares(work.files("trace"), work.squares, folders, work.file("joined"))


def shape(work: Work) -> None:
    from iota2_tools.vectors.shaping import shape_squares
    from iota2_tools.vectors.simplification import Shape

    kinds = ("trace", "joined", "polygons", "arcs")
    traces, joined, polygons, arcs = map(work.folders, kinds)
    for bundle, squares in work.jobs():
        shape_squares(
            work.classes, squares, traces[bundle], joined[bundle], Shape(tolerance=TOLERANCE),
            polygons[bundle], arcs[bundle],
        )  # fmt: skip


def shape_border(work: Work) -> None:
    from iota2_tools.vectors import shaping

    shaping.shape_border(
        work.classes, work.squares, work.files("arcs"), work.file("joined"),
        work.file("polygons", "border", "parquet"),
    )  # fmt: skip


def measure(work: Work) -> None:
    from iota2_tools.vectors.measuring import Quantity, Sources, measure_squares

    quantities = [Quantity(name, work.source(name)) for name in ("confidence", "validity")]
    sources = Sources(work.source("raw"), quantities)
    folders = work.folders("measures")
    for bundle, squares in work.jobs():
        measure_squares(work.classes, squares, sources, folders[bundle])


def measure_border(work: Work) -> None:
    from iota2_tools.vectors import measuring

    measuring.measure_border(
        work.files("measures", "parquet"), work.squares, work.file("joined"),
        work.file("measures", "border", "parquet"),
    )  # fmt: skip


def write(work: Work) -> None:
    from iota2_tools.vectors.delivery import write_whole

    write_whole(coverage(work), [work.file("layer", end="gpkg")], {})


def coverage(work: Work):
    """All polygons of ours, with what describes them."""
    from iota2_tools.vectors.delivery import Coverage

    tables = [
        [*work.folders(kind).values(), work.file(kind, "border", "parquet")]
        for kind in ("polygons", "measures")
    ]
    return Coverage.of(
        *tables, division={"grid": work.grid.as_dict(), "side": work.square},
        legend={"path": str(work.folder / "nomenclature.csv")}, style="plain", quantities=[], regions=None,
    )  # fmt: skip


def sieve(work: Work) -> None:
    """What gdal_sieve does, group by group, then over all classes; 8- then 4-connected."""
    import numpy as np
    from made_up_maps import sieved
    from osgeo import gdal

    gdal.UseExceptions()
    source = gdal.Open(work.source("raw"))
    raw = source.ReadAsArray()
    group_of = np.array([0, *(1 + (code - 1) // GROUP for code in range(1, CLASSES + 1))])
    total = np.zeros_like(raw)
    for group in range(1, CLASSES // GROUP + 1):
        total += sieved(np.where(group_of[raw] == group, raw, 0).astype(np.uint8), LONE)
    total = sieved(total, UNIT)
    options = ["COMPRESS=ZSTD", "TILED=YES"]
    out = gdal.GetDriverByName("GTiff").Create(
        str(work.folder / "sieved.tif"), *total.shape[::-1], 1, gdal.GDT_Byte, options
    )
    out.SetGeoTransform(source.GetGeoTransform())
    out.SetProjection(source.GetProjection())
    out.GetRasterBand(1).SetNoDataValue(0)
    out.GetRasterBand(1).WriteArray(total)


def grass(work: Work, *commands: list[str]) -> None:
    """Commands of GRASS in a location of its own."""
    place = work.folder / "grass"
    if not place.exists():
        subprocess.run(
            ["grass", "-c", "EPSG:32631", "-e", str(place)], check=True, capture_output=True
        )
    for command in commands:
        subprocess.run(
            ["grass", str(place / "PERMANENT"), "--exec", *command, "--overwrite", "--quiet"],
            check=True,
            capture_output=True,
        )


def to_vect(work: Work) -> None:
    grass(
        work,
        ["r.in.gdal", f"input={work.folder / 'sieved.tif'}", "output=map", "memory=1000"],
        ["g.region", "raster=map"],
        ["r.to.vect", "input=map", "output=areas", "type=area", "column=code"],
    )


def generalize(work: Work) -> None:
    threshold = f"threshold={10 * TOLERANCE}"
    grass(work, ["v.generalize", "input=areas", "output=simple", "method=douglas", threshold])


def out_ogr(work: Work) -> None:
    output = f"output={work.folder / 'grass.gpkg'}"
    grass(work, ["v.out.ogr", "input=simple", output, "format=GPKG", "output_layer=polygons"])


def polygonize(work: Work) -> None:
    """What gdal_polygonize does, into a GeoPackage."""
    from osgeo import gdal, ogr

    raster = gdal.Open(str(work.folder / "sieved.tif"))
    path = work.folder / "polygonized.gpkg"
    path.unlink(missing_ok=True)
    source = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    layer = source.CreateLayer("polygons", raster.GetSpatialRef(), ogr.wkbPolygon)
    layer.CreateField(ogr.FieldDefn("code", ogr.OFTInteger))
    gdal.Polygonize(raster.GetRasterBand(1), raster.GetRasterBand(1), layer, 0, [])


def coverage_simplify(work: Work) -> None:
    import geopandas as gpd
    import shapely

    frame = gpd.read_file(work.folder / "polygonized.gpkg")
    frame.geometry = shapely.coverage_simplify(
        frame.geometry.to_numpy(), 10 * TOLERANCE, simplify_boundary=False
    )
    frame.to_file(work.folder / "geos.gpkg", layer="polygons")


def describe(work: Work, name: str) -> None:
    """Shares, means and deviations of a layer by exactextract, and the layer written with them."""
    import geopandas as gpd
    import pandas as pd
    from exactextract import exact_extract

    frame = gpd.read_file(work.folder / f"{name}.gpkg", layer="polygons")
    columns = [frame]
    shares = exact_extract(work.source("raw"), frame, ["unique", "frac"], output="pandas")
    codes = range(1, CLASSES + 1)
    rows = [
        dict(zip(map(int, line.unique), line.frac, strict=True)) for line in shares.itertuples()
    ]
    columns.append(pd.DataFrame(rows).reindex(columns=codes, fill_value=0).add_prefix("share_"))
    for quantity in ("confidence", "validity"):
        found = exact_extract(work.source(quantity), frame, ["mean", "stdev"], output="pandas")
        columns.append(found.add_prefix(f"{quantity}_"))
    path = work.folder / f"{name}_described.gpkg"
    pd.concat(columns, axis=1).to_file(path, layer="polygons")


def describe_grass(work: Work) -> None:
    describe(work, "grass")


def describe_geos(work: Work) -> None:
    describe(work, "geos")


WAYS: dict[str, list[Callable[[Work], None]]] = {
    "ours": [regularise, trace, join, shape, shape_border, measure, measure_border, write],
    "grass": [sieve, to_vect, generalize, out_ogr, describe_grass],
    "geos": [sieve, polygonize, coverage_simplify, describe_geos],
}
STEPS = {step.__name__: step for steps in [[prepare], *WAYS.values()] for step in steps}


def told(path: str, layer: str) -> str:
    """What a layer holds."""
    program = (
        "import sys, geopandas as gpd, shapely\n"
        "shapes = gpd.read_file(sys.argv[1], layer=sys.argv[2], columns=[]).geometry.to_numpy()\n"
        "print(f'{len(shapes):,} polygons, {shapely.get_num_coordinates(shapes).sum():,} points, '\n"
        "      f'{(~shapely.is_valid(shapes)).sum():,} invalid, {shapely.area(shapes).sum() / 1e4:,.2f} ha')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, path, layer], check=True, text=True, stdout=subprocess.PIPE
    )
    return done.stdout.strip()


def timed(step: str, work: Work) -> tuple[float, float, float]:
    """CPU seconds, wall seconds and peak MB of a step in a process of its own."""
    command = [sys.executable, __file__, str(work.folder.parent), "--size", str(work.size), "--square",
               str(work.square), "--block", str(work.block), "--run", step]  # fmt: skip
    start = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{step} ended with {process.returncode}")
    wall = time.perf_counter() - start
    return used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024


def same_layer(one: Work, other: Work) -> int:
    """Polygons of a layer; another one must have the same pixels, and polygons of the same outline and values."""
    import numpy as np
    import pandas as pd
    import shapely

    from iota2_tools.geo.raster import read_raster

    if not np.array_equal(read_raster(one.classes), read_raster(other.classes)):
        raise SystemExit(f"pixels differ: {one.classes}, {other.classes}")

    def lines(work: Work) -> pd.DataFrame:
        frames = []
        whole = coverage(work)
        for table in whole.parts():
            shapes = shapely.from_wkb(table["geometry"].to_numpy())
            frame = pd.DataFrame(whole.described(table, shapes))
            frame["geometry"] = shapely.to_wkb(shapes)
            frames.append(frame)
        return pd.concat(frames).sort_values("id", ignore_index=True)

    first = lines(one)
    pd.testing.assert_frame_equal(first, lines(other), check_exact=True)
    return len(first)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=5490)
    parser.add_argument("--square", type=int, default=4096)
    parser.add_argument("--block", type=int, default=BLOCK, help=argparse.SUPPRESS)
    parser.add_argument("--ways", nargs="*", choices=WAYS, default=list(WAYS))
    parser.add_argument("--steps", nargs="*", choices=STEPS)
    parser.add_argument("--cuts", type=int, nargs="*", default=[])
    parser.add_argument("--run", choices=STEPS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    work = Work(given.folder / str(given.size), given.size, given.square, given.block)
    if given.run:
        STEPS[given.run](work)
        return
    work.folder.mkdir(parents=True, exist_ok=True)
    if not (work.folder / "raw.tif").exists():
        timed("prepare", work)
    layers = {
        "ours": (work.file("layer", end="gpkg"), "land_cover"),
        "grass": (str(work.folder / "grass_described.gpkg"), "polygons"),
        "geos": (str(work.folder / "geos_described.gpkg"), "polygons"),
    }
    for way in given.ways:
        show(way, work, given.steps)
        if os.path.exists(layers[way][0]):
            print(f"{way}: {told(*layers[way])}", flush=True)
    for side in given.cuts:
        cut = Work(work.folder, work.size, side, side)
        show("ours", cut, None)
        print(f"pixels and {same_layer(work, cut):,} polygons with all values: the same")


def show(way: str, work: Work, steps: list[str] | None) -> None:
    """Run the steps of a way and print what each took."""
    print(f"\n{way}, {work.size} x {work.size}, blocks {work.block}, squares {work.square}")
    print(f"{'':<22}{'CPU s':>9}{'wall s':>9}{'peak MB':>9}")
    total, most = 0.0, 0.0
    for step in WAYS[way]:
        if steps and step.__name__ not in steps:
            continue
        cpu, wall, peak = timed(step.__name__, work)
        total, most = total + cpu, max(most, peak)
        print(f"  {step.__name__:<20}{cpu:>9.1f}{wall:>9.1f}{peak:>9.0f}", flush=True)
    print(f"  {'all':<20}{total:>9.1f}{'':>9}{most:>9.0f}", flush=True)


if __name__ == "__main__":
    main()
