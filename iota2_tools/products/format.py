"""What the chain knows of a product format."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path


@dataclass(frozen=True)
class Acquisition:
    """Files of one product: one sensor over one tile at one date.

    Parameters
    ----------
    name : str
        Product folder.
    day : date
        Day of acquisition (UTC).
    bands : dict of str to str
        Image file of each band.
    masks : tuple of str
        Masks in which anything but 0 is not usable.
    edge : str
        Mask in which anything but 0 was not seen (outside the swath); one of `masks`.
    """

    name: str
    day: date
    bands: dict[str, str]
    masks: tuple[str, ...]
    edge: str

    @property
    def files(self) -> list[str]:
        """Every file the chain reads."""
        return [*self.bands.values(), *self.masks]


@dataclass(frozen=True)
class ProductFormat:
    """A product format, i.e. a sensor and the layout of its files.

    Parameters
    ----------
    label : str
        Sensor in feature names: ``Sentinel2_B4_20200101``.
    pattern : re.Pattern
        Names of product folders, with a group ``day`` (YYYYMMDD).
    bands : tuple of str
        Bands in stack order.
    reference_band : str
        A band on the native grid of the tile.
    nodata : int
        Digital number of pixels that were not seen.
    index_bands : dict of str to str
        Bands called ``red``, ``nir`` and ``swir`` by the spectral indices.
    files : callable
        (folder of the product, name, level, bands) -> (band files, masks, edge mask).
    """

    label: str
    pattern: re.Pattern
    bands: tuple[str, ...]
    reference_band: str
    nodata: int
    index_bands: dict[str, str]
    files: Callable[[Path, str, str, tuple[str, ...]], tuple[dict, tuple, str]]

    def day_of(self, name: str) -> date:
        """Day of acquisition, from a product's name."""
        return datetime.strptime(self.pattern.fullmatch(name)["day"], "%Y%m%d").date()

    def product_names(self, folder: str) -> list[str]:
        """Products in a tile's folder, by day then name; one listing, nothing is opened."""
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if self.pattern.fullmatch(entry.name)]
        return sorted(names, key=lambda name: (self.day_of(name), name))

    def acquisition(
        self, folder: str, name: str, level: str, bands: tuple[str, ...]
    ) -> Acquisition:
        """Files of one product, whether they exist or not."""
        images, masks, edge = self.files(Path(folder) / name, name, level, bands)
        return Acquisition(name, self.day_of(name), images, masks, edge)


def find_acquisitions(
    product_format: ProductFormat, folder: str, names: list[str], level: str, bands: tuple[str, ...]
) -> list[Acquisition]:
    """Acquisitions of the products named, in the order given."""
    return [product_format.acquisition(folder, name, level, bands) for name in names]
