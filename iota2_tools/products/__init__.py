"""Product formats: how an acquisition is recognised, its bands, its masks.

One module per format; each defines `FORMAT`, a `ProductFormat`. A new sensor is a new module,
its line in `FORMATS` and its section in `workflow/schemas/config.schema.yaml`.
"""

from iota2_tools.products import s2_l2a_theia
from iota2_tools.products.format import Acquisition, ProductFormat, find_acquisitions

FORMATS: dict[str, ProductFormat] = {
    "sentinel2": s2_l2a_theia.FORMAT,
}

__all__ = ["FORMATS", "Acquisition", "ProductFormat", "find_acquisitions"]
