"""Whether the files of `final` are those that the lock of their production tells of."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from iota2_tools.core.errors import InputDataError
from iota2_tools.core.locks import NAME
from iota2_tools.geo.raster import open_raster
from iota2_tools.publishing.checksums import content_of, sha256_of
from iota2_tools.publishing.differences import against_lock
from iota2_tools.publishing.lock import Lock, LockedProduct
from iota2_tools.publishing.products import files_in

RENDERED = ("report/", "report.html")
"""What is drawn of a production besides, with hours and times of work: no product."""
MADE = re.compile(
    r"(Classif|Confidence|Probability|Choice|PixelsValidity|diff_|Confusion_|Areas_|RESULTS|scores|"
    r"Histograms|LandCover|PredictionSets|Suspicious|reliability|features/|delivery/|stac/)"
)
"""Names that a production gives."""


@dataclass(frozen=True)
class Finding:
    """What is wrong with a file of `final`, or worth a word.

    Parameters
    ----------
    path : str
        Inside `final`.
    what : str
        In words.
    fatal : bool
        Whether the production is not what its lock says.
    """

    path: str
    what: str
    fatal: bool = True


def verify(lock: Lock, final: str | Path) -> list[Finding]:
    """Hold every file of `final` against the lock.

    Parameters
    ----------
    lock : Lock
        Of the production.
    final : str or Path
        Folder of the final products.
    """
    folder = Path(final)
    found = [
        finding
        for path, product in lock.products.items()
        if (finding := _looked_at(folder / path, path, product, lock))
    ]
    return [*found, *_strangers(lock, folder)]


def _looked_at(file: Path, path: str, product: LockedProduct, lock: Lock) -> Finding | None:
    if not file.is_file():
        return Finding(path, "is missing")
    if file.stat().st_size == product.size and sha256_of(file) == product.sha256:
        return None
    if product.content is None:
        return Finding(path, "was altered: its bytes are others")
    try:
        now = content_of(file)
        other = _of_another_run(file, lock)
    except InputDataError as error:
        return Finding(path, f"was altered, and cannot be read any more: {error}")
    assert now is not None  # by its name it is what it was
    difference = against_lock(str(file), now, product.content)
    if not difference:
        words = "was written again: its bytes are others, what it holds is the same"
        return Finding(path, words, fatal=False)
    return Finding(path, f"{other or 'was altered'}: {difference}")


def _of_another_run(file: Path, lock: Lock) -> str:
    """Whether a raster tells of another configuration, in words; empty if not."""
    if file.suffix != ".tif":
        return ""
    told = open_raster(str(file)).GetMetadata().get("CONFIG_SHA256")
    if told in (None, lock.configuration_sha256):
        return ""
    return f"is of another run, of the configuration {told[:8]}"


def _strangers(lock: Lock, folder: Path) -> Iterator[Finding]:
    """Files that the lock does not name."""
    for path in files_in(folder):
        if path in lock.products or path == NAME or path.startswith(RENDERED):
            continue
        if MADE.match(path):
            yield Finding(path, "is of another run: the lock does not name it")
        else:
            yield Finding(path, "is no product: the lock does not name it", fatal=False)
