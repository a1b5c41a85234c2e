"""`iota2 convert-config`: a configuration of IOTA² as one of this chain."""

import argparse
import csv
import io
import os
import shlex
from pathlib import Path

from iota2_tools.core.errors import ConfigError

EXAMPLES = """examples:
  iota2 convert-config IOTA2_Example.cfg                   config/config.yaml and its tables
  iota2 convert-config oso2018.cfg --to production/2018
"""
TABLES = ("config.yaml", "nomenclature.csv", "management.csv")


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Options of the command."""
    parser = commands.add_parser(
        "convert-config", help="a configuration of IOTA² as one of this chain",
        description="Write configuration, nomenclature with colours, and the table of copied samples, from a file of "
        "IOTA² in either spelling; say what was assumed, what means something else, and what has no counterpart.",
        epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("file", type=Path, metavar="FILE.cfg")
    parser.add_argument(
        "--to", type=Path, default=Path("config"), metavar="FOLDER",
        help="folder for the files (%(default)s); nothing there is overwritten",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the files, and say what a person must know; exit code 1 if the result has problems."""
    from iota2_tools.config.from_iota2 import VERSION, converted
    from iota2_tools.config.iota2_cfg import read_cfg
    from iota2_tools.planning.configuration import complete_configuration

    cfg = read_cfg(arguments.file)
    there = [str(arguments.to / name) for name in TABLES if (arguments.to / name).exists()]
    if there:
        raise ConfigError(
            f"{', '.join(there)}: there already, and left as they are; give another folder with --to"
        )
    found = converted(cfg)
    written = _tables(found, arguments.file.parent, arguments.to)
    path = arguments.to / "config.yaml"
    _write(path, _text(found, arguments.file))
    print(f"written: {', '.join([str(path), *written])}")
    for title, lines in (
        (f"assumed, as {VERSION} does", found.assumed),
        ("means something else here", found.changed),
        ("without counterpart", found.without),
    ):
        if lines:
            print("\n".join([f"{title}:", *(f"  {line}" for line in lines)]))
    try:
        complete_configuration(found.config, str(path))
    except ConfigError as error:
        print(f"to be mended: {error}")
        return 1
    print(f"now: iota2 check {shlex.quote(str(path))}")
    return 0


def _text(found, source: Path) -> str:  # type: ignore[no-untyped-def]
    """The configuration, with what a person must know as comments."""
    import yaml

    notes = [*found.changed, *found.without]
    head = [f"# From {source.name} by `iota2 convert-config`.", *(f"# {line}" for line in notes)]
    body = yaml.safe_dump(found.config, sort_keys=False, allow_unicode=True)
    return "\n".join([*head, "", body])


def _tables(found, folder: Path, to: Path) -> list[str]:  # type: ignore[no-untyped-def]
    """Convert the tables that the configuration names; their paths."""
    written = []
    found.put("nomenclature", str(to / "nomenclature.csv"))
    if found.nomenclature:
        path = _found(found.nomenclature, folder)
        colours = _found(found.colours, folder) if found.colours else None
        _write(to / "nomenclature.csv", nomenclature_table(path, colours))
        written.append(str(to / "nomenclature.csv"))
    if found.management:
        _write(to / "management.csv", management_table(_found(found.management, folder)))
        found.put("sampling.management", str(to / "management.csv"))
        written.append(str(to / "management.csv"))
    return written


def _found(path: str, folder: Path) -> Path:
    """A file that a configuration names: from here, or from where the configuration lies."""
    for base in (Path(), folder):
        if (base / path).is_file():
            return base / path
    raise ConfigError(
        f"{path}: there is no such file, and the configuration names it; copy it beside that, or correct the path"
    )


def nomenclature_table(names: Path, colours: Path | None) -> str:
    """Our table of classes, from those of IOTA²: `name:code`, and `code red green blue`.

    Raises
    ------
    ConfigError
        If a line is neither, or a class has no colour.
    """
    from iota2_tools.config.iota2_cfg import read_colour_table, read_iota2_nomenclature

    classes = read_iota2_nomenclature(names)
    palette = read_colour_table(colours) if colours else {}
    absent = [code for code in classes if code not in palette] if colours else []
    if absent:
        raise ConfigError(
            f"{colours}: no colour of class {', '.join(map(str, absent))}; add a line each"
        )
    rows = [
        ("code", "name", "colour"),
        *((c, classes[c], palette.get(c, "")) for c in sorted(classes)),
    ]
    return _csv(rows if colours else [row[:2] for row in rows])


def management_table(path: Path) -> str:
    """Our table of samples that models copy, from that of IOTA²: quantity -1 is `all`.

    Raises
    ------
    ConfigError
        If a line has not four values.
    """
    from iota2_tools.config.iota2_cfg import read_text

    rows: list[tuple[str, ...]] = [("source", "destination", "class", "quantity")]
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        values = [value.strip() for value in line.split(",")]
        if not line.strip() or values[0].startswith("#"):
            continue
        if len(values) != 4:
            raise ConfigError(
                f"{path}: line {number}: {len(values)} values; `source,destination,class,quantity` are needed"
            )
        rows.append((*values[:3], "all" if values[3] == "-1" else values[3]))
    return _csv(rows)


def _csv(rows: object) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)  # type: ignore[arg-type]
    return text.getvalue()


def _write(path: Path, text: str) -> None:
    from iota2_tools.core.files import whole_file

    with whole_file(os.fspath(path)) as temporary:
        Path(temporary).write_text(text, encoding="utf-8")
