"""Sections of a configuration: rasters and functions of the user, grid, classification, maps of features, inputs."""

import os
import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
)

from iota2_tools.config.section import PathText, Section, Word, meaning_of

TileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]+$")]


def _module_file(path: str) -> str:
    """A file that Python can import by its name."""
    name = os.path.basename(path)
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*\.py", name):
        raise ValueError(
            f"{path!r} is no name of a Python module: letters, digits and _, then `.py` (`phenology.py`)"
        )
    return path


ModuleFile = Annotated[PathText, AfterValidator(_module_file)]


def _by_name(given: Any) -> Any:
    """A raster given by its word alone."""
    return {"name": given} if isinstance(given, str) else given


class UserRaster(Section):
    """A raster of the user, in the folder of each tile or one for all; each band is a feature."""

    name: Word = Field(
        description=(
            "The one file of the tile's folder whose name holds this word; it names the features, `ALT_band_1`."
        )
    )
    path: PathText | None = Field(
        None,
        description=(
            "A file that covers all tiles, in place of one in the folder of each. It is read on the grid of each tile."
        ),
    )
    interpolation: Literal["bicubic", "nearest"] = Field(
        "bicubic",
        description=(
            "How it is brought to the grid of the tile: `bicubic` for quantities, `nearest` for codes."
        ),
    )
    missing: Literal["leave_out", "mean", "keep"] | float = Field(
        "leave_out",
        description=(
            "What pixels without data (nodata, NaN, outside the file) do: `leave_out`, neither learnt nor "
            "mapped; `mean`, the mean of the band over the tile; a number, that value; `keep`, a missing "
            "value for learners that know it (forests, HistGradientBoostingClassifier)."
        ),
    )
    dated: bool = Field(
        False,
        description=(
            "Several files in the folder of each tile, one a date (`20180131`, `2018-01-31` or `2018031` in "
            "its name), the same dates on all tiles: features `NDVI_20180131_band_1`. Nothing is interpolated "
            "in time; for a series with clouds and gaps see `sensors.own_series`."
        ),
    )


class UserFeatures(Section):
    """Rasters of your own, per tile or one over all tiles (a DEM); each band is a feature."""

    path: PathText | None = Field(
        None,
        description="Folder that holds one folder a tile; not needed where each raster has a `path`.",
    )
    patterns: list[Annotated[UserRaster, BeforeValidator(_by_name)]] = Field(
        min_length=1,
        description=(
            "For each raster a word of its file's name, `ALT`, or that and how it is read: "
            "`{name: SOIL, interpolation: nearest, missing: mean}`, `{name: ALT, path: data/dem.vrt}`."
        ),
    )


class ExternalFunction(Section):
    """A Python function of yours that gives features; docs/external-features.md shows how to write one."""

    module: ModuleFile = Field(description="File that holds it, `phenology.py`.")
    function: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] = Field(
        description="Its name."
    )
    parameters: dict[str, Any] = Field(
        {}, description="Handed to it as they are, e.g. `{threshold: 0.5}`."
    )
    margin: int = Field(
        0,
        ge=0,
        le=100,
        description="Pixels around a pixel that its features depend on, in each direction.",
    )
    reads: dict[str, list[str]] = Field(
        {},
        description=(
            "Bands it asks for that no feature of the sensor needs, by sensor: `{sentinel2: [B8, B11]}`."
        ),
    )
    missing: float | None = Field(
        None,
        description=(
            "Value of pixels for which it gives NaN, an infinite or a masked value. Empty: these are an error."
        ),
    )


class GridSection(Section):
    """Grid of the map. Empty, the grid of the products."""

    projection: str | None = Field(
        None, description="CRS of the map, e.g. `EPSG:2154`. Empty: that of the products."
    )
    spatial_resolution: float | None = Field(
        None, gt=0, description="Side of a pixel, units of the CRS. Empty: that of the products."
    )


class Smoothing(Section):
    """Smoothing of the class probabilities between neighbouring pixels, before classes are chosen."""

    method: Literal["none", "markov"] = Field(
        "none",
        description=(
            "`markov`: a Markov random field; the map as the classifier made it stays, as `Classif_raw_Seed_N.tif`. "
            "It needs a learner with probabilities. docs/smoothing.md says what it gains, and what validation "
            "polygons cannot tell of it."
        ),
    )
    beta: float = Field(
        0.3, gt=0, le=3, description="Weight of a neighbour. Above 1 confidences are too high."
    )
    iterations: int = Field(
        5,
        ge=1,
        le=50,
        description="Rounds; a pixel depends on those so many pixels around it, of other tiles and regions too.",
    )

    @property
    def used(self) -> bool:
        """Whether maps are smoothed."""
        return self.method != "none"


class Classification(Section):
    """The maps."""

    probability_map: bool = Field(
        False, description="Also write the probability of each class (0-1000)."
    )
    histograms: bool = Field(
        False,
        description=(
            "Also histograms of the confidence and of the clear dates of reference pixels that the map has right, "
            "and of those it has wrong."
        ),
    )
    minimum_clear_dates: int = Field(
        1,
        ge=0,
        description=(
            "Pixels with fewer clear dates get no class; 0 classifies pixels that were never seen."
        ),
    )
    prediction_sets: float | None = Field(
        None,
        gt=0,
        le=0.5,
        description=(
            "Share of errors allowed: also map how many classes cannot be excluded, so that the true one is among "
            "them for all but that share of the pixels (`0.1`). Empty: no such map."
        ),
    )
    smoothing: Smoothing = Field(Smoothing(), description=meaning_of(Smoothing))
    window_mb: int = Field(
        400,
        ge=16,
        description="Memory for the images of one window, MB; the result does not depend on it.",
    )


class FeatureMaps(Section):
    """Maps of single features, over all tiles."""

    features: list[Annotated[str, StringConstraints(pattern=r"^[^/]+$")]] = Field(
        min_length=1,
        description=(
            "Names of the features, `*` for any letters: `[Sentinel2_NDVI_20180610, Sentinel2_B8_*]`. Each is a file."
        ),
    )


class Inputs(Section):
    """Care with the input products."""

    damaged_acquisition: Literal["stop", "skip"] = Field(
        "stop",
        description=(
            "An acquisition with missing, truncated or unfit files stops the run, or is left out (the "
            "inventory and the report tell)."
        ),
    )
    longest_gap: int = Field(
        120,
        ge=1,
        description=(
            "Days without an acquisition of a series, inside the period, that the check warns of."
        ),
    )
    missing_series: Literal["stop", "leave_out"] = Field(
        "stop",
        description=(
            "Where one of several series has no acquisition over a tile: `stop`, or `leave_out` that series in "
            "all regions that the tile touches, so that their models learn and map without it."
        ),
    )
