"""Acquisitions named by local STAC items, of any sensor: plain JSON, no network.

Which bands are meant, and what codes a mask holds, stands in the configuration; what pixels are
worth, in the item, else in the file. The grid is that of the file.
"""

import logging
import math
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from osgeo import gdal
from pydantic import Field

from iota2_tools.config.section import PathText, Section, Word
from iota2_tools.core.errors import InputDataError, Iota2Error
from iota2_tools.geo.grid import Grid, grid_of
from iota2_tools.geo.raster import open_raster
from iota2_tools.products.described import (
    TYPES,
    WHOLE_TYPES,
    CodeMask,
    DescribedSection,
    Name,
    bands_of,
    mask_of,
    value_remarks,
)
from iota2_tools.products.format import (
    Acquisition,
    Files,
    Identity,
    Listing,
    Pixels,
    ProductFormat,
    Request,
)
from iota2_tools.products.images import Image, Mask
from iota2_tools.products.stac_items import (
    Item,
    base_of,
    find_items,
    item_of,
    local_path,
    over_tile,
    raw_item,
)

logger = logging.getLogger(__name__)

ROLES = {
    "coastal": ("coastal",),
    "blue": ("blue",),
    "green": ("green",),
    "red": ("red",),
    "rededge1": ("rededge071",),
    "rededge2": ("rededge075",),
    "rededge3": ("rededge078",),
    "nir": ("nir", "nir08"),
    "nir2": ("nir08",),
    "swir": ("swir16",),
    "swir2": ("swir22",),
    "temperature": ("lwir11", "lwir"),
}
"""Common names of STAC that have a role here; of several the first that there is."""
NOT_DATA = {"thumbnail", "overview", "visual", "metadata"}
"""Roles and keys of assets that are pictures of the data."""
OFFSET_APPLIED = ("earthsearch:boa_offset_applied", "sentinel:boa_offset_applied")
OFFSET_BASELINE = 4
"""Of Sentinel-2: from it on reflectance has an offset."""


class StacNumbers(Section):
    """What digital numbers mean where neither item nor file says."""

    scale: float = Field(1.0, gt=0, description="Physical value of one step.")
    offset: float = Field(0.0, description="Physical value of 0.")
    nodata: float | None = Field(None, description="Digital number of pixels without data.")


class StacMask(CodeMask):
    """An asset of codes."""

    asset: Word = Field(description="Its key, or the name of its band: `scl`, `qa_pixel`.")


class Stac(DescribedSection):
    """Acquisitions that local STAC items name, of any sensor, `path`."""

    path: PathText = Field(
        description=(
            "A folder of items, a collection or catalogue, a list of items (FeatureCollection) or one item. "
            "Files are read where the items say, relative to the file of the item; nothing is fetched."
        )
    )
    name: Name = Field("Stac", description="Name in those of the features: `Stac_B4_20180101`.")
    collections: list[Word] = Field([], description="Collections to read. Empty: all.")
    bands: dict[Name, Word] = Field(
        min_length=1,
        description=(
            "Bands in stack order: their name in the features, and their `common_name` or `name` in the items, or "
            "the key of their asset, with `:2` for the second band of a file: `{B4: red, B8: nir}`."
        ),
    )
    roles: dict[Word, Name] = Field(
        {},
        description=(
            "Bands called `red`, `nir`, `swir` by indices and expressions, where their common names do not tell."
        ),
    )
    scale: float = Field(
        10000.0,
        gt=0,
        description=(
            "Values are kept as whole numbers up to 32767: physical value x `scale`; 10000 for reflectance."
        ),
    )
    assumed: StacNumbers | None = Field(
        None,
        description=(
            "What digital numbers mean where neither item nor file says. Empty: whole numbers are kept as they "
            "are, others are physical values."
        ),
    )
    masks: list[StacMask] = Field([], description="Assets of codes that tell what is not usable.")

    @property
    def code_masks(self) -> dict[str, CodeMask]:
        """Masks by their assets."""
        return {f"masks: {mask.asset!r}": mask for mask in self.masks}

    @property
    def options(self) -> dict[str, Any]:
        """All that tells what files mean."""
        plain = self.as_dict()
        keys = ("path", "name", "collections", "bands", "roles", "scale", "assumed", "masks")
        return {key: plain[key] for key in keys}


@dataclass(frozen=True)
class Asset:
    """One band of a file that an item names.

    Parameters
    ----------
    key : str
        Of the asset.
    path : str
        File.
    band : int
        Its band, from 1.
    said : dict
        What the item says of the asset.
    of_band : dict
        What it says of the band.
    """

    key: str
    path: str
    band: int
    said: Mapping[str, Any]
    of_band: Mapping[str, Any]

    def stated(self, name: str, about: Mapping[str, Any]) -> Any:
        """A number of the band, of its asset, or of all assets; None if none says it."""
        for source, keys in (
            (self.of_band, (name, f"raster:{name}")),
            (self.said, (f"raster:{name}", name) if name == "nodata" else (f"raster:{name}",)),
            (about, (f"raster:{name}", name) if name == "nodata" else (f"raster:{name}",)),
        ):
            for key in keys:
                if source.get(key) is not None:
                    return source[key]
        return None


def _assets(item: Mapping[str, Any], base: Path) -> Iterator[tuple[Asset, set[str]]]:
    """Every band of every file of an item, and the words that mean it."""
    for key, said in item["assets"].items():
        if not isinstance(said, Mapping) or not said.get("href"):
            continue
        told = said.get("bands") or said.get("eo:bands") or []
        numbers = said.get("bands") or said.get("raster:bands") or []
        for position in range(max(len(told), len(numbers), 1)):
            names, values = _entry(told, position), _entry(numbers, position)
            words = {
                str(names[word])
                for word in ("name", "common_name", "eo:common_name")
                if names.get(word)
            }
            words.add(f"{key}:{position + 1}" if max(len(told), len(numbers)) > 1 else key)
            yield Asset(key, _place_of(str(said["href"]), base), position + 1, said, values), words


def _entry(bands: Any, position: int) -> Mapping[str, Any]:
    """What stands at a place of a list of bands; nothing if it is no description."""
    entry = bands[position] if isinstance(bands, list) and position < len(bands) else {}
    return entry if isinstance(entry, Mapping) else {}


def _place_of(href: str, base: Path) -> str:
    """File that a reference means, relative to that of its item; as it is if on the network."""
    try:
        path = local_path(href)
    except InputDataError:
        return href
    exact = os.path.normpath(base / path)
    plain = os.path.normpath(base / re.sub(r"%[0-9A-Fa-f]{2}", _unquoted, path))
    return plain if plain != exact and not os.path.exists(exact) else exact


def _unquoted(found: re.Match[str]) -> str:
    return chr(int(found[0][1:], 16))


def asset_of(item: Mapping[str, Any], name: str, word: str, base: Path) -> Asset:
    """The band of a file that a word means.

    Of several, data go before pictures, files that are there before others, then the asset of that
    key, files of one band, the finest pixels.

    Raises
    ------
    InputDataError
        If none has the word, or several that are not told apart; or if the file is on the network.
    """
    every = list(_assets(item, base))
    found = [asset for asset, words in every if word in words]
    if not found:
        known = sorted({text for _, words in every for text in words})
        raise InputDataError(f"{name} has no band or asset {word!r}; it has {', '.join(known)}")
    first = min(_rank(asset, word) for asset in found)
    best = [asset for asset in found if _rank(asset, word) == first]
    if len(best) > 1:
        keys = ", ".join(asset.key for asset in best)
        raise InputDataError(
            f"{name}: {word!r} may be the assets {keys}; name one of them in sensors.stac.bands"
        )
    local_path(best[0].path)
    return best[0]


def _rank(asset: Asset, word: str) -> tuple[bool, bool, bool, int, float]:
    """Place of an asset among those that a word may mean; the smallest is taken."""
    roles = {str(role) for role in asset.said.get("roles") or []}
    names = asset.said.get("bands") or asset.said.get("eo:bands") or []
    finest = asset.of_band.get("raster:spatial_resolution") or asset.of_band.get(
        "spatial_resolution"
    )
    return (
        bool((roles | {asset.key}) & NOT_DATA),
        not os.path.exists(asset.path) and not asset.path.startswith("/vsi"),
        asset.key != word,
        len(names),
        float(finest or asset.said.get("gsd") or 0),
    )


def _files(request: Request) -> Files:
    options = request.options
    images = {}
    for band in request.bands:
        image, remarks = _image(request, options["bands"][band])
        images[band] = image
        for remark in remarks:
            _tell_once(remark)
    return images, tuple(_mask(request, mask) for mask in options["masks"])


@lru_cache(maxsize=1024)
def _tell_once(remark: str) -> None:
    logger.warning("%s", remark)


def _image(request: Request, word: str) -> tuple[Image, list[str]]:
    """A band of an item, and what is to be said of it."""
    base = base_of(request.options["path"])
    item = raw_item(base, request.name)
    folder = (base / request.name.partition("#")[0]).parent
    asset = asset_of(item, request.name, word, folder)
    image, remarks = _numbers(asset, item, request)
    return image, remarks + _grid_remarks(asset, item)


@dataclass(frozen=True)
class _Header:
    """What a file itself says of a band."""

    whole: bool
    scale: float | None
    offset: float | None
    nodata: float | None


def _header(asset: Asset) -> _Header | None:
    """None where the file cannot be opened, or has no such band; the inventory tells."""
    try:
        dataset = open_raster(asset.path)
    except Iota2Error:
        return None
    if dataset.RasterCount < asset.band:
        return None
    band = dataset.GetRasterBand(asset.band)
    whole = gdal.GetDataTypeName(band.DataType) in WHOLE_TYPES
    scale, offset = band.GetScale(), band.GetOffset()
    if scale in (None, 1.0) and offset in (None, 0.0):
        scale = offset = None
    return _Header(whole, scale, offset, band.GetNoDataValue())


def _numbers(asset: Asset, item: Mapping[str, Any], request: Request) -> tuple[Image, list[str]]:
    """What the pixels of a band mean: the item says it, else its file, else the configuration."""
    about, options = item.get("properties") or {}, request.options
    where = f"{request.name}, {asset.key}"
    header = _header(asset) or _Header(True, None, None, None)
    own = [_number(asset.stated(key, about), where, key) for key in ("scale", "offset")]
    in_file = [header.scale, header.offset]
    assumed, remarks = options["assumed"], []
    if own != [None, None]:
        scale, offset = 1.0 if own[0] is None else own[0], own[1] or 0.0
        if not (math.isfinite(scale) and scale > 0 and math.isfinite(offset)):
            raise InputDataError(f"{where}: its item has the scale {scale} and offset {offset}")
        if offset and any(about.get(key) is True for key in OFFSET_APPLIED):
            remarks.append(
                f"items of {_collection(item)} state an offset of {offset:g} that has been applied already "
                "(boa_offset_applied); it is not applied again"
            )
            offset = 0.0
        if in_file != [None, None] and not _same((scale, offset), in_file):
            remarks.append(
                f"{_collection(item)}: scale and offset of {asset.key} are {scale:g} and {offset:g} in the "
                f"items, others in the files; those of the items count"
            )
    elif in_file != [None, None]:
        scale, offset = header.scale or 1.0, header.offset or 0.0
    elif assumed:
        scale, offset = assumed["scale"], assumed["offset"]
    else:
        _refuse_hidden_offset(about, where)
        scale, offset = (1 / options["scale"] if header.whole else 1.0), 0.0
        what = "are kept as they are" if header.whole else f"are multiplied by {options['scale']:g}"
        remarks.append(
            f"{_collection(item)}: neither items nor files say what the numbers of {asset.key} mean; they "
            f"{what} (sensors.stac.assumed says it otherwise)"
        )
    nodata = _number(asset.stated("nodata", about), where, "nodata")
    if nodata is None:
        nodata = header.nodata
    if nodata is None and assumed:
        nodata = assumed["nodata"]
    if nodata is not None and math.isnan(nodata):
        nodata = None  # is never a value
    factor = options["scale"]
    return Image(asset.path, asset.band, nodata, _short(scale * factor), _short(offset * factor)), remarks  # fmt: skip


def _short(value: float) -> float:
    """A product of two decimal numbers without the last digits of its binary form."""
    return float(f"{value:.12g}")


def _same(first: tuple[float, float], second: list[float | None]) -> bool:
    other = (second[0] or 1.0, second[1] or 0.0)
    return all(math.isclose(a, b, rel_tol=1e-6) for a, b in zip(first, other, strict=True))


def _collection(item: Mapping[str, Any]) -> str:
    return str(item.get("collection") or "the items")


def _number(given: Any, where: str, key: str) -> float | None:
    """A number of an item, which JSON may hold as text (`nan`)."""
    if given is None:
        return None
    try:
        return float(given)
    except (TypeError, ValueError):
        raise InputDataError(f"{where}: {key} is {given!r}, which is no number") from None


def _refuse_hidden_offset(about: Mapping[str, Any], where: str) -> None:
    """Raise InputDataError where Sentinel-2 has an offset that nobody states."""
    baseline = str(about.get("s2:processing_baseline") or "")
    number = re.search(r"(\d{1,2})(?:\.?\d\d)?", baseline)  # 05.09, N0509
    if any(key in about for key in OFFSET_APPLIED) or not number:
        return
    if int(number[1]) >= OFFSET_BASELINE:
        raise InputDataError(
            f"{where}: is of processing baseline {baseline} of Sentinel-2, which has an offset, and neither item "
            "nor file states it; say it: sensors.stac.assumed: {scale: 0.0001, offset: -0.1, nodata: 0}"
        )


def _grid_remarks(asset: Asset, item: Mapping[str, Any]) -> list[str]:
    """A word where an item tells of another place than its file has."""
    about = item.get("properties") or {}
    said: Any = asset.said.get("proj:transform") or about.get("proj:transform")
    with suppress(Iota2Error, TypeError, ValueError, IndexError):
        grid = grid_of(asset.path)
        left, top = float(said[2]), float(said[5])
        if max(abs(left - grid.left), abs(top - grid.top)) > grid.resolution / 100:
            return [
                f"{asset.path} begins at ({grid.left:.10g}, {grid.top:.10g}), its item says "
                f"({left:.10g}, {top:.10g}); the file counts"
            ]
    return []


def _mask(request: Request, wanted: Mapping[str, Any]) -> Mask:
    base = base_of(request.options["path"])
    item = raw_item(base, request.name)
    folder = (base / request.name.partition("#")[0]).parent
    asset = asset_of(item, request.name, wanted["asset"], folder)
    return mask_of(asset.path, asset.band, wanted)


def _remarks(request: Request) -> list[str]:
    """What is to be said of a product."""
    found: list[str] = []
    for band in request.bands:
        with suppress(Iota2Error):
            image, remarks = _image(request, request.options["bands"][band])
            found += [*remarks, *value_remarks(band, image)]
    return found


@dataclass(frozen=True)
class StacFormat(ProductFormat):
    """A format whose products are told by their items, not by their names."""

    base: Path = Path()

    def recognise(self, name: str) -> Identity | None:
        """Identity of an item; None if it cannot be read any more."""
        try:
            return _identity(item_of(self.base, name))
        except InputDataError:
            return None

    def acquisition(self, request: Request, counts: bool = True) -> Acquisition:
        """Files of one item, whether they exist or not."""
        item_of(self.base, request.name)  # tells what is wrong with it
        return super().acquisition(request, counts)


def _identity(item: Item) -> Identity:
    """What an item is.

    Its time is that of the hour: parts of one pass, and one pass processed twice, begin some
    seconds apart. Items on other grids are other acquisitions.
    """
    time = datetime.fromisoformat(item.time).replace(minute=0, second=0, microsecond=0)
    return Identity(
        item.name,
        None,
        time,
        f"{item.platform} {item.place}",
        None,
        item.version,
        contents=item.contents,
    )


def _listing(folder: str, tile: str, grid: Grid, index: str, *, collections: list[str]) -> Listing:
    """Items over a tile, of all that a path holds."""
    found = find_items(folder, index)
    listing = Listing(strangers=dict(found.strangers))
    items = _of_collections(found.items.values(), collections, listing)
    listing.products.extend(
        sorted(map(_identity, over_tile(items, tile, grid)), key=lambda item: item.order)
    )
    return listing


def _of_collections(items: Any, collections: list[str], listing: Listing) -> list[Item]:
    every = list(items)
    known = sorted({item.collection for item in every})
    for name in collections:
        if name not in known:
            listing.strangers[name] = f"no item is of that collection; there are {', '.join(known)}"
    return [item for item in every if not collections or item.collection in collections]


def _named_grid(folder: str, tile: str, index: str, *, options: Mapping[str, Any]) -> Grid | None:
    """Grid of the finest file of the first item that names a tile; None if there is none."""
    base = base_of(options["path"])
    for name, item in find_items(folder, index).items.items():
        if not item.names(tile):
            continue
        grids = []
        for band in options["bands"]:
            with suppress(Iota2Error):
                request = Request(base, name, (band,), options)
                grids.append(grid_of(_image(request, options["bands"][band])[0].path))
        if grids:
            return min(grids, key=lambda grid: grid.resolution)
    return None


def _roles(options: Mapping[str, Any]) -> dict[str, str]:
    """Role of each band that has one: as the configuration says, else by its common name."""
    found = {band: role for role, band in options["roles"].items()}
    taken = set(found.values())
    for role, names in ROLES.items():
        for name in names:
            bands = [
                band
                for band, word in options["bands"].items()
                if name in (word, band) and band not in found
            ]
            if bands and role not in taken:
                found[bands[0]] = role
                taken.add(role)
    return found


def configured(options: Mapping[str, Any]) -> ProductFormat:
    """The format that the configuration describes."""
    roles = _roles(options)
    return replace(
        FORMAT,
        label=options["name"],
        bands=bands_of(options["bands"], roles),
        passes=partial(_listing, collections=options["collections"]),
        named_grid=partial(_named_grid, options=options),
        base=base_of(options["path"]),
    )


FORMAT = StacFormat(
    label="Stac",
    section=Stac,
    pattern=re.compile(r"(?P<day>\d{8})"),
    example="a STAC item over the tile",
    bands=(),
    pixels=Pixels(
        TYPES,
        "as item, file or configuration say",
        several=True,
        by_product=True,
    ),
    files=_files,
    mask_types=WHOLE_TYPES,
    on_tile=False,
    passes=partial(_listing, collections=[]),
    configured=configured,
    remarks=_remarks,
    masks="assets of codes, as the configuration says",
    source="any STAC catalogue, fetched by the user",
)
