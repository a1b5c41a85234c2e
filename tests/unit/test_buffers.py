"""Memory that is taken once for the windows of a job."""

import numpy as np

from iota2_tools.core.buffers import Buffer


def address(array):
    return array.__array_interface__["data"][0]


def test_an_array_takes_the_place_of_one_that_is_dropped():
    buffer = Buffer()
    place = address(buffer.array((4, 5), np.int16))
    smaller = buffer.array((3, 2), np.int16)
    assert address(smaller) == place
    assert (smaller.shape, smaller.dtype, smaller.flags.c_contiguous) == ((3, 2), np.int16, True)


def test_an_array_that_is_still_there_keeps_its_values():
    buffer = Buffer()
    first = buffer.array((4, 5), np.int16)
    first[:] = 7
    part = first[1:].reshape(-1)[3:]
    del first
    second = buffer.array((4, 5), np.int16)
    second[:] = 9
    assert (part == 7).all()
    assert (second == 9).all()


def test_a_larger_array_is_whole():
    buffer = Buffer()
    buffer.array((2,), np.uint8)
    large = buffer.array((300, 300), np.float32)
    large[:] = 1
    assert large.sum() == 90_000


def test_an_array_without_elements():
    assert Buffer().array((0, 3), np.int16).shape == (0, 3)
