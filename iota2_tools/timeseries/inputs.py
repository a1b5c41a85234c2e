"""What is read of a tile, as the plan hands it to the jobs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from iota2_tools.geo.grid import Grid
from iota2_tools.products import Acquisition, ProductFormat, Request, format_of

Missing = Literal["leave_out", "mean", "keep"] | float
"""What pixels without data of a user's raster do (`config.sections.UserRaster`)."""


@dataclass(frozen=True)
class Products:
    """Products of a series over a tile, as the plan has listed them.

    Parameters
    ----------
    sensor : str
        Key of `products.FORMATS`.
    folder : str
        Folder of the tile.
    names : sequence of str
        Products to read, by day and time; of one acquisition, the newest version first.
    counted : sequence of str
        Those of the period, which count as clear dates.
    options : mapping
        What the section of the sensor says of their files.
    bands : sequence of str
        Bands to read.
    grid : dict
        Grid that all of them should be on (`Grid.as_dict`), of the pixels of the finest band.
    strangers : dict of str to str
        Entries of the folder that look like products and are not read, with the reason.
    """

    sensor: str
    folder: str
    names: Sequence[str]
    counted: Sequence[str]
    options: Mapping[str, Any]
    bands: Sequence[str]
    grid: dict[str, Any]
    strangers: Mapping[str, str] = field(default_factory=dict)

    @property
    def format(self) -> ProductFormat:
        """Their format."""
        return format_of(self.sensor, self.options)

    def acquisitions(self) -> list[Acquisition]:
        """Files of every product, whether they exist or not."""
        counted, product_format = set(self.counted), self.format
        return [
            product_format.acquisition(
                Request(Path(self.folder), name, self.bands, self.options), name in counted
            )
            for name in self.names
        ]


@dataclass(frozen=True)
class UserFile:
    """A raster of the user over a tile, as the configuration wants it read."""

    path: str
    interpolation: str
    missing: Missing


@dataclass(frozen=True)
class TileInputs:
    """All that is read of a tile.

    Parameters
    ----------
    tile : str
        Its name.
    grid : Grid
        Grid of its products in the production.
    products : dict of str to Products
        Of each series.
    user_features : dict of str to UserFile
        The user's raster of each word.
    """

    tile: str
    grid: Grid
    products: dict[str, Products]
    user_features: dict[str, UserFile]

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> "TileInputs":
        """The same from plain values (`dataclasses.asdict`)."""
        return cls(
            given["tile"],
            Grid(**given["grid"]),
            {series: Products(**item) for series, item in given["products"].items()},
            {word: UserFile(**item) for word, item in given["user_features"].items()},
        )

    @property
    def files(self) -> Iterator[str]:
        """Every file that is read, or would be if it were there."""
        for products in self.products.values():
            for item in products.acquisitions():
                yield from item.files
        for user_file in self.user_features.values():
            yield user_file.path


def band_names(word: str, count: int) -> list[str]:
    """Names of the features of a raster of so many bands."""
    return [f"{word}_band_{number}" for number in range(1, count + 1)]
