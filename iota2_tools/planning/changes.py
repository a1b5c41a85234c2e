"""Why a job will run: what of its parameters, inputs and products is not as it was.

Snakemake keeps the parameters of a job without their names, as Python writes them. Here each value
that is new is set beside the former one that is most like it, and told in words.
"""

import ast
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

MOST_TOLD = 3
"""Differences of one parameter that are told; the others are counted."""
TAGS = "its tags name the configuration, which is another"
LONGEST = 60
"""Letters of a value that are shown."""


def reasons(why: Mapping[str, Any]) -> list[str]:
    """Why a job will run, in words; empty if only because another one before it will.

    Parameters
    ----------
    why : mapping
        `forced`, `code`, `environment` : bool; `missing`, `incomplete`, `updated` : paths;
        `inputs` : paths `before` and `now`; `parameters` : values `before`, as Python writes them,
        and `now`, by name; what is not the case may be absent.
    """
    told = []
    if why.get("forced"):
        told.append("asked for (--force, --forcerun, --forceall)")
    if why.get("incomplete"):
        told.append("was stopped before it was finished")
    if why.get("code"):
        told.append("its script has changed")
    if why.get("environment"):
        told.append("its software environment has changed")
    told += parameter_changes(**why["parameters"]) if why.get("parameters") else []
    told += _input_changes(**why["inputs"]) if why.get("inputs") else []
    if why.get("updated"):
        told.append(f"newer than its product: {_some(map(os.path.basename, why['updated']))}")
    if why.get("missing") and not told and not why.get("follows"):
        told.append("not made yet")
    return told


def _some(items: Iterable[str]) -> str:
    listed = sorted(items)
    more = len(listed) - MOST_TOLD
    return ", ".join(listed[:MOST_TOLD]) + (f" and {more} more" if more > 0 else "")


def _input_changes(before: Sequence[str], now: Sequence[str]) -> Iterator[str]:
    new, gone = set(now) - set(before), set(before) - set(now)
    if new:
        yield f"reads more: {_some(_short(new))}"
    if gone:
        yield f"reads no more: {_some(_short(gone))}"


def _short(paths: Iterable[str]) -> Iterator[str]:
    """The last parts of paths, that tell tile or region."""
    for path in paths:
        yield "/".join(path.split("/")[-2:])


def parameter_changes(before: Sequence[str], now: Mapping[str, str]) -> list[str]:
    """What has changed between the parameters of a job.

    Parameters
    ----------
    before : sequence of str
        Values that it had and has no more, as Python writes them.
    now : mapping of str to str
        Values that it has and had not, by name.
    """
    left = [_value(text) for text in before]
    told: list[str] = []
    pairs = _paired(left, {name: _value(text) for name, text in now.items()})
    order = dict.fromkeys([*now, *pairs])
    for name, (old, new) in ((name, pairs[name]) for name in order):
        found = list(_differences(name, old, new))
        told += found[:MOST_TOLD]
        if len(found) > MOST_TOLD:
            told.append(f"{name}: {len(found) - MOST_TOLD} differences more")
    return list(dict.fromkeys(told))


class _Absent:
    def __repr__(self) -> str:
        return "nothing"


ABSENT = _Absent()


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def _paired(left: list[Any], now: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Each new value by its name, beside the former one that is most like it."""
    likeness = [
        (_likeness(old, new), -number, name)
        for name, new in now.items()
        for number, old in enumerate(left)
    ]
    pairs: dict[str, tuple[Any, Any]] = {}
    used: set[int] = set()
    for value, minus, name in sorted(likeness, reverse=True):
        if value > 0 and name not in pairs and -minus not in used:
            pairs[name] = (left[-minus], now[name])
            used.add(-minus)
    for name, new in now.items():
        pairs.setdefault(name, (ABSENT, new))
    for number, old in enumerate(left):
        if number not in used:
            pairs[f"a parameter that was {_shown(old)}"] = (old, ABSENT)
    return pairs


def _likeness(old: Any, new: Any) -> float:
    """How alike two values are, 0 to 1; those of other types are not."""
    numbers = isinstance(old, int | float) and isinstance(new, int | float)
    if type(old) is not type(new) and not numbers:
        return 0.05 if old is None or new is None else 0
    if isinstance(new, Mapping):
        if not old and not new:
            return 0.1
        shared = set(old) & set(new)
        same = sum(old[key] == new[key] for key in shared)
        return (0.1 + len(shared) + same) / (0.1 + len(set(old) | set(new)) + len(new))
    if isinstance(new, list | tuple):
        items = list(map(repr, old)), list(map(repr, new))
        return 0.1 + 0.9 * SequenceMatcher(None, *items, autojunk=False).ratio()
    if isinstance(new, str):
        return 0.1 + 0.9 * SequenceMatcher(None, old, new, autojunk=False).ratio()
    return 0.5


def _differences(name: str, old: Any, new: Any) -> Iterator[str]:
    """Differences of two values, by the path of keys that leads to them."""
    first, _, rest = name.partition(".")
    last = name.rpartition(".")[2]
    if first in ("algorithm", "fused_by") and rest:
        yield _computation(rest, old, new)
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys([*old, *new]):
            before, after = old.get(key, ABSENT), new.get(key, ABSENT)
            if before != after:
                yield from _differences(f"{name}.{key}", before, after)
    elif first in ("algorithm", "fused_by"):
        yield "computation: other modules"
    elif rest and last in ("names", "sources") and _are_names(old) and _are_names(new):
        yield from _acquisitions(old, new)
    elif last in ("counted", "ready"):
        return  # told with the names
    elif last == "contents" or last.endswith("_contents") or ".contents." in name:
        yield f"content of {_owner_of(name)} has changed"
    elif name == "tags.CONFIG_SHA256":
        yield TAGS
    elif first == "revision":
        yield "files of its products have other content"
    elif isinstance(old, list) and isinstance(new, list):
        yield from _lists(name, old, new)
    else:
        yield f"{name}: {_shown(old)} → {_shown(new)}"


def _computation(module: str, old: Any, new: Any) -> str:
    if old is ABSENT or new is ABSENT:
        return f"computation {module} is {'new' if old is ABSENT else 'no more'}"
    return f"computation {module}: from version {old} to {new}"


def _are_names(value: Any) -> bool:
    """Whether a value may be the names of acquisitions; such as are not there count too."""
    items = () if value is ABSENT else value
    return isinstance(items, list | tuple | Mapping) and all(isinstance(i, str) for i in items)


def _acquisitions(old: Any, new: Any) -> Iterator[str]:
    before = set() if old is ABSENT else set(old)
    for name in sorted(set(new) - before):
        yield f"new acquisition {name}"
    for name in sorted(before - set(new)):
        yield f"acquisition {name} is gone"


def _owner_of(name: str) -> str:
    """What a digest is of, from the path of keys."""
    parts = [part for part in name.split(".") if part != "contents"]
    owner = parts[-1].removesuffix("_contents") if parts else ""
    known = {"legend": "the nomenclature", "": "its inputs"}
    return known.get(owner, f"the {owner.replace('_', ' ')}")


def _lists(name: str, old: list[Any], new: list[Any]) -> Iterator[str]:
    """Items that are new and that are gone; else the order has changed."""
    more = [item for item in new if item not in old]
    gone = [item for item in old if item not in new]
    if len(more) == len(gone) == 1:
        yield f"{name}: {_shown(gone[0])} → {_shown(more[0])}"
        return
    if more:
        yield f"{name}: new {_some(map(_shown, more))}"
    if gone:
        yield f"{name}: no more {_some(map(_shown, gone))}"
    if not more and not gone:
        yield f"{name}: {_shown(old)} → {_shown(new)}"


def _shown(value: Any) -> str:
    text = str(value) if isinstance(value, str) and value else repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
