"""What a look at the machine finds."""

from collections.abc import Sequence
from dataclasses import dataclass

REINSTALL = "run `make setup`"


@dataclass(frozen=True)
class Finding:
    """One thing looked at: its name, what was found, and the remedy where it is wrong."""

    name: str
    found: str
    remedy: str = ""
    fatal: bool = False


def print_findings(findings: Sequence[Finding]) -> None:
    """Print one line a finding, then the verdict."""
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        mark = "✗" if finding.fatal else ("!" if finding.remedy else "✓")
        print(f" {mark} {finding.name:<{width}}  {finding.found}")
        if finding.remedy:
            print(f"   {'':<{width}}  -> {finding.remedy}")
    broken = [finding.name for finding in findings if finding.fatal]
    print(f"\nThe chain cannot run: {', '.join(broken)}" if broken else "\nThe chain can run here.")
