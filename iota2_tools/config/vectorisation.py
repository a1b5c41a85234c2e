"""Sections of the configuration for polygons of the map and their delivery."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from iota2_tools.config.section import PathText, Section

FieldName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9]{0,15}$")]
Prefix = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
Format = Literal["gpkg", "fgb", "parquet", "shp"]


OWN_QUANTITIES = ("confidence", "validity")
"""What polygons tell of the map itself: no other raster may be called so."""


class DescribingRaster(Section):
    """A raster whose mean and deviation each polygon gets."""

    name: FieldName = Field(description="Names the columns, `elevation_mean` and `elevation_sd`.")
    path: PathText = Field(description="Raster of one band, on any grid and in any CRS.")
    interpolation: Literal["bicubic", "nearest"] = Field(
        "bicubic", description="How it is brought to the pixels of the map."
    )


class VectorisationSection(Section):
    """Polygons of the map, of the regularised one if there is one, with attributes. Empty, none; docs/vectors.md."""

    seed: Annotated[int, Field(ge=0)] | Literal["fusion"] | None = Field(
        None,
        description=(
            "Draw whose map becomes polygons, or `fusion`, the map of all draws. Empty: the fused map if there is "
            "one (`fusion.seeds`), else that of draw 0."
        ),
    )
    method: Literal["visvalingam", "douglas_peucker"] = Field(
        "visvalingam",
        description=(
            "How boundaries are simplified: corners of the smallest triangles are left out, or corners nearer "
            "than the tolerance to the line between those that stay."
        ),
    )
    tolerance: float | None = Field(
        None,
        ge=0,
        description=(
            "Units of the CRS: triangles smaller than its square, or distances. 0, the sides of pixels stay; "
            "empty, one and a half pixels of that map."
        ),
    )
    area_limit: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Largest change of the area of a polygon by that, as a share of it.",
    )
    smoothing: Literal["none", "chaikin", "hermite"] = Field(
        "none",
        description=(
            "Rounds corners within the same limit; two to three times the points. `chaikin` cuts them, `hermite` "
            "draws curves that keep nearer to them."
        ),
    )
    names: Literal["plain", "oso"] = Field(
        "plain",
        description=(
            "Columns: `code`, `confidence_mean`, `share_11`, … or those of the OSO product: `Classe`, "
            "`Validmean`, `Validstd`, `Confidence`, `Aire`, one a class."
        ),
    )
    rasters: list[DescribingRaster] = Field(
        [], description="Further rasters whose mean and deviation each polygon gets."
    )
    formats: list[Format] = Field(
        ["gpkg"],
        min_length=1,
        description=(
            "Formats of the layers: GeoPackage, FlatGeobuf, GeoParquet, zipped Shapefile (short names, 2 GB)."
        ),
    )
    square_pixels: int = Field(
        4096,
        ge=16,
        le=16384,
        description="Side of the squares that are worked on at once; the result does not depend on it.",
    )


class DeliverySection(Section):
    """A layer by whose polygons the vectors are cut. Empty, they are delivered whole alone."""

    path: PathText = Field(description="Vector file of polygons (departments, a grid), in any CRS.")
    layer: str | None = Field(None, description="Layer of the file. Empty: the only one.")
    field: str = Field(description="Field that names the unit; polygons of one value are one unit.")
    values: list[str] = Field([], description="Units to deliver. Empty: all that touch the map.")
    prefix: Prefix = Field("unit", description="Files are named after it, `dept_31.gpkg`.")
