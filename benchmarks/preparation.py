"""Preparing a product of Sen2Cor: the whole job against the bare decoding of its images by GDAL.

Simulates one SAFE of a tile; prints CPU seconds and peak memory of the two in turns, and the ratio
of their rates. The job decodes, converts, looks for nodata, compresses and writes; then the other
reads the same files and throws the pixels away.

Usage: python benchmarks/preparation.py [--size 2745] [--rounds 3]
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from iota2_tools.products import FORMATS
from iota2_tools.simulate import SceneSettings, simulate_scene

SENSOR = "sentinel2_sen2cor"
BARE = """
import sys
from osgeo import gdal
gdal.UseExceptions()
for path in sys.argv[1:]:
    image = gdal.Open(path)
    for row in range(0, image.RasterYSize, 1024):
        image.ReadAsArray(0, row, image.RasterXSize, min(1024, image.RasterYSize - row))
"""
JOB = """
import sys
from iota2_tools.timeseries.batches import Batch
from iota2_tools.timeseries.preparation import prepare_batch
folder, name, output = sys.argv[1:]
prepare_batch(Batch("sentinel2_sen2cor", folder, {name: ()}, {}), output + "/m.json", "stop", 1)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=2745, help="side of the tile, pixels of 10 m")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        settings = SceneSettings(
            size=given.size, dates=2, tiles=("T31TCJ",), split_dates=0, cloud_cover=0.1
        )
        simulate_scene(settings, place, sensors=("s2-sen2cor",), jobs=2)
        folder = Path(place, SENSOR, "T31TCJ")
        name = next(folder.iterdir()).name
        images = images_of(folder / name)
        bare, ours = [], []
        for number in range(given.rounds):
            bare.append(timed(BARE, *images))
            output = Path(place, f"out{number}")
            output.mkdir()
            ours.append(timed(JOB, str(folder), name, str(output)))
        print(f"{'way':<40}{'CPU s':>8}{'peak MB':>9}")
        for title, runs in (("GDAL, decoding alone", bare), ("prepare_batch, whole job", ours)):
            print(
                f"{title:<40}{median(cpu for cpu, _ in runs):>8.1f}{max(mb for _, mb in runs):>9.0f}"
            )
        rates = [one / other for (one, _), (other, _) in zip(bare, ours, strict=True)]
        print(
            f"rate of the job against decoding alone: {median(rates):.2f} ({given.rounds} rounds)"
        )


def images_of(safe: Path) -> list[str]:
    """Images that the preparation decodes."""
    from iota2_tools.products import Request

    known = FORMATS[SENSOR]
    item = known.acquisition(Request(safe.parent, safe.name, known.band_names, {}))
    return item.files


def timed(program: str, *arguments: str) -> tuple[float, float]:
    """CPU seconds and peak memory, MB, of a program of its own."""
    inside = (
        "import json, resource, sys\n"
        + program
        + "\nused = resource.getrusage(resource.RUSAGE_SELF)\n"
        "print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", inside, *arguments], capture_output=True, text=True, check=True
    )
    cpu, peak = json.loads(done.stdout.splitlines()[-1])
    return cpu, peak


if __name__ == "__main__":
    main()
