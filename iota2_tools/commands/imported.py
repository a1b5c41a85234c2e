"""What Python imports here, by name: the file, the version, or why it cannot.

Tried in a process of its own (`python -m iota2_tools.commands.imported NAMES`): a library that does
not fit may end Python without a word.
"""

import importlib
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import distributions
from pathlib import Path

from iota2_tools.core.environment import unimportable

MARK = "iota2: "
SECONDS = 300
"""A file system that hangs is told after this."""


@dataclass(frozen=True)
class Imported:
    """A module that was tried: where it is from, or why it is not there."""

    name: str
    file: str = ""
    version: str = ""
    error: str = ""

    @property
    def foreign(self) -> bool:
        """True if it is not of this environment's folder."""
        return bool(self.file) and not Path(self.file).is_relative_to(sys.prefix)


def imported(packages: dict[str, str]) -> list[Imported]:
    """Import modules in another process, one after the other.

    Parameters
    ----------
    packages : dict of str to str
        Module name to the name of its package.

    Returns
    -------
    list of Imported
        Up to the first that ends Python, which has that as its error.
    """
    command = [sys.executable, "-m", __name__, *(f"{m}={p}" for m, p in packages.items())]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False
        )
        lines, code = done.stdout.splitlines(), done.returncode
    except subprocess.TimeoutExpired as ended:
        lines, code = (ended.stdout or b"").decode(errors="replace").splitlines(), None
    told = [line.removeprefix(MARK) for line in lines if line.startswith(MARK)]
    found = [Imported(**json.loads(line)) for line in told]
    left = [name for name in packages if name not in {each.name for each in found}]
    if left:
        why = f"takes more than {SECONDS} s" if code is None else f"ends Python (status {code})"
        found.append(Imported(left[0], error=f"its import {why}"))
    return found


def _try(name: str, package: str) -> Imported:
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        return Imported(name, error=unimportable(error) or str(error))
    except BaseException as error:  # whatever it is, it is what a job would meet
        return Imported(name, error=f"{type(error).__name__}: {error}")
    file = str(module.__file__)
    return Imported(name, file, str(getattr(module, "__version__", "")) or _version(package, file))


def _version(package: str, file: str) -> str:
    """What the package says that lies beside the imported file."""
    site = Path(file).parents[1] if Path(file).stem == "__init__" else Path(file).parent
    return next((each.version for each in distributions(name=package, path=[str(site)])), "")


def _main(pairs: Sequence[str]) -> None:
    for pair in pairs:
        name, package = pair.split("=")
        print(f"{MARK}{json.dumps(asdict(_try(name, package)))}", flush=True)


if __name__ == "__main__":
    _main(sys.argv[1:])
