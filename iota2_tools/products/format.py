"""What the chain knows of a product format: names, identities, bands, masks.

A format is data first: `ProductFormat`. What identifies a product (tile, time, platform, orbit,
version) is stated here once, from its name, and carried by the plan.
"""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from iota2_tools.config.sections import SensorSection
from iota2_tools.core.errors import InputDataError

DEPTH = 6
"""Numbers of a version that are compared."""
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".7z", ".gz")


@dataclass(frozen=True)
class Identity:
    """What a product is, from its name.

    Parameters
    ----------
    name : str
        Product folder.
    tile : str or None
        Tile in the name, where the format states one.
    time : datetime
        Begin of the acquisition, UTC, as precise as the name tells.
    platform : str
        Satellite.
    orbit : int or None
        Relative orbit, where the name states it.
    version : tuple of int
        Of the processing; larger is newer.
    """

    name: str
    tile: str | None
    time: datetime
    platform: str
    orbit: int | None
    version: tuple[int, ...]

    @property
    def day(self) -> date:
        """Day of acquisition (UTC)."""
        return self.time.date()

    @property
    def order(self) -> tuple[date, datetime, str, tuple[int, ...], str]:
        """Place among the products of a tile: by time; of one acquisition the newest first."""
        newest_first = tuple(-number for number in (*self.version, *[0] * DEPTH)[:DEPTH])
        return self.day, self.time, self.platform, newest_first, self.name

    @property
    def acquisition(self) -> tuple[str, datetime, int | None]:
        """What all versions of one acquisition have in common."""
        return self.platform, self.time, self.orbit


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
    counts : bool
        False in the margin around the period: it helps to fill gaps, and is no clear date.
    """

    name: str
    day: date
    bands: dict[str, str]
    masks: tuple[str, ...]
    edge: str
    counts: bool = True

    @property
    def files(self) -> list[str]:
        """Every file the chain reads."""
        return [*self.bands.values(), *self.masks]


@dataclass(frozen=True)
class Listing:
    """What lies in the folder of a tile.

    Parameters
    ----------
    products : list of Identity
        By day, time and name.
    strangers : dict of str to str
        Entries that look like products and cannot be read, with the reason.
    """

    products: list[Identity] = field(default_factory=list)
    strangers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ProductFormat:
    """A product format, i.e. a sensor and the layout of its files.

    Parameters
    ----------
    label : str
        Sensor in feature names: ``Sentinel2_B4_20200101``.
    section : type of SensorSection
        Its section of the configuration.
    pattern : re.Pattern
        Names of product folders, with a group ``day`` (YYYYMMDD) and, where the format has them,
        ``time`` (HHMMSS and further digits), ``platform``, ``tile``, ``orbit``, ``version``.
    example : str
        Name of a product, ``{tile}`` in it, for messages.
    bands : tuple of str
        Bands in stack order.
    coarse : tuple of str
        Of those, the ones on the grid twice as coarse.
    reference_band : str
        A band on the native grid of the tile.
    dtype : str
        Pixel type of the images, GDAL's name.
    scale : float
        Physical value of one step of an image; a file may state it.
    nodata : int
        Digital number of pixels that were not seen.
    index_bands : dict of str to str
        Bands called ``red``, ``nir`` and ``swir`` by the spectral indices.
    files : callable
        (folder of the product, name, level, bands) -> (band files, masks, edge mask).
    """

    label: str
    section: type[SensorSection]
    pattern: re.Pattern[str]
    example: str
    bands: tuple[str, ...]
    coarse: tuple[str, ...]
    reference_band: str
    dtype: str
    scale: float
    nodata: int
    index_bands: dict[str, str]
    files: Callable[[Path, str, str, Sequence[str]], tuple[dict[str, str], tuple[str, ...], str]]

    def recognise(self, name: str) -> Identity | None:
        """Identity of a product from its name; None if it is no product of this format."""
        found = self.pattern.fullmatch(name)
        if not found:
            return None
        given = found.groupdict()
        digits = re.sub(r"\D", "", given.get("time") or "")
        try:
            time = datetime.strptime(given["day"] + digits[:6].ljust(6, "0"), "%Y%m%d%H%M%S")
        except ValueError:  # a thirteenth month
            return None
        thousandths = int(digits[6:9].ljust(3, "0"))
        orbit = given.get("orbit")
        return Identity(
            name=name,
            tile=given.get("tile"),
            time=time.replace(microsecond=1000 * thousandths, tzinfo=UTC),
            platform=given.get("platform") or self.label,
            orbit=int(orbit) if orbit else None,
            version=tuple(map(int, re.findall(r"\d+", given.get("version") or ""))),
        )

    def listing(self, folder: str) -> Listing:
        """Products in a tile's folder, and what looks like one; nothing is opened."""
        listing = Listing()
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        for entry in found:
            identity = self.recognise(entry.name)
            if identity and entry.is_dir():
                listing.products.append(identity)
            elif reason := self._strange(entry):
                listing.strangers[entry.name] = reason
        listing.products.sort(key=lambda item: item.order)
        return listing

    def _strange(self, entry: os.DirEntry[str]) -> str:
        """Why an entry that looks like a product is none; empty if it looks like nothing known."""
        if self.recognise(entry.name):
            return "a broken link" if entry.is_symlink() else "a file, not the folder of a product"
        stem = next((entry.name[: -len(end)] for end in ARCHIVES if entry.name.endswith(end)), "")
        if self.pattern.match(stem):
            return "an archive; unpack it"
        if self.pattern.match(entry.name):
            return "its name goes on after that of a product; rename it if it is whole"
        if re.fullmatch(self.pattern.pattern, entry.name, re.IGNORECASE):
            return "its name is not written as the format writes it"
        if entry.is_dir():
            inside = [name for name in _names(entry.path) if self.recognise(name)]
            if inside:
                return f"a folder that holds {len(inside)} product(s); move them one level up"
        return ""

    def acquisition(
        self, folder: str, name: str, level: str, bands: Sequence[str], counts: bool = True
    ) -> Acquisition:
        """Files of one product, whether they exist or not."""
        identity = self.recognise(name)
        if identity is None:
            raise InputDataError(f"{folder}/{name}: is no product like {self.example}")
        images, masks, edge = self.files(Path(folder) / name, name, level, bands)
        return Acquisition(name, identity.day, images, masks, edge, counts)


def _names(folder: str) -> Iterable[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return ()


def same_tile(first: str, second: str) -> bool:
    """True if two names mean one tile, the leading T of Sentinel-2's tiles apart."""
    return first.upper().removeprefix("T") == second.upper().removeprefix("T")
