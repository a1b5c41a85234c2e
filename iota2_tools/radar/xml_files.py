"""Reading the XML of a SAFE: what is missing is named with its file."""

import xml.etree.ElementTree as ElementTree
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from iota2_tools.core.errors import InputDataError

REMEDY = "fetch that product again, or move its folder away to do without it"


def read_xml(path: Path) -> ElementTree.Element:
    """Root of an XML file.

    Raises
    ------
    InputDataError
        If it is absent, cannot be read or is cut.
    """
    try:
        return ElementTree.parse(path).getroot()
    except FileNotFoundError:
        raise InputDataError(f"{path}: no such file; {REMEDY}") from None
    except OSError as error:
        raise InputDataError(f"{path}: cannot be read ({error.strerror}); {REMEDY}") from None
    except ElementTree.ParseError as error:
        raise InputDataError(f"{path}: is no whole XML file ({error}); {REMEDY}") from None


def header_of(path: Path) -> ElementTree.Element | None:
    """What a data set of a product says of the product (``adsHeader``), which stands first; None if it says nothing."""
    with path.open("rb") as file:
        for _, element in ElementTree.iterparse(file):
            if element.tag == "adsHeader":
                return element
    return None


def element_at(parent: ElementTree.Element, place: str, path: Path) -> ElementTree.Element:
    """The first element at a place such as ``geolocationGrid/geolocationGridPointList``.

    Raises
    ------
    InputDataError
        If there is none.
    """
    found = parent.find(place)
    if found is None:
        raise InputDataError(f"{path}: holds no {_plain(place)}; {REMEDY}")
    return found


def text_at(parent: ElementTree.Element, place: str, path: Path) -> str:
    """Text of an element, without blanks around it.

    Raises
    ------
    InputDataError
        If there is no such element, or it is empty.
    """
    text = (element_at(parent, place, path).text or "").strip()
    if not text:
        raise InputDataError(f"{path}: {_plain(place)} is empty; {REMEDY}")
    return text


def number_at(parent: ElementTree.Element, place: str, path: Path) -> float:
    """Number in an element.

    Raises
    ------
    InputDataError
        If there is no finite number.
    """
    text = text_at(parent, place, path)
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise InputDataError(f"{path}: {_plain(place)} is {text!r}, not a number; {REMEDY}")
    return value


def numbers_at(parent: ElementTree.Element, place: str, path: Path) -> np.ndarray:
    """Numbers of an element, separated by blanks, float64.

    Raises
    ------
    InputDataError
        If there are none, or one is no finite number.
    """
    text = text_at(parent, place, path)
    try:
        values = np.array(text.split(), dtype=np.float64)
    except ValueError:
        values = np.array([np.nan])
    if not np.isfinite(values).all():
        raise InputDataError(f"{path}: {_plain(place)} holds what is no number; {REMEDY}")
    return values


def time_at(parent: ElementTree.Element, place: str, path: Path) -> datetime:
    """Time (UTC) of an element, with its microseconds.

    Raises
    ------
    InputDataError
        If it is no time.
    """
    text = text_at(parent, place, path)
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise InputDataError(f"{path}: {_plain(place)} is {text!r}, not a time; {REMEDY}") from None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _plain(place: str) -> str:
    """A place as it is shown: without the marks of ElementTree."""
    return place.replace(".//", "").replace("{*}", "")
