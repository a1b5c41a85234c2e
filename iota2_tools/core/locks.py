"""Which locks of productions this version reads; what they hold is in `publishing.lock`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from iota2_tools.core.errors import ConfigError

NAME = "production.lock"
FORMAT = 1
"""Of the file; raised when what it holds is read in another way."""


def newer_lock(given: Any, path: str | Path) -> str:
    """Why the content of a lock cannot be read by this version; empty if it can be.

    Parameters
    ----------
    given : any
        What its JSON holds.
    path : str or Path
        For the message.
    """
    newer = given.get("format") if isinstance(given, dict) else None
    if not isinstance(newer, int) or newer <= FORMAT:
        return ""
    wrote = (given.get("software") or {}).get("iota2-tools", "a newer version")
    return (
        f"{path}: is of format {newer}, this version reads up to {FORMAT}; install iota2-tools {wrote}, "
        "which wrote it"
    )


def problems_of_lock(output: str | Path) -> Iterator[str]:
    """What the lock of another production says against reading it, a sentence; nothing without a lock.

    Productions that are not finished have none.
    """
    path = Path(output, "final", NAME)
    if not path.is_file():
        return
    try:
        told = newer_lock(json.loads(path.read_text(encoding="utf-8")), path)
    except (OSError, ValueError) as error:
        told = f"{path}: is no lock of a production ({error}); take it as it was written"
    if told:
        yield told


def production_around(target: str | Path) -> Path | None:
    """Finished production among whose final products a place is; None if there is none."""
    place = Path(target).resolve()
    return next(
        (final.parent for final in (place, *place.parents) if (final / NAME).is_file()), None
    )


def refuse_among_products(target: str | Path) -> None:
    """Refuse a place among the products of a finished production, which its lock knows all of.

    Raises
    ------
    ConfigError
        If it is the output folder of a production, or lies in its `final`.
    """
    own = Path(target, "final", NAME).is_file()
    production = Path(target).resolve() if own else production_around(target)
    if production:
        raise ConfigError(
            f"{target}: lies among the products of {production}; name a folder of its own beside them"
        )
