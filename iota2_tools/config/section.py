"""What a section of a configuration is: a model that gives defaults, meaning and limits.

Each section is one class; the completed configuration, the messages, the reference page and the
JSON schema all come from it.
"""

import os
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationInfo

LONGEST_NAME = 255
"""Bytes of the name of a file or folder, on all file systems in use."""
FORBIDDEN_IN_OUTPUT = {
    "?": "Orfeo ToolBox reads what follows as options",
    "{": "Snakemake reads it as a wildcard",
    "}": "Snakemake reads it as a wildcard",
    "<": "Snakemake reads it as a variable",
    ">": "Snakemake reads it as a variable",
}


class Section(BaseModel):
    """A part of a configuration; unknown keys are refused, values are not converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for parameters of rules: numbers, text, lists and dictionaries."""
        return self.model_dump(mode="json")


def meaning_of(section: type[Section]) -> str:
    """What a section inside another one is for."""
    return " ".join(str(section.__doc__).split())


def plain_path(text: str) -> str:
    """Bring a path of the user to one form: `~` expanded, no double or trailing slash, no `.`.

    Raises
    ------
    ValueError
        If it is empty or holds a variable or a character that no path should hold.

    >>> plain_path("results//2018/./maps/")
    'results/2018/maps'
    """
    if not text.strip():
        raise ValueError("is empty; name a file or folder")
    if re.search(r"[\x00-\x1f]", text):
        raise ValueError(f"{text!r} holds a line break or another control character")
    longest = max(text.split("/"), key=lambda part: len(os.fsencode(part)))
    size = len(os.fsencode(longest))
    if size > LONGEST_NAME:
        raise ValueError(
            f"{longest[:40]!r}… is a name of {size} bytes, file systems know names of {LONGEST_NAME}; "
            "choose a shorter one"
        )
    if "$" in text:
        other = os.path.expandvars(text)
        hint = f", e.g. {other}" if other != text else ""
        raise ValueError(
            f"{text!r}: variables are not replaced, they may differ between nodes; write the path out{hint}"
        )
    expanded = os.path.expanduser(text)
    if expanded.startswith("~"):
        raise ValueError(f"{text!r}: there is no such user, or HOME is unknown; write the path out")
    return os.path.normpath(expanded)


def output_folder(text: str) -> str:
    """A path that products can be named by.

    Raises
    ------
    ValueError
        If it holds a character that a program of the chain would read as something else.
    """
    path = plain_path(text)
    if path in (".", "..", "/"):
        raise ValueError(f"{text!r}: give the products a folder of their own")
    return _nameable(path)


def _nameable(path: str) -> str:
    for character, reason in FORBIDDEN_IN_OUTPUT.items():
        if character in path:
            raise ValueError(f"{path!r} holds {character!r}: {reason}; choose another name")
    return path


FOLDER = "folder"
"""What the context of a validation calls the folder that relative paths count from."""


def _counted_from_folder(path: str, info: ValidationInfo) -> str:
    """A path as it is, or absolute where the validation knows what it counts from."""
    folder = (info.context or {}).get(FOLDER)
    return os.path.normpath(os.path.join(folder, path)) if folder else path


Word = Annotated[str, StringConstraints(min_length=1)]
PathText = Annotated[str, AfterValidator(plain_path), AfterValidator(_counted_from_folder)]
OutputFolder = Annotated[
    str,
    AfterValidator(output_folder),
    AfterValidator(_counted_from_folder),
    AfterValidator(_nameable),
]
