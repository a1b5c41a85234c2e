"""The paths of a configuration: which of its texts name files of the user."""

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, get_args, get_origin

from pydantic import AfterValidator
from pydantic.fields import FieldInfo

from iota2_tools.config.section import Section, plain_path


def paths_of(section: Section) -> list[str]:
    """Paths that a section and those inside it name, in their order."""
    found: list[str] = []

    def keep(path: str) -> str:
        found.append(path)
        return path

    with_paths(section, keep)
    return found


def with_paths(section: Section, change: Callable[[str], str]) -> dict[str, Any]:
    """Plain values of a section, each of its paths changed.

    Folders of products (`OutputFolder`) are none: they are what a production makes.

    Parameters
    ----------
    section : Section
        Of the configuration, or the whole of it.
    change : callable
        From a path to the one that stands for it.
    """
    plain = section.as_dict()
    for name, field in type(section).model_fields.items():
        if name in plain:
            plain[name] = _changed(getattr(section, name), _is_path(field), change, plain[name])
    return plain


def written_paths(written: Section, absolute: Section) -> dict[str, str]:
    """What stands in a configuration for the paths that were made of it, those of folders of files too.

    Parameters
    ----------
    written, absolute : Section
        The same section with its paths as they were written, and with absolute ones.

    Returns
    -------
    dict of str to str
        By absolute path, longest first; those that are the same are left out.
    """
    found: dict[str, str] = {}
    pairs = list(zip(paths_of(written), paths_of(absolute), strict=True))
    for path, full in pairs:
        found.setdefault(os.path.dirname(full), os.path.dirname(path))
    found |= {full: path for path, full in pairs}
    differing = {full: path for full, path in found.items() if full != path}
    return dict(sorted(differing.items(), key=lambda item: -len(item[0])))


def as_written(path: str, written: Mapping[str, str]) -> str:
    """A path as `written_paths` has it, or the file in a folder that it has.

    >>> as_written("/data/2018/s2/a.tif", {"/data/2018/s2": "s2"})
    's2/a.tif'
    """
    for full, short in written.items():
        if path == full or path.startswith(f"{full}/"):
            return os.path.join(short, path[len(full) + 1 :]) if path != full else short
    return path


def _changed(value: Any, is_path: bool, change: Callable[[str], str], plain: Any) -> Any:
    if isinstance(value, Section):
        new = with_paths(value, change)
        return {key: new[key] for key in plain}  # as_dict of the whole leaves some out
    if isinstance(value, str) and is_path:
        return change(value)
    if isinstance(value, Mapping):
        return {
            key: _changed(item, is_path, change, plain[key])
            for key, item in value.items()
            if key in plain
        }
    if isinstance(value, list | tuple):
        return [
            _changed(item, is_path, change, known) for item, known in zip(value, plain, strict=True)
        ]
    return plain


def _is_path(field: FieldInfo) -> bool:
    """Whether the texts of a field are paths of the user."""
    return any(
        isinstance(item, AfterValidator) and item.func is plain_path
        for item in [*field.metadata, *_annotations(field.annotation)]
    )


def _annotations(kind: Any) -> Iterator[Any]:
    """What is said of a type and of those it is made of (`Annotated`)."""
    if get_origin(kind) is Annotated:
        yield from kind.__metadata__
    for part in get_args(kind):
        yield from _annotations(part)
