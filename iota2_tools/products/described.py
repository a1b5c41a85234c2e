"""Series that the configuration describes: what their sections have in common."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import numpy as np
from pydantic import Field, StringConstraints

from iota2_tools.config.section import Section, Word
from iota2_tools.config.sensors import RegularSection
from iota2_tools.core.errors import Iota2Error
from iota2_tools.geo.grid import BLOCK, Window
from iota2_tools.geo.raster import open_raster, read_window
from iota2_tools.products.format import Band
from iota2_tools.products.images import Codes, Image, Mask

WHOLE_TYPES = ("Int16", "Byte", "Int8", "UInt16", "Int32", "UInt32")
TYPES = (*WHOLE_TYPES, "Float32", "Float64")
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9]*$")]

SAMPLED = 5
"""Windows along the diagonal of an image that its values are looked at in."""
LARGEST = 32767
"""Of the whole numbers that values are kept as."""
FEW = 3
"""Whole numbers that many values become where the scale is too small."""
TOLERATED = 0.05
"""Share of the values that may lie beyond what is kept: clouds, borders."""


class CodeMask(Section):
    """A raster of codes; a subclass says where it is."""

    unusable: list[int] = Field([], description="Values that are not usable (clouds, shadows).")
    unusable_bits: int = Field(0, ge=0, description="Bits that are not usable, as a number.")
    unseen: list[int] = Field([], description="Values where the ground was not seen.")

    @property
    def says_nothing(self) -> bool:
        """Whether it has no code."""
        return not (self.unusable or self.unusable_bits or self.unseen)


class DescribedSection(RegularSection):
    """A series whose bands and masks the section itself tells."""

    name: Name
    bands: dict[Name, Any]
    roles: dict[Word, Name] = Field(
        {}, description="Bands called `red`, `nir`, `swir` by indices and expressions."
    )
    keep_bands: list[Name] = Field([], description="Bands used as features. Empty: all.")
    indices: list[str] = Field(  # type: ignore[assignment]
        [], description="Spectral indices whose roles are given: NDVI, NDWI, Brightness."
    )

    @property
    def kept(self) -> list[str]:
        """Bands used as features."""
        return self.keep_bands or list(self.bands)

    @property
    def code_masks(self) -> dict[str, CodeMask]:
        """Masks by their place in the section."""
        return {}

    def contradictions(self) -> Iterator[str]:
        """Bands that are named and not there, roles of one band, masks without a code."""
        known = ", ".join(self.bands)
        for key, names in (("keep_bands", self.keep_bands), ("roles", self.roles.values())):
            for name in names:
                if name not in self.bands:
                    yield f"{key}: {name!r} is none of the bands {known}"
        for name in self.bands:
            roles = [role for role, band in self.roles.items() if band == name]
            if len(roles) > 1:
                yield f"roles: {name!r} cannot be both {' and '.join(roles)}"
        for place, mask in self.code_masks.items():
            if mask.says_nothing:
                yield f"{place} has no code: give unusable, unusable_bits or unseen"


def bands_of(names: Mapping[str, Any], roles: Mapping[str, str]) -> tuple[Band, ...]:
    """Bands of such a series; `roles` are by band."""
    return tuple(Band(name, 1.0, roles.get(name, "")) for name in names)


def mask_of(path: str, band: int, said: Mapping[str, Any]) -> Mask:
    """A mask whose codes a `CodeMask` says, as plain values."""
    unseen = Codes(tuple(said["unseen"]))
    unusable = Codes((*said["unusable"], *said["unseen"]), said["unusable_bits"])
    return Mask(path, unusable, unseen, band)


def value_remarks(name: str, image: Image) -> list[str]:
    """What is odd about the values that an image would be kept as, from a small part of it.

    Parameters
    ----------
    name : str
        Of the band.
    image : Image
        Of one that cannot be opened nothing is said here; the inventory tells.
    """
    try:
        numbers = _sample(image)
    except Iota2Error:
        return []
    if not numbers.size:
        return []
    values = numbers * image.scale + image.offset
    where = f"{image.path}, {name}"
    if image.decibel:
        lost = float(np.mean(values <= 0))
        if lost <= TOLERATED:
            return []
        return [
            f"{where}: {lost:.0%} of the values looked at are 0 or less, and have no decibels; are they decibels "
            "already (decibel: false, scale: 100)?"
        ]
    beyond = float(np.mean(np.abs(values) > LARGEST))
    if beyond > TOLERATED:
        return [
            f"{where}: {beyond:.0%} of the values looked at are more than {LARGEST}, and are cut off there; "
            "check scale and offset"
        ]
    kept, several = np.unique(np.rint(values)), np.unique(numbers)
    if len(kept) <= FEW < len(several):
        return [
            f"{where}: {several[0]:.4g} to {several[-1]:.4g} become {len(kept)} whole number(s), "
            f"{kept[0]:.0f} to {kept[-1]:.0f}; check scale (10000 for reflectance in fractions)"
        ]
    return []


def _sample(image: Image) -> np.ndarray:
    """Digital numbers with data along the diagonal of an image, float64."""
    dataset = open_raster(image.path)
    if dataset.RasterCount < image.band:
        return np.empty(0)
    side = min(BLOCK // 4, dataset.RasterYSize, dataset.RasterXSize)
    parts = []
    for step in np.linspace(0, 1, SAMPLED):
        row, col = (
            int(step * (length - side)) for length in (dataset.RasterYSize, dataset.RasterXSize)
        )
        parts.append(read_window(dataset, Window(row, col, side, side), image.band))
    numbers = np.concatenate([part.ravel() for part in parts]).astype(np.float64)
    there = np.isfinite(numbers)
    if image.nodata is not None:
        there &= numbers != image.nodata
    return numbers[there]
