"""Words for messages: the nearest known one, values as text."""

import difflib
from collections.abc import Iterable


def suggest(word: object, known: Iterable[object], otherwise: str = "") -> str:
    """Hint for a word that is not known.

    Parameters
    ----------
    word : object
        What was given.
    known : iterable
        What may stand there.
    otherwise : str
        Hint where no known word is near.

    >>> suggest("tilles", ["tiles", "output"])
    "did you mean 'tiles'?"
    >>> suggest("x", ["tiles"], "known keys: tiles")
    'known keys: tiles'
    """
    near = difflib.get_close_matches(str(word), [str(item) for item in known], n=1)
    return f"did you mean {near[0]!r}?" if near else otherwise


def plain_text(value: object) -> str:
    """A field value as text; whole numbers, also those a null has made float, without a point.

    >>> plain_text(3.0), plain_text(" a ")
    ('3', 'a')
    """
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
