"""Changes that cannot be, or hardly: what a user says of pairs of classes."""

import numpy as np

from iota2_tools.config.nomenclature import Nomenclature
from iota2_tools.core.errors import InputDataError, one_message
from iota2_tools.core.tables import read_rows

COLUMNS = ("from", "to", "judgement")
POSSIBLE, UNLIKELY, IMPOSSIBLE = 1, 2, 3
JUDGEMENTS = {"possible": POSSIBLE, "unlikely": UNLIKELY, "impossible": IMPOSSIBLE}
ANY = "*"


def read_judgements(path: str, legend: Nomenclature) -> np.ndarray:
    """Read what a table says of the changes from one class to another.

    Parameters
    ----------
    path : str
        CSV with the columns `COLUMNS`. Classes by code or name, ``*`` for all others; a later
        line counts more than an earlier one. What no line names is possible.
    legend : Nomenclature
        Common classes of both maps.

    Returns
    -------
    ndarray of uint8, shape (n_classes, n_classes)
        `JUDGEMENTS` of each change, rows: from, columns: to. The diagonal, no change, is possible.

    Raises
    ------
    InputDataError
        Listing every line at fault.
    """
    found = np.full((len(legend.codes), len(legend.codes)), POSSIBLE, dtype=np.uint8)
    problems = []
    for line, row in read_rows(path, COLUMNS):
        word = row["judgement"]
        classes = [_places_of(row[name], legend) for name in ("from", "to")]
        for name, places in zip(("from", "to"), classes, strict=True):
            if places is None:
                problems.append(
                    f"line {line}: {row[name]!r} in column {name} is no class of the maps; write a code, a "
                    f"name or {ANY}"
                )
        if word not in JUDGEMENTS:
            problems.append(f"line {line}: judgement is {word!r}; write {', '.join(JUDGEMENTS)}")
        elif classes[0] is not None and classes[1] is not None:
            found[np.ix_(classes[0], classes[1])] = JUDGEMENTS[word]
    if problems:
        raise InputDataError(one_message(path, problems))
    np.fill_diagonal(found, POSSIBLE)
    return found


def _places_of(text: str, legend: Nomenclature) -> list[int] | None:
    """Places of the classes that a cell names; None if it names none."""
    if text == ANY:
        return list(range(len(legend.codes)))
    code = legend.code_of(text)
    return None if code is None else [legend.codes.index(code)]
