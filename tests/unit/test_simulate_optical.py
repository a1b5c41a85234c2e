"""Simulated products of other optical formats: names, codes, scales, masks, one known truth."""

import json
import re
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from osgeo import gdal

from iota2_tools.commands.cli import main
from iota2_tools.core.errors import ConfigError, MissingSoftwareError
from iota2_tools.geo.grid import Grid, grid_of
from iota2_tools.geo.raster import read_raster
from iota2_tools.simulate import (
    SENSORS,
    SceneSettings,
    acquisitions,
    clear_landsat,
    clear_reflectance,
    l3a,
    landsat,
    observations,
    own,
    sen2cor,
    simulate_scene,
    theia_landsat,
    tile_window,
    truth_class,
    usgs,
)
from iota2_tools.simulate.atmosphere import sky_over
from iota2_tools.simulate.imaging import Image
from iota2_tools.simulate.landsat import LANDSAT5, LANDSAT8, LandsatImage
from iota2_tools.simulate.landscape import describe_land
from iota2_tools.simulate.phenology import SENTINEL2, parcel_spectra
from iota2_tools.simulate.products import plan_products
from iota2_tools.simulate.settings import scene_window

TILE = "T31TCJ"
SETTINGS = SceneSettings(size=100, dates=6, tiles=(TILE,), seed=2, saturated=0.05)
OTHERS = [name for name in SENSORS if name != "s2" and SENSORS[name].observe]
USGS = [name for name in OTHERS if name.endswith("-usgs")]
DAY = date(2018, 5, 20)


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return simulate_scene(
        SETTINGS, tmp_path_factory.mktemp("optical") / "scene", sensors=["s2", *OTHERS]
    )


def products_of(scene: Path, name: str) -> list[Path]:
    found = sorted((scene / SENSORS[name].folder / TILE).iterdir())
    assert found
    return found


def one(folder: Path, pattern: str) -> Path:
    (found,) = folder.rglob(pattern)
    return found


# ---- All formats --------------------------------------------------------------------------------


def decoded(product: Path, band: str) -> tuple[np.ndarray, Grid]:
    """Reflectance x 10000 of a band, decoded here by what the formats' documents say."""
    name = product.name
    if name.startswith("OWN_"):
        numbers = read_raster(str(product), int(band[1:])).astype(int)
        values = np.where(numbers == 65535, -10_000, (numbers - 4000) // 2)
        return values, grid_of(str(product))
    if name.startswith("S2") and not name.endswith(".SAFE"):
        return decoded_item(product, band)
    if name.startswith(("SENTINEL2X", "LANDSAT8-")):
        path = one(product, f"*_FR?_{band}.tif")
        return read_raster(str(path)), grid_of(str(path))
    if name.endswith(".SAFE"):
        text = (product / "MTD_MSIL2A.xml").read_text()
        offset = int((re.findall(r'ADD_OFFSET band_id="3">(-?\d+)<', text) or ["0"])[0])
        paths = sorted(product.rglob(f"*_{band}_?0m.jp2"))
        numbers = read_raster(str(paths[0])).astype(int)
        return np.where(numbers == 0, -10_000, numbers + offset), grid_of(str(paths[0]))
    if "_N2A_" in name:
        path = one(product, "*ORTHO_SURF_CORR_PENTE*.TIF")
        text = (product / f"{name}.xml").read_text()
        factor = float(re.search(r"<VALUE>(.*)</VALUE>", text)[1])
        order = re.search(r"<BANDS>(.*)</BANDS>", text)[1].split(";")
        values = read_raster(str(path), order.index(band) + 1).astype(int)
        return np.where(values == -10_000, values, values * 10_000 / factor), grid_of(str(path))
    path = product / f"{name}_{band}.TIF"
    numbers = read_raster(str(path)).astype(int)
    if band.startswith("ST_"):
        return numbers, grid_of(str(path))
    values = np.rint(10_000 * (numbers * 0.0000275 - 0.2))
    return np.where(numbers == 0, -10_000, values), grid_of(str(path))


def decoded_item(product: Path, band: str) -> tuple[np.ndarray, Grid]:
    """The same of a band that an item of the list in the folder above describes."""
    path = product.parents[1] / "items.json"
    (item,) = (
        item for item in json.loads(path.read_text())["features"] if item["id"] == product.name
    )
    for asset in item["assets"].values():
        for number, about in enumerate(asset.get("eo:bands", []), start=1):
            if about["name"] == band:
                worth = asset["raster:bands"][number - 1]
                file = str(path.parent / asset["href"])
                numbers = read_raster(file, number)
                values = np.rint((numbers * worth["scale"] + worth["offset"]) * 10_000)
                return np.where(numbers == worth["nodata"], -10_000, values), grid_of(file)
    raise AssertionError(band)


def masks_of(product: Path) -> tuple[np.ndarray, np.ndarray]:
    """Unseen and unusable pixels, as the masks of the formats are documented."""
    name = product.name
    if name.startswith("OWN_"):
        bits = read_raster(str(product), 8)
        return bits == 1, bits != 0
    if name.startswith("S2"):
        classes = read_raster(str(one(product, "*_SCL_20m.jp2" if "SAFE" in name else "scl.tif")))
        return classes == 0, np.isin(classes, (0, 1, 3, 8, 9, 10))
    if name.startswith("SENTINEL2X"):
        flags = read_raster(str(one(product, "*_FLG_R2.tif")))
        return flags == 0, flags < 2
    if name.startswith("LANDSAT8-"):
        cloud, saturated, edge = (
            read_raster(str(one(product, f"*_{kind}_XS.tif"))) for kind in ("CLM", "SAT", "EDG")
        )
        return edge != 0, (cloud | saturated | edge) != 0
    if "_N2A_" in name:
        cloud, saturated, diverse = (
            read_raster(str(one(product, f"*_{kind}.TIF"))) for kind in ("NUA", "SAT", "DIV")
        )
        return diverse & 1 == 1, (cloud | saturated | diverse & 1) != 0
    quality = read_raster(str(one(product, "*_QA_PIXEL.TIF")))
    saturated = read_raster(str(one(product, "*_QA_RADSAT.TIF")))
    return quality & 1 == 1, (quality & 0b11111 != 0) | (saturated != 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_decoded_products_are_the_truth(scene, name):
    found = products_of(scene, name)
    expected = dict(observations(SETTINGS, name, TILE))
    assert list(expected) == sorted(expected, key=lambda each: expected[each].day)
    assert sorted(expected) == [product.name for product in found]
    partly_seen = partly_clear = 0
    for product in found:
        truth = expected[product.name]
        for band, pixels in truth.bands.items():
            values, grid = decoded(product, band)
            assert np.array_equal(values, pixels), (product.name, band)
            assert replace(grid, crs="") == replace(truth.grids[band], crs="")
        unseen, unusable = masks_of(product)
        assert np.array_equal(unseen, truth.unseen)
        assert np.array_equal(unusable, truth.unusable)
        assert unusable[unseen].all()
        partly_seen += 0 < unseen.mean() < 1
        partly_clear += 0 < unusable.mean() < 1
    assert partly_seen
    assert partly_clear


def test_truth_of_the_first_format_is_told_as_well(scene):
    for name, truth in observations(SETTINGS, "s2", TILE):
        product = scene / "sentinel2" / TILE / name
        for band in ("B4", "B11"):
            written = read_raster(str(product / f"{name}_FRE_{band}.tif"))
            assert np.array_equal(written, truth.bands[band])
        masks = [
            read_raster(str(product / "MASKS" / f"{name}_{kind}_R1.tif"))
            for kind in ("CLM", "SAT", "EDG")
        ]
        assert np.array_equal(truth.unusable, (masks[0] | masks[1] | masks[2]) != 0)
        assert np.array_equal(truth.unseen, masks[2] != 0)


def bytes_of(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.slow
def test_two_processes_and_later_sensors_write_the_same_bytes(scene, tmp_path):
    """Half of the sensors first; the rest are added to the finished scene by two processes."""
    again = simulate_scene(SETTINGS, tmp_path / "again", sensors=["s2", *OTHERS[::2]])
    assert not (again / SENSORS[OTHERS[1]].folder).exists()
    simulate_scene(SETTINGS, again, sensors=OTHERS[1::2], jobs=2)
    first, second = bytes_of(scene), bytes_of(again)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    listed = json.loads((again / "scene.json").read_text())
    assert listed["products"].keys() == {TILE}
    assert listed["sensors"].keys() == {*OTHERS, "stac-items"}


def test_scene_with_all_sensors_is_left_alone_when_one_is_asked(scene):
    before = {path: path.stat().st_mtime_ns for path in scene.rglob("*")}
    simulate_scene(SETTINGS, scene, sensors=["l8"])
    assert before == {path: path.stat().st_mtime_ns for path in scene.rglob("*")}


@pytest.mark.slow
def test_killed_sensors_are_taken_up(scene, tmp_path, monkeypatch):
    out = simulate_scene(SETTINGS, tmp_path / "scene", sensors=["s2"])
    truth = {path: path.stat().st_mtime_ns for path in (out / "truth").iterdir()}
    write = SENSORS["l8"].write
    written = []

    def kill_after_one(*arguments):
        if written:
            raise KeyboardInterrupt
        written.append(arguments)
        write(*arguments)

    with monkeypatch.context() as patch:
        patch.setitem(SENSORS, "l8", replace(SENSORS["l8"], write=kill_after_one))
        with pytest.raises(KeyboardInterrupt):
            simulate_scene(SETTINGS, out, sensors=["l8"])
    (kept,) = (out / "landsat8" / TILE).glob("[!.]*")
    stamp = kept.stat().st_mtime_ns
    simulate_scene(SETTINGS, out, sensors=["l8"])
    assert kept.stat().st_mtime_ns == stamp
    assert bytes_of(out / "landsat8") == bytes_of(scene / "landsat8")
    assert truth == {path: path.stat().st_mtime_ns for path in (out / "truth").iterdir()}


def test_names_are_those_of_the_real_products(scene, real_data):
    samples = real_data / "format_samples"
    patterns = {
        "s2-sen2cor": (
            r"S2[A-D]_MSIL2A_\d{8}T\d{6}_N\d{4}_R\d{3}_T\d\d[A-Z]{3}_\d{8}T\d{6}\.SAFE",
            one(samples, "S2*.SAFE").name,
        ),
        "l8": (
            r"LANDSAT8-OLITIRS-XS_\d{8}-\d{6}-\d{3}_L2A_T\d\d[A-Z]{3}_C_V\d-\d",
            next((real_data / "flanders2018" / "landsat8").glob("*/*")).name,
        ),
        "l8-usgs": (
            r"LC08_L2SP_\d{6}_\d{8}_\d{8}_02_T1",
            one(samples, "*_MTL.txt").name.removesuffix("_MTL.txt"),
        ),
    }
    for name, (pattern, real) in patterns.items():
        assert re.fullmatch(pattern, real)
        for product in products_of(scene, name):
            assert re.fullmatch(pattern, product.name)


def test_names_of_formats_without_a_sample(scene):
    patterns = {
        "l3a": r"SENTINEL2X_2018\d\d15-000000-000_L3A_T31TCJ_C_V1-1",
        "l8-old": r"LANDSAT8_OLITIRS_XS_2018\d{4}_N2A_France-MetropoleD0003H0009",
        "l5": r"LANDSAT5_TM_XS_2018\d{4}_N2A_France-MetropoleD0003H0009",
        "l5-usgs": r"LT05_L2SP_19[89]029_2018\d{4}_\d{8}_02_T1",
        "l7-usgs": r"LE07_L2SP_19[89]029_2018\d{4}_\d{8}_02_T1",
        "l9-usgs": r"LC09_L2SP_19[89]029_2018\d{4}_\d{8}_02_T1",
        "own": r"OWN_2018\d{4}\.tif",
        "own-misplaced": r"OWN_2018\d{4}\.tif",
        "stac": r"S2[A-C]_T31TCJ_2018\d{4}T\d{6}",
    }
    for name, pattern in patterns.items():
        for product in products_of(scene, name):
            assert re.fullmatch(pattern, product.name)


def paths_of(root: ElementTree.Element, above: str = "") -> set[str]:
    """Paths of all elements and attributes, without namespaces."""
    here = f"{above}/{root.tag.rpartition('}')[2]}"
    below = [paths_of(child, here) for child in root]
    return {here, *(f"{here}@{name}" for name in root.attrib)}.union(*below)


# ---- The user's own series, items of STAC --------------------------------------------------------


def test_misplaced_images_show_the_ground_beside_that_which_they_say():
    """At 5 m the land is known: what lies off by 5 m a step shows the mean of other squares."""
    plan = own.plan_misplaced(SETTINGS, TILE)
    shifts = {(image.east, image.north) for image in plan}
    assert len(shifts) == len(plan)
    assert all(shift % 5 == 0 and abs(shift) <= 45 for pair in shifts for shift in pair)
    assert [image.name for image in plan] == [image.name for image in own.plan_own(SETTINGS, TILE)]
    for image in plan:
        truth = own.observe_own(SETTINGS, image)
        grid = truth.grids["B5"]
        assert grid == theia_landsat.tile_grid(SETTINGS, TILE)
        # An object at x is seen at x + east: each pixel shows what lies at -east of it.
        shown = replace(grid, left=grid.left - image.east, top=grid.top - image.north)
        apart = [
            truth.bands["B5"].astype(int) - clear_landsat(SETTINGS, LANDSAT8, each, truth.day)[4]
            for each in (shown, grid)
        ]
        here, there = (np.abs(values[~truth.unusable]) for values in apart)
        assert (here == 0).mean() > 0.9
        assert np.median(there) > 50


def test_items_say_what_their_pixels_are_worth_and_files_do_not(scene):
    items = json.loads((scene / "stac" / "items.json").read_text())["features"]
    offsets = set()
    for item in items:
        for asset in item["assets"].values():
            dataset = gdal.Open(str(scene / "stac" / asset["href"]))
            assert len(asset.get("raster:bands", [0])) == dataset.RasterCount
            band = dataset.GetRasterBand(1)
            assert (band.GetScale(), band.GetOffset(), band.GetNoDataValue()) == (None, None, None)
            offsets |= {worth["offset"] for worth in asset.get("raster:bands", [])}
        west, south, east, north = item["bbox"]
        # Corner and size of T31TCJ by pyproj: 300000 4900020 and 301000 4899020.
        assert (west, north) == pytest.approx((0.4959, 44.2261), abs=5e-4)
        assert (east, south) == pytest.approx((0.5088, 44.2174), abs=5e-4)
    assert offsets == {0, -0.1}


# ---- Sen2Cor ------------------------------------------------------------------------------------


def test_safe_has_the_files_of_a_real_one(scene, real_data):
    real = one(real_data / "format_samples", "S2*.SAFE")
    listed = set(re.findall(r'href="\./([^"]*)"', (real / "manifest.safe").read_text()))
    for product in products_of(scene, "s2-sen2cor"):
        granule = next((product / "GRANULE").iterdir()).name
        stem = "_".join((granule.split("_")[1], product.name.split("_")[2]))
        files = {
            str(path.relative_to(product))
            .replace(granule, "L2A_T22HBD_A020270_20210122T133224")
            .replace(stem, "T22HBD_20210122T133229")
            for path in product.rglob("*")
            if path.is_file()
        }
        assert files <= listed | {"manifest.safe"}
        assert len(files) == 17 + 3
        named = set(re.findall(r'href="\./([^"]*)"', (product / "manifest.safe").read_text()))
        assert named == {
            str(path.relative_to(product))
            for path in product.rglob("*")
            if path.is_file() and path.name != "manifest.safe"
        }


@pytest.mark.parametrize("file", ["MTD_MSIL2A.xml", "MTD_TL.xml", "manifest.safe"])
def test_metadata_of_a_safe_have_the_real_structure(scene, real_data, file):
    real = one(real_data / "format_samples", "S2*.SAFE")
    known = paths_of(ElementTree.parse(one(real, file)).getroot())
    for product in products_of(scene, "s2-sen2cor"):
        found = paths_of(ElementTree.parse(one(product, file)).getroot())
        assert {path for path in found - known if "BOA_ADD_OFFSET" not in path} == set()
        assert len(found) > 10


def test_gdal_finds_the_bands_of_a_safe_by_its_metadata(scene):
    """An independent reader of the format, down to the images of 10 m."""
    for product in products_of(scene, "s2-sen2cor"):
        (dataset,) = (
            gdal.Open(name)
            for name, _ in gdal.Open(str(product / "MTD_MSIL2A.xml")).GetSubDatasets()
            if ":10m:" in name
        )
        bands = [dataset.GetRasterBand(number) for number in (1, 2, 3, 4)]
        names = [band.GetMetadataItem("BANDNAME") for band in bands]
        assert names == ["B4", "B3", "B2", "B8"]
        red = read_raster(str(one(product, "*_B04_10m.jp2")))
        assert np.array_equal(bands[0].ReadAsArray(), red)


def test_offset_stands_in_the_metadata_from_baseline_4_on(scene):
    baselines = Counter()
    for product in products_of(scene, "s2-sen2cor"):
        root = ElementTree.parse(product / "MTD_MSIL2A.xml").getroot()
        baseline = root.findtext(".//PROCESSING_BASELINE")
        assert f"_N{baseline.replace('.', '')}_" in product.name
        assert root.findtext(".//PRODUCT_URI") == product.name
        assert root.findtext(".//BOA_QUANTIFICATION_VALUE") == "10000"
        offsets = {each.get("band_id"): each.text for each in root.iter("BOA_ADD_OFFSET")}
        assert offsets == ({str(k): "-1000" for k in range(13)} if baseline == "05.09" else {})
        baselines[baseline] += 1
    assert baselines.keys() == {"02.14", "05.09"}


def test_baselines_are_asked_for():
    settings = replace(SETTINGS, baselines=("03.01", "04.00", "05.10"))
    plan = sen2cor.plan_safe(settings, TILE)
    assert {p.offset for p in plan if p.baseline == "03.01"} == {0}
    assert {p.offset for p in plan if p.baseline in ("04.00", "05.10")} == {-1000}
    assert settings.as_dict()["baselines"] == ["03.01", "04.00", "05.10"]
    assert "baselines" not in SETTINGS.as_dict()
    with pytest.raises(ConfigError, match=r"baselines: '5\.9'; give numbers such as 02\.14"):
        SceneSettings(baselines=("5.9",))


def test_digital_numbers_of_sen2cor_by_hand():
    # Reflectance .0427: DN 1427 with the offset, 427 without; nodata is 0 in both.
    values = np.array([427, -10_000, 1], dtype=np.int16)
    assert sen2cor.digital_numbers(values, -1000).tolist() == [1427, 0, 1001]
    assert sen2cor.digital_numbers(values, 0).tolist() == [427, 0, 1]


def test_safe_images_carry_no_tag_for_nodata(scene):
    product = products_of(scene, "s2-sen2cor")[0]
    for path in product.rglob("*.jp2"):
        dataset = gdal.Open(str(path))
        assert dataset.GetDriver().ShortName.startswith("JP2")
        assert dataset.GetRasterBand(1).GetNoDataValue() is None
        expected = gdal.GDT_Byte if "_SCL_" in path.name else gdal.GDT_UInt16
        assert dataset.GetRasterBand(1).DataType == expected
    assert list(product.rglob("*.aux.xml")) == []


def test_sen2cor_and_theia_show_the_same_image(scene):
    """One landscape: reflectance, masks and dates of both level 2A are those of one another."""
    theia, safes = products_of(scene, "s2"), products_of(scene, "s2-sen2cor")
    days = [product.name.split("_")[1][:8] for product in theia]
    assert sorted(days) == sorted(product.name.split("_")[2][:8] for product in safes)
    for number, product in enumerate(plan_products(SETTINGS, TILE)):
        safe = next(
            folder
            for folder in safes
            if sen2cor.plan_safe(SETTINGS, TILE)[number].name == folder.name
        )
        source = scene / "sentinel2" / TILE / product.name
        for band, padded in (("B2", "B02"), ("B8A", "B8A"), ("B12", "B12")):
            values = read_raster(str(source / f"{product.name}_FRE_{band}.tif"))
            assert np.array_equal(decoded(safe, padded)[0], values)
        masks = [
            read_raster(str(source / "MASKS" / f"{product.name}_{kind}_R2.tif"))
            for kind in ("CLM", "SAT", "EDG")
        ]
        unseen, unusable = masks_of(safe)
        assert np.array_equal(unseen, masks[2] != 0)
        assert np.array_equal(unusable, (masks[0] | masks[1] | masks[2]) != 0)


def test_three_satellites_fly():
    settings = SceneSettings(size=64)
    names = {sen2cor.SafeProduct(p, "05.09").platform for p in plan_products(settings, TILE)}
    assert names == {"S2A", "S2B", "S2C"}


def test_two_datastrips_share_the_time_of_the_datatake(scene):
    days = [product.acquisition for product in plan_products(SETTINGS, TILE)]
    twice = next(day for day in days if days.count(day) == 2).day
    north, south = (p for p in products_of(scene, "s2-sen2cor") if f"_{twice:%Y%m%d}T" in p.name)
    parts = [product.name.removesuffix(".SAFE").split("_") for product in (north, south)]
    assert parts[0][:6] == parts[1][:6]
    assert parts[0][6] != parts[1][6]
    seen = [~masks_of(product)[0] for product in (north, south)]
    assert seen[0].any()
    assert seen[1].any()
    assert not (seen[0] & seen[1]).any()


def test_coarse_copies_of_a_band_are_means():
    fine = np.arange(4 * 16, dtype=np.int16).reshape(4, 4, 4) * 4
    coarse = np.full((6, 2, 2), 500, dtype=np.int16)
    fine[0, 3, 3] = -10_000
    masks = {f"{k}_R2": np.zeros((2, 2), dtype=np.uint8) for k in ("CLM", "SAT", "EDG", "MG2")}
    images = sen2cor.images_of(Image(fine, coarse, masks))
    # B2 holds 0 4 / 16 20 in its first block; a block with nodata has none.
    assert images["B02_20m"].tolist() == [[10, 18], [42, -10_000]]
    assert images["B01_60m"].tolist() == [[-10_000]]
    assert images["B09_60m"].tolist() == [[525]]
    assert "B08_20m" not in images


def test_scene_classification_by_hand():
    fine = np.full((4, 12, 2), 1000, dtype=np.int16)
    coarse = np.full((6, 6, 1), 1000, dtype=np.int16)
    coarse[:, 5] = 4000
    cloud = np.array([0, 16, 1 | 32, 1 | 2 | 8, 1 | 2 | 4, 0], dtype=np.uint8)[:, np.newaxis]
    none = np.zeros((6, 1), dtype=np.uint8)
    masks = {"CLM_R2": cloud, "SAT_R2": none, "EDG_R2": none, "MG2_R2": none}
    classes = sen2cor.scene_classification(Image(fine, coarse, masks))
    assert classes.ravel().tolist() == [5, 10, 3, 8, 9, 4]
    first = none.copy()
    first[0] = 1
    water = masks | {"MG2_R2": first}
    assert sen2cor.scene_classification(Image(fine, coarse, water))[0, 0] == 6
    assert sen2cor.scene_classification(Image(fine, coarse, water | {"SAT_R2": first}))[0, 0] == 1
    both = water | {"SAT_R2": first, "EDG_R2": first}
    assert sen2cor.scene_classification(Image(fine, coarse, both))[0, 0] == 0


# ---- L3A ----------------------------------------------------------------------------------------


def test_synthesis_has_the_files_of_theia(scene):
    bands = ("B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B11", "B12")
    for product in products_of(scene, "l3a"):
        names = {f"{product.name}_FRC_{band}.tif" for band in bands}
        assert {p.name for p in product.iterdir()} == {
            *names, "MASKS", f"{product.name}_MTD_ALL.xml",
        }  # fmt: skip
        flags = [
            read_raster(str(product / "MASKS" / f"{product.name}_FLG_R{n}.tif")) for n in (1, 2)
        ]
        assert np.array_equal(flags[0][1::2, ::2], flags[1])
        assert set(np.unique(flags[1])) <= {0, 1, 3, 4}
        assert "<PRODUCT_LEVEL>L3A<" in one(product, "*.xml").read_text()


def test_synthesis_is_clear_where_some_date_was(scene):
    """The reflectance of the fifteenth, where a product at most 22 days away is usable."""
    plans = {product.name: product for product in l3a.plan_syntheses(SETTINGS, TILE)}
    level2 = [
        (truth.day, truth.unseen[::2, ::2], truth.unusable[::2, ::2])
        for _, truth in observations(SETTINGS, "s2", TILE)
    ]
    counts = Counter()
    for product in products_of(scene, "l3a"):
        day = plans[product.name].day
        assert f"_{day:%Y%m%d}-000000-000_" in product.name
        near = [each for each in level2 if abs((each[0] - day).days) <= 22]
        seen = np.any([~unseen for _, unseen, _ in near], axis=0)
        clear = np.any([~unusable for _, _, unusable in near], axis=0)
        flags = read_raster(str(one(product, "*_FLG_R2.tif")))
        assert np.array_equal(flags == 0, ~seen)
        assert np.array_equal(flags == 1, seen & ~clear)
        fine, coarse = clear_reflectance(SETTINGS, tile_window(SETTINGS, TILE), day)
        assert np.array_equal(decoded(product, "B11")[0][clear], coarse[4][clear])
        at10 = clear.repeat(2, axis=0).repeat(2, axis=1)
        assert np.array_equal(decoded(product, "B4")[0][at10], fine[2][at10])
        assert ((decoded(product, "B4")[0] == -10_000) == ~seen.repeat(2, 0).repeat(2, 1)).all()
        counts.update({"clear": clear.sum(), "cloud": (seen & ~clear).sum()})
    assert min(counts.values()) > 0


# ---- Landsat ------------------------------------------------------------------------------------


def landsat_image(clouds, saturated=0, unseen=False, water=False, bands=7) -> LandsatImage:
    """An image of one row of pixels with these codes."""
    codes = np.atleast_2d(np.array(clouds, dtype=np.uint8))
    fill = [np.full(codes.shape, value) for value in (saturated, unseen, water)]
    return LandsatImage(
        np.zeros((bands, *codes.shape), dtype=np.int16),
        codes,
        fill[0].astype(np.uint8),
        fill[1].astype(bool),
        fill[2].astype(bool),
        np.full(codes.shape, 300.0, dtype=np.float32),
    )


def mean_of(pixels: np.ndarray, row: int, col: int, size: int = 6) -> np.ndarray:
    """Means of 30 m of pixels of 10 m, beginning `row` and `col` squares of 5 m in."""
    squares = pixels.astype(float).repeat(2, axis=0).repeat(2, axis=1)[row:, col:]
    rows, cols = squares.shape[0] // size * size, squares.shape[1] // size * size
    blocks = squares[:rows, :cols].reshape(rows // size, size, cols // size, size)
    return blocks.mean(axis=(1, 3))


@pytest.mark.parametrize("shift", [0, 15])
def test_pixels_of_30_m_lie_where_the_grid_says(shift):
    """Near infrared agrees best with the mean of Sentinel-2's under the same squares."""
    settings = SceneSettings(size=300, tiles=(TILE,))
    window = scene_window(settings)
    left, top = 10.0 * window.col + shift, 10.0 * (1_000_000 - window.row) - shift
    grid = Grid("EPSG:32631", left, top, 30.0, 90, 90)
    near = clear_landsat(settings, LANDSAT8, grid, DAY)[4]
    fine, _ = clear_reflectance(settings, window, DAY)
    agreement = {}
    for row in range(shift // 5, shift // 5 + 7):
        for col in range(shift // 5, shift // 5 + 7):
            mean = mean_of(fine[3], row, col)[:90, :90]
            agreement[row - shift // 5, col - shift // 5] = np.corrcoef(near.ravel(), mean.ravel())[
                0, 1
            ]
    assert max(agreement, key=agreement.get) == (0, 0)
    assert agreement[0, 0] > 0.98


def test_reflectance_of_landsat_is_that_of_the_land():
    """Bands that both satellites have differ by a few percent in the mean, as end-members do."""
    settings = SceneSettings(size=300, tiles=(TILE,))
    grid = theia_landsat.tile_grid(settings, TILE)
    fine, coarse = clear_reflectance(settings, tile_window(settings, TILE), DAY)
    sentinel = [fine[0], fine[1], fine[2], coarse[3], coarse[4], coarse[5]]
    for mission, first in ((LANDSAT8, 1), (LANDSAT5, 0)):
        bands = clear_landsat(settings, mission, grid, DAY)[first:]
        ratios = [a.mean() / b.mean() for a, b in zip(bands, sentinel, strict=True)]
        assert np.abs(np.array(ratios) - 1).max() < 0.12


@pytest.mark.parametrize(
    ("surfaces", "count", "first"),
    [(SENTINEL2, 10, 4), (landsat.OLI.surfaces, 7, 4), (landsat.TM.surfaces, 6, 3)],
)
def test_scattering_of_leaves_is_seen_from_the_near_infrared_on(surfaces, count, first):
    """B6 of Sentinel-2, B5 of OLI and B4 of TM are the first bands that see it."""
    wheat, day = np.array([2, 2], dtype=np.uint8), 130
    traits = np.ones((2, 12))
    traits[:, 1:4] = (4.0, 90.0, 180.0)
    traits[:, 7:12] = 0.0
    traits[1, 6] = 1.2
    level, _ = parcel_spectra(wheat, traits, day, np.ones(count), surfaces)
    ratio = level[1] / level[0]
    assert np.allclose(ratio[:first], 1.0)
    assert (ratio[first:] > 1.1).all()


def test_codes_of_a_pixel_of_30_m_are_those_of_its_middle():
    settings = SceneSettings(size=126, tiles=(TILE,))
    grid = theia_landsat.tile_grid(settings, TILE)
    window = tile_window(settings, TILE)
    product = next(
        each for each in landsat.plan_landsat(settings, TILE, LANDSAT8, 0.5) if each.cloud_percent
    )
    image = landsat.take_landsat(settings, describe_land(settings, window), grid, product)
    middle = truth_class(settings, window)[1::3, 1::3]
    assert np.array_equal(image.water & ~image.unseen, (middle == 11) & ~image.unseen)
    sky = sky_over(settings, window, product.acquisition)
    rows = (window.row + 1 + 3 * np.arange(42)) // 4 - sky.first_row
    cols = (window.col + 1 + 3 * np.arange(42)) // 4 - sky.first_col
    codes = sky.detected[np.ix_(rows, cols)]
    assert np.array_equal(image.clouds[~image.unseen], codes[~image.unseen])
    assert codes.any()


def test_blocks_of_land_are_joined_into_the_land_of_the_whole():
    window = tile_window(SETTINGS, TILE)
    parts = [
        describe_land(SETTINGS, window._replace(row=window.row + row, rows=rows))
        for row, rows in ((0, 40), (40, 60))
    ]
    whole, joined = describe_land(SETTINGS, window), landsat.joined(parts)
    assert joined.window == window
    assert np.array_equal(joined.class_map, whole.class_map)
    assert np.array_equal(joined.texture, whole.texture)
    assert np.array_equal(joined.identifiers[joined.parcel], whole.identifiers[whole.parcel])
    assert np.array_equal(joined.regions[joined.parcel], whole.regions[whole.parcel])


def test_any_grid_gives_the_same_pixels():
    settings = SceneSettings(size=128, tiles=(TILE, "T31TDJ"))
    west, east = (usgs.scene_grid(settings, tile) for tile in settings.tiles)
    images = [clear_landsat(settings, LANDSAT8, grid, DAY) for grid in (west, east)]
    col = round((east.left - west.left) / 30)
    assert west.left + 30 * col == east.left
    assert np.array_equal(images[0][:, :, col:], images[1][:, :, : west.cols - col])


def test_grids_of_landsat(scene):
    """THEIA's begins at the corner of the tile; that of the USGS lies 15 m off and reaches out."""
    tile = grid_of(str(one(products_of(scene, "s2")[0], "*_FRE_B2.tif")))
    for name, pattern in (("l8", "*_FRE_B4.tif"), ("l8-old", "*PENTE*"), ("l5", "*PENTE*")):
        grid = grid_of(str(one(products_of(scene, name)[0], pattern)))
        assert (grid.left, grid.top, grid.resolution) == (tile.left, tile.top, 30)
        assert (grid.rows, grid.cols) == (34, 34)  # 100 px of 10 m and 20 m more
    for name in USGS:
        grid = grid_of(str(one(products_of(scene, name)[0], "*_SR_B4.TIF")))
        assert (grid.left % 30, grid.top % 30, grid.resolution) == (15, 15, 30)
        assert grid.left <= tile.left - 120
        assert grid.top >= tile.top + 120
        assert grid.right >= tile.right + 120
        assert grid.bottom <= tile.bottom - 120


def test_new_layout_has_the_files_of_the_real_one(scene, real_data):
    real = next((real_data / "flanders2018" / "landsat8" / "T31UES").iterdir())
    kinds = {
        str(path.relative_to(real)).replace(real.name, "") for path in real.rglob("*.tif")
    }  # the real set has no B1, and no MG2
    for product in products_of(scene, "l8"):
        found = {
            str(path.relative_to(product)).replace(product.name, "")
            for path in product.rglob("*.tif")
        }
        assert found == kinds | {"_FRE_B1.tif", "MASKS/_MG2_XS.tif"}
        assert "<QUALITY_INDEX" in one(product, "*_MTD_ALL.xml").read_text()


def test_old_layout_is_one_image_whose_factor_is_in_the_metadata(scene):
    factors = Counter()
    for name, bands in (("l8-old", 7), ("l5", 6)):
        for product in products_of(scene, name):
            head, zone = product.name.split("_N2A_")
            image = f"{head}_N2A_ORTHO_SURF_CORR_PENTE_{zone}.TIF"
            assert {p.name for p in product.iterdir()} == {image, "MASK", f"{product.name}.xml"}
            masks = {f"{product.name}_{kind}.TIF" for kind in ("NUA", "SAT", "DIV")}
            assert {p.name for p in (product / "MASK").iterdir()} == masks
            dataset = gdal.Open(str(product / image))
            assert dataset.RasterCount == bands
            assert dataset.GetRasterBand(1).DataType == gdal.GDT_Int16
            root = ElementTree.parse(product / f"{product.name}.xml").getroot()
            assert root.findtext("HEADER/IDENT") == product.name
            assert root.findtext("FILES/ORTHO_SURF_CORR_PENTE") == image
            assert len(root.findtext("RADIOMETRY/BANDS").split(";")) == bands
            factors[root.findtext("RADIOMETRY/QUANTIFICATION/VALUE")] += 1
    assert factors.keys() == {"1000.0", "10000.0"}


def test_numbers_and_masks_of_the_old_layout_by_hand():
    values = np.array([427, 425, 16_000, -10_000, -20], dtype=np.int16)
    assert theia_landsat.old_numbers(values, 10_000).tolist() == values.tolist()
    assert theia_landsat.old_numbers(values, 1_000).tolist() == [43, 42, 1600, -10_000, -2]
    # Bit 0 cloud or shadow, 1 cloud, 2 by brightness, 3 by change, 4 thin, 5 high, 6 shadow.
    clm = np.array([0, 1 | 2 | 4, 1 | 2 | 8, 16, 1 | 32, 1 | 2 | 128], dtype=np.uint8)
    assert theia_landsat.old_clouds(clm).tolist() == [0, 7, 11, 16, 65, 35]


def test_water_of_the_old_layout_is_usable(scene):
    usable = 0
    for product in products_of(scene, "l8-old"):
        diverse = read_raster(str(one(product, "*_DIV.TIF")))
        assert set(np.unique(diverse)) == {0, 1, 2}
        usable += (~masks_of(product)[1][diverse == 2]).sum()
    assert usable


def test_thematic_mapper_tells_no_cirrus():
    clm = np.array([[1 | 2 | 128, 1 | 2 | 4 | 128, 1 | 32 | 128, 16 | 128, 16]], dtype=np.uint8)
    assert landsat.without_cirrus(clm).tolist() == [[0, 7, 33, 16, 16]]


def test_digital_numbers_of_collection_2_by_hand():
    # .075 = 10000 x .0000275 - .2; 0 lies at 7272.7; the lowest value kept, -.199, at 36.
    values = np.array([750, 0, 16_000, -1990, -10_000], dtype=np.int16)
    assert usgs.digital_numbers(values).tolist() == [10_000, 7273, 65_455, 36, 0]
    everything = np.arange(-1990, 16_001, dtype=np.int16)
    again = np.rint(usgs.digital_numbers(everything) * 0.275 - 2000)
    assert np.array_equal(again, everything)
    # 300 K = 44177.6 x .00341802 + 149.
    unseen = np.array([False, True])
    assert usgs.kelvin_numbers(np.array([300.0, 300.0]), unseen).tolist() == [44_178, 0]


def test_pixel_quality_has_the_values_of_the_usgs():
    """Values that stand in the guides of the USGS, or in a real product."""
    clouds = [0, 1 | 2 | 4, 1 | 2 | 8, 1 | 32, 1 | 2 | 128, 1 | 2 | 4 | 128, 16]
    with_cirrus = [21_824, 22_280, 22_280, 23_888, 54_596, 55_052, 21_762]
    assert usgs.pixel_quality(landsat_image(clouds), True).tolist() == [with_cirrus]
    assert usgs.pixel_quality(landsat_image(0, water=True), True).tolist() == [[21_952]]
    older = usgs.pixel_quality(landsat_image([0, 1 | 2 | 4, 1 | 32], bands=6), False)
    assert older.tolist() == [[5440, 5896, 7440]]
    assert usgs.pixel_quality(landsat_image(0, water=True), False).tolist() == [[5504]]
    assert usgs.pixel_quality(landsat_image([7], unseen=True), True).tolist() == [[1]]


def test_real_pixel_quality_is_among_ours(real_data):
    """All codes of the real scene are made of the bits that stand in the guide."""
    path = one(real_data / "format_samples" / "landsat_C2_L2SP", "*_QA_PIXEL.TIF")
    real = set(np.unique(read_raster(str(path))).tolist())
    assert {1, 21_762, 21_824, 21_952, 22_280, 23_888, 55_052} <= real


def test_saturation_has_a_bit_a_band_number():
    # Oli: bit 0 is B1, bit 6 B7. TM: its sixth reflective band is B7, bit 6 as well.
    oli = landsat_image([0], saturated=0b1000001)
    assert usgs.saturation(oli, landsat.OLI.bands).tolist() == [[0b1000001]]
    tm = landsat_image([0], saturated=0b100001, bands=6)
    assert usgs.saturation(tm, landsat.TM.bands).tolist() == [[0b1000001]]


def test_stripes_of_landsat_7_are_fill_and_not_cloud(scene):
    for product in products_of(scene, "l7-usgs"):
        quality = read_raster(str(one(product, "*_QA_PIXEL.TIF")))
        fill = quality == 1
        assert 0.1 < fill.mean() < 0.6
        assert ((quality & 1 == 1) == fill).all()
        for path in (*product.glob("*_SR_B?.TIF"), *product.glob("*_ST_B6.TIF")):
            assert ((read_raster(str(path)) == 0) == fill).all()
    settings = SceneSettings(size=2000, tiles=(TILE,))
    grid = theia_landsat.tile_grid(settings, TILE)
    by_column = landsat.stripes(settings, grid, DAY).mean(axis=0)
    middle = round(0.4 * grid.cols)
    assert by_column[middle] == 0
    assert by_column[-1] == pytest.approx(0.45, abs=0.03)
    assert by_column[middle + 134] == pytest.approx(0.15, abs=0.03)


def test_only_landsat_7_has_stripes(scene):
    for product in products_of(scene, "l5-usgs"):
        fill = read_raster(str(one(product, "*_QA_PIXEL.TIF"))) == 1
        # A wedge at one side: its border crosses each line once at most.
        assert (np.abs(np.diff(fill.astype(int), axis=1)).sum(axis=1) <= 1).all()


def test_scene_of_the_usgs_has_its_files(scene):
    bands = {"l5-usgs": "123457", "l7-usgs": "123457", "l8-usgs": "1234567", "l9-usgs": "1234567"}
    for name, numbers in bands.items():
        thermal = "ST_B10" if len(numbers) == 7 else "ST_B6"
        kinds = {f"SR_B{number}.TIF" for number in numbers} | {f"{thermal}.TIF"}
        kinds |= {"QA_PIXEL.TIF", "QA_RADSAT.TIF", "MTL.txt", "MTL.json", "MTL.xml"}
        kinds |= {"SR_QA_AEROSOL.TIF"} if len(numbers) == 7 else set()
        for product in products_of(scene, name):
            assert {p.name for p in product.iterdir()} == {f"{product.name}_{k}" for k in kinds}
            assert read_raster(str(one(product, "*_QA_PIXEL.TIF"))).dtype == np.uint16
            assert read_raster(str(one(product, "*_SR_B4.TIF"))).dtype == np.uint16


def groups_of(text: str) -> dict[str, dict[str, str]]:
    """Groups of an MTL in ODL."""
    groups: dict[str, dict[str, str]] = {}
    for line in text.splitlines():
        key, _, value = line.strip().partition(" = ")
        if key == "GROUP":
            groups[value] = current = {}
        elif value and key != "END_GROUP":
            current[key] = value.strip('"')
    del groups["LANDSAT_METADATA_FILE"]
    return groups


def test_metadata_of_the_usgs_have_the_real_keys_and_agree(scene, real_data):
    sample = one(real_data / "format_samples", "*_MTL.txt").read_text()
    real = groups_of(sample)
    quoted = dict(re.findall(r"^ +(\w+) = (\"?)", sample, re.MULTILINE))
    for product in products_of(scene, "l8-usgs"):
        text = one(product, "*_MTL.txt").read_text()
        ours = groups_of(text)
        for group, values in ours.items():
            assert values.keys() <= real[group].keys(), group
        for key, mark in re.findall(r"^ +(\w+) = (\"?)", text, re.MULTILINE):
            assert mark == quoted[key], key
        for group in ("SURFACE_REFLECTANCE", "SURFACE_TEMPERATURE"):
            name = f"LEVEL2_{group}_PARAMETERS"
            assert ours[name] == real[name]
        root = json.loads(one(product, "*_MTL.json").read_text())
        assert root == {"LANDSAT_METADATA_FILE": ours}
        document = ElementTree.parse(one(product, "*_MTL.xml")).getroot()
        assert {g.tag: {v.tag: v.text for v in g} for g in document} == ours
        assert all((product / f"{product.name}_{s}").exists() for s in ("SR_B4.TIF", "MTL.txt"))
        for key, file in ours["PRODUCT_CONTENTS"].items():
            if key.startswith("FILE_NAME_"):
                assert (product / file).exists()


def test_corners_in_the_metadata_are_centres_of_pixels(scene):
    product = products_of(scene, "l8-usgs")[0]
    place = groups_of(one(product, "*_MTL.txt").read_text())["PROJECTION_ATTRIBUTES"]
    grid = grid_of(str(one(product, "*_SR_B4.TIF")))
    assert float(place["CORNER_UL_PROJECTION_X_PRODUCT"]) == grid.left + 15
    assert float(place["CORNER_UL_PROJECTION_Y_PRODUCT"]) == grid.top - 15
    assert float(place["CORNER_LR_PROJECTION_X_PRODUCT"]) == grid.right - 15
    assert float(place["CORNER_LR_PROJECTION_Y_PRODUCT"]) == grid.bottom + 15
    assert (int(place["REFLECTIVE_LINES"]), int(place["REFLECTIVE_SAMPLES"])) == (
        grid.rows, grid.cols,
    )  # fmt: skip


def test_landsat_flies_every_sixteen_days_on_two_paths():
    settings = SceneSettings(size=64, dates=146)
    eight = landsat.landsat_acquisitions(settings, LANDSAT8)
    # Real passes of Landsat 8: 6 June 2018 on path 199, 15 June on path 198.
    assert {(each.day, each.orbit) for each in eight} >= {
        (date(2018, 6, 6), 199), (date(2018, 6, 15), 198),
    }  # fmt: skip
    assert len(eight) == 46
    seven = landsat.landsat_acquisitions(settings, landsat.LANDSAT7)
    assert not {each.day for each in eight} & {each.day for each in seven}
    usual = SceneSettings()
    assert len(landsat.landsat_acquisitions(usual, LANDSAT8)) == 23
    assert len(acquisitions(usual)) == 36


# ---- The command --------------------------------------------------------------------------------


def test_unknown_sensor_is_refused_before_anything_is_written(tmp_path):
    out = tmp_path / "scene"
    with pytest.raises(ConfigError, match="sensors: 's3' cannot be simulated; choose from s2, "):
        simulate_scene(SETTINGS, out, sensors=["s2", "s3"])
    with pytest.raises(ConfigError, match="sensors: none is given"):
        simulate_scene(SETTINGS, out, sensors=[])
    assert not out.exists()


def test_gdal_without_jpeg_2000_is_told_at_once(tmp_path, monkeypatch):
    without = replace(SENSORS["s2-sen2cor"], driver="JP2None")
    monkeypatch.setitem(SENSORS, "s2-sen2cor", without)
    with pytest.raises(MissingSoftwareError, match="s2-sen2cor needs GDAL's driver JP2None"):
        simulate_scene(SETTINGS, tmp_path / "scene", sensors=["s2-sen2cor"])
    assert not (tmp_path / "scene").exists()


def test_command_writes_the_sensors_asked_for(tmp_path, capsys):
    out = tmp_path / "scene"
    options = ["--size", "64", "--dates", "4", "--tiles", TILE, "--jobs", "1", "--seed", "1"]
    assert main(["simulate", str(out), *options, "--sensors", "l8,l5-usgs"]) == 0
    assert {path.name for path in out.iterdir() if path.is_dir()} == {
        "landsat8", "landsat5_usgs", "reference", "truth",
    }  # fmt: skip
    assert "landsat8/, landsat5_usgs/" in capsys.readouterr().out
