"""The rules as they are written, for tests that hold them against something else."""

import re
from typing import NamedTuple

from conftest import ROOT

HEAD = re.compile(r"^(?:rule (\w+)|use rule (\w+) as (\w+) with):\n", flags=re.MULTILINE)


class RuleText(NamedTuple):
    """A rule: the one whose script it runs (itself, unless it inherits), and its own text."""

    base: str
    body: str


def rule_texts() -> dict[str, RuleText]:
    """Each rule of `rules/` by its name, also those that inherit: `use rule BASE as NAME with`."""
    text = "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "rules").glob("*.smk")))
    heads = list(HEAD.finditer(text))
    ends = [*(head.start() for head in heads[1:]), len(text)]
    found = {}
    for head, end in zip(heads, ends, strict=True):
        name, base, own_name = head.groups()
        found[own_name or name] = RuleText(base or name, text[head.end() : end])
    return found


def rules_with_scripts() -> dict[str, RuleText]:
    """Those that run a script, be it inherited; the others are names for what others make."""
    every = rule_texts()
    return {name: rule for name, rule in every.items() if "script:" in every[rule.base].body}


def rules_of_file(stage: str) -> list[str]:
    """Rules of `rules/<stage>.smk` that write something."""
    text = (ROOT / "rules" / f"{stage}.smk").read_text("utf-8")
    names = [head[3] or head[1] for head in HEAD.finditer(text)]
    every = rule_texts()
    return [name for name in names if "script:" in every[every[name].base].body]
