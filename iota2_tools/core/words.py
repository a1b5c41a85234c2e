"""Words for messages and reports: the nearest known one, values and numbers as text."""

import difflib
import math
import re
from collections.abc import Iterable, Mapping


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


def number(value: float, decimals: int = 0, *, absent: str = "-", apart: str = "") -> str:
    """A number as text; what rounds to zero has no sign.

    The one place where reports, tables and figures turn numbers into text.

    Parameters
    ----------
    value : float
        NaN: no value.
    decimals : int
        Digits after the point.
    absent : str
        Text of NaN.
    apart : str
        Between thousands.

    >>> number(-0.004, 2), number(1234567.8, 1, apart=" "), number(float("nan"))
    ('0.00', '1 234 567.8', '-')
    """
    if math.isnan(value):
        return absent
    rounded = round(float(value), decimals) + 0.0  # -0.0 + 0.0 is 0.0
    return f"{rounded:,.{decimals}f}".replace(",", apart)


def listed(items: Iterable[object], last: str = "and") -> str:
    """Things in a row, as a sentence lists them.

    >>> listed([0, 1, 4]), listed(["a"])
    ('0, 1 and 4', 'a')
    """
    *first, end = map(str, items)
    return f"{', '.join(first)} {last} {end}" if first else end


def duration(seconds: float) -> str:
    """A time as people say it, rounded to what matters.

    >>> duration(4.4), duration(95), duration(600), duration(7400), duration(200000)
    ('4 s', '95 s', '10 min', '2 h 03 min', '2 d 7 h')
    """
    if seconds < 100:
        return f"{max(round(seconds), 0)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    hours = round(seconds / 3600)
    return f"{hours // 24} d {hours % 24} h"


def wildcards_told(wildcards: Mapping[str, object]) -> str:
    """What a job is of, to stand after its rule.

    >>> wildcards_told({"region": "1", "seed": "0"}), wildcards_told({})
    (' (region 1, seed 0)', '')
    """
    told = ", ".join(f"{name} {value}" for name, value in wildcards.items())
    return f" ({told})" if told else ""


def one_of(words: Iterable[object]) -> str:
    """Regular expression of one of some words, as they are.

    >>> one_of(["T31TCJ", "T31TDJ"]), one_of([0, 10])
    ('T31TCJ|T31TDJ', '0|10')
    """
    return "|".join(re.escape(str(word)) for word in words)
