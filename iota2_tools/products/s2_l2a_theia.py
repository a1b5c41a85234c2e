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
from pathlib import Path

from iota2_tools.products.format import ProductFormat


def _files(folder: Path, name: str, level: str, bands: tuple[str, ...]) -> tuple[dict, tuple, str]:
    images = {band: str(folder / f"{name}_{level}_{band}.tif") for band in bands}
    cloud, saturation, edge = (
        str(folder / "MASKS" / f"{name}_{mask}_R1.tif") for mask in ("CLM", "SAT", "EDG")
    )
    return images, (cloud, saturation, edge), edge


FORMAT = ProductFormat(
    label="Sentinel2",
    pattern=re.compile(r"SENTINEL2[A-D]_(?P<day>\d{8})-\d{6}-\d{3}_L2A_[A-Z0-9]+_[A-Z]_V[\d-]+"),
    bands=("B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B11", "B12"),
    reference_band="B2",
    nodata=-10000,
    index_bands={"red": "B4", "nir": "B8", "swir": "B11"},
    files=_files,
)
