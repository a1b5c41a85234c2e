"""Images of S1Tiling written once as decibels: the values that are read from the images themselves."""

import numpy as np
from osgeo import gdal
from tiny import LEFT, values_of, write_image

from iota2_tools.products import Request, format_of
from iota2_tools.products.prepared import folder_of, prepared_acquisition
from iota2_tools.timeseries.preparation import prepare

SENSOR = "sentinel1_s1tiling"
NAME = "s1a_31TCJ_*_ASC_161_20180107t053000.tif"
OWN = {"calibration": None, "speckle_radius": 0, "prepare": True}
POWER = np.array([[0.1, 1.0], [0.0, 0.01]], np.float32)
HUNDREDTHS = np.array([[-1000, 0], [-32768, -2000]])
"""Decibels x 100 of these: 1000 log10."""


def prepared(place, masks):
    for band in ("vv", "vh"):
        path = place / NAME.replace("*", band)
        write_image(path, POWER, 10, LEFT)
        if masks:
            mask = np.array([[1, 0], [1, 1]], np.uint8)
            write_image(path.with_name(path.stem + "_BorderMask.tif"), mask, 10, LEFT)
    options = OWN | {"border_masks": masks}
    known = format_of(SENSOR, options)
    prepare(Request(place, NAME, known.band_names, options), known, place / "prepared", 1)
    ready = prepared_acquisition(known, place / "prepared", NAME, known.band_names)
    path = ready.bands["VH"].path
    assert "PREDICTOR" not in gdal.Open(path).GetMetadata("IMAGE_STRUCTURE")  # of no use to speckle
    return values_of(path), values_of(ready.masks[0].path)


def test_power_is_prepared_as_hundredths_of_a_decibel(tmp_path):
    values, mask = prepared(tmp_path, masks=True)
    assert values.dtype == np.int16
    np.testing.assert_array_equal(values, HUNDREDTHS)
    np.testing.assert_array_equal(mask, [[0, 2], [0, 0]])  # 2: the border mask has not seen it


def test_without_border_masks_zeros_alone_are_what_was_not_seen(tmp_path):
    values, mask = prepared(tmp_path, masks=False)
    np.testing.assert_array_equal(values, HUNDREDTHS)
    np.testing.assert_array_equal(mask, np.zeros((2, 2)))


def test_a_product_of_two_files_is_prepared_in_a_folder_without_star():
    assert folder_of(NAME) == "s1a_31TCJ_ASC_161_20180107t053000"
    assert folder_of("S2A_X.SAFE") == "S2A_X.SAFE"
