"""Product formats: how an acquisition is recognised, its bands, its masks.

One module per format; each defines `FORMAT`, a `ProductFormat`, with its section of the
configuration. A new sensor is a new module and its line in `FORMATS`.
"""

from iota2_tools.products import s2_l2a_theia
from iota2_tools.products.format import (
    Acquisition,
    Identity,
    Listing,
    ProductFormat,
    same_tile,
)

FORMATS: dict[str, ProductFormat] = {
    "sentinel2": s2_l2a_theia.FORMAT,
}

__all__ = ["FORMATS", "Acquisition", "Identity", "Listing", "ProductFormat", "same_tile"]
