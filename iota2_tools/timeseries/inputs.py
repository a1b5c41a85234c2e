"""What is read of a tile, as the plan hands it to the jobs."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.grid import Grid
from iota2_tools.products import Acquisition, ProductFormat, Request, format_of
from iota2_tools.products.prepared import prepared_acquisition

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
    ready : sequence of str
        Products of which prepared ones are read.
    prepared : str
        Folder of these.
    coregistration : mapping, optional
        The image they are moved onto, and how (`config.sensors.Coregistration`).
    contents : sequence of str
        Digests of what describes them, where that is apart from them.
    """

    sensor: str
    folder: str
    names: Sequence[str]
    counted: Sequence[str]
    options: Mapping[str, Any]
    bands: Sequence[str]
    grid: dict[str, Any]
    strangers: Mapping[str, str] = field(default_factory=dict)
    ready: Sequence[str] = field(default_factory=list)
    prepared: str = ""
    coregistration: Mapping[str, Any] | None = None
    contents: Sequence[str] = field(default_factory=list)

    @property
    def format(self) -> ProductFormat:
        """Their format."""
        return format_of(self.sensor, self.options)

    def acquisition(self, name: str) -> Acquisition:
        """Files of a product, whether they exist or not.

        Raises
        ------
        InputDataError
            If what tells what they mean cannot be read.
        """
        if name in self.ready:
            folder = Path(self.prepared)
            return prepared_acquisition(self.format, folder, name, self.bands, name in self.counted)
        request = Request(Path(self.folder), name, self.bands, self.options)
        return self.format.acquisition(request, name in self.counted)


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

    def without_prepared(self) -> "TileInputs":
        """The same without what has to be prepared first."""
        products = {}
        for series, item in self.products.items():
            ready = set(item.ready)
            names = [name for name in item.names if name not in ready]
            if names:
                products[series] = replace(item, names=names, ready=())
        return replace(self, products=products)

    def as_they_lie(self) -> "TileInputs":
        """The same without references that images would be moved onto."""
        products = {
            series: replace(item, coregistration=None) for series, item in self.products.items()
        }
        return replace(self, products=products)

    @property
    def files(self) -> Iterator[str]:
        """Every file that is read, or would be if it were there."""
        for products in self.products.values():
            for name in products.names:
                with suppress(InputDataError):
                    yield from products.acquisition(name).files
            if products.coregistration:
                yield products.coregistration["reference"]
        for user_file in self.user_features.values():
            yield user_file.path


def band_names(word: str, count: int) -> list[str]:
    """Names of the features of a raster of so many bands."""
    return [f"{word}_band_{number}" for number in range(1, count + 1)]
