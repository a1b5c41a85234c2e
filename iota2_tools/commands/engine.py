"""Snakemake on the workflow of this package, wherever that is installed."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from iota2_tools.core.errors import InputDataError
from iota2_tools.core.files import writable_folder
from iota2_tools.core.places import PROFILES, ROOT, SNAKEFILE
from iota2_tools.core.words import listed, suggest
from iota2_tools.planning.journal import BY_COMMAND
from iota2_tools.planning.stages import stages_of_rules, targets_of
from iota2_tools.planning.whereabouts import FOLDER, Place

ENDS_WITHOUT_JOBS = (
    "-n", "--dry-run", "--dryrun", "--unlock", "--report", "--lint", "--list-rules", "--list", "-l",
    "--list-target-rules", "--lt", "--summary", "-S", "--detailed-summary", "-D", "--dag", "--rulegraph",
    "--filegraph", "--d3dag", "--archive", "--cleanup-metadata", "--cm", "--list-input-changes", "--lc",
    "--list-params-changes", "--lp", "--list-untracked", "--lu", "--list-code-changes", "--version", "-v",
    "--help", "-h", "--print-compilation", "--generate-unit-tests", "--containerize", "--delete-all-output",
)  # fmt: skip
"""Options of Snakemake with which it runs no job."""
WITH_PATHS = ("--report", "--report-stylesheet", "--profile", "--workflow-profile")
"""Options of Snakemake whose value is a path: it counts from where the command is typed."""


WITH_TARGETS = (
    "--forcerun", "-R", "--until", "-U", "--omit-from", "-O", "--prioritize", "-P", "--cleanup-metadata", "--cm",
)  # fmt: skip
"""Options of Snakemake that rules or files follow."""


def snakemake_command(place: Place, options: Sequence[str]) -> list[str]:
    """The command that runs the workflow on a production, in its output folder.

    Parameters
    ----------
    place : Place
        The production.
    options : sequence of str
        What Snakemake is told: targets first, then its options. The profile is `local` where none is
        named; one of this package goes by its name.
    """
    given = _with_profile(options)
    own = f"{FOLDER}={place.folder}"
    if "--config" in given:  # one list, or the last would count alone
        given.insert(given.index("--config") + 1, own)
    else:
        given += ["--config", own]
    return [
        sys.executable, "-m", "snakemake", *given, "--directory", str(place.output),
        "--configfile", str(place.configfile), "--snakefile", str(SNAKEFILE),
    ]  # fmt: skip


def _with_profile(options: Sequence[str]) -> list[str]:
    given = list(_absolute(options))
    if any(option.partition("=")[0] == "--profile" for option in given):
        return given
    return [*given, "--profile", str(PROFILES / "local")]


def _absolute(options: Sequence[str]) -> Iterator[str]:
    """The options, with the paths in them as they are typed here; profiles of ours by their name."""
    before = ""
    for option in options:
        name, sign, value = option.partition("=")
        if sign and name in WITH_PATHS:
            yield f"{name}={_path(name, value)}"
        elif before in WITH_PATHS and not option.startswith("-"):
            yield _path(before, option)
        else:
            yield option
        before = option


def _path(option: str, value: str) -> str:
    if option == "--profile" and (PROFILES / value / "config.yaml").is_file():
        return str(PROFILES / value)
    if "profile" in option and not os.path.exists(value):
        return value  # none, or one that Snakemake looks for in the user's folder
    return os.path.abspath(value)


def targets(words: Sequence[str], place: Place) -> list[str]:
    """What Snakemake is asked for: stages and rules by name, files by their path.

    Parameters
    ----------
    words : sequence of str
        As typed: a path counts from here, from the folder of the production, or from its output.

    Raises
    ------
    InputDataError
        If one is neither a stage nor in the output folder.
    """
    known = targets_of(ROOT)
    return [word if word in known else _file(word, place) for word in words]


def placed(options: Sequence[str], place: Place) -> list[str]:
    """Options of Snakemake with the files of a production that stand in them as it names them."""
    found, before = [], ""
    for option in options:
        if option.startswith("-"):
            before = option
        elif before in WITH_TARGETS:
            option = targets([option], place)[0]
        found.append(option)
    return found


def _file(word: str, place: Place) -> str:
    for folder in (Path.cwd(), place.folder, place.output):
        path = Path(os.path.normpath(folder / os.path.expanduser(word)))
        if path.is_relative_to(place.output) and (folder is not place.output or "/" in word):
            return str(path)
    stages = list(dict.fromkeys(["all", *stages_of_rules(ROOT).values()]))
    known = f"stages are {listed(stages)}"
    raise InputDataError(
        f"{word}: is no stage, and no file of {place.output}; {suggest(word, stages, known)}"
    )


def runs_jobs(options: Sequence[str]) -> bool:
    """Whether Snakemake would run jobs with these options."""
    return not any(option.partition("=")[0] in ENDS_WITHOUT_JOBS for option in options)


def environment(**more: str) -> dict[str, str]:
    """Variables of a Snakemake that a command starts."""
    return os.environ | {BY_COMMAND: "1"} | more


def snakemake(place: Place, options: Sequence[str]) -> int:
    """Run Snakemake on a production, with its own words; returns its exit code."""
    writable_folder(place.output)
    command = snakemake_command(place, options)
    return subprocess.run(command, env=environment(), check=False).returncode
