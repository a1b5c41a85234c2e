"""Everything that is wrong or strange about a production, told at once."""

from dataclasses import dataclass, replace
from typing import Literal

from iota2_tools.config.yaml_files import lines_of
from iota2_tools.core.environment import environment_problems
from iota2_tools.core.errors import ConfigError, Iota2Error
from iota2_tools.core.findings import Finding, findings_in, findings_of, with_lines
from iota2_tools.planning.checks import input_findings, warning_findings
from iota2_tools.planning.configuration import SECTIONS, read_as_far
from iota2_tools.planning.images import header_findings, pixel_findings
from iota2_tools.planning.machine import machine_findings
from iota2_tools.planning.parameters import Parameters
from iota2_tools.planning.production import Production

Depth = Literal["names", "headers", "pixels"]
"""How far images are looked at: the names of their products, their headers, some of their blocks."""
UNSEEN = Finding(
    "", "", "the inputs could not all be looked at", "correct what contradicts itself and check again", "warning"
)  # fmt: skip
"""Of choices that contradict one another: nothing is known of inputs that depend on both."""


@dataclass(frozen=True)
class Overview:
    """What a look at a configuration and its inputs has found.

    Parameters
    ----------
    config : str
        File of the configuration.
    findings : tuple of Finding
        Each once, in the order they were found.
    production : Production or None
        The plan; None where the configuration lacks what one needs.
    """

    config: str
    findings: tuple[Finding, ...]
    production: Production | None = None

    def of(self, severity: str) -> list[Finding]:
        """Errors, or warnings."""
        return [item for item in self.findings if item.severity == severity]


def overview(path: str, depth: Depth = "headers") -> Overview:
    """Look at a configuration and at all its inputs, as far as they can be looked at.

    Parameters
    ----------
    path : str
        File of the configuration.
    """
    found = [Finding("environment", "", told) for told in environment_problems()]
    if found:  # GDAL or PROJ would tell wrong things of good files
        return Overview(path, tuple(found))
    try:
        config, problems = read_as_far(path)
    except ConfigError as error:
        return Overview(path, tuple(findings_of(error, path, SECTIONS)))
    found = [item for told in problems for item in findings_in(told, path, "error", SECTIONS)]
    contradictory = bool(found)
    production = Production(config) if config else None
    if production:
        try:
            found += _of_inputs(production, path, depth)
            found += warning_findings(production, path)
        except Exception:
            if not contradictory:
                raise
            # Choices that contradict one another are told; what was computed with both is not.
            found.append(UNSEEN)
        if not any(item.severity == "error" for item in found):
            found += machine_findings(Parameters(production))
    lines = lines_of(path)
    placed = (with_lines(replace(item, file=item.file or path), path, lines) for item in found)
    return Overview(path, tuple(dict.fromkeys(placed)), production)


def _of_inputs(production: Production, path: str, depth: Depth) -> list[Finding]:
    """What is wrong with the inputs; images are opened where it is known which are read, and how."""
    found = input_findings(production, path)
    if depth == "names":
        return found
    looks = pixel_findings if depth == "pixels" else header_findings
    try:
        return found + looks(production, path)
    except Iota2Error as error:
        return found or findings_of(error, path, SECTIONS)
