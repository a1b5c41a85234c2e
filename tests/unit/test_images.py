"""Codes of masks, and what the formats say of their files."""

import numpy as np
import pytest

from iota2_tools.products.images import ANY_BUT_0, NONE, Codes, Image, Mask

CLEAR, CIRRUS, CLOUD, SHADOW, FILL = 21824, 54596, 22280, 23888, 1
"""QA_PIXEL of Landsat Collection 2; 21824 in eight bits would be 255."""


def test_bits_of_sixteen_are_looked_at():
    codes = Codes(bits=0b11111)
    mask = np.array([CLEAR, CIRRUS, CLOUD, SHADOW, FILL, 5440], np.uint16)
    assert codes.found(mask).tolist() == [False, True, True, True, True, False]


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "uint16", "int32"])
def test_values_are_looked_for_in_any_type(dtype):
    mask = np.array([0, 1, 3, 8, 9, 10, 4, 11], dtype)
    found = Codes(values=(0, 1, 3, 8, 9, 10)).found(mask)
    assert found.tolist() == [True] * 6 + [False] * 2


def test_any_but_0_and_none():
    mask = np.array([[0, 1], [255, 0]], np.uint8)
    assert ANY_BUT_0.found(mask).tolist() == [[False, True], [True, False]]
    assert not NONE.found(mask).any()


def test_what_a_file_means_goes_through_json_unchanged():
    import json
    from dataclasses import asdict

    mask = Mask("qa.tif", Codes(bits=30), Codes(bits=1), band=2)
    assert Mask.from_dict(json.loads(json.dumps(asdict(mask)))) == mask
    image = Image("b.tif", 3, 0, 0.275, -2000, False)
    assert Image.from_dict(json.loads(json.dumps(asdict(image)))) == image
