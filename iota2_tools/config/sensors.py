"""The sections of sensors: what all have, what optical ones and regular series have."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    StringConstraints,
)

from iota2_tools.config.section import PathText, Section, Word


class Coregistration(Section):
    """A reference image onto which each acquisition is moved, by a shift of its own."""

    reference: PathText = Field(
        description=(
            "Raster that lies where the map shall lie, in any CRS: one over all tiles. It needs the ground alone "
            "in common with the series, not its date nor its units; best a similar band of a cloudless day."
        )
    )
    reference_band: int = Field(1, ge=1, description="Band of the reference.")
    sensor_band: Word = Field(
        description="Band of the sensor that is compared with it (`B8`); it is read for that."
    )
    largest_shift: float = Field(
        3,
        gt=0,
        le=20,
        description="Acquisitions that lie farther off are refused, pixels of `sensor_band`.",
    )
    least_quality: float = Field(
        0.5,
        gt=0,
        le=1,
        description=(
            "Share of the windows compared that must agree on the shift within half a pixel. Acquisitions with "
            "less are refused: `inputs.damaged_acquisition` says whether they stop the run. Those with too few "
            "clear pixels to be compared are left out, and told."
        ),
    )


class SensorSection(Section):
    """What all image time series have in common; each product format adds its own keys."""

    path: PathText = Field(description="Folder that holds one folder a tile.")
    first_date: date | None = Field(
        None,
        description="First interpolation date, `YYYY-MM-DD`; empty, the first acquisition over all tiles.",
    )
    last_date: date | None = Field(
        None,
        description="Last interpolation date, `YYYY-MM-DD`; empty, the last acquisition over all tiles.",
    )
    dates: Literal["calendar", "day_of_year"] = Field(
        "calendar",
        description=(
            "How features tell their dates: `calendar`, by the date (`B8_20180610`); `day_of_year`, by the day of a "
            "year without 29 February (`B8_D161`), so that models and samples of one year serve another. Needs "
            "`first_date` and `last_date`, a year apart at most."
        ),
    )
    in_season: bool = Field(
        False,
        description=(
            "Interpolation dates after the last acquisition over all tiles are left out, also those before "
            "`last_date`: for a year that is not over yet. Those that are left stay where they are in the whole year. "
            "`margin_days` counts before `first_date` alone."
        ),
    )
    margin_days: int = Field(
        0,
        ge=0,
        le=366,
        description=(
            "Acquisitions up to so many days before `first_date` and after `last_date` help to fill gaps. They do "
            "not count as clear dates. Those farther away are not read."
        ),
    )
    minimum_clear_dates: int = Field(
        0,
        ge=0,
        description=(
            "Pixels with fewer clear dates of this sensor are neither learnt, validated nor mapped. Those of all "
            "sensors together are counted by `classification.minimum_clear_dates` and `sampling.cloud_threshold`."
        ),
    )
    indices: list[Literal["NDVI", "NDWI", "Brightness"]] = Field(
        ["NDVI", "NDWI", "Brightness"],
        description="Spectral indices added for each date; NDVI and NDWI times 1000.",
    )
    additional_features: dict[
        Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9]*$")], Word
    ] = Field(
        {},
        description=(
            "Features of your own, `name: expression` in the band names (`B8A`) or `b1…bn`, for each date, e.g. "
            '`{RE: "(B8A-B5)/(B8A+B5)"}`. Functions: abs, exp, log, log10, sqrt, sin, cos, tan, where, minimum, '
            "maximum."
        ),
    )

    coregistration: Coregistration | None = Field(
        None,
        description=(
            "A reference image onto which each acquisition is moved, by a shift of its own. Empty: images are "
            "read where they lie."
        ),
    )

    @property
    def travelling(self) -> bool:
        """Whether features are named by the day of the year."""
        return self.dates == "day_of_year"

    @property
    def step_days(self) -> int:
        """Step of the interpolation dates; 0 where the products have dates of their own."""
        return 0

    @property
    def kept(self) -> list[str]:
        """Bands used as features; `keep_bands` of the format's own section."""
        return list(getattr(self, "keep_bands", ()))

    def contradictions(self) -> Iterator[str]:
        """Choices of the section that are each right and cannot stand together."""
        yield from ()

    @property
    def parts(self) -> list[str]:
        """Kinds of acquisitions to read (`ProductFormat.parts`); empty, all there are."""
        return []

    @property
    def radar(self) -> bool:
        """Whether what is seen is backscatter, kept in decibels, and not reflectance."""
        return False

    @property
    def options(self) -> dict[str, Any]:
        """What the section says of the files of products, for `ProductFormat.files`."""
        return {}

    @property
    def ratios(self) -> dict[str, bool]:
        """How normalised differences are computed (`OpticalSection`)."""
        return {}


class OpticalSection(SensorSection):
    """What sensors of reflectance have beside the keys of all."""

    relative_reflectance: bool = Field(
        False,
        description=(
            "Also `(band - red) / (band + red)`, times 1000, of each other band of `keep_bands` and each date: "
            "features `RelB8`."
        ),
    )
    keep_duplicates: bool = Field(
        True,
        description="With `relative_reflectance`: keep NDVI beside `RelB8`, which is the same.",
    )
    robust_indices: bool = Field(
        False,
        description=(
            "NDVI, NDWI and relative reflectances that haze moves less: `(a - b - 0.05) / (a + b + 0.05)` of "
            "reflectances, times 1000."
        ),
    )

    @property
    def ratios(self) -> dict[str, bool]:
        """How normalised differences are computed."""
        return {
            "relative_reflectance": self.relative_reflectance,
            "keep_duplicates": self.keep_duplicates,
            "robust_indices": self.robust_indices,
        }


class RegularSection(SensorSection):
    """A time series that is interpolated to regular dates."""

    temporal_resolution: int = Field(
        10, ge=1, le=366, description="Step of the interpolation dates, days."
    )

    @property
    def step_days(self) -> int:
        """Step of the interpolation dates."""
        return self.temporal_resolution
