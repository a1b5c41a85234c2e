"""Sentinel-1 IW GRD in the SAFE layout of ESA, not by tile: all frames in one folder.

A pass over a tile is prepared once (`radar.preparation`): thermal noise taken away, calibrated,
border removed, orthorectified on the grid of the tile with elevation model and geoid, frames put
together, int16 decibels x 100. Ascending and descending passes are series of their own.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from iota2_tools.config.section import PathText
from iota2_tools.core.contents import digest
from iota2_tools.core.errors import Iota2Error
from iota2_tools.geo.grid import Grid
from iota2_tools.products.format import Files, Listing, Pixels, ProductFormat, Request
from iota2_tools.products.images import Codes, Image, Mask
from iota2_tools.products.s1_s1tiling import BANDS, ORBITS, RadarSection
from iota2_tools.radar.archive import passes_over, slices_of
from iota2_tools.radar.safe import parse_name

NODATA = -32768
NOT_SEEN = Codes(values=(0,))


class Sentinel1Grd(RadarSection):
    """Sentinel-1 IW GRD (SAFE), `path/PRODUCT.SAFE/`, all tiles in one folder, prepared before it is read."""

    dem: PathText = Field(
        description="Heights above sea level, m: a raster, or a folder of rasters (SRTM `.hgt`, Copernicus DEM)."
    )
    geoid: PathText | None = Field(
        None,
        description=(
            "Heights of the sea level above the ellipsoid. Empty: the `egm96_15.gtx` of the machine "
            "(Debian's package proj-data)."
        ),
    )
    missing_is_sea: bool = Field(
        False, description="Whether the sea lies where the elevation model has no height."
    )
    calibration: Literal["gamma", "sigma", "beta"] = Field(
        "gamma", description="Backscatter coefficient: gamma, sigma or beta nought."
    )
    remove_noise: bool = Field(True, description="Whether thermal noise is taken away.")
    interpolation: Literal["linear", "nearest"] = Field(
        "linear", description="Of the orthorectification, in linear power."
    )

    @property
    def options(self) -> dict[str, Any]:
        """How products are prepared."""
        keys = ("dem", "geoid", "missing_is_sea", "calibration", "remove_noise", "interpolation")
        both = bool(self.indices or self.additional_features)
        return {key: getattr(self, key) for key in (*keys, "speckle_radius")} | {
            "polarisations": ["VV", "VH"] if both else list(self.keep_bands)
        }


def _files(request: Request) -> Files:
    """The files of frames are many; those that tell what they are stand for them."""
    return {}, ()


def listing(folder: str, tile: str, grid: Grid, index: str) -> Listing:
    """Passes over a tile, of all frames in a folder."""
    slices, strangers = slices_of(folder, index)
    damaged = {name: told.start.date() for name in strangers if (told := parse_name(name))}
    found = Listing(strangers=strangers, damaged=damaged)
    for item in passes_over(slices, grid):
        identity = FORMAT.recognise(item.name)
        assert identity is not None, item.name
        found.products.append(replace(identity, sources=item.slices))
    return found


def prepared_files(folder: Path, bands: Sequence[str]) -> Files:
    """What the preparation has written of a pass."""
    images = {band: Image(str(folder / f"{band}.tif"), nodata=NODATA) for band in bands}
    return images, (Mask(str(folder / "validity.tif"), NOT_SEEN, NOT_SEEN),)


def settings_key(options: Mapping[str, Any]) -> str:
    """Short word for how products are prepared: settings, elevation model and geoid."""
    said = {key: value for key, value in options.items() if key != "speckle_radius"}
    for key in ("dem", "geoid"):
        path = Path(said[key]) if said[key] else None
        files = sorted(path.iterdir()) if path and path.is_dir() else [path]
        said[key] = [_digest(file) for file in files if file]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:8]


def _digest(path: Path) -> str:
    try:
        return digest(path)
    except (OSError, Iota2Error):
        return ""


FORMAT = ProductFormat(
    label="Sentinel1",
    section=Sentinel1Grd,
    pattern=re.compile(
        r"(?P<platform>S1[A-Z])_(?P<part>ASC|DES)_(?P<orbit>\d{3})_(?P<day>\d{8})T(?P<time>\d{6})"
    ),
    example="S1A_IW_GRDH_1SDV_20180104T174830_20180104T174855_020012_022181_7F5C.SAFE",
    bands=BANDS,
    pixels=Pixels(("Int16",), "decibels x 100", nodata=NODATA),
    files=_files,
    parts=ORBITS,
    must_be_prepared=True,
    prepared_files=prepared_files,
    passes=listing,
    settings_key=settings_key,
    masks="what no frame saw, and the borders of frames, are not seen",
    source="Copernicus Data Space (PEPS, which had it, is closed)",
)
