"""Sentinel-2 level 3A of THEIA: monthly syntheses, in the layout of `muscate`.

``SENTINEL2X_20180315-000000-000_L3A_T31UDS_C_V1-1/`` holds the flat reflectance ``FRC`` of each
band and ``MASKS/`` a flag ``FLG``: 0 no data, 1 cloud or shadow, above that kinds of ground. The
features are those of the dates of the syntheses.

References
----------
O. Hagolle et al., WASP, https://doi.org/10.5281/zenodo.1401360.
"""

import re
from typing import get_args

from pydantic import Field

from iota2_tools.config.sensors import OpticalSection
from iota2_tools.products import muscate
from iota2_tools.products.format import Files, ProductFormat, Request
from iota2_tools.products.images import Codes, Image, Mask
from iota2_tools.products.s2_l2a_theia import BANDS, KEPT, BandName


class Sentinel2L3a(OpticalSection):
    """Sentinel-2 monthly syntheses (level 3A) of THEIA, `path/TILE/PRODUCT/`, by their own dates."""

    keep_bands: list[BandName] = Field(list(get_args(BandName)), min_length=1, description=KEPT)


def _files(request: Request) -> Files:
    folder, name = request.product, request.name
    images = {
        band: Image(str(folder / f"{name}_FRC_{band}.tif"), nodata=muscate.NODATA)
        for band in request.bands
    }
    flag = Mask(str(folder / "MASKS" / f"{name}_FLG_R1.tif"), Codes((0, 1)), Codes((0,)))
    return images, (flag,)


FORMAT = ProductFormat(
    label="Sentinel2L3A",
    section=Sentinel2L3a,
    pattern=re.compile(rf"(?P<platform>SENTINEL2[A-Z])_{muscate.STAMP}_L3A_{muscate.END}"),
    example="SENTINEL2X_20180315-000000-000_L3A_{tile}_C_V1-1",
    bands=BANDS,
    pixels=muscate.PIXELS,
    files=_files,
    own_dates=True,
    masks="`FLG`: 0 was not seen, 1 is cloud or shadow; all else is clear",
    source="THEIA, distributed by GEODES",
)
