"""Digital numbers of every type become the same int16 values as one by one."""

import math

import numpy as np
import pytest

from iota2_tools.geo.conversion import UNSEEN, Values

ALL = {kind: np.arange(2**16).astype(np.uint16).view(kind) for kind in (np.uint16, np.int16)} | {
    kind: np.arange(2**8).astype(np.uint8).view(kind) for kind in (np.uint8, np.int8)
}


def one_by_one(values: Values, number: float) -> int:
    """By the definition, in Python's own numbers."""
    value = values.scale * number + values.offset
    if values.decibel:
        value = 1000 * math.log10(value)
    return max(-32767, min(32767, round(value)))


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    "values", [Values(0.275, -2000), Values(2, 0.5), Values(1, -1000), Values()]
)
def test_all_numbers_of_8_and_16_bits_are_converted_as_one_by_one(kind, values):
    numbers = ALL[kind].reshape(4, -1)
    found = values.of(numbers)
    assert found.dtype == np.int16
    assert found.ravel().tolist() == [one_by_one(values, int(n)) for n in numbers.ravel()]


def test_power_in_whole_numbers_becomes_decibels():
    """A digital number of 1000 at a scale of 0.0001 is 0.1: -10 dB; 0 is no power."""
    values, numbers = Values(0.0001, decibel=True), np.array([[1000, 0, 20000]], np.uint16)
    assert values.of(numbers).tolist() == [[-1000, UNSEEN, 301]]


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_decibels_are_rounded_as_those_of_double_precision(kind):
    """At the halves of hundredths, and beside them, where single precision does not tell."""
    halves = 10 ** ((np.arange(-6000, 6000) + 0.5) / 1000)
    power = halves.astype(kind)
    power = np.concatenate([power, np.nextafter(power, kind(0)), np.nextafter(power, kind(1e9))])
    found = Values(decibel=True).of(power[None])[0]
    assert found.tolist() == [round(1000 * math.log10(float(value))) for value in power]


def test_decibels_of_a_scale_are_rounded_as_those_of_double_precision():
    power = np.random.default_rng(1).lognormal(-3, 2, 20_000).astype(np.float32)
    values = Values(2.5, 0.001, decibel=True)
    found = values.of(power[None])[0]
    assert found.tolist() == [one_by_one(values, float(value)) for value in power]


def test_power_beyond_the_range_stays_at_its_ends():
    power = np.array([1e-40, 3e38, 3e38, 1e300], np.float64)
    found = Values(decibel=True).of(power[None])[0]
    assert found.tolist() == [-32767, 32767, 32767, 32767]


@pytest.mark.parametrize("values", [Values(0.275), Values(), Values(decibel=True)])
@pytest.mark.parametrize("kind", [np.uint16, np.float32])
def test_nodata_has_no_value(values, kind):
    found = values.of(np.array([[4, 7]], kind), 7)
    assert found[0, 1] == UNSEEN
    assert found[0, 0] != UNSEEN


def test_what_is_not_finite_and_power_of_0_or_less_have_no_value():
    numbers = np.array([[np.nan, np.inf, -np.inf, 0, -1, 1]], np.float32)
    assert Values().of(numbers).tolist() == [[UNSEEN] * 3 + [0, -1, 1]]
    assert Values(decibel=True).of(numbers).tolist() == [[UNSEEN] * 5 + [0]]


def test_nodata_is_of_the_type_of_the_numbers():
    """-3.4e38 of a header is another number as a double than as the float32 that the file holds."""
    lowest = np.finfo(np.float32).min
    found = Values().of(np.array([[lowest, 5]], np.float32), -3.4028234663852886e38)
    assert found.tolist() == [[UNSEEN, 5]]
    assert Values().of(np.array([[0.1]], np.float32), 0.1).tolist() == [[UNSEEN]]


def test_parts_of_a_larger_array_are_converted():
    numbers = np.arange(64, dtype=np.uint16).reshape(8, 8)[::2, 1:7:3]
    out = np.zeros((8, 4), np.int16)
    Values(0.5).of(numbers, out=out[::2, ::2])
    assert out[::2, ::2].tolist() == np.rint(0.5 * numbers).tolist()
    assert not out[1::2].any()


@pytest.mark.parametrize("scale", [1.0, 0.37, 1e-4])
def test_power_of_single_precision_becomes_decibels_over_its_whole_range(scale):
    """Every number of some octaves, the ends of all, and those at each step and beside it."""
    whole = np.arange(0x3D000000, 0x3D800000, 7, dtype=np.uint32).view(np.float32)
    ends = (np.arange(1, 255, dtype=np.uint32) << 23).view(np.float32)
    halves = (10 ** ((np.arange(-9000, 9000) + 0.5) / 1000) / scale).astype(np.float32)
    near = [np.nextafter(part, np.float32(end)) for part in (ends, halves) for end in (0, 9e9)]
    power = np.concatenate([whole, ends, halves, *near])
    with np.errstate(divide="ignore"):
        expected = np.rint(1000 * np.log10(power.astype(np.float64) * scale))
    found = Values(scale, decibel=True).of(power[None])[0]
    assert (found == expected.clip(-32767, 32767)).all()


@pytest.mark.parametrize("nodata", [0.5, -3.4e38, 2.0**40])
@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.int32, np.uint32])
def test_nodata_that_no_pixel_of_the_type_can_be_hides_none(kind, nodata):
    assert Values().of(np.array([[0, 1]], kind), nodata).tolist() == [[0, 1]]


def test_an_offset_gives_no_power_some():
    """0.01 is -20 dB; so is no number with that offset."""
    power = np.array([[0.0, -0.005, -0.02]], np.float32)
    assert Values(1, 0.01, decibel=True).of(power).tolist() == [[-2000, -2301, UNSEEN]]
