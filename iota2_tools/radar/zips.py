"""Products that are still in the zip they were delivered in."""

import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

from iota2_tools.core.errors import InputDataError, unwritable
from iota2_tools.core.files import ERRORS_OF_WRITING
from iota2_tools.radar.xml_files import REMEDY

WANTED = re.compile(
    r"(?P<safe>(?:[^/]+/)*?[^/]+\.SAFE)/"
    r"(?:manifest\.safe|annotation/(?:calibration/)?[^/]+\.xml|measurement/[^/]+\.tiff?)",
    re.IGNORECASE,
)


def members(archive: Path) -> list[str]:
    """Files of a zip that a product is read from.

    Raises
    ------
    InputDataError
        If it is no whole zip, or does not hold one SAFE.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            names = opened.namelist()
    except (zipfile.BadZipFile, OSError) as error:
        raise InputDataError(f"{archive}: is no whole zip ({error}); {REMEDY}") from None
    found = [(match["safe"], name) for name in names if (match := WANTED.fullmatch(name))]
    if len({safe for safe, _ in found}) != 1:
        raise InputDataError(
            f"{archive}: holds {len({safe for safe, _ in found})} SAFE folders; one is expected; {REMEDY}"
        )
    return [name for _, name in found]


def read_manifest(archive: Path) -> ElementTree.Element:
    """Root of the manifest in a zip.

    Raises
    ------
    InputDataError
        If it holds none, or it cannot be read.
    """
    names = [name for name in members(archive) if name.lower().endswith("/manifest.safe")]
    try:
        with zipfile.ZipFile(archive) as opened:
            return ElementTree.fromstring(opened.read(names[0]))
    except IndexError:
        raise InputDataError(f"{archive}: holds no manifest.safe; {REMEDY}") from None
    except (zipfile.BadZipFile, zlib.error, OSError, ElementTree.ParseError) as error:
        raise InputDataError(
            f"{archive}: its manifest.safe cannot be read ({error}); {REMEDY}"
        ) from None


@contextmanager
def unpacked(product: Path, scratch: Path) -> Iterator[Path]:
    """Folder of a product; a zip is unpacked into a folder of `scratch` meanwhile.

    Raises
    ------
    InputDataError
        If a zip is damaged.
    OutputError
        If there is no room for it.
    """
    if product.is_dir() or not product.exists():  # what is not there is told by its reader
        yield product
        return
    names = members(product)
    scratch.mkdir(parents=True, exist_ok=True)
    folder = tempfile.mkdtemp(prefix=".unpacked-", dir=scratch)
    try:
        with zipfile.ZipFile(product) as opened:
            opened.extractall(folder, names)
        yield Path(folder) / WANTED.fullmatch(names[0])["safe"]  # type: ignore[index]
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise InputDataError(f"{product}: cannot be unpacked ({error}); {REMEDY}") from None
    except OSError as error:
        if error.errno in ERRORS_OF_WRITING:
            raise unwritable(folder, error.strerror) from error
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def texts_unpacked(product: Path) -> Iterator[Path]:
    """Folder with the texts of a product in a zip; its images are there by name, and empty.

    Raises
    ------
    InputDataError
        If the zip is damaged.
    """
    names = members(product)
    with tempfile.TemporaryDirectory() as folder:
        try:
            with zipfile.ZipFile(product) as opened:
                for name in names:
                    if not name.lower().endswith((".tif", ".tiff")):
                        opened.extract(name, folder)
                        continue
                    image = Path(folder, name)
                    image.parent.mkdir(parents=True, exist_ok=True)
                    image.touch()
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise InputDataError(f"{product}: cannot be unpacked ({error}); {REMEDY}") from None
        yield Path(folder) / WANTED.fullmatch(names[0])["safe"]  # type: ignore[index]
