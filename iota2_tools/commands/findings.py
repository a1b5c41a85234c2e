"""What a look at the machine finds."""

from collections.abc import Sequence
from dataclasses import dataclass

from iota2_tools.core.places import IS_CHECKOUT

REINSTALL = "run `make setup`" if IS_CHECKOUT else "repeat its `pip install` (docs/installation.md)"


@dataclass(frozen=True)
class Finding:
    """One thing looked at: its name, what was found, and the remedy where it is wrong.

    `fatal`: the chain cannot run. `lacks`: it can, without this.
    """

    name: str
    found: str
    remedy: str = ""
    fatal: bool = False
    lacks: str = ""


def print_findings(findings: Sequence[Finding]) -> None:
    """Print one line a finding, then the verdict."""
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        mark = "✗" if finding.fatal else ("!" if finding.remedy else "✓")
        print(f" {mark} {finding.name:<{width}}  {finding.found}")
        if finding.remedy:
            print(f"   {'':<{width}}  -> {finding.remedy}")
    print(f"\n{_verdict(findings)}")


def _verdict(findings: Sequence[Finding]) -> str:
    broken = dict.fromkeys(finding.name for finding in findings if finding.fatal)
    if broken:
        return f"The chain cannot run: {', '.join(broken)}"
    lacking = dict.fromkeys(finding.lacks for finding in findings if finding.lacks)
    return f"The chain can run here{', without ' if lacking else ''}{', '.join(lacking)}."
