"""The nomenclature: the one table of class codes, names, colours and parents."""

import colorsys
import csv
import io
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iota2_tools.core.errors import ConfigError, one_message

COLUMNS = ("code", "name", "colour", "parent")
ALIASES = {"label": "name", "color": "colour", "group": "parent"}
LARGEST_CODE = 65535


@dataclass(frozen=True)
class LandCoverClass:
    """One class: code written in the map, name, colour as (red, green, blue), parent's name."""

    code: int
    name: str
    colour: tuple[int, int, int]
    parent: str | None = None

    @property
    def hex_colour(self) -> str:
        """Colour as ``#rrggbb``."""
        return "#{:02x}{:02x}{:02x}".format(*self.colour)


@dataclass(frozen=True)
class Nomenclature:
    """Classes of a map, sorted by code."""

    classes: tuple[LandCoverClass, ...]

    @property
    def codes(self) -> tuple[int, ...]:
        """Codes in increasing order."""
        return tuple(item.code for item in self.classes)

    @property
    def dtype(self) -> str:
        """Type of the class map: ``uint8``, or ``uint16`` when a code exceeds 255."""
        return "uint8" if max(self.codes) <= 255 else "uint16"

    def name_of(self, code: int) -> str:
        """Name of a class; its code as text when the table does not hold it."""
        return {item.code: item.name for item in self.classes}.get(code, str(code))

    def code_of(self, value: object) -> int | None:
        """Code of a reference value: an integer code, or the name of a class."""
        text = str(value).strip()
        by_name = {item.name: item.code for item in self.classes}
        if text in by_name:
            return by_name[text]
        try:
            code = float(text)
        except ValueError:
            return None
        return int(code) if code in self.codes else None


def read_nomenclature(path: str) -> Nomenclature:
    """Read a CSV table `code,name,colour[,parent]`.

    Colours are ``#rrggbb`` or ``r g b``; where the column is missing, each class gets a hue of
    its own. `label`, `color` and `group` are accepted as column names.

    Raises
    ------
    ConfigError
        Listing every line at fault.
    """
    if not Path(path).is_file():
        raise ConfigError(
            f"nomenclature: no file {path}; it is a table with columns code,name,colour"
        )
    header, lines = _read_table(path)
    missing = [name for name in ("code", "name") if name not in header]
    if missing:
        raise ConfigError(
            f"{path}: column {missing[0]!r} is missing, found {', '.join(header)}; "
            f"the first line must be {','.join(COLUMNS[:3])}, columns apart by commas"
        )
    problems: list[str] = []
    rows = []
    for number, line in lines:
        if len(line) != len(header):
            problems.append(
                f"line {number}: {len(line)} values for {len(header)} columns; "
                "put names that hold a comma between quotes"
            )
        else:
            rows.append((number, dict(zip(header, line, strict=True))))
    classes = [
        _read_class(number, place, row, len(rows), problems)
        for place, (number, row) in enumerate(rows)
    ]
    problems += _duplicates([row for _, row in rows])
    if not lines:
        problems.append("no class; give a line to each, below the names of the columns")
    if problems:
        raise ConfigError(one_message(path, problems))
    return Nomenclature(tuple(sorted((c for c in classes if c), key=lambda item: item.code)))


def in_usual_form(path: str) -> str:
    """A table as `read_nomenclature` takes it: UTF-8, columns apart by commas.

    What is no UTF-8 is read as Windows-1252, which holds Latin-1's letters. Columns may be apart by
    semicolons or tabs, as spreadsheets write them.
    """
    data = Path(path).read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    first = text.split("\n", 1)[0]
    mark = max(",;\t", key=first.count)
    written = io.StringIO()
    rows = csv.reader(io.StringIO(text), delimiter=mark, skipinitialspace=True)
    csv.writer(written, lineterminator="\n").writerows(row for row in rows if any(row))
    return written.getvalue()


UNDECIDED_COLOUR = (128, 128, 128)


def read_legend(legend: Mapping[str, Any]) -> Nomenclature:
    """Classes of a map: those of the nomenclature, and where it has one its label of undecided pixels.

    Parameters
    ----------
    legend : mapping
        `path` of the nomenclature; `undecided`, a code, of maps that have such pixels.
    """
    classes = read_nomenclature(legend["path"]).classes
    if legend.get("undecided"):
        classes += (LandCoverClass(legend["undecided"], "undecided", UNDECIDED_COLOUR),)
    return Nomenclature(tuple(sorted(classes, key=lambda item: item.code)))


def _read_table(path: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Names of the columns, and the lines that are not empty with their numbers."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, skipinitialspace=True, strict=True)
            lines = [(reader.line_num, line) for line in reader if any(map(str.strip, line))]
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); check its permissions"
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is no text in UTF-8; save it again in that encoding") from None
    except csv.Error as error:
        raise ConfigError(
            f"{path}: is no table ({error}); put names that hold a comma between quotes"
        ) from None
    if not lines:
        return [], []
    names = [name.strip().lower() for name in lines[0][1]]
    return [ALIASES.get(name, name) for name in names], lines[1:]


def _read_class(
    number: int, order: int, row: dict[str, str], total: int, problems: list[str]
) -> LandCoverClass | None:
    """One line of the table, or None after adding to `problems`."""
    place = f"line {number}"
    code = row["code"].strip()
    if not code.isdecimal() or not 1 <= int(code) <= LARGEST_CODE:
        problems.append(
            f"{place}: code {code!r} is not an integer from 1 to {LARGEST_CODE} (0 means no data); "
            "give another code"
        )
        return None
    name = row["name"].strip()
    if not name:
        problems.append(f"{place}: class {code} has no name; name it")
    if re.search(r"[\x00-\x1f\x7f]", name):
        problems.append(
            f"{place}: the name of class {code}, {name!r}, holds a line break or another control character; write "
            "it in one line"
        )
    colour = parse_colour(row["colour"]) if row.get("colour") else _default_colour(order, total)
    if colour is None:
        problems.append(
            f"{place}: colour {row['colour']!r} is neither #rrggbb nor 'red green blue' (0-255); "
            "write it as one of these"
        )
        return None
    return LandCoverClass(int(code), name, colour, row.get("parent", "").strip() or None)


def parse_colour(text: str) -> tuple[int, int, int] | None:
    """(red, green, blue) of ``#rrggbb`` or ``r g b``, None if it is neither."""
    if match := re.fullmatch(r"#([0-9a-fA-F]{6})", text.strip()):
        value = int(match[1], 16)
        return value >> 16, value >> 8 & 255, value & 255
    parts = re.split(r"[ ,;]+", text.strip())
    if len(parts) == 3 and all(part.isdigit() and int(part) <= 255 for part in parts):
        return int(parts[0]), int(parts[1]), int(parts[2])
    return None


def _default_colour(number: int, total: int) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(number / max(total, 1), 0.65, 0.85)
    return round(red * 255), round(green * 255), round(blue * 255)


def _duplicates(rows: list[dict[str, str]]) -> list[str]:
    problems = []
    for column in ("code", "name"):
        values = [row[column].strip() for row in rows]
        if column == "code":
            values = [value.lstrip("0") for value in values]
        twice = [value for value, count in Counter(values).items() if count > 1]
        problems += [f"{column} {value!r} stands twice; give each class its own" for value in twice]
    return problems
