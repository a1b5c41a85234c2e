"""Sentinel-2 level 2A in the THEIA / MUSCATE layout.

``TILE/SENTINEL2A_20180210-105158-000_L2A_T31UDS_C_V2-2/`` holds one int16 image per band
(reflectance x 10000, nodata -10000), flat reflectance ``FRE`` or surface reflectance ``SRE``;
``MASKS/`` the clouds and shadows (``CLM``), saturation (``SAT``) and swath edge (``EDG``), on the
10 m grid (``R1``) and the 20 m grid (``R2``).

References
----------
Format description: https://www.theia-land.fr (Sentinel-2 L2A, MAJA products).
"""

import re
from typing import Any, Literal, get_args

from pydantic import Field

from iota2_tools.config.sections import OpticalSection
from iota2_tools.products.format import Band, Pixels, ProductFormat, Request
from iota2_tools.products.images import ANY_BUT_0, Image, Mask

NODATA = -10000
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


class Sentinel2Theia(OpticalSection):
    """Sentinel-2 level 2A in the THEIA / MUSCATE layout, `path/TILE/PRODUCT/`."""

    level: Literal["FRE", "SRE"] = Field(
        "FRE",
        description="Reflectance to read, with (`FRE`) or without (`SRE`) slope correction.",
    )
    keep_bands: list[BandName] = Field(
        list(get_args(BandName)),
        min_length=1,
        description="Bands used as features. Indices use the bands they need all the same.",
    )

    @property
    def options(self) -> dict[str, Any]:
        """Which of the images are read."""
        return {"level": self.level}


def _files(request: Request) -> tuple[dict[str, Image], tuple[Mask, ...]]:
    folder, name, level = request.product, request.name, request.options["level"]
    images = {
        band: Image(str(folder / f"{name}_{level}_{band}.tif"), nodata=NODATA)
        for band in request.bands
    }
    cloud, saturation, edge = (
        str(folder / "MASKS" / f"{name}_{mask}_R1.tif") for mask in ("CLM", "SAT", "EDG")
    )
    return images, (Mask(cloud), Mask(saturation), Mask(edge, unseen=ANY_BUT_0))


FORMAT = ProductFormat(
    label="Sentinel2",
    section=Sentinel2Theia,
    pattern=re.compile(
        r"(?P<platform>SENTINEL2[A-Z])_(?P<day>\d{8})-(?P<time>\d{6}-\d{3})_L2A"
        r"_(?P<tile>[A-Z0-9]+)_[A-Z]_V(?P<version>\d+(?:-\d+)*)"
    ),
    example="SENTINEL2A_20180210-105158-000_L2A_{tile}_C_V2-2",
    bands=BANDS,
    pixels=Pixels(("Int16",), "reflectance x 10000", scale=1e-4, nodata=NODATA),
    files=_files,
)
