"""Stages of the chain: which rule belongs to which, as the files of rules tell."""

import re
from functools import cache
from pathlib import Path

_INCLUDED = re.compile(r'^include: "\.\./rules/(\w+)\.smk"', re.MULTILINE)
_RULE = re.compile(r"^(?:rule|use rule \w+ as) (\w+)(?: with)?:", re.MULTILINE)


@cache
def stages_of_rules(root: Path) -> dict[str, str]:
    """Stage of each rule, in the order of the stages.

    Parameters
    ----------
    root : Path
        Folder that holds `workflow/` and `rules/`.

    Returns
    -------
    dict of str to str
        Names of rules to names of the files they stand in (`rules/<stage>.smk`); what judges the
        fusion belongs to it.
    """
    snakefile = (root / "workflow" / "Snakefile").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for stage in _INCLUDED.findall(snakefile):
        text = (root / "rules" / f"{stage}.smk").read_text(encoding="utf-8")
        found |= dict.fromkeys(_RULE.findall(text), stage.removesuffix("_validation"))
    return found


@cache
def targets_of(root: Path) -> frozenset[str]:
    """Names that can be asked for: stages, and rules without wildcards."""
    snakefile = (root / "workflow" / "Snakefile").read_text(encoding="utf-8")
    return frozenset([*stages_of_rules(root), *_RULE.findall(snakefile)])
