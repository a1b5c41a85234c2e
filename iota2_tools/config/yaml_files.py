"""YAML files of the user: what they hold, and the words they are written in.

YAML reads some words as something else: `0310` as the number 200, `no` as false, and of two equal
keys it keeps the last. Here a key that stands twice is refused, keys are text, and the words of a
value are kept, so that a message can show what the user wrote.
"""

import json
from collections.abc import Hashable, Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from iota2_tools.core.errors import ConfigError

Place = tuple[str | int, ...]
"""Keys and numbers of items that lead to a value."""


class _Loader(yaml.SafeLoader):
    """Reads keys as text, and refuses a key that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        self.flatten_mapping(node)
        found: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            key = _text_of(key_node)
            if key in found:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} stands twice", key_node.start_mark
                )
            found[key] = self.construct_object(value_node, deep=deep)
        return found


def _day(loader: _Loader, node: yaml.ScalarNode) -> Any:
    """A day, or moment, as YAML has it."""
    try:
        return loader.construct_yaml_timestamp(node)
    except ValueError as error:
        raise ValueError(
            f"line {node.start_mark.line + 1}: {node.value} is no day ({error})"
        ) from None


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _day)


def _text_of(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise yaml.constructor.ConstructorError(None, None, "a key must be a word", node.start_mark)
    return str(node.value)


def read_yaml(path: str | Path) -> Any:
    """What a YAML file holds; None if it is empty.

    Raises
    ------
    ConfigError
        If it cannot be read, is no YAML, or has a key twice.
    """
    try:
        found = yaml.load(_text(path), Loader=_Loader)  # a safe loader
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: is not valid YAML\n{error}") from None
    except ValueError as error:  # of a date that no calendar has
        raise ConfigError(
            f"{path}: {error}; correct it, or write it between quotes if it is a name"
        ) from None
    try:
        json.dumps(found, default=str)
    except (ValueError, RecursionError):
        raise ConfigError(
            f"{path}: a part of it stands inside itself (`&` and `*`); write it out"
        ) from None
    return found


def words_of(paths: Iterable[str | Path]) -> dict[Place, str]:
    """Words of the values that YAML takes for something else than text, by their place.

    Of several files the later one counts, as their values do.

    Raises
    ------
    ConfigError
        As `read_yaml`.
    """
    words: dict[Place, str] = {}
    for path in paths:
        read_yaml(path)
        root = yaml.compose(_text(path), Loader=_Loader)
        if root is not None:
            words |= dict(_walk(root, ()))
    return words


def lines_of(path: str | Path) -> dict[str, int]:
    """Line of each key and item of a file, from 1, by the place that messages name: `tiles.0`.

    Raises
    ------
    ConfigError
        As `read_yaml`.
    """
    read_yaml(path)
    root = yaml.compose(_text(path), Loader=_Loader)
    return dict(_lines(root, "")) if root is not None else {}


def _lines(node: yaml.Node, place: str) -> Iterator[tuple[str, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = f"{place}.{key.value}".lstrip(".")
            yield inner, key.start_mark.line + 1
            yield from _lines(value, inner)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield f"{place}.{number}", item.start_mark.line + 1
            yield from _lines(item, f"{place}.{number}")


def _walk(node: yaml.Node, place: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _walk(value, (*place, str(key.value)))
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _walk(item, (*place, number))
    elif node.tag != "tag:yaml.org,2002:str":
        yield place, str(node.value)


def _text(path: str | Path) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: there is no such file; check its path (`iota2 init FOLDER` writes a configuration for the data "
            "in a folder)"
        ) from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not in UTF-8; save it again in that encoding") from None
