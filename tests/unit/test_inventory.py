"""Inventory of a tile: damaged acquisitions are named, and left out only if asked."""

import json
import shutil
from pathlib import Path

import pytest

from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.grid import grid_of
from iota2_tools.products import FORMATS
from iota2_tools.simulate import SceneSettings, simulate_scene
from iota2_tools.timeseries.headers import file_faults
from iota2_tools.timeseries.inventory import (
    Products,
    TileInputs,
    read_inventory,
    write_inventory,
)

BANDS = ["B2", "B8A"]


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    settings = SceneSettings(size=64, dates=3, tiles=("T31TCJ",), cloud_cover=0.05, split_dates=0)
    out = simulate_scene(settings, tmp_path_factory.mktemp("scene") / "scene")
    return Path(out) / "sentinel2" / "T31TCJ"


@pytest.fixture
def tile(scene, tmp_path):
    return Path(shutil.copytree(scene, tmp_path / "T31TCJ"))


@pytest.fixture
def names(tile):
    found = FORMATS["sentinel2"].listing(str(tile)).products
    assert len(found) >= 2
    return [item.name for item in found]


def image(tile, name, band="B2"):
    return tile / name / f"{name}_FRE_{band}.tif"


def truncate(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


def inventory(tile, names, damaged="stop"):
    output = tile.parent / "inventory.json"
    grid = grid_of(str(image(tile, names[0])))
    inputs = tile_inputs(tile, names, grid)
    write_inventory(inputs, damaged, str(output))
    return read_inventory(str(output))


def tile_inputs(tile, names, grid, counted=None, **others):
    given = Products(
        str(tile),
        names,
        names if counted is None else counted,
        "FRE",
        BANDS,
        grid.as_dict(),
        **others,
    )
    return TileInputs("T31TCJ", grid, {"sentinel2": given}, {})


def test_whole_acquisitions_are_all_listed_in_order(tile, names):
    found = inventory(tile, names)
    assert [item.name for item in found.series["sentinel2"]] == names
    assert found.left_out == {}
    first = found.series["sentinel2"][0]
    assert f"{first.day:%Y%m%d}" == names[0].split("_")[1].split("-")[0]
    assert list(first.bands) == BANDS
    assert first.edge in first.masks
    assert all(Path(path).is_file() for path in first.files)


def test_inventory_returns_as_it_was_written(tile, names):
    found = inventory(tile, names)
    assert found.grid == grid_of(str(image(tile, names[0])))
    stored = json.loads((tile.parent / "inventory.json").read_text(encoding="utf-8"))
    assert stored["tile"] == found.tile == "T31TCJ"


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_truncated_image_is_named(tile, names, share):
    path = image(tile, names[1])
    truncate(path, share)
    assert str(path) in file_faults(str(path))[0]
    with pytest.raises(InputDataError) as caught:
        inventory(tile, names)
    assert str(path) in str(caught.value)
    assert "damaged_acquisition: skip" in str(caught.value)
    assert not (tile.parent / "inventory.json").exists()


def test_all_missing_files_are_named_at_once(tile, names):
    lost = [image(tile, names[0], "B8A"), tile / names[1] / "MASKS" / f"{names[1]}_EDG_R1.tif"]
    for path in lost:
        path.unlink()
    with pytest.raises(InputDataError) as caught:
        inventory(tile, names)
    assert [f"{path} is missing" in str(caught.value) for path in lost] == [True, True]


def test_damaged_acquisition_is_left_out_if_asked(tile, names):
    truncate(image(tile, names[0]), 0.5)
    found = inventory(tile, names, "skip")
    assert [item.name for item in found.series["sentinel2"]] == names[1:]
    assert list(found.left_out) == names[:1]
    assert "truncated" in found.left_out[names[0]]


def test_band_that_is_not_read_may_be_missing(tile, names):
    image(tile, names[0], "B11").unlink()
    assert inventory(tile, names).left_out == {}


def test_nothing_left_is_an_error_even_with_skip(tile, names):
    for name in names:
        truncate(image(tile, name), 0.5)
    with pytest.raises(InputDataError, match="no acquisition of sentinel2 is whole"):
        inventory(tile, names, "skip")
