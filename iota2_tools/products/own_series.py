"""A time series of the user's own: any rasters with a date in their names.

What a name tells, which bands there are and what they hold stands in the configuration. This is
also the door for products that no module reads.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StringConstraints, field_validator

from iota2_tools.config.section import Section
from iota2_tools.config.sections import RegularSection, Word
from iota2_tools.core.errors import InputDataError
from iota2_tools.products.format import Band, Files, Pixels, ProductFormat, Request
from iota2_tools.products.images import Codes, Image, Mask

TOKENS = {
    "date": r"(?P<day>\d{8}|\d{4}-\d{2}-\d{2}|\d{7})",
    "band": r"(?P<band>{bands}|\*)",
    "any": r"[^/]*",
}
WHOLE_TYPES = ("Int16", "Byte", "Int8", "UInt16", "Int32", "UInt32")
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9]*$")]


class OwnMask(Section):
    """A raster of codes beside each date."""

    pattern: Word = Field(
        description="Its file name, with `{date}` and `*`, e.g. `S_{date}_QA.tif`."
    )
    band: int = Field(1, ge=1, description="Its band in the file.")
    unusable: list[int] = Field([], description="Values that are not usable (clouds, shadows).")
    unusable_bits: int = Field(0, ge=0, description="Bits that are not usable, as a number.")
    unseen: list[int] = Field([], description="Values where the ground was not seen.")


class OwnSeries(RegularSection):
    """A time series of your own, any rasters with a date in their names, `path/TILE/*`."""

    name: Name = Field("Own", description="Name in those of the features: `Own_EVI_20180101`.")
    pattern: Word = Field(
        description=(
            "File name with `{date}` (`20180131`, `2018-01-31` or `2018031`), `{band}` where each band is a "
            "file, and `*`, e.g. `PS_{date}_*_{band}.tif`."
        )
    )
    bands: dict[Name, int] = Field(
        min_length=1,
        description=(
            "Bands in stack order, with their number in the file: `{EVI: 1, NIR: 2}`. With `{band}` in the "
            "pattern the names stand there, and the number is that in the file of each, 1 as a rule."
        ),
    )
    roles: dict[Word, Name] = Field(
        {}, description="Bands called `red`, `nir`, `swir` by indices and expressions."
    )
    nodata: float | None = Field(None, description="Digital number of pixels without data.")
    scale: float = Field(
        1.0,
        gt=0,
        description=(
            "Values are kept as whole numbers up to 32767: digital number x `scale` + `offset`, e.g. 10000 "
            "for reflectance in fractions."
        ),
    )
    offset: float = Field(0.0, description="Added after the scale.")
    decibel: bool = Field(
        False, description="Whether they are linear power, to be kept as decibels x 100."
    )
    on_tile: bool = Field(
        True, description="Whether all images of a tile lie on one grid; false: anywhere."
    )
    mask: OwnMask | None = Field(None, description="A raster of codes beside each date.")
    keep_bands: list[Name] = Field([], description="Bands used as features. Empty: all.")
    indices: list[str] = Field(  # type: ignore[assignment]
        [], description="Spectral indices whose roles are given: NDVI, NDWI, Brightness."
    )

    @field_validator("pattern")
    @classmethod
    def _has_a_date(cls, text: str) -> str:
        if "{date}" not in text or re.sub(r"\{(date|band)\}", "", text).count("{"):
            raise ValueError(f"{text!r} needs {{date}}, and knows {{date}}, {{band}} and * alone")
        return text

    @property
    def kept(self) -> list[str]:
        """Bands used as features."""
        return self.keep_bands or list(self.bands)

    def contradictions(self) -> Iterator[str]:
        """Bands that are named and not there."""
        for key, names in (("keep_bands", self.keep_bands), ("roles", self.roles.values())):
            for name in names:
                if name not in self.bands:
                    yield f"{key}: {name!r} is none of the bands {', '.join(self.bands)}"

    @property
    def options(self) -> dict[str, Any]:
        """All that tells what files mean."""
        plain = self.as_dict()
        keys = (
            "name",
            "pattern",
            "bands",
            "roles",
            "nodata",
            "scale",
            "offset",
            "decibel",
            "on_tile",
            "mask",
        )
        return {key: plain[key] for key in keys}


def regular_expression(pattern: str, bands: list[str]) -> re.Pattern[str]:
    """Names that a pattern of the configuration stands for.

    >>> regular_expression("S_{date}_{band}.tif", ["NIR"]).fullmatch("S_2018-01-31_NIR.tif")["day"]
    '2018-01-31'
    """
    words = "|".join(map(re.escape, sorted(bands, key=len, reverse=True)))
    parts = []
    for piece in re.split(r"(\{date\}|\{band\}|\*)", pattern):
        if piece == "*":
            parts.append(TOKENS["any"])
        elif piece.startswith("{"):
            parts.append(TOKENS[piece[1:-1]].replace("{bands}", words))
        else:
            parts.append(re.escape(piece))
    return re.compile("".join(parts))


def _files(request: Request) -> Files:
    options = request.options
    images = {}
    for band in request.bands:
        # Without a band in the pattern, the name of the product is that of its file.
        path = _of_band(request.folder, request.name, band, options)
        images[band] = Image(
            path, options["bands"][band], options["nodata"], options["scale"], options["offset"],
            options["decibel"],
        )  # fmt: skip
    if not options["mask"]:
        return images, ()
    return images, (_mask(request),)


def _of_band(folder: Path, name: str, band: str, options: Mapping[str, Any]) -> str:
    found = regular_expression(options["pattern"], list(options["bands"])).fullmatch(name)
    if not found or "band" not in found.groupdict():
        return str(folder / name)
    return str(folder / (name[: found.start("band")] + band + name[found.end("band") :]))


def _mask(request: Request) -> Mask:
    """The mask of a date: the one file of the folder that its pattern stands for."""
    options, mask = request.options, request.options["mask"]
    own = regular_expression(options["pattern"], list(options["bands"])).fullmatch(request.name)
    day = own["day"] if own else ""
    wanted = regular_expression(mask["pattern"].replace("{date}", day), [])
    exact = mask["pattern"].replace("{date}", day)
    found = sorted(path.name for path in request.folder.iterdir() if wanted.fullmatch(path.name))
    if len(found) > 1:
        raise InputDataError(
            f"{request.product}: {len(found)} masks are its own ({', '.join(found[:3])}); make "
            "sensors.own_series.mask.pattern tell one from another"
        )
    unseen = Codes(tuple(mask["unseen"]))
    unusable = Codes((*mask["unusable"], *mask["unseen"]), mask["unusable_bits"])
    return Mask(
        str(request.folder / (found[0] if found else exact)), unusable, unseen, mask["band"]
    )


def configured(options: Mapping[str, Any]) -> ProductFormat:
    """The format that the configuration describes."""
    roles = {band: role for role, band in options["roles"].items()}
    return ProductFormat(
        label=options["name"],
        section=OwnSeries,
        pattern=regular_expression(options["pattern"], list(options["bands"])),
        example=options["pattern"],
        bands=tuple(Band(band, 1.0, roles.get(band, "")) for band in options["bands"]),
        pixels=Pixels(
            (*WHOLE_TYPES, "Float32", "Float64"),
            "as the configuration says",
            nodata=options["nodata"],
            several=True,
        ),
        files=_files,
        mask_types=WHOLE_TYPES,
        on_tile=options["on_tile"],
        of_files=True,
        masks="as the configuration says",
        source="the user",
    )


FORMAT = ProductFormat(
    label="Own",
    section=OwnSeries,
    pattern=re.compile(r"(?P<day>\d{8}).*"),
    example="20180131_NIR.tif",
    bands=(),
    pixels=Pixels(WHOLE_TYPES, "as the configuration says"),
    files=_files,
    configured=configured,
    of_files=True,
    masks="as the configuration says",
    source="the user",
)
