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
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from iota2_tools.config.sections import SensorSection
from iota2_tools.products.format import ProductFormat

Band = Literal["B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B11", "B12"]
BANDS: tuple[Band, ...] = ("B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B11", "B12")


class Sentinel2Theia(SensorSection):
    """Sentinel-2 level 2A in the THEIA / MUSCATE layout, `path/TILE/PRODUCT/`."""

    level: Literal["FRE", "SRE"] = Field(
        "FRE",
        description="Reflectance to read, with (`FRE`) or without (`SRE`) slope correction.",
    )
    keep_bands: list[Band] = Field(
        list(BANDS),
        min_length=1,
        description="Bands used as features. Indices use the bands they need all the same.",
    )


def _files(
    folder: Path, name: str, level: str, bands: Sequence[str]
) -> tuple[dict[str, str], tuple[str, ...], str]:
    images = {band: str(folder / f"{name}_{level}_{band}.tif") for band in bands}
    cloud, saturation, edge = (
        str(folder / "MASKS" / f"{name}_{mask}_R1.tif") for mask in ("CLM", "SAT", "EDG")
    )
    return images, (cloud, saturation, edge), edge


FORMAT = ProductFormat(
    label="Sentinel2",
    section=Sentinel2Theia,
    pattern=re.compile(
        r"(?P<platform>SENTINEL2[A-D])_(?P<day>\d{8})-(?P<time>\d{6}-\d{3})_L2A"
        r"_(?P<tile>[A-Z0-9]+)_[A-Z]_V(?P<version>\d+(?:-\d+)*)"
    ),
    example="SENTINEL2A_20180210-105158-000_L2A_{tile}_C_V2-2",
    bands=BANDS,
    coarse=("B5", "B6", "B7", "B8A", "B11", "B12"),
    reference_band="B2",
    dtype="Int16",
    scale=1e-4,
    nodata=-10000,
    index_bands={"red": "B4", "nir": "B8", "swir": "B11"},
    files=_files,
)
