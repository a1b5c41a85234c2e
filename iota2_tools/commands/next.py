"""`iota2 next`: the configuration of a production, for another year."""

import argparse
import os
import re

from iota2_tools.core.errors import ConfigError


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Options of the command."""
    parser = commands.add_parser(
        "next",
        help="the configuration of a production for another year, and what that year lacks of images",
        epilog="example: iota2 next production_2018.yaml --year 2019 --path sensors.sentinel2=data/2019",
    )
    parser.add_argument("config", help="YAML file of the production that stands")
    parser.add_argument("--year", type=int, required=True, help="of the last day of its period")
    parser.add_argument(
        "--path",
        action="append",
        default=[],
        metavar="PLACE=VALUE",
        help="where inputs of that year are, e.g. reference=data/2019.gpkg; may be given several times",
    )
    parser.add_argument(
        "--output", metavar="FILE", help="YAML to write; by default the name with the other year"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the configuration; exit code."""
    from pathlib import Path

    from iota2_tools.config.yaml_files import read_yaml
    from iota2_tools.core.files import whole_file
    from iota2_tools.planning.configuration import complete_configuration, read_configuration
    from iota2_tools.planning.production import Production
    from iota2_tools.years.next_year import missing_images, next_year

    old = Production(read_configuration(arguments.config))
    text = Path(arguments.config).read_text(encoding="utf-8")
    found = next_year(text, arguments.year, given_paths(arguments.path), arguments.config)
    output = arguments.output or name_of(arguments.config, arguments.year)
    if os.path.exists(output):
        raise ConfigError(f"{output}: stands already; name another file by --output, or remove it")
    with whole_file(output) as temporary:
        Path(temporary).write_text(found.text, encoding="utf-8")
        new = Production(complete_configuration(read_yaml(temporary), output))
    remarks = [*found.remarks, *missing_images(old, new)]
    for remark in remarks:
        print(f"WARNING: {remark}")
    print(f"{output}: the production of {arguments.year}, in {new.config.output}")
    print(f"look at it, then: iota2 check {output}")
    return 0


def given_paths(given: list[str]) -> dict[str, str]:
    """Values by place, from what was typed.

    Raises
    ------
    ConfigError
        If something is no `PLACE=VALUE`.

    >>> given_paths(["output=results"])
    {'output': 'results'}
    """
    found = {}
    for text in given:
        place, sign, value = text.partition("=")
        if not (place and sign and value):
            raise ConfigError(f"--path {text}: write PLACE=VALUE, as sensors.sentinel2=data/2019")
        found[place] = value
    return found


def name_of(path: str, year: int) -> str:
    """Name of the file of another year.

    >>> name_of("config/france_2018.yaml", 2019), name_of("config.yaml", 2019)
    ('config/france_2019.yaml', 'config_2019.yaml')
    """
    folder, name = os.path.split(path)
    stem, suffix = os.path.splitext(name)
    years = re.findall(r"(?<!\d)(?:19|20)\d\d(?!\d)", stem)
    stem = stem.replace(years[-1], str(year)) if years else f"{stem}_{year}"
    return os.path.join(folder, stem + suffix)
