"""Landsat 5 and 8 level 2A of THEIA in the old layout (``N2A``): one file of several bands.

``LANDSAT8_OLITIRS_XS_20130412_N2A_France-MetropoleD0005H0001/`` holds
``LANDSAT8_OLITIRS_XS_20130412_N2A_ORTHO_SURF_CORR_PENTE_France-MetropoleD0005H0001.TIF``, surface
reflectance, 6 bands of Landsat 5 and 7 of Landsat 8, 30 m, int16, nodata -10000; and ``MASK/`` the clouds
and shadows (``NUA``), saturation (``SAT``) and kinds of ground (``DIV``, whose bit 0 is no data).
Reflectance is in thousandths or in ten thousandths: the metadata beside the image say it (``QUANTIFICATION``).

References
----------
O. Hagolle, Landsat N2A format, https://labo.obs-mip.fr/multitemp (THEIA, 2014).
"""

import re
from collections.abc import Callable
from typing import Literal

from pydantic import Field

from iota2_tools.config.sensors import OpticalSection, RegularSection
from iota2_tools.core.errors import InputDataError
from iota2_tools.products.format import Band, Files, Pixels, ProductFormat, Request
from iota2_tools.products.images import Codes, Image, Mask
from iota2_tools.products.landsat_bands import OLI, TM
from iota2_tools.products.metadata import elements, finite, local, xml_of
from iota2_tools.products.s2_l2a_theia import KEPT

NODATA = -10000
FULL = 10_000
"""Reflectance 1 in int16 values of the chain."""


class LandsatOld(OpticalSection, RegularSection):
    """Landsat of THEIA in the old layout."""

    temporal_resolution: int = Field(
        16, ge=1, le=366, description="Step of the interpolation dates, days."
    )


class Landsat8Old(LandsatOld):
    """Landsat 8 level 2A of THEIA in the old layout (`N2A`), `path/TILE/PRODUCT/`."""

    keep_bands: list[Literal["B1", "B2", "B3", "B4", "B5", "B6", "B7"]] = Field(
        ["B1", "B2", "B3", "B4", "B5", "B6", "B7"], min_length=1, description=KEPT
    )


class Landsat5Old(LandsatOld):
    """Landsat 5 level 2A of THEIA in the old layout (`N2A`), `path/TILE/PRODUCT/`."""

    keep_bands: list[Literal["B1", "B2", "B3", "B4", "B5", "B7"]] = Field(
        ["B1", "B2", "B3", "B4", "B5", "B7"], min_length=1, description=KEPT
    )


def quantification(path: str) -> float:
    """Digital number of a reflectance of 1, from the metadata of a product.

    Raises
    ------
    InputDataError
        If the file cannot be read, or does not say it.
    """
    root = xml_of(path)
    found = [element.text for element in elements(root, "REFLECTANCE_QUANTIFICATION_VALUE")]
    for element in elements(root, "QUANTIFICATION"):
        said = {local(child): (child.text or "").strip() for child in element}
        if said.get("THERM_BAND", "False").lower() != "true":
            found.append(said.get("VALUE"))
    values = {finite(text) or 0.0 for text in found if text}
    if len(values) != 1 or not values <= {1000.0, 10000.0}:
        numbers = ", ".join(f"{value:g}" for value in sorted(values)) or "none"
        raise InputDataError(
            f"{path}: states no quantification of 1000 or 10000 for reflectance (found: {numbers}); "
            "without it the values mean nothing; fetch the product again"
        )
    return values.pop()


def stated_name(request: Request) -> tuple[str, str]:
    """Metadata of a product, and the name that they state."""
    path = _metadata(request)
    found = elements(xml_of(path), "IDENT")
    return path, (found[0].text or "").strip() if found else ""


def _metadata(request: Request) -> str:
    return str(request.product / f"{request.name}.xml")


def _files_of(bands: tuple[Band, ...]) -> Callable[[Request], Files]:
    order = [band.name for band in bands]

    def files(request: Request) -> Files:
        folder, name = request.product, request.name
        image = str(folder / f"{name.replace('_N2A_', '_N2A_ORTHO_SURF_CORR_PENTE_')}.TIF")
        scale = FULL / quantification(_metadata(request))
        images = {
            band: Image(image, order.index(band) + 1, NODATA, scale) for band in request.bands
        }
        cloud, saturation, ground = (
            str(folder / "MASK" / f"{name}_{mask}.TIF") for mask in ("NUA", "SAT", "DIV")
        )
        empty = Codes(bits=1)
        return images, (Mask(cloud), Mask(saturation), Mask(ground, empty, empty))

    return files


def _format(
    label: str, example: str, section: type[LandsatOld], ship: str, bands: tuple[Band, ...]
) -> ProductFormat:
    return ProductFormat(
        label=label,
        section=section,
        pattern=re.compile(
            rf"(?P<platform>{ship})_XS_(?P<day>\d{{8}})_N2A_(?:.*?)(?P<tile>D\d{{4}}H\d{{4}})"
        ),
        example=example,
        bands=bands,
        pixels=Pixels(("Int16",), "reflectance x 1000 or x 10000", nodata=NODATA, several=True),
        files=_files_of(bands),
        stated_name=stated_name,
        masks="`NUA`, `SAT`: anything but 0 is not usable; `DIV`: bit 0 was not seen",
        source="THEIA (archive)",
    )


AREA = "_XS_20130412_N2A_France-Metropole{tile}"
LANDSAT5 = _format("Landsat5", f"LANDSAT5_TM{AREA}", Landsat5Old, "LANDSAT[457]_E?TM", TM)
LANDSAT8 = _format("Landsat8Old", f"LANDSAT8_OLITIRS{AREA}", Landsat8Old, "LANDSAT8_OLITIRS", OLI)
