"""Names and tags of S1Tiling."""

from datetime import date, time

import pytest

from iota2_tools.core.errors import InputDataError
from iota2_tools.radar.s1tiling import identify, mixed_calibrations, parse_name

JOINED = "s1a_31UDS_vv_ASC_161_20180104txxxxxx.tif"
TAGS = {
    "ACQUISITION_DATETIME": "2020:01:08T04:41:50Z",
    "CALIBRATION": "sigma",
    "FLYING_UNIT_CODE": "s1a",
    "IMAGE_TYPE": "BACKSCATTERING",
    "ORBIT_DIRECTION": "DES",
    "POLARIZATION": "vh",
    "RELATIVE_ORBIT_NUMBER": "007",
    "S2_TILE_CORRESPONDING_CODE": "33NWB",
}


def test_joined_frames():
    found = parse_name(JOINED)
    assert (found.platform, found.tile, found.polarisation) == ("S1A", "31UDS", "VV")
    assert (found.direction, found.orbit) == ("ASC", 161)
    assert (found.day, found.clock) == (date(2018, 1, 4), None)
    assert (found.calibration, found.filtered, found.border_mask) == ("unstated", False, False)


@pytest.mark.parametrize(
    ("name", "calibration", "filtered", "mask"),
    [
        ("s1c_31UDS_vh_DES_037_20260104t053000.tif", "unstated", False, False),
        ("s1d_31UDS_vh_DES_037_20260104t053000_BorderMask.tif", "unstated", False, True),
        ("s1b_33NWB_vv_DES_007_20200108txxxxxx_sigma.tif", "sigma", False, False),
        ("s1a_33NWB_vv_DES_007_20200108t044150_NormLim.tif", "NormLim", False, False),
        ("s1a_33NWB_vv_DES_007_20200108txxxxxx_GammaNaughtRTC.tif", "GammaNaughtRTC", False, False),
        (
            "s1a_33NWB_vv_DES_007_20200108txxxxxx_GammaNaughtRTC_BorderMask.tif",
            "GammaNaughtRTC", False, True,
        ),
        ("s1a_33NWB_vv_DES_007_20200108txxxxxx_filtered.tif", "unstated", True, False),
        ("s1a_33NWB_vv_DES_007_20200108txxxxxx_NormLim_filtered.tif", "NormLim", True, False),
    ],
)  # fmt: skip
def test_kinds_of_names(name, calibration, filtered, mask):
    found = parse_name(name)
    assert (found.calibration, found.filtered, found.border_mask) == (calibration, filtered, mask)
    assert found.platform == name[:3].upper()


def test_stamp_with_a_time():
    assert parse_name("s1c_31UDS_vh_DES_037_20260104t053000.tif").clock == time(5, 30)


@pytest.mark.parametrize(
    "name",
    [
        "s1a_31UDS_vv_ASC_161_20181304txxxxxx.tif",
        "s1a_31UDS_vv_ASC_161_20180104t253000.tif",
        "s1a_31UDS_vv_ASC_176_20180104txxxxxx.tif",
        "s1a_31UDS_vv_UP_161_20180104txxxxxx.tif",
        "s1a_31UDS_vv_ASC_161_20180104txxxxxx_other.tif",
        "LIA_31UDS_161.tif",
        "s1a_31UDS_vv_ASC_161_20180104txxxxxx.tif.aux.xml",
    ],
)
def test_other_names_are_none(name):
    assert parse_name(name) is None


def test_tags_tell_where_the_name_does_not():
    found = identify("my_own_name.tif", TAGS)
    assert (found.platform, found.tile, found.polarisation) == ("S1A", "33NWB", "VH")
    assert (found.direction, found.orbit, found.calibration) == ("DES", 7, "sigma")
    assert (found.day, found.clock) == (date(2020, 1, 8), time(4, 41, 50))
    assert not found.border_mask
    assert identify("mask.tif", {**TAGS, "IMAGE_TYPE": "MASK"}).border_mask


@pytest.mark.parametrize(
    "stamp", ["2020-01-08T04:41:50Z", "2020:01:08T04:41:50.123456Z", "20200108T044150"]
)
def test_stamps_of_all_kinds_are_read(stamp):
    found = identify("name.tif", {**TAGS, "ACQUISITION_DATETIME": stamp})
    assert (found.day, found.clock) == (date(2020, 1, 8), time(4, 41, 50))


def test_the_name_counts_before_the_tags_and_lacks_only_the_calibration():
    found = identify(JOINED, TAGS)
    assert (found.direction, found.orbit, found.day) == ("ASC", 161, date(2018, 1, 4))
    assert found.calibration == "sigma"
    assert identify(JOINED.replace(".tif", "_NormLim.tif"), TAGS).calibration == "NormLim"


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("ORBIT_DIRECTION", "", r"orbit direction \(ORBIT_DIRECTION\)"),
        ("RELATIVE_ORBIT_NUMBER", "0", "relative orbit"),
        ("ACQUISITION_DATETIME", "2020:13:08T04:41:50Z", "date"),
        ("POLARIZATION", "both", "polarisation"),
    ],
)
def test_what_neither_tells_is_named(key, value, words):
    with pytest.raises(InputDataError, match=rf"my\.tif: neither .*{words}"):
        identify("my.tif", {**TAGS, key: value})


def test_calibrations_are_not_mixed_in_one_series():
    plain = parse_name(JOINED)
    other = parse_name(JOINED.replace(".tif", "_NormLim.tif"))
    filtered = parse_name(JOINED.replace(".tif", "_filtered.tif"))
    mask = parse_name(JOINED.replace(".tif", "_sigma_BorderMask.tif"))
    assert mixed_calibrations([plain, mask, plain]) == ""
    assert "1 of NormLim" in mixed_calibrations([plain, other])
    assert "2 of unstated (first" in mixed_calibrations([plain, plain, filtered])


def test_real_files_are_recognised(real_data):
    files = sorted((real_data / "flanders2018" / "sentinel1" / "31UDS").glob("*.tif"))
    found = [parse_name(file.name) for file in files]
    assert len(files) == 224
    assert all(found)
    images = [image for image in found if not image.border_mask]
    assert len(images) == 112  # 56 dates, VV and VH
    assert {image.orbit for image in images} == {59, 161}
    assert len({image.acquisition for image in images}) == 56
    assert mixed_calibrations(found) == ""
