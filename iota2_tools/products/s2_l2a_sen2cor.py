"""Sentinel-2 level 2A of Sen2Cor, in the SAFE layout of ESA.

``S2B_MSIL2A_20210122T133229_N0214_R081_T22HBD_20210122T155500.SAFE/`` holds JPEG 2000 images,
``GRANULE/*/IMG_DATA/R10m/*_B04_10m.jp2``, uint16: reflectance is (DN + ``BOA_ADD_OFFSET``) /
quantification. The offsets stand in ``MTD_MSIL2A.xml`` from processing baseline 04.00 on, by a
number of the band that counts B10, which level 2A does not have. 0 is no data, before the offset
is added. ``SCL`` (20 m) has classes: 0 no data, 1 saturated, 3 shadow, 8 and 9 cloud, 10 cirrus.
Images are prepared once (`timeseries.preparation`): decoding takes longer than all the rest.

References
----------
Sentinel-2 Products Specification Document, S2-PDGS-TAS-DI-PSD, V14.9; PSD 4.2.10 (L2A).
"""

import re
from typing import get_args

from pydantic import Field

from iota2_tools.config.sensors import OpticalSection, RegularSection
from iota2_tools.core.errors import InputDataError
from iota2_tools.products.format import Files, Pixels, ProductFormat, Request
from iota2_tools.products.images import Codes, Image, Mask
from iota2_tools.products.metadata import elements, finite, names_in, number_in, xml_of
from iota2_tools.products.s2_l2a_theia import BANDS, KEPT, BandName

METADATA = "MTD_MSIL2A.xml"
FULL = 10_000
"""Reflectance 1 in the int16 values of the chain."""
NUMBERED = (
    "B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12",
)  # fmt: skip
"""Bands by their `band_id`."""
OFFSET_SINCE = 4.0
"""Processing baseline from which on the metadata state an offset."""
NOT_CLEAR, NO_DATA = Codes((0, 1, 3, 8, 9, 10)), Codes((0,))
_IMAGE = re.compile(r"(?:^|.*[/_])(?P<band>B\d\d|B8A|SCL)(?:_(?P<metres>\d\d)m)?\.jp2")


class Sentinel2Sen2Cor(OpticalSection, RegularSection):
    """Sentinel-2 level 2A of Sen2Cor (SAFE), `path/TILE/PRODUCT.SAFE/`, prepared before it is read."""

    keep_bands: list[BandName] = Field(list(get_args(BandName)), min_length=1, description=KEPT)


def _files(request: Request) -> Files:
    root = request.root
    found = images_of(root)
    metadata = f"{root}/{METADATA}"
    scale, offsets = calibration(metadata)
    names = {band: _long(band) for band in request.bands}
    missing = [band for band, name in names.items() if name not in found]
    if missing:
        raise InputDataError(
            f"{root}: holds no image of band {', '.join(missing)}; fetch the product again, or leave "
            "the band out (products made at 20 m have no B8; B8A is near)"
        )
    silent = [band for band, name in names.items() if offsets and name not in offsets]
    if silent:
        raise InputDataError(
            f"{metadata}: states no BOA_ADD_OFFSET of band {', '.join(silent)}, and one of others; "
            "fetch the product again"
        )
    images = {
        band: Image(found[name], 1, 0, scale, offsets.get(name, 0.0) * scale)
        for band, name in names.items()
    }
    if "SCL" not in found:
        raise InputDataError(
            f"{root}: holds no scene classification (SCL), which tells clouds; fetch the product again"
        )
    return images, (Mask(found["SCL"], NOT_CLEAR, NO_DATA),)


def _long(band: str) -> str:
    """Name of a band in a SAFE: B4 is B04."""
    return band if len(band) == len("B8A") else f"B0{band[1:]}"


def images_of(root: str) -> dict[str, str]:
    """Image of each band in a SAFE, of the finest resolution there is; the classes as ``SCL``."""
    best: dict[str, tuple[int, str]] = {}
    for name in names_in(root):
        match = _IMAGE.fullmatch(name)
        if not match or "IMG_DATA" not in name:
            continue
        folder = re.search(r"/R(\d\d)m/", name)
        metres = int(match["metres"] or (folder[1] if folder else 99))
        if match["band"] not in best or metres < best[match["band"]][0]:
            best[match["band"]] = metres, f"{root}/{name}"
    return {band: path for band, (_, path) in best.items()}


def calibration(metadata: str) -> tuple[float, dict[str, float]]:
    """Factor from digital numbers to reflectance x 10000, and offset of each band, digital numbers.

    Raises
    ------
    InputDataError
        If the metadata lack the quantification, or the offsets that their baseline must have.
    """
    root = xml_of(metadata)
    quantification = number_in(metadata, "BOA_QUANTIFICATION_VALUE")
    if quantification is None or quantification <= 0:
        raise InputDataError(
            f"{metadata}: states no BOA_QUANTIFICATION_VALUE; fetch the product again"
        )
    scale, offsets = FULL / quantification, {}
    for element in elements(root, "BOA_ADD_OFFSET"):
        number, value = element.attrib.get("band_id", ""), finite(element.text)
        if value is None or not number.isdecimal() or int(number) >= len(NUMBERED):
            raise InputDataError(
                f"{metadata}: states a BOA_ADD_OFFSET of {element.text!r} for band_id {number!r}, which is "
                "no number of a band; fetch the product again"
            )
        offsets[NUMBERED[int(number)]] = value
    baseline = number_in(metadata, "PROCESSING_BASELINE")
    if not offsets and baseline is None:
        raise InputDataError(
            f"{metadata}: states neither BOA_ADD_OFFSET nor PROCESSING_BASELINE, which tells whether there "
            "is one; fetch the product again"
        )
    if not offsets and baseline is not None and baseline >= OFFSET_SINCE:
        raise InputDataError(
            f"{metadata}: states no BOA_ADD_OFFSET, which baseline {baseline:05.2f} has; fetch the product "
            "again (reflectance would be 0.1 too high)"
        )
    return scale, offsets


def stated_name(request: Request) -> tuple[str, str]:
    """Metadata of a product, and the name that they state."""
    path = f"{request.root}/{METADATA}"
    found = elements(xml_of(path), "PRODUCT_URI")
    return path, (found[0].text or "").strip() if found else ""


FORMAT = ProductFormat(
    label="Sentinel2S2C",
    section=Sentinel2Sen2Cor,
    pattern=re.compile(
        r"(?P<platform>S2[A-Z])_MSIL2A_(?P<day>\d{8})T(?P<time>\d{6})_N(?P<version>\d{4})"
        r"_R(?P<orbit>\d{3})_T(?P<tile>\d{2}[A-Z]{3})_(?P<made>\d{8}T\d{6})(?:\.SAFE)?"
    ),
    example="S2A_MSIL2A_20180131T105031_N0214_R051_{tile}_20180131T145031.SAFE",
    bands=BANDS,
    pixels=Pixels(
        ("UInt16",), "reflectance x 10000, with an offset from baseline 04.00 on", nodata=0
    ),
    files=_files,
    must_be_prepared=True,
    stated_name=stated_name,
    masks="`SCL`: 0 was not seen; 1 saturated, 3 shadow, 8, 9 cloud, 10 cirrus are not usable",
    source="Copernicus Data Space (PEPS, which had it, is closed)",
)
