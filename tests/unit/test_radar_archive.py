"""Which products of a folder are of a pass over a tile."""

import json
import re
import shutil
from pathlib import Path

import pytest

from iota2_tools.geo.grid import Grid
from iota2_tools.products.s1_grd_safe import FORMAT
from iota2_tools.radar import archive
from iota2_tools.radar.archive import passes_over, slices_of
from iota2_tools.simulate.radar_safe import plan_frames, write_frame
from iota2_tools.simulate.settings import SceneSettings, grid_of_window, tile_window

SETTINGS = SceneSettings(tiles=("T31TCJ",), size=64, dates=2)
TILE = grid_of_window(tile_window(SETTINGS, "T31TCJ"))


@pytest.fixture(scope="module")
def products(tmp_path_factory):
    folder = tmp_path_factory.mktemp("products")
    for product in plan_frames(SETTINGS, ""):
        write_frame(SETTINGS, product, [], folder)
    return folder


@pytest.fixture
def folder(products, tmp_path):
    """The manifests alone: the plan needs no more."""
    for product in products.iterdir():
        (tmp_path / "sar" / product.name).mkdir(parents=True)
        shutil.copy(product / "manifest.safe", tmp_path / "sar" / product.name)
    return tmp_path / "sar"


def test_frames_of_a_pass_are_one_product(folder, tmp_path):
    slices, strangers = slices_of(str(folder), str(tmp_path / "index.json"))
    assert (len(slices), strangers) == (3, {})
    assert {item.direction for item in slices.values()} == {"ASC", "DES"}
    passes = passes_over(slices, TILE)
    assert [len(item.slices) for item in passes] == [1, 2]
    first = passes[0]
    assert first.name[:12] in ("S1A_ASC_030_", "S1A_DES_110_", "S1B_ASC_030_", "S1B_DES_110_")
    assert first.name[12:].replace("T", "") in first.slices[0].replace("T", "")


def test_passes_beside_the_tile_are_left_out(folder, tmp_path):
    slices, _ = slices_of(str(folder), str(tmp_path / "index.json"))
    far = Grid(TILE.crs, TILE.left + 50_000, TILE.top, 10, 64, 64)
    assert passes_over(slices, far) == []


def test_a_zip_is_a_product_unless_its_folder_is_there(products, folder, tmp_path):
    names = sorted(path.name for path in folder.iterdir())
    packed = Path(shutil.make_archive(str(folder / names[0]), "zip", products, names[0]))
    assert packed.name == f"{names[0]}.zip"
    index = str(tmp_path / "index.json")
    assert sorted(slices_of(str(folder), index)[0]) == names
    shutil.rmtree(folder / names[0])
    found, strangers = slices_of(str(folder), index)
    assert sorted(found) == sorted([packed.name, *names[1:]])
    assert strangers == {}
    assert {len(item.slices) for item in passes_over(found, TILE)} == {1, 2}


def test_what_cannot_be_read_is_told(folder, tmp_path):
    names = sorted(path.name for path in folder.iterdir())
    (folder / names[0] / "manifest.safe").write_text("<cut", encoding="utf-8")
    (folder / names[1] / "manifest.safe").unlink()
    (folder / f"{names[2]}.part").touch()
    (folder / f"{names[2][:-6]}0.zip").write_bytes(b"no zip")
    (folder / "notes.txt").touch()
    found, strangers = slices_of(str(folder), str(tmp_path / "index.json"))
    assert list(found) == [names[2]]
    assert "no whole XML file" in strangers[names[0]]
    assert "no such file" in strangers[names[1]]
    assert "neither the folder of a product nor its zip" in strangers[f"{names[2]}.part"]
    assert "is no whole zip" in strangers[f"{names[2][:-6]}0.zip"]
    assert len(strangers) == 4


def test_manifests_are_read_once(folder, tmp_path, monkeypatch):
    index = tmp_path / "prepared" / "index.json"
    first = slices_of(str(folder), str(index))
    assert len(json.loads(index.read_text(encoding="utf-8"))) == 3

    def refuse(path):
        raise AssertionError(path)

    monkeypatch.setattr(archive, "read_facts", refuse)
    assert slices_of(str(folder), str(index)) == first


def test_damaged_index_is_made_anew(folder, tmp_path):
    index = tmp_path / "index.json"
    index.write_text("[1", encoding="utf-8")
    assert len(slices_of(str(folder), str(index))[0]) == 3


def test_a_product_whose_place_and_direction_cannot_be_read_is_damaged(folder, tmp_path):
    """An ascending one would be missing, and nobody knows over which tile."""
    first, other = sorted(folder.iterdir())[:2]
    manifest = first / "manifest.safe"
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(re.sub("<s1:pass>.*</s1:pass>", "", text), encoding="utf-8")
    slc = other.rename(folder / other.name.replace("GRDH", "SLC_"))
    found = FORMAT.passes(str(folder), "T31TCJ", TILE, str(tmp_path / "index.json"))
    assert list(found.damaged) == [first.name]
    assert f"{found.damaged[first.name]:%Y%m%d}" in first.name
    assert "tells no orbit direction" in found.strangers[first.name]
    assert found.strangers[slc.name] == "no IW GRD product; only these are read"
