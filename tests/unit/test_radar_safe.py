"""Sentinel-1 SAFE: names, manifest, annotation; passes and frames; what is wrong is named."""

import dataclasses
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.earth import earth_fixed
from iota2_tools.geo.grid import Grid
from iota2_tools.radar.annotation import read_annotation
from iota2_tools.radar.geocoding import (
    LIGHT,
    _ground_range,
    _zero_doppler,
    check_geometry,
    place_in_image,
)
from iota2_tools.radar.safe import Frame, one_pass, parse_name, passes, read_frame, touches
from iota2_tools.simulate.radar_safe import plan_frames, write_frame
from iota2_tools.simulate.settings import SceneSettings

SETTINGS = SceneSettings(tiles=("T31TCJ",), size=64, dates=1)


@pytest.fixture(scope="module")
def safe(tmp_path_factory):
    folder = tmp_path_factory.mktemp("safe")
    product = plan_frames(SETTINGS, "")[0]
    write_frame(SETTINGS, product, [], folder)
    return folder / product.name


@pytest.fixture
def copied(safe, tmp_path):
    shutil.copytree(safe, tmp_path / safe.name)
    return tmp_path / safe.name


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def one(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


@pytest.fixture
def real_safe(real_data):
    return one(real_data / "format_samples" / "s1_GRD_SAFE", "*.SAFE")


# Names and passes.


def test_any_letter_is_a_platform():
    name = "S1{}_IW_GRDH_1SDV_20260104T053000_20260104T053025_006200_00C6F1_1A2B.SAFE"
    assert [parse_name(name.format(letter)).platform for letter in "ABCDZ"] == [
        "S1A", "S1B", "S1C", "S1D", "S1Z",
    ]  # fmt: skip


def test_name_tells_times_orbit_and_polarisations():
    name = "S1B_IW_GRDH_1SDV_20210401T052623_20210401T052648_026269_032297_ECC8.SAFE"
    parsed = parse_name(name)
    assert parsed.start == datetime(2021, 4, 1, 5, 26, 23, tzinfo=UTC)
    assert parsed.stop == datetime(2021, 4, 1, 5, 26, 48, tzinfo=UTC)
    assert parsed.absolute_orbit == 26269
    assert parsed.polarisations == ("VV", "VH")
    assert parse_name(name.replace("1SDV", "1SSH")).polarisations == ("HH",)
    for end in ("_COG.SAFE", ".SAFE.zip", ".zip"):
        assert parse_name(name.replace(".SAFE", end)).platform == "S1B"


@pytest.mark.parametrize(
    "name",
    [
        "S1A_EW_GRDM_1SDH_20221130T014342_20221130T014446_046117_058549_BB15",
        "S1A_IW_SLC__1SDV_20210401T052623_20210401T052648_026269_032297_ECC8.SAFE",
        "S1A_IW_GRDH_1SDV_20211301T052623_20210401T052648_026269_032297_ECC8.SAFE",
        "S2A_MSIL2A_20210122T133229_N0214_R081_T22HBD_20210122T155500.SAFE",
    ],
)
def test_other_names_are_none(name):
    assert parse_name(name) is None


def test_frames_of_a_pass_belong_together_however_cut():
    stem = "_IW_GRDH_1SDV_20180106T{}_20180106T{}_020021_0221E4_5B2C.SAFE"
    names = [
        "S1A" + stem.format("055930", "055955"),
        "S1A" + stem.format("055955", "060020"),  # no pause
        "S1A" + stem.format("060045", "060110"),  # the frame between was lost
        "S1B" + stem.format("060050", "060115"),  # another satellite
        "S1A" + stem.format("174800", "174825"),  # the other direction, in the evening
    ]
    found = passes([parse_name(name) for name in reversed(names)])
    assert [[name.name for name in group] for group in found] == [names[:3], names[3:4], names[4:]]


def frame(start: datetime, seconds: float = 25, **changes) -> Frame:
    values = {
        "folder": Path(f"S1A_{start:%H%M%S}"),
        "platform": "S1A",
        "direction": "ASC",
        "orbit": 30,
        "start": start,
        "stop": start + timedelta(seconds=seconds),
        "version": (3, 31),
        "channels": {},
        "footprint": (),
    }
    return Frame(**{**values, **changes})


NOON = datetime(2018, 1, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"direction": "DES"}, "direction ASC and DES"),
        ({"orbit": 132}, "orbit 30 and 132"),
        ({"platform": "S1B"}, "platform S1A and S1B"),
        ({"start": NOON + timedelta(hours=12)}, "lie between them"),
    ],
)
def test_frames_of_two_passes_are_refused(changes, words):
    start = changes.pop("start", NOON + timedelta(seconds=25))
    with pytest.raises(InputDataError, match=words):
        one_pass([frame(NOON), frame(start, **changes)])


def test_frames_are_grouped_as_their_names_are():
    first, second = frame(NOON), frame(NOON + timedelta(seconds=25))
    later = frame(NOON + timedelta(minutes=7))
    assert passes([later, second, first]) == [(first, second), (later,)]


@pytest.mark.parametrize(
    ("footprint", "expected"),
    [
        (((0.2, 43.0), (3.4, 43.4), (3.1, 45.0), (-0.2, 44.6)), True),
        (((1.2, 44.0), (1.3, 44.0), (1.3, 44.05), (1.2, 44.05)), True),  # inside the tile
        (((2.2, 43.0), (5.4, 43.4), (5.1, 45.0), (2.1, 44.6)), False),
        (((0.2, 44.4), (3.4, 44.8), (3.1, 46.4), (-0.2, 46.0)), False),
    ],
)
def test_frames_that_may_reach_a_tile(footprint, expected):
    """T31TCJ goes from 0.5 to 1.9 degrees east and from 43.2 to 44.25 north."""
    tile = Grid("EPSG:32631", 300000, 4900020, 10, 10980, 10980)
    assert touches(footprint, tile) is expected


def test_frames_reach_a_tile_over_the_antimeridian():
    """T01KAB: 180 to 179 west; the frame lies on both sides, as manifests write it."""
    tile = Grid("EPSG:32701", 200000, 7800040, 10, 10980, 10980)
    around = ((179.0, -20.5), (-178.0, -20.3), (-178.2, -19.0), (178.8, -19.2))
    assert touches(around, tile)
    beside = ((170.0, -20.5), (173.0, -20.3), (172.8, -19.0), (169.8, -19.2))
    assert not touches(beside, tile)


def test_no_frame_is_refused():
    with pytest.raises(InputDataError, match="no Sentinel-1 product"):
        one_pass([])


def test_of_two_products_of_the_same_seconds_the_newest_processor_counts():
    old = frame(NOON, version=(2, 84), folder=Path("old"))
    new = frame(NOON + timedelta(seconds=2), version=(3, 31), folder=Path("new"))
    following = frame(NOON + timedelta(seconds=25), version=(2, 84), folder=Path("following"))
    found = one_pass([following, old, new])
    assert [frame.name for frame in found] == ["new", "following"]


# The real product; values read in its files by eye.


def test_real_manifest(real_safe, tmp_path):
    (tmp_path / "annotation").mkdir()
    shutil.copy(real_safe / "manifest.safe", tmp_path)
    with pytest.raises(InputDataError, match="holds no measurement"):
        read_frame(tmp_path)
    for place in (
        "measurement/s1b-iw-grd-vv-x-001.tiff",
        "annotation/s1b-iw-grd-vv-x-001.xml",
        "annotation/calibration/calibration-s1b-iw-grd-vv-x-001.xml",
        "annotation/calibration/noise-s1b-iw-grd-vv-x-001.xml",
    ):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).touch()
    found = read_frame(tmp_path)
    assert (found.platform, found.direction, found.orbit) == ("S1B", "DES", 168)
    assert found.version == (3, 31)
    assert found.start == datetime(2021, 4, 1, 5, 26, 23, 794457, tzinfo=UTC)
    assert found.stop == datetime(2021, 4, 1, 5, 26, 48, 793373, tzinfo=UTC)
    assert list(found.channels) == ["VV"]  # VH stands in the manifest, its files are not there
    assert found.footprint[0] == (12.040968, 45.614502)


def test_real_product_without_calibration_is_refused(real_safe):
    with pytest.raises(InputDataError, match=r"no calibration of VV.*annotation/calibration"):
        read_frame(real_safe)


def test_real_annotation(real_safe):
    found = read_annotation(one(real_safe / "annotation", "*.xml"))
    assert (found.polarisation, found.lines, found.samples) == ("VV", 16685, 25788)
    assert found.line_interval == 1.498376640333055e-03
    assert found.sample_spacing == 10.0
    assert found.orbit_times.shape == (16,)
    assert found.orbit_times[0] == pytest.approx(-64.794457, abs=1e-9)
    assert found.positions[0].tolist() == [4299854.769, 1453596.443, 5418885.179]
    assert found.velocities[1].tolist() == [5913.952956, -116.0645, -4756.073476]
    assert found.range_times[0] == pytest.approx(-1.91005, abs=1e-9)
    assert found.nearest_ranges[:2].tolist() == [800942.8521087262, 800942.8521081646]
    assert found.range_coefficients.shape == (28, 9)
    assert found.range_coefficients[0, 1] == 1.961176956169847
    assert found.control_points.shape == (210, 5)
    assert found.control_points[1].tolist() == [
        0, 1290, 12.26121301000505, 47.13979750015340, 2563.000300123356,
    ]  # fmt: skip
    assert not found.noise_removed


def test_orbit_and_ranges_are_those_of_the_control_points_of_esa(real_safe):
    """ESA gives range and place of 210 points: an answer of another program."""
    found = read_annotation(one(real_safe / "annotation", "*.xml"))
    line, sample, longitude, latitude, height = found.control_points.T
    points = earth_fixed(longitude, latitude, height)
    _, ranges = _zero_doppler(points, found.orbit_times, found.positions, found.velocities, 0.0)
    # Two-way times of the first and the second point, in the file.
    expected = np.array([5.343315555380221e-03, 5.387825940164613e-03]) * LIGHT / 2
    assert np.abs(ranges[:2] - expected).max() < 0.005
    lines, samples = place_in_image(found, points)
    assert np.abs(lines - line).max() < 0.05
    # ESA takes the polynomial of the nearest second, all others the one between two.
    assert np.median(np.abs(samples - sample)) < 0.25
    assert np.abs(samples - sample).max() < 1.6
    assert check_geometry(found) < 0.25


def test_ground_range_is_linear_between_two_polynomials():
    """At 0 s 10 + 2 d, at 10 s 50 + 2 d + d ** 2, from 800 and 810 m on; 815 m at 2.5 s.

    First: 10 + 30 = 40. Second: 50 + 10 + 25 = 85. A quarter of the way: 51.25.
    """
    times = np.array([2.5, 0.0, 10.0, -3.0, 12.0, np.nan])
    found = _ground_range(
        times,
        np.full(6, 815.0),
        np.array([0.0, 10.0]),
        np.array([800.0, 810.0]),
        np.array([[10.0, 2.0, 0.0], [50.0, 2.0, 1.0]]),
    )
    assert found[:5].tolist() == [51.25, 40, 85, 40, 85]
    assert np.isnan(found[5])


# What is wrong.


def test_simulated_product_is_read(safe):
    found = read_frame(safe)
    assert list(found.channels) == ["VV", "VH"]
    assert (found.platform, found.direction, found.orbit) == ("S1B", "ASC", 30) or (
        found.platform, found.direction, found.orbit,
    ) == ("S1A", "ASC", 30)  # fmt: skip
    assert parse_name(safe.name).start == found.start.replace(microsecond=0)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("<s1:pass>ASCENDING</s1:pass>", "", "no orbit direction"),
        ("<s1:pass>ASCENDING</s1:pass>", "<s1:pass>UP</s1:pass>", "no orbit direction.*'UP'"),
        ('type="start">30<', 'type="start">999<', "relative orbit '999'"),
        ("<safe:startTime>", "<safe:beginTime>", "mismatched|startTime"),
        ("<s1sarl1:productType>GRD", "<s1sarl1:productType>SLC", "IW SLC; only IW GRD"),
        ('name="Sentinel-1 IPF"', 'name="other"', "no version of the processor"),
        ("Polarisation>VV<", "Polarisation>XX<", "polarisations .'XX', 'VH'."),
        ("<safe:number>", "<safe:number>7", "platform '7[AB]' is no letter"),
    ],
)
def test_what_is_wrong_in_a_manifest_is_named(copied, old, new, words):
    edit(copied / "manifest.safe", old, new)
    with pytest.raises(InputDataError, match=rf"(?s)manifest\.safe: .*({words})"):
        read_frame(copied)


def test_cut_manifest_is_named(copied):
    path = copied / "manifest.safe"
    path.write_text(path.read_text(encoding="utf-8")[:2000], encoding="utf-8")
    with pytest.raises(InputDataError, match=r"manifest\.safe: is no whole XML file"):
        read_frame(copied)
    path.unlink()
    with pytest.raises(InputDataError, match=r"manifest\.safe: no such file"):
        read_frame(copied)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("annotation/s1*-vh-*.xml", "no annotation of VH"),
        ("annotation/calibration/calibration-*-vv-*.xml", "no calibration of VV"),
        ("annotation/calibration/noise-*-vh-*.xml", "no noise of VH"),
    ],
)
def test_missing_file_is_named(copied, pattern, words):
    one(copied, pattern).unlink()
    with pytest.raises(InputDataError, match=words):
        read_frame(copied)


def test_two_images_of_a_polarisation_are_refused(copied):
    image = one(copied, "measurement/*-vv-*.tiff")
    shutil.copy(image, image.with_name(image.name.replace("001.tiff", "003.tiff")))
    with pytest.raises(InputDataError, match="2 images of VV"):
        read_frame(copied)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("Ground Range</projection>", "Slant Range</projection>", "'Slant Range'"),
        ("<numberOfLines>", "<numberOfLines>x", "numberOfLines is 'x"),
        ("<azimuthTimeInterval>", "<azimuthTimeInterval>-", "are no image"),
        ("<orbitList ", "<orbitLisp ", "mismatched"),
        ("geolocationGridPoint>", "gridPoint>", r"0 ground control point\(s\)"),
        ("<sr0>", "<sr0>NaN", "sr0 is 'NaN"),
        ("coordinateConversion", "conversion", "holds no coordinateConversion"),
    ],
)
def test_what_is_wrong_in_an_annotation_is_named(copied, old, new, words):
    path = one(copied, "annotation/s1*-vv-*.xml")
    edit(path, old, new)
    with pytest.raises(InputDataError, match=rf"(?s)-001\.xml: .*({words})"):
        read_annotation(path)


def test_orbit_that_ends_before_the_image_is_refused(copied):
    path = one(copied, "annotation/s1*-vv-*.xml")
    text = path.read_text(encoding="utf-8")
    first, *vectors = text.split("      <orbit>\n")
    rest = vectors[-1].split("</orbit>\n")[1]  # kept: 60 to 40 s before the image
    path.write_text("      <orbit>\n".join([first, *vectors[:3]]) + rest, encoding="utf-8")
    with pytest.raises(InputDataError, match="do not cover the image"):
        read_annotation(path)


def test_control_points_elsewhere_than_the_orbit_has_them_are_refused(safe):
    found = read_annotation(one(safe, "annotation/s1*-vv-*.xml"))
    assert check_geometry(found) < 0.02
    points = found.control_points.copy()
    points[:, 3] += 0.001  # degrees: 111 m
    with pytest.raises(InputDataError, match=r"control points lie 1\d\.\d pixels"):
        check_geometry(dataclasses.replace(found, control_points=points))


def test_time_of_control_points_tells_how_late_lines_are(safe):
    """The echo of a point 1 km farther travels 2 x 3.336 us longer, half of it back; times are in us."""
    found = read_annotation(one(safe, "annotation/s1*-vv-*.xml"))
    late = found.late[0] + found.late[1] * 2 / LIGHT * np.array([850e3, 851e3])
    assert np.diff(late)[0] == pytest.approx(1e3 / LIGHT, rel=0.15)
