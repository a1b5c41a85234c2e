"""Snakemake on the workflow of this package, wherever that is installed."""

import subprocess
import sys
from collections.abc import Sequence

from iota2_tools.core.places import PROFILES, SNAKEFILE


def snakemake_command(options: Sequence[str]) -> list[str]:
    """The command that runs the workflow; the profile is `local` where none is named.

    Parameters
    ----------
    options : sequence of str
        What Snakemake is told: targets and options. A profile of this package goes by its name.
    """
    given = list(options)
    if not any(option == "--profile" or option.startswith("--profile=") for option in given):
        given = ["--profile", "local", *given]
    for position, option in enumerate(given):
        before, sign, name = option.rpartition("=")
        named = before == "--profile" or (position and given[position - 1] == "--profile")
        if named and (PROFILES / name / "config.yaml").is_file():
            given[position] = f"{before}{sign}{PROFILES / name}"
    return [sys.executable, "-m", "snakemake", "--snakefile", str(SNAKEFILE), *given]


def snakemake(options: Sequence[str]) -> int:
    """Run Snakemake in the current folder; returns its exit code."""
    return subprocess.run(snakemake_command(options), check=False).returncode
