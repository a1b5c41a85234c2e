"""A time series of the user's own: any rasters with a date in their names.

What a name tells, which bands there are and what they hold stands in the configuration. This is
also the door for products that no module reads.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge
from pydantic import AfterValidator, Field

from iota2_tools.config.section import Word
from iota2_tools.core.errors import InputDataError
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
from iota2_tools.products.format import Files, Pixels, ProductFormat, Request
from iota2_tools.products.images import Image, Mask

TOKENS = {
    "date": r"(?P<day>\d{8}|\d{4}-\d{2}-\d{2}|\d{7})",
    "band": r"(?P<band>{bands}|\*)",
    "any": r"[^/]*",
}


def file_name(text: str) -> str:
    """A pattern of file names.

    Raises
    ------
    ValueError
        If it holds something else than it may.
    """
    rest = re.sub(r"\{(date|band)\}", "", text)
    if text.count("{band}") > 1 or re.search(r"[{}/]", rest):
        raise ValueError(
            f"{text!r} is no name of files: it may hold {{date}}, one {{band}} and *, and no folder"
        )
    return text


def dated(text: str) -> str:
    """The same of the images, which need one date."""
    if text.count("{date}") != 1:
        raise ValueError(f"{text!r} needs one {{date}}")
    return text


def bandless(text: str) -> str:
    """The same of masks, which are not by band."""
    if "{band}" in text:
        raise ValueError(f"{text!r}: a mask is that of a date; {{band}} cannot stand here")
    return text


FileName = Annotated[Word, AfterValidator(file_name)]


class OwnMask(CodeMask):
    """A raster of codes beside each date."""

    pattern: Annotated[FileName, AfterValidator(bandless)] = Field(
        description="Its file name, with `{date}` and `*`, e.g. `S_{date}_QA.tif`."
    )
    band: int = Field(1, ge=1, description="Its band in the file.")


class OwnSeries(DescribedSection):
    """A time series of your own, any rasters with a date in their names, `path/TILE/*`."""

    name: Name = Field("Own", description="Name in those of the features: `Own_EVI_20180101`.")
    pattern: Annotated[FileName, AfterValidator(dated)] = Field(
        description=(
            "File name with `{date}` (`20180131`, `2018-01-31` or `2018031`), `{band}` where each band is a "
            "file, and `*`, e.g. `PS_{date}_*_{band}.tif`. Of several files of one date that show the same ground "
            "the one with the highest numbers in place of `*` counts."
        )
    )
    bands: dict[Name, Annotated[int, Ge(1)]] = Field(
        min_length=1,
        description=(
            "Bands in stack order, with their number in the file: `{EVI: 1, NIR: 2}`. With `{band}` in the "
            "pattern the names stand there, and the number is that in the file of each, 1 as a rule."
        ),
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

    @property
    def code_masks(self) -> dict[str, CodeMask]:
        """The mask."""
        return {"mask": self.mask} if self.mask else {}

    @property
    def radar(self) -> bool:
        """What is seen is backscatter."""
        return self.decibel

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

    Of several files of one date the numbers in place of the first two `*` tell which is the newest.

    >>> regular_expression("S_{date}_{band}.tif", ["NIR"]).fullmatch("S_2018-01-31_NIR.tif")["day"]
    '2018-01-31'
    """
    newest = ["version", "made"]
    words = "|".join(map(re.escape, sorted(bands, key=len, reverse=True)))
    parts = []
    for piece in re.split(r"(\{date\}|\{band\}|\*)", pattern):
        if piece == "*":
            parts.append(f"(?P<{newest.pop(0)}>{TOKENS['any']})" if newest else TOKENS["any"])
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
    return mask_of(str(request.folder / (found[0] if found else exact)), mask["band"], mask)


def _remarks(request: Request) -> list[str]:
    """What is odd about the values of a product."""
    with suppress(InputDataError):  # of a product that is damaged the inventory tells
        images, _ = _files(request)
        return [remark for name, image in images.items() for remark in value_remarks(name, image)]
    return []


def _example(options: Mapping[str, Any]) -> str:
    """A name that the pattern stands for."""
    band = next(iter(options["bands"]), "")
    return options["pattern"].replace("{date}", "20180131").replace("{band}", band)


def configured(options: Mapping[str, Any]) -> ProductFormat:
    """The format that the configuration describes."""
    roles = {band: role for role, band in options["roles"].items()}
    return ProductFormat(
        label=options["name"],
        section=OwnSeries,
        pattern=regular_expression(options["pattern"], list(options["bands"])),
        example=_example(options),
        bands=bands_of(options["bands"], roles),
        pixels=Pixels(
            TYPES,
            "as the configuration says",
            scale=None,
            offset=None,
            nodata=options["nodata"],
            several=True,
        ),
        files=_files,
        mask_types=WHOLE_TYPES,
        on_tile=options["on_tile"],
        of_files=True,
        remarks=_remarks,
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
