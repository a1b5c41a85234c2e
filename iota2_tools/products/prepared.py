"""Prepared products: what `timeseries.preparation` has made of those that cannot be read as they are.

A folder of the name of the product holds one int16 image a band, ``B4.tif``, in its own resolution,
-32768 without data, and ``mask.tif``: 0 clear, 1 not usable, 2 not seen.
"""

from collections.abc import Sequence
from pathlib import Path

from iota2_tools.products.format import Acquisition, Pixels, ProductFormat
from iota2_tools.products.images import Codes, Image, Mask

NODATA = -32768
CLEAR, UNUSABLE, UNSEEN = 0, 1, 2
MASK = "mask.tif"
ABOUT = "prepared.json"
PIXELS = Pixels(("Int16",), "prepared values", nodata=NODATA)


def folder_of(name: str) -> str:
    """Name of the folder of a prepared product; that of several files has none of their ends.

    >>> folder_of("s1a_31UDS_*_ASC_161_20180104txxxxxx.tif")
    's1a_31UDS_ASC_161_20180104txxxxxx'
    """
    return name if "*" not in name else Path(name.replace("*_", "")).stem


def prepared_acquisition(
    product_format: ProductFormat,
    folder: Path,
    name: str,
    bands: Sequence[str],
    counts: bool = True,
) -> Acquisition:
    """Files of a prepared product, whether they exist or not."""
    identity = product_format.recognise(name)
    assert identity is not None, name
    if product_format.prepared_files:
        return Acquisition(
            name, identity.day, *product_format.prepared_files(folder / name, bands), counts
        )
    place = folder / folder_of(name)
    images = {band: Image(str(place / f"{band}.tif"), nodata=NODATA) for band in bands}
    mask = Mask(str(place / MASK), Codes((UNUSABLE, UNSEEN)), Codes((UNSEEN,)))
    return Acquisition(name, identity.day, images, (mask,), counts)
