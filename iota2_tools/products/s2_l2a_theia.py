"""Sentinel-2 level 2A of THEIA (MAJA), in the layout of `muscate`, masks on the 10 m grid."""

import re
from typing import Literal, get_args

from pydantic import Field

from iota2_tools.products import muscate
from iota2_tools.products.format import Band, ProductFormat

BANDS = (
    Band("B2", 10, "blue"),
    Band("B3", 10, "green"),
    Band("B4", 10, "red"),
    Band("B5", 20, "rededge1"),
    Band("B6", 20, "rededge2"),
    Band("B7", 20, "rededge3"),
    Band("B8", 10, "nir"),
    Band("B8A", 20, "nir2"),
    Band("B11", 20, "swir"),
    Band("B12", 20, "swir2"),
)
BandName = Literal["B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B11", "B12"]
KEPT = "Bands used as features. Indices use the bands they need all the same."


class Sentinel2Theia(muscate.MuscateSection):
    """Sentinel-2 level 2A in the THEIA / MUSCATE layout, `path/TILE/PRODUCT/`."""

    keep_bands: list[BandName] = Field(list(get_args(BandName)), min_length=1, description=KEPT)


FORMAT = ProductFormat(
    label="Sentinel2",
    section=Sentinel2Theia,
    pattern=re.compile(rf"(?P<platform>SENTINEL2[A-Z])_{muscate.STAMP}_L2A_{muscate.END}"),
    example="SENTINEL2A_20180210-105158-000_L2A_{tile}_C_V2-2",
    bands=BANDS,
    pixels=muscate.PIXELS,
    files=muscate.files_with_masks("R1"),
    masks="`CLM`, `SAT`, `EDG`: anything but 0 is not usable; `EDG` was not seen",
    source="THEIA, distributed by GEODES",
)
