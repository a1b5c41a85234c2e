"""What is known of sources from the files that stand behind them."""

from collections.abc import Sequence

import numpy as np

from iota2_tools.fusing.masses import masses_of_sources
from iota2_tools.fusing.methods import Known
from iota2_tools.learning.engines import describe


def known_sources(
    names: Sequence[str],
    codes: Sequence[int],
    models: Sequence[Sequence[str]] = (),
    matrices: Sequence[np.ndarray] = (),
    masses: str = "precision",
) -> Known:
    """What is known of some sources.

    Parameters
    ----------
    names : sequence of str
        Of the sources, for the log.
    codes : sequence of int
        Classes of the nomenclature.
    models : sequence of sequence of str
        Folders of the models behind each, where it counts how many samples they have learnt.
    matrices : sequence of ndarray
        Confusion matrices of their folds, where masses are wanted.
    masses : str
        Key of `masses.KINDS`.
    """
    samples = [sum(describe(folder)["samples"] for folder in own) for own in models]
    believed = masses_of_sources(matrices, masses, codes, names) if len(matrices) else None
    return Known(list(codes), samples or [1] * len(names), believed)
