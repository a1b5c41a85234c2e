"""From a regularised map to a written layer of polygons with attributes, beside what GDAL and GEOS do.

On a made-up map of parcels (`vector_maps.py`), each way in a process of its own: ours in squares,
with 20 shares, means and deviations of confidence and validity; theirs gdal.Polygonize into a
GeoPackage, and after it shapely.coverage_simplify of what that gave, written once more, without
attributes. Prints CPU seconds, peak memory, polygons and points.

Usage: python benchmarks/vectors.py FOLDER [--size 2745] [--square 4096] [--only ours|theirs]
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from iota2_tools.geo.grid import Grid
from iota2_tools.geo.raster import create_raster

NOMENCLATURE = "code,name\n" + "".join(f"{code},Class {code}\n" for code in range(1, 21))


def prepare(folder: Path, size: int) -> Grid:
    """Raw and regularised map, confidence and validity; made once."""
    from vector_maps import parcels, sieved

    grid = Grid("EPSG:32631", 500_000.0, 4_800_000.0, 10.0, size, size)
    if (folder / "validity.tif").exists():
        return grid
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nomenclature.csv").write_text(NOMENCLATURE)
    raw = parcels(size)
    random = np.random.default_rng(1)
    layers = {
        "raw": raw,
        "classes": sieved(raw),
        "confidence": random.integers(1, 101, raw.shape, np.uint8) * (raw > 0),
        "validity": random.integers(0, 40, raw.shape, np.uint8),
    }
    for name, values in layers.items():
        nodata = 255 if name == "validity" else 0
        with create_raster(str(folder / f"{name}.tif"), grid, "uint8", nodata=nodata) as raster:
            raster.write(values.astype(np.uint8), grid.window)
    return grid


def ours(folder: Path, grid: Grid, side: int) -> dict:
    """Seconds of each step."""
    from iota2_tools.geo.squares import squares_of
    from iota2_tools.vectors.delivery import Coverage, write_whole
    from iota2_tools.vectors.joining import join_squares
    from iota2_tools.vectors.measuring import Quantity, Sources, measure_border, measure_square
    from iota2_tools.vectors.shaping import shape_border, shape_square
    from iota2_tools.vectors.simplification import Shape
    from iota2_tools.vectors.tracing import trace_square

    classes = str(folder / "classes.tif")
    squares = squares_of(grid, side)
    quantities = [
        Quantity(name, str(folder / f"{name}.tif")) for name in ("confidence", "validity")
    ]
    sources = Sources(str(folder / "raw.tif"), quantities)
    seconds: dict[str, float] = {}

    def file(kind: str, name: str, end: str = "npz") -> str:
        return str(folder / f"{kind}_{name}.{end}")

    def step(action, *arguments) -> None:
        begin = time.process_time()
        action(*arguments)
        name = action.__name__
        seconds[name] = seconds.get(name, 0) + time.process_time() - begin

    for name, square in squares.items():
        step(trace_square, classes, square, file("trace", name))
    traces = {name: file("trace", name) for name in squares}
    joined = {name: file("joined", name) for name in squares}
    step(join_squares, traces, squares, joined, file("joined", "all"))
    for name, square in squares.items():
        step(
            shape_square, classes, square, traces[name], joined[name], Shape(tolerance=1.5),
            file("polygons", name, "parquet"), file("arcs", name),
        )  # fmt: skip
        step(measure_square, classes, square, sources, file("measures", name, "parquet"))
    arcs = {name: file("arcs", name) for name in squares}
    table = file("joined", "all")
    step(shape_border, classes, squares, arcs, table, file("polygons", "border", "parquet"))
    measures = [file("measures", name, "parquet") for name in squares]
    step(measure_border, measures, table, file("measures", "border", "parquet"))
    coverage = Coverage.of(
        [file("polygons", name, "parquet") for name in [*squares, "border"]],
        [*measures, file("measures", "border", "parquet")],
        division={"grid": grid.as_dict(), "side": side},
        legend={"path": str(folder / "nomenclature.csv")},
        style="plain",
        quantities=[],
        regions=None,
    )
    step(write_whole, coverage, [str(folder / "ours.gpkg")], {})
    return {name: round(value, 2) for name, value in seconds.items()}


def theirs(folder: Path) -> dict:
    """Seconds of gdal.Polygonize and of coverage_simplify, each with writing."""
    import geopandas as gpd
    import shapely
    from osgeo import gdal, ogr

    begin = time.process_time()
    raster = gdal.Open(str(folder / "classes.tif"))
    path = folder / "theirs.gpkg"
    path.unlink(missing_ok=True)
    source = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    layer = source.CreateLayer("polygons", raster.GetSpatialRef(), ogr.wkbPolygon)
    layer.CreateField(ogr.FieldDefn("code", ogr.OFTInteger))
    gdal.Polygonize(raster.GetRasterBand(1), raster.GetRasterBand(1), layer, 0, [])
    layer = source = None
    seconds = {"polygonize": time.process_time() - begin}
    begin = time.process_time()
    frame = gpd.read_file(path)
    frame.geometry = shapely.coverage_simplify(
        frame.geometry.to_numpy(), 15.0, simplify_boundary=False
    )
    frame.to_file(folder / "theirs_simplified.gpkg", layer="polygons")
    seconds["coverage_simplify"] = time.process_time() - begin
    return {name: round(value, 2) for name, value in seconds.items()}


def told(path: Path, layer: str) -> dict:
    """Polygons and points of a layer."""
    import geopandas as gpd
    import shapely

    shapes = gpd.read_file(path, layer=layer).geometry.to_numpy()
    return {"polygons": len(shapes), "points": int(shapely.get_num_coordinates(shapes).sum())}


def measured(way: str, arguments: argparse.Namespace) -> dict:
    """One way in a process of its own, so that its peak is its own."""
    command = [sys.executable, __file__, str(arguments.folder), "--size", str(arguments.size),
               "--square", str(arguments.square), "--run", way]  # fmt: skip
    done = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=2745)
    parser.add_argument("--square", type=int, default=4096)
    parser.add_argument("--only", choices=["ours", "theirs"])
    parser.add_argument("--run", choices=["ours", "theirs"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    folder = arguments.folder / str(arguments.size)
    if arguments.run:
        grid = prepare(folder, arguments.size)
        seconds = (
            ours(folder, grid, arguments.square) if arguments.run == "ours" else theirs(folder)
        )
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(
            json.dumps(
                {"cpu_s": seconds, "total": round(sum(seconds.values()), 1), "peak_mb": peak}
            )
        )
        return
    prepare(folder, arguments.size)
    ways = [arguments.only] if arguments.only else ["ours", "theirs"]
    if "ours" in ways:
        measured("ours", arguments)  # compiles
    for way in ways:
        found = measured(way, arguments)
        files = {
            "ours": ("ours.gpkg", "land_cover"),
            "theirs": ("theirs_simplified.gpkg", "polygons"),
        }
        print(way, found, told(folder / files[way][0], files[way][1]))


if __name__ == "__main__":
    main()
