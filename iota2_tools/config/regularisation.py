"""The section of the configuration on the regularised map."""

from typing import Literal

from pydantic import Field

from iota2_tools.config.section import PathText, Section


class WaterMask(Section):
    """Water that is burnt into the regularised map, from a raster of yours."""

    path: PathText = Field(
        description=(
            "Raster in any CRS: neither 0 nor nodata where there is water. The nearest pixel counts; of larger "
            "pixels (`resolution`), those of which half is water."
        )
    )
    code: int = Field(ge=1, description="Code of the class that pixels of the map in water become.")


class RegularisationSection(Section):
    """A map without areas smaller than a mapping unit, beside the map as it was classified."""

    minimum_mapping_unit_m2: float = Field(
        1000,
        gt=0,
        description=(
            "Smaller areas are merged with a neighbour: connected pixels of one class that cover less, m²."
        ),
    )
    rule: Literal["capped", "gdal"] = Field(
        "capped",
        description=(
            "Which neighbour is the largest. `capped`: sizes are compared up to 64 pixels (or the unit, if that is "
            "more), then codes; the same in blocks of any size. `gdal`: exactly as gdal_sieve, by sizes alone, "
            "on the whole map at once; for maps of one tile."
        ),
    )
    groups: Literal["none", "parent"] = Field(
        "none",
        description=(
            "`parent`: first, lone pixels become another class of the same parent of the nomenclature that "
            "touches them; only then all classes are merged."
        ),
    )
    resolution: float | None = Field(
        None,
        gt=0,
        description=(
            "Side of a pixel of the regularised map, units of the CRS, a multiple of that of the map: each takes "
            "the most frequent class, of equals the smaller code. Empty: that of the map."
        ),
    )
    water_mask: WaterMask | None = Field(
        None,
        description=(
            "Water burnt into the regularised map, after the resolution: `{path: data/water.tif, code: 6}`."
        ),
    )
    second_minimum_mapping_unit_m2: float | None = Field(
        None,
        gt=0,
        description="Unit of a second pass over all classes, after the water, m². Empty: none.",
    )
    margin_pixels: int | None = Field(
        None,
        ge=1,
        le=10_000,
        description=(
            "Pixels around a block that are looked at for it. Empty: 128, or more for units above 10 pixels. A job "
            "compares the blocks where they meet, and fails if it was too little."
        ),
    )
    block_pixels: int = Field(
        8192,
        ge=16,
        description="Longest side of the blocks of the map that a job works on; of no effect on the result.",
    )
