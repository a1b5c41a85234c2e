"""Embeddings: 64 signed bytes a pixel as a user feature, from one raster over all tiles to the map."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from tiny import LEFT, TOP, values_of, write_image

from iota2_tools.classifying.tile import MappingSettings, TileSources, classify_tile
from iota2_tools.geo.grid import Grid
from iota2_tools.learning import engines
from iota2_tools.learning.settings import LearningSettings, ModelKey
from iota2_tools.reference.table import write_samples
from iota2_tools.timeseries.inputs import TileInputs, UserFile
from iota2_tools.timeseries.inventory import write_inventory
from iota2_tools.timeseries.masks import write_validity

pytestmark = pytest.mark.slow

BANDS, SIDE, BESIDE = 64, 16, 6
GRID = Grid("EPSG:32631", LEFT, TOP, 10, SIDE, SIDE)
CODES = (1, 2)
HOLES = [(2, 2), (13, 13), (0, 15)]


@pytest.fixture(params=[0, 4], ids=["on the pixels of the tile", "between them"])
def mapped(request, tmp_path):
    """Class 1 on the left, 2 on the right, whose embedding is the opposite: as bytes without a sign
    both would be alike but for 0.

    No data is -128; at one hole in one band alone.
    """
    rng = np.random.default_rng(4)
    whole = SIDE + 2 * BESIDE
    prototype = rng.choice([-1, 1], BANDS) * rng.integers(60, 110, BANDS)
    truth = np.where(np.arange(SIDE) < SIDE // 2, 1, 2) * np.ones((SIDE, 1), int)
    sides = np.pad(truth, BESIDE, mode="edge")
    values = prototype[:, None, None] * np.where(sides == 1, 1, -1)
    values = (values + rng.integers(-15, 16, (BANDS, whole, whole))).astype(np.int8)
    for row, col in HOLES[:2]:
        values[:, row + BESIDE, col + BESIDE] = -128
    row, col = HOLES[2]
    values[40, row + BESIDE, col + BESIDE] = -128
    path = write_image(
        tmp_path / "embeddings.tif", values, left=LEFT - 10 * BESIDE + request.param,
        top=TOP + 10 * BESIDE, nodata=-128, options=["INTERLEAVE=PIXEL", "COMPRESS=DEFLATE"],
    )  # fmt: skip
    inventory = str(tmp_path / "inventory.json")
    user = {"AEF": UserFile(path, "bicubic", "leave_out")}
    write_inventory(TileInputs("T31TCJ", GRID, {}, user), "stop", inventory)
    where = {name: str(tmp_path / f"{name}.tif") for name in ("regions", "footprint", "validity")}
    write_validity(inventory, [], [], where["validity"], where["footprint"])
    write_image(where["regions"], np.ones((SIDE, SIDE), np.uint8))
    seen = values_of(where["footprint"]) > 0
    interior = np.abs(np.arange(SIDE) - SIDE / 2 + 0.5) > 2
    rows, cols = np.nonzero(seen & interior & (np.add.outer(range(SIDE), range(SIDE)) % 3 == 0))
    chosen = pd.DataFrame({"row": rows, "col": cols, "polygon": rows, "code": truth[rows, cols]})
    chosen.assign(region="1", seed_0=True).to_parquet(tmp_path / "chosen.parquet")
    samples, model = str(tmp_path / "samples.parquet"), str(tmp_path / "model")
    write_samples(str(tmp_path / "chosen.parquet"), inventory, {}, {}, 100, 1, samples)
    forest = LearningSettings("RandomForestClassifier", {"n_estimators": 20})
    engines.train([samples], ModelKey("1", 0, 0), forest, 1, model)
    outputs = {name: str(tmp_path / f"{name}.tif") for name in ("classes", "confidence")}
    settings = MappingSettings(1, CODES, "uint8", 0, 100)
    classify_tile(TileSources(inventory, {}, {}, **where), settings, [model], [outputs], 2)
    part = values[:, BESIDE : BESIDE + SIDE, BESIDE : BESIDE + SIDE]
    return SimpleNamespace(
        moved=bool(request.param), values=part, seen=seen, interior=interior, truth=truth,
        samples=pq.read_table(samples), rows=rows, cols=cols, classes=values_of(outputs["classes"]),
    )  # fmt: skip


def test_64_signed_bytes_are_learnt_and_mapped_as_they_are(mapped):
    table = mapped.samples
    names = [name for name in table.column_names if name.startswith("AEF_band_")]
    assert names == [f"AEF_band_{number}" for number in range(1, BANDS + 1)]
    for number, name in enumerate(names):
        learnt = table[name].to_numpy()
        assert str(table.schema.field(name).type) == "int16"
        written = mapped.values[number, mapped.rows, mapped.cols]
        if mapped.moved:  # neighbours of one class differ by 30 at most
            assert (np.abs(learnt - written) <= 40).all()
        else:
            assert (learnt == written).all()
    sure = mapped.seen & mapped.interior
    assert sure.sum() > 150
    assert (mapped.classes[sure] == mapped.truth[sure]).all()


def test_pixels_whose_embedding_has_no_data_are_not_mapped(mapped):
    """-128 in one band is enough."""
    assert ((mapped.classes > 0) == mapped.seen).all()
    if not mapped.moved:
        assert sorted(map(tuple, np.argwhere(~mapped.seen))) == sorted(HOLES)
    assert all(not mapped.seen[row, col] for row, col in HOLES)
