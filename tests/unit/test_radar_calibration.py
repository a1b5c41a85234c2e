"""From digital numbers to backscatter: values by hand; nodata and borders."""

import math

import numpy as np
import pytest
from osgeo import gdal

from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.grid import Window
from iota2_tools.radar.borders import border_width, find_borders
from iota2_tools.radar.calibration import (
    AzimuthBlock,
    Noise,
    Vectors,
    backscatter,
    read_calibration,
    read_noise,
)
from iota2_tools.radar.decibels import to_decibels, to_power


def vectors(lines, samples, values) -> Vectors:
    return Vectors(
        np.array(lines, dtype=float),
        tuple(np.array(samples, dtype=float) for _ in lines),
        tuple(np.array(row, dtype=float) for row in values),
    )


def image_of(numbers: np.ndarray) -> gdal.Dataset:
    rows, cols = numbers.shape
    dataset = gdal.GetDriverByName("MEM").Create("", cols, rows, 1, gdal.GDT_UInt16)
    dataset.GetRasterBand(1).WriteArray(numbers.astype(np.uint16))
    return dataset


# Values by hand.


def test_number_250_of_amplitude_500_is_a_quarter():
    """250 ** 2 / 500 ** 2 = 0.25 = -6.0206 dB."""
    power = backscatter(np.array([[250]], np.uint16), np.array([[500.0]], np.float32))
    assert power.tolist() == [[0.25]]
    assert to_decibels(power).tolist() == [[-602]]


def test_noise_is_taken_from_the_squared_number():
    """(250 ** 2 - 12500) / 500 ** 2 = 0.2; what is below the noise is 0, not negative."""
    numbers = np.array([[250, 100]], np.uint16)
    noise = np.full((1, 2), 12500, np.float32)
    power = backscatter(numbers, np.full((1, 2), 500, np.float32), noise)
    assert power.tolist() == [[pytest.approx(0.2), 0.0]]


def test_zero_is_no_data_before_anything_else():
    numbers = np.array([[0, 1]], np.uint16)
    power = backscatter(numbers, np.ones((1, 2), np.float32), np.zeros((1, 2), np.float32))
    assert np.isnan(power[0, 0])
    assert power[0, 1] == 1.0


def test_large_numbers_do_not_wrap():
    """65535 squared is 4294836225: it fits neither uint16 nor int32."""
    power = backscatter(np.array([[65535]], np.uint16), np.ones((1, 1), np.float32))
    assert power[0, 0] == pytest.approx(4294836225, rel=1e-7)


def test_amplitude_is_linear_in_line_and_sample():
    """Sample 1 of 4: 425 of 400 and 500, 675 of 600 and 900; line 5 of 10: 550 between them."""
    table = vectors([0, 10], [0, 4], [[400, 500], [600, 900]])
    whole = table.over(Window(0, 0, 11, 5))
    assert whole[0].tolist() == [400, 425, 450, 475, 500]
    assert whole[10].tolist() == [600, 675, 750, 825, 900]
    assert whole[5, 1] == 0.5 * (425 + 675)
    assert table.over(Window(5, 1, 1, 1)).tolist() == [[550.0]]


def test_beyond_the_vectors_the_nearest_holds():
    """The noise of real products ends before the image does."""
    table = vectors([2, 4], [1, 2], [[10, 20], [30, 40]])
    whole = table.over(Window(0, 0, 7, 4))
    assert whole[:3].tolist() == [[10, 10, 20, 20]] * 3
    assert whole[3].tolist() == [20, 20, 30, 30]
    assert whole[4:].tolist() == [[30, 30, 40, 40]] * 3


def test_one_vector_holds_for_all_lines():
    table = vectors([5], [0, 1], [[1, 2]])
    assert table.over(Window(0, 0, 9, 2)).tolist() == [[1, 2]] * 9


def test_windows_of_vectors_are_the_whole_at_once():
    generator = np.random.default_rng(1)
    table = vectors([-3, 4, 11, 30], [0, 5, 9, 20], generator.uniform(300, 700, (4, 4)))
    whole = table.over(Window(0, 0, 25, 21))
    for window in (Window(0, 0, 3, 4), Window(4, 7, 1, 1), Window(10, 3, 15, 18)):
        assert table.over(window).tolist() == whole[window.slices].tolist()


def test_noise_is_range_times_azimuth_in_its_blocks():
    """Two blocks with lines and samples of their own; 1 where there is none."""
    noise = Noise(
        vectors([0, 4], [0, 5], [[100, 100], [200, 200]]),
        (
            AzimuthBlock(Window(0, 0, 3, 2), np.array([0.0, 2.0]), np.array([1.0, 3.0])),
            AzimuthBlock(Window(1, 2, 4, 3), np.array([1.0, 4.0]), np.array([2.0, 2.0])),
        ),
    )
    # Along range: 100, 125, 150, 175, 200. First block: 1, 2, 3 in lines 0 to 2.
    expected = [
        [100, 100, 100, 100, 100, 100],
        [250, 250, 250, 250, 250, 125],
        [450, 450, 300, 300, 300, 150],
        [175, 175, 350, 350, 350, 175],
        [200, 200, 400, 400, 400, 200],
    ]
    assert noise.over(Window(0, 0, 5, 6)).tolist() == expected
    assert noise.over(Window(2, 1, 2, 2)).tolist() == [[450, 300], [175, 350]]


# Files.

OLD_NOISE = """<noise><noiseVectorList count="1"><noiseVector><line>0</line>
<pixel count="2">0 10</pixel><noiseLut count="2">1.0e3 2.0e3</noiseLut></noiseVector>
</noiseVectorList></noise>"""
NEW_NOISE = """<noise><noiseRangeVectorList count="1"><noiseRangeVector><line>0</line>
<pixel count="2">0 10</pixel><noiseRangeLut count="2">1.0e3 2.0e3</noiseRangeLut></noiseRangeVector>
</noiseRangeVectorList><noiseAzimuthVectorList count="1"><noiseAzimuthVector><swath>IW1</swath>
<firstAzimuthLine>1</firstAzimuthLine><firstRangeSample>2</firstRangeSample>
<lastAzimuthLine>3</lastAzimuthLine><lastRangeSample>5</lastRangeSample>
<line count="2">1 3</line><noiseAzimuthLut count="2">1.0 2.0</noiseAzimuthLut>
</noiseAzimuthVector></noiseAzimuthVectorList></noise>"""
CALIBRATION = """<calibration><calibrationVectorList count="2">
<calibrationVector><line>0</line><pixel count="2">0 10</pixel>
<sigmaNought count="2">660 650</sigmaNought><betaNought count="2">474 474</betaNought>
<gamma count="2">600 590</gamma></calibrationVector>
<calibrationVector><line>10</line><pixel count="2">0 10</pixel>
<sigmaNought count="2">680 670</sigmaNought><betaNought count="2">474 474</betaNought>
<gamma count="2">620 610</gamma></calibrationVector></calibrationVectorList></calibration>"""


def written(folder, text):
    path = folder / "file.xml"
    path.write_text(text, encoding="utf-8")
    return path


def test_noise_of_old_and_new_processors(tmp_path):
    old = read_noise(written(tmp_path, OLD_NOISE))
    assert old.over(Window(0, 5, 1, 1)).tolist() == [[1500.0]]
    new = read_noise(written(tmp_path, NEW_NOISE))
    # Line 2 is half-way from 1 to 2; samples 2 to 5, the last included.
    assert new.over(Window(2, 0, 1, 7)).tolist() == [
        [1000, 1100, 1.5 * 1200, 1.5 * 1300, 1.5 * 1400, 1.5 * 1500, 1600]
    ]
    assert new.over(Window(4, 3, 1, 1)).tolist() == [[1300]]


@pytest.mark.parametrize(("kind", "expected"), [("sigma", 665), ("beta", 474), ("gamma", 605)])
def test_each_coefficient_has_its_table(tmp_path, kind, expected):
    table = read_calibration(written(tmp_path, CALIBRATION), kind)
    assert table.over(Window(5, 5, 1, 1)).tolist() == [[expected]]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("calibrationVector>", "other>", "no vector of gamma"),
        ("<gamma", "<gamme", "no whole XML"),
        (
            '<gamma count="2">600 590',
            '<gamma count="2">600',
            "2 samples that must rise, and 1 values",
        ),
        ("0 10</pixel>\n<sigma", "10 0</pixel>\n<sigma", "must rise"),
        ("600 590", "600 0", "gamma has a value that is not positive"),
        ("600 590", "600 five", "holds what is no number"),
        ("600 590", "", "gamma is empty"),
    ],
)
def test_what_is_wrong_in_a_calibration_is_named(tmp_path, old, new, words):
    path = written(tmp_path, CALIBRATION.replace(old, new))
    with pytest.raises(InputDataError, match=rf"file\.xml: .*{words}"):
        read_calibration(path, "gamma")


def test_noise_file_without_vectors_is_refused(tmp_path):
    with pytest.raises(InputDataError, match="no vector of noiseRangeLut"):
        read_noise(written(tmp_path, "<noise></noise>"))


# Decibels.


def test_means_are_linear():
    """The mean of 0.01 and 0.09 is 0.05 = -13.010 dB; that of their decibels would be -15.229."""
    stored = to_decibels(np.array([0.01, 0.09], np.float32))
    assert stored.tolist() == [-2000, -1046]
    mean = to_power(stored).mean()
    assert 10 * math.log10(mean) == pytest.approx(-13.010, abs=0.01)
    assert stored.mean() / 100 == pytest.approx(-15.229, abs=0.01)


def test_what_is_not_seen_and_what_is_dark_differ():
    stored = to_decibels(np.array([np.nan, 0.0, 1e-7, 1.0, 1000.0], np.float32))
    assert stored.dtype == np.int16
    assert stored.tolist() == [-32768, -5000, -5000, 0, 3000]
    assert np.isnan(to_power(stored)[0])
    assert to_power(stored)[3:].tolist() == pytest.approx([1.0, 1000.0])


# Borders of processors before 2.90.


def test_border_ends_where_the_noise_begins():
    """Left-overs of 5, then water at the noise, 40, and land: water is kept."""
    numbers = np.concatenate([np.full(50, 5), np.full(60, 40), np.full(100, 300)])
    power = np.tile(numbers.astype(np.float32) ** 2, (2, 1))
    least = np.full(power.shape, 800, np.float32)  # half of a noise of 1600
    assert border_width(power, least).tolist() == [50, 50]


def test_a_bright_left_over_does_not_end_the_border():
    power = np.full((1, 100), 25, np.float32)
    power[0, 10] = 10000  # mean over 32 pixels: 336
    power[0, 60:] = 1600
    assert border_width(power, np.full((1, 100), 800, np.float32)).tolist() == [60]
    assert border_width(power[:, :40], np.full((1, 40), 800, np.float32)).tolist() == [40]


def test_borders_are_found_on_all_sides():
    numbers = np.full((120, 150), 7)
    numbers[10:100, 20:130] = 45
    noise = Noise(vectors([0], [0, 149], [[1600, 1600]]))
    inside = find_borders(image_of(numbers), noise).inside(Window(0, 0, 120, 150))
    rows, cols = np.nonzero(inside)
    assert (rows.min(), rows.max(), cols.min(), cols.max()) == (10, 99, 20, 129)
    assert inside.sum() == 90 * 110


def test_notches_of_the_border_are_found_from_each_side():
    """Each is seen along one axis alone: across it the image begins and ends with data."""
    numbers = np.full((120, 150), 45)
    numbers[40:60, :30] = numbers[50:80, -25:] = 7
    numbers[:25, 70:90] = numbers[-20:, 60:100] = 7
    noise = Noise(vectors([0], [0, 149], [[1600, 1600]]))
    inside = find_borders(image_of(numbers), noise).inside(Window(0, 0, 120, 150))
    assert (inside == (numbers == 45)).all()


def test_dark_water_inside_is_kept():
    numbers = np.full((120, 150), 45)
    numbers[40:80, 60:90] = 5
    noise = Noise(vectors([0], [0, 149], [[1600, 1600]]))
    borders = find_borders(image_of(numbers), noise)
    assert borders.inside(Window(0, 0, 120, 150)).all()
    assert borders.inside(Window(50, 70, 3, 4)).shape == (3, 4)
