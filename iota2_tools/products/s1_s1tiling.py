"""Sentinel-1 as S1Tiling leaves it: calibrated, orthorectified, one file a tile, date and polarisation.

``s1a_31UDS_vv_ASC_161_20180104t053000.tif`` holds float32 linear backscatter, 0 where there is
none; ``_BorderMask.tif`` beside it 1 where it is valid. The stamp is ``txxxxxx`` where frames were
joined. Since version 1.0 names may end in the calibration (``_sigma``, ``_NormLim``,
``_GammaNaughtRTC``) and filtered images in ``_filtered``. Orbit directions are series of their own.

References
----------
S1Tiling, CNES, https://s1-tiling.pages.orfeo-toolbox.org (files of its data flow).
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from iota2_tools.config.section import Word
from iota2_tools.config.sensors import RegularSection
from iota2_tools.products.format import Band, Files, Pixels, ProductFormat, Request
from iota2_tools.products.images import Codes, Image, Mask

INVALID = Codes(values=(0,))
BANDS = (Band("VV", 10, "vv", is_reflectance=False), Band("VH", 10, "vh", is_reflectance=False))
Orbit = Literal["asc", "des"]
ORBITS: tuple[Orbit, ...] = ("asc", "des")


class RadarSection(RegularSection):
    """What all radar series have in common."""

    orbits: list[Orbit] = Field(
        [],
        description="Orbit directions to read, each a series of its own. Empty: all there are.",
    )
    keep_bands: list[Literal["VV", "VH"]] = Field(
        ["VV", "VH"], min_length=1, description="Polarisations used as features, dB x 100."
    )
    indices: list[Literal["Ratio"]] = Field(  # type: ignore[assignment]
        ["Ratio"], description="`Ratio`: VV / VH, in decibels x 100, for each date."
    )

    speckle_radius: int = Field(
        0,
        ge=0,
        le=20,
        description=(
            "Radius, pixels, of the multitemporal speckle filter (Quegan and Yu 2001) over all dates of the "
            "series; 0: none. Filtered images are read more slowly."
        ),
    )

    @property
    def parts(self) -> list[str]:
        """Orbit directions that are read."""
        return list(self.orbits)

    @property
    def radar(self) -> bool:
        """What is seen is backscatter."""
        return True


class Sentinel1S1Tiling(RadarSection):
    """Sentinel-1 processed by S1Tiling, `path/TILE/*.tif`."""

    calibration: Word | None = Field(
        None,
        description=(
            "End of the names to read (`NormLim`, `sigma_filtered`), where a folder holds several. "
            "Empty: there is one."
        ),
    )
    border_masks: bool = Field(
        True,
        description=(
            "Whether each image has its `_BorderMask.tif`. Without them zeros alone are what was not seen."
        ),
    )

    prepare: bool = Field(
        False,
        description=(
            "Whether images are written once as decibels, in whole numbers, into `prepared`, and read there. "
            "Compressed as S1Tiling does it, they read eight times as slowly."
        ),
    )

    @property
    def options(self) -> dict[str, Any]:
        """Which of the images are read, and where."""
        always = {
            "calibration": self.calibration,
            "border_masks": self.border_masks,
            "speckle_radius": self.speckle_radius,
        }
        return always | ({"prepare": True} if self.prepare else {})


def _files(request: Request) -> Files:
    paths = {
        band: str(request.folder / request.name.replace("*", band.lower()))
        for band in request.bands
    }
    images = {band: Image(path, nodata=0, decibel=True) for band, path in paths.items()}
    if not request.options["border_masks"]:
        return images, ()
    masks = (path.removesuffix(".tif") + "_BorderMask.tif" for path in paths.values())
    return images, tuple(Mask(path, INVALID, INVALID) for path in masks)


def _pattern(calibration: str | None) -> re.Pattern[str]:
    end = f"_{re.escape(calibration)}" if calibration else r"(?:_(?!BorderMask)[A-Za-z_]+)?"
    return re.compile(
        r"(?P<platform>s1[a-z])_(?P<tile>[A-Z0-9]+)_(?P<band>vv|vh|\*)_(?P<part>ASC|DES)"
        rf"_(?P<orbit>\d{{3}})_(?P<day>\d{{8}})(?P<time>t(?:\d{{6}}|x{{6}}))(?P<kind>{end})\.tif"
    )


def _configured(options: Mapping[str, Any]) -> ProductFormat:
    known = replace(FORMAT, pattern=_pattern(options["calibration"]))
    if not options.get("prepare"):
        return known
    return replace(known, must_be_prepared=True, settings_key=_settings_key)


def _settings_key(options: Mapping[str, Any]) -> str:
    """What masks say is prepared with the images."""
    return "border masks" if options["border_masks"] else "no masks"


FORMAT = ProductFormat(
    label="Sentinel1",
    section=Sentinel1S1Tiling,
    pattern=_pattern(None),
    example="s1a_{tile}_vv_ASC_161_20180104t053000.tif",
    bands=BANDS,
    pixels=Pixels(("Float32",), "linear backscatter", nodata=0),
    files=_files,
    parts=ORBITS,
    configured=_configured,
    masks="`BorderMask`: 0 was not seen; so was 0 in an image",
    source="made by S1Tiling (CNES) from products of the Copernicus Data Space",
)
