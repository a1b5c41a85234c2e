"""From what a file holds to a checked section, or to all its problems in one message."""

import json
from collections.abc import Mapping
from copy import deepcopy
from datetime import date
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from iota2_tools.config.section import FOLDER, Section
from iota2_tools.config.yaml_files import Place
from iota2_tools.core.errors import ConfigError, one_message
from iota2_tools.core.findings import TOP
from iota2_tools.core.words import suggest

KINDS = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a section with keys",
    "model_type": "a section with keys",
    "model_attributes_type": "a section with keys",
    "date_type": "a date, YYYY-MM-DD",
    "date_parsing": "a date, YYYY-MM-DD",
    "date_from_datetime_parsing": "a date, YYYY-MM-DD",
    "date_from_datetime_inexact": "a date, YYYY-MM-DD",
}
"""What was expected, by pydantic's name of the error."""

LIMITS = {
    "greater_than": ("gt", "is not greater than {}"),
    "greater_than_equal": ("ge", "is less than the minimum of {}"),
    "less_than": ("lt", "is not less than {}"),
    "less_than_equal": ("le", "is greater than the maximum of {}"),
}


SectionT = TypeVar("SectionT", bound=Section)


def complete(
    given: Mapping[Any, Any],
    model: type[SectionT],
    source: str,
    words: Mapping[Place, str] | None = None,
    folder: str | None = None,
) -> SectionT:
    """Check what a file holds, and fill in the defaults.

    Parameters
    ----------
    given : mapping
        What the file holds; it is left as it is.
    model : type
        The section it should be.
    source : str
        Name of the file, for messages.
    words : mapping, optional
        Words of the file, by place (`yaml_files.words_of`).
    folder : str, optional
        Absolute folder that relative paths count from: they become absolute. Else they stay.

    Raises
    ------
    ConfigError
        Listing every problem: unknown keys with the nearest known one, wrong types and values.
    """
    section, problems = completed_as_far(given, model, words, folder)
    if problems or section is None:
        raise ConfigError(one_message(source, problems))
    return section


def completed_as_far(
    given: Mapping[Any, Any],
    model: type[SectionT],
    words: Mapping[Place, str] | None = None,
    folder: str | None = None,
) -> tuple[SectionT | None, list[str]]:
    """The same where something is wrong: with the defaults in place of what is, so that all else can be looked at.

    Returns
    -------
    section : Section or None
        None if what is needed is missing or wrong.
    problems : list of str
        As `complete` tells them, in the order of the file.
    """
    plain = _plain(given)
    section, errors = _validated(plain, model, folder)
    told = [_explain(detail, model, plain, words or {}) for detail in errors]
    order = {key: number for number, key in enumerate(plain)}
    told.sort(key=lambda item: order.get(item[0], -1))
    left = deepcopy(plain)
    while section is None and errors and all(_taken_out(detail, left) for detail in errors):
        section, errors = _validated(left, model, folder)
    return section, list(dict.fromkeys(text for _, text in told))


def _validated(
    plain: Mapping[str, Any], model: type[SectionT], folder: str | None
) -> tuple[SectionT | None, list[ErrorDetails]]:
    try:
        # As JSON, lists may be tuples and text may be a date; nothing else is converted.
        context = {FOLDER: folder} if folder else None
        return model.model_validate_json(json.dumps(plain), strict=True, context=context), []
    except ValidationError as error:
        return None, error.errors()


def _taken_out(detail: ErrorDetails, plain: dict[str, Any]) -> bool:
    """Take out of a configuration, in place, what an error is about; whether something was there.

    Lists are taken out as a whole: numbers of their items would shift.
    """
    holder: Any = plain
    keys: list[Any] = []
    for key in detail["loc"]:
        if isinstance(holder, dict) and key in holder:
            keys.append((holder, key))
            holder = holder[key]
    if detail["type"] == "missing" or not keys:
        return False
    owner, key = keys[-1]
    del owner[key]
    return True


def _plain(value: Any) -> Any:
    """Copy with plain dicts and lists, and dates as text (YAML reads 2018-01-01 as a date)."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def _explain(
    detail: ErrorDetails, model: type[Section], given: Any, words: Mapping[Place, str]
) -> tuple[str, str]:
    """First key of the place, and the line for the user, from one error of pydantic."""
    # In brackets: a key of a table, a branch of a choice (`sections.GivenSamples`).
    place = tuple(key for key in detail["loc"] if not str(key).startswith("["))
    first = str(place[0]) if place else ""
    kind = detail["type"]
    if kind == "extra_forbidden":
        known = list(_section_at(model, place[:-1]).model_fields)
        hint = suggest(place[-1], known, f"known keys: {', '.join(known)}")
        return first, f"{_name(place[:-1])}: unknown key {place[-1]!r}, {hint}"
    if kind == "missing":
        meaning = _field_at(model, place).description or ""
        return first, f"{_name(place[:-1])}: {place[-1]!r} is missing ({meaning})"
    return first, f"{_name(place)}: {_found(detail, model, place, words)}"


def _found(
    detail: ErrorDetails, model: type[Section], place: Place, words: Mapping[Place, str]
) -> str:
    """What stands at a place, and what should."""
    kind, value = detail["type"], detail["input"]
    shown = repr(value)
    context = detail.get("ctx", {})
    if kind == "string_type" and place in words and not isinstance(value, str):
        word = words[place]
        if value is None:
            return f"nothing stands here, text is needed{_meaning(model, place)}"
        return f"{word} is read as {_kind_of(value)}, text is needed: write it between quotes, {word!r}"
    if kind == "literal_error":
        choices = _choices(_field_at(model, place).annotation)
        hint = suggest(value, choices)
        text = f"{shown} is none of {', '.join(map(_word, choices))}"
        return f"{text}; {hint}" if hint else text
    if kind in LIMITS:
        key, phrase = LIMITS[kind]
        return f"{shown} {phrase.format(context[key])}{_meaning(model, place)}"
    if kind in KINDS:
        return f"{shown} is not {KINDS[kind]}{_meaning(model, place)}"
    if kind == "value_error":
        return str(context["error"])
    if kind == "too_short":
        return f"is empty{_meaning(model, place)}"
    if kind == "string_pattern_mismatch":
        return f"{shown} does not match {context['pattern']}{_meaning(model, place)}"
    return f"{shown}: {detail['msg']}{_meaning(model, place)}"


def _kind_of(value: Any) -> str:
    return f"the number {value}" if not isinstance(value, bool) else str(value).lower()


def _word(choice: Any) -> str:
    return str(choice).lower() if isinstance(choice, bool) else str(choice)


def _name(place: Place) -> str:
    return ".".join(map(str, place)) or TOP


def _meaning(model: type[Section], place: Place) -> str:
    try:
        text = _field_at(model, place).description
    except KeyError:
        return ""
    return f" ({text})" if text else ""


def _section_at(model: type[Section], place: Place) -> type[BaseModel]:
    """Section that a place leads to."""
    section: type[BaseModel] = model
    for key in place:
        if isinstance(key, str) and key in section.model_fields:
            section = _section_in(section.model_fields[key].annotation) or section
    return section


def _section_in(annotation: Any) -> type[BaseModel] | None:
    """The section among the parts of an annotation (`Regions | None`, `list[UserRaster]`)."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_section_in, get_args(annotation))), None)


def _field_at(model: type[Section], place: Place) -> FieldInfo:
    """The field that a place leads to, or that holds the list or table it leads into."""
    section: type[BaseModel] = model
    found = None
    for key in place:
        if isinstance(key, str) and key in section.model_fields:
            found = section.model_fields[key]
            section = _section_in(found.annotation) or section
    if found is None:
        raise KeyError(_name(place))
    return found


def _choices(annotation: Any) -> list[Any]:
    """Every choice of the literals in an annotation."""
    parts = get_args(annotation)
    if not parts:
        return []
    if all(not isinstance(part, type) and not get_args(part) for part in parts):
        return [part for part in parts if part is not None]
    return [choice for part in parts for choice in _choices(part)]
