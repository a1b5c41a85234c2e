"""What is found wrong or strange about the inputs: in which file, where in it, and what to do."""

import os
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Literal

from iota2_tools.core.errors import Iota2Error, Listed

Severity = Literal["error", "warning"]
KEY = re.compile(r"([a-z_]+)(\.[\w-]+)*")
"""A place in a configuration, `sensors.sentinel2.path`, if its first word is one of its sections."""
TOP = "top level"
"""Where a key stands that is in no section."""
WITHIN = re.compile(
    r"line \d+|(feature|polygon)\(?s?\)? \d[\d, …]*|band \S+|\d{4}-\d\d-\d\d|region \S+, seed \d+|seed \d+|class \d+"
)
"""A place in a file, as its sentence names it first."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong or strange.

    Parameters
    ----------
    file : str
        File or folder it is about; a variable or the machine, where it is about none.
    where : str
        Place in it: line or key, feature, band, date. Empty: all of it.
    what : str
        What was found.
    remedy : str
        What to do.
    severity : {"error", "warning"}
        An error stops a production, a warning does not.
    """

    file: str
    where: str
    what: str
    remedy: str = ""
    severity: Severity = "error"

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.file, self.where, self.sentence)))

    @property
    def sentence(self) -> str:
        """What was found, and what to do."""
        return "; ".join(filter(None, (self.what, self.remedy)))

    def as_dict(self) -> dict[str, str]:
        """Plain values, for JSON."""
        return asdict(self)


def findings_in(
    told: object, about: str, severity: Severity = "error", sections: Container[str] = ()
) -> Iterator[Finding]:
    """Every finding of an error's message, or of what a check has said.

    Parameters
    ----------
    told : Finding, Listed or str
        A sentence reads `place: what was found; what to do`. The place is a key of the configuration, or
        a file.
    about : str
        What a sentence is about that names no file: that of the configuration.
    sections : container of str
        Words that begin a key of the configuration.

    >>> (found,) = findings_in("tiles: A stands twice; leave it out", "c.yaml", "error", {"tiles"})
    >>> found.file, found.where, found.what, found.remedy
    ('c.yaml', 'tiles', 'A stands twice', 'leave it out')
    >>> (found,) = findings_in("data/a.csv: line 3: no name; name it", "config.yaml")
    >>> found.file, found.where
    ('data/a.csv', 'line 3')
    """
    if isinstance(told, Finding):
        yield replace(told, file=told.file or about)
    elif isinstance(told, Listed):
        for problem in told.problems:
            for found in findings_in(problem, told.subject, severity, sections):
                yield replace(found, remedy=found.remedy or told.advice)
    else:
        yield _from_sentence(str(told), about, severity, sections)


def findings_of(error: Iota2Error, about: str, sections: Container[str] = ()) -> list[Finding]:
    """Everything that an error tells; see `findings_in`."""
    return list(findings_in(error.args[0] if error.args else "", about, "error", sections))


def _from_sentence(
    sentence: str, about: str, severity: Severity, sections: Container[str]
) -> Finding:
    file, where, rest = about, "", sentence
    place, after = _cut(sentence)
    if _is_key(place, sections) or WITHIN.fullmatch(place):
        where, rest = place, after
    elif place:
        file, rest = place, after
        inner, after = _cut(rest)
        if WITHIN.fullmatch(inner):
            where, rest = inner, after
    what, _, remedy = rest.rpartition("; ")
    if what.count("(") != what.count(")"):  # of an aside
        what, remedy = rest, ""
    return Finding(file, where, *((what, remedy) if what else (remedy, "")), severity)


def _is_key(place: str, sections: Container[str]) -> bool:
    """Whether a place is a key of a configuration, and no file of such a name."""
    found = KEY.fullmatch(place)
    if not found or found[1] not in sections:
        return False
    return not ("." in place and os.path.exists(place))


def _cut(sentence: str) -> tuple[str, str]:
    """What stands before the first colon, if that is a place, and what behind it."""
    before, colon, after = sentence.partition(": ")
    one_word = " " not in before or "/" in before
    if (
        colon
        and "; " not in before
        and "\n" not in before
        and (one_word or WITHIN.fullmatch(before))
    ):
        return before, after
    return "", sentence


def with_lines(finding: Finding, source: str, lines: Mapping[str, int]) -> Finding:
    """The same with the line of the configuration that it is about, if it is about a key.

    Parameters
    ----------
    source : str
        File of the configuration.
    lines : mapping of str to int
        Line of each key, `sensors.sentinel2.path`, from 1 (`config.yaml_files.lines_of`).
    """
    in_none = re.match(rf"{TOP}: unknown key '([^']+)'", finding.what)
    if finding.file == source and in_none and in_none[1] in lines:
        return replace(finding, where=f"line {lines[in_none[1]]}")
    if finding.file != source or not KEY.fullmatch(finding.where):
        return finding
    unknown = re.match(r"unknown key '([^']+)'", finding.what)
    key = f"{finding.where}.{unknown[1]}" if unknown else finding.where
    while key and key not in lines:
        key = key.rpartition(".")[0]
    return replace(finding, where=f"line {lines[key]}, {finding.where}") if key else finding
