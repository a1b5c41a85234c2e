"""What the chain knows of a product format: names, identities, bands, masks.

A format is data first: `ProductFormat`. What identifies a product (tile, time, platform, orbit,
version) is stated here once, from its name, and carried by the plan.
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from osgeo import gdal

from iota2_tools.config.sensors import SensorSection
from iota2_tools.core.errors import InputDataError, Iota2Error
from iota2_tools.geo.grid import Grid
from iota2_tools.products.images import Image, Mask, Shift
from iota2_tools.products.metadata import names_in

DAY_OF_YEAR = 7
"""Digits of a year and the number of a day in it."""
DEPTH = 6
"""Numbers of a version that are compared."""
DAY = re.compile(r"(?:19|20)\d{6}")
LEVEL_1, LEVELS_2 = re.compile(r"L1C|L1TP|L1GT|L1GS|(?<=_)N1C?(?=_)"), ("L2A", "L2SP", "N2A")
"""Words for levels in names: not corrected for the atmosphere, and corrected."""
ZIP = ".zip"
ARCHIVES = (ZIP, ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".7z", ".gz")


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
    part : str
        Kind of acquisition, one of `ProductFormat.parts`.
    kind : str
        Processing that is not to be mixed in one series; empty where the format has one.
    sources : tuple of str
        Where the product is, if not in the folder of its name: its archive, or the frames that it
        is made of.
    contents : str
        Digest of what describes it, where that is apart from it.
    """

    name: str
    tile: str | None
    time: datetime
    platform: str
    orbit: int | None
    version: tuple[int, ...]
    part: str = ""
    kind: str = ""
    sources: tuple[str, ...] = ()
    contents: str = ""

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
    """Files of one product: one series over one tile at one date.

    Parameters
    ----------
    name : str
        Product.
    day : date
        Day of acquisition (UTC).
    bands : dict of str to Image
        Image of each band.
    masks : tuple of Mask
        What they say together; where there is none, the images alone tell what was seen.
    counts : bool
        False in the margin around the period: it helps to fill gaps, and is no clear date.
    shift : Shift, optional
        How far it is moved onto the reference of its series (`timeseries.coregistration`).
    """

    name: str
    day: date
    bands: dict[str, Image]
    masks: tuple[Mask, ...]
    counts: bool = True
    shift: Shift | None = None

    def grid_of(self, grid: Grid) -> Grid:
        """Grid that its files, as they are, are read on to lie on `grid` once they are moved."""
        if not self.shift or not (self.shift.x or self.shift.y):
            return grid
        return replace(grid, left=grid.left - self.shift.x, top=grid.top - self.shift.y)

    @property
    def files(self) -> list[str]:
        """Every file the chain reads."""
        return list(
            dict.fromkeys(
                [image.path for image in self.bands.values()] + [mask.path for mask in self.masks]
            )
        )

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> "Acquisition":
        """The same from plain values, the day as text."""
        return cls(
            given["name"],
            date.fromisoformat(str(given["day"])),
            {band: Image.from_dict(item) for band, item in given["bands"].items()},
            tuple(Mask.from_dict(item) for item in given["masks"]),
            given["counts"],
            Shift(**given["shift"]) if given.get("shift") else None,
        )


@dataclass(frozen=True)
class Listing:
    """What lies in the folder of a tile.

    Parameters
    ----------
    products : list of Identity
        By day, time and name.
    strangers : dict of str to str
        Entries that look like products and cannot be read, with the reason.
    damaged : dict of str to date
        Those of them that bear the name of a product, and its day: where they lie is not known.
    """

    products: list[Identity] = field(default_factory=list)
    strangers: dict[str, str] = field(default_factory=dict)
    damaged: dict[str, date] = field(default_factory=dict)


@dataclass(frozen=True)
class Band:
    """A band of a format.

    Parameters
    ----------
    name : str
        In file names and feature names.
    resolution : float
        Side of its pixels, units of the projection (m).
    role : str
        What it is to every sensor (``red``, ``nir``, ``swir``), for indices and expressions;
        empty if it is nothing that others have.
    is_reflectance : bool
        Whether it counts for the brightness.
    """

    name: str
    resolution: float
    role: str = ""
    is_reflectance: bool = True


@dataclass(frozen=True)
class Pixels:
    """What the images of a format hold, as their headers may state it.

    Parameters
    ----------
    types : tuple of str
        Pixel types, GDAL's names; the usual one first.
    meaning : str
        What a digital number is, for messages.
    scale, offset : float, optional
        Physical value of one step and of 0; None: whatever headers state.
    nodata : float, optional
        Digital number of pixels that were not seen.
    several : bool
        Whether a file holds several bands.
    by_product : bool
        Whether scale, offset and nodata are those of each product, not of the format.
    """

    types: tuple[str, ...]
    meaning: str
    scale: float | None = 1.0
    offset: float | None = 0.0
    nodata: float | None = None
    several: bool = False
    by_product: bool = False


@dataclass(frozen=True)
class Request:
    """What is wanted of a product.

    Parameters
    ----------
    folder : Path
        Of the tile.
    name : str
        Product, as `Identity.name` has it.
    bands : tuple of str
        Bands to read.
    options : mapping
        What the section of the sensor says of its files (`SensorSection.options`).
    sources : tuple of str
        As `Identity.sources`.
    """

    folder: Path
    name: str
    bands: Sequence[str]
    options: Mapping[str, Any]
    sources: tuple[str, ...] = ()

    @property
    def product(self) -> Path:
        """Folder of the product, or what stands for it."""
        return Path(self.root)

    @property
    def archive(self) -> str:
        """The archive that holds the product; empty where it is unpacked."""
        return next((name for name in self.sources if name.endswith(ZIP)), "")

    @property
    def root(self) -> str:
        """The same as GDAL reads it: inside the archive, if the product is in one."""
        if not self.archive:
            return str(self.folder / (self.sources[0] if self.sources else self.name))
        # In braces: a Path makes one slash of the two that an absolute path would begin with.
        inside = f"/vsizip/{{{self.folder / self.archive}}}"
        tops = {name.split("/")[0] for name in names_in(inside) if "/" in name}
        return f"{inside}/{tops.pop()}" if len(tops) == 1 else inside


Files = tuple[dict[str, Image], tuple[Mask, ...]]
"""Image of each band, and masks."""


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
        Names of products, with a group ``day`` (YYYYMMDD) and, where the format has them,
        ``time`` (HHMMSS and further digits), ``platform``, ``tile``, ``orbit``, ``version``,
        ``made`` (when, which decides between equal versions), ``part`` (see `parts`), ``kind``
        (`Identity.kind`). With a group ``band`` a product is several files, one a band, whose
        common name has `*` in that place; else it is a folder.
    example : str
        Name of a product, ``{tile}`` in it, for messages.
    bands : tuple of Band
        In stack order.
    pixels : Pixels
        What images hold.
    files : callable
        What is wanted of a product -> (images by band, masks).
    mask_types : tuple of str
        Pixel types of the masks, GDAL's names.
    parts : tuple of str
        Kinds of acquisitions that never share a grid of dates (orbit directions), each a series
        of its own; as the group ``part`` tells them, in lower case.
    own_dates : bool
        Whether the features are those of the days of the products (monthly syntheses).
    on_tile : bool
        Whether all images lie on one grid of the tile; False: wherever they were taken.
    of_files : bool
        Whether a product is a file, or some, not a folder; so it is with a group ``band``.
    must_be_prepared : bool
        Whether images are decoded once before anything is read (`timeseries.preparation`).
    prepared_files : callable, optional
        (folder of a prepared product, bands) -> what was written, if not as for all.
    passes : callable, optional
        Where products are not by tile: (folder, tile, its grid, index file) -> those over the tile.
    named_grid : callable, optional
        Of such: (folder, tile, index file) -> grid of the products that name a tile, if any do.
    remarks : callable, optional
        What is wanted of a product -> what a user should know of how it is read.
    settings_key : callable, optional
        Options of the section -> short word for how products are prepared, if there are choices.
    configured : callable, optional
        Options of the section -> the format, where they tell its names or bands.
    stated_name : callable, optional
        Where metadata say what pixels mean: what is wanted of a product -> (their file, name of the
        product that they state).
    masks : str
        What masks and nodata say, for the documentation.
    source : str
        Where products come from today.
    """

    label: str
    section: type[SensorSection]
    pattern: re.Pattern[str]
    example: str
    bands: tuple[Band, ...]
    pixels: Pixels
    files: Callable[[Request], Files]
    mask_types: tuple[str, ...] = ("Byte",)
    parts: tuple[str, ...] = ("",)
    own_dates: bool = False
    on_tile: bool = True
    of_files: bool = False
    must_be_prepared: bool = False
    prepared_files: Callable[[Path, Sequence[str]], Files] | None = None
    passes: Callable[[str, str, Grid, str], Listing] | None = None
    named_grid: Callable[[str, str, str], Grid | None] | None = None
    remarks: Callable[[Request], list[str]] | None = None
    settings_key: Callable[[Mapping[str, Any]], str] | None = None
    configured: "Callable[[Mapping[str, Any]], ProductFormat] | None" = None
    stated_name: Callable[[Request], tuple[str, str]] | None = None
    masks: str = ""
    source: str = ""

    @property
    def band_names(self) -> tuple[str, ...]:
        """Names of the bands in stack order."""
        return tuple(band.name for band in self.bands)

    @property
    def resolution(self) -> float:
        """Of the finest band."""
        return min((band.resolution for band in self.bands), default=0.0)

    @property
    def roles(self) -> dict[str, str]:
        """Band of each role."""
        return {band.role: band.name for band in self.bands if band.role}

    def finest(self, bands: Sequence[str] = ()) -> str:
        """A band of the finest resolution, one of some bands if they have any such."""
        best = [band.name for band in self.bands if band.resolution == self.resolution]
        return next((band for band in best if band in bands), best[0])

    def factors(self, band: str) -> tuple[int, ...]:
        """How many times larger than the finest the pixels of a band may be."""
        own = next(item.resolution for item in self.bands if item.name == band)
        factor = round(own / self.resolution)
        return (factor, 1) if factor > 1 else (1,)

    def recognise(self, name: str) -> Identity | None:
        """Identity of a product from its name; None if it is no product of this format."""
        found = self.pattern.fullmatch(name)
        if not found:
            return None
        given = found.groupdict()
        day, digits = (re.sub(r"\D", "", given.get(key) or "") for key in ("day", "time"))
        written = "%Y%j" if len(day) == DAY_OF_YEAR else "%Y%m%d"
        try:
            time = datetime.strptime(day + digits[:6].ljust(6, "0"), f"{written}%H%M%S")
        except ValueError:  # a thirteenth month
            return None
        if f"{time:{written}}" != day:  # day 366 of a year of 365
            return None
        thousandths = int(digits[6:9].ljust(3, "0"))
        orbit = given.get("orbit")
        versions = [given.get(key) or "" for key in ("version", "made")]
        return Identity(
            name=name,
            tile=given.get("tile"),
            time=time.replace(microsecond=1000 * thousandths, tzinfo=UTC),
            platform=given.get("platform") or self.label,
            orbit=int(orbit) if orbit else None,
            version=tuple(map(int, re.findall(r"\d+", " ".join(versions)))),
            part=(given.get("part") or "").lower(),
            kind=(given.get("kind") or "").strip("_"),
        )

    def _name(self, entry: str) -> str:
        """Name of the product that an entry of a folder belongs to."""
        found = self.pattern.fullmatch(entry)
        if not found or "band" not in self.pattern.groupindex:
            return entry
        return entry[: found.start("band")] + "*" + entry[found.end("band") :]

    def listing(self, folder: str) -> Listing:
        """Products in a tile's folder, and what looks like one; nothing is opened."""
        listing = Listing()
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        products = {}
        for entry in found:
            identity = self.recognise(self._name(entry.name))
            packed = self._packed(entry.name)
            if identity and (entry.is_file() if self._of_files else entry.is_dir()):
                products[identity.name] = identity
            elif packed and entry.is_file():
                products.setdefault(packed.name, packed)
            elif reason := self._strange(entry):
                listing.strangers[entry.name] = reason
        listing.products.extend(sorted(products.values(), key=lambda item: item.order))
        return listing

    def _packed(self, entry: str) -> Identity | None:
        """Identity of the product that a zip archive holds, as distributors name it."""
        if self._of_files or not entry.endswith(ZIP):
            return None
        stem = entry.removesuffix(ZIP)
        for name in (f"{stem}.SAFE", stem):
            if identity := self.recognise(name):
                return replace(identity, sources=(entry,))
        return None

    @property
    def _of_files(self) -> bool:
        """Whether a product is some files, not a folder."""
        return self.of_files or "band" in self.pattern.groupindex

    def _strange(self, entry: os.DirEntry[str]) -> str:
        """Why an entry that looks like a product is none; empty if it looks like nothing known."""
        if self.recognise(entry.name):
            if entry.is_symlink() and not os.path.exists(entry.path):
                return "a broken link"
            return (
                "a folder, not a file" if self._of_files else "a file, not the folder of a product"
            )
        stem = next((entry.name[: -len(end)] for end in ARCHIVES if entry.name.endswith(end)), "")
        if self.pattern.match(stem):
            return "an archive; unpack it"
        if DAY.search(stem) and not self._of_files and not self._is_raw(stem, f"{stem}.SAFE"):
            return f"an archive without the name of a product such as {self.example.format(tile='TILE')}; unpack it"
        if self._is_raw(entry.name, stem, f"{stem}.SAFE"):
            return "a product of level 1, without surface reflectance; fetch that of level 2"
        if self.pattern.fullmatch(entry.name):
            return "its date is none of the calendar; give it back its name"
        if self.pattern.match(entry.name):
            return "its name goes on after that of a product; rename it if it is whole"
        if re.fullmatch(self.pattern.pattern, entry.name, re.IGNORECASE):
            return "its name is not written as the format writes it"
        if entry.is_dir():
            inside = [name for name in _names(entry.path) if self.recognise(name)]
            if inside:
                return f"a folder that holds {len(inside)} product(s); move them one level up"
        return ""

    def _is_raw(self, *names: str) -> bool:
        """Whether one of some names is that of a product of level 1."""
        return any(
            LEVEL_1.search(name) and self.recognise(LEVEL_1.sub(level, name))
            for name in names
            for level in LEVELS_2
        )

    def acquisition(self, request: Request, counts: bool = True) -> Acquisition:
        """Files of one product, whether they exist or not."""
        identity = self.recognise(request.name)
        if identity is None:
            raise InputDataError(f"{request.product}: is no product like {self.example}")
        self._refuse_other_contents(request, identity)
        images, masks = self.files(request)
        self._refuse_other_metadata(request, identity)
        return Acquisition(request.name, identity.day, images, masks, counts)

    def bands_of(self, request: Request) -> tuple[str, ...]:
        """Bands whose image a product has, in stack order, whichever are asked for."""
        found = []
        for band in self.band_names:
            with suppress(Iota2Error, KeyError):
                images, _ = self.files(replace(request, bands=(band,)))
                if gdal.VSIStatL(images[band].path):
                    found.append(band)
        return tuple(found)

    def _refuse_other_contents(self, request: Request, identity: Identity) -> None:
        """Raise InputDataError if an archive holds nothing, or a product of another acquisition than its name says."""
        if request.archive and not names_in(f"/vsizip/{{{request.folder / request.archive}}}"):
            raise InputDataError(
                f"{request.folder / request.archive}: cannot be read as an archive (cut off?); fetch it again"
            )
        inside = self.recognise(os.path.basename(request.root)) if request.archive else None
        if inside and (inside.tile, inside.acquisition) != (identity.tile, identity.acquisition):
            raise InputDataError(
                f"{request.folder / request.archive}: holds {inside.name}; give it back its name"
            )

    def _refuse_other_metadata(self, request: Request, identity: Identity) -> None:
        """Raise InputDataError if the metadata of a product state another one: scale and offset may be others."""
        path, name = self.stated_name(request) if self.stated_name else ("", "")
        stated = self.recognise(name)
        if stated and _apart(stated) != _apart(identity):
            raise InputDataError(
                f"{path}: is of another product, {name}, and says what the pixels mean; fetch {request.name} again"
            )


def _apart(identity: Identity) -> tuple[Any, ...]:
    """What tells products apart whose metadata may differ: tile, acquisition, baseline."""
    return identity.tile, identity.acquisition, identity.version[:1]


def _names(folder: str) -> Iterable[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return ()


def same_tile(first: str, second: str) -> bool:
    """True if two names mean one tile, the leading T of Sentinel-2's tiles apart."""
    return first.upper().removeprefix("T") == second.upper().removeprefix("T")
