"""Landsat Collection 2 level 2 of the USGS: surface reflectance, surface temperature, quality.

A scene ``LC08_L2SP_199026_20180606_20200831_02_T1/`` holds uint16 images ``_SR_B4.TIF`` of 30 m:
reflectance is DN x 0.0000275 - 0.2, fill 0. ``_ST_B10.TIF`` (``_ST_B6.TIF``) is temperature,
DN x 0.00341802 + 149 K, kept here as K x 10. ``_QA_PIXEL.TIF`` has a bit for fill (0), dilated
cloud (1), cirrus (2), cloud (3), shadow (4), ``_QA_RADSAT.TIF`` one for each saturated band.
``L2SR`` are scenes without temperature. Stripes of Landsat 7 after 2003 are fill. Scenes lie by path
and row, not by tile.

References
----------
Landsat 8-9 Collection 2 Level 2 Science Product Guide, LSDS-1619; Landsat 4-7, LSDS-1618.
"""

import re
from typing import Literal

from pydantic import Field

from iota2_tools.config.sensors import OpticalSection, RegularSection
from iota2_tools.products.format import Band, Files, Pixels, ProductFormat, Request
from iota2_tools.products.images import Codes, Image, Mask
from iota2_tools.products.landsat_bands import OLI, TM
from iota2_tools.products.s2_l2a_theia import KEPT

TEMPERATURE = "temperature"
SCALE, OFFSET = 0.275, -2000.0
"""From digital numbers to reflectance x 10000."""
KELVIN_SCALE, KELVIN_OFFSET = 0.0341802, 1490.0
"""From digital numbers to kelvin x 10."""
NOT_CLEAR, FILL = Codes(bits=0b11111), Codes(bits=0b1)
OLI_TIRS = (*OLI, Band("ST_B10", 30, TEMPERATURE, is_reflectance=False))
TM_THERMAL = (*TM, Band("ST_B6", 30, TEMPERATURE, is_reflectance=False))


class LandsatUsgs(OpticalSection, RegularSection):
    """Landsat Collection 2 level 2 of the USGS."""

    temporal_resolution: int = Field(
        16, ge=1, le=366, description="Step of the interpolation dates, days."
    )


class Landsat8Usgs(LandsatUsgs):
    """Landsat 8 and 9, Collection 2 level 2 of the USGS, `path/TILE/SCENE/`."""

    keep_bands: list[Literal["B1", "B2", "B3", "B4", "B5", "B6", "B7", "ST_B10"]] = Field(
        ["B1", "B2", "B3", "B4", "B5", "B6", "B7"],
        min_length=1,
        description=f"{KEPT} `ST_B10` is the temperature of the surface, K x 10.",
    )


class LandsatTmUsgs(LandsatUsgs):
    """Landsat 4, 5 or 7, Collection 2 level 2 of the USGS, `path/TILE/SCENE/`."""

    keep_bands: list[Literal["B1", "B2", "B3", "B4", "B5", "B7", "ST_B6"]] = Field(
        ["B1", "B2", "B3", "B4", "B5", "B7"],
        min_length=1,
        description=f"{KEPT} `ST_B6` is the temperature of the surface, K x 10.",
    )


def _files(request: Request) -> Files:
    folder, name = request.product, request.name
    images = {}
    for band in request.bands:
        if band.startswith("ST_"):
            images[band] = Image(
                str(folder / f"{name}_{band}.TIF"), 1, 0, KELVIN_SCALE, KELVIN_OFFSET
            )
        else:
            images[band] = Image(str(folder / f"{name}_SR_{band}.TIF"), 1, 0, SCALE, OFFSET)
    quality = Mask(str(folder / f"{name}_QA_PIXEL.TIF"), NOT_CLEAR, FILL)
    saturated = [1 << int(band[1:]) - 1 for band in request.bands if not band.startswith("ST_")]
    radsat = Mask(str(folder / f"{name}_QA_RADSAT.TIF"), Codes(bits=sum(saturated)))
    return images, (quality, radsat)


def _format(
    label: str, example: str, section: type[LandsatUsgs], ships: str, bands: tuple[Band, ...]
) -> ProductFormat:
    return ProductFormat(
        label=label,
        section=section,
        pattern=re.compile(
            rf"(?P<platform>L[A-Z]0{ships})_L2S[PR]_(?P<orbit>\d{{6}})_(?P<day>\d{{8}})"
            r"_(?P<version>\d{8}_02)_(?:T1|T2|RT)"
        ),
        example=f"{example}_L2SP_199026_20100606_20200831_02_T1",
        bands=bands,
        pixels=Pixels(("UInt16",), "reflectance / 0.0000275", 0.0000275, -0.2, 0),
        files=_files,
        mask_types=("UInt16",),
        on_tile=False,
        masks=(
            "`QA_PIXEL`: bit 0 was not seen; 1 dilated cloud, 2 cirrus, 3 cloud, 4 shadow are not usable. "
            "`QA_RADSAT`: a bit a saturated band"
        ),
        source="USGS, EarthExplorer or the landsatlook STAC",
    )


LANDSAT5 = _format("Landsat5USGS", "LT05", LandsatTmUsgs, "[45]", TM_THERMAL)
LANDSAT7 = _format("Landsat7USGS", "LE07", LandsatTmUsgs, "[7]", TM_THERMAL)
LANDSAT8 = _format("Landsat8USGS", "LC08", Landsat8Usgs, "[89]", OLI_TIRS)
