"""`iota2 init`: a configuration for the data in a folder, with comments."""

import argparse
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from iota2_tools.core.errors import ConfigError, InputDataError

if TYPE_CHECKING:
    from iota2_tools.planning.discovery import Discovery, Polygons, Series

EXAMPLES = """examples:
  iota2 init data                                     config/config.yaml for what lies in data/
  iota2 init /archive/2018 --config winter.yaml
  iota2 init data --reference data/fields.gpkg --field crop
"""
MOST_NAMED = 8


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Options of the command."""
    parser = commands.add_parser(
        "init", help="a configuration for the data in a folder",
        description="Look for products of satellites (in folders of tiles), reference polygons and a nomenclature, "
        "and write a commented configuration. A nomenclature is written where there is none. Nothing is overwritten.",
        epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the data lie")
    parser.add_argument(
        "--config", type=Path, default=Path("config/config.yaml"), metavar="FILE",
        help="configuration to write (%(default)s)",
    )  # fmt: skip
    parser.add_argument("--reference", type=Path, metavar="FILE", help="the reference polygons")
    parser.add_argument("--field", metavar="NAME", help="their field with the class")
    parser.add_argument("--output", default="results", help="folder of the products (%(default)s)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the files, and say what was found; exit code."""
    from iota2_tools.planning.discovery import discover

    if not arguments.folder.is_dir():
        raise InputDataError(f"{arguments.folder}: is no folder; name the one that holds the data")
    if arguments.config.exists():
        raise ConfigError(
            f"{arguments.config}: is there already and is left as it is; give another name with --config"
        )
    found = discover(arguments.folder)
    if not found.series:
        raise InputDataError(_nothing(arguments.folder, found))
    polygons, field = _reference(found, arguments.reference, arguments.field)
    nomenclature = _nomenclature(found, polygons, field, arguments.config.parent)
    _write(arguments.config, configuration(found, polygons, field, nomenclature, arguments.output))
    print("\n".join(_told(found, polygons, field, nomenclature, arguments.config)))
    return 0


def _nothing(folder: Path, found: "Discovery") -> str:
    from iota2_tools.products import FORMATS

    like = "; ".join(found.remarks[:3]) or (
        f"expected FOLDER/TILE/PRODUCT, for example T31TCJ/{FORMATS['sentinel2'].example.format(tile='T31TCJ')}"
    )
    return (
        f"{folder}: no products of satellites by tile; {like}. docs/sensors.md has all formats; series of your "
        "own, STAC and rasters of features (`user_features`) are written by hand"
    )


def _reference(
    found: "Discovery", path: Path | None, field: str | None
) -> tuple["Polygons | None", str]:
    """The reference that is named, or the file with most polygons and a field of classes."""
    from iota2_tools.planning.discovery import Discovery, look_for_polygons

    if path:
        if not path.exists():
            raise InputDataError(f"{path}: no such file")
        named = Discovery()
        look_for_polygons(path, named)
        if not named.polygons:
            raise InputDataError(
                f"{path}: holds no polygons with a field of whole numbers or text that could be classes"
            )
        chosen: Polygons | None = named.polygons[0]
    else:
        chosen = next((item for item in found.polygons if item.classes), None)
    if chosen and field and field not in chosen.fields:
        raise InputDataError(
            f"{chosen.path}: no field {field!r} that could hold classes; there are {', '.join(chosen.fields)}"
        )
    return chosen, field or (next(iter(chosen.classes or chosen.fields)) if chosen else "")


def _nomenclature(
    found: "Discovery", polygons: "Polygons | None", field: str, folder: Path
) -> Path:
    """A table that names all classes of the reference; else a new one, of its values."""
    from iota2_tools.config.nomenclature import read_nomenclature

    values = polygons.fields[field] if polygons else []
    target = folder / "nomenclature.csv"
    for path in found.nomenclatures:
        try:
            known = read_nomenclature(str(path))
        except ConfigError as error:
            text = _usual_table(path, values)
            if text and not target.exists():
                found.remarks.append(
                    f"{error}. {target} is a copy of it in that form: look at its names"
                )
                _write(target, text)
                return target
            found.remarks.append(f"not taken: {error}")
            continue
        lacking = [value for value in values if known.code_of(value) is None]
        if not lacking:
            return path
        if len(lacking) < len(values):
            found.remarks.append(
                f"not taken: {path}: has no class {', '.join(lacking[:MOST_NAMED])}"
            )
    path = target
    if path.exists():
        raise ConfigError(
            f"{path}: is there already and lacks classes of {polygons.path if polygons else 'the reference'}; "
            "complete it or move it away"
        )
    if values:
        _write(path, nomenclature_of(values, str(polygons.path) if polygons else ""))
    return path


def _usual_table(path: Path, values: list[str]) -> str:
    """A table in another encoding or with other separators, as ours; empty if it is not of these classes."""
    import tempfile

    from iota2_tools.config.nomenclature import in_usual_form, read_nomenclature

    text = in_usual_form(str(path))
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, path.name)
        copy.write_text(text, encoding="utf-8")
        try:
            known = read_nomenclature(str(copy))
        except ConfigError:
            return ""
    return text if all(known.code_of(value) is not None for value in values) else ""


def nomenclature_of(values: list[str], source: str) -> str:
    """A table `code,name` of the values of a field: its codes, or its names numbered from 1.

    Raises
    ------
    InputDataError
        If some values are codes and others are not, or codes are not from 1 to 65535.
    """
    import csv
    import io

    numbers = [value for value in values if value.lstrip("-").isdigit()]
    if numbers and len(numbers) != len(values):
        others = ", ".join(value for value in values if value not in numbers)
        raise InputDataError(
            f"{source}: its classes are codes and names ({others}) mixed; name one kind with --field"
        )
    if any(not 1 <= int(value) <= 65535 for value in numbers):
        raise InputDataError(
            f"{source}: codes of classes go from 1 to 65535, found {numbers[0]} to {numbers[-1]}; name another "
            "field with --field"
        )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("code", "name"))
    for place, value in enumerate(values, start=1):
        writer.writerow((value, f"class {value}") if numbers else (place, value))
    return text.getvalue()


def configuration(
    found: "Discovery", polygons: "Polygons | None", field: str, nomenclature: Path, output: str
) -> str:
    """The text of a configuration for what was found."""
    lines = [
        "# Written by `iota2 init`: look through it, then `iota2 check` this file.",
        "# All other choices have defaults: docs/configuration.md.",
        "",
        "# Folder of all products; the maps are in final/ inside it.",
        f"output: {_word(output)}",
        "",
        f"# Tiles that {'all sensors have' if len(found.series) > 1 else 'were found'}.",
        f"tiles: [{', '.join(map(_word, found.tiles))}]",
        "",
        "sensors:",
    ]
    for item in found.series:
        lines += [
            f"  {item.sensor}:",
            f"    # {item.count} products of {len(item.tiles)} tile(s), {min(item.days)} to {max(item.days)}.",
            f"    path: {_path(item.path)}",
            *_bands(item),
            "    # Days of which images are used; without them from the first to the last of any tile.",
            f"    # first_date: {min(item.days)}",
            f"    # last_date: {max(item.days)}",
        ]
    lines += ["", "# Polygons whose class is known, and their field with the class."]
    if polygons:
        values = polygons.fields[field]
        shown = ", ".join(values[:MOST_NAMED]) + (" …" if len(values) > MOST_NAMED else "")
        others = [name for name in polygons.fields if name != field]
        lines += [
            "reference:",
            f"  path: {_path(polygons.path)}",
            f"  # {polygons.features} polygons, {len(values)} classes: {shown}."
            + (f" Other fields: {', '.join(others[:MOST_NAMED])}." if others else ""),
            f"  field: {_word(field)}",
        ]
    else:
        lines += [
            "# None were found: fill this in.",
            "reference:",
            "  path: data/reference.gpkg",
            "  field: code",
        ]
    lines += [
        "",
        "# Table code,name,colour of the classes.",
        f"nomenclature: {_path(nomenclature)}",
    ]
    lines += _regions(found, polygons)
    lines += [
        "",
        "# Draws of learning and validation polygons, each with a map; several tell how sure scores are.",
        "# sampling:",
        "#   runs: 3",
        "",
    ]
    return "\n".join(lines)


def _bands(item: "Series") -> list[str]:
    """The bands that there are, where the products lack some of those that are usually kept."""
    from iota2_tools.products import FORMATS

    if not item.without:
        return []
    usual = FORMATS[item.sensor].section(path=str(item.path)).kept
    kept = [band for band in usual if band not in item.without]
    if not kept or kept == usual:
        return []
    absent = ", ".join(band for band in usual if band in item.without)
    return [f"    # The products have no {absent}.", f"    keep_bands: [{', '.join(kept)}]"]


def _regions(found: "Discovery", polygons: "Polygons | None") -> list[str]:
    """Other polygons, as regions that could be."""
    others = [item for item in found.polygons if not polygons or not _same_fields(item, polygons)]
    others.sort(key=lambda item: bool(item.classes) and "region" not in item.path.stem.lower())
    if not others:
        return []
    names = list(others[0].fields)
    return [
        "",
        "# Regions with a model each (eco-climatic); these polygons could be such.",
        "# regions:",
        f"#   path: {_path(others[0].path)}",
        f"#   field: {_word(next((name for name in names if name not in others[0].classes), names[0]))}",
    ]


def _same_fields(first: "Polygons", second: "Polygons") -> bool:
    """Whether two files are the same polygons, maybe in two formats."""
    return (first.features, set(first.fields)) == (second.features, set(second.fields))


def _path(path: Path) -> str:
    """A path as it counts from here: relative if it is below, else whole."""
    whole = Path(os.path.abspath(path))
    return _word(str(whole.relative_to(Path.cwd()) if whole.is_relative_to(Path.cwd()) else whole))


def _word(text: str) -> str:
    """Text as YAML reads it as text again."""
    import json

    import yaml

    try:
        plain = yaml.safe_load(f"[{text}]") == [text]
    except yaml.YAMLError:
        plain = False
    return text if plain else json.dumps(text, ensure_ascii=False)


def _write(path: Path, text: str) -> None:
    from iota2_tools.core.files import whole_file

    with whole_file(str(path)) as temporary:
        Path(temporary).write_text(text, encoding="utf-8")


def _told(
    found: "Discovery", polygons: "Polygons | None", field: str, nomenclature: Path, config: Path
) -> list[str]:
    lines = []
    for item in found.series:
        lines.append(
            f"{item.sensor}: {item.count} products of {', '.join(item.tiles[:MOST_NAMED])}"
            f"{' …' if len(item.tiles) > MOST_NAMED else ''}, {min(item.days)} to {max(item.days)}"
        )
    if polygons:
        lines.append(
            f"reference: {polygons.path}, field {field}, {len(polygons.fields[field])} classes"
        )
    else:
        lines.append("reference: none found, to be filled in")
    new = ", new" if nomenclature.exists() else ", to be made"
    lines.append(
        f"nomenclature: {nomenclature}{'' if nomenclature in found.nomenclatures else new}"
    )
    lines += [f"REMARK: {text}" for text in found.remarks]
    lines.append(f"written: {config}; now: iota2 check {shlex.quote(str(config))}")
    return lines
