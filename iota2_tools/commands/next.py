"""`iota2 next`: the configuration of a production, for another year."""

import argparse
import os
import re
import shlex
from typing import TYPE_CHECKING

from iota2_tools.core.errors import ConfigError

if TYPE_CHECKING:
    from iota2_tools.planning.configuration import Configuration


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Options of the command."""
    parser = commands.add_parser(
        "next",
        help="the configuration of a production for another year, and what that year lacks of images",
        epilog="example: iota2 next production_2018.yaml --year 2019 --path sensors.sentinel2=data/2019",
    )
    parser.add_argument(
        "config",
        help="YAML file of the production that stands; or its output folder, or an archive of it",
    )
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
    parser.add_argument(
        "--models",
        default="",
        metavar="OUTPUT",
        help="map it by the models of this production; nothing is learnt",
    )
    parser.add_argument(
        "--samples",
        action="append",
        default=[],
        metavar="OUTPUT",
        help="learn the samples of this production; may be given several times",
    )
    parser.add_argument(
        "--no-reference",
        action="store_true",
        help="the year has none: with --models or --samples, its map is not judged",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the configuration; exit code."""
    from pathlib import Path

    from iota2_tools.config.yaml_files import read_yaml
    from iota2_tools.core.files import whole_file
    from iota2_tools.planning.configuration import complete_configuration
    from iota2_tools.planning.production import Production
    from iota2_tools.years.next_year import From, missing_images, next_year

    if arguments.models and arguments.samples:
        raise ConfigError(
            "--models and --samples: nothing is learnt by models of another production; give one"
        )
    text, source, config = standing(arguments.config)
    old = Production(config)
    of = From(arguments.models, tuple(arguments.samples), not arguments.no_reference)
    found = next_year(text, arguments.year, given_paths(arguments.path), source, of)
    output = arguments.output or name_of(source, arguments.year)
    if os.path.exists(output):
        raise ConfigError(f"{output}: stands already; name another file by --output, or remove it")
    with whole_file(output) as temporary:
        Path(temporary).write_text(found.text, encoding="utf-8")
        new = Production(complete_configuration(read_yaml(temporary), output))
    remarks = [*found.remarks, *missing_images(old, new)]
    for remark in remarks:
        print(f"WARNING: {remark}")
    print(f"{output}: the production of {arguments.year}, in {new.config.output}")
    print(f"look at it, then: iota2 check {shlex.quote(str(output))}")
    return 0


def standing(given: str) -> tuple[str, str, "Configuration"]:
    """YAML of the production that stands, the name of its file, and its configuration.

    Of a folder, it is what its lock says.

    Raises
    ------
    InputDataError
        If a folder holds no lock, or one of a newer version.
    """
    from pathlib import Path

    from iota2_tools.planning.configuration import complete_configuration, read_configuration

    if not os.path.isdir(given):
        config = read_configuration(given)
        return Path(given).read_text(encoding="utf-8"), given, config
    import yaml

    from iota2_tools.publishing.lock import lock_in, read_lock

    path = lock_in(given)
    told = read_lock(path).configuration
    text = yaml.safe_dump(told, sort_keys=False, allow_unicode=True)
    return text, "production.yaml", complete_configuration(told, str(path))


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
