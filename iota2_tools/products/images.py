"""What a file of a product means: an image of quantities, a mask of codes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Image:
    """One band of a file that holds a quantity.

    The chain keeps quantities as int16: reflectance x 10000, backscatter in decibels x 100.
    A pixel whose digital number is DN has the value ``scale * DN + offset``, or with `decibel`
    ``1000 log10(scale * DN + offset)``, rounded and kept inside -32767 to 32767; one without data
    has -32768.

    Parameters
    ----------
    path : str
        File.
    band : int
        Its band, from 1.
    nodata : float, optional
        Digital number of pixels without data. It is looked for before anything is computed.
    scale, offset : float
        From digital numbers to values.
    decibel : bool
        Whether the file holds linear power. It is interpolated as such; 0 and less have no data.
    """

    path: str
    band: int = 1
    nodata: float | None = None
    scale: float = 1.0
    offset: float = 0.0
    decibel: bool = False

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> "Image":
        """The same from plain values (`dataclasses.asdict`)."""
        return cls(**given)


@dataclass(frozen=True)
class Shift:
    """How far the images and masks of an acquisition are moved before they are read.

    Parameters
    ----------
    x, y : float
        To the east and to the north, units of the tile's CRS.
    quality : float
        Share of the windows compared that agree on it, 0 to 1.
    """

    x: float
    y: float
    quality: float


@dataclass(frozen=True)
class Codes:
    """Some values of a mask.

    Parameters
    ----------
    values : tuple of int
        These values.
    bits : int
        And all that have any of these bits set.
    others : bool
        True: all values but those.
    """

    values: tuple[int, ...] = ()
    bits: int = 0
    others: bool = False

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> "Codes":
        """The same from plain values."""
        return cls(tuple(given["values"]), given["bits"], given["others"])

    def impossible(self, dtype: np.dtype) -> list[int]:
        """Values and bits that whole numbers of a type cannot be or have.

        >>> Codes(values=(3, 300), bits=0b1_0000_0001).impossible(np.dtype("uint8"))
        [300, 256]
        """
        limits = np.iinfo(dtype)
        values = [value for value in self.values if not limits.min <= value <= limits.max]
        above = self.bits >> limits.bits << limits.bits
        return [*values, *([above] if above else [])]

    def found(self, mask: np.ndarray) -> np.ndarray:
        """Where a mask holds one of the codes, bool, of its shape.

        >>> Codes(values=(3,), bits=0b100).found(np.array([0, 3, 4, 13], np.uint16)).tolist()
        [False, True, True, True]
        >>> Codes(values=(0,), others=True).found(np.array([0, 1], np.uint8)).tolist()
        [False, True]
        """
        found = np.zeros(mask.shape, dtype=bool)
        for value in self.values:
            found |= mask == value
        if self.bits:
            found |= (mask & np.asarray(self.bits).astype(mask.dtype)) != 0
        return ~found if self.others else found


NONE = Codes()
ANY_BUT_0 = Codes(values=(0,), others=True)


@dataclass(frozen=True)
class Mask:
    """One band of a file that holds codes. It is never interpolated.

    Parameters
    ----------
    path : str
        File.
    unusable : Codes
        Where the acquisition is not usable: cloud, shadow, saturation.
    unseen : Codes
        Where it did not see the ground; not usable either.
    band : int
        Band of the file, from 1.
    """

    path: str
    unusable: Codes = ANY_BUT_0
    unseen: Codes = NONE
    band: int = 1

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> "Mask":
        """The same from plain values."""
        unusable, unseen = (Codes.from_dict(given[key]) for key in ("unusable", "unseen"))
        return cls(given["path"], unusable, unseen, given["band"])
