"""What one job prepares, as the plan hands it over."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from iota2_tools.core.contents import revision
from iota2_tools.core.versions import versions
from iota2_tools.products import ProductFormat, Request, format_of

RECORD = ".record"


@dataclass(frozen=True)
class Batch:
    """Products of one sensor and tile that one job prepares.

    Parameters
    ----------
    sensor : str
        Key of `products.FORMATS`.
    folder : str
        Folder of the products.
    names : mapping of str to list of str
        Products, with the `Identity.sources` of each.
    options : mapping
        What the section of the sensor says of their files.
    grid : mapping, optional
        Grid of the tile (`Grid.as_dict`), for what is brought on it.
    """

    sensor: str
    folder: str
    names: Mapping[str, Sequence[str]]
    options: Mapping[str, Any]
    grid: Mapping[str, Any] | None = None

    @property
    def format(self) -> ProductFormat:
        """Format of the products."""
        return format_of(self.sensor, self.options)

    def requests(self, bands: Sequence[str]) -> list[Request]:
        """Each product, with all bands."""
        return [
            Request(Path(self.folder), name, bands, self.options, tuple(sources))
            for name, sources in self.names.items()
        ]

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> "Batch":
        """The same from plain values (`dataclasses.asdict`)."""
        return cls(**given)


def _digest(*parts: Any) -> str:
    text = json.dumps(parts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def record_of(batch: Batch, month: str, folder: str) -> str:
    """Where the job keeps what the files of a batch held (`core.contents`)."""
    return f"{folder}/{month}-{_digest(asdict(batch))}{RECORD}"


def marker_of(batch: Batch, month: str, folder: str) -> str:
    """File that says that a batch is prepared.

    Its name changes with the products, with the content of their files, and with the version of
    the preparation.

    Parameters
    ----------
    month : str
        Of the acquisitions, ``YYYYMM``.
    folder : str
        Of the prepared products of the tile.
    """
    now = revision(record_of(batch, month, folder))
    return f"{folder}/{month}-{_digest(asdict(batch), now, versions('preparation', 'radar'))}.json"
