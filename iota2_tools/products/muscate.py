"""What the products of THEIA's MUSCATE have in common: names, levels of reflectance, masks.

``SENTINEL2A_20180210-105158-000_L2A_T31UDS_C_V2-2/`` holds one int16 image a band (reflectance
x 10000, nodata -10000) and ``MASKS/`` the clouds and shadows (``CLM``), saturation (``SAT``) and
edge of the swath (``EDG``), 0 where there is none of it.

References
----------
Products of MUSCATE, https://www.theia-land.fr; distributed by GEODES, https://geodes.cnes.fr.
"""

from collections.abc import Callable
from typing import Any, Literal

from pydantic import Field

from iota2_tools.config.sensors import OpticalSection, RegularSection
from iota2_tools.products.format import Files, Pixels, Request
from iota2_tools.products.images import ANY_BUT_0, Image, Mask

NODATA = -10000
PIXELS = Pixels(("Int16",), "reflectance x 10000", scale=1e-4, nodata=NODATA)
STAMP = r"(?P<day>\d{8})-(?P<time>\d{6}-\d{3})"
END = r"(?P<tile>[A-Z0-9]+)_[A-Z]_V(?P<version>\d+(?:-\d+)*)"


class MuscateSection(OpticalSection, RegularSection):
    """A sensor in the layout of MUSCATE."""

    level: Literal["FRE", "SRE"] = Field(
        "FRE",
        description="Reflectance to read, with (`FRE`) or without (`SRE`) slope correction.",
    )

    @property
    def options(self) -> dict[str, Any]:
        """Which of the images are read."""
        return {"level": self.level}


def files_with_masks(resolution: str) -> Callable[[Request], Files]:
    """Where the images of a product are, and its masks of a resolution (``R1``, ``XS``)."""

    def files(request: Request) -> Files:
        folder, name, level = request.product, request.name, request.options["level"]
        images = {
            band: Image(str(folder / f"{name}_{level}_{band}.tif"), nodata=NODATA)
            for band in request.bands
        }
        cloud, saturation, edge = (
            str(folder / "MASKS" / f"{name}_{mask}_{resolution}.tif")
            for mask in ("CLM", "SAT", "EDG")
        )
        return images, (Mask(cloud), Mask(saturation), Mask(edge, unseen=ANY_BUT_0))

    return files
