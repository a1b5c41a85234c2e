"""The final products of a production, as they lie in its folder `final`."""

import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from iota2_tools.publishing.checksums import Content, content_of, sha256_of

DRAW = re.compile(r"_[Ss]eed_(\d+)")
DOCUMENTS = ("production.qgz", "ro-crate-metadata.json", "stac/", "report/", "delivery/SHA256SUMS")
"""What tells of products, of files and of hours: it is looked at by its bytes alone."""


@dataclass(frozen=True)
class Product:
    """A final product.

    Parameters
    ----------
    path : str
        Inside `final`, with slashes.
    size : int
        Bytes.
    sha256 : str
        Of the file.
    content : Content, optional
        What it holds, whatever the bytes; None where its bytes alone can be compared.
    """

    path: str
    size: int
    sha256: str
    content: Content | None = None

    @property
    def draw(self) -> int | None:
        """The draw it is of; None if it is of all, as features and units of the delivery, whatever their names."""
        found = None if "/" in self.path else DRAW.search(self.path)
        return int(found[1]) if found else None


def is_document(path: str) -> bool:
    """Whether a file tells of products, and is none itself."""
    return path.startswith(DOCUMENTS)


def look_at(final: str | Path, path: str) -> Product:
    """A final product as it is now.

    Raises
    ------
    InputDataError
        If it cannot be read.
    """
    file = Path(final, path)
    content = None if is_document(path) else content_of(file)
    return Product(path, file.stat().st_size, sha256_of(file), content)


def look_at_all(final: str | Path, paths: Sequence[str], threads: int = 1) -> list[Product]:
    """Final products as they are now, by path."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda path: look_at(final, path), sorted(paths)))


def files_in(folder: str | Path) -> list[str]:
    """Files in a folder and those inside it, by path with slashes; temporary ones are left out."""
    found = []
    for place, _, names in os.walk(folder):
        for name in names:
            if not name.startswith(".part-"):
                found.append(Path(place, name).relative_to(folder).as_posix())
    return sorted(found)
