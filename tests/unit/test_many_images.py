"""No limit on dates: a job runs with few open files as with many, and writes the same bytes."""

import subprocess
import sys
from pathlib import Path

import pytest
from tiny import name_of, write_product

pytestmark = pytest.mark.slow

DATES, ALLOWED = 34, 256
BANDS = ("B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B11", "B12")
PROGRAM = """
import json, resource, sys
from pathlib import Path
folder, allowed, output = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
if allowed:
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, allowed))
import pandas as pd
from iota2_tools.core.jobs import job
from iota2_tools.geo.grid import grid_of
from iota2_tools.products import FORMATS
from iota2_tools.reference.table import write_samples
from iota2_tools.timeseries.inventory import write_inventory
from iota2_tools.timeseries.inputs import Products, TileInputs
from iota2_tools.timeseries.masks import write_clear_masks

names = [item.name for item in FORMATS["sentinel2"].listing(str(folder)).products]
grid = grid_of(str(folder / names[0] / f"{names[0]}_FRE_B2.tif"))
bands = sys.argv[4].split()
products = Products("sentinel2", str(folder), names, names, {"level": "FRE"}, bands, grid.as_dict())
output.mkdir()
def at(name): return str(output / name)
with job(at("log"), 2, 1000):
    inputs = TileInputs("T31TCJ", grid, {"sentinel2": products}, {})
    write_inventory(inputs, "stop", at("inventory.json"))
    write_clear_masks(at("inventory.json"), "sentinel2", at("clear.tif"), at("seen.tif"), 2)
    pixels = pd.DataFrame({"row": [0, 3, 7], "col": [1, 4, 7], "polygon": 1, "code": 1, "region": "1", "seed_0": True})
    pixels.to_parquet(at("selection.parquet"), index=False)
    of = {"sensor": "sentinel2", "part": "", "options": {"level": "FRE"}}
    own = of | {"keep_bands": bands, "indices": [], "additional_features": {}}
    settings = {"sentinel2": own | {"dates": ["2018-01-10", "2018-02-01"]}}
    masks = {"sentinel2": at("clear.tif")}
    write_samples(
        at("selection.parquet"), at("inventory.json"), settings, masks, 1, 2, at("samples.parquet")
    )
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("many") / "T31TCJ"
    for number in range(DATES):
        day = f"2018{1 + number // 28:02d}{1 + number % 28:02d}"
        write_product(folder, name_of(day), dict.fromkeys(BANDS, 100 * number))
    return folder


def run(folder: Path, allowed: int, output: Path) -> dict[str, bytes]:
    command = [
        sys.executable,
        "-c",
        PROGRAM,
        str(folder),
        str(allowed),
        str(output),
        " ".join(BANDS),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return {
        path.name: path.read_bytes()
        for path in output.iterdir()
        if path.suffix in (".json", ".tif", ".parquet")
    }


def test_more_images_than_the_system_lets_a_process_open(folder, tmp_path):
    assert DATES * len(BANDS) > ALLOWED
    few = run(folder, ALLOWED, tmp_path / "few")
    many = run(folder, 0, tmp_path / "many")
    assert set(few) == set(many) >= {"clear.tif", "samples.parquet"}
    assert few == many
