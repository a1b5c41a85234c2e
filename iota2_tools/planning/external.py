"""Functions of the user in the plan: tried once, by the check; jobs read the names it found.

A module of the user may take seconds to import, and Snakemake parses the workflow in every process.
"""

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from iota2_tools.core.errors import OutputError
from iota2_tools.core.files import whole_file
from iota2_tools.features.block import Outline
from iota2_tools.features.external import ExternalFeatures, ExternalFunction, problems_of

NAMES = "external_features.json"
"""In the output folder."""


@dataclass(frozen=True)
class ExternalTrial:
    """Functions of the user, and all that their names may depend on.

    Parameters
    ----------
    functions : sequence of ExternalFunction
    outline : Outline
        What they may ask for.
    taken : sequence of str
        Names of the other features.
    """

    functions: Sequence[ExternalFunction]
    outline: Outline
    taken: Sequence[str]

    def names(self) -> list[str]:
        """Names of their features, from trying them.

        Raises
        ------
        UserCodeError
            As `ExternalFeatures`.
        """
        return ExternalFeatures(self.functions, self.outline, self.taken).names

    def problems(self) -> list[str]:
        """What is wrong with each of them."""
        return problems_of(self.functions, self.outline, self.taken)

    @property
    def digest(self) -> str:
        """Of the functions, their sources and what they may ask for."""
        functions = [asdict(item) for item in self.functions]
        about = [functions, list(self.taken), dict(self.outline.user), self.outline.resolution]
        text = json.dumps(about, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def write_names(output: str, trial: ExternalTrial) -> None:
    """Try the functions, and leave the names of their features in the output folder.

    Where that cannot be written, each process tries them anew.

    Raises
    ------
    UserCodeError
        As `ExternalFeatures`.
    """
    if read_names(output, trial):
        return
    names = trial.names()
    with suppress(OutputError), whole_file(str(Path(output, NAMES))) as temporary:
        stored = {"digest": trial.digest, "names": names}
        Path(temporary).write_text(json.dumps(stored, indent=1), encoding="utf-8")


def read_names(output: str, trial: ExternalTrial) -> list[str]:
    """Names that `write_names` left for these functions; none if it did not."""
    try:
        stored = json.loads(Path(output, NAMES).read_text(encoding="utf-8"))
        return list(stored["names"]) if stored["digest"] == trial.digest else []
    except (OSError, ValueError, KeyError, TypeError):
        return []
