"""Product formats: how an acquisition is recognised, its bands, its masks.

One module per format; each defines `FORMAT`, a `ProductFormat`, with its section of the
configuration. A new sensor is a new module and its line in `FORMATS`.
"""

from collections.abc import Mapping
from typing import Any

from iota2_tools.products import s2_l2a_theia
from iota2_tools.products.format import (
    Acquisition,
    Band,
    Identity,
    Listing,
    Pixels,
    ProductFormat,
    Request,
    same_tile,
)
from iota2_tools.products.images import Codes, Image, Mask

FORMATS: dict[str, ProductFormat] = {
    "sentinel2": s2_l2a_theia.FORMAT,
}

__all__ = [
    "FORMATS",
    "Acquisition",
    "Band",
    "Codes",
    "Identity",
    "Image",
    "Listing",
    "Mask",
    "Pixels",
    "ProductFormat",
    "Request",
    "format_of",
    "same_tile",
]


def format_of(sensor: str, options: Mapping[str, Any]) -> ProductFormat:
    """Format of a sensor, with what its section says of its files (`SensorSection.options`)."""
    found = FORMATS[sensor]
    return found.configured(options) if found.configured else found
