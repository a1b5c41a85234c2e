"""Stage prepare: what cannot be read as it is, in rasters that can."""

import json

import numpy as np
from independent import mask, pixels, products

TILE = "T31TDJ"


def test_prepare_batch_writes_the_pixels_of_a_product_in_its_zip(made):
    results = made("prepare_batch", "prepared/sentinel2")
    product = products(results.parent / "scene", TILE)[-1]
    folder = results / "prepared" / "sentinel2" / TILE
    (marker,) = folder.glob("*.json")
    told = json.loads(marker.read_text())
    assert told == {"products": [product.name], "faults": {}}
    assert marker.name.startswith(product.name.split("_")[1][:6])
    written = folder / product.name
    for band in ("B2", "B4", "B8A", "B12"):
        (source,) = product.glob(f"*_FRE_{band}.tif")
        expected = pixels(source)
        assert np.array_equal(
            pixels(written / f"{band}.tif"), np.where(expected == -10000, -32768, expected)
        )
    unseen = mask(product, "EDG") > 0
    unusable = (mask(product, "CLM") > 0) | (mask(product, "SAT") > 0)
    assert np.array_equal(pixels(written / "mask.tif"), np.where(unseen, 2, unusable))
