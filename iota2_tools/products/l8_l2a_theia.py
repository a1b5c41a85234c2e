"""Landsat 8 and 9 level 2A of THEIA, in the layout of `muscate`, all at 30 m."""

import re
from typing import Literal, get_args

from pydantic import Field

from iota2_tools.products import muscate
from iota2_tools.products.format import ProductFormat
from iota2_tools.products.landsat_bands import OLI
from iota2_tools.products.s2_l2a_theia import KEPT

BandName = Literal["B1", "B2", "B3", "B4", "B5", "B6", "B7"]


class Landsat8Theia(muscate.MuscateSection):
    """Landsat 8 level 2A in the THEIA / MUSCATE layout, `path/TILE/PRODUCT/`."""

    temporal_resolution: int = Field(
        16, ge=1, le=366, description="Step of the interpolation dates, days."
    )
    keep_bands: list[BandName] = Field(list(get_args(BandName)), min_length=1, description=KEPT)


FORMAT = ProductFormat(
    label="Landsat8",
    section=Landsat8Theia,
    pattern=re.compile(rf"(?P<platform>LANDSAT[89])-OLITIRS-XS_{muscate.STAMP}_L2A_{muscate.END}"),
    example="LANDSAT8-OLITIRS-XS_20180606-104459-000_L2A_{tile}_C_V2-2",
    bands=OLI,
    pixels=muscate.PIXELS,
    files=muscate.files_with_masks("XS"),
    masks="`CLM`, `SAT`, `EDG`: anything but 0 is not usable; `EDG` was not seen",
    source="THEIA, distributed by GEODES",
)
