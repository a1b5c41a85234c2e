"""Inventory of a tile: damaged acquisitions are named, and left out only if asked."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from tiny import name_of, write_image, write_product

from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.grid import grid_of
from iota2_tools.products import FORMATS, Codes
from iota2_tools.simulate import SceneSettings, simulate_scene
from iota2_tools.timeseries.headers import file_faults
from iota2_tools.timeseries.inputs import Products, TileInputs
from iota2_tools.timeseries.inventory import read_inventory, write_inventory

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
        "sentinel2",
        str(tile),
        names,
        names if counted is None else counted,
        {"level": "FRE"},
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
    unseen = [mask.path for mask in first.masks if mask.unseen != Codes()]
    assert [Path(path).name.split("_")[-2] for path in unseen] == ["EDG"]
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


B2 = {"B2": 1000, "B8A": 1000}


def tiny_inventory(folder, damaged="stop", **others):
    listing = FORMATS["sentinel2"].listing(str(folder))
    first = listing.products[0].name
    grid = grid_of(str(folder / first / f"{first}_FRE_B2.tif"))
    names = [item.name for item in listing.products]
    inputs = tile_inputs(folder, names, grid, strangers=listing.strangers, **others)
    write_inventory(inputs, damaged, str(folder.parent / "inventory.json"))
    return read_inventory(str(folder.parent / "inventory.json"))


def test_an_older_version_is_left_out_whatever_is_asked_of_damaged_ones(tmp_path):
    old, new = name_of("20180210", version="2-2"), name_of("20180210", version="10-0")
    for name in (old, new):
        write_product(tmp_path / "T31TCJ", name, B2)
    found = tiny_inventory(tmp_path / "T31TCJ")
    assert [item.name for item in found.series["sentinel2"]] == [new]
    assert found.left_out == {old: f"replaced by {new}"}


def test_where_the_newest_version_is_damaged_an_older_one_stands(tmp_path):
    old, new = name_of("20180210", version="2-2"), name_of("20180210", version="3-0")
    for name in (old, new):
        write_product(tmp_path / "T31TCJ", name, B2)
    image(tmp_path / "T31TCJ", new, "B8A").unlink()
    found = tiny_inventory(tmp_path / "T31TCJ", "skip")
    assert [item.name for item in found.series["sentinel2"]] == [old]


def test_dates_of_the_margin_are_marked(tmp_path):
    days = ("20171220", "20180101")
    for day in days:
        write_product(tmp_path / "T31TCJ", name_of(day), B2)
    found = tiny_inventory(tmp_path / "T31TCJ", counted=[name_of("20180101")])
    assert [item.counts for item in found.series["sentinel2"]] == [False, True]


def test_what_is_not_read_is_told_in_the_inventory(tmp_path):
    write_product(tmp_path / "T31TCJ", name_of("20180101"), B2)
    archive = name_of("20180111") + ".tar.gz"
    (tmp_path / "T31TCJ" / archive).write_bytes(b"")
    assert tiny_inventory(tmp_path / "T31TCJ").left_out == {archive: "an archive; unpack it"}


def test_one_product_on_another_grid_is_named(tmp_path):
    folder = tmp_path / "T31TCJ"
    for day in ("20180101", "20180111", "20180121"):
        write_product(folder, name_of(day), B2)
    odd = name_of("20180131")
    write_product(folder, odd, B2, size=6)
    with pytest.raises(InputDataError, match="has 5 problems") as caught:
        tiny_inventory(folder)
    assert odd in str(caught.value)
    assert "6 x 6 pixels of 10" in str(caught.value)


@pytest.mark.parametrize("damaged", ["stop", "skip"])
def test_if_the_first_product_is_the_odd_one_it_is_named_and_not_the_others(tmp_path, damaged):
    folder = tmp_path / "T31TCJ"
    odd = name_of("20180101")
    write_product(folder, odd, B2, size=6)
    for day in ("20180111", "20180121"):
        write_product(folder, name_of(day), B2)
    with pytest.raises(
        InputDataError, match=r"1 product\(s\) lie on another grid than the other 2"
    ) as caught:
        tiny_inventory(folder, damaged)
    assert odd in str(caught.value)
    assert name_of("20180111") not in str(caught.value)


def test_one_band_elsewhere_is_named(tmp_path):
    folder = tmp_path / "T31TCJ"
    for day in ("20180101", "20180111", "20180121"):
        write_product(folder, name_of(day), B2)
    moved = image(folder, name_of("20180111"), "B8A")
    write_image(moved, np.zeros((4, 4), np.int16), 20, left=315_000)
    with pytest.raises(InputDataError) as caught:
        tiny_inventory(folder)
    assert f"{moved} lies elsewhere" in str(caught.value)


def test_a_mask_of_another_type_is_named(tmp_path):
    folder = tmp_path / "T31TCJ"
    write_product(folder, name_of("20180101"), B2)
    mask = folder / name_of("20180101") / "MASKS" / f"{name_of('20180101')}_CLM_R1.tif"
    write_image(mask, np.zeros((8, 8), np.float32))
    with pytest.raises(InputDataError, match=r"CLM_R1\.tif holds Float32, Byte is expected"):
        tiny_inventory(folder)


def test_the_files_of_a_tile_are_those_it_would_read(tmp_path):
    folder = tmp_path / "T31TCJ"
    product = write_product(folder, name_of("20180101"), {"B2": 1, "B8A": 1, "B3": 1})
    grid = grid_of(str(image(folder, product.name)))
    inputs = tile_inputs(folder, [product.name], grid)
    read = {Path(path).name.replace(product.name, "") for path in inputs.files}
    expected = {"_FRE_B2.tif", "_FRE_B8A.tif", "_CLM_R1.tif", "_SAT_R1.tif", "_EDG_R1.tif"}
    assert read == expected
    assert TileInputs.from_dict(json.loads(json.dumps(asdict(inputs)))) == inputs
