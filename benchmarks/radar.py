"""A scene of Sentinel-1 GRD onto a tile: this chain, and OTB's OrthoRectification.

Prints CPU seconds (user + system, one thread) and peak memory of each, side by side in one run. The
scene has the geometry, calibration, noise and hills of the simulator, and random numbers: 2 x 350 MB
for a full tile. The chain does both polarisations from the SAFE to int16 decibels; OTB does the
place alone, of one of them. Then the speckle filter, per pixel and date.

Usage: python benchmarks/radar.py [--size 10980]
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from iota2_tools import otb
from iota2_tools.core.platform import peak_memory_mb
from iota2_tools.geo.raster import create_raster
from iota2_tools.radar.elevation import Elevation
from iota2_tools.radar.preparation import prepare_grd
from iota2_tools.radar.settings import GrdSettings
from iota2_tools.radar.speckle import filter_speckle
from iota2_tools.simulate.radar import POLARISATIONS, radar_passes
from iota2_tools.simulate.radar_geometry import PassGeometry
from iota2_tools.simulate.radar_safe import GrdProduct, control_points, create_image, write_texts
from iota2_tools.simulate.relief import plan_dem, plan_geoid, write_heights
from iota2_tools.simulate.settings import SceneSettings, grid_of_window, tile_window

TILE = "T31TCJ"
ROWS = 512


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=10_980)
    parser.add_argument("--folder", help="where the scene is kept (a temporary folder)")
    parser.add_argument("--way", help=argparse.SUPPRESS)
    given = parser.parse_args()
    folder = Path(given.folder or Path(tempfile.gettempdir()) / f"iota2_radar_{given.size}")
    if given.way:
        print(json.dumps(WAYS[given.way](folder, given.size)))
        return
    write_scene(folder, given.size)
    print(f"{'way':<62}{'CPU s':>8}{'peak MB':>9}")
    for way in WAYS:
        command = [sys.executable, __file__, "--way", way, "--folder", str(folder)]
        done = subprocess.run(
            [*command, "--size", str(given.size)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            print(f"{way:<62}{done.stderr.splitlines()[-1]}")
            continue
        found = json.loads(done.stdout.splitlines()[-1])
        print(f"{found['name']:<62}{found['seconds']:>8.1f}{found['peak']:>9}")


def settings_of(size: int) -> SceneSettings:
    return SceneSettings(tiles=(TILE,), size=size, dates=1)


def write_scene(folder: Path, size: int) -> None:
    """A pass in one frame, its elevation model and geoid, and an empty image of the tile."""
    if (folder / "tile.tif").exists():
        return
    settings = settings_of(size)
    for raster in [*plan_dem(settings, ""), *plan_geoid(settings, "")]:
        place = folder / raster.name.removesuffix(".tif")
        place.mkdir(parents=True, exist_ok=True)
        write_heights(settings, raster, [], place)
    (radar_pass,) = radar_passes(settings)
    lines = PassGeometry(settings, radar_pass.direction).lines
    product = GrdProduct(settings, radar_pass, 0, lines - 1)
    root = folder / "sentinel1" / product.name
    points = control_points(product)
    write_texts(product, points, root)
    generator = np.random.default_rng(1)
    for polarisation in POLARISATIONS:
        path = root / "measurement" / f"{product.file_stem(polarisation)}.tiff"
        image = create_image(str(path), product, points)
        for row in range(0, lines, ROWS):
            shape = (min(ROWS, lines - row), image.RasterXSize)
            numbers = generator.rayleigh(130, shape).astype(np.uint16) + 1
            image.GetRasterBand(1).WriteArray(numbers, 0, row)
        del image
    grid = grid_of_window(tile_window(settings, TILE))
    with create_raster(str(folder / "tile.tif"), grid, "uint8", options=("SPARSE_OK=TRUE",)):
        pass


def elevation_of(folder: Path) -> Elevation:
    return Elevation(str(folder / "dem"), str(folder / "geoid" / "geoid.tif"))


def chain(folder: Path, size: int) -> dict:
    """Both polarisations, the whole job but for the start of Python."""
    grid = grid_of_window(tile_window(settings_of(size), TILE))
    safes = list((folder / "sentinel1").iterdir())
    described = prepare_grd(safes, grid, GrdSettings(elevation_of(folder)), folder / "prepared")
    seen = described["seen_pixels"] / grid.window.size
    return measured(f"this chain: VV and VH, calibrated, {seen:.0%} of the tile seen")


def toolbox(folder: Path, size: int) -> dict:
    """The place of one polarisation, neither noise nor calibration."""
    (image,) = (folder / "sentinel1").glob("*/measurement/*-vv-*.tiff")
    elevation = elevation_of(folder)
    otb.run(
        "OrthoRectification",
        {
            "io.in": str(image),
            "io.out": f"{folder / 'otb.tif'}?&gdal:co:COMPRESS=ZSTD&gdal:co:TILED=YES",
            "outputs.mode": "orthofit",
            "outputs.ortho": str(folder / "tile.tif"),
            "opt.gridspacing": 40.0,
            "interpolator": "linear",
            "elev.dem": elevation.dem,
            "elev.geoid": elevation.geoid,
        },
    )
    return measured("OTB OrthoRectification: the numbers of VV")


def speckle(folder: Path, size: int) -> dict:
    """A window of 30 dates, after the filter is compiled."""
    power = np.random.default_rng(1).gamma(4.4, 0.02, (30, 260, 1028)).astype(np.float32)
    filter_speckle(power[:, :9, :9], 2)
    start = time.process_time()
    pixels = filter_speckle(power, 2).size
    seconds = time.process_time() - start
    found = measured(f"speckle filter, radius 2: {1e9 * seconds / pixels:.1f} ns a pixel and date")
    return {**found, "seconds": seconds}


WAYS = {"chain": chain, "toolbox": toolbox, "speckle": speckle}


def measured(name: str) -> dict:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"name": name, "seconds": used.ru_utime + used.ru_stime, "peak": peak_memory_mb()}


if __name__ == "__main__":
    main()
