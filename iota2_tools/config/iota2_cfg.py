"""Files of IOTA²: its configuration (of the Python module `config`), nomenclature, colour table.

Read by their documented syntax alone: mappings and lists, words, numbers, True, False, None,
comments, text put together by `+`, and references to other values (`$chain.output_path`).
"""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iota2_tools.core.errors import ConfigError

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\f]+|\#[^\n]*)
      | (?P<line>\n)
      | (?P<text>[rbuRBU]{0,2}(?:'''(?:[^\\]|\\.)*?'''|\"\"\"(?:[^\\]|\\.)*?\"\"\"
                 |'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"))
      | (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)
      | (?P<reference>\$[A-Za-z_][\w.]*)
      | (?P<word>[A-Za-z_]\w*)
      | (?P<sign>[{}\[\]():=,+-])
    """,
    re.VERBOSE | re.DOTALL,
)
_CONSTANTS = {"True": True, "False": False, "None": None, "true": True, "false": False}


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    line: int


class _Parser:
    """Reads one file, token by token."""

    def __init__(self, text: str, source: str) -> None:
        self._source = source
        self._tokens = self._split(text)
        self._place = 0

    def _split(self, text: str) -> list[_Token]:
        tokens, place, line = [], 0, 1
        while place < len(text):
            found = _TOKEN.match(text, place)
            if not found:
                raise self._error(line, f"cannot read {text[place : place + 20].splitlines()[0]!r}")
            kind = str(found.lastgroup)
            if kind not in ("space", "line"):
                tokens.append(_Token(kind, found[0], line))
            line += found[0].count("\n")
            place = found.end()
        return [*tokens, _Token("end", "", line)]

    def _error(self, line: int, what: str) -> ConfigError:
        return ConfigError(
            f"{self._source}: line {line}: {what}; is this a configuration of IOTA²?"
        )

    @property
    def _next(self) -> _Token:
        return self._tokens[self._place]

    def _take(self) -> _Token:
        token = self._next
        self._place += 1
        return token

    def whole(self) -> dict[str, Any]:
        """The mapping that the file is, between braces or not."""
        if self._next.text == "{":
            return self._mapping(closed=True)
        return self._mapping(closed=False)

    def _mapping(self, closed: bool) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if closed:
            self._take()
        end = "}" if closed else ""
        while self._next.text != end:
            key = self._take()
            if key.kind not in ("word", "text", "number"):
                raise self._error(key.line, f"a name is needed, found {key.text or 'the end'!r}")
            sign = self._take()
            if sign.text not in (":", "="):
                raise self._error(
                    sign.line, f"after {key.text} a colon is needed, found {sign.text!r}"
                )
            name = ast.literal_eval(key.text) if key.kind == "text" else key.text
            if name in found:
                raise self._error(key.line, f"{name} stands twice")
            found[name] = self._value()
            if self._next.text == ",":
                self._take()
        self._take()
        return found

    def _list(self, end: str) -> list[Any]:
        self._take()
        found = []
        while self._next.text != end:
            found.append(self._value())
            if self._next.text == ",":
                self._take()
        self._take()
        return found

    def _value(self) -> Any:
        value = self._one()
        while self._next.text == "+":
            line = self._take().line
            other = self._one()
            if not isinstance(value, str) or not isinstance(other, str):
                raise self._error(line, "only words can be put together by +")
            value += other
        return value

    def _one(self) -> Any:
        token = self._next
        if token.text == "{":
            return self._mapping(closed=True)
        if token.text in ("[", "("):
            return self._list("]" if token.text == "[" else ")")
        self._take()
        if token.kind == "text":
            text = ast.literal_eval(token.text)
            return text.decode() if isinstance(text, bytes) else text
        if token.kind == "number":
            return (
                ast.literal_eval(token.text.lstrip("+").lstrip("0") or "0")
                if _whole(token)
                else float(token.text)
            )
        if token.kind == "reference":
            return _Reference(token.text[1:], token.line)
        if token.kind == "word" and token.text in _CONSTANTS:
            return _CONSTANTS[token.text]
        raise self._error(token.line, f"a value is needed, found {token.text or 'the end'!r}")


def _whole(token: _Token) -> bool:
    return token.text.lstrip("+-").isdigit() and not token.text.startswith("-")


@dataclass(frozen=True)
class _Reference:
    """Another value of the file, by its path."""

    path: str
    line: int


def read_cfg(path: str | Path) -> dict[str, Any]:
    """What a configuration file of IOTA² holds: sections with their fields.

    Raises
    ------
    ConfigError
        With the line that cannot be read.
    """
    text = read_text(path)
    return _resolved(_Parser(text, str(path)).whole(), str(path))


def _resolved(found: dict[str, Any], source: str) -> dict[str, Any]:
    """References replaced by what they lead to."""

    def lookup(reference: _Reference) -> Any:
        value: Any = found
        for key in reference.path.split("."):
            if not isinstance(value, Mapping) or key not in value:
                raise ConfigError(
                    f"{source}: line {reference.line}: ${reference.path} leads to nothing"
                )
            value = value[key]
        return value

    def walk(value: Any) -> Any:
        if isinstance(value, _Reference):
            value = lookup(value)
            if isinstance(value, _Reference):
                raise ConfigError(f"{source}: line {value.line}: a reference leads to a reference")
            return value
        if isinstance(value, dict):
            return {key: walk(item) for key, item in value.items()}
        return [walk(item) for item in value] if isinstance(value, list) else value

    return walk(found)


def read_text(path: str | Path) -> str:
    """Text of a file of former years: UTF-8, else Latin-1.

    Raises
    ------
    ConfigError
        If it cannot be read.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def read_iota2_nomenclature(path: str | Path) -> dict[int, str]:
    """Names of classes by code, from lines `name:code`.

    Raises
    ------
    ConfigError
        Naming the line that is none.
    """
    found: dict[int, str] = {}
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        name, sign, code = line.rpartition(":")
        if not sign or not code.strip().isdigit() or not name.strip():
            raise ConfigError(f"{path}: line {number}: {line.strip()!r} is not `name:code`")
        if int(code) in found:
            raise ConfigError(f"{path}: line {number}: code {int(code)} stands twice")
        found[int(code)] = name.strip()
    return found


def read_colour_table(path: str | Path) -> dict[int, str]:
    """Colours of classes by code (`#rrggbb`), from lines `code red green blue`.

    Raises
    ------
    ConfigError
        Naming the line that is none.
    """
    found = {}
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        if len(words) < 4 or not all(word.isdigit() for word in words[:4]):
            raise ConfigError(
                f"{path}: line {number}: {line.strip()!r} is not `code red green blue`"
            )
        code, *colour = map(int, words[:4])
        if max(colour) > 255:
            raise ConfigError(f"{path}: line {number}: a part of a colour goes from 0 to 255")
        found[code] = "#{:02x}{:02x}{:02x}".format(*colour)
    return found
