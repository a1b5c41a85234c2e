"""Where a production is: its configuration, the folder its paths count from, its output."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iota2_tools.core.errors import ConfigError

RECORDS = ".snakemake"
"""Where Snakemake keeps its records, locks and logs: in the folder that it works in."""
FOLDER = "relative_to"
"""Key that `iota2 run` adds to the configuration for Snakemake: the folder its paths count from."""
USUAL = Path("config", "config.yaml")
"""The configuration where none is named."""


@dataclass(frozen=True)
class Place:
    """A production on this machine; all paths are absolute.

    Parameters
    ----------
    configfile : Path
        Its configuration.
    folder : Path
        Folder that relative paths of the configuration count from.
    output : Path
        Folder of its products; Snakemake works in it.
    """

    configfile: Path
    folder: Path
    output: Path

    @property
    def records(self) -> Path:
        """Snakemake's records of this production."""
        return self.output / RECORDS

    @property
    def has_records(self) -> bool:
        """Whether it is recorded of what some product was made."""
        return _has_records(self.records)

    @property
    def owner(self) -> Path:
        """Says who makes the production, as long as somebody does."""
        return owner_of(self.output)

    @property
    def journal(self) -> Path:
        """What the last run did (`planning.journal`)."""
        return journal_of(self.output)


def _has_records(records: Path) -> bool:
    folder = records / "metadata"
    return folder.is_dir() and any(folder.iterdir())


def owner_of(output: str | Path) -> Path:
    """What says who makes a production (`planning.ownership`), from its output folder."""
    return Path(output, RECORDS, "running.json")


def journal_of(output: str | Path) -> Path:
    """Journal of the last run of a production, from its output folder."""
    return Path(output, "logs", "run.jsonl")


def place_of(configfile: str | Path, folder: str | Path | None = None) -> Place:
    """Where a production is.

    Parameters
    ----------
    configfile : str or Path
        Its configuration.
    folder : str or Path, optional
        Folder that relative paths count from; else see `folder_of`.

    Raises
    ------
    ConfigError
        If the configuration cannot be read, or has problems.
    """
    path = Path(os.path.abspath(configfile))
    # The help of the command waits for no package.
    from iota2_tools.config.yaml_files import read_yaml, words_of
    from iota2_tools.planning.configuration import complete_configuration

    given = read_yaml(configfile)
    if not isinstance(given, dict):
        raise ConfigError(f"{configfile}: is empty; start from config/minimal.yaml")
    base = Path(os.path.abspath(folder)) if folder else folder_of(path, given)
    config = complete_configuration(given, str(configfile), words_of([path]), str(base))
    return Place(path, base, Path(config.output))


def folder_of(configfile: Path, given: Mapping[str, Any]) -> Path:
    """Folder that relative paths of a configuration count from: the current one.

    Started elsewhere, it is the folder of the configuration, or the one above it, if nomenclature
    or reference are found from there and not from here; where both are whole paths, if the products
    of an earlier run are.
    """
    here = Path.cwd()
    wanted = list(_relative_inputs(given))
    for folder in (here, configfile.parent, configfile.parent.parent):
        if any((folder / path).exists() for path in wanted):
            return folder
        if not wanted and _has_run(folder, given):
            return folder
    return here


def _has_run(folder: Path, given: Mapping[str, Any]) -> bool:
    """Whether the output, taken from a folder, is that of an earlier run."""
    output = given.get("output")
    if not isinstance(output, str):
        return False
    place = folder / os.path.expanduser(output)
    return journal_of(place).exists() or _has_records(place / RECORDS)


def _relative_inputs(given: Mapping[str, Any]) -> Iterator[str]:
    reference = given.get("reference")
    named = reference.get("path") if isinstance(reference, Mapping) else None
    for path in (given.get("nomenclature"), named):
        if isinstance(path, str) and path.strip() and not os.path.isabs(os.path.expanduser(path)):
            yield path


def refuse_records_of_another_start(output: str, here: str) -> None:
    """Refuse to go on in another folder with a production that `iota2 run` has made.

    Snakemake knows what was made, and of what, by the records in the folder that it works in.
    Without them it would take products for up to date that are not.

    Parameters
    ----------
    output : str
        Folder of the products.
    here : str
        Folder that Snakemake works in.

    Raises
    ------
    ConfigError
        If the records of the production are in its output, and Snakemake does not work there.
    """
    records = Path(output, RECORDS)
    if _has_records(records) and os.path.realpath(output) != os.path.realpath(here):
        raise ConfigError(
            f"{output}: was made by `iota2 run`, and {records} knows of what; snakemake started in {here} "
            "would not. Go on with `iota2 run CONFIG`, or give this production another output"
        )


def refuse_products_without_records(place: Place) -> None:
    """Refuse to go on with products that were made by a Snakemake that worked in another folder.

    Raises
    ------
    ConfigError
        If there are products, and no records beside them.
    """
    made = [name for name in ("tiles", "sampling", "final") if (place.output / name).is_dir()]
    if made and not place.records.is_dir():
        raise ConfigError(
            f"{place.output}: holds products, and no records of what they were made of: they were made by "
            "snakemake started in another folder. Go on with `snakemake --profile local` there, give another "
            "output, or take them as they are (`iota2 run CONFIG -- --touch`), which is right only if neither "
            "configuration nor inputs have changed since"
        )
