"""Which file `snakemake --profile NAME` takes: another one of that name may hide ours."""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from iota2_tools.commands.findings import REINSTALL, Finding
from iota2_tools.core.places import IS_CHECKOUT, PROFILES

# Snakemake itself is asked, in a process of its own: nothing of this package imports it.
ASK = """
import json, sys
from snakemake.cli import get_profile_dir
found = {name: get_profile_dir(name) for name in sys.argv[1:]}
print(json.dumps({name: place and str(place[1]) for name, place in found.items()}))
"""


def our_profiles() -> list[str]:
    """Names of the profiles of this installation."""
    return sorted(path.parent.name for path in PROFILES.glob("*/config.yaml"))


def taken_files(names: Iterable[str], folder: Path) -> dict[str, Path | None]:
    """The file that Snakemake takes for each profile when it is started in a folder.

    It looks in that folder, in the user's folder (`~/.config/snakemake`, `XDG_CONFIG_HOME`),
    then in the site's (`XDG_CONFIG_DIRS`, where the set-up puts ours). None: it finds none.

    Raises
    ------
    RuntimeError
        If Snakemake cannot be asked, with its last words.
    """
    done = subprocess.run(
        [sys.executable, "-c", ASK, *names],
        capture_output=True, text=True, check=False, cwd=folder,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["no word"])[-1])
    found = json.loads(done.stdout.splitlines()[-1])
    return {name: None if path is None else folder / path for name, path in found.items()}


def examine_profiles(folder: Path, names: Iterable[str] = ()) -> list[Finding]:
    """Whether `--profile NAME`, typed in a folder, takes the profiles of this installation.

    Parameters
    ----------
    folder : Path
        Where Snakemake would be started.
    names : iterable of str
        Profiles; none for all of ours.
    """
    if not IS_CHECKOUT:  # the set-up leads Snakemake to our profiles, pip does not
        return [Finding("profiles", f"{', '.join(our_profiles())}: `iota2 run --profile NAME`")]
    names = list(names) or our_profiles()
    try:
        found = taken_files(names, folder.resolve())
    except RuntimeError as error:
        return [Finding("profiles", f"snakemake cannot be asked: {error}", REINSTALL, fatal=True)]
    return judged(found, folder.resolve())


def judged(found: Mapping[str, Path | None], folder: Path) -> list[Finding]:
    """What is told of the files that Snakemake takes: ours in one line, each other by itself."""
    good = [name for name, path in found.items() if path and _is_ours(name, path)]
    findings = [Finding("profiles", ", ".join(good))] if good else []
    for name, path in found.items():
        if name in good:
            continue
        if path is None:
            findings.append(_absent(name, folder))
            continue
        findings.append(
            Finding(
                "profiles",
                f"`--profile {name}` takes {path}, which hides that of this installation",
                f"rename that folder, or type --profile {PROFILES / name}",
            )
        )
    return findings


def _is_ours(name: str, path: Path) -> bool:
    return path.resolve() == (PROFILES / name / "config.yaml").resolve()


def _absent(name: str, folder: Path) -> Finding:
    """A profile that Snakemake does not find; a folder of its name without one hides it too."""
    what = f"`--profile {name}` is not found"
    if (folder / name).exists():
        return Finding(
            "profiles", f"{what}: {folder / name} stands in its way, and holds no profile",
            f"start snakemake in another folder, or type --profile {PROFILES / name}",
        )  # fmt: skip
    return Finding("profiles", what, REINSTALL, fatal=True)
