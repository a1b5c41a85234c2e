"""Metadata of products, which say what their pixels mean: read once, errors named."""

import math
import xml.etree.ElementTree as xml
from functools import cache

from osgeo import gdal

from iota2_tools.core.errors import InputDataError

gdal.UseExceptions()


def text_of(path: str) -> str:
    """Text of a file, also inside an archive (``/vsizip/…``).

    Raises
    ------
    InputDataError
        If it cannot be read.
    """
    handle = gdal.VSIFOpenL(path, "rb")
    if handle is None:
        raise InputDataError(f"{path}: is missing; it says what the pixels of its product mean")
    try:
        gdal.VSIFSeekL(handle, 0, 2)
        size = gdal.VSIFTellL(handle)
        gdal.VSIFSeekL(handle, 0, 0)
        return bytes(gdal.VSIFReadL(1, size, handle) or b"").decode("utf-8", errors="replace")
    finally:
        gdal.VSIFCloseL(handle)


@cache
def xml_of(path: str) -> xml.Element:
    """Root of an XML file.

    Raises
    ------
    InputDataError
        If it cannot be read, or is cut off.
    """
    try:
        return xml.fromstring(text_of(path).lstrip("\ufeff"))
    except xml.ParseError as error:
        raise InputDataError(
            f"{path}: is no whole XML file ({error}); fetch the product again"
        ) from None


def local(element: xml.Element) -> str:
    """Name of an element without its namespace."""
    return element.tag.rpartition("}")[2]


def elements(root: xml.Element, name: str) -> list[xml.Element]:
    """All elements of a name, whatever their namespace."""
    return [element for element in root.iter() if local(element) == name]


def finite(text: str | None) -> float | None:
    """A number that a text states; None if it is none, or not finite.

    >>> finite(" 1000 "), finite("nan"), finite("n/a"), finite(None)
    (1000.0, None, None, None)
    """
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def number_in(path: str, name: str) -> float | None:
    """Number of the first element of a name in an XML file; None if there is none."""
    return next((finite(element.text) for element in elements(xml_of(path), name)), None)


def names_in(folder: str) -> list[str]:
    """Paths of all files of a folder or archive, relative to it; none if it cannot be read."""
    try:
        found = gdal.ReadDirRecursive(folder) or []
    except RuntimeError:
        return []
    return sorted(name for name in found if not name.endswith("/"))
