"""How a command names a production: by its configuration."""

import argparse
import os
import sys
from pathlib import Path

from iota2_tools.core.errors import ConfigError
from iota2_tools.planning.whereabouts import USUAL, Place, folder_of, place_of


def add_place(parser: argparse.ArgumentParser) -> None:
    """What names a production: its configuration, and the folder its paths count from."""
    parser.add_argument(
        "config", nargs="?", default=str(USUAL), metavar="CONFIG", help="YAML file (%(default)s)"
    )
    parser.add_argument(
        "-d", "--directory", metavar="FOLDER",
        help="folder that relative paths of the configuration count from",
    )  # fmt: skip


def place_from(arguments: argparse.Namespace) -> Place:
    """The production that the options name; where its paths count from, if not from here, is told.

    Raises
    ------
    ConfigError
        If there is no such file, or it has problems.
    """
    if os.path.isdir(arguments.config):
        raise ConfigError(
            f"{arguments.config}: is a folder; name the configuration of the production, such as {USUAL}"
        )
    if not os.path.isfile(arguments.config):
        raise ConfigError(
            f"{arguments.config}: no such configuration; `iota2 init FOLDER` writes one for the data in a folder"
        )
    place = place_of(arguments.config, arguments.directory)
    if place.folder != Path.cwd():
        print(f"paths count from {place.folder}", file=sys.stderr)
    return place


def output_folder(given: str) -> str:
    """Folder of the products of a production that is named by it, or by its configuration.

    Raises
    ------
    ConfigError
        If a configuration is named and has problems.
    """
    if os.path.isfile(given) and given.endswith((".yaml", ".yml")):
        return str(place_of(given).output)
    return given


def enter(configfile: str) -> str:
    """Go to the folder that relative paths of a configuration count from; its path from there.

    One that cannot be read stays where it is: who reads it next tells why.
    """
    try:
        from iota2_tools.config.yaml_files import read_yaml

        folder = folder_of(Path(os.path.abspath(configfile)), read_yaml(configfile) or {})
    except (ConfigError, AttributeError):
        return configfile
    if folder == Path.cwd():
        return configfile
    path = os.path.abspath(configfile)
    print(f"paths count from {folder}", file=sys.stderr)
    os.chdir(folder)
    return path
