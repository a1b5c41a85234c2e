"""What is wrong with products of each format is named, and nothing is read in its place."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal
from pydantic import ValidationError
from tiny import LEFT, TOP, values_of, write_image

from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.grid import grid_of
from iota2_tools.products import FORMATS, Request, format_of
from iota2_tools.products.landsat_l2a_old import quantification
from iota2_tools.products.own_series import OwnSeries
from iota2_tools.products.s2_l2a_sen2cor import calibration, images_of
from iota2_tools.timeseries.batches import Batch
from iota2_tools.timeseries.headers import Expected, image_faults
from iota2_tools.timeseries.inputs import Products, TileInputs
from iota2_tools.timeseries.inventory import acquisition_faults, take_inventory
from iota2_tools.timeseries.preparation import prepare, prepare_batch, source_faults
from iota2_tools.timeseries.series import image_on

METADATA = """<?xml version="1.0"?>
<n1:Level-2A_User_Product xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/x.xsd">
<n1:General_Info><Product_Info><PROCESSING_BASELINE>{baseline}</PROCESSING_BASELINE></Product_Info>
<Product_Image_Characteristics><QUANTIFICATION_VALUES_LIST>
<BOA_QUANTIFICATION_VALUE unit="none">10000</BOA_QUANTIFICATION_VALUE></QUANTIFICATION_VALUES_LIST>
{offsets}</Product_Image_Characteristics></n1:General_Info></n1:Level-2A_User_Product>
"""
SEN2COR = FORMATS["sentinel2_sen2cor"]
SAFE = "S2B_MSIL2A_20210122T133229_N0214_R081_T31TCJ_20210122T155500.SAFE"


def metadata(folder, baseline="02.14", offsets=()):
    lines = "".join(
        f'<BOA_ADD_OFFSET band_id="{number}">{value}</BOA_ADD_OFFSET>' for number, value in offsets
    )
    text = METADATA.format(
        baseline=baseline,
        offsets=f"<BOA_ADD_OFFSET_VALUES_LIST>{lines}</BOA_ADD_OFFSET_VALUES_LIST>"
        if lines
        else "",
    )
    path = Path(folder) / "MTD_MSIL2A.xml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return str(path)


def safe(folder, bands=("B02", "B04", "B08"), classes=True, name=SAFE, layout="R10m/{}_10m.jp2"):
    """A SAFE whose images are TIFFs under the names of JPEG 2000 images; GDAL looks inside."""
    root = Path(folder) / name
    metadata(root)
    place = root / "GRANULE" / "L2A_T31TCJ_A020270_20210122T133224" / "IMG_DATA"
    for number, band in enumerate(bands):
        values = np.full((8, 8), 1000 + number, np.uint16)
        write_image(place / layout.format(f"T31TCJ_20210122T133229_{band}"), values)
    if classes:
        write_image(
            place / "R20m/T31TCJ_20210122T133229_SCL_20m.jp2", np.full((4, 4), 4, np.uint8), 20.0
        )
    return root


def request(folder, bands, name=SAFE, sources=()):
    return Request(Path(folder), name, bands, {}, sources)


def test_offsets_are_those_of_their_band_number_which_counts_b10(tmp_path):
    path = metadata(tmp_path, "05.09", [(number, -1000 - number) for number in range(13)])
    scale, offsets = calibration(path)
    assert scale == 1
    assert offsets["B01"] == -1000
    assert offsets["B8A"] == -1008
    assert offsets["B11"] == -1011
    assert offsets["B12"] == -1012


def test_a_product_before_baseline_4_has_no_offset_and_one_after_must_have(tmp_path):
    assert calibration(metadata(tmp_path / "old", "03.01"))[1] == {}
    with pytest.raises(InputDataError, match=r"no BOA_ADD_OFFSET, which baseline 05\.09"):
        calibration(metadata(tmp_path / "new", "05.09"))


def test_metadata_that_are_cut_off_or_missing_are_named(tmp_path):
    path = Path(metadata(tmp_path / "cut"))
    path.write_text(path.read_text(encoding="utf-8")[:300], encoding="utf-8")
    with pytest.raises(InputDataError, match=r"MTD_MSIL2A\.xml: is no whole XML"):
        calibration(str(path))
    with pytest.raises(InputDataError, match="is missing"):
        calibration(str(tmp_path / "none.xml"))


def test_the_real_metadata_of_a_product_before_baseline_4_are_read(real_data):
    (path,) = (real_data / "format_samples" / "sen2cor_L2A_SAFE_metadata").rglob("MTD_MSIL2A.xml")
    scale, offsets = calibration(str(path))
    assert (scale, offsets) == (1, {})


def test_a_band_that_is_not_there_is_named(tmp_path):
    safe(tmp_path)
    with pytest.raises(InputDataError, match="no image of band B8A, B11"):
        SEN2COR.acquisition(request(tmp_path, ("B4", "B8A", "B11")))


def test_a_product_without_scene_classification_is_refused(tmp_path):
    safe(tmp_path, classes=False)
    with pytest.raises(InputDataError, match="no scene classification"):
        SEN2COR.acquisition(request(tmp_path, ("B4",)))


def test_the_finest_image_of_a_band_is_read_and_both_namings_are_known(tmp_path):
    root = safe(tmp_path)
    place = next(root.rglob("IMG_DATA"))
    write_image(place / "R20m/T31TCJ_20210122T133229_B04_20m.jp2", np.zeros((4, 4), np.uint16), 20)
    write_image(place / "R20m/T31TCJ_20210122T133229_B05.jp2", np.zeros((4, 4), np.uint16), 20)
    found = images_of(str(root))
    assert found["B04"].endswith("_B04_10m.jp2")
    assert found["B05"].endswith("_B05.jp2")


def test_satellites_to_come_are_known():
    for letter in "ABCD":
        assert SEN2COR.recognise(SAFE.replace("S2B", f"S2{letter}")).platform == f"S2{letter}"
    name = "s1d_31UDS_vv_DES_008_20270104t053000.tif"
    assert FORMATS["sentinel1_s1tiling"].recognise(name).part == "des"
    assert FORMATS["landsat8_usgs"].recognise("LC09_L2SP_199026_20220606_20220831_02_T1")


def test_the_highest_baseline_then_the_last_made_is_the_newest():
    names = [
        "S2B_MSIL2A_20180122T133229_N0214_R081_T31TCJ_20180122T155500.SAFE",
        "S2B_MSIL2A_20180122T133229_N0509_R081_T31TCJ_20230101T000000.SAFE",
        "S2B_MSIL2A_20180122T133229_N0510_R081_T31TCJ_20221231T000000.SAFE",
        "S2B_MSIL2A_20180122T133229_N0510_R081_T31TCJ_20240101T000000.SAFE",
    ]
    found = sorted((SEN2COR.recognise(name) for name in names), key=lambda item: item.order)
    assert [item.name for item in found] == names[::-1]
    assert len({item.acquisition for item in found}) == 1


def test_quantification_of_the_old_layout_is_read_past_that_of_the_thermal_band(tmp_path):
    one = "<QUANTIFICATION><THERM_BAND>{}</THERM_BAND><VALUE>{}</VALUE></QUANTIFICATION>"
    path = tmp_path / "a.xml"
    path.write_text(f"<M>{one.format('True', 100)}{one.format('False', '1000.0')}</M>")
    assert quantification(str(path)) == 1000
    other = tmp_path / "b.xml"
    other.write_text(f"<M>{one.format('True', 100)}</M>")
    with pytest.raises(InputDataError, match="states no quantification"):
        quantification(str(other))


def test_an_image_that_lies_anywhere_must_touch_its_tile(tmp_path):
    tile = grid_of(write_image(tmp_path / "tile.tif", np.zeros((8, 8), np.int16)))
    known = FORMATS["landsat8_usgs"]
    expected = Expected(known.pixels, tile, (1,), anywhere=True)
    near = write_image(
        tmp_path / "near.tif", np.ones((8, 8), np.uint16), 30.0, LEFT - 105, TOP + 45
    )
    far = write_image(tmp_path / "far.tif", np.ones((8, 8), np.uint16), 30.0, LEFT - 240, TOP)
    assert image_faults(near, expected) == []
    assert "does not touch its tile" in image_faults(far, expected)[0]


def zipped(folder, root):
    path = Path(folder) / f"{root.name.removesuffix('.SAFE')}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(root.rglob("*")):
            archive.write(file, file.relative_to(root.parent))
    return path


def test_a_product_in_its_zip_is_prepared_to_the_same_pixels(tmp_path):
    root = safe(tmp_path / "tile")
    archive = zipped(tmp_path / "tile", root)
    prepare(request(tmp_path / "tile", ("B2", "B4", "B8")), SEN2COR, tmp_path / "plain", 1)
    shutil.rmtree(root)
    (identity,) = SEN2COR.listing(str(tmp_path / "tile")).products
    assert identity.sources == (archive.name,)
    packed = request(tmp_path / "tile", ("B2", "B4", "B8"), identity.name, identity.sources)
    prepare(packed, SEN2COR, tmp_path / "packed", 1)
    for name in ("B2.tif", "B4.tif", "B8.tif", "mask.tif"):
        plain, other = (tmp_path / kind / identity.name / name for kind in ("plain", "packed"))
        assert np.array_equal(values_of(plain), values_of(other))
    assert values_of(tmp_path / "packed" / identity.name / "B4.tif").max() == 1001


def test_a_folder_counts_before_its_zip(tmp_path):
    zipped(tmp_path, safe(tmp_path))
    listing = SEN2COR.listing(str(tmp_path))
    assert [(item.name, item.sources) for item in listing.products] == [(SAFE, ())]


def test_a_prepared_product_is_made_again_when_its_source_changes_alone(tmp_path):
    root = safe(tmp_path / "tile")
    wanted = request(tmp_path / "tile", ("B2", "B4", "B8"))
    prepare(wanted, SEN2COR, tmp_path / "out", 1)
    made = tmp_path / "out" / SAFE / "B4.tif"
    time = made.stat().st_mtime_ns
    prepare(wanted, SEN2COR, tmp_path / "out", 1)
    assert made.stat().st_mtime_ns == time
    write_image(next(root.rglob("*B04_10m.jp2")), np.full((8, 8), 77, np.uint16))
    prepare(wanted, SEN2COR, tmp_path / "out", 1)
    assert (values_of(made) == 77).all()


def batch_of(folder, *names):
    return Batch("sentinel2_sen2cor", str(folder), dict.fromkeys(names, ()), {})


def test_a_damaged_product_is_named_and_the_others_are_prepared(tmp_path):
    other = SAFE.replace("0122T133229", "0127T133229")
    safe(tmp_path / "tile")
    broken = safe(tmp_path / "tile", name=other)
    image = next(broken.rglob("*B04_10m.jp2"))
    image.write_bytes(image.read_bytes()[:200])
    batch, marker = batch_of(tmp_path / "tile", SAFE, other), tmp_path / "out" / "202101-a.json"
    marker.parent.mkdir()
    with pytest.raises(InputDataError) as caught:
        prepare_batch(batch, str(marker), "stop", 1)
    assert other in str(caught.value)
    assert image.name in str(caught.value)
    assert not marker.exists()
    assert (tmp_path / "out" / SAFE / "B4.tif").exists()
    assert not (tmp_path / "out" / other).exists()
    prepare_batch(batch, str(marker), "skip", 1)
    assert marker.exists()


def test_a_product_to_be_prepared_is_looked_at_before(tmp_path):
    root = safe(tmp_path)
    assert source_faults(request(tmp_path, ("B2", "B4")), SEN2COR) == []
    assert "B11" in source_faults(request(tmp_path, ("B11",)), SEN2COR)[0]
    image = next(root.rglob("*B04_10m.jp2"))
    image.write_bytes(b"")
    assert image.name in source_faults(request(tmp_path, ("B2", "B4")), SEN2COR)[0]


B4, SCL = "*B04_10m.jp2", "*SCL_20m.jp2"


@pytest.mark.parametrize(
    ("file", "values", "options", "expected"),
    [
        (B4, np.full((8, 8), 0.08, np.float32), {}, "holds Float32, UInt16 is expected"),
        (B4, np.full((8, 8), 800, np.uint16), {"nodata": 7}, "states 7 as nodata, this format has 0"),
        (B4, np.full((8, 8), 800, np.uint16), {"left": LEFT + 5}, "lies elsewhere than its tile"),
        (B4, np.full((8, 7), 800, np.uint16), {}, "lies elsewhere than its tile: 7 x 8 pixels of 10"),
        (B4, np.full((2, 8, 8), 800, np.uint16), {}, "has 2 bands, one is expected"),
        (SCL, np.full((4, 4), 4, np.float32), {"resolution": 20}, "holds Float32, Byte is expected"),
        (SCL, np.full((3, 4), 4, np.uint8), {"resolution": 20}, "elsewhere than its tile: 4 x 3 pixels of 20"),
        (SCL, np.full((4, 4), 4, np.uint8), {"resolution": 20, "top": TOP + 10}, "lies elsewhere"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_what_is_prepared_is_held_against_its_format_before(
    tmp_path, file, values, options, expected, packed
):
    """Fractions became zeros, and a mask that ends early was read: what is prepared tells nothing of it."""
    root = safe(tmp_path)
    (path,) = root.rglob(file)
    tile = grid_of(str(next(root.rglob("*B08_10m.jp2"))))
    write_image(path, values, **({"resolution": 10} | options))
    wanted = request(tmp_path, ("B2", "B4", "B8"))
    if packed:
        zipped(tmp_path, root)
        shutil.rmtree(root)
        wanted = request(tmp_path, wanted.bands, sources=(f"{root.stem}.zip",))
    (fault,) = source_faults(wanted, SEN2COR, tile)
    assert path.name in fault
    assert expected in fault
    with pytest.raises(InputDataError, match=path.name):
        prepare(wanted, SEN2COR, tmp_path / "out", 1)
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_a_product_beside_its_tile_is_told_before_it_is_prepared(tmp_path):
    safe(tmp_path)
    wanted = request(tmp_path, ("B4",))
    tile = grid_of(write_image(tmp_path / "t.tif", np.zeros((8, 8), np.uint8), left=LEFT + 80))
    assert source_faults(wanted, SEN2COR) == []
    band, mask = source_faults(wanted, SEN2COR, tile)
    assert "_B04_10m.jp2 lies elsewhere than its tile" in band
    assert "_SCL_20m.jp2 lies elsewhere than its tile" in mask


def test_metadata_of_another_product_are_refused(tmp_path):
    """Those of another baseline have another offset: all would be 0.1 too bright."""
    root = safe(tmp_path)
    text = (root / "MTD_MSIL2A.xml").read_text(encoding="utf-8")
    for other, refused in (
        (SAFE, False),
        (SAFE.replace("N0214", "N0509"), True),
        (SAFE.replace("20210122T13", "20210127T13"), True),
        (SAFE.replace("T31TCJ", "T31TDJ"), True),
        ("Not applicable", False),
    ):
        uri = f"<Product_Info><PRODUCT_URI>{other}</PRODUCT_URI>"
        # Read once by its path.
        product = tmp_path / other / SAFE
        shutil.copytree(root, product)
        (product / "MTD_MSIL2A.xml").write_text(text.replace("<Product_Info>", uri))
        wanted = request(product.parent, ("B4",))
        if refused:
            with pytest.raises(
                InputDataError, match=f"MTD_MSIL2A.xml: is of another product, {other}"
            ):
                SEN2COR.acquisition(wanted)
        else:
            assert SEN2COR.acquisition(wanted).bands["B4"].scale == 1


def test_metadata_of_another_date_of_the_old_layout_are_refused(tmp_path):
    """They may say thousandths, where the values are ten thousandths."""
    name = "LANDSAT5_TM_XS_20060412_N2A_France-MetropoleD0003H0009"
    path = tmp_path / name / f"{name}.xml"
    path.parent.mkdir()
    path.write_text(
        f"<M><HEADER><IDENT>{name.replace('0412', '0514')}</IDENT></HEADER>"
        "<QUANTIFICATION><VALUE>1000</VALUE></QUANTIFICATION></M>"
    )
    with pytest.raises(InputDataError, match="is of another product, LANDSAT5_TM_XS_20060514_N2A"):
        FORMATS["landsat5"].acquisition(Request(tmp_path, name, ("B3",), {}))


@pytest.mark.parametrize(
    ("sensor", "name"),
    [
        ("sentinel2_sen2cor", SAFE.replace("L2A", "L1C")),
        ("sentinel2_sen2cor", f"{SAFE.replace('L2A', 'L1C').removesuffix('.SAFE')}.zip"),
        ("sentinel2", "SENTINEL2A_20180210-105158-000_L1C_T31TCJ_C_V2-2"),
        ("landsat8_usgs", "LC08_L1TP_199026_20180606_20200831_02_T1"),
        ("landsat8_usgs", "LC08_L1TP_199026_20180606_20200831_02_T1.tar"),
    ],
)
def test_products_of_level_1_among_the_others_are_told(tmp_path, sensor, name):
    path = tmp_path / name
    if path.suffix in (".zip", ".tar"):
        path.write_bytes(b"")
    else:
        path.mkdir()
    assert "of level 1" in FORMATS[sensor].listing(str(tmp_path)).strangers[name]


@pytest.mark.parametrize(
    ("shape", "resolution", "fits"),
    [((8, 8), 30, True), ((8, 7), 30, False), ((4, 4), 60, True), ((16, 16), 30, False)],
)  # fmt: skip
def test_a_mask_of_other_ground_than_its_scene_is_named(tmp_path, shape, resolution, fits):
    """Where it ends nothing would have been seen, and nothing would tell."""
    name = "LC08_L2SP_199026_20180606_20200831_02_T1"
    place = str(tmp_path / name / f"{name}_{{}}.TIF")
    write_image(place.format("SR_B4"), np.ones((8, 8), np.uint16), 30)
    write_image(place.format("QA_RADSAT"), np.zeros((8, 8), np.uint16), 30)
    write_image(place.format("QA_PIXEL"), np.full(shape, 21824, np.uint16), resolution)
    known = FORMATS["landsat8_usgs"]
    acquisition = known.acquisition(Request(tmp_path, name, ("B4",), {}))
    faults = acquisition_faults(acquisition, known, grid_of(place.format("SR_B4")))
    assert len(faults) == (not fits)
    assert all("QA_PIXEL.TIF covers other ground" in fault for fault in faults)


def test_scenes_without_a_temperature_are_of_level_2_as_well():
    """USGS distributes surface reflectance alone as L2SR where it cannot tell temperatures."""
    known = FORMATS["landsat8_usgs"].recognise("LO08_L2SR_199026_20180606_20200831_02_T1")
    assert known.platform == "LO08"
    assert f"{known.day}" == "2018-06-06"


OWN = {
    "name": "Planet", "pattern": "PS_{date}_*_{band}.tif", "bands": {"red": 1, "NIR": 1}, "roles": {"red": "red"},
    "nodata": None, "scale": 10000.0, "offset": 0.0, "decibel": False, "on_tile": True,
    "mask": {"pattern": "PS_{date}_*_QA.tif", "band": 1, "unusable": [2], "unusable_bits": 8, "unseen": [0]},
}  # fmt: skip


def test_a_series_of_the_user_is_read_as_the_configuration_says(tmp_path):
    known = format_of("own_series", OWN)
    for day in ("20180131", "20180305"):
        for band, value in (("red", 0.05), ("NIR", 0.4)):
            write_image(tmp_path / f"PS_{day}_3B_{band}.tif", np.full((8, 8), value, np.float32))
        codes = np.ones((8, 8), np.uint8)
        codes[0, :4] = 0, 2, 8, 9
        write_image(tmp_path / f"PS_{day}_3B_QA.tif", codes)
    listing = known.listing(str(tmp_path))
    assert [item.name for item in listing.products] == [
        "PS_20180131_3B_*.tif", "PS_20180305_3B_*.tif",
    ]  # fmt: skip
    names = [item.name for item in listing.products]
    grid = grid_of(str(tmp_path / "PS_20180131_3B_red.tif"))
    given = Products("own_series", str(tmp_path), names, names, OWN, ["NIR"], grid.as_dict())
    stock = take_inventory(TileInputs("t", grid, {"own_series": given}, {}), "stop")
    item = stock.series["own_series"][1]
    values, seen = image_on(grid, item.bands["NIR"]).observe(grid.window)
    assert (values == 4000).all()
    assert seen.all()
    (mask,) = item.masks
    codes = values_of(mask.path)
    assert mask.unseen.found(codes)[0, :5].tolist() == [True, False, False, False, False]
    assert mask.unusable.found(codes)[0, :5].tolist() == [True, True, True, True, False]


def test_two_masks_for_one_date_of_the_user_are_refused(tmp_path):
    known = format_of("own_series", OWN)
    for name in ("PS_20180131_3B_red.tif", "PS_20180131_a_QA.tif", "PS_20180131_b_QA.tif"):
        write_image(tmp_path / name, np.ones((8, 8), np.uint8))
    with pytest.raises(InputDataError, match="2 masks are its own"):
        known.acquisition(Request(tmp_path, "PS_20180131_3B_*.tif", ("red",), OWN))


@pytest.mark.parametrize(
    ("codes", "kind", "told"),
    [
        ({"unusable": [300]}, np.uint8, "holds Byte, in which no pixel is 300"),
        ({"unusable": [2, -1]}, np.uint16, "holds UInt16, in which no pixel is -1"),
        ({"unusable_bits": 1024}, np.uint8, "no pixel is 1024"),
        ({"unusable_bits": 1024}, np.uint16, ""),
        ({"unseen": [255], "unusable_bits": 8}, np.uint8, ""),
    ],
)
def test_codes_that_a_mask_cannot_hold_are_told(tmp_path, codes, kind, told):
    """Every cloud would be clear."""
    none = {"unusable": [], "unusable_bits": 0, "unseen": []}
    options = OWN | {"mask": OWN["mask"] | none | codes}
    known = format_of("own_series", options)
    path = write_image(tmp_path / "PS_20180131_3B_red.tif", np.ones((8, 8), np.int16))
    write_image(tmp_path / "PS_20180131_3B_QA.tif", np.zeros((8, 8), kind))
    wanted = Request(tmp_path, "PS_20180131_3B_*.tif", ("red",), options)
    faults = acquisition_faults(known.acquisition(wanted), known, grid_of(path))
    assert len(faults) == bool(told)
    assert all(told in fault for fault in faults)


@pytest.mark.parametrize(
    ("day", "expected"), [("20180131", 31), ("2018-01-31", 31), ("2018031", 31), ("2018366", None)]
)
def test_dates_of_the_user_are_read_in_three_forms(day, expected):
    known = format_of("own_series", OWN | {"pattern": "PS_{date}.tif"})
    identity = known.recognise(f"PS_{day}.tif")
    assert (identity and identity.day.timetuple().tm_yday) == expected


def test_an_example_of_the_users_names_is_one_of_them():
    """It is shown where a folder holds none."""
    known = format_of("own_series", OWN)
    assert known.example.format(tile="T31TCJ") == "PS_20180131_*_red.tif"
    assert known.recognise(known.example)


def test_of_two_files_of_a_date_the_highest_number_is_the_newest(tmp_path):
    """10 is more than 9; letters tell nothing."""
    known = format_of("own_series", OWN | {"pattern": "S_{date}_*_{band}.tif", "mask": None})
    for version in ("v9", "v10", "v2"):
        write_image(tmp_path / f"S_20180131_{version}_red.tif", np.ones((8, 8), np.int16))
    found = [item.name for item in known.listing(str(tmp_path)).products]
    assert found == [f"S_20180131_v{number}_*.tif" for number in (10, 9, 2)]


def test_bands_of_the_user_that_are_named_and_not_there_are_told():
    given = {"path": "x", "pattern": "{date}.tif", "bands": {"A": 1}, "keep_bands": ["B"]}
    assert "'B' is none of the bands A" in next(OwnSeries(**given).contradictions())


def test_a_format_of_another_package_is_one_of_ours(tmp_path):
    """An entry point, as `pip install` writes it."""
    info = tmp_path / "other-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[iota2.formats]\nprisma = other_formats:FORMAT\n")
    (tmp_path / "other_formats.py").write_text(
        "import re\nfrom dataclasses import replace\n"
        "from iota2_tools.products.s2_l2a_theia import FORMAT as THEIA\n"
        "FORMAT = replace(THEIA, label='Prisma', pattern=re.compile(r'PRISMA_(?P<day>\\d{8})'),\n"
        "                 example='PRISMA_20200101')\n"
    )
    program = (
        "from iota2_tools.planning.configuration import Configuration, Sensors\n"
        "from iota2_tools.products import FORMATS\n"
        "from iota2_tools.products.page import sensors_page\n"
        "assert 'prisma' in Sensors.model_fields\n"
        "assert FORMATS['prisma'].recognise('PRISMA_20200131').day.day == 31\n"
        "assert '## `prisma`' in sensors_page()\n"
    )
    subprocess.run(
        [sys.executable, "-c", program], check=True, env={"PYTHONPATH": str(tmp_path), "PATH": ""}
    )


def test_real_images_of_s1tiling_become_decibels(real_data):
    folder = real_data / "flanders2018" / "sentinel1" / "31UDS"
    known = FORMATS["sentinel1_s1tiling"]
    options = {"calibration": None, "border_masks": True, "speckle_radius": 0}
    listing = known.listing(str(folder))
    assert len(listing.products) == 56
    assert listing.strangers == {}
    assert {item.part for item in listing.products} == {"asc"}
    name = listing.products[0].name
    item = known.acquisition(Request(folder, name, ("VV", "VH"), options))
    power = values_of(item.bands["VV"].path)
    grid = grid_of(item.bands["VV"].path)
    values, seen = image_on(grid, item.bands["VV"]).observe(grid.window)
    assert seen.all() == (power > 0).all()
    assert np.abs(values[seen] - 1000 * np.log10(power[seen].astype(float))).max() <= 0.5


def test_a_zip_that_is_cut_off_is_named(tmp_path):
    root = safe(tmp_path / "tile")
    archive = zipped(tmp_path / "tile", root)
    shutil.rmtree(root)
    archive.write_bytes(archive.read_bytes()[:2000])
    (identity,) = SEN2COR.listing(str(tmp_path / "tile")).products
    wanted = request(tmp_path / "tile", ("B2", "B4"), identity.name, identity.sources)
    (fault,) = source_faults(wanted, SEN2COR)
    assert archive.name in fault


def test_each_bit_of_landsat_quality_has_its_meaning(tmp_path):
    """Fill, dilated cloud, cirrus, cloud and shadow are not usable; snow, clear and water are."""
    name = "LC08_L2SP_199029_20180129_20200425_02_T1"
    item = FORMATS["landsat8_usgs"].acquisition(Request(tmp_path, name, ("B4", "B7"), {}))
    quality, saturated = item.masks
    bits = np.array([1 << bit for bit in range(8)], np.uint16)
    assert quality.unusable.found(bits).tolist() == [True] * 5 + [False] * 3
    assert quality.unseen.found(bits).tolist() == [True] + [False] * 7
    # Of the bands that are read, B4 is bit 3 and B7 bit 6.
    assert saturated.unusable.found(bits).tolist() == [bit in (3, 6) for bit in range(8)]


@pytest.mark.parametrize("quantification", ["nan", "inf", "-10000", "0", "n/a"])
def test_a_quantification_that_is_no_number_of_steps_is_refused(tmp_path, quantification):
    path = Path(metadata(tmp_path))
    text = path.read_text(encoding="utf-8").replace(">10000<", f">{quantification}<")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputDataError, match="states no BOA_QUANTIFICATION_VALUE"):
        calibration(str(path))


@pytest.mark.parametrize("offset", [(3, "n/a"), (99, -1000), ("B04", -1000), (-1, -1000)])
def test_an_offset_of_no_band_or_without_a_number_is_refused(tmp_path, offset):
    with pytest.raises(InputDataError, match="is no number of a band"):
        calibration(metadata(tmp_path, "05.09", [(0, -1000), offset]))


def test_a_band_without_the_offset_that_others_have_is_refused(tmp_path):
    """It would be 0.1 too bright, and the others right."""
    root = safe(tmp_path)
    metadata(root, "05.09", [(3, -1000)])  # B04 alone
    image = SEN2COR.acquisition(request(tmp_path, ("B4",))).bands["B4"]
    assert image.offset == -1000
    with pytest.raises(InputDataError, match="no BOA_ADD_OFFSET of band B2, B8,"):
        SEN2COR.acquisition(request(tmp_path, ("B2", "B4", "B8")))


@pytest.mark.parametrize("baseline", ["", "late"])
def test_metadata_that_tell_neither_offset_nor_baseline_are_refused(tmp_path, baseline):
    with pytest.raises(InputDataError, match="neither BOA_ADD_OFFSET nor PROCESSING_BASELINE"):
        calibration(metadata(tmp_path, baseline))


def test_a_quantification_of_the_old_layout_that_is_no_number_is_refused(tmp_path):
    path = tmp_path / "a.xml"
    path.write_text("<M><QUANTIFICATION><VALUE>n/a</VALUE></QUANTIFICATION></M>")
    with pytest.raises(InputDataError, match="states no quantification"):
        quantification(str(path))


def test_a_zip_that_was_given_the_name_of_another_day_is_refused(tmp_path):
    root = safe(tmp_path)
    archive = zipped(tmp_path, root)
    shutil.rmtree(root)
    archive.rename(tmp_path / archive.name.replace("20210122T133229_N", "20210302T133229_N"))
    (identity,) = SEN2COR.listing(str(tmp_path)).products
    assert identity.day.month == 3
    wanted = request(tmp_path, ("B2", "B4"), identity.name, identity.sources)
    (fault,) = source_faults(wanted, SEN2COR)
    assert f"holds {SAFE}; give it back its name" in fault


def own_section(**others):
    """Section of a series of the user, one band a file."""
    given = {"path": "x", "pattern": "S_{date}.tif", "bands": {"A": 1}}
    return OwnSeries.model_validate(given | others)


@pytest.mark.parametrize(
    "pattern",
    ["S.tif", "{date}_{date}.tif", "{band}_{date}_{band}.tif", "{year}_{date}.tif", "a/{date}.tif"],
)
def test_a_pattern_that_cannot_be_read_is_refused(pattern):
    with pytest.raises(ValidationError, match="date"):
        own_section(pattern=pattern)


def test_a_mask_by_band_or_without_codes_and_a_band_of_two_roles_are_refused():
    with pytest.raises(ValidationError, match="a mask is that of a date"):
        own_section(mask={"pattern": "Q_{band}_{date}.tif", "unseen": [0]})
    (found,) = own_section(mask={"pattern": "Q_{date}.tif"}).contradictions()
    assert "mask has no code" in found
    (found,) = own_section(roles={"red": "A", "nir": "A"}).contradictions()
    assert "'A' cannot be both red and nir" in found
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        own_section(bands={"A": 0})


def taken(folder, section):
    """The first date of a series of the user, as the inventory takes it."""
    options = section.options
    name = min(path.name for path in folder.iterdir())
    grid = grid_of(str(folder / name))
    given = Products("own_series", str(folder), [name], [name], options, ["A"], grid.as_dict())
    (item,) = take_inventory(TileInputs("t", grid, {"own_series": given}, {}), "stop").series[
        "own_series"
    ]
    return image_on(grid, item.bands["A"]).observe(grid.window)


def test_nodata_that_a_file_of_the_user_states_and_nobody_says_is_refused(tmp_path):
    """It would be read as a value."""
    values = np.full((8, 8), 5, np.int16)
    values[0, 0] = -9999
    write_image(tmp_path / "S_20180101.tif", values, nodata=-9999)
    with pytest.raises(InputDataError, match="states -9999 as nodata, and no value is to be"):
        taken(tmp_path, own_section())
    with pytest.raises(InputDataError, match="states -9999 as nodata, this format has 0"):
        taken(tmp_path, own_section(nodata=0))
    assert taken(tmp_path, own_section(nodata=-9999))[1].sum() == 63


def test_nan_as_nodata_needs_no_word_and_infinite_values_are_no_data(tmp_path):
    values = np.full((8, 8), 5, np.float32)
    values[0, :3] = np.nan, np.inf, -np.inf
    write_image(tmp_path / "S_20180101.tif", values, nodata=float("nan"))
    found, seen = taken(tmp_path, own_section())
    assert seen.sum() == 61
    assert (found[seen] == 5).all()


def test_a_scale_that_a_file_of_the_user_states_is_that_of_others(tmp_path):
    """What the section says counts: DN 3000 is kept."""
    path = write_image(tmp_path / "S_20180101.tif", np.full((8, 8), 3000, np.int16))
    dataset = gdal.Open(path, gdal.GA_Update)
    dataset.GetRasterBand(1).SetScale(0.0001)
    dataset.GetRasterBand(1).SetOffset(0.5)
    dataset = None
    assert (taken(tmp_path, own_section())[0] == 3000).all()


@pytest.mark.parametrize(
    ("values", "others", "expected"),
    [
        (np.linspace(0, 1, 64), {}, "0 to 1 become 2 whole number(s), 0 to 1"),
        (np.linspace(0, 1, 64), {"scale": 10000.0}, None),
        (np.linspace(100, 5000, 64), {"scale": 10000.0}, "100% of the values looked at are more than"),
        (np.linspace(100, 5000, 64), {}, None),
        (np.linspace(-25, -5, 64), {"decibel": True}, "100% of the values looked at are 0 or less"),
        (np.linspace(0.01, 0.5, 64), {"decibel": True}, None),
        (np.arange(64) % 2, {}, None),
        (np.full(64, np.nan), {}, None),
    ],
)  # fmt: skip
def test_values_of_which_nothing_is_left_are_told_at_the_start(tmp_path, values, others, expected):
    write_image(tmp_path / "S_20180101.tif", values.reshape(8, 8).astype(np.float32))
    options = own_section(**others).options
    known = format_of("own_series", options)
    remarks = known.remarks(Request(tmp_path, "S_20180101.tif", ("A",), options))
    assert len(remarks) == (expected is not None)
    assert all(expected in remark and "S_20180101.tif, A: " in remark for remark in remarks)


def test_nothing_is_said_of_values_that_cannot_be_read(tmp_path):
    options = own_section(bands={"A": 7}).options
    known = format_of("own_series", options)
    wanted = Request(tmp_path, "S_20180101.tif", ("A",), options)
    assert known.remarks(wanted) == []
    write_image(tmp_path / "S_20180101.tif", np.zeros((8, 8), np.int16))
    assert known.remarks(wanted) == []
    two = own_section(mask={"pattern": "S_{date}_*.tif", "unseen": [0]}).options
    for letter in "ab":
        write_image(tmp_path / f"S_20180101_{letter}.tif", np.zeros((8, 8), np.uint8))
    assert known.remarks(Request(tmp_path, "S_20180101.tif", ("A",), two)) == []
