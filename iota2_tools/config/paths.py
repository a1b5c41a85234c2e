"""The paths of a configuration: which of its texts name files of the user."""

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
